"""Text codec of ``session.toml``, schema ``cryoguide.session/1``."""

from __future__ import annotations

from dataclasses import dataclass

from models.toml_table import Table
from models.treatment import Tap, Treatment

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

_KEYS = (
    "schema", "started", "zone", "side", "device", "protocol", "subject", "subject_height_mm", "room_degc",
    "streams", "valve", "tap",
)  # fmt: skip


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
    warnings = [f"{where}: the key {key} is not known and was left out." for key in top.unknown(_KEYS)]
    zone = top.choice("zone", (*ONE_SIDED_ZONES, *ANY_SIDED_ZONES))
    sides = ("left", "right") if zone in ONE_SIDED_ZONES else ("left", "right", "both")
    side = top.choice("side", sides)
    device = top.choice("device", DEVICES)
    protocol = top.choice("protocol", tuple(PROTOCOL_DEVICE))
    if PROTOCOL_DEVICE[protocol] != device:
        warnings.append(
            f"{where}: protocol {protocol} is written for {PROTOCOL_DEVICE[protocol]}, but the device is "
            f"{device}; limits are those of the protocol."
        )
    subject = top.text("subject") if top.has("subject") else None
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
        subject_height_mm=(
            top.number("subject_height_mm", at_least=500.0, at_most=2800.0)
            if top.has("subject_height_mm")
            else None
        ),
        room_degc=top.number("room_degc", at_least=-20.0, at_most=60.0) if top.has("room_degc") else None,
        valve_s=_valve(top, warnings) if top.has("valve") else None,
        taps=_taps(top, warnings) if top.has("tap") else (),
    )
    return SessionHeader(treatment, _streams(top, warnings), tuple(warnings))


def _valve(top: Table, warnings: list[str]) -> tuple[tuple[float, float], ...]:
    intervals: list[tuple[float, float]] = []
    for table in top.tables("valve"):
        _warn_unknown(table, ("from_s", "to_s"), warnings)
        from_s, to_s = table.number("from_s"), table.number("to_s")
        if to_s <= from_s:
            raise table.wrong("to_s", f"is {to_s:g}, not after from_s {from_s:g}; correct the interval")
        if intervals and from_s < intervals[-1][1]:
            raise table.wrong(
                "from_s",
                f"is {from_s:g}, before the interval above ends ({intervals[-1][1]:g}); put them in order",
            )
        intervals.append((from_s, to_s))
    return tuple(intervals)


def _taps(top: Table, warnings: list[str]) -> tuple[Tap, ...]:
    taps: list[Tap] = []
    for table in top.tables("tap"):
        _warn_unknown(table, ("t_s", "stream", "outline_px"), warnings)
        stream = table.choice("stream", ("rgb", "thermal")) if table.has("stream") else "rgb"
        outline_px = table.array("outline_px", (-1, 2))
        if len(outline_px) < 3:
            raise table.wrong("outline_px", f"has {len(outline_px)} points; an outline needs at least 3")
        taps.append(Tap(table.number("t_s"), stream, outline_px))
    return tuple(taps)


def _streams(top: Table, warnings: list[str]) -> StreamNames | None:
    if not top.has("streams"):
        return None
    table = top.table("streams")
    _warn_unknown(table, ("rgb", "thermal", "depth"), warnings)
    names = {key: table.text(key) if table.has(key) else None for key in ("rgb", "thermal", "depth")}
    for key, name in names.items():
        # A name with a folder in it could reach files outside the session.
        if name is not None and (any(c in name for c in "/\\:\0") or name in (".", "..")):
            raise table.wrong(
                key, f"is {name!r}; it must name a file inside the session folder, without a path"
            )
    return StreamNames(**names)


def _warn_unknown(table: Table, known: tuple[str, ...], warnings: list[str]) -> None:
    for key in table.unknown(known):
        warnings.append(f"{table.where}: the key {key} in [{table.name}] is not known and was left out.")
