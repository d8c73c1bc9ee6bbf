"""A gas input that is none: it says what it is told to, on a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.vision.played_camera import Clock
from vision.gas_input import GasGoneError


@dataclass
class SaidGas:
    """A driver as `vision.gas_input.GasDevice` asks for; `says` None in a list makes no sense."""

    clock: Clock
    interval_s: float = 0.05
    says: list[bool | None] = field(default_factory=lambda: [False])
    gone: bool = False
    name: str = "said gas"
    opened: int = 0

    def open(self) -> None:
        """Fails while it is gone."""
        if self.gone:
            raise GasGoneError("plug it in")
        self.opened += 1

    def read(self) -> list[bool | None]:
        """What it says, after its interval."""
        self.clock.now_s += self.interval_s
        if self.gone:
            raise GasGoneError("plug it in")
        return list(self.says)

    def close(self) -> None:
        """Nothing to let go of."""
