"""The streams of a session folder, each held against the rig that took it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.geometry import Bytes, Floats, Ints, frozen
from models.problems import InputError
from models.rig import Rig
from vision.streams import (
    MISSING_SHARE,
    Stack,
    cut_off,
    missing_warning,
    open_stack,
    picture_rows,
    read_times,
)
from vision.video import VideoFile, colour_pictures, probe_video


@dataclass(frozen=True, eq=False)
class Colour:
    """The colour stream: its csv laid over its video."""

    video: VideoFile
    width_px: int
    """As shown, rotation applied."""
    height_px: int
    t_s: Floats
    """Time of each row of the csv on the session clock."""
    rows: Ints
    """Number of the picture in the video for each row of the csv."""

    def pictures(self) -> Iterator[Bytes | None]:
        """One picture a row of the csv, None where it is corrupt or missing."""
        number = -1
        decoded = colour_pictures(self.video)
        for row in self.rows:
            picture = None
            while number < row:
                picture = next(decoded, None)
                number += 1
            yield picture


def open_colour(folder: Path, name: str, file: str, rig: Rig | None, warnings: list[str]) -> Colour:
    """Open the colour video and its csv; what is worked around is added to ``warnings``."""
    where = f"{name}/{file}"
    video = probe_video(folder / file, where=where)
    table_path = (folder / file).with_suffix(".csv")
    if table_path.exists():
        table = read_times(table_path, where=f"{name}/{table_path.name}")
        rows = picture_rows(table, pictures=video.pictures, announced=video.announced, where=where)
        warnings += missing_warning(table, pictures=video.pictures, rows=rows, where=where)
        t_s = table.t_s
    else:
        if video.pictures < (1.0 - MISSING_SHARE) * video.announced:
            until_s = float(video.times_s[-1])
            raise cut_off(where, pictures=video.pictures, expected=video.announced, until_s=until_s)
        warnings.append(f"{name}/{table_path.name} is missing: the video's own time stamps are taken.")
        t_s, rows = video.times_s, np.arange(video.pictures, dtype=np.int64)
    again = np.concatenate([[False], np.diff(t_s) <= 0])
    if again.any():
        warnings.append(
            f"{where}: {int(again.sum())} pictures have the time of the one before and were left out."
        )
        t_s, rows = t_s[~again], rows[~again]
    picture = next((picture for picture in colour_pictures(video) if picture is not None), None)
    if picture is None:
        raise InputError(f"{where} holds no picture that can be decoded; copy the video again.")
    height_px, width_px = picture.shape[:2]
    if rig and (width_px, height_px) != (rig.rgb.width_px, rig.rgb.height_px):
        raise _wrong_size(where, width_px, height_px, rig.rgb.width_px, rig.rgb.height_px, "rgb")
    return Colour(video, width_px, height_px, frozen(t_s), frozen(rows))


def open_thermal(folder: Path, name: str, file: str, rig: Rig | None, warnings: list[str]) -> Stack:
    """Open the thermal stream; what is worked around is added to ``warnings``."""
    where = f"{name}/{file}"
    stack = open_stack(folder / file, where=where, values="centikelvin", flag=True)
    warnings += stack.warnings
    again = int((np.diff(stack.t_s) <= 0).sum())
    if again:
        warnings.append(f"{where}: {again} pictures have the time of the one before and were left out.")
    if rig and rig.thermal:
        camera = rig.thermal.camera
        if (stack.width_px, stack.height_px) != (camera.width_px, camera.height_px):
            raise _wrong_size(
                where, stack.width_px, stack.height_px, camera.width_px, camera.height_px, "thermal"
            )
    elif rig:
        warnings.append(f"{name}/rig.toml has no table [thermal]: temperatures cannot be laid on the skin.")
    return stack


def open_depth(folder: Path, name: str, file: str, rig: Rig | None, warnings: list[str]) -> Stack | None:
    """Open the depth stream; None where the rig cannot place it, which is added to ``warnings``."""
    where = f"{name}/{file}"
    stack = open_stack(folder / file, where=where, values="depth_mm", flag=False)
    warnings += stack.warnings
    if rig is None or rig.depth is None:
        warnings.append(f"{where} was left out: no rig says how the depth camera stands.")
        return None
    camera = rig.depth.camera
    if (stack.width_px, stack.height_px) != (camera.width_px, camera.height_px):
        raise _wrong_size(where, stack.width_px, stack.height_px, camera.width_px, camera.height_px, "depth")
    return stack


def _wrong_size(
    where: str, width: int, height: int, rig_width: int, rig_height: int, table: str
) -> InputError:
    return InputError(
        f"{where} is {width} x {height} pixels, but rig.toml [{table}] says {rig_width} x {rig_height}; "
        "use the rig file of this camera and mode."
    )
