"""Skin as a radius over angle and height about an axis, from whatever was measured of it.

A limb is nearly a cylinder and a back nearly one of a large radius: points, tags or a body model all
become one `RadialSurface`, and `models.zone_chart` lays the chart on it in the same way each time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from models.geometry import Bools, Floats, Pose, frozen, unit

GRID_MM = 2.5
"""Arc length of one grid step at the nominal radius: half a chart cell, about one depth pixel at 1.1 m."""

SMOOTH_MM = 7.0
"""Standard deviation of the smoothing of measured points. On simulated depth pictures 4 / 6 / 8 mm left
normals wrong by 7.8 / 6.7 / 5.5 degrees and heights by 1.9 / 1.6 / 1.4 mm (p95); 8 mm takes in 3.5 mm of the
other leg where both touch, and more would flatten a patella."""

DEPTH_FLOOR_U95_MM = 2.5
"""What smoothing does not average away: neighbouring depth readings err together (simulated: 1.5 mm p95)."""

LOW_RADIUS, HIGH_RADIUS = 0.4, 1.9
"""Share of the nominal radius outside which a point belongs to something else: the other leg lies 3 to 4
radii away."""

FILL_MM = 14.0
"""Standard deviation of the weights that fill holes and go on past the last measured point."""

FILL_LIMIT_MM = 25.0
"""No skin is claimed farther than this from a measured point."""

FILL_U95_PER_MM = 0.35
"""Growth of the bound away from the last measured point: a limb of 50 mm radius that is taken to go on along
its last slope is off by 25^2 / (2 * 50) = 6 mm after 25 mm."""


@dataclass(frozen=True, eq=False)
class RadialSurface:
    """Radius over a regular grid of height v (rows) and angle (columns).

    Axis frame: origin on the axis below the zone's centre, y along the axis, z outward through the
    zone's centre, x = y cross z. A point is (r sin a, v, r cos a).
    """

    rgb_from_axis: Pose
    nominal_mm: float
    """Radius that turns angle into arc length for the grid."""
    weight: Floats
    """Sum of the weights of the measured points per grid node, shape (rows, cols)."""
    weighted_mm: Floats
    """Sum of weight times radius."""
    noise_u95_mm: float
    """95 % bound of one measured point along the radius."""
    shared_u95_mm: float = 0.0
    """95 % bound of what all points are off by alike: how well the camera's place is known."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "weight", frozen(self.weight))
        object.__setattr__(self, "weighted_mm", frozen(self.weighted_mm))

    @property
    def step_rad(self) -> float:
        """Angle between two columns."""
        return GRID_MM / self.nominal_mm

    def nodes(self, angle_rad: Floats, v_mm: Floats) -> tuple[Floats, Floats]:
        """Fractional (row, col) of a place."""
        rows, cols = self.weight.shape
        return v_mm / GRID_MM + (rows - 1) / 2.0, angle_rad / self.step_rad + (cols - 1) / 2.0

    def grid(self) -> tuple[Floats, Floats]:
        """Angle (rad) and v (mm) of every node, each of shape (rows, cols)."""
        rows, cols = self.weight.shape
        row, col = np.indices((rows, cols)).astype(np.float64)
        return (col - (cols - 1) / 2.0) * self.step_rad, (row - (rows - 1) / 2.0) * GRID_MM

    def polar(self, points_rgb_mm: Floats) -> tuple[Floats, Floats, Floats]:
        """Angle (rad), v (mm) and radius (mm) of points (..., 3) of the rgb frame."""
        p = self.rgb_from_axis.inverse.apply(points_rgb_mm)
        return np.arctan2(p[..., 0], p[..., 2]), p[..., 1], np.hypot(p[..., 0], p[..., 2])

    def points(self, angle_rad: Floats, v_mm: Floats, radius_mm: Floats) -> Floats:
        """Points (..., 3) in the rgb frame."""
        local = np.stack([radius_mm * np.sin(angle_rad), v_mm, radius_mm * np.cos(angle_rad)], axis=-1)
        return self.rgb_from_axis.apply(local)

    def add(self, points_rgb_mm: Floats, *, weight: float = 1.0) -> RadialSurface:
        """Take in measured points (n, 3); those off the grid or far off the radius are left out."""
        angle, v, radius = self.polar(points_rgb_mm)
        near = (radius > LOW_RADIUS * self.nominal_mm) & (radius < HIGH_RADIUS * self.nominal_mm)
        angle, v, radius = angle[near], v[near], radius[near]
        row, col = self.nodes(angle, v)
        rows, cols = self.weight.shape
        i, j = np.rint(row).astype(int), np.rint(col).astype(int)
        inside = (i >= 0) & (i < rows) & (j >= 0) & (j < cols)
        flat = i[inside] * cols + j[inside]
        count = np.bincount(flat, minlength=rows * cols).reshape(rows, cols)
        total = np.bincount(flat, radius[inside], minlength=rows * cols).reshape(rows, cols)
        return replace(
            self, weight=self.weight + weight * count, weighted_mm=self.weighted_mm + weight * total
        )

    def skin(self) -> Skin:
        """Smooth the measured radii and go on a little past them, with a growing bound."""
        near_mm, near_weight = _normalised(self.weighted_mm, self.weight, SMOOTH_MM / GRID_MM)
        far_mm, far_weight = _extrapolated(self.weighted_mm, self.weight, FILL_MM / GRID_MM)
        measured = self.weight > 0
        away_mm = ndimage.distance_transform_edt(~measured) * GRID_MM if measured.any() else None
        if away_mm is None:
            nothing = np.full(self.weight.shape, np.nan)
            return Skin(self, nothing, nothing)
        blend = np.clip((away_mm - SMOOTH_MM) / (2.0 * SMOOTH_MM), 0.0, 1.0)
        blend = np.where(near_weight > 1e-3, blend, 1.0)
        radius = np.where(blend < 1.0, (1.0 - blend) * near_mm, 0.0) + blend * np.where(
            far_weight > 0, far_mm, 0.0
        )
        effective = np.maximum(near_weight * 4.0 * np.pi * (SMOOTH_MM / GRID_MM) ** 2, 1.0)
        shared = float(np.hypot(DEPTH_FLOOR_U95_MM, self.shared_u95_mm))
        u95 = np.hypot(self.noise_u95_mm / np.sqrt(effective), shared) + FILL_U95_PER_MM * np.maximum(
            away_mm - SMOOTH_MM, 0.0
        )
        known = (away_mm <= FILL_LIMIT_MM) & ((blend < 1.0) | (far_weight > 0))
        return Skin(self, np.where(known, radius, np.nan), np.where(known, u95, np.nan))


