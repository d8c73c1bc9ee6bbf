"""Drift within one look at a reference, told from a shutter that closed without a word.

A drift is a slope, a closing of the shutter a jump from one picture to the next. A jump of 0.05 degC in the
middle of 10 s otherwise passes for 0.45 degC a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.geometry import Floats

BESIDE_S, LEAST_BESIDE = 0.7, 3
"""What is read so long on either side of a jump is averaged, three pictures at least: a camera that wavers
over seconds hardly moves meanwhile."""

STANDS_OUT = 6.0
"""Robust standard deviations of such differences, in the same look, beyond which one is a jump. Of 4500 looks
of 10 to 30 s, of noise that forgets itself at once or in 0.5 to 10 s, two showed one where there was none; of
jumps that are 15 times a reading's noise all were found (`tests/calibration/test_look_slope.py`)."""

LEAST_JUMP_DEGC = 0.015
"""Pictures come in hundredths of a degree: one that drifts goes from each to the next by 0.01 at once."""

ROBUST = 1.4826
"""Standard deviations in a median of distances from the median, of normal noise."""

LEAST_PICTURES = 24
"""Fewer tell no scatter of such differences, where three lie beside a jump; as much longer where more do."""

MOST_JUMPS = 4


@dataclass(frozen=True)
class LookSlope:
    """A line through the readings of one look, broken where the camera jumped."""

    degc_per_min: float
    square_min2: float
    """Its weight: squares of the times' distances from their mean, as far as no jump explains them."""
    jumps_degc: tuple[float, ...] = ()
    """By how much, in order of time."""
    jumps_at: tuple[int, ...] = ()
    """Number of the first picture after each."""


def look_slope(t_s: Floats, degc: Floats) -> LookSlope:
    """Fit the line.

    Args:
        t_s: Rising, shape (n,), not all the same.
        degc: Readings, shape (n,).
    """
    at: list[int] = []
    while len(at) < MOST_JUMPS:
        more = _jump(t_s, degc, at)
        if more is None:
            break
        at = sorted([*at, more])
    line = _fitted(t_s, degc, at)
    minutes = t_s / 60.0
    rest = minutes - minutes.mean()
    if at:
        steps = _steps(len(t_s), at)[:, 1:]
        steps = steps - steps.mean(axis=0)
        rest = rest - steps @ np.linalg.lstsq(steps, rest, rcond=None)[0]
    return LookSlope(float(line[0]), float(rest @ rest), tuple(float(v) for v in line[2:]), tuple(at))


def without_jumps(degc: Floats, found: LookSlope) -> Floats:
    """The readings as if the shutter had not closed, shape (n,)."""
    if not found.jumps_at:
        return degc
    return degc - _steps(len(degc), found.jumps_at)[:, 1:] @ np.array(found.jumps_degc)


def pooled(slopes: Sequence[LookSlope]) -> tuple[float, float]:
    """Mean slope by weight, degC a minute, and by how they differ the standard deviation of one of weight 1.

    The second is infinite for fewer than two.
    """
    each = np.array([one.degc_per_min for one in slopes])
    weight = np.array([one.square_min2 for one in slopes])
    mean = float(weight @ each / weight.sum())
    if len(each) < 2:
        return mean, float("inf")
    return mean, float(np.sqrt(weight @ (each - mean) ** 2 / (len(each) - 1)))


def _steps(count: int, at: Sequence[int]) -> Floats:
    """Level of each stretch, shape (n, 1 + jumps)."""
    picture = np.arange(count)
    return np.column_stack([np.ones(count), *(picture >= first for first in at)]).astype(float)


def _fitted(t_s: Floats, degc: Floats, at: Sequence[int]) -> Floats:
    """Slope, degC a minute, level, and jumps."""
    design = np.column_stack([(t_s - t_s.mean()) / 60.0, _steps(len(t_s), at)])
    return np.asarray(np.linalg.lstsq(design, degc, rcond=None)[0], float)


def _left(t_s: Floats, degc: Floats, at: Sequence[int]) -> Floats:
    design = np.column_stack([(t_s - t_s.mean()) / 60.0, _steps(len(t_s), at)])
    return degc - design @ np.linalg.lstsq(design, degc, rcond=None)[0]


def _jump(t_s: Floats, degc: Floats, known: Sequence[int]) -> int | None:
    """The picture after the largest jump that is not known yet; None = none stands out."""
    # The slope is left in: it moves all differences alike, and a line laid through a jump would not.
    degc = degc if not known else _left(t_s, degc, known)
    beside = max(LEAST_BESIDE, round(BESIDE_S / max(float(np.median(np.diff(t_s))), 1e-3)))
    if len(t_s) < LEAST_PICTURES * beside // LEAST_BESIDE:
        return None
    total = np.concatenate([[0.0], np.cumsum(degc)])
    middle = np.arange(beside, len(degc) - beside + 1)
    change = (total[middle + beside] - 2.0 * total[middle] + total[middle - beside]) / beside
    apart = np.abs(change - np.median(change))
    spread = ROBUST * float(np.median(apart))
    which = int(np.argmax(apart))
    if not apart[which] > max(STANDS_OUT * spread, LEAST_JUMP_DEGC):
        return None
    near = range(int(middle[which]) - beside + 1, int(middle[which]) + beside)
    near = [k for k in near if 0 < k < len(degc) and k not in known]
    if not near:
        return None
    return min(near, key=lambda k: float(np.sum(_left(t_s, degc, sorted([*known, k])) ** 2)))
