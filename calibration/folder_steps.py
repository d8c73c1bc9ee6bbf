"""The steps one after the other from one folder, each by its own command."""

from __future__ import annotations

import argparse
import contextlib
import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from calibration.board import Board
from calibration.collar_command import calibrate_collar
from calibration.pictures import picture_files
from calibration.poses_seen import VIDEOS
from calibration.printed_collar import printed_nozzle
from calibration.recorded_pictures import one_recording_or
from calibration.rgb_command import calibrate_rgb
from calibration.rig_text import put_rig, read_tables, rig_text
from calibration.scale import Scale, scaled_collar, spec_of
from calibration.sheets import COLLAR_DICTIONARY, COLLAR_TAG_MM, collar_of
from calibration.thermal_command import calibrate_thermal_step
from calibration.tip_command import calibrate_tip
from models.problems import InputError

FOLDERS = {"rgb": "rgb", "thermal": "pairs", "collar": "collar", "tip": "tip"}
WANTED = {
    "rgb": "rgb/: 10 to 20 pictures of the printed board",
    "thermal": "pairs/colour/ and pairs/thermal/: 8 to 15 pairs of the target, named alike",
    "collar": "collar/: 24 pictures or more of a slow turn of the nozzle, or a video",
    "tip": "tip/: pictures or poses of the nozzle leant about its resting tip",
}
ACCEPTED, REFUSED, KEPT, MISSING = "accepted", "refused", "older one kept", "missing"


@dataclass(frozen=True)
class StepTold:
    """What came of one step."""

    name: str
    state: str
    """``accepted``, ``refused``, ``older one kept`` or ``missing``."""
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Sheets:
    """What was printed, as large as it came out."""

    board: Board
    target: Board
    scale: Scale
    collar: Path | None
    """``collar.toml``; None = the rig's own nozzle, or the usual collar."""


def run_step(name: str, folder: Path, rig: Path, sheets: Sheets, *, force: bool, now: datetime) -> StepTold:
    """Do one step with what is in its folder.

    Args:
        name: ``rgb``, ``thermal``, ``collar`` or ``tip``.
        folder: With the steps' folders.
        rig: To go on from where it is there, and to write.
        sheets: What was printed.
        force: Replace what is known better.
        now: For the rig's date.

    Raises:
        InputError: If a file cannot be read or written.
    """
    where = folder / FOLDERS[name]
    if not where.exists():
        return StepTold(name, MISSING, (f"Not there: {WANTED[name]}.",))
    if name != "rgb" and not rig.exists():
        return StepTold(name, MISSING, (f"{rig} is not there: the colour camera comes first.",))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        done = _do(name, where, rig, sheets, force=force, now=now)
    lines = tuple(said.getvalue().splitlines())
    if done:
        return StepTold(name, ACCEPTED, lines)
    kept = any(line.startswith("NOT WRITTEN") for line in lines)
    return StepTold(name, KEPT if kept else REFUSED, lines)


def _do(name: str, where: Path, rig: Path, sheets: Sheets, *, force: bool, now: datetime) -> bool:
    known = rig if rig.exists() else None
    options = argparse.Namespace(rig=known, out=rig, force=force)
    if name == "rgb":
        options.pictures, options.board = one_recording_or(where), spec_of(sheets.board)
        options.flat, options.window_px = False, None
        return calibrate_rgb(options, now)
    if name == "thermal":
        both = one_recording_or(where)
        options.rgb, options.thermal = str(both), None
        if both == where:
            options.rgb, options.thermal = str(where / "colour"), str(where / "thermal")
        options.board = spec_of(sheets.target)
        return calibrate_thermal_step(options, now)
    give_nozzle(rig, sheets, now=now)
    if name == "collar":
        u95 = sheets.scale.u95
        options.pictures, options.tag_mm_u95 = (
            one_video_or(one_recording_or(where)),
            None if u95 is None else u95 * COLLAR_TAG_MM,
        )
        options.collar = None  # the rig has its nozzle by now
        return calibrate_collar(options, now)
    options.limit_mm = options.marker_mm = options.from_s = options.to_s = None
    options.poses = one_recording_or(where)
    return calibrate_tip(options, now)


def one_video_or(folder: Path) -> Path:
    """The one video of a folder, or the folder itself where it holds pictures."""
    videos = (
        sorted(file for file in folder.iterdir() if file.suffix.lower() in VIDEOS) if folder.is_dir() else []
    )
    return videos[0] if len(videos) == 1 else folder


def give_nozzle(rig: Path, sheets: Sheets, *, now: datetime) -> None:
    """Put the printed collar into a rig that has no nozzle yet.

    Raises:
        InputError: If rig or collar cannot be read.
    """
    tables = read_tables(rig)
    if "nozzle" in tables:
        return
    if sheets.collar is not None:
        nozzle = printed_nozzle(sheets.collar)
    else:
        made = collar_of(across_mm=60.0, tip_mm=60.0)  # as `print collar` prints it unless told otherwise
        nozzle = {
            "dictionary": COLLAR_DICTIONARY,
            "bore_mm": 12.0,
            "tag": [
                {"id": int(number), "corners_nozzle_mm": np.round(corners, 4).tolist()}
                for number, corners in zip(
                    made.ids, scaled_collar(made.corners_nozzle_mm, sheets.scale), strict=True
                )
            ],
        }
    put_rig(rig, rig_text({**tables, "nozzle": nozzle}, now=now), now=now, part_of=tables)


def holds_steps(folder: Path) -> bool:
    """Whether a folder is laid out for the steps."""
    return folder.is_dir() and any((folder / name).is_dir() for name in FOLDERS.values())


def counted(folder: Path, name: str) -> int:
    """Pictures there are for a step."""
    where = folder / FOLDERS[name] / ("colour" if name == "thermal" else "")
    try:
        return len(picture_files(where))
    except InputError:
        return 0
