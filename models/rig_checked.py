"""What the quick check before a session found: ``rig-check.toml`` beside ``rig.toml``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from models.covariance_file import check_covariance
from models.geometry import Floats, frozen
from models.nozzle_errors import TIP
from models.toml_table import Table
from models.validity import RESTS_ON

CHECK_FILE = "rig-check.toml"
"""Beside ``rig.toml``."""

SCHEMA = "cryoguide.rig-check/1"
STATES = ("valid", "moved", "unknown", "not looked at")

CAMERAS = ("rx_rad", "ry_rad", "rz_rad", "tx_mm", "ty_mm", "tz_mm", "thermal_zoom", "rgb_zoom")
"""By what the cameras may be off: turn and shift of ``thermal_from_rgb``; zooms as a share of the focal
length."""

READS, TIMES = ("reads_degc",), ("thermal_s",)
"""By how much too warm the thermal camera reads; by how much its pictures are stamped too early."""

PARAMETERS = (*CAMERAS, *TIP, *READS, *TIMES)


@dataclass(frozen=True, eq=False)
class Off:
    """By what a part is off: one cause that explains what was seen."""

    parameters: tuple[str, ...]
    """Of `PARAMETERS`."""
    values: Floats
    """Shape (n,), in this order."""
    covariance: Floats
    """Of the values, 1 sigma squared, shape (n, n)."""

    def __post_init__(self) -> None:
        """Check the shapes and freeze the arrays."""
        values, covariance = np.asarray(self.values, float), np.asarray(self.covariance, float)
        n = len(self.parameters)
        if values.shape != (n,) or covariance.shape != (n, n):
            raise ValueError(f"{n} parameters with values {values.shape}, covariance {covariance.shape}.")
        object.__setattr__(self, "values", frozen(values))
        object.__setattr__(self, "covariance", frozen(covariance))

    def moments(self, parameters: tuple[str, ...]) -> Floats:
        """Mean squares and products of what it is off by, 0 for what is not in it, shape (n, n).

        What something is known to be off by counts as 1 sigma: 1.96 times the root of ``v^2 + s^2`` is more
        than ``|v| + 1.645 s``, whatever the two are, so a bound from it holds 95 %.
        """
        own = np.outer(self.values, self.values) + self.covariance
        at = [(k, parameters.index(name)) for k, name in enumerate(self.parameters) if name in parameters]
        whole = np.zeros((len(parameters), len(parameters)))
        for k, row in at:
            for j, column in at:
                whole[row, column] = own[k, j]
        return whole

    def u95(self, parameter: str) -> float:
        """The size of one value and its 95 % bound, together; 0 where it is not in it."""
        if parameter not in self.parameters:
            return 0.0
        k = self.parameters.index(parameter)
        return float(abs(self.values[k]) + 1.96 * np.sqrt(self.covariance[k, k]))


@dataclass(frozen=True)
class CheckedPart:
    """One thing that was looked at, or was not."""

    name: str
    """``cameras``, ``tip``, ``temperature``, ``time``, ``calibration``."""
    state: str
    """Of `STATES`."""
    words: str
    """What was found, with its bound, and what to do."""
    again: tuple[str, ...] = ()
    """Steps of calibration that are to be done again."""
    by: str = ""
    """By how much it moved, with bound and unit; empty = it did not, or that is not told."""
    off: tuple[Off, ...] = ()
    """The same as numbers, one for each cause that explains it; none = not told. Of a part that was not found
    moved: by how much it may be off although nothing was found, one for each thing that may have moved."""
    found: datetime | None = None
    """An earlier check found it, and none could judge it since; None = this one did."""

    @property
    def how_much(self) -> str:
        """That it moved, and by how much where that is told."""
        if not self.by:
            return "no longer valid"
        return f"{'moved' if self.name in ('cameras', 'tip') else 'off'} by {self.by}"

    @property
    def brief(self) -> str:
        """What moved by how much and what to do, without the cause; all words where no size is told."""
        if not self.by:
            return self.words
        return f"{self.name} {self.how_much}; do calibrate {', then '.join(self.again)} again"


@dataclass(frozen=True)
class RigChecked:
    """A whole check."""

    checked: datetime
    rig_sha256: str
    """Of the rig file that was checked: another one was not."""
    parts: tuple[CheckedPart, ...]

    @property
    def moved(self) -> tuple[CheckedPart, ...]:
        """What no longer holds."""
        return tuple(part for part in self.parts if part.state == "moved")

    @property
    def state(self) -> str:
        """Of the whole: ``moved``, else ``unknown`` where a part could not be told, else ``valid``.

        ``not looked at`` where no part is valid; parts that were not looked at are told by `summary`.
        """
        states = {part.state for part in self.parts}
        return next((s for s in ("moved", "unknown", "valid") if s in states), "not looked at")

    def summary(self, *, now: datetime, rig_sha256: str | None, brief: bool = False) -> tuple[bool, str]:
        """Whether it vouches for the rig, and a line for people.

        Args:
            now: Time of day.
            rig_sha256: Of the rig in use; None = not known.
            brief: Without the cause of what moved.
        """
        age = _age((now - self.checked).total_seconds())
        if rig_sha256 is not None and rig_sha256 != self.rig_sha256:
            return False, f"checked {age}, but another rig.toml"
        if self.moved:
            told = "; ".join(part.brief if brief else part.words for part in self.moved)
            return False, f"checked {age}: {told}"
        skipped = [part.name for part in self.parts if part.state in ("unknown", "not looked at")]
        told = f"checked {age}: {self.state}"
        return self.state == "valid", told + (f"; not told: {', '.join(skipped)}" if skipped else "")


def _age(seconds: float) -> str:
    if seconds < 0.0:
        return "at a later date"
    if seconds < 5400.0:
        return f"{seconds / 60.0:.0f} min ago"
    return f"{seconds / 3600.0:.0f} h ago" if seconds < 172800.0 else f"{seconds / 86400.0:.0f} days ago"


def read_checked(text: str, *, where: str) -> RigChecked:
    """Read the text of a ``rig-check.toml``.

    Raises:
        InputError: If it is none.
    """
    top = Table.parse(text, where=where, schema=SCHEMA)
    parts: list[CheckedPart] = []
    for table in top.tables("part"):
        again = table.texts("again", choices=tuple(RESTS_ON)) if table.has("again") else ()
        state = table.text("state", choices=STATES)
        by = table.optional_text("by") or ""
        off = tuple(_off(one) for one in table.tables("off")) if table.has("off") else ()
        found = table.moment("found") if table.has("found") else None
        parts.append(CheckedPart(table.text("name"), state, table.text("words"), again, by, off, found))
        table.done()
    checked = RigChecked(top.moment("checked"), top.text("rig_sha256"), tuple(parts))
    top.done()
    top.finish(where=where)
    return checked


def _off(table: Table) -> Off:
    names = table.texts("parameters", choices=PARAMETERS, least=1)
    if len(set(names)) != len(names):
        table.wrong("parameters", "names one twice")
    values = table.array("values", (len(names),))
    covariance = table.array("matrix", (len(names), len(names)))
    table.done()
    check_covariance(table, covariance)
    return Off(names, values, covariance)


def write_checked(checked: RigChecked) -> str:
    """Text that `read_checked` reads back."""
    lines = [
        f'schema = "{SCHEMA}"',
        f"checked = {_moment(checked.checked)}",
        f'rig_sha256 = "{checked.rig_sha256}"',
    ]
    for part in checked.parts:
        lines += ["", "[[part]]", f'name = "{part.name}"', f'state = "{part.state}"']
        lines.append(f"words = {json.dumps(part.words)}")
        if part.again:
            lines.append(f"again = {json.dumps(list(part.again))}")
        if part.by:
            lines.append(f"by = {json.dumps(part.by)}")
        if part.found is not None:
            lines.append(f"found = {_moment(part.found)}")
        for one in part.off:
            lines += ["[[part.off]]", f"parameters = {json.dumps(list(one.parameters))}"]
            lines += [f"values = {one.values.tolist()}", f"matrix = {one.covariance.tolist()}"]
    return "\n".join(lines) + "\n"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
