"""Spots about as small as the camera's spread: the bound holds what the pixels do not tell."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.geometry import Floats
from models.rig import StatedHalo, StatedSpread
from models.thermal_place import moved_px
from tests.rendered_limb import SKIN_DEGC
from tests.vision.test_thermal import MIDDLE_MM, SCENE, read
from vision.point_spread import from_calibration, without_spread
from vision.sharpened_noise import noise_gain

FINER, SIDE_PX, COLD_DEGC, WARM_DEGC = 6, 48, 5.0, 30.0
HIDDEN = np.zeros((SIDE_PX, SIDE_PX), np.bool_)


def spot(shape: str, wide_px: float, at_px: Floats, *, sigma_px: float, halo: float) -> Floats:
    """A spot as the camera reads it: lens, pixel and halo."""
    y, x = (np.indices((SIDE_PX * FINER,) * 2) + 0.5) / FINER - 0.5
    x, y = x - at_px[0], y - at_px[1]
    far = np.maximum(np.abs(x), np.abs(y)) if shape == "square" else np.hypot(x, y)
    share = np.exp(-np.log(2.0) * (2.0 * far / wide_px) ** 2) if shape == "bell" else far < wide_px / 2.0
    true = (WARM_DEGC - (WARM_DEGC - COLD_DEGC) * share).astype(np.float32)
    narrow = cv2.GaussianBlur(true, (0, 0), FINER * float(np.sqrt(sigma_px**2 - 1.0 / 12.0)))
    mixed = (1.0 - halo) * narrow + halo * cv2.GaussianBlur(true, (0, 0), FINER * 7.0)
    return cv2.resize(mixed, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float64)


def at(picture: Floats, at_px: Floats) -> float:
    x, y = (np.array([[v]], np.float32) for v in at_px)
    return float(cv2.remap(picture.astype(np.float32), x, y, cv2.INTER_LINEAR)[0, 0])


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("shape", ["square", "disc", "bell"])
def test_a_spot_of_three_pixels_and_more_lies_within_its_bound(shape: str, between: bool) -> None:
    """Before, 0 to 50 % did: a square of 3.2 px read up to 5 degC too cold with a bound of 1.2."""
    rng, inside = np.random.default_rng(5), []
    for wide_px in (3.2, 4.0, 5.0, 6.5):
        for sigma_px in (0.6, 0.77, 0.95):
            told = from_calibration(StatedSpread(sigma_px, 0.03, StatedHalo(0.09, 7.0, 0.01)))
            for _ in range(3):
                at_px = 24.0 + (rng.uniform(-0.5, 0.5, 2) if between else np.zeros(2))
                real = {"sigma_px": sigma_px + rng.normal(0, 0.015), "halo": 0.09 + rng.normal(0, 0.005)}
                seen = spot(shape, wide_px, at_px, **real)
                spread = told.between_pixels if between else told
                corrected, doubt, mixed = without_spread(seen, HIDDEN, spread)
                off = at(corrected, at_px) - COLD_DEGC
                inside.append(abs(off) <= np.hypot(at(doubt, at_px), at(mixed, at_px)))
    assert np.mean(inside) >= 0.93


def test_noise_alone_does_not_count_as_a_spot() -> None:
    """Of even skin with the noise of an uncooled camera nothing is left to doubt but for a few pixels."""
    noisy = 33.0 + np.random.default_rng(6).normal(0.0, 0.06, (SIDE_PX, SIDE_PX))
    doubt = without_spread(noisy, HIDDEN, from_calibration(StatedSpread(0.77, 0.03)))[1]
    assert np.median(doubt) < 0.05


def test_sharpened_noise_is_as_wide_as_the_readings_scatter() -> None:
    spread = from_calibration(StatedSpread(0.77, 0.03)).between_pixels
    rng = np.random.default_rng(7)
    noisy = rng.normal(0.0, 1.0, (200, 200))
    sharp = without_spread(noisy, np.zeros(noisy.shape, np.bool_), spread)[0].astype(np.float32)
    x, y = rng.uniform(10.0, 190.0, (2, 1, 4000)).astype(np.float32)
    scatter = float(np.std(cv2.remap(sharp, x, y, cv2.INTER_LINEAR)))
    assert noise_gain(spread) == pytest.approx(scatter, rel=0.08)


def test_a_camera_drawn_from_its_stated_place_keeps_the_truth_inside() -> None:
    """The rig is told the wrong place; 2 px (95 %) along each way is what calibration states."""
    rng, centre = np.random.default_rng(8), MIDDLE_MM + np.array([0.0, 20.0, 0.0])
    cold = SCENE.cold_spot(centre, degc=5.0, radius_mm=18.0)
    thermal = SCENE.rig.thermal
    assert thermal is not None
    covariance = np.zeros((15, 15))
    covariance[[2, 3], [2, 3]] = (2.0 / 1.96) ** 2
    true, near = cold(SCENE.chart.position_mm), cold(SCENE.chart.position_mm) < SKIN_DEGC - 1.0
    stated, bare = [], []
    for _ in range(8):
        off = np.zeros(15)
        off[2:4] = rng.normal(0.0, 2.0 / 1.96, 2)
        here = moved_px(thermal, SCENE.chart.position_mm, off) - moved_px(
            thermal, SCENE.chart.position_mm, np.zeros(15)
        )
        camera = replace(
            thermal.camera,
            cx_px=thermal.camera.cx_px + float(here[0, 0]),
            cy_px=thermal.camera.cy_px + float(here[0, 1]),
        )
        for told, kept in ((covariance, stated), (None, bare)):
            wrong = replace(thermal, camera=camera, covariance=told, accuracy_degc=0.3)
            skin = read(SCENE.thermal(1.0, degc=cold), rig=replace(SCENE.rig, thermal=wrong))
            kept.append(np.mean((np.abs(skin.degc - true) <= skin.u95_degc)[near & skin.observed]))
    assert np.mean(stated) >= 0.93
    assert np.mean(bare) < np.mean(stated)
