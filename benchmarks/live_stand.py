"""A live session with nothing left out but the hardware: cameras, guidance, recording, server, pages.

The cameras are stand-ins: they play a recorded session there and back, and can fail as real ones do. Pages
are processes of their own, so that what they take is no part of the server's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from guidance.camera_command import get_ready
from guidance.live.loop import Stepped
from guidance.treatment.camera_room import CameraRoom, Offered, RigOnDisk
from guidance.treatment.choice import Choices
from guidance.treatment.recording import LiveRecording
from models.catalogue import load_devices, load_protocols, load_questions, load_zones
from models.geometry import Bytes, Counts
from models.rig import Rig
from models.treatment import Tap
from tests.guidance.to_running import to_start
from tests.recorded_device import RecordedDevice, devices_of
from tests.served_console import CALF, Running, Screen, serving
from vision.cameras import COLOUR, DEPTH, THERMAL, Device, Picture
from vision.live_cameras import LiveCameras
from vision.recording import open_recording

HZ = {COLOUR: 30.0, THERMAL: 25.0, DEPTH: 5.0}
BEFORE_GAS = 12
"""Captures of the session before its gas: what they show is no reason for an alarm, however often."""
CONTROLLER = "a" * 32


@dataclass(eq=False)
class FailingDevice:
    """A stand-in camera that fails as it is told."""

    device: RecordedDevice
    shift_s: float = 0.0
    """Its stamps are off by this."""
    stuck: bool = False
    """It repeats the last picture."""
    quiet: threading.Event = field(default_factory=threading.Event)
    """Set: it gives nothing, and hangs."""
    _last: Bytes | Counts | None = None

    @property
    def name(self) -> str:
        """Of the stand-in."""
        return self.device.name

    @property
    def kind(self) -> str:
        """Of the stand-in."""
        return self.device.kind

    @property
    def hz(self) -> float:
        """Of the stand-in."""
        return self.device.hz

    def open(self) -> None:
        """As the stand-in does."""
        self.device.open()

    def close(self) -> None:
        """As the stand-in does."""
        self.device.close()

    def read(self) -> Picture:
        """The next picture, as wrong as it is to be."""
        picture = self.device.read()
        while self.quiet.is_set():
            time.sleep(0.005)
            picture = self.device.read()
        if self.stuck and self._last is not None:
            picture = replace(picture, pixels=self._last)
        self._last = picture.pixels
        return replace(picture, at_s=picture.at_s + self.shift_s)


@dataclass(frozen=True, eq=False)
class Played:
    """What the cameras of a session show, and with what."""

    devices: dict[str, RecordedDevice]
    """By kind."""
    rig: Rig
    rig_text: bytes
    taps: tuple[Tap, ...]
    """The zone's outline, of a calf treated with CO2."""
    began_s: float = 0.0
    """When its first picture was due, on the clock of `time.monotonic`."""


def beginning_of(session: Path, *, captures: int) -> Played:
    """The beginning of a recorded session, there and back."""
    recording = open_recording(session)
    assert recording.rig is not None, "the session needs a rig"
    return Played(
        devices={
            kind: replace(device, hz=HZ[kind])
            for kind, device in devices_of(session, captures=captures, hz=1.0).items()
            if len(device.pictures) > 1
        },
        rig=recording.rig,
        rig_text=(session / "rig.toml").read_bytes(),
        taps=recording.treatment.taps,
    )


@dataclass(eq=False)
class Stand:
    """A live session that runs."""

    server: Running
    devices: dict[str, FailingDevice]
    recording: Path
    disk: Path | None = None
    """The recording's own disk, which may be filled."""
    t_s: array[float] = field(default_factory=lambda: array("d"))
    """Session time of each step that had a colour picture."""
    arrived_s: array[float] = field(default_factory=lambda: array("d"))
    """When its capture was there."""
    left_out: int = 0
    """Pictures that no step saw."""

    def say(self, *said: str) -> None:
        """What whoever has control taps, one after the other."""
        with Screen(self.server, CONTROLLER, draws=False) as screen:
            for do in said:
                screen.say(do)
                screen.hear_until(lambda: bool(screen.state))


