"""What an operator draws: an outline that goes round an area once, a circle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidance.zone_actions import Px
from models.geometry import Floats


class EditRefusedError(Exception):
    """An edit that cannot be followed, with a sentence for the operator."""


def circle(centre: Floats, radius_mm: float) -> Floats:
    """About a place (2,), as a polygon of shape (36, 2)."""
    turn = np.linspace(0.0, 2.0 * np.pi, 36, endpoint=False)
    return centre + radius_mm * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def round_polygon(outline_px: Sequence[Px]) -> Floats:
    """The outline as an array (n, 2), if it goes round an area once.

    Raises:
        EditRefusedError: If it does not.
    """
    points = np.array(outline_px, float)
    if len(points) < 3:
        raise EditRefusedError("An outline needs three points at least.")
    n = len(points)
    for i in range(n):
        for k in range(i + 2, n if i else n - 1):
            if _cross(points[i], points[i + 1], points[k], points[(k + 1) % n]):
                raise EditRefusedError("The outline crosses itself: tap the points in order round the area.")
    return points


def _cross(a: Floats, b: Floats, c: Floats, d: Floats) -> bool:
    def side(p: Floats, q: Floats, r: Floats) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0.0 and side(c, d, a) * side(c, d, b) < 0.0


def area_mm2(polygon: Floats) -> float:
    """Inside a polygon (n, 2) in mm."""
    u, v = polygon.T
    return 0.5 * abs(float(u @ np.roll(v, -1) - v @ np.roll(u, -1)))
