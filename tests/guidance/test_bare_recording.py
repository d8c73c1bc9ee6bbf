"""Bare cameras recorded: what came is in the file as it came, and what is not is said."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import numpy as np
import pytest

from guidance.cli import main
from guidance.recording.bare import CAPTURES_WAITING, BareRecording, BareStatus
from models.capture import Capture, DepthPicture, ThermalPicture
from models.geometry import Bytes
from models.problems import InputError
from vision.mcap_recording import open_mcap
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

HZ = 20.0
KINDS = ("colour", "thermal", "depth")


def smooth(k: int) -> Bytes:
    """A picture without noise, as JPEG keeps them."""
    y, x = np.mgrid[:48, :64]
    return np.stack([(2 * x + k) % 256, (3 * y) % 256, (x + y) % 256], axis=-1).astype(np.uint8)


def capture(k: int, *, counts: int = 30000, colour: bool = True, depth: bool = True) -> Capture:
    t_s = k / HZ
    rng = np.random.default_rng(k)
    warm = (counts + rng.integers(0, 80, (24, 32))).astype(np.uint16)
    away = rng.integers(300, 900, (24, 32)).astype(np.uint16)
    return Capture(
        t_s,
        k if colour else None,
        smooth(k) if colour else None,
        (ThermalPicture(t_s - 0.31, warm, k == 3),),
        (DepthPicture(t_s - 0.01, away),) if depth else (),
        0.0,
        False,
    )


def recorded(path: Path, *captures: Capture, kinds: tuple[str, ...] = KINDS) -> BareStatus:
    recording = BareRecording(path, kinds=kinds)
    for one in captures:
        recording.take(one, patient=True)
    return recording.close()


def written(recording: BareRecording, t_s: float) -> None:
    """Wait until a capture is in the file: it is written each 0.2 s."""
    waited = threading.Event()
    for _ in range(500):
        if recording.status.kept_s >= t_s or recording.status.failed:
            return
        waited.wait(0.01)
    raise AssertionError("it was not written")


def test_times_shutter_temperatures_and_depths_come_back_to_the_last_bit(tmp_path: Path) -> None:
    given = [capture(k) for k in range(8)]
    status = recorded(tmp_path / "a.mcap", *given)
    assert (status.finished, status.trouble, status.captures_lost) == (True, "", 0)
    recording = open_mcap(tmp_path / "a.mcap")
    assert (recording.bare, recording.ended, recording.rig, recording.warnings) == (True, True, None, ())
    for then, now in zip(given, recording.captures(), strict=True):
        assert (now.t_s, now.index, now.gas_s, now.gas_now) == (then.t_s, then.index, 0.0, False)
        for a, b in zip(then.thermal, now.thermal, strict=True):
            assert (a.t_s, a.shutter) == (b.t_s, b.shutter)
            assert np.array_equal(a.centikelvin, b.centikelvin)
        for a, b in zip(then.depth, now.depth, strict=True):
            assert a.t_s == b.t_s
            assert np.array_equal(a.depth_mm, b.depth_mm)
        assert now.bgr is not None
        assert now.bgr.shape == (48, 64, 3)


def test_a_thermal_camera_alone_is_a_recording(tmp_path: Path) -> None:
    status = recorded(
        tmp_path / "a.mcap",
        *(capture(k, colour=False, depth=False) for k in range(5)),
        kinds=("thermal",),
    )
    recording = open_mcap(tmp_path / "a.mcap")
    assert (recording.frames, recording.has_thermal, recording.has_depth) == (0, True, False)
    assert [one.kind for one in status.streams] == ["thermal"]


def test_rate_and_longest_gap_of_each_camera_are_told_and_silence_at_the_end_is_a_gap(tmp_path: Path) -> None:
    captures = [capture(k, depth=k < 10) for k in range(40)]
    colour, _, depth = recorded(tmp_path / "a.mcap", *captures).streams
    assert colour.pictures == 40
    assert colour.hz == pytest.approx(HZ)
    assert colour.gap_s == pytest.approx(1.0 / HZ)
    assert depth.pictures == 10
    assert depth.gap_s == pytest.approx(39 / HZ - (9 / HZ - 0.01))


def test_a_camera_that_gave_nothing_is_told_as_such(tmp_path: Path) -> None:
    streams = recorded(tmp_path / "a.mcap", *(capture(k, depth=False) for k in range(20))).streams
    assert streams[2].words == "no picture"


def test_pictures_without_temperatures_are_recorded_and_said(tmp_path: Path) -> None:
    """14-bit counts of a core; pictures of the closed shutter are not asked."""
    status = recorded(tmp_path / "a.mcap", *(capture(k, counts=8000) for k in range(6)))
    assert status.streams[1].no_temperatures == 5
    assert "are no temperatures" in status.streams[1].words
    kept = [one for now in open_mcap(tmp_path / "a.mcap").captures() for one in now.thermal]
    assert len(kept) == 6
    assert recorded(tmp_path / "b.mcap", capture(0)).streams[1].no_temperatures == 0


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(b"somebody's")
    with pytest.raises(InputError, match="exists already"):
        BareRecording(path, kinds=KINDS)
    assert path.read_bytes() == b"somebody's"


def test_a_full_disk_ends_it_with_one_sentence_and_what_came_before_is_kept(tmp_path: Path) -> None:
    """A real limit on file sizes."""
    path = tmp_path / "a.mcap"
    recording = BareRecording(path, kinds=KINDS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        for k in range(400):
            recording.take(capture(k), patient=True)
            if k % 20 == 0:
                written(recording, capture(k).t_s)
            if recording.status.failed:
                break
        status = recording.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status.failed
    assert not status.finished
    assert "cannot be written (File too large)" in status.trouble
    assert "make room" in status.trouble
    kept = open_mcap(path)
    assert kept.duration_s == pytest.approx(status.kept_s)
    assert kept.duration_s > 0.0
    assert f"up to {status.kept_s:.1f} s" in status.trouble


def test_a_disk_without_any_room_leaves_no_file(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(InputError, match="cannot be written"):
            BareRecording(tmp_path / "a.mcap", kinds=KINDS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "a.mcap").exists()


def test_a_disk_that_hangs_costs_colour_pictures_first_then_captures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = BareRecording(tmp_path / "a.mcap", kinds=KINDS)
    with recording._changed:  # noqa: SLF001 # its thread waits meanwhile
        for k in range(CAPTURES_WAITING + 10):
            recording.take(capture(k))
    status = recording.close()
    assert status.pictures_left_out > 0
    assert status.captures_lost > 0
    assert "lacks captures" in status.trouble
    assert status.finished
    assert len(open_mcap(tmp_path / "a.mcap").times_s) == CAPTURES_WAITING + 10 - status.captures_lost


def test_a_recording_cut_off_anywhere_is_read_and_made_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    recording = BareRecording(path, kinds=KINDS)
    for k in range(30):
        recording.take(capture(k), patient=True)
        if k % 10 == 9:
            written(recording, capture(k).t_s)
    recording.close()
    whole = path.read_bytes()
    for share in (0.5, 0.7, 0.9):
        cut = tmp_path / f"cut-{share}.mcap"
        cut.write_bytes(whole[: round(share * len(whole))])
        assert main(["recover", str(cut)]) == 0
        again = open_mcap(tmp_path / f"cut-{share}-recovered.mcap")
        assert again.bare
        assert 0 < len(again.times_s) < 30
        assert sum(len(now.thermal) for now in again.captures()) == len(again.times_s)


def test_by_its_rig_times_and_sizes_are_told(tmp_path: Path) -> None:
    rig = real_rig(Scene())
    recording = BareRecording(tmp_path / "a.mcap", kinds=KINDS, rig=rig, device="co2")
    recording.take(capture(0))
    recording.close()
    told = open_mcap(tmp_path / "a.mcap")
    assert told.rig is not None
    assert told.rig.thermal is not None
    assert rig.thermal is not None
    assert told.rig.thermal.rgb_minus_thermal_s == rig.thermal.rgb_minus_thermal_s
    assert told.treatment.device == "co2"


def test_no_treatment_is_made_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.mcap"
    recorded(path, *(capture(k) for k in range(5)))
    for words in (["analyze", str(path), "--out", str(tmp_path / "report")], ["replay", str(path)]):
        assert main(words) == 2
        assert "recording of bare cameras" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_verify_tells_a_whole_recording_from_one_cut_off_and_one_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mcap"
    recording = BareRecording(path, kinds=KINDS)
    for k in range(30):
        recording.take(capture(k, depth=False), patient=True)
        if k % 10 == 9:
            written(recording, capture(k).t_s)
    recording.close()
    assert main(["verify", str(path)]) == 0
    told = capsys.readouterr().out
    assert "of bare cameras, 30 captures" in told
    assert "thermal  30 pictures, 20.0 a second" in told
    assert "depth    no picture" in told
    assert "Holds" in told
    whole = bytearray(path.read_bytes())
    path.write_bytes(2 * whole)
    assert main(["verify", str(path)]) == 1
    assert f"{len(whole)} bytes stand behind its end" in capsys.readouterr().out
    path.write_bytes(whole[: len(whole) * 7 // 10])
    assert main(["verify", str(path)]) == 1
    assert "it was not ended" in capsys.readouterr().out
    assert main(["recover", str(path)]) == 0
    assert main(["verify", str(tmp_path / "a-recovered.mcap")]) == 0
    assert "its end was lost before it was recovered" in capsys.readouterr().out
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    assert main(["verify", str(path)]) == 1
    assert "is damaged" in capsys.readouterr().out
