"""Reading a TOML table with checks: every mistake is collected, then all are told at once."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from typing import cast

from models.problems import InputError

MISTAKES_SHOWN = 12
"""Mistakes told at once; a file with more has usually one cause, and the sentence must stay readable."""


class CheckedTable:
    """One table of a TOML file that remembers which keys were read and what was wrong with them.

    A reading method answers with a harmless stand-in where the value is wrong, so that reading goes
    on and one run finds all mistakes; `finish` then refuses the file.

    Args:
        values: The table as `tomllib` gave it.
        path: Where it is in the file, e.g. ``knee.anchor``; empty for the file itself.
        problems: The list shared by all tables of the file.
    """

    def __init__(
        self, values: dict[str, object], *, path: str = "", problems: list[str] | None = None
    ) -> None:
        """Start with nothing read."""
        self._values = values
        self._path = path
        self._read: set[str] = set()
        self.problems: list[str] = [] if problems is None else problems

    @staticmethod
    def parse(text: str, *, where: str) -> CheckedTable:
        """Parse TOML text.

        Raises:
            InputError: If the text is not TOML.
        """
        try:
            return CheckedTable(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{where} is not valid TOML ({error}): correct it there.") from error

    def at(self, key: str) -> str:
        """Name of a key as shown to the user, e.g. ``knee.width_mm``."""
        return f"{self._path}.{key}" if self._path else key

    def wrong(self, key: str, message: str) -> None:
        """Note one mistake."""
        self.problems.append(f"{self.at(key)} {message}")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """Keys of this table in the order of the file."""
        return tuple(self._values)

    def _get(self, key: str) -> object | None:
        self._read.add(key)
        if key not in self._values:
            self.wrong(key, "is missing")
            return None
        return self._values[key]

    def number(self, key: str, *, low: float, high: float) -> float:
        """Read a finite number within ``low..high``, ends included."""
        return self._number(key, self._get(key), low=low, high=high)

    def _number(self, key: str, value: object, *, low: float, high: float) -> float:
        if value is None:
            return low
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self.wrong(key, f"must be a number, not {value!r}")
            return low
        if not low <= value <= high:
            self.wrong(key, f"= {value:g} lies outside {low:g} to {high:g}")
            return low
        return float(value)

    def optional_number(self, key: str, *, low: float, high: float) -> float | None:
        """Read a number that may be missing."""
        return self.number(key, low=low, high=high) if self.has(key) else None

    def numbers(self, key: str, *, count: int, low: float, high: float) -> tuple[float, ...]:
        """Read a list of exactly ``count`` numbers."""
        value = self._get(key)
        if not isinstance(value, list) or len(cast("list[object]", value)) != count:
            if value is not None:
                self.wrong(key, f"must be a list of {count} numbers")
            return (low,) * count
        return tuple(self._number(key, item, low=low, high=high) for item in cast("list[object]", value))

    def flag(self, key: str) -> bool:
        """Read ``true`` or ``false``; missing means false."""
        value = self._get(key) if self.has(key) else False
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false, not {value!r}")
        return value is True

    def text(self, key: str, *, choices: Sequence[str] = ()) -> str:
        """Read a text that is not empty, one of ``choices`` where any are given."""
        return self._text(key, self._get(key), choices=choices)

    def _text(self, key: str, value: object, *, choices: Sequence[str]) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f"must be a text, not {value!r}")
            return ""
        if choices and value not in choices:
            self.wrong(key, f"= {value!r} is none of {', '.join(choices)}")
        return value

    def optional_text(self, key: str) -> str | None:
        """Read a text that may be missing."""
        return self.text(key) if self.has(key) else None

    def texts(self, key: str, *, choices: Sequence[str] = (), least: int = 0) -> tuple[str, ...]:
        """Read a list of texts with at least ``least`` entries."""
        value = self._get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.wrong(key, "must be a list of texts")
            return ()
        items = cast("list[object]", value)
        if len(items) < least:
            self.wrong(key, f"must have at least {least} entries")
        return tuple(self._text(key, item, choices=choices) for item in items)

    def table(self, key: str) -> CheckedTable:
        """Read a table; an empty one stands in where it is missing or no table."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self.wrong(key, "must be a table")
            value = None
        inner = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        # Where the whole table is missing that is one mistake, not one for each of its keys.
        problems = self.problems if value is not None else []
        return CheckedTable(inner, path=self.at(key), problems=problems)

    def tables(self, key: str) -> tuple[CheckedTable, ...]:
        """Read an array of tables that may be missing."""
        if not self.has(key):
            return ()
        value = self._get(key)
        items = cast("list[object]", value) if isinstance(value, list) else []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in items):
            self.wrong(key, "must be an array of tables ([[...]])")
            return ()
        return tuple(
            CheckedTable(cast("dict[str, object]", item), path=f"{self.at(key)}[{i}]", problems=self.problems)
            for i, item in enumerate(items)
        )

    def done(self) -> None:
        """Note every key that nobody read: an unknown key is a mistake, a typo most of the time."""
        for key in self._values:
            if key not in self._read:
                self.wrong(key, "is not a key known here")

    def finish(self, *, where: str) -> None:
        """Refuse the file if anything was wrong in it.

        Raises:
            InputError: With all mistakes in one sentence.
        """
        if not self.problems:
            return
        shown = "; ".join(self.problems[:MISTAKES_SHOWN])
        more = len(self.problems) - MISTAKES_SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        count = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        raise InputError(f"{where} has {count}: {shown}{rest}. Correct the file and start again.")
