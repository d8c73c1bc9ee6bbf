"""Thermal pictures corrected and written as ``thermal.npz`` of a session folder, picture by picture."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.geometry import Bools, Counts, Floats
from models.radiation import KELVIN, Curve, Surroundings, object_degc, seen_signal
from vision.thermal_source import Numbers, Reading, Scale, ThermalSource, check_plausible, is_plausible

_SAMPLE = 4
"""Every so many pixels each way are enough to tell where the middle of a picture lies."""


@dataclass(frozen=True)
class Correction:
    """What is done to the temperatures of a file."""

    around: Surroundings
    """What is corrected for."""
    camera: Surroundings | None
    """What the camera had corrected for already, taken out first; None = nothing."""

    def degc(self, stated_degc: Floats, curve: Curve) -> Floats:
        """Temperature of the skin from what the file states."""
        if self.camera is None:
            seen = curve.signal(stated_degc)
        else:
            seen = seen_signal(stated_degc, curve=curve, around=self.camera)
        return object_degc(seen, curve=curve, around=self.around)

    def stated_degc(self, skin_degc: float, curve: Curve) -> float:
        """What the file states for skin of this temperature: `degc` the other way."""
        seen = seen_signal(np.asarray(skin_degc), curve=curve, around=self.around)
        if self.camera is None:
            return float(curve.degc(seen))
        return float(object_degc(seen, curve=curve, around=self.camera))


@dataclass(frozen=True)
class Written:
    """What became of the pictures."""

    pictures: int
    damaged: int
    """Of them, no reading anywhere."""
    implausible: int
    """Of them: their middle is no skin in a room (another gain mode); no reading anywhere."""
    without_reading: float
    """Share of the pixels that hold no reading."""
    low_degc: float
    """Lowest and highest temperature written; NaN where there is none."""
    high_degc: float


def centikelvin(degc: Floats) -> Counts:
    """Temperatures in the unit of the session folder; 0 where there is none or it does not fit."""
    steps = np.rint((degc + KELVIN) * 100.0)
    fits = np.isfinite(steps) & (steps >= 1.0) & (steps <= 65535.0)
    return np.where(fits, steps, 0.0).astype(np.uint16)


class Corrector:
    """Turns readings into centikelvin; for whole numbers each value is worked out once."""

    def __init__(self, correction: Correction) -> None:
        """Start with no scale known."""
        self._correction = correction
        self._tables: dict[Scale, Counts] = {}

    def __call__(self, reading: Reading) -> Counts:
        """One picture in centikelvin."""
        values, scale = reading.values, reading.scale
        if values.dtype not in (np.uint16, np.uint8):
            return self._corrected(values, scale)
        table = self._tables.get(scale)
        if table is None:
            if len(self._tables) > 8:
                self._tables.clear()
            every = np.arange(np.iinfo(values.dtype).max + 1).astype(values.dtype)
            table = self._tables.setdefault(scale, self._corrected(every, scale))
        return table[values]

    def _corrected(self, values: Numbers, scale: Scale) -> Counts:
        return centikelvin(self._correction.degc(scale.degc(values), scale.curve))


def write_thermal(
    path: Path,
    source: ThermalSource,
    *,
    t_s: Floats,
    flag: Bools,
    correction: Correction,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> Written:
    """Write all pictures of a source.

    Args:
        path: The npz.
        source: Where they come from.
        t_s: A stamp for each picture, shape (n,).
        flag: Shutter events, shape (n,).
        correction: What is done to them.
        on_progress: Told pictures done and pictures in all.

    Raises:
        InputError: If the first picture is no skin in a room, or the file changes while it is read.
    """
    correct = Corrector(correction)
    total, damaged, implausible, missing, low, high = len(t_s), 0, 0, 0, 65535, 0
    pixels = source.height_px * source.width_px
    seen = False
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("centikelvin.npy", "w", force_zip64=True) as member:
            shape = (total, source.height_px, source.width_px)
            header = {"descr": "<u2", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            pictures = source.read()
            for number in range(total):
                reading = next(pictures, None)
                counts = np.zeros(shape[1:], np.uint16)
                if reading is None or reading.values.shape != shape[1:]:
                    damaged += 1
                elif not seen:
                    check_plausible(reading.scale.degc(reading.values), where=source.where)
                    seen, counts = True, correct(reading)
                elif is_plausible(reading.scale.degc(reading.values[::_SAMPLE, ::_SAMPLE])):
                    counts = correct(reading)
                else:
                    implausible += 1
                low = min(low, int(np.min(counts, where=counts > 0, initial=65535)))
                high = max(high, int(counts.max()))
                missing += pixels - int(np.count_nonzero(counts))
                member.write(counts.astype("<u2").tobytes())
                on_progress(number + 1, total)
        for name, array in (("t_s", t_s.astype(np.float64)), ("flag", flag.astype(np.uint8))):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return Written(
        total,
        damaged,
        implausible,
        missing / (pixels * total),
        low / 100.0 - KELVIN if high else np.nan,
        high / 100.0 - KELVIN if high else np.nan,
    )
