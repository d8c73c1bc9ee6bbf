"""The recorder: nothing lost that matters, and a word where something is."""

from __future__ import annotations

import gc
import json
import resource
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mcap.records import Channel, Message

from guidance.cli import main
from guidance.pipeline import step
from guidance.recording.chained_log import ChainedLog, verify
from guidance.recording.command import recover
from guidance.recording.recorder import FLUSH_S, Recorder
from guidance.recording.replay import Recorded, replayed, steps
from guidance.recording.told import told_in
from guidance.recording.waiting import CAPTURES_WAITING, PICTURES_WAITING
from guidance.recording.writer import BeforeWriting, Missing
from guidance.session import Acknowledge, Alarm, Guidance, PauseAudio
from guidance.stages.state import begin
from models.exact_text import to_text
from models.geometry import Bytes
from models.problems import InputError
from models.sightings import NozzleSighting
from tests.guidance.scripted import Player, Script, setup_of
from tests.guidance.test_pipeline import same
from tests.guidance.tiny_session import SEEN, capture, guidance, killed, manifest
from vision.mcap_file import read_records
from vision.mcap_recording import open_mcap


def topic(path: Path, wanted: str) -> list[dict[str, object]]:
    names: dict[int, str] = {}
    found = []
    for record in read_records(path):
        if isinstance(record, Channel):
            names[record.id] = record.topic
        elif isinstance(record, Message) and names[record.channel_id] == wanted:
            found.append(json.loads(record.data))
    return found


def recorded(path: Path, captures: int = 5) -> Path:
    recorder = Recorder(path, manifest())
    for k in range(captures):
        now = capture(k)
        recorder.take(now, SEEN, guidance(now.t_s))
    assert recorder.close().trouble == ""
    return path


def test_all_that_a_replay_needs_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path, given = tmp_path / "a.mcap", [capture(k) for k in range(7)]
    actions = (Acknowledge(0.1, "dwell"), PauseAudio(1 / 3))
    recorder = Recorder(path, manifest())
    for k, now in enumerate(given):
        recorder.take(now, SEEN, guidance(now.t_s), actions if k == 3 else ())
    status = recorder.close()
    assert (status.captures, status.captures_lost, status.pictures_left_out) == (7, 0, 0)
    found = list(steps(open_mcap(path), pictures=False))
    assert len(found) == 7
    for k, (then, now) in enumerate(zip(given, found, strict=True)):
        assert same(replace(then, bgr=None, seen=SEEN), now.capture)
        assert now.actions == (actions if k == 3 else ())
        assert now.told == to_text(told_in(guidance(then.t_s)))
        assert same(now.setup, setup_of())


