"""What a sitting leaves in its folder, so that one whose program was killed is gone on with.

The folder says to which rig it belongs. Each step of several recordings says which are whole and what was
told of them: an ice slurry, or a burst of gas, need not be shown again. What was under way as the program
died is lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from calibration.recorded_solve import TAKES, Take
from vision.put_files import put_file
from vision.source import SUFFIX

SITTING, RECORDED = "sitting.json", "takes.json"
FOLDERS = "calibration-*"
"""Of sittings, where none was named."""

HOLDS_S = 3600.0
"""Recordings older than this are not gone on with: camera, thermometer and nozzle may stand otherwise by now
(own choice)."""


def belongs(keep: Path, rig: Path) -> bool:
    """Whether a folder is that of a sitting of this rig."""
    told = _read(keep / SITTING)
    return told is not None and told.get("rig") == str(rig.resolve())


def note_sitting(keep: Path, rig: Path) -> None:
    """Say to which rig a folder belongs.

    Raises:
        InputError: If it cannot be written.
    """
    if not belongs(keep, rig):
        _put(keep / SITTING, {"rig": str(rig.resolve())})


def note_takes(folder: Path, takes: Sequence[Take], *, now: datetime) -> None:
    """Say which recordings of a step are whole, and what was told of them.

    Args:
        folder: Of the step; the recordings lie in it.
        takes: In order.
        now: As the last one ended.

    Raises:
        InputError: If it cannot be written.
    """
    each = [{"file": one.path.name, "entries": dict(one.entries), "title": one.title} for one in takes]
    _put(folder / RECORDED, {"at": now.isoformat(), "takes": each})


def forget_takes(folder: Path) -> None:
    """They were worked out: nothing is to be gone on with."""
    with suppress(OSError):
        (folder / RECORDED).unlink(missing_ok=True)


def takes_of(folder: Path, *, now: datetime) -> list[Take]:
    """The recordings of a step that was broken off; none where there are none, or they are too old."""
    told = _read(folder / RECORDED)
    if told is None:
        return []
    try:
        age = now - datetime.fromisoformat(str(told["at"]))
        takes = [
            Take(
                folder / Path(str(one["file"])).name,
                {str(key): str(value) for key, value in cast("dict[object, object]", one["entries"]).items()},
                str(one["title"]),
            )
            for one in cast("list[dict[str, object]]", told["takes"])
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []
    whole = all(one.path.is_file() for one in takes)
    return takes if whole and timedelta(0) <= age <= timedelta(seconds=HOLDS_S) else []


def only_takes(folder: Path, takes: Sequence[Take]) -> None:
    """Of a recording that was under way as the program died, leave nothing, as where it is stopped."""
    kept = {one.path.name for one in takes}
    for file in folder.glob(f"*{SUFFIX}"):
        if file.name not in kept:
            with suppress(OSError):
                file.unlink()


def broken_off(place: Path, rig: Path, *, now: datetime) -> Path | None:
    """The newest folder of a sitting of this rig in which recordings wait to be worked out.

    Args:
        place: Where such folders lie.
        rig: To be written.
        now: Time of day.
    """
    for folder in sorted(place.glob(FOLDERS), reverse=True):
        if belongs(folder, rig) and any(takes_of(folder / name, now=now) for name in TAKES.values()):
            return folder
    return None


def _read(path: Path) -> dict[str, object] | None:
    try:
        told = cast("object", json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return cast("dict[str, object]", told) if isinstance(told, dict) else None


def _put(path: Path, told: object) -> None:
    put_file(path, json.dumps(told, indent=1) + "\n")


def folder_beside(rig: Path, *, now: datetime, go_on: bool) -> Path:
    """Where a sitting keeps its pictures unless told otherwise: beside the rig, wherever it is started from.

    Args:
        rig: That is calibrated.
        now: For the folder's name.
        go_on: Take that of a sitting which was broken off, where there is one.
    """
    place = rig.parent
    before = broken_off(place, rig, now=now) if go_on else None
    return before or place / f"calibration-{now.astimezone():%Y%m%d-%H%M%S}"
