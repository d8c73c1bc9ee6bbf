"""Ctrl-C at the terminal is an end, no accident: the recording is closed, a sentence says what is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from guidance.console.ending import how_it_ended
from guidance.recording.chained_log import verify
from guidance.recording.command import log_of
from guidance.treatment.course import DONE, RUNNING, STOPPED
from guidance.treatment.recording import Kept, LiveRecording
from tests.live_process import live_process
from tests.served_console import CALF, Running, Screen, running
from vision.mcap_recording import open_mcap

A = "a" * 32


def ended(out: Path, until: Callable[[Running, Screen], None], *, recorded: bool = True) -> Running:
    """A console that was ended from outside at some point of the way."""
    path = out.with_name("a.mcap")
    record = (lambda staged: LiveRecording(path, staged)) if recorded else None
    with running(out, record=record) as server, Screen(server, A) as screen:
        until(server, screen)
    return server


@pytest.mark.parametrize("phase", [RUNNING, STOPPED, DONE])
def test_a_recording_that_is_not_whole_is_never_said_to_be_closed(phase: str) -> None:
    report, path = Path("report") if phase == DONE else None, Path("a.mcap")
    lacks = "The recording was not finished (No space left on device): recover it before use."
    words = how_it_ended(phase, report=report, recording=path, lacks=lacks).words
    assert f"a.mcap is not whole: {lacks}" in words
    assert "is closed" not in words
    assert "not whole" not in how_it_ended(phase, report=report, recording=path).words


def test_a_disk_that_is_full_is_told_at_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(server: Running, screen: Screen) -> None:
        screen.go_to("running")
        recording = server.served.desk.recording
        assert isinstance(recording, LiveRecording)
        closed = recording.close

        def close(*given: object, **more: float) -> Kept:
            kept = closed(*given, **more)  # pyright: ignore[reportArgumentType]
            return replace(kept, status=replace(kept.status, trouble="The recording was not finished."))

        monkeypatch.setattr(recording, "close", close)
        screen.say("stop")
        screen.until(phase="stopped")
        screen.say("finish")
        screen.until(phase="done")

    told = ended(tmp_path / "report", full).served.ended()
    assert f"The report is in {tmp_path / 'report'}" in told.words
    assert "a.mcap is not whole: The recording was not finished." in told.words


def test_an_end_before_the_start_is_whole(tmp_path: Path) -> None:
    server = ended(tmp_path / "report", lambda _, screen: screen.until(phase="preflight"))
    assert server.served.ended().whole
    assert server.served.ended().words.startswith("Ended; nothing was treated.")


def test_an_end_before_the_start_leaves_no_recording(tmp_path: Path) -> None:
    server = ended(tmp_path / "report", lambda _, screen: screen.go_to("ready"))
    assert server.served.ended().words == "Ended; nothing was treated. No recording is left."
    assert list(tmp_path.iterdir()) == []


def test_what_was_refused_before_the_start_is_kept_although_no_recording_is(tmp_path: Path) -> None:
    def knocked(server: Running, screen: Screen) -> None:
        screen.go_to("ready")
        assert server.ask("/", host="foreign").status == 403

    server = ended(tmp_path / "report", knocked)
    log = log_of(tmp_path / "a.mcap")
    assert [path.name for path in tmp_path.iterdir()] == [log.name]
    assert "foreign" in log.read_text()
    assert verify(log).closed
    assert str(log) in server.served.ended().words


def test_an_end_in_mid_session_closes_the_recording_and_says_so(tmp_path: Path) -> None:
    server = ended(tmp_path / "report", lambda _, screen: screen.go_to("running"))
    told = server.served.ended()
    assert not told.whole
    assert "Ended in mid-session" in told.words
    assert "close it" in told.words
    assert str(tmp_path / "a.mcap") in told.words
    assert verify(log_of(tmp_path / "a.mcap")).closed
    assert "mid-session (running)" in log_of(tmp_path / "a.mcap").read_text()
    assert open_mcap(tmp_path / "a.mcap").treatment.zone == "calf"


def test_an_end_of_a_session_that_nobody_recorded_says_so(tmp_path: Path) -> None:
    server = ended(tmp_path / "report", lambda _, screen: screen.go_to("running"), recorded=False)
    assert server.served.ended().words.endswith("Nothing was recorded.")


def test_an_end_after_the_report_is_whole(tmp_path: Path) -> None:
    def to_the_report(_: Running, screen: Screen) -> None:
        screen.go_to("running")
        screen.say("stop")
        screen.until(phase="stopped")
        screen.say("finish")
        screen.until(phase="done")

    told = ended(tmp_path / "report", to_the_report).served.ended()
    assert told.whole
    assert told.words == f"The report is in {tmp_path / 'report'}"


def test_an_end_while_it_gets_ready_waits_for_one_step_only(tmp_path: Path) -> None:
    begun, pause, steps = threading.Event(), threading.Event(), []

    def prepare(tell: Callable[[int, int], None]) -> None:
        for step in range(10_000):
            begun.set()
            pause.wait(0.01)
            tell(step, 10_000)
            steps.append(step)

    with running(tmp_path / "report", prepare=prepare):
        assert begun.wait(10.0)
    assert len(steps) < 9_000


def test_an_end_while_it_gets_ready_does_not_wait_for_a_step_that_says_nothing(tmp_path: Path) -> None:
    """A compiler says nothing for as long as it compiles, a minute on a busy machine."""
    begun, compiled = threading.Event(), threading.Event()

    def prepare(_: Callable[[int, int], None]) -> None:
        begun.set()
        compiled.wait(120.0)

    with running(tmp_path / "report", prepare=prepare) as server:
        assert begun.wait(10.0)
        assert not server.served.ended().words.startswith("The report")
        ended_s = time.monotonic()
    took_s = time.monotonic() - ended_s
    told = server.served.ended()
    compiled.set()
    assert took_s < 20.0  # what a very busy machine takes over closing a server, and far from 120 s
    assert told.whole
    assert told.still_runs
    assert told.words.startswith("Ended; nothing was treated.")


def test_ctrl_c_is_followed_while_a_compiler_runs(tmp_path: Path) -> None:
    """In a process of its own, whose first step takes minutes and holds no lock of the interpreter."""
    code = f"""
