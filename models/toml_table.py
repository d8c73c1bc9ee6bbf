"""Typed reading of TOML tables: every mistake is collected, then all are told at once, by table and key."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeGuard, cast

import numpy as np

from models.geometry import Floats
from models.problems import InputError

MISTAKES_SHOWN = 12
"""Mistakes told at once; a file with more has usually one cause, and the sentence must stay readable."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Table:
    """One table of a TOML file that remembers which keys were read and what was wrong with them.

    A reading method answers with a harmless stand-in where the value is wrong, so that reading goes
    on and one run finds all mistakes; `finish` then refuses the file. A check of values against each
    other asks `sound` first, or it would find fault with a stand-in.

    Args:
        values: The table as `tomllib` gave it.
        name: Where it is in the file, e.g. ``nozzle.tag 3``; empty for the file itself.
        problems: The list shared by all tables of the file.
    """

    def __init__(
        self, values: dict[str, object], *, name: str = "", problems: list[str] | None = None
    ) -> None:
        """Start with nothing read."""
        self.name = name
        self.sound = True
        """Whether nothing has been found wrong with this table's own keys."""
        self._values = values
        self._asked: set[str] = set()
        self._problems: list[str] = [] if problems is None else problems

    @staticmethod
    def parse(text: str, *, where: str, schema: str | None = None) -> Table:
        """Parse a whole file and check its schema line, where it must have one.

        Raises:
            InputError: If the text is not TOML, or empty or of another schema where one is asked for.
        """
        if schema is not None and not text.strip():
            raise InputError(f'{where} is empty; it must begin with schema = "{schema}".')
        try:
            table = Table(tomllib.loads(text))
        except RecursionError as error:
            raise InputError(
                f"{where} is not valid TOML (nested deeper than any file of ours): correct it there."
            ) from error
        except ValueError as error:  # of TOML itself, or a whole number of thousands of digits
            raise InputError(f"{where} is not valid TOML ({error}): correct it there.") from error
        found = table._values.get("schema")
        if schema is not None and found != schema:
            told = "no schema" if found is None else f"schema {_shown(found)}"
            raise InputError(
                f'{where} has {told}, but this version reads "{schema}" only; write the file in that form.'
            )
        if schema is not None:
            table.pass_over("schema")
        return table

    def wrong(self, key: str, message: str) -> None:
        """Note one mistake."""
        self.sound = False
        self._problems.append(f"[{self.name}] {key} {message}" if self.name else f"{key} {message}")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        self._asked.add(key)
        return key in self._values

    def has_tables(self, key: str) -> bool:
        """Whether the key is there and is a table or a list of tables."""
        value = self._values.get(key)
        return isinstance(value, dict) or (_are_tables(value) and value != [])

    def peek(self, key: str) -> tuple[str, ...]:
        """Keys of a table inside this one without reading it; none where it is no table."""
        value = self._values.get(key)
        return tuple(cast("dict[str, object]", value)) if isinstance(value, dict) else ()

    def names(self) -> tuple[str, ...]:
        """Keys of this table in the order of the file."""
        return tuple(self._values)

    def path(self, key: str) -> str:
        """Name of a table inside this one."""
        return f"{self.name}.{key}" if self.name else key

    def number(
        self, key: str, *, low: float = -math.inf, high: float = math.inf, above: float = -math.inf
    ) -> float:
        """Read a finite number within ``low..high``, ends included, and greater than ``above``."""
        return self._number(key, self._get(key), low=low, high=high, above=above)

    def _number(self, key: str, value: object, *, low: float, high: float, above: float = -math.inf) -> float:
        stand_in = float(low) if low > -math.inf else above + 1.0 if above > -math.inf else 0.0
        if value is None:
            return stand_in
        if not _is_number(value):
            self.wrong(key, f"must be a number, not {_shown(value)}")
            return stand_in
        if not (low <= value <= high and value > above):
            self.wrong(key, f"must be a number {_range(low, high, above)}, not {_shown(value)}")
            return stand_in
        return float(value)

    def optional_number(
        self, key: str, *, low: float = -math.inf, high: float = math.inf, above: float = -math.inf
    ) -> float | None:
        """Read a number that may be missing."""
        return self.number(key, low=low, high=high, above=above) if self.has(key) else None

    def integer(self, key: str, *, low: int, high: float = math.inf) -> int:
        """Read a whole number within ``low..high`` (2.0 counts as one)."""
        value = self.number(key, low=low, high=high)
        if not value.is_integer():
            self.wrong(key, f"must be a whole number, not {value:g}")
        return int(value)

    def numbers(self, key: str, *, count: int, low: float, high: float) -> tuple[float, ...]:
        """Read a list of exactly ``count`` numbers."""
        value = self._get(key)
        if not isinstance(value, list) or len(cast("list[object]", value)) != count:
            if value is not None:
                self.wrong(key, f"must be a list of {count} numbers")
            return (low,) * count
        return tuple(self._number(key, item, low=low, high=high) for item in cast("list[object]", value))

    def array(self, key: str, shape: tuple[int, ...], *, most: float = math.inf) -> Floats:
        """Read nested lists of finite numbers; -1 leaves the first length open. Zeros stand in.

        Args:
            key: Of the lists.
            shape: Of what they hold.
            most: None is farther from 0 than this.
        """
        value = self._get(key)
        if _has_shape(value, shape):
            numbers = np.array(value, dtype=np.float64).reshape(shape)
            if numbers.size == 0 or np.abs(numbers).max() <= most:
                return numbers
            self.wrong(key, f"holds a number beyond +-{most:g}")
        elif value is not None:
            told = " x ".join("n" if n < 0 else str(n) for n in shape)
            self.wrong(key, f"must hold {told} finite numbers in nested lists")
        return np.zeros([max(n, 0) for n in shape])

    def flag(self, key: str) -> bool:
        """Read ``true`` or ``false``; missing means false."""
        value = self._get(key) if self.has(key) else False
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false, not {_shown(value)}")
        return value is True

    def text(self, key: str, *, choices: Sequence[str] = ()) -> str:
        """Read a text that is not empty, one of ``choices`` where any are given."""
        return self._text(key, self._get(key), choices=choices)

    def _text(self, key: str, value: object, *, choices: Sequence[str]) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f"must be a text, not {_shown(value)}")
            return ""
        if choices and value not in choices:
            self.wrong(key, f"is {_shown(value)}; use one of {', '.join(choices)}")
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

    def moment(self, key: str) -> datetime:
        """Read a date with time; one without an offset is taken as UTC."""
        value = self._get(key)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if value is not None:
            self.wrong(key, f"must be a date with time such as 2026-11-23T10:00:00Z, not {_shown(value)}")
        return _EPOCH

    def table(self, key: str) -> Table:
        """Read a table; an empty one stands in where it is missing or no table."""
        value = self._get(key)
        if isinstance(value, dict):
            return Table(cast("dict[str, object]", value), name=self.path(key), problems=self._problems)
        if value is not None:
            self.wrong(key, "must be a table")
        # Where the whole table is missing that is one mistake, not one for each of its keys.
        return Table({}, name=self.path(key))

    def tables(self, key: str) -> tuple[Table, ...]:
        """Read a list of tables; their names count from 1."""
        value = self._get(key)
        if not _are_tables(value):
            if value is not None:
                self.wrong(key, f"must be a list of tables, written [[{self.path(key)}]]")
            return ()
        items = cast("list[dict[str, object]]", value)
        return tuple(
            Table(item, name=f"{self.path(key)} {i}", problems=self._problems)
            for i, item in enumerate(items, 1)
        )

    def unread(self) -> tuple[str, ...]:
        """Keys that nobody asked for."""
        return tuple(key for key in self._values if key not in self._asked)

    def pass_over(self, key: str) -> None:
        """Count a key as read."""
        self._asked.add(key)

    def done(self) -> None:
        """Note every key that nobody read: an unknown key is a mistake, a typo most of the time."""
        for key in self.unread():
            near = difflib.get_close_matches(key, self._asked, n=1)
            self.wrong(key, "is not a known key" + (f" (did you mean {near[0]}?)" if near else ""))

    def finish(self, *, where: str, most: int = MISTAKES_SHOWN) -> None:
        """Refuse the file if anything was wrong in it, and tell at most so many mistakes.

        Raises:
            InputError: With all mistakes in one sentence.
        """
        if not self._problems:
            return
        shown = "; ".join(self._problems[:most])
        more = len(self._problems) - most
        rest = f"; and {more} more" if more > 0 else ""
        count = "1 mistake" if len(self._problems) == 1 else f"{len(self._problems)} mistakes"
        raise InputError(f"{where} has {count}: {shown}{rest}. Correct the file and start again.")

    def _get(self, key: str) -> object | None:
        if not self.has(key):
            self.wrong(key, "is missing")
            return None
        return self._values[key]


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether a TOML value is a finite number (a truth value is not one)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # TOML's integers have no end; beyond 1e300 a float does not hold them.
    return -1e300 < value < 1e300


def _are_tables(value: object) -> bool:
    """Whether a TOML value is a list of tables."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in cast("list[object]", value))


def _shown(value: object) -> str:
    """A value on one line, short enough for a sentence."""
    shown = repr(value) if not isinstance(value, int) or abs(value) < 10**20 else "a number beyond all use"
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _range(low: float, high: float, above: float) -> str:
    """The numbers allowed, in words; at least one end is finite."""
    if low > -math.inf and high < math.inf:
        return f"from {low:g} to {high:g}"
    least = f"above {above:g}" if above > -math.inf else f"of at least {low:g}" if low > -math.inf else ""
    most = f"of at most {high:g}" if high < math.inf else ""
    return f"{least} and {most}" if least and most else least or most


def _has_shape(value: object, shape: tuple[int, ...]) -> bool:
    if not shape:
        return _is_number(value)
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return (shape[0] < 0 or len(items) == shape[0]) and all(_has_shape(item, shape[1:]) for item in items)
