"""A stream of small pictures reduced to how it changes over time: its few strongest patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats

MODES_FAST = 8
"""Patterns kept of a stream."""

ABOVE_NOISE = 2.0
"""A pattern counts where it is so many times as strong as the median one, which is noise."""

SLOW_KNOT_S = 2.5
"""Changes slower than about this (drift of the thermal camera, skin that warms up) have no say: they come
with their own delays."""


@dataclass(frozen=True, eq=False)
class Modes:
    """A stream reduced to its patterns."""

    t_s: Floats
    """Stamps, rising, shape (n,)."""
    values: Floats
    """Strength of each pattern in each picture, the strongest of size 1 (rms), shape (n, k)."""


def motion_modes(t_s: Floats, pictures: Floats, *, count: int) -> Modes:
    """The strongest patterns of change in a stream.

    Args:
        t_s: Stamps, shape (n,).
        pictures: Small pictures, flattened, shape (n, pixels).
        count: At most so many.
    """
    change = pictures - pictures.mean(axis=1, keepdims=True)  # gain control and shutter steps lift all pixels
    change = change - change.mean(axis=0)
    slow = slow_changes(t_s)
    change = change - slow @ np.linalg.lstsq(slow, change, rcond=None)[0]
    power, vectors = np.linalg.eigh(change @ change.T)
    order = np.argsort(power)[::-1]
    size = np.sqrt(np.maximum(power[order], 0.0))
    floor = ABOVE_NOISE * float(np.median(size[: len(size) - slow.shape[1]]))
    kept = max(1, int((size[:count] > floor).sum()))
    values = vectors[:, order[:kept]] * size[:kept]
    rms = float(np.sqrt(np.mean(values[:, 0] ** 2)))
    return Modes(t_s, values / max(rms, 1e-12))


def slow_changes(t_s: Floats) -> Floats:
    """Changes that have no say: cosines of up to two half periods a knot, shape (n, m)."""
    long_s = max(float(t_s[-1] - t_s[0]), 1e-6)
    count = max(2, round(long_s / SLOW_KNOT_S))
    turns: Floats = np.pi * np.arange(count, dtype=np.float64)
    return np.asarray(np.cos(turns * ((t_s - t_s[0]) / long_s)[:, None]), np.float64)
