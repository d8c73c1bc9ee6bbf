"""Gas on or off by pins of a Linux computer (GPIO): one contact, or the two of a change-over switch."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from models.problems import InputError
from vision.gas_input import GasGoneError

POLL_S = 0.01
"""Between two looks: a look takes microseconds, and what a contact does in between is bouncing."""


class Lines(Protocol):
    """Lines that are held."""

    def closed(self) -> Sequence[bool]:
        """Whether each contact is closed, in the order in which they were asked for."""
        ...

    def release(self) -> None:
        """Let go of them."""
        ...


LinesOpener = Callable[[str, Sequence[int]], Lines]


class _Held:
    """Lines of gpiod, pulled up, each with a contact to ground: closed is low."""

    def __init__(self, chip: str, offsets: Sequence[int]) -> None:
        gpiod, line = (importlib.import_module(name) for name in ("gpiod", "gpiod.line"))
        settings = gpiod.LineSettings(direction=line.Direction.INPUT, bias=line.Bias.PULL_UP, active_low=True)
        self._offsets, self._active = list(offsets), line.Value.ACTIVE
        self._request = gpiod.request_lines(chip, consumer="cryoguide", config={tuple(offsets): settings})

    def closed(self) -> list[bool]:
        """See `Lines`."""
        return [value == self._active for value in self._request.get_values(self._offsets)]

    def release(self) -> None:
        """See `Lines`."""
        self._request.release()


def open_by_gpiod(chip: str, offsets: Sequence[int]) -> Lines:
    """Lines of a chip such as ``/dev/gpiochip0``.

    Raises:
        InputError: If gpiod is not installed.
        OSError: If it is not there, or the lines are in use.
    """
    try:
        return _Held(chip, offsets)
    except ImportError as trouble:
        raise InputError(
            'GPIO gas inputs need the extra: pip install "cryoguide[gpio]" (gpiod).'
        ) from trouble


class GpioContacts:
    """Contacts between a pin and ground."""

    def __init__(
        self,
        chip: str,
        *,
        on_line: int,
        off_line: int | None = None,
        inverted: bool = False,
        opener: LinesOpener = open_by_gpiod,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Name a chip and its lines.

        Args:
            chip: Such as ``/dev/gpiochip0``.
            on_line: Closed while gas flows.
            off_line: Closed while it does not. With it a broken wire is found; without, it reads as open.
            inverted: Off is on.
            opener: Only tests give another.
            wait: Only tests give another.
        """
        offsets = [on_line] if off_line is None else [on_line, off_line]
        self.name = f"Gas input {chip}, line {' and '.join(map(str, offsets))}"
        self._chip, self._offsets, self._inverted = chip, offsets, inverted
        self._opener, self._wait = opener, wait
        self._lines: Lines | None = None

    def open(self) -> None:
        """Hold the lines."""
        try:
            self._lines = self._opener(self._chip, self._offsets)
        except (OSError, ValueError) as trouble:
            raise GasGoneError(
                f"{self.name} is not there or is in use by another program ({trouble}): check chip and line."
            ) from trouble

    def read(self) -> list[bool | None]:
        """How the contacts stand now."""
        self._wait(POLL_S)
        if self._lines is None:
            raise GasGoneError(f"{self.name} is closed.")
        try:
            on, *rest = self._lines.closed()
        except (OSError, ValueError) as trouble:
            raise GasGoneError(f"{self.name} is gone: plug it in.") from trouble
        off = rest[0] if rest else not on
        return [None if on == off else on != self._inverted]

    def close(self) -> None:
        """Let go of the lines."""
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.release()
