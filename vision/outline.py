"""The edge of warm skin in a thermal picture: rays that graze a limb."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from models.capture import ThermalPicture
from models.geometry import Floats, unit
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from models.tag_surface import REACH_MM, GrazingRays, Limb
from vision.nozzle_mask import nozzle_mask
from vision.thermal_watch import degrees

LEAST_CONTRAST_DEGC = 4.0
"""Skin and what lies behind it must differ by this, or the edge is not trusted."""

STEP_MM = 12.0
"""Distance of the places along the limb at which its edges are sought."""

WIDEST = 1.9
"""Edges farther than this many radii from the axis belong to something else."""


def grazing_rays(
    picture: ThermalPicture, limb: Limb, *, rig: Rig, nozzle: NozzleSighting | Lost
) -> GrazingRays | None:
    """Rays along the limb's two edges; None where too few are seen.

    From the limb's axis the picture is followed sideways to where it falls half-way from skin to what lies
    behind.

    Args:
        picture: A thermal picture, not a shutter event.
        limb: A first fit; its axis is enough.
        rig: With a thermal camera.
        nozzle: Its pixels say nothing.
    """
    if rig.thermal is None:
        return None
    camera, thermal_from_rgb = rig.thermal.camera, rig.thermal.thermal_from_rgb
    degc = degrees(picture, floor_centikelvin=None)
    degc = np.where(nozzle_mask(camera, thermal_from_rgb, rig, nozzle), np.nan, degc)
    edges: list[Floats] = []
    for v in np.arange(-REACH_MM + STEP_MM, REACH_MM, STEP_MM):
        radius, _, course = limb.at(np.array([v]))
        place = limb.origin_mm + v * limb.y + course[0] * limb.x
        for side in (-1.0, 1.0):
            reach = np.linspace(0.0, WIDEST * radius[0], 60)
            points = thermal_from_rgb.apply(place + side * reach[:, None] * limb.x)
            px = camera.project(points)
            edge = _fall(degc, px)
            if edge is not None:
                edges.append(edge)
    if len(edges) < 6:
        return None
    rgb_from_thermal = thermal_from_rgb.inverse
    rays = rgb_from_thermal.rotate(unit(camera.unproject(np.array(edges))))
    return GrazingRays(rgb_from_thermal.translation_mm, rays)


def _fall(degc: Floats, px: Floats) -> Floats | None:
    """Pixel at which a line from skin outwards falls half-way to what lies behind; None where it does not."""
    inside = (
        (px[:, 0] >= 0) & (px[:, 1] >= 0) & (px[:, 0] <= degc.shape[1] - 1) & (px[:, 1] <= degc.shape[0] - 1)
    )
    if not inside.all():
        return None
    line = ndimage.map_coordinates(degc, [px[:, 1], px[:, 0]], order=1)
    skin = np.median(line[: len(line) // 4])
    behind = np.min(line)
    if not np.isfinite(line).all() or skin - behind < LEAST_CONTRAST_DEGC:
        return None
    half = 0.5 * (skin + behind)
    below = np.flatnonzero(line < half)
    k = int(below[0])
    if k == 0 or k >= len(line) - 3 or line[-1] > half:
        return None
    share = (line[k - 1] - half) / (line[k - 1] - line[k])
    return px[k - 1] + share * (px[k] - px[k - 1])
