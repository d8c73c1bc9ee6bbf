"""Compiled kernel of the jet's footprint: weight of every cell, and which cells hide behind others.

Everything is seen from the orifice: a cell is the point (x / d, y / d) of a perspective picture, d its depth
along the jet. The cells that the cone reaches are sorted into bins of that picture; every triangle near them
then looks only into the bins that it covers, and hides the cells that lie inside it and farther away. Where
the skin is one sheet seen from there (`models.one_sheet`), its triangles are passed over.
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from models.geometry import Floats, Ints
from models.one_sheet import one_sheet
from models.shadow import NEAREST_MM, asked, box_of, hide


@compiled
def footprint(
    position_mm: Floats,
    normal: Floats,
    triangles: Ints,
    first: Ints,
    grid: Ints,
    place: Ints,
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
        grid: Cell at each row and column, -1 = none, shape (rows, cols).
        place: Row and column of each cell in it, shape (n, 2).
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
    # Lines of sight stay within the cone: only triangles near it can cut one. A corner lies at most an edge
    # from the cut, and the cone is that much narrower an edge nearer.
    rim_mm = nearer_mm + (1.0 + spread * farthest) * (lift_mm + longest_mm)
    weight = np.zeros(n)
    slot = np.zeros(n, np.int32)  # place among the cells near the cone, from 1; 0: too far to matter
    near, found = np.empty(n, np.int64), 1
    x, y, d = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    for i in range(n):
        a, b, c = position_mm[i, 0] - tx, position_mm[i, 1] - ty, position_mm[i, 2] - tz
        depth = a * ax + b * ay + c * az
        cone_mm = farthest * (half_mm + spread * max(depth, 0.0)) + rim_mm
        if depth > -longest_mm and a * a + b * b + c * c - depth * depth <= cone_mm * cone_mm:
            x[found], y[found], d[found] = a * sx + b * sy + c * sz, a * ux + b * uy + c * uz, depth
            near[found - 1], slot[i] = i, found
            found += 1
    x, y, d = x[:found], y[:found], d[:found]
    reached, looked, heaviest, most = np.empty(found, np.int64), 0, 0, 0.0
    look_x, look_y, look_d = np.empty(found), np.empty(found), np.empty(found)
    for k in range(1, found):
        i, p, q, depth = near[k - 1], x[k], y[k], d[k]
        per = 1.0 / depth if depth > NEAREST_MM else np.nan
        x[k], y[k] = p * per, q * per
        if not depth > 0.0:
            continue
        cone_mm = half_mm + spread * depth
        flat = p * p + q * q
        r = max(0.0, math.sqrt(flat) - nearer_mm) / cone_mm
        if not r <= farthest:
            continue
        nx, ny, nz = normal[i, 0], normal[i, 1], normal[i, 2]
        against = nx * ax + ny * ay + nz * az
        if not against < facing:
            continue
        ray_mm = math.sqrt(flat + depth * depth)
        side, up = nx * sx + ny * sy + nz * sz, nx * ux + ny * uy + nz * uz
        if p * side + q * up + depth * against > horizon * ray_mm:
            continue
        weight[i] = math.exp(-math.log(2.0) * r * r)
        end_d = depth + lift_mm * against
        clear_d = end_d - clearance_mm * depth / ray_mm
        if clear_d <= NEAREST_MM:
            continue  # nothing fits between the orifice and this cell
        if weight[i] > most:
            most, heaviest = weight[i], i
        reached[looked], look_d[looked] = i, clear_d
        look_x[looked], look_y[looked] = x[k], y[k]
        if lift_mm > 0.0:
            look_x[looked], look_y[looked] = (p + lift_mm * side) / end_d, (q + lift_mm * up) / end_d
        looked += 1
    if looked == 0:
        return weight
    sheet, reach = np.zeros(found, np.int8), (0.0, 0.0)
    if lift_mm == 0.0 and grid.size > 0:
        # Lines of sight end at the cells themselves: one sheet of skin cannot cut them.
        r0, r1, c0, c1 = _window(place, reached[:looked], grid.shape)
        rows, cols = r1 - r0 + 1, c1 - c0 + 1
        px, py, within = np.empty((rows, cols)), np.empty((rows, cols)), np.empty((rows, cols), np.int32)
        for row in range(rows):
            for col in range(cols):
                i = grid[r0 + row, c0 + col]
                k = slot[i] if i >= 0 else 0
                within[row, col] = k
                if k > 0:
                    px[row, col], py[row, col] = x[k], y[k]
                    continue
                px[row, col], py[row, col] = np.nan, np.nan
                if i >= 0:
                    a, b, c = position_mm[i, 0] - tx, position_mm[i, 1] - ty, position_mm[i, 2] - tz
                    depth = a * ax + b * ay + c * az
                    if depth > NEAREST_MM:
                        px[row, col] = (a * sx + b * sy + c * sz) / depth
                        py[row, col] = (a * ux + b * uy + c * uz) / depth
        rim = (r0 == 0, r1 == grid.shape[0] - 1, c0 == 0, c1 == grid.shape[1] - 1)
        reach = one_sheet(sheet, within, px, py, (place[heaviest, 0] - r0, place[heaviest, 1] - c0), rim)
    look = (look_x[:looked], look_y[:looked], look_d[:looked])
    picture, box = (x, y, d), box_of(look)
    cells = reached[:looked]
    open_ = asked(cells, look, box, picture, triangles, first, near, slot, sheet, reach, longest_mm)
    if len(open_) > 0:
        hide(weight, cells, look, box, picture, triangles, open_, slot)
    return weight


@compiled
def _window(place: Ints, reached: Ints, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the cells reached, with one more on each side."""
    r0, r1, c0, c1 = shape[0], -1, shape[1], -1
    for i in reached:
        row, col = place[i, 0], place[i, 1]
        r0, r1, c0, c1 = min(r0, row), max(r1, row), min(c0, col), max(c1, col)
    return max(r0 - 1, 0), min(r1 + 1, shape[0] - 1), max(c0 - 1, 0), min(c1 + 1, shape[1] - 1)
