"""The way of a treatment: nothing is skipped, and STOP always works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.console_session import (
    CHECKLIST,
    DETAILS,
    MOVES,
    PAUSED,
    PREFLIGHT,
    READY,
    REPORTING,
    RUNNING,
    STOPPED,
    ZONE,
    Answer,
    Command,
    ConfirmSound,
    Course,
    Identify,
    Move,
    NotNowError,
    Situation,
    follow,
    missing,
    source_ended,
)
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
    return after(course, *answers(), *moves("next", "next"))


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
    for phase in (PREFLIGHT, DETAILS, CHECKLIST, ZONE):
        with pytest.raises(NotNowError, match="Start comes after"):
            after(replace(ready(), phase=phase), Move("start"))


def test_a_zone_that_is_not_placed_is_not_confirmed_and_its_reason_is_told() -> None:
    lost = replace(NOW, zone_placed=False, zone_words="the body has not been recognised reliably yet")
    course = replace(ready(), phase=ZONE)
    assert "not been recognised" in missing(course, lost)
    with pytest.raises(NotNowError, match="not placed"):
        after(course, Move("next"), now=lost)
    assert after(course, Move("next"), now=replace(lost, zone_cannot_wait=True)).phase == READY


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
        (DETAILS, CHECKLIST), (CHECKLIST, ZONE), (ZONE, READY), (DETAILS, PREFLIGHT), (CHECKLIST, DETAILS),
        (ZONE, CHECKLIST), (READY, ZONE),
    }  # fmt: skip
    for phase in (PREFLIGHT, DETAILS, CHECKLIST, ZONE, READY, RUNNING, PAUSED, STOPPED, REPORTING, "done"):
        for name in MOVES:
            try:
                to = after(replace(ready(), phase=phase), Move(name)).phase
            except NotNowError:
                continue
            assert (phase, to) in allowed
