"""Lay a zone on the skin: 5 mm cells by arc length, with their true area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.chart import CELL_MM, ZoneChart
from models.geometry import Bools, Floats, Ints, unit
from models.surface import GRID_MM, Skin
from models.zone import LeaveOut, Zone

MARGIN_MM = 80.0
"""The map goes on this far past the outline (the format asks for at least 50 mm), so that overspray is
counted."""

TILE_CM2 = 150.0
"""No dose per tile above this has one timer (domain section 6)."""


@dataclass(frozen=True, eq=False)
class Outline:
    """Where the zone ends, in chart coordinates: a closed polygon of shape (n, 2), u and v in mm."""

    polygon_mm: Floats

    def contains(self, u_mm: Floats, v_mm: Floats) -> Bools:
        """Even-odd rule."""
        inside = np.zeros(np.shape(u_mm), bool)
        polygon = self.polygon_mm
        for (u1, v1), (u2, v2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            crosses = (v1 > v_mm) != (v2 > v_mm)
            if v1 != v2:
                inside ^= crosses & (u_mm < (u2 - u1) * (v_mm - v1) / (v2 - v1) + u1)
        return inside


@dataclass(frozen=True)
class Shift:
    """An outline moved on the chart: turned and scaled about a middle, then shifted."""

    middle_mm: tuple[float, float] = (0.0, 0.0)
    u_mm: float = 0.0
    v_mm: float = 0.0
    turn_rad: float = 0.0
    """From u to v."""
    scale: float = 1.0

    def apply(self, uv_mm: Floats) -> Floats:
        """Where chart places (..., 2) go."""
        middle = np.array(self.middle_mm)
        return middle + (uv_mm - middle) @ self._turn.T * self.scale + np.array([self.u_mm, self.v_mm])

    def back(self, uv_mm: Floats) -> Floats:
        """The reverse of `apply`."""
        middle = np.array(self.middle_mm)
        return middle + (uv_mm - middle - np.array([self.u_mm, self.v_mm])) @ self._turn / self.scale

    @property
    def _turn(self) -> Floats:
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return np.array([[cos, -sin], [sin, cos]])


def outline_of(zone: Zone, *, scale: float) -> Outline:
    """The catalogue's outline about the zone's centre, scaled to the body."""
    half_u, half_v = zone.width_mm * scale / 2.0, zone.length_mm * scale / 2.0
    turn = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    power = 1.0 if zone.shape == "ellipse" else 0.4  # 0.4: a superellipse, a rectangle with rounded corners
    u = half_u * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
    v = half_v * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    return Outline(np.stack([u, v], axis=1))


def lay_chart(
    skin: Skin,
    outline: Outline,
    *,
    zone: Zone,
    u_sign: float,
    scale: float,
    reference_t_s: float,
    anchored_by: str,
    surface_by: str,
    place_u95_mm: float,
    shift: Shift | None = None,
    areas: Sequence[Outline] = (),
) -> ZoneChart | None:
    """Lay the cells; None where no skin that may be treated is under the outline.

    Args:
        skin: The surface; its v is the chart's v.
        outline: In chart coordinates.
        zone: On its side of the body; for the areas to leave out.
        u_sign: +1 where the surface's x points to the subject's left, -1 otherwise.
        scale: Size of this body against the catalogue's.
        reference_t_s: Time at which the surface was measured.
        anchored_by: Evidence for the place.
        surface_by: Evidence for the surface.
        place_u95_mm: Bound of the place along the skin.
        shift: How the operator moved the outline. What anatomy leaves out is then left out both where it was
            found and where it went with the outline: which of the two is right nobody knows.
        areas: More to leave out, in chart coordinates.
    """
    if shift is not None:
        outline = Outline(shift.apply(outline.polygon_mm))
    low, high = outline.polygon_mm.min(0) - MARGIN_MM, outline.polygon_mm.max(0) + MARGIN_MM
    cols = np.arange(int(np.floor(low[0] / CELL_MM)), int(np.ceil(high[0] / CELL_MM)) + 1)
    rows = np.arange(int(np.floor(low[1] / CELL_MM)), int(np.ceil(high[1] / CELL_MM)) + 1)
    u, v = (grid.astype(np.float64) for grid in np.meshgrid(cols * CELL_MM, rows * CELL_MM))
    angle = _angle_at_arc(skin, u * u_sign, v[:, 0])
    radius, height_u95 = skin.at(angle, v)
    known = np.isfinite(radius)
    filled = np.where(known, radius, skin.surface.nominal_mm)
    position = skin.surface.points(angle, v, _nearest_filled(filled, known))
    across = np.gradient(position, axis=1) * u_sign
    along = np.gradient(position, axis=0)
    cross = np.cross(across, along)
    normal = unit(cross)
    area = np.linalg.norm(cross, axis=-1) / 100.0
    inside = outline.contains(u, v)
    away = ndimage.distance_transform_edt(~inside) * CELL_MM if inside.any() else np.full(u.shape, np.inf)
    # A cell whose area is three times its nominal one lies on a step, not on skin.
    keep = known & (away <= MARGIN_MM) & (area < 3.0 * CELL_MM**2 / 100.0)
    keep = _joined(keep, inside)
    out = _left_out(zone.leave_out, u, v, scale=scale)
    if shift is not None:
        before = shift.back(np.stack([u, v], axis=-1))
        out |= _left_out(zone.leave_out, before[..., 0], before[..., 1], scale=scale)
    for marked in areas:
        out |= marked.contains(u, v)
    in_zone = inside & keep & ~out
    if not in_zone.any():
        return None
    tile = np.full(u.shape, -1, np.int64)
    tile[in_zone] = tiles(u[in_zone], v[in_zone], area[in_zone])
    r, c = np.nonzero(keep)
    return ZoneChart(
        reference_t_s=reference_t_s,
        anchored_by=anchored_by,
        surface_by=surface_by,
        row=r.astype(np.int64),
        col=c.astype(np.int64),
        u_mm=u[keep],
        v_mm=v[keep],
        position_mm=position[keep],
        normal=normal[keep],
        area_cm2=area[keep],
        in_zone=in_zone[keep],
        left_out=(inside & out)[keep],
        tile=tile[keep],
        height_u95_mm=height_u95[keep],
        place_u95_mm=place_u95_mm,
    )


def tiles(u_mm: Floats, v_mm: Floats, area_cm2: Floats) -> Ints:
    """Cut a zone into equal strips of at most 150 cm2, across its longer side."""
    total_cm2, largest_cm2 = float(area_cm2.sum()), float(area_cm2.max(initial=0.0))
    # A cell goes to one side of a cut as a whole: strips are planned one cell smaller, so that none passes.
    count = 1 if total_cm2 <= TILE_CM2 else int(np.ceil(total_cm2 / (TILE_CM2 - largest_cm2)))
    along = v_mm if np.ptp(v_mm) >= np.ptp(u_mm) else u_mm
    order = np.argsort(along, kind="stable")
    number = np.empty(len(along), np.int64)
    share = (np.cumsum(area_cm2[order]) - area_cm2[order] / 2.0) / area_cm2.sum()
    number[order] = np.minimum((share * count).astype(np.int64), count - 1)
    return number


def _angle_at_arc(skin: Skin, arc_mm: Floats, v_mm: Floats) -> Floats:
    """Angle at each arc length from the meridian of the zone's centre, row by row."""
    surface = skin.surface
    half = (surface.weight.shape[1] - 1) / 2.0 * surface.step_rad
    fine: Floats = np.linspace(-half, half, 2 * surface.weight.shape[1] - 1, dtype=np.float64)
    angle = np.empty(arc_mm.shape)
    for i, v in enumerate(v_mm):
        radius = skin.at(fine, np.full(fine.shape, v))[0]
        known = np.isfinite(radius)
        if not known.any():
            angle[i] = arc_mm[i] / surface.nominal_mm
            continue
        radius = np.interp(fine, fine[known], radius[known])
        x, z = radius * np.sin(fine), radius * np.cos(fine)
        arc = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
        arc -= np.interp(0.0, fine, arc)
        angle[i] = np.interp(arc_mm[i], arc, fine, left=2.0 * -half, right=2.0 * half)
    return angle


