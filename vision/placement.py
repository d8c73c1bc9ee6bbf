"""Place a zone on skin from the evidence at hand, and say which was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from models.capture import ThermalPicture
from models.chart import ZoneChart
from models.geometry import Floats, Pose, unit
from models.rig import Rig
from models.sightings import Landmarks, Lost, NozzleSighting, TagPatch
from models.surface import Skin, empty_surface
from models.tag_surface import fit_limb, limb_skin
from models.treatment import Tap
from models.zone import Zone
from models.zone_chart import MARGIN_MM, Outline, lay_chart, outline_of, uv_of
from vision.depth import (
    NOISE_U95_MM,
    DepthPoints,
    at_rgb_pixels,
    body_part,
    limb_axis,
    outward_normal,
)
from vision.landmarks import LANDMARKS
from vision.outline import grazing_rays

JOINT_DEPTH_MM = 85.0
"""Hip and shoulder joints lie about this far below the skin of back or front of a trunk: half of a buttock-abdomen
depth of 200-250 mm, less the way from the joint to the middle (anthropometry class figure, +-30 mm)."""

JOINT_DEPTH_U95_MM = 40.0

NEIGHBOURHOOD_MM = 60.0
"""Radius for the normal of the skin at a zone's centre: larger than a patella, smaller than a trunk."""

GROW = 1.6
"""The surface is taken this many times farther than the zone and its margin reach."""

TAP_U95_MM = 5.0
"""A finger on a tablet: a few pixels, about 1 mm each."""


