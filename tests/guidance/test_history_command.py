"""``cryoguide history``: listed, shown, exported, forgotten."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidance.cli import main
from guidance.history.store import HistoryStore
from tests.history_scenes import NOON, past

HOUR = timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    store = HistoryStore(tmp_path / "history.sqlite3")
    store.record(past("a" * 64))
    store.record(
        past("b" * 64, started=NOON + HOUR, min_degc=None, continues="a" * 64, gap_s=30.0), cells=b"map"
    )
    store.record(past("c" * 64, subject="B-2", started=NOON + 2 * HOUR))
    return store.path


def said(capsys: pytest.CaptureFixture[str], file: Path, *asked: str, code: int = 0) -> str:
    assert main(["history", "--history", str(file), *asked]) == code
    out, err = capsys.readouterr()
    return err if code else out


def test_all_sessions_or_those_of_one_subject_are_listed(file: Path, capsys) -> None:
    whole = said(capsys, file)
    assert [whole.index(key * 8) for key in "abc"] == sorted(whole.index(key * 8) for key in "abc")
    one = said(capsys, file, "b-2")
    assert "c" * 8 in one
    assert "A-017" not in one


def test_an_empty_history_is_said_to_be_so(tmp_path: Path, capsys) -> None:
    assert said(capsys, tmp_path / "none") == f"No session in {tmp_path / 'none'}.\n"
    assert list(tmp_path.iterdir()) == []


def test_one_session_is_shown_with_its_limits_and_what_is_not_known(file: Path, capsys) -> None:
    shown = said(capsys, file, "--show", "bbb")
    for words in ("not known", "not approved by a clinician", "skin_temperature", "aaaaaaaa, 30.0 s before"):
        assert words in shown


@pytest.mark.parametrize("asked", ["d", ""])
def test_a_recording_that_cannot_be_told_is_refused(file: Path, capsys, asked: str) -> None:
    assert "begin" in said(capsys, file, "--show", asked, code=2)


def test_the_csv_has_every_figure_and_is_empty_where_not_known(file: Path, tmp_path: Path, capsys) -> None:
    said(capsys, file, "--export", str(tmp_path / "out.csv"))
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert [row["subject"] for row in rows] == ["A-017", "A-017", "B-2"]
    assert [row["min_degc"] for row in rows] == ["6.5", "", "6.5"]
    assert rows[0]["limits"] == "skin_temperature high x1"
    assert rows[0]["tile_time_s"] == "60;2"
    assert rows[0]["started"] == "2026-11-23T12:00:00+00:00"


def test_the_json_has_every_figure_and_null_for_what_is_not_known(file: Path, tmp_path: Path, capsys) -> None:
    said(capsys, file, "A-017", "--export", str(tmp_path / "out.json"))
    whole = json.loads((tmp_path / "out.json").read_text())
    assert whole["schema"] == "cryoguide.history/1"
    first, second = whole["sessions"]
    assert (first["min_degc"], second["min_degc"]) == (6.5, None)
    assert second["continues"] == "a" * 64
    assert first["limits"][0]["priority"] == "high"


def test_an_export_of_another_form_or_to_nowhere_is_refused(file: Path, tmp_path: Path, capsys) -> None:
    assert "end in .csv or .json" in said(capsys, file, "--export", str(tmp_path / "out.xls"), code=2)
    assert "cannot be written" in said(capsys, file, "--export", str(tmp_path / "no" / "o.csv"), code=2)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".sqlite3"]


def test_a_recording_or_a_subject_is_forgotten_and_no_more_to_be_read(file: Path, capsys) -> None:
    assert said(capsys, file, "--forget", "bbbb") == "1 session forgotten.\n"
    assert HistoryStore(file).cells("b" * 64) is None
    assert said(capsys, file, "--forget", "b-2") == "1 session forgotten.\n"
    assert [past.subject for past in HistoryStore(file).sessions()] == ["A-017"]
    assert b"B-2" not in file.read_bytes()


def asked(file: Path, capsys, *more: str, zone: str = "knee", side: str = "left") -> tuple[int, str]:
    """Two hours after the last session of A-017 began."""
    options = [
        "may-treat",
        "A-017",
        zone,
        "--side",
        side,
        "--protocol",
        "ln2-analgesia",
        "--history",
        str(file),
    ]
    code = main([*options, *more])
    out, err = capsys.readouterr()
    return code, out + err


@pytest.fixture
def three_o_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Clock:
            return cls(2026, 11, 23, 15, tzinfo=UTC)

    monkeypatch.setattr("guidance.cli.datetime", Clock)


def test_a_history_that_is_not_there_is_said_not_to_be(tmp_path: Path, capsys) -> None:
    """Mistyped: "nothing in the history speaks against it" is true and no comfort."""
    code, words = asked(tmp_path / "histroy.sqlite3", capsys)
    assert code == 0
    assert "histroy.sqlite3 does not exist: nothing is known of earlier treatments" in words
    assert not (tmp_path / "histroy.sqlite3").exists()


@pytest.mark.usefixtures("three_o_clock")
def test_one_may_ask_before_the_gas(file: Path, capsys) -> None:
    code, words = asked(file, capsys, "--skin-degc", "31")
    assert code == 3
    assert words.startswith("Refused: The same zone was treated 1 h 58 min before")
    code, words = asked(file, capsys, zone="calf")
    assert code == 0
    assert "Nothing in the history speaks against it" in words
    assert "ln2-analgesia is not approved by a clinician" in words


@pytest.mark.usefixtures("three_o_clock")
def test_no_leave_is_given_where_anything_is_not_known(file: Path, tmp_path: Path, capsys) -> None:
    assert asked(file, capsys, zone="kne")[0] == 2
    assert "use a gentle-face protocol" in asked(file, capsys, zone="cheek")[1]
    assert asked(file, capsys, side="both")[0] == 2
    assert asked(file, capsys, "--protocols", str(tmp_path / "none"))[0] == 2
    file.write_bytes(b"damaged " * 1000)
    code, words = asked(file, capsys)
    assert code == 2
    assert "cannot be read" in words


@pytest.mark.usefixtures("three_o_clock")
@pytest.mark.parametrize(
    "figures",
    [
        ("--skin-degc", "400"),
        ("--skin-degc", "-500"),
        ("--skin-degc", "33", "--skin-u95", "-5"),
        ("--skin-degc", "33", "--skin-u95", "1e9"),
        ("--skin-u95", "1"),
    ],
)
def test_a_temperature_that_no_skin_has_is_refused_in_a_sentence(file: Path, capsys, figures) -> None:
    code, words = asked(file, capsys, *figures, zone="calf")
    assert code == 2
    assert words.startswith("cryoguide: --skin-")
    assert words.count("\n") == 1


@pytest.mark.usefixtures("three_o_clock")
def test_cold_skin_is_refused_where_nothing_was_treated(file: Path, capsys) -> None:
    code, words = asked(file, capsys, "--skin-degc", "5", "--skin-u95", "1", zone="calf")
    assert code == 3
    assert words.startswith("Refused: The zone is at 5.0 degC: not above 28 degC.")


@pytest.mark.usefixtures("three_o_clock")
def test_a_session_of_the_future_refuses_and_blames_the_clock(file: Path, capsys) -> None:
    HistoryStore(file).record(past("d" * 64, started=NOON + 48 * HOUR))
    code, words = asked(file, capsys, "--skin-degc", "33", "--skin-u95", "1", zone="calf")
    assert code == 3
    assert "set the clock right" in words
