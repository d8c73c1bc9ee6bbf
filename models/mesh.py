"""The chart's cells as a triangle mesh: what a jet strikes first, and what hides what."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.chart import CELL_MM, ZoneChart
from models.compiled import compiled, still
from models.geometry import Floats, Ints, frozen, unit

LONGEST_EDGE_MM = 3.0 * CELL_MM
"""Neighbours farther apart than this are not one piece of skin: a hole in the depth picture or a step
between two body parts. A regular edge is 5 mm, a diagonal 7 mm."""


@dataclass(frozen=True, eq=False)
class ChartMesh:
    """Triangles between neighbouring cells, vertices = cell centres.

    The mesh is fixed to the chart, not to a place: every function that uses it takes the positions of the
    cells now, so one mesh serves all captures.
    """

    triangles: Ints
    """Cell indices, shape (m, 3), sorted by their lowest."""
    cells: int
    """Number of cells of the chart."""
    longest_mm: float
    """Longest edge when the chart was laid."""
    grid: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64))
    """Cell at each row and column of the chart, -1 where there is none, shape (rows, cols); every triangle
    joins three corners of one of its squares. Shape (0, 0) without a grid that holds every cell."""
    place: Ints = field(init=False)
    """Row and column of each cell in the grid, shape (cells, 2)."""
    first: Ints = field(init=False)
    """Of each cell, the first triangle whose lowest cell it is, shape (cells + 1,)."""

    def __post_init__(self) -> None:
        """Check that every corner is a cell, sort, and freeze the arrays."""
        triangles = np.asarray(self.triangles, dtype=np.int64).reshape(-1, 3)
        if len(triangles) and (triangles.min() < 0 or triangles.max() >= self.cells):
            raise ValueError(f"A triangle names a cell outside 0..{self.cells - 1}.")
        lowest = triangles.min(axis=1, initial=self.cells)
        order = np.argsort(lowest, kind="stable")
        first = np.searchsorted(lowest[order], np.arange(self.cells + 1))
        place = np.full((self.cells, 2), -1)
        row, col = np.nonzero(self.grid >= 0)
        place[self.grid[row, col]] = np.stack([row, col], axis=1)
        whole = self.grid if (place >= 0).all() else np.empty((0, 0), np.int64)
        object.__setattr__(self, "grid", frozen(whole))
        object.__setattr__(self, "place", frozen(place))
        object.__setattr__(self, "triangles", frozen(triangles[order]))
        object.__setattr__(self, "first", frozen(first.astype(np.int64)))

    @staticmethod
    def of(chart: ZoneChart) -> ChartMesh:
        """Join neighbouring cells of the chart's grid.

        Four cells of a grid square give two triangles along the shorter diagonal, three give one.
        Edges longer than `LONGEST_EDGE_MM` are left open.
        """
        index = np.full((int(np.ptp(chart.row)) + 2, int(np.ptp(chart.col)) + 2), -1, dtype=np.int64)
        index[chart.row - chart.row.min(), chart.col - chart.col.min()] = np.arange(len(chart))
        square = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(
            -1, 4
        )
        present = (square >= 0).sum(1)
        full, partial = square[present == 4], square[present == 3]

        def edge_mm(a: Ints, b: Ints) -> Floats:
            return np.linalg.norm(chart.position_mm[a] - chart.position_mm[b], axis=-1)

        across = edge_mm(full[:, 0], full[:, 2]) <= edge_mm(full[:, 1], full[:, 3])
        first = np.where(across[:, None], full[:, [0, 1, 2]], full[:, [0, 1, 3]])
        second = np.where(across[:, None], full[:, [0, 2, 3]], full[:, [1, 2, 3]])
        triangles = np.concatenate([first, second, partial[partial >= 0].reshape(-1, 3)])
        longest = np.max([edge_mm(triangles[:, i], triangles[:, (i + 1) % 3]) for i in range(3)], axis=0)
        kept = longest <= LONGEST_EDGE_MM
        longest_mm = float(longest[kept].max(initial=0.0))
        return ChartMesh(triangles[kept], len(chart), longest_mm, index[:-1, :-1].copy())


@dataclass(frozen=True, eq=False)
class Hit:
    """Where a ray meets the skin first, in the frame of the positions that were passed in."""

    point_mm: Floats
    """Shape (3,)."""
    distance_mm: float
    """From the origin, along the ray."""
    normal: Floats
    """Outward unit normal there, interpolated between the cells, shape (3,)."""
    cell: int
    """Nearest cell."""


def cast_ray(
    mesh: ChartMesh, position_mm: Floats, normal: Floats, *, origin_mm: Floats, direction: Floats
) -> Hit | None:
    """Find the first triangle in front of the origin.

    Args:
        mesh: Which cells are neighbours.
        position_mm: Cell centres now, shape (n, 3), any frame.
        normal: Outward unit normals in the same frame, shape (n, 3).
        origin_mm: Start of the ray, shape (3,).
        direction: Its direction, need not have length 1, shape (3,).

    Returns:
        The hit, or None where the ray meets no triangle: the skin there, if any, is off the map.

    Raises:
        ValueError: If the direction has no length.
    """
    position_mm, origin_mm = still(np.asarray(position_mm, float)), still(np.asarray(origin_mm, float))
    axis, side, up = ray_frame(direction)
    distance_mm, triangle, first, second = _nearest_triangle(
        position_mm, mesh.triangles, origin_mm, axis, side, up
    )
    if triangle < 0:
        return None
    corners = mesh.triangles[triangle]
    share = np.array([1.0 - first - second, first, second])
    point_mm = origin_mm + distance_mm * axis
    return Hit(
        point_mm=point_mm,
        distance_mm=float(distance_mm),
        normal=unit(share @ normal[corners]),
        cell=_nearest_cell(position_mm, point_mm),
    )


def ray_frame(direction: Floats) -> tuple[Floats, Floats, Floats]:
    """Unit vector along a direction and two more across it.

    Raises:
        ValueError: If the direction has no length.
    """
    length = float(np.linalg.norm(direction))
    if not length > 0.0:
        raise ValueError("A ray needs a direction with a length.")
    axis = np.asarray(direction, float) / length
    side = np.zeros(3)
    side[int(np.abs(axis).argmin())] = 1.0
    side = unit(side - float(side @ axis) * axis)
    up = np.array(
        [
            axis[1] * side[2] - axis[2] * side[1],
            axis[2] * side[0] - axis[0] * side[2],
            axis[0] * side[1] - axis[1] * side[0],
        ]
    )
    return axis, side, up


@compiled
def _nearest_triangle(
    position_mm: Floats, triangles: Ints, origin_mm: Floats, axis: Floats, side: Floats, up: Floats
) -> tuple[float, int, float, float]:
    """Distance, index and the shares of corners 1 and 2 of the first triangle on the ray; index -1 = none."""
    n = len(position_mm)
    x, y, d = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        a = position_mm[i, 0] - origin_mm[0]
        b = position_mm[i, 1] - origin_mm[1]
        c = position_mm[i, 2] - origin_mm[2]
        x[i] = a * side[0] + b * side[1] + c * side[2]
        y[i] = a * up[0] + b * up[1] + c * up[2]
        d[i] = a * axis[0] + b * axis[1] + c * axis[2]
    best, found, best_first, best_second = np.inf, -1, 0.0, 0.0
    for k in range(len(triangles)):
        i, j, m = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        # Seen along the ray: the origin lies inside the triangle if all three turns have one sign.
        turn_m = x[i] * y[j] - x[j] * y[i]
        turn_i = x[j] * y[m] - x[m] * y[j]
        if turn_m * turn_i < 0.0:
            continue
        turn_j = x[m] * y[i] - x[i] * y[m]
        if turn_m * turn_j < 0.0 or turn_i * turn_j < 0.0:
            continue
        whole = turn_i + turn_j + turn_m
        if whole == 0.0:
            continue
        distance = (turn_i * d[i] + turn_j * d[j] + turn_m * d[m]) / whole
        if 0.0 < distance < best:
            best, found = float(distance), k
            best_first, best_second = float(turn_j / whole), float(turn_m / whole)
    return best, found, best_first, best_second


@compiled
def _nearest_cell(position_mm: Floats, point_mm: Floats) -> int:
    best, found = np.inf, -1
    for i in range(len(position_mm)):
        a = position_mm[i, 0] - point_mm[0]
        b = position_mm[i, 1] - point_mm[1]
        c = position_mm[i, 2] - point_mm[2]
        square = float(a * a + b * b + c * c)
        if square < best:
            best, found = square, i
    return found