@dataclass(frozen=True, eq=False)
class Placement:
    """A chart just laid, and what should be said about it."""

    chart: ZoneChart
    skin: Skin
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known of the skin when a zone is to be placed."""

    t_s: float
    points: DepthPoints | None
    patches: tuple[TagPatch, ...]
    thermal: ThermalPicture | None
    nozzle: NozzleSighting | Lost
    landmarks: tuple[Landmarks, ...]
    subject_height_mm: float | None


def place_by_tap(tap: Tap, evidence: Evidence, *, zone: Zone, rig: Rig) -> Placement | str:
    """Lay the chart under an outline tapped in the colour picture; a sentence where that cannot be done."""
    rays = rig.rgb.unproject(tap.outline_px)
    remarks: list[str] = []
    if evidence.points is not None:
        found = at_rgb_pixels(evidence.points, tap.outline_px.mean(0)[None], rig=rig, radius_px=15.0)[0]
        if not np.isfinite(found[0]):
            return "the depth picture has no reading under the tapped outline"
        reach = _reach(rays, found)
        part = body_part(evidence.points, seed_rgb_mm=found, rig=rig, reach_mm=GROW * (reach + MARGIN_MM))
        normal = outward_normal(part, centre_rgb_mm=found, radius_mm=NEIGHBOURHOOD_MM)
        if normal is None:
            return "the depth picture has too few readings under the tapped outline"
        v = _tap_axis(zone, rays, found, normal, part)
        skin = _measured_skin(part, found, normal, v, zone=zone, reach_mm=reach)
        surface_by, place = "depth", TAP_U95_MM
    elif len(evidence.patches) >= 3:
        flat = _tag_plane(rays, evidence.patches)
        reach = _reach(rays, flat)
        skin = _tagged_skin(evidence, zone=zone, rig=rig, reach_mm=reach + MARGIN_MM)
        surface_by, place = "skin_tags", 2.0 * TAP_U95_MM
    else:
        return "neither depth nor three skin tags show the surface under the tapped outline"
    skin, hits = _centred(skin, rays)
    if surface_by != "depth":
        skin = _with_relief(skin, zone, hidden_mm=_hidden_mm(skin, hits, zone))
        hits = skin.cast(rays, origin_rgb_mm=np.zeros(3))
    if not np.isfinite(hits).any():
        return "the tapped outline does not lie on the skin that was measured"
    sign, told = _orientation(skin, zone, evidence.landmarks, rig)
    remarks += told
    if sign < 0:
        skin = _turned_round(skin)
    u_sign = -1.0 if _seen_from_back(zone) else 1.0
    outline = Outline(uv_of(skin, hits[np.isfinite(hits[:, 0])], u_sign=u_sign))
    chart = lay_chart(
        skin,
        outline,
        zone=zone,
        u_sign=u_sign,
        scale=float(np.ptp(outline.polygon_mm[:, 1]) / zone.length_mm),
        reference_t_s=evidence.t_s,
        anchored_by="tap",
        surface_by=surface_by,
        place_u95_mm=place,
    )
    return Placement(chart, skin, tuple(remarks)) if chart is not None else "no skin lies under the tapped outline"


def place_by_landmarks(evidence: Evidence, *, zone: Zone, rig: Rig) -> Placement | str:
    """Lay the chart where the body's landmarks say; a sentence where that cannot be done."""
    if zone.anchor is None:
        return f"landmarks do not place the zone {zone.name}; tap its outline"
    if not evidence.landmarks:
        return "no body was recognised"
    anchor = zone.anchor
    weights = dict(anchor.centre)
    v_from = list(anchor.v_from)
    v_to = list(anchor.v_to)
    pair = list(anchor.scale_from)
    names = {*weights, *v_from, *v_to, *pair, "left_hip", "right_hip", "left_shoulder", "right_shoulder"}
    needed = {*weights, *v_from, *v_to}
    pixels = {name: _mean_px(evidence.landmarks, name) for name in names}
    missing = sorted(name for name in needed if pixels[name] is None)
    if missing:
        return f"the landmarks {', '.join(missing)} are not seen well enough"
    px = {name: value for name, value in pixels.items() if value is not None}
    body = _joints_by_depth(px, evidence, rig=rig, zone=zone) or _joints_by_model(evidence, rig=rig)
    if body is None:
        return "the distance of the body is not known: no depth, and no subject height"
    joints, points, surface_by = body
    if any(name not in joints for name in needed):
        return "the depth picture has no reading at the landmarks"
    centre = np.sum([weight * joints[name] for name, weight in weights.items()], axis=0)
    v = _mean(joints, v_to) - _mean(joints, v_from)
    scale = 1.0
    if all(name in joints for name in pair):
        scale = float(np.clip(np.linalg.norm(joints[pair[0]] - joints[pair[1]]) / anchor.scale_mm, 0.7, 1.35))
    depth_mm = JOINT_DEPTH_MM if zone.surface == "torso" else zone.radius_mm
    reach = max(zone.width_mm, zone.length_mm) * scale / 2.0
    if points is not None:
        place = _out_to_skin(points, centre, v)
        if place is None:
            return "the depth picture has no reading where the zone should lie"
        found, normal = place
        part = body_part(points, seed_rgb_mm=found, rig=rig, reach_mm=GROW * (reach + MARGIN_MM))
        skin = _measured_skin(part, found, normal, v, zone=zone, reach_mm=reach)
    else:
        normal = unit(-centre - ((-centre) @ unit(v)) * unit(v))
        found = centre + depth_mm * normal
        skin = _model_skin(found, normal, v, zone=zone, scale=scale, reach_mm=reach)
    chart = lay_chart(
        skin,
        outline_of(zone, scale=scale),
        zone=zone,
        u_sign=_u_sign(skin, joints, zone),
        scale=scale,
        reference_t_s=evidence.t_s,
        anchored_by="landmarks",
        surface_by=surface_by,
        place_u95_mm=anchor.place_u95_mm,
    )
    return Placement(chart, skin, ()) if chart is not None else "no skin lies where the zone should be"


