"""The check of the rig in preflight: when it looks, what it tells, and that it touches no treatment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from guidance.treatment.commands import RIG_CHECKS, CheckRig
from guidance.treatment.course import DETAILS, PHASES, PREFLIGHT, Course
from guidance.treatment.rig_checking import (
    IDLE,
    JUDGING,
    LOOKING,
    TOLD,
    WAITING,
    RigChecking,
    RigCheckTold,
    Seen,
    follow_check,
    part_told,
)
from guidance.treatment.session import NotNowError, Situation, missing
from guidance.treatment.wire import BadMessageError, read_message
from models.capture import Capture
from models.problems import InputError
from models.rig_checked import CheckedPart, RigChecked

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
VALID = RigChecked(NOW, "a" * 64, (CheckedPart("cameras", "valid", "agree"),))
WITHIN_S = 20.0


class Told:
    """A look that sees the target from a time on, and what became of it."""

    def __init__(self, *, from_s: float = 1.0, judges: Any = VALID) -> None:
        self.from_s, self.judges = from_s, judges
        self.at_s = 0.0
        self.taken: list[float] = []
        self.kept: list[RigChecked] = []
        self.closed = 0

    def see(self, capture: Capture) -> tuple[Seen, ...]:
        self.at_s = capture.t_s
        return (Seen(self.shown, "sees the target" if self.shown else "does not see the target"),)

    @property
    def shown(self) -> bool:
        return self.at_s >= self.from_s

    def take(self, capture: Capture) -> None:
        self.taken.append(capture.t_s)

    def judge(self) -> RigChecked:
        if isinstance(self.judges, Exception):
            raise self.judges
        if callable(self.judges):
            return cast(RigChecked, self.judges())
        return cast(RigChecked, self.judges)

    def keep(self, checked: RigChecked) -> None:
        self.kept.append(checked)

    def close(self) -> None:
        self.closed += 1


def ticks(*, hz: float = 10.0, hold: threading.Event | None = None, hold_at_s: float = 0.0) -> Any:
    """Captures without pictures, as fast as they are taken; held at a time until a test goes on."""
    ended: list[bool] = []

    def captures(stop: threading.Event) -> Iterator[Capture]:
        try:
            for k in range(100_000):
                if hold is not None and k / hz >= hold_at_s:
                    hold.wait(WITHIN_S)
                if stop.is_set():
                    return
                yield Capture(k / hz, None, None, (), (), 0.0, False)
        finally:
            ended.append(True)

    captures.ended = ended  # type: ignore[attr-defined]
    return captures


def done(checking: RigChecking) -> RigCheckTold:
    """Once its thread has ended."""
    checking.wait(within_s=WITHIN_S)
    return checking.told


def test_it_waits_for_the_target_then_looks_for_five_seconds_and_keeps_the_verdict() -> None:
    look = Told(from_s=3.0)
    captures = ticks()
    checking = RigChecking(lambda: look, captures)
    assert checking.told.state == IDLE
    checking.begin()
    told = done(checking)
    assert told.state == TOLD
    assert told.checked is VALID
    assert look.taken[0] == pytest.approx(3.0)
    assert look.taken[-1] == pytest.approx(8.0)
    assert look.kept == [VALID]
    assert look.closed == 1
    assert captures.ended == [True], "the cameras are free again"


def test_a_target_that_is_never_seen_is_no_verdict_and_nothing_is_kept() -> None:
    look = Told(from_s=1e9)
    checking = RigChecking(lambda: look, ticks(), wait_s=2.0)
    checking.begin()
    told = done(checking)
    assert (told.state, told.checked) == (TOLD, None)
    assert "For 2 s: does not see the target. Nothing was judged" in told.trouble
    assert look.kept == look.taken == []


def test_it_may_look_at_once_without_the_target() -> None:
    """A touched point or a reference alone is worth a check."""
    look, hold = Told(from_s=1e9), threading.Event()
    checking = RigChecking(lambda: look, ticks(hold=hold, hold_at_s=1.0))
    checking.begin()
    checking.begin_now()
    hold.set()
    assert done(checking).checked is VALID
    assert look.taken[-1] - look.taken[0] == pytest.approx(5.0)


def test_one_that_is_left_says_nothing_more_and_keeps_nothing() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def judges() -> RigChecked:
        begun.set()
        go_on.wait(WITHIN_S)
        return VALID

    look = Told(from_s=0.0, judges=judges)
    checking = RigChecking(lambda: look, ticks())
    checking.begin()
    assert begun.wait(WITHIN_S)
    assert checking.told.state == JUDGING
    checking.leave()
    assert checking.told.state == IDLE
    checking.begin()
    assert "just ending" in checking.told.trouble
    go_on.set()
    checking.wait(within_s=WITHIN_S)
    assert look.kept == []
    assert checking.told.checked is None
    assert look.closed == 1


def test_what_goes_wrong_is_told_and_keeps_nothing_under_way() -> None:
    for trouble, words in (
        (InputError("The rig cannot be read."), "The rig cannot be read."),
        (ZeroDivisionError("x"), "The check failed (ZeroDivisionError: x); nothing was judged."),
    ):
        checking = RigChecking(lambda trouble=trouble: Told(judges=trouble), ticks())
        checking.begin()
        told = done(checking)
        assert (told.state, told.trouble, told.under_way) == (TOLD, words, False)

    def none() -> Told:
        raise InputError("rig.toml has changed.")

    checking = RigChecking(none, ticks())
    checking.begin()
    assert done(checking).trouble == "rig.toml has changed."


@pytest.mark.parametrize("phase", [name for name in PHASES if name != PREFLIGHT])
@pytest.mark.parametrize("name", RIG_CHECKS)
def test_beyond_the_first_page_nothing_of_it_can_be_done(phase: str, name: str) -> None:
    begun: list[str] = []
    checking = RigChecking(lambda: begun.append(phase) or Told(), ticks())
    with pytest.raises(NotNowError, match="before a treatment only"):
        follow_check(checking, CheckRig(name), phase=phase)
    checking.wait(within_s=WITHIN_S)
    assert begun == []


def test_it_is_refused_for_a_recording_and_while_guidance_gets_ready() -> None:
    with pytest.raises(NotNowError, match="recording"):
        follow_check(None, CheckRig("check_rig"), phase=PREFLIGHT)
    checking = RigChecking(lambda: Told(), ticks())
    with pytest.raises(NotNowError, match="Getting ready"):
        follow_check(checking, CheckRig("check_rig"), phase=PREFLIGHT, preparing=True)
    assert checking.told.state == IDLE


def test_the_page_is_not_turned_while_the_check_has_the_cameras() -> None:
    heard = Course(sound_confirmed=True)
    assert "being checked" in missing(heard, Situation((), zone_placed=False, rig_checked=True))
    assert missing(heard, Situation((), zone_placed=False)) == ""
    there = Course(phase=DETAILS, operator="OP-1")
    assert missing(there, Situation((), zone_placed=False, rig_checked=True)) == ""
    assert [RigCheckTold(state).under_way for state in (IDLE, WAITING, LOOKING, JUDGING, TOLD)] == [
        False, True, True, True, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "state", "verdict"),
    [
        (CheckedPart("cameras", "valid", "w"), "ok", "still valid"),
        (CheckedPart("cameras", "moved", "w", by="7.0 +- 0.4 mm"), "warn",
         "moved by 7.0 ± 0.4 mm"),
        (CheckedPart("tip", "moved", "w", by="5.1 +- 0.6 mm"), "warn", "moved by 5.1 ± 0.6 mm"),
        (CheckedPart("time", "moved", "w", by="60 +- 8 ms"), "warn", "off by 60 ± 8 ms"),
        (CheckedPart("calibration", "moved", "w"), "warn", "no longer valid"),
        (CheckedPart("tip", "unknown", "w"), "unknown", "could not be judged"),
        (CheckedPart("tip", "not looked at", "w"), "unknown", "could not be judged"),
    ],
)  # fmt: skip
def test_each_part_is_told_in_one_line_and_what_was_not_judged_has_its_own_state(
    part: CheckedPart, state: str, verdict: str
) -> None:
    told = part_told(part)
    assert (told["state"], told["verdict"]) == (state, verdict)


def test_a_page_can_ask_for_it_and_for_nothing_beside_it() -> None:
    for name in RIG_CHECKS:
        assert read_message(f'{{"do": "{name}"}}') == CheckRig(name)
        with pytest.raises(BadMessageError):
            read_message(f'{{"do": "{name}", "rig": "/elsewhere/rig.toml"}}')
