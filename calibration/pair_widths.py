"""What corners of pairs are off by together, and how wide that is: told by the pairs themselves.

Evidence maximisation (MacKay, Neural Computation 4 (1992) 415): every width is as likely before looking, and
what is told is averaged over them by how probable each makes what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.corners_alike import AlikeSystem, alike_system
from calibration.pair_equations import PairEquations, PairSystem, SharedSystem, Unknowns, shared_system
from models.geometry import Floats

_MIDDLE_SHARE, _SQUARE_SHARE, _LENS = 0.04, 0.01, (0.3, 0.3)
"""1 sigma of what lenses usually are: middle off the picture's by a share of its width, fy by fx off 1, k1
and k2 off 0. Far more than good pairs leave open."""

_SWELL_PX = (1.0, 0.2)
"""1 sigma of `calibration.swell` in colour and in thermal pictures; these have no curve of light."""

_SHIFTS_PX = np.geomspace(0.01, 2.0, 14)
"""By which thermal corners of a pair may be off together, 1 sigma, all taken for as likely before looking."""

_ALIKE_PX = np.geomspace(0.01, 0.64, 7)
"""By which a corner may be off in all thermal pictures alike, likewise."""

_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class Widths:
    """What the pairs tell of them."""

    shift_px: float
    alike_px: float
    covariance: Floats
    """Of the shared unknowns, averaged over the widths."""
    each: tuple[tuple[float, Floats], ...]
    """Probability of widths, and the covariance that goes with them, where that counts."""
    taken: float
    """Degrees of freedom that shifts and errors alike take."""
    errors_px: Floats
    """The most probable errors alike, shape (m, 2)."""


@dataclass(frozen=True, eq=False)
class AtWidth:
    """Equations of the shared unknowns for one width of the shifts."""

    shift_px: float
    whole: Floats
    """Normal equations with what was known before, shape (q, q)."""
    pull: Floats
    one: SharedSystem
    inverse: Floats
    log: float


def at_width(system: PairSystem, at: Unknowns, size_px: tuple[int, int], shift_px: float) -> AtWidth:
    """Normal equations of the shared unknowns with what was known of them before."""
    one = shared_system(system, at.own[:, 6:], shift_px)
    usual, weak = np.zeros(len(at.shared)), np.zeros_like(one.reduced)
    weak[:9, :9] = np.eye(9)
    alike = np.array([1.0, -1.0]) / (_SQUARE_SHARE * float(at.shared[9]))
    weak[9:11, 9:11] = np.outer(alike, alike)
    usual[11:13] = (size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0
    weak[11, 11] = weak[12, 12] = (_MIDDLE_SHARE * size_px[0]) ** -2.0
    weak[13, 13], weak[14, 14] = _LENS[0] ** -2.0, _LENS[1] ** -2.0
    weak[-2, -2], weak[-1, -1] = _SWELL_PX[0] ** -2.0, _SWELL_PX[1] ** -2.0
    whole, pull = one.reduced + weak, one.scores.sum(axis=0) - weak @ (at.shared - usual)
    factor, inverse = np.linalg.cholesky(whole), np.asarray(np.linalg.inv(whole), float)
    log = one.log + 0.5 * float(pull @ inverse @ pull) - float(np.log(np.diag(factor)).sum())
    return AtWidth(shift_px, whole, pull, one, inverse, log)


def stepped(
    at: Unknowns, system: PairSystem, one: SharedSystem, step: Floats, *, alike_px: Floats
) -> Unknowns:
    """Where all unknowns are after a step of the shared ones: what is each pair's own follows.

    Args:
        at: Where they were.
        system: The equations there.
        one: The same with the shifts eliminated.
        step: Of the shared unknowns, shape (q,).
        alike_px: Errors alike in all pairs from now on, shape (m, 2).
    """
    shift_steps = one.shift_steps - one.shift_by_shared @ step
    all_steps = np.hstack([np.broadcast_to(step, (len(at.own), len(step))), shift_steps])
    pose_steps = system.pose_steps - np.einsum("nij,nj->ni", system.pose_by_all, all_steps)
    return Unknowns(at.shared + step, at.own + np.hstack([pose_steps, shift_steps]), alike_px)


def widths_told(
    equations: PairEquations, system: PairSystem, at: Unknowns, size_px: tuple[int, int], *, alike: bool
) -> Widths:
    """How probable all widths are, and what they leave open of the shared unknowns.

    Args:
        equations: Of the pairs.
        system: Theirs, at the solution so far.
        at: Where that is.
        size_px: Of the thermal picture.
        alike: Whether errors alike are sought; else they stay as they are.
    """
    tried = [at_width(system, at, size_px, float(px)) for px in _SHIFTS_PX]
    logs = np.array([one.log for one in tried])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    if not alike:
        shift_px = float(np.sqrt(weight @ np.square(_SHIFTS_PX)))
        covariance = np.einsum("k,kij->ij", weight, np.array([one.inverse for one in tried]))
        each = tuple((float(w), o.inverse) for w, o in zip(weight, tried, strict=True) if w > _LEAST_WEIGHT)
        return Widths(shift_px, 0.0, covariance, each, _taken(system, shift_px), at.alike_px)
    likely = [one for one, w in zip(tried, weight, strict=True) if w > _LEAST_WEIGHT]
    systems = [
        alike_system(equations, system, at, o.one, whole=o.whole, pull=o.pull, shift_px=o.shift_px)
        for o in likely
    ]
    return _averaged(system, likely, systems)


def _averaged(system: PairSystem, likely: list[AtWidth], systems: list[AlikeSystem]) -> Widths:
    pairs = [(one, own, float(px)) for one, own in zip(likely, systems, strict=True) for px in _ALIKE_PX]
    logs = np.array([one.log + own.log(px) for one, own, px in pairs])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    covariance, each = np.zeros_like(likely[0].inverse), []
    errors, shift2, alike2, taken = np.zeros(len(systems[0].values)), 0.0, 0.0, 0.0
    for w, (one, own, px) in zip(weight, pairs, strict=True):
        if w < 0.1 * _LEAST_WEIGHT:
            continue
        open_ = one.inverse + own.opened(px)
        covariance += w * open_
        errors += w * own.errors_px(px)
        shift2, alike2 = shift2 + w * one.shift_px**2, alike2 + w * px**2
        taken += w * own.taken(px)
        if w > _LEAST_WEIGHT:
            each.append((float(w), open_))
    shift_px = float(np.sqrt(shift2))
    taken += _taken(system, shift_px)
    return Widths(shift_px, float(np.sqrt(alike2)), covariance, tuple(each), taken, errors.reshape(-1, 2))


def _taken(system: PairSystem, shift_px: float) -> float:
    """Degrees of freedom that the shifts take."""
    inside = np.linalg.inv(
        np.linalg.inv(system.normal[:, -2:, -2:] + 1e-9 * np.eye(2)) + shift_px**2 * np.eye(2)
    )
    return shift_px**2 * float(np.trace(inside, axis1=1, axis2=2).sum())
