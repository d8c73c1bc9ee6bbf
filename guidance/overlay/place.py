"""Where a placed chart lies in the picture, and what of it faces the camera: for overlay and console."""

from __future__ import annotations

import math

import numpy as np

from guidance.overlay.mesh import Outline3, cell_mesh
from models.camera import Camera
from models.chart import PlacedChart
from models.geometry import Bools, Floats

GRAZING_COS = 0.1
"""Cells seen at a flatter angle are not coloured: they lie on the far side of a limb."""

ROUGH_MM = 20.0
"""A zone whose place is known no better lies there roughly only: as wide as a jet's spot (own choice)."""


def place_u95_mm(zone: PlacedChart) -> float:
    """How well the zone's place on the body is known, 95 %: as it was laid, and as it was followed since."""
    return math.hypot(zone.chart.place_u95_mm, zone.moved_u95_mm)


def is_rough(zone: PlacedChart) -> bool:
    """Whether it lies there roughly only; a bound that is no number is no better."""
    return not place_u95_mm(zone) <= ROUGH_MM


def seen_cells(zone: PlacedChart, *, rgb: Camera) -> tuple[Floats, Bools]:
    """Where the mesh lies in the picture, and which cells face the camera.

    Returns:
        Pixels of the mesh's vertices, shape (m, 2), NaN where a vertex cannot be in a picture; and for each
        cell whether it is seen, shape (n,).
    """
    mesh = cell_mesh(zone.chart)
    vertex_px = rgb.project(zone.rgb_from_chart.apply(mesh.vertex_mm))
    position = zone.position_rgb_mm
    facing = -(zone.normal_rgb * position).sum(1) > GRAZING_COS * np.linalg.norm(position, axis=1)
    finite = np.isfinite(vertex_px.sum(axis=1))
    return vertex_px, facing & finite[mesh.corner].all(axis=1)


def seen_runs(loop: Outline3, zone: PlacedChart, *, rgb: Camera) -> tuple[list[Floats], bool]:
    """The parts of an outline that face the camera.

    Returns:
        Pixels of each part, shape (k, 2); and whether it is the whole outline, which then closes.
    """
    points = zone.rgb_from_chart.apply(loop.points_mm)
    normals = zone.rgb_from_chart.rotate(loop.normals)
    px = rgb.project(points)
    seen = np.isfinite(px).all(1) & (-(normals * points).sum(1) > 0.0)
    if not seen.any():
        return [], False
    if seen.all():
        return [px], True
    start = int(np.flatnonzero(~seen)[0])
    order = np.roll(np.arange(len(px)), -start)
    breaks = np.flatnonzero(np.diff(np.concatenate([[False], seen[order], [False]]).astype(int)))
    return [px[order[a:b]] for a, b in zip(breaks[::2], breaks[1::2], strict=True)], False
