"""Captures come as they would have come live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.capture import Capture
from models.geometry import Counts, Floats
from vision.playback import Arrivals, flow_s, play
from vision.recording import open_recording

PICTURE = np.zeros((2, 3, 3), np.uint8)
LATENCY_S = 0.05


def counts(n: int) -> Iterator[Counts]:
    return (np.full((2, 2), k, np.uint16) for k in range(n))


def stream(t_s: Floats) -> Arrivals:
    return Arrivals(counts(len(t_s)), t_s + LATENCY_S, t_s, np.zeros(len(t_s), bool))


def played(
    colour_s: Floats,
    thermal_s: Floats | None = None,
    valve_s: tuple[tuple[float, float], ...] | None = None,
) -> list[Capture]:
    return list(
        play(
            colour_s=colour_s,
            colour=iter([PICTURE] * len(colour_s)),
            thermal=None if thermal_s is None else stream(thermal_s),
            depth=None,
            valve_s=valve_s,
        )
    )


def test_a_thermal_picture_comes_with_the_first_capture_after_it_arrived() -> None:
    captures = played(np.array([0.0, 0.1, 0.2]), np.array([-0.06, 0.0, 0.04, 0.06, 0.15]))
    got = [[picture.t_s for picture in capture.thermal] for capture in captures]
    assert got == [[-0.06], [0.0, 0.04], [0.06, 0.15]]


def test_nothing_is_delivered_before_it_arrived_and_nothing_twice(calf: Path) -> None:
    recording = open_recording(calf)
    seen: list[float] = []
    for capture in recording.captures():
        for picture in capture.thermal:
            assert picture.t_s + recording.thermal_latency_s <= capture.t_s
            seen.append(picture.t_s)
    assert np.all(np.diff(seen) > 0)
    assert len(seen) >= len(recording.thermal_times_s) - 1


def test_without_colour_the_source_ticks_by_itself() -> None:
    colour_s = np.concatenate([np.arange(0.0, 1.0, 0.05), np.arange(2.0, 2.5, 0.05)])
    captures = played(colour_s)
    ticks = np.array([capture.t_s for capture in captures if capture.index is None])
    assert ticks == pytest.approx(np.arange(1.15, 1.951, 0.1))
    assert all(capture.bgr is None for capture in captures if capture.index is None)
    assert [capture.index for capture in captures if capture.index is not None] == list(range(len(colour_s)))


def test_thermal_pictures_are_not_delayed_by_a_gap_in_colour() -> None:
    captures = played(np.array([0.0, 0.1, 3.0]), np.arange(0.0, 2.8, 0.04))
    for capture in captures:
        if 0.35 < capture.t_s < 2.9 and capture.thermal:
            assert capture.t_s == pytest.approx(capture.thermal[0].t_s + LATENCY_S, abs=1e-5)


def test_one_thermal_picture_a_minute_does_not_make_hundreds_of_ticks() -> None:
    captures = played(np.zeros(0), np.arange(40.0) * 60.0)
    assert len(captures) < 40 * 75
    assert sum(len(capture.thermal) for capture in captures) == 40
    assert np.diff([capture.t_s for capture in captures]).max() <= 1.0 + 1e-6


def test_the_wait_for_a_late_first_colour_picture_is_played() -> None:
    captures = played(np.array([2.0, 2.1]), np.arange(0.0, 2.0, 0.1))
    assert captures[0].t_s == pytest.approx(0.25, abs=0.06)
    assert sum(len(capture.thermal) for capture in captures) == 20


def test_thermal_going_on_after_colour_ended_is_played_to_its_end() -> None:
    captures = played(np.array([0.0, 0.1]), np.arange(0.0, 3.0, 0.1))
    assert captures[-1].t_s == pytest.approx(2.95)
    assert sum(len(capture.thermal) for capture in captures) == 30


def test_corrupt_and_repeated_thermal_pictures_are_left_out() -> None:
    t_s = np.array([0.0, 0.1, 0.1, 0.2])
    pictures = iter([PICTURE[..., 0].astype(np.uint16), None, None, PICTURE[..., 0].astype(np.uint16)])
    thermal = Arrivals(pictures, t_s, t_s, np.zeros(4, bool))
    captures = list(
        play(colour_s=np.array([0.5]), colour=iter([PICTURE]), thermal=thermal, depth=None, valve_s=None)
    )
    assert [picture.t_s for picture in captures[-1].thermal] == []
    assert [picture.t_s for capture in captures for picture in capture.thermal] == [0.0, 0.2]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=20),
    thermal_steps=st.lists(st.floats(0.0, 4.0), max_size=20),
    valve=st.lists(st.floats(-1.0, 40.0), max_size=6, unique=True),
)
def test_time_rises_and_no_second_of_gas_is_lost_or_counted_twice(
    steps: list[float], thermal_steps: list[float], valve: list[float]
) -> None:
    colour_s = np.concatenate([[0.0], np.cumsum(steps)])
    edges = sorted(valve)[: len(valve) // 2 * 2]
    valve_s = tuple(zip(edges[::2], edges[1::2], strict=True))
    captures = played(colour_s, np.cumsum(thermal_steps) if thermal_steps else None, valve_s)
    t_s = np.array([capture.t_s for capture in captures])
    assert np.all(np.diff(t_s) > 0)
    whole_s = flow_s(valve_s, float(t_s[0]), float(t_s[-1]))
    assert sum(capture.gas_s for capture in captures) == pytest.approx(whole_s, abs=1e-6)
    assert np.diff(t_s).max(initial=0.0) <= max(1.0, min(max(steps), 0.2)) + 1e-5


def test_without_a_valve_gas_flows_throughout() -> None:
    captures = played(np.arange(0.0, 0.45, 0.1))
    assert [capture.gas_now for capture in captures] == [True] * 5
    assert sum(capture.gas_s for capture in captures) == pytest.approx(0.4)
    assert captures[0].gas_s == 0.0


def test_a_valve_interval_counts_in_part() -> None:
    captures = played(np.arange(0.0, 0.45, 0.1), valve_s=((0.15, 0.25),))
    assert [capture.gas_s for capture in captures] == pytest.approx([0, 0, 0.05, 0.05, 0])
    assert [capture.gas_now for capture in captures] == [False, False, True, False, False]
