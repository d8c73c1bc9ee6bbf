"""A console beside cameras that are none: they play a recorded session, whose zone was tapped."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from guidance.camera_command import get_ready
from guidance.live_command import goes_on
from guidance.treatment.camera_room import CameraRoom, Offered, RigOnDisk
from guidance.treatment.choice import Choices
from guidance.treatment.recording import LiveRecording
from guidance.treatment.resume import Interrupted
from models.catalogue import load_devices, load_protocols, load_questions, load_zones
from tests.held_switch import HeldSwitch
from tests.recorded_device import RecordedDevice, devices_of
from tests.served_console import CALF, Running, serving
from vision.files import sha256_of
from vision.gas_input import GasInput
from vision.live_cameras import LiveCameras
from vision.recording import open_recording

HZ = 12.0
TREATED, UNTREATED = 60, 10
"""Captures that the stand-ins play: from 0.8 s on gas flows in them and cools the skin that they show."""


class Place:
    """Stand-in cameras, and a console beside them."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        *,
        before: Interrupted | None = None,
        switch: HeldSwitch | None = None,
        history: Path | None = None,
        captures: int = TREATED,
    ) -> None:
        self.devices = devices_of(CALF, captures=captures, hz=HZ)
        recording = open_recording(CALF)
        assert recording.rig is not None
        cameras = stack.enter_context(LiveCameras(list(self.devices.values())))
        gas = stack.enter_context(GasInput(switch)) if switch is not None else None
        room = CameraRoom(
            cameras,
            rig=RigOnDisk(recording.rig, (CALF / "rig.toml").read_bytes(), sha256_of(CALF / "rig.toml")),
            offered=Offered(Choices(load_zones(), load_devices(), load_protocols()), load_questions()),
            taps=recording.treatment.taps,
            course=before.course if before is not None else None,
            go_on=goes_on(before, shut=True),
            gas=gas,
        )
        self.path = folder / "a.mcap"
        self.server: Running = stack.enter_context(
            serving(
                room,
                out=folder / "report",
                record=lambda staged: LiveRecording(self.path, staged),
                prepare=lambda tell: get_ready(room, tell),
                history=history,
            )
        )

    def device(self, kind: str) -> RecordedDevice:
        return self.devices[kind]
