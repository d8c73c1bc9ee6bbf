"""The catalogue: zones, treatment protocols and device classes, from ``models/data/*.toml``, checked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TypeVar

from models.contraindications import Questions
from models.contraindications_file import read_questions
from models.problems import InputError
from models.protocol import Device, Ladder, Protocol
from models.protocol_file import read_device, read_protocol
from models.toml_table import MISTAKES_SHOWN, Table
from models.zone import Zone
from models.zone_file import read_zone

_Entry = TypeVar("_Entry")

FACE_STOP_DEGC = 5.0
"""Least STOP temperature on a face (domain section 8; confidence low)."""


def load_zones(path: Path | None = None) -> dict[str, Zone]:
    """Read the zones by name.

    Args:
        path: A file of one's own instead of the catalogue's.

    Raises:
        InputError: If the file cannot be read or anything in it is wrong; all mistakes are told at once.
    """
    root, where = _open("zones.toml", path)
    devices = load_devices()
    zones = {name: read_zone(name, root.table(name), devices) for name in root.names()}
    root.finish(where=where)
    return zones


def load_protocols(path: Path | None = None, *, most: int = MISTAKES_SHOWN) -> dict[str, Protocol]:
    """Read the treatment protocols by name.

    Args:
        path: A file of one's own (approved by a clinician, say) instead of the catalogue's.
        most: So many mistakes are told.

    Raises:
        InputError: If the file cannot be read or anything in it is wrong; all mistakes are told at once.
    """
    root, where = _open("protocols.toml", path)
    devices, zones = load_devices(), tuple(load_zones())
    protocols = {name: read_protocol(name, root.table(name), devices, zones) for name in root.names()}
    root.finish(where=where, most=most)
    if not protocols:
        raise InputError(
            f"{where} holds no protocol; begin with a copy of the catalogue's (`cryoguide protocols --copy"
            " DIR`)."
        )
    return protocols


def protocols_text() -> str:
    """The catalogue's protocols, as the file that one copies to make it one's own."""
    return _text("protocols.toml", None)[0]


def load_questions(path: Path | None = None, *, most: int = MISTAKES_SHOWN) -> Questions:
    """Read the questions that are asked before the gas.

    Args:
        path: A file of one's own (approved by a clinician, say) instead of the catalogue's.
        most: So many mistakes are told.

    Raises:
        InputError: If the file cannot be read or anything in it is wrong; all mistakes are told at once.
    """
    text, where = _text("contraindications.toml", path)
    return read_questions(text, where=where, zones=load_zones(), devices=load_devices(), most=most)


def questions_text() -> str:
    """The catalogue's questions, as the file that one copies to make it one's own."""
    return _text("contraindications.toml", None)[0]


def load_devices(path: Path | None = None) -> dict[str, Device]:
    """Read the device classes by name.

    Raises:
        InputError: If the file cannot be read or anything in it is wrong; all mistakes are told at once.
    """
    root, where = _open("devices.toml", path)
    devices = {name: read_device(name, root.table(name)) for name in root.names()}
    root.finish(where=where)
    return devices


def find(entries: Mapping[str, _Entry], name: str, *, what: str) -> _Entry:
    """Look up a zone, protocol or device by name.

    Args:
        entries: What one of the ``load_`` functions returned.
        name: The name asked for.
        what: ``zone``, ``protocol`` or ``device``, for the message.

    Raises:
        InputError: If there is none of that name, with the nearest name and all valid ones.
    """
    if name in entries:
        return entries[name]
    near = difflib.get_close_matches(name, entries, n=1)
    hint = f"did you mean {near[0]!r}? Known" if near else "known"
    raise InputError(f"There is no {what} {name!r}: {hint} {what}s are {', '.join(entries)}.")


def unsuited(protocol: Protocol, zone: Zone) -> str:
    """Why a protocol must not be used on a zone, and what to do, in a sentence; empty where it may."""
    if not zone.face or protocol.skin_degc.stop >= FACE_STOP_DEGC:
        return ""
    return (
        f"the protocol {protocol.name} is for the body (STOP at {protocol.skin_degc.stop:g} degC) and the"
        f" zone {zone.name} lies on the face, which needs {FACE_STOP_DEGC:g} degC or more: use a gentle-face"
        " protocol."
    )


def limits_in_zone(protocol: Protocol, zone: Zone) -> Protocol:
    """Tighten a protocol to what this zone bears and what it says of the zone; never loosen it."""
    evidence = dict(protocol.evidence)
    own = protocol.in_zone.get(zone.name)
    time_s, dwell_s, interval_s = protocol.zone_time_s, protocol.dwell_s, protocol.again.interval_s
    body = zone.tile_time_s.get(protocol.device)
    if body is not None and (tighter := _tightest(time_s, body)) != time_s:
        time_s, evidence["zone_time_s"] = tighter, zone.evidence
    if own is not None:
        if own.zone_time_s is not None and (tighter := _tightest(time_s, own.zone_time_s)) != time_s:
            time_s, evidence["zone_time_s"] = tighter, own.evidence["zone_time_s"]
        if own.dwell_s is not None and (tighter := _tightest(dwell_s, own.dwell_s)) != dwell_s:
            dwell_s, evidence["dwell_s"] = tighter, own.evidence["dwell_s"]
        if own.interval_s is not None and own.interval_s > interval_s.value:
            interval_s, evidence["zone_interval_s"] = (
                replace(interval_s, value=own.interval_s),
                own.evidence["zone_interval_s"],
            )
    return replace(
        protocol,
        zone_time_s=time_s,
        dwell_s=dwell_s,
        again=replace(protocol.again, interval_s=interval_s),
        evidence=evidence,
    )


def _tightest(one: Ladder, other: Ladder) -> Ladder:
    return Ladder(min(one.warn, other.warn), min(one.stop, other.stop))


def _open(name: str, path: Path | None) -> tuple[Table, str]:
    text, where = _text(name, path)
    return Table.parse(text, where=where), where


def _text(name: str, path: Path | None) -> tuple[str, str]:
    """Text of a file, and its name for messages."""
    if path is None:
        return resources.files("models").joinpath("data", name).read_text("utf-8"), f"The catalogue's {name}"
    try:
        return path.read_text("utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read {path} ({error}): name a readable TOML file.") from error
