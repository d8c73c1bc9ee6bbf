"""Claims about values that waver around their limits: one entry, and no STOP earlier or later for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.alarms import Noise
from benchmarks.alarms import entries as safe_entries
from guidance.alarms.episodes import AlarmBoard, close, update
from guidance.alarms.facts import Facts
from guidance.alarms.hysteresis import DISTANCE_MM, TEMPERATURE_DEGC, lingering
from guidance.alarms.judge import conditions
from guidance.session import Alarm
from models.catalogue import load_devices, load_protocols
from tests.guidance.test_judge import FINE

LN2 = load_protocols()["ln2-analgesia"]
DEVICE = load_devices()[LN2.device]
FRAME_S = 1.0 / 30.0


def entries(stream: list[Facts], *, hysteresis: bool = True) -> list[Alarm]:
    """All alarms of a stream of facts, 30 a second."""
    board, out = AlarmBoard.start(), list[Alarm]()
    for k, facts in enumerate(stream):
        near = lingering(facts, protocol=LN2, device=DEVICE) if hysteresis else ()
        now = conditions(facts, protocol=LN2, device=DEVICE)
        board, _, ended = update(board, now, t_s=k * FRAME_S, lingering=near)
        out += ended
    return [*out, *close(board, t_s=len(stream) * FRAME_S)]


def swinging(name: str, middle: float, swing: float, *, seconds: float = 30.0) -> list[Facts]:
    """A value that swings around a limit with a period of 4 s, longer than any hold."""
    t_s = np.arange(0.0, seconds, FRAME_S)
    return [replace(FINE, **{name: middle + swing * float(np.sin(np.pi / 2.0 * t))}) for t in t_s]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "limit", "margin", "key"),
    [
        ("lowest_bound_degc", LN2.skin_degc.stop, TEMPERATURE_DEGC, ("skin_temperature", "high")),
        ("lowest_degc", LN2.advisory_degc, TEMPERATURE_DEGC, ("skin_temperature", "low")),
        ("distance_mm", LN2.distance.warn_low_mm, DISTANCE_MM, ("distance", "medium")),
        ("distance_mm", LN2.distance.good_high_mm, DISTANCE_MM, ("distance", "low")),
    ],
)
def test_a_slow_swing_around_a_limit_is_one_entry(
    name: str, limit: float, margin: float, key: tuple[str, str]
) -> None:
    def count(stream: list[Facts], *, hysteresis: bool) -> int:
        return [(a.cause, a.priority) for a in entries(stream, hysteresis=hysteresis)].count(key)

    small = swinging(name, limit, 0.45 * margin)
    assert count(small, hysteresis=True) == 1
    assert count(small, hysteresis=False) > 3
    assert count(swinging(name, limit, 3.0 * margin), hysteresis=True) > 3


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(-TEMPERATURE_DEGC, TEMPERATURE_DEGC), min_size=2, max_size=150),
    stop=st.booleans(),
)
def test_a_value_that_flickers_around_its_limit_makes_one_entry(values: list[float], stop: bool) -> None:
    limit = LN2.skin_degc.stop if stop else LN2.skin_degc.warn
    stream = [replace(FINE, lowest_bound_degc=limit + 0.99 * v) for v in values]
    priority = "high" if stop else "medium"
    assert sum(a.priority == priority for a in entries(stream)) <= 1


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.floats(0.0, 8.0), min_size=1, max_size=80))
def test_hysteresis_makes_no_stop_earlier_or_later(values: list[float]) -> None:
    stream = [replace(FINE, lowest_bound_degc=v) for v in values]
    first = [
        [a.t_on_s for a in entries(stream, hysteresis=on) if a.priority == "high"][:1] for on in (True, False)
    ]
    assert first[0] == first[1]
    if min(values) <= LN2.skin_degc.stop:
        assert first[0] == [FRAME_S * next(k for k, v in enumerate(values) if v <= LN2.skin_degc.stop)]


def test_an_entry_ends_when_its_condition_did_though_it_lingered() -> None:
    stream = [replace(FINE, lowest_bound_degc=v) for v in [1.0] * 30 + [2.3] * 60 + [9.0] * 60]
    (stop,) = [a for a in entries(stream) if a.priority == "high"]
    assert stop.t_off_s == pytest.approx(30 * FRAME_S)


def test_an_unknown_value_stays_unknown() -> None:
    blank = replace(FINE, lowest_degc=None, lowest_bound_degc=None, distance_mm=None, time_to_limit_s=None)
    told = {(c.cause, c.priority) for c in lingering(blank, protocol=LN2, device=DEVICE)}
    assert told == {("distance_unknown", "medium")}


@pytest.mark.parametrize("protocol", ["ln2-thermal-shock", "co2-thermal-shock"])
def test_a_safe_session_near_its_limits_says_little_and_stops_nothing(protocol: str) -> None:
    """Two minutes of the benchmark: at most two entries are wanted in thirty."""
    rules = load_protocols()[protocol]
    device = load_devices()[rules.device]
    steady, hasty = (
        safe_entries(rules, device, minutes=2.0, seed=1, noise=Noise(), steady=on) for on in (True, False)
    )
    assert len(steady) <= 1
    assert not any(alarm.priority == "high" for alarm in steady)
    assert len(hasty) >= 3
