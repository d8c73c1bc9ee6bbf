"""Small rigid motions of a body about a point of it, as a step of least squares makes them."""

from __future__ import annotations

import numpy as np

from models.geometry import Floats, Pose, rotation_from_rvec


def moved(rgb_from_chart: Pose, step: Floats, *, centre_mm: Floats) -> Pose:
    """The pose after a small motion.

    Args:
        rgb_from_chart: Before.
        step: Rotation vector (rad), and shift (mm) of the centre, rgb frame, shape (6,).
        centre_mm: Chart frame; the body turns about it.
    """
    turn = rotation_from_rvec(step[:3])
    centre_rgb_mm = rgb_from_chart.apply(centre_mm)
    u, _, vt = np.linalg.svd(turn @ rgb_from_chart.rotation)
    return Pose.of(u @ vt, turn @ (rgb_from_chart.translation_mm - centre_rgb_mm) + centre_rgb_mm + step[3:])


def motion_between(first: Pose, second: Pose, *, centre_mm: Floats) -> Floats:
    """Small motion that brings one pose to another, as `moved` takes it, shape (6,)."""
    turn = second.rotation @ first.rotation.T
    vee = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2.0
    return np.concatenate([vee, second.apply(centre_mm) - first.apply(centre_mm)])
