"""A camera that is none: it plays pictures of a recording, on a clock of its own, and fails as it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.geometry import Bytes, Counts
from vision.cameras import COLOUR, DeviceGoneError, Picture, WrongFormatError


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now_s: float = 100.0

    def __call__(self) -> float:
        """Now."""
        return self.now_s


@dataclass
class PlayedCamera:
    """A driver as `vision.cameras.Device` asks for; `fault` is what is wrong with it."""

    pictures: Sequence[Bytes | Counts]
    clock: Clock
    kind: str = COLOUR
    hz: float = 30.0
    name: str = "played camera"
    fault: str = ""
    interval_s: float = 1.0 / 30.0
    opened: int = 0
    shift_s: float = 0.0
    _next: int = field(default=0)

    def open(self) -> None:
        """Fails while it is unplugged."""
        if self.fault == "unplugged":
            raise DeviceGoneError("plug it in")
        self.opened += 1

    def read(self) -> Picture:
        """The next picture, after its interval."""
        self.clock.now_s += self.interval_s
        if self.fault == "unplugged":
            raise DeviceGoneError("plug it in")
        if self.fault == "wrong format":
            raise WrongFormatError("choose another size")
        if self.fault != "frozen":
            self._next += 1
        return Picture(self.clock.now_s + self.shift_s, self.pictures[self._next % len(self.pictures)])

    def close(self) -> None:
        """Nothing to let go of."""
