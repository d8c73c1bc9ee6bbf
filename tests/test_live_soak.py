"""What a long live session is judged by: memory that grows, faults that are told late or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.live_faults import DEVICE_DUE_S, KINDS, LACKS, Made
from benchmarks.live_judged import course, judged, treated
from benchmarks.live_memory import MOST_MB_MIN, WARM_S, slope
from benchmarks.live_soak import schedule

STUCK = next(kind for kind in KINDS if kind.name == "thermal stuck")
WALL = next(kind for kind in KINDS if "wall clock" in kind.name)


def memory(mb_min: float, *, minutes: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """Warms up, grows, jitters, and holds 200 MB more for 10 s of each minute."""
    at_s = np.arange(0.0, 60.0 * minutes)
    jitter = np.random.default_rng(0).normal(0.0, 2.0, len(at_s))
    warming = 150.0 * np.minimum(at_s / WARM_S, 1.0)
    waits = np.where(at_s % 60.0 < 10.0, 200.0, 0.0)
    return at_s, 900.0 + warming + mb_min / 60.0 * at_s + jitter + waits


@pytest.mark.parametrize("mb_min", [0.0, 0.5, 2.0, 5.0])
def test_growth_is_found_whatever_waits_now_and_then(mb_min: float) -> None:
    found = slope(*memory(mb_min))
    assert found.low_mb_min - 0.05 <= mb_min <= found.high_mb_min + 0.05
    assert found.fine == (mb_min < MOST_MB_MIN)


def test_a_short_session_is_not_judged_by_its_memory() -> None:
    found = slope(*memory(5.0, minutes=9.0))
    assert not found.told
    assert "too short" in found.words


def heard(*notes: tuple[float, tuple[str, ...]]) -> list[dict[str, object]]:
    """What a page was told, and when."""
    return [{"at_s": at_s, "kind": "word", "t_s": at_s, "alarms": list(words)} for at_s, words in notes]


def test_a_fault_counts_from_when_it_was_made_until_it_is_over() -> None:
    told = course(heard((0.0, ()), (10.4, ("thermal_stuck high",)), (13.5, ())))
    found, strange = judged([Made(STUCK, 10.0, 13.0)], told, 20.0)
    one = found[STUCK.name]
    assert one.told_s == [pytest.approx(0.4)]
    assert one.over_s == [pytest.approx(0.5)]
    assert not one.missed
    assert not strange
    assert one.told_s[0] < DEVICE_DUE_S


def test_a_fault_that_nobody_was_told_of_or_that_never_ends_is_missed() -> None:
    silent, _ = judged([Made(STUCK, 10.0, 13.0)], course(heard((0.0, ()))), 20.0)
    assert silent[STUCK.name].missed == 1
    lasting, _ = judged(
        [Made(STUCK, 10.0, 13.0)], course(heard((0.0, ()), (10.4, ("thermal_stuck high",)))), 20.0
    )
    assert lasting[STUCK.name].missed == 1


def test_what_the_treatment_gives_reason_for_is_counted_and_all_else_is_strange() -> None:
    told = course(heard((0.0, ()), (11.0, ("dwell high",)), (12.0, ()), (14.0, ("thermal_stale medium",))))
    _, strange = judged([Made(WALL, 10.0, 13.0)], told, 20.0)
    assert len(strange) == 1
    assert strange[0].startswith("thermal_stale medium (wall clock")
    assert treated(told) == {"dwell high": 1}


def test_a_recording_may_be_called_incomplete_only_once_captures_were_lost() -> None:
    losing = next(kind for kind in KINDS if kind.loses)
    told = course([{"at_s": 15.0, "kind": "state", "unrecorded": LACKS.removeprefix("RECORDING: ")}])
    _, before = judged([Made(WALL, 10.0, 13.0)], told, 20.0)
    _, after = judged([Made(losing, 1.0, 9.0), Made(WALL, 10.0, 13.0)], told, 20.0)
    assert before
    assert not after


def test_every_fault_is_made_in_the_first_round_and_the_longest_not_in_each() -> None:
    faults = schedule(KINDS)
    assert [next(faults) for _ in KINDS] == list(KINDS)
    assert all(next(faults).each == 1 for _ in range(len(KINDS) - 1))
