"""Poses of a body of tags from corners: one PnP over all of them, and both hypotheses where there are two."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.camera import Camera
from models.geometry import Bools, Floats, Pose
from vision.fiducials import TagBody
from vision.tag_corners import Corners

FLIP_RAD = np.radians(2.0)
"""Poses nearer to each other than this are one hypothesis."""

MISREAD_PX = 6.0
"""A tag whose corners lie farther than this from every pose the others agree on was misread or is bent."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One pose that explains corners."""

    rgb_from_body: Pose
    rms_px: float
    believed: Bools
    """Which of the tags agree with it."""


def poses_from_corners(corners: Corners, body: TagBody, camera: Camera) -> tuple[Hypothesis, ...]:
    """One PnP over all corners: at most two distinct poses, the best first.

    Each tag by itself offers two poses; each is tried on all corners and improved on those that agree.
    """
    if len(corners.tags) == 0:
        return ()
    object_mm, picture_px = body.corners_mm[corners.tags], corners.corners_px
    starts: list[Pose] = []
    for k in range(len(corners.tags)):
        starts += _planar(object_mm[k], picture_px[k], camera)
    found: list[Hypothesis] = []
    for start in starts:
        hypothesis = _improve(start, object_mm, picture_px, camera)
        if hypothesis is not None:
            found.append(hypothesis)
    found.sort(key=lambda h: (-int(h.believed.sum()), h.rms_px))
    distinct: list[Hypothesis] = []
    for hypothesis in found:
        if all(turn_rad(hypothesis.rgb_from_body, other.rgb_from_body) > FLIP_RAD for other in distinct):
            distinct.append(hypothesis)
    return tuple(distinct[:2])


def turn_rad(one: Pose, other: Pose) -> float:
    """Angle between two orientations."""
    cosine = (np.trace(one.rotation.T @ other.rotation) - 1.0) / 2.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def rotation_vector(rotation: Floats) -> Floats:
    """Rotation vector of a rotation matrix of less than half a turn, rad."""
    half = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = float(np.linalg.norm(half)) / 2.0
    if sine < 1e-9:
        return half / 2.0
    return half / (2.0 * sine) * float(np.arctan2(sine, (np.trace(rotation) - 1.0) / 2.0))


def other_pose(pose: Pose, corners_mm: Floats, camera: Camera) -> Pose | None:
    """The other pose in which nearly coplanar corners look nearly the same, None where there is none."""
    flat_mm = _flattened(corners_mm.reshape(-1, 3))
    seen_px = camera.project(pose.apply(flat_mm))
    if not np.all(np.isfinite(seen_px)):
        return None
    offers = _planar(flat_mm, seen_px, camera)
    offers = [offer for offer in offers if turn_rad(offer, pose) > FLIP_RAD]
    return max(offers, key=lambda offer: turn_rad(offer, pose)) if offers else None


def _flattened(points_mm: Floats) -> Floats:
    """Points moved into their plane: tags are glued, and learned, a tenth of a millimetre out of it."""
    middle = points_mm.mean(axis=0)
    normal = np.linalg.svd(points_mm - middle)[2][2]
    return points_mm - np.outer((points_mm - middle) @ normal, normal)


def _planar(object_mm: Floats, picture_px: Floats, camera: Camera) -> list[Pose]:
    try:
        _, rvecs, tvecs, _ = cv2.solvePnPGeneric(
            object_mm, picture_px, camera.matrix, camera.distortion, flags=cv2.SOLVEPNP_IPPE
        )
    except cv2.error:
        return []
    poses = [_pose(r, t) for r, t in zip(rvecs, tvecs, strict=True)]
    return [pose for pose in poses if np.all(np.isfinite(pose.matrix)) and pose.translation_mm[2] > 0]


def _improve(start: Pose, object_mm: Floats, picture_px: Floats, camera: Camera) -> Hypothesis | None:
    pose = start
    believed = np.ones(len(object_mm), np.bool_)
    for _ in range(2):
        off_px = np.linalg.norm(camera.project(pose.apply(object_mm)) - picture_px, axis=-1).max(axis=1)
        off_px = np.nan_to_num(off_px, nan=np.inf)
        known_px = off_px[np.isfinite(off_px)]
        believed = off_px <= max(MISREAD_PX, 2.5 * float(np.median(known_px)) if len(known_px) else 0.0)
        if not believed.any():
            return None
        rvec, _ = cv2.Rodrigues(pose.rotation)
        rvec, tvec = cv2.solvePnPRefineLM(
            object_mm[believed].reshape(-1, 3),
            picture_px[believed].reshape(-1, 2),
            camera.matrix,
            camera.distortion,
            rvec,
            pose.translation_mm.reshape(3, 1).copy(),
        )
        pose = _pose(rvec, tvec)
    off_px = camera.project(pose.apply(object_mm[believed])) - picture_px[believed]
    rms_px = float(np.sqrt(np.mean(np.sum(off_px**2, axis=-1))))
    if not np.isfinite(rms_px) or rms_px > MISREAD_PX or pose.translation_mm[2] <= 0:
        return None
    return Hypothesis(pose, rms_px, believed)


def _pose(rvec: npt.ArrayLike, tvec: npt.ArrayLike) -> Pose:
    rotation, _ = cv2.Rodrigues(np.asarray(rvec, float))
    return Pose.of(np.asarray(rotation, float), np.asarray(tvec, float).reshape(3))
