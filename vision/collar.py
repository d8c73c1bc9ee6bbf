"""What one view of the collar says of where its tags sit, and what that leaves open in the pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.collar import Collar, moved_corners
from models.compiled import compiled
from models.geometry import Floats, frozen
from vision.alignment import Aligned
from vision.fiducials import TagBody, with_corners


@dataclass(frozen=True, eq=False)
class CollarView:
    """One picture's normal equations for small motions of the tags (`models.collar.Collar.motion`)."""

    information: Floats
    """Pose and blur eliminated, shape (6n + 1, 6n + 1)."""
    pull: Floats
    """Shape (6n + 1,)."""
    pose_by_motion: Floats
    """Motion of the pose that motions of the tags bring about, shape (6, 6n + 1)."""


def collar_view(found: Aligned, body: TagBody, *, inverse: Floats, inflation: float) -> CollarView:
    """Normal equations of a view.

    A tag that sits elsewhere on the body by d looks as if the body had moved by J d for that tag alone, so
    the equations of `vision.alignment.Aligned` serve for both.

    Args:
        found: The pose.
        body: Its tags as they were laid over the picture.
        inverse: Of the sum of the tags' information, see `vision.pose_bounds.Pulls`.
        inflation: See there.
    """
    own, pull, by_motion, pulled = _equations(
        found.information,
        found.score,
        found.used,
        np.ascontiguousarray(found.rgb_from_body.rotation),
        found.rgb_from_body.apply(body.middles_mm),
        found.centroid_rgb_mm,
        inverse,
    )
    return CollarView(
        information=own / inflation, pull=(pull - pulled) / inflation, pose_by_motion=-by_motion[:6]
    )


@compiled
def _equations(
    information: np.ndarray,
    score: np.ndarray,
    used: np.ndarray,
    turn: np.ndarray,
    middle: np.ndarray,
    centroid: np.ndarray,
    inverse: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Equations of the tags' motions, the pose eliminated.

    Returns:
        Information; pull; minus the pose that motions bring about; what the pose takes of the pull.
    """
    n, m = score.shape
    size = 6 * n + 1
    joint, own, pull = np.zeros((m, size)), np.zeros((size, size)), np.zeros(size)
    total, body_by_tag = np.zeros(m), np.zeros((m, 6))
    for p in range(3):
        for q in range(3):
            body_by_tag[p, q] = turn[p, q]
            body_by_tag[3 + p, 3 + q] = turn[p, q]
    for k in range(n):
        if not used[k]:
            continue
        x, y, z = middle[k] - centroid
        for p in range(3):  # a turn about the tag's middle, told about the body's centroid
            body_by_tag[3, p] = -z * turn[1, p] + y * turn[2, p]
            body_by_tag[4, p] = z * turn[0, p] - x * turn[2, p]
            body_by_tag[5, p] = -y * turn[0, p] + x * turn[1, p]
        first = 6 * k
        here = information[k] @ body_by_tag
        alone, pulls = body_by_tag.T @ here, body_by_tag.T @ score[k]
        # A tag that is larger looks as if it were nearer, along the ray to its middle.
        nearer = np.zeros(m)
        for p in range(3):
            nearer[3 + p] = -middle[k, p]
        by_size = information[k] @ nearer
        own[size - 1, size - 1] += nearer @ by_size
        shared = body_by_tag.T @ by_size
        # Number by number: to assign to a part of an array costs seconds of compiling.
        for i in range(m):
            joint[i, size - 1] += by_size[i]
            for p in range(6):
                joint[i, first + p] = here[i, p]
        for p in range(6):
            own[first + p, size - 1] = own[size - 1, first + p] = shared[p]
            pull[first + p] = pulls[p]
            for q in range(6):
                own[first + p, first + q] = alone[p, q]
        pull[size - 1] += nearer @ score[k]
        total += score[k]
    by_motion = inverse @ joint
    own -= joint.T @ by_motion
    return own, pull, by_motion, by_motion.T @ total


def body_as_learned(given: TagBody, collar: Collar) -> TagBody:
    """The body with its tags where they are by now believed to be."""
    return with_corners(given, frozen(moved_corners(given.corners_mm, collar.motion)))


def half_sides_mm(body: TagBody) -> Floats:
    """Half the side of each tag, shape (n,)."""
    return 0.5 * np.linalg.norm(body.corners_mm[:, 1] - body.corners_mm[:, 0], axis=-1)
