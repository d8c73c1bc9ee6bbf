"""``cryoguide import``: from a camera's file to a session that the analysis reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from guidance.cli import main
from models.treatment_file import read_treatment
from vision.recording import open_recording
from vision.streams import open_stack

TREATED = ["--zone", "calf", "--side", "left", "--protocol", "co2-analgesia"]
TREATED += ["--started", "2026-11-23T10:00:00Z"]
ROOM = ["--reflected-degc", "22", "--distance-mm", "700", "--camera-emissivity", "1"]


def test_a_recording_becomes_a_session_that_is_read(calf: Path, tmp_path: Path) -> None:
    out = tmp_path / "session"
    files = ["--colour", str(calf / "rgb.mp4"), "--rig", str(calf / "rig.toml")]
    times = ["--thermal-csv", str(calf / "thermal.csv")]
    unit = ["--unit", "centikelvin"]
    assert main(["import", str(calf / "thermal.mkv"), str(out), *files, *times, *unit, *TREATED, *ROOM]) == 0
    recording = open_recording(out)
    assert recording.treatment.zone == "calf"
    assert recording.thermal is not None
    assert len(recording.thermal.t_s) == 125
    assert (out / "rgb.mp4").read_bytes() == (calf / "rgb.mp4").read_bytes()
    before = next(open_stack(calf / "thermal.mkv", where="", values="", flag=True).read())
    after = next(recording.thermal.read())
    assert before is not None
    assert after is not None
    # Surroundings of 22 degC, tau about 0.995: skin of 30 degC reads about 0.2 degC too cold.
    shift = (after.astype(int) - before.astype(int)) / 100.0
    skin = (before > 30000) & (before < 30500)
    assert 0.05 < np.median(shift[skin]) < 0.35


def test_everything_that_is_missing_is_told_at_once(
    calf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(calf / "thermal.mkv"), str(tmp_path / "out"), "--unit", "centikelvin"]) == 2
    told = capsys.readouterr().err
    wanted = ("zone", "side", "protocol", "colour", "reflected-degc", "distance-mm", "camera-emissivity")
    assert [name for name in wanted if f"--{name} is missing" not in told] == []
    assert not (tmp_path / "out").exists()


def test_the_header_that_is_written_is_the_one_that_was_asked_for(calf: Path, tmp_path: Path) -> None:
    out = tmp_path / "session"
    what = ["--subject", "A-017", "--room-degc", "22.5", "--outline", "10,10 60,10 60,60"]
    np.save(tmp_path / "t.npy", np.full((3, 12, 16), 20.0, np.float32))
    every = ["--every-s", "0.1", "--offset-s", "0"]
    assert main(["import", str(tmp_path / "t.npy"), str(out), *what, *every, *TREATED, *ROOM]) == 2
    what[-1] = "2,2 10,2 10,9"
    assert main(["import", str(tmp_path / "t.npy"), str(out), *what, *every, *TREATED, *ROOM]) == 0
    treatment = read_treatment((out / "session.toml").read_text(), where="").treatment
    assert (treatment.subject, treatment.room_degc, treatment.device) == ("A-017", 22.5, "co2")
    assert treatment.taps[0].outline_px.tolist() == [[2, 2], [10, 2], [10, 9]]
