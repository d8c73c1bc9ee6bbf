"""The server's side of one treatment: the course, the running session and the report, whoever looks at them.

Lives on one thread, the event loop's: what other threads have to say comes there as `Desk.stepped` and
`Desk.ended`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from guidance.alarms.judge import SHUTTER_S
from guidance.alarms.tone_files import tone_name
from guidance.live.loop import LiveRun, Stepped
from guidance.live.pace import Pace
from guidance.session import Acknowledge, CourseAction, OperatorAction, PauseAudio, ResumeAudio, Sound
from guidance.stages.state import Setup
from guidance.treatment.choice import Choice, Choices
from guidance.treatment.commands import Command, EditZone, Move, SkipTouch, TakeTouch
from guidance.treatment.course import (
    CHECKLIST,
    DETAILS,
    DONE,
    PAUSED,
    PREFLIGHT,
    REPORTING,
    STOPPED,
    TOUCH,
    Course,
)
from guidance.treatment.figures import alarms, is_placed
from guidance.treatment.gas import KNOWN_BY_SWITCH, gas_notice, gas_trouble
from guidance.treatment.gas_by_hand import GasByHand
from guidance.treatment.gas_from_input import GasFromInput
from guidance.treatment.history import Before
from guidance.treatment.notice import Notice, notice
from guidance.treatment.session import NotNowError, Situation, follow, reported, source_ended
from guidance.treatment.touch_check import RAISED, Touch, TouchTrack, measured, seen
from guidance.treatment.wire import About
from models.contraindications import Question
from vision.cameras import THERMAL, CameraState
from vision.gas_input import GasState

STALLED_S = 0.5
"""A step that takes longer than this leaves the operator without guidance: he is told (a technical alarm
within 0.5 s)."""
BROKEN = ("unplugged", "wrong_format", "wrong_clock", "silent", "frozen")
"""States of a camera that leave the operator without guidance; a slow one is told by its pictures' age."""
REWARMING_S = 60.0
"""So long the skin is watched after the gas: an earlier report says less of its rewarming."""
ALARMING = Sound("high", "technical")
LACKING = Sound("medium", "technical")
"""The session goes on as before, but less of it is recorded."""
MADE: Mapping[str, Callable[[float], OperatorAction]] = {
    "acknowledge": Acknowledge,
    "quiet": PauseAudio,
    "sound_on": ResumeAudio,
}


@dataclass(frozen=True)
class Check:
    """One thing looked at before the treatment."""

    name: str
    state: str
    """``ok``, ``look`` or ``unknown``."""
    words: str


class Records(Protocol):
    """What records the session."""

    @property
    def trouble(self) -> str:
        """One sentence where what is recorded is less than all; empty while all is well."""
        ...

    def note(self, kind: str, told: dict[str, Any]) -> None:
        """Put an entry into the session's log at once."""
        ...


