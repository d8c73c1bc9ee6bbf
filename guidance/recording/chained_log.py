"""An append-only log whose entries are chained: each names the SHA-256 of the line before it.

One JSON object a line. Changing, inserting or removing a line breaks the chain there. Lines cut off at the
end leave a chain that is whole: that is found only where the number of lines or the last seal is known from
elsewhere. A log that was closed has a last line that says so; it is missed where it is cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from models.problems import InputError

FIRST = "0" * 64
"""What the first line names as the seal before it."""

END = "end"
"""Kind of the last line of a log that was closed."""


def seal_of(line: bytes) -> str:
    """The seal of one line, its line end left out."""
    return sha256(line).hexdigest()


class ChainedLog:
    """Appends; every line is handed to the operating system at once."""

    def __init__(self, path: Path) -> None:
        """Begin a log, or go on with one that is whole.

        Raises:
            InputError: If it cannot be written, or what is there does not hold.
        """
        self.path = path
        self.number, self.seal = 0, FIRST
        if path.exists() and path.stat().st_size:
            checked = verify(path)
            if checked.trouble:
                raise InputError(f"{checked.trouble} It cannot be gone on with: keep it and begin another.")
            self.number, self.seal = checked.lines, checked.seal
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as trouble:
            words = f"{path} cannot be written ({trouble.strerror}); choose another place."
            raise InputError(words) from trouble

    def append(self, kind: str, told: dict[str, Any], *, at: datetime | None = None) -> None:
        """Add one entry.

        Args:
            kind: ``begin``, ``action``, ``alarm``, ``end`` ...
            told: Anything that JSON can write.
            at: The time of day; now where None.

        Raises:
            OSError: If the disk does not take it; nothing of it then stays.
        """
        when = datetime.now(UTC) if at is None else at
        entry = {"n": self.number, "at": when.isoformat(), "kind": kind, "told": told, "before": self.seal}
        line = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode()
        start = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line + b"\n") != len(line) + 1:
                raise OSError(28, "the disk is full")
        except OSError:
            os.truncate(self.path, start)
            raise
        self.number, self.seal = self.number + 1, seal_of(line)

    def to_disk(self) -> None:
        """Wait until the disk has all of it."""
        os.fsync(self._file.fileno())

    def abandon(self) -> None:
        """Let go of the file without a last line."""
        self._file.close()

    def close(self, **told: Any) -> None:
        """Add the last line and close."""
        try:
            self.append(END, told)
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


@dataclass(frozen=True)
class Checked:
    """What was found in a log."""

    lines: int
    """That hold."""
    seal: str
    """Of the last one that holds: written down elsewhere, it proves the log's length later."""
    closed: bool
    """Whether the last line ends a session."""
    trouble: str
    """One sentence; empty where every line holds."""


def verify(path: Path) -> Checked:
    """Look for any line that was changed, inserted, removed or cut off.

    Raises:
        InputError: If the file cannot be read.
    """
    lines, seal, kind = 0, FIRST, ""
    for number, (line, whole) in enumerate(_lines(path)):
        trouble = ""
        try:
            entry = cast("dict[str, Any]", json.loads(line))
            if not whole:
                trouble = f"line {number + 1} is cut off"
            elif entry["before"] != seal:
                trouble = f"line {number + 1} does not follow from the one before: something was changed here"
            elif entry["n"] != number:
                trouble = f"line {number + 1} has the number {entry['n']}"
            kind = str(entry["kind"])
        except (ValueError, KeyError, TypeError, RecursionError):
            trouble = f"line {number + 1} is no entry of a log" if whole else f"line {number + 1} is cut off"
        if trouble:
            return Checked(lines, seal, False, f"{path.name}: {trouble}.")
        lines, seal = lines + 1, seal_of(line)
    if not lines:
        return Checked(0, FIRST, False, f"{path.name} is empty.")
    return Checked(lines, seal, kind == END, "")


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Each line and whether it has its line end."""
    try:
        with path.open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n"), line.endswith(b"\n")
    except OSError as trouble:
        words = f"{path} cannot be read ({trouble.strerror}); check its path and permissions."
        raise InputError(words) from trouble
