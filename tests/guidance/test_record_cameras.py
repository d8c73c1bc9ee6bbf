"""``cryoguide record FILE``: stand-in cameras by the path of the command. No hardware is in it."""

from __future__ import annotations

import os
import resource
import signal
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from guidance.cli import main
from guidance.record_command import Asked, print_status, record_cameras
from models.problems import InputError
from tests.held_switch import HeldSwitch
from tests.timed_device import Start, TimedDevice, finder
from vision.every_camera import Finder
from vision.gas_named import NamedGas
from vision.mcap_recording import open_mcap

HZ, LONG_S = 20.0, 30.0
STAMPS_S = np.arange(0.0, LONG_S, 1.0 / HZ).tolist()
NOISE = np.random.default_rng(0)


def cameras(*kinds: str, gone_from_s: float = np.inf, late_s: float = 0.0) -> list[TimedDevice]:
    """Thermal stamps are late by so much; the last camera is pulled out."""
    start = Start()
    shapes = {"colour": (24, 32, 3), "thermal": (24, 32), "depth": (24, 32)}

    def one(kind: str) -> TimedDevice:
        def picture(k: int):
            if kind == "colour":
                return NOISE.integers(0, 255, shapes[kind]).astype(np.uint8)
            return (30000 + NOISE.integers(0, 90, shapes[kind]) + 0 * k).astype(np.uint16)

        shift = late_s if kind == "thermal" else 0.0
        return TimedDevice(
            kind,
            [t + shift for t in STAMPS_S],
            picture,
            start,
            hz=HZ,
            gone_from_s=gone_from_s if kind == kinds[-1] else np.inf,
        )

    return [one(kind) for kind in kinds]


def test_all_cameras_are_recorded_with_the_times_that_they_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.mcap"
    found = finder(*cameras("colour", "thermal", "depth"))
    status = record_cameras(Asked(out, seconds=0.8), found=found)
    print_status(out, status)
    told = capsys.readouterr()
    assert status.finished
    recording = open_mcap(out)
    assert 0.6 < recording.duration_s <= 0.8
    thermal_s = np.array([one.t_s for now in recording.captures() for one in now.thermal])
    colour_s = recording.rgb_times_s
    between = np.concatenate([np.diff(thermal_s), np.diff(colour_s)]) * HZ
    assert between == pytest.approx(np.round(between), abs=1e-6), "stamps, not times of arrival"
    assert "stand-in colour camera" in told.out
    for kind in ("colour", "thermal", "depth"):
        assert f"  {kind}" in told.out
    assert "pictures, " in told.out
    assert "Faces are not covered" in told.out
    assert "recording" in told.err


def test_a_camera_that_is_pulled_out_is_told_while_recording_and_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.mcap"
    found = finder(*cameras("colour", "thermal", gone_from_s=0.5))
    status = record_cameras(Asked(out, seconds=1.6), found=found)
    assert "stand-in thermal camera is not there: plug it in." in " ".join(capsys.readouterr().err.split())
    colour, thermal = status.streams
    assert colour.pictures > thermal.pictures > 0
    assert thermal.gap_s > 0.8 > colour.gap_s
    assert status.finished


def test_a_camera_that_repeats_its_picture_is_told_at_the_end_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (camera,) = cameras("thermal")
    camera.picture = lambda _: np.full((24, 32), 30000, np.uint16)
    record_cameras(Asked(tmp_path / "a.mcap", seconds=0.9), found=finder(camera))
    assert "Meanwhile: stand-in thermal camera repeats the same picture" in capsys.readouterr().out


