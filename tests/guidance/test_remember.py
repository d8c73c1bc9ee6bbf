"""Analysis and history: every session kept once, judged by what was before, and no report lost for it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidance.analyse import analyse
from guidance.history.store import HistoryStore
from guidance.outcome import Outcome
from models.history_rules import Allowed, Refused, Warned
from models.problems import InputError
from tests.history_scenes import past

STARTED = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "kept" / "history.sqlite3")


def session(tiny: Callable[[], Path], subject: str | None = "A-017") -> Path:
    folder = tiny()
    if subject is not None:
        edit(folder, 'side = "left"', f'side = "left"\nsubject = "{subject}"')
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / "session.toml").read_text()
    assert old in text
    (folder / "session.toml").write_text(text.replace(old, new))


def analysed(folder: Path, store: HistoryStore | None, *, subject: str | None = None) -> Outcome:
    out = folder.with_name("report")
    history = store.path if store is not None else None
    return analyse(folder, out=out, video=False, history=history, subject=subject)


def told(folder: Path) -> tuple[dict[str, object], str]:
    report = folder.with_name("report")
    return json.loads((report / "summary.json").read_text()), (report / "report.html").read_text()


def test_a_session_is_kept_with_what_it_was(tiny: Callable[[], Path], store: HistoryStore) -> None:
    outcome = analysed(session(tiny), store)
    (kept,) = store.sessions()
    assert (kept.subject, kept.zone, kept.side, kept.started) == ("A-017", "knee", "left", STARTED)
    assert kept.gas_s == pytest.approx(0.4)
    assert (kept.gas_from_s, kept.gas_to_s) == (pytest.approx(0.3), pytest.approx(0.6))
    assert kept.protocol_sha256 == outcome.protocol.fingerprint
    assert kept.min_degc is None
    assert isinstance(outcome.earlier and outcome.earlier.verdict, Allowed)


def test_analysing_again_or_from_another_folder_counts_nothing_twice(
    tiny: Callable[[], Path], store: HistoryStore
) -> None:
    folder = session(tiny)
    analysed(folder, store)
    outcome = analysed(folder, store)
    shutil.copytree(folder, folder.with_name("elsewhere"))
    again = analysed(folder.with_name("elsewhere"), store)
    assert len(store.sessions()) == 1
    assert isinstance(outcome.earlier and outcome.earlier.verdict, Allowed)
    assert isinstance(again.earlier and again.earlier.verdict, Allowed)


def test_a_corrected_header_replaces_what_was_said_before(
    tiny: Callable[[], Path], store: HistoryStore
) -> None:
    folder = session(tiny)
    analysed(folder, store)
    edit(folder, "A-017", "B-2")
    edit(folder, 'side = "left"', 'side = "right"')
    analysed(folder, store)
    (kept,) = store.sessions()
    assert (kept.subject, kept.side) == ("B-2", "right")


def test_a_subject_may_be_named_with_the_command(tiny: Callable[[], Path], store: HistoryStore) -> None:
    analysed(session(tiny, None), store, subject="C-3")
    assert [kept.subject for kept in store.sessions()] == ["C-3"]


@pytest.mark.parametrize(("subject", "words"), [(None, "No subject code"), ("Anna", "is no code")])
def test_without_a_code_nothing_is_kept_and_the_report_says_so(
    tiny: Callable[[], Path], store: HistoryStore, subject: str | None, words: str
) -> None:
    folder = session(tiny, subject)
    outcome = analysed(folder, store)
    assert not store.path.exists()
    assert outcome.earlier is not None
    assert outcome.earlier.verdict is None
    summary, page = told(folder)
    assert words in page
    assert "held against no earlier one" in page
    assert summary["history"] == {
        "verdict": None, "reasons": [], "sessions_before": None, "session_used_s": None,
        "continues": None, "gap_s": None,
    }  # fmt: skip


@pytest.mark.parametrize("subject", ["B-9", "Anna Example", "nodigit"])
def test_a_subject_that_cannot_be_is_refused(
    tiny: Callable[[], Path], store: HistoryStore, subject: str
) -> None:
    with pytest.raises(InputError, match=r"subject|Subject"):
        analysed(session(tiny), store, subject=subject)


def test_where_no_history_is_wanted_none_is_made_and_nothing_is_said(tiny: Callable[[], Path]) -> None:
    folder = session(tiny)
    outcome = analysed(folder, None)
    assert outcome.earlier is None
    assert "history" not in told(folder)[0]
    assert "Earlier sessions" not in told(folder)[1]


def test_a_zone_treated_too_soon_is_refused_in_report_and_summary(
    tiny: Callable[[], Path], store: HistoryStore
) -> None:
    store.record(past(started=STARTED - timedelta(hours=2)))
    folder = session(tiny)
    outcome = analysed(folder, store)
    assert isinstance(outcome.earlier and outcome.earlier.verdict, Refused)
    summary, page = told(folder)
    history = summary["history"]
    assert isinstance(history, dict)
    assert (history["verdict"], history["sessions_before"]) == ("refused", 1)
    assert [reason["rule"] for reason in history["reasons"] if reason["refuses"]] == ["interval"]
    assert "Too soon or too much." in page
    assert "ln2-analgesia wants 3 h between" in page


def test_sessions_after_this_one_do_not_count(tiny: Callable[[], Path], store: HistoryStore) -> None:
    store.record(past(started=STARTED + timedelta(hours=2)))
    outcome = analysed(session(tiny), store)
    assert isinstance(outcome.earlier and outcome.earlier.verdict, Allowed)


def test_a_session_that_goes_on_says_so_and_keeps_it(tiny: Callable[[], Path], store: HistoryStore) -> None:
    """The valve is recorded shut at both ends; the earlier session has no map."""
    before = past(started=STARTED - timedelta(seconds=400))
    store.record(before)
    folder = session(tiny)
    outcome = analysed(folder, store)
    assert isinstance(outcome.earlier and outcome.earlier.verdict, Warned)
    kept = store.sessions()[-1]
    assert (kept.continues, kept.gap_s) == (before.recording_sha256, pytest.approx(300.0))
    assert kept.gas_s == pytest.approx(0.4)  # its own: what was before is not counted twice
    assert outcome.summary["unassigned_s"] == pytest.approx(300.4)
    assert "Goes on from" in told(folder)[1]


def test_a_locked_history_costs_a_sentence_and_not_the_report(
    tiny: Callable[[], Path], store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.record(past())
    monkeypatch.setattr("guidance.history.store.WAIT_S", 0.05)
    monkeypatch.setattr(HistoryStore.__init__, "__kwdefaults__", {"wait_s": 0.05})
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    folder = session(tiny)
    outcome = analysed(folder, store)
    other.close()
    assert any(w.startswith("This session is not in the history: ") for w in outcome.warnings)
    assert "another program holds it" in told(folder)[1]
    assert store.sessions() == (past(),)


def test_a_history_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tiny: Callable[[], Path], store: HistoryStore
) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database, but a file of some length " * 50)
    folder = session(tiny)
    outcome = analysed(folder, store)
    verdict = outcome.earlier and outcome.earlier.verdict
    assert isinstance(verdict, Warned)
    assert [reason.rule for reason in verdict.reasons] == ["history"]
    assert any(w.startswith("Earlier sessions are not known: ") for w in outcome.warnings)
    assert "held against no earlier one" not in told(folder)[1]
    assert store.path.read_bytes().startswith(b"no database")
