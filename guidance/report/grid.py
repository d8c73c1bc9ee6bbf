"""Cells as a raster, seen the way one looks at the skin: charts in cm and zones in pixels alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from guidance.outcome import PixelCells
from models.chart import CELL_MM, ZoneChart
from models.geometry import Bools, Bytes, Floats, Ints, frozen

SQUARE_PX = 10
"""Raster pixels along the side of one cell: about twice as many as are shown, so that stripes stay smooth."""


@dataclass(frozen=True, eq=False)
class CellGrid:
    """Which square of a raster each cell fills; row 0 is the uppermost, column 0 the leftmost."""

    row: Ints
    col: Ints
    rows: int
    cols: int
    x_edges: tuple[float, float]
    """Axis value at the left and at the right edge of the raster, in ``unit``; may run downwards."""
    y_edges: tuple[float, float]
    """Axis value at the upper and at the lower edge."""
    unit: str
    """``cm`` or ``px``."""
    x_label: str
    y_label: str
    in_zone: Bools
    left_out: Bools
    """Inside the zone's outline, but not to be treated."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("row", "col", "in_zone", "left_out"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def spread(self, values: Floats, *, empty: float = np.nan) -> Floats:
        """Values of the cells laid on the raster, shape (rows, cols)."""
        out = np.full((self.rows, self.cols), empty)
        out[self.row, self.col] = values
        return out


def chart_grid(chart: ZoneChart, *, limb: bool) -> CellGrid:
    """The chart as seen by somebody who looks at the skin from outside, head (or trunk) up."""
    row, col = chart.row - chart.row.min(), chart.col - chart.col.min()
    du, dv = _slope(col, chart.u_mm), _slope(row, chart.v_mm)
    u0 = float(np.median(chart.u_mm - du * col))
    v0 = float(np.median(chart.v_mm - dv * row))
    rows, cols = int(row.max()) + 1, int(col.max()) + 1
    u_rightwards = _seen_from_outside(chart, row, col) * np.sign(du) * np.sign(dv) > 0.0
    if (du > 0.0) != u_rightwards:
        col = cols - 1 - col
        u_edges = (u0 + du * (cols - 0.5), u0 - du * 0.5)
    else:
        u_edges = (u0 - du * 0.5, u0 + du * (cols - 0.5))
    if dv > 0.0:
        row = rows - 1 - row
        v_edges = (v0 + dv * (rows - 0.5), v0 - dv * 0.5)
    else:
        v_edges = (v0 - dv * 0.5, v0 + dv * (rows - 0.5))
    arrow = "subject's left →" if u_rightwards else "← subject's left"
    return CellGrid(
        row=row,
        col=col,
        rows=rows,
        cols=cols,
        x_edges=(u_edges[0] / 10.0, u_edges[1] / 10.0),
        y_edges=(v_edges[0] / 10.0, v_edges[1] / 10.0),
        unit="cm",
        x_label=f"u (cm), {arrow}",
        y_label=f"v (cm), {'trunk' if limb else 'head'} →",
        in_zone=chart.in_zone,
        left_out=chart.left_out,
    )


def pixel_grid(cells: PixelCells) -> CellGrid:
    """A zone known in pixels, as in its picture."""
    x, y = cells.centre_px[:, 0], cells.centre_px[:, 1]
    step_x, step_y = _pitch(x), _pitch(y)
    col, row = _nearest((x - x.min()) / step_x), _nearest((y - y.min()) / step_y)
    return CellGrid(
        row=row,
        col=col,
        rows=int(row.max()) + 1,
        cols=int(col.max()) + 1,
        x_edges=(float(x.min() - step_x / 2), float(x.max() + step_x / 2)),
        y_edges=(float(y.min() - step_y / 2), float(y.max() + step_y / 2)),
        unit="px",
        x_label=f"x (px of the {'thermal' if cells.stream == 'thermal' else 'colour'} picture)",
        y_label="y (px) ↓",
        in_zone=cells.in_zone,
        left_out=np.zeros(len(cells.in_zone), bool),
    )


