"""A treatment at the console is recorded: replayed from what was seen, it is the same to the last bit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from guidance.live_command import rehearse
from guidance.recording.chained_log import verify
from guidance.recording.recorder import RecorderStatus
from guidance.recording.replay import Comparison, setup_then, steps
from guidance.run import Run
from guidance.session import Acknowledge, CourseAction
from guidance.set_up import set_up
from guidance.treatment.recording import Kept, LiveRecording, history_remark
from guidance.treatment.staged import Staged
from tests.guidance.test_pipeline import same
from tests.served_console import CALF, Screen, Unhurried, running
from vision.mcap_recording import last_mark, open_mcap
from vision.recording import open_recording

A = "a" * 32


def recorder(path: Path) -> Callable[[Staged], LiveRecording]:
    return lambda staged: LiveRecording(path, staged)


class LeavesOut(Unhurried):
    """Each fourth picture may be overtaken, as on a machine that is too slow; yet the jet is not lost."""

    _put = 0

    @property
    def waits(self) -> bool:
        """Once after each picture."""
        self._put += 1
        return self._put % 4 > 0


def compiled(_: object) -> None:
    """Steps then take as long as they do in use."""
    recording = open_recording(CALF)
    rehearse(recording, set_up(recording))


def test_a_treatment_replayed_from_its_recording_gives_the_same_numbers_cells_and_alarms(
    tmp_path: Path,
) -> None:
    """With a STOP, an acknowledgement between two captures, a pause, pain, and what was left out."""
    path = tmp_path / "a.mcap"
    with (
        running(tmp_path / "report", record=recorder(path), prepare=compiled, source=LeavesOut) as server,
        Screen(server, A) as screen,
    ):
        screen.go_to("running")
        screen.hear_until(lambda: screen.state["t_s"] > 2.0)
        screen.say("pause")
        screen.until(phase="paused", held=True)
        screen.say("acknowledge")  # nothing is stepped meanwhile: it shows all the same
        screen.say("resume")
        screen.until(phase="running", held=False)
        screen.hear_until(lambda: any(alarm["stop"] for alarm in screen.state["alarms"]))
        screen.say("acknowledge")
        screen.hear_until(lambda: any(alarm["acknowledged"] for alarm in screen.state["alarms"]))
        shown_s = screen.state["t_s"]  # shown before a step takes it: wait until one has
        screen.hear_until(lambda: screen.state["t_s"] > shown_s + 0.1)
        screen.say("pain")
        screen.until(phase="stopped")
        screen.say("finish")
        screen.until(phase="done", report=True)
        then = server.served.run
    recording = open_mcap(path, from_sightings=True)
    assert recording.warnings == ()
    again, compared, acted = Run(setup_then(recording), recording), Comparison(), []
    for given in steps(recording, pictures=False):
        compared.add(given.told, again.take(given.capture, given.actions, setup=given.setup))
        acted += given.actions
    found = compared.agreement
    assert found.differing == 0, found.what
    assert found.steps > 30
    live, replayed = then.outcome(runtime_s=0.0), again.outcome(runtime_s=0.0)
    assert live.alarms == replayed.alarms
    assert live.alarms
    for one, other in ((live.trace, replayed.trace), (live.exposure, replayed.exposure)):
        assert one is not None
        for field in fields(one):
            before, after = getattr(one, field.name), getattr(other, field.name)
            assert same(before, after), field.name
    assert live.exposure is not None
    assert live.exposure.dwell_s.max() > 0.0
    named = [action.name for action in acted if isinstance(action, CourseAction)]
    assert named[:3] == ["start", "pause", "resume"]
    assert sum(isinstance(action, Acknowledge) for action in acted) == 2
    # The report names it; the log holds what no step was told of, and its seal is in the report.
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())["console"]["recorded"]
    log = verify(tmp_path / "a.log")
    assert (summary["file"], summary["log"], summary["log_seal_sha256"]) == ("a.mcap", "a.log", log.seal)
    assert (log.closed, log.trouble) == (True, "")
    assert "a.mcap" in (tmp_path / "report" / "report.html").read_text()
    told = [json.loads(line) for line in (tmp_path / "a.log").read_text().splitlines()]
    names = [one["told"]["name"] for one in told if one["kind"] == "action" and "name" in one["told"]]
    assert names == ["start", "pause", "resume", "pain", "finish"]
    # The answers before the gas and the subject are inside.
    answers = recording.attached("checklist.toml")
    assert answers is not None
    assert b'operator = "OP-1"' in answers
    assert recording.treatment.subject == "A-017"
    assert last_mark(path) is not None


def test_a_full_disk_is_told_as_a_technical_alarm_and_guidance_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mcap"
    with running(tmp_path / "report", record=recorder(path)) as server, Screen(server, A) as screen:
        screen.go_to("running")

        def full(*_: object, **__: object) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr("vision.mcap_file.McapFile.flush", full)
        screen.hear_until(lambda: "make room" in screen.state["unrecorded"])
        at_s = screen.state["t_s"]
        screen.say("acknowledge")
        screen.hear_until(lambda: screen.state["unrecorded_heard"])
        screen.hear_until(lambda: screen.state["t_s"] > at_s + 1.0)
        assert screen.state["phase"] == "running"
        assert screen.state["trouble"] is None


def test_a_recorder_that_dies_is_told_and_guidance_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mcap"
    with running(tmp_path / "report", record=recorder(path)) as server, Screen(server, A) as screen:
        screen.go_to("running")

        def dies(*_: object, **__: object) -> None:
            raise RuntimeError("of whatever")

        monkeypatch.setattr("guidance.recording.writer.RecordingWriter.flush", dies)
        screen.hear_until(lambda: "has failed" in screen.state["unrecorded"])
        at_s = screen.state["t_s"]
        screen.hear_until(lambda: screen.state["t_s"] > at_s + 1.0)
        screen.say("stop")
        screen.until(phase="stopped")
        screen.say("finish")
        screen.until(phase="done", report=True)
    assert "The recording is not whole" in (tmp_path / "report" / "report.html").read_text()
    assert np.isfinite(server.served.run.state.t_s)


def test_the_report_says_how_a_treatment_gets_into_the_history() -> None:
    kept = Kept("a.mcap", "a.log", "0" * 64, RecorderStatus(captures=10))
    assert "cryoguide analyze a.mcap" in history_remark(kept, played=False, wanted=False)
    assert "cannot" in history_remark(None, played=False, wanted=False)
    assert history_remark(kept, played=False, wanted=True) == ""
    assert "no treatment" in history_remark(kept, played=True)
