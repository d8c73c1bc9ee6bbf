"""What an imperfectly known lens does to directions and to sizes, by place in the picture.

To first order, in closed form from OpenCV's model of a lens. Boards that were held in the middle of a picture
alone leave its corners open: there a calibration may be off by ten times of what it is in the middle.
"""

from __future__ import annotations

import numpy as np

from models.camera import Camera
from models.geometry import Floats

REACH = 0.04
"""Half of what is placed by the size that it appears in, as a tangent: a collar 60 mm across 0.8 m away."""

FOCAL_PER_RMS = 0.005
"""Relative 1-sigma error of a calibrated focal length per pixel of the calibration's rms, where that is all
that a rig states. Measured: 13 chessboard photos with rms 0.196 px state 0.08 %; calibrations from random
halves of them scatter by 0.10 %."""

ACROSS_PER_RMS = 0.5
"""The same of the middle of the picture, in pixels."""

UNKNOWN_RMS_PX = 0.4
"""Taken where the rig does not say."""

_WITHIN_FOLD = 0.98
"""Of the tangent at which the lens turns round: directions beyond are judged here, for there is no model."""


def ray_slopes(camera: Camera, rays: Floats) -> Floats:
    """How directions of fixed pixels change with the lens: tangents by each parameter, shape (n, 2, 9).

    Args:
        camera: The lens.
        rays: Tangents x / z and y / z, camera's frame, shape (n, 2).

    Returns:
        In the order of `models.rig.INTRINSICS`.
    """
    x, y = _inside_fold(camera, rays).T
    k1, k2, p1, p2, k3 = camera.distortion
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    bends = k1 + r2 * (2.0 * k2 + 3.0 * r2 * k3)
    aslant = 2.0 * (x * y * bends + p1 * x + p2 * y)
    by_ray = np.empty((len(x), 2, 2))
    by_ray[:, 0, 0] = radial + 2.0 * x * x * bends + 2.0 * p1 * y + 6.0 * p2 * x
    by_ray[:, 1, 1] = radial + 2.0 * y * y * bends + 6.0 * p1 * y + 2.0 * p2 * x
    by_ray[:, 0, 1] = by_ray[:, 1, 0] = aslant
    by_lens = np.zeros((len(x), 2, 9))
    by_lens[:, 0, 0] = (x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x)) / camera.fx_px
    by_lens[:, 1, 1] = (y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y) / camera.fy_px
    by_lens[:, 0, 2], by_lens[:, 1, 3] = 1.0 / camera.fx_px, 1.0 / camera.fy_px
    for column, power in ((4, r2), (5, r2**2), (8, r2**3)):
        by_lens[:, 0, column], by_lens[:, 1, column] = x * power, y * power
    by_lens[:, 0, 6], by_lens[:, 1, 6] = 2.0 * x * y, r2 + 2.0 * y * y
    by_lens[:, 0, 7], by_lens[:, 1, 7] = r2 + 2.0 * x * x, 2.0 * x * y
    return np.asarray(-np.linalg.solve(by_ray, by_lens), np.float64)


def lens_slopes(camera: Camera, rays: Floats) -> tuple[Floats, Floats]:
    """`ray_slopes`, and by what share things look larger with each parameter: they are placed nearer by it.

    Args:
        camera: The lens.
        rays: As `ray_slopes` takes them, shape (n, 2).

    Returns:
        Shapes (n, 2, 9) and (n, 9).
    """
    n, steps = len(rays), np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    around = rays[:, None] + REACH * steps
    every = ray_slopes(camera, np.concatenate([rays, around.reshape(-1, 2)]))
    right, left, below, above = np.moveaxis(every[n:].reshape(n, 4, 2, 9), 1, 0)
    larger = ((right - left)[:, 0] + (below - above)[:, 1]) / (4.0 * REACH)
    return every[:n], np.asarray(larger, np.float64)


def _inside_fold(camera: Camera, rays: Floats) -> Floats:
    far = np.sqrt(np.sum(rays**2, axis=1) / camera.fold_square) / _WITHIN_FOLD
    return rays / np.maximum(far, 1.0)[:, None]
