"""A step from its recordings, by its own command: the outcome in the rig and certificate, or the refusal."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from calibration.check_command import check_rig_file
from calibration.folder_steps import ACCEPTED, REFUSED, StepTold
from calibration.further_steps import run_further
from calibration.guided_run import put_aside
from calibration.options import add_calibrate
from calibration.radiometry_command import told_references, told_room
from calibration.recorded_plan import CHECK, HOLD_S, SPREAD_PICTURES
from calibration.reference_reading import ROOM_U95_DEGC
from calibration.vouching import last_check
from models.geometry import Counts
from models.problems import InputError
from vision.put_files import put_file
from vision.source import open_source

STILLS = "spread"
"""Folder for the still pictures that are taken out of the recording of an edge."""
TAKES: Mapping[str, str] = {
    "depth": "depth",
    "spread": "spread-recorded",
    "radiometry": "radiometry",
    "time": "time",
    "axis": "axis",
    "jet": "jet",
    CHECK: "check",
}
"""Folders of the recordings, under that of all pictures; as ``calibrate all`` reads them."""

OWN_DATES = "calibration"
"""Part of a check that looks at the rig's own dates alone: it tells nothing of how the cameras stand now."""
TELLS = ("valid", "moved", "unknown")
"""States of a part that was shown."""


@dataclass(frozen=True)
class Take:
    """One recording and what was told of it."""

    path: Path
    entries: Mapping[str, str]
    title: str


def entries_trouble(name: str, entries: Mapping[str, str]) -> str | None:
    """Why a recording with these entries would be for nothing; None where they will do."""
    if name != "radiometry":
        return None
    try:
        told_references([_reference(Path("this reference"), entries)], ())
        told_room(_number(entries, "room_degc") or None)
    except InputError as error:
        return str(error)
    return None


def solve_takes(
    name: str, keep: Path, rig: Path, takes: Sequence[Take], *, board: str, force: bool, now: datetime
) -> StepTold:
    """Solve.

    Args:
        name: Of `TAKES`.
        keep: Folder that holds the step's folder with the recordings.
        rig: To go on from, and to write.
        takes: The recordings, in order.
        board: Target of a check, or board of the depth camera, as ``--board`` names it.
        force: Replace what is known better.
        now: For the rig's date.
    """
    if name == CHECK:
        return _check(takes[-1].path, rig, board=board, now=now)
    words: list[str] = []
    try:
        if name == "spread":
            put_aside(keep / STILLS)
            still_pictures(takes[-1].path, keep / STILLS)
    except InputError as error:
        return StepTold(name, REFUSED, (f"REFUSED. {error}",))
    if name == "radiometry":
        for one in takes:
            words += ["--reference", *_reference(one.path, one.entries)]
        try:
            room = _room_degc(takes)
        except InputError as error:
            return StepTold(name, REFUSED, (f"REFUSED. {error}",))
        if room is not None:
            words.append(f"--room-degc={room:g}")
    if name == "depth":
        words += ["--board", board]
    if name == "jet":
        words += ["--surface", takes[-1].entries.get("surface", "agar")]
    told = run_further(name, keep, rig, words=words, force=force, now=now)
    return StepTold(name, REFUSED, ("REFUSED. Nothing was recorded.",)) if told is None else told


def still_pictures(recording: Path, folder: Path) -> None:
    """The stillest thermal picture of each time that the edge was held, as 16-bit pictures in centikelvin.

    Args:
        recording: In which the edge was held `SPREAD_PICTURES` times, with pauses between.
        folder: For the pictures.

    Raises:
        InputError: If the recording cannot be read, or the edge was never still.
    """
    held: list[list[tuple[float, Counts]]] = []
    before: tuple[float, Counts] | None = None
    for capture in open_source(recording).captures():
        for one in capture.thermal:
            if one.shutter or (before is not None and np.array_equal(one.centikelvin, before[1])):
                continue  # a core of 9 Hz that is sent at 27 Hz sends each picture three times
            if before is None or one.t_s - before[0] > 0.5 * HOLD_S:
                held.append([])
            else:
                moved = one.centikelvin.astype(float) - before[1]
                held[-1].append((float(np.sqrt(np.mean(moved**2))), one.centikelvin))
            before = (one.t_s, one.centikelvin)
    stillest = [min(pictures, key=lambda one: one[0]) for pictures in held if pictures]
    if not stillest:
        raise InputError("No thermal picture was recorded; look after that camera, then record again.")
    least = min(moved for moved, _ in stillest)
    # Noise differs little from picture to picture; an edge that moves by a tenth of a pixel adds to it.
    still = [picture for moved, picture in stillest if moved <= 1.5 * least]
    for k, picture in enumerate(still):
        _, packed = cv2.imencode(".png", picture)
        put_file(folder / f"{k:03d}.png", packed.tobytes())
    if len(still) < 3:
        raise InputError(
            f"The edge was still in {len(still)} of {SPREAD_PICTURES} times only (at least 3); rest it on"
            " something while it is held."
        )


def _reference(path: Path, entries: Mapping[str, str]) -> list[str]:
    degc, u95 = _number(entries, "degc"), _number(entries, "u95_degc")
    return [str(path), degc or "nothing", u95 or "nothing", entries.get("material", "water")]


def _room_degc(takes: Sequence[Take]) -> float | None:
    """Of the room, by all that was told of it; None = nobody measured it."""
    told = [float(said) for one in takes if (said := _number(one.entries, "room_degc"))]
    if not told:
        return None
    if max(told) - min(told) > ROOM_U95_DEGC:  # a room that was measured is taken to be known to half of it
        raise InputError(
            f"The room was told to be of {min(told):g} and of {max(told):g} degC, and references mirror it;"
            " record the ones again that were in another room, or for which it was told wrong."
        )
    return 0.5 * (min(told) + max(told))


def _number(entries: Mapping[str, str], key: str) -> str:
    """What was typed, as a command takes it; empty where nothing was."""
    return entries.get(key, "").strip().replace(",", ".")


def _check(recording: Path, rig: Path, *, board: str, now: datetime) -> StepTold:
    parser = argparse.ArgumentParser()
    add_calibrate(parser)
    shown = [] if board == "own" else ["--board", board]
    options = parser.parse_args(["check", str(recording), "--rig", str(rig), *shown])
    said, holds = io.StringIO(), False
    try:
        with contextlib.redirect_stdout(said):
            holds = check_rig_file(options, now)
    except InputError as error:
        said.write(f"REFUSED. {error}\n")
        return StepTold(CHECK, REFUSED, tuple(said.getvalue().splitlines()))
    checked = last_check(rig)
    told = {one.name for one in checked.parts if one.state in TELLS} if checked is not None else set[str]()
    if told <= {OWN_DATES}:
        holds = False
        said.write("REFUSED. Nothing was shown that tells whether the rig still holds; show the target.\n")
    return StepTold(CHECK, ACCEPTED if holds else REFUSED, tuple(said.getvalue().splitlines()))
