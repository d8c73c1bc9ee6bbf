"""Place a zone on skin from the evidence at hand, and say which was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.chart import ZoneChart
from models.geometry import Floats, unit
from models.rig import Rig
from models.sightings import Landmarks, TagPatch
from models.surface import Skin
from models.treatment import Tap
from models.zone import Zone
from models.zone_chart import MARGIN_MM, Outline, lay_chart, outline_of, uv_of
from vision.depth import at_rgb_pixels, body_part, limb_axis, outward_normal
from vision.evidence import Evidence
from vision.joints import (
    JOINT_DEPTH_MM,
    NEIGHBOURHOOD_MM,
    joints_by_depth,
    joints_by_model,
    mean_joint,
    mean_px,
    out_to_skin,
)
from vision.landmarks import LANDMARKS
from vision.skin_surface import centred, measured_skin, model_skin, tagged_skin

GROW = 1.6
"""The surface is taken this many times farther than the zone and its margin reach."""

OUTLINE_U95 = 0.60
"""Bound of a distance taken from the size of a tapped outline: zones vary, outlines are tapped freely, and
seen slantwise."""

SIDE_COS = 0.35
"""A body turned so far sideways shows neither front nor back: within 20 degrees of its edge."""

TAP_U95_MM = 5.0
"""A finger on a tablet: a few pixels, about 1 mm each."""

HEAD_GUESSED = (
    "Which way the head lies was guessed from the limb's taper: u and v may be turned by 180 degrees."
)
"""The remark of a placement whose chart may be the wrong way up."""


@dataclass(frozen=True, eq=False)
class Placement:
    """A chart just laid, and what should be said about it."""

    chart: ZoneChart
    skin: Skin
    remarks: tuple[str, ...]
    outline: Outline
    """In chart coordinates."""
    u_sign: float
    scale: float
    """As `models.zone_chart.lay_chart` was told them."""


def place_by_tap(tap: Tap, evidence: Evidence, *, zone: Zone, rig: Rig) -> Placement | str:
    """Lay the chart under an outline tapped in the colour picture; a sentence where that cannot be done."""
    rays = rig.rgb.unproject(tap.outline_px)
    if not np.isfinite(rays).all():
        return "the tapped outline reaches past what the colour camera's calibration describes"
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
        skin = measured_skin(part, found, normal, v, zone=zone, rig=rig, reach_mm=reach)
        skin, hits = centred(skin, rays)
        surface_by, place = "depth", TAP_U95_MM
    elif len(evidence.patches) >= 3:
        flat = _tag_plane(rays, evidence.patches)
        reach = _reach(rays, flat)
        skin, hits = tagged_skin(evidence, rays, zone=zone, rig=rig, reach_mm=reach + MARGIN_MM)
        surface_by, place = "skin_tags", 2.0 * TAP_U95_MM
    else:
        guess = _guessed_skin(rays, zone)
        away_mm = float(np.linalg.norm(guess.surface.rgb_from_axis.translation_mm))
        skin, hits = centred(guess, rays)
        surface_by, place = "body_model", OUTLINE_U95 * away_mm
        remarks.append(
            "Neither depth nor three skin tags show the skin under the tapped outline: its distance was"
            " guessed from the outline's size, so lengths are rough."
        )
    if not np.isfinite(hits).any():
        return "the tapped outline does not lie on the skin that was measured"
    sign, told = _orientation(skin, zone, evidence.landmarks, rig)
    remarks += told
    if sign < 0:
        skin = skin.turned_round()
    u_sign = -1.0 if _seen_from_back(zone) else 1.0
    outline = Outline(uv_of(skin, hits[np.isfinite(hits[:, 0])], u_sign=u_sign))
    scale = float(np.ptp(outline.polygon_mm[:, 1]) / zone.length_mm)
    chart = lay_chart(
        skin,
        outline,
        zone=zone,
        u_sign=u_sign,
        scale=scale,
        reference_t_s=evidence.t_s,
        anchored_by="tap",
        surface_by=surface_by,
        place_u95_mm=place,
    )
    return (
        Placement(chart, skin, tuple(remarks), outline, u_sign, scale)
        if chart is not None
        else "no skin lies under the tapped outline"
    )


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
    pixels = {name: mean_px(evidence.landmarks, name) for name in names}
    missing = sorted(name for name in needed if pixels[name] is None)
    if missing:
        return f"the landmarks {', '.join(missing)} are not seen well enough"
    px = {name: value for name, value in pixels.items() if value is not None}
    body = joints_by_depth(px, evidence, rig=rig, zone=zone) or joints_by_model(evidence, rig=rig)
    if body is None:
        return "too few of the body's landmarks are seen to tell its distance"
    joints, points, surface_by = body.places_mm, body.points, body.surface_by
    if any(name not in joints for name in needed):
        return "the depth picture has no reading at the landmarks"
    centre = np.sum([weight * joints[name] for name, weight in weights.items()], axis=0)
    v = mean_joint(joints, v_to) - mean_joint(joints, v_from)
    seen = side_seen(joints)
    if anchor.side_seen in ("front", "back") and seen is not None and seen != anchor.side_seen:
        return f"the zone {zone.name} lies on the {anchor.side_seen} of the body, and its {seen} is seen"
    scale = 1.0
    if all(name in joints for name in pair):
        scale = float(np.clip(np.linalg.norm(joints[pair[0]] - joints[pair[1]]) / anchor.scale_mm, 0.7, 1.35))
    depth_mm = JOINT_DEPTH_MM if zone.surface == "torso" else zone.radius_mm
    reach = max(zone.width_mm, zone.length_mm) * scale / 2.0
    if points is not None:
        place = out_to_skin(points, centre, v)
        if place is None:
            return "the depth picture has no reading where the zone should lie"
        found, normal = place
        part = body_part(points, seed_rgb_mm=found, rig=rig, reach_mm=GROW * (reach + MARGIN_MM))
        skin = measured_skin(part, found, normal, v, zone=zone, rig=rig, reach_mm=reach)
    else:
        normal = unit(-centre - ((-centre) @ unit(v)) * unit(v))
        found = centre + depth_mm * normal
        skin = model_skin(
            found, normal, v, zone=zone, scale=scale, distance_u95=body.distance_u95, reach_mm=reach
        )
    outline, u_sign = outline_of(zone, scale=scale), _u_sign(skin, joints, zone)
    chart = lay_chart(
        skin,
        outline,
        zone=zone,
        u_sign=u_sign,
        scale=scale,
        reference_t_s=evidence.t_s,
        anchored_by="landmarks",
        surface_by=surface_by,
        place_u95_mm=anchor.place_u95_mm,
    )
    if chart is None:
        return "no skin lies where the zone should be"
    return Placement(chart, skin, (), outline, u_sign, scale)


def side_seen(joints: dict[str, Floats]) -> str | None:
    """Which side of the trunk faces the camera, ``front`` or ``back``; None where the joints do not tell."""
    names = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    if any(name not in joints for name in names):
        return None
    left_shoulder, right_shoulder, left_hip, right_hip = (joints[name] for name in names)
    up = left_shoulder + right_shoulder - left_hip - right_hip
    left = left_shoulder + left_hip - right_shoulder - right_hip
    # Left cross up points out of the front of a body.
    out, away = np.cross(left, up), (left_shoulder + right_hip) / 2.0
    facing = float(-(out @ away) / (np.linalg.norm(out) * np.linalg.norm(away)))
    if abs(facing) < SIDE_COS:
        return None
    return "front" if facing > 0 else "back"


def _tap_axis(zone: Zone, rays: Floats, centre: Floats, normal: Floats, part: Floats) -> Floats:
    """Direction of v under a tapped outline: a limb's own axis, else the outline's long or short side."""
    if zone.surface == "limb":
        axis = limb_axis(part, centre_rgb_mm=centre, radius_mm=3.0 * zone.radius_mm)
        if axis is not None:
            return axis
    corners = rays * (centre @ normal) / (rays @ normal)[:, None]
    _, _, sides = np.linalg.svd(corners - corners.mean(0), full_matrices=False)
    return sides[0] if zone.axis_on_tap == "long_side" else sides[1]


def _guessed_skin(rays: Floats, zone: Zone) -> Skin:
    """A cylinder square to the line of sight, so far away that the outline is as large as the zone is."""
    corners = rays / rays[:, 2:]
    x, y = corners[:, 0], corners[:, 1]
    outlined = 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
    usual_mm2 = np.pi / 4.0 * zone.width_mm * zone.length_mm
    away = corners.mean(0)
    centre = away * float(np.sqrt(usual_mm2 / max(outlined, 1e-9)))
    _, _, sides = np.linalg.svd(corners - away, full_matrices=False)
    v = sides[0] if zone.axis_on_tap == "long_side" else sides[1]
    reach = max(zone.width_mm, zone.length_mm)
    return model_skin(
        centre, -unit(centre), v, zone=zone, scale=1.0, distance_u95=OUTLINE_U95, reach_mm=reach
    )


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
    thirds = skin.radius_mm[2 * rows // 3 :], skin.radius_mm[: rows // 3]
    head, foot = (third[np.isfinite(third)] for third in thirds)
    unseen = len(head) == 0 or len(foot) == 0
    sign = 1.0 if unseen or np.median(head) >= np.median(foot) else -1.0
    return sign, [HEAD_GUESSED]


def _seen_from_back(zone: Zone) -> bool:
    return zone.anchor is not None and zone.anchor.side_seen == "back"


def _u_sign(skin: Skin, joints: dict[str, Floats], zone: Zone) -> float:
    """+1 where the surface's x points to the subject's left."""
    for left, right in (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")):
        if left in joints and right in joints:
            x = skin.surface.rgb_from_axis.rotation[:, 0]
            return 1.0 if (joints[left] - joints[right]) @ x >= 0 else -1.0
    return -1.0 if _seen_from_back(zone) else 1.0
