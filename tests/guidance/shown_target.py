"""Stand-in cameras before which the target is held, and a console beside them. No hardware is in it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self
from unittest.mock import patch

from guidance.calibrating.quick_check import looks
from guidance.camera_command import camera_room
from models.catalogue import load_questions
from models.geometry import Bytes, Counts
from models.rig import Rig
from models.rig_checked import CHECK_FILE
from models.rig_file import write_rig
from tests.calibration.check_scenes import POSES, SECONDS_A_POSE, board_session
from tests.served_console import Running, serving
from tests.timed_device import Start, TimedDevice, finder, unlike
from vision.cameras import COLOUR, THERMAL
from vision.recording import open_recording

COLOUR_HZ, THERMAL_HZ = 12.0, 9.0
LASTS_S = 120.0


def shown(folder: Path, real: Rig, stated: Rig) -> tuple[list[Bytes], list[Counts]]:
    """One colour and one thermal picture of each pose, from a drawn session."""
    colour: list[Bytes] = []
    thermal: list[Counts] = []
    for capture in open_recording(board_session(folder, real, stated)).captures():
        pose = int(capture.t_s / SECONDS_A_POSE + 0.5 / COLOUR_HZ)
        inside = 0.3 < capture.t_s - SECONDS_A_POSE * pose < SECONDS_A_POSE - 0.3
        if inside and capture.bgr is not None and len(colour) == pose:
            colour.append(capture.bgr)
        if inside and capture.thermal and len(thermal) == pose:
            thermal.append(capture.thermal[-1].centikelvin)
    assert len(colour) == len(thermal) == len(POSES)
    return colour, thermal


def held_up(colour: list[Bytes], thermal: list[Counts]) -> tuple[TimedDevice, TimedDevice]:
    """Cameras that see one pose after the other, over and over."""
    start = Start()

    def at(pictures: list[Bytes] | list[Counts], hz: float, k: int) -> Bytes | Counts:
        return unlike(pictures[int(k / hz / SECONDS_A_POSE) % len(pictures)], k)

    return (
        TimedDevice(COLOUR, [k / COLOUR_HZ for k in range(int(LASTS_S * COLOUR_HZ))],
                    partial(at, colour, COLOUR_HZ), start, hz=COLOUR_HZ),
        TimedDevice(THERMAL, [k / THERMAL_HZ for k in range(int(LASTS_S * THERMAL_HZ))],
                    partial(at, thermal, THERMAL_HZ), start, hz=THERMAL_HZ),
    )  # fmt: skip


class NoEyes:
    """Nobody is looked for before the first page is turned."""

    bundle_sha256 = None

    def __init__(self, *, models_dir: Path | None) -> None:
        assert models_dir is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TargetPlace:
    """A console in preflight, its cameras and check as the command opens them; its rig lies in a folder."""

    def __init__(self, folder: Path, stack: ExitStack, *, real: Rig, stated: Rig) -> None:
        self.rig_file = folder / "rig.toml"
        self.rig_file.write_text(write_rig(stated))
        devices = held_up(*shown(folder / "drawn", real, stated))
        stack.enter_context(patch("guidance.camera_command.BodyEyes", NoEyes))
        self.room, _ = camera_room(
            stack,
            self.rig_file,
            thermal=True,
            listed=load_questions(),
            protocols=None,
            models_dir=None,
            checks=(),
            look=looks(),
            found=finder(*devices),
        )
        self.server: Running = stack.enter_context(serving(self.room, out=folder / "report"))

    @property
    def check(self) -> bytes | None:
        """The file of the last check."""
        path = self.rig_file.with_name(CHECK_FILE)
        return path.read_bytes() if path.exists() else None
