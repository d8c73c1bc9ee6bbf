"""The rig's self-check against a second, finer model of skin: heat conduction in depth, under a swept jet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from guidance.alarms.judge import RIG_CLOCK_S, RIG_LAG_S, RIG_OFFSET_MM, RIG_PLACE_MM
from models.chart import ZoneChart
from models.geometry import Floats
from models.rig_check import MODEL_U95_S, RigOffset, RigWatch, SeenPicture, compare, feel_jet, see_cooling
from tests.models.skin_scenes import chart_on

DEGREE_MM = 17.0
"""A camera 1 m away that is turned by 1 degree."""
GAS_FROM_S = 0.5
HALF_MM = 18.0
SPOT_U95_MM = 3.5
NOISE_DEGC = 0.1
STEP_S = 0.02
SIDE = 37
"""Cells: 185 mm."""

Motion = Callable[[float], tuple[float, float]]


def sweep(t_s: float) -> tuple[float, float]:
    """Across at up to 9 cm/s, slowly along."""
    return 45.0 * np.sin(2.0 * t_s), -35.0 + 70.0 * ((0.04 * t_s) % 1.0)


def circle(t_s: float) -> tuple[float, float]:
    """A circle every 5 s."""
    return 35.0 * np.cos(1.26 * t_s), 35.0 * np.sin(1.26 * t_s)


def stop_and_go(t_s: float) -> tuple[float, float]:
    """A second of rest, then half a second to the next of three places."""
    places = np.array([[-30.0, -20.0], [30.0, -10.0], [0.0, 30.0]])
    k, share = divmod(t_s / 1.5, 1.0)
    from_mm, to_mm = places[int(k) % 3], places[(int(k) + 1) % 3]
    u, v = from_mm + (to_mm - from_mm) * np.clip(3.0 * share - 2.0, 0.0, 1.0)
    return float(u), float(v)


def one_way(t_s: float) -> tuple[float, float]:
    """Straight on at 2 cm/s."""
    return -50.0 + 20.0 * t_s, 0.0


@dataclass
class Skin:
    """Explicit conduction in depth below every cell, with the jet's film of gas on top (SI inside)."""

    cells: int
    film_w_m2k: float = 300.0
    gas_degc: float = -40.0

    def __post_init__(self) -> None:
        self.degc = np.full((14, self.cells), 33.0)

    def advance(self, weight: Floats) -> Floats:
        """Surface temperature after one step."""
        thick_m, conductivity, capacity = 0.15e-3, 0.37, 3.6e6
        flux = conductivity * np.diff(self.degc, axis=0) / thick_m
        change = np.zeros_like(self.degc)
        change[:-1] += flux
        change[1:] -= flux
        change[0] += self.film_w_m2k * weight * (self.gas_degc - self.degc[0])
        change[0] *= 2.0
        self.degc = self.degc + change * STEP_S / (capacity * thick_m)
        self.degc[-1] = 33.0
        return self.degc[0]


def footprint(chart: ZoneChart, u_mm: float, v_mm: float) -> Floats:
    return np.exp(-np.log(2.0) * ((chart.u_mm - u_mm) ** 2 + (chart.v_mm - v_mm) ** 2) / HALF_MM**2)


