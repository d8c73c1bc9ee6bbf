"""Where a body's joints are in space: below the skin that depth shows, or by the network's body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.geometry import Floats, Pose, rotation_from_rvec, unit
from models.rig import Rig
from models.sightings import Landmarks
from models.zone import Zone
from vision.depth import DepthPoints, at_rgb_pixels, outward_normal
from vision.evidence import Evidence
from vision.landmarks import LANDMARKS

JOINT_DEPTH_MM = 85.0
"""Hip and shoulder joints lie about this far below the skin of back or front of a trunk: half of a
buttock-abdomen depth of 200-250 mm, less the way from the joint to the middle (anthropometry class figure,
+-30 mm)."""

ADULT_HEIGHT_MM = 1700.0
"""Height of the network's metric bodies, and of an adult where none is given (adults: 1.55-1.90 m)."""

HEIGHT_GIVEN_U95, HEIGHT_UNKNOWN_U95 = 0.10, 0.20
"""Bound of a distance taken from a body's size in the picture: proportions and pose, and the height
itself."""

NEIGHBOURHOOD_MM = 60.0
"""Radius for the normal of the skin at a zone's centre: larger than a patella, smaller than a trunk."""


@dataclass(frozen=True, eq=False)
class Joints:
    """Joints by name, rgb frame, and what they rest on."""

    places_mm: dict[str, Floats]
    points: DepthPoints | None
    """The depth picture's points, None where there is none."""
    surface_by: str
    distance_u95: float
    """95 % bound of their distance, as a share of it."""


def joints_by_depth(px: dict[str, Floats], evidence: Evidence, *, rig: Rig, zone: Zone) -> Joints | None:
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
    return Joints(joints, evidence.points, "depth", 0.01)


def joints_by_model(evidence: Evidence, *, rig: Rig) -> Joints | None:
    """Joints from the network's body, scaled by the subject's height and fitted to the pixels."""
    height_mm, bound = evidence.subject_height_mm, HEIGHT_GIVEN_U95
    if height_mm is None:
        height_mm, bound = ADULT_HEIGHT_MM, HEIGHT_UNKNOWN_U95
    last = evidence.landmarks[-1]
    good = last.believed
    if good.sum() < 6:
        return None
    world = last.world_mm * height_mm / ADULT_HEIGHT_MM
    ok, rvec, tvec = cv2.solvePnP(
        world[good], last.points_px[good], rig.rgb.matrix, rig.rgb.distortion, flags=cv2.SOLVEPNP_SQPNP
    )
    if not ok or float(tvec[2, 0]) <= 0:
        return None
    rgb_from_world = Pose.of(rotation_from_rvec(rvec[:, 0].astype(float)), tvec[:, 0].astype(float))
    points = rgb_from_world.apply(world)
    return Joints({name: points[k] for name, k in LANDMARKS.items()}, None, "body_model", bound)


def out_to_skin(points: DepthPoints, joint_mm: Floats, v: Floats) -> tuple[Floats, Floats] | None:
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


def mean_px(landmarks: tuple[Landmarks, ...], name: str) -> Floats | None:
    """Mean pixel over the captures in which a landmark is believed; at least half of them."""
    k = LANDMARKS[name]
    seen = [sighting.points_px[k] for sighting in landmarks if sighting.believed[k]]
    return np.mean(seen, axis=0) if 2 * len(seen) >= len(landmarks) else None


def mean_joint(joints: dict[str, Floats], names: Sequence[str]) -> Floats:
    """Middle of some joints, shape (3,)."""
    return np.mean([joints[name] for name in names], axis=0)
