"""How each step of a rig stands: done and how well, lapsed, still to be done, or not possible, and why."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

from calibration.certificate import certificate_path
from calibration.recorded_plan import CHECK, SITTING, STEPS
from calibration.rig_text import Toml, read_tables
from calibration.vouching import HOLDS, NOT_MEASURED, last_check, standings
from models.validity import RESTS_ON
from vision.files import sha256_of

DONE, LAPSED, OPEN, NOT_YET, IMPOSSIBLE = "done", "lapsed", "open", "not yet", "not possible"

GUIDED_TITLES = {
    "rgb": "Colour camera",
    "thermal": "Thermal camera",
    "collar": "Collar of the nozzle",
    "tip": "Tip of the nozzle",
}

_PART = re.compile(r"<!-- part (\w+) of [\w.]+ [0-9a-f]{64} -->\n(.*?)<!-- end of part -->\n", re.DOTALL)
_ERROR = re.compile(
    r"<h3>95 % error on the skin, ([^<]*)</h3><table>.*?</tr>(.*?)</table>",
    re.DOTALL,
)
_ROW = re.compile(r"<tr><td>([^<]*)</td><td>[^<]*</td><td>([^<]*)</td>")  # at 0.6 m, then at 0.8 m
_BARE = ": the bare camera"
"""Before a figure that no calibration makes smaller; what is left after it stands in the rows below."""


@dataclass(frozen=True)
class Outstanding:
    """One step, as a technician is to know it."""

    name: str
    title: str
    state: str
    """`DONE`, `LAPSED`, `OPEN`, `NOT_YET` or `IMPOSSIBLE`."""
    words: str
    """When it was done and how well; or why it is as it is."""

    @property
    def wanted(self) -> bool:
        """Whether it is to be done now."""
        return self.state in (OPEN, LAPSED)

    @property
    def offered(self) -> bool:
        """Whether it can be done now."""
        return self.state in (OPEN, LAPSED, DONE)


def outstanding(rig: Path, *, cameras: Collection[str], now: datetime) -> tuple[Outstanding, ...]:
    """Of all steps, in the order of a sitting, the check last.

    Args:
        rig: Need not be there yet.
        cameras: Kinds that are connected: ``colour``, ``thermal``, ``depth``.
        now: Time of day.

    Raises:
        InputError: If the rig cannot be read.
    """
    tables: Toml = read_tables(rig) if rig.exists() else {}
    checked = last_check(rig)
    stand = (
        {one.name: one for one in standings(tables, marks=None, now=now, checked=checked)} if tables else {}
    )
    errors = errors_on_skin(rig)
    told: list[Outstanding] = []
    for name in SITTING:
        title = GUIDED_TITLES.get(name) or STEPS[name].title
        never, later = impossible(name, tables, cameras), not_yet(name, tables)
        one = stand.get(name)
        if one is not None and one.state == HOLDS and one.measured is not None:
            words = f"done on {_day(one.measured)}"
            told.append(
                Outstanding(name, title, DONE, f"{words}; {errors[name]}" if name in errors else words)
            )
        elif never is not None:
            told.append(Outstanding(name, title, IMPOSSIBLE, never))
        elif one is not None and one.state not in (HOLDS, NOT_MEASURED):
            state = LAPSED if later is None else NOT_YET
            told.append(Outstanding(name, title, state, f"no longer holds: {one.why}"))
        elif later is not None:
            told.append(Outstanding(name, title, NOT_YET, later))
        else:
            words = "not done yet" if one is None or not one.why else f"until then {one.why}"
            told.append(Outstanding(name, title, OPEN, words))
    last = (
        None
        if checked is None
        else checked.summary(now=now, rig_sha256=sha256_of(rig) if tables else None)[1]
    )
    title = STEPS[CHECK].title
    if "rgb" not in tables:
        return (*told, Outstanding(CHECK, title, NOT_YET, "after the first steps"))
    return (
        *told,
        Outstanding(CHECK, title, OPEN, "five seconds" if last is None else f"five seconds; {last}"),
    )


def impossible(name: str, tables: Toml, cameras: Collection[str]) -> str | None:
    """Why the cameras do not allow a step; None where they do."""
    needs = ("thermal",) if name == "thermal" else STEPS[name].needs if name in STEPS else ()
    for kind in ("colour", *needs):
        if kind not in cameras:
            return f"no {kind} camera is connected"
    if name == "depth" and tables and "depth" not in tables:
        return (
            "the rig has no [depth]: type in the lens that the maker of its depth camera states, or say"
            " calibrate depth --lens"
        )
    if "depth" in needs and tables and "depth" not in tables:
        return "the rig has no [depth]: type in where its depth camera stands"
    return None


def not_yet(name: str, tables: Toml) -> str | None:
    """What comes before a step; None where it can be done."""
    if name == "rgb":
        return None
    if "rgb" not in tables:
        return "after the colour camera"
    for part in STEPS[name].parts if name in STEPS else ():
        if part not in tables:
            return {"thermal": "after the thermal camera", "nozzle": "after the collar"}.get(
                part, f"after [{part}]"
            )
    nozzle = tables.get("nozzle")
    if name == "tip" and not (isinstance(nozzle, dict) and "collar" in nozzle):
        return "after the collar: until then where its tags sit leaves the tip open"
    return None


def errors_on_skin(rig: Path) -> dict[str, str]:
    """By step, what the certificate beside a rig says of its error at 0.8 m, in words."""
    try:
        page = certificate_path(rig).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    told: dict[str, str] = {}
    for step, body in _PART.findall(page):
        found = _ERROR.search(body)
        if step in RESTS_ON and found is not None:
            rows = [(unescape(what), unescape(value)) for what, value in _ROW.findall(found.group(2))]
            if rows:
                told[step] = f"{_row_words(rows)} {unescape(found.group(1))} (95 %)"
    return told


def _row_words(rows: list[tuple[str, str]]) -> str:
    """The first row, or what the calibration leaves where that is of the bare camera."""
    (what, value), left = rows[0], rows[1:]
    if _BARE in what and left:
        spot = what.partition(_BARE)[0]
        return f"{spot}, {', '.join(f'{one} {at}'.removeprefix('the same: ') for one, at in left)}"
    return f"{what}{'' if what.endswith(' by') else ':'} {value}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %Y}"
