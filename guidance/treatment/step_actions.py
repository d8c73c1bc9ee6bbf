"""What the step is told of what the operator does at the console."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from guidance.session import Acknowledge, CourseAction, Guidance, OperatorAction, PauseAudio, ResumeAudio
from guidance.treatment.commands import Command, EditZone, Move, SkipTouch, TakeTouch
from guidance.treatment.course import Course
from guidance.treatment.touch_check import RAISED

AtTime = Callable[[float], OperatorAction]
"""An action, once the session time of the step that takes it is known."""

OF_ALARMS: Mapping[str, AtTime] = {
    "acknowledge": Acknowledge,
    "quiet": PauseAudio,
    "sound_on": ResumeAudio,
}
"""By what a page says of the alarms."""


def actions_of(command: Command, course: Course, guidance: Guidance | None) -> tuple[AtTime, ...]:
    """What the step is told of a command that was followed; nothing of those that concern the page alone.

    Args:
        command: The command.
        course: Where the treatment stands after it.
        guidance: The last step; None before.
    """
    if isinstance(command, Move):
        return () if command.name in ("next", "back") else (lambda t_s: CourseAction(t_s, command.name),)
    if isinstance(command, EditZone):
        return (lambda t_s: replace(command.edit, t_s=t_s),)
    touch = course.touch
    if not isinstance(command, TakeTouch | SkipTouch) or touch is None:
        return ()
    # What the touch has raised is taken note of by that.
    shown = () if guidance is None else guidance.announcement.shown
    high = {one.alarm.cause for one in shown if one.alarm.priority == "high"}
    noted = [partial(Acknowledge, cause=cause) for cause in RAISED if cause in high]
    return (lambda t_s: replace(touch, t_s=t_s), *noted)
