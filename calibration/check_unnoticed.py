"""What a check of two cameras would not have found: how far they may be off although nothing was named.

A check finds a move only where it stands out of what calibration leaves open and the views cannot tell. So
that no move is small enough to be missed and large enough to matter, two things are worked out beside the
verdict: how far the cameras may be off by what was seen (for the bounds of the session), and how large a turn
would have been found for sure (for whoever reads the verdict).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from models.geometry import Floats
from models.rig_checked import CAMERAS, Off

SINGLE: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("turned", (0, 1, 2)),
    ("shifted", (3, 4, 5)),
    ("thermal zoom", (6,)),
    ("colour zoom", (7,)),
)
"""What may have moved by itself, and which of `models.rig_checked.CAMERAS` it changes."""

LOOSE = np.array([0.1, 0.1, 0.1, 60.0, 60.0, 60.0, 0.1, 0.1])
"""1 sigma of a move that is not known at all: 6 degrees, 60 mm, a tenth of a focal length."""

FOUND_SHARE = 0.95
"""Of the checks in which a turn as large as told is found."""


@dataclass(frozen=True)
class Unnoticed:
    """The least turn that is found in `FOUND_SHARE` of checks, about the axis where it is found worst."""

    turn_rad: float
    on_skin_mm: float
    """What it displaces on the skin, rms over the picture."""


def may_be_off(estimate: Floats, spread: Floats, known: Floats) -> tuple[Off, ...]:
    """By how much the cameras may be off: any one cause moved, and off by what calibration left open.

    Args:
        estimate: What the views say of `CAMERAS`, shape (8,).
        spread: Its covariance, shape (8, 8).
        known: Covariance of what calibration leaves open, shape (8, 8).

    Returns:
        For each of `SINGLE` all parameters, given what was seen.
    """
    told: list[Off] = []
    for _, at in SINGLE:
        free = known.copy()
        free[list(at), list(at)] += LOOSE[list(at)] ** 2
        gain = free @ np.linalg.inv(free + spread)
        left = free - gain @ free
        told.append(Off(CAMERAS, gain @ estimate, 0.5 * (left + left.T)))
    return tuple(told)


def least_found(whole: Floats, on_skin: Floats, *, unlikely: float, least_mm: float) -> Unnoticed:
    """The least turn that would have been found.

    Args:
        whole: Covariance of the estimate where nothing moved, shape (8, 8).
        on_skin: Displacements in mm by each of `CAMERAS`, rms over places: their mean square is
            ``x' on_skin x``, shape (8, 8).
        unlikely: Chance below which a cause counts as found.
        least_mm: Less than this on the skin is never told.
    """
    at = list(SINGLE[0][1])
    weight = np.linalg.inv(whole)[np.ix_(at, at)]
    # Most mm for a turn that stands out as little: the worst axis.
    root = np.linalg.inv(np.linalg.cholesky(weight))
    shares, ways = np.linalg.eigh(root @ on_skin[np.ix_(at, at)] @ root.T)
    size = _stands_out(unlikely, freedom=len(at))
    turn = size * float(np.linalg.norm(root.T @ ways[:, -1]))
    mm = size * float(np.sqrt(max(shares[-1], 0.0)))
    larger = max(1.0, least_mm / mm) if mm > 0.0 else 1.0
    return Unnoticed(turn * larger, mm * larger)


def _stands_out(unlikely: float, *, freedom: int) -> float:
    """By how many sigmas a move stands out that is found in `FOUND_SHARE` of checks."""
    limit = float(stats.chi2.isf(unlikely, freedom))

    def missed(sigmas: float) -> float:
        return float(stats.ncx2.cdf(limit, freedom, sigmas**2)) - (1.0 - FOUND_SHARE)

    return float(optimize.brentq(missed, 0.1, 40.0))
