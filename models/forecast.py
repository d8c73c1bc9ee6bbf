"""How cold a cell will be, and when: from how it has cooled so far.

Under a steady heat flux the surface of a half-space cools with the square root of time
(Carslaw and Jaeger, Conduction of Heat in Solids, 2.9): ``T0 - T = c sqrt(t)``. So from the baseline T0, the
temperature T and the rate dT/dt = -(T0 - T) / (2 t) follows how long the jet has acted, and from that when it
reaches a limit. A film coefficient instead of a steady flux cools more slowly later: this forecast is early,
not late.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from models.exposure import SkinTemperature
from models.geometry import Floats, frozen

RATE_TIME_S = 0.25
"""Time constant of the rate's average: 0.1 degC of noise at 12 pictures a second leaves 0.5 degC/s."""

GAP_S = 0.5
"""A rate is not formed over a longer gap between two readings."""

LEAST_RATE_DEGC_S = 0.3
"""Slower than this is not called cooling: noise of the averaged rate."""


@dataclass(frozen=True, eq=False)
class Cooling:
    """Per cell: baseline and present rate."""

    baseline_degc: Floats
    """Warmest reading so far, NaN where never read, shape (n,)."""
    rate_degc_s: Floats
    """Averaged rate, negative when cooling, NaN where not known, shape (n,)."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))

    @staticmethod
    def unknown(cells: int) -> Cooling:
        """Nothing read yet."""
        return Cooling(np.full(cells, np.nan), np.full(cells, np.nan))


def update_cooling(cooling: Cooling, *, before: SkinTemperature, now: SkinTemperature) -> Cooling:
    """Take in one thermal picture; ``before`` and ``now`` are the cells' readings around it."""
    dt_s = now.t_s - before.t_s
    fresh = (dt_s > 1e-6) & (dt_s <= GAP_S)
    stale = ~(now.t_s > before.t_s) & ~now.observed
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (now.degc - before.degc) / dt_s
    share = 1.0 - np.exp(-np.where(fresh, dt_s, 0.0) / RATE_TIME_S)
    known = np.isfinite(cooling.rate_degc_s)
    rate = np.where(
        fresh & known, cooling.rate_degc_s + share * (slope - cooling.rate_degc_s), cooling.rate_degc_s
    )
    rate = np.where(fresh & ~known, slope, rate)
    rate = np.where(stale | (dt_s > GAP_S), np.nan, rate)
    return Cooling(np.fmax(cooling.baseline_degc, now.degc), rate)


def seconds_to_limit(
    baseline_degc: Floats, degc: Floats, rate_degc_s: Floats, *, limit_degc: float
) -> Floats:
    """Seconds until a cell reaches a limit if the jet stays; inf where it does not cool, NaN where not known.

    Args:
        baseline_degc: Temperature before the jet came, shape (n,).
        degc: Temperature now.
        rate_degc_s: Present rate.
        limit_degc: The limit.
    """
    drop = np.maximum(baseline_degc - degc, 1e-3)
    rate = np.minimum(rate_degc_s, -1e-6)
    acted_s = drop / (-2.0 * rate)
    square_root_s = acted_s * (((baseline_degc - limit_degc) / drop) ** 2 - 1.0)
    # A cell that has hardly cooled has no history to go by: at its present rate it is there at the earliest.
    straight_s = (degc - limit_degc) / -rate
    left_s = np.where(drop > 3.0, square_root_s, straight_s)
    left_s = np.where(degc <= limit_degc, 0.0, np.maximum(left_s, 0.0))
    known = np.isfinite(degc) & np.isfinite(rate_degc_s) & np.isfinite(baseline_degc)
    warm = known & (rate_degc_s > -LEAST_RATE_DEGC_S) & (degc > limit_degc)
    return np.where(known, np.where(warm, np.inf, left_s), np.nan)


def soonest_s(degc: Floats, rate_degc_s: Floats, *, limit_degc: float) -> Floats:
    """Earliest time to a limit: on at the present rate, which only grows smaller while the jet stays."""
    left_s = np.maximum(degc - limit_degc, 0.0) / np.maximum(-rate_degc_s, 1e-6)
    known = np.isfinite(degc) & np.isfinite(rate_degc_s)
    warm = known & (rate_degc_s > -LEAST_RATE_DEGC_S) & (degc > limit_degc)
    return np.where(known, np.where(warm, np.inf, left_s), np.nan)
