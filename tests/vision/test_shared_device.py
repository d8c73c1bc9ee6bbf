"""Colour and depth of one device, and the time of its pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.played_pipeline import PlayedPipeline
from vision.cameras import COLOUR, DEPTH, Camera, DeviceGoneError
from vision.device_clock import DeviceClock
from vision.shared_device import SharedDevice

DUE_S = 0.5


def both() -> tuple[PlayedPipeline, Camera, Camera]:
    pipeline = PlayedPipeline()
    shared = SharedDevice(pipeline)
    colour, depth = (Camera(shared.part(kind), keep=9, clock=pipeline.clock) for kind in (COLOUR, DEPTH))
    return pipeline, colour, depth


def told_after_s(pipeline: PlayedPipeline, camera: Camera, other: Camera, state: str) -> float:
    began_s = pipeline.clock.now_s
    while camera.state().state != state:
        assert pipeline.clock.now_s - began_s < 3.0, camera.state()
        if not any([camera.turn(), other.turn()]):
            pipeline.clock.now_s += 0.02
    return pipeline.clock.now_s - began_s


def test_both_parts_share_one_pipeline_and_each_set_goes_to_both() -> None:
    pipeline, colour, depth = both()
    for _ in range(20):
        colour.turn()
        depth.turn()
    assert pipeline.opened == [(COLOUR, DEPTH)]
    assert colour.state().ok
    assert depth.state().ok
    times_s = [{picture.at_s for picture in camera.take()} for camera in (colour, depth)]
    assert len(times_s[0] & times_s[1]) == 8  # nine wait, and one opened a set before the other
    colour.stop()
    assert pipeline.closed == 0
    depth.stop()
    assert pipeline.closed == 1


def test_a_part_that_nobody_reads_is_not_asked_for() -> None:
    pipeline = PlayedPipeline()
    part = SharedDevice(pipeline).part(DEPTH)
    part.open()
    assert part.read().pixels[0, 0] == 1
    assert pipeline.opened == [(DEPTH,)]


@pytest.mark.parametrize("fault", ["unplugged", "wrong format", "frozen"])
def test_a_fault_of_the_device_is_told_for_both_kinds_and_both_come_back(fault: str) -> None:
    pipeline, colour, depth = both()
    for _ in range(20):
        colour.turn()
        depth.turn()
    pipeline.fault = fault
    state = fault.replace(" ", "_")
    after_s = told_after_s(pipeline, colour, depth, state)
    assert after_s + told_after_s(pipeline, depth, colour, state) <= DUE_S
    pipeline.fault = ""
    told_after_s(pipeline, colour, depth, "ok")
    told_after_s(pipeline, depth, colour, "ok")


def test_a_kind_that_comes_no_more_is_silent_while_the_other_goes_on() -> None:
    """Its thread waits; the clock tells."""
    pipeline, colour, depth = both()
    for _ in range(20):
        colour.turn()
        depth.turn()
    pipeline.gives = {COLOUR}
    depth.take()
    thread = threading.Thread(target=depth.turn, daemon=True)
    thread.start()
    for _ in range(20):
        colour.turn()
    assert depth.state().state == "silent"
    pipeline.gives = {COLOUR, DEPTH}
    thread.join(5.0)
    assert not thread.is_alive()


def test_two_threads_never_wait_in_the_device_at_once_and_both_get_pictures() -> None:
    pipeline = PlayedPipeline()
    shared = SharedDevice(pipeline)
    got: dict[str, list[int]] = {COLOUR: [], DEPTH: []}

    def read(kind: str) -> None:
        part = shared.part(kind)
        part.open()
        while len(got[kind]) < 50:
            got[kind].append(int(part.read().pixels[0, 0]))
        part.close()

    threads = [threading.Thread(target=read, args=(kind,)) for kind in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
        assert not thread.is_alive()
    for numbers in got.values():
        assert numbers == sorted(set(numbers))
    assert pipeline.closed >= 1


def test_reading_a_part_that_is_closed_is_told() -> None:
    part = SharedDevice(PlayedPipeline()).part(DEPTH)
    with pytest.raises(DeviceGoneError):
        part.read()


# --- the device's clock -------------------------------------------------------------------------------------


def stamped(delays_s: list[float], *, distance_s: float, drift: float = 0.0) -> list[tuple[float, float]]:
    """(taken, told) of pictures at 30 a second whose stamps are of another clock."""
    clock, found = DeviceClock(), []
    for number, delay_s in enumerate(delays_s):
        taken_s = number / 30.0
        stamp_s = taken_s * (1.0 + drift) - distance_s
        found.append((taken_s, clock.at_s(stamp_s, arrived_s=taken_s + delay_s)))
    return found


@given(st.lists(st.floats(0.0, 0.2), min_size=1, max_size=60), st.floats(-1e6, 1e6))
def test_a_stamp_never_lies_after_arrival_nor_before_the_exposure(
    delays_s: list[float], distance_s: float
) -> None:
    for (taken_s, told_s), delay_s in zip(stamped(delays_s, distance_s=distance_s), delays_s, strict=True):
        assert taken_s - 1e-6 <= told_s <= taken_s + delay_s + 1e-6


def test_jitter_of_the_way_is_taken_out_but_for_the_least_delay() -> None:
    rng = np.random.default_rng(3)
    delays_s = (0.02 + rng.exponential(0.01, 300)).tolist()
    late_s = [told - taken for taken, told in stamped(delays_s, distance_s=1234.0)][60:]
    assert min(late_s) >= 0.02 - 1e-6
    # The least of 60 delays lies 0.01 / 60 s above the shortest, on average.
    assert max(late_s) < 0.021


def test_a_clock_that_drifts_is_followed() -> None:
    late_s = [told - taken for taken, told in stamped([0.01] * 3000, distance_s=5.0, drift=50e-6)]
    assert max(abs(late - 0.01) for late in late_s) <= 50e-6 * 10.1


@pytest.mark.parametrize("jump_s", [100.0, -100.0])
def test_a_clock_that_was_set_is_learned_anew(jump_s: float) -> None:
    clock = DeviceClock()
    tell: Callable[[float, float], float] = lambda stamp_s, at_s: clock.at_s(stamp_s, arrived_s=at_s)  # noqa: E731
    for number in range(30):
        tell(number / 30.0, number / 30.0)
    assert tell(1.0 + jump_s, 1.0) == pytest.approx(1.0)
    assert tell(1.1 + jump_s, 1.1) == pytest.approx(1.1)
