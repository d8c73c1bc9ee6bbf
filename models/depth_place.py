"""How far a point that the depth camera shows may lie beside its place, as its calibration states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import INTRINSICS, DepthCamera

STEPS = np.array([1e-2] * 4 + [1e-5] * 5 + [1e-6] * 3 + [1e-3] * 3 + [1e-6, 1e-3])
"""For differences, in the order of `models.rig.DEPTH_PARAMETERS`: each moves a point by less than 0.1 mm."""


def changed(depth: DepthCamera, change: Floats) -> DepthCamera:
    """The camera once its parameters have changed by so much, in their order, shape (17,)."""
    own, count = depth.camera, len(INTRINSICS)
    rvec = Rotation.from_matrix(depth.depth_from_rgb.rotation).as_rotvec()
    turn = rotation_from_rvec(rvec + change[count : count + 3])
    stands = Pose.of(turn, depth.depth_from_rgb.translation_mm + change[count + 3 : count + 6])
    fx, fy, cx, cy = (float(v) for v in own.focal + change[:4])
    lens = Camera(own.width_px, own.height_px, fx, fy, cx, cy, own.distortion + change[4:count])
    return replace(
        depth,
        camera=lens,
        depth_from_rgb=stands,
        scale=depth.scale + float(change[-2]),
        offset_mm=depth.offset_mm + float(change[-1]),
    )


def seen_at(depth: DepthCamera, points_rgb_mm: Floats) -> tuple[Floats, Floats]:
    """Pixels (n, 2) and readings (n,) by which the depth camera shows points (n, 3)."""
    there = depth.depth_from_rgb.apply(points_rgb_mm)
    return depth.camera.project(there), (there[:, 2] - depth.offset_mm) / depth.scale


def placed_mm(depth: DepthCamera, px: Floats, readings_mm: Floats) -> Floats:
    """Points (n, 3), rgb frame, of pixels (n, 2) and readings (n,)."""
    return depth.depth_from_rgb.inverse.apply(depth.camera.unproject(px) * depth.z_mm(readings_mm)[:, None])


def placed_slopes(depth: DepthCamera, points_rgb_mm: Floats) -> Floats:
    """How each parameter moves where points (n, 3) are taken to lie, mm by each, shape (n, 3, 17).

    NaN where the depth camera cannot see a point.
    """
    px, readings_mm = seen_at(depth, points_rgb_mm)
    slopes = np.empty((len(points_rgb_mm), 3, len(STEPS)))
    for k, step in enumerate(STEPS):
        change = np.zeros(len(STEPS))
        change[k] = step
        ahead, behind = (placed_mm(changed(depth, way * change), px, readings_mm) for way in (1.0, -1.0))
        slopes[..., k] = (ahead - behind) / (2.0 * step)
    return slopes


def along_u95_mm(depth: DepthCamera, point_rgb_mm: Floats, direction: Floats) -> float:
    """95 % bound of where a point (3,) is placed along a direction, a unit vector (3,).

    0 where calibration states nothing; inf where the camera cannot see the point.
    """
    if depth.covariance is None:
        return 0.0
    slopes = direction @ placed_slopes(depth, point_rgb_mm[None])[0]
    if not np.isfinite(slopes).all():
        return float("inf")
    return 1.96 * float(np.sqrt(max(slopes @ depth.covariance @ slopes, 0.0)))