def outline_paths(grid: CellGrid, cells: Bools, *, smooth_cells: float) -> list[Floats]:
    """Outlines of a set of cells, raster coordinates in cells (x right, y down), closed.

    ``smooth_cells`` is the spread of the smoothing; a set smaller than that would vanish.
    """
    mask = np.zeros((grid.rows + 4, grid.cols + 4), np.uint8)
    mask[grid.row[cells] + 2, grid.col[cells] + 2] = 255
    fine = cv2.resize(mask, None, fx=8.0, fy=8.0, interpolation=cv2.INTER_NEAREST)
    soft = cv2.GaussianBlur(fine, (0, 0), 8.0 * smooth_cells)
    contours, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    out: list[Floats] = []
    for contour in contours:
        points = cv2.approxPolyDP(contour, 0.8, True).reshape(-1, 2).astype(float)
        if len(points) >= 3:
            out.append((points + 0.5) / 8.0 - 2.0)
    return out


def stripes_of(pattern: str, *, height_px: int, width_px: int, period_px: int) -> Bools:
    """The dark part of a pattern over a whole picture, so that it runs on from cell to cell."""
    y, x = np.ogrid[:height_px, :width_px]
    line = max(1, round(0.2 * period_px))
    if pattern == "cross":
        return ((x + y) % period_px < line) | ((x - y) % period_px < line)
    if pattern == "hatch":
        return (x + y) % period_px < round(0.36 * period_px)
    if pattern == "bars":
        return (y % period_px < line) & (x >= 0)
    return np.zeros((height_px, width_px), bool)


def raster(
    grid: CellGrid, colour: Bytes, *, pattern: dict[str, Bools], ink: dict[str, tuple[int, int, int]]
) -> Bytes:
    """Paint the cells.

    Args:
        grid: Where each cell lies.
        colour: Red, green, blue per cell, shape (n, 3).
        pattern: Cells by name of their pattern, each of shape (n,).
        ink: Colour of each pattern.

    Returns:
        Blue, green, red, alpha, shape (rows * SQUARE_PX, cols * SQUARE_PX, 4); clear where there is no cell.
    """
    small = np.zeros((grid.rows, grid.cols, 4), np.uint8)
    small[grid.row, grid.col, :3] = colour[:, ::-1]
    small[grid.row, grid.col, 3] = 255
    large = np.repeat(np.repeat(small, SQUARE_PX, axis=0), SQUARE_PX, axis=1)
    for name, cells in pattern.items():
        here = np.zeros((grid.rows, grid.cols), bool)
        here[grid.row[cells], grid.col[cells]] = True
        dark = stripes_of(name, height_px=large.shape[0], width_px=large.shape[1], period_px=2 * SQUARE_PX)
        mask = np.kron(here, np.ones((SQUARE_PX, SQUARE_PX), bool)) & dark
        large[mask, :3] = ink[name][::-1]
    return large


def _nearest(values: Floats) -> Ints:
    return np.round(values).astype(np.int64)


def _slope(index: Ints, value_mm: Floats) -> float:
    """Millimetres per step of a grid index; a single row or column has the size of a cell."""
    spread = index - index.mean()
    total = float((spread**2).sum())
    return float((spread * value_mm).sum() / total) if total > 0.0 else CELL_MM


def _seen_from_outside(chart: ZoneChart, row: Ints, col: Ints) -> float:
    """+1 where column x row x outward normal is right-handed, -1 where it is not."""
    index = np.full((int(row.max()) + 2, int(col.max()) + 2), -1)
    index[row, col] = np.arange(len(row))
    right, up = index[row, col + 1], index[row + 1, col]
    have = (right >= 0) & (up >= 0)
    if not have.any():
        return 1.0
    here = chart.position_mm[have]
    cross = np.cross(chart.position_mm[right[have]] - here, chart.position_mm[up[have]] - here)
    return float(np.sign((cross * chart.normal[have]).sum()) or 1.0)


def _pitch(values: Floats) -> float:
    steps = np.diff(np.unique(np.round(values, 3)))
    steps = steps[steps > 0.05]
    return float(steps.min()) if len(steps) else 1.0
