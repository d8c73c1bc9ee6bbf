"""A curved surface through skin tags: a tapered cylinder that passes the tags the way they lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from models.geometry import Floats, rotation_from_rvec, unit
from models.sightings import TagPatch
from models.surface import GRID_MM, Skin, empty_surface
from models.zone import Zone

TAPER_U95 = 0.30
"""Change of a limb's radius per length; a calf loses 20 mm of radius in 150 mm near its end."""

BULGE_U95_MM = 6.0
"""How far skin leaves a tapered cylinder between tags: a patella or the belly of a calf stands out by that much."""

BULGE_REACH_MM = 60.0
"""Distance over which a tag's departure from the cylinder holds for its neighbourhood."""


def tag_skin(patches: Sequence[TagPatch], *, zone: Zone, half_u_mm: float, half_v_mm: float) -> Skin | None:
    """Surface through skin tags; None with fewer than three of them.

    The axis, radius and taper are those that bring the cylinder through the tags' centres with the tags'
    normals, weighed against the zone's usual radius. The tags' remaining departures are spread to their
    neighbourhood. v is the limb's axis; its sign is the caller's to decide.

    Args:
        patches: Tags on the skin, averaged over some captures.
        zone: Gives the usual radius and its bound.
        half_u_mm: Reach across.
        half_v_mm: Reach along.
    """
    if len(patches) < 3:
        return None
    centres = np.array([patch.rgb_from_tag.translation_mm for patch in patches])
    normals = np.array([patch.rgb_from_tag.rotation[:, 2] for patch in patches])
    sigma_mm = np.array([max(patch.position_u95_mm, 1.0) for patch in patches]) / 2.0
    sigma_rad = np.radians([max(patch.normal_u95_deg, 1.0) for patch in patches]) / 2.0
    middle, outward = centres.mean(0), unit(normals.mean(0))
    fit = min(
        (
            _fit(centres, normals, sigma_mm, sigma_rad, middle, _turned(outward, centres, turn), outward, zone)
            for turn in np.radians(np.arange(0.0, 180.0, 30.0))
        ),
        key=lambda result: result[0],
    )
    _, direction, on_axis, radius0, taper = fit
    foot = on_axis + ((middle - on_axis) @ direction) * direction
    outward = unit(outward - (outward @ direction) * direction)
    surface = empty_surface(
        centre_rgb_mm=foot + radius0 * outward,
        normal_rgb=outward,
        v_rgb=direction,
        nominal_mm=float(radius0),
        half_u_mm=half_u_mm,
        half_v_mm=half_v_mm,
        noise_u95_mm=BULGE_U95_MM,
    )
    rows, cols = surface.weight.shape
    v = ((np.arange(rows) - (rows - 1) / 2.0) * GRID_MM)[:, None] * np.ones((1, cols))
    angle = ((np.arange(cols) - (cols - 1) / 2.0) * surface.step_rad)[None] * np.ones((rows, 1))
    tag_angle, tag_v, tag_radius = surface.polar(centres)
    departure = tag_radius - (radius0 + taper * tag_v)
    away = np.hypot(v[..., None] - tag_v, radius0 * (angle[..., None] - tag_angle))
    kernel = np.exp(-0.5 * (away / BULGE_REACH_MM) ** 2)
    between = np.hypot(tag_v[:, None] - tag_v, radius0 * (tag_angle[:, None] - tag_angle))
    prior_mm2 = (BULGE_U95_MM / 2.0) ** 2
    matrix = prior_mm2 * np.exp(-0.5 * (between / BULGE_REACH_MM) ** 2) + np.diag(sigma_mm**2)
    gain = prior_mm2 * kernel @ np.linalg.inv(matrix)
    radius = radius0 + taper * v + gain @ departure
    left_mm2 = np.maximum(prior_mm2 - prior_mm2 * (gain * kernel).sum(-1), 0.0)
    # Round the limb the tags say less and less about the radius.
    turned_mm = np.maximum(np.abs(angle) - np.abs(tag_angle).max(), 0.0) * radius0
    along_mm = np.maximum(np.abs(v) - np.abs(tag_v).max(), 0.0)
    u95 = np.sqrt(4.0 * left_mm2 + np.mean(4.0 * sigma_mm**2) + (0.3 * turned_mm) ** 2 + (0.15 * along_mm) ** 2)
    return Skin(surface, radius, u95)


def _turned(outward: Floats, centres: Floats, turn_rad: float) -> Floats:
    """A start for the axis in the tangent plane."""
    longest = np.linalg.svd(centres - centres.mean(0), full_matrices=False)[2][0]
    longest = unit(longest - (longest @ outward) * outward)
    return np.cos(turn_rad) * longest + np.sin(turn_rad) * np.cross(outward, longest)


def _fit(
    centres: Floats,
    normals: Floats,
    sigma_mm: Floats,
    sigma_rad: Floats,
    middle: Floats,
    start: Floats,
    outward: Floats,
    zone: Zone,
) -> tuple[float, Floats, Floats, float, float]:
    """Least squares from one start: (cost, axis, a point on it, radius at the middle, taper)."""
    x, z = np.cross(start, outward), outward
    sigma_radius = zone.radius_u95_mm / 2.0

    def shape(p: Floats) -> tuple[Floats, Floats, float, float]:
        turn = rotation_from_rvec(p[0] * x + p[1] * z)
        direction = unit(turn @ start)
        on_axis = middle - zone.radius_mm * z + p[2] * x + p[3] * z
        return direction, on_axis, zone.radius_mm + p[4], p[5]

    def residuals(p: Floats) -> Floats:
        direction, on_axis, radius, taper = shape(p)
        along = (centres - on_axis) @ direction
        across = centres - on_axis - along[:, None] * direction
        length = np.linalg.norm(across, axis=1)
        middle_v = (middle - on_axis) @ direction
        gap = length - (radius + taper * (along - middle_v))
        slope = unit(across / length[:, None] - taper * direction)
        tilt = np.linalg.norm(np.cross(slope, normals), axis=1)
        wide = np.sqrt(sigma_mm**2 + (BULGE_U95_MM / 4.0) ** 2)
        return np.concatenate(
            [
                gap / wide,
                tilt / np.hypot(sigma_rad, np.radians(4.0)),
                [p[4] / sigma_radius, p[5] / (TAPER_U95 / 2.0), p[2] / 30.0, (p[3] + p[4]) / 5.0],
            ]
        )

    result = optimize.least_squares(residuals, np.zeros(6), loss="soft_l1", max_nfev=60)
    direction, on_axis, radius, taper = shape(result.x)
    return float(result.cost), direction, on_axis, radius, taper
