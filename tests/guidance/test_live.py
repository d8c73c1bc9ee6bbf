"""Stepping live: nothing measured is lost though pictures are left out, and numbers are the analysis's."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guidance.live.loop import PICTURES_KEPT, LiveRun, Mailbox, Replay, Stepped, merged
from guidance.live.pace import Pace
from guidance.run import Run
from guidance.session import Acknowledge, CourseAction, Guidance, OperatorAction
from guidance.set_up import set_up
from models.capture import Capture, ThermalPicture
from vision.recording import Recording, open_recording

CALF = Path(__file__).parents[1] / "recordings" / "calf"
COUNTS = np.full((2, 2), 30000, np.uint16)


def capture(t_s: float, *, gas_s: float = 0.0, thermal: int = 0) -> Capture:
    pictures = tuple(ThermalPicture(t_s - 0.01 * k, COUNTS, False) for k in reversed(range(thermal)))
    return Capture(t_s, 0, np.zeros((2, 2, 3), np.uint8), pictures, (), gas_s, gas_s > 0.0)


def test_gas_and_temperatures_of_a_picture_that_is_left_out_still_count() -> None:
    both = merged(capture(1.0, gas_s=0.03, thermal=1), capture(1.1, gas_s=0.1, thermal=2))
    assert both.t_s == 1.1
    assert both.gas_s == pytest.approx(0.13)
    assert [picture.t_s for picture in both.thermal] == [1.0, 1.09, 1.1]


def test_a_long_stall_keeps_memory_bounded() -> None:
    waiting = capture(0.0, thermal=1)
    for k in range(3 * PICTURES_KEPT):
        waiting = merged(waiting, capture(0.1 * (k + 1), thermal=1))
    assert len(waiting.thermal) == PICTURES_KEPT
    assert waiting.thermal[-1].t_s == waiting.t_s


def test_the_newest_capture_wins_and_the_others_are_counted() -> None:
    box = Mailbox(now_s=lambda: 7.0)
    for k in range(4):
        box.put(capture(float(k), gas_s=1.0))
    found = box.take(within_s=0.0)
    assert found is not None
    assert (found[0].t_s, found[0].gas_s, found[1], box.left_out) == (3.0, 4.0, 7.0, 3)
    assert box.take(within_s=0.0) is None


class OneByOne:
    """A recording that waits for each step, so that none is left out."""

    def __init__(self, recording: Recording, *, to_s: float) -> None:
        self.recording, self.to_s = recording, to_s
        self.next = threading.Semaphore(1)
        self.closed = False

    def captures(self) -> Iterator[Capture]:
        for one in self.recording.captures():
            assert self.next.acquire(timeout=30.0)
            if self.closed or one.t_s > self.to_s:
                return
            yield one

    def close(self) -> None:
        self.closed = True
        self.next.release()


def test_before_a_replayed_treatment_begins_no_picture_is_left_out_on_a_slow_machine() -> None:
    """The recording's clock runs a thousand times as fast as it should: steps cannot keep up."""
    recording, hold_at_s = open_recording(CALF), 0.7
    wanted = [one.t_s for one in recording.captures() if one.t_s <= hold_at_s]
    told: list[Stepped] = []
    all_told, ended = threading.Event(), threading.Event()

    def tell(one: Stepped) -> None:
        told.append(one)
        if one.capture.t_s >= wanted[-1]:
            all_told.set()

    replay = Replay(recording, Pace(hold_at_s=hold_at_s, speed=1000.0))
    live = LiveRun(Run(set_up(recording), recording), replay, told=tell, ended=lambda _: ended.set())
    live.start()
    assert all_told.wait(60.0)
    assert [one.capture.t_s for one in told] == wanted
    assert told[-1].left_out == 0
    assert live.close()


def test_live_gives_the_numbers_and_alarms_of_the_analysis() -> None:
    """Bit for bit: the same `step` over the same captures."""
    recording = open_recording(CALF)
    to_s = 1.6
    run = Run(set_up(recording), recording)
    wanted = []
    for one in recording.captures():
        if one.t_s > to_s:
            break
        wanted.append(run.take(one))

    source, ended = OneByOne(recording, to_s=to_s), threading.Event()
    steps: list[Stepped] = []
    heard: list[tuple[float, tuple[OperatorAction, ...]]] = []

    def told(stepped: Stepped) -> None:
        steps.append(stepped)
        source.next.release()

    def listen(one: Capture, guidance: Guidance, actions: Sequence[OperatorAction]) -> None:
        heard.append((guidance.t_s, tuple(actions)))

    live = LiveRun(
        Run(set_up(recording), recording), source, told=told, ended=lambda _: ended.set(), listener=listen
    )
    live.act(lambda t_s: CourseAction(t_s, "start"))
    live.start()
    assert ended.wait(60.0)
    assert [one.guidance.t_s for one in steps] == [one.t_s for one in wanted]
    assert [one.guidance.active for one in steps] == [one.active for one in wanted]
    last, true = steps[-1].guidance, wanted[-1]
    assert last.exposure is not None
    assert true.exposure is not None
    assert np.array_equal(last.exposure.dwell_s, true.exposure.dwell_s)
    assert np.array_equal(last.exposure.min_degc, true.exposure.min_degc, equal_nan=True)
    assert last.skin_min_degc == true.skin_min_degc
    assert [t_s for t_s, _ in heard] == [one.t_s for one in wanted]
    assert heard[0][1] == (CourseAction(wanted[0].t_s, "start"),)


