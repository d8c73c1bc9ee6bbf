"""``cryoguide calibrate live``: the guided calibration with its page, from cameras or recorded pictures."""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from calibration.all_command import wanted_of
from calibration.folder_steps import FOLDERS, holds_steps
from calibration.guided_run import IDLE_S
from calibration.kept_sitting import folder_beside
from calibration.pictures import picture_files
from calibration.recorded_plan import GUIDED, SITTING, STEPS
from calibration.scale import scale_of
from guidance.calibrating.answering import await_cameras
from guidance.calibrating.console import CalibrationConsole
from guidance.calibrating.held_gas import HeldGas
from guidance.calibrating.room import CalibrationRoom
from guidance.calibrating.supply import GasButton, Pictures, Supply
from guidance.console.server import listen, serve
from guidance.treatment.gas_from_input import GasFromInput
from models.capture import Capture, ThermalPicture
from models.geometry import Bytes, Counts
from models.problems import InputError
from models.rig import Rig
from vision.cameras import COLOUR, DEPTH, THERMAL, Device
from vision.connected import Connected, connected, driver_of
from vision.every_camera import Wanted, every_camera, meant
from vision.gas_input import GasInput
from vision.gas_named import gas_device
from vision.live_cameras import LiveCameras
from vision.put_files import surely_written
from vision.source import open_source

HELD_S, HELD_TICK_S = 0.8, 0.2
"""A picture of a folder is shown as if the board were held for so long."""
TURNED_S = 0.25
"""So long one of a nozzle is shown; by the clock of the run a second lies between them."""


def calibrate_live(
    options: argparse.Namespace, *, on_ready: Callable[[str], None], speed: float = 1.0
) -> None:
    """Serve the page until the process is told to end.

    Args:
        options: As `calibration.guided_options` reads them.
        on_ready: Told the page's address once it is there.
        speed: Of a replay, against the clock.

    Raises:
        InputError: If cameras, recording or rig cannot be used.
    """
    with contextlib.ExitStack() as stack:
        room = room_of(options, stack, speed=speed)
        listening = stack.enter_context(listen(options.port))
        console = CalibrationConsole(room, note=print)
        serve(console, listening, on_ready=on_ready)


def room_of(
    options: argparse.Namespace,
    stack: contextlib.ExitStack,
    *,
    speed: float = 1.0,
    stand_ins: tuple[Pictures, tuple[str, ...]] | None = None,
) -> CalibrationRoom:
    """What runs behind the page.

    Args:
        options: See `calibrate_live`.
        stack: Closes the cameras.
        speed: Of a replay, against the clock.
        stand_ins: Pictures and kinds of cameras in place of those that are connected, for a simulation; they
            wait until each was looked at.

    Raises:
        InputError: See `calibrate_live`.
    """
    scale = None
    if options.measured_mm is not None:
        scale = scale_of(options.measured_mm, insist=options.insist)
    named, replay = cast("tuple[str, ...] | None", options.steps), cast("Path | None", options.replay)
    if replay is not None and (options.rgb or options.thermal or options.depth or options.gas):
        raise InputError("Give cameras (--rgb, --thermal, --depth, --gas) or --replay, not both.")
    if named is None:
        options.steps = SITTING if replay is None else GUIDED
    target = cast("Path | None", options.out) or cast("Path | None", options.rig) or Path("rig.toml")
    if options.keep is None:
        options.keep = folder_beside(target, now=datetime.now(UTC), go_on=replay is None)
    surely_written(target)  # not only after a sitting of minutes
    source = options.rig if options.rig is not None and not target.exists() else target
    known = named is None and replay is None and source.exists()
    held, gas = HeldGas(), None
    times_by: Rig | None = None
    if replay is not None:
        pictures, cameras, times_by = _replay(replay, speed)
    elif stand_ins is not None:
        pictures, cameras = stand_ins
    else:
        named_gas = gas_device(options.gas) if options.gas is not None else None
        pictures, cameras = _cameras(options, stack, lambda: gas or held, needed=named or ("rgb",))
        if named_gas is not None:
            source = GasInput(named_gas.device, off_after_s=named_gas.off_after_s)
            gas = GasFromInput(stack.enter_context(source))
    return CalibrationRoom(
        Supply(
            pictures,
            cameras,
            recorded=replay is not None,
            hurries=replay is None and stand_ins is None,
            times_by=times_by,
        ),
        lambda found: wanted_of(options, scale=found),
        scale=scale,
        choose=known,
        gas=GasButton(replay is None and options.gas is None, held.flows, held.lost),
    )


