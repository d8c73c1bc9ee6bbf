"""``cryoguide calibrate radiometry``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from calibration.certificate import put_refused
from calibration.progress import Steps
from calibration.radiometry import SKIN_DEGC, RadiometryFound, find_radiometry
from calibration.radiometry_part import left_out, radiometry_part, step_words, unsolved_part
from calibration.reference_looks import LookSource, open_looks
from calibration.reference_reading import (
    EMISSIVITY_U95,
    MATERIALS,
    ROOM_U95_DEGC,
    ReferenceRead,
    Told,
    read_reference,
)
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from models.jet_cooling import ROOM_DEGC
from models.problems import InputError
from models.radiometry import PARAMETERS, SURE
from models.rig import ThermalCamera
from models.rig_file import read_rig
from vision.point_spread import relied_on

ROOM_RANGE_DEGC = (-10.0, 50.0)
"""What somebody works in: beyond it stands another unit, or a slip."""


def calibrate_radiometry(options: argparse.Namespace, now: datetime) -> bool:
    """Hold the thermal camera against its references, tell, and write what was found into the rig.

    Raises:
        InputError: If pictures or rig cannot be read, or the pictures hold no temperatures.
    """
    rig_path = cast(Path, options.rig)
    tables = read_tables(rig_path)
    rig, _ = read_rig(rig_path.read_text(encoding="utf-8"), where=str(rig_path))
    if rig.thermal is None:
        raise InputError(f"{rig_path} has no [thermal]; calibrate the thermal camera first.")
    target = cast("Path | None", options.out) or rig_path
    told = told_references(options.reference, options.region or ())
    sources = [open_looks(path, unit=options.unit, hz=options.hz) for path, *_ in _whole(options.reference)]
    _check_size(sources, rig.thermal)
    spread = relied_on(rig.thermal.spread, None)
    room = told_room(cast("float | None", options.room_degc))
    references: list[ReferenceRead] = []
    with Steps("Looks at references", None) as steps:
        for source, one in zip(sources, told, strict=True):
            references.append(
                read_reference(
                    source,
                    one,
                    spread=spread,
                    rig_emissivity=rig.thermal.emissivity,
                    room_degc=ROOM_DEGC if room is None else room,
                    room_u95_degc=ROOM_U95_DEGC if room is None else 0.5 * ROOM_U95_DEGC,
                    on_look=steps.one_done,
                )
            )
    for sentence in left_out(references):
        print(f"Not used: {sentence}.")
    found = find_radiometry(references, claim_degc=rig.thermal.accuracy_degc, now=now)
    if isinstance(found, str):
        print(f"REFUSED. {found}")
        print(f"Page     {put_refused(target, unsolved_part(references), found, now=now)}")
        return False
    part = radiometry_part(found, focal_px=rig.thermal.camera.fx_px, spread=spread)
    print("\n".join(told_lines(found)))
    for words, errors in part.on_skin[-3:]:
        print(f"{words}: {', '.join(f'{v:.2f}' for v in errors)} degC at 0.6, 0.8, 1.0, 1.2 m (95 %)")
    if found.refusal is not None:
        print(f"REFUSED. {found.refusal}")
        print(f"Page     {put_refused(target, part, found.refusal, now=now)}")
        return False
    print("Accepted.")
    into(table_of(tables, "thermal"), found)
    return replace_rig(target, tables, now=now, force=options.force, part=part)


def told_references(
    references: Sequence[Sequence[str]], regions: Sequence[Sequence[str]]
) -> tuple[Told, ...]:
    """What the user says of the references.

    Raises:
        InputError: If a figure is none, or out of range.
    """
    areas: dict[int, str] = {}
    for number, area in regions:
        if not number.isdecimal() or not 1 <= int(number) <= len(references):
            raise InputError(
                f"--region {number} names no reference; give 1 to {len(references)}, in the order of"
                " --reference."
            )
        areas[int(number)] = area
    told: list[Told] = []
    for k, (path, degc, u95, emissivity) in enumerate(_whole(references), 1):
        eps, eps_u95 = _emissivity(emissivity, path)
        told.append(
            Told(
                name=path.name or str(path),
                degc=_number(degc, f"temperature of {path}", -30.0, 80.0, "degC"),
                u95_degc=_number(u95, f"bound of the temperature of {path}", 0.01, 5.0, "degC, 95 %"),
                emissivity=eps,
                emissivity_u95=eps_u95,
                area=areas.get(k),
            )
        )
    names = [one.name for one in told]
    return tuple(
        one if names.count(one.name) == 1 else replace(one, name=f"{one.name} ({k})")
        for k, one in enumerate(told, 1)
    )


def told_room(degc: str | float | None) -> float | None:
    """Temperature of the room, which references mirror; None = it was not measured.

    Raises:
        InputError: If it is none that a room has.
    """
    if degc is None:
        return None
    return _number(
        str(degc), "temperature of the room", *ROOM_RANGE_DEGC, "degC, or nothing where it was not measured"
    )


def _emissivity(words: str, path: Path) -> tuple[float, float]:
    """Of a reference, and its 95 % bound."""
    if words in MATERIALS:
        return MATERIALS[words], EMISSIVITY_U95
    value, _, bound = words.partition(":")
    kind = f"a number (with its bound: 0.99:0.01) or {', '.join(MATERIALS)}"
    eps = _number(value, f"emissivity of {path}", 0.5, 1.0, kind)
    u95 = (
        EMISSIVITY_U95
        if not bound
        else _number(bound, f"bound of the emissivity of {path}", 0.001, 0.3, kind)
    )
    return eps, u95


def told_lines(found: RadiometryFound) -> list[str]:
    """What was found, line by line."""
    lines = [f"{'reference':20}{'should show':>12}{'looks':>7}{'off, degC':>11}{'95 % bound':>12}"]
    for one, u95 in zip(found.references, found.off_u95_degc, strict=True):
        lines.append(
            f"{one.told.name[-20:]:20}{one.shown_degc:12.2f}{len(one.looks):7d}{one.off_degc.mean():+11.2f}{u95:12.2f}"
        )
    stated = found.stated
    lines.append(f"{'':24}{'value':>12}{'95 % bound':>12}")
    values = (stated.offset_degc, stated.gain, stated.drift_degc_per_min)
    for k, (name, value) in enumerate(zip(PARAMETERS, values, strict=True)):
        lines.append(f"{name:24}{value:12.4f}{SURE * math.sqrt(stated.covariance[k, k]):12.4f}")
    lines.append(f"The offset holds for readings of {stated.at_degc:.1f} degC.")
    lines.append(step_words(found))
    skin = ", ".join(f"{u:.2f} at {t:g}" for t, u in zip(SKIN_DEGC, found.skin_u95_degc(), strict=True))
    lines.append(f"95 % error on large even skin, degC: {skin} degC (the camera claims {found.claim_degc:g})")
    return lines


def into(thermal: Toml, found: RadiometryFound) -> None:
    """Put what was found into the table ``[thermal]``."""
    stated = found.stated
    thermal["radiometry"] = {
        "measured": stated.measured.astimezone(UTC),
        "offset_degc": round(stated.offset_degc, 5),
        "at_degc": round(stated.at_degc, 4),
        "gain": round(stated.gain, 7),
        "drift_degc_per_min": round(stated.drift_degc_per_min, 6),
        "residual_u95_degc": round(stated.residual_u95_degc, 5),
        "references_degc": [round(v, 4) for v in stated.references_degc],
        "covariance": covariance_table(PARAMETERS, stated.covariance),
    }


def _whole(references: Sequence[Sequence[str]]) -> list[tuple[Path, str, str, str]]:
    return [(Path(path), degc, u95, emissivity) for path, degc, u95, emissivity in references]


def _number(words: str, what: str, low: float, high: float, kind: str) -> float:
    try:
        value = float(words)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"The {what} is given as {words}; give {kind}, from {low:g} to {high:g}.")
    return value


def _check_size(sources: Sequence[LookSource], thermal: ThermalCamera) -> None:
    wanted = (thermal.camera.width_px, thermal.camera.height_px)
    for one in sources:
        size = (one.width_px, one.height_px)
        if size != wanted:
            raise InputError(
                f"{one.where} is of {size[0]} x {size[1]} pixels, the rig's thermal camera of"
                f" {wanted[0]} x {wanted[1]}; take its own pictures."
            )