import sys, time
import guidance.live_command as command
command._rehearse = lambda *_, **__: lambda tell: time.sleep(300.0)
from guidance.cli import main
where = ["--replay", {str(CALF)!r}, "--out", {str(tmp_path / "r")!r}]
sys.exit(main(["live", "--port", "0", "--no-blur", *where]))
"""
    with live_process("-c", code) as process:
        with Screen(process, A) as screen:
            screen.until(phase="preflight")
            assert screen.state["preparing"]
            assert process.interrupt(within_s=20.0) == 0
        assert "nothing was treated" in process.words.read_text()
        assert "Traceback" not in process.words.read_text()


def test_ctrl_c_ends_the_command_well(tmp_path: Path) -> None:
    options = ("--replay", str(CALF), "--out", str(tmp_path / "calf-live-report"))
    with live_process(*options) as process:
        with Screen(process, A) as screen:
            screen.until(phase="preflight")
            assert process.interrupt() == 0
        assert "nothing was treated" in process.words.read_text()


def test_ctrl_c_in_mid_session_is_told_with_its_own_code(tmp_path: Path) -> None:
    options = ("--replay", str(CALF), "--out", str(tmp_path / "calf-live-report"))
    with live_process(*options) as process:
        with Screen(process, A) as screen:
            screen.go_to("running")
            assert process.interrupt() == 130
        words = process.words.read_text()
    assert "Ended in mid-session" in words
    assert "Traceback" not in words
    (path,) = tmp_path.glob("*.mcap")
    assert str(path) in words
    assert verify(log_of(path)).closed
