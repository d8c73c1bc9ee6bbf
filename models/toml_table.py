"""Typed reading of TOML tables: every mistake becomes one sentence that names file, table and key."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeGuard, cast

import numpy as np

from models.geometry import Floats
from models.problems import InputError


@dataclass(frozen=True)
class Table:
    """One TOML table and where it stands, for messages."""

    values: dict[str, object]
    where: str
    """File, e.g. ``s1/rig.toml``."""
    name: str = ""
    """Path of the table in the file, e.g. ``nozzle.tag 3``; empty for the top level."""

    @staticmethod
    def parse(text: str, *, where: str, schema: str) -> Table:
        """Parse a whole file and check its schema line.

        Raises:
            InputError: If the text is empty, not TOML, or of another schema.
        """
        if not text.strip():
            raise InputError(f'{where} is empty; it must begin with schema = "{schema}".')
        try:
            values = cast("dict[str, object]", tomllib.loads(text))
        except tomllib.TOMLDecodeError as trouble:
            raise InputError(f"{where} is not valid TOML ({trouble}); correct it there.") from trouble
        found = values.get("schema")
        if found != schema:
            told = "no schema" if found is None else f"schema {_shown(found)}"
            raise InputError(
                f'{where} has {told}, but this version reads "{schema}" only; write the file in that form.'
            )
        return Table(values, where)

    def wrong(self, key: str, trouble: str) -> InputError:
        """The sentence for one key: where, what is wrong."""
        place = f"[{self.name}] {key}" if self.name else key
        return InputError(f"{self.where}: {place} {trouble}.")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.values

    def get(self, key: str) -> object:
        """Value of a key that must be there.

        Raises:
            InputError: If it is missing.
        """
        if key not in self.values:
            raise self.wrong(key, "is missing; add it")
        return self.values[key]

    def number(
        self, key: str, *, above: float = -math.inf, at_least: float = -math.inf, at_most: float = math.inf
    ) -> float:
        """A finite number; integers are numbers too."""
        value = self.get(key)
        if not is_number(value):
            raise self.wrong(key, f"must be a number, not {_shown(value)}")
        if not (value > above and at_least <= value <= at_most):
            least = f" above {above:g}" if above > -math.inf else ""
            least = f" of at least {at_least:g}" if at_least > -math.inf else least
            most = f" and at most {at_most:g}" if at_most < math.inf else ""
            raise self.wrong(key, f"must be a number{least}{most}, not {value!r}")
        return float(value)

    def integer(self, key: str, *, at_least: int) -> int:
        """A whole number (2.0 counts as one)."""
        value = self.number(key, at_least=at_least)
        if not value.is_integer():
            raise self.wrong(key, f"must be a whole number, not {value!r}")
        return int(value)

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, f"must be a text, not {_shown(value)}")
        return value

    def choice(self, key: str, choices: Collection[str]) -> str:
        """One of the given texts."""
        value = self.text(key)
        if value not in choices:
            raise self.wrong(key, f"is {_shown(value)}; use one of {', '.join(choices)}")
        return value

    def moment(self, key: str) -> datetime:
        """A date with time; one without an offset is taken as UTC."""
        value = self.get(key)
        if not isinstance(value, datetime):
            raise self.wrong(
                key, f"must be a date with time such as 2026-11-23T10:00:00Z, not {_shown(value)}"
            )
        return value if value.tzinfo else value.replace(tzinfo=UTC)

    def array(self, key: str, shape: tuple[int, ...]) -> Floats:
        """Nested lists of finite numbers of the given shape; -1 leaves the first length open."""
        value = self.get(key)
        told = " x ".join("n" if n < 0 else str(n) for n in shape)
        if not _has_shape(value, shape):
            raise self.wrong(key, f"must hold {told} finite numbers in nested lists")
        return np.array(value, dtype=np.float64).reshape(shape)

    def table(self, key: str) -> Table:
        """A table inside this one."""
        value = self.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return Table(cast("dict[str, object]", value), self.where, self._inner(key))

    def tables(self, key: str) -> list[Table]:
        """A list of tables inside this one; their names count from 1."""
        value = self.get(key)
        if not is_tables(value):
            raise self.wrong(key, f"must be a list of tables, written [[{self._inner(key)}]]")
        items = cast("list[dict[str, object]]", value)
        return [Table(item, self.where, f"{self._inner(key)} {i}") for i, item in enumerate(items, 1)]

    def unknown(self, known: Collection[str]) -> list[str]:
        """Keys that are not among the known ones."""
        return [key for key in self.values if key not in known]

    def _inner(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a TOML value is a finite number (a truth value is not one)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # TOML's integers have no end; beyond 1e300 a float does not hold them.
    return -1e300 < value < 1e300


def is_tables(value: object) -> bool:
    """Whether a TOML value is a list of tables."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in cast("list[object]", value))


def _shown(value: object) -> str:
    """A value on one line, short enough for a sentence."""
    shown = repr(value) if not isinstance(value, int) or abs(value) < 10**20 else "a number beyond all use"
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _has_shape(value: object, shape: tuple[int, ...]) -> bool:
    if not shape:
        return is_number(value)
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return (shape[0] < 0 or len(items) == shape[0]) and all(_has_shape(item, shape[1:]) for item in items)
