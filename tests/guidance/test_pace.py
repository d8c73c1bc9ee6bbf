"""A clock for replays: it runs with real time, holds, and goes on where it stood."""

import threading
from dataclasses import replace

from guidance.live.pace import Pace, paced
from models.capture import Capture

EMPTY = Capture(0.0, None, None, (), (), 0.0, False)


class Clock:
    """Real time that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def started(clock: Clock, **changes: float) -> Pace:
    pace = Pace(now_s=clock, **changes)
    assert pace.wait_until(2.0)  # the first one waited for starts the clock
    return pace


def test_session_time_runs_as_real_time_does_from_the_first_capture_on() -> None:
    clock = Clock()
    pace = Pace(now_s=clock)
    assert pace.t_s is None
    assert pace.wait_until(2.0)
    clock.now_s += 0.75
    assert pace.t_s == 2.75


def test_held_time_stands_still_and_goes_on_from_there() -> None:
    clock = Clock()
    pace = started(clock)
    clock.now_s += 1.0
    pace.hold()
    clock.now_s += 50.0
    assert pace.held
    assert pace.t_s == 3.0
    pace.go()
    clock.now_s += 0.5
    assert pace.t_s == 3.5
    assert not pace.held


def test_time_holds_by_itself_before_the_gas_and_only_once() -> None:
    clock = Clock()
    pace = started(clock, hold_at_s=3.0)
    clock.now_s += 10.0
    assert pace.t_s == 3.0
    assert pace.held
    pace.go()
    clock.now_s += 4.0
    assert pace.t_s == 7.0


def test_a_faster_clock_shows_more_session_seconds() -> None:
    clock = Clock()
    pace = started(clock, speed=4.0)
    clock.now_s += 0.5
    assert pace.t_s == 4.0


def test_closing_frees_who_waits() -> None:
    pace = Pace(hold_at_s=0.0)
    captures = iter([EMPTY, replace(EMPTY, t_s=5.0)])
    got: list[float] = []
    first = threading.Event()

    def read() -> None:
        for capture in paced(captures, pace):
            got.append(capture.t_s)
            first.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert first.wait(5.0)
    pace.close()
    reader.join(5.0)
    assert not reader.is_alive()
    assert got == [0.0]
