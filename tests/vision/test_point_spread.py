"""The camera's spread: measured at the edge of warm skin, and taken out of small cold spots."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Floats
from models.rig import StatedHalo, StatedSpread
from vision.point_spread import (
    HALO_U95,
    USUAL,
    PointSpread,
    disagree,
    from_calibration,
    measured_at_edge,
    relied_on,
    without_spread,
)
from vision.synthetic_scene import Patch, Scene
from vision.synthetic_studio import Studio

SKIN_DEGC, ROOM_DEGC = 33.5, 23.0
SEEN = np.zeros((60, 80), bool)


def body(*, sigma_px: float, tail_px: float = 0.0, noise_degc: float = 0.06, seed: int = 3) -> Floats:
    """A warm trunk and arm before a couch, drawn eight times finer, spread and read by pixels."""
    fine = np.full((192 * 8, 256 * 8), ROOM_DEGC, np.float32)
    cv2.ellipse(fine, (1000, 760), (700, 330), 12.0, 0.0, 360.0, SKIN_DEGC, -1)
    cv2.line(fine, (300, 300), (1700, 1350), SKIN_DEGC, 170)
    seen = cv2.GaussianBlur(fine, (0, 0), 8.0 * sigma_px)
    if tail_px:
        seen = 0.9 * seen + 0.1 * cv2.GaussianBlur(fine, (0, 0), 8.0 * tail_px)
    rng = np.random.default_rng(seed)
    return cv2.resize(seen, (256, 192), interpolation=cv2.INTER_AREA) + rng.normal(
        0.0, noise_degc, (192, 256)
    )


@pytest.mark.parametrize("sigma_px", [0.6, 0.8, 1.0, 1.3])
def test_the_spread_is_measured_at_the_edge_of_the_body(sigma_px: float) -> None:
    """Within 10 %; a pixel's own width (0.29 px) is part of what is measured."""
    found = measured_at_edge(body(sigma_px=sigma_px))
    assert found is not None
    assert found.sigma_px == pytest.approx(np.hypot(sigma_px, 0.29), rel=0.10)


def test_cloth_of_a_temperature_in_between_does_not_pass_for_spread() -> None:
    picture = body(sigma_px=0.8)
    cloth = picture[:, 150:]
    cloth[cloth > 28.0] = 28.3
    found = measured_at_edge(picture)
    assert found is not None
    assert found.sigma_px == pytest.approx(np.hypot(0.8, 0.29), rel=0.12)


def test_a_cold_nozzle_before_the_edge_does_not_count() -> None:
    picture = body(sigma_px=0.8)
    picture[40:140, 110:125] = -60.0
    found = measured_at_edge(picture)
    assert found is not None
    assert found.sigma_px == pytest.approx(np.hypot(0.8, 0.29), rel=0.10)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.full((192, 256), SKIN_DEGC), id="skin throughout"),
        pytest.param(np.full((192, 256), np.nan), id="no reading"),
        pytest.param(np.tile(np.linspace(20.0, 34.0, 256), (192, 1)), id="a slope"),
        pytest.param(np.random.default_rng(1).uniform(15.0, 38.0, (192, 256)), id="noise"),
        pytest.param(body(sigma_px=4.0), id="out of focus"),
        pytest.param(body(sigma_px=0.8)[:8, :8], id="a scrap"),
    ],
)
def test_where_no_edge_tells_nothing_is_measured(picture: Floats) -> None:
    assert measured_at_edge(picture) is None


@settings(max_examples=25, deadline=None)
@given(cold_degc=st.floats(-5.0, 20.0), radius_px=st.floats(3.0, 6.0), sigma_px=st.floats(0.5, 1.0))
def test_a_small_cold_spot_gets_its_temperature_back(
    cold_degc: float, radius_px: float, sigma_px: float
) -> None:
    """Within 2 % of its depth where the spread is known and the spot no smaller than three spreads."""
    y, x = np.indices(SEEN.shape)
    true = SKIN_DEGC - (SKIN_DEGC - cold_degc) * np.exp(
        -0.5 * ((y - 30.0) ** 2 + (x - 40.0) ** 2) / radius_px**2
    )
    read = np.asarray(cv2.GaussianBlur(true, (0, 0), sigma_px), np.float64)
    known = PointSpread(sigma_px, 0.0, 0.35, measured=True)
    corrected, doubt, halo = without_spread(read, SEEN, known)
    assert corrected[30, 40] == pytest.approx(cold_degc, abs=0.02 * (SKIN_DEGC - cold_degc))
    assert corrected[30, 40] <= read[30, 40]
    assert abs(corrected[30, 40] - cold_degc) <= np.hypot(doubt, halo)[30, 40]


def test_an_unmeasured_camera_is_doubted_more() -> None:
    y, x = np.indices(SEEN.shape)
    read = SKIN_DEGC - 30.0 * np.exp(-0.5 * ((y - 30.0) ** 2 + (x - 40.0) ** 2) / 3.0**2)
    measured = PointSpread(USUAL.narrow_px, USUAL.wide_share, 0.35, measured=True)
    assert (
        without_spread(read, SEEN, USUAL)[1][30, 40] > 1.2 * without_spread(read, SEEN, measured)[1][30, 40]
    )


