"""Where 8-bit pictures of a fixed scale were clipped: what lies beyond is unknown, not at the scale's end.

Cameras do not clip at the ends of the numbers only: a display scale may end at any value, with captions
and colour bars below it. The series of the cold hand is clipped at value 5 and has a bar of value 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Floats, Ints
from vision.thermal_source import Numbers, Reading, Scale, ThermalSource

# A clipped end holds all that lies beyond it: at least this share of the pixels, and many times as many as
# the values on either side (cold hand: 1.4 % and 8 times); temperatures of a scene spread over neighbours.
_LEAST_SHARE, _TIMES, _BESIDE = 0.005, 4.0, 3

_BEYOND_SHARE = 0.01
"""At most this share of the other pixels lies beyond a clipped end: noise and captions."""


@dataclass(frozen=True)
class Ends:
    """Values at or beyond these were clipped."""

    low: int
    high: int


def clipped_ends(histogram: Ints) -> Ends:
    """Find the ends of the scale from how often each value occurs in the whole recording.

    Args:
        histogram: Pixels of each value, shape (256,).

    Returns:
        The ends; 0 and 255 always count as clipped.
    """
    low = _low_end(histogram)
    return Ends(low, 255 - _low_end(histogram[::-1]))


def _low_end(histogram: Ints) -> int:
    pixels = max(1, int(histogram.sum()))
    padded = np.concatenate([np.zeros(_BESIDE), histogram, np.zeros(_BESIDE)])
    spike = np.zeros(256, bool)
    for value in range(256):
        at = value + _BESIDE
        beside = max(padded[at - _BESIDE : at].max(), padded[at + 1 : at + 1 + _BESIDE].max())
        spike[value] = histogram[value] > max(_LEAST_SHARE * pixels, _TIMES * beside)
    spread = np.where(spike, 0, histogram)
    if not spread.any():  # nothing but even areas: a drawing, or a test picture
        return 0
    below = np.cumsum(spread) - spread
    ends = np.flatnonzero(spike & (below <= _BEYOND_SHARE * pixels))
    return int(ends[-1]) if len(ends) else 0


def without_clipped(source: ThermalSource) -> ThermalSource:
    """The same source, its clipped values without a reading; one that is not 8-bit stays as it is."""
    histogram = np.zeros(256, np.int64)
    first: Reading | None = None
    for reading in source.read():
        if reading is None:
            continue
        if reading.values.dtype != np.uint8:
            return source
        first = first or reading
        histogram += np.bincount(reading.values.ravel(), minlength=256)
    if first is None:
        return source
    ends = clipped_ends(histogram)
    stated = first.scale.degc

    def degc(values: Numbers) -> Floats:
        return np.where((values > ends.low) & (values < ends.high), stated(values), np.nan)

    scale = Scale(degc, first.scale.curve)

    def read() -> Iterator[Reading | None]:
        for reading in source.read():
            yield None if reading is None else Reading(reading.values, scale)

    lost = (histogram[: ends.low + 1].sum() + histogram[ends.high :].sum()) / histogram.sum()
    told = (
        f"{source.where}: 8-bit values up to {ends.low} and from {ends.high} on lie at the ends of the "
        f"camera's scale and are unknown ({lost:.1%} of the pixels)."
    )
    return replace(source, read=read, warnings=(*source.warnings, told))
