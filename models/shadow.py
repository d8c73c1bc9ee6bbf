"""Compiled: which cells hide behind a triangle, seen from the orifice.

Cells are points of the orifice's perspective picture with their depth along the jet; triangles join them.
Cells near the cone have slots, from 1; slot 0 stands for all others.
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from models.geometry import Floats, Ints
from models.one_sheet import Marks, Slots

# Triangles nearer to the orifice's plane than this are left out: their perspective picture has no bounds, and
# what they could hide lies at right angles to the jet, outside its cone.
NEAREST_MM = 0.5


@compiled
def box_of(look: tuple[Floats, Floats, Floats]) -> tuple[float, float, float, float, float]:
    """Least and greatest x, least and greatest y, greatest depth."""
    look_x, look_y, look_d = look
    x0, x1, y0, y1, deepest = look_x[0], look_x[0], look_y[0], look_y[0], look_d[0]
    for k in range(1, len(look_x)):
        x0, x1, y0, y1 = min(x0, look_x[k]), max(x1, look_x[k]), min(y0, look_y[k]), max(y1, look_y[k])
        deepest = max(deepest, look_d[k])
    return x0, x1, y0, y1, deepest


@compiled
def asked(
    reached: Ints,
    look: tuple[Floats, Floats, Floats],
    box: tuple[float, float, float, float, float],
    picture: tuple[Floats, Floats, Floats],
    triangles: Ints,
    first: Ints,
    near: Ints,
    slot: Slots,
    sheet: Marks,
    reach: tuple[float, float],
    longest_mm: float,
) -> Ints:
    """Triangles that may hide a cell: within the picture of the cells, in front, and not part of the sheet.

    Those of the sheet may hide a cell beside it: where such cells are within their reach they are asked too.
    """
    (look_x, look_y, _), (x, y, d), (x0, x1, y0, y1, deepest) = look, picture, box
    bins, per_x, per_y = _bins(box, len(reached))
    wide, high_ = int(reach[0] * per_x) + 1, int(reach[1] * per_y) + 1
    beside, alone = np.zeros((bins, bins), np.bool_), True
    for k in range(len(reached)):
        if not sheet[slot[reached[k]]]:
            bin_x, bin_y = _bin((look_x[k] - x0) * per_x, bins), _bin((look_y[k] - y0) * per_y, bins)
            beside[max(bin_x - wide, 0) : bin_x + wide + 1, max(bin_y - high_, 0) : bin_y + high_ + 1] = True
            alone = False
    found, count = np.empty(len(triangles), np.int64), 0
    for k in range(1, len(x)):
        if d[k] - longest_mm > deepest or (alone and sheet[k] == 2):
            continue
        needed = sheet[k] == 0 or (
            not alone and beside[_bin((x[k] - x0) * per_x, bins), _bin((y[k] - y0) * per_y, bins)]
        )
        if sheet[k] == 2 and not needed:
            continue
        for t in range(first[near[k - 1]], first[near[k - 1] + 1]):
            i, j, m = slot[triangles[t, 0]], slot[triangles[t, 1]], slot[triangles[t, 2]]
            if i == 0 or j == 0 or m == 0 or (not needed and sheet[i] and sheet[j] and sheet[m]):
                continue
            xi, xj, xm = x[i], x[j], x[m]
            # Not NaN, and within the picture of the cells.
            if not (min(xi, xj, xm) <= x1 and max(xi, xj, xm) >= x0 and xi + xj + xm == xi + xj + xm):
                continue
            if min(y[i], y[j], y[m]) <= y1 and max(y[i], y[j], y[m]) >= y0:
                nearest = min(d[i], d[j], d[m])
                if nearest > NEAREST_MM and nearest < deepest:
                    found[count] = t
                    count += 1
    return found[:count]


@compiled
def hide(
    weight: Floats,
    reached: Ints,
    look: tuple[Floats, Floats, Floats],
    box: tuple[float, float, float, float, float],
    picture: tuple[Floats, Floats, Floats],
    triangles: Ints,
    triangle: Ints,
    slot: Slots,
) -> None:
    """Set the weight of cells behind a triangle to 0, in place; the picture is scaled to bins."""
    (look_x, look_y, look_d), (x, y, d), (x0, _, y0, _, _) = look, picture, box
    count = len(reached)
    bins, per_x, per_y = _bins(box, count)
    head, deep = np.full((bins, bins), -1, np.int64), np.zeros((bins, bins))
    following = np.empty(count, np.int64)
    for k in range(count):
        bin_x, bin_y = _bin((look_x[k] - x0) * per_x, bins), _bin((look_y[k] - y0) * per_y, bins)
        following[k] = head[bin_x, bin_y]
        head[bin_x, bin_y] = k
        deep[bin_x, bin_y] = max(deep[bin_x, bin_y], look_d[k])
    for t in triangle:
        one, two, three = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        i, j, m = slot[one], slot[two], slot[three]
        xs, ys = (float(x[i]), float(x[j]), float(x[m])), (float(y[i]), float(y[j]), float(y[m]))
        ds = (float(d[i]), float(d[j]), float(d[m]))
        nearest = min(ds[0], ds[1], ds[2])
        left, right = _bin((min(xs) - x0) * per_x, bins), _bin((max(xs) - x0) * per_x, bins)
        low, high = _bin((min(ys) - y0) * per_y, bins), _bin((max(ys) - y0) * per_y, bins)
        for bin_x in range(left, right + 1):
            for bin_y in range(low, high + 1):
                if deep[bin_x, bin_y] <= nearest:
                    continue
                k = head[bin_x, bin_y]
                while k >= 0:
                    cell = reached[k]
                    corner = cell in (one, two, three)
                    if look_d[k] > nearest and weight[cell] > 0.0 and not corner:
                        at = (float(look_x[k]), float(look_y[k]), float(look_d[k]))
                        if _behind(at, xs, ys, ds):
                            weight[cell] = 0.0
                    k = following[k]


@compiled
def _bins(box: tuple[float, float, float, float, float], cells: int) -> tuple[int, float, float]:
    """Bins on a side of the picture, about one cell in each; how many there are a unit of x and of y."""
    bins = min(max(int(math.sqrt(cells)), 8), 256)
    return bins, bins / max(box[1] - box[0], 1e-9), bins / max(box[3] - box[2], 1e-9)


@compiled
def _bin(at: float, bins: int) -> int:
    """Index of the bin at a coordinate of the picture, the first or last one beyond it."""
    return int(min(max(at, 0.0), bins - 1.0))


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