def _joints_by_depth(
    px: dict[str, Floats], evidence: Evidence, *, rig: Rig, zone: Zone
) -> tuple[dict[str, Floats], DepthPoints | None, str] | None:
    """Joints below the skin that the depth picture shows at their pixels."""
    if evidence.points is None:
        return None
    names = list(px)
    surface = at_rgb_pixels(evidence.points, np.array([px[name] for name in names]), rig=rig)
    seen = np.isfinite(surface[:, 0])
    if seen.sum() < 2:
        return None
    flat = evidence.points.points_rgb_mm[evidence.points.smooth]
    joints: dict[str, Floats] = {}
    depth_mm = JOINT_DEPTH_MM if zone.surface == "torso" else zone.radius_mm
    wide = outward_normal(flat, centre_rgb_mm=surface[seen].mean(0), radius_mm=150.0)
    for k in np.flatnonzero(seen):
        normal = wide
        if zone.surface != "torso":
            normal = outward_normal(flat, centre_rgb_mm=surface[k], radius_mm=NEIGHBOURHOOD_MM)
        if normal is None:
            continue
        ray = unit(surface[k])
        joints[names[k]] = surface[k] + ray * depth_mm / max(float(-ray @ normal), 0.4)
    return joints, evidence.points, "depth"


def _joints_by_model(
    evidence: Evidence, *, rig: Rig
) -> tuple[dict[str, Floats], DepthPoints | None, str] | None:
    """Joints from the network's body, scaled by the subject's height and fitted to the pixels."""
    if evidence.subject_height_mm is None:
        return None
    last = evidence.landmarks[-1]
    good = last.believed
    if good.sum() < 6:
        return None
    # The network's people are 1.70 m tall on average (height of a standing adult in its training world).
    world = last.world_mm * evidence.subject_height_mm / 1700.0
    ok, rvec, tvec = cv2.solvePnP(
        world[good], last.points_px[good], rig.rgb.matrix, rig.rgb.distortion, flags=cv2.SOLVEPNP_SQPNP
    )
    if not ok or float(tvec[2, 0]) <= 0:
        return None
    rgb_from_world = Pose.of(cv2.Rodrigues(rvec)[0], tvec[:, 0])
    points = rgb_from_world.apply(world)
    return {name: points[k] for name, k in LANDMARKS.items()}, None, "body_model"


def _out_to_skin(points: DepthPoints, joint_mm: Floats, v: Floats) -> tuple[Floats, Floats] | None:
    """Where the outward normal through a place inside the body meets the skin: (point, normal)."""
    flat = points.points_rgb_mm[points.smooth]
    normal = unit(-joint_mm - ((-joint_mm) @ unit(v)) * unit(v))
    place = None
    for _ in range(4):
        out = flat - joint_mm
        along = out @ normal
        aside = np.linalg.norm(out - along[:, None] * normal, axis=1)
        near = (aside < 12.0) & (along > -30.0) & (along < 300.0)
        if near.sum() < 5:
            return None
        place = joint_mm + float(np.median(along[near])) * normal
        flatter = outward_normal(flat, centre_rgb_mm=place, radius_mm=NEIGHBOURHOOD_MM)
        if flatter is None:
            return None
        normal = unit(flatter - (flatter @ unit(v)) * unit(v))
    return (place, normal) if place is not None else None


def _measured_skin(
    part: Floats, centre: Floats, normal: Floats, v: Floats, *, zone: Zone, reach_mm: float
) -> Skin:
    """Surface from depth points about a place."""
    reach = reach_mm + MARGIN_MM + 20.0
    surface = empty_surface(
        centre_rgb_mm=centre,
        normal_rgb=normal,
        v_rgb=v,
        nominal_mm=zone.radius_mm,
        half_u_mm=1.3 * reach,
        half_v_mm=reach,
        noise_u95_mm=NOISE_U95_MM,
    )
    return surface.add(part).skin()


def _tagged_skin(evidence: Evidence, *, zone: Zone, rig: Rig, reach_mm: float) -> Skin:
    """Surface through the skin tags, its width from the edge of warm skin where a thermal picture shows it."""
    limb = fit_limb(evidence.patches, zone=zone, rays=None)
    rays = None
    if evidence.thermal is not None:
        for _ in range(2):
            rays = grazing_rays(evidence.thermal, limb, rig=rig, nozzle=evidence.nozzle)
            limb = fit_limb(evidence.patches, zone=zone, rays=rays, start=limb)
    return limb_skin(limb, evidence.patches, rays=rays, reach_mm=reach_mm)


