"""Lossless video as a thermal source: 16-bit grey, or raw frames of TC001 and P2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.geometry import frozen
from models.problems import InputError
from vision.thermal_raw import DOUBLE_PX, stack_source
from vision.thermal_source import Numbers, ThermalSource, Told
from vision.video import VideoFile, grey_pictures, packed_pictures, probe_video

_GREY_16 = ("gray16le", "gray16be")


def open_thermal_video(path: Path, told: Told) -> ThermalSource:
    """Open a lossless video; its own time stamps are taken.

    Raises:
        InputError: If its pixels carry no temperatures, or cannot be read.
    """
    where = path.name
    video = probe_video(path, where=where)

    def values() -> Iterator[Numbers | None]:
        return _pictures(video)

    if video.pixels not in _GREY_16 and not _double(video):
        raise InputError(
            f"{where} has pixels of the kind {video.pixels}: a display picture (palette, AGC) without "
            "temperatures; record radiometric data, or 16-bit grey as FFV1."
        )
    first = next((picture for picture in values() if picture is not None), None)
    if first is None:
        raise InputError(f"{where} holds no picture that can be decoded; copy the video again.")
    kind = f"16-bit video ({video.pixels})"
    source = stack_source(values, pictures=video.pictures, first=first, told=told, where=where, kind=kind)
    return replace(source, t_s=frozen(video.times_s) if video.stamped else None)


def _double(video: VideoFile) -> bool:
    return video.pixels == "yuyv422" and (video.width_px, video.height_px) == DOUBLE_PX


def _pictures(video: VideoFile) -> Iterator[Numbers | None]:
    if video.pixels in _GREY_16:
        yield from grey_pictures(video)
        return
    for picture in packed_pictures(video):
        yield None if picture is None else np.ascontiguousarray(picture).view("<u2")[..., 0]
