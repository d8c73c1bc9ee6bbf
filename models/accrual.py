"""Compiled: what one interval of gas adds to each cell."""

from __future__ import annotations

from models.compiled import compiled
from models.geometry import Floats


@compiled
def deposited(
    dwell: Floats,
    unseen: Floats,
    dwell_s: Floats,
    unseen_s: Floats,
    before: Floats,
    now: Floats,
    upper_before: Floats,
    upper_now: Floats,
    gas_s: float,
) -> bool:
    """Write dwell and unseen part after an interval; whether all weights lie within 0..1. All of shape (n,).

    The trapezoid rule; an upper bound below its weight counts as the weight. See `models.deposit.deposit`.
    """
    n = len(dwell_s)
    low, high = 0.0, 1.0
    fine = True
    for i in range(n):
        first, last, most_first, most_last = before[i], now[i], upper_before[i], upper_now[i]
        fine &= first >= low and first <= high and last >= low and last <= high
        fine &= most_first >= low and most_first <= high and most_last >= low and most_last <= high
        mean = 0.5 * (first + last)
        dwell[i] = dwell_s[i] + gas_s * mean
        unseen[i] = unseen_s[i] + gas_s * (0.5 * (max(first, most_first) + max(last, most_last)) - mean)
    return fine
