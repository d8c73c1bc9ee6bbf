"""When, during a burst, the thermal camera saw something else than the jet."""

from __future__ import annotations

import numpy as np

from calibration.burst import Burst
from models.geometry import Floats

MOST_SHARE = 0.25
"""Of the pictures; where more of them are off it is no passing thing."""


def after_gas(burst: Burst, t_s: float) -> str:
    """A time as whoever recorded knows it: against when gas was told."""
    away_s = t_s - burst.gas_s[0][0]
    return f"{abs(away_s):.1f} s {'after' if away_s >= 0.0 else 'before'} gas was told"


def passed_by(burst: Burst, residual_degc: Floats, *, most_off_degc: float) -> str | None:
    """When something passed before the camera; None where all is well or no few pictures are to blame.

    Args:
        burst: With the times of its pictures.
        residual_degc: Observed less fitted, NaN = not observed, shape (m, n).
        most_off_degc: Root mean square that would do: without those pictures the rest must keep it.
    """
    seen = np.isfinite(residual_degc)
    squares, many = np.where(seen, residual_degc, 0.0) ** 2, seen.sum(axis=1)
    each = squares.sum(axis=1) / np.maximum(many, 1)
    if squares.sum() <= most_off_degc**2 * int(many.sum()):
        return None
    order = np.argsort(each)[::-1]
    for count in range(1, int(MOST_SHARE * len(each)) + 1):
        rest = order[count:]
        if squares[rest].sum() <= most_off_degc**2 * max(int(many[rest].sum()), 1):
            blamed = np.sort(order[:count])
            return _words(burst, blamed, float(np.sqrt(each[order[0]])))
    return None


def _words(burst: Burst, blamed: np.ndarray[tuple[int], np.dtype[np.intp]], off_degc: float) -> str:
    first, last = (
        after_gas(burst, float(burst.t_s[blamed[0]])),
        after_gas(burst, float(burst.t_s[blamed[-1]])),
    )
    which = (
        f"the thermal picture {first} shows"
        if len(blamed) == 1
        else f"{len(blamed)} thermal pictures, the first {first}, the last {last}, show"
    )
    return (
        f"{burst.name}: {which} something else than the jet on this surface (off by {off_degc:.1f} degC):"
        " a hand, the hose or fog passed before the camera, or the gas spat; keep its view free, then record"
        " this burst again."
    )
