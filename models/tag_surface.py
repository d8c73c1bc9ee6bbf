"""A curved surface through skin tags: a limb of changing radius that passes the tags the way they lie.

Tags say where the front of the limb is; rays that graze its outline, seen as the edge of warm skin in the
thermal picture, say how wide it is and where it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from models.geometry import Floats, cross_matrix, rotation_from_rvec, unit
from models.sightings import TagPatch
from models.surface import Skin, empty_surface
from models.zone import Zone

KNOT_MM = 40.0
"""Distance of the knots of radius and course along the limb: over that length a knee narrows to a shin."""

REACH_MM = 160.0

BEND_U95_MM = 12.0
"""95 % bound of the second difference of radius and course between knots: shape of a knee."""

FRONT_BEND_U95_MM = 5.0
"""The same for the line along the front, which runs on over knee cap and shin."""

OVAL_U95_MM = 20.0
"""Reach outward less half breadth: a knee of 370 mm girth is 98 mm broad and so about 138 mm deep, a calf is
round."""

BULGE_U95_MM = 6.0
"""How far skin leaves a round cross-section between tags: a patella or the belly of a calf stands out by that
much."""

BULGE_REACH_MM = 45.0
"""Distance over which a tag's departure from the round limb holds for its neighbourhood."""

GRAZE_SIGMA_MM = 3.0
"""Half a pixel of a thermal camera at our distances (4-5.5 mm a pixel), and blur."""

TAPER_U95 = 0.30
"""Change of a limb's radius per length; a calf loses 20 mm of radius in 150 mm near its end."""


TURN_RAD, SIZE_MM = 0.05, 5.0
"""How far the fit's quantities usually go: without these scales the descent stalls far from the rays."""


@dataclass(frozen=True, eq=False)
class GrazingRays:
    """Rays that touch the limb without entering it, rgb frame."""

    origin_rgb_mm: Floats
    """Shape (3,): one camera."""
    directions: Floats
    """Shape (n, 3)."""


@dataclass(frozen=True, eq=False)
class Limb:
    """A limb about a nearly straight axis."""

    origin_mm: Floats
    x: Floats
    y: Floats
    """Along the axis."""
    z: Floats
    """Outward, where the tags are."""
    side_mm: Floats
    """Half breadth (along x) at the knots."""
    front_mm: Floats
    """Reach outward (along z) at the knots. A knee is deeper than broad: front and side differ."""
    course_mm: Floats
    """Sideways (along x) departure of the centre line at the knots."""

    def at(self, v_mm: Floats) -> tuple[Floats, Floats, Floats]:
        """Half breadth, reach outward and sideways course at heights."""
        knots = knots_mm()
        return (
            np.interp(v_mm, knots, self.side_mm),
            np.interp(v_mm, knots, self.front_mm),
            np.interp(v_mm, knots, self.course_mm),
        )

    def gap(self, points_mm: Floats) -> tuple[Floats, Floats]:
        """Distance of points (n, 3) outside the limb, and the outward normals there."""
        local = points_mm - self.origin_mm
        v = local @ self.y
        side, front, course = self.at(v)
        later, earlier = self.at(v + 5.0), self.at(v - 5.0)
        across, out = local @ self.x - course, local @ self.z
        length = np.hypot(across, out)
        sin, cos = across / length, out / length
        radius = side * front / np.hypot(front * sin, side * cos)
        slope = (sin**2 * (later[0] - earlier[0]) + cos**2 * (later[1] - earlier[1])) / 10.0
        turn = (later[2] - earlier[2]) / 10.0
        flat = unit(np.stack([across / side**2, out / front**2], axis=1))
        normal = flat[:, :1] * self.x + flat[:, 1:] * self.z - (slope + turn * sin)[:, None] * self.y
        return length - radius, unit(normal)

    def graze(self, rays: GrazingRays) -> Floats:
        """Distance by which rays pass outside the limb."""
        start = rays.origin_rgb_mm - self.origin_mm
        flat_start = np.array([start @ self.x, start @ self.z])
        flat = np.stack([rays.directions @ self.x, rays.directions @ self.z], axis=1)
        length2 = np.maximum((flat**2).sum(1), 1e-12)
        along = -(flat @ flat_start) / length2
        v = start @ self.y + along * (rays.directions @ self.y)
        side, front, course = self.at(v)
        centre = np.stack([course, np.zeros_like(course)], axis=1) - flat_start
        miss = np.abs(flat[:, 0] * centre[:, 1] - flat[:, 1] * centre[:, 0])
        # Half breadth of an ellipse as seen along the ray: its support across the ray.
        support = np.hypot(side * flat[:, 1], front * flat[:, 0])
        return np.where(np.abs(v) <= REACH_MM, (miss - support) / np.sqrt(length2), 0.0)


