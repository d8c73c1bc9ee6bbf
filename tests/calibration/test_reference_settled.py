"""A look at a reference goes on until its drift is known, and no longer."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.look_slope import look_slope
from calibration.reference_settled import SETTLED_DEGC_PER_MIN, Readings, slope_error
from models.geometry import Counts, Floats

CORE = np.ones((24, 32), bool)


def times(seconds: float) -> Floats:
    return np.arange(0.0, seconds, 0.25)


def slow(rng: np.random.Generator, t_s: Floats, *, sigma: float, forgets_s: float) -> Floats:
    """Noise that goes with what it was before."""
    keeps = float(np.exp(-0.25 / forgets_s))
    waver = [rng.normal(0.0, sigma)]
    for _ in t_s[1:]:
        waver.append(keeps * waver[-1] + rng.normal(0.0, sigma) * np.sqrt(1.0 - keeps**2))
    return np.array(waver)


def test_a_quiet_camera_is_known_after_ten_seconds_and_its_drift_does_not_matter() -> None:
    rng, t_s = np.random.default_rng(0), times(10.0)
    for drift in (0.0, 0.3):
        degc = 20.0 + drift * t_s / 60.0 + rng.normal(0.0, 0.003, len(t_s))
        assert slope_error(t_s, degc) < SETTLED_DEGC_PER_MIN


@pytest.mark.parametrize("forgets_s", [0.01, 2.0])
def test_a_slope_is_off_by_what_is_told_whether_noise_is_quick_or_slow(forgets_s: float) -> None:
    """400 looks of 20 s without drift: rms of slope over its error 1.0, at most 1.5 with slow noise.

    Slow noise looks like a slope itself: of 20 s nobody can tell it wholly.
    """
    rng, t_s = np.random.default_rng(1), times(20.0)
    minutes = (t_s - t_s.mean()) / 60.0
    shares: list[float] = []
    for _ in range(400):
        degc = slow(rng, t_s, sigma=0.02, forgets_s=forgets_s)
        shares.append(float(minutes @ degc / (minutes @ minutes)) / slope_error(t_s, degc))
    assert 0.7 < float(np.sqrt(np.mean(np.square(np.clip(shares, -5.0, 5.0))))) < 1.5


def test_a_camera_that_wavers_is_looked_at_longer() -> None:
    rng, t_s = np.random.default_rng(2), times(10.0)
    assert slope_error(t_s, slow(rng, t_s, sigma=0.03, forgets_s=2.0)) > SETTLED_DEGC_PER_MIN
    longer = times(60.0)
    assert slope_error(longer, rng.normal(0.0, 0.03, len(longer))) < SETTLED_DEGC_PER_MIN


def test_too_few_readings_and_a_reference_that_was_not_found_settle_nothing() -> None:
    rng = np.random.default_rng(8)

    def warm() -> Counts:
        """As a camera wavers: one that does not is stuck."""
        return np.full(CORE.shape, 30000 + rng.integers(0, 2), np.uint16)

    readings = Readings()
    for t_s in times(20.0):
        readings.take(float(t_s), warm())
    assert not readings.settled(0.0), "nobody knows where the reference is"
    readings.core = CORE
    for t_s in times(4.0):
        readings.take(20.0 + float(t_s), warm())
    assert not readings.settled(0.0), "4 s are too few"
    for t_s in times(6.0):
        readings.take(24.0 + float(t_s), warm())
    assert readings.settled(20.0)
    assert not readings.settled(28.0), "a later look is one of its own"
    readings.forget()
    assert not readings.settled(0.0)


def test_looks_that_differ_by_noise_slower_than_they_are_long_last_longer() -> None:
    """Noise that forgets itself in 5 s looks like a drift of 0.2 degC a minute in 10 s, and looks still."""
    rng, each = np.random.default_rng(4), times(10.0)
    readings, from_s, over_after_10_s = Readings(core=CORE), 0.0, 0
    for _ in range(12):
        warm = slow(rng, each, sigma=0.02, forgets_s=5.0)
        for t_s, off in zip(each, warm, strict=True):
            readings.take(from_s + float(t_s), pictures_of(20.0 + off))
        over_after_10_s += readings.settled(from_s)
        from_s += 13.0
    assert over_after_10_s <= 3, "all but the first differ"


def test_a_shutter_that_closes_without_a_word_does_not_keep_a_look_from_settling() -> None:
    rng, each = np.random.default_rng(5), times(12.0)
    for at_s in (3.0, 6.0, 9.0):
        degc = 20.0 + rng.normal(0.0, 0.003, len(each)) + 0.15 * (each >= at_s)
        assert slope_error(each, degc) > SETTLED_DEGC_PER_MIN
        assert slope_error(each, degc, look_slope(each, degc)) < SETTLED_DEGC_PER_MIN


def pictures_of(degc: float) -> Counts:
    """Of even temperature, with what a picture's last digit leaves spread over it."""
    even = 100.0 * (degc + 273.15) + np.linspace(-0.5, 0.5, CORE.size).reshape(CORE.shape)
    return np.rint(even).astype(np.uint16)


@pytest.mark.parametrize("drift_degc_per_min", [0.0, 0.3])
def test_readings_that_do_not_scatter_at_all_settle_nothing(drift_degc_per_min: float) -> None:
    """They are of a camera that is stuck, not of one that is known to the last digit."""
    t_s = np.arange(0.0, 30.0, 0.25)
    assert slope_error(t_s, 33.1 + drift_degc_per_min * t_s / 60.0) == np.inf
