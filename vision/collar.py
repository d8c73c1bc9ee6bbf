"""What one view of the collar says of where its tags sit, and what that leaves open in the pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.collar import Collar, moved_corners
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
    n, m = len(body.ids), len(found.prior)
    turn = found.rgb_from_body.rotation
    middle = found.rgb_from_body.apply(body.corners_mm.mean(axis=1))
    joint, own = np.zeros((m, 6 * n + 1)), np.zeros((6 * n + 1, 6 * n + 1))
    pull = np.zeros(6 * n + 1)
    for k in np.flatnonzero(found.used):
        x, y, z = middle[k] - found.centroid_rgb_mm
        body_by_tag = np.zeros((m, 6))
        body_by_tag[:3, :3] = body_by_tag[3:6, 3:6] = turn
        # A turn about the tag's middle, told about the body's centroid.
        body_by_tag[3:6, :3] = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]) @ turn
        at = slice(6 * k, 6 * k + 6)
        joint[:, at] = found.information[k] @ body_by_tag
        own[at, at] = body_by_tag.T @ joint[:, at]
        pull[at] = body_by_tag.T @ found.score[k]
        # A tag that is larger looks as if it were nearer, along the ray to its middle.
        nearer = np.zeros(m)
        nearer[3:6] = -middle[k]
        by_size = found.information[k] @ nearer
        joint[:, -1] += by_size
        own[-1, -1] += nearer @ by_size
        own[at, -1] = own[-1, at] = body_by_tag.T @ by_size
        pull[-1] += nearer @ found.score[k]
    by_motion = inverse @ joint
    total = found.score[found.used].sum(axis=0)
    return CollarView(
        information=(own - joint.T @ by_motion) / inflation,
        pull=(pull - by_motion.T @ total) / inflation,
        pose_by_motion=-by_motion[:6],
    )


def body_as_learned(given: TagBody, collar: Collar) -> TagBody:
    """The body with its tags where they are by now believed to be."""
    return with_corners(given, frozen(moved_corners(given.corners_mm, collar.motion)))


def half_sides_mm(body: TagBody) -> Floats:
    """Half the side of each tag, shape (n,)."""
    return 0.5 * np.linalg.norm(body.corners_mm[:, 1] - body.corners_mm[:, 0], axis=-1)
