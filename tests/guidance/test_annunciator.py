"""Claims about what the operator sees and hears: latching, acknowledging, audio pause, escalation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.alarms.annunciator import ESCALATE_S, PAUSE_MOST_S, Annunciator, advance
from guidance.alarms.episodes import PRIORITIES, AlarmBoard, Condition, load_alarm_table, update
from guidance.session import (
    Acknowledge,
    Announcement,
    OperatorAction,
    PauseAudio,
    ResumeAudio,
    Shown,
    Sound,
)

TABLE = load_alarm_table()
STOP, WARN = Condition("skin_temperature", "high"), Condition("skin_temperature", "medium")
LOST, LOW = Condition("nozzle_lost", "high"), Condition("incidence", "low")
TECHNICAL = Condition("thermal_stuck", "medium")
STEP_S = 0.1


class Desk:
    """Board and annunciator together, 10 captures a second."""

    def __init__(self) -> None:
        self.board, self.state, self.k = AlarmBoard.start(TABLE), Annunciator(TABLE), 0

    def go(self, seconds: float, *held: Condition, acts: tuple[OperatorAction, ...] = ()) -> Announcement:
        """Let conditions hold for a while; actions come with the first capture."""
        for _ in range(round(seconds / STEP_S)):
            t_s = self.k * STEP_S
            self.board, active, _ = update(self.board, held, t_s=t_s)
            self.state = advance(self.state, active, [replace(a, t_s=t_s) for a in acts], t_s=t_s)
            self.k, acts = self.k + 1, ()
        return self.state.announcement


def causes(told: Announcement) -> list[str]:
    return [one.alarm.cause for one in told.shown]


def test_a_stop_that_has_ended_is_shown_until_it_is_acknowledged() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    told = desk.go(60.0)
    assert [(one.latched, one.acknowledged) for one in told.shown] == [(True, False)]
    assert desk.go(0.1, acts=(Acknowledge(0.0),)).shown == ()


def test_a_stop_that_is_acknowledged_stays_as_long_as_it_holds() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    told = desk.go(30.0, STOP, acts=(Acknowledge(0.0),))
    assert [(one.standing, one.acknowledged) for one in told.shown] == [(True, True)]
    assert told.sound is None
    assert desk.go(3.0).shown == ()


@pytest.mark.parametrize("condition", [WARN, LOST, LOW])
def test_what_is_no_stop_goes_by_itself(condition: Condition) -> None:
    desk = Desk()
    assert desk.go(2.0, condition).shown
    assert desk.go(4.0).shown == ()


def test_a_stop_that_has_ended_is_seen_and_not_heard() -> None:
    desk = Desk()
    assert desk.go(1.0, STOP).sound == Sound("high", "physiological")
    assert desk.go(10.0).sound is None


def test_a_stop_that_comes_again_was_not_acknowledged() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    desk.go(5.0, acts=(Acknowledge(0.0),))
    told = desk.go(1.0, STOP)
    assert told.sound == Sound("high", "physiological")
    assert not told.shown[0].acknowledged


def test_nobody_acknowledges_what_was_not_displayed_yet() -> None:
    desk = Desk()
    desk.go(1.0)
    assert desk.go(0.1, STOP, acts=(Acknowledge(0.0),)).sound is not None


def test_one_cause_can_be_acknowledged_alone() -> None:
    desk = Desk()
    desk.go(1.0, STOP, LOST)
    told = desk.go(0.1, STOP, LOST, acts=(Acknowledge(0.0, cause="skin_temperature"),))
    assert {one.alarm.cause: one.acknowledged for one in told.shown} == {
        "skin_temperature": True,
        "nozzle_lost": False,
    }
    assert told.sound == Sound("high", "technical")


def test_kinds_are_told_apart_by_ear() -> None:
    assert Desk().go(1.0, WARN).sound == Sound("medium", "physiological")
    assert Desk().go(1.0, TECHNICAL).sound == Sound("medium", "technical")
    assert Desk().go(1.0, TECHNICAL, WARN).sound == Sound("medium", "physiological")


def test_a_pause_counts_down_and_ends() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    told = desk.go(20.0 + STEP_S, STOP, acts=(PauseAudio(0.0),))
    assert told.sound is None
    assert told.pause_left_s == pytest.approx(PAUSE_MOST_S - 20.0)
    assert causes(told) == ["skin_temperature"]
    told = desk.go(100.0, STOP)
    assert told.pause_left_s is None
    assert told.sound is not None


def test_a_pause_is_never_longer_than_two_minutes() -> None:
    assert Desk().go(0.1, acts=(PauseAudio(0.0, 3600.0),)).pause_left_s == PAUSE_MOST_S


def test_a_pause_can_be_ended_early() -> None:
    desk = Desk()
    desk.go(1.0, WARN)
    assert desk.go(1.0, WARN, acts=(PauseAudio(0.0),)).sound is None
    assert desk.go(0.1, WARN, acts=(ResumeAudio(0.0),)).sound == Sound("medium", "physiological")


def test_a_more_urgent_alarm_breaks_the_quiet_for_itself_alone() -> None:
    desk = Desk()
    desk.go(1.0, WARN)
    desk.go(1.0, WARN, acts=(PauseAudio(0.0),))
    told = desk.go(1.0, WARN, LOST)
    assert told.sound == Sound("high", "technical")
    assert told.pause_left_s is not None
    assert desk.go(4.0, WARN).sound is None


def test_a_new_stop_is_heard_though_another_was_paused_and_a_new_warning_is_not() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    desk.go(1.0, STOP, acts=(PauseAudio(0.0),))
    assert desk.go(1.0, STOP, TECHNICAL).sound is None
    assert desk.go(1.0, STOP, Condition("contact", "high")).sound == Sound("high", "physiological")


def test_gas_from_a_nozzle_that_is_not_seen_is_heard_though_a_stop_was_paused() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    desk.go(1.0, STOP, acts=(PauseAudio(0.0),))
    assert desk.go(1.0, STOP, LOST).sound == Sound("high", "technical")


def test_a_stop_that_is_only_kept_does_not_make_a_pause_hide_a_new_warning() -> None:
    desk = Desk()
    desk.go(1.0, STOP)
    desk.go(5.0)
    desk.go(1.0, acts=(PauseAudio(0.0),))
    assert desk.go(1.0, WARN).sound == Sound("medium", "physiological")


def test_a_warning_that_nobody_heeds_gets_more_urgent_by_ear_only() -> None:
    desk = Desk()
    assert desk.go(ESCALATE_S, WARN).sound == Sound("medium", "physiological")
    told = desk.go(1.0, WARN)  # the delay of the warning as well
    assert told.sound == Sound("medium", "physiological", escalated=True)
    assert told.shown[0].alarm.priority == "medium"
    assert not desk.go(1.0, WARN, acts=(Acknowledge(0.0),)).shown[0].escalated


def test_actions_belong_to_their_step() -> None:
    state = advance(Annunciator(TABLE), (), t_s=1.0)
    for t_s in (0.9, 2.1):
        with pytest.raises(ValueError, match="does not belong to the step"):
            advance(state, (), [Acknowledge(t_s)], t_s=2.0)
    with pytest.raises(ValueError, match="cannot go back"):
        advance(state, (), t_s=0.5)


CONDITIONS = (STOP, WARN, LOST, LOW, TECHNICAL, Condition("contact", "high"), Condition("off_zone", "low"))
HELD = st.sets(st.integers(0, len(CONDITIONS) - 1), max_size=4)
ACTS = st.sampled_from([None, None, None, "acknowledge", "pause", "long pause", "resume"])
STREAM = st.lists(st.tuples(HELD, ACTS, st.integers(20, 3000)), min_size=1, max_size=60)


def act(name: str | None, t_s: float) -> tuple[OperatorAction, ...]:
    made: dict[str | None, tuple[OperatorAction, ...]] = {
        None: (),
        "acknowledge": (Acknowledge(t_s),),
        "pause": (PauseAudio(t_s),),
        "long pause": (PauseAudio(t_s, 1e6),),
        "resume": (ResumeAudio(t_s),),
    }
    return made[name]


@settings(max_examples=80, deadline=None)
@given(stream=STREAM)
def test_whatever_happens_nothing_urgent_is_hidden_or_lost(
    stream: list[tuple[set[int], str | None, int]],
) -> None:
    board, state, t_ms = AlarmBoard.start(TABLE), Annunciator(TABLE), 0
    for held, name, step_ms in stream:
        t_ms += step_ms
        t_s, before = t_ms / 1000.0, state
        actions = act(name, t_s)
        board, active, _ = update(board, [CONDITIONS[k] for k in held], t_s=t_s)
        state = advance(before, active, actions, t_s=t_s)
        told = state.announcement

        ranks = [PRIORITIES.index(one.alarm.priority) for one in told.shown]
        assert ranks == sorted(ranks), "a low one stands above a high one"
        assert {one.alarm for one in told.shown} >= set(active), "what stands is not displayed"
        if told.sound is not None:
            assert not any(
                one.standing and not one.acknowledged and one.alarm.priority == "high"
                for one in told.shown
                if told.sound.priority != "high" and told.pause_left_s is None
            ), "a lesser one sounds over a high one"
        elif told.pause_left_s is None:
            assert all(one.acknowledged or one.latched for one in told.shown), "silence without a reason"
        assert told.pause_left_s is None or 0.0 < told.pause_left_s <= PAUSE_MOST_S

        now = {(one.alarm.cause, one.alarm.priority): one for one in told.shown}
        for one in before.shown:
            key = (one.alarm.cause, one.alarm.priority)
            if key not in now:
                assert t_s - one.alarm.t_on_s >= TABLE[key].minimum_s - 1e-5, "gone before it could be read"
                if TABLE[key].latched:
                    assert one.acknowledged or name == "acknowledge", "a STOP went unacknowledged"


@settings(max_examples=40, deadline=None)
@given(stream=STREAM, cut=st.integers(0, 60))
def test_a_state_carried_on_tells_the_same_as_one_go(
    stream: list[tuple[set[int], str | None, int]], cut: int
) -> None:
    def run(
        board: AlarmBoard, state: Annunciator, part: list[tuple[float, set[int], str | None]]
    ) -> tuple[AlarmBoard, Annunciator, list[tuple[Shown, ...]]]:
        out: list[tuple[Shown, ...]] = []
        for t_s, held, name in part:
            board, active, _ = update(board, [CONDITIONS[k] for k in held], t_s=t_s)
            state = advance(state, active, act(name, t_s), t_s=t_s)
            out.append(state.shown)
        return board, state, out

    times = [sum(row[2] for row in stream[: k + 1]) / 1000.0 for k in range(len(stream))]
    timed = [(t_s, held, name) for t_s, (held, name, _) in zip(times, stream, strict=True)]
    whole = run(AlarmBoard.start(TABLE), Annunciator(TABLE), timed)
    board, state, first = run(AlarmBoard.start(TABLE), Annunciator(TABLE), timed[:cut])
    _, last, rest = run(board, state, timed[cut:])
    assert first + rest == whole[2]
    assert last.announcement == whole[1].announcement