@dataclass(frozen=True, eq=False)
class Skin:
    """A surface made continuous: radius and its bound at each node, NaN where no skin is claimed."""

    surface: RadialSurface
    radius_mm: Floats
    u95_mm: Floats

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "radius_mm", frozen(self.radius_mm))
        object.__setattr__(self, "u95_mm", frozen(self.u95_mm))

    def at(self, angle_rad: Floats, v_mm: Floats) -> tuple[Floats, Floats]:
        """Radius and bound at places, NaN where no skin is claimed or off the grid."""
        row, col = self.surface.nodes(angle_rad, v_mm)
        radius = ndimage.map_coordinates(self.radius_mm, [row, col], order=1, cval=np.nan)
        u95 = ndimage.map_coordinates(self.u95_mm, [row, col], order=1, cval=np.nan)
        return radius, u95

    def raised(
        self, *, angle_rad: float, v_mm: float, radius_mm: float, height_mm: float, height_u95_mm: float
    ) -> Skin:
        """The same skin with a bell-shaped rise about a place."""
        angle, v = self.surface.grid()
        u = (angle - angle_rad) * self.surface.nominal_mm
        bell = np.exp(-0.5 * (u**2 + (v - v_mm) ** 2) / radius_mm**2)
        return Skin(
            self.surface, self.radius_mm + height_mm * bell, np.hypot(self.u95_mm, height_u95_mm * bell)
        )

    def shifted(self, *, angle_rad: float, v_mm: float) -> Skin:
        """The same skin with its axis frame turned and shifted so that a place on it comes to the origin."""
        surface = self.surface
        cos, sin = np.cos(angle_rad), np.sin(angle_rad)
        turn = Pose.of(
            np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]), np.array([0.0, v_mm, 0.0])
        )
        angle, v = surface.grid()
        radius, u95 = self.at(angle + angle_rad, v + v_mm)
        return Skin(replace(surface, rgb_from_axis=surface.rgb_from_axis @ turn), radius, u95)

    def seen_from(self, frame_from_rgb: Pose) -> Skin:
        """The same skin in another frame."""
        surface = replace(self.surface, rgb_from_axis=frame_from_rgb @ self.surface.rgb_from_axis)
        return replace(self, surface=surface)

    def turned_round(self) -> Skin:
        """The same skin with v pointing the other way."""
        half_turn = Pose.of(np.diag([-1.0, -1.0, 1.0]), np.zeros(3))
        surface = replace(self.surface, rgb_from_axis=self.surface.rgb_from_axis @ half_turn)
        return Skin(surface, self.radius_mm[::-1, ::-1], self.u95_mm[::-1, ::-1])

    def cast(self, directions: Floats, *, origin_rgb_mm: Floats, reach_mm: float = 3000.0) -> Floats:
        """First skin point on each ray (n, 3) from an origin; NaN rows where a ray meets none."""
        along = np.arange(0.0, reach_mm, 4.0)
        axis_point = self.surface.rgb_from_axis.translation_mm
        hits = np.full((len(directions), 3), np.nan)
        for k, ray in enumerate(unit(directions)):
            centre = float((axis_point - origin_rgb_mm) @ ray)
            steps = along + max(centre - reach_mm / 2.0, 0.0)
            points = origin_rgb_mm + steps[:, None] * ray
            angle, v, radius = self.surface.polar(points)
            gap = radius - self.at(angle, v)[0]
            below = np.flatnonzero((gap[1:] <= 0.0) & (gap[:-1] > 0.0))
            if len(below):
                i = int(below[0])
                share = gap[i] / (gap[i] - gap[i + 1])
                hits[k] = points[i] + share * (points[i + 1] - points[i])
        return hits


