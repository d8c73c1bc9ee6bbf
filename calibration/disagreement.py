"""How much more views disagree with each other than they should, by leaving out one after the other.

Noise of single corners tells nothing of what a whole picture has wrong beside what was thought of. Leaving a
picture out shows it: by how much the solution moves is foretold, and a jackknife tells by how much it does.
One factor is sought, averaged over what it may be; few pictures leave it open. It never makes the
covariance smaller: what is wrong in all pictures alike shows in none of these steps. The step without one
is worked out from the normal equations at the solution (one Gauss-Newton step), not solved anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.linalg import cho_factor, cho_solve

from models.geometry import Floats

_MORE_SIGMA = 0.8
"""1 sigma of the logarithm of that factor before pictures are seen (own choice, on drawn pictures): with 0.6
the focal length's bound held 91 of 100 in one kind of pictures wrong in a way that nobody sought, with 1.0
quiet ones came out no narrower than by taking the larger of two covariances."""

_MOST_MORE = 30.0
_LEAST_FREE = 3.0
"""Degrees of freedom below which a width's own variance is infinite."""


@dataclass(frozen=True, eq=False)
class Width:
    """Of what each view has of its own: the views tell it, so it is known no better than they do."""

    by_all: Floats
    """Steps of what is the views' own by all unknowns, in widths, shape (r, q)."""
    free: float
    """Degrees of freedom by which the width is known."""


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
    widths: tuple[Width, ...] = ()


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What leaving out one view after the other does to the unknowns that are wanted."""

    steps: Floats
    """Shape (n, k)."""
    foretold: Floats
    """Covariances of the steps, were corners alone and what was sought at fault, shape (n, k, k)."""

    @property
    def more(self) -> tuple[float, float]:
        """By how much steps vary more than foretold, all unknowns alike, and its degrees of freedom."""
        n, count = self.steps.shape
        off = self.steps - self.steps.mean(axis=0)
        foretold = self.foretold.sum(axis=0) * (n - 1) / n
        size = np.sqrt(np.diag(foretold))
        inverse = np.linalg.pinv(foretold / np.outer(size, size), hermitian=True) / np.outer(size, size)
        shares = np.einsum("ij,nji->n", inverse, self.foretold)
        alike = min(float(shares.sum() ** 2 / np.sum(shares**2)), float(n))
        return float(np.einsum("ni,ij,nj->", off, inverse, off)) / count, max(alike - 1.0, 1.0)


def left_out(told: Told, *, count: int) -> LeftOut:
    """Leave out one view after the other.

    Args:
        told: What the views tell.
        count: Of the first unknowns, which are wanted.
    """
    whole = told.reduced + told.known
    whole = whole + np.diag(1e-12 * np.diag(whole))
    first = np.eye(len(whole))[:, :count]
    ours = np.asarray(cho_solve(cho_factor(whole), first), float)[:count]
    steps, foretold = [], []
    for one, own in zip(told.each, told.scores, strict=True):
        without = np.linalg.solve(whole - one, first)
        steps.append(-own @ without)
        foretold.append(without[:count] - ours)
    return LeftOut(np.array(steps), np.array(foretold))


def likely_more(seen: float, freedom: float) -> float:
    """The factor of the variance, at least 1, averaged over what it may be.

    Args:
        seen: By how much steps vary more than foretold.
        freedom: Degrees of freedom of that.
    """
    log = np.linspace(0.0, np.log(_MOST_MORE), 200)
    more = np.exp(log)
    likely = -0.5 * freedom * (log + seen / more) - 0.5 * (log / _MORE_SIGMA) ** 2
    weights = np.exp(likely - likely.max())
    return float(weights @ more / weights.sum())


def parameters_spread(told: Told, *, count: int) -> Floats:
    """Covariance of the first unknowns, of which 1.96 sigmas hold 95 of 100 though few views tell it.

    Args:
        told: What the views tell.
        count: Of the unknowns wanted.
    """
    whole = told.reduced + told.known
    factor = cho_factor(whole + np.diag(1e-12 * np.diag(whole)))
    rows = np.asarray(cho_solve(factor, np.eye(len(whole))[:, :count]), float).T
    more = likely_more(*left_out(told, count=count).more)
    spread = rows[:, :count] + (more - 1.0) * (rows @ told.reduced @ rows.T)
    for width in told.widths:
        by_width = width.by_all @ rows.T
        student = float(stats.t.ppf(0.975, max(width.free, _LEAST_FREE))) / 1.96
        spread = spread + (student**2 - 1.0) * (by_width.T @ by_width)
    return np.asarray(0.5 * (spread + spread.T), np.float64)