def test_an_even_picture_needs_no_correction_and_what_is_hidden_weighs_nothing() -> None:
    even, hidden = np.full(SEEN.shape, SKIN_DEGC), SEEN.copy()
    hidden[20:40, 20:40] = True
    for picture in (even, np.where(hidden, -80.0, even)):
        corrected, doubt, halo = without_spread(picture, hidden, USUAL)
        assert corrected[~hidden] == pytest.approx(even[~hidden], abs=1e-3)
        assert np.hypot(doubt, halo)[~hidden].max() < 1e-3


@pytest.mark.parametrize("sigma_px", [0.4, 0.7, 0.85, 1.2])
def test_a_calibrated_spread_is_used_as_it_was_measured(sigma_px: float) -> None:
    told = from_calibration(StatedSpread(sigma_px, 0.05))
    assert told.sigma_px == pytest.approx(sigma_px)
    assert relied_on(StatedSpread(sigma_px, 0.05), None) == told
    assert told.u95 < from_calibration(StatedSpread(sigma_px, 0.2)).u95


def test_calibration_goes_before_an_edge_that_agrees_with_it() -> None:
    stated = StatedSpread(0.9, 0.05)
    assert relied_on(stated, USUAL) == from_calibration(stated)
    assert relied_on(None, None) == USUAL


@pytest.mark.parametrize("sigma_px", [0.6, 0.9])
def test_an_edge_agrees_with_a_calibration_whose_halo_it_takes_for_spread(sigma_px: float) -> None:
    """The camera mixes in a tenth from 7 px around; without that a focus that has changed is still told."""
    at_edge = measured_at_edge(body(sigma_px=sigma_px, tail_px=7.0))
    assert at_edge is not None
    spread_px = float(np.hypot(sigma_px, 0.29))
    stated = StatedSpread(spread_px, 0.02, StatedHalo(0.1, 7.0, 0.01))
    assert at_edge.sigma_px > 1.1 * spread_px
    assert not disagree(stated, at_edge)
    assert relied_on(stated, at_edge) == from_calibration(stated)
    assert disagree(replace(stated, sigma_px=0.7 * spread_px), at_edge)
    assert disagree(replace(stated, sigma_px=1.4 * spread_px), at_edge)


@pytest.mark.parametrize("stated_px", [0.4, 1.4])
def test_where_calibration_and_edge_disagree_the_wider_is_used_and_doubted_more(stated_px: float) -> None:
    stated, at_edge = StatedSpread(stated_px, 0.02), PointSpread(0.6, 0.25, 0.35, measured=True)
    assert disagree(stated, at_edge)
    used = relied_on(stated, at_edge)
    assert used.sigma_px == pytest.approx(max(stated_px, at_edge.sigma_px))
    assert used.u95 > max(from_calibration(stated).u95, at_edge.u95)


COLD_DEGC = 5.0


def spot_of_12_mm() -> Floats:
    """A square cold spot of 12 mm on the skin, 0.8 m away, read by the simulated camera."""
    half_px = 6.0 * 270.0 / 800.0
    scene = Scene(
        patch=Patch(centre_px=(128.0, 96.0), half_px=half_px, degc=COLD_DEGC), thermal_noise_degc=0.0
    )
    return Studio(scene).thermal(0.0).astype(np.float64) / 100.0 - 273.15


def test_a_cold_spot_of_12_mm_reads_within_a_degree_where_calibration_states_the_halo() -> None:
    """Measured: 2.8 degC too warm without it, 0.5 with it, which its narrower bound holds."""
    read = spot_of_12_mm()
    hidden = np.zeros(read.shape, bool)
    halo = StatedHalo(share=0.09, reach_px=7.0, u95=0.02)
    off, bound = [], []
    for stated in (StatedSpread(0.76, 0.03), StatedSpread(0.76, 0.03, halo)):
        spread = from_calibration(stated)
        corrected, doubt, mixed = without_spread(read, hidden, spread)
        off.append(corrected[96, 128] - COLD_DEGC)
        bound.append(float(np.hypot(doubt, mixed)[96, 128]))
    assert off[0] > 1.5
    assert abs(off[1]) < 1.0
    assert abs(off[1]) <= bound[1] < 0.6 * bound[0]


def test_without_a_stated_halo_nothing_is_taken_for_it() -> None:
    """Only bounded, by `HALO_U95` of the contrast."""
    read = spot_of_12_mm()
    hidden = np.zeros(read.shape, bool)
    bare = from_calibration(StatedSpread(0.76, 0.03))
    corrected, doubt, mixed = without_spread(read, hidden, bare)
    assert bare.halo is None
    assert np.array_equal(np.abs(corrected - read) * bare.u95 > 0.0, doubt > 0.0)
    far = replace(bare, halo=StatedHalo(share=0.0, reach_px=7.0, u95=HALO_U95))
    none_taken, _, same = without_spread(read, hidden, far)
    assert none_taken == pytest.approx(corrected, abs=1e-4)
    assert same[96, 128] == pytest.approx(float(mixed[96, 128]), rel=0.05)
