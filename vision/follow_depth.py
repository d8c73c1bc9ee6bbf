"""What a depth picture says of a chart's motion: along the skin's normals, at the time it was taken."""

from __future__ import annotations

import numpy as np

from models.capture import DepthPicture
from models.chart import ZoneChart
from models.geometry import Floats, Pose, tukey, unit
from models.rig import Rig
from models.sightings import NozzleSighting
from vision.likeness import visible

SIGMA_MM = 3.0
SHARED_CELLS = 30.0
"""Depth residuals of so many cells count as one. Most of a depth picture's error is a pattern that stays with
its pixels and is alike over some 15 mm (0.4 at 14 mm, 0.17 at 29 mm): while the body rests it is the same in
chart and picture and falls out, and after a shift some 50 patches of a zone average it."""

BIAS_MM = 1.5
"""What all readings of a zone may be off together from one picture to the next, 1 sigma."""

SURPRISE = 3.0
"""Depth off by more standard deviations than this is a shift of the body, not noise."""

OLDEST_S = 0.5
"""The body's speed carries a depth picture's time to the colour picture's over no more than this."""

FEWEST_CELLS = 100
"""Cells that must be seen for a picture to count."""

FARTHEST_MM = 40.0
"""Readings farther off the chart belong to something else: hand, hose, couch."""


def depth_equations(
    chart: ZoneChart,
    picture: DepthPicture,
    nozzle: NozzleSighting | None,
    rig: Rig,
    pose: Pose,
    velocity_mm_s: Floats,
    *,
    t_s: float,
) -> tuple[Floats, Floats] | None:
    """Information (9, 9) and gradient (9,) of a small motion of the chart and of its velocity.

    A depth picture shows the body where it was when the picture was taken, up to `OLDEST_S` ago.

    Args:
        chart: As it was laid.
        picture: Depth.
        nozzle: What it hides does not count.
        rig: With or without a depth camera.
        pose: Of the chart at ``t_s``, rgb frame.
        velocity_mm_s: Of its centre, shape (3,).
        t_s: Time of the step.

    Returns:
        None where too few cells are seen.
    """
    age_s = float(np.clip(t_s - picture.t_s, 0.0, OLDEST_S))
    then = Pose.of(pose.rotation, pose.translation_mm - age_s * velocity_mm_s)
    rows, residual = _rows(chart, picture, nozzle, rig, then)
    if len(residual) < FEWEST_CELLS:
        return None
    rows = np.hstack([rows, -age_s * rows[:, 3:]])
    weight = tukey(residual / SIGMA_MM) / (SIGMA_MM**2 * SHARED_CELLS)
    return rows.T @ (rows * weight[:, None]), rows.T @ (residual * weight)


def surprise_mm(
    chart: ZoneChart,
    picture: DepthPicture,
    nozzle: NozzleSighting | None,
    rig: Rig,
    pose: Pose,
    covariance_mm2: Floats,
) -> Floats:
    """Shift of the body towards or from the camera that nothing foretold, rgb frame, shape (3,).

    The colour picture hardly sees such a shift. Zero where depth agrees with the place within its covariance
    (3, 3), or shows too little.
    """
    rows, residual = _rows(chart, picture, nozzle, rig, pose)
    if len(residual) < FEWEST_CELLS:
        return np.zeros(3)
    normal = unit(rows[:, 3:].mean(axis=0))
    off_mm = float(np.median(residual))
    expected_mm2 = float(normal @ covariance_mm2 @ normal) + BIAS_MM**2
    return off_mm * normal if abs(off_mm) > SURPRISE * np.sqrt(expected_mm2) else np.zeros(3)


def _rows(
    chart: ZoneChart, picture: DepthPicture, nozzle: NozzleSighting | None, rig: Rig, pose: Pose
) -> tuple[Floats, Floats]:
    """Jacobian (m, 6) and residuals (m,) along the normals at cells that a depth picture shows."""
    if rig.depth is None:
        return np.zeros((0, 6)), np.zeros(0)
    depth_from_rgb, camera = rig.depth.depth_from_rgb, rig.depth.camera
    points, normals = pose.apply(chart.position_mm), pose.rotate(chart.normal)
    seen = visible(points, normals, nozzle, rig)
    points, normals = points[seen], normals[seen]
    there = depth_from_rgb.apply(points)
    px = camera.project(there)
    inside = camera.inside(px, 1.0)
    points, normals, there, px = points[inside], normals[inside], there[inside], px[inside]
    counts = picture.depth_mm[np.rint(px[:, 1]).astype(int), np.rint(px[:, 0]).astype(int)]
    read_mm = rig.depth.z_mm(counts.astype(float))
    rays = there / there[:, 2:]
    off = (read_mm - there[:, 2]) * (depth_from_rgb.rotate(normals) * rays).sum(1)
    good = (read_mm > 0) & (np.abs(off) < FARTHEST_MM)
    centre = pose.apply(chart.centre_mm)
    rows = np.hstack([np.cross(points - centre, normals), normals])[good]
    return rows, off[good]
