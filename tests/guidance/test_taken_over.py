"""What was handed on to a session holds for an analysis of its pictures, whatever the history says now."""

from __future__ import annotations

from dataclasses import replace

from guidance.recording.taken_over import taken_over
from guidance.zone_work import ZoneMade
from models.carry import Carried
from tests.guidance.scripted import setup_of

CARRIED = Carried("a", None, 20.0, (20.0,), 40.0, 40.0)
MADE = ZoneMade(None, None, ())


def test_map_gap_and_zone_are_those_that_the_session_began_with() -> None:
    then = replace(setup_of(), carried=CARRIED, made=MADE, session_used_s=60.0, perfusion=0.1)
    now = taken_over(replace(setup_of(), carried=replace(CARRIED, gap_s=41.0)), then, known=True)
    assert now.carried is CARRIED
    assert now.made is MADE
    assert (now.session_used_s, now.perfusion) == (60.0, 0.1)


def test_what_the_history_has_learnt_since_counts_where_it_is_worse() -> None:
    then = replace(setup_of(), carried=CARRIED, session_used_s=60.0, perfusion=0.5)
    now = taken_over(replace(setup_of(), session_used_s=90.0, perfusion=0.1), then, known=True)
    assert (now.session_used_s, now.perfusion) == (90.0, 0.1)


def test_without_a_history_what_had_been_used_up_is_as_it_was_then() -> None:
    then = replace(setup_of(), session_used_s=60.0, perfusion=0.1)
    assert taken_over(setup_of(), then, known=False).session_used_s == 60.0
    assert taken_over(setup_of(), then, known=False).perfusion == 0.1
    assert taken_over(setup_of(), then, known=True).session_used_s == 0.0
