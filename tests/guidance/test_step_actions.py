"""The step is told of what the operator does, and of nothing that concerns the page alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.session import Acknowledge, Alarm, Announcement, CourseAction, Guidance, Shown
from guidance.treatment.commands import Answer, Command, ConfirmSound, EditZone, Move, SkipTouch
from guidance.treatment.course import READY, Course
from guidance.treatment.step_actions import actions_of
from guidance.zone_actions import KeepIn, TouchSkipped
from tests.guidance.conftest import Scene


def at(command: Command, course: Course, guidance: Guidance | None = None) -> list[object]:
    return [action(7.5) for action in actions_of(command, course, guidance)]


@pytest.mark.parametrize("command", [Move("next"), Move("back"), ConfirmSound(), Answer("age", "yes")])
def test_what_concerns_the_page_alone_is_not_told(command: Command) -> None:
    assert at(command, Course()) == []


def test_an_action_has_the_time_of_the_step_that_takes_it() -> None:
    assert at(Move("pain"), Course()) == [CourseAction(7.5, "pain")]
    assert at(EditZone(KeepIn(0.0, 2)), Course()) == [KeepIn(7.5, 2)]


def test_what_a_touch_has_raised_is_acknowledged_with_it_and_nothing_else(scene: Scene) -> None:
    def alarm(cause: str, priority: str) -> Shown:
        return Shown(Alarm(cause, "physiological", priority, "words", 1.0))

    shown = (alarm("contact", "high"), alarm("distance", "medium"), alarm("skin_cold", "high"))
    guidance = scene.guidance(announcement=Announcement(shown, None))
    course = replace(Course(phase=READY), touch=TouchSkipped(0.0, "no tag"))
    assert at(SkipTouch("no tag"), course, guidance) == [
        TouchSkipped(7.5, "no tag"),
        Acknowledge(7.5, "contact"),
    ]