def test_told_of_each_step_it_records_what_a_replay_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way on a scripted session: live steps, file, replay."""
    path, setup, state = tmp_path / "a.mcap", setup_of(), begin()
    recorder, script = Recorder(path, manifest()), Script()
    Player(monkeypatch).obey(script)
    for now in script.captures(1.0):
        actions = (Acknowledge(now.t_s),) if now.t_s > 0.8 else ()
        state, told = step(state, now, setup, actions)
        recorder.after_step(state, now, told, actions)
    assert recorder.close().captures == 11
    monkeypatch.undo()
    again = begin()

    def take(given: Recorded) -> Guidance:
        nonlocal again
        again, told = step(again, given.capture, given.setup, given.actions)
        return told

    found = replayed(open_mcap(path), take)
    assert (found.steps, found.differing) == (11, 0)
    assert same(again.annunciator, state.annunciator)
    seen = [one.capture.seen for one in steps(open_mcap(path), pictures=False)]
    sighted = [one for one in seen if one is not None and isinstance(one.nozzle, NozzleSighting)]
    assert len(topic(path, "/nozzle")) == len(sighted) == 11


def test_rig_settings_and_version_are_inside(tmp_path: Path) -> None:
    recording = open_mcap(recorded(tmp_path / "a.mcap"))
    assert recording.attached("rig.toml") == b"# a rig\n"
    assert recording.treatment.zone == "calf"
    assert recording.rig is not None
    assert recording.notes["protocol_approval"] == "not approved by a clinician"
    assert recording.version
    assert recording.warnings == ()


def test_settings_that_change_hold_from_the_next_capture_on(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, manifest())
    for k in range(4):
        if k == 2:
            recorder.set_up(replace(setup_of(), perfusion=0.1), t_s=capture(k).t_s)
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
    recorder.close()
    assert [one.setup.perfusion for one in steps(open_mcap(path), pictures=False)] == [1.0, 1.0, 0.1, 0.1]


def test_an_alarm_is_written_once_when_it_begins_and_once_when_it_ends(tmp_path: Path) -> None:
    path, log = tmp_path / "a.mcap", tmp_path / "a.log"
    alarm = Alarm("dwell", "physiological", "high", "STOP", 0.1)
    recorder = Recorder(path, manifest(), log=ChainedLog(log))
    for k in range(6):
        told = guidance(capture(k).t_s)
        if 1 <= k < 4:
            told = replace(told, active=(alarm,))
        if k == 4:
            told = replace(told, ended=(replace(alarm, t_off_s=told.t_s),))
        recorder.take(capture(k), SEEN, told, (Acknowledge(told.t_s),) if k == 2 else ())
    recorder.close()
    assert [one["event"] for one in topic(path, "/alarms")] == ["begun", "ended"]
    assert verify(log).trouble == ""
    assert verify(log).closed
    kinds = [json.loads(line)["kind"] for line in log.read_text().splitlines()]
    assert kinds == ["begin", "alarm", "action", "alarm", "end"]


def held_up_until(go_on: threading.Event) -> BeforeWriting:
    """Holds the recorder up in its first picture."""

    def held_up(bgr: Bytes, _: float) -> Bytes:
        assert go_on.wait(20.0)
        return bgr

    return held_up


def test_a_disk_that_does_not_keep_up_costs_pictures_first_and_it_is_said(tmp_path: Path) -> None:
    """The recorder is held up in its first picture until all are handed over."""
    path, go_on = tmp_path / "a.mcap", threading.Event()

    recorder = Recorder(path, manifest(), before_writing=held_up_until(go_on))
    taken = PICTURES_WAITING + 30
    for k in range(taken):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
    held = recorder.status
    assert held.pictures_left_out in (29, 30)
    assert "left out" in held.trouble
    go_on.set()
    status = recorder.close()
    assert status.captures_lost == 0
    recording = open_mcap(path)
    assert len(recording.times_s) == taken
    assert recording.pictures == taken - status.pictures_left_out
    assert "were not recorded" in recording.warnings[0]
    assert all(one.capture.thermal for one in steps(recording, pictures=False))


def test_pictures_are_left_out_first_where_few_captures_wait_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that steps four times a second: ten captures that wait are 2.5 s that a kill would cost."""
    clock_s, go_on = [0.0], threading.Event()
    monkeypatch.setattr("guidance.recording.recorder.time.monotonic", lambda: clock_s[0])

    recorder = Recorder(tmp_path / "a.mcap", manifest(), before_writing=held_up_until(go_on))
    for k in range(10):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
        clock_s[0] += 0.25
    # The first is being written, the second has waited for more than 1.5 s by the ninth.
    assert recorder.status.pictures_left_out in (2, 3)
    assert "left out" in recorder.status.trouble
    go_on.set()
    status = recorder.close()
    assert (status.captures, status.captures_lost) == (10, 0)


def test_captures_that_are_lost_are_named_in_the_recording(tmp_path: Path) -> None:
    path, go_on = tmp_path / "a.mcap", threading.Event()

    recorder = Recorder(path, manifest(), before_writing=held_up_until(go_on))
    for k in range(CAPTURES_WAITING + 20):
        recorder.take(capture(k, colour=k == 0), SEEN, guidance(capture(k).t_s))
    assert recorder.status.waiting <= CAPTURES_WAITING
    assert "lacks captures" in recorder.status.trouble
    go_on.set()
    lost = recorder.close().captures_lost
    assert 15 <= lost <= 20
    assert len(open_mcap(path).times_s) == CAPTURES_WAITING + 20 - lost
    assert sum("capture_lost_s" in note for note in topic(path, "/recorder")) == lost


def test_a_disk_that_stays_full_keeps_no_more_than_times_of_captures_in_memory(tmp_path: Path) -> None:
    path, go_on = tmp_path / "a.mcap", threading.Event()

    recorder = Recorder(path, manifest(), before_writing=held_up_until(go_on))
    count = CAPTURES_WAITING + 500
    for k in range(count):
        recorder.take(capture(k, colour=k == 0), SEEN, guidance(capture(k).t_s))
    assert sum(type(one) is Missing for one in gc.get_objects()) == 1
    go_on.set()
    lost = recorder.close().captures_lost
    times_s = [note["capture_lost_s"] for note in topic(path, "/recorder") if "capture_lost_s" in note]
    assert times_s == [capture(k).t_s for k in range(count - lost, count)]