def empty_surface(
    *,
    centre_rgb_mm: Floats,
    normal_rgb: Floats,
    v_rgb: Floats,
    nominal_mm: float,
    half_u_mm: float,
    half_v_mm: float,
    noise_u95_mm: float,
    shared_u95_mm: float = 0.0,
) -> RadialSurface:
    """A grid about the axis that lies ``nominal_mm`` below a place on the skin, nothing measured yet.

    Args:
        centre_rgb_mm: Place on the skin, shape (3,).
        normal_rgb: Outward normal there.
        v_rgb: Direction of v; its part along the normal is taken out.
        nominal_mm: Radius of curvature across v.
        half_u_mm: Reach of the grid across, arc length.
        half_v_mm: Reach of the grid along.
        noise_u95_mm: Bound of one point to be added.
        shared_u95_mm: Bound of what all of them are off by alike.
    """
    z = unit(normal_rgb)
    y = unit(v_rgb - (v_rgb @ z) * z)
    rotation = np.stack([np.cross(y, z), y, z], axis=1)
    rows = 2 * int(np.ceil(half_v_mm / GRID_MM)) + 1
    half_turn = min(half_u_mm / nominal_mm, np.radians(150.0))
    cols = 2 * int(np.ceil(half_turn * nominal_mm / GRID_MM)) + 1
    nothing = np.zeros((rows, cols))
    pose = Pose.of(rotation, centre_rgb_mm - nominal_mm * z)
    return RadialSurface(pose, nominal_mm, nothing, nothing, noise_u95_mm, shared_u95_mm)


def _normalised(weighted: Floats, weight: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Weighted mean in a Gaussian neighbourhood, and the mean weight there."""
    total = ndimage.gaussian_filter(weight, sigma, mode="constant")
    mean = ndimage.gaussian_filter(weighted, sigma, mode="constant") / np.maximum(total, 1e-9)
    return mean, total


def _extrapolated(weighted: Floats, weight: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Local plane fitted with Gaussian weights, read at the node: goes on along the last slope."""
    rows, cols = np.indices(weight.shape, dtype=float)
    rows, cols = rows / sigma, cols / sigma

    def blur(values: Floats) -> Floats:
        return ndimage.gaussian_filter(values, sigma, mode="constant", truncate=3.0)

    s0, s1, s2 = blur(weight), blur(weight * rows), blur(weight * cols)
    s11, s22, s12 = blur(weight * rows**2), blur(weight * cols**2), blur(weight * rows * cols)
    t0, t1, t2 = blur(weighted), blur(weighted * rows), blur(weighted * cols)
    # Moments about the node itself, so that the constant of the fit is the value there.
    m1, m2 = s1 - rows * s0, s2 - cols * s0
    m11 = s11 - 2.0 * rows * s1 + rows**2 * s0
    m22 = s22 - 2.0 * cols * s2 + cols**2 * s0
    m12 = s12 - rows * s2 - cols * s1 + rows * cols * s0
    n1, n2 = t1 - rows * t0, t2 - cols * t0
    # A weak prior on the slope keeps the fit steady where the points lie to one side.
    ridge = 0.05 * s0 + 1e-12
    matrix = np.stack(
        [
            np.stack([s0 + 1e-12, m1, m2], -1),
            np.stack([m1, m11 + ridge, m12], -1),
            np.stack([m2, m12, m22 + ridge], -1),
        ],
        -2,
    )
    enough = s0 > 1e-4
    value = np.zeros(weight.shape)
    if enough.any():
        right = np.stack([t0, n1, n2], -1)[enough][..., None]
        value[enough] = np.linalg.solve(matrix[enough], right)[:, 0, 0]
    return value, np.where(enough, s0, 0.0)


def largest_part(mask: Bools, *, row: int, col: int) -> Bools:
    """The connected part of a mask that holds a node, or the one nearest to it."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    label = int(labels[row, col])
    if label == 0:
        nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
        label = int(labels[nearest[0][row, col], nearest[1][row, col]])
    return labels == label
