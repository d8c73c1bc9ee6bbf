"""What pairs of pictures say, as equations: residuals of all corners, and how they move with what is sought.

Slopes are worked out, not tried: a target in ten pairs has some 80 unknowns, and trying each costs ten times
as much as knowing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import BoardView
from models.geometry import Floats, Ints, rotation_from_rvec


@dataclass(frozen=True, eq=False)
class PairView:
    """One target in both cameras."""

    name: str
    rgb: BoardView
    thermal: BoardView


@dataclass(frozen=True, eq=False)
class PairEquations:
    """Of unknowns in one row.

    Nine colour parameters (in units of their covariance's root), the thermal ones that are free,
    ``thermal_from_rgb`` (rotation vector, mm), each pair's ``rgb_from_board`` likewise, and the bloom.
    """

    pairs: Sequence[PairView]
    corners_mm: Floats
    rgb_values: Floats
    root: Floats
    thermal_start: Floats
    """Values of the thermal parameters that are not free, shape (9,)."""
    free_at: Ints
    """Of the free ones, in the order of `calibration.intrinsics.PARAMETERS`."""
    square: bool
    """Whether ``fy_px`` is ``fx_px``."""
    sigma: tuple[float, float]
    """Noise of colour and thermal corners, px."""

    def thermal_values(self, x: Floats) -> Floats:
        """All nine thermal parameters."""
        values = self.thermal_start.copy()
        values[self.free_at] = x[9 : 9 + len(self.free_at)]
        if self.square:
            values[1] = values[0]
        return values

    def residuals(self, x: Floats) -> Floats:
        """In units of their noise, the nine colour parameters first."""
        return self._all(x)[0]

    def slopes(self, x: Floats) -> Floats:
        """Of the residuals by the unknowns, shape (residuals, unknowns)."""
        return self._all(x)[1]

    def _all(self, x: Floats) -> tuple[Floats, Floats]:
        t = len(self.free_at)
        rgb, thermal = self.rgb_values + self.root @ x[:9], self.thermal_values(x)
        stand = x[9 + t : 15 + t]
        turn, by_turn = _turned(stand[:3])
        lift = np.zeros((9, t))
        lift[self.free_at, np.arange(t)] = 1.0
        if self.square:
            lift[1] = lift[0]
        off, rows = [x[:9]], [np.eye(9, len(x))]
        for k, pair in enumerate(self.pairs):
            at = 15 + t + 6 * k
            pose_turn, by_pose_turn = _turned(x[at : at + 3])
            board, by_bloom = _bloomed_both(self.corners_mm, float(x[-1]))
            ids = pair.rgb.ids
            here = self.corners_mm[ids] @ pose_turn.T + x[at + 3 : at + 6]
            px, by_point, by_lens = _seen(here, rgb)
            off.append(((px - pair.rgb.corners_px) / self.sigma[0]).ravel())
            block = np.zeros((len(ids), 2, len(x)))
            block[:, :, :9] = by_lens @ self.root
            block[:, :, at : at + 3] = by_point @ (
                np.einsum("aij,kj->kia", by_pose_turn, self.corners_mm[ids])
            )
            block[:, :, at + 3 : at + 6] = by_point
            rows.append(block.reshape(-1, len(x)) / self.sigma[0])
            ids = pair.thermal.ids
            here = board[ids] @ pose_turn.T + x[at + 3 : at + 6]
            px, by_point, by_lens = _seen(here @ turn.T + stand[3:], thermal)
            off.append(((px - pair.thermal.corners_px) / self.sigma[1]).ravel())
            block = np.zeros((len(ids), 2, len(x)))
            block[:, :, 9 : 9 + t] = by_lens @ lift
            block[:, :, 9 + t : 12 + t] = by_point @ np.einsum("aij,kj->kia", by_turn, here)
            block[:, :, 12 + t : 15 + t] = by_point
            by_here = by_point @ turn
            block[:, :, at : at + 3] = by_here @ np.einsum("aij,kj->kia", by_pose_turn, board[ids])
            block[:, :, at + 3 : at + 6] = by_here
            block[:, :, -1] = np.einsum("kij,kj->ki", by_here, by_bloom[ids] @ pose_turn.T)
            rows.append(block.reshape(-1, len(x)) / self.sigma[1])
        return np.concatenate(off), np.vstack(rows)


def bloomed(corners_mm: Floats, share: float) -> Floats:
    """Corners of tags that look larger by a share about their middles, shape (4n, 3)."""
    return _bloomed_both(corners_mm, share)[0]


def _bloomed_both(corners_mm: Floats, share: float) -> tuple[Floats, Floats]:
    tags = corners_mm.reshape(-1, 4, 3)
    out = (tags - tags.mean(axis=1, keepdims=True)).reshape(-1, 3)
    return corners_mm + share * out, out


def _turned(vector: Floats) -> tuple[Floats, Floats]:
    """Rotation, and its slopes by the rotation vector, shape (3, 3, 3)."""
    _, slopes = cv2.Rodrigues(np.asarray(vector, float).reshape(3, 1))
    return rotation_from_rvec(vector), np.asarray(slopes, float).reshape(3, 3, 3)


def _seen(points_mm: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Pixels, and their slopes by the points, (k, 2, 3), and by the nine parameters, (k, 2, 9)."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    still = np.zeros(3)
    px, slopes = cv2.projectPoints(np.ascontiguousarray(points_mm), still, still, matrix, values[4:])
    whole = np.asarray(slopes, float).reshape(-1, 2, slopes.shape[1])
    return np.asarray(px, float).reshape(-1, 2), whole[:, :, 3:6], whole[:, :, 6:15]
