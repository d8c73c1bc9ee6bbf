"""Compiled: the part of the skin that is one sheet seen from the orifice, so that it cannot hide itself.

The grid of cells is drawn into the orifice's perspective picture. A map from a rectangle of the grid to the
picture whose derivative has a positive definite symmetric part everywhere (after one fixed linear map) is one
to one: between two points p, q of the rectangle, (f(p) - f(q)) . (p - q) is the integral of
(p - q) . Df (p - q) over the straight way, hence above 0. The picture is linear on each triangle: a test of
each proves it. No two triangles of such a block cover one point of the picture: none hides a cell of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.geometry import Floats

Slots = NDArray[np.int32]
Marks = NDArray[np.int8]


@compiled
def one_sheet(
    sheet: Marks,
    slot: Slots,
    px: Floats,
    py: Floats,
    middle: tuple[int, int],
    rim: tuple[bool, bool, bool, bool],
) -> tuple[float, float]:
    """Find a block of the grid about a cell that cannot hide itself, and mark it.

    Args:
        sheet: Marks to set, one a slot, 0 before: 1 = in the block, 2 = all its triangles too; in place.
        slot: Slot of the cell at each row and column of the part looked at, shape (rows, cols); slot 0 holds
            what needs no mark.
        px: Picture of each cell, NaN where it has none, shape (rows, cols).
        py: The same across.
        middle: Row and column to start from.
        rim: Whether nothing lies before the first row, after the last, and the same of the columns.

    Returns:
        Bounds of how far the picture of a triangle of the block reaches in x and in y; 0 without a block.
    """
    rows, cols = slot.shape
    r, c = middle
    if rows < 2 or cols < 2:
        return 0.0, 0.0
    # The fixed linear map: inverse of the derivative at the middle, but for a positive factor.
    up, down, left, right = max(r - 1, 0), min(r + 1, rows - 1), max(c - 1, 0), min(c + 1, cols - 1)
    hx, hy = px[r, right] - px[r, left], py[r, right] - py[r, left]
    vx, vy = px[down, c] - px[up, c], py[down, c] - py[up, c]
    whole = hx * vy - vx * hy
    if not whole * whole > 0.0:
        return 0.0, 0.0
    sign = 1.0 if whole > 0.0 else -1.0
    fine = _monotone(px, py, (sign * vy, -sign * vx, -sign * hy, sign * hx))
    top, bottom, first, last = _grown(fine, r, c)
    if top > bottom:
        return 0.0, 0.0
    reach_hx, reach_hy, reach_vx, reach_vy = 0.0, 0.0, 0.0, 0.0
    for i in range(top, bottom + 2):
        inner_row = (i > top or (rim[0] and i == 0)) and (i <= bottom or (rim[1] and i == rows - 1))
        for j in range(first, last + 2):
            inner = (j > first or (rim[2] and j == 0)) and (j <= last or (rim[3] and j == cols - 1))
            sheet[slot[i, j]] = 2 if inner_row and inner else 1
            if j <= last:
                reach_hx = max(reach_hx, abs(px[i, j + 1] - px[i, j]))
                reach_hy = max(reach_hy, abs(py[i, j + 1] - py[i, j]))
            if i <= bottom:
                reach_vx = max(reach_vx, abs(px[i + 1, j] - px[i, j]))
                reach_vy = max(reach_vy, abs(py[i + 1, j] - py[i, j]))
    return reach_hx + reach_vx, reach_hy + reach_vy


@compiled
def _monotone(px: Floats, py: Floats, by: tuple[float, float, float, float]) -> Marks:
    """Of each square: 1 where both triangles, along either diagonal, pass the test; NaN never does."""
    rows, cols = px.shape
    xx, xy, yx, yy = by
    fine = np.empty((rows - 1, cols - 1), np.int8)
    for i in range(rows - 1):
        for j in range(cols - 1):
            ax, bx, cx, dx = px[i, j], px[i, j + 1], px[i + 1, j + 1], px[i + 1, j]
            ay, by_, cy, dy = py[i, j], py[i, j + 1], py[i + 1, j + 1], py[i + 1, j]
            # Along the columns, at the square's first and its second row; then along the rows.
            h0, h1 = xx * (bx - ax) + xy * (by_ - ay), xx * (cx - dx) + xy * (cy - dy)
            g0, g1 = yx * (bx - ax) + yy * (by_ - ay), yx * (cx - dx) + yy * (cy - dy)
            v0, v1 = yx * (dx - ax) + yy * (dy - ay), yx * (cx - bx) + yy * (cy - by_)
            w0, w1 = xx * (dx - ax) + xy * (dy - ay), xx * (cx - bx) + xy * (cy - by_)
            one = (4.0 * h0 * v0 > (g0 + w0) * (g0 + w0)) & (4.0 * h1 * v1 > (g1 + w1) * (g1 + w1))
            two = (4.0 * h0 * v1 > (g0 + w1) * (g0 + w1)) & (4.0 * h1 * v0 > (g1 + w0) * (g1 + w0))
            fine[i, j] = one & two & (h0 > 0.0) & (h1 > 0.0) & (v0 > 0.0) & (v1 > 0.0)
    return fine


@compiled
def _grown(fine: Marks, row: int, col: int) -> tuple[int, int, int, int]:
    """First and last row, first and last column of a rectangle of fine squares that touches a grid point."""
    rows, cols = fine.shape
    top, first = -1, -1
    for i in range(max(row - 1, 0), min(row, rows - 1) + 1):
        for j in range(max(col - 1, 0), min(col, cols - 1) + 1):
            if fine[i, j]:
                top, first = i, j
    if top < 0:
        return 0, -1, 0, -1
    bottom, last = top, first
    grows = True
    while grows:
        grows = False
        if top > 0 and fine[top - 1, first : last + 1].all():
            top, grows = top - 1, True
        if bottom < rows - 1 and fine[bottom + 1, first : last + 1].all():
            bottom, grows = bottom + 1, True
        if first > 0 and fine[top : bottom + 1, first - 1].all():
            first, grows = first - 1, True
        if last < cols - 1 and fine[top : bottom + 1, last + 1].all():
            last, grows = last + 1, True
    return top, bottom, first, last
