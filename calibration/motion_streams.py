"""The streams of a recording as small pictures, each with its own time of exposure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from models.geometry import Bytes, Counts, Floats
from models.problems import InputError
from models.rig import Rig
from vision.source import open_source

WIDE_PX = 48
"""Small pictures: what moves by a pixel of the camera still changes their shades, and noise averages out."""

LONGEST_S = 120.0
"""More is not read: pictures are held in memory, and what is asked for is known after a minute."""


@dataclass(frozen=True, eq=False)
class MotionStream:
    """One camera."""

    name: str
    """``rgb``, ``thermal`` or ``depth``."""
    t_s: Floats
    """Exposures on the recording's session clock, shape (n,)."""
    pictures: Floats
    """Shape (n, pixels); each new picture once."""
    repeated: int
    """Pictures that were the one before once more, left out."""
    other: int
    """Pictures of a shutter event, left out."""


@dataclass(frozen=True, eq=False)
class MotionRecording:
    """What a recording holds for finding the time between its streams."""

    name: str
    streams: dict[str, MotionStream]
    rig: Rig | None
    """With which the exposures were worked out."""


def read_streams(recording: Path) -> MotionRecording:
    """Read a session folder or a recording of a live session.

    Raises:
        InputError: If it cannot be read or holds no colour picture. Streams of which fewer than three
            pictures differ are left out, the colour camera's too.
    """
    source = open_source(recording)
    gathered = {name: _Gathered(name) for name in ("rgb", "thermal", "depth")}
    first_s: float | None = None
    for capture in source.captures():
        first_s = capture.t_s if first_s is None else first_s
        if capture.t_s - first_s > LONGEST_S:
            break
        if capture.bgr is not None:
            gathered["rgb"].add(
                capture.t_s, np.asarray(cv2.cvtColor(capture.bgr, cv2.COLOR_BGR2GRAY), np.uint8)
            )
        for picture in capture.thermal:
            if picture.shutter:
                gathered["thermal"].other += 1
            else:
                gathered["thermal"].add(picture.t_s, picture.centikelvin)
        for picture in capture.depth:
            gathered["depth"].add(picture.t_s, picture.depth_mm)
    streams = {name: one.stream() for name, one in gathered.items() if len(one.t_s) >= 3}
    if not gathered["rgb"].t_s:
        raise InputError(f"{recording} holds no colour pictures, whose clock is the session's; record both.")
    return MotionRecording(source.name, streams, source.rig)


@dataclass(eq=False)
class _Gathered:
    name: str
    t_s: list[float] = field(default_factory=list[float])
    small: list[Floats] = field(default_factory=list[Floats])
    repeated: int = 0
    other: int = 0
    last: Bytes | Counts | None = None

    def add(self, t_s: float, picture: Bytes | Counts) -> None:
        """A core of 9 Hz that is sent at 27 Hz sends each picture three times: only the first tells when."""
        if self.last is not None and np.array_equal(self.last, picture):
            self.repeated += 1
            return
        if self.t_s and t_s <= self.t_s[-1]:
            return
        self.last = picture
        self.t_s.append(t_s)
        self.small.append(_small(picture, holes=self.name != "rgb"))

    def stream(self) -> MotionStream:
        pictures = np.array([one.ravel() for one in self.small])
        known = np.isfinite(pictures)
        usual = np.zeros(pictures.shape[1])
        ever = known.any(axis=0)
        usual[ever] = np.nanmedian(pictures[:, ever], axis=0)
        pictures = np.where(known, pictures, usual)
        return MotionStream(self.name, np.array(self.t_s), pictures, self.repeated, self.other)


def _small(picture: Bytes | Counts, *, holes: bool) -> Floats:
    """Shrunk by means over areas, NaN where most of an area has no reading."""
    height, width = picture.shape
    size = (min(WIDE_PX, width), max(1, round(min(WIDE_PX, width) * height / width)))
    light = picture.astype(np.float32)
    if not holes:
        return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), float)
    known = (picture > 0).astype(np.float32)
    share = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), float)
    total = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), float)
    return np.where(share > 0.5, total / np.maximum(share, 1e-6), np.nan)
