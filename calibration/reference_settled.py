"""Whether a look at a reference has told enough: its drift is known well enough to go on to the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from calibration.look_slope import LookSlope, look_slope, pooled, without_jumps
from models.geometry import Bools, Counts, Floats

SETTLED_DEGC_PER_MIN = 0.05
"""Standard error of a look's slope at which it will do: six leave a 95 % bound of 0.05 degC a minute
of the drift, a third of what is refused (`calibration.radiometry.MOST_DRIFT_DEGC_PER_MIN`)."""

AGREE_DEGC_PER_MIN = 0.1
"""The same by how the slopes of all looks so far differ, which shows noise that is slower than a look is
long: six then leave a bound of 0.105 (Student), and 0.045 for the drift itself."""

NO_SCATTER_DEGC = 1e-6
"""Rounding alone: pictures come in hundredths of a degree, means of seconds of them in ten-thousandths."""

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

    _before: deque[LookSlope] = field(default_factory=lambda: deque[LookSlope](maxlen=12))
    """Looks that are over, at other references too: what the camera does is the same."""
    _since_s: float | None = None
    _now: LookSlope | None = None

    def take(self, t_s: float, warm: Counts) -> None:
        """One thermal picture, centikelvin; passed over where no reference of its size was found."""
        core = self.core
        if core is not None and core.shape == warm.shape:
            self._read.append((t_s, float(np.mean(warm[core])) / 100.0))

    def forget(self) -> None:
        """Another reference is shown."""
        self._look_over()
        self._since_s, self.core = None, None
        self._read.clear()

    def settled(self, since_s: float) -> bool:
        """Whether what was read since a time tells its slope to `SETTLED_DEGC_PER_MIN`.

        It is not believed while it differs from earlier looks by more than `AGREE_DEGC_PER_MIN` allows.
        """
        if since_s != self._since_s:
            self._look_over()
            self._since_s = since_s
        each = np.array([one for one in self._read if one[0] >= since_s])
        if len(each) < 2:
            return False
        self._now = look_slope(each[:, 0], each[:, 1])
        return slope_error(each[:, 0], each[:, 1], self._now) <= SETTLED_DEGC_PER_MIN and agree(
            [*self._before, self._now]
        )

    def _look_over(self) -> None:
        if self._now is not None:
            self._before.append(self._now)
        self._now = None


def agree(looks: Sequence[LookSlope]) -> bool:
    """Whether the last of some looks is long enough by how their slopes differ; one alone always is."""
    if len(looks) < 2:
        return True
    return pooled(looks)[1] / np.sqrt(looks[-1].square_min2) <= AGREE_DEGC_PER_MIN


def slope_error(t_s: Floats, degc: Floats, line: LookSlope | None = None) -> float:
    """Standard error of the slope of readings, degC a minute, by how their means over `BLOCK_S` scatter.

    Args:
        t_s: Rising, shape (n,).
        degc: Readings, shape (n,).
        line: As found through them; its jumps do not count as scatter, but leave less to tell a slope by.

    Returns:
        Infinite where they are too few to tell, or do not scatter at all: every camera wavers, and pictures
        that are all the same are of one that is stuck.
    """
    if line is not None:
        degc = without_jumps(degc, line)
    which = ((t_s - t_s[0]) // BLOCK_S).astype(int)
    names = np.unique(which)
    if len(names) < LEAST_BLOCKS:
        return float("inf")
    minutes = np.array([t_s[which == k].mean() for k in names]) / 60.0
    means = np.array([degc[which == k].mean() for k in names])
    away = minutes - minutes.mean()
    square = float(away @ away)
    jumped = 1.0 if line is None else line.square_min2 / float(np.sum(((t_s - t_s.mean()) / 60.0) ** 2))
    left = means - means.mean() - float(away @ means) / square * away
    squares = float(left @ left)
    if not squares > len(names) * NO_SCATTER_DEGC**2:
        return float("inf")
    # A line takes its part of the likeness of neighbours: so many blocks, so much is added back.
    alike = float(left[1:] @ left[:-1]) / squares + 2.0 / len(names)
    alike = min(max(alike, 0.0), MOST_ALIKE)
    wider = np.sqrt((1.0 + alike) / (1.0 - alike))
    return float(wider * np.sqrt(squares / (len(names) - 2) / (square * jumped)))
