"""The cameras of this computer, opened for a live session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from guidance.console.preparing import Prepare
from guidance.pipeline import see_nozzle
from guidance.simulate import setup_of
from guidance.stages.state import Setup, begin
from guidance.treatment.camera_room import CameraRoom, Offered, RigOnDisk
from guidance.treatment.choice import Choice, Choices
from guidance.treatment.course import Course
from guidance.treatment.preflight import Check
from guidance.treatment.rig_checking import Look
from guidance.warm_up import warm_up
from models.catalogue import load_devices, load_protocols, load_zones
from models.contraindications import Questions
from models.problems import InputError
from models.rig import Rig
from models.rig_checked import CHECK_FILE
from models.rig_file import read_rig
from models.treatment import Reference
from models.treatment_file import check_reference
from vision.cameras import COLOUR, DEPTH, THERMAL, Device
from vision.every_camera import Finder, Found, Wanted, every_camera, meant
from vision.files import sha256_of
from vision.gas_input import GasInput
from vision.gas_named import gas_device
from vision.landmarks import BodyEyes
from vision.live_cameras import LiveCameras
from vision.synthetic import captures
from vision.synthetic_scene import Scene
from vision.uvc_lepton import UvcLepton

DRAWN = 4
"""Pictures of a simulated nozzle that are looked at beforehand: its motion is judged from the second on."""
NO_NAMES: Mapping[str, str | None] = {}
"""No camera is named: there is one of each kind."""
NewLook = Callable[[Path, str, frozenset[str]], Look]
"""Makes a quick check: of a rig file, if it still has this checksum, with cameras of these kinds."""


def camera_room(
    stack: ExitStack,
    rig_file: Path,
    *,
    thermal: bool,
    names: Mapping[str, str | None] = NO_NAMES,
    gas: str | None = None,
    listed: Questions,
    protocols: Path | None,
    models_dir: Path | None,
    checks: tuple[Check, ...],
    course: Course | None = None,
    go_on: Callable[[Setup], Setup] | None = None,
    look: NewLook | None = None,
    references: tuple[Reference, ...] = (),
    found: Finder = every_camera,
) -> tuple[CameraRoom, Prepare]:
    """Open what is connected.

    Args:
        stack: Closes cameras and models.
        rig_file: The calibration.
        thermal: Whether a thermal camera is wanted, where the rig has one.
        names: Which camera of each kind is meant, among several.
        gas: Switch or valve that says whether gas flows, see `vision.gas_named`.
        listed: All questions before the gas.
        protocols: The user's own protocols.
        models_dir: The user's own landmark models.
        checks: What was looked at before.
        course: Where the treatment stands when the console opens.
        go_on: Takes over what an interrupted session hands on.
        look: Makes a quick check of a rig file with cameras of these kinds; None = it cannot be checked here.
        references: Of known temperature in the cameras' pictures.
        found: Lists cameras; only tests give another.

    Returns:
        The room, and what is to be done before its first capture.

    Raises:
        InputError: If the rig cannot be read, a camera of it is not connected, which is meant is not clear,
            the gas input is none, or a reference lies outside its picture.
    """
    try:
        text = rig_file.read_bytes()
        rig, left_out = read_rig(text.decode("utf-8"), where=str(rig_file))
    except (OSError, UnicodeDecodeError) as trouble:
        raise InputError(f"{rig_file} cannot be read ({trouble}); give your rig.toml.") from trouble
    _inside(references, rig)
    named = gas_device(gas) if gas is not None else None
    devices = devices_of(rig, thermal=thermal, names=names, found=found(wanted_by(rig)))
    choices = Choices(load_zones(), load_devices(), load_protocols(protocols))
    eyes = stack.enter_context(BodyEyes(models_dir=models_dir))
    cameras = stack.enter_context(LiveCameras(devices))
    source = stack.enter_context(GasInput(named.device, off_after_s=named.off_after_s)) if named else None
    if rig.depth is not None and all(device.kind != DEPTH for device in devices):
        left_out = (*left_out, "its depth camera is not connected: the skin is found without it")
    if references and all(device.kind != THERMAL for device in devices):
        references = ()
        left_out = (*left_out, "its thermal camera is not used: the references are of no use")
    sha256, kinds = sha256_of(rig_file), frozenset(device.kind for device in devices)
    room = CameraRoom(
        cameras,
        rig=RigOnDisk(rig, text, sha256, rig_file, lambda: _beside(rig_file)),
        offered=Offered(choices, listed, protocols),
        eyes=eyes,
        models_sha256=eyes.bundle_sha256,
        checks=(*checks, *(Check("Rig", "look", words) for words in left_out)),
        course=course,
        go_on=go_on,
        gas=source,
        references=references,
        look=None if look is None else partial(look, rig_file, sha256, kinds),
    )
    if room.rig_checking is not None:
        stack.callback(room.rig_checking.close)
    return room, lambda tell: get_ready(room, tell)


def _inside(references: tuple[Reference, ...], rig: Rig) -> None:
    """Refuse references outside the pictures of a rig's cameras."""
    colour_px = (rig.rgb.width_px, rig.rgb.height_px)
    thermal = rig.thermal.camera if rig.thermal else None
    for number, reference in enumerate(references, 1):
        size_px = (
            colour_px
            if reference.stream == "rgb" or thermal is None
            else (thermal.width_px, thermal.height_px)
        )
        check_reference(reference, size_px, number=number, where="--references")


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


