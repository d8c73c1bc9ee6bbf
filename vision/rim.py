"""How much of a thermal pixel at the rim of the body may lie off it, as chart and rig foretell.

Towards the horizon a surface turns away faster and faster: with the angle t between normal and line of sight,
a body of radius R (in pixels) ends R (1 - sin t) beyond a cell. How fast the cosine falls from cell to
cell tells R: cos t changes by -sin t dt where the pixel moves by R cos t dt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from models.chart import ZoneChart
from models.geometry import Floats

FLAT = 0.999
"""Cells seen more squarely than this are in no body's rim, whatever their neighbours do."""


@dataclass(frozen=True, eq=False)
class Horizon:
    """Where the body ends in the picture, from each cell on."""

    inside_px: Floats
    """How far inside the outline the cell lies, shape (n,); inf where the surface does not turn away, 0 where
    it has."""
    way: Floats
    """Unit vector in the picture towards the outline, shape (n, 2); zero where it does not turn away."""


def horizon(chart: ZoneChart, facing: Floats, px: Floats) -> Horizon:
    """Foretell where the body ends in the picture.

    Args:
        chart: For who is whose neighbour.
        facing: Cosine between normal and line of sight, shape (n,).
        px: Where each cell is seen, shape (n, 2).
    """
    shape = (int(chart.row.max()) + 3, int(chart.col.max()) + 3)
    grid = np.full((*shape, 3), np.nan)
    grid[chart.row + 1, chart.col + 1] = np.column_stack([facing, px])
    steps: list[Floats] = []
    for axis in (0, 1):
        before, after = np.roll(grid, 1, axis=axis), np.roll(grid, -1, axis=axis)
        middle, known = (after - before) / 2.0, np.isfinite(after - before)
        one = np.where(np.isfinite(after - grid), after - grid, grid - before)
        steps.append(np.where(known, middle, one)[chart.row + 1, chart.col + 1])
    by_row, by_col = steps
    # Gradient of the cosine in the picture: two steps along the grid, two directions of pixels.
    x1, y1, x2, y2 = by_row[:, 1], by_row[:, 2], by_col[:, 1], by_col[:, 2]
    turns = x1 * y2 - y1 * x2
    with np.errstate(divide="ignore", invalid="ignore"):
        fall_x = (by_row[:, 0] * y2 - by_col[:, 0] * y1) / turns
        fall_y = (by_col[:, 0] * x1 - by_row[:, 0] * x2) / turns
        sine = np.sqrt(np.clip(1.0 - facing**2, 0.0, 1.0))
        steep = np.hypot(fall_x, fall_y)
        left = (1.0 - sine) * sine / np.clip(facing, 1e-6, None) / steep
        way = -np.stack([fall_x, fall_y], axis=1) / steep[:, None]
    flat = (facing > FLAT) | ~np.isfinite(left)
    left = np.where(flat, np.inf, left)
    return Horizon(np.where(facing > 0.0, left, 0.0), np.where(flat[:, None], 0.0, way))


def off_share(inside_px: Floats, *, spread_px: float, misplaced_u95_px: Floats) -> Floats:
    """Share of each cell's pixel that may show what lies behind the body, 95 % bound.

    Args:
        inside_px: As `horizon` gives it.
        spread_px: Standard deviation of the camera's spread of a point.
        misplaced_u95_px: How far the cell may lie beside the pixel, shape (n,).
    """
    return np.asarray(ndtr((misplaced_u95_px - inside_px) / spread_px), np.float64)
