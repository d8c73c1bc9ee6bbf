"""Depth pictures: points of the body on which a place lies, nozzle and hand left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.capture import DepthPicture
from models.geometry import Bools, Floats, unit
from models.occlusion import NozzleShape
from models.rig import DepthCamera, Rig
from models.sightings import NozzleSighting
from models.surface import largest_part

STEP_MM = 25.0
"""A depth step within 3x3 pixels above this is the edge of something else. Skin at 75 degrees to the line of
sight changes by 14 mm there (1.8 mm a pixel at 1.1 m)."""

NOISE_U95_MM = 6.0
"""95 % bound of one depth reading at about 1 m; 2-4 mm (1 sigma) is what consumer stereo and time-of-flight
cameras state."""

NOZZLE_MARGIN_MM = 15.0


@dataclass(frozen=True, eq=False)
class DepthPoints:
    """All readings of one picture as points, rgb frame."""

    points_rgb_mm: Floats
    """Shape (h, w, 3); NaN = no reading, nozzle or hand, or past what the lens is known for."""
    smooth: Bools
    """No edge within a pixel, shape (h, w)."""


def depth_points(picture: DepthPicture, *, rig: Rig, nozzle: NozzleSighting | None) -> DepthPoints:
    """Points of a depth picture in the rgb frame, the nozzle and the hand taken out."""
    camera = _camera(rig)
    z = camera.z_mm(picture.depth_mm.astype(float))
    points = _rays(camera) * z[..., None]
    points = camera.depth_from_rgb.inverse.apply(points)
    valid = (z > 0) & np.isfinite(points).all(axis=-1)
    if nozzle is not None and rig.nozzle is not None:
        shape = NozzleShape.of(rig.nozzle)
        flat = points.reshape(-1, 3)
        held = shape.holds(flat, tip_mm=nozzle.tip_rgb_mm, axis=nozzle.axis_rgb, margin_mm=NOZZLE_MARGIN_MM)
        valid &= ~held.reshape(z.shape)
    farthest = ndimage.maximum_filter(np.where(valid, z, -np.inf), 3)
    nearest = ndimage.minimum_filter(np.where(valid, z, np.inf), 3)
    smooth = valid & (np.where(valid, farthest - nearest, np.inf) < STEP_MM)
    return DepthPoints(np.where(valid[..., None], points, np.nan), smooth)


def body_part(points: DepthPoints, *, seed_rgb_mm: Floats, rig: Rig, reach_mm: float) -> Floats:
    """Points (n, 3) of the connected surface on which a place lies, up to ``reach_mm`` from it.

    Only the neighbourhood counts for the connection: two legs hang together at the hip. None for a place that
    the depth camera cannot see.
    """
    camera = _camera(rig)
    px = camera.camera.project(camera.depth_from_rgb.apply(seed_rgb_mm[None]))[0]
    if not np.isfinite(px).all():  # beside or behind the depth camera: nothing of it is in the picture
        return np.zeros((0, 3))
    h, w = points.smooth.shape
    row, col = int(np.clip(round(px[1]), 0, h - 1)), int(np.clip(round(px[0]), 0, w - 1))
    near = np.linalg.norm(points.points_rgb_mm - seed_rgb_mm, axis=-1) < reach_mm
    part = largest_part(points.smooth & near, row=row, col=col)
    return points.points_rgb_mm[part]


def at_rgb_pixels(points: DepthPoints, pixels: Floats, *, rig: Rig, radius_px: float = 6.0) -> Floats:
    """Median point seen near each colour pixel (n, 2); NaN rows where nothing was read there."""
    flat = points.points_rgb_mm[points.smooth]
    seen_px = rig.rgb.project(flat)
    out = np.full((len(pixels), 3), np.nan)
    for k, pixel in enumerate(pixels):
        near = np.hypot(*(seen_px - pixel).T) < radius_px
        if near.sum() >= 5:
            out[k] = np.median(flat[near], axis=0)
    return out


def outward_normal(points_rgb_mm: Floats, *, centre_rgb_mm: Floats, radius_mm: float) -> Floats | None:
    """Normal of the plane through the points near a place, towards the camera; None with too few points."""
    near = points_rgb_mm[np.linalg.norm(points_rgb_mm - centre_rgb_mm, axis=1) < radius_mm]
    if len(near) < 20:
        return None
    normal = np.linalg.svd(near - near.mean(0), full_matrices=False)[2][2]
    return unit(-normal if normal @ centre_rgb_mm > 0 else normal)


def limb_axis(points_rgb_mm: Floats, *, centre_rgb_mm: Floats, radius_mm: float) -> Floats | None:
    """Direction in which the surface near a place bends least: the axis of a limb.

    The normals of small patches spread about the axis; it is the direction of their least spread.
    """
    near = points_rgb_mm[np.linalg.norm(points_rgb_mm - centre_rgb_mm, axis=1) < radius_mm]
    if len(near) < 200:
        return None
    patch = radius_mm / 5.0
    keys = np.floor((near - centre_rgb_mm) / patch).astype(int)
    _, label = np.unique(keys, axis=0, return_inverse=True)
    label = label.ravel()
    count = np.bincount(label)
    normals: list[Floats] = []
    for k in np.flatnonzero(count >= 15):
        part = near[label == k]
        _, size, rows = np.linalg.svd(part - part.mean(0), full_matrices=False)
        if size[1] > 4.0 * size[2]:
            normals.append(rows[2] * np.sign(-rows[2] @ part.mean(0)))
    if len(normals) < 6:
        return None
    return np.linalg.eigh(np.array(normals).T @ np.array(normals))[1][:, 0]


def _camera(rig: Rig) -> DepthCamera:
    if rig.depth is None:
        raise ValueError("A depth picture came, but the rig has no depth camera.")
    return rig.depth


def _rays(camera: DepthCamera) -> Floats:
    """Directions with z = 1 of all pixels, shape (h, w, 3)."""
    c = camera.camera
    grid = np.stack(np.meshgrid(np.arange(c.width_px), np.arange(c.height_px)), axis=-1).astype(float)
    return c.unproject(grid)
