"""``cryoguide calibrate live``: the guided calibration with its page, from cameras or recorded pictures."""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from calibration.all_command import played, wanted_of
from calibration.folder_steps import FOLDERS, holds_steps
from calibration.guided_run import IDLE_S
from calibration.pictures import picture_files
from calibration.scale import scale_of
from guidance.calibrating.console import CalibrationConsole
from guidance.calibrating.room import CalibrationRoom, Pictures
from guidance.console.server import listen, serve
from models.geometry import Bytes, Counts
from models.problems import InputError
from vision.cameras import COLOUR, THERMAL, Device
from vision.connected import Connected, connected, driver_of
from vision.live_cameras import LiveCameras

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
    options: argparse.Namespace, stack: contextlib.ExitStack, *, speed: float = 1.0
) -> CalibrationRoom:
    """What runs behind the page.

    Args:
        options: See `calibrate_live`.
        stack: Closes the cameras.
        speed: Of a replay, against the clock.

    Raises:
        InputError: See `calibrate_live`.
    """
    scale = None
    if options.measured_mm is not None:
        scale = scale_of(options.measured_mm, insist=options.insist)
    if options.keep is None:
        options.keep = Path(f"calibration-{time.strftime('%Y%m%d-%H%M%S')}")
    replay: Path | None = options.replay
    if replay is not None and (options.rgb or options.thermal):
        raise InputError("Give cameras (--rgb, --thermal) or --replay, not both.")
    pictures = _replay(replay, speed) if replay is not None else _cameras(options, stack)
    return CalibrationRoom(
        pictures, lambda found: wanted_of(options, scale=found), scale=scale, waits=replay is not None
    )


def _replay(source: Path, speed: float) -> Pictures:
    if not source.exists():
        raise InputError(f"{source} is not there; give a folder of pictures or a recording.")
    make = folder_pictures if holds_steps(source) else played

    def pictures(stop: threading.Event) -> Iterator[tuple[float, Bytes, Counts | None]]:
        last_s, shown_s = 0.0, time.monotonic()
        for t_s, bgr, thermal in make(source):
            step_s = TURNED_S if t_s - last_s >= 1.0 else max(t_s - last_s, 0.0)
            last_s = t_s
            if stop.wait(max(0.0, shown_s + step_s / speed - time.monotonic())):
                return
            shown_s = time.monotonic()  # what is being solved meanwhile does not make the rest hurry
            yield t_s, bgr, thermal

    return pictures


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


def _cameras(options: argparse.Namespace, stack: contextlib.ExitStack) -> Pictures:
    found = connected()
    devices = [_device(options.rgb, COLOUR, found)]
    if options.thermal is not None or "thermal" in options.steps:
        devices.append(_device(options.thermal, THERMAL, found))
    cameras = stack.enter_context(LiveCameras(devices))

    def pictures(stop: threading.Event) -> Iterator[tuple[float, Bytes, Counts | None]]:
        for capture in cameras.captures(None, gas=_no_gas, stop=stop):
            if capture.bgr is not None:
                whole = [one for one in capture.thermal if not one.shutter]
                yield capture.t_s, capture.bgr, whole[-1].centikelvin if whole else None

    return pictures


def _no_gas(from_s: float, to_s: float) -> tuple[float, bool]:
    del from_s, to_s
    return 0.0, False


def _device(wish: str | None, kind: str, found: list[Connected]) -> Device:
    if wish is not None:
        named = [one for one in found if wish in (str(one.address), one.name)]
        number = int(wish) if wish.isdigit() else None
        camera = named[0] if named else Connected(number if number is not None else wish, wish)
        device = driver_of(camera)
        if device.kind != kind:
            raise InputError(f"{wish} is no {kind} camera; `cryoguide devices` lists what there is.")
        return device
    for one in found:
        device = driver_of(one)
        if device.kind == kind:
            return device
    hint = " or go without it (--steps rgb,collar,tip)" if kind == THERMAL else ""
    raise InputError(
        f"No {kind} camera is connected: plug it in{hint}; `cryoguide devices` lists what there is."
    )
