"""Compiled kernel of the jet's footprint: weight of every cell, and which cells hide behind others.

Everything is seen from the orifice: a cell is the point (x / d, y / d) of a perspective picture, d its depth
along the jet. The cells that the cone reaches are sorted into bins of that picture; every triangle then looks
only into the bins that it covers, and hides the cells that lie inside it and farther away.
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from models.geometry import Floats, Ints

_BINS = 32
# Triangles nearer to the orifice's plane than this are left out: their perspective picture has no bounds, and
# what they could hide lies at right angles to the jet, outside its cone.
_NEAREST_MM = 0.5


@compiled
def footprint(
    position_mm: Floats,
    normal: Floats,
    triangles: Ints,
    tip_mm: Floats,
    axis: Floats,
    side: Floats,
    up: Floats,
    shape: tuple[float, float, float, float],
    slack: tuple[float, float, float, float],
) -> Floats:
    """Weight of the jet on every cell, shape (n,); see `models.jet.jet_weights`.

    Args:
        position_mm: Cell centres, shape (n, 3).
        normal: Outward unit normals, shape (n, 3).
        triangles: Cell indices, shape (m, 3).
        tip_mm: Centre of the orifice.
        axis: Unit vector of the jet; ``side`` and ``up`` complete it to a frame.
        side: See ``axis``.
        up: See ``axis``.
        shape: Half radius at the orifice (mm), its growth a mm, least weight, clearance (mm).
        slack: How much nearer to the axis a cell may be (mm), how far the line of sight ends above the skin
            (mm), and the greatest normal . axis and normal . ray (unit vectors) that still count as facing.
    """
    n = len(position_mm)
    half_mm, spread, least, clearance_mm = shape
    nearer_mm, lift_mm, facing, horizon = slack
    farthest = math.sqrt(math.log(least) / math.log(0.5))  # in half radii
    weight = np.zeros(n)
    x, y, d = np.empty(n), np.empty(n), np.empty(n)
    reached, count = np.empty(n, np.int64), 0
    look_x, look_y, look_d = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        a = position_mm[i, 0] - tip_mm[0]
        b = position_mm[i, 1] - tip_mm[1]
        c = position_mm[i, 2] - tip_mm[2]
        depth = a * axis[0] + b * axis[1] + c * axis[2]
        d[i] = depth
        if not depth > 0.0:
            continue
        p = a * side[0] + b * side[1] + c * side[2]
        q = a * up[0] + b * up[1] + c * up[2]
        x[i], y[i] = p / depth, q / depth
        r = max(0.0, math.sqrt(p * p + q * q) - nearer_mm) / (half_mm + spread * depth)
        if not r <= farthest:
            continue
        against = normal[i, 0] * axis[0] + normal[i, 1] * axis[1] + normal[i, 2] * axis[2]
        if not against < facing:
            continue
        ray_mm = math.sqrt(a * a + b * b + c * c)
        if a * normal[i, 0] + b * normal[i, 1] + c * normal[i, 2] > horizon * ray_mm:
            continue
        weight[i] = math.exp(-math.log(2.0) * r * r)
        end_d = depth + lift_mm * against
        end_p = p + lift_mm * (normal[i, 0] * side[0] + normal[i, 1] * side[1] + normal[i, 2] * side[2])
        end_q = q + lift_mm * (normal[i, 0] * up[0] + normal[i, 1] * up[1] + normal[i, 2] * up[2])
        clear_d = end_d - clearance_mm * depth / ray_mm
        if clear_d <= _NEAREST_MM:
            continue  # nothing fits between the orifice and this cell
        reached[count], look_x[count], look_y[count], look_d[count] = i, end_p / end_d, end_q / end_d, clear_d
        count += 1
    if count > 0:
        _hide(weight, reached[:count], look_x[:count], look_y[:count], look_d[:count], x, y, d, triangles)
    return weight


@compiled
def _hide(
    weight: Floats,
    reached: Ints,
    look_x: Floats,
    look_y: Floats,
    look_d: Floats,
    x: Floats,
    y: Floats,
    d: Floats,
    triangles: Ints,
) -> None:
    """Set the weight of cells behind a triangle to 0, in place."""
    count = len(reached)
    x0, x1, y0, y1 = look_x.min(), look_x.max(), look_y.min(), look_y.max()
    deepest = look_d.max()
    per_x, per_y = _BINS / max(x1 - x0, 1e-9), _BINS / max(y1 - y0, 1e-9)
    first = np.full((_BINS, _BINS), -1, np.int64)
    following = np.empty(count, np.int64)
    for k in range(count):
        bin_x = min(int((look_x[k] - x0) * per_x), _BINS - 1)
        bin_y = min(int((look_y[k] - y0) * per_y), _BINS - 1)
        following[k] = first[bin_x, bin_y]
        first[bin_x, bin_y] = k
    for t in range(len(triangles)):
        i, j, m = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        nearest = min(d[i], d[j], d[m])
        if not nearest > _NEAREST_MM or nearest > deepest:
            continue
        left, right = min(x[i], x[j], x[m]), max(x[i], x[j], x[m])
        low, high = min(y[i], y[j], y[m]), max(y[i], y[j], y[m])
        if right < x0 or left > x1 or high < y0 or low > y1:
            continue
        whole = (x[j] - x[i]) * (y[m] - y[i]) - (x[m] - x[i]) * (y[j] - y[i])
        if whole == 0.0:
            continue
        bin_left, bin_right = max(int((left - x0) * per_x), 0), min(int((right - x0) * per_x), _BINS - 1)
        bin_low, bin_high = max(int((low - y0) * per_y), 0), min(int((high - y0) * per_y), _BINS - 1)
        for bin_x in range(bin_left, bin_right + 1):
            for bin_y in range(bin_low, bin_high + 1):
                k = first[bin_x, bin_y]
                while k >= 0:
                    cell = reached[k]
                    if weight[cell] > 0.0 and cell != i and cell != j and cell != m:
                        away_x, away_y = look_x[k] - x[i], look_y[k] - y[i]
                        share_j = (away_x * (y[m] - y[i]) - (x[m] - x[i]) * away_y) / whole
                        share_m = ((x[j] - x[i]) * away_y - away_x * (y[j] - y[i])) / whole
                        if share_j >= 0.0 and share_m >= 0.0 and share_j + share_m <= 1.0:
                            # 1 / depth is linear over a plane's perspective picture.
                            nearness = (1.0 - share_j - share_m) / d[i] + share_j / d[j] + share_m / d[m]
                            if nearness * look_d[k] > 1.0:
                                weight[cell] = 0.0
                    k = following[k]