def test_an_action_is_kept_even_where_its_capture_is_lost(tmp_path: Path) -> None:
    path, log, go_on = tmp_path / "a.mcap", tmp_path / "a.log", threading.Event()

    recorder = Recorder(path, manifest(), log=ChainedLog(log), before_writing=held_up_until(go_on))
    for k in range(CAPTURES_WAITING + 10):
        now = capture(k, colour=k == 0)
        recorder.take(
            now, SEEN, guidance(now.t_s), (Acknowledge(now.t_s),) if k > CAPTURES_WAITING + 5 else ()
        )
    go_on.set()
    assert recorder.close().captures_lost >= 4
    assert len(topic(path, "/actions")) == 4
    assert sum(json.loads(line)["kind"] == "action" for line in log.read_text().splitlines()) == 4


def test_a_capture_that_cannot_be_written_costs_itself_only(tmp_path: Path) -> None:
    """An action of a kind that has no place in a message."""
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, manifest())
    for k in range(3):
        now = capture(k)
        recorder.take(now, SEEN, guidance(now.t_s), (object(),) if k == 1 else ())  # pyright: ignore
    status = recorder.close()
    assert status.captures_lost == 1
    assert "could not be recorded" in status.trouble
    assert [one.capture.t_s for one in steps(open_mcap(path), pictures=True)] == [0.0, 2 / 30.0]


def test_a_fault_while_pictures_are_changed_costs_those_captures_only(tmp_path: Path) -> None:
    def faulty(bgr: Bytes, t_s: float) -> Bytes:
        if t_s == capture(1).t_s:
            raise RuntimeError("a fault")
        return bgr

    recorder = Recorder(tmp_path / "a.mcap", manifest(), before_writing=faulty)
    for k in range(4):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
    assert recorder.close().captures_lost == 1
    assert len(open_mcap(tmp_path / "a.mcap").times_s) == 3


def test_a_picture_that_must_not_be_written_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, manifest(), before_writing=lambda bgr, t_s: None if t_s > 0.01 else bgr)
    for k in range(3):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
    status = recorder.close()
    assert status.pictures_left_out == 2
    assert "faces" in status.trouble
    assert [one.capture.bgr is None for one in steps(open_mcap(path), pictures=True)] == [False, True, True]


def test_a_full_disk_is_told_and_what_it_did_not_take_is_written_when_there_is_room(tmp_path: Path) -> None:
    """A real limit on file sizes, lifted again."""
    path, log = tmp_path / "a.mcap", tmp_path / "a.log"
    recorder = Recorder(path, manifest(), log=ChainedLog(log))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
    try:
        for k in range(20):
            recorder.take(capture(k), SEEN, guidance(capture(k).t_s), (Acknowledge(capture(k).t_s),))
        waited = threading.Event()
        for _ in range(200):
            if recorder.status.trouble:
                break
            waited.wait(0.02)
        assert "make room" in recorder.status.trouble
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert recorder.close().trouble == ""
    assert len(open_mcap(path).times_s) == 20
    assert open_mcap(path).warnings == ()
    assert verify(log).trouble == ""
    assert verify(log).lines == 22


