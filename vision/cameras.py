"""Live cameras: each in its own thread, newest picture wins, how it stands known within half a second.

A driver is one small class (`Device`). Everything that can go wrong with any device is judged here and only
here, by the clock of whoever asks: a driver that hangs in a read cannot hide that nothing comes.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.geometry import Bytes, Counts
from vision.device_thread import DeviceThread

SILENT_S = 0.35
"""Without a picture for so long a camera is silent: alarms on it are due at 0.5 s, and the slowest camera in
use (9 Hz) gives one each 0.11 s."""

FROZEN_S = 0.4
"""The same picture, bit for bit, for so long: a sensor's noise never repeats. Cameras that send each picture
several times (27 a second of a 9 Hz core) repeat for 0.11 s."""

AHEAD_S, BEHIND_S = 0.05, 2.0
"""A picture stamped so much later than it came, or so much earlier, has its time from a clock that jumped.
One of the future would hold up every picture until its time has come; a thread that waits for its turn on a
busy machine is late by less than two seconds (own choice)."""

SLOW_SHARE = 0.5
"""Below this share of the rate that it was asked for, a camera is slow: in the dark, exposure halves it."""

LATE = 1.4
"""Intervals after which the next picture is late: 0.16 s at 9 Hz."""

RATE_OVER = 4
"""Intervals from which the rate is told."""

STOP_S = 2.0
"""So long a thread is waited for that hangs in a driver; it ends with the program."""

COLOUR, THERMAL, DEPTH = "colour", "thermal", "depth"


class DeviceGoneError(Exception):
    """The device is not there, or no more; the words say what is to be done."""


class WrongFormatError(Exception):
    """The device gives other pictures than it was asked for; the words say which."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a live camera."""

    at_s: float
    """When it was taken, on the clock of `time.monotonic`."""
    pixels: Bytes | Counts
    """Colour: shape (h, w, 3), order blue green red. Thermal: centikelvin, depth: mm, shape (h, w)."""
    shutter: bool = False
    """A shutter event is under way: the numbers are not of the scene."""


