"""A calibrated camera is corrected, and its bound never says more than calibration still can."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.camera_offset import CameraOffset, PatchReading, agreed, looked
from models.radiometry import Calibrated, StatedRadiometry

STATED = StatedRadiometry(
    datetime(2026, 11, 28, 9, tzinfo=UTC),
    offset_degc=1.4,
    at_degc=16.0,
    gain=0.02,
    drift_degc_per_min=0.01,
    covariance=np.diag([0.01, 1.6e-5, 1e-4]),
    residual_u95_degc=0.2,
    references_degc=(0.4, 32.0),
)
FRESH = Calibrated(STATED, claim_degc=2.0, age_days=0.1, unshuttered_min=1.0)
READING = PatchReading(off_degc=0.2, noise_u95_degc=0.1, common_u95_degc=0.2, edge_degc=7.0, at_degc=30.0)


@given(st.floats(-20.0, 45.0))
def test_what_calibration_found_is_taken_out_exactly(true_degc: float) -> None:
    read = STATED.at_degc + (true_degc - STATED.at_degc + STATED.offset_degc) / (1.0 - STATED.gain)
    assert read - STATED.off_degc(np.array(read)) == pytest.approx(true_degc - 0.0, abs=1e-9)
    assert FRESH.corrected_degc(np.array(read)) == pytest.approx(true_degc, abs=1e-9)


@given(
    degc=st.floats(-40.0, 70.0),
    age_days=st.floats(0.0, 30.0),
    minutes=st.floats(0.0, 60.0),
    more=st.floats(0.01, 10.0),
)
def test_the_bound_never_shrinks_with_age_or_time_since_the_shutter_nor_passes_the_claim(
    degc: float, age_days: float, minutes: float, more: float
) -> None:
    at = np.array([degc])
    now = replace(FRESH, age_days=age_days, unshuttered_min=minutes)
    bound = now.bound_degc(at)
    assert replace(now, age_days=age_days + more).bound_degc(at) >= bound
    assert replace(now, unshuttered_min=minutes + more).bound_degc(at) >= bound
    assert bound <= now.claim_left_degc(at)


def test_beyond_the_referenced_temperatures_the_bound_grows_to_the_claim_and_no_farther() -> None:
    even = replace(FRESH, stated=replace(STATED, gain=0.0))
    bound = even.bound_degc(np.array([32.0, 40.0, 60.0, 400.0]))
    assert np.all(np.diff(bound) > 0.0)
    assert bound[-1] == pytest.approx(2.0 + 1.4)


def test_without_a_reference_in_the_picture_calibration_narrows_the_bound() -> None:
    camera = agreed((), accuracy_degc=2.0, calibrated=FRESH)
    assert camera.known
    assert camera.bound_degc(np.array([5.0]))[0] < 0.5 < 2.0
    assert camera.corrected_degc(np.array([10.0]))[0] == pytest.approx(10.0 - (1.4 - 0.02 * 6.0))


def test_a_reference_corrects_what_remains_and_calibration_knows_the_gain() -> None:
    camera = looked(CameraOffset(2.0, calibrated=FRESH), READING, t_s=1.0)
    plain = looked(CameraOffset(2.0), READING, t_s=1.0)
    assert 0.0 < camera.off_degc <= 0.2
    assert not camera.doubted
    cold = np.array([3.0])
    assert camera.bound_degc(cold) < plain.bound_degc(cold)
    assert camera.bound_degc(cold) > camera.u95_degc


def test_a_reference_that_shows_more_than_calibration_allows_ends_the_trust_in_it() -> None:
    camera = looked(CameraOffset(2.0, calibrated=FRESH), replace(READING, off_degc=1.5), t_s=1.0)
    assert camera.sight == "seen"
    assert camera.doubted
    assert camera.off_degc == pytest.approx(1.5, abs=0.1)
    hidden = looked(camera, None, t_s=7200.0)
    assert hidden.u95_degc == pytest.approx(FRESH.claim_u95_degc, abs=0.02)
    together = agreed((camera,), accuracy_degc=2.0, calibrated=FRESH)
    assert together.doubted


def test_a_reference_beyond_the_claim_leaves_the_claim_alone() -> None:
    camera = looked(CameraOffset(2.0, calibrated=FRESH), replace(READING, off_degc=6.0), t_s=1.0)
    together = agreed((camera,), accuracy_degc=2.0, calibrated=FRESH)
    assert together.sight == "contradicts"
    assert not together.known
    # The correction stays in, so that the claim is as much wider.
    assert together.bound_degc(np.array([5.0]))[0] >= 2.0 + 1.4
