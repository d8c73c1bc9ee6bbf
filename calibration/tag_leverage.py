"""How far the tip is off where tags do not sit where the rig has them: by leverage, which is known geometry.

Tags that are misplaced turn the pose that is found from them, alike in all poses that see the same tags. That
looks like another tip, and nothing in the poses tells it. So what is not known of the tags' places goes into
the bound of the tip: as the calibrated collar states it, or as usual for tags that somebody glued on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.geometry import Floats, unit
from models.rig import Nozzle, Rig
from models.rig_widened import loosened

GLUED_MM = 0.3
"""1 sigma, each direction, by which the place of a tag that was printed, folded and glued on is off: from 0.3
mm of it self-calibration is asked to start."""

AWAY_MM = 400.0
"""From the camera, as the steps `collar` and `tip` ask for."""

_FACING = 0.35
"""Cosine between a tag's normal and the line of sight from which on it is read."""


@dataclass(frozen=True, eq=False)
class TagsPlaced:
    """Tags as the rig has them, and how well."""

    corners_mm: Floats
    """In the frame of the poses, shape (n, 4, 3)."""
    covariance_mm2: Floats | None = None
    """Of their middles, tag after tag, shape (3n, 3n), as a calibrated collar states it; None = as glued."""
    lapsed: str = ""
    """Why what the collar's calibration said of them no longer holds; empty = it does."""

    @property
    def calibrated(self) -> bool:
        """Whether pictures told where they sit."""
        return self.covariance_mm2 is not None

    def tip_mm2(self, tip_mm: Floats) -> Floats:
        """What it leaves open of a tip, seen from where that is most, shape (3, 3)."""
        sides = unit(self._normals())
        return max((self._seen_from(side, tip_mm) for side in sides), key=lambda one: float(np.trace(one)))

    def _normals(self) -> Floats:
        c = self.corners_mm
        out: Floats = np.cross(c[:, 3] - c[:, 0], c[:, 1] - c[:, 0]).astype(np.float64)
        return out

    def _seen_from(self, side: Floats, tip_mm: Floats) -> Floats:
        """The same by the tags that a camera on one side reads."""
        normals = unit(self._normals())
        seen = np.flatnonzero(normals @ side > _FACING)
        corners = self.corners_mm[seen]
        middle = corners.reshape(-1, 3).mean(axis=0)
        ahead = -side
        across: Floats = np.cross(ahead, np.eye(3)[int(np.argmin(np.abs(ahead)))]).astype(np.float64)
        right = unit(across)
        axes = np.stack([right, np.cross(ahead, right), ahead])
        points = (corners - middle) @ axes.T + (0.0, 0.0, AWAY_MM)
        z = points[..., 2:]
        by_point = np.zeros((*points.shape[:2], 2, 3))
        by_point[..., 0, 0] = by_point[..., 1, 1] = 1.0 / z[..., 0]
        by_point[..., 2] = -points[..., :2] / z**2
        by_place = by_point @ axes
        by_pose = np.concatenate([by_place @ _crossed(corners - middle), by_place], axis=-1).reshape(-1, 6)
        solve = np.linalg.pinv(by_pose).reshape(6, len(seen), 4, 2)
        moved = np.einsum("akcp,kcpi->aki", solve, by_place)
        out = corners - corners.mean(axis=1, keepdims=True)
        tilted = np.einsum("akcp,kcpi->aki", solve, by_place @ _crossed(out))
        if self.covariance_mm2 is None:
            half_mm = float(np.linalg.norm(out[0, 0])) / np.sqrt(2.0)
            pose = GLUED_MM**2 * np.einsum("aki,bki->ab", moved, moved)
            pose += (GLUED_MM / half_mm) ** 2 * np.einsum("aki,bki->ab", tilted, tilted)
        else:
            rows = (3 * seen[:, None] + np.arange(3)).ravel()
            flat = moved.reshape(6, -1)
            pose = flat @ self.covariance_mm2[np.ix_(rows, rows)] @ flat.T
        lever = np.hstack([_crossed(tip_mm - middle), np.eye(3)])
        return np.asarray(lever @ pose @ lever.T, float)


def tags_placed(rig: Rig, nozzle: Nozzle, *, now: datetime) -> TagsPlaced:
    """The tags of a rig with what is known of their places.

    Args:
        rig: As it may be relied on at that time (`models.rig_widened.widened`).
        nozzle: Of it.
        now: Time of day.
    """
    lapsed = [one.lapsed for one in loosened(rig, now=now) if one.lapsed.step == "collar"]
    known = rig.nozzle_errors.tag_mm2
    return TagsPlaced(nozzle.tags.corners_mm, known, lapsed[0].why if lapsed and known is not None else "")


def _crossed(arms: Floats) -> Floats:
    """Matrices that give ``turn x arm`` from a turn, shape (..., 3, 3)."""
    x, y, z = arms[..., 0], arms[..., 1], arms[..., 2]
    none = np.zeros_like(x)
    rows = [np.stack(row, axis=-1) for row in ((none, z, -y), (-z, none, x), (y, -x, none))]
    return np.stack(rows, axis=-2)
