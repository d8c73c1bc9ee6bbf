"""Depth readings err alike near each other, and with the same pixels in every picture: solved with that.

What blocks of readings are off by has a part that belongs to the pixels, alike over some blocks, and one of
each picture by itself; both may grow with the distance (time of flight), with its square (stereo), or not.
Which of these ways it is, is told by the restricted likelihood (Patterson & Thompson, Biometrika 58 (1971)
545), averaged over what it leaves open. What is known of the board's poses, of both lenses and of the print
comes on top. By how much views disagree beyond all that is told by leaving out one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from calibration.disagreement import LeftOut, likely_more
from models.geometry import Floats, Ints

_LENGTHS = (0.05, 0.8, 2.0, 5.0)
"""Blocks over which the pixels' own part goes together (exponentially); the first means not at all."""

_OWN_PICTURE = (0.1, 0.5, 2.0)
"""Variance of each picture's own part by that of the pixels'."""

_POWERS = (0.0, 1.0, 2.0)
"""With which power of the distance errors grow."""

_LEAST_MM = 0.05
_UNLIKELY = 12.0
"""Ways whose log likelihood is lower by so much have no say."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What blocks say, about a solution: they are off by ``-slopes @ change - known @ u`` and their noise."""

    off_mm: Floats
    """Shape (m,)."""
    slopes: Floats
    """By what is sought, shape (m, p)."""
    known: Floats
    """By what is known but for its errors u, shape (m, u)."""
    known_covariance: Floats
    """Of u, shape (u, u)."""
    view: Ints
    """Shape (m,)."""
    at: Ints
    """Place in the grid of blocks, shape (m, 2)."""
    away: Floats
    """Distance by the usual one, shape (m,)."""

    def without(self, view: int) -> Rows:
        """The same but for one view."""
        keep = self.view != view
        return Rows(
            self.off_mm[keep], self.slopes[keep], self.known[keep], self.known_covariance,
            self.view[keep], self.at[keep], self.away[keep],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Way:
    """One way in which blocks may err together."""

    length: float
    own: float
    power: float
    sigma2_mm2: float
    """Variance of the pixels' own part at the usual distance."""

    def covariance(self, rows: Rows) -> Floats:
        """Of the blocks' noise, shape (m, m)."""
        return self.sigma2_mm2 * self.shape(rows)

    def shape(self, rows: Rows) -> Floats:
        """The same by the variance."""
        apart = np.linalg.norm((rows.at[:, None] - rows.at[None]).astype(float), axis=2)
        grows = rows.away**self.power
        return (np.exp(-apart / self.length) + self.own * np.eye(len(apart))) * np.outer(grows, grows)


@dataclass(frozen=True, eq=False)
class Step:
    """A step to the solution, and what stays open."""

    change: Floats
    """Of what is sought, shape (p,)."""
    known_change: Floats
    """Of u: what the blocks say of what was known but for its errors, shape (u,)."""
    covariance: Floats
    """Of what is sought and u together, once both are changed, shape (p + u, p + u)."""
    each: Floats
    """The same for each way, shape (ways, p + u, p + u)."""
    weight: Floats
    """How probable each way is, shape (ways,)."""
    best: Way
    more: float
    """Factor of the variance by which views disagree more than foretold, at least 1."""
    freedom: float


def solved(rows: Rows, *, information: Floats, pull: Floats) -> Step:
    """Solve, by all ways.

    Args:
        rows: What the blocks say.
        information: Of what is sought, known before, shape (p, p).
        pull: That information times what the solution still lacks by it, shape (p,).
    """
    fixed = rows.known @ rows.known_covariance @ rows.known.T
    (m, p), start = rows.slopes.shape, _left_mm2(rows)
    told = [
        _fitted(rows, fixed, Way(length, own, power, start / (1.0 + own)), information, pull)
        for length, own, power in product(_LENGTHS, _OWN_PICTURE, _POWERS)
    ]
    top = max(log for log, _ in told)
    told = [
        _fitted(rows, fixed, way, information, pull) for log, way in told if log > top - _UNLIKELY
    ]  # once more, with the variance that fits
    logs = np.array([log for log, _ in told])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    ways = [way for _, way in told]
    best = ways[int(np.argmax(weight))]
    more = _more(rows, best, information, pull)
    steps = [_one(rows, fixed, way, information, pull, more=more) for way in ways]
    change = np.einsum("w,wi->i", weight, np.array([one for one, _ in steps]))
    each = np.array([both for _, both in steps])
    for k, (one, _) in enumerate(steps):
        each[k] += np.outer(one - change, one - change)
    covariance = np.einsum("w,wij->ij", weight, each)
    return Step(change[:p], change[p:], covariance, each, weight, best, more, float(max(m - p, 1)))


def first_step(rows: Rows, *, information: Floats, pull: Floats) -> Floats:
    """A step on the way there, by a usual way of erring together, shape (p,)."""
    fixed = rows.known @ rows.known_covariance @ rows.known.T
    usual = Way(_LENGTHS[1], _OWN_PICTURE[1], _POWERS[1], _left_mm2(rows) / (1.0 + _OWN_PICTURE[1]))
    return _one(rows, fixed, usual, information, pull, more=1.0)[0][: rows.slopes.shape[1]]


def _left_mm2(rows: Rows) -> float:
    """Variance of what plain least squares leave."""
    first, *_ = np.linalg.lstsq(rows.slopes, -rows.off_mm, rcond=None)
    left = rows.off_mm + rows.slopes @ first
    return max(float(left @ left) / max(len(left) - len(first), 1), _LEAST_MM**2)


def _fitted(rows: Rows, fixed: Floats, way: Way, information: Floats, pull: Floats) -> tuple[float, Way]:
    """Restricted log likelihood of a way, and the way with the variance that fits."""
    s2 = way.sigma2_mm2
    factor = cho_factor(way.shape(rows) + fixed / s2 + 1e-9 * np.eye(len(fixed)), lower=True)
    both = np.asarray(cho_solve(factor, np.column_stack([rows.slopes, -rows.off_mm])), float)
    normal = rows.slopes.T @ both[:, :-1] + s2 * information
    right = rows.slopes.T @ both[:, -1] + s2 * pull
    freedom = len(rows.off_mm) - len(right)
    square = float(-rows.off_mm @ both[:, -1] - right @ np.linalg.solve(normal, right))
    square = max(square, freedom * _LEAST_MM**2)
    log = -float(np.sum(np.log(np.diag(factor[0])))) - 0.5 * float(np.linalg.slogdet(normal)[1])
    log -= 0.5 * freedom * float(np.log(square))
    return log, Way(way.length, way.own, way.power, square / freedom)


def _one(
    rows: Rows, fixed: Floats, way: Way, information: Floats, pull: Floats, *, more: float
) -> tuple[Floats, Floats]:
    """Step of what is sought and of u, shape (p + u,), and their joint covariance, by one way.

    Both are the means of a normal distribution given the blocks. Were u left as it was stated, what is
    sought would come out true but not fit the stated lens: the better it is known, the more of the lens's
    error would stand on the skin.
    """
    noise = way.covariance(rows)
    factor = cho_factor(noise + fixed + 1e-9 * np.eye(len(fixed)), lower=True)
    weighted, known = np.hsplit(
        np.asarray(cho_solve(factor, np.hstack([rows.slopes, rows.known])), float), [rows.slopes.shape[1]]
    )
    spread = np.linalg.inv(weighted.T @ rows.slopes + information)
    influence = spread @ weighted.T
    change = influence @ -rows.off_mm + spread @ pull
    likely = rows.known_covariance
    known_change = likely @ (known.T @ (-rows.off_mm - rows.slopes @ change))
    cross = -influence @ rows.known @ likely
    left = likely - likely @ (known.T @ rows.known) @ likely
    left += likely @ (rows.known.T @ weighted) @ spread @ (weighted.T @ rows.known) @ likely
    whole = np.block([[spread, cross], [cross.T, 0.5 * (left + left.T)]])
    by_off = np.vstack([influence, likely @ (known.T - (known.T @ rows.slopes) @ influence)])
    whole += (more - 1.0) * by_off @ noise @ by_off.T
    return np.concatenate([change, known_change]), whole


def _more(rows: Rows, way: Way, information: Floats, pull: Floats) -> float:
    """By leaving out one view after the other; a step is foretold by what it adds to the covariance."""
    views: Sequence[int] = np.unique(rows.view).tolist()
    fixed = rows.known @ rows.known_covariance @ rows.known.T
    whole, spread = _one(rows, fixed, way, information, pull, more=1.0)
    p = rows.slopes.shape[1]
    steps: list[Floats] = []
    foretold: list[Floats] = []
    for view in views:
        part = rows.without(view)
        inner = part.known @ part.known_covariance @ part.known.T
        one, wider = _one(part, inner, way, information, pull, more=1.0)
        steps.append((one - whole)[:p])
        foretold.append(wider[:p, :p] - spread[:p, :p])
    return likely_more(*LeftOut(np.array(steps), np.array(foretold)).more)
