"""The way of a treatment: nothing is skipped, and STOP always works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.treatment.commands import (
    MOVES,
    Answer,
    Command,
    ConfirmSound,
    EditZone,
    Identify,
    Move,
    SkipTouch,
    TakeTouch,
)
from guidance.treatment.course import (
    CHECKLIST,
    DETAILS,
    PAUSED,
    PREFLIGHT,
    READY,
    REPORTING,
    RUNNING,
    STOPPED,
    TOUCH,
    ZONE,
    Course,
)
from guidance.treatment.session import (
    NotNowError,
    Situation,
    follow,
    missing,
    open_questions,
    source_ended,
)
from guidance.treatment.touch_check import Touch
from guidance.zone_actions import MarkSpot, TouchChecked, TouchSkipped, ZoneAsFound
from models.catalogue import load_questions
from models.contraindications import ABSOLUTE, CLEAR, RELATIVE, questions_for

ASKED = questions_for(load_questions(), zone="calf", device="co2")
NOW = Situation(asked=ASKED, zone_placed=True)
BLOCKING = next(q for q in ASKED if q.kind == ABSOLUTE)
TO_CONFIRM = next(q for q in ASKED if q.kind == RELATIVE)


def after(course: Course, *commands: Command, now: Situation = NOW) -> Course:
    for command in commands:
        course = follow(course, command, now, t_s=1.5)
    return course


def moves(*names: str) -> tuple[Move, ...]:
    return tuple(Move(name) for name in names)


def answers(**but: str) -> tuple[Answer, ...]:
    return tuple(Answer(q.name, but.get(q.name.replace("-", "_"), "no")) for q in ASKED)


def ready() -> Course:
    course = after(Course(), ConfirmSound(), Move("next"), Identify("OP-1", "A-017"), Move("next"))
    return after(course, *answers(), *moves("next", "next"), SkipTouch("a test"), Move("next"))


def test_the_way_leads_from_preflight_to_the_report() -> None:
    course = ready()
    assert course.phase == READY
    seen = [
        after(course, *moves("start", "pause", "resume", "stop", "finish")[:k]).phase for k in range(1, 6)
    ]
    assert seen == [RUNNING, PAUSED, RUNNING, STOPPED, REPORTING]


def test_nothing_goes_on_before_the_sound_was_heard() -> None:
    with pytest.raises(NotNowError, match="sound"):
        after(Course(), Move("next"))


def test_nothing_starts_before_the_zone_is_confirmed() -> None:
    for phase in (PREFLIGHT, DETAILS, CHECKLIST, ZONE, TOUCH):
        with pytest.raises(NotNowError, match="Start comes after"):
            after(replace(ready(), phase=phase), Move("start"))


def test_a_zone_that_is_not_placed_is_not_confirmed_and_its_reason_is_told() -> None:
    lost = replace(NOW, zone_placed=False, zone_words="the body has not been recognised reliably yet")
    course = replace(ready(), phase=ZONE)
    assert "not been recognised" in missing(course, lost)
    with pytest.raises(NotNowError, match="not placed"):
        after(course, Move("next"), now=lost)
    assert after(course, Move("next"), now=replace(lost, zone_cannot_wait=True)).phase == TOUCH


def test_nothing_starts_while_the_zone_is_not_placed() -> None:
    lost = replace(NOW, zone_placed=False, zone_words="its outline does not lie on the skin yet")
    assert "does not lie on the skin yet" in missing(ready(), lost)
    with pytest.raises(NotNowError, match="does not lie on the skin yet"):
        after(ready(), Move("start"), now=lost)
    assert after(ready(), Move("start"), now=replace(lost, zone_cannot_wait=True)).phase == RUNNING


def test_the_questions_that_are_open_are_named_in_the_order_in_which_they_are_asked() -> None:
    course = replace(ready(), phase=CHECKLIST, answers={}, reasons={})
    required = [q.name for q in ASKED if not q.optional]
    assert list(open_questions(course, NOW)) == required
    course = after(course, *answers(), Answer(TO_CONFIRM.name, "yes"))
    assert open_questions(course, NOW) == (TO_CONFIRM.name,)
    course = after(course, Answer(TO_CONFIRM.name, "yes", "looked at"))
    assert open_questions(course, NOW) == ()
    assert missing(course, NOW) == ""
    assert open_questions(replace(course, phase=ZONE, answers={}), NOW) == ()


@pytest.mark.parametrize("answer", ["yes", "unknown"])
def test_an_answer_that_speaks_against_it_blocks_and_no_reason_lifts_it(answer: str) -> None:
    course = replace(ready(), phase=CHECKLIST)
    course = after(course, Answer(BLOCKING.name, answer, "the doctor said it is fine"))
    assert course.reasons == {}
    with pytest.raises(NotNowError, match="Do not treat"):
        after(course, Move("next"))


def test_a_relative_one_needs_a_reason() -> None:
    course = after(replace(ready(), phase=CHECKLIST), Answer(TO_CONFIRM.name, "yes"))
    with pytest.raises(NotNowError, match="reason"):
        after(course, Move("next"))
    course = after(course, Answer(TO_CONFIRM.name, "yes", " looked at\n by the doctor "))
    assert course.reasons == {TO_CONFIRM.name: "looked at by the doctor"}
    assert after(course, Move("next")).phase == ZONE
    assert after(course, Answer(TO_CONFIRM.name, "no", "left over")).reasons == {}


def test_what_nobody_answered_blocks() -> None:
    course = after(Course(), ConfirmSound(), Move("next"), Identify("OP-1", ""), Move("next"))
    assert "not answered" in missing(course, NOW)
    course = after(course, *answers())
    assert course.judged(ASKED).verdict == CLEAR
    assert missing(course, NOW) == ""


def test_answers_about_one_subject_are_not_kept_for_another() -> None:
    course = replace(ready(), phase=DETAILS)
    assert after(course, Identify("OP-1", "A-017")).answers == course.answers
    assert after(course, Identify("OP-1", "A-018")).answers == {}
    assert after(course, Identify("OP-2", "A-017")).answers == {}


def test_names_are_refused() -> None:
    course = after(Course(), ConfirmSound(), Move("next"))
    with pytest.raises(NotNowError, match="never a name"):
        after(course, Identify("OP-1", "Smith"))
    with pytest.raises(NotNowError, match="never a name"):
        after(course, Identify("Jones", ""))


def test_the_subject_of_a_recording_stands() -> None:
    course = after(Course(), ConfirmSound(), Move("next"))
    recorded = replace(NOW, recorded_subject="A-017")
    assert after(course, Identify("OP-1", ""), now=recorded).subject == "A-017"
    with pytest.raises(NotNowError, match="A-017"):
        after(course, Identify("OP-1", "B-3"), now=recorded)


@pytest.mark.parametrize("name", ["stop", "pain"])
@pytest.mark.parametrize("phase", [RUNNING, PAUSED])
def test_stop_and_pain_stop_whatever_goes_on_and_are_kept(name: str, phase: str) -> None:
    course = after(replace(ready(), phase=phase), Move(name))
    assert course.phase == STOPPED
    assert course.stopped_by == name
    assert (course.log[-1].what, course.log[-1].t_s) == (name, 1.5)


def test_pain_told_after_the_stop_is_kept_too_and_the_cause_of_the_stop_stays() -> None:
    course = after(replace(ready(), phase=RUNNING), *moves("stop", "pain"))
    assert course.stopped_by == "stop"
    assert course.pain_s == (1.5,)


def test_a_stopped_treatment_never_runs_again() -> None:
    stopped = after(ready(), *moves("start", "stop"))
    for name in ("start", "resume", "pause", "next", "back"):
        with pytest.raises(NotNowError):
            after(stopped, Move(name))


def test_the_end_of_the_pictures_stops_what_runs_and_nothing_else() -> None:
    assert source_ended(replace(ready(), phase=PAUSED), t_s=3.0).stopped_by == "end"
    assert source_ended(ready(), t_s=3.0).phase == READY


def test_no_command_moves_the_way_except_as_drawn() -> None:
    """From every phase, every move either follows the map or leaves the course alone."""
    allowed = {
        (RUNNING, PAUSED), (PAUSED, RUNNING), (READY, RUNNING), (RUNNING, STOPPED), (PAUSED, STOPPED),
        (STOPPED, STOPPED), (STOPPED, REPORTING), (PREFLIGHT, PREFLIGHT), (PREFLIGHT, DETAILS),
        (DETAILS, CHECKLIST), (CHECKLIST, ZONE), (ZONE, TOUCH), (TOUCH, READY), (DETAILS, PREFLIGHT),
        (CHECKLIST, DETAILS), (ZONE, CHECKLIST), (TOUCH, ZONE), (READY, TOUCH),
    }  # fmt: skip
    for phase in (
        PREFLIGHT,
        DETAILS,
        CHECKLIST,
        ZONE,
        TOUCH,
        READY,
        RUNNING,
        PAUSED,
        STOPPED,
        REPORTING,
        "done",
    ):
        for name in MOVES:
            try:
                to = after(replace(ready(), phase=phase), Move(name)).phase
            except NotNowError:
                continue
            assert (phase, to) in allowed


MEASURED = Touch("ok", "", "tag 100", 1.5, 5.0, 2.5, 6.0, 20.0, 16.0, 1.1)


def touching() -> Course:
    return replace(ready(), phase=TOUCH, touch=None)


def test_nothing_starts_before_the_touch_check_was_taken_or_left_out_with_a_reason() -> None:
    assert "say why" in missing(touching(), NOW)
    with pytest.raises(NotNowError, match="say why"):
        after(touching(), Move("next"))
    with pytest.raises(NotNowError, match="Say why"):
        after(touching(), SkipTouch("  "))
    skipped = after(touching(), SkipTouch(" no\n tag "), Move("next"))
    assert skipped.phase == READY
    assert skipped.touch == TouchSkipped(1.5, "no tag")
    assert skipped.log[-1].what == "touch check skipped: no tag"


def test_an_offset_is_taken_as_it_is_measured_and_one_that_is_too_large_is_refused() -> None:
    taken = after(touching(), TakeTouch(), now=replace(NOW, touch=MEASURED))
    assert taken.touch == TouchChecked(1.5, "tag 100", 1.5, 5.0, 2.5, 6.0, 20.0, 16.0, 1.1)
    for state in ("refused", "waiting", "cannot"):
        now = replace(NOW, touch=replace(MEASURED, state=state, words="Too far off."))
        with pytest.raises(NotNowError, match="Too far off"):
            after(touching(), TakeTouch(), now=now)
    with pytest.raises(NotNowError, match="Nothing is measured"):
        after(touching(), TakeTouch())


def test_going_back_to_the_zone_asks_for_another_touch() -> None:
    touched = after(touching(), SkipTouch("no tag"), Move("next"), Move("back"))
    assert touched.touch is not None
    assert after(touched, Move("back")).touch is None


def test_the_zone_is_changed_on_its_own_page_only() -> None:
    edit = EditZone(ZoneAsFound(0.0))
    assert after(replace(ready(), phase=ZONE), edit).phase == ZONE
    for phase in (PREFLIGHT, DETAILS, CHECKLIST, TOUCH, READY, RUNNING, PAUSED, STOPPED, "done"):
        with pytest.raises(NotNowError, match="own page"):
            after(replace(ready(), phase=phase), edit)
    assert after(touching(), EditZone(MarkSpot(0.0, (1.0, 2.0)))) == touching()
