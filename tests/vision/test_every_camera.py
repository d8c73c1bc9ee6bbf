"""Which camera is meant where several are connected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guidance.camera_command import devices_of, wanted_by
from models.geometry import Pose
from models.problems import InputError
from models.rig import DepthCamera, Rig
from models.rig_file import read_rig
from tests.vision.played_camera import Clock, PlayedCamera
from vision.cameras import COLOUR, DEPTH, THERMAL
from vision.every_camera import Found, each_once, meant


def camera(kind: str, name: str, address: str) -> Found:
    device = PlayedCamera([np.zeros((8, 8), np.uint8)], Clock(), kind=kind, name=name)
    return Found(kind, name, address, lambda: device)


WEBCAM = camera(COLOUR, "Integrated Camera", "/dev/video0")
LEFT = camera(COLOUR, "USB Camera", "/dev/v4l/by-id/usb-left")
RIGHT = camera(COLOUR, "USB Camera", "/dev/v4l/by-id/usb-right")
BIG = camera(COLOUR, "USB Camera Pro", "/dev/v4l/by-id/usb-pro")
LEPTON = camera(THERMAL, "PureThermal", "/dev/video2")
REAL_COLOUR, REAL_DEPTH = (camera(kind, "RealSense D435", "realsense:42") for kind in (COLOUR, DEPTH))
EVERY = [WEBCAM, LEFT, RIGHT, BIG, LEPTON, REAL_COLOUR, REAL_DEPTH]


@pytest.mark.parametrize(
    ("kind", "name", "one"),
    [
        (COLOUR, "integrated", WEBCAM),
        (COLOUR, "/dev/video0", WEBCAM),
        (COLOUR, "usb-left", LEFT),
        (COLOUR, "PRO", BIG),
        (COLOUR, "realsense:42", REAL_COLOUR),
        (DEPTH, "realsense", REAL_DEPTH),
        (THERMAL, None, LEPTON),
    ],
)
def test_a_part_of_name_or_address_is_enough_in_any_case(kind: str, name: str | None, one: Found) -> None:
    assert meant(EVERY, kind=kind, name=name) is one


def test_a_whole_name_goes_before_one_that_begins_like_it() -> None:
    assert meant([LEFT, BIG], kind=COLOUR, name="usb camera") is LEFT


def test_several_that_fit_are_named_and_none_is_taken() -> None:
    with pytest.raises(InputError, match=r"fits 2 cameras .*usb-left, .*usb-right"):
        meant([WEBCAM, LEFT, RIGHT], kind=COLOUR, name="usb camera")
    with pytest.raises(InputError, match=r"2 colour cameras are connected .*say which with --colour"):
        meant([LEFT, RIGHT, LEPTON], kind=COLOUR, name=None)


def test_one_that_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(
        InputError, match=r"--thermal boson fits no thermal camera .*PureThermal at /dev/video2"
    ):
        meant(EVERY, kind=THERMAL, name="boson")
    with pytest.raises(InputError, match="none is connected"):
        meant([WEBCAM], kind=DEPTH, name="realsense")
    assert meant([WEBCAM], kind=DEPTH, name=None) is None


def test_a_camera_that_its_own_library_sees_is_listed_once() -> None:
    plain = camera(COLOUR, "Intel(R) RealSense(TM) Depth Camera", "/dev/video4")
    assert each_once([WEBCAM, plain], [REAL_COLOUR, REAL_DEPTH]) == [WEBCAM, REAL_COLOUR, REAL_DEPTH]
    assert each_once([WEBCAM, plain], []) == [WEBCAM, plain]


# --- what a rig takes of them -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rig(calf: Path) -> Rig:
    found, _ = read_rig((calf / "rig.toml").read_text(), where="rig.toml")
    assert found.depth is not None
    return found


def names(**given: str) -> dict[str, str | None]:
    return {kind: given.get(kind) for kind in (COLOUR, THERMAL, DEPTH)}


def test_a_rig_takes_one_of_each_kind_that_it_has(rig: Rig) -> None:
    found = devices_of(rig, thermal=True, names=names(colour="realsense"), found=EVERY)
    assert [(device.kind, device.name) for device in found] == [
        (COLOUR, "RealSense D435"), (THERMAL, "PureThermal"), (DEPTH, "RealSense D435"),
    ]  # fmt: skip
    without = devices_of(rig, thermal=False, names=names(), found=[WEBCAM, LEPTON])
    assert [device.kind for device in without] == [COLOUR]


def test_what_is_missing_is_told_and_depth_may_be(rig: Rig) -> None:
    with pytest.raises(InputError, match="No colour camera"):
        devices_of(rig, thermal=True, names=names(), found=[LEPTON])
    with pytest.raises(InputError, match="--no-thermal"):
        devices_of(rig, thermal=True, names=names(), found=[WEBCAM])
    with pytest.raises(InputError, match="not wanted"):
        devices_of(rig, thermal=False, names=names(thermal="pure"), found=[WEBCAM, LEPTON])
    with pytest.raises(InputError, match="fits no depth camera"):
        devices_of(rig, thermal=True, names=names(depth="oak"), found=[WEBCAM, LEPTON, REAL_DEPTH])


def test_pictures_are_wanted_as_the_rig_was_calibrated(rig: Rig) -> None:
    wanted, depth = wanted_by(rig), rig.depth
    assert depth is not None
    assert wanted.colour_px == (rig.rgb.width_px, rig.rgb.height_px)
    assert wanted.depth_px == (depth.camera.width_px, depth.camera.height_px)
    assert not wanted.depth_as_colour
    over_colour = replace(rig, depth=DepthCamera(rig.rgb, Pose(np.eye(4))))
    assert wanted_by(over_colour).depth_as_colour
