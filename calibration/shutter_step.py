"""What a closing shutter moves a thermal camera by: how looks at a reference differ, jumps within them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import stats

from calibration.reference_reading import ReferenceRead
from models.geometry import Floats

STEP_UNSEEN_U95_DEGC = 0.5
"""What a closing shutter moves a camera by where it was not seen to close often enough: 1.96 times 0.26 degC,
which Nugent, Shaw and Pust (2014, Optical Engineering 53, 123106) left of two cameras that they held against
their shutters while those went through 7 degC; one that has settled differs by less."""

PRIOR_CLOSINGS = 2
"""What is taken for granted counts as so many closings that were seen: two cameras were measured."""

LEAST_CLOSINGS = 2
"""Of the shutter, between looks at one reference: from one alone Student tells 13 times what was seen."""

APART_DEGC = 0.05
"""Looks that differ by less tell of no closing: it would weigh a tenth of what is taken for granted, and a
camera that wavers differs so by itself."""


def parted(one: ReferenceRead) -> Floats:
    """What looks between two closings of the shutter read and how far they are off, shape (n, 2).

    Looks without a closing between them share its step: they count as one, however many there are.
    """
    closings = np.array([look.closings for look in one.looks])
    each = np.column_stack([[look.read_degc for look in one.looks], one.off_degc])
    return np.array([each[closings == k].mean(axis=0) for k in np.unique(closings)])


def step_u95(references: Sequence[ReferenceRead]) -> tuple[float, bool]:
    """95 % bound of what a closing shutter moves the camera by, degC, and whether it was seen to."""
    looks, looks_u95 = _differ(one.off_degc for one in references)
    seen, squares = _squares(parted(one)[:, 1] for one in references)
    silent, silent_squares = _silent(references)
    granted = max(
        granted_u95(seen + silent, squares + silent_squares), looks_u95 if looks else STEP_UNSEEN_U95_DEGC
    )
    if seen < LEAST_CLOSINGS or silent:
        return granted, False
    seen_u95 = _student(seen, squares)
    if seen < looks and seen_u95 > granted:  # too few to tell better
        return granted, False
    return seen_u95, True


def granted_u95(closings: int, squares_degc2: float) -> float:
    """95 % bound where too few closings were seen to do without what is taken for granted.

    Args:
        closings: That were seen, with a flag or by a jump.
        squares_degc2: What they moved the camera by: sum of squares, each of the variance of one step.
    """
    granted = PRIOR_CLOSINGS * (STEP_UNSEEN_U95_DEGC / float(stats.t.ppf(0.975, PRIOR_CLOSINGS))) ** 2
    return max(STEP_UNSEEN_U95_DEGC, _student(PRIOR_CLOSINGS + closings, granted + squares_degc2))


def _silent(references: Sequence[ReferenceRead]) -> tuple[int, float]:
    """Closings that nobody flagged, and the sum of squares of what they moved the camera by.

    Jumps within looks; where there are none, looks without a closing between them that differ all the same:
    by one closing at least, and how often it was nobody knows.
    """
    count, squares = 0, 0.0
    for one in references:
        closings = np.array([look.closings for look in one.looks])
        for k in np.unique(closings):
            jumps = np.array(
                [jump for look in one.looks if look.closings == k for jump in look.jumps_degc], float
            )
            off = one.off_degc[closings == k]
            if len(jumps):
                count, squares = count + len(jumps), squares + 0.5 * float(jumps @ jumps)
            elif float(np.ptp(off)) > APART_DEGC:
                count, squares = count + 1, squares + float(np.sum((off - off.mean()) ** 2))
    return count, squares


def _squares(each: Iterable[Floats]) -> tuple[int, float]:
    """How often looks at one reference differ, over all references, and the sum of squares of that."""
    every = list(each)
    return sum(len(one) - 1 for one in every), sum(float(np.sum((one - one.mean()) ** 2)) for one in every)


def _differ(each: Iterable[Floats]) -> tuple[int, float]:
    """How often they differ, and 95 % bound of one of them by that."""
    freedom, squares = _squares(each)
    return freedom, _student(freedom, squares) if freedom else np.inf


def _student(freedom: int, squares: float) -> float:
    return float(stats.t.ppf(0.975, freedom)) * float(np.sqrt(squares / freedom))
