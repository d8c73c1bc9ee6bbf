"""Gas on or off by a serial port: a line of text several times a second, or contacts on its modem lines."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Protocol

from models.problems import InputError
from vision.gas_input import TURN_S, GasGoneError

BAUD = 9600

LONGEST = 64
"""Bytes without an end of line after which what comes is no text of ours."""

MOST = 4096
"""Bytes taken in one read: who floods the port cannot keep the thread from being stopped."""

POLL_S = 0.01
"""Between two looks at a modem line: no drivers tell of a change everywhere."""

LINES = ("cts", "dsr", "cd")


class Port(Protocol):
    """What is used of ``serial.Serial``."""

    @property
    def cts(self) -> bool: ...  # noqa: D102 # pyserial's name, as of the following
    @property
    def dsr(self) -> bool: ...  # noqa: D102
    @property
    def cd(self) -> bool: ...  # noqa: D102
    @property
    def in_waiting(self) -> int: ...  # noqa: D102
    def read(self, size: int, /) -> bytes: ...  # noqa: D102
    def reset_input_buffer(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


PortOpener = Callable[[str, int], Port]


def open_by_pyserial(path: str, baud: int) -> Port:
    """A port of this computer's that no other program shares.

    Raises:
        InputError: If pyserial is not installed.
        OSError: If it cannot be opened.
    """
    try:
        serial = importlib.import_module("serial")
    except ImportError as trouble:
        raise InputError(
            'Serial gas inputs need the extra: pip install "cryoguide[serial]" (pyserial).'
        ) from trouble
    return serial.Serial(path, baudrate=baud, timeout=TURN_S, exclusive=True)


class _Serial:
    """What both share."""

    def __init__(
        self, path: str, *, baud: int = BAUD, inverted: bool = False, opener: PortOpener = open_by_pyserial
    ) -> None:
        """Name a port; it is opened by `open`.

        Args:
            path: Such as ``/dev/serial/by-id/...`` (it stays the same when it is plugged in again), ``COM3``.
            baud: Of the text; modem lines have none.
            inverted: Off is on.
            opener: Only tests give another.
        """
        self.path, self.name = path, f"Gas input {path}"
        self._baud, self._inverted, self._opener = baud, inverted, opener
        self._port: Port | None = None

    def open(self) -> None:
        """Open the port, and leave out what was sent before."""
        try:
            self._port = self._opener(self.path, self._baud)
            self._port.reset_input_buffer()
        except Exception as trouble:  # termios.error is no OSError
            if isinstance(trouble, InputError):
                raise
            raise self._gone("is not there or is in use by another program") from trouble

    def close(self) -> None:
        """Let go of the port."""
        port, self._port = self._port, None
        if port is not None:
            try:
                port.close()
            except Exception:  # it has gone before us
                return

    def _gone(self, what: str) -> GasGoneError:
        return GasGoneError(f"{self.name} {what}: plug it in.")

    def _word(self, flows: bool) -> bool:
        return flows != self._inverted


class SerialText(_Serial):
    r"""Lines ``1`` (gas flows) and ``0`` (it does not), each ended by ``\n``, at least five a second."""

    _text = b""
    _begun = False

    def open(self) -> None:
        """As above; the first line, which may have lost its beginning, is left out."""
        super().open()
        self._text, self._begun = b"", False

    def read(self) -> list[bool | None]:
        """What each line says that came; a line of anything else makes no sense."""
        port = self._port
        if port is None:
            raise self._gone("is closed")
        try:
            data = port.read(max(1, min(port.in_waiting, MOST)))
        except Exception as trouble:
            raise self._gone("is gone") from trouble
        *lines, self._text = (self._text + data).split(b"\n")
        if lines and not self._begun:
            self._begun = True
            del lines[0]
        said = [_meant(line) for line in lines if line.strip()]
        if len(self._text) > LONGEST:
            # The end of this line will come some time; it is no beginning of a word.
            self._text, self._begun = b"", False
            said.append(None)
        return [None if flows is None else self._word(flows) for flows in said]


class SerialContacts(_Serial):
    """Contacts that close a modem line: one, or the two of a change-over switch, which check each other."""

    def __init__(
        self,
        path: str,
        *,
        on_line: str,
        off_line: str | None = None,
        inverted: bool = False,
        opener: PortOpener = open_by_pyserial,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Name a port and its lines.

        Args:
            path: See `_Serial`.
            on_line: ``cts``, ``dsr`` or ``cd``: closed while gas flows.
            off_line: Closed while it does not. With it a broken wire is found; without, it reads as open.
            inverted: Off is on.
            opener: Only tests give another.
            wait: Only tests give another.
        """
        super().__init__(path, inverted=inverted, opener=opener)
        self.name = f"Gas input {path}, {on_line.upper()}" + (f" and {off_line.upper()}" if off_line else "")
        self._on_line, self._off_line, self._wait = on_line, off_line, wait

    def read(self) -> list[bool | None]:
        """How the contacts stand now."""
        self._wait(POLL_S)
        port = self._port
        if port is None:
            raise self._gone("is closed")
        try:
            on = bool(getattr(port, self._on_line))
            off = not on if self._off_line is None else bool(getattr(port, self._off_line))
        except Exception as trouble:
            raise self._gone("is gone, or has no such line") from trouble
        return [None if on == off else self._word(on)]


def _meant(line: bytes) -> bool | None:
    return {b"1": True, b"0": False}.get(line.strip())