def knots_mm() -> Floats:
    """Heights of the knots."""
    return np.arange(-REACH_MM, REACH_MM + 1.0, KNOT_MM)


def fit_limb(
    patches: Sequence[TagPatch],
    *,
    zone: Zone,
    rays: GrazingRays | None,
    start: Limb | None = None,
    front_rgb: Floats | None = None,
) -> Limb:
    """The limb that passes the tags and touches the rays, weighed against the zone's usual radius.

    Args:
        patches: At least three tags on the skin, averaged over some captures.
        zone: Gives the usual radius and its bound.
        rays: None where no outline is known.
        start: An earlier fit to begin with.
        front_rgb: Direction in which the limb is deepest (its front, or back), rgb frame; None = where the
            tags face.
    """
    centres = np.array([patch.rgb_from_tag.translation_mm for patch in patches])
    normals = np.array([patch.rgb_from_tag.rotation[:, 2] for patch in patches])
    sigma_mm = np.array([max(patch.position_u95_mm, 1.0) for patch in patches]) / 2.0
    sigma_rad = np.radians([max(patch.normal_u95_deg, 1.0) for patch in patches]) / 2.0
    middle = centres.mean(0)
    outward = unit(normals.mean(0)) if front_rgb is None else unit(front_rgb)
    axes = [start.y] if start is not None else _axes(centres, outward)
    fits = [_fit(centres, normals, sigma_mm, sigma_rad, middle, outward, axis, zone, rays) for axis in axes]
    return min(fits, key=lambda fit: fit[0])[1]


def limb_skin(limb: Limb, patches: Sequence[TagPatch], *, rays: GrazingRays | None, reach_mm: float) -> Skin:
    """The limb as a surface, bent through the tags, with bounds that grow away from tags and outline."""
    centres = np.array([patch.rgb_from_tag.translation_mm for patch in patches])
    sigma_mm = np.array([max(patch.position_u95_mm, 1.0) for patch in patches]) / 2.0
    nominal = float(limb.at(np.zeros(1))[1][0])
    surface = empty_surface(
        centre_rgb_mm=limb.origin_mm + nominal * limb.z,
        normal_rgb=limb.z,
        v_rgb=limb.y,
        nominal_mm=nominal,
        half_u_mm=min(reach_mm, 1.9 * nominal),
        half_v_mm=min(reach_mm, REACH_MM),
        noise_u95_mm=BULGE_U95_MM,
    )
    angle, v = surface.grid()
    side, front, course = limb.at(v)
    # Radius about the straight axis of an ellipse whose centre lies sideways by ``course``.
    sin, cos = np.sin(angle), np.cos(angle)
    a = (sin / side) ** 2 + (cos / front) ** 2
    b = course * sin / side**2
    round_mm = (b + np.sqrt(np.maximum(b**2 - a * ((course / side) ** 2 - 1.0), 1e-6))) / a
    tag_angle, tag_v, _ = surface.polar(centres)
    departure = limb.gap(centres)[0]
    away = np.hypot(v[..., None] - tag_v, nominal * (angle[..., None] - tag_angle))
    kernel = np.exp(-0.5 * (away / BULGE_REACH_MM) ** 2)
    between = np.hypot(tag_v[:, None] - tag_v, nominal * (tag_angle[:, None] - tag_angle))
    prior_mm2 = (BULGE_U95_MM / 2.0) ** 2
    matrix = prior_mm2 * np.exp(-0.5 * (between / BULGE_REACH_MM) ** 2) + np.diag(sigma_mm**2)
    gain = prior_mm2 * kernel @ np.linalg.inv(matrix)
    left_mm2 = np.maximum(prior_mm2 - prior_mm2 * (gain * kernel).sum(-1), 0.0)
    # Round the limb the tags say less and less; the outline helps again near its edge.
    turned_mm = np.maximum(np.abs(angle - tag_angle.mean()) - np.ptp(tag_angle) / 2.0, 0.0) * nominal
    along_mm = np.maximum(np.abs(v - tag_v.mean()) - np.ptp(tag_v) / 2.0, 0.0)
    lean = 0.1 if rays is not None and len(rays.directions) >= 8 else 0.3
    u95 = np.sqrt(
        4.0 * left_mm2 + np.mean(4.0 * sigma_mm**2) + (lean * turned_mm) ** 2 + (0.15 * along_mm) ** 2
    )
    return Skin(surface, round_mm + gain @ departure, u95)


