"""Pictures of one reference, parted into looks: what lies between two closings of the shutter.

Pictures are thinned and handed out look by look, so that a long recording needs no room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.geometry import Counts, Floats
from models.problems import InputError
from vision.mcap_recording import open_mcap
from vision.source import SUFFIX
from vision.thermal_formats import open_thermal
from vision.thermal_source import Reading, ThermalSource, Told

PAUSE_S = 10.0
"""A longer pause ends a look: nobody knows whether the shutter closed meanwhile. The slowest camera brings
nine pictures a second; whoever presses a button does so every few seconds."""

RECORDED_PAUSE_S = 2.0
"""The same in a recording of a live camera, which brings its pictures by itself: a pause was made on purpose,
or something held them up."""

EACH_S = 0.24
"""Pictures nearer to each other are passed over: a reference changes more slowly, and 3 minutes between two
closings of the shutter then need 150 MB at 256 x 192."""

STREAMS = ("thermal.npz", "thermal.mkv")
"""Of a session folder, which is a recording too."""


@dataclass(frozen=True, eq=False)
class Look:
    """Pictures between two closings of the shutter."""

    t_s: Floats
    """On the file's own clock, shape (n,)."""
    degc: NDArray[np.float32]
    """As the file states them, NaN = no reading, shape (n, h, w)."""
    closings: int
    """So often the shutter was seen to close before it. Of two looks with the same number nobody knows
    whether it closed between them."""


Taken = tuple[float, bool, Callable[[], NDArray[np.float32]] | None]
"""Time, whether the shutter was closed, and the picture in degC; None = it is damaged."""


@dataclass(frozen=True, eq=False)
class LookSource:
    """A recording, or a folder of pictures, of one reference."""

    where: str
    """Its name for messages."""
    width_px: int
    height_px: int
    camera_emissivity: float | None
    """What the numbers were corrected with already; None = the file does not say."""
    play: Callable[[], Iterator[Taken]]
    """Starts a pass over all pictures."""
    pause_s: float = PAUSE_S
    """A longer one ends a look."""

    def looks(self) -> Iterator[Look]:
        """Look after look; pictures that are damaged or show the shutter are left out."""
        t_s: list[float] = []
        kept: list[NDArray[np.float32]] = []
        last_s, closings, was_closed = -np.inf, 0, False
        for now_s, closed, degc in self.play():
            if kept and (closed or now_s - last_s > self.pause_s):
                yield Look(np.array(t_s), np.array(kept), closings)
                t_s, kept = [], []
            closings += closed and not was_closed
            was_closed, last_s = closed, now_s
            if closed or degc is None or (t_s and now_s - t_s[-1] < EACH_S):
                continue
            t_s.append(now_s)
            kept.append(degc())
        if kept:
            yield Look(np.array(t_s), np.array(kept), closings)


def open_looks(path: Path, *, unit: str | None, hz: float | None) -> LookSource:
    """Open pictures of one reference.

    Args:
        path: Thermal file of any kind, folder of pictures, session folder, or recording of a live
            session.
        unit: Of its numbers, where the file does not say.
        hz: Pictures a second, where the file holds no times.

    Raises:
        InputError: If it cannot be read, holds no temperatures or no times.
    """
    if path.is_file() and path.suffix.lower() == SUFFIX:
        return _recorded(path)
    streams = [path / name for name in STREAMS if (path / name).is_file()]
    source = open_thermal(streams[0] if streams else path, Told(unit=unit))
    if source.t_s is not None:
        t_s = source.t_s
    elif hz is not None:
        t_s = np.arange(source.pictures) / hz
    else:
        raise InputError(
            f"{path} says no times, without which nobody can tell drift; say pictures a second with --hz."
        )
    applied = None if source.applied is None else source.applied.emissivity
    emissivity = 1.0 if source.uncorrected else applied
    return LookSource(
        source.where, source.width_px, source.height_px, emissivity, lambda: _of_file(source, t_s)
    )


def _of_file(source: ThermalSource, t_s: Floats) -> Iterator[Taken]:
    for k, reading in enumerate(source.read()):
        closed = source.flag is not None and bool(source.flag[k])
        yield float(t_s[k]), closed, None if reading is None else partial(_degc, reading)


def _degc(reading: Reading) -> NDArray[np.float32]:
    return reading.scale.degc(reading.values).astype(np.float32)


def _recorded(path: Path) -> LookSource:
    """Thermal pictures of a recording of a live session; its colour pictures are not decoded."""
    recording = open_mcap(path)

    def play() -> Iterator[Taken]:
        for tick in recording.ticks(pictures=False):
            for picture in tick.capture.thermal:
                yield picture.t_s, picture.shutter, partial(_of_counts, picture.centikelvin)

    first = next((degc() for _, _, degc in play() if degc is not None), None)
    if first is None:
        raise InputError(f"{path} holds no thermal pictures; record the thermal camera.")
    rig = recording.rig
    emissivity = rig.thermal.emissivity if rig is not None and rig.thermal is not None else None
    return LookSource(path.name, first.shape[1], first.shape[0], emissivity, play, RECORDED_PAUSE_S)


def _of_counts(centikelvin: Counts) -> NDArray[np.float32]:
    return np.where(centikelvin > 0, centikelvin / 100.0 - 273.15, np.nan).astype(np.float32)
