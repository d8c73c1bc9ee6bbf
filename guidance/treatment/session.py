"""The way of one treatment from preflight to report: a pure state machine that lives on the server.

A page shows where it stands and sends commands; reloading it, or another one joining, changes nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from guidance.treatment.choice import Choice, Choices
from guidance.treatment.commands import (
    Answer,
    Choose,
    Command,
    ConfirmHistory,
    ConfirmSound,
    EditZone,
    Identify,
    SkipTouch,
    TakeTouch,
)
from guidance.treatment.course import (
    CHECKLIST,
    DETAILS,
    DONE,
    PAUSED,
    PREFLIGHT,
    READY,
    REPORTING,
    RUNNING,
    STOPPED,
    TOUCH,
    ZONE,
    Course,
    Entry,
)
from guidance.treatment.touch_check import Touch
from guidance.zone_actions import MarkSpot, TouchAction, TouchChecked, TouchSkipped, ZoneAction
from models.contraindications import ABSOLUTE, NO, UNKNOWN, YES, Question
from models.history import is_code
from models.history_rules import Allowed, Refused, Warned

REASON_MOST = 200
"""Letters of a reason: one line in the report."""


class NotNowError(Exception):
    """A command that cannot be followed, with a sentence for the operator."""


@dataclass(frozen=True)
class Situation:
    """What the commands are judged by, besides the course itself."""

    asked: tuple[Question, ...]
    zone_placed: bool
    """The zone lies on the picture."""
    zone_cannot_wait: bool = False
    """A recording in which gas flows before the zone is placed: it cannot be confirmed beforehand."""
    zone_words: str = ""
    """Why the zone is not placed."""
    recorded_subject: str | None = None
    """What the recording names; None = the operator does."""
    preparing: tuple[int, int] | None = None
    """Steps done and in all of what comes before the first capture; None = ready."""
    choices: Choices | None = None
    """What there is to choose from; None = the recording says what is treated."""
    history: Allowed | Warned | Refused | None = None
    """What it says of treating this now; None = it is not asked."""
    gas_by_hand: bool = False
    """The operator says whether gas flows."""
    gas_on: bool = False
    """Gas counts as flowing."""
    touch: Touch | None = None
    """What the touch check measures now; None where nothing runs."""
    rig_checked: bool = False
    """The quick check of the rig is under way and has the cameras."""


def follow(course: Course, command: Command, now: Situation, *, t_s: float | None) -> Course:
    """Follow a command.

    Args:
        course: Where the treatment stands.
        command: What the operator asked for.
        now: What it is judged by.
        t_s: Session time.

    Raises:
        NotNowError: If it cannot be followed; the course stays as it was.
    """
    if isinstance(command, ConfirmSound):
        return replace(course, sound_confirmed=True, log=(*course.log, Entry(t_s, "sound confirmed")))
    if isinstance(command, ConfirmHistory):
        if course.phase != DETAILS or not isinstance(now.history, Warned):
            raise NotNowError("There is nothing to confirm about earlier treatments.")
        return replace(course, history_confirmed=True, log=(*course.log, Entry(t_s, "history confirmed")))
    if isinstance(command, Identify):
        return _identified(course, command, now)
    if isinstance(command, Choose):
        return _chosen(course, command.choice, now)
    if isinstance(command, Answer):
        return _answered(course, command, now)
    if isinstance(command, EditZone):
        return _zone_edited(course, command.edit)
    if isinstance(command, TakeTouch | SkipTouch):
        touch = _touched(course, command, now, t_s=t_s or 0.0)
        what = "touch check" if isinstance(touch, TouchChecked) else f"touch check skipped: {touch.reason}"
        return replace(course, touch=touch, log=(*course.log, Entry(t_s, what)))
    if command.name in ("next", "back"):
        stale = command.at not in ("", course.phase)
        return course if stale else _turned(course, command.name, now)
    if command.name in ("gas_on", "gas_off"):
        if not now.gas_by_hand or course.phase not in (RUNNING, PAUSED, STOPPED):
            raise NotNowError("Gas is not switched here now.")
        if command.name == "gas_on" and course.phase != RUNNING:
            raise NotNowError("Keep the valve closed: nothing runs.")
        return replace(course, log=(*course.log, Entry(t_s, command.name)))
    if command.name == "finish" and course.phase == STOPPED and now.gas_on:
        raise NotNowError("First close the valve and confirm that the gas is off.")
    if command.name == "start" and course.phase == READY and (reason := missing(course, now)):
        raise NotNowError(reason)
    after = _moved(course, command.name)
    return replace(after, log=(*after.log, Entry(t_s, command.name)))


def source_ended(course: Course, *, t_s: float | None) -> Course:
    """No more pictures will come: a treatment that still runs is over."""
    if not course.treating:
        return course
    return replace(course, phase=STOPPED, stopped_by="end", log=(*course.log, Entry(t_s, "end")))


def reported(course: Course) -> Course:
    """The report is written."""
    return replace(course, phase=DONE)


def missing(course: Course, now: Situation) -> str:
    """Why the next page does not open yet; empty where it does."""
    if course.phase == PREFLIGHT and not course.sound_confirmed:
        return "Test the alarm sound and confirm that you hear it."
    if course.phase == PREFLIGHT and now.preparing is not None:
        return "Getting ready: wait a moment."
    if course.phase == PREFLIGHT and now.rig_checked:
        return "The rig is being checked: wait for the verdict, or end the check."
    if course.phase == DETAILS and not course.operator:
        return "Give your own code."
    if course.phase == DETAILS and now.choices is not None and not course.choice.complete:
        return "Choose zone, side, device and protocol."
    if course.phase == DETAILS and isinstance(now.history, Refused):
        return f"Do not treat: {now.history.reasons[0].words}"
    if course.phase == DETAILS and isinstance(now.history, Warned) and not course.history_confirmed:
        return "Confirm that you know what the history says, or do not treat."
    if course.phase == CHECKLIST:
        judged = course.judged(now.asked)
        unanswered = sum(f.answer not in (YES, UNKNOWN) for f in judged.blocking)
        if unanswered < len(judged.blocking):
            return "Do not treat: an answer speaks against it."
        if unanswered:
            questions = "question is" if unanswered == 1 else "questions are"
            return f"{unanswered} {questions} not answered yet."
        if judged.to_confirm:
            count = len(judged.to_confirm)
            return f"Give a reason for {count} answer{'' if count == 1 else 's'}, or do not treat."
    if course.phase in (ZONE, READY) and not now.zone_placed and not now.zone_cannot_wait:
        return f"The zone is not placed: {now.zone_words or 'wait for it'}."
    if course.phase == TOUCH and course.touch is None:
        return "Take the touch check, or say why it is left out."
    return ""


def open_questions(course: Course, now: Situation) -> tuple[str, ...]:
    """Names of the questions that keep the checklist from being passed, as they are asked in turn."""
    if course.phase != CHECKLIST:
        return ()
    judged = course.judged(now.asked)
    found = {finding.question.name for finding in (*judged.blocking, *judged.to_confirm)}
    return tuple(question.name for question in now.asked if question.name in found)


def _zone_edited(course: Course, edit: ZoneAction) -> Course:
    """Nothing of it is kept here: the step takes it."""
    if course.phase != ZONE and not (course.phase == TOUCH and isinstance(edit, MarkSpot)):
        raise NotNowError("The zone is changed on its own page only: go back to it.")
    return course


def _touched(course: Course, command: TakeTouch | SkipTouch, now: Situation, *, t_s: float) -> TouchAction:
    if course.phase != TOUCH:
        raise NotNowError("The touch check comes after the zone and before Start.")
    if isinstance(command, SkipTouch):
        reason = " ".join(command.reason.split())[:REASON_MOST]
        if not reason:
            raise NotNowError("Say why the touch check is left out.")
        return TouchSkipped(t_s, reason)
    found = now.touch
    if found is None or found.state != "ok":
        raise NotNowError(found.words if found is not None else "Nothing is measured yet.")
    return TouchChecked(
        t_s,
        found.target,
        _known(found.along_mm),
        _known(found.along_u95_mm),
        _known(found.across_mm),
        _known(found.across_u95_mm),
        _known(found.along_limit_mm),
        _known(found.across_limit_mm),
        found.still_s,
    )


def _known(value: float | None) -> float:
    if value is None:
        raise NotNowError("Nothing is measured yet.")
    return value


def _identified(course: Course, command: Identify, now: Situation) -> Course:
    if course.phase != DETAILS:
        raise NotNowError("Codes are given before the checklist.")
    operator, subject = command.operator.strip(), command.subject.strip()
    for what, code in (("Your code", operator), ("The subject", subject)):
        if code and not is_code(code):
            raise NotNowError(f"{what} must be a code with at least one digit, such as A-017, never a name.")
    known = now.recorded_subject
    if known is not None and subject.casefold() not in ("", known.casefold()):
        raise NotNowError(f"The recording is of the subject {known}.")
    if (subject or known) != (course.subject or known) or operator != course.operator:
        course = replace(
            course, answers={}, reasons={}, history_confirmed=False
        )  # they were about someone else, or by someone else
    return replace(course, operator=operator, subject=known or subject)


def _chosen(course: Course, choice: Choice, now: Situation) -> Course:
    if course.phase != DETAILS or now.choices is None:
        raise NotNowError("What is treated is chosen before the checklist, where no recording says it.")
    if why := now.choices.wrong(choice):
        raise NotNowError(why)
    if choice == course.choice:
        return course
    # Other questions are asked then, and other treatments were before.
    return replace(course, choice=choice, answers={}, reasons={}, history_confirmed=False)


def _answered(course: Course, command: Answer, now: Situation) -> Course:
    if course.phase != CHECKLIST:
        raise NotNowError("Questions are answered on their own page.")
    if command.answer not in (YES, NO, UNKNOWN):
        raise NotNowError("Answer with yes, no or not known.")
    question = next((q for q in now.asked if q.name == command.question), None)
    if question is None:
        raise NotNowError("That question is not asked for this treatment.")
    reasons = {name: reason for name, reason in course.reasons.items() if name != question.name}
    reason = " ".join(command.reason.split())[:REASON_MOST]
    if reason and command.answer != NO and question.kind != ABSOLUTE:
        reasons[question.name] = reason
    return replace(course, answers={**course.answers, question.name: command.answer}, reasons=reasons)


def _turned(course: Course, name: str, now: Situation) -> Course:
    """To the page after this one or before it."""
    pages = (PREFLIGHT, DETAILS, CHECKLIST, ZONE, TOUCH, READY)
    if course.phase not in pages:
        raise NotNowError("The treatment is under way.")
    at = pages.index(course.phase)
    if name == "back":
        # Behind the zone another one may come: what was touched then says nothing of it.
        touch = course.touch if course.phase == READY else None
        return replace(course, phase=pages[max(at - 1, 0)], touch=touch)
    if course.phase == READY:
        raise NotNowError("Press Start.")
    if reason := missing(course, now):
        raise NotNowError(reason)
    return replace(course, phase=pages[at + 1])


_WAYS: dict[str, dict[str, str]] = {
    "start": {READY: RUNNING},
    "pause": {RUNNING: PAUSED},
    "resume": {PAUSED: RUNNING},
    "stop": {RUNNING: STOPPED, PAUSED: STOPPED, STOPPED: STOPPED},
    "pain": {RUNNING: STOPPED, PAUSED: STOPPED, STOPPED: STOPPED},
    "finish": {STOPPED: REPORTING},
}
"""For each move, from which phase to which."""

_NOT_NOW = {
    "start": "Start comes after the zone is confirmed and the touch check.",
    "pause": "Nothing runs that could pause.",
    "resume": "Nothing is paused.",
    "stop": "Nothing runs. Keep the valve closed.",
    "pain": "Nothing runs. Keep the valve closed and look after the patient.",
    "finish": "Stop first.",
}


def _moved(course: Course, name: str) -> Course:
    to = _WAYS[name].get(course.phase)
    if to is None:
        raise NotNowError(_NOT_NOW[name])
    stopped_by = course.stopped_by
    if to == STOPPED and course.phase != STOPPED:
        stopped_by = name
    return replace(course, phase=to, stopped_by=stopped_by)
