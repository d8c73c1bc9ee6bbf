"""Marks of what each step found: a fingerprint of its part of the rig, and what it rested on then.

What another step does to the same table, and what only moves the nozzle's frame, leaves a mark as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import numpy as np

from calibration.rig_text import Toml
from models.geometry import Floats
from models.rig import INTRINSICS
from models.validity import NONE, RESTS_ON, Found, Validity
from models.validity_file import NAME

TABLES: Mapping[str, str] = {
    "rgb": "rgb",
    "thermal": "thermal",
    "depth": "depth",
    "spread": "thermal.spread",
    "radiometry": "thermal.radiometry",
    "time": "time",
    "collar": "nozzle.collar",
    "tip": "nozzle",
    "axis": "nozzle.axis",
    "jet": "jet",
}
"""Table of the rig that a step writes."""

WHOLE = "rig"
"""Stands for all of the rig, which the quick check speaks of."""

_PROOF = TABLES | {
    "rgb": "rgb.covariance",
    "thermal": "thermal.covariance",
    "depth": "depth.covariance",
    "tip": "nozzle.covariance",
}
"""What is there only where the step was done, and not typed in."""

_OTHERS = ("axis", "covariance", "scale", "spread", "radiometry", "collar", "rgb_minus_thermal_s")
"""What is inside a table that other steps write; the covariance follows from the part itself."""

_NOT_SAID = "not said"
"""Of what a part rested on whose rig was written before marks were."""


def fingerprint(tables: Toml, table: str) -> str:
    """Of what a part of the rig says, whoever wrote it and when."""
    if table == WHOLE:
        told = {key: value for key, value in tables.items() if key not in ("created", NAME)}
        return hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()
    part = _at(tables, table) or {}
    if table == "time":  # the thermal camera's offset stands with the camera, as the format has it
        part = part | {"thermal offset": (_at(tables, "thermal") or {}).get("rgb_minus_thermal_s")}
    own = {k: v for k, v in part.items() if k not in _OTHERS or "." in table}
    if table == "nozzle.collar":  # its tags stand in [nozzle]: their places to one another, not to the frame
        own = _without_frame(part, cast("list[Toml]", (_at(tables, "nozzle") or {}).get("tag", [])))
    if table == "nozzle" and "tag" in own:
        own["tag"] = _far_from_tip(cast("list[Toml]", own["tag"]))
    return hashlib.sha256(repr(sorted(own.items())).encode()).hexdigest()


def was_done(tables: Toml, step: str) -> bool:
    """Whether a rig holds what only this step writes."""
    return _at(tables, _PROOF[step]) is not None


def note(tables: Toml, validity: Validity, step: str, *, now: datetime, created: datetime) -> None:
    """Put into ``[validity]`` that a step was done.

    Parts that an older version left without a mark are noted as of the rig's date; where they rest on this
    step, as resting on something else.

    Args:
        tables: With what the step found; changed.
        validity: As it was before.
        step: That was done.
        now: When.
        created: Date of the rig before.
    """
    found: dict[str, Found] = {one.step: one for one in validity.found}
    for other, grounds in RESTS_ON.items():
        if other not in found and other != step and was_done(tables, other):
            rested = tuple((g, _NOT_SAID if g == step else _mark(found, g)) for g in grounds)
            found[other] = Found(other, created, fingerprint(tables, TABLES[other])[:12], rested)
    rested = tuple((ground, _mark(found, ground)) for ground in RESTS_ON[step])
    found[step] = Found(step, now, fingerprint(tables, TABLES[step])[:12], rested, _lens(tables, step))
    tables[NAME] = {name: _table(found[name]) for name in RESTS_ON if name in found}


def _mark(found: Mapping[str, Found], step: str) -> str:
    return found[step].mark if step in found else NONE


def _lens(tables: Toml, step: str) -> tuple[float, ...]:
    """The colour camera that a step rested on: how far a later one is from it tells what it is worth."""
    rgb = tables.get("rgb")
    if "rgb" not in RESTS_ON[step] or not isinstance(rgb, dict):
        return ()
    own = cast("Toml", rgb)
    numbers = [own.get(name) for name in INTRINSICS[:4]]
    numbers += cast("list[object]", own.get("distortion", []))
    if len(numbers) != len(INTRINSICS) or not all(isinstance(v, int | float) for v in numbers):
        return ()
    return tuple(float(cast("float", v)) for v in numbers)


def _table(one: Found) -> Toml:
    moment = one.measured if one.measured.tzinfo else one.measured.replace(tzinfo=UTC)
    told: Toml = {"measured": moment.astimezone(UTC).replace(microsecond=0), "mark": one.mark}
    told |= {"lens": list(one.lens)} if one.lens else {}
    return told | {"rests_on": dict(one.rested_on)} if one.rested_on else told


def _at(tables: Toml, table: str) -> Toml | None:
    """A table by its dotted name."""
    part: object = tables
    for name in table.split("."):
        part = cast("Toml", part).get(name) if isinstance(part, dict) else None
    return cast("Toml", part) if isinstance(part, dict) else None


def _without_frame(collar: Toml, tags: list[Toml]) -> Toml:
    """What the collar is in any frame, for the steps of tip and axis move it: distances and variance."""
    every = np.array([tag["corners_nozzle_mm"] for tag in tags], float).reshape(-1, 3)
    apart = np.linalg.norm(every[:, None] - every[None], axis=2)
    stated = cast("Toml", collar.get("covariance") or {})
    variance = float(np.trace(np.array(stated.get("matrix", [[0.0]]), float)))
    return {
        "tags": [tag.get("id") for tag in tags],
        "apart": np.round(apart[np.triu_indices(len(every), 1)], 3).tolist(),
        "variance": f"{variance:.5g}",
    }


def _far_from_tip(tags: list[Toml]) -> object:
    """The axis' step turns the nozzle's frame about the tip, which says nothing against the tip."""
    return [
        (
            tag.get("id"),
            [round(float(np.linalg.norm(c)), 3) for c in cast("list[Floats]", tag["corners_nozzle_mm"])],
        )
        for tag in tags
    ]
