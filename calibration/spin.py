"""The jet's axis from poses of the nozzle spun about itself: plain and robust.

With the axis ``a`` (unit) in the tool's frame and ``d`` where it is held, every pose says ``R_i a = d``; and
with ``q`` a point of the axis, ``R_i q + t_i`` lies on one line along ``d`` (the nozzle may slide along it).
What turns with the nozzle is the cylinder that rests in the block: that the bore lies along it is taken for
granted, and `calibration.axis` holds the axis against the tip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.alike import open_freedom, shared_part, ways_alike
from calibration.bounds import radius_95
from models.geometry import Bools, Floats, frozen, tukey, unit

_ROUNDS = 40
_CUT = 4.685
"""Tukey's: 95 % efficiency for normal noise."""

_MEAN_SQUARE_OF_TWO = 1.386
"""Median of the squared length of two independent standard normal numbers."""

_CAUTION = 1.1
"""Bounds are made so many times larger, for their noise is found from the same poses: with it 91 to 99 of 100
simulated axes and lines lie within (150 spins each, 25 to 60 poses, arcs of 120 to 360 degrees)."""


@dataclass(frozen=True, eq=False)
class SpinSolution:
    """The axis by one way of solving."""

    axis: Floats
    """Unit vector in the tool's frame, shape (3,)."""
    held: Floats
    """Its direction where the nozzle was held, shape (3,)."""
    near_mm: Floats
    """Point of the axis nearest to the tool's origin, shape (3,)."""
    covariance_rad2: Floats
    """Of the axis, along the two directions of `across`, shape (2, 2)."""
    across: Floats
    """Two unit vectors across the axis, tool's frame, shape (2, 3)."""
    near_covariance_mm2: Floats
    """Of ``near_mm`` along the same, shape (2, 2)."""
    axis_u95_rad: float
    near_u95_mm: float
    tilt_rad: Floats
    """How far the axis leaned off ``held`` at each pose, shape (n, 2)."""
    off_mm: Floats
    """How far it passed beside its line, shape (n, 2)."""
    used: Bools
    alike: float
    """Factor by which poses that err alike have widened the bound of the axis."""


def spin_axis(rotations: Floats, translations_mm: Floats, *, robust: bool) -> SpinSolution:
    """Solve for the axis.

    Args:
        rotations: ``tracker_from_tool`` in the order in which they were taken, shape (n, 3, 3), n >= 6.
        translations_mm: Shape (n, 3).
        robust: Leave out poses that do not belong; else all have the same say.

    Returns:
        The axis with either sign.
    """
    weights = np.ones(len(rotations))
    axis, held = _direction(rotations, weights)
    for _ in range(_ROUNDS if robust else 0):
        before = weights
        tilt, _, near, _ = _lines(rotations, translations_mm, axis, held, weights)
        off = near[1]
        size = [_size(one) for one in (tilt, off)]
        far = [np.linalg.norm(one, axis=1) / max(s, 1e-12) for one, s in zip((tilt, off), size, strict=True)]
        weights = np.minimum(tukey(far[0] * _CUT / 3.5), tukey(far[1] * _CUT / 3.5))
        if weights.sum() < 6:
            weights = before
            break
        axis, held = _direction(rotations, weights)
        if np.abs(weights - before).max() < 1e-6:
            break
    tilt, leans, near, rows = _lines(rotations, translations_mm, axis, held, weights)
    across = _across(axis)
    covariance, u95, alike = _known(rotations, leans, tilt, weights)
    place, place_u95, _ = _known(rotations, rows, near[1], weights)
    return SpinSolution(
        axis=frozen(axis),
        held=frozen(held),
        near_mm=frozen(across.T @ near[0]),
        covariance_rad2=frozen(covariance),
        across=frozen(across),
        near_covariance_mm2=frozen(place),
        axis_u95_rad=u95,
        near_u95_mm=place_u95,
        tilt_rad=frozen(tilt),
        off_mm=frozen(near[1]),
        used=frozen(weights > 0.0),
        alike=alike,
    )


