"""Where one treatment stands on its way from preflight to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidance.treatment.choice import Choice
from guidance.zone_actions import TouchAction
from models.contraindications import Judgement, Question, judge_answers

PREFLIGHT, DETAILS, CHECKLIST, ZONE, READY = "preflight", "details", "checklist", "zone", "ready"
TOUCH = "touch"
RUNNING, PAUSED, STOPPED, REPORTING, DONE = "running", "paused", "stopped", "reporting", "done"
PHASES = (PREFLIGHT, DETAILS, CHECKLIST, ZONE, TOUCH, READY, RUNNING, PAUSED, STOPPED, REPORTING, DONE)


@dataclass(frozen=True)
class Entry:
    """Something that happened, as the report tells it."""

    t_s: float | None
    """Session time; None before the first capture."""
    what: str


@dataclass(frozen=True)
class Course:
    """Where one treatment stands."""

    phase: str = PREFLIGHT
    sound_confirmed: bool = False
    history_confirmed: bool = False
    operator: str = ""
    subject: str = ""
    choice: Choice = field(default_factory=Choice)
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    stopped_by: str = ""
    """``stop``, ``pain`` or ``end`` (of the recording); empty before."""
    log: tuple[Entry, ...] = ()
    touch: TouchAction | None = None
    """The touch check: taken, or left out with a reason; None before."""

    @property
    def treating(self) -> bool:
        """Between start and stop."""
        return self.phase in (RUNNING, PAUSED)

    @property
    def pain_s(self) -> tuple[float | None, ...]:
        """When pain was reported."""
        return tuple(entry.t_s for entry in self.log if entry.what == "pain")

    def judged(self, asked: tuple[Question, ...]) -> Judgement:
        """What the answers so far mean."""
        return judge_answers(asked, answers=self.answers, reasons=self.reasons)
