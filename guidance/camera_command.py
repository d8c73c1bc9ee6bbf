"""The cameras of this computer, opened for a live session."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from guidance.camera_room import CameraRoom
from guidance.console_choice import Choice, Choices
from guidance.console_desk import Check
from guidance.console_serve import Prepare
from guidance.console_session import Course
from guidance.pipeline import see_nozzle
from guidance.simulate import setup_of
from guidance.state import Setup, begin
from guidance.warm_up import warm_up
from models.catalogue import load_devices, load_protocols, load_zones
from models.contraindications import Questions
from models.problems import InputError
from models.rig import Rig
from models.rig_checked import CHECK_FILE
from models.rig_file import read_rig
from vision.cameras import COLOUR, THERMAL, Device
from vision.connected import Connected, connected, driver_of
from vision.files import sha256_of
from vision.landmarks import BodyEyes
from vision.live_cameras import LiveCameras
from vision.synthetic import captures
from vision.synthetic_scene import Scene
from vision.uvc import UvcColour

DRAWN = 4
"""Pictures of a simulated nozzle that are looked at beforehand: its motion is judged from the second on."""


def camera_room(
    stack: ExitStack,
    rig_file: Path,
    *,
    thermal: bool,
    listed: Questions,
    protocols: Path | None,
    models_dir: Path | None,
    checks: tuple[Check, ...],
    course: Course | None = None,
    go_on: Callable[[Setup], Setup] | None = None,
    found: Callable[[], list[Connected]] = connected,
    driver: Callable[[Connected], Device] = driver_of,
) -> tuple[CameraRoom, Prepare]:
    """Open what is connected.

    Args:
        stack: Closes cameras and models.
        rig_file: The calibration.
        thermal: Whether a thermal camera is wanted, where the rig has one.
        listed: All questions before the gas.
        protocols: The user's own protocols.
        models_dir: The user's own landmark models.
        checks: What was looked at before.
        course: Where the treatment stands when the console opens.
        go_on: Takes over what an interrupted session hands on.
        found: Lists cameras; only tests give another.
        driver: Gives the driver of one; only tests give another.

    Returns:
        The room, and what is to be done before its first capture.

    Raises:
        InputError: If the rig cannot be read, or a camera of it is not connected.
    """
    try:
        text = rig_file.read_bytes()
        rig, left_out = read_rig(text.decode("utf-8"), where=str(rig_file))
    except (OSError, UnicodeDecodeError) as trouble:
        raise InputError(f"{rig_file} cannot be read ({trouble}); give your rig.toml.") from trouble
    devices = _devices(rig, thermal=thermal, found=[(camera, driver(camera)) for camera in found()])
    choices = Choices(load_zones(), load_devices(), load_protocols(protocols))
    eyes = stack.enter_context(BodyEyes(models_dir=models_dir))
    cameras = stack.enter_context(LiveCameras(devices))
    room = CameraRoom(
        cameras,
        rig=rig,
        rig_text=text,
        rig_sha256=sha256_of(rig_file),
        rig_check=_beside(rig_file),
        choices=choices,
        listed=listed,
        protocols=protocols,
        eyes=eyes,
        models_sha256=eyes.bundle_sha256,
        checks=(*checks, *(Check("Rig", "look", words) for words in left_out)),
        course=course,
        go_on=go_on,
    )
    return room, lambda tell: get_ready(room, tell)


def get_ready(room: CameraRoom, tell: Callable[[int, int], None]) -> None:
    """Compile the skin's stages and the nozzle's; what is treated does not matter for that."""
    protocol = next(iter(room.choices.protocols.values()))
    zone = next(z for z in room.choices.zones.values() if not z.face)
    choice = Choice(zone.name, zone.sides[0], protocol.device, protocol.name)
    setup = room.stage(Course(choice=choice)).setup
    warm_up(setup, on_progress=lambda done, of: tell(done, of + DRAWN))
    scene, state = Scene(seconds=1.0), begin()
    stated = setup_of(scene)
    for number, (capture, _) in enumerate(islice(captures(scene), DRAWN), 1):
        state = see_nozzle(state, capture, stated)
        tell(100 - DRAWN + number, 100)


def _devices(rig: Rig, *, thermal: bool, found: list[tuple[Connected, Device]]) -> list[Device]:
    """The first camera of each kind that the rig has."""
    by_kind: dict[str, tuple[Connected, Device]] = {}
    for camera, device in found:
        by_kind.setdefault(device.kind, (camera, device))
    if COLOUR not in by_kind:
        raise InputError(
            "No colour camera is connected: plug it in (`cryoguide devices` lists what there is)."
        )
    camera, device = by_kind[COLOUR]
    if isinstance(device, UvcColour):
        device = UvcColour(
            camera.address,
            name=camera.name,
            width_px=rig.rgb.width_px,  # as it was calibrated
            height_px=rig.rgb.height_px,
            hz=device.hz,
        )
    devices: list[Device] = [device]
    if rig.thermal is not None and thermal:
        if THERMAL not in by_kind:
            raise InputError(
                "The rig's thermal camera is not connected: plug it in, or go without it (--no-thermal):"
                " temperature is then not guarded."
            )
        devices.append(by_kind[THERMAL][1])
    return devices


def _beside(rig_file: Path) -> bytes | None:
    """The last quick check of a rig, None where there was none."""
    try:
        return rig_file.with_name(CHECK_FILE).read_bytes()
    except OSError:
        return None
