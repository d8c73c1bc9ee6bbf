"""``cryoguide calibrate time``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from calibration.motion_streams import MotionRecording, read_streams
from calibration.own_times import stated_clock
from calibration.progress import Steps
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, read_tables, table_of
from calibration.time_offset import MOST_SEARCH_S, SEARCH_S, TimeFound, find_time
from calibration.time_part import time_part
from calibration.time_shift import tries
from models.problems import InputError
from models.stream_clock import StreamClock

_MANY = 1000
"""Pictures of a stream, from which even the usual search takes seconds."""


def calibrate_time(options: argparse.Namespace, now: datetime) -> bool:
    """Find offset and drift of each stream against the colour camera's, tell, and write what is good enough.

    Raises:
        InputError: If recording or rig cannot be read, or there is nothing to compare.
    """
    rig, search_s = cast(Path, options.rig), float(options.search_s)
    if search_s > MOST_SEARCH_S:
        raise InputError(
            f"--search-s {search_s:g} is more than {MOST_SEARCH_S:g} s, and no camera is so late; set"
            " rgb_minus_thermal_s in the rig.toml that goes with the recording to about what the two clocks"
            f" differ by, and search {MOST_SEARCH_S:g} s or less from there."
        )
    tables = read_tables(rig)
    recording = read_streams(cast(Path, options.recording))
    others = [name for name in ("thermal", "depth") if name in recording.streams]
    if "rgb" not in recording.streams:
        raise InputError(
            f"{options.recording} holds the same colour picture all along; move a hand before both cameras."
        )
    if not others:
        raise InputError(
            f"{options.recording} holds colour pictures only; record the thermal camera with it."
        )
    lacks = [name for name in others if name not in tables]
    if len(lacks) == len(others):
        raise InputError(f"{rig} has no [{lacks[0]}]; calibrate that camera first, or type its table in.")
    accepted: list[TimeFound] = []
    for name in lacks:
        print(f"{name}\n  left out: {rig.name} has no [{name}].")
    for name in others:
        if name in lacks:
            continue
        found = _found(recording, name, search_s=search_s, limit_s=0.001 * float(options.limit_ms))
        if isinstance(found, str):
            print(f"{name}\n  REFUSED. {found}.")
            continue
        was = stated_clock(recording.rig, name)
        print("\n".join(told(found, was)))
        if found.refusal is not None:
            print(f"  REFUSED. {found.refusal}.")
            continue
        print("  Accepted.")
        accepted.append(found)
    if not accepted:
        return False
    _into(tables, accepted, recording, now)
    part = time_part(accepted, recording.name)
    target = cast("Path | None", options.out) or rig
    written = replace_rig(target, tables, now=now, force=options.force, part=part)
    return written and len(accepted) + len(lacks) == len(others)


def _found(recording: MotionRecording, name: str, *, search_s: float, limit_s: float) -> TimeFound | str:
    """Search; how far it has come is shown where that takes long."""
    both = recording.streams["rgb"], recording.streams[name]
    if search_s <= SEARCH_S and len(both[1].t_s) <= _MANY:
        return find_time(*both, search_s=search_s, limit_s=limit_s)
    with Steps(f"Searching {name}, {search_s:g} s to either side", tries(search_s)) as steps:
        return find_time(*both, search_s=search_s, limit_s=limit_s, on_tried=steps.one_done)


def clock_of(found: TimeFound, was: StreamClock) -> StreamClock:
    """The stream's clock as found, the whole of it: not what is to be added to what the rig said.

    Args:
        found: On top of `was`.
        was: With which the recording's times were worked out.
    """
    return StreamClock(
        offset_s=was.offset_s + was.drift * (found.middle_s - was.reference_s) + found.offset_s,
        u95_s=found.u95_s,
        drift=was.drift + (found.drift if found.drifts else 0.0),
        drift_u95=found.drift_u95,
        reference_s=found.middle_s,
    )


def told(found: TimeFound, was: StreamClock) -> Sequence[str]:
    """What was found, line by line."""
    clock = clock_of(found, was)
    again = f", {found.repeated} repeated ones left out" if found.repeated else ""
    drift = f"{1e6 * found.drift:+.0f} +- {1e6 * found.drift_u95:.0f} millionths"
    return (
        f"{found.stream}",
        f"  {found.pictures[0]} colour pictures at {found.hz[0]:.1f} Hz, {found.pictures[1]} of"
        f" {found.stream} at {found.hz[1]:.1f} Hz{again}",
        f"  offset {1000.0 * clock.offset_s:+.1f} ms to be added to its stamps, 95 % bound"
        f" {1000.0 * found.u95_s:.1f} ms ({1000.0 * found.offset_s:+.1f} ms against the recording's rig)",
        f"  drift {drift}{'' if found.drifts else ': none that can be told'}",
        f"  {100.0 * found.shift.explained:.0f} % of the motion in common",
    )


def _into(tables: Toml, accepted: Sequence[TimeFound], recording: MotionRecording, now: datetime) -> None:
    table_of(tables, "time")["measured"] = now.replace(microsecond=0)
    for found in accepted:
        clock = clock_of(found, stated_clock(recording.rig, found.stream))
        told_: Toml = {} if found.stream == "thermal" else {"offset_s": round(float(clock.offset_s), 6)}
        told_ |= {
            "u95_s": round(float(clock.u95_s), 6),
            "drift": round(float(clock.drift), 9),
            "drift_u95": round(float(clock.drift_u95), 9),
            "reference_s": round(float(clock.reference_s), 3),
        }
        table_of(tables, "time")[found.stream] = told_
        if found.stream == "thermal":
            table_of(tables, "thermal")["rgb_minus_thermal_s"] = round(float(clock.offset_s), 6)
