"""Why pairs do not fit one rig: whether target or cameras moved between the two pictures of a pair.

Two rigid cameras that see flat things, whatever the focal lengths and whatever is on the target, see them by
``A + e n'``: one ``A`` and one epipole ``e`` for the rig, a plane ``n`` for each pair (Hartley, Zisserman,
Multiple View Geometry, 2nd edition, section 13.1). If that leaves much more than the same with a shift of the
colour picture in each pair, neither the target's measures nor the focal lengths are to blame; if it does so
with the lenses of both cameras bent as well as pairs can be made to fit, neither are the lenses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from calibration.pair_equations import PairView
from models.geometry import Floats

_STARTS = 3
_MOST_STEPS = 40
_FREE_OF_RIG = 10
"""Of ``A`` and ``e``: twelve, less the scale of each."""

_LEAST_FALL = 2.0
"""By so much the noise must fall for a shift to be believed; it has paid for its own parameters then."""


_LENS = ((0.2, 2), (0.1, 4), (0.05, 6), (0.003, 1), (0.003, 1))
"""Of three terms of distortion along the radius and two across: 1 sigma of what each moves the farthest tag
by, as a share of its distance from the middle, and the power of it (as in `calibration.intrinsics`)."""

_NOISE = 0.003
"""Of the middles of tags, by how far they spread in the picture; weighs what is known of lenses."""

_ALIKE = 1.5
"""Sums of squares that differ by less are of one fit that has come to its end less or more."""


@dataclass(frozen=True)
class Moved:
    """What one rig leaves."""

    rigid_px: float
    """Noise that one rigid rig leaves, thermal px, root mean square of the lengths."""
    bent_px: float
    """The same, where the lenses of both cameras may be bent too, in five terms each."""
    shifted_px: float
    """The same without that, where the colour picture of each pair may be shifted."""
    shifts_px: tuple[float, ...]
    """By how much at least, colour px, each pair. What looks like distance is not told."""

    @property
    def believed(self) -> bool:
        """Whether shifts explain what a rigid rig does not."""
        return min(self.rigid_px, self.bent_px) > _LEAST_FALL * self.shifted_px


def moved_between(pairs: Sequence[PairView]) -> Moved | None:
    """Compare one rigid rig with one whose pairs are shifted; None where too few pairs tell.

    The middles of the tags are compared, where their diagonals cross: so they do in every perspective, and
    how much larger tags look to one camera does not matter.

    Args:
        pairs: Four or more, with four tags or more in common.
    """
    middles = [_middles(pair) for pair in pairs]
    middles = [one for one in middles if len(one[0]) >= 4]
    count = 2 * sum(len(one[0]) for one in middles)
    if len(middles) < 4 or count <= _FREE_OF_RIG + 4 * len(middles):
        return None
    scale = [float(np.concatenate([one[k] for one in middles]).std()) for k in (0, 1)]
    centre = [np.concatenate([one[k] for one in middles]).mean(axis=0) for k in (0, 1)]
    seen = [tuple((one[k] - centre[k]) / scale[k] for k in (0, 1)) for one in middles]
    n = len(seen)
    rigid, _, at = _fitted(seen, None)
    bent = _bent(seen, at)
    found = [_fitted(seen, axis) for axis in (0, 1)]
    least = min(one[0] for one in found)
    # Shifts along the epipolar lines look like distance: of axes that fit alike the one with less of them.
    alike = [one for one in found if one[0] <= _ALIKE * least + 1e-12]
    shifts = min((one[1] for one in alike), key=lambda one: float(np.abs(one).max()))

    def noise_px(square: float, free: int) -> float:
        return float(np.sqrt(2.0 * square / max(count - free, 1))) * scale[1]

    return Moved(
        noise_px(rigid, _FREE_OF_RIG + 3 * n),
        noise_px(bent, _FREE_OF_RIG + 3 * n + 2 * len(_LENS)),
        noise_px(least, _FREE_OF_RIG + 4 * n),
        tuple(float(abs(s)) * scale[0] for s in shifts),
    )


def moved_words(pairs: Sequence[PairView]) -> str:
    """A sentence on what moved, empty where that explains nothing."""
    moved = moved_between(pairs)
    if moved is None or not moved.believed:
        return ""
    return (
        "Whatever the target's measures, focal lengths and lenses, one rigid rig leaves"
        f" {min(moved.rigid_px, moved.bent_px):.1f} px; with a shift of its own in each pair, by up to"
        f" {max(moved.shifts_px):.0f} colour px, it would be {moved.shifted_px:.1f} px. The pictures of a"
        " pair may be not of one moment, the cameras may be loose, or one of them may shift its own picture"
        " (stabiliser, digital pan, autofocus): the pairs do not tell which."
    )


def _middles(pair: PairView) -> tuple[Floats, Floats]:
    tags = np.intersect1d(pair.rgb.ids // 4, pair.thermal.ids // 4)
    both = []
    for view in (pair.rgb, pair.thermal):
        quads = [view.corners_px[view.ids // 4 == tag] for tag in tags]
        both.append(np.array([_crossing(quad) for quad in quads if len(quad) == 4]).reshape(-1, 2))
    return both[0], both[1]


def _crossing(quad: Floats) -> Floats:
    a, c, b, d = quad[0], quad[2], quad[1], quad[3]
    part = np.linalg.solve(np.column_stack([c - a, b - d]), b - a)
    return a + part[0] * (c - a)


def _fitted(seen: Sequence[tuple[Floats, ...]], axis: int | None) -> tuple[float, Floats, Floats]:
    """Sum of squares left, shifts along an axis of the colour picture (none without one), all unknowns."""
    n = len(seen)
    points = [np.column_stack([one[0], np.ones(len(one[0]))]) for one in seen]

    def residuals(x: Floats) -> Floats:
        rig, epipole, parts = x[:9].reshape(3, 3), x[9:12], []
        for k in range(n):
            at = points[k]
            if axis is not None:
                at = at.copy()
                at[:, axis] += x[12 + 3 * n + k]
            there = at @ (rig + np.outer(epipole, x[12 + 3 * k : 15 + 3 * k])).T
            parts.append((there[:, :2] / there[:, 2:] - seen[k][1]).ravel())
        # So that scales, and shifts that all pairs share, stay where they are.
        return np.concatenate([*parts, firm * (x - start)])

    least, shifts, best = np.inf, np.zeros(n), np.zeros(0)
    start = firm = np.zeros(0)
    for way in np.eye(3)[:_STARTS]:
        start = np.concatenate([np.eye(3).ravel(), way, np.zeros(3 * n + (n if axis is not None else 0))])
        start[12 : 12 + 3 * n] = 1e-3
        firm = np.where(np.arange(len(start)) < 12 + 3 * n, 1e-4, 1e-3)
        solved = least_squares(residuals, start, max_nfev=_MOST_STEPS)
        square = float(np.sum(solved.fun[: sum(2 * len(p) for p in points)] ** 2))
        if square < least:
            least, best = square, np.asarray(solved.x, float)
            shifts = np.asarray(solved.x[12 + 3 * n :], float) if axis is not None else np.zeros(n)
    return least, shifts, best


def _bent(seen: Sequence[tuple[Floats, ...]], start: Floats) -> float:
    """Sum of squares that one rig leaves whose two lenses are bent, from where one without is at its best."""
    n, m = len(seen), len(_LENS)
    counts = np.cumsum([2 * len(one[0]) for one in seen])
    far = [max(float(np.linalg.norm(one[k], axis=1).max()) for one in seen) for k in (0, 1)]
    known = np.array([_NOISE * r**power / share for r in far for share, power in _LENS])

    def residuals(x: Floats) -> Floats:
        rig, epipole, lens, parts = x[:9].reshape(3, 3), x[9:12], x[-2 * m :].reshape(2, m), []
        for k, (colour, thermal) in enumerate(seen):
            at = np.column_stack([_straightened(colour, lens[0]), np.ones(len(colour))])
            there = at @ (rig + np.outer(epipole, x[12 + 3 * k : 15 + 3 * k])).T
            parts.append((there[:, :2] / there[:, 2:] - _straightened(thermal, lens[1])).ravel())
        return np.concatenate([*parts, 1e-4 * (x[: 12 + 3 * n] - start), known * x[-2 * m :]])

    solved = least_squares(residuals, np.concatenate([start, np.zeros(2 * m)]), max_nfev=_MOST_STEPS)
    return float(np.sum(solved.fun[: counts[-1]] ** 2))


def _straightened(points: Floats, lens: Floats) -> Floats:
    """Points as a lens without distortion would show them, shape (k, 2)."""
    x, y = points.T
    square = x * x + y * y
    along = 1.0 + square * (lens[0] + square * (lens[1] + square * lens[2]))
    across_x = 2.0 * lens[3] * x * y + lens[4] * (square + 2.0 * x * x)
    across_y = lens[3] * (square + 2.0 * y * y) + 2.0 * lens[4] * x * y
    return np.column_stack([x * along + across_x, y * along + across_y])
