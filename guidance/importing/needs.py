"""What ``cryoguide import`` must know beyond the file: correction and times, asked for where not known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from guidance.importing.header import in_range
from models.geometry import Bools, Floats
from models.radiation import Air, Surroundings
from vision.streams import read_times
from vision.thermal_source import ThermalSource
from vision.thermal_store import Correction

SKIN_EMISSIVITY = 0.98
"""Of skin in the band of thermal cameras (domain section 2: 0.98, thermography practice)."""

USUAL_HUMIDITY = 0.5
"""Middle of what is asked of the room (domain section 8: 20-60 %)."""


@dataclass(frozen=True)
class AskedCorrection:
    """The options about the correction, as they were typed; None = not said."""

    emissivity: float | None
    reflected_degc: float | None
    air_degc: float | None
    humidity: float | None
    distance_mm: float | None
    camera_emissivity: float | None
    camera_reflected_degc: float | None


@dataclass(frozen=True, eq=False)
class Times:
    """When each thermal picture was taken, on the session clock once the rig's offset is added."""

    t_s: Floats
    flag: Bools
    offset_said: bool
    """The session clock was said outright, so the rig's own offset must not be added again."""
    shared_clock: bool
    """They were put beside the pictures by who recorded them, on the clock of the colour pictures."""


def check_ranges(asked: AskedCorrection, problems: list[str]) -> None:
    """Add a mistake for each figure that no room and no skin has."""
    for name, value in (
        ("--emissivity", asked.emissivity),
        ("--camera-emissivity", asked.camera_emissivity),
    ):
        in_range(name, value, 0.5, 1.0, problems)
    for name, value in (
        ("--reflected-degc", asked.reflected_degc),
        ("--air-degc", asked.air_degc),
        ("--camera-reflected-degc", asked.camera_reflected_degc),
    ):
        in_range(name, value, -60.0, 60.0, problems)
    if asked.humidity is not None and asked.humidity > 1.0:
        problems.append(
            f"--humidity is a share from 0 to 1: for {asked.humidity:g} % write {asked.humidity / 100:g}"
        )
    else:
        in_range("--humidity", asked.humidity, 0.0, 1.0, problems)
    in_range("--distance-mm", asked.distance_mm, 0.0, 20_000.0, problems)


def plan_correction(
    asked: AskedCorrection, source: ThermalSource, problems: list[str], *, room_degc: float | None
) -> Correction | None:
    """What to correct for, from the options and from what the file says.

    Args:
        asked: The options.
        source: The file.
        problems: What is missing is added here.
        room_degc: Of the room, taken for the air where that is not said.

    Returns:
        The correction, None where something is missing.
    """
    stored, before = source.stored, len(problems)
    reflected = (
        asked.reflected_degc if stored is None else _first(asked.reflected_degc, stored.reflected_degc)
    )
    distance_m = None if asked.distance_mm is None else asked.distance_mm / 1000.0
    distance_m = distance_m if stored is None else _first(distance_m, stored.distance_m)
    if reflected is None:
        problems.append(
            "--reflected-degc is missing: the temperature of ceiling and walls that the skin mirrors"
        )
    if distance_m is None:
        problems.append("--distance-mm is missing: how far the thermal camera was from the skin")
    camera = None
    if (source.uncorrected or source.applied is not None) and asked.camera_emissivity is not None:
        problems.append(f"--camera-emissivity is not for {source.where}, which says it itself: leave it out")
    elif source.applied is not None:
        camera = source.applied if source.applied.emissivity < 1.0 else None
    elif not source.uncorrected:
        camera = _camera(asked, problems)
    if len(problems) > before or reflected is None or distance_m is None:
        return None
    air = Air(_first(asked.air_degc, _first(room_degc, reflected)), _first(asked.humidity, USUAL_HUMIDITY))
    if stored is not None:
        air = replace(
            stored.air,
            degc=_first(asked.air_degc, _first(room_degc, stored.air.degc)),
            humidity=_first(asked.humidity, stored.air.humidity),
        )
    around = Surroundings(_first(asked.emissivity, SKIN_EMISSIVITY), reflected, air, distance_m)
    return Correction(around, camera)


def plan_times(
    source: ThermalSource,
    *,
    table: Path | None,
    every_s: float | None,
    offset_s: float | None,
    problems: list[str],
) -> Times | None:
    """When each picture was taken.

    Args:
        source: The file.
        table: A csv of times.
        every_s: Seconds from one picture to the next.
        offset_s: Added to every time.
        problems: What is missing or wrong is added here.

    Returns:
        The times, None where something is missing or wrong.

    Raises:
        InputError: If the csv cannot be read.
    """
    n = source.pictures
    flag = np.zeros(n, bool) if source.flag is None else source.flag
    shared = False
    if table is not None:
        rows = read_times(table, where=table.name, flag=True)
        if len(rows.t_s) != n:
            problems.append(f"{table.name} has {len(rows.t_s)} rows, but {source.where} has {n} pictures")
            return None
        t_s, flag, shared = rows.t_s, rows.flag if rows.has_flag else flag, True
    elif every_s is not None:
        if not 0.0 < every_s <= 3600.0:
            problems.append(f"--every-s must be above 0 and at most 3600, not {every_s:g}")
            return None
        t_s = np.arange(n) * every_s
    elif source.t_s is not None:
        t_s, shared = source.t_s, source.shared_clock
    elif n == 1:
        t_s = np.zeros(1)
    else:
        problems.append(
            f"--every-s or --thermal-csv is missing: {source.where} does not say when its pictures were taken"
        )
        return None
    back = np.flatnonzero(~(np.diff(t_s) >= 0))
    if len(back):
        row = int(back[0]) + 1
        problems.append(
            f"the times of {source.where} run backwards at picture {row} ({t_s[row - 1]:g} s, then "
            f"{t_s[row]:g} s); give the right ones with --thermal-csv"
        )
        return None
    if offset_s is None and not shared:
        problems.append(
            "--offset-s is missing: seconds from the first colour picture to the first thermal one (0 if "
            "both began together)"
        )
        return None
    return Times(np.asarray(t_s + (offset_s or 0.0), np.float64), flag, offset_s is not None, shared)


def _camera(asked: AskedCorrection, problems: list[str]) -> Surroundings | None:
    """What the camera had applied; air is none of it."""
    emissivity, reflected = asked.camera_emissivity, asked.camera_reflected_degc
    if emissivity is None:
        problems.append(
            "--camera-emissivity is missing: what the camera was set to, so that nothing is corrected twice "
            "(1 if none)"
        )
        return None
    if emissivity == 1.0:
        return None
    if reflected is None:
        problems.append("--camera-reflected-degc is missing: the surroundings that the camera was set to")
        return None
    return Surroundings(emissivity, reflected, Air(reflected, USUAL_HUMIDITY), 0.0)


def _first(said: float | None, otherwise: float) -> float:
    return otherwise if said is None else said
