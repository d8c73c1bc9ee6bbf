"""Treatments with cameras enter a real history file as they end. The cameras are stand-ins: no hardware."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guidance.analyse import analyse
from guidance.history.store import HistoryStore
from guidance.treatment.choice import Choice, Choices
from guidance.treatment.commands import ConfirmHistory, Move
from guidance.treatment.course import DETAILS, Course
from guidance.treatment.history import HistoryBefore
from guidance.treatment.kept_history import LiveHistory
from guidance.treatment.session import NotNowError, Situation, follow, missing
from models.catalogue import load_devices, load_protocols, load_zones
from models.exposure_pack import unpack
from models.history_rules import Allowed, Reason, Refused, Warned
from tests.camera_place import UNTREATED, Place
from tests.guidance.test_live_cameras_at_console import CALF_CO2, A, to_running
from tests.history_scenes import past
from tests.served_console import Screen

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def treated(folder: Path, history: Path) -> Path:
    """A treatment of a second of gas, to its report, of skin that nothing cooled before; the recording."""
    folder.mkdir()
    with ExitStack() as stack:
        place = Place(folder, stack, history=history, captures=UNTREATED)
        with Screen(place.server, A) as screen:
            to_running(screen)
            screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > 1.0)
            for said in ("stop", "gas_off"):
                screen.say(said)
            screen.until(phase="stopped", gas_counts=False)
            screen.say("finish")
            screen.until(phase="done", report=True)
    return place.path


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report" / "summary.json").read_text())


def test_a_treatment_is_kept_as_it_ends_as_its_analysis_has_it_and_is_not_doubled_by_it(
    tmp_path: Path,
) -> None:
    store = HistoryStore(tmp_path / "history.sqlite3")
    recording = treated(tmp_path / "first", store.path)
    (kept,) = store.sessions()
    assert (kept.live, kept.subject, kept.zone, kept.side) == (True, "A-017", "calf", "left")
    assert kept.gas_s > 1.0
    assert kept.checklist == "clear"
    history = summary(tmp_path / "first")["history"]
    assert history["verdict"] == "allowed", history
    cells = store.cells(kept.recording_sha256)
    assert cells is not None
    analyse(recording, out=tmp_path / "again", video=False, history=store.path, from_sightings=True)
    (again,) = store.sessions()
    assert not again.live
    replayed = store.cells(again.recording_sha256)
    assert replayed is not None
    assert np.array_equal(unpack(cells).exposure.dwell_s, unpack(replayed).exposure.dwell_s, equal_nan=True)
    assert replace(again, live=True, software=kept.software) == kept


def test_a_treatment_without_a_report_is_kept_too_and_the_next_one_hears_of_it(tmp_path: Path) -> None:
    """The server is ended in mid-session, with gas on: that is when it matters most."""
    store = HistoryStore(tmp_path / "history.sqlite3")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with (
        ExitStack() as stack,
        Screen(Place(tmp_path / "first", stack, history=store.path).server, A) as screen,
    ):
        to_running(screen)
        screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > 1.0)
    (kept,) = store.sessions()
    assert kept.live
    assert kept.gas_s > 1.0
    with (
        ExitStack() as stack,
        Screen(Place(tmp_path / "second", stack, history=store.path).server, A) as screen,
    ):
        screen.say("confirm_sound")
        screen.until(sound_confirmed=True, missing="")
        screen.say("next")
        screen.say("identify", operator="OP-1", subject="A-017")
        screen.say("choose", **CALF_CO2)
        screen.hear_until(lambda: screen.state.get("history") is not None)
        assert " min ago" in screen.state["history"]["last"]
        # So soon after, it goes on from the one before, which is to be known.
        assert screen.state["history"]["verdict"] == "warned"
        screen.say("next")
        screen.hear_until(lambda: "Confirm" in screen.state["refused"])
        screen.say("confirm_history")
        screen.until(history_confirmed=True, missing="")
        screen.say("next")
        screen.until(phase="checklist")


def test_a_treatment_that_could_not_be_kept_as_the_program_ended_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such cell")

    with ExitStack() as stack:
        place = Place(tmp_path, stack, history=tmp_path / "history.sqlite3")
        with Screen(place.server, A) as screen:
            to_running(screen)
            screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > 0.0)
        monkeypatch.setattr(LiveHistory, "keep", fail)
    assert "not in the history (RuntimeError: no such cell)" in place.server.notes[-1]


def test_what_was_kept_of_a_treatment_goes_when_another_file_of_it_is_analysed(tmp_path: Path) -> None:
    """A recording that was not finished is another file once it is recovered."""
    store = HistoryStore(tmp_path / "history.sqlite3")
    store.record(replace(past(started=NOW), live=True, recording_sha256="a" * 64))
    store.record(replace(past(started=NOW), recording_sha256="b" * 64))
    store.record(replace(past(started=NOW), recording_sha256="c" * 64))
    assert sorted(one.recording_sha256[0] for one in store.sessions()) == ["b", "c"]


def lookup(store: HistoryStore) -> HistoryBefore:
    return HistoryBefore(
        store.path,
        Choices(load_zones(), load_devices(), load_protocols()),
        now=lambda: NOW,
        clock=lambda: 0.0,
    )


def test_before_the_gas_the_page_says_when_it_was_treated_last_and_the_protocol_judges(
    tmp_path: Path,
) -> None:
    store = HistoryStore(tmp_path / "history.sqlite3")
    choice = Choice(**CALF_CO2)
    assert isinstance(lookup(store)("A-017", choice).verdict, Allowed)
    ended = replace(
        past(), subject="A-017", zone="calf", side="left", device="co2", protocol=choice.protocol,
        started=NOW - timedelta(minutes=30), duration_s=60.0, gas_s=40.0,
    )  # fmt: skip
    store.record(ended)
    before = lookup(store)("a-017", choice)
    assert "29 min ago" in before.last
    assert {reason.rule for reason in before.verdict.reasons} >= {"interval"}
    other = lookup(store)("A-017", replace(choice, side="right"))
    assert other.last == "not in the history"
    assert isinstance(lookup(store)("B-1", choice).verdict, Allowed)


def test_a_history_that_cannot_be_read_is_not_known_and_not_safe(tmp_path: Path) -> None:
    broken = tmp_path / "history.sqlite3"
    broken.write_bytes(b"no database at all" * 100)
    before = lookup(HistoryStore(broken))("A-017", Choice(**CALF_CO2))
    assert isinstance(before.verdict, Warned)
    assert before.last == "not known"


def situation(verdict: Allowed | Warned | Refused) -> Situation:
    choices = Choices(load_zones(), load_devices(), load_protocols())
    return Situation(asked=(), zone_placed=True, choices=choices, history=verdict)


def test_what_the_protocol_refuses_blocks_and_what_it_warns_of_is_confirmed() -> None:
    at = Course(
        phase=DETAILS, sound_confirmed=True, operator="OP-1", subject="A-017", choice=Choice(**CALF_CO2)
    )
    refused = situation(Refused((Reason("interval", True, "Too soon."),)))
    assert missing(at, refused) == "Do not treat: Too soon."
    with pytest.raises(NotNowError):
        follow(at, ConfirmHistory(), refused, t_s=None)
    warned = situation(Warned((Reason("stops", False, "Look at the skin."),)))
    with pytest.raises(NotNowError, match="Confirm"):
        follow(at, Move("next"), warned, t_s=None)
    known = follow(at, ConfirmHistory(), warned, t_s=None)
    assert follow(known, Move("next"), warned, t_s=None).phase != DETAILS
    assert missing(at, situation(Allowed())) == ""