class Told:
    """What a run tells, one after the other."""

    def __init__(self) -> None:
        self.steps: list[Stepped] = []
        self.came = threading.Condition()
        self.fault: list[str | None] = []

    def __call__(self, stepped: Stepped) -> None:
        with self.came:
            self.steps.append(stepped)
            self.came.notify_all()

    def ended(self, fault: str | None) -> None:
        with self.came:
            self.fault.append(fault)
            self.came.notify_all()

    def wait(self, count: int) -> Stepped:
        with self.came:
            assert self.came.wait_for(lambda: len(self.steps) >= count or self.fault, 60.0)
            return self.steps[-1]


class Given:
    """A source that gives what a test hands it."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._waiting: list[Capture | None] = []

    def give(self, one: Capture | None) -> None:
        with self._came:
            self._waiting.append(one)
            self._came.notify_all()

    def captures(self) -> Iterator[Capture]:
        while True:
            with self._came:
                self._came.wait_for(lambda: self._waiting)
                one = self._waiting.pop(0)
            if one is None:
                return
            yield one

    def close(self) -> None:
        self.give(None)


def missing_rig_run() -> Run:
    """Steps that need no picture: without a rig the operator is told so at once."""
    recording = replace(open_recording(CALF), rig=None)
    return Run(set_up(recording), recording)


def test_an_acknowledgement_shows_though_no_capture_comes_and_the_next_step_takes_it() -> None:
    source, told = Given(), Told()
    heard: list[tuple[OperatorAction, ...]] = []
    live = LiveRun(
        missing_rig_run(), source, told=told, ended=told.ended,
        listener=lambda _, __, actions: heard.append(tuple(actions)),
    )  # fmt: skip
    live.start()
    empty = Capture(0.0, None, None, (), (), 0.0, False)
    source.give(empty)
    first = told.wait(1)
    assert any(not shown.acknowledged for shown in first.guidance.announcement.shown)
    live.act(Acknowledge)
    second = told.wait(2)
    assert second.number == first.number + 1
    assert second.capture is first.capture
    assert all(shown.acknowledged for shown in second.guidance.announcement.shown)
    source.give(replace(empty, t_s=0.1))
    third = told.wait(3)
    shown = {one.alarm.cause: one.acknowledged for one in third.guidance.announcement.shown}
    assert shown["rig_missing"]
    live.close()
    assert heard == [(), (Acknowledge(0.0),)]


@pytest.mark.parametrize("a_capture_comes", [True, False])
def test_what_the_operator_does_last_is_taken_by_a_step_or_left_over_and_never_both(
    a_capture_comes: bool,
) -> None:
    """Whether a capture still comes before the run is closed is chance: an action is kept once either way."""
    source, told = Given(), Told()
    heard: list[OperatorAction] = []
    live = LiveRun(
        missing_rig_run(), source, told=told, ended=told.ended,
        listener=lambda _, __, actions: heard.extend(actions),
    )  # fmt: skip
    live.start()
    empty = Capture(0.0, None, None, (), (), 0.0, False)
    source.give(empty)
    told.wait(1)
    live.act(lambda t_s: CourseAction(t_s, "finish"))
    told.wait(2)  # it shows, which no listener is told of
    assert heard == []
    if a_capture_comes:
        source.give(replace(empty, t_s=0.1))
        told.wait(3)
    assert live.close()
    finish = CourseAction(0.0, "finish")
    assert (heard, list(live.untaken())) == (([finish], []) if a_capture_comes else ([], [finish]))
    assert live.untaken() == live.untaken()


def test_what_a_step_that_fails_was_given_is_left_over() -> None:
    source, told = Given(), Told()
    heard: list[OperatorAction] = []
    live = LiveRun(
        missing_rig_run(), source, told=told, ended=told.ended,
        listener=lambda _, __, actions: heard.extend(actions),
    )  # fmt: skip
    live.start()
    source.give(Capture(1.0, None, None, (), (), 0.0, False))
    told.wait(1)
    live.act(lambda t_s: CourseAction(t_s, "pain"))
    told.wait(2)
    source.give(Capture(0.5, None, None, (), (), 0.0, False))  # time runs backwards: a broken source
    with told.came:
        assert told.came.wait_for(lambda: told.fault, 60.0)
    assert live.close()
    assert heard == []
    assert live.untaken() == (CourseAction(1.0, "pain"),)


def test_a_recorder_that_fails_does_not_stop_guidance() -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    source, told = Given(), Told()
    live = LiveRun(missing_rig_run(), source, told=told, ended=told.ended, listener=fail)
    live.start()
    source.give(Capture(0.0, None, None, (), (), 0.0, False))
    told.wait(1)
    source.give(Capture(0.1, None, None, (), (), 0.0, False))
    assert told.wait(2).guidance.t_s == 0.1
    live.close()
    assert live.trouble is None
    assert live.unrecorded is not None
    assert "Recording has failed" in live.unrecorded


def test_a_step_that_fails_ends_the_run_with_a_sentence() -> None:
    source, told = Given(), Told()
    live = LiveRun(missing_rig_run(), source, told=told, ended=told.ended)
    live.start()
    source.give(Capture(1.0, None, None, (), (), 0.0, False))
    told.wait(1)
    source.give(Capture(0.5, None, None, (), (), 0.0, False))  # time runs backwards: a broken source
    told.wait(2)
    live.close()
    assert told.fault[0] is not None
    assert told.fault[0].startswith("Guidance has failed")