@contextmanager
def standing(
    folder: Path,
    *,
    captures: int = BEFORE_GAS,
    played: Played | None = None,
    gas: bool = False,
    record: Path | None = None,
    prepare: Callable[[], None] = lambda: None,
) -> Iterator[Stand]:
    """A session under way, no gas flowing unless asked for.

    Args:
        folder: For recording and report.
        captures: So many from the beginning of the calf's session are played.
        played: Played instead.
        gas: Whether gas counts as flowing.
        record: The recording's folder where it is another one.
        prepare: Done before the cameras start.
    """
    played = played or beginning_of(CALF, captures=captures)
    devices = {kind: FailingDevice(device) for kind, device in played.devices.items()}
    path = (record or folder) / "live.mcap"
    with ExitStack() as stack:
        room = room_of(stack, list(devices.values()), played)
        server = stack.enter_context(
            serving(
                room,
                out=folder / "report",
                record=lambda staged: LiveRecording(path, staged),
                prepare=lambda tell: (prepare(), get_ready(room, tell))[0],
            )
        )
        stand = Stand(server, devices, path)
        watch(stand)
        with Screen(server, CONTROLLER, draws=False) as screen:
            to_start(screen)
            if not gas:
                screen.say("gas_off")
                screen.until(gas_counts=False)
        yield stand


def room_of(stack: ExitStack, devices: list[Device], played: Played) -> CameraRoom:
    """Cameras and what can be treated, the zone's outline being known."""
    cameras = stack.enter_context(LiveCameras(devices))
    return CameraRoom(
        cameras,
        rig=RigOnDisk(played.rig, played.rig_text, sha256(played.rig_text).hexdigest()),
        offered=Offered(Choices(load_zones(), load_devices(), load_protocols()), load_questions()),
        taps=played.taps,
    )


def watch(stand: Stand) -> None:
    """Note every step from now on, as the server is told of it."""
    console = stand.server.served.console
    tell = console.stepped

    def noted(stepped: Stepped) -> None:
        if stepped.capture.bgr is not None and (not stand.t_s or stand.t_s[-1] < stepped.guidance.t_s):
            stand.t_s.append(stepped.guidance.t_s)
            stand.arrived_s.append(stepped.arrived_s)
        stand.left_out = stepped.left_out
        tell(stepped)

    console.stepped = noted


@dataclass(eq=False)
class LookingPage:
    """A page that looks on, in its own process."""

    process: subprocess.Popen[bytes]
    file: Path

    def heard(self) -> list[dict[str, Any]]:
        """What it was told so far, oldest first."""
        lines = self.file.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]


def ways_s(stand: Stand, heard: list[dict[str, Any]]) -> list[float]:
    """From each capture's arrival to the word about it (what sounds, which alarms stand) at a page, s."""
    arrived_s = dict(zip(stand.t_s, stand.arrived_s, strict=True))
    first_s: dict[float, float] = {}
    for note in heard:
        if note["kind"] == "word" and note["t_s"] in arrived_s:
            first_s.setdefault(note["t_s"], note["at_s"])
    return [at_s - arrived_s[t_s] for t_s, at_s in first_s.items()]


@contextmanager
def beside(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A module of Python run as a process of its own; it ends with the block."""
    process = subprocess.Popen([sys.executable, "-m", *command])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10.0)


@contextmanager
def looking(stand: Stand, file: Path, *, name: str, draws_s: float = 0.0) -> Iterator[LookingPage]:
    """A page that looks on; it ends with the block."""
    with beside("benchmarks.live_page", stand.server.host, name, str(file), str(draws_s)) as process:
        until(lambda: file.exists() and file.stat().st_size > 0, within_s=20.0)
        yield LookingPage(process, file)


def until(holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: If it does not in time.
    """
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            raise TimeoutError("It did not come in time.")
        time.sleep(0.05)
