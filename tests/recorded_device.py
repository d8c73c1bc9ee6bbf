"""A stand-in for a camera: it gives the pictures of a recorded session in real time. No hardware is in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from models.geometry import Bytes, Counts
from vision.cameras import COLOUR, DEPTH, THERMAL, DeviceGoneError, Picture
from vision.recording import open_recording


@dataclass(eq=False)
class RecordedDevice:
    """Plays pictures over and over, back and forth; `unplug` and `plug_in` as one does with a cable."""

    kind: str
    hz: float
    pictures: Sequence[Bytes | Counts]
    name: str = ""
    _gone: threading.Event = field(default_factory=threading.Event)
    _next: int = 0
    _due_s: float = 0.0

    def unplug(self) -> None:
        """It is gone."""
        self._gone.set()

    def plug_in(self) -> None:
        """It is there again."""
        self._gone.clear()

    def open(self) -> None:
        """Fails while it is gone."""
        if self._gone.is_set():
            raise DeviceGoneError(f"{self.name} is not there: plug it in.")
        self._due_s = time.monotonic()

    def read(self) -> Picture:
        """The next picture when it is due."""
        self._due_s = max(self._due_s + 1.0 / self.hz, time.monotonic() - 0.5 / self.hz)
        if self._gone.wait(max(0.0, self._due_s - time.monotonic())):
            raise DeviceGoneError(f"{self.name} is not there: plug it in.")
        round_trip = 2 * len(self.pictures) - 2
        at = self._next % round_trip
        self._next += 1
        return Picture(time.monotonic(), self.pictures[min(at, round_trip - at)])

    def close(self) -> None:
        """Nothing to let go of."""


def devices_of(folder: Path, *, captures: int, hz: float) -> dict[str, RecordedDevice]:
    """Colour, thermal and depth of the beginning of a session, by kind."""
    found = list(islice(open_recording(folder).captures(), captures))
    pictures: dict[str, list[Bytes | Counts]] = {
        COLOUR: [one.bgr for one in found if one.bgr is not None],
        THERMAL: [picture.centikelvin for one in found for picture in one.thermal],
        DEPTH: [picture.depth_mm for one in found for picture in one.depth],
    }
    return {
        kind: RecordedDevice(kind, hz, each, f"recorded {kind} camera") for kind, each in pictures.items()
    }
