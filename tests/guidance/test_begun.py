"""A treatment whose program was killed is told of before the next one, until it is in the history."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidance.cli import main
from guidance.history.begun import NO_CODE, Begun, broken_off, note_begun
from guidance.history.remember import look_up_live
from guidance.history.store import HistoryStore
from guidance.live_command import history_checks
from guidance.recording.log_beside import log_of
from guidance.treatment.choice import Choice
from guidance.treatment.kept_history import LiveHistory
from guidance.treatment.resume import interrupted
from models.history_rules import Warned
from models.problems import InputError
from models.treatment import Treatment
from tests.camera_place import Place
from tests.guidance.test_live_cameras_at_console import CALF_CO2, A, to_running
from tests.guidance.test_live_history import lookup
from tests.history_scenes import NOON, past
from tests.served_console import Screen
from vision.mcap_recording import open_mcap

BEGUN = Begun("A-017", "knee", "left", "ln2-wand", "ln2-analgesia", NOON, "")
TREATMENT = Treatment(NOON, "knee", "left", "ln2-wand", "ln2-analgesia", "A-017", None, None, None, ())


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history.sqlite3")


def test_what_began_is_told_of_until_it_is_in_the_history(store: HistoryStore) -> None:
    note_begun(store.path, BEGUN)
    note_begun(store.path, replace(BEGUN, subject="B-2"))
    assert broken_off(store, subject="a-017") == (BEGUN,)
    assert len(broken_off(store)) == 2
    store.record(replace(past(), started=NOON + timedelta(seconds=1)))  # another one of the same day
    assert broken_off(store, subject="A-017") == (BEGUN,)
    store.record(past("b"))
    assert broken_off(store, subject="A-017") == ()
    assert len(broken_off(store)) == 1
    store.forget(subject="A-017")
    assert broken_off(store, subject="A-017") == ()  # what was forgotten on purpose does not come back


def test_before_the_gas_an_unfinished_treatment_of_this_subject_is_to_be_confirmed(
    store: HistoryStore,
) -> None:
    note_begun(store.path, BEGUN)
    before = lookup(store)("a-017", Choice(**CALF_CO2))
    assert isinstance(before.verdict, Warned)
    assert "is not in the history" in before.verdict.reasons[-1].words
    assert "ask who treated then" in before.verdict.reasons[-1].words  # there is no recording of it
    assert before.verdict.reasons[-1].rule == "broken_off"
    assert not isinstance(lookup(store)("C-3", Choice(**CALF_CO2)).verdict, Warned)
    (check,) = history_checks(store.path, say=lambda _: None)
    assert (check.name, check.state) == ("History", "look")


def test_the_report_of_a_later_treatment_says_so_too(store: HistoryStore) -> None:
    note_begun(store.path, BEGUN)
    later = replace(TREATMENT, started=NOON + timedelta(hours=1))
    assert "is not in the history" in " ".join(look_up_live(later, history=store.path).remarks)
    assert look_up_live(TREATMENT, history=store.path).remarks == ()  # not of itself


def test_a_note_that_cannot_be_read_is_not_known_and_not_safe(store: HistoryStore) -> None:
    note_begun(store.path, BEGUN)
    (note,) = store.path.with_name("history.sqlite3.begun").iterdir()
    note.write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        broken_off(store)
    assert isinstance(lookup(store)("C-3", Choice(**CALF_CO2)).verdict, Warned)
    assert "cannot be read" in history_checks(store.path, say=lambda _: None)[0].words


def test_a_treatment_that_ended_before_any_gas_leaves_nothing_behind(
    store: HistoryStore, tmp_path: Path
) -> None:
    history = LiveHistory(store.path)
    history._past = look_up_live(TREATMENT, history=store.path)  # noqa: SLF001 # as `begin` does
    assert history.started(TREATMENT, recording=tmp_path / "a.mcap") == ""
    assert len(broken_off(store)) == 1
    history.drop(treated=True)  # gas flowed, and the history did not take it
    assert len(broken_off(store)) == 1
    history._past = look_up_live(TREATMENT, history=store.path)  # noqa: SLF001
    history.started(TREATMENT, recording=None)
    history.drop(treated=False)
    assert broken_off(store) == ()


def test_a_treatment_without_a_code_that_was_broken_off_may_have_been_of_anybody(
    store: HistoryStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program is killed: nothing of it ends as it should."""
    nobody = replace(TREATMENT, subject=None)
    killed = LiveHistory(store.path)
    killed._past = look_up_live(nobody, history=store.path)  # noqa: SLF001 # as `begin` does
    recording = tmp_path / "a.mcap"
    recording.write_bytes(b"")
    assert killed.started(nobody, recording=recording) == ""
    (begun,) = broken_off(store)
    assert begun.subject == NO_CODE
    before = lookup(store)("C-3", Choice(**CALF_CO2))
    assert isinstance(before.verdict, Warned)
    assert "may have been of whom you treat now" in before.verdict.reasons[-1].words
    assert "cryoguide analyze a.mcap --subject CODE" in before.verdict.reasons[-1].words
    assert len(history_checks(store.path, say=lambda _: None)) == 1
    later = replace(TREATMENT, started=NOON + timedelta(hours=1))
    assert "someone without a code" in " ".join(look_up_live(later, history=store.path).remarks)
    # What is done for one subject leaves it, for it was perhaps another's.
    at = ("--history", str(store.path))
    main(["history", "--forget", "C-3", *at])
    assert main(["history", "--take-in", *at]) == 1
    assert broken_off(store) == (begun,)
    # Analysed as somebody's it is in the history.
    store.record(replace(past("b"), started=begun.started))
    assert broken_off(store) == ()
    note_begun(store.path, begun)
    store.forget(subject=past("b").subject)
    capsys.readouterr()
    assert main(["history", "--forget", NO_CODE, *at]) == 0
    assert "1 session forgotten" in capsys.readouterr().out
    assert broken_off(store) == ()


