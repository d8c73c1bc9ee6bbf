"""Charts on shapes whose geometry is known, and slow second opinions on what the jet reaches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.chart import CELL_MM, ZoneChart
from models.geometry import Bools, Floats, Ints, Pose, rotation_from_rvec, unit
from models.mesh import ChartMesh
from models.surface import Skin
from models.zone import Zone
from models.zone_chart import Outline, lay_chart

Shape = Callable[[Floats, Floats], Floats]
"""Point (x, y, z) in mm of chart coordinates u, v."""


def chart_on(shape: Shape, *, rows: int, cols: int, cell_mm: float = CELL_MM, tile: int = 0) -> ZoneChart:
    """A grid of cells laid on a shape; normals point towards negative z where the shape is flat."""
    row, col = (index.ravel() for index in np.indices((rows, cols)))
    u_mm: Floats = (col.astype(float) - (cols - 1) / 2.0) * cell_mm
    v_mm: Floats = (row.astype(float) - (rows - 1) / 2.0) * cell_mm
    step = 1e-4
    along_u = (shape(u_mm + step, v_mm) - shape(u_mm - step, v_mm)) / (2.0 * step)
    along_v = (shape(u_mm, v_mm + step) - shape(u_mm, v_mm - step)) / (2.0 * step)
    across = np.cross(along_v, along_u)
    return chart_of(
        row, col, shape(u_mm, v_mm), unit(across), np.linalg.norm(across, axis=1) * cell_mm**2 / 100.0, tile
    )


def chart_of(
    row: Ints, col: Ints, position_mm: Floats, normal: Floats, area_cm2: Floats, tile: int = 0
) -> ZoneChart:
    """A chart all of whose cells are in the zone and on one tile."""
    n = len(row)
    return ZoneChart(
        reference_t_s=0.0,
        anchored_by="tap",
        surface_by="depth",
        row=row,
        col=col,
        u_mm=position_mm[:, 0],
        v_mm=position_mm[:, 1],
        position_mm=position_mm,
        normal=normal,
        area_cm2=area_cm2,
        in_zone=np.ones(n, bool),
        left_out=np.zeros(n, bool),
        tile=np.full(n, tile, np.int64),
        height_u95_mm=np.full(n, 2.0),
        place_u95_mm=5.0,
    )


def beside(first: ZoneChart, second: ZoneChart) -> ZoneChart:
    """Two pieces of skin in one chart that share no edge."""
    return chart_of(
        np.concatenate([first.row, second.row + first.row.max() + 3]),
        np.concatenate([first.col, second.col]),
        np.concatenate([first.position_mm, second.position_mm]),
        np.concatenate([first.normal, second.normal]),
        np.concatenate([first.area_cm2, second.area_cm2]),
    )


def plane(u_mm: Floats, v_mm: Floats) -> Floats:
    """The plane z = 0; its outward normal is -z."""
    return np.stack([u_mm, v_mm, np.zeros_like(u_mm)], axis=-1)


def cylinder(radius_mm: float) -> Shape:
    """A limb along y with its axis at z = radius, so that it touches z = 0; u is the arc."""

    def point(u_mm: Floats, v_mm: Floats) -> Floats:
        turn = u_mm / radius_mm
        return np.stack([radius_mm * np.sin(turn), v_mm, radius_mm * (1.0 - np.cos(turn))], axis=-1)

    return point


def bumpy(seed: int, *, height_mm: float) -> Shape:
    """Smooth hills and valleys about z = 0, about 40 mm long."""
    seeded = np.random.default_rng(seed)
    waves = [(*seeded.normal(0.0, 0.09, 2), seeded.uniform(0.0, 6.3)) for _ in range(5)]

    def point(u_mm: Floats, v_mm: Floats) -> Floats:
        z = sum((np.cos(a * u_mm + b * v_mm + c) for a, b, c in waves), np.zeros_like(u_mm))
        return np.stack([u_mm, v_mm, height_mm * z / 5.0], axis=-1)

    return point


def turned(seed: int) -> Pose:
    """A rigid motion of no special direction."""
    seeded = np.random.default_rng(seed)
    return Pose.of(rotation_from_rvec(seeded.normal(0.0, 1.0, 3)), seeded.normal(0.0, 300.0, 3))


def blocked_slowly(
    mesh: ChartMesh, position_mm: Floats, *, tip_mm: Floats, clearance_mm: float, cells: Ints
) -> Bools:
    """Which cells stand behind a triangle seen from the tip: every cell against every triangle."""
    a, b, c = (position_mm[mesh.triangles[:, k]] for k in range(3))
    blocked = np.zeros(len(cells), bool)
    for place, cell in enumerate(cells):
        ray = position_mm[cell] - tip_mm
        distance, inside = _meets(tip_mm, ray / np.linalg.norm(ray), a, b, c)
        inside &= ~(mesh.triangles == cell).any(axis=1)
        blocked[place] = bool((inside & (distance < np.linalg.norm(ray) - clearance_mm)).any())
    return blocked


def first_hit_slowly(
    mesh: ChartMesh, position_mm: Floats, *, origin_mm: Floats, direction: Floats
) -> float | None:
    """Distance to the nearest triangle on a ray: Moeller and Trumbore's test on every one."""
    a, b, c = (position_mm[mesh.triangles[:, k]] for k in range(3))
    distance, inside = _meets(origin_mm, direction / np.linalg.norm(direction), a, b, c)
    return float(distance[inside].min()) if inside.any() else None


def _meets(origin: Floats, ray: Floats, a: Floats, b: Floats, c: Floats) -> tuple[Floats, Bools]:
    first, second = b - a, c - a
    across = np.cross(ray, second)
    volume = (first * across).sum(1)
    volume = np.where(np.abs(volume) < 1e-12, np.nan, volume)
    out = origin - a
    share_b = (out * across).sum(1) / volume
    turned_out = np.cross(out, first)
    share_c = turned_out @ ray / volume
    distance = (second * turned_out).sum(1) / volume
    return distance, (share_b >= 0.0) & (share_c >= 0.0) & (share_b + share_c <= 1.0) & (distance > 0.0)


def tapped_chart(
    skin: Skin, outline: Outline, *, zone: Zone, u_sign: float = 1.0, reference_t_s: float = 0.0
) -> ZoneChart | None:
    """A zone of its own size laid on skin that a depth camera measured; None where no skin lies there."""
    return lay_chart(
        skin,
        outline,
        zone=zone,
        u_sign=u_sign,
        scale=1.0,
        reference_t_s=reference_t_s,
        anchored_by="tap",
        surface_by="depth",
        place_u95_mm=5.0,
    )
