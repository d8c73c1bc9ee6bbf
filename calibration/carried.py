"""A solved thermal camera as the rig uses it: with the colour lens that the rig states.

The pairs improve on the colour camera, too, but other steps rest on its lens as it is, so it stays. What the
pairs would have changed of it goes into the thermal camera, so that a ray of the rig's lens is taken to the
thermal pixel that the solution says. In 80 drawn rigs with lenses off by 1 px that left 0.05 mm at most
(median 0.007); without it bounds of 12 pairs held 38 of 60.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from calibration.intrinsics import PARAMETERS
from calibration.placed import placed_slopes
from calibration.skin_error import DISTANCES_MM
from calibration.thermal_pair import ThermalFound
from models.geometry import Floats, Pose, frozen, rotation_from_rvec

_LOOSE = 1e-6
"""Directions that the place hardly tells of stay, this share of its mean slope, in sigmas."""


def carried(found: ThermalFound, rgb_values: Floats, *, rgb_size_px: tuple[int, int]) -> ThermalFound:
    """The same with the colour lens as stated, and the thermal camera that goes with it.

    Args:
        found: As solved.
        rgb_values: The rig's colour lens, in the order of `calibration.intrinsics.PARAMETERS`, shape (9,).
        rgb_size_px: Width and height.

    Returns:
        With a covariance that holds for the place given that lens: 0 of the colour camera's own.
    """
    size, count = len(found.covariance), len(found.free) + 6
    inner = slice(9, 9 + count)
    slopes = np.concatenate(
        [placed_slopes(found, rgb_size_px=rgb_size_px, distance_mm=d) for d in DISTANCES_MM]
    ).reshape(-1, 9 + count)
    values, vectors = np.linalg.eigh(found.covariance[inner, inner])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    by_thermal = slopes[:, 9:] @ root
    square = by_thermal.T @ by_thermal
    square += _LOOSE * float(np.trace(square)) / count * np.eye(count)
    taken_up = root @ np.linalg.solve(square, by_thermal.T @ slopes[:, :9])
    change = taken_up @ (found.rgb_values - rgb_values)
    lens, at = found.values.copy(), [PARAMETERS.index(name) for name in found.free]
    lens[at] += change[:-6]
    turn, _ = cv2.Rodrigues(found.thermal_from_rgb.rotation)
    stand = Pose.of(
        rotation_from_rvec(np.ravel(turn).astype(float) + change[-6:-3]),
        found.thermal_from_rgb.translation_mm + change[-3:],
    )
    lift = np.eye(size)
    lift[:9, :9] = 0.0
    lift[inner, :9] = taken_up
    return replace(
        found,
        values=frozen(lens),
        thermal_from_rgb=stand,
        rgb_values=frozen(rgb_values),
        covariance=frozen(lift @ found.covariance @ lift.T),
        by_width=tuple((w, frozen(lift @ c @ lift.T)) for w, c in found.by_width),
    )
