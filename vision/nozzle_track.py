"""What is carried from one sighting of the nozzle to the next, and where it leads the nozzle by then."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.collar import Collar
from models.compiled import compiled, still
from models.geometry import Floats, Pose, frozen, rotation_from_rvec
from vision.fiducials import TagBody
from vision.shutter import Shutter
from vision.slide import Patch

BRIDGE_S = 0.150
"""Longest time over which a pose is predicted (session format: at most 150 ms)."""

HAND_MM_S2 = 1500.0
"""Acceleration of a hand that sweeps a wand, 1 sigma; a sweep of 60 mm at 1 Hz peaks at 1200 mm/s2."""

HAND_RAD_S2 = 10.0
"""Angular acceleration likewise: 15 degrees at 1 Hz peaks at 10 rad/s2."""

FIRST_BLUR_PX = 0.8
"""Blur before any was measured: a lens in focus, 0.5 to 1 px."""


@dataclass(frozen=True, eq=False)
class NozzleTrack:
    """What the caller carries from capture to capture."""

    seen_s: float
    """When the nozzle was last seen, -inf = never."""
    lost_s: float
    """Since when it is not seen; NaN = it is seen, or nothing was looked at yet."""
    rgb_from_nozzle: Pose
    """As last seen."""
    centroid_rgb_mm: Floats
    covariance: Floats
    turning_rad_s: Floats
    """Angular velocity, rgb frame, shape (3,)."""
    moving_mm_s: Floats
    """Velocity of the tags' centroid, shape (3,)."""
    moved: bool
    """Whether the velocities rest on two sightings."""
    shutter: Shutter
    blur_px: float
    collar: Collar | None
    """What is known of where the tags sit; None before the first sighting."""
    body: TagBody | None
    """The tags where they are believed to sit."""
    patch: Patch | None
    """What the collar looked like when last seen."""

    @staticmethod
    def start() -> NozzleTrack:
        """Nothing seen yet."""
        return NozzleTrack(
            seen_s=-np.inf,
            lost_s=np.nan,
            rgb_from_nozzle=Pose.identity(),
            centroid_rgb_mm=frozen(np.zeros(3)),
            covariance=frozen(np.zeros((6, 6))),
            turning_rad_s=frozen(np.zeros(3)),
            moving_mm_s=frozen(np.zeros(3)),
            moved=False,
            shutter=Shutter.start(),
            blur_px=FIRST_BLUR_PX,
            collar=None,
            body=None,
            patch=None,
        )


def predict(track: NozzleTrack, t_s: float) -> tuple[Pose, Floats]:
    """Pose and centroid at a later time, at constant velocity."""
    dt_s = t_s - track.seen_s
    turn = rotation_from_rvec(track.turning_rad_s * dt_s)
    centroid = track.centroid_rgb_mm + track.moving_mm_s * dt_s
    pose = Pose.of(
        turn @ track.rgb_from_nozzle.rotation,
        turn @ (track.rgb_from_nozzle.translation_mm - track.centroid_rgb_mm) + centroid,
    )
    return pose, centroid


def velocity(track: NozzleTrack, pose: Pose, t_s: float) -> Floats:
    """Velocity now (turning in rad/s, the centroid's in mm/s), shape (6,).

    Between two pictures the mean is known; half a gain from interval to interval leads on to the second.
    """
    mean = mean_velocity(track, pose, t_s)
    if mean is None:
        return np.zeros(6)
    if not track.moved:
        return mean
    return mean + 0.5 * (mean - np.concatenate([track.turning_rad_s, track.moving_mm_s]))


def mean_velocity(track: NozzleTrack, pose: Pose, t_s: float) -> Floats | None:
    """Since the last sighting: turning, and moving of the collar's centroid; None where that is too long ago.

    Shape (6,), as in `velocity`.
    """
    dt_s = t_s - track.seen_s
    if not 1e-4 < dt_s <= BRIDGE_S:
        return None
    before, now = still(track.rgb_from_nozzle.matrix), still(pose.matrix)
    return _motion(before, now, still(track.centroid_rgb_mm)) / dt_s


@compiled
def _motion(before: np.ndarray, now: np.ndarray, centroid_mm: np.ndarray) -> np.ndarray:
    """Rotation vector (less than half a turn, rad) from one pose to another, and shift of a point with it."""
    turn = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for k in range(3):
                turn[i, j] += now[i, k] * before[j, k]
    out = np.empty(6)
    out[0] = 0.5 * (turn[2, 1] - turn[1, 2])
    out[1] = 0.5 * (turn[0, 2] - turn[2, 0])
    out[2] = 0.5 * (turn[1, 0] - turn[0, 1])
    sine = math.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2)
    if sine > 1e-9:
        longer = math.atan2(sine, 0.5 * (turn[0, 0] + turn[1, 1] + turn[2, 2] - 1.0)) / sine
        for i in range(3):
            out[i] *= longer
    for i in range(3):
        out[3 + i] = now[i, 3] - centroid_mm[i]
        for j in range(3):
            out[3 + i] += turn[i, j] * (centroid_mm[j] - before[j, 3])
    return out


def expected_covariance(track: NozzleTrack, dt_s: float) -> Floats:
    """Of a constant-velocity guess; without a velocity the hand may move at 300 mm/s, 1.5 rad/s."""
    slide_mm = 0.5 * HAND_MM_S2 * dt_s**2 + (0.0 if track.moved else 300.0 * dt_s)
    turn_sigma_rad = 0.5 * HAND_RAD_S2 * dt_s**2 + (0.0 if track.moved else 1.5 * dt_s)
    return track.covariance * 4.0 + np.diag([turn_sigma_rad**2] * 3 + [slide_mm**2] * 3)
