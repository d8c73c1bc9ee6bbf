"""Text codec of ``session.toml``, schema ``cryoguide.session/1``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats
from models.optional_tables import leave_out
from models.problems import InputError
from models.toml_table import Table
from models.treatment import Reference, Tap, Treatment

SESSION_SCHEMA = "cryoguide.session/1"

ONE_SIDED_ZONES = (
    "knee", "shoulder", "elbow", "wrist", "hand", "hip", "ankle", "foot", "achilles",
    "calf", "hamstring", "quadriceps", "buttock",
)  # fmt: skip
"""Zones treated on the left or on the right."""
ANY_SIDED_ZONES = (
    "lumbar", "upper-back", "neck", "abdomen", "thigh-cellulite", "forehead", "cheek", "chin", "temple",
)  # fmt: skip
"""Zones that may also be treated on both sides at once."""
DEVICES = ("ln2-wand", "chilled-air", "co2")
PROTOCOL_DEVICE = {
    "ln2-analgesia": "ln2-wand",
    "ln2-thermal-shock": "ln2-wand",
    "ln2-gentle-face": "ln2-wand",
    "co2-analgesia": "co2",
    "co2-thermal-shock": "co2",
    "air-analgesia": "chilled-air",
    "air-gentle-face": "chilled-air",
}
"""Protocols, and the device that each was written for."""

REFERENCE_EMISSIVITY = 0.98
"""Of a reference that states none: skin's own (domain section 2), as of matt paint or tape made for it."""


@dataclass(frozen=True)
class StreamNames:
    """File names of the streams in the session folder; None = there is no such stream."""

    rgb: str | None
    thermal: str | None
    depth: str | None


@dataclass(frozen=True, eq=False)
class SessionHeader:
    """All that ``session.toml`` says."""

    treatment: Treatment
    streams: StreamNames | None
    """None where the file has no table of streams."""
    warnings: tuple[str, ...]


def read_treatment(text: str, *, where: str) -> SessionHeader:
    """Read the text of a ``session.toml``.

    Args:
        text: Whole file.
        where: Name of the file for messages.

    Returns:
        Treatment, stream names, and a sentence for each thing that was worked around.

    Raises:
        InputError: If anything is missing, of the wrong kind, out of range or not known.
    """
    top = Table.parse(text, where=where, schema=SESSION_SCHEMA)
    warnings: list[str] = []
    zone = top.text("zone", choices=(*ONE_SIDED_ZONES, *ANY_SIDED_ZONES))
    sides = ("left", "right") if zone in ONE_SIDED_ZONES else ("left", "right", "both")
    side = top.text("side", choices=sides)
    device = top.text("device", choices=DEVICES)
    protocol = top.text("protocol", choices=tuple(PROTOCOL_DEVICE))
    if top.sound and PROTOCOL_DEVICE[protocol] != device:
        warnings.append(
            f"{where}: protocol {protocol} is written for {PROTOCOL_DEVICE[protocol]}, but the device is "
            f"{device}; limits are those of the protocol."
        )
    subject = top.optional_text("subject")
    if subject is not None and any(c.isspace() for c in subject.strip()):
        warnings.append(f"{where}: subject looks like a name; use a code, never a name.")
    treatment = Treatment(
        started=top.moment("started"),
        zone=zone,
        side=side,
        device=device,
        protocol=protocol,
        subject=subject,
        # Standing heights from a small child to the tallest man on record (2720 mm).
        subject_height_mm=top.optional_number("subject_height_mm", low=500.0, high=2800.0),
        room_degc=top.optional_number("room_degc", low=-20.0, high=60.0),
        valve_s=_valve(top, where, warnings) if top.has("valve") else None,
        taps=_taps(top, where, warnings) if top.has("tap") else (),
        references=_references(top, where, warnings) if top.has("reference") else (),
    )
    streams = _streams(top, where, warnings) if top.has("streams") else None
    warnings += leave_out(top, where=where)
    top.finish(where=where)
    return SessionHeader(treatment, streams, tuple(warnings))


