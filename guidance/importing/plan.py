"""All that an import needs, gathered from options and files, with every mistake told at once."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from guidance.importing.header import Asked, Header, in_range, read_header
from guidance.importing.needs import AskedCorrection, Times, check_ranges, plan_correction, plan_times
from guidance.importing.options import GAIN_UNITS, UNIT_NAMES
from guidance.importing.rig import open_rig
from models.problems import InputError
from models.radiation import Curve
from models.rig import Rig
from vision.streams import open_stack, picture_rows, read_times
from vision.thermal_formats import open_thermal
from vision.thermal_source import ThermalSource, Told
from vision.thermal_store import Correction
from vision.video import VideoFile, probe_video

_T = TypeVar("_T")

LATE_S = 60.0
"""Colour times that start later are counted from something else than the session's beginning."""

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".m4v", ".webm")


@dataclass(frozen=True)
class Colour:
    """The colour video and its times."""

    video: VideoFile
    rows: tuple[tuple[int, float], ...]
    """Number of the picture and its time on the session clock."""


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is needed to write the session."""

    header: Header
    started: datetime
    source: ThermalSource
    curve: Curve
    """Of the first picture."""
    correction: Correction
    times: Times
    colour: Colour | None
    depth: Path | None
    rig: tuple[str, Rig] | None
    """Text of the file, and what it says."""
    warnings: tuple[str, ...]


def plan_import(options: argparse.Namespace) -> Plan:
    """Gather everything.

    Raises:
        InputError: With all that is missing or wrong.
    """
    problems: list[str] = []
    warnings: list[str] = []

    def tried(work: Callable[[], _T]) -> _T | None:
        """Go on after a file that cannot be read."""
        try:
            return work()
        except InputError as trouble:
            problems.append(str(trouble).rstrip("."))
            return None

    header = read_header(_asked(options, Asked), problems)
    asked = AskedCorrection(**{field.name: getattr(options, field.name) for field in fields(AskedCorrection)})
    check_ranges(asked, problems)
    in_range("--offset-s", options.offset_s, -86_400.0, 86_400.0, problems)
    told = _told(options, problems)
    source = tried(lambda: open_thermal(options.thermal, told))
    rig = tried(lambda: open_rig(options.rig)) if options.rig is not None else None
    colour = (
        tried(lambda: _open_colour(options.colour, options.rgb_csv)) if options.colour is not None else None
    )
    if options.colour is None and options.outline is None:
        problems.append(
            "--colour is missing; without a colour video --outline must say where the zone is in the "
            "thermal picture"
        )
    depth = tried(lambda: _depth(options.depth)) if options.depth is not None else None
    correction = times = curve = None
    if source is not None:
        correction = plan_correction(asked, source, problems, room_degc=header.room_degc)
        times = tried(lambda: _times(source, options, problems))
        curve = tried(lambda: _curve(source))
        warnings += [*source.warnings, *_stored_remark(asked, source)]
        if rig is not None:
            _check_size(source, rig[1], problems)
    if colour is not None and times is not None:
        colour, times = _from_zero(colour, times, depth, problems)
    started = header.started or _started_by(source, times)
    if started is None and source is not None:
        problems.append("--started is missing: date and time, e.g. 2026-11-23T10:00:00Z")
    if problems or None in (source, correction, times, curve, started):
        count = "1 thing" if len(problems) == 1 else f"{len(problems)} things"
        raise InputError(f"Nothing was written; {count} to mend: {'; '.join(problems)}.")
    assert source
    assert correction
    assert times
    assert curve
    assert started
    if header.started is None:
        warnings.append(
            f"The session is said to have started at {started:%Y-%m-%d %H:%M:%S} by the camera's clock."
        )
    if rig is not None:
        warnings += [*rig[2], *_offset_remark(times, rig[1])]
    return Plan(
        header=header,
        started=started,
        source=source,
        curve=curve,
        correction=correction,
        times=times,
        colour=colour,
        depth=depth,
        rig=None if rig is None else (rig[0], rig[1]),
        warnings=tuple(warnings),
    )


def _asked(options: argparse.Namespace, form: type[Asked]) -> Asked:
    return form(**{field.name: getattr(options, field.name) for field in fields(form)})


def _told(options: argparse.Namespace, problems: list[str]) -> Told:
    unit, size_px = options.unit, None
    if unit is not None and unit not in UNIT_NAMES:
        problems.append(f"--unit {unit} is not known (use one of {', '.join(UNIT_NAMES)})")
        unit = None
    if options.gain is not None:
        unit = GAIN_UNITS.get(options.gain)
        if unit is None:
            problems.append(f"--gain {options.gain} is not known (use high or low)")
    if options.size_px is not None:
        found = re.fullmatch(r"([1-9]\d{0,3})[xX]([1-9]\d{0,3})", options.size_px)
        if found is None:
            problems.append(f"--size-px {options.size_px!r} must be width and height, e.g. 160x120")
        else:
            size_px = int(found[1]), int(found[2])
    in_range("--degc-at-0", options.degc_at_0, -100.0, 100.0, problems)
    if options.degc_per_step is not None and not 0.0 < options.degc_per_step <= 10.0:
        problems.append(f"--degc-per-step must be above 0 and at most 10, not {options.degc_per_step:g}")
    if (options.degc_at_0 is None) != (options.degc_per_step is None):
        problems.append("--degc-at-0 and --degc-per-step belong together: give both or none")
    return Told(unit, size_px, options.degc_at_0, options.degc_per_step)


def _times(source: ThermalSource, options: argparse.Namespace, problems: list[str]) -> Times | None:
    return plan_times(
        source,
        table=options.thermal_csv,
        every_s=options.every_s,
        offset_s=options.offset_s,
        problems=problems,
    )


def _curve(source: ThermalSource) -> Curve:
    first = next((reading for reading in source.read() if reading is not None), None)
    if first is None:
        raise InputError(f"{source.where} holds no picture that can be read; copy it again.")
    return first.scale.curve


def _open_colour(path: Path, table: Path | None) -> Colour:
    """The video, with its own true times or those of a csv."""
    if not path.exists():
        raise InputError(f"{path} does not exist; give the colour video.")
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise InputError(f"{path.name} is of no known kind of video; use one of {', '.join(VIDEO_SUFFIXES)}.")
    video = probe_video(path, where=path.name)
    if table is not None:
        rows = read_times(table, where=table.name)
        picture_rows(rows, pictures=video.pictures, announced=video.announced, where=path.name)
        return Colour(video, tuple(zip(rows.index.tolist(), rows.t_s.tolist(), strict=True)))
    if not video.stamped:
        raise InputError(
            f"{path.name} has no time stamps of its own; give the times of its pictures with --rgb-csv."
        )
    times_s: list[float] = video.times_s.tolist()
    return Colour(video, tuple(enumerate(times_s)))


def _from_zero(colour: Colour, times: Times, depth: Path | None, problems: list[str]) -> tuple[Colour, Times]:
    """Let the session start at the first colour picture, where the csv counts from elsewhere (1970, say)."""
    start_s = colour.rows[0][1]
    if abs(start_s) < LATE_S:
        return colour, times
    if depth is not None:
        problems.append(
            f"the colour times start at {start_s:g} s: with --depth, subtract that from all times so "
            "that the session starts at 0"
        )
    rows = tuple((index, t_s - start_s) for index, t_s in colour.rows)
    t_s = times.t_s - start_s if times.shared_clock else times.t_s
    return replace(colour, rows=rows), replace(times, t_s=np.asarray(t_s, np.float64))


def _depth(path: Path) -> Path:
    if path.suffix.lower() not in (".npz", ".mkv"):
        raise InputError(
            f"{path.name} is no depth stream; give depth.npz, or depth.mkv with depth.csv beside it."
        )
    open_stack(path, where=path.name, values="depth_mm", flag=False)
    return path


def _started_by(source: ThermalSource | None, times: Times | None) -> datetime | None:
    """Begin of the session by the thermal camera's clock."""
    if source is None or source.unix_s is None or times is None:
        return None
    return datetime.fromtimestamp(source.unix_s - float(times.t_s[0]), UTC)


def _check_size(source: ThermalSource, rig: Rig, problems: list[str]) -> None:
    if rig.thermal is None:
        return
    camera = rig.thermal.camera
    if (source.width_px, source.height_px) != (camera.width_px, camera.height_px):
        problems.append(
            f"{source.where} has pictures of {source.width_px}x{source.height_px}, but the rig's thermal "
            f"camera has {camera.width_px}x{camera.height_px}: give the rig that took them"
        )


def _stored_remark(asked: AskedCorrection, source: ThermalSource) -> list[str]:
    if source.stored is None or None not in (asked.reflected_degc, asked.distance_mm):
        return []
    return [
        f"{source.where}: surroundings or distance are as the camera had them stored, often its factory "
        "setting; give --reflected-degc and --distance-mm as measured."
    ]


def _offset_remark(times: Times, rig: Rig) -> list[str]:
    if not times.offset_said or rig.thermal is None or not rig.thermal.rgb_minus_thermal_s:
        return []
    return [
        f"--offset-s was said, so the rig's own rgb_minus_thermal_s of {rig.thermal.rgb_minus_thermal_s:g} s "
        "is not used and is written as 0."
    ]
