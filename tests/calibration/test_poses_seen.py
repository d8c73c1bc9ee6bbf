"""Tip and axis from pictures and recordings of the nozzle, and what cannot be taken for either."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.guided_pictures import collar_picture
from calibration.poses_seen import poses_of
from guidance.cli import main
from models.geometry import Pose, rotation_from_rvec
from models.problems import InputError
from models.rig import Nozzle
from models.rig_file import read_rig, write_rig
from vision.recording import open_recording
from vision.synthetic_rig import collar, real_rig
from vision.synthetic_scene import Scene

RIG = real_rig(Scene(size=0.6, thermal_hz=0.0, depth_hz=0.0))
AXIS = rotation_from_rvec(np.array([0.02, -0.015, 0.0]))[:, 2]
"""The true axis in the frame of the print."""


@pytest.fixture(scope="module")
def spun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of a nozzle spun about an axis that leans 1.4 degrees off its collar's."""
    folder, rng = tmp_path_factory.mktemp("spun"), np.random.default_rng(0)
    first = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
        np.array([0.25, 0.0, 0.0])
    )
    middle = collar().corners_mm.reshape(-1, 3).mean(axis=0)
    for k in range(20):
        turn = first @ rotation_from_rvec(AXIS * 2.0 * np.pi * k / 20.0)
        at = np.array([0.0, 0.0, 300.0]) + rng.normal(0.0, 1.0) * (turn @ AXIS) - first @ middle
        picture = collar_picture(collar(), Pose.of(turn, at), RIG.rgb, rng)
        cv2.imwrite(str(folder / f"{k:02d}.png"), picture)
    return folder


def test_the_axis_is_found_from_a_folder_of_pictures(
    spun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(write_rig(RIG))
    assert main(["calibrate", "axis", str(spun), "--rig", str(rig)]) == 0
    assert "The nozzle was found in 20 of 20 pictures" in capsys.readouterr().out
    after, _ = read_rig(rig.read_text(), where="rig.toml")
    assert after.nozzle is not None
    before = collar().corners_mm.reshape(-1, 3)
    turn, *_ = np.linalg.lstsq(before, after.nozzle.tags.corners_mm.reshape(-1, 3), rcond=None)
    assert AXIS @ turn == pytest.approx((0.0, 0.0, 1.0), abs=np.radians(0.3))


def test_poses_of_a_recording_carry_their_times_and_keep_to_the_stretch_that_is_asked_for(calf: Path) -> None:
    rig = open_recording(calf).rig
    poses = poses_of(calf, rig, where="rig.toml", from_s=1.0, to_s=2.5)
    times = [float(name.removesuffix(" s")) for name in poses.names]
    assert times == sorted(times)
    assert 1.0 <= times[0] <= times[-1] <= 2.5
    assert len(times) >= 3


def test_a_video_of_the_nozzle_will_do(calf: Path, tmp_path: Path) -> None:
    shutil.copy(calf / "rgb.mp4", tmp_path / "turned.mp4")
    poses = poses_of(tmp_path / "turned.mp4", open_recording(calf).rig, where="rig.toml", to_s=0.5)
    assert len(poses.names) >= 1


def test_pictures_without_a_rig_or_a_nozzle_or_of_another_size_are_refused_with_one_sentence(
    spun: Path,
) -> None:
    with pytest.raises(InputError, match="name the rig with --rig"):
        poses_of(spun, None, where="rig.toml")
    with pytest.raises(InputError, match=r"rig.toml has no \[nozzle\]"):
        poses_of(spun, replace(RIG, nozzle=None), where="rig.toml")
    with pytest.raises(InputError, match="is not of the rig's 1280 x 720 pixels"):
        poses_of(spun, real_rig(Scene()), where="rig.toml")
    with pytest.raises(InputError, match="is not there"):
        poses_of(spun / "nothing", RIG, where="rig.toml")


def test_pictures_that_show_another_collar_are_refused(spun: Path) -> None:
    other = collar()
    other = replace(other, ids=other.ids + 50)
    with pytest.raises(InputError, match="shows the nozzle"):
        poses_of(spun, replace(RIG, nozzle=Nozzle(other, 12.0)), where="rig.toml", to_s=25.0)