def watched(
    motion: Motion,
    *,
    seed: int,
    to_s: float,
    shift_mm: tuple[float, float] = (0.0, 0.0),
    lag_s: float = 0.0,
    film_w_m2k: float = 300.0,
    gas: bool = True,
) -> list[tuple[float, RigWatch]]:
    """What the watch knew, capture by capture, with an error of the rig injected.

    The thermal picture shows the cooling shifted, and its time stamps are late by the lag. What lies behind
    the nozzle is not seen.
    """
    rng = np.random.default_rng(seed)
    chart = chart_on(lambda u, v: np.stack([u, v, np.zeros_like(u)], axis=1), rows=SIDE, cols=SIDE)
    skin, watch, told = Skin(len(chart), film_w_m2k), RigWatch.start(chart), []
    waiting: list[SeenPicture] = []
    for k in range(round(to_s / STEP_S)):
        t_s = k * STEP_S
        flows = gas and t_s >= GAS_FROM_S
        u, v = motion(t_s)
        true = footprint(chart, u + shift_mm[0], v + shift_mm[1])
        surface = skin.advance(true if flows else np.zeros(len(chart)))
        if k % 4 == 0:
            hidden = np.hypot(chart.u_mm - u - 20.0, chart.v_mm - v) < 15.0
            noisy = surface + rng.normal(0.0, NOISE_DEGC, len(chart)) + 0.2 * np.sin(t_s)
            waiting.append(SeenPicture(t_s + lag_s, noisy, ~hidden))
        if k % 2 == 0:
            watch = feel_jet(watch, footprint(chart, u, v), gas=flows, t_s=t_s)
            while waiting and waiting[0].t_s + 0.05 <= t_s:
                watch = see_cooling(watch, waiting.pop(0))
            watch = compare(watch, chart=chart, spot_u95_mm=SPOT_U95_MM)
            told.append((t_s, watch))
    return told


def mismatch(offset: RigOffset | None) -> bool:
    """As `guidance.alarms.judge` tells it."""
    return offset is not None and (
        offset.offset_mm > max(RIG_OFFSET_MM, offset.offset_u95_mm + RIG_PLACE_MM)
        or abs(offset.lag_s) > max(RIG_LAG_S, offset.lag_u95_s + RIG_CLOCK_S)
    )


def found_after_s(told: list[tuple[float, RigWatch]]) -> float:
    """Seconds of gas until a mismatch has been told for half a second (the alarm's delay)."""
    since_s = None
    for t_s, watch in told:
        since_s = (t_s if since_s is None else since_s) if mismatch(watch.offset) else None
        if since_s is not None and t_s - since_s >= 0.5:
            return t_s - GAS_FROM_S
    return float("inf")


@pytest.mark.parametrize("motion", [sweep, circle, stop_and_go])
@pytest.mark.parametrize(("seed", "angle_deg"), [(1, 10.0), (2, 250.0)])
def test_a_camera_turned_by_one_degree_is_found_within_10_s(
    motion: Motion, seed: int, angle_deg: float
) -> None:
    angle = np.radians(angle_deg)
    shift = (DEGREE_MM * np.cos(angle), DEGREE_MM * np.sin(angle))
    told = watched(motion, seed=seed, to_s=GAS_FROM_S + 6.0, shift_mm=shift)
    assert found_after_s(told) <= 6.0
    offset = told[-1][1].offset
    assert offset is not None
    assert np.hypot(offset.u_mm - shift[0], offset.v_mm - shift[1]) <= offset.offset_u95_mm


@pytest.mark.parametrize("motion", [sweep, circle, stop_and_go])
@pytest.mark.parametrize(("seed", "lag_s"), [(4, 0.15), (5, -0.15)])
def test_a_time_offset_of_150_ms_is_found_within_10_s(motion: Motion, seed: int, lag_s: float) -> None:
    told = watched(motion, seed=seed, to_s=GAS_FROM_S + 10.0, lag_s=lag_s)
    assert found_after_s(told) <= 10.0
    offset = told[-1][1].offset
    assert offset is not None
    assert offset.lag_s == pytest.approx(lag_s, abs=offset.lag_u95_s)


def test_shift_and_lag_are_told_apart() -> None:
    offset = watched(sweep, seed=6, to_s=8.0, shift_mm=(-8.0, 14.0), lag_s=0.12)[-1][1].offset
    assert offset is not None
    assert (offset.u_mm, offset.v_mm) == pytest.approx((-8.0, 14.0), abs=offset.offset_u95_mm)
    assert offset.lag_s == pytest.approx(0.12, abs=offset.lag_u95_s)


@pytest.mark.parametrize(
    ("motion", "seed", "to_s"), [(sweep, 7, 60.0), (circle, 8, 20.0), (stop_and_go, 9, 20.0)]
)
def test_a_correct_rig_raises_nothing_in_a_minute(motion: Motion, seed: int, to_s: float) -> None:
    told = watched(motion, seed=seed, to_s=to_s)
    assert told[-1][1].offset is not None
    assert not any(mismatch(watch.offset) for _, watch in told)


