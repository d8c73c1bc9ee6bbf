"""What calibration states of the thermal camera's place, in its pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.camera import Camera
from models.geometry import Pose, rotation_from_rvec
from models.rig import ThermalCamera
from models.thermal_place import moved_px, place_u95_px

STANDS = Pose.of(rotation_from_rvec(np.array([0.02, -0.03, 0.01])), np.array([-48.0, 4.0, 2.0]))
CAMERA = ThermalCamera(Camera(160, 120, 170.0, 170.0, 79.5, 59.5, np.zeros(5)), STANDS, 0.0, 0.05, 2.0, 0.98)
POINTS_RGB_MM = np.stack([*np.meshgrid([-120.0, 30.0, 200.0], [-90.0, 60.0]), np.full((2, 3), 900.0)], -1)
SIGMA = np.array([0.5, 0.5, 0.4, 0.4, 0.004, 0, 0, 0, 0, 2e-3, 2e-3, 1e-3, 0.8, 0.8, 1.5])


def test_without_a_statement_nothing_is_added() -> None:
    assert place_u95_px(CAMERA, POINTS_RGB_MM.reshape(-1, 3)) == 0.0


def test_where_the_lens_tells_of_no_point_it_may_look_anywhere() -> None:
    """Beyond its fold: not known is not 0."""
    bent = replace(CAMERA.camera, distortion=np.array([-0.5, 0.0, 0.0, 0.0, 0.0]))
    camera = replace(CAMERA, camera=bent, covariance=np.diag(SIGMA**2))
    assert place_u95_px(camera, np.array([[900.0, 900.0, 900.0]])) == 200.0


def test_a_turn_moves_all_pixels_by_the_focal_length_times_it() -> None:
    only = np.zeros((15, 15))
    only[9, 9] = 1e-3**2
    told = place_u95_px(replace(CAMERA, covariance=only), np.array([[48.0, 0.0, 900.0]]))
    assert told == pytest.approx(1.96 * 1e-3 * 170.0, rel=0.05)


def test_cameras_drawn_from_the_covariance_lie_within_the_bound() -> None:
    rng, points = np.random.default_rng(4), POINTS_RGB_MM.reshape(-1, 3)
    rig = replace(CAMERA, covariance=np.diag(SIGMA**2))
    u95_px, told_px = place_u95_px(rig, points), moved_px(rig, points, np.zeros(15))
    off = np.array([moved_px(rig, points, rng.normal(0.0, SIGMA)) - told_px for _ in range(400)])
    inside = np.mean(np.linalg.norm(off, axis=2) <= u95_px, axis=0)
    assert 0.93 <= inside.min() <= 0.97
