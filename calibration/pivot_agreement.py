"""What neither solution of a pivot tells of itself: errors that poses share.

Two ways in which they do. *Poses that are alike err alike* (`calibration.alike`). *The noise is not what it
is taken for*: then two consistent ways of weighting the same poses disagree by more than single errors
explain (Hausman, Econometrica 46 (1978) 1251). Poses that the robust solution leaves out are left out of
both, so one bad pose is no such disagreement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from calibration.alike import open_freedom, shared_part, ways_alike
from calibration.bounds import radius_95
from calibration.pivot import PivotSolution, plain_pivot
from models.geometry import Floats, frozen

SHARED_P = 0.001
"""Two solutions of the same poses farther apart than so seldom by chance share an error."""

_EXACT_MM = 1e-6
"""Residuals below this are rounding, which tells nothing."""

MOST_ALIKE = 1.6
"""Where poses that err alike widen the bound by more than this, something is wrong with all of them: of 200
simulated pivots with independent errors none to 10 in 100 come so far, of those with tags misplaced by as
much as the noise 80 to 100."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the two solutions say of each other."""

    kept: PivotSolution
    """Plain least squares of the poses that the robust solution used."""
    apart_mm: float
    """Of it and the robust one, less what errors of rotation explain."""
    shared: bool
    """Whether an error that all poses share holds them apart."""
    robust: PivotSolution
    """With the covariance and the bound that cover what poses share."""
    alike: float
    """Factor by which poses that err alike have widened the bound."""


def agreement(
    rotations: Floats, translations_mm: Floats, robust: PivotSolution, *, marker_tool_mm: Floats
) -> Agreement:
    """Hold both solutions of the same poses against each other.

    Args:
        rotations: ``tracker_from_tool``, shape (n, 3, 3), in the order in which they were taken.
        translations_mm: Shape (n, 3).
        robust: Their robust solution.
        marker_tool_mm: As given to it, shape (3,).
    """
    used = robust.used
    if used.sum() < 6 or not np.isfinite(robust.tip_u95_mm) or robust.rms_mm < _EXACT_MM:
        kept = plain_pivot(rotations, translations_mm)
        return Agreement(kept, float("nan"), False, robust, 1.0)
    turns, shifts = rotations[used], translations_mm[used]
    kept = plain_pivot(turns, shifts)
    influence, noise = robust.influence[used], robust.noise_mm2[used]
    rows = np.concatenate([turns, np.broadcast_to(-np.eye(3), turns.shape)], axis=2)
    root = np.linalg.cholesky(noise)
    off = np.asarray(np.linalg.solve(root, robust.residuals_mm[used][..., None])[..., 0], float)
    white = np.asarray(np.linalg.solve(root, rows), float)
    kernels, weight = ways_alike(turns, white, off)
    kernel = np.einsum("k,kij->ij", weight, kernels)
    covariance = robust.covariance_mm2 + shared_part(influence, noise, kernel)
    total = float(np.trace(robust.covariance_mm2))
    totals = np.array([total + float(np.trace(shared_part(influence, noise, one))) for one in kernels])
    freedom = open_freedom(totals, weight, robust.freedom)
    alike = radius_95(covariance, freedom=freedom) / max(robust.tip_u95_mm, 1e-12)
    # Errors of rotation are in the regressors: plain least squares is pulled to the marker by as much.
    lever = robust.tip_mm - marker_tool_mm
    rows = rows.reshape(-1, 6)
    pulled = np.linalg.solve(rows.T @ rows, np.append(-2.0 * robust.turn2 * len(turns) * lever, np.zeros(3)))
    pull = pulled[:3]
    apart = robust.tip_mm - (kept.tip_mm - pull)
    between = influence - kept.influence
    spread = np.einsum("nij,njk,nlk->il", between, noise, between) + shared_part(between, noise, kernel)
    # The pull itself is known only as well as the noise of rotation.
    spread += np.outer(pull, pull) * 2.0 / max(len(turns) - 6.0, 1.0)
    shared = _seldom(apart, spread, freedom=robust.freedom)
    if shared:
        covariance = covariance + np.outer(apart, apart)
    return Agreement(
        kept=kept,
        apart_mm=float(np.linalg.norm(apart)),
        shared=shared,
        robust=replace(
            robust,
            covariance_mm2=frozen(covariance),
            tip_u95_mm=radius_95(covariance, freedom=freedom),
        ),
        alike=alike,
    )


def _seldom(apart: Floats, spread: Floats, *, freedom: float) -> bool:
    """Whether chance holds two solutions so far apart in fewer than `SHARED_P` of the cases."""
    if float(np.linalg.norm(apart)) < 1e-6:
        return False
    values, vectors = np.linalg.eigh(0.5 * (spread + spread.T))
    # Below a millionth of the largest variance nothing but rounding is left.
    values = np.maximum(values, 1e-6 * values[-1] + 1e-12)
    square = float(np.sum((vectors.T @ apart) ** 2 / values))
    return bool(square / 3.0 > stats.f.ppf(1.0 - SHARED_P, 3.0, max(freedom - 2.0, 1.0)))
