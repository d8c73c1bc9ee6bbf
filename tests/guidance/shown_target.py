"""Stand-in cameras before which the target is held, and a console beside them. No hardware is in it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from guidance.calibrating.quick_check import looks
from guidance.treatment.camera_room import CameraRoom
from guidance.treatment.choice import Choices
from models.catalogue import load_devices, load_protocols, load_questions, load_zones
from models.geometry import Bytes, Counts
from models.rig import Rig
from models.rig_checked import CHECK_FILE
from models.rig_file import read_rig, write_rig
from tests.calibration.check_scenes import POSES, SECONDS_A_POSE, board_session
from tests.served_console import Running, serving
from tests.timed_device import Start, TimedDevice, unlike
from vision.cameras import COLOUR, THERMAL
from vision.files import sha256_of
from vision.live_cameras import LiveCameras
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


class TargetPlace:
    """A console in preflight; its rig lies in a folder of its own."""

    def __init__(self, folder: Path, stack: ExitStack, *, real: Rig, stated: Rig) -> None:
        self.rig_file = folder / "rig.toml"
        self.rig_file.write_text(write_rig(stated))
        rig, _ = read_rig(self.rig_file.read_text(), where="rig.toml")
        self.devices = held_up(*shown(folder / "drawn", real, stated))
        cameras = stack.enter_context(LiveCameras(self.devices))
        sha256 = sha256_of(self.rig_file)
        self.room = CameraRoom(
            cameras,
            rig=rig,
            rig_text=self.rig_file.read_bytes(),
            rig_sha256=sha256,
            rig_check=lambda: self.check,
            rig_file=self.rig_file,
            choices=Choices(load_zones(), load_devices(), load_protocols()),
            listed=load_questions(),
            look=partial(looks(), self.rig_file, sha256, frozenset((COLOUR, THERMAL))),
        )
        assert self.room.rig_checking is not None
        stack.callback(self.room.rig_checking.close)
        self.server: Running = stack.enter_context(serving(self.room, out=folder / "report"))

    @property
    def check(self) -> bytes | None:
        """The file of the last check."""
        path = self.rig_file.with_name(CHECK_FILE)
        return path.read_bytes() if path.exists() else None
