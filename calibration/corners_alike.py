"""What corners of one target are found beside their places in all thermal pictures alike.

The pattern in a tag, a sheet's fold, heat that creeps: they put a corner beside its place by about as much in
every pose, so pairs do not average it out, and pairs that agree do not tell of it. How wide such errors are
is told by residuals of the same corner in several pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.pair_equations import PairEquations, PairSystem, SharedSystem, Unknowns
from models.geometry import Floats, frozen


@dataclass(frozen=True, eq=False)
class AlikeSystem:
    """Normal equations of the corners' errors, all else eliminated, for one width of the pairs' shifts."""

    values: Floats
    """Eigenvalues of the normal matrix, shape (2m,)."""
    turned: Floats
    """Right side were the errors none, along the eigenvectors, shape (2m,)."""
    vectors: Floats
    by_shared: Floats
    """How the shared unknowns move with the errors, shape (q, 2m)."""
    base: float
    """Log of how probable what was seen is without such errors, against where they stand now."""

    def log(self, width_px: float) -> float:
        """The same for errors of a 1 sigma."""
        firm = self.values + width_px**-2.0
        told = 0.5 * float(np.sum(self.turned**2 / firm))
        return self.base + told - 0.5 * float(np.sum(np.log1p(width_px**2 * self.values)))

    def errors_px(self, width_px: float) -> Floats:
        """The most probable ones, shape (2m,)."""
        return self.vectors @ (self.turned / (self.values + width_px**-2.0))

    def taken(self, width_px: float) -> float:
        """Degrees of freedom that they take."""
        return float(np.sum(self.values / (self.values + width_px**-2.0)))

    def opened(self, width_px: float) -> Floats:
        """What they add to the covariance of the shared unknowns, shape (q, q)."""
        moved = self.by_shared @ self.vectors
        return (moved / (self.values + width_px**-2.0)) @ moved.T


def alike_system(
    equations: PairEquations,
    system: PairSystem,
    at: Unknowns,
    one: SharedSystem,
    *,
    whole: Floats,
    pull: Floats,
    shift_px: float,
) -> AlikeSystem:
    """Eliminate all but the corners' errors.

    Args:
        equations: Of the pairs.
        system: Theirs, at the solution.
        at: Where that is.
        one: The same with the shifts eliminated.
        whole: Normal equations of the shared unknowns, what was known before included, shape (q, q).
        pull: Their right side, shape (q,).
        shift_px: 1 sigma of the shifts.
    """
    q, m = len(at.shared), len(equations.corners_mm)
    normal, by_shared, pulled = np.zeros((m, 2, m, 2)), np.zeros((m, 2, q)), np.zeros((m, 2))
    firm_shift = np.linalg.inv(system.normal[:, -2:, -2:] + shift_px**-2.0 * np.eye(2))
    for k, pair in enumerate(equations.pairs):
        ids = pair.thermal.ids
        axes = np.swapaxes(equations.along[k], 1, 2)
        firm = np.repeat(system.thermal_firm[k], 2)
        own = axes @ system.thermal_rows[k]
        flat = own.reshape(len(firm), -1) * firm[:, None]
        pose, rest = flat[:, :6], flat[:, 6:] - flat[:, :6] @ system.pose_by_all[k]
        off = firm * np.einsum("kij,kj->ki", axes, system.thermal_off_px[k]).ravel()
        off -= pose @ system.pose_steps[k] + rest[:, -2:] @ one.shift_steps[k]
        square = np.diag(firm) - pose @ np.linalg.solve(system.by_pose[k], pose.T)
        square -= rest[:, -2:] @ firm_shift[k] @ rest[:, -2:].T
        at_ids = np.ix_(ids, np.arange(2), ids, np.arange(2))
        normal[at_ids] += square.reshape(len(ids), 2, len(ids), 2)
        by_shared[ids] += (rest[:, :-2] - rest[:, -2:] @ one.shift_by_shared[k]).reshape(len(ids), 2, q)
        pulled[ids] += off.reshape(len(ids), 2)
    cross = by_shared.reshape(2 * m, q)
    solved = np.asarray(np.linalg.solve(whole, np.column_stack([cross.T, pull])), float)
    left = normal.reshape(2 * m, 2 * m) - cross @ solved[:, :-1]
    right, now = pulled.ravel() - cross @ solved[:, -1], at.alike_px.ravel()
    values, vectors = np.linalg.eigh(0.5 * (left + left.T))
    values = np.maximum(values, 0.0)
    turned_now = vectors.T @ now
    turned = vectors.T @ right + values * turned_now
    base = -float(right @ now) - 0.5 * float(values @ turned_now**2)
    return AlikeSystem(frozen(values), frozen(turned), frozen(vectors), frozen(solved[:, :-1]), base)
