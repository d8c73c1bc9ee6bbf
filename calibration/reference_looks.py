"""Pictures of one reference, parted into looks: what lies between two closings of the shutter.

Pictures are thinned and handed out look by look, so that a long recording needs no room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.geometry import Floats
from models.problems import InputError
from vision.thermal_formats import open_thermal
from vision.thermal_source import ThermalSource, Told

PAUSE_S = 10.0
"""A longer pause ends a look: nobody knows whether the shutter closed meanwhile. The slowest camera brings
nine pictures a second; whoever presses a button does so every few seconds."""

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


@dataclass(frozen=True, eq=False)
class LookSource:
    """A recording, or a folder of pictures, of one reference."""

    source: ThermalSource
    t_s: Floats
    camera_emissivity: float | None
    """What the numbers were corrected with already; None = the file does not say."""

    def looks(self) -> Iterator[Look]:
        """Look after look; pictures that are damaged or show the shutter are left out."""
        flag = self.source.flag
        t_s: list[float] = []
        kept: list[NDArray[np.float32]] = []
        last_s = -np.inf
        for k, reading in enumerate(self.source.read()):
            now_s = float(self.t_s[k])
            closed = flag is not None and bool(flag[k])
            if kept and (closed or now_s - last_s > PAUSE_S):
                yield Look(np.array(t_s), np.array(kept))
                t_s, kept = [], []
            last_s = now_s
            if closed or reading is None or (t_s and now_s - t_s[-1] < EACH_S):
                continue
            t_s.append(now_s)
            kept.append(reading.scale.degc(reading.values).astype(np.float32))
        if kept:
            yield Look(np.array(t_s), np.array(kept))


def open_looks(path: Path, *, unit: str | None, hz: float | None) -> LookSource:
    """Open pictures of one reference.

    Args:
        path: Thermal file of any kind that is read, folder of pictures, or session folder.
        unit: Of its numbers, where the file does not say.
        hz: Pictures a second, where the file holds no times.

    Raises:
        InputError: If it cannot be read, holds no temperatures or no times.
    """
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
    return LookSource(source, t_s, 1.0 if source.uncorrected else applied)