class Device(Protocol):
    """What a driver is."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def kind(self) -> str:
        """``colour``, ``thermal`` or ``depth``."""
        ...

    @property
    def hz(self) -> float:
        """Pictures a second that it was asked for."""
        ...

    def open(self) -> None:
        """Open the device.

        Raises:
            DeviceGoneError: If it is not there.
            WrongFormatError: If it cannot do what is asked.
        """
        ...

    def read(self) -> Picture:
        """Wait for the next picture.

        Raises:
            DeviceGoneError: If it is not there any more.
            WrongFormatError: If it gives something else.
        """
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        ...


@dataclass(frozen=True)
class CameraState:
    """How a camera stands."""

    name: str
    kind: str
    state: str
    """``starting``, ``ok``, ``unplugged``, ``wrong_format``, ``wrong_clock``, ``silent``, ``frozen`` or
    ``slow``."""
    since_s: float
    """Since when, on the clock of `time.monotonic`."""
    hz: float | None
    """Pictures a second of late; None where too few came."""
    words: str
    """One sentence for the operator where it is not ``ok``."""

    @property
    def ok(self) -> bool:
        """Whether it works."""
        return self.state == "ok"


class Camera:
    """One device and the thread that reads it."""

    def __init__(
        self,
        device: Device,
        *,
        keep: int = 1,
        clock: Callable[[], float] = time.monotonic,
        on_picture: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            device: The driver.
            keep: Pictures that wait for `take`, the newest: 1 for colour; more for cameras whose every
                picture counts.
            clock: Seconds; only tests give another.
            on_picture: Told on the camera's own thread that a picture waits.
        """
        self.device = device
        self._on_picture = on_picture
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[Picture] = deque(maxlen=keep)
        self._times_s: deque[float] = deque(maxlen=RATE_OVER + 1)
        self._trouble: tuple[str, str] | None = None
        self._trouble_s = self._began_s = clock()
        self._mark = -1
        self._changed_s = 0.0
        self._shutter = False
        self._thread = DeviceThread(
            device,
            kind="camera",
            came=self._came,
            gone=self._gone,
            troubles=(DeviceGoneError, WrongFormatError),
            stop_s=STOP_S,
            clock=clock,
        )

    @property
    def kind(self) -> str:
        """Of the device."""
        return self.device.kind

    def start(self) -> None:
        """Begin to read."""
        self._began_s = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """End reading and let go of the device."""
        self._thread.stop()

    def take(self) -> tuple[Picture, ...]:
        """The newest pictures that were not taken yet, oldest first."""
        with self._lock:
            taken = tuple(self._waiting)
            self._waiting.clear()
        return taken

    def newest(self) -> Picture | None:
        """The newest picture that waits, which goes on waiting; None where none does."""
        with self._lock:
            return self._waiting[-1] if self._waiting else None

    def state(self) -> CameraState:
        """How the camera stands now."""
        now_s = self._clock()
        with self._lock:
            kind, since_s, words = self._judged(now_s)
            hz = self._hz()
        return CameraState(self.device.name, self.device.kind, kind, since_s, hz, words)

    def turn(self) -> bool:
        """One turn of the thread: see `DeviceThread.turn`."""
        return self._thread.turn()

    def _gone(self, trouble: Exception) -> None:
        self._in_trouble(
            "unplugged" if isinstance(trouble, DeviceGoneError) else "wrong_format", str(trouble)
        )

    def _in_trouble(self, state: str, words: str) -> None:
        with self._lock:
            if self._trouble is None:
                self._trouble_s = self._clock()
            self._trouble = (state, words)
            self._times_s.clear()
            self._waiting.clear()

    def _came(self, picture: Picture) -> None:
        if not -BEHIND_S <= picture.at_s - self._clock() <= AHEAD_S:
            words = f"{self.device.name} gives wrong times with its pictures: unplug it and plug it in again."
            self._in_trouble("wrong_clock", words)
            return
        mark = zlib.crc32(np.ascontiguousarray(picture.pixels[::8]).tobytes())
        with self._lock:
            self._trouble = None
            if mark != self._mark or picture.shutter or not self._times_s:
                self._changed_s = picture.at_s
            self._mark, self._shutter = mark, picture.shutter
            self._times_s.append(picture.at_s)
            self._waiting.append(picture)
        self._on_picture()

    def _judged(self, now_s: float) -> tuple[str, float, str]:
        name = self.device.name
        if self._trouble is not None:
            state, words = self._trouble
            return state, self._trouble_s, words
        if not self._times_s:
            if now_s - self._began_s <= SILENT_S:
                return "starting", self._began_s, f"{name} has given no picture yet."
            return "silent", self._began_s, f"{name} gives no picture: check its cable."
        last_s = self._times_s[-1]
        if now_s - last_s > SILENT_S:
            return "silent", last_s, f"{name} gives no pictures any more: check its cable."
        if last_s - self._changed_s > FROZEN_S and not self._shutter:
            return (
                "frozen",
                self._changed_s,
                f"{name} repeats the same picture: unplug it and plug it in again.",
            )
        if self._is_slow(now_s):
            words = f"{name} gives fewer than half of its {self.device.hz:.0f} pictures a second:"
            return "slow", self._times_s[-1], f"{words} check light and cable."
        return "ok", self._times_s[0], ""

    def _is_slow(self, now_s: float) -> bool:
        """Two intervals in a row are too long; the one that still runs counts as soon as it is late."""
        longest_s = 1.0 / (SLOW_SHARE * self.device.hz)
        *_, before_s, last_s = (0.0, 0.0, *np.diff(self._times_s).tolist())
        runs_late = now_s - self._times_s[-1] > LATE / self.device.hz
        return last_s > longest_s and (runs_late or before_s > longest_s)

    def _hz(self) -> float | None:
        if len(self._times_s) <= RATE_OVER:
            return None
        over_s = self._times_s[-1] - self._times_s[0]
        return RATE_OVER / over_s if over_s > 0.0 else None
