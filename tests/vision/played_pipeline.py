"""A device of two kinds that is none: it gives what it is told to, and fails as it is told."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.vision.played_camera import Clock
from vision.cameras import COLOUR, DEPTH, DeviceGoneError, Picture, WrongFormatError


@dataclass
class PlayedPipeline:
    """As `vision.shared_device.Pipeline` asks for; `fault` is what is wrong with it."""

    clock: Clock = field(default_factory=Clock)
    name: str = "played"
    hz: float = 30.0
    kinds: Sequence[str] = (COLOUR, DEPTH)
    fault: str = ""
    gives: set[str] = field(default_factory=lambda: {COLOUR, DEPTH})
    opened: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    closed: int = 0
    sets: int = 0
    in_wait: int = 0

    def open(self, kinds: Sequence[str]) -> None:
        """Fails while it is unplugged."""
        if self.fault == "unplugged":
            raise DeviceGoneError("plug it in")
        self.opened.append(tuple(kinds))

    def wait(self) -> Mapping[str, Picture]:
        """One set of pictures, each with its number in it."""
        self.in_wait += 1
        assert self.in_wait == 1, "two threads wait in one pipeline"
        threading.Event().wait(0.001)
        self.clock.now_s += 1.0 / self.hz
        self.in_wait -= 1
        if self.fault == "unplugged":
            raise DeviceGoneError("plug it in")
        if self.fault == "wrong format":
            raise WrongFormatError("choose another size")
        self.sets += self.fault != "frozen"
        pixels = np.full((8, 8), self.sets, np.uint16)
        return {kind: Picture(self.clock.now_s, pixels) for kind in self.gives}

    def close(self) -> None:
        """Count."""
        self.closed += 1
