"""Cells of a chart as a mesh: shared corners, and the smoothed outlines of zone and left-out areas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.chart import ZoneChart
from models.geometry import Bools, Floats, Ints, frozen, unit

SMOOTH_ROUNDS = 20
"""Rounds of 1-2-1 averaging along an outline: a spread of 16 mm, which takes the 5 mm stairs out and shifts
a curve of 80 mm radius by 16^2 / (2 * 80) = 1.6 mm. A short outline gets fewer: one for each 8 points."""


@dataclass(frozen=True, eq=False)
class Outline3:
    """A closed line on the skin, chart frame."""

    points_mm: Floats
    """Shape (k, 3)."""
    normals: Floats
    """Outward normals, shape (k, 3)."""


@dataclass(frozen=True, eq=False)
class CellMesh:
    """Corners of all cells, chart frame; neighbours share them, so that no seam shows."""

    vertex_mm: Floats
    """Shape (m, 3)."""
    corner: Ints
    """Vertices of each cell in order round it, shape (n, 4)."""
    zone: tuple[Outline3, ...]
    """Outline of the zone, areas left out counted as inside it."""
    left_out: tuple[Outline3, ...]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "vertex_mm", frozen(self.vertex_mm))
        object.__setattr__(self, "corner", frozen(self.corner))

    @property
    def corner_mm(self) -> Floats:
        """Corners of each cell, chart frame, shape (n, 4, 3)."""
        return self.vertex_mm[self.corner]


@lru_cache(maxsize=4)
def cell_mesh(chart: ZoneChart) -> CellMesh:
    """Mesh of a chart, computed once (charts compare by identity and never change)."""
    row, col = chart.row - chart.row.min() + 2, chart.col - chart.col.min() + 2
    shape = (int(row.max()) + 3, int(col.max()) + 3)
    centre = np.full((*shape, 3), np.nan)
    centre[row, col] = chart.position_mm
    known = np.zeros(shape, bool)
    known[row, col] = True
    for _ in range(2):  # straight neighbours first, then the diagonal ones they make known
        centre, known = _extended(centre, known)
    around = np.stack([centre[:-1, :-1], centre[:-1, 1:], centre[1:, 1:], centre[1:, :-1]])
    have = np.isfinite(around[..., 0])
    corner_grid = np.where(have[..., None], around, 0.0).sum(0) / np.maximum(have.sum(0), 1)[..., None]
    # Vertex (i, j) of corner_grid lies between rows i and i + 1.
    i, j = row - 1, col - 1
    width = corner_grid.shape[1]
    flat = np.stack([i * width + j, i * width + j + 1, (i + 1) * width + j + 1, (i + 1) * width + j], axis=1)
    used, inverse = np.unique(flat, return_inverse=True)
    corner = inverse.reshape(-1, 4).astype(np.int64)
    vertex = corner_grid.reshape(-1, 3)[used]
    normal = np.zeros_like(vertex)
    for k in range(4):
        np.add.at(normal, corner[:, k], chart.normal)
    normal = unit(normal)
    return CellMesh(
        vertex_mm=vertex,
        corner=corner,
        zone=_outlines(corner, chart.in_zone | chart.left_out, vertex, normal),
        left_out=_outlines(corner, chart.left_out, vertex, normal),
    )


def _extended(centre: Floats, known: Bools) -> tuple[Floats, Bools]:
    """Go on past the edge by one cell, along the last step in each direction that has one."""
    total, count = np.zeros_like(centre), np.zeros(known.shape)
    for dr, dc in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        near, far = np.roll(centre, (dr, dc), (0, 1)), np.roll(centre, (2 * dr, 2 * dc), (0, 1))
        near_known = np.roll(known, (dr, dc), (0, 1))
        both = near_known & np.roll(known, (2 * dr, 2 * dc), (0, 1))
        total[both] += 2.0 * near[both] - far[both]
        count += both
    new = ~known & (count > 0)
    out = centre.copy()
    out[new] = total[new] / count[new][:, None]
    return out, known | new


def _outlines(corner: Ints, inside: Bools, vertex: Floats, normal: Floats) -> tuple[Outline3, ...]:
    """Closed boundaries of a set of cells, smoothed."""
    quads = corner[inside]
    if not len(quads):
        return ()
    edges = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    present = {(int(a), int(b)) for a, b in edges}
    following: dict[int, list[int]] = {}
    for a, b in sorted(present):
        if (b, a) not in present:
            following.setdefault(a, []).append(b)
    loops: list[Outline3] = []
    while following:
        start = next(iter(following))
        loop, at = [start], start
        while True:
            nexts = following[at]
            after = nexts.pop()
            if not nexts:
                del following[at]
            if after == start:
                break
            loop.append(after)
            at = after
        points = vertex[loop]
        for _ in range(min(SMOOTH_ROUNDS, max(2, len(loop) // 8))):
            points = (np.roll(points, 1, axis=0) + 2.0 * points + np.roll(points, -1, axis=0)) / 4.0
        loops.append(Outline3(points, normal[loop]))
    return tuple(loops)