def test_the_commands_tell_of_it(store: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    note_begun(store.path, BEGUN)
    at = ("--history", str(store.path))
    assert main(["history", *at]) == 0
    assert "is not in the history" in " ".join(capsys.readouterr().out.split())
    main(["may-treat", "A-017", "knee", "--side", "left", "--protocol", "ln2-analgesia", *at])
    assert "is not in the history" in " ".join(capsys.readouterr().out.split())
    assert main(["history", "--take-in", *at]) == 1
    assert "Not taken in" in capsys.readouterr().out
    assert main(["history", "--forget", "A-017", *at]) == 0
    assert broken_off(store) == ()


def test_a_killed_treatment_is_told_of_and_taken_in_from_its_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files are taken while gas flows, as a killed program leaves them; then the next treatment."""
    store, folder = HistoryStore(tmp_path / "history.sqlite3"), tmp_path / "killed"
    folder.mkdir()
    with (
        ExitStack() as stack,
        Screen((place := Place(folder, stack, history=store.path)).server, A) as screen,
    ):
        to_running(screen)
        screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > 1.0)
        told_s = screen.state["t_s"]
        screen.hear_until(lambda: open_mcap(place.path, from_sightings=True).duration_s >= told_s)
        (begun,) = broken_off(store)
        assert begun.recording == str(place.path.absolute())
        left = {path: path.read_bytes() for path in (place.path, log_of(place.path))}
        place.server.served._history._past = None  # noqa: SLF001 # a killed program keeps nothing
    for path, data in left.items():
        path.write_bytes(data)
    assert store.sessions() == ()
    assert broken_off(store) == (begun,)
    before = lookup(store)("A-017", Choice(**CALF_CO2))
    assert "history --take-in" in " ".join(reason.words for reason in before.verdict.reasons)
    # To go on from it replays it anyway: that is enough to keep it.
    other = HistoryStore(tmp_path / "other.sqlite3")
    again = interrupted(place.path, now=datetime.now(UTC), say=lambda _: None)
    assert "is in the history now" in again.keep(other.path)
    # Or by itself.
    assert main(["history", "--take-in", "--history", str(store.path)]) == 0
    assert "Taken in: A-017, calf" in capsys.readouterr().out
    assert broken_off(store) == ()
    (kept,), (same,) = store.sessions(), other.sessions()
    assert kept.started == begun.started
    assert kept.gas_s > 0.5
    assert (same.gas_s, same.recording_sha256) == (kept.gas_s, kept.recording_sha256)
    assert (folder / "a-report" / "report.html").exists()