GRAZED_COS = 0.45
"""An edge of a tapped outline where the skin is seen this grazingly is where sight ends, not where the zone does."""


def _hidden_mm(skin: Skin, hits: Floats, zone: Zone) -> float:
    """How far the zone's middle lies from that of its visible outline, along the surface's x.

    An outline tapped on a limb stops where the limb turns away from the camera. Where one of its edges lies there
    and the outline is narrower than the zone usually is, the zone goes on round the limb.
    """
    seen = hits[np.isfinite(hits[:, 0])]
    angle, v, _ = skin.surface.polar(seen)
    nominal = skin.surface.nominal_mm
    outward = unit(skin.surface.points(angle, v, np.full(len(angle), 2.0 * nominal)) - seen)
    facing = -(outward * unit(seen)).sum(1)
    width = float(np.ptp(angle)) * nominal
    missing = zone.width_mm * float(np.ptp(v)) / zone.length_mm - width
    if missing <= 0.0:
        return 0.0
    low, high = int(np.argmin(angle)), int(np.argmax(angle))
    if (facing[low] < GRAZED_COS) == (facing[high] < GRAZED_COS):
        return 0.0
    return missing / 2.0 if facing[high] < GRAZED_COS else -missing / 2.0


def _with_relief(skin: Skin, zone: Zone, *, hidden_mm: float) -> Skin:
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


def _model_skin(
    centre: Floats, normal: Floats, v: Floats, *, zone: Zone, scale: float, reach_mm: float
) -> Skin:
    """A plain cylinder where the body model puts it, with the bounds such a guess has."""
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
    # Distance from a body's size in the picture: 5 % (1 sigma) of proportions and pose.
    u95 = float(np.hypot(0.10 * np.linalg.norm(centre), np.hypot(zone.radius_u95_mm, JOINT_DEPTH_U95_MM)))
    return Skin(surface, radius, np.full(radius.shape, u95))


def _tap_axis(zone: Zone, rays: Floats, centre: Floats, normal: Floats, part: Floats) -> Floats:
    """Direction of v under a tapped outline: a limb's own axis, else the outline's long or short side."""
    if zone.surface == "limb":
        axis = limb_axis(part, centre_rgb_mm=centre, radius_mm=3.0 * zone.radius_mm)
        if axis is not None:
            return axis
    corners = rays * (centre @ normal) / (rays @ normal)[:, None]
    _, _, sides = np.linalg.svd(corners - corners.mean(0), full_matrices=False)
    return sides[0] if zone.axis_on_tap == "long_side" else sides[1]


def _tag_plane(rays: Floats, patches: Sequence[TagPatch]) -> Floats:
    """Rough place of a tapped outline on the plane through the tags."""
    centres = np.array([patch.rgb_from_tag.translation_mm for patch in patches])
    normal = unit(np.mean([patch.rgb_from_tag.rotation[:, 2] for patch in patches], axis=0))
    ray = rays.mean(0)
    return ray * float(centres.mean(0) @ normal) / float(ray @ normal)


def _reach(rays: Floats, centre: Floats) -> float:
    """Radius of a tapped outline at a distance."""
    points = rays * centre[2]
    return float(1.5 * np.linalg.norm(points - points.mean(0), axis=1).max())


def _centred(skin: Skin, rays: Floats) -> tuple[Skin, Floats]:
    """The same surface with its grid's origin below the outline's centre, and the outline on it."""
    origin = np.zeros(3)
    hits = skin.cast(np.vstack([rays, rays.mean(0)]), origin_rgb_mm=origin)
    middle = hits[-1] if np.isfinite(hits[-1, 0]) else np.nanmean(hits, axis=0)
    if not np.isfinite(middle[0]):
        return skin, hits[:-1]
    angle, v, _ = skin.surface.polar(middle[None])
    return _shifted(skin, float(angle[0]), float(v[0])), hits[:-1]


