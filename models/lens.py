"""Compiled: OpenCV's five-parameter lens distortion, done and undone, point by point."""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from models.geometry import Floats

_NEWTON_STEPS = 50
"""Most steps to undo the lens; 3 to 6 are taken where the lens is far from its fold, up to 30 next to it."""

_HALVINGS = 12
"""Of the interval in which the radial part alone is undone, to begin with."""

_WIDEST = 4.0
"""Tangent up to which the start is sought: 76 degrees off the optical axis."""

_UNDONE = 1e-10
"""Largest residual of an undone distortion, in tangents: 1e-7 px with a focal length of 1000 px."""


@compiled
def distorted(x: float, y: float, d: Floats) -> tuple[float, float, float, float, float]:
    """Where the lens puts a ray (x, y, 1), and the derivatives: (xd, yd, dxd/dx, dxd/dy = dyd/dx, dyd/dy).

    Args:
        x: Tangent to the right.
        y: Tangent downwards.
        d: k1 k2 p1 p2 k3.
    """
    r2 = x * x + y * y
    radial = 1.0 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]))
    slope = 2.0 * (d[0] + r2 * (2.0 * d[1] + 3.0 * r2 * d[4]))
    xd = x * radial + 2.0 * d[2] * x * y + d[3] * (r2 + 2.0 * x * x)
    yd = y * radial + d[2] * (r2 + 2.0 * y * y) + 2.0 * d[3] * x * y
    xx = radial + x * x * slope + 2.0 * d[2] * y + 6.0 * d[3] * x
    xy = x * y * slope + 2.0 * d[2] * x + 2.0 * d[3] * y
    yy = radial + y * y * slope + 6.0 * d[2] * y + 2.0 * d[3] * x
    return xd, yd, xx, xy, yy


@compiled
def projected(points_mm: Floats, focal: Floats, d: Floats, fold_square: float) -> Floats:
    """Pixels (n, 2) of points (n, 3); NaN behind the camera and from the lens's fold on.

    Args:
        points_mm: Frame of the camera.
        focal: fx fy cx cy, px.
        d: k1 k2 p1 p2 k3.
        fold_square: Square of the tangent at which the radial part turns round.
    """
    n = len(points_mm)
    px = np.empty((n, 2))
    bent = bool(np.any(d != 0.0))
    for i in range(n):
        z = points_mm[i, 2]
        px[i] = np.nan
        if not z > 1e-6:
            continue
        x, y = points_mm[i, 0] / z, points_mm[i, 1] / z
        if bent:
            r2 = x * x + y * y
            x, y, xx, xy, yy = distorted(x, y, d)
            if not (r2 < fold_square and xx * yy - xy * xy > 0.0):
                continue
        px[i, 0], px[i, 1] = focal[0] * x + focal[2], focal[1] * y + focal[3]
    return px


@compiled
def unprojected(points_px: Floats, focal: Floats, d: Floats, fold_square: float) -> Floats:
    """Rays (n, 3) with z = 1 of pixels (n, 2); NaN where no ray before the lens's fold leads there.

    Newton's method: next to the fold a fixed point needs thousands of rounds.

    Args:
        points_px: Pixels.
        focal: See `projected`.
        d: See `projected`.
        fold_square: See `projected`.
    """
    n = len(points_px)
    rays = np.empty((n, 3))
    bent = bool(np.any(d != 0.0))
    farthest = math.sqrt(0.999 * fold_square) if math.isfinite(fold_square) else math.inf
    for i in range(n):
        xd, yd = (points_px[i, 0] - focal[2]) / focal[0], (points_px[i, 1] - focal[3]) / focal[1]
        rays[i, 0], rays[i, 1], rays[i, 2] = xd, yd, 1.0
        if not bent:
            continue
        seen = math.sqrt(xd * xd + yd * yd)
        low, high = 0.0, min(math.sqrt(fold_square), _WIDEST)
        for _ in range(_HALVINGS):
            r = 0.5 * (low + high)
            r2 = r * r
            if r * (1.0 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]))) < seen:
                low = r
            else:
                high = r
        share = min(0.5 * (low + high), farthest) / max(seen, 1e-12)
        x, y = xd * share, yd * share
        xt, yt, xx, xy, yy = distorted(x, y, d)
        for _ in range(_NEWTON_STEPS):
            off_x, off_y = xd - xt, yd - yt
            whole = xx * yy - xy * xy
            if not math.hypot(off_x, off_y) > _UNDONE or not abs(whole) > 1e-12:
                break
            x, y = x + (yy * off_x - xy * off_y) / whole, y + (xx * off_y - xy * off_x) / whole
            held = min(1.0, farthest / max(math.sqrt(x * x + y * y), 1e-12))
            x, y = x * held, y * held
            xt, yt, xx, xy, yy = distorted(x, y, d)
        off = math.hypot(xd - xt, yd - yt)
        rays[i, 0], rays[i, 1] = x, y
        if not (off <= 10.0 * _UNDONE and x * x + y * y < fold_square and xx * yy - xy * xy > 0.0):
            rays[i] = np.nan
    return rays
