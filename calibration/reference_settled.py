"""Whether a look at a reference has told enough: its drift is known well enough to go on to the next one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from models.geometry import Bools, Counts, Floats

SETTLED_DEGC_PER_MIN = 0.05
"""Standard error of a look's slope at which it will do: six leave a 95 % bound of 0.05 degC a minute
of the drift, a third of what is refused (`calibration.radiometry.MOST_DRIFT_DEGC_PER_MIN`)."""

BLOCK_S = 1.0
"""Readings are averaged over so long: what is left is what changes slowly, as a slope does."""

LEAST_BLOCKS = 6
"""Fewer tell no scatter about a line."""

MOST_ALIKE = 0.9
"""Blocks that go with the ones before tell less; more than this cannot be told of so few."""


@dataclass(eq=False)
class Readings:
    """How the core of a reference reads, picture by picture."""

    core: Bools | None = None
    """Where it was found last, shape (h, w); None = not yet."""
    _read: deque[tuple[float, float]] = field(default_factory=lambda: deque[tuple[float, float]](maxlen=2000))

    def take(self, t_s: float, warm: Counts) -> None:
        """One thermal picture, centikelvin; passed over where no reference of its size was found."""
        core = self.core
        if core is not None and core.shape == warm.shape:
            self._read.append((t_s, float(np.mean(warm[core])) / 100.0))

    def forget(self) -> None:
        """Another reference is shown."""
        self.core = None
        self._read.clear()

    def settled(self, since_s: float) -> bool:
        """Whether what was read since a time tells its slope to `SETTLED_DEGC_PER_MIN`."""
        each = np.array([one for one in self._read if one[0] >= since_s])
        return len(each) > 0 and slope_error(each[:, 0], each[:, 1]) <= SETTLED_DEGC_PER_MIN


def slope_error(t_s: Floats, degc: Floats) -> float:
    """Standard error of the slope of readings, degC a minute, by how their means over `BLOCK_S` scatter.

    Args:
        t_s: Rising, shape (n,).
        degc: Readings, shape (n,).

    Returns:
        Infinite where they are too few to tell.
    """
    which = ((t_s - t_s[0]) // BLOCK_S).astype(int)
    names = np.unique(which)
    if len(names) < LEAST_BLOCKS:
        return float("inf")
    minutes = np.array([t_s[which == k].mean() for k in names]) / 60.0
    means = np.array([degc[which == k].mean() for k in names])
    away = minutes - minutes.mean()
    square = float(away @ away)
    left = means - means.mean() - float(away @ means) / square * away
    squares = float(left @ left)
    if not squares > 0.0:
        return 0.0
    # A line takes its part of the likeness of neighbours: so many blocks, so much is added back.
    alike = float(left[1:] @ left[:-1]) / squares + 2.0 / len(names)
    alike = min(max(alike, 0.0), MOST_ALIKE)
    wider = np.sqrt((1.0 + alike) / (1.0 - alike))
    return float(wider * np.sqrt(squares / (len(names) - 2) / square))
