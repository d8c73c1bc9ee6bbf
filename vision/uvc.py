"""Drivers of USB cameras by OpenCV: colour, thermal as Y16, and thermal of the 256x384 class."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from models.geometry import Bytes, Counts
from vision.cameras import COLOUR, THERMAL, DeviceGoneError, Picture, WrongFormatError

OLDEST_STAMP_S = 0.5
"""A driver's own time stamp that lies farther back is of another clock."""

P2_WIDTH_PX, P2_HEIGHT_PX, P2_HZ = 256, 384, 25.0
"""TOPDON TC001, InfiRay P2 and their like send one 16-bit picture: 192 rows to look at, 192 rows of
temperatures."""

P2_COUNTS_PER_K = 64
"""Their temperatures are in 1/64 kelvin, low byte first: so public viewers of these cameras read them."""


class Capturing(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool: ...  # noqa: N802, D102 # OpenCV's name
    def set(self, what: int, value: float, /) -> bool: ...  # noqa: D102
    def get(self, what: int, /) -> float: ...  # noqa: D102
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, np.ndarray]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


Opener = Callable[[str | int], Capturing]


def open_by_opencv(address: str | int) -> Capturing:
    """A camera by its path or number, by the system's own video interface."""
    ways = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
    return cv2.VideoCapture(address, ways.get(sys.platform, cv2.CAP_ANY))