def _shifted(skin: Skin, angle_rad: float, v_mm: float) -> Skin:
    """Turn and shift the axis frame so that a place on the surface comes to its origin."""
    surface = skin.surface
    turn = Pose.of(
        np.array(
            [
                [np.cos(angle_rad), 0.0, np.sin(angle_rad)],
                [0.0, 1.0, 0.0],
                [-np.sin(angle_rad), 0.0, np.cos(angle_rad)],
            ]
        ),
        np.array([0.0, v_mm, 0.0]),
    )
    rows, cols = surface.weight.shape
    v = (np.arange(rows) - (rows - 1) / 2.0)[:, None] * np.ones((1, cols)) * 2.5 + v_mm
    angle = (np.arange(cols) - (cols - 1) / 2.0)[None] * np.ones((rows, 1)) * surface.step_rad + angle_rad
    radius, u95 = skin.at(angle, v)
    return Skin(replace(surface, rgb_from_axis=surface.rgb_from_axis @ turn), radius, u95)


def _turned_round(skin: Skin) -> Skin:
    """The same surface with v pointing the other way."""
    half_turn = Pose.of(np.diag([-1.0, -1.0, 1.0]), np.zeros(3))
    surface = replace(skin.surface, rgb_from_axis=skin.surface.rgb_from_axis @ half_turn)
    return Skin(surface, skin.radius_mm[::-1, ::-1], skin.u95_mm[::-1, ::-1])


def _orientation(
    skin: Skin, zone: Zone, landmarks: tuple[Landmarks, ...], rig: Rig
) -> tuple[float, list[str]]:
    """Whether v already points to head or trunk (+1) or must be turned (-1), and what to say about it."""
    pose = skin.surface.rgb_from_axis
    if landmarks:
        last = landmarks[-1]
        trunk = [LANDMARKS[name] for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")]
        if last.believed[trunk].all():
            px = rig.rgb.project(np.stack([pose.translation_mm, pose.apply(np.array([0.0, 50.0, 0.0]))]))
            towards = last.points_px[trunk].mean(0) - px[0]
            if zone.surface != "limb":
                towards = last.points_px[trunk[2:]].mean(0) - last.points_px[trunk[:2]].mean(0)
            return (1.0 if (px[1] - px[0]) @ towards >= 0 else -1.0), []
    rows = len(skin.radius_mm)
    head, foot = np.nanmedian(skin.radius_mm[2 * rows // 3 :]), np.nanmedian(skin.radius_mm[: rows // 3])
    sign = 1.0 if not np.isfinite(head - foot) or head >= foot else -1.0
    return sign, ["Which way the head lies was guessed from the limb's taper: u and v may be turned by 180 degrees."]


def _seen_from_back(zone: Zone) -> bool:
    return zone.anchor is not None and zone.anchor.side_seen == "back"


def _u_sign(skin: Skin, joints: dict[str, Floats], zone: Zone) -> float:
    """+1 where the surface's x points to the subject's left."""
    for left, right in (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")):
        if left in joints and right in joints:
            x = skin.surface.rgb_from_axis.rotation[:, 0]
            return 1.0 if (joints[left] - joints[right]) @ x >= 0 else -1.0
    return -1.0 if _seen_from_back(zone) else 1.0


def _mean_px(landmarks: tuple[Landmarks, ...], name: str) -> Floats | None:
    """Mean pixel over the captures in which a landmark is believed; at least half of them."""
    k = LANDMARKS[name]
    seen = [sighting.points_px[k] for sighting in landmarks if sighting.believed[k]]
    return np.mean(seen, axis=0) if 2 * len(seen) >= len(landmarks) else None


def _mean(joints: dict[str, Floats], names: Sequence[str]) -> Floats:
    return np.mean([joints[name] for name in names], axis=0)