def _replay(source: Path, speed: float) -> tuple[Pictures, tuple[str, ...], Rig | None]:
    """What is played, which cameras are in it, and by which rig its times were worked out."""
    if not source.exists():
        raise InputError(f"{source} is not there; give a folder of pictures or a recording.")
    if source.is_dir() and not holds_steps(source) and not (source / "session.toml").exists():
        raise InputError(
            f"{source} holds no pictures for a step; give a folder with rgb/, pairs/colour/, pairs/thermal/,"
            " collar/ or tip/, or a recording."
        )
    if holds_steps(source):
        rig, cameras, make = None, (COLOUR, THERMAL), partial(folder_captures, source)
    else:
        opened = open_source(source)
        rig, make = opened.rig, opened.captures
        has = ((COLOUR, opened.frames > 0), (THERMAL, opened.has_thermal), (DEPTH, opened.has_depth))
        cameras = tuple(kind for kind, there in has if there)

    def pictures(stop: threading.Event) -> Iterator[Capture]:
        last_s, shown_s = 0.0, time.monotonic()
        for capture in make():
            step_s = TURNED_S if capture.t_s - last_s >= 1.0 else max(capture.t_s - last_s, 0.0)
            last_s = capture.t_s
            if stop.wait(max(0.0, shown_s + step_s / speed - time.monotonic())):
                return
            shown_s = time.monotonic()  # what is being solved meanwhile does not make the rest hurry
            yield capture

    return pictures, cameras, rig


def folder_captures(folder: Path) -> Iterator[Capture]:
    """Pictures of a folder laid out for the steps, as captures; see `folder_pictures`."""
    for k, (t_s, bgr, thermal) in enumerate(folder_pictures(folder)):
        warm = () if thermal is None else (ThermalPicture(t_s, thermal, False),)
        yield Capture(t_s, k, bgr, warm, (), 0.0, False)


def folder_pictures(folder: Path) -> Iterator[tuple[float, Bytes, Counts | None]]:
    """Pictures of a folder laid out for the steps, each as if it were held before the camera.

    Args:
        folder: With ``rgb/``, ``pairs/``, ``collar/`` and ``tip/``, as far as they are there.
    """
    t_s, turned = 0.0, None
    for name, place in FOLDERS.items():
        where = folder / place / ("colour" if name == "thermal" else "")
        if not where.is_dir():
            continue
        try:
            files = picture_files(where)
        except InputError:
            continue
        for _ in range(2 if name == "tip" and turned is not None else 0):
            t_s += IDLE_S  # so that the turn is over before the leaning begins
            yield t_s, np.asarray(turned, np.uint8), None
        for file in files:
            bgr, warm = _read(file, cv2.IMREAD_COLOR), None
            if name == "thermal":
                warm = _read(folder / place / "thermal" / file.name, cv2.IMREAD_ANYDEPTH)
            if bgr is None or (name == "thermal" and warm is None):
                continue
            if name in ("collar", "tip"):
                t_s, turned = t_s + 1.0, bgr
                yield t_s, np.asarray(bgr, np.uint8), None
                continue
            for _ in range(round(HELD_S / HELD_TICK_S)):
                t_s += HELD_TICK_S
                yield t_s, np.asarray(bgr, np.uint8), None if warm is None else np.asarray(warm, np.uint16)


def _read(file: Path, how: int) -> np.ndarray | None:
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    return cv2.imdecode(data, how | cv2.IMREAD_IGNORE_ORIENTATION) if len(data) else None


def _cameras(
    options: argparse.Namespace,
    stack: contextlib.ExitStack,
    gas: Callable[[], HeldGas | GasFromInput],
    *,
    needed: Collection[str],
) -> tuple[Pictures, tuple[str, ...]]:
    """The cameras that are there; one that is named, or that a step named by the user needs, must be."""
    found = connected()
    devices = [_device(options.rgb, COLOUR, found)]
    if _asked(options.thermal, THERMAL, needed):
        devices.append(_device(options.thermal, THERMAL, found))
    elif (other := _first(THERMAL, found)) is not None:
        devices.append(other)
    depth = meant(every_camera(Wanted()), kind=DEPTH, name=options.depth)
    if depth is not None:
        devices.append(depth.make())
    cameras = stack.enter_context(LiveCameras(devices, every=True))
    named = (
        (COLOUR, True),
        (THERMAL, _asked(options.thermal, THERMAL, needed)),
        (DEPTH, bool(options.depth)),
    )
    await_cameras(lambda: cameras.states, [kind for kind, must in named if must])

    def pictures(stop: threading.Event) -> Iterator[Capture]:
        told = gas()
        yield from cameras.captures(None, gas=told.flow, stop=stop, began=told.began)

    return pictures, tuple(device.kind for device in devices)


def _asked(wish: str | None, kind: str, needed: Collection[str]) -> bool:
    """Whether a camera must be there: it is named, or a step that is named needs it."""
    return wish is not None or any(_needs(name, kind) for name in needed)


def _needs(name: str, kind: str) -> bool:
    return name == kind or (name in STEPS and kind in STEPS[name].needs)


def _first(kind: str, found: list[Connected]) -> Device | None:
    return next((device for device in map(driver_of, found) if device.kind == kind), None)


def _device(wish: str | None, kind: str, found: list[Connected]) -> Device:
    if wish is not None:
        named = [one for one in found if wish in (str(one.address), one.name)]
        number = int(wish) if wish.isdigit() else None
        camera = named[0] if named else Connected(number if number is not None else wish, wish)
        device = driver_of(camera)
        if device.kind != kind:
            raise InputError(f"{wish} is no {kind} camera; `cryoguide devices` lists what there is.")
        return device
    first = _first(kind, found)
    if first is not None:
        return first
    hint = " or go without it (--steps rgb,collar,tip)" if kind == THERMAL else ""
    raise InputError(
        f"No {kind} camera is connected: plug it in{hint}; `cryoguide devices` lists what there is."
    )
