"""A stand-in for a gas switch, in real time: held, released, unplugged as by hand. No hardware is in it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from vision.gas_input import GasGoneError


@dataclass(eq=False)
class HeldSwitch:
    """Says each 10 ms whether it is held."""

    name: str = "Foot switch"
    held: bool = False
    mute: bool = False
    _gone: threading.Event = field(default_factory=threading.Event)

    def unplug(self) -> None:
        """It is gone."""
        self._gone.set()

    def plug_in(self) -> None:
        """It is there again."""
        self._gone.clear()

    def open(self) -> None:
        """Fails while it is gone."""
        if self._gone.is_set():
            raise GasGoneError(f"{self.name} is not there: plug it in.")

    def read(self) -> list[bool | None]:
        """How it stands now."""
        if self._gone.wait(0.01):
            raise GasGoneError(f"{self.name} is gone: plug it in.")
        return [] if self.mute else [self.held]

    def close(self) -> None:
        """Nothing to let go of."""
