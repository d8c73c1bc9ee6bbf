"""What is refused is told and kept, and whoever knocks without a pause fills neither screen nor disk."""

from __future__ import annotations

import json
from pathlib import Path

from guidance.console.guard import Allowance
from guidance.console.refusals import WORDS_MOST, Refusals, access_log_of
from guidance.recording.chained_log import verify


def words_in(path: Path) -> list[str]:
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [entry["told"]["words"] for entry in entries if entry["kind"] == "access"]


def test_the_log_lies_beside_the_report(tmp_path: Path) -> None:
    assert access_log_of(tmp_path / "calf-live-report") == tmp_path / "calf-live-access.log"
    assert access_log_of(tmp_path / "x-report") == tmp_path / "x-live-access.log"


def test_nothing_is_written_where_nothing_was_refused(tmp_path: Path) -> None:
    Refusals(tmp_path / "a.log", say=lambda _: None).close()
    assert not list(tmp_path.iterdir())


def test_a_later_run_goes_on_with_the_log_of_an_earlier_one(tmp_path: Path) -> None:
    for word in ("first", "second"):
        refusals = Refusals(tmp_path / "a.log", say=lambda _: None)
        refusals.note(word)
        refusals.close()
    assert words_in(tmp_path / "a.log") == ["first", "second"]
    assert not verify(tmp_path / "a.log").trouble


def test_a_flood_is_counted_and_told_with_the_next_entry(tmp_path: Path) -> None:
    said: list[str] = []
    now = [0.0]
    few = Allowance(a_second=1.0, at_once=2.0, now_s=lambda: now[0])
    refusals = Refusals(tmp_path / "a.log", say=said.append, allowance=few)
    for number in range(1000):
        refusals.note(f"Refused: {number}.")
    assert said == ["Refused: 0.", "Refused: 1."]
    now[0] = 1.0
    refusals.note("Refused: later.")
    assert said[-1] == "Refused: later. (998 more before it were only counted.)"
    refusals.note("Refused: too soon.")
    refusals.close()
    assert said[-1] == "Refused: 1 more attempts, which were only counted."
    assert words_in(tmp_path / "a.log") == said


def test_an_entry_is_no_longer_than_a_few_lines(tmp_path: Path) -> None:
    said: list[str] = []
    refusals = Refusals(tmp_path / "a.log", say=said.append)
    refusals.note("x" * 100_000)
    refusals.close()
    assert len(said[0]) <= WORDS_MOST + 4


def test_a_log_that_cannot_be_written_is_told_once_and_all_else_is_still_told(tmp_path: Path) -> None:
    said: list[str] = []
    refusals = Refusals(tmp_path / "none" / "a.log", say=said.append)
    for word in ("one", "two"):
        refusals.note(word)
    refusals.close()
    assert [words for words in said if words in ("one", "two")] == ["one", "two"]
    assert len([words for words in said if "cannot be written" in words]) == 1


def test_a_log_that_was_changed_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("not a log\n")
    said: list[str] = []
    Refusals(tmp_path / "a.log", say=said.append).note("one")
    assert (tmp_path / "a.log").read_text() == "not a log\n"
    assert "printed only" in said[-1]
