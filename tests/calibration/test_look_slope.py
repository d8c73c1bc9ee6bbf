"""A shutter that closes without a word makes a jump, which is no drift; noise that is slow makes none."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.look_slope import LookSlope, look_slope, pooled, without_jumps
from models.geometry import Floats
from tests.calibration.test_reference_settled import slow, times


def line_through(t_s: Floats, degc: Floats) -> float:
    return float(np.polyfit(t_s / 60.0, degc, 1)[0])


@pytest.mark.parametrize("each_s", [0.04, 0.11, 0.25])
def test_a_camera_of_any_rate_shows_its_jump(each_s: float) -> None:
    """And noise that is slow none, though it moves little from picture to picture of a quick camera."""
    rng, t_s = np.random.default_rng(6), np.arange(0.0, 12.0, each_s)
    noise = [
        np.interp(t_s, times(12.0), slow(rng, times(12.0), sigma=0.02, forgets_s=5.0))
        + rng.normal(0.0, 0.004, len(t_s))
        for _ in range(40)
    ]
    assert sum(bool(look_slope(t_s, one).jumps_at) for one in noise) <= 1
    found = [look_slope(t_s, one + 0.2 * (t_s >= 5.0)) for one in noise]
    assert all(len(one.jumps_at) == 1 and abs(t_s[one.jumps_at[0]] - 5.0) < 0.3 for one in found)


def test_a_jump_within_a_look_is_told_from_its_drift() -> None:
    """200 looks of 12 s, noise of 0.004 degC: a line alone is off by 0.2 degC a minute, broken by 0.02."""
    rng, t_s = np.random.default_rng(0), times(12.0)
    lines: list[float] = []
    for _ in range(200):
        at = int(rng.integers(4, len(t_s) - 4))
        degc = 0.1 * t_s / 60.0 + 0.12 * (np.arange(len(t_s)) >= at) + rng.normal(0.0, 0.004, len(t_s))
        found = look_slope(t_s, degc)
        assert found.jumps_at == (at,)
        assert found.jumps_degc[0] == pytest.approx(0.12, abs=0.02)
        assert found.degc_per_min == pytest.approx(0.1, abs=0.12)
        lines.append(line_through(t_s, degc))
        left = without_jumps(degc, found)
        assert line_through(t_s, left) == pytest.approx(found.degc_per_min, abs=1e-9)
    assert float(np.std(lines)) > 0.1


@pytest.mark.parametrize("forgets_s", [0.01, 2.0, 5.0, 10.0])
def test_noise_alone_shows_no_jump(forgets_s: float) -> None:
    """At most 2 of 150 looks: 2 of 4500 were measured."""
    rng = np.random.default_rng(round(10.0 * forgets_s))
    seen = 0
    for k in range(150):
        t_s = times((10.0, 20.0, 30.0)[k % 3])
        degc = slow(rng, t_s, sigma=0.02, forgets_s=forgets_s) + rng.normal(0.0, 0.004, len(t_s))
        seen += bool(look_slope(t_s, degc).jumps_at)
    assert seen <= 2


def test_the_last_digit_of_readings_is_no_jump() -> None:
    """A drift of 0.1 degC a minute, read in hundredths: three steps of 0.01 in 20 s."""
    t_s = times(20.0)
    degc = np.round(20.0 + 0.1 * t_s / 60.0, 2)
    assert look_slope(t_s, degc).jumps_at == ()
    assert look_slope(t_s, degc + 0.05 * (t_s >= 9.0)).jumps_at == (36,)


def test_two_closings_in_one_look_are_both_found_and_leave_it_less_weight() -> None:
    rng, t_s = np.random.default_rng(3), times(30.0)
    degc = rng.normal(0.0, 0.004, len(t_s)) - 0.2 * (t_s >= 8.0) + 0.15 * (t_s >= 22.0)
    found = look_slope(t_s, degc)
    assert found.jumps_at == (32, 88)
    whole = look_slope(t_s, rng.normal(0.0, 0.004, len(t_s)))
    assert found.square_min2 < 0.4 * whole.square_min2


def test_a_long_look_counts_for_many_short_ones() -> None:
    mean, spread = pooled([LookSlope(0.3, 1.0), LookSlope(0.0, 27.0)])
    assert mean == pytest.approx(0.3 / 28.0)
    assert spread == pytest.approx(np.sqrt((0.3 - mean) ** 2 + 27.0 * mean**2))
    assert pooled([LookSlope(0.3, 1.0)]) == (pytest.approx(0.3), float("inf"))
