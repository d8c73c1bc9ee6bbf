"""What was treated, by the options of ``cryoguide import``: checked, all mistakes at once, and as text."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from models.catalogue import load_devices, load_protocols, load_zones
from models.history import is_code
from models.treatment_file import SESSION_SCHEMA


@dataclass(frozen=True)
class Asked:
    """The options about the treatment, as they were typed."""

    zone: str | None
    side: str | None
    protocol: str | None
    device: str | None
    subject: str | None
    subject_height_mm: float | None
    room_degc: float | None
    outline: str | None
    valve: str | None
    started: str | None


@dataclass(frozen=True)
class Header:
    """What ``session.toml`` will say."""

    zone: str
    side: str
    protocol: str
    device: str
    subject: str | None
    subject_height_mm: float | None
    room_degc: float | None
    outline_px: tuple[tuple[float, float], ...]
    valve_s: tuple[tuple[float, float], ...]
    started: datetime | None
    """None where nothing was said."""


def read_header(asked: Asked, problems: list[str]) -> Header:
    """Check the options against the catalogue.

    Args:
        asked: The options.
        problems: Every mistake is added here, each the part of a sentence.

    Returns:
        The header; it makes sense only where no mistake was added.
    """
    zones, protocols = load_zones(), load_protocols()
    zone = _known("--zone", asked.zone, zones, problems)
    protocol = _known("--protocol", asked.protocol, protocols, problems)
    sides = zones[zone].sides if zone in zones else ("left", "right", "both")
    side = _known("--side", asked.side, sides, problems)
    device = asked.device
    if device is None and protocol in protocols:
        device = protocols[protocol].device
    elif device is not None:
        device = _known("--device", device, load_devices(), problems)
    if asked.subject is not None and not is_code(asked.subject):
        problems.append(f"--subject {asked.subject!r} is no code: at least one digit, no space, never a name")
    in_range("--subject-height-mm", asked.subject_height_mm, 500.0, 2800.0, problems)
    in_range("--room-degc", asked.room_degc, -20.0, 60.0, problems)
    return Header(
        zone=zone,
        side=side,
        protocol=protocol,
        device=device or "",
        subject=asked.subject,
        subject_height_mm=asked.subject_height_mm,
        room_degc=asked.room_degc,
        outline_px=_outline(asked.outline, problems),
        valve_s=_valve(asked.valve, problems),
        started=_moment(asked.started, problems),
    )


def in_range(name: str, value: float | None, low: float, high: float, problems: list[str]) -> None:
    """Add a mistake where a number is there and lies outside."""
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        problems.append(f"{name} must be from {low:g} to {high:g}, not {value:g}")


def header_text(
    header: Header, *, started: datetime, rgb: str | None, thermal: str, depth: str | None
) -> str:
    """Text of ``session.toml``; each stream by the name of its file."""
    moment = started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    lines = [f'schema = "{SESSION_SCHEMA}"', f"started = {moment}"]
    lines += [f'{key} = "{getattr(header, key)}"' for key in ("zone", "side", "device", "protocol")]
    if header.subject is not None:
        lines.append(f"subject = {json.dumps(header.subject)}")
    for key in ("subject_height_mm", "room_degc"):
        value = getattr(header, key)
        if value is not None:
            lines.append(f"{key} = {value:g}")
    lines += ["", "[streams]"]
    if rgb is not None:
        lines.append(f'rgb = "{rgb}"')
    lines.append(f'thermal = "{thermal}"')
    if depth is not None:
        lines.append(f'depth = "{depth}"')
    for from_s, to_s in header.valve_s:
        lines += ["", "[[valve]]", f"from_s = {from_s!r}", f"to_s = {to_s!r}"]
    if header.outline_px:
        points = [list(point) for point in header.outline_px]
        stream = "thermal" if rgb is None else "rgb"
        lines += ["", "[[tap]]", "t_s = 0.0", f'stream = "{stream}"', f"outline_px = {points}"]
    return "\n".join(lines) + "\n"


def _known(name: str, value: str | None, names: Iterable[str], problems: list[str]) -> str:
    known = list(names)
    if value is None:
        problems.append(f"{name} is missing ({', '.join(known)})")
        return ""
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1)
        told = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        problems.append(f"{name} {value} is not known ({told})")
    return value


def _outline(text: str | None, problems: list[str]) -> tuple[tuple[float, float], ...]:
    if text is None:
        return ()
    try:
        points = tuple((float(x), float(y)) for x, y in (pair.split(",") for pair in text.split()))
    except ValueError:
        points = ()
    if len(points) < 3 or not all(math.isfinite(v) for point in points for v in point):
        problems.append("--outline must be at least three points, e.g. '100,80 180,80 140,150'")
        return ()
    return points


def _valve(text: str | None, problems: list[str]) -> tuple[tuple[float, float], ...]:
    if text is None:
        return ()
    try:
        spans = tuple((float(start), float(end)) for start, end in (span.split(":") for span in text.split()))
    except ValueError:
        spans = ()
    flat = [t for span in spans for t in span]
    if not spans or not all(map(math.isfinite, flat)) or any(a >= b for a, b in pairwise(flat)):
        problems.append("--valve must be intervals in seconds, in order, e.g. '1.2:16 20:31.5'")
        return ()
    return spans


def _moment(text: str | None, problems: list[str]) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        problems.append(f"--started {text!r} is no date with time such as 2026-11-23T10:00:00Z")
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
