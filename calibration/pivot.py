"""Where the tip of a tool is, from poses of the tool turned about its resting tip: plain and robust.

With the tip at ``p`` in the tool's frame and resting at ``c``, every pose says ``R_i p + t_i = c``.

The plain solution is linear least squares. What it leaves out: poses are wrong in rotation, not only in
translation. A rotation error w moves the tip by ``w x (R p)``, so residuals across the lever (from the middle
of the marker to the tip) are larger than along it; and as the rotations are the regressors, their errors pull
the tip towards the marker, by the share that they are of the turn (errors in variables). A small residual
shows nothing of it. The robust solution weights along and across the lever by what the residuals show, takes
the pull out again and leaves out poses that do not belong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from calibration.bounds import radius_95
from models.geometry import Bools, Floats, frozen, tukey, unit

_STARTS, _START_POSES = 200, 6
"""Small samples from which a start is sought that outliers have no part in: with 30 % outliers 200 samples of
6 miss a clean one with a probability of 1e-11."""

_ROUNDS = 60

_LEAST_SHARE = 0.03
"""Least part of the noise that is translation alike in all directions. With less of it the direction along
the lever would weigh so much that what is left out (rotations are not small, the noise is not quite of this
form) would govern."""

_CAUTION = 1.05
"""Covariances are made so many times larger, for the parts of the noise are themselves estimated from the
same residuals. Without it 92 instead of 95 of 100 simulated bounds hold the tip."""

_SCALE = 1.54
"""Median length of three independent standard normal numbers."""

_CUT = 5.49
"""Residuals (three components, in standard deviations) from here on have no say: 95 % efficiency for normal
noise, where Tukey's weights make second moments and the derivative of the scores smaller by `_SHRINK`."""

_SHRINK, _MEAN_WEIGHT, _MEAN_SQUARE, _TUKEY = 0.865, 0.817, 0.526, 4.685


@dataclass(frozen=True, eq=False)
class PivotSolution:
    """The tip by one way of solving."""

    tip_mm: Floats
    """In the tool's frame, shape (3,)."""
    rest_mm: Floats
    """Where the tip rested, in the frame in which the tool was tracked, shape (3,)."""
    covariance_mm2: Floats
    """Of the tip, shape (3, 3)."""
    tip_u95_mm: float
    """Radius of the ball that holds the true tip in 95 of 100 cases."""
    residuals_mm: Floats
    """Tip by each pose minus ``rest_mm``, shape (n, 3)."""
    used: Bools
    """Poses that have a say, shape (n,)."""
    influence: Floats
    """How the tip moves with each residual, shape (n, 3, 3)."""
    noise_mm2: Floats
    """Covariance of each residual, shape (n, 3, 3)."""
    turn2: float = 0.0
    """Variance of the poses' rotation about each axis that was found in the residuals, rad2."""

    @property
    def freedom(self) -> float:
        """Degrees of freedom with which the size of the noise was estimated."""
        return 3.0 * float(self.used.sum()) - 6.0

    @property
    def rms_mm(self) -> float:
        """Root mean square of the residuals' components, of the poses used."""
        return float(np.sqrt(np.mean(self.residuals_mm[self.used] ** 2)))


def plain_pivot(rotations: Floats, translations_mm: Floats) -> PivotSolution:
    """Linear least squares, all poses alike.

    Args:
        rotations: ``tracker_from_tool``, shape (n, 3, 3), n >= 4.
        translations_mm: Shape (n, 3).
    """
    n = len(rotations)
    rows = _rows(rotations)
    flat = rows.reshape(-1, 6)
    normal = flat.T @ flat
    solved = np.linalg.pinv(normal, hermitian=True) @ (-flat.T @ translations_mm.ravel())
    residuals = rotations @ solved[:3] + translations_mm - solved[3:]
    freedom = 3.0 * n - 6.0
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.linalg.inv(normal) if np.linalg.cond(normal) < 1e12 else np.full((6, 6), np.inf)
        covariance = inverse[:3, :3] * np.sum(residuals**2) / freedom
        influence = -(inverse @ np.swapaxes(rows, 1, 2))[:, :3]
    return PivotSolution(
        tip_mm=frozen(solved[:3]),
        rest_mm=frozen(solved[3:]),
        covariance_mm2=frozen(covariance),
        tip_u95_mm=radius_95(covariance, freedom=freedom),
        residuals_mm=frozen(residuals),
        used=frozen(np.ones(n, np.bool_)),
        influence=frozen(influence),
        noise_mm2=frozen(np.broadcast_to(np.eye(3) * np.sum(residuals**2) / freedom, (n, 3, 3))),
    )


