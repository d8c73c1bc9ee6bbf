"""Compiled kernel of the jet's footprint: weight of every cell, and which cells hide behind others.

Everything is seen from the orifice: a cell is the point (x / d, y / d) of a perspective picture, d its depth
along the jet. The cells that the cone reaches are sorted into bins of that picture; every triangle near them
then looks only into the bins that it covers, and hides the cells that lie inside it and farther away.
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from models.geometry import Floats, Ints

# Triangles nearer to the orifice's plane than this are left out: their perspective picture has no bounds, and
# what they could hide lies at right angles to the jet, outside its cone.
_NEAREST_MM = 0.5


@compiled
def footprint(
    position_mm: Floats,
    normal: Floats,
    triangles: Ints,
    first: Ints,
    longest_mm: float,
    tip_mm: Floats,
    axis: Floats,
    shape: tuple[float, float, float, float],
    slack: tuple[float, float, float, float],
) -> Floats:
    """Weight of the jet on every cell, shape (n,); see `models.jet.jet_weights`.

    Args:
        position_mm: Cell centres, shape (n, 3).
        normal: Outward unit normals, shape (n, 3).
        triangles: Cell indices, shape (m, 3), in the order of their lowest.
        first: Of each cell, the first triangle whose lowest cell it is, shape (n + 1,).
        longest_mm: No edge of a triangle in or near the cone is longer.
        tip_mm: Centre of the orifice.
        axis: Unit vector of the jet.
        shape: Half radius at the orifice (mm), its growth a mm, least weight, clearance (mm).
        slack: How much nearer to the axis a cell may be (mm), how far the line of sight ends above the skin
            (mm), and the greatest normal . axis and normal . ray (unit vectors) that still count as facing.
    """
    n = len(position_mm)
    half_mm, spread, least, clearance_mm = shape
    nearer_mm, lift_mm, facing, horizon = slack
    farthest = math.sqrt(math.log(least) / math.log(0.5))  # in half radii
    ax, ay, az = axis[0], axis[1], axis[2]
    tx, ty, tz = tip_mm[0], tip_mm[1], tip_mm[2]
    # Two more directions complete the axis to a frame.
    if abs(ax) <= abs(ay) and abs(ax) <= abs(az):
        sx, sy, sz = 1.0 - ax * ax, -ax * ay, -ax * az
    elif abs(ay) <= abs(az):
        sx, sy, sz = -ay * ax, 1.0 - ay * ay, -ay * az
    else:
        sx, sy, sz = -az * ax, -az * ay, 1.0 - az * az
    length = math.sqrt(sx * sx + sy * sy + sz * sz)
    sx, sy, sz = sx / length, sy / length, sz / length
    ux, uy, uz = ay * sz - az * sy, az * sx - ax * sz, ax * sy - ay * sx
    # Lines of sight stay within the cone: only triangles with a corner in or near it can cut one.
    rim_mm = nearer_mm + lift_mm + 2.0 * longest_mm
    weight = np.zeros(n)
    x, y, d = np.full(n, np.nan), np.empty(n), np.empty(n)  # NaN: too far from the cone to matter
    near, found = np.empty(n, np.int64), 0
    for i in range(n):
        a, b, c = position_mm[i, 0] - tx, position_mm[i, 1] - ty, position_mm[i, 2] - tz
        depth = a * ax + b * ay + c * az
        cone_mm = farthest * (half_mm + spread * max(depth, 0.0)) + rim_mm
        d[i] = depth
        if depth > -longest_mm and a * a + b * b + c * c - depth * depth <= cone_mm * cone_mm:
            near[found] = i
            found += 1
    reached, looked = np.empty(found, np.int64), 0
    look_x, look_y, look_d = np.empty(found), np.empty(found), np.empty(found)
    for k in range(found):
        i = near[k]
        a, b, c = position_mm[i, 0] - tx, position_mm[i, 1] - ty, position_mm[i, 2] - tz
        depth, p, q = d[i], a * sx + b * sy + c * sz, a * ux + b * uy + c * uz
        per = 1.0 / max(depth, _NEAREST_MM)
        x[i], y[i] = p * per, q * per
        if not depth > 0.0:
            continue
        r = max(0.0, math.sqrt(p * p + q * q) - nearer_mm) / (half_mm + spread * depth)
        if not r <= farthest:
            continue
        nx, ny, nz = normal[i, 0], normal[i, 1], normal[i, 2]
        against = nx * ax + ny * ay + nz * az
        if not against < facing:
            continue
        ray_mm = math.sqrt(a * a + b * b + c * c)
        if a * nx + b * ny + c * nz > horizon * ray_mm:
            continue
        weight[i] = math.exp(-math.log(2.0) * r * r)
        end_d = depth + lift_mm * against
        clear_d = end_d - clearance_mm * depth / ray_mm
        if clear_d <= _NEAREST_MM:
            continue  # nothing fits between the orifice and this cell
        reached[looked], look_d[looked] = i, clear_d
        look_x[looked] = (p + lift_mm * (nx * sx + ny * sy + nz * sz)) / end_d
        look_y[looked] = (q + lift_mm * (nx * ux + ny * uy + nz * uz)) / end_d
        looked += 1
    if looked > 0:
        _hide(
            weight,
            reached[:looked],
            look_x[:looked],
            look_y[:looked],
            look_d[:looked],
            x,
            y,
            d,
            triangles,
            first,
            near[:found],
        )
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
    first: Ints,
    near: Ints,
) -> None:
    """Set the weight of cells behind a triangle to 0, in place; the picture is scaled to bins."""
    count = len(reached)
    x0, x1, y0, y1 = look_x.min(), look_x.max(), look_y.min(), look_y.max()
    deepest = look_d.max()
    bins = min(max(int(math.sqrt(count)), 8), 256)  # about one cell in each
    per_x, per_y = bins / max(x1 - x0, 1e-9), bins / max(y1 - y0, 1e-9)
    head, deep = np.full((bins, bins), -1, np.int64), np.zeros((bins, bins))
    following = np.empty(count, np.int64)
    for k in range(count):
        look_x[k], look_y[k] = (look_x[k] - x0) * per_x, (look_y[k] - y0) * per_y
        bin_x, bin_y = min(int(look_x[k]), bins - 1), min(int(look_y[k]), bins - 1)
        following[k] = head[bin_x, bin_y]
        head[bin_x, bin_y] = k
        deep[bin_x, bin_y] = max(deep[bin_x, bin_y], look_d[k])
    for i in near:
        x[i], y[i] = (x[i] - x0) * per_x, (y[i] - y0) * per_y
    edge = float(bins)
    for lowest in near:
        for t in range(first[lowest], first[lowest + 1]):
            i, j, m = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            xi, xj, xm = float(x[i]), float(x[j]), float(x[m])
            yi, yj, ym = float(y[i]), float(y[j]), float(y[m])
            # Not NaN, and within the picture of the cells.
            if not (min(xi, xj, xm) <= edge and max(xi, xj, xm) >= 0.0 and xi + xj + xm == xi + xj + xm):
                continue
            low, high = min(yi, yj, ym), max(yi, yj, ym)
            nearest = min(d[i], d[j], d[m])
            if low > edge or high < 0.0 or not nearest > _NEAREST_MM or nearest > deepest:
                continue
            left, right = min(xi, xj, xm), max(xi, xj, xm)
            bin_left, bin_right = int(max(left, 0.0)), int(min(right, edge - 1.0))
            bin_low, bin_high = int(max(low, 0.0)), int(min(high, edge - 1.0))
            bin_left, bin_low = min(bin_left, bins - 1), min(bin_low, bins - 1)
            for bin_x in range(bin_left, bin_right + 1):
                for bin_y in range(bin_low, bin_high + 1):
                    if deep[bin_x, bin_y] <= nearest:
                        continue
                    k = head[bin_x, bin_y]
                    while k >= 0:
                        cell = reached[k]
                        corner = cell in (i, j, m)
                        if look_d[k] > nearest and weight[cell] > 0.0 and not corner:
                            at = (float(look_x[k]), float(look_y[k]), float(look_d[k]))
                            deep_3 = (float(d[i]), float(d[j]), float(d[m]))
                            if _behind(at, (xi, xj, xm), (yi, yj, ym), deep_3):
                                weight[cell] = 0.0
                        k = following[k]


@compiled
def _behind(
    at: tuple[float, float, float],
    x: tuple[float, float, float],
    y: tuple[float, float, float],
    d: tuple[float, float, float],
) -> bool:
    """Whether a point of the perspective picture lies within a triangle and farther away than it."""
    whole = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    away_x, away_y = at[0] - x[0], at[1] - y[0]
    part_1 = away_x * (y[2] - y[0]) - (x[2] - x[0]) * away_y
    part_2 = (x[1] - x[0]) * away_y - away_x * (y[1] - y[0])
    if whole < 0.0:
        whole, part_1, part_2 = -whole, -part_1, -part_2
    if not (whole > 0.0 and part_1 >= 0.0 and part_2 >= 0.0 and part_1 + part_2 <= whole):
        return False
    # 1 / depth is linear over a plane's perspective picture.
    nearness = (whole - part_1 - part_2) / d[0] + part_1 / d[1] + part_2 / d[2]
    return nearness * at[2] > whole