def _axes(centres: Floats, outward: Floats) -> list[Floats]:
    """Starts for the axis, all round in the tangent plane."""
    longest = np.linalg.svd(centres - centres.mean(0), full_matrices=False)[2][0]
    longest = unit(longest - (longest @ outward) * outward)
    side = np.cross(outward, longest)
    return [np.cos(turn) * longest + np.sin(turn) * side for turn in np.radians(np.arange(0.0, 180.0, 30.0))]


def _fit(
    centres: Floats,
    normals: Floats,
    sigma_mm: Floats,
    sigma_rad: Floats,
    middle: Floats,
    outward: Floats,
    axis: Floats,
    zone: Zone,
    rays: GrazingRays | None,
) -> tuple[float, Limb]:
    """Least squares from one start: (cost, limb)."""
    x0, z0 = np.cross(axis, outward), outward
    n = len(knots_mm())
    sigma_radius = zone.radius_u95_mm / 2.0

    def shape(p: Floats) -> Limb:
        turn = rotation_from_rvec(p[0] * x0 + p[1] * z0)
        y = unit(turn @ unit(axis - (axis @ z0) * z0))
        z = unit(z0 - (z0 @ y) * y)
        x = cross_matrix(y) @ z
        origin = middle - (zone.radius_mm + p[3]) * z + p[2] * x
        side, front, course = p[4:].reshape(3, n)
        side, front = zone.radius_mm + side, zone.radius_mm + front
        return Limb(origin, x, y, z, side, front, course)

    def residuals(p: Floats) -> Floats:
        limb = shape(p)
        gap, slope = limb.gap(centres)
        # Thousands of times a fit: over so few vectors `np.cross` took a quarter of it.
        (a, b, c), (d, e, f) = slope.T, normals.T
        tilt = np.sqrt((b * f - c * e) ** 2 + (c * d - a * f) ** 2 + (a * e - b * d) ** 2)
        side, front, course = limb.side_mm, limb.front_mm, limb.course_mm
        parts = [
            gap / np.hypot(sigma_mm, BULGE_U95_MM / 4.0),
            tilt / np.hypot(sigma_rad, np.radians(5.0)),
            np.diff(side, 2) / (BEND_U95_MM / 2.0),
            np.diff(front, 2) / (FRONT_BEND_U95_MM / 2.0),
            (front - side) / (OVAL_U95_MM / 2.0) / np.sqrt(n),
            np.diff(course, 2) / (BEND_U95_MM / 2.0),
            [np.mean(side - zone.radius_mm) / sigma_radius, (side[-1] - side[0]) / (TAPER_U95 * REACH_MM)],
            [np.mean(course) / 1.0, (course[-1] - course[0]) / 2.0, p[2] / 30.0, p[3] / 20.0],
        ]
        if rays is not None and len(rays.directions):
            # Many rays share the same blur and calibration: twenty count as five.
            parts.append(np.clip(limb.graze(rays) / (2.0 * GRAZE_SIGMA_MM), -8.0, 8.0))
        return np.concatenate([np.asarray(part, float) for part in parts])

    size = np.concatenate([TURN_RAD * np.ones(2), SIZE_MM * np.ones(2 + 3 * n)])
    result = optimize.least_squares(residuals, np.zeros(4 + 3 * n), x_scale=size, loss="soft_l1", max_nfev=40)
    return float(result.cost), shape(result.x)
