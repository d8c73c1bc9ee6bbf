"""A stand-in for a camera: each picture comes when its time has come. No hardware is in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.geometry import Bytes, Counts
from vision.cameras import DeviceGoneError, Picture
from vision.every_camera import Finder, Found, Wanted


@dataclass
class Start:
    """When the first camera was asked for a picture; all count from then on."""

    at_s: float | None = None

    def __call__(self) -> float:
        """Of `time.monotonic`."""
        if self.at_s is None:
            self.at_s = time.monotonic()
        return self.at_s


@dataclass(eq=False)
class TimedDevice:
    """Plays pictures once, at their times; then it is gone."""

    kind: str
    stamps_s: Sequence[float]
    """Of the pictures, on a clock that is 0 at the start."""
    picture: Callable[[int], Bytes | Counts]
    start: Start
    exposed_s: Sequence[float] | None = None
    """When they were taken, where the stamps say something else: they come 20 ms later."""
    shutter: Sequence[bool] | None = None
    name: str = ""
    hz: float = 25.0
    gone_from_s: float = np.inf
    """It is pulled out then."""
    _next: int = field(default=0)

    def __post_init__(self) -> None:
        """A name for people."""
        self.name = self.name or f"stand-in {self.kind} camera"

    def open(self) -> None:
        """Fails once it is gone."""
        if self.start.at_s is not None and time.monotonic() - self.start.at_s > self.gone_from_s:
            raise DeviceGoneError(f"{self.name} is not there: plug it in.")

    def read(self) -> Picture:
        """The next picture when it is due."""
        began_s = self.start()
        at = self._next
        if at >= len(self.stamps_s):
            time.sleep(0.3)
            return self._gone()
        stamp_s = self.stamps_s[at]
        exposed_s = stamp_s if self.exposed_s is None else self.exposed_s[at]
        due_s = min(began_s + max(exposed_s, stamp_s) + 0.02, began_s + self.gone_from_s)
        time.sleep(max(0.0, due_s - time.monotonic()))
        if stamp_s >= self.gone_from_s:
            return self._gone()
        self._next += 1
        closed = self.shutter is not None and bool(self.shutter[at])
        return Picture(began_s + stamp_s, self.picture(at), closed)

    def close(self) -> None:
        """Nothing to let go of."""

    def _gone(self) -> Picture:
        raise DeviceGoneError(f"{self.name} is not there: plug it in.")


def finder(*devices: TimedDevice) -> Finder:
    """What lists them."""

    def found(_: Wanted) -> list[Found]:
        return [Found(one.kind, one.name, f"stand-in:{one.kind}", lambda one=one: one) for one in devices]

    return found


def unlike(picture: Bytes | Counts, k: int) -> Bytes | Counts:
    """The same picture with one number changed by one, as a sensor's noise does."""
    out = picture.copy()
    flat = out.reshape(-1)
    flat[k % 64] ^= 1
    return out
