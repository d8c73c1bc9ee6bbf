"""What the quick check before a session found: ``rig-check.toml`` beside ``rig.toml``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from models.toml_table import Table
from models.validity import RESTS_ON

CHECK_FILE = "rig-check.toml"
"""Beside ``rig.toml``."""

SCHEMA = "cryoguide.rig-check/1"
STATES = ("valid", "moved", "unknown", "not looked at")


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

    def summary(self, *, now: datetime, rig_sha256: str | None) -> tuple[bool, str]:
        """Whether it vouches for the rig, and a line for people.

        Args:
            now: Time of day.
            rig_sha256: Of the rig in use; None = not known.
        """
        age = _age((now - self.checked).total_seconds())
        if rig_sha256 is not None and rig_sha256 != self.rig_sha256:
            return False, f"checked {age}, but another rig.toml"
        if self.moved:
            return False, f"checked {age}: {'; '.join(part.words for part in self.moved)}"
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
        parts.append(CheckedPart(table.text("name"), state, table.text("words"), again))
        table.done()
    checked = RigChecked(top.moment("checked"), top.text("rig_sha256"), tuple(parts))
    top.done()
    top.finish(where=where)
    return checked


def write_checked(checked: RigChecked) -> str:
    """Text that `read_checked` reads back."""
    moment = checked.checked.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    lines = [f'schema = "{SCHEMA}"', f"checked = {moment}", f'rig_sha256 = "{checked.rig_sha256}"']
    for part in checked.parts:
        lines += ["", "[[part]]", f'name = "{part.name}"', f'state = "{part.state}"']
        lines.append(f"words = {json.dumps(part.words)}")
        if part.again:
            lines.append(f"again = {json.dumps(list(part.again))}")
    return "\n".join(lines) + "\n"