def test_a_full_disk_ends_the_command_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real limit on file sizes; some of it is kept, and the exit code says that it is not whole."""
    out = tmp_path / "a.mcap"
    by_stand_ins = partial(record_cameras, found=finder(*cameras("colour")))
    monkeypatch.setattr("guidance.record_command.record_cameras", by_stand_ins)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        code = main(["record", str(out), "--seconds", "20"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    told = capsys.readouterr()
    assert code == 2
    assert "is not whole: The recording cannot be written (File too large)" in told.err
    assert f"cryoguide recover {out}" in told.out
    assert open_mcap(out).duration_s > 0.0


def test_ctrl_c_keeps_what_was_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.mcap"
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # ignored where tests run in the background
    press = threading.Timer(1.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    press.start()
    try:
        status = record_cameras(Asked(out), found=finder(*cameras("colour", "thermal", gone_from_s=0.5)))
    finally:
        press.join()
        signal.signal(signal.SIGINT, before)
    assert status.finished
    assert not status.trouble
    assert open_mcap(out).ended
    told = capsys.readouterr()
    assert "Ended by Ctrl-C" in told.out
    assert told.err.count("is not there: plug it in") == 1, "told at once, and once"


def test_a_gas_switch_is_heard_into_the_recording(tmp_path: Path) -> None:
    switch, out = HeldSwitch(), tmp_path / "a.mcap"
    timers = [
        threading.Timer(at_s, setattr, (switch, "held", held)) for at_s, held in ((0.5, True), (1.1, False))
    ]
    for one in timers:
        one.start()
    record_cameras(
        Asked(out, seconds=1.6, gas="by hand", device="co2"),
        found=finder(*cameras("colour")),
        gas_of=lambda _: NamedGas(switch, off_after_s=0.1),
    )
    captures = list(open_mcap(out).captures())
    assert sum(one.gas_s for one in captures) == pytest.approx(0.6, abs=0.3)
    assert [captures[0].gas_now, captures[-1].gas_now] == [False, False]
    assert any(one.gas_now for one in captures)


def refused(asked: Asked, found: Finder, match: str) -> None:
    with pytest.raises(InputError, match=match):
        record_cameras(asked, found=found)


def test_what_is_wrong_is_one_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    out, some = tmp_path / "a.mcap", finder(*cameras("colour"))
    refused(Asked(out), finder(), "No camera is connected")
    refused(Asked(out, without=frozenset({"colour"})), some, "No camera is connected")
    refused(Asked(out, names={"colour": "other"}), some, "fits no colour camera")
    refused(
        Asked(out, names={"colour": "stand"}, without=frozenset({"colour"})),
        some,
        "says that it is not wanted",
    )
    refused(Asked(tmp_path / "a.avi"), some, "another ending than .mcap")
    refused(Asked(out, device="hammer"), some, "hammer")
    refused(Asked(out, rig=tmp_path / "none.toml"), some, r"none.toml cannot be read")
    refused(Asked(tmp_path / "none" / "a.mcap"), some, "cannot be written")
    two = finder(*cameras("colour"), *cameras("colour"))
    refused(Asked(out), two, "say which with --colour")
    assert list(tmp_path.iterdir()) == []


def test_cameras_that_give_nothing_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidance.record_command.OPEN_S", 0.2)
    out = tmp_path / "a.mcap"
    refused(
        Asked(out, seconds=0.5),
        finder(*cameras("thermal", gone_from_s=0.0)),
        "nothing was recorded: stand-in thermal camera is not there",
    )
    assert not out.exists()


def test_a_session_can_be_played_as_if_cameras_gave_it(
    tmp_path: Path, calf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "a.mcap")
    assert main(["record", out, "--replay", str(calf), "--seconds", "0.7"]) == 0
    recording = open_mcap(Path(out))
    assert recording.has_thermal
    assert recording.rig is not None
    assert recording.attached("rig.toml") == (calf / "rig.toml").read_bytes()
    assert "colour   11 pictures, 15.0 a second" in capsys.readouterr().out
    again = str(tmp_path / "b.mcap")
    assert main(["record", again, "--replay", out, "--seconds", "0.5", "--no-colour"]) == 0
    assert (open_mcap(Path(again)).frames, open_mcap(Path(again)).has_thermal) == (0, True)
    assert main(["record", out, "--replay", str(calf), "--seconds", "0.7"]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a.mcap", "--no-blur"], "are for a session folder"),
        (["session", "a.mcap", "--seconds", "3"], "--seconds is for recording cameras"),
        (["session", "a.mcap", "--no-depth"], "--no-... is for recording cameras"),
        (["a", "b", "c"], "Give one file for the cameras"),
        (["a.mcap", "--replay", "x", "--rig", "rig.toml"], "A replay has its own cameras"),
    ],
)
def test_options_that_do_not_belong_together_are_named(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", *words]) == 2
    assert told in capsys.readouterr().err


def test_seconds_must_be_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("0", "-3", "nan", "soon", "1e9"):
        with pytest.raises(SystemExit):
            main(["record", "a.mcap", "--seconds", text])
        assert "is no time" in capsys.readouterr().err