def _nearest_filled(values: Floats, known: Bools) -> Floats:
    """Unknown nodes take the value of the nearest known one, so that differences stay finite."""
    if known.all() or not known.any():
        return values
    rows, cols = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return values[rows, cols]


def _joined(keep: Bools, inside: Bools) -> Bools:
    """Only what hangs together with the zone is its skin."""
    labels, count = ndimage.label(keep)
    if count <= 1:
        return keep
    held = np.unique(labels[keep & inside])
    return np.isin(labels, held[held > 0])


def _left_out(areas: tuple[LeaveOut, ...], u: Floats, v: Floats, *, scale: float) -> Bools:
    """Cells inside any of the ellipses to leave out."""
    out = np.zeros(u.shape, bool)
    for area in areas:
        du = (u - area.u_mm * scale) / (area.radius_u_mm * scale)
        dv = (v - area.v_mm * scale) / (area.radius_v_mm * scale)
        out |= du**2 + dv**2 <= 1.0
    return out


def points_of(skin: Skin, uv_mm: Floats, *, u_sign: float) -> Floats:
    """Skin points (n, 3) at chart coordinates (n, 2), NaN where no skin is known: the reverse of `uv_of`."""
    angle = _angle_at_arc(skin, uv_mm[:, :1] * u_sign, uv_mm[:, 1])[:, 0]
    radius = skin.at(angle, uv_mm[:, 1])[0]
    return skin.surface.points(angle, uv_mm[:, 1], radius)


def uv_of(skin: Skin, points_rgb_mm: Floats, *, u_sign: float) -> Floats:
    """Chart coordinates (n, 2) of skin points (n, 3): arc length from the centre's meridian, and v."""
    angle, v, _ = skin.surface.polar(points_rgb_mm)
    arcs = np.arange(-600.0, 600.0, GRID_MM)
    u = np.empty(len(angle))
    for k in range(len(angle)):
        angles = _angle_at_arc(skin, arcs[None, :], v[k : k + 1])[0]
        u[k] = np.interp(angle[k], angles, arcs)
    return np.stack([u * u_sign, v], axis=1)
