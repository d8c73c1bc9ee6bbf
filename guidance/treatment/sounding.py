"""What sounds, and which alarms are displayed, by where the treatment stands."""

from __future__ import annotations

from guidance.session import Announcement, Guidance, Sound
from guidance.treatment.course import CHECKLIST, DETAILS, DONE, PREFLIGHT, REPORTING, TOUCH, Course
from guidance.treatment.figures import alarms
from guidance.treatment.notice import Notice
from guidance.treatment.touch_check import RAISED

ALARMING = Sound("high", "technical")
LACKING = Sound("medium", "technical")
"""The session goes on as before, but less of it is recorded."""


def displayed(course: Course, guidance: Guidance | None) -> list[dict[str, object]]:
    """The alarms as a page gets them, without what a touch of the skin is bound to raise."""
    if guidance is None:
        return []
    touching = _touching(course, guidance)
    return [one for one in alarms(guidance) if not (touching and one["stop"] and one["cause"] in RAISED)]


def sound_now(
    course: Course,
    guidance: Guidance | None,
    *,
    trouble: bool,
    notice: Notice | None,
    over: bool,
    lacking: bool,
) -> Sound | None:
    """What sounds now; None = silence.

    Args:
        course: Where the treatment stands.
        guidance: The last step; None before.
        trouble: There is no guidance, although there should be.
        notice: What the course has to say.
        over: No more steps will come.
        lacking: Less is recorded than should be, and nobody has acknowledged it.
    """
    phase = course.phase
    if phase in (REPORTING, DONE):
        return None
    if phase != PREFLIGHT and trouble:
        return ALARMING
    told = None if guidance is None else _told(course, guidance, over=over)
    if notice is not None and notice.sounds and (told is None or told.priority != "high"):
        return ALARMING
    if told is None and course.treating and lacking:
        return LACKING
    return told


def _told(course: Course, guidance: Guidance, *, over: bool) -> Sound | None:
    """What the alarms sound, as far as they are to be heard."""
    told = guidance.announcement.sound
    if told is None or (over and not course.treating):
        return None
    if course.phase in (PREFLIGHT, DETAILS, CHECKLIST) and told.priority != "high":
        return None  # nothing is treated yet: what is wrong is displayed
    if _touching(course, guidance) and not _startling(guidance.announcement):
        return None
    return told


def _touching(course: Course, guidance: Guidance) -> bool:
    """Whether the nozzle is to be at the skin: no gas flows then."""
    return course.phase == TOUCH and not guidance.gas_now


def _startling(announcement: Announcement) -> bool:
    """Whether something urgent is displayed that no touch raises."""
    return any(
        one.alarm.priority == "high" and not one.acknowledged and one.alarm.cause not in RAISED
        for one in announcement.shown
    )