class Desk:
    """Takes commands and tells where the treatment stands."""

    def __init__(
        self,
        *,
        setup: Setup | None,
        asked: tuple[Question, ...],
        checks: tuple[Check, ...],
        gas_first: bool = False,
        pace: Pace | None = None,
        gas: GasByHand | None = None,
        course: Course | None = None,
        choices: Choices | None = None,
        cameras: Callable[[], Sequence[CameraState]] = tuple,
        gas_input: Callable[[], GasState | None] = lambda: None,
        before: Callable[[str, Choice], Before] | None = None,
    ) -> None:
        """Before the first capture.

        Args:
            setup: Of the session; None = what is treated is chosen here.
            asked: Questions before the gas.
            checks: What was found in preflight.
            gas_first: A recording in which gas flows from its beginning, so that its zone cannot be awaited.
            pace: Clock of a replay; None where cameras set the pace.
            gas: Where the operator says whether gas flows; None = the recording does.
            course: Where the treatment stands; at its beginning where None.
            choices: What there is to choose from; None = the recording says what is treated.
            cameras: Tells how the cameras stand.
            gas_input: Tells how a switch or valve stands that says whether gas flows; None = there is none.
            before: Looks up what the history says of a subject and a choice; None = there is no history.
        """
        self._before = before
        self.choices, self.cameras, self.gas_input = choices, cameras, gas_input
        self.recorded_subject = setup.treatment.subject if setup is not None else None
        self._stopped_at_s = 0.0
        self.setup, self.asked, self.checks, self.pace = setup, asked, checks, pace
        self.gas_first, self.gas = gas_first, gas
        self.course = course or Course()
        self.recording: Records | None = None
        """None: nothing is recorded."""
        self.preparing: tuple[int, int] | None = None
        """Steps done and in all of what comes before the first capture; None = ready."""
        self.latest: Stepped | None = None
        self.fault: str | None = None
        self.picture_trouble: str | None = None
        """Why the last picture cannot be shown."""
        self.over = False
        self._gas_off_s: float | None = None
        self.report: Path | None = None
        self.live: LiveRun | None = None
        self._touched = TouchTrack()
        self.finish: Callable[[], None] = lambda: None
        """Called when the operator wants the report."""
        self.started: Callable[[], None] = lambda: None
        """Called at Start."""
        self.turned: Callable[[str, str], None] = lambda _before, _after: None
        """Called when the page is turned before Start: from which phase to which."""
        self.heard_of = ""
        """Trouble of the recording that was acknowledged."""

    @property
    def t_s(self) -> float | None:
        """Session time of the last step."""
        return None if self.latest is None else self.latest.guidance.t_s

    @property
    def before(self) -> Before | None:
        """What the history says of whom and what is to be treated; None where it is not asked or chosen."""
        course, choices = self.course, self.choices
        if self._before is None or choices is None or not course.subject or not course.choice.complete:
            return None
        return self._before(course.subject, course.choice)

    @property
    def situation(self) -> Situation:
        """What commands are judged by now."""
        guidance = None if self.latest is None else self.latest.guidance
        return Situation(
            asked=self.asked,
            zone_placed=guidance is not None and is_placed(guidance),
            zone_cannot_wait=self.gas_first,
            zone_words="no picture has come yet"
            if guidance is None
            else getattr(guidance.zone, "reason", ""),
            recorded_subject=self.recorded_subject,
            preparing=self.preparing,
            choices=self.choices,
            history=self.before.verdict if self.course.phase == DETAILS and self.before is not None else None,
            gas_by_hand=self.gas is not None,
            gas_on=self.gas is not None and self.gas.on,
            touch=self.touch,
        )

    @property
    def touch(self) -> Touch | None:
        """What the touch check measures now; None on other pages."""
        if self.course.phase != TOUCH or self.latest is None or self.setup is None:
            return None
        return measured(self._touched, self.latest.guidance, self.setup)

    def stepped(self, stepped: Stepped) -> None:
        """One step was done."""
        self.latest = stepped
        if not self.course.treating:
            self._touched = seen(self._touched, stepped.guidance)
        if stepped.guidance.gas_now:
            self._gas_off_s = None
        elif self._gas_off_s is None:
            self._gas_off_s = stepped.guidance.t_s

    @property
    def rewarming_s(self) -> float | None:
        """How long no gas has flowed after a stop; None while it flows, and before."""
        if self.course.phase != STOPPED or self._gas_off_s is None or self.latest is None:
            return None
        return self.latest.guidance.t_s - self._gas_off_s

    def ended(self, fault: str | None) -> None:
        """No more steps will come."""
        self.over, self.fault = True, fault or self.fault
        self.course = source_ended(self.course, t_s=self.t_s)

    def wrote(self, report: Path | None, *, trouble: str | None = None) -> None:
        """The report is there, or could not be written."""
        self.report, self.fault = report, trouble or self.fault
        self.course = reported(self.course)

    def do(self, command: Command) -> None:
        """Follow a command.

        Raises:
            NotNowError: If it cannot be followed now; nothing has changed.
        """
        before = self.course.phase
        by_hand = isinstance(command, Move) and command.name in ("gas_on", "gas_off")
        if by_hand and self._gas_known is not None:
            raise NotNowError(KNOWN_BY_SWITCH)
        self.course = follow(self.course, command, self.situation, t_s=self.t_s)
        if not isinstance(command, Move):
            self._act_on(command)
            return
        name = command.name
        if name in ("next", "back"):
            self.turned(before, self.course.phase)
        if name in ("stop", "pain") and before != STOPPED:
            self._stopped_at_s = time.monotonic()
        if self.gas is not None and name in ("start", "resume", "gas_on", "gas_off"):
            self.gas.switch(on=name != "gas_off")
        if self.live is not None and name not in ("next", "back"):
            if self.recording is not None:
                # The step that takes it up may not come any more.
                self.recording.note("tap", {"name": name, "t_s": self.t_s})
            self.live.act(lambda t_s: CourseAction(t_s, name))
        if self.pace is not None:
            if name == "pause":
                self.pace.hold()
            elif name in ("start", "resume", "stop", "pain") and self.course.phase != PAUSED:
                self.pace.go()
        if name == "start":
            self.started()
        elif name == "finish":
            self.finish()

    def _act_on(self, command: Command) -> None:
        """What goes to the step and into the recording."""
        if self.live is None or not isinstance(command, EditZone | TakeTouch | SkipTouch):
            return
        action = command.edit if isinstance(command, EditZone) else self.course.touch
        if action is not None:
            self.live.act(lambda t_s: replace(action, t_s=t_s))
        if not isinstance(command, EditZone):
            # What the touch has raised is taken note of by that.
            shown = () if self.latest is None else self.latest.guidance.announcement.shown
            for cause in RAISED:
                if any(one.alarm.cause == cause and one.alarm.priority == "high" for one in shown):
                    self.live.act(lambda t_s, cause=cause: Acknowledge(t_s, cause))

    def about(self, wanted: About) -> None:
        """Acknowledge, quiet, sound on."""
        if wanted.name == "acknowledge":
            self.heard_of = self.unrecorded
        if self.live is None or self.over:
            raise NotNowError("Nothing runs any more.")
        self.live.act(MADE[wanted.name])

    @property
    def unrecorded(self) -> str:
        """Why what is recorded is less than all; empty while all is well, or nothing is to be recorded."""
        if self.recording is None:
            return ""
        failed = self.live.unrecorded if self.live is not None else None
        return failed or self.recording.trouble

    def trouble(self) -> str | None:
        """Why there is no guidance, although there should be."""
        if self.fault is not None:
            return self.fault
        busy_s = self.live.busy_s if self.live is not None else 0.0
        if busy_s > STALLED_S and not self.over:
            return f"No guidance for {busy_s:.1f} s. Close the valve until it is back."
        failed = self.live.trouble if self.live is not None else None
        gas = gas_trouble(self.gas_input(), phase=self.course.phase)
        return failed or self.camera_trouble() or gas or self.picture_trouble

    @property
    def _gas_known(self) -> bool | None:
        """What a switch or valve says; None = there is none, or it cannot be believed."""
        return self.gas.known if isinstance(self.gas, GasFromInput) else None

    def heed_gas(self) -> None:
        """Note what the switch or valve has said, as what the operator does."""
        if isinstance(self.gas, GasFromInput) and self.live is not None and not self.over:
            for name in self.gas.news():
                self.live.act(lambda t_s, name=name: CourseAction(t_s, name))

    def camera_trouble(self) -> str | None:
        """What is wrong with a camera, once it counts; None where nothing is, or nothing is guided yet."""
        if self.course.phase in (PREFLIGHT, DETAILS, CHECKLIST, REPORTING, DONE):
            return None
        for camera in self.cameras():
            lasts_s = time.monotonic() - camera.since_s
            # A thermal core repeats its picture while its shutter is closed: that long it is no fault.
            shutter = camera.kind == THERMAL and camera.state == "frozen" and lasts_s < SHUTTER_S
            if camera.state in BROKEN and not shutter:
                return f"{camera.words} Close the valve until it is back."
        return None

    def notice(self) -> Notice | None:
        """What the course itself has to say."""
        if (words := gas_notice(self.gas_input(), phase=self.course.phase)) is not None:
            return Notice("stop", words, sounds=True)
        return notice(
            self.course,
            gas_now=self.latest is not None and self.latest.guidance.gas_now,
            gas_counts=self.gas is not None and self.gas.on,
            by_switch=self._gas_known is not None,
            over=self.over,
            played=self.pace is not None,
            stopped_for_s=time.monotonic() - self._stopped_at_s,
        )

    @property
    def _touching(self) -> bool:
        """Whether the nozzle is to be at the skin: no gas flows then."""
        gas = self.latest is not None and self.latest.guidance.gas_now
        return self.course.phase == TOUCH and not gas

    def alarms(self) -> list[dict[str, object]]:
        """What is displayed, as a page gets it, without what a touch of the skin is bound to raise."""
        if self.latest is None:
            return []
        told = alarms(self.latest.guidance)
        return [one for one in told if not (self._touching and one["stop"] and one["cause"] in RAISED)]

    def _startling(self) -> bool:
        """Whether something urgent is displayed that no touch raises."""
        shown = () if self.latest is None else self.latest.guidance.announcement.shown
        return any(
            one.alarm.priority == "high" and not one.acknowledged and one.alarm.cause not in RAISED
            for one in shown
        )

    def sound(self) -> str | None:
        """Name of the tone that sounds now; None = silence."""
        phase = self.course.phase
        if phase in (REPORTING, DONE):
            return None
        if phase != PREFLIGHT and self.trouble() is not None:
            return tone_name(ALARMING)
        notice = self.notice()
        told = self.latest.guidance.announcement.sound if self.latest is not None else None
        if self.over and not self.course.treating:
            told = None
        if told is not None and phase in (PREFLIGHT, DETAILS, CHECKLIST) and told.priority != "high":
            told = None  # nothing is treated yet: what is wrong is displayed
        if self._touching and told is not None and not self._startling():
            told = None
        if notice is not None and notice.sounds and (told is None or told.priority != "high"):
            told = ALARMING
        if told is None and self.course.treating and self.unrecorded not in ("", self.heard_of):
            told = LACKING
        return None if told is None else tone_name(told)