def _valve(top: Table, where: str, warnings: list[str]) -> tuple[tuple[float, float], ...]:
    intervals: list[tuple[float, float]] = []
    for table in top.tables("valve"):
        from_s, to_s = table.number("from_s"), table.number("to_s")
        warnings += leave_out(table, where=where)
        if not table.sound:
            continue
        if to_s <= from_s:
            table.wrong("to_s", f"is {to_s:g}, not after from_s {from_s:g}; correct the interval")
        elif intervals and from_s < intervals[-1][1]:
            table.wrong(
                "from_s",
                f"is {from_s:g}, before the interval above ends ({intervals[-1][1]:g}); put them in order",
            )
        intervals.append((from_s, to_s))
    return tuple(intervals)


def _taps(top: Table, where: str, warnings: list[str]) -> tuple[Tap, ...]:
    taps: list[Tap] = []
    for table in top.tables("tap"):
        stream = table.text("stream", choices=("rgb", "thermal")) if table.has("stream") else "rgb"
        t_s = table.number("t_s")
        outline_px = table.array("outline_px", (-1, 2))
        if table.sound and len(outline_px) < 3:
            table.wrong("outline_px", f"has {len(outline_px)} points; an outline needs at least 3")
        elif table.sound and _on_a_line(outline_px):
            table.wrong("outline_px", "lies on one line and goes round nothing; tap the outline again")
        warnings += leave_out(table, where=where)
        taps.append(Tap(t_s, stream, outline_px))
    return tuple(taps)


def _on_a_line(outline_px: Floats) -> bool:
    """Whether all points lie on one line, to about a tenth of a pixel."""
    off_px = outline_px - outline_px.mean(axis=0)
    return float(np.linalg.svd(off_px, compute_uv=False)[1]) < 0.1


def read_references(text: str, *, where: str) -> tuple[Reference, ...]:
    """Read a file of nothing but ``[[reference]]``, as ``session.toml`` has them.

    Raises:
        InputError: If anything in it is bad.
    """
    top = Table.parse(text, where=where)
    warnings: list[str] = []
    found = _references(top, where, warnings)
    top.done()
    top.finish(where=where)
    return found


def check_reference(reference: Reference, size_px: tuple[int, int], *, number: int, where: str) -> None:
    """Refuse a reference that lies outside its picture of (width, height) pixels.

    Raises:
        InputError: If it does.
    """
    low, high = reference.outline_px.min(axis=0), reference.outline_px.max(axis=0)
    if (low < -0.5).any() or (high > np.array(size_px, float) - 0.5).any():
        raise InputError(
            f"{where}: [[reference]] {number} lies outside the {reference.stream} picture; outline it again."
        )


def _references(top: Table, where: str, warnings: list[str]) -> tuple[Reference, ...]:
    references: list[Reference] = []
    for table in top.tables("reference"):
        stream = table.text("stream", choices=("rgb", "thermal")) if table.has("stream") else "thermal"
        outline_px = table.array("outline_px", (-1, 2))
        if table.sound and len(outline_px) < 3:
            table.wrong("outline_px", f"has {len(outline_px)} points; an outline needs at least 3")
        distance_mm = table.optional_number("distance_mm", above=0.0, high=1e4)
        if table.sound and stream == "rgb" and distance_mm is None:
            table.wrong("distance_mm", "is missing: an outline in the rgb picture needs its distance")
        emissivity = table.optional_number("emissivity", low=0.5, high=1.0)
        references.append(
            Reference(
                stream=stream,
                outline_px=outline_px,
                degc=table.number("degc", low=-40.0, high=80.0),
                u95_degc=table.number("u95_degc", above=0.0, high=10.0),
                emissivity=REFERENCE_EMISSIVITY if emissivity is None else emissivity,
                distance_mm=distance_mm,
            )
        )
        warnings += leave_out(table, where=where)
    return tuple(references)


def _streams(top: Table, where: str, warnings: list[str]) -> StreamNames:
    table = top.table("streams")
    names = {key: table.optional_text(key) for key in ("rgb", "thermal", "depth")}
    for key, name in names.items():
        # A name with a folder in it could reach files outside the session.
        if name is not None and (any(c in name for c in "/\\:\0") or name in (".", "..")):
            table.wrong(key, f"is {name!r}; it must name a file inside the session folder, without a path")
    warnings += leave_out(table, where=where)
    return StreamNames(**names)