def test_memory_goes_back_to_the_system_once_a_full_disk_has_taken_all_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real limit on file sizes, lifted again."""
    path, waiting = tmp_path / "a.mcap", list[int]()
    recorder = Recorder(path, manifest())
    monkeypatch.setattr(
        "guidance.recording.recorder.give_back", lambda: waiting.append(recorder.status.waiting)
    )
    again = threading.Event()

    def take_until(captures: range, *, trouble: bool) -> None:
        for k in captures:
            recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
        for _ in range(500):
            if bool(recorder.status.trouble) == trouble and (trouble or recorder.status.waiting == 0):
                break
            again.wait(0.01)

    take_until(range(5), trouble=False)
    again.wait(2 * FLUSH_S)
    assert waiting == []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
    try:
        take_until(range(5, 10), trouble=True)
        assert waiting == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    take_until(range(10, 15), trouble=False)
    recorder.close()
    assert waiting == [0]


def test_a_disk_that_stays_full_leaves_a_recording_that_is_not_finished(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    """A real limit on file sizes; `cryoguide record` then says so with its exit code."""
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, manifest())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
    try:
        recorder.take(capture(0), SEEN, guidance(0.0))
        status = recorder.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not status.finished
    monkeypatch.setattr("guidance.recording.command.record", lambda *_, **__: status)
    assert main(["record", "session", str(path)]) == 2
    assert "is not whole: The recording was not finished" in capsys.readouterr().err
    whole = Recorder(tmp_path / "b.mcap", manifest())
    whole.take(capture(0), SEEN, guidance(0.0))
    finished = whole.close()
    monkeypatch.setattr("guidance.recording.command.record", lambda *_, **__: finished)
    assert main(["record", "session", str(path)]) == 0


def test_a_source_that_can_wait_loses_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mcap", manifest())
    for k in range(3 * PICTURES_WAITING):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s), patient=True)
    status = recorder.close()
    assert (status.pictures_left_out, status.captures_lost) == (0, 0)


def test_pictures_are_changed_before_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    recorder = Recorder(path, manifest(), before_writing=lambda bgr, _: np.zeros_like(bgr))
    recorder.take(capture(0), SEEN, guidance(0.0))
    recorder.close()
    (only,) = open_mcap(path).captures()
    assert only.bgr is not None
    assert only.bgr.max() <= 2
    assert only.seen is None


def test_what_was_recorded_before_the_program_is_killed_is_there(tmp_path: Path) -> None:
    """kill -9 of a real program that records in real time: at most 1 s may be lost (measured 0.2 s)."""
    path = tmp_path / "killed.mcap"
    handed_s = killed(path)
    recording = open_mcap(path)
    assert 0.0 <= handed_s - recording.duration_s <= 1.0
    assert "not finished" in recording.warnings[0]
    assert len(list(steps(recording, pictures=True))) == len(recording.times_s)
    log = verify(path.with_suffix(".log"))
    assert log.trouble == ""
    assert not log.closed
    again = open_mcap(recover(path))
    assert again.warnings == ()
    assert again.times_s.tolist() == recording.times_s.tolist()
    with pytest.raises(InputError, match="exists already"):
        recover(path)


def test_a_session_that_never_had_a_capture_is_refused_in_a_sentence(tmp_path: Path) -> None:
    Recorder(tmp_path / "a.mcap", manifest()).close()
    with pytest.raises(InputError, match="no capture"):
        open_mcap(tmp_path / "a.mcap")


def test_a_note_is_in_the_log_at_once_whatever_waits(tmp_path: Path) -> None:
    """The recorder writes one capture and ten more wait: what is tapped then is next, and outlives a kill."""
    writing, go_on = threading.Event(), threading.Semaphore(0)

    def hold(bgr: Bytes, _: float) -> Bytes:
        writing.set()
        go_on.acquire(timeout=20.0)
        return bgr

    log = ChainedLog(tmp_path / "a.log")
    recorder = Recorder(tmp_path / "a.mcap", manifest(), log=log, before_writing=hold)
    for k in range(11):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s))
    assert writing.wait(20.0)
    recorder.note("tap", {"name": "stop", "t_s": 0.3})
    writing.clear()
    go_on.release()  # the capture that is being written
    assert writing.wait(20.0)  # the next one: the note came before it
    kinds = [json.loads(line)["kind"] for line in log.path.read_text().splitlines()]
    assert kinds == ["begin", "tap"]
    for _ in range(10):
        go_on.release()
    assert recorder.close().captures_lost == 0
    assert verify(log.path).trouble == ""


def test_codes_are_in_the_recording_and_not_in_the_plain_log_beside_it(tmp_path: Path) -> None:
    """As docs/recording.md says of both, and of the kinds of lines in the log."""
    path, log = tmp_path / "a.mcap", tmp_path / "a.log"
    plain = manifest()
    treatment = replace(plain.setup.treatment, subject="SUBJ-4711")
    coded = replace(plain, setup=replace(plain.setup, treatment=treatment))
    recorder = Recorder(path, coded, log=ChainedLog(log))
    recorder.take(capture(0), SEEN, guidance(capture(0).t_s), (Acknowledge(0.0),))
    recorder.attach("checklist.toml", b'operator = "OPER-4712"\nsubject = "SUBJ-4711"\n')
    recorder.note("tap", {"name": "start", "t_s": 0.0})
    assert recorder.close().trouble == ""
    recording = open_mcap(path)
    assert recording.treatment.subject == "SUBJ-4711"
    assert b"OPER-4712" in (recording.attached("checklist.toml") or b"")
    text = log.read_text()
    assert "4711" not in text
    assert "4712" not in text
    kinds = {json.loads(line)["kind"] for line in text.splitlines()}
    assert kinds == {"begin", "tap", "action", "attached", "end"}
    page = (Path(__file__).parents[2] / "docs" / "recording.md").read_text()
    assert all(f"| `{kind}` |" in page for kind in (*kinds, "alarm", "access"))
