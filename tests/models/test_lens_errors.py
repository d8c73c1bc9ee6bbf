"""What an imperfectly known lens does to directions and sizes, held against the lens itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.camera import Camera
from models.geometry import Floats
from models.lens_errors import REACH, lens_slopes, ray_slopes

LENS = Camera(1280, 720, 1003.0, 1001.0, 655.0, 350.0, np.array([-0.28, 0.12, 0.0013, -0.0007, -0.04]))
RAYS = np.array([(x, y) for x in (-0.5, 0.02, 0.45) for y in (-0.3, 0.0, 0.28)])
STEPS = np.array([0.1, 0.1, 0.1, 0.1, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4])


def changed(by: Floats) -> Camera:
    names = ("fx_px", "fy_px", "cx_px", "cy_px")
    focal = {name: getattr(LENS, name) + float(one) for name, one in zip(names, by, strict=False)}
    return replace(LENS, **focal, distortion=LENS.distortion + by[4:])


def rays_at(camera: Camera, px: Floats) -> Floats:
    return camera.unproject(px)[:, :2]


@pytest.mark.parametrize("k", range(9))
def test_a_pixels_direction_moves_with_each_parameter_as_told(k: int) -> None:
    px = LENS.project(np.hstack([RAYS, np.ones((len(RAYS), 1))]))
    ahead, behind = (rays_at(changed(way * STEPS[k] * np.eye(9)[k]), px) for way in (1.0, -1.0))
    told = ray_slopes(LENS, RAYS)[:, :, k]
    assert told == pytest.approx((ahead - behind) / (2.0 * STEPS[k]), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("k", range(9))
def test_things_look_larger_with_each_parameter_as_told(k: int) -> None:
    """Sizes by what their four ends are seen at."""
    larger = np.zeros(len(RAYS))
    for axis in range(2):
        ends = []
        for way in (1.0, -1.0):
            end = RAYS + way * REACH * np.eye(2)[axis]
            px = LENS.project(np.hstack([end, np.ones((len(end), 1))]))
            ends.append([rays_at(changed(s * STEPS[k] * np.eye(9)[k]), px)[:, axis] for s in (1.0, -1.0)])
        ahead, behind = (ends[0][s] - ends[1][s] for s in (0, 1))
        larger += 0.5 * (ahead - behind) / (2.0 * REACH) / (2.0 * STEPS[k])
    assert lens_slopes(LENS, RAYS)[1][:, k] == pytest.approx(larger, rel=1e-4, abs=1e-9)


def test_a_longer_focal_length_makes_things_look_smaller_by_its_share() -> None:
    plain = replace(LENS, distortion=np.zeros(5))
    both = lens_slopes(plain, RAYS)[1][:, :2] @ np.array([0.001 * plain.fx_px, 0.001 * plain.fy_px])
    assert both == pytest.approx(np.full(len(RAYS), -0.001))


def test_beyond_the_fold_of_the_lens_errors_stay_numbers_and_are_large() -> None:
    beyond = np.array([[3.0, 0.0], [5.0, 5.0]])
    assert np.isfinite(LENS.fold_square)
    slopes = ray_slopes(LENS, beyond)
    assert np.isfinite(slopes).all()
    assert np.abs(slopes[:, :, 8]).max() > 10.0 * np.abs(ray_slopes(LENS, RAYS)[:, :, 8]).max()