class _Uvc:
    """What all of them share."""

    kind = COLOUR

    def __init__(
        self,
        address: str | int,
        *,
        name: str,
        width_px: int,
        height_px: int,
        hz: float,
        opener: Opener = open_by_opencv,
    ) -> None:
        """Name a device; it is opened by `open`.

        Args:
            address: Path such as ``/dev/v4l/by-id/...`` (it stays the same when the device is plugged in
                again), or number.
            name: For people.
            width_px: Width that is asked for.
            height_px: Height.
            hz: Pictures a second.
            opener: Only tests give another.
        """
        self.address, self.name, self.hz = address, name, hz
        self.width_px, self.height_px = width_px, height_px
        self._opener = opener
        self._capture: Capturing | None = None

    def open(self) -> None:
        """Open the device and ask for size, rate and the newest picture only."""
        capture = self._opener(self.address)
        if not capture.isOpened():
            capture.release()
            raise DeviceGoneError(
                f"{self.name} is not there or is in use by another program: plug it in or close that."
            )
        self._ask(capture)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self.height_px)
        capture.set(cv2.CAP_PROP_FPS, self.hz)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._capture = capture

    def read(self) -> Picture:
        """Wait for the next picture; its stamp is the driver's own where that is on our clock."""
        if self._capture is None or not self._capture.grab():
            raise DeviceGoneError(f"{self.name} gives no pictures any more: check its cable.")
        at_s = _stamp_s(self._capture.get(cv2.CAP_PROP_POS_MSEC), now_s=time.monotonic())
        there, raw = self._capture.retrieve()
        if not there:
            raise DeviceGoneError(f"{self.name} gave a picture that cannot be read: check its cable.")
        return Picture(at_s, self._pixels(raw))

    def close(self) -> None:
        """Let go of the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _ask(self, capture: Capturing) -> None:
        """Ask for the form of the pictures."""

    def _pixels(self, raw: np.ndarray) -> Bytes | Counts:
        raise NotImplementedError

    def _other(self, raw: np.ndarray, wanted: str) -> WrongFormatError:
        return WrongFormatError(
            f"{self.name} gives pictures of {' x '.join(map(str, raw.shape))} ({raw.dtype}) instead of"
            f" {wanted}: choose another camera or another size."
        )


class UvcColour(_Uvc):
    """Any colour camera."""

    kind = COLOUR

    def _ask(self, capture: Capturing) -> None:
        # 720p at 30 a second fits through USB 2 as MJPG only.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))

    def _pixels(self, raw: np.ndarray) -> Bytes:
        if raw.dtype != np.uint8 or raw.shape != (self.height_px, self.width_px, 3):
            raise self._other(raw, f"{self.width_px} x {self.height_px} in colour")
        return raw


class UvcThermalY16(_Uvc):
    """A thermal core that sends temperatures as 16-bit counts: Lepton (PureThermal), Boson.

    It must be set to linear temperature; ``centikelvin_per_count`` is 1 in the usual resolution of 0.01 K,
    and 10 in that of 0.1 K.
    """

    kind = THERMAL

    def __init__(
        self,
        address: str | int,
        *,
        name: str,
        width_px: int,
        height_px: int,
        hz: float = 9.0,
        centikelvin_per_count: int = 1,
        opener: Opener = open_by_opencv,
    ) -> None:
        """Name a device; see the class and `UvcColour`."""
        super().__init__(address, name=name, width_px=width_px, height_px=height_px, hz=hz, opener=opener)
        self._per_count = centikelvin_per_count

    def _ask(self, capture: Capturing) -> None:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"Y16 "))
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)

    def _pixels(self, raw: np.ndarray) -> Counts:
        counts = words_of(raw, self.height_px, self.width_px)
        if counts is None:
            raise self._other(raw, f"{self.width_px} x {self.height_px} in 16 bits")
        return in_centikelvin(counts, self._per_count)


class UvcThermalP2(_Uvc):
    """TOPDON TC001, InfiRay P2 and their like: 256 x 384, of which the lower half are temperatures."""

    kind = THERMAL

    def __init__(self, address: str | int, *, name: str, opener: Opener = open_by_opencv) -> None:
        """Name a device; see `UvcColour`."""
        super().__init__(
            address, name=name, width_px=P2_WIDTH_PX, height_px=P2_HEIGHT_PX, hz=P2_HZ, opener=opener
        )

    def _ask(self, capture: Capturing) -> None:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"YUYV"))
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)

    def _pixels(self, raw: np.ndarray) -> Counts:
        words = words_of(raw, self.height_px, self.width_px)
        if words is None:
            raise self._other(raw, f"{self.width_px} x {self.height_px} of two bytes a pixel")
        return centikelvin_of_p2(words[P2_HEIGHT_PX // 2 :])


def in_centikelvin(counts: Counts, per_count: int) -> Counts:
    """Counts of so many centikelvin each; what does not fit is warmer than 382 degC: 0, no reading."""
    if per_count == 1:
        return counts
    wide = counts.astype(np.uint32) * per_count
    return np.where(wide <= 0xFFFF, wide, 0).astype(np.uint16)


def centikelvin_of_p2(words: Counts) -> Counts:
    """Counts of 1/64 K as centikelvin, rounded; 0 stays 0 (no reading)."""
    wide = (words.astype(np.uint32) * 100 + P2_COUNTS_PER_K // 2) // P2_COUNTS_PER_K
    return np.where(wide <= 0xFFFF, wide, 0).astype(np.uint16)


def words_of(raw: np.ndarray, height_px: int, width_px: int) -> Counts | None:
    """16-bit words of a raw picture in any form in which OpenCV hands it out; None if it has another size."""
    if raw.dtype == np.uint16 and raw.size == height_px * width_px:
        return np.ascontiguousarray(raw).reshape(height_px, width_px)
    if raw.dtype == np.uint8 and raw.size == 2 * height_px * width_px:
        data = np.ascontiguousarray(raw).reshape(-1)
        return data.view("<u2").astype(np.uint16, copy=False).reshape(height_px, width_px)
    return None


def _stamp_s(driver_ms: float, *, now_s: float) -> float:
    """When the driver took the picture in, where its clock is ours, else now."""
    stamp_s = driver_ms / 1000.0
    return stamp_s if 0.0 <= now_s - stamp_s <= OLDEST_STAMP_S else now_s
