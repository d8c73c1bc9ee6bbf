"""How far views disagree with each other, by leaving out one after the other.

Noise of single corners tells nothing of what a whole picture has wrong: a hand that moved while the shutter
rolled, a board bent otherwise by another grip. Leaving a picture out shows it. The step without it is worked
out from the normal equations at the solution (one Gauss-Newton step), not solved anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.linalg import cho_factor, cho_solve

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


@dataclass(frozen=True, eq=False)
class Told:
    """What views tell at the solution, as normal equations."""

    reduced: Floats
    """Of all views, shape (q, q)."""
    known: Floats
    """What was known before, shape (q, q)."""
    scores: Floats
    """Right side of each view, shape (n, q)."""
    each: Floats
    """Of each view alone, shape (n, q, q)."""


def parameters_spread(told: Told, *, count: int) -> Floats:
    """Covariance of the first unknowns: by independent corners, or as the views disagree, whichever is more.

    Args:
        told: What the views tell.
        count: Of the unknowns wanted.
    """
    whole = told.reduced + told.known
    inverse = cho_solve(cho_factor(whole + 1e-12 * np.diag(np.diag(whole))), np.eye(len(whole)))
    n = len(told.scores)
    rows = inverse[:count] @ (told.scores - told.scores.mean(axis=0)).T
    scattered = rows @ rows.T * (n / max(n - 2, 1))
    by_views = inverse[:count] @ told.reduced @ inverse[:, :count]
    more = float(np.clip(np.trace(np.linalg.solve(by_views, scattered)) / count, 1.0, None))
    ours = inverse[:count, :count] + (more - 1.0) * by_views
    return larger_of(ours, jackknife(whole, told.each, told.scores, count=count))
