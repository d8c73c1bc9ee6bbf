"""The server's side of one treatment: the course, the running session and the report, whoever looks at them.

Lives on one thread, the event loop's: what other threads have to say comes there as `Desk.stepped` and
`Desk.ended`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from guidance.alarms.tone_files import tone_name
from guidance.live.loop import LiveRun, Stepped
from guidance.live.pace import Pace
from guidance.session import CourseAction, Guidance
from guidance.stages.state import Setup
from guidance.treatment.beside_cameras import BesideCameras
from guidance.treatment.choice import Choices
from guidance.treatment.commands import CheckRig, Command, Move
from guidance.treatment.course import DETAILS, PAUSED, PREFLIGHT, STOPPED, TOUCH, Course
from guidance.treatment.figures import is_placed
from guidance.treatment.gas import KNOWN_BY_SWITCH, gas_notice, gas_trouble
from guidance.treatment.gas_by_hand import GasByHand
from guidance.treatment.gas_from_input import GasFromInput
from guidance.treatment.history import Before
from guidance.treatment.notice import Notice, notice
from guidance.treatment.rig_checking import RigChecking, follow_check
from guidance.treatment.session import NotNowError, Situation, follow, reported, source_ended
from guidance.treatment.sounding import displayed, sound_now
from guidance.treatment.step_actions import OF_ALARMS, actions_of
from guidance.treatment.touch_check import Touch, TouchTrack, measured, seen
from guidance.treatment.trouble import STALLED_S, camera_trouble, step_trouble
from guidance.treatment.wire import About
from models.chart import PixelZone
from models.contraindications import Question
from vision.cameras import CameraState
from vision.gas_input import GasState

REWARMING_S = 60.0
"""So long the skin is watched after the gas: an earlier report says less of its rewarming."""


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
        gas_first: bool = False,
        pace: Pace | None = None,
        gas: GasByHand | None = None,
        course: Course | None = None,
        beside: BesideCameras | None = None,
    ) -> None:
        """Before the first capture.

        Args:
            setup: Of the session; None = what is treated is chosen here.
            asked: Questions before the gas.
            gas_first: A recording in which gas flows from its beginning, so that its zone cannot be awaited.
            pace: Clock of a replay; None where cameras set the pace.
            gas: Where the operator says whether gas flows; None = the recording does.
            course: Where the treatment stands; at its beginning where None.
            beside: The cameras; None = a recording is played, which says what is treated.
        """
        self._beside = beside
        self.recorded_subject = setup.treatment.subject if setup is not None else None
        self._stopped_at_s = 0.0
        self.setup, self.asked, self.pace = setup, asked, pace
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
    def choices(self) -> Choices | None:
        """What there is to choose from; None = the recording says what is treated."""
        return None if self._beside is None else self._beside.choices

    @property
    def rig_checking(self) -> RigChecking | None:
        """None: the rig cannot be checked here."""
        return None if self._beside is None else self._beside.rig_checking

    def cameras(self) -> Sequence[CameraState]:
        """How the cameras stand; none where a recording is played."""
        return () if self._beside is None else self._beside.cameras()

    def gas_input(self) -> GasState | None:
        """How a switch or valve stands that says whether gas flows; None = there is none."""
        return None if self._beside is None else self._beside.gas_input()

    @property
    def guidance(self) -> Guidance | None:
        """What the last step told; None before the first."""
        return None if self.latest is None else self.latest.guidance

    @property
    def t_s(self) -> float | None:
        """Session time of the last step."""
        return None if self.guidance is None else self.guidance.t_s

    @property
    def gas_now(self) -> bool:
        """Whether gas flowed in the last step."""
        return self.guidance is not None and self.guidance.gas_now

    @property
    def before(self) -> Before | None:
        """What the history says of whom and what is to be treated; None where it is not asked or chosen."""
        course, before = self.course, None if self._beside is None else self._beside.before
        if before is None or not course.subject or not course.choice.complete:
            return None
        return before(course.subject, course.choice)

    @property
    def situation(self) -> Situation:
        """What commands are judged by now."""
        guidance = self.guidance
        return Situation(
            asked=self.asked,
            zone_placed=guidance is not None and is_placed(guidance, metric=self._metric),
            zone_cannot_wait=self.gas_first,
            zone_words=self._zone_words(),
            recorded_subject=self.recorded_subject,
            preparing=self.preparing,
            choices=self.choices,
            history=self.before.verdict if self.course.phase == DETAILS and self.before is not None else None,
            gas_by_hand=self.gas is not None,
            gas_on=self.gas is not None and self.gas.on,
            touch=self.touch,
            rig_checked=self.rig_checking is not None and self.rig_checking.told.under_way,
        )

    @property
    def _metric(self) -> bool:
        """Whether there is a rig."""
        return self.setup is not None and self.setup.rig is not None

    def _zone_words(self) -> str:
        """Why the zone is not placed; empty where it does not tell."""
        if self.latest is None:
            return "no picture has come yet"
        zone = self.latest.guidance.zone
        if isinstance(zone, PixelZone):
            return "its outline does not lie on the skin yet"
        return getattr(zone, "reason", "")

    @property
    def touch(self) -> Touch | None:
        """What the touch check measures now; None on other pages."""
        if self.course.phase != TOUCH or self.guidance is None or self.setup is None:
            return None
        return measured(self._touched, self.guidance, self.setup)

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
        if self.course.phase != STOPPED or self._gas_off_s is None or self.t_s is None:
            return None
        return self.t_s - self._gas_off_s

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
        name = command.name if isinstance(command, Move) else ""
        if name in ("next", "back"):
            if before == PREFLIGHT and self.rig_checking is not None:
                self.rig_checking.leave()
            self.turned(before, self.course.phase)
        if name in ("stop", "pain") and before != STOPPED:
            self._stopped_at_s = time.monotonic()
        if self.gas is not None and name in ("start", "resume", "gas_on", "gas_off"):
            self.gas.switch(on=name != "gas_off")
        if self.live is not None:
            for action in actions_of(command, self.course, self.guidance):
                if name and self.recording is not None:
                    # The step that takes it up may not come any more.
                    self.recording.note("tap", {"name": name, "t_s": self.t_s})
                self.live.act(action)
        if self.pace is not None:
            if name == "pause":
                self.pace.hold()
            elif name in ("start", "resume", "stop", "pain") and self.course.phase != PAUSED:
                self.pace.go()
        if name == "start":
            self.started()
        elif name == "finish":
            self.finish()

    def check_rig(self, wanted: CheckRig) -> None:
        """The quick check of the rig."""
        phase, preparing = self.course.phase, self.preparing is not None
        follow_check(self.rig_checking, wanted, phase=phase, preparing=preparing)

    def about(self, wanted: About) -> None:
        """Acknowledge, quiet, sound on."""
        if wanted.name == "acknowledge":
            self.heard_of = self.unrecorded
        if self.live is None or self.over:
            raise NotNowError("Nothing runs any more.")
        self.live.act(OF_ALARMS[wanted.name])

    @property
    def unrecorded(self) -> str:
        """Why what is recorded is less than all; empty while all is well, or nothing is to be recorded."""
        if self.recording is None:
            return ""
        failed = self.live.unrecorded if self.live is not None else None
        return failed or self.recording.trouble

    @property
    def stalled(self) -> bool:
        """Whether a step takes so long that what was told last is old."""
        return self.live is not None and not self.over and self.live.busy_s > STALLED_S

    def trouble(self) -> str | None:
        """Why there is no guidance, although there should be."""
        phase, live = self.course.phase, self.live
        stalled = step_trouble(live.busy_s) if live is not None and not self.over else None
        failed = live.trouble if live is not None else None
        camera = camera_trouble(self.cameras(), phase=phase, now_s=time.monotonic())
        gas = gas_trouble(self.gas_input(), phase=phase)
        return self.fault or stalled or failed or camera or gas or self.picture_trouble

    @property
    def _gas_known(self) -> bool | None:
        """What a switch or valve says; None = there is none, or it cannot be believed."""
        return self.gas.known if isinstance(self.gas, GasFromInput) else None

    def heed_gas(self) -> None:
        """Note what the switch or valve has said, as what the operator does."""
        if isinstance(self.gas, GasFromInput) and self.live is not None and not self.over:
            for name in self.gas.news():
                self.live.act(lambda t_s, name=name: CourseAction(t_s, name))

    def notice(self) -> Notice | None:
        """What the course itself has to say."""
        if (words := gas_notice(self.gas_input(), phase=self.course.phase)) is not None:
            return Notice("stop", words, sounds=True)
        return notice(
            self.course,
            gas_now=self.gas_now,
            gas_counts=self.gas is not None and self.gas.on,
            by_switch=self._gas_known is not None,
            over=self.over,
            played=self.pace is not None,
            stopped_for_s=time.monotonic() - self._stopped_at_s,
        )

    def alarms(self) -> list[dict[str, object]]:
        """The alarms that are displayed, as a page gets them."""
        return displayed(self.course, self.guidance)

    def sound(self) -> str | None:
        """Name of the tone that sounds now; None = silence."""
        found = sound_now(
            self.course,
            self.guidance,
            trouble=self.trouble() is not None,
            notice=self.notice(),
            over=self.over,
            lacking=self.unrecorded not in ("", self.heard_of),
        )
        return None if found is None else tone_name(found)