@pytest.mark.parametrize("film_w_m2k", [60.0, 600.0])
def test_weak_and_strong_jets_shift_a_correct_rig_by_less_than_its_bounds(film_w_m2k: float) -> None:
    for _, watch in watched(sweep, seed=10, to_s=12.0, film_w_m2k=film_w_m2k):
        if watch.offset is not None:
            assert watch.offset.offset_mm <= watch.offset.offset_u95_mm
            assert abs(watch.offset.lag_s) <= watch.offset.lag_u95_s


def test_an_error_of_a_few_mm_is_measured_but_not_told() -> None:
    told = watched(circle, seed=11, to_s=12.0, shift_mm=(4.0, -3.0))
    offset = told[-1][1].offset
    assert offset is not None
    assert offset.offset_mm == pytest.approx(5.0, abs=offset.offset_u95_mm)
    assert not any(mismatch(watch.offset) for _, watch in told)


def test_without_gas_nothing_is_estimated() -> None:
    told = watched(sweep, seed=12, to_s=6.0, gas=False)
    assert all(watch.offset is None for _, watch in told)
    assert told[-1][1].reason == "no gas was seen to cool"


def test_gas_that_cools_nothing_gives_no_estimate() -> None:
    """The valve was said to be open and was not."""
    told = watched(sweep, seed=13, to_s=10.0, film_w_m2k=0.0)
    assert all(watch.offset is None for _, watch in told)
    assert "does not cool" in told[-1][1].reason


def test_a_jet_that_only_goes_one_way_leaves_lag_and_its_direction_open() -> None:
    """At one speed along one line a lag looks like a shift backwards: 2 cm/s hide 150 ms in 3 mm."""
    straight = watched(one_way, seed=14, to_s=5.0)[-1][1].offset
    swept = watched(sweep, seed=14, to_s=5.0)[-1][1].offset
    assert straight is not None
    assert swept is not None
    own_s = np.sqrt(straight.lag_u95_s**2 - MODEL_U95_S**2)
    swept_s = np.sqrt(swept.lag_u95_s**2 - MODEL_U95_S**2)
    assert own_s > 3.0 * swept_s


def test_a_jet_not_seen_for_a_second_gives_no_comparison_across_the_gap() -> None:
    watch = watched(sweep, seed=15, to_s=4.0)[-1][1]
    gone = feel_jet(watch, None, gas=True, t_s=watch.t_s + 1.0)
    assert gone.predicted == ()
    assert gone.offset is watch.offset


def test_a_camera_bumped_in_mid_session_is_told_within_10_s() -> None:
    """Half a minute of good pictures does not outweigh what is seen now."""
    bumped_s, rng = 20.0, np.random.default_rng(16)
    chart = chart_on(lambda u, v: np.stack([u, v, np.zeros_like(u)], axis=1), rows=SIDE, cols=SIDE)
    skin, watch = Skin(len(chart)), RigWatch.start(chart)
    for k in range(round((bumped_s + 10.0) / STEP_S)):
        t_s = k * STEP_S
        weight = footprint(chart, *circle(t_s))
        surface = skin.advance(weight)
        if k % 4 == 0:
            seen = surface.reshape(SIDE, SIDE)
            seen = np.roll(seen, 3, axis=1) if t_s >= bumped_s else seen
            watch = see_cooling(
                watch,
                SeenPicture(t_s, seen.ravel() + rng.normal(0.0, NOISE_DEGC, len(chart)), seen.ravel() > 0.0),
            )
            watch = feel_jet(watch, weight, gas=True, t_s=t_s)
            watch = compare(watch, chart=chart, spot_u95_mm=SPOT_U95_MM)
        if t_s < bumped_s:
            assert not mismatch(watch.offset)
    assert mismatch(watch.offset)
    assert watch.offset is not None
    assert watch.offset.u_mm > 10.0
