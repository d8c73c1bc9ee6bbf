"""Stand-in cameras for the page of the calibration: drawn pictures of known truth, in the pictures' own time.

A scene is asked for captures while something is recorded; its clock begins there. Before that it is asked for
its first pictures again and again, so that there is something to see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import uvicorn

from calibration.board import OWN
from calibration.folder_steps import Sheets
from calibration.guided_run import Wanted
from calibration.recorded_plan import HOLD_S, SPREAD_PICTURES
from calibration.scale import Scale, scaled
from calibration.sheets import TARGET
from guidance.calibrating.console import CalibrationConsole
from guidance.calibrating.room import RECORDING, RUNNING, CalibrationRoom
from guidance.calibrating.supply import Supply
from guidance.console.server import listen, server_config
from models.capture import Capture, ThermalPicture
from models.geometry import Bytes, Counts, Floats, Pose, rotation_from_rvec
from models.rig import Rig
from models.rig_file import write_rig
from tests.calibration import motion_scenes
from tests.calibration.motion_scenes import Camera, hand, stream
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.calibration.test_spread import edge
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene
from vision.synthetic_studio import Studio

Scenery = Callable[[CalibrationRoom, int], Iterator[Capture]]
"""Captures of one recording, from 0 s on, by the number of the recording."""

LATE_S = 400.0
"""The cameras' clock as a page's pictures begin: a sitting has gone on for so long already."""

GREY = np.full((180, 320, 3), 70, np.uint8)
"""Where no colour picture is drawn."""


class StandIn:
    """Pictures for a room."""

    def __init__(self, scenery: Scenery, *, idle_s: float = 0.02) -> None:
        self.scenery, self.idle_s = scenery, idle_s
        self.room: CalibrationRoom | None = None

    def __call__(self, stop: threading.Event) -> Iterator[Capture]:
        """As the room asks for them."""
        t_s, number, first = LATE_S, 0, None
        while not stop.is_set():
            assert self.room is not None
            if self.room.phase not in (RECORDING, RUNNING):
                first = first or next(self.scenery(self.room, number))
                stop.wait(self.idle_s)
                t_s += 0.1
                yield moved(first, t_s)
                continue
            begun_s, take = t_s + 0.1, self.take()
            for capture in self.scenery(self.room, number):
                if stop.is_set():
                    return
                t_s = begun_s + capture.t_s
                yield moved(capture, begun_s)
                if self.room.phase not in (RECORDING, RUNNING) or self.take() != take:
                    break
            number, first = number + 1, None

    def take(self) -> object:
        """Which recording is under way."""
        assert self.room is not None
        flow = self.room.told()[0]["recorded"]
        return flow["take"] if isinstance(flow, dict) else None


def moved(capture: Capture, by_s: float) -> Capture:
    """The same at a later time."""
    thermal = tuple(replace(one, t_s=one.t_s + by_s) for one in capture.thermal)
    depth = tuple(replace(one, t_s=one.t_s + by_s) for one in capture.depth)
    return replace(capture, t_s=capture.t_s + by_s, thermal=thermal, depth=depth)


def counts(degc: Floats) -> Counts:
    """As a camera sends it."""
    return np.rint(100.0 * (degc + 273.15)).astype(np.uint16)


def edges(share: float = 0.09) -> Scenery:
    """An edge that is held, shifted a little, and held again; 9 pictures a second."""
    pause_s = 3.0

    def shown(_: CalibrationRoom, number: int) -> Iterator[Capture]:
        rng = np.random.default_rng(number)
        held = [edge(share=share, seed=k, lean=0.03 * (k + 1)) for k in range(SPREAD_PICTURES)]
        for k in range(10_000):
            t_s = k / 9.0
            place = min(SPREAD_PICTURES - 1, int(t_s / (HOLD_S + pause_s)))
            moves = place * (HOLD_S + pause_s) + HOLD_S - t_s < 0.0
            degc = held[place] if not moves else np.roll(held[place], k % 5, axis=1)
            picture = ThermalPicture(t_s, counts(degc + rng.normal(0.0, 0.05, degc.shape)), False)
            bgr = (GREY + rng.integers(0, 4, GREY.shape)).astype(np.uint8)
            yield Capture(t_s, k, bgr, (picture,), (), 0.0, False)

    return shown


def references(camera: ErringCamera, shown_degc: tuple[float, ...]) -> Scenery:
    """A camera of known error before one reference after the other; the shutter closes each 40 s."""

    def shown(_: CalibrationRoom, number: int) -> Iterator[Capture]:
        degc = shown_degc[min(number, len(shown_degc) - 1)]
        y, x = np.indices(SIZE).astype(float)
        inside = (np.abs(x - 48.0) <= 24.0) & (np.abs(y - 36.0) <= 22.0)
        scene = np.where(inside, degc, 23.0)
        narrow = cv2.GaussianBlur(scene, (0, 0), camera.blur_px)
        seen = narrow + camera.halo * (cv2.GaussianBlur(scene, (0, 0), 7.0) - narrow) + camera.pattern()
        rng = np.random.default_rng([camera.seed, number])
        closed_s, step = 0.0, 0.0
        for k in range(100_000):
            t_s = k / 4.0
            shutter = t_s % 40.0 >= 39.5
            if shutter:
                closed_s, step = t_s, float(rng.normal(0.0, camera.step_degc))
            since_min = (t_s - closed_s) / 60.0
            off = camera.off_degc(seen, t_min=30.0, since_min=since_min, step_degc=step)
            picture = counts(seen + off + rng.normal(0.0, camera.noise_degc, SIZE))
            yield Capture(t_s, k, GREY, (ThermalPicture(t_s, picture, shutter),), (), 0.0, False)

    return shown


def waving(rig: Rig, *, late_s: float, seconds: float = 26.0, seed: int = 0) -> Scenery:
    """Something is waved before both cameras; the thermal one's stamps are late by so much."""
    assert rig.thermal is not None
    size = (rig.thermal.camera.width_px, rig.thermal.camera.height_px)

    def shown(_: CalibrationRoom, number: int) -> Iterator[Capture]:
        path = hand(np.random.default_rng([seed, number + 1]), seconds=seconds)
        rng = np.random.default_rng([seed, 2])
        t_s, small = stream(Camera(15.0), path, rng, seconds=seconds)
        stamps, warm = stream(Camera(9.0, clock_s=late_s, noise=0.05), path, rng, seconds=seconds)
        at = 0
        for k, (now_s, picture) in enumerate(zip(t_s, small, strict=True)):
            came: list[ThermalPicture] = []
            while at < len(stamps) and stamps[at] + 0.05 <= now_s:
                degc = 27.0 + 7.0 * warm[at].reshape(motion_scenes.PIXELS)
                large = cv2.resize(degc, size, interpolation=cv2.INTER_NEAREST)
                came.append(ThermalPicture(float(stamps[at]), counts(np.asarray(large, float)), False))
                at += 1
            grey = np.clip(120.0 + 60.0 * picture, 0.0, 255.0).reshape(motion_scenes.PIXELS)
            large = cv2.resize(grey, (320, 180), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
            bgr: Bytes = np.repeat(large[..., None], 3, 2)
            yield Capture(float(now_s), k, bgr, tuple(came), (), 0.0, False)

    return shown


@dataclass(frozen=True)
class Spun(Scene):
    """The nozzle is spun about itself, once in 24 s, beside the limb."""

    def rgb_from_nozzle(self, t_s: float) -> Pose:
        """Across the picture, sliding a little along its block."""
        lies = rotation_from_rvec(np.array([0.0, np.radians(75.0), 0.0]))
        turn = lies @ rotation_from_rvec(np.array([0.0, 0.0, np.radians(15.0 * t_s)]))
        slid_mm = 3.0 * np.sin(0.4 * t_s)
        return Pose.of(turn, np.array([80.0, -12.0, 400.0]) + slid_mm * lies[:, 2])


def spinning(scene: Scene, *, hz: float = 1.0) -> Scenery:
    """Drawn once; the same each time it is recorded."""
    studio, drawn = Studio(scene), dict[int, Bytes]()

    def shown(_: CalibrationRoom, number: int) -> Iterator[Capture]:
        for k in range(round(30.0 * hz)):
            if k not in drawn:
                drawn[k] = studio.colour(k / hz)
            yield Capture(k / hz, k, drawn[k], (), (), 0.0, False)

    return shown


def leaning_collar(rig: Rig, lean: Floats) -> Rig:
    """The same rig, told in axes of the nozzle that lean off the true ones by a rotation vector."""
    assert rig.nozzle is not None
    tags = rig.nozzle.tags
    corners = tags.corners_mm @ rotation_from_rvec(lean).T
    return replace(rig, nozzle=replace(rig.nozzle, tags=replace(tags, corners_mm=corners)))


def whole_rig(*, thermal_px: tuple[int, int] | None = None, size: float = 1.0) -> Rig:
    """A rig that is calibrated but for what the steps find."""
    rig = real_rig(Scene(size=size))
    if thermal_px is None:
        return rig
    assert rig.thermal is not None
    width, height = thermal_px
    small = replace(rig.thermal.camera, width_px=width, height_px=height, cx_px=width / 2, cy_px=height / 2)
    return replace(rig, thermal=replace(rig.thermal, camera=small))


@contextmanager
def standing(
    folder: Path,
    scenery: Scenery,
    *,
    steps: tuple[str, ...],
    rig: Rig | None = None,
    cameras: tuple[str, ...] = ("colour", "thermal", "depth"),
    choose: bool = False,
    times_by: Rig | None = None,
    idle_s: float = 0.02,
    hurries: bool = False,
) -> Iterator[tuple[CalibrationRoom, int]]:
    """A room with its page, served on this machine: the room and the port."""
    if rig is not None:
        (folder / "rig.toml").write_text(write_rig(rig))
    sheets = Sheets(OWN, TARGET, Scale(1.0, True), None)
    wanted = Wanted(folder / "rig.toml", folder / "keep", sheets, steps)
    pictures = StandIn(scenery, idle_s=idle_s)

    def make(found: Scale) -> Wanted:
        return replace(wanted, sheets=replace(sheets, board=scaled(OWN, found), scale=found))

    room = CalibrationRoom(Supply(pictures, cameras, hurries=hurries, times_by=times_by), make, choose=choose)
    pictures.room = room
    with served_page(room) as port:
        yield room, port


@contextmanager
def served_page(room: CalibrationRoom) -> Iterator[int]:
    """The room's page, served on this machine at a port of its own."""
    with listen(0) as listening:
        port = int(listening.getsockname()[1])
        server = uvicorn.Server(server_config(CalibrationConsole(room, note=lambda _: None), port=port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(30.0)
            assert not thread.is_alive()