def robust_pivot(
    rotations: Floats, translations_mm: Floats, *, marker_tool_mm: Floats, seed: int = 0
) -> PivotSolution:
    """Errors of rotation taken into account, poses that do not belong left out.

    Args:
        rotations: ``tracker_from_tool``, shape (n, 3, 3), n >= 6.
        translations_mm: Shape (n, 3).
        marker_tool_mm: Point of the tool about which errors of rotation turn it: the middle of its tags,
            shape (3,).
        seed: Of the samples for the start.
    """
    rows = _rows(rotations)
    solved = _start(rotations, translations_mm, seed)
    weights, noise = np.ones(len(rotations)), None
    residuals, equations = np.zeros_like(translations_mm), None
    covariance_mm2 = np.broadcast_to(np.eye(3), (len(rotations), 3, 3))
    for _ in range(_ROUNDS):
        residuals = rotations @ solved[:3] + translations_mm - solved[3:]
        lever = solved[:3] - marker_tool_mm
        arms = rotations @ lever
        views = unit(rotations @ marker_tool_mm + translations_mm)
        if noise is None:
            size = np.median(np.linalg.norm(residuals, axis=1)) / _SCALE
            noise = _Noise(np.array([size**2 + 1e-12, 0.0, 0.0]), 0.0)
        whitened = np.einsum("nij,nj->ni", noise.inverse(arms, views), residuals)
        distance = np.sqrt(np.maximum(np.sum(whitened * residuals, axis=1), 0.0))
        weights = tukey(distance * (_TUKEY / _CUT))
        noise = _noise(residuals, arms, views, weights)
        covariance_mm2 = noise.covariance(arms, views)
        inverse = np.asarray(np.linalg.inv(covariance_mm2), float)
        equations = _equations(rows, residuals, rotations, lever, weights, inverse, noise)
        if not equations.sound:
            break  # the turn does not rise above the errors of rotation: nothing is known
        step = -np.linalg.solve(equations.bread, equations.scores.sum(axis=0))
        solved = solved + step
        if np.abs(step).max() < 1e-7:
            break
    turn2 = float(noise.parts[2]) if noise is not None else 0.0
    return _solution(solved, residuals, weights, equations, covariance_mm2, turn2)


@dataclass(frozen=True, eq=False)
class _Noise:
    """Variances of the poses: of translation, more of it along the line of sight, and of rotation."""

    parts: Floats
    """mm2, mm2, rad2, shape (3,)."""
    turn2_sigma: float
    """1 sigma of the last, rad2."""

    def covariance(self, arms: Floats, views: Floats) -> Floats:
        """Of each residual, shape (n, 3, 3)."""
        return np.einsum("k,knij->nij", self.parts, _shapes(arms, views))

    def inverse(self, arms: Floats, views: Floats) -> Floats:
        """Inverse covariance of each residual, shape (n, 3, 3)."""
        return np.asarray(np.linalg.inv(self.covariance(arms, views)), float)


def _shapes(arms: Floats, views: Floats) -> Floats:
    """Covariance of residuals per unit of each part of the noise, shape (3, n, 3, 3)."""
    n = len(arms)
    square = np.sum(arms**2, axis=1)[:, None, None]
    turned = square * np.eye(3) - arms[:, :, None] * arms[:, None, :]
    return np.stack([np.broadcast_to(np.eye(3), (n, 3, 3)), views[:, :, None] * views[:, None, :], turned])


def _noise(residuals: Floats, arms: Floats, views: Floats, weights: Floats) -> _Noise:
    """Parts of the noise that explain the second moments of the residuals, none of them negative."""
    shapes = _shapes(arms, views).reshape(3, -1)
    scale = np.sqrt(np.mean(shapes**2, axis=1))
    design = (shapes / scale[:, None]).T
    seen = (residuals[:, :, None] * residuals[:, None, :]).reshape(-1) / _SHRINK
    every = np.repeat(weights, 9)
    root = np.sqrt(every)
    parts, _ = nnls(design * root[:, None], seen * root)
    off = ((seen - design @ parts) * every)[:, None] * design
    per_pose = off.reshape(len(arms), 9, 3).sum(axis=1)
    bread = np.linalg.pinv(design.T @ (design * every[:, None]), hermitian=True)
    spread = bread @ (per_pose.T @ per_pose) @ bread
    parts = parts / scale
    all_ = float(np.einsum("k,knii->", parts, _shapes(arms, views))) / (3.0 * len(arms))
    parts[0] = max(parts[0], _LEAST_SHARE * all_ + 1e-18)
    return _Noise(parts, float(np.sqrt(spread[2, 2])) / scale[2])


