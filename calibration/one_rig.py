"""Why pairs do not fit one rig: whether target or cameras moved between the two pictures of a pair.

Two rigid cameras that see flat things, whatever the focal lengths and whatever is on the target, see them by
``A + e n'``: one ``A`` and one epipole ``e`` for the rig, a plane ``n`` for each pair (Hartley, Zisserman,
Multiple View Geometry, 2nd edition, section 13.1). If that leaves much more than the same with a shift of the
colour picture in each pair, neither the target's measures nor the focal lengths are to blame.
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


_ALIKE = 1.5
"""Sums of squares that differ by less are of one fit that has come to its end less or more."""


@dataclass(frozen=True)
class Moved:
    """What one rig leaves."""

    rigid_px: float
    """Noise that one rigid rig leaves, thermal px, root mean square of the lengths."""
    shifted_px: float
    """The same, where the colour picture of each pair may be shifted."""
    shifts_px: tuple[float, ...]
    """By how much at least, colour px, each pair. What looks like distance is not told."""

    @property
    def believed(self) -> bool:
        """Whether shifts explain what a rigid rig does not."""
        return self.rigid_px > _LEAST_FALL * self.shifted_px


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
    rigid, _ = _fitted(seen, None)
    found = [_fitted(seen, axis) for axis in (0, 1)]
    least = min(one[0] for one in found)
    # Shifts along the epipolar lines look like distance: of axes that fit alike the one with less of them.
    alike = [one for one in found if one[0] <= _ALIKE * least + 1e-12]
    shifts = min((one[1] for one in alike), key=lambda one: float(np.abs(one).max()))

    def noise_px(square: float, free: int) -> float:
        return float(np.sqrt(2.0 * square / max(count - free, 1))) * scale[1]

    return Moved(
        noise_px(rigid, _FREE_OF_RIG + 3 * n),
        noise_px(least, _FREE_OF_RIG + 4 * n),
        tuple(float(abs(s)) * scale[0] for s in shifts),
    )


def moved_words(pairs: Sequence[PairView]) -> str:
    """A sentence on what moved, empty where that explains nothing."""
    moved = moved_between(pairs)
    if moved is None or not moved.believed:
        return ""
    return (
        "Whatever the target's measures and focal lengths, one rigid rig leaves"
        f" {moved.rigid_px:.1f} px; were the target or a camera moved between the two pictures of a pair, by"
        f" up to {max(moved.shifts_px):.0f} colour px, it would be {moved.shifted_px:.1f} px: the pictures of"
        " a pair are not of one moment, or the cameras are loose."
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


def _fitted(seen: Sequence[tuple[Floats, ...]], axis: int | None) -> tuple[float, Floats]:
    """Sum of squares that is left, and the shifts along an axis of the colour picture, none without one."""
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

    least, shifts = np.inf, np.zeros(n)
    start = firm = np.zeros(0)
    for way in np.eye(3)[:_STARTS]:
        start = np.concatenate([np.eye(3).ravel(), way, np.zeros(3 * n + (n if axis is not None else 0))])
        start[12 : 12 + 3 * n] = 1e-3
        firm = np.where(np.arange(len(start)) < 12 + 3 * n, 1e-4, 1e-3)
        solved = least_squares(residuals, start, max_nfev=_MOST_STEPS)
        square = float(np.sum(solved.fun[: sum(2 * len(p) for p in points)] ** 2))
        if square < least:
            least = square
            shifts = np.asarray(solved.x[12 + 3 * n :], float) if axis is not None else np.zeros(n)
    return least, shifts
