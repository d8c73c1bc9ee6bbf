"""How far views disagree with each other, by leaving out one after the other.

Noise of single corners tells nothing of what a whole picture has wrong: a hand that moved while the shutter
rolled, a board bent otherwise by another grip. Leaving a picture out shows it. The step without it is worked
out from the normal equations at the solution (one Gauss-Newton step), not solved anew.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from models.geometry import Floats


def jackknife(whole: Floats, each: Floats, scores: Floats, *, count: int) -> Floats:
    """Covariance of the first ``count`` unknowns by leaving out one view after the other.

    Made so many times larger that 1.96 of its sigmas hold 95 of 100, though few views tell it (Student's t).

    Args:
        whole: Normal equations of all views with what is known beside them, shape (q, q).
        each: Of each view alone, shape (n, q, q).
        scores: Right side of each view at the solution, shape (n, q).
        count: Of the unknowns wanted.
    """
    n = len(each)
    ridge = 1e-12 * np.diag(np.diag(whole))
    steps = np.array(
        [-np.linalg.solve(whole + ridge - one, own)[:count] for one, own in zip(each, scores, strict=True)]
    )
    off = steps - steps.mean(axis=0)
    return (float(stats.t.ppf(0.975, n - 1)) / 1.96) ** 2 * (n - 1) / n * off.T @ off


def larger_of(one: Floats, other: Floats) -> Floats:
    """The least covariance that is no smaller than either in any direction, shape (k, k)."""
    root = np.linalg.cholesky(one)
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ other @ inverse.T)
    lifted = root @ vectors
    return lifted * np.maximum(values, 1.0) @ lifted.T
