"""By how much sharpening a thermal picture raises the noise of what is read from it."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from vision.point_spread import PointSpread, without_spread

FIELD_PX = 25
"""A point's answer is worked out on so many pixels: eight standard deviations of the wide part each way."""

PLACES_PX = (0.125, 0.375, 0.625, 0.875)
"""Readings lie anywhere between pixels."""


@functools.lru_cache(maxsize=16)
def noise_gain(spread: PointSpread) -> float:
    """By how much taking out the spread raises the noise of readings between pixels (rms of places)."""
    point = np.zeros((FIELD_PX, FIELD_PX))
    point[FIELD_PX // 2, FIELD_PX // 2] = 1.0
    answer = without_spread(point, np.zeros(point.shape, np.bool_), replace(spread, halo=None))[0]
    powers: list[float] = []
    for x in PLACES_PX:
        along = (1.0 - x) * answer + x * np.roll(answer, 1, axis=1)
        powers += [float(np.sum(((1.0 - y) * along + y * np.roll(along, 1, axis=0)) ** 2)) for y in PLACES_PX]
    return float(np.sqrt(np.mean(powers)))
