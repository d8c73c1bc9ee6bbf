"""Which cameras are connected, and what each of them probably is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.geometry import Bytes
from vision.cameras import COLOUR, THERMAL, Device, DeviceGoneError, Picture, WrongFormatError
from vision.uvc import (
    P2_HEIGHT_PX,
    P2_WIDTH_PX,
    Opener,
    UvcColour,
    UvcThermalP2,
    UvcThermalY16,
    open_by_opencv,
)
from vision.uvc_lepton import UvcLepton

SYSFS, BY_ID = Path("/sys/class/video4linux"), Path("/dev/v4l/by-id")

MOST_TRIED = 6
"""Numbers tried where the system lists no cameras."""

WARM_UP = 5
"""Pictures left out before the test picture: automatic exposure settles."""

COLOUR_PX = 1280, 720

LEPTONS = ("purethermal", "lepton")
"""Parts of a name."""

Y16_CORES = (("boson", 320, 256, 30.0),)
"""Part of the name, size and rate; a Boson 640 says its own size."""


@dataclass(frozen=True)
class Connected:
    """One video node of the system."""

    address: str | int
    name: str


def connected(
    sysfs: Path = SYSFS, by_id: Path = BY_ID, *, opener: Opener = open_by_opencv
) -> list[Connected]:
    """Cameras that the system knows.

    On Linux the system's list, by an address that survives plugging in again; elsewhere the first numbers
    that can be opened.
    """
    if sys.platform.startswith("linux"):
        lasting = (
            {link.resolve().name: str(link) for link in sorted(by_id.glob("*"))} if by_id.exists() else {}
        )
        nodes = sorted(sysfs.glob("video*"), key=lambda node: int(node.name.removeprefix("video")))
        # A camera has further nodes for what is no picture; the first, index 0, gives pictures.
        return [
            Connected(lasting.get(node.name, f"/dev/{node.name}"), _text(node / "name") or node.name)
            for node in nodes
            if _text(node / "index") in ("0", "")
        ]
    found = []
    for number in range(MOST_TRIED):
        capture = opener(number)
        if capture.isOpened():
            found.append(Connected(number, f"camera {number}"))
        capture.release()
    return found


def driver_of(camera: Connected, *, opener: Opener = open_by_opencv) -> Device:
    """The driver that suits a camera by its name; 256 x 384 pixels tell the P2 class, whatever its name."""
    name = camera.name.lower()
    if any(part in name for part in LEPTONS):
        return UvcLepton(camera.address, name=camera.name, opener=opener)
    for part, width_px, height_px, hz in Y16_CORES:
        if part in name:
            return UvcThermalY16(
                camera.address, name=camera.name, width_px=width_px, height_px=height_px, hz=hz, opener=opener
            )
    if _is_p2(camera, opener):
        return UvcThermalP2(camera.address, name=camera.name, opener=opener)
    width_px, height_px = COLOUR_PX
    return UvcColour(
        camera.address, name=camera.name, width_px=width_px, height_px=height_px, hz=30.0, opener=opener
    )


def _is_p2(camera: Connected, opener: Opener) -> bool:
    capture = opener(camera.address)
    try:
        if not capture.isOpened():
            return False
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, P2_WIDTH_PX)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, P2_HEIGHT_PX)
        size = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        return size == (P2_WIDTH_PX, P2_HEIGHT_PX)
    finally:
        capture.release()


@dataclass(frozen=True, eq=False)
class Tried:
    """What came of trying a camera."""

    device: Device
    picture: Picture | None
    hz: float | None
    """Pictures a second while it was tried."""
    words: str
    """Why there is no picture."""


def tried(device: Device) -> Tried:
    """Open a device, take some pictures, let go of it."""
    pictures: list[Picture] = []
    try:
        device.open()
        pictures.extend(device.read() for _ in range(WARM_UP + 1))
    except (DeviceGoneError, WrongFormatError) as trouble:
        return Tried(device, None, None, str(trouble))
    finally:
        device.close()
    over_s = pictures[-1].at_s - pictures[0].at_s
    return Tried(device, pictures[-1], WARM_UP / over_s if over_s > 0.0 else None, "")


def shown(picture: Picture, *, kind: str) -> Bytes:
    """A picture to look at: colour as it is, counts in grey from the lowest to the highest reading."""
    if kind == COLOUR:
        return np.asarray(picture.pixels, np.uint8)
    counts = picture.pixels.astype(float)
    read = counts[counts > 0]
    if not len(read):
        return np.zeros(counts.shape, np.uint8)
    low, high = np.percentile(read, [1.0, 99.0])
    return (255.0 * np.clip((counts - low) / max(high - low, 1.0), 0.0, 1.0)).astype(np.uint8)


def described(picture: Picture, *, kind: str) -> str:
    """Size, and of a thermal or depth picture its readings."""
    height_px, width_px = picture.pixels.shape[:2]
    size = f"{width_px} x {height_px}"
    if kind == COLOUR:
        return size
    read = picture.pixels[picture.pixels > 0]
    if not len(read):
        return f"{size}, no reading"
    if kind != THERMAL:
        return f"{size}, {read.min()} to {read.max()} mm"
    low, high = (float(value) / 100.0 - 273.15 for value in (read.min(), read.max()))
    return f"{size}, {low:.1f} to {high:.1f} degC"


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