@dataclass(frozen=True, eq=False)
class _Equations:
    """Normal equations for tip and rest."""

    normal: Floats
    bread: Floats
    """With what errors of rotation add to it taken out, shape (6, 6)."""
    scores: Floats
    """One a pose, shape (n, 6)."""
    weighted: Floats
    """Derivative of the scores by the residuals, transposed, shape (n, 3, 6)."""
    pull_per_turn2: Floats
    """By how much the scores' sum would change with the variance of rotation, shape (6,)."""

    @property
    def sound(self) -> bool:
        """Whether anything is left."""
        return bool(np.linalg.eigvalsh(self.bread)[0] > 1e-9 * np.linalg.eigvalsh(self.normal)[-1])


def _equations(
    rows: Floats,
    residuals: Floats,
    rotations: Floats,
    lever: Floats,
    weights: Floats,
    inverse: Floats,
    noise: _Noise,
) -> _Equations:
    weighted = weights[:, None, None] * np.einsum("nij,njk->nik", inverse, rows)
    normal = np.einsum("nji,njk->ik", rows, weighted)
    scores = np.einsum("nji,nj->ni", weighted, residuals)
    whitened = np.einsum("nji,nj->ni", rotations, np.einsum("nij,nj->ni", inverse, residuals))
    square = np.sum(whitened**2, axis=1)[:, None, None]
    pulls = weights[:, None, None] * (square * np.eye(3) - whitened[:, :, None] * whitened[:, None, :])
    bread = normal.copy()
    bread[:3, :3] -= noise.parts[2] * pulls.sum(axis=0)
    scores[:, :3] -= noise.parts[2] * (pulls @ lever)
    return _Equations(
        normal, bread, scores, weighted, np.append(pulls.sum(axis=0) @ lever, np.zeros(3)) * noise.turn2_sigma
    )


def _rows(rotations: Floats) -> Floats:
    """Derivative of the residuals by tip and rest, shape (n, 3, 6)."""
    return np.concatenate([rotations, np.broadcast_to(-np.eye(3), rotations.shape)], axis=2)


def _start(rotations: Floats, translations_mm: Floats, seed: int) -> Floats:
    """Tip and rest with the least median residual, from small samples and from all."""
    rng = np.random.default_rng(seed)
    n = len(rotations)
    rows = _rows(rotations)
    shares = rng.random((_STARTS, n)).argsort(axis=1)[:, : min(_START_POSES, n)]
    flat = rows[shares].reshape(_STARTS, -1, 6)
    sides = -translations_mm[shares].reshape(_STARTS, -1, 1)
    samples = np.matmul(np.linalg.pinv(flat, rcond=1e-9), sides)[:, :, 0]
    whole, *_ = np.linalg.lstsq(rows.reshape(-1, 6), -translations_mm.ravel(), rcond=1e-9)
    starts = np.vstack([whole, samples])
    off = np.einsum("nij,kj->kni", rows, starts) + translations_mm
    return starts[np.argmin(np.median(np.sum(off**2, axis=2), axis=1))]


def _solution(
    solved: Floats,
    residuals: Floats,
    weights: Floats,
    equations: _Equations | None,
    noise_mm2: Floats,
    turn2: float,
) -> PivotSolution:
    count = float(weights.sum()) / _MEAN_WEIGHT
    freedom = 3.0 * count - 9.0
    covariance, influence = np.full((3, 3), np.inf), np.zeros_like(noise_mm2)
    if freedom >= 1.0 and equations is not None and equations.sound:
        inverse = np.linalg.inv(equations.bread * _SHRINK)
        scattered = equations.scores.T @ equations.scores
        expected = equations.normal * _MEAN_SQUARE / _MEAN_WEIGHT
        meat = 0.5 * (scattered + expected) * (_CAUTION * 3.0 * count / freedom)
        meat += np.outer(equations.pull_per_turn2, equations.pull_per_turn2)
        covariance = (inverse @ meat @ inverse)[:3, :3]
        influence = -(inverse @ np.swapaxes(equations.weighted, 1, 2))[:, :3]
    return PivotSolution(
        tip_mm=frozen(solved[:3]),
        rest_mm=frozen(solved[3:]),
        covariance_mm2=frozen(covariance),
        tip_u95_mm=radius_95(covariance, freedom=freedom),
        residuals_mm=frozen(residuals),
        used=frozen(weights > 0.0),
        influence=frozen(influence),
        noise_mm2=frozen(noise_mm2),
        turn2=turn2,
    )
