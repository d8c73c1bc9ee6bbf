"""How far the thermal camera may look beside the place it is taken to look at, as its calibration states."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import INTRINSICS, ThermalCamera
from models.sightings import radius_95_mm

_STEPS = (1e-2, 1e-2, 1e-2, 1e-2, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-6, 1e-6, 1e-6, 1e-3, 1e-3, 1e-3)
"""For differences, in the order of `models.rig.THERMAL_PARAMETERS`: each moves a pixel by less than 0.1."""


def moved_px(thermal: ThermalCamera, points_rgb_mm: Floats, change: Floats) -> Floats:
    """Pixels (n, 2) of points (n, 3) once the parameters have changed by so much, shape (15,)."""
    camera, count = thermal.camera, len(INTRINSICS)
    rvec = Rotation.from_matrix(thermal.thermal_from_rgb.rotation).as_rotvec()
    turn = rotation_from_rvec(rvec + change[count : count + 3])
    stands = Pose.of(turn, thermal.thermal_from_rgb.translation_mm + change[count + 3 :])
    fx, fy, cx, cy = (float(v) for v in camera.focal + change[:4])
    lens = camera.distortion + change[4:count]
    return Camera(camera.width_px, camera.height_px, fx, fy, cx, cy, lens).project(
        stands.apply(points_rgb_mm)
    )


def place_slopes_px(thermal: ThermalCamera, points_rgb_mm: Floats) -> Floats:
    """How the places of points (n, 3) move in the thermal picture by each parameter, shape (n, 2, 15)."""
    slopes = np.empty((len(points_rgb_mm), 2, len(_STEPS)))
    for k, step in enumerate(_STEPS):
        change = np.zeros(len(_STEPS))
        change[k] = step
        ahead, behind = (moved_px(thermal, points_rgb_mm, way * change) for way in (1.0, -1.0))
        slopes[..., k] = (ahead - behind) / (2.0 * step)
    return slopes


def place_u95_px(thermal: ThermalCamera, points_rgb_mm: Floats) -> float:
    """Radius about where points (n, 3) are taken to lie in the thermal picture that holds 95 % of them.

    To first order, the worst of the points; the whole picture where the lens tells of none, 0 where
    calibration states nothing.
    """
    covariance = thermal.covariance
    if covariance is None or not len(points_rgb_mm):
        return 0.0
    slopes = place_slopes_px(thermal, points_rgb_mm)
    slopes = slopes[np.isfinite(slopes).all(axis=(1, 2))]
    if not len(slopes):  # at the fold of a lens: it may look anywhere
        return float(np.hypot(thermal.camera.width_px, thermal.camera.height_px))
    return max(radius_95_mm(one @ covariance @ one.T) for one in slopes)
