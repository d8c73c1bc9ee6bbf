"""Skin under a zone, from depth, from skin tags or from a body model."""

from __future__ import annotations

import numpy as np

from models.depth_place import along_u95_mm
from models.geometry import Floats, unit
from models.rig import Rig
from models.surface import Skin, empty_surface
from models.tag_surface import fit_limb, limb_skin
from models.zone import Zone
from models.zone_chart import MARGIN_MM
from vision.depth import NOISE_U95_MM
from vision.evidence import Evidence
from vision.outline import grazing_rays

JOINT_DEPTH_U95_MM = 40.0

GRAZED_COS = 0.45
"""An edge of a tapped outline where the skin is seen this grazingly is where sight ends, not where the zone
does."""


def measured_skin(
    part: Floats, centre: Floats, normal: Floats, v: Floats, *, zone: Zone, rig: Rig, reach_mm: float
) -> Skin:
    """Surface from depth points about a place, with what the depth camera's calibration leaves open."""
    reach = reach_mm + MARGIN_MM + 20.0
    surface = empty_surface(
        centre_rgb_mm=centre,
        normal_rgb=normal,
        v_rgb=v,
        nominal_mm=zone.radius_mm,
        half_u_mm=1.3 * reach,
        half_v_mm=reach,
        noise_u95_mm=NOISE_U95_MM,
        shared_u95_mm=0.0 if rig.depth is None else along_u95_mm(rig.depth, centre, unit(normal)),
    )
    return surface.add(part).skin()


def tagged_skin(
    evidence: Evidence, outline: Floats, *, zone: Zone, rig: Rig, reach_mm: float
) -> tuple[Skin, Floats]:
    """Surface through the skin tags, its width from the edge of warm skin where one is seen.

    Limbs are not round, and where a limb is deepest no tag tells; the middle of the tapped zone does.

    Args:
        evidence: At least three tags, and a thermal picture if there is one.
        outline: Rays of the tapped outline, shape (n, 3).
        zone: For the usual radius and what anatomy adds.
        rig: With skin tags.
        reach_mm: How far the surface shall reach.

    Returns:
        The skin with its origin under the outline's centre, and the outline on it, shape (n, 3).
    """
    patches, rays = evidence.patches, None
    limb = fit_limb(patches, zone=zone, rays=None)
    if evidence.thermal is not None:
        for _ in range(2):
            rays = grazing_rays(evidence.thermal, limb, rig=rig, nozzle=evidence.nozzle)
            limb = fit_limb(patches, zone=zone, rays=rays, start=limb)
    skin, hits = centred(limb_skin(limb, patches, rays=rays, reach_mm=reach_mm), outline)
    if not np.isfinite(hits).any():
        return skin, hits
    turn = hidden_mm(skin, hits) / skin.surface.nominal_mm
    front = skin.surface.rgb_from_axis.rotate(np.array([np.sin(turn), 0.0, np.cos(turn)]))
    limb = fit_limb(patches, zone=zone, rays=rays, start=limb, front_rgb=front)
    skin, hits = centred(limb_skin(limb, patches, rays=rays, reach_mm=reach_mm), outline)
    if np.isfinite(hits).any():
        skin = with_relief(skin, zone, hidden_mm=hidden_mm(skin, hits))
        hits = skin.cast(outline, origin_rgb_mm=np.zeros(3))
    return skin, hits


def hidden_mm(skin: Skin, hits: Floats) -> float:
    """How far the zone's middle lies from that of its visible outline, along the surface's x.

    An outline tapped on a limb stops where the limb turns away from the camera, and the zone goes on round
    the limb. Its middle is then that of the ellipse through the rest of the outline.
    """
    seen = hits[np.isfinite(hits[:, 0])]
    angle, v, _ = skin.surface.polar(seen)
    nominal = skin.surface.nominal_mm
    outward = unit(skin.surface.points(angle, v, np.full(len(angle), 2.0 * nominal)) - seen)
    clear = -(outward * unit(seen)).sum(1) >= GRAZED_COS
    cut_low, cut_high = not clear[np.argmin(angle)], not clear[np.argmax(angle)]
    if cut_low == cut_high or clear.sum() < 6:
        return 0.0
    u = angle[clear] * nominal
    size = float(np.abs(v).max())
    conic = np.stack([u**2, v[clear] ** 2, u * size, v[clear] * size], axis=1) / size**2
    square_u, square_v, linear_u, _ = np.linalg.lstsq(conic, np.ones(len(u)), rcond=None)[0]
    if square_u <= 0.0 or square_v <= 0.0:
        return 0.0
    middle = -linear_u * size / (2.0 * square_u)
    return float(np.clip(middle, 0.0, nominal / 2.0) if cut_high else np.clip(middle, -nominal / 2.0, 0.0))


def with_relief(skin: Skin, zone: Zone, *, hidden_mm: float) -> Skin:
    """What anatomy adds to a surface that was modelled, about the zone's middle."""
    for relief in zone.relief:
        skin = skin.raised(
            angle_rad=(relief.u_mm + hidden_mm) / skin.surface.nominal_mm,
            v_mm=relief.v_mm,
            radius_mm=relief.radius_mm,
            height_mm=relief.height_mm,
            height_u95_mm=relief.height_u95_mm,
        )
    return skin


def model_skin(
    centre: Floats,
    normal: Floats,
    v: Floats,
    *,
    zone: Zone,
    scale: float,
    distance_u95: float,
    reach_mm: float,
) -> Skin:
    """A plain cylinder where a body model puts it, with the bounds such a guess has.

    Args:
        centre: Place on the skin, rgb frame, shape (3,).
        normal: Outward there.
        v: Along the zone.
        zone: Gives the radius.
        scale: Size of this body against the catalogue's.
        distance_u95: 95 % bound of the distance, as a share of it.
        reach_mm: How far the zone reaches from its centre.
    """
    reach = reach_mm + MARGIN_MM + 20.0
    surface = empty_surface(
        centre_rgb_mm=centre,
        normal_rgb=normal,
        v_rgb=v,
        nominal_mm=zone.radius_mm * scale,
        half_u_mm=min(reach, 1.4 * zone.radius_mm * scale),
        half_v_mm=reach,
        noise_u95_mm=0.0,
    )
    radius = np.full(surface.weight.shape, zone.radius_mm * scale)
    own_mm = np.hypot(zone.radius_u95_mm, JOINT_DEPTH_U95_MM)
    u95 = float(np.hypot(distance_u95 * np.linalg.norm(centre), own_mm))
    return Skin(surface, radius, np.full(radius.shape, u95))


def centred(skin: Skin, rays: Floats) -> tuple[Skin, Floats]:
    """The same surface with its grid's origin below the outline's centre, and the outline on it."""
    origin = np.zeros(3)
    hits = skin.cast(np.vstack([rays, rays.mean(0)]), origin_rgb_mm=origin)
    met = hits[np.isfinite(hits[:, 0])]
    if len(met) == 0:
        return skin, hits[:-1]
    middle = hits[-1] if np.isfinite(hits[-1, 0]) else met.mean(axis=0)
    angle, v, _ = skin.surface.polar(middle[None])
    return skin.shifted(angle_rad=float(angle[0]), v_mm=float(v[0])), hits[:-1]
