"""The log held against its recording: lines cut off at the end are found, and reports pass that on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guidance.analyse import analyse
from guidance.cli import main
from guidance.recording.chained_log import ChainedLog, verify
from guidance.recording.command import recover
from guidance.recording.log_beside import (
    BROKEN_OFF,
    CHANGED,
    CUT_OFF,
    HOLDS,
    MISSING,
    LogBeside,
    log_beside,
    log_of,
    reported_seal,
)
from guidance.recording.recorder import Recorder
from guidance.recording.writer import JPEG_QUALITY, RecordingWriter, Taken
from guidance.session import Acknowledge
from tests.guidance.test_chained_log import AT, lines
from tests.guidance.tiny_session import SEEN, capture, guidance, manifest
from vision.mcap_recording import open_mcap


def recorded(path: Path, *, ended: bool = True) -> Path:
    """Six captures with an action each; ended properly, or as a program leaves it that is killed."""
    log = ChainedLog(log_of(path))
    if ended:
        recorder = Recorder(path, manifest(), log=log)
        for k in range(6):
            t_s = capture(k).t_s
            recorder.take(capture(k), SEEN, guidance(t_s), (Acknowledge(t_s),))
        assert recorder.close().finished
        return path
    writer = RecordingWriter(
        path, manifest(), log=log, before_writing=None, jpeg_quality=JPEG_QUALITY, encrypt_to=None
    )
    for k in range(6):
        t_s = capture(k).t_s
        writer.add(Taken(capture(k), SEEN, guidance(t_s), (Acknowledge(t_s),), None))
        writer.mark(AT)
        writer.flush(to_disk=False)
    writer.abandon()
    return path


def found(path: Path) -> LogBeside:
    told = log_beside(open_mcap(path, from_sightings=True))
    assert told is not None
    return told


def cut(log: Path, count: int) -> None:
    log.write_bytes(b"".join(lines(log)[:-count]))


def verified(log: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["verify", str(log)])
    return code, capsys.readouterr().out


def test_a_log_that_was_ended_with_its_recording_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path / "a.mcap")
    assert (found(path).state, found(path).words) == (HOLDS, "")
    sealed = open_mcap(path).sealed
    assert sealed is not None
    assert sealed[0] == verify(log_of(path)).lines - 1  # all but the line that ends it
    code, told = verified(log_of(path), capsys)
    assert (code, "Open" in told, "Broken" in told) == (0, False, False)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_lines_cut_off_at_the_end_of_a_log_are_found_by_its_recording(
    tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path / "a.mcap")
    cut(log_of(path), count)
    assert verify(log_of(path)).trouble == ""  # its own chain does not show it
    assert found(path).state == CUT_OFF
    code, told = verified(log_of(path), capsys)
    assert code == 1
    assert "cut off" in told


def test_a_killed_recording_and_its_log_agree_and_what_is_not_vouched_for_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path / "a.mcap", ended=False)
    assert found(path).state == BROKEN_OFF
    assert "later ones are not vouched for" in found(path).words
    code, told = verified(log_of(path), capsys)
    assert code == 0
    assert "Open" in told
    cut(log_of(path), 1)  # the last one may have come after what the recording holds
    assert found(path).state == BROKEN_OFF
    cut(log_of(path), 1)
    assert found(path).state == CUT_OFF
    assert "or the power failed" in found(path).words
    assert verified(log_of(path), capsys)[0] == 1


def test_a_log_written_anew_with_hashes_that_fit_is_found_by_its_recording(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mcap")
    log_of(path).unlink()
    forged = ChainedLog(log_of(path))
    for _ in range(20):
        forged.append("action", {"what": "nothing happened"})
    forged.close()
    assert verify(log_of(path)).trouble == ""
    assert found(path).state == CHANGED


def test_a_log_that_is_missing_or_broken_is_said(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mcap")
    log = log_of(path)
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b"acknowledge", b"acknowledgE", 1) if b"acknowledge" in whole else b"x\n")
    assert found(path).state in (CHANGED, CUT_OFF)
    log.unlink()
    assert found(path).state == MISSING


def test_a_recording_without_any_log_is_not_blamed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mcap", manifest())
    recorder.take(capture(0), SEEN, guidance(0.0))
    recorder.close()
    assert log_beside(open_mcap(tmp_path / "a.mcap")) is None


def test_a_recovered_recording_is_held_against_the_log_of_the_original(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mcap", ended=False)
    whole = recover(path)
    assert found(whole).state == BROKEN_OFF  # the copy has a proper end, and was broken off all the same
    cut(log_of(path), 3)
    assert found(whole).state == CUT_OFF


def test_an_analysis_says_that_lines_were_cut_off(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mcap")
    cut(log_of(path), 2)
    outcome = analyse(path, out=tmp_path / "report", video=False, from_sightings=True)
    assert any("cut off" in words for words in outcome.warnings)
    assert outcome.summary["log"] == {"file": "a.log", "state": CUT_OFF, "lines": found(path).lines}
    assert "cut off" in (tmp_path / "report" / "report.html").read_text()


def report_of(path: Path, seal: str) -> None:
    folder = path.with_name(f"{path.stem}-report")
    folder.mkdir()
    recorded = {"log": log_of(path).name, "log_seal_sha256": seal}
    (folder / "summary.json").write_text(json.dumps({"console": {"recorded": recorded}}))


def test_log_and_recording_cut_off_together_are_found_by_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path / "a.mcap", ended=False)
    log = log_of(path)
    report_of(path, verify(log).seal)
    assert main(["verify", str(log)]) == 0
    assert "a-report names the same seal" in capsys.readouterr().out
    # The recording goes as well, so nothing beside the log names the lines that are missing but the report.
    cut(log, 2)
    path.unlink()
    assert main(["verify", str(log)]) == 1
    assert "another seal than its report in a-report names" in capsys.readouterr().out


def test_a_report_of_something_else_says_nothing_of_a_log(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mcap")
    report_of(tmp_path / "b.mcap", "0" * 64)
    (tmp_path / "c-report").mkdir()
    (tmp_path / "c-report" / "summary.json").write_text("[1]")
    assert reported_seal(log_of(path)) is None
    assert main(["verify", str(log_of(path))]) == 0
