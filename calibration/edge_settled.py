"""Whether an edge before the thermal camera is held still, and elsewhere than it was held before.

What is recorded is looked at anew afterwards, and the stillest picture of each hold is taken
(`calibration.recorded_solve.still_pictures`): here it is only asked when to go on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from models.geometry import Counts

STILL_S, LEAST_CHANGES = 0.3, 3
"""Over so long, and so many pictures, hardly anything changed: a camera of 9 Hz gives three in 0.33 s."""

STILL_BY_LEAST = 1.5
"""By what the quietest two pictures so far differ: as `calibration.recorded_solve.still_pictures` has it."""

ELSEWHERE_BY_LEAST = 5.0
"""Likewise, of an edge that was turned or shifted. Noise of 0.05 degC makes still pictures differ by 0.07; an
edge between 10 degC, shifted by a pixel of 160, by 0.8."""

KEPT_S = 12.0
"""Pictures older than that are asked for by nobody: a hold and a turn last 5 s."""


@dataclass(eq=False)
class EdgeHeld:
    """Thermal pictures of a recording, one after the other."""

    _recent: deque[tuple[float, Counts]] = field(default_factory=deque[tuple[float, Counts]])
    _changes: deque[tuple[float, float]] = field(
        default_factory=lambda: deque[tuple[float, float]](maxlen=LEAST_CHANGES)
    )
    _least: float = np.inf

    def take(self, t_s: float, warm: Counts) -> None:
        """One picture, centikelvin; one that is sent again tells nothing."""
        if self._recent:
            change = _apart(self._recent[-1][1], warm)
            if change == 0.0:
                return
            self._changes.append((t_s, change))
            self._least = min(self._least, change)
        self._recent.append((t_s, warm))
        while t_s - self._recent[0][0] > KEPT_S:
            self._recent.popleft()

    def forget(self) -> None:
        """A recording begins."""
        self._recent.clear()
        self._changes.clear()
        self._least = np.inf

    def still(self, since_s: float) -> bool:
        """Whether it is held still, and was since that time for long enough."""
        if len(self._changes) < LEAST_CHANGES or self._changes[0][0] <= since_s:
            return False
        quiet = all(change <= STILL_BY_LEAST * self._least for _, change in self._changes)
        return quiet and self._changes[-1][0] - self._changes[0][0] >= STILL_S * (1.0 - 1.0 / LEAST_CHANGES)

    def elsewhere(self, since_s: float) -> bool:
        """Whether it is held still in another place than at that time."""
        before = [warm for t_s, warm in self._recent if t_s <= since_s]
        if not before or not self.still(since_s):
            return False
        return _apart(before[-1], self._recent[-1][1]) >= ELSEWHERE_BY_LEAST * self._least


def _apart(one: Counts, other: Counts) -> float:
    """By how much pictures differ, but for what the whole picture is warmer; inf where their sizes do."""
    if one.shape != other.shape:
        return float("inf")
    return float(np.std(other.astype(float) - one))
