"""An edge that is turned and held still again does not wait for a clock; one that moves does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from calibration.recorded_hints import Hints
from calibration.recorded_plan import HOLD_S, SPREAD_PICTURES, STEPS, TURN_S
from calibration.sheets import TARGET
from calibration.take_clock import TakeClock
from models.capture import Capture, ThermalPicture
from models.geometry import Counts
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

HZ, SIZE = 9.0, (60, 80)
PLAN = STEPS["spread"].plan
WHOLE_S = SPREAD_PICTURES * HOLD_S + (SPREAD_PICTURES - 1) * TURN_S
Hand = Callable[[float, bool, float], float]
"""Where the edge is, px, by the time, whether it is to be held, and since when."""


def shown(at_px: float, rng: np.random.Generator, *, warmer_degc: float = 0.0) -> Counts:
    cold = np.clip(np.arange(SIZE[1]) - 40.0 - at_px, 0.0, 1.0)
    degc = 34.0 - 12.0 * cold + warmer_degc + rng.normal(0.0, 0.05, SIZE)
    return np.rint(100.0 * (degc + 273.15)).astype(np.uint16)


def recorded(hand: Hand, *, sent_again: int = 1, jumps_degc: float = 0.0) -> Iterator[tuple[float, bool]]:
    """Time and whether it was recorded of each picture, until the recording is over."""
    look, rng = Hints(STEPS["spread"], real_rig(Scene()), TARGET), np.random.default_rng(3)
    look.begin({})
    clock = TakeClock(PLAN, settled=look.settled, ready=look.ready)
    since_s, kept, picture = 0.0, True, shown(0.0, rng)
    for k in range(10_000):
        t_s = k / (HZ * sent_again)
        assert clock.now is not None
        if clock.now.kept != kept:
            kept, since_s = clock.now.kept, t_s
        if k % sent_again == 0:
            picture = shown(hand(t_s, kept, since_s), rng, warmer_degc=jumps_degc * (t_s > 6.0))
        capture = Capture(t_s, k, None, (ThermalPicture(t_s, picture, False),), (), 0.0, False)
        look.came(capture)
        taken = clock.look(capture)
        yield t_s, taken
        if clock.is_over:
            return


def turned_for(seconds: float) -> Hand:
    """A hand that turns the edge for so long after it was told to."""
    at = [0.0]
    rng = np.random.default_rng(8)

    def hand(t_s: float, kept: bool, since_s: float) -> float:
        if not kept and t_s - since_s < seconds:
            at[0] = float(rng.uniform(-10.0, 10.0))
        return at[0]

    return hand


def holds(times: list[tuple[float, bool]]) -> int:
    """As `calibration.recorded_solve.still_pictures` tells them apart."""
    kept = [t_s for t_s, taken in times if taken]
    return 1 + int(np.sum(np.diff(kept) > 0.5 * HOLD_S))


@pytest.mark.parametrize("sent_again", [1, 3])
def test_an_edge_that_is_turned_in_a_second_and_held_takes_two_thirds_of_the_time(sent_again: int) -> None:
    times = list(recorded(turned_for(1.0), sent_again=sent_again))
    assert times[-1][0] < 0.67 * WHOLE_S
    assert holds(times) == SPREAD_PICTURES


def test_an_edge_that_is_turned_until_it_is_to_be_held_has_all_the_time_to_turn() -> None:
    times = list(recorded(turned_for(10.0)))
    apart = np.diff([t_s for t_s, taken in times if taken])
    assert np.all(apart[apart > 0.5] > TURN_S - 0.2)
    assert holds(times) == SPREAD_PICTURES


def test_an_edge_that_is_not_turned_is_not_taken_for_turned_though_the_whole_picture_jumps() -> None:
    times = list(recorded(lambda *_: 0.0, jumps_degc=0.4))
    apart = np.diff([t_s for t_s, taken in times if taken])
    assert np.all(apart[apart > 0.5] > TURN_S - 0.2)


def test_an_edge_that_is_never_held_still_is_recorded_for_the_whole_time() -> None:
    rng = np.random.default_rng(5)

    def hand(t_s: float, kept: bool, since_s: float) -> float:
        return 0.0 if t_s < 1.0 else float(rng.uniform(-10.0, 10.0))

    assert list(recorded(hand))[-1][0] == pytest.approx(WHOLE_S, abs=0.5)
