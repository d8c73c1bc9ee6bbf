"""What colour and depth camera of a sitting see while the board is held: still, leant, near and far."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.guided_pictures import FlatPicture
from calibration.board import OWN
from calibration.depth_views import pixel_rays, plane_z_mm
from models.capture import Capture, DepthPicture
from models.geometry import Counts, Floats, Pose, rotation_from_rvec
from models.rig import DepthCamera, Rig

HELD_S, HZ = 2.5, 5.0
PATTERN_MM, OWN_MM, SMOOTH_PX = 2.3, 1.0, 5.8
"""Of depth readings, as `benchmarks.depth_coverage.Noise` has them."""
BORDER_MM, BEHIND_MM = 24.0, 500.0


def boards_held(rig: Rig, rng: np.random.Generator) -> Iterator[Capture]:
    """One pose after the other, for ever; what is between two poses is not drawn."""
    depth, flat = rig.depth, FlatPicture(OWN, rig.rgb)
    assert depth is not None
    rays = pixel_rays(depth)
    pattern = gaussian_filter(rng.normal(size=rays.shape[:2]), SMOOTH_PX)
    pattern *= PATTERN_MM / float(pattern.std())
    count = 0
    while True:
        pose = _pose(rng)
        bgr = flat.colour(pose, rng)
        for _ in range(round(HELD_S * HZ)):
            t_s = count / HZ
            read = _read(depth, pose, rays, pattern, rng)
            yield Capture(t_s, count, bgr, (), (DepthPicture(t_s, read),), 0.0, False)
            count += 1


def _pose(rng: np.random.Generator) -> Pose:
    """``rgb_from_board``: leaning by up to 35 degrees to any side, 0.45 to 0.9 m away."""
    way, lean = rng.uniform(0.0, 2.0 * np.pi), np.radians(35.0) * np.sqrt(rng.uniform())
    turn = rotation_from_rvec(lean * np.array([np.cos(way), np.sin(way), 0.0]))
    far_mm = rng.uniform(450.0, 900.0)
    middle = far_mm * np.array([rng.uniform(-0.25, 0.25), rng.uniform(-0.12, 0.12), 1.0])
    return Pose.of(turn, middle - turn @ OWN.corners_mm.mean(axis=0))


def _read(depth: DepthCamera, pose: Pose, rays: Floats, pattern: Floats, rng: np.random.Generator) -> Counts:
    z_mm = plane_z_mm(rays, pose, depth.depth_from_rgb)
    flat = (depth.depth_from_rgb @ pose).inverse.apply(rays * z_mm[..., None])[..., :2]
    low, high = OWN.corners_mm[:, :2].min(axis=0), OWN.corners_mm[:, :2].max(axis=0)
    inside = np.all((flat > low - BORDER_MM) & (flat < high + BORDER_MM), axis=-1)
    z_mm = np.where(inside, z_mm, pose.translation_mm[2] + BEHIND_MM)
    z_mm = z_mm + pattern + OWN_MM * rng.normal(size=z_mm.shape)
    return np.rint((z_mm - depth.offset_mm) / depth.scale).astype(np.uint16)