def spun_deg(rotations: Floats, axis: Floats) -> float:
    """Arc of the full turn that the poses cover: all of it less the widest gap."""
    one = _across(axis)[0]
    held = unit(np.asarray((rotations @ axis).mean(axis=0), float))
    first, second = _across(held)
    shown = rotations @ one
    angle = np.sort(np.degrees(np.arctan2(shown @ second, shown @ first)) % 360.0)
    gaps = np.diff(np.append(angle, angle[0] + 360.0))
    return float(360.0 - gaps.max())


def _direction(rotations: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Direction of the tool that is turned least, and where it points."""
    share = weights / weights.sum()
    mean = np.einsum("n,nij->ij", share, rotations)
    spread = rotations - mean
    _, vectors = np.linalg.eigh(np.einsum("n,nji,njk->ik", share, spread, spread))
    axis = np.asarray(vectors[:, 0], float)
    return axis, unit(np.asarray(mean @ axis, float))


def _lines(
    rotations: Floats, translations_mm: Floats, axis: Floats, held: Floats, weights: Floats
) -> tuple[Floats, Floats, tuple[Floats, Floats], Floats]:
    """Tilts (n, 2), their derivatives (n, 2, 4), (place of the axis, its residuals), their derivatives."""
    across, beside = _across(axis), _across(held)
    n = len(rotations)
    tilt = (rotations @ axis) @ beside.T
    turned = np.einsum("ki,nij,lj->nkl", beside, rotations, across)
    rows = np.concatenate([turned, np.broadcast_to(-np.eye(2), (n, 2, 2))], axis=2)
    shifts = translations_mm @ beside.T
    root = np.repeat(np.sqrt(weights), 2)[:, None]
    solved, *_ = np.linalg.lstsq(rows.reshape(-1, 4) * root, -shifts.reshape(-1) * root[:, 0], rcond=1e-12)
    off = (rows @ solved) + shifts
    return tilt, rows, (np.asarray(solved[:2], float), off), rows


def _known(
    rotations: Floats, rows: Floats, residuals: Floats, weights: Floats
) -> tuple[Floats, float, float]:
    """Covariance of the first two unknowns, their 95 % radius, and by how much poses alike widen it."""
    used = weights > 0.0
    rows, residuals, weights = rows[used], residuals[used], weights[used]
    count, freedom = float(weights.sum()), 2.0 * float(weights.sum()) - 4.0
    normal = np.einsum("n,nji,njk->ik", weights, rows, rows)
    if freedom < 1.0 or np.linalg.cond(normal) > 1e10:
        return np.full((2, 2), np.inf), float("inf"), 1.0
    variance = float(np.sum(weights[:, None] * residuals**2)) / freedom
    inverse = np.linalg.inv(normal)
    scores = np.einsum("n,nji,nj->ni", weights, rows, residuals)
    meat = 0.5 * (scores.T @ scores * 2.0 * count / freedom + normal * variance)
    alone = _CAUTION**2 * (inverse @ meat @ inverse)[:2, :2]
    radius = radius_95(alone, freedom=freedom)
    sigma = np.sqrt(max(variance, 1e-300))
    if not variance > 1e-18:
        return alone, radius, 1.0
    kernels, weight = ways_alike(rotations[used], rows / sigma, residuals / sigma)
    influence = -np.einsum("ij,n,nkj->nik", inverse, weights, rows)[:, :2]
    noise = np.broadcast_to(variance * np.eye(2), (len(rows), 2, 2))
    parts = [shared_part(influence, noise, one) for one in kernels]
    covariance = alone + np.einsum("k,kij->ij", weight, np.array(parts))
    totals = np.array([float(np.trace(alone + part)) for part in parts])
    wide = radius_95(covariance, freedom=open_freedom(totals, weight, freedom))
    return covariance, wide, wide / max(radius, 1e-12)


def _size(residuals: Floats) -> float:
    """1 sigma of each of two components, from the median length."""
    return float(np.sqrt(np.median(np.sum(residuals**2, axis=1)) / _MEAN_SQUARE_OF_TWO))


def _across(direction: Floats) -> Floats:
    """Two unit vectors across a direction, shape (2, 3)."""
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    one = unit(np.asarray(np.cross(direction, helper), float))
    return np.stack([one, np.asarray(np.cross(direction, one), float)])
