"""After a crash a session goes on from its exposure, and the time between is unassigned."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from guidance.analyse import analyse
from guidance.history.store import HistoryStore
from guidance.recording.recorder import Recorder
from guidance.recording.replay import setup_then, steps
from guidance.run import Run
from guidance.treatment.resume import ended_at, interrupted, may_go_on, unfinished
from models.problems import InputError
from tests.guidance.tiny_session import SEEN, capture, guidance, manifest
from tests.live_process import live_process
from tests.served_console import CALF, Screen
from vision.mcap_file import is_whole
from vision.mcap_recording import open_mcap

A = "a" * 32


def test_a_killed_server_loses_no_exposure(tmp_path: Path) -> None:
    """The real command, killed (SIGKILL) while gas flows, started again, and treated to the end."""
    out = tmp_path / "calf-live-report"
    told = ("--replay", str(CALF), "--out", str(out))
    with live_process(*told) as process:
        with Screen(process, A) as screen:
            screen.go_to("running")
            screen.hear_until(lambda: screen.state["t_s"] > 3.5)
            seen_s = screen.state["t_s"]
        process.kill()
    path = unfinished(out)
    assert path is not None
    assert not is_whole(path)
    recording = open_mcap(path, from_sightings=True)
    assert recording.duration_s > seen_s - 1.0  # nothing is lost but the last moment
    then = Run(setup_then(recording), recording)
    for given in steps(recording, pictures=False):
        then.take(given.capture, given.actions, setup=given.setup)
    assert then.state.on_skin is not None
    before_s = then.state.on_skin.exposure.dwell_s.max()
    assert before_s > 0.1

    with live_process(*told, "--resume", str(path)) as process, Screen(process, "b" * 32) as screen:
        told_of = {check["name"]: check["words"] for check in screen.hello["checks"]}
        assert path.name in told_of["Goes on from"]
        screen.hear_until(lambda: bool(screen.state))
        assert screen.state["operator"] == "OP-1"
        assert screen.state["answers"]
        screen.go_to("running")
        assert screen.state["figures"]["session_time"]["s"] > then.state.gas_total_s
        assert screen.state["figures"]["gas"]["unassigned_s"] > 0.0
        screen.hear_until(lambda: screen.state["t_s"] > 2.0)
        screen.say("stop")
        screen.until(phase="stopped")
        screen.say("finish")
        screen.until(phase="done", report=True)
    dwell_s = pq.read_table(out / "cells.parquet")["dwell_s"].to_numpy()
    assert dwell_s.max() >= 0.95 * before_s
    summary = json.loads((out / "summary.json").read_text())
    assert summary["unassigned_s"] >= 0.5
    assert unfinished(out) is None  # the session that went on was finished
    # An analysis of its pictures alone says what it lacks; the one that was killed lacks nothing.
    (second,) = (one for one in path.parent.glob("*.mcap") if one != path)
    assert "goes on from an interrupted session" in " ".join(open_mcap(second).warnings)
    assert open_mcap(second, from_sightings=True).warnings == ()
    assert "goes on from" not in " ".join(open_mcap(path).warnings)
    # Nor does it put less into the history than there may be.
    store = HistoryStore(tmp_path / "history.sqlite3")
    for sightings in (False, True):
        outcome = analyse(
            second,
            out=tmp_path / f"again-{sightings}",
            video=False,
            history=store.path,
            subject="A-017",
            from_sightings=sightings,
        )
        assert len(store.sessions()) == sightings
        assert ("is not kept in the history" in " ".join(outcome.warnings)) != sightings


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording without its end, of a calf under CO2 whose zone was never placed."""
    path = tmp_path_factory.mktemp("killed") / "a-live-1.mcap"
    recorder = Recorder(path, manifest())
    for k in range(6):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
    recorder.close()
    path.write_bytes(path.read_bytes()[:-8])
    return path


def test_an_unfinished_recording_is_found_beside_the_report(killed: Path) -> None:
    assert unfinished(killed.with_name("a-live-report")) == killed


def test_the_gap_counts_from_the_last_moment_that_was_noted(killed: Path) -> None:
    ended = ended_at(open_mcap(killed))
    assert abs(ended - datetime.now(UTC)) < timedelta(minutes=5)
    os.utime(killed, (0.0, 0.0))
    assert ended_at(open_mcap(killed)) == ended  # a copy has another date


def test_gas_that_flowed_at_the_end_may_have_flowed_on(killed: Path) -> None:
    setup = setup_then(open_mcap(killed))
    now = ended_at(open_mcap(killed)) + timedelta(seconds=40.0)
    before = interrupted(killed, now=now, say=lambda _: None)
    after = before.hand_on(setup, now=now, shut=True)
    assert after.carried is not None
    assert after.carried.gap_s == pytest.approx(40.0)
    assert after.carried.gap_gas_s == pytest.approx(40.0)
    assert after.session_used_s == pytest.approx(40.0 + after.carried.gas_s)
    assert "40 s" in before.check(now).words
    assert before.course.operator == ""
    assert before.course.choice.zone == setup.treatment.zone


def test_another_treatment_or_one_of_long_ago_is_refused(killed: Path) -> None:
    setup, ended = setup_then(open_mcap(killed)), ended_at(open_mcap(killed))
    other = replace(setup, treatment=replace(setup.treatment, side="right"))
    with pytest.raises(InputError, match=r"the side left, not right"):
        interrupted(killed, now=ended, say=lambda _: None).hand_on(other, now=ended, shut=True)
    late = ended + timedelta(seconds=setup.protocol.again.resume_within_s + 1.0)
    with pytest.raises(InputError, match="start anew"):
        interrupted(killed, now=late, say=lambda _: None)
    assert may_go_on(killed, setup, now=ended)
    assert not may_go_on(killed, setup, now=late)
    assert not may_go_on(killed, other, now=ended)
