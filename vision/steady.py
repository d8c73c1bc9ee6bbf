"""A view of one plane of tags that leaves the pose open, and what the motion so far adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Bools, Floats, Pose, rotation_from_rvec
from models.sightings import NozzleSighting
from vision.alignment import Aligned
from vision.fiducials import TagBody
from vision.tag_poses import rotation_vector


@dataclass(frozen=True, eq=False)
class Undecided:
    """Tags in one plane that leave the pose open."""

    reason: str
    melted: Aligned | None
    """The pose into which two have melted where a plane is seen square on: all but its tilt is known."""


def steadied(
    seen: NozzleSighting,
    expected: Pose,
    expected_covariance: Floats,
    *,
    body: TagBody,
    used: Bools,
    open_rad: float,
) -> NozzleSighting:
    """Put a pose seen square on and the one expected by motion together, each by its covariance.

    The picture says where the tags are and how they are rolled; of their tilt it says only that it is small.
    So the tilt is taken to be open over its whole range, about the middle of the tags in sight, and what was
    expected decides there.

    Args:
        seen: The pose into which two have melted, its covariance that of one of them.
        expected: By constant velocity from poses before.
        expected_covariance: Of that, as in `models.sightings.NozzleSighting`, shape (6, 6).
        body: Tags.
        used: Those in sight, in one plane, shape (n,).
        open_rad: How far the tilt is open, 1 sigma.
    """
    corners_mm = seen.rgb_from_nozzle.apply(body.corners_mm[used].reshape(-1, 3))
    middle_mm = corners_mm.mean(axis=0)
    in_plane = np.linalg.svd(corners_mm - middle_mm)[2][:2]
    tilts = np.concatenate([in_plane, np.cross(in_plane, seen.centroid_rgb_mm - middle_mm)], axis=1)
    covariance = seen.covariance + open_rad**2 * tilts.T @ tilts
    gain = covariance @ np.linalg.inv(covariance + expected_covariance)
    motion = gain @ _twist(expected, seen)
    turn = rotation_from_rvec(motion[:3])
    centroid_mm = seen.centroid_rgb_mm + motion[3:]
    from_centroid_mm = seen.rgb_from_nozzle.translation_mm - seen.centroid_rgb_mm
    keep = np.eye(6) - gain
    return replace(
        seen,
        rgb_from_nozzle=Pose.of(turn @ seen.rgb_from_nozzle.rotation, turn @ from_centroid_mm + centroid_mm),
        covariance=keep @ covariance @ keep.T + gain @ expected_covariance @ gain.T,
        centroid_rgb_mm=centroid_mm,
    )


def _twist(to: Pose, seen: NozzleSighting) -> Floats:
    """Small motion (rotation vector in rad, translation in mm, about the centroid) from the pose seen."""
    turn = to.rotation @ seen.rgb_from_nozzle.rotation.T
    centroid_mm = to.apply(seen.rgb_from_nozzle.inverse.apply(seen.centroid_rgb_mm))
    return np.concatenate([rotation_vector(turn), centroid_mm - seen.centroid_rgb_mm])
