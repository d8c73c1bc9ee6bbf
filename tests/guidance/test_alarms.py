"""Claims about the alarm engine: one entry an episode, no flapping, most urgent first."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.alarms.episodes import (
    RETOLD_S,
    AlarmBoard,
    AlarmRule,
    AlarmTable,
    Condition,
    close,
    load_alarm_table,
    update,
)
from guidance.session import Alarm
from models.problems import InputError

FRAME_S = 1 / 30
STOP = Condition("skin_temperature", "high", detail="1.9 degC")
WARN = Condition("skin_temperature", "medium", detail="3.9 degC")


def rule(**changes: object) -> AlarmTable:
    values: dict[str, object] = {
        "cause": "dwell", "priority": "high", "kind": "physiological", "message": "STOP ({detail})",
        "on_delay_s": 0.0, "clear_hold_s": 1.0, "minimum_s": 0.0, "latched": False,
    }  # fmt: skip
    row = AlarmRule(**(values | changes))  # type: ignore[arg-type]
    return {(row.cause, row.priority): row}


def run(
    table: AlarmTable | None, told: list[tuple[float, list[Condition]]]
) -> tuple[AlarmBoard, list[Alarm]]:
    """Feed a list of (time, conditions); give the board and all alarms that ended."""
    board, ended = AlarmBoard.start(table), list[Alarm]()
    for t_s, held in told:
        board, _, gone = update(board, held, t_s=t_s)
        ended += gone
    return board, ended


def frames(from_s: float, to_s: float, held: list[Condition]) -> list[tuple[float, list[Condition]]]:
    return [(k * FRAME_S, held) for k in range(round(from_s / FRAME_S), round(to_s / FRAME_S))]


def test_an_alarm_without_delay_is_told_in_the_capture_that_shows_it() -> None:
    _, active, ended = update(AlarmBoard.start(), [STOP], t_s=5.0)
    (alarm,) = active
    assert (alarm.cause, alarm.kind, alarm.priority, alarm.t_on_s) == (
        "skin_temperature",
        "physiological",
        "high",
        5.0,
    )
    assert "1.9 degC" in alarm.message
    assert alarm.t_off_s is None
    assert ended == ()


def test_stop_and_warning_are_two_entries_and_the_stop_comes_first() -> None:
    board, _ = run(None, frames(0, 1, [WARN, STOP]))
    assert [alarm.priority for alarm in board.active] == ["high", "medium"]


def test_an_episode_is_one_entry_that_ends_when_the_condition_went() -> None:
    board, ended = run(None, frames(0, 4, [STOP]) + frames(4, 8, []))
    (alarm,) = ended
    assert alarm.t_on_s == 0.0
    assert alarm.t_off_s == pytest.approx(4.0, abs=FRAME_S)
    assert board.active == ()


def test_a_condition_that_comes_and_goes_faster_than_the_hold_is_one_episode() -> None:
    flicker = [(k * FRAME_S, [STOP] if k % 2 else []) for k in range(300)]
    board, ended = run(None, flicker)
    assert ended == []
    assert len(board.active) == 1


def test_two_episodes_further_apart_than_the_hold_are_two_entries() -> None:
    _, ended = run(None, frames(0, 3, [STOP]) + frames(3, 6, []) + frames(6, 9, [STOP]) + frames(9, 12, []))
    assert [round(alarm.t_on_s) for alarm in ended] == [0, 6]


def test_a_delay_must_be_filled_without_a_break() -> None:
    table = rule(on_delay_s=1.0)
    held = Condition("dwell", "high")
    board, _ = run(table, [*frames(0, 0.9, [held]), *frames(0.9, 1.0, []), *frames(1.0, 1.9, [held])])
    assert board.active == ()
    board, _ = run(table, frames(0, 1.5, [held]))
    assert board.active[0].t_on_s == pytest.approx(1.0, abs=FRAME_S)


def test_an_alarm_shows_long_enough_to_be_read() -> None:
    table = rule(clear_hold_s=0.0, minimum_s=2.0)
    board, ended = run(table, [(0.0, [Condition("dwell", "high")]), *frames(0.1, 1.9, [])])
    assert len(board.active) == 1
    board, ended = run(table, [(0.0, [Condition("dwell", "high")]), *frames(0.1, 2.2, [])])
    assert board.active == ()
    assert ended[0].t_off_s == pytest.approx(0.1, abs=FRAME_S)


def test_a_message_stays_as_it_was_told() -> None:
    board, _ = run(None, [(0.0, [STOP]), (0.1, [Condition("skin_temperature", "high", detail="0.5 degC")])])
    assert "1.9 degC" in board.active[0].message


def test_a_condition_that_does_not_hold_is_as_good_as_not_mentioned() -> None:
    _, active, _ = update(AlarmBoard.start(), [Condition("dwell", "high", holds=False)], t_s=0.0)
    assert active == ()


def test_an_injury_stands_to_the_end() -> None:
    board, ended = run(None, [(0.0, [Condition("skin_freezing", "high")]), *frames(0.1, 20, [])])
    assert ended == []
    (alarm,) = close(board, t_s=20.0)
    assert (alarm.cause, alarm.t_off_s) == ("skin_freezing", None)


def test_closing_tells_what_still_stands_and_what_had_just_gone() -> None:
    board, _ = run(None, [*frames(0, 3, [STOP, WARN]), (3.0, [WARN])])
    stop, warning = close(board, t_s=3.1)
    assert stop.t_off_s == pytest.approx(3.0)
    assert warning.t_off_s is None


def test_a_pending_delay_is_never_reported() -> None:
    board, _ = run(rule(on_delay_s=1.0), [(0.0, [Condition("dwell", "high")])])
    assert close(board, t_s=0.5) == ()


def test_the_board_before_is_left_alone() -> None:
    before = AlarmBoard.start()
    update(before, [STOP], t_s=0.0)
    assert before.active == ()


def test_time_never_runs_backwards() -> None:
    board, _, _ = update(AlarmBoard.start(), [], t_s=2.0)
    with pytest.raises(ValueError, match="cannot go back"):
        update(board, [], t_s=1.0)
    with pytest.raises(ValueError, match="cannot be closed"):
        close(board, t_s=1.0)


def test_a_condition_outside_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no row for 'gas_smell'"):
        update(AlarmBoard.start(), [Condition("gas_smell", "high")], t_s=0.0)


@settings(max_examples=60, deadline=None)
@given(
    held=st.lists(st.booleans(), min_size=1, max_size=120),
    steps_ms=st.lists(st.integers(1, 400), min_size=120, max_size=120),
    delay_s=st.sampled_from([0.0, 0.3, 1.0]),
    hold_s=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_episodes_lie_apart_by_the_hold_and_begin_after_the_delay(
    held: list[bool], steps_ms: list[int], delay_s: float, hold_s: float
) -> None:
    table = rule(on_delay_s=delay_s, clear_hold_s=hold_s)
    times = [sum(steps_ms[: k + 1]) / 1000.0 for k in range(len(held))]
    told = [(t, [Condition("dwell", "high")] if h else []) for t, h in zip(times, held, strict=True)]
    board, ended = run(table, told)
    episodes = [*ended, *close(board, t_s=times[-1])]
    for before, after in itertools.pairwise(episodes):
        assert before.t_off_s is not None
        assert after.t_on_s - before.t_off_s >= hold_s - 1e-5
    for episode in episodes:
        assert held[times.index(episode.t_on_s)]
        since = [
            h
            for t, h in zip(times, held, strict=True)
            if episode.t_on_s - delay_s + 1e-5 <= t <= episode.t_on_s
        ]
        assert all(since)
        if episode.t_off_s is not None:
            assert not held[times.index(episode.t_off_s)]


def test_the_shipped_table_keeps_its_promises() -> None:
    table = load_alarm_table()
    for (cause, priority), row in table.items():
        assert row.told(detail="1.9 degC")
        assert row.clear_hold_s >= 0.5
        assert row.lasting == (cause == "skin_freezing")
        assert row.latched == (priority == "high" and row.kind == "physiological")
        if priority == "high" and row.kind == "physiological":
            assert row.message.startswith("STOP")
            assert row.on_delay_s == 0.0
    assert ("off_zone", "high") not in table
    for cause in ("skin_temperature", "predicted_skin_temperature", "dwell", "static_nozzle", "distance"):
        assert (cause, "high") in table
        assert (cause, "medium") in table


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"priority = ": 'priority = "urgent"'}, "'urgent'; use one of high, medium, low"),
        ({"message = ": 'message = "STOP {skin}"'}, "no other placeholder"),
        ({"message = ": 'message = "STOP {detail"'}, "stray brace"),
        ({"on_delay_s = ": "on_delay_s = 3.0"}, "of a STOP must be 0.5 or less"),
        (
            {"minimum_s = ": "minimum = 1.0"},
            "[alarm 1] minimum_s is missing; [alarm 1] minimum is not a known key (did you mean minimum_s?)",
        ),
        ({"latched = ": 'latched = "yes"'}, "must be true or false"),
        ({"latched = ": "latched = false"}, "must be true for a STOP (high, physiological)"),
        ({"kind = ": 'kind = "technical"'}, "and for nothing else"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    lines = [
        "[[alarm]]", 'cause = "contact"', 'priority = "high"', 'kind = "physiological"', 'message = "STOP"',
        "on_delay_s = 0.0", "clear_hold_s = 1.0", "minimum_s = 1.0", "latched = true",
    ]  # fmt: skip
    for start, line in changes.items():
        lines = [line if old.startswith(start) else old for old in lines]
    path = tmp_path / "alarms.toml"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(InputError) as told:
        load_alarm_table(path)
    assert said in str(told.value)


def test_two_rows_of_one_key_are_refused(tmp_path: Path) -> None:
    row = '[[alarm]]\ncause = "x"\npriority = "low"\nkind = "technical"\nmessage = "Look"\n'
    row += "on_delay_s = 0\nclear_hold_s = 1\nminimum_s = 1\n"
    path = tmp_path / "alarms.toml"
    path.write_text(row + row, "utf-8")
    with pytest.raises(InputError, match="two rows of priority 'low'"):
        load_alarm_table(path)


def test_a_table_without_any_alarm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alarms.toml"
    path.write_text("", "utf-8")
    with pytest.raises(InputError, match="alarm is missing"):
        load_alarm_table(path)


def test_the_page_about_alarms_holds_the_table_row_by_row() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:3] == "| `"
    ]
    told = {(row[0].strip("`"), row[1]): row for row in rows}
    table = load_alarm_table()
    assert list(told) == list(table)
    for key, rule in table.items():
        row = told[key]
        assert row[2:5] == [rule.kind, rule.message, f"{rule.on_delay_s:g}"]
        assert row[6:8] == [f"{rule.clear_hold_s:g}", f"{rule.minimum_s:g}"]
        assert row[8] == ("to the end" if rule.lasting else "yes" if rule.latched else "no")


def near(mm: int) -> Condition:
    return Condition("distance", "low", detail=f"too far: {mm} mm")


def test_what_is_displayed_follows_the_figures_and_the_entry_keeps_its_first_words() -> None:
    board, _ = run(None, [(k * FRAME_S, [near(round(100 + 10 * k * FRAME_S))]) for k in range(120)])
    (alarm,) = board.active
    shown = board.now["distance", "low"]
    assert "110 mm" in alarm.message
    assert not shown.mended
    told_mm = int(shown.message.split(": ")[1].split(" mm")[0])
    now_mm = 100 + 10 * 119 * FRAME_S
    # No older than the time for which one sentence stands, so that it can be read.
    assert now_mm - 10 * (RETOLD_S + FRAME_S) <= told_mm <= now_mm


def test_an_alarm_that_is_kept_for_its_time_only_says_that_all_is_well_again() -> None:
    times = frames(0, 2, [near(140)]) + frames(2, 2.5, [])
    board, _ = run(None, times)
    assert board.active
    assert board.now["distance", "low"].mended
    board, _ = run(None, [*times, *frames(2.5, 2.6, [near(150)])])
    shown = board.now["distance", "low"]
    assert not shown.mended
    assert "150 mm" in shown.message


def test_what_is_still_within_its_hysteresis_is_not_mended() -> None:
    board = AlarmBoard.start()
    for t_s, found in frames(0, 2, [near(140)]) + frames(2, 2.5, []):
        board, _, _ = update(board, found, t_s=t_s, lingering=[near(0)])
    assert not board.now["distance", "low"].mended


def test_an_injury_keeps_its_words() -> None:
    cold = [
        (k * FRAME_S, [Condition("skin_freezing", "high", detail=f"{-4 + k * FRAME_S:.1f} degC")])
        for k in range(90)
    ]
    board, _ = run(None, cold + frames(3, 6, []))
    shown = board.now["skin_freezing", "high"]
    assert "-4.0 degC" in shown.message
    assert not shown.mended