def wanted_by(rig: Rig) -> Wanted:
    """What pictures must be like for a rig."""
    depth = rig.depth
    if depth is None:
        return Wanted((rig.rgb.width_px, rig.rgb.height_px))
    own, colour = depth.camera, rig.rgb
    as_colour = (
        np.array_equal(depth.depth_from_rgb.matrix, np.eye(4))
        and (own.width_px, own.height_px) == (colour.width_px, colour.height_px)
        and np.array_equal(own.matrix, colour.matrix)
    )
    return Wanted((colour.width_px, colour.height_px), (own.width_px, own.height_px), as_colour)


def devices_of(
    rig: Rig, *, thermal: bool, names: Mapping[str, str | None], found: Sequence[Found]
) -> list[Device]:
    """The cameras of a rig among those that are connected.

    Args:
        rig: Its depth camera may be missing, its other cameras may not.
        thermal: Whether the thermal one is wanted.
        names: Which of each kind is meant, among several.
        found: What is connected.

    Raises:
        InputError: If one is missing, or which is meant is not clear.
    """
    colour = meant(found, kind=COLOUR, name=names.get(COLOUR))
    if colour is None:
        raise InputError(
            "No colour camera is connected: plug it in (`cryoguide devices` lists what there is)."
        )
    devices = [colour.make()]
    if rig.thermal is not None and thermal:
        there = meant(found, kind=THERMAL, name=names.get(THERMAL))
        if there is None:
            raise InputError(
                "The rig's thermal camera is not connected: plug it in, or go without it (--no-thermal):"
                " temperature is then not guarded."
            )
        device = there.make()
        if isinstance(device, UvcLepton):
            device.emissivity = rig.thermal.emissivity
        devices.append(device)
    elif names.get(THERMAL):
        raise InputError("--thermal names a camera that is not wanted: this rig has none, or --no-thermal.")
    if rig.depth is not None:
        there = meant(found, kind=DEPTH, name=names.get(DEPTH))
        if there is not None:
            devices.append(there.make())
    elif names.get(DEPTH):
        raise InputError(
            "--depth names a camera, but this rig has no [depth]: calibrate it, or leave it out."
        )
    return devices


def _beside(rig_file: Path) -> bytes | None:
    """The last quick check of a rig, None where there was none."""
    try:
        return rig_file.with_name(CHECK_FILE).read_bytes()
    except OSError:
        return None
