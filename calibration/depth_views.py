"""What pairs of pictures show: the board's plane by the colour camera, and depth readings inside its outline.

Readings of neighbouring pixels err together, and stay so from picture to picture. They are taken together in
blocks of one fixed grid of the depth picture, so that boards seen by the same pixels share their blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import Board, BoardView
from calibration.thermal_pair import board_pose
from models.geometry import Bools, Counts, Floats, Ints, Pose, frozen, rotation_from_rvec
from models.rig import DepthCamera

LEAST_READ = 0.4
"""Share of the board's pixels that must have a reading near its plane."""

LEAST_BLOCKS, BLOCKS, MOST_BLOCKS = 6, 24, 400
"""Of one view at least; of a usual view; of all views, for the solution's cost grows with their cube."""

LEAST_NOISE_PX = 0.05
"""1 sigma of a corner's component is not taken for less."""

_TAG_MARGIN = 0.25
"""Of a tag's side: so much of a board of tags is left off at its edge, where depth is mixed with what is
behind. The inner corners of other boards keep off their edge by a square."""


@dataclass(frozen=True, eq=False)
class DepthView:
    """One pair: where the board stands, and the depth picture."""

    name: str
    pose: Floats
    """``rgb_from_board``: rotation vector, mm, shape (6,)."""
    spread: Floats
    """Its covariance by noise of the corners, shape (6, 6)."""
    by_lens: Floats
    """What parameters of the colour camera (`models.rig.INTRINSICS`) do to it, shape (6, 9)."""
    readings_mm: Counts
    """Shape (h, w), 0 = no reading."""

    @property
    def rgb_from_board(self) -> Pose:
        """The same as a pose."""
        return Pose.of(rotation_from_rvec(self.pose[:3]), self.pose[3:])


@dataclass(frozen=True, eq=False)
class Blocks:
    """Readings of all views, together in blocks; m of them."""

    view: Ints
    """Number of the view, shape (m,)."""
    at: Ints
    """Row and column in the grid of blocks, shape (m, 2)."""
    px: Floats
    """Mean place of what was used, shape (m, 2)."""
    reading_mm: Floats
    """Mean reading, shape (m,)."""
    off_mm: Floats
    """Mean of how much farther the board's plane lies than was read, along z, shape (m,)."""
    share: Floats
    """Of each view: of the board's pixels, those with a reading near its plane."""

    def where(self, keep: Bools) -> Blocks:
        """Some of them."""
        px, reading_mm, off_mm = self.px[keep], self.reading_mm[keep], self.off_mm[keep]
        return Blocks(self.view[keep], self.at[keep], px, reading_mm, off_mm, self.share)


def depth_views(
    seen: Sequence[tuple[BoardView, Counts]], board: Board, *, lens: Floats
) -> tuple[DepthView, ...]:
    """Poses of the board with what corners and lens leave open of them.

    Args:
        seen: Corners in the colour picture, and the depth picture of the same moment.
        board: What was seen.
        lens: Of the colour camera, in the order of `models.rig.INTRINSICS`, shape (9,).
    """
    matrix = np.array([[lens[0], 0.0, lens[2]], [0.0, lens[1], lens[3]], [0.0, 0.0, 1.0]])
    told: list[tuple[Floats, Floats, Floats]] = []
    square, free = 0.0, 0
    for view, _ in seen:
        pose = board_pose(view, board.corners_mm, lens)
        px, slopes = cv2.projectPoints(board.corners_mm[view.ids], pose[:3], pose[3:], matrix, lens[4:])
        slopes = np.asarray(slopes, float)
        off = view.corners_px - np.asarray(px, float).reshape(-1, 2)
        square, free = square + float(np.sum(off**2)), free + off.size - 6
        told.append((pose, slopes[:, :6], slopes[:, 6:15]))
    noise_px = max(float(np.sqrt(square / max(free, 1))), LEAST_NOISE_PX)
    views: list[DepthView] = []
    for (view, readings), (pose, by_pose, by_lens) in zip(seen, told, strict=True):
        inverse = np.linalg.inv(by_pose.T @ by_pose)
        views.append(
            DepthView(
                view.name,
                frozen(pose),
                frozen(np.asarray(noise_px**2 * inverse, np.float64)),
                frozen(np.asarray(-inverse @ by_pose.T @ by_lens, np.float64)),
                readings,
            )
        )
    return tuple(views)


def inner_mm(board: Board) -> Floats:
    """Least and greatest x and y of the board between which depth is looked at, shape (2, 2)."""
    flat = board.corners_mm[:, :2]
    margin = _TAG_MARGIN * board.square_mm if board.kind == "tags" else 0.0
    return np.stack([flat.min(axis=0) + margin, flat.max(axis=0) - margin])


def plane_z_mm(rays: Floats, rgb_from_board: Pose, depth_from_rgb: Pose) -> Floats:
    """Distance along the depth camera's z at which rays (..., 3) with z = 1 meet the board's plane."""
    normal = depth_from_rgb.rotate(rgb_from_board.rotation[:, 2])
    on_plane = depth_from_rgb.apply(rgb_from_board.translation_mm)
    return float(normal @ on_plane) / (rays @ normal)


def block_px(views: Sequence[DepthView], board: Board, camera: DepthCamera) -> int:
    """Side of a block, so that a usual view has about `BLOCKS` and all together not many too many."""
    (left, top), (right, bottom) = inner_mm(board)
    middle = np.array([0.5 * (left + right), 0.5 * (top + bottom), 0.0])
    area_mm2 = (right - left) * (bottom - top)
    away_mm = np.array([float(view.rgb_from_board.apply(middle)[2]) for view in views])
    sizes = area_mm2 * camera.camera.fx_px * camera.camera.fy_px / away_mm**2
    wanted = min(BLOCKS, MOST_BLOCKS / len(views))
    return max(3, round(float(np.sqrt(np.median(sizes) / wanted))))


def blocks_of(
    views: Sequence[DepthView],
    board: Board,
    camera: DepthCamera,
    *,
    rays: Floats,
    side_px: int,
    reach_mm: float,
    gate_mm: float,
) -> Blocks:
    """Readings inside the board's outline, near its plane.

    Args:
        views: The pairs.
        board: What was seen.
        camera: As far as it is known.
        rays: Directions of all its pixels, z = 1, shape (h, w, 3).
        side_px: Of a block.
        reach_mm: Readings farther from the plane belong to something else.
        gate_mm: Likewise, from the middle of those within reach.
    """
    low, high = inner_mm(board)
    rim = np.array([[x, y, 0.0] for x in (low[0], high[0]) for y in (low[1], high[1])])
    height, width = rays.shape[:2]
    across = -(-width // side_px)
    parts: list[tuple[Ints, ...]] = []
    numbers: list[Floats] = []
    shares = np.zeros(len(views))
    for k, view in enumerate(views):
        pose = view.rgb_from_board
        rim_px = camera.camera.project(camera.depth_from_rgb.apply(pose.apply(rim)))
        if not np.isfinite(rim_px).all():
            continue
        first = np.maximum(np.floor(rim_px.min(axis=0)).astype(int), 0)
        last = np.minimum(np.ceil(rim_px.max(axis=0)).astype(int) + 1, (width, height))
        if np.any(last - first < 2):
            continue
        window = (slice(first[1], last[1]), slice(first[0], last[0]))
        here, read = rays[window], view.readings_mm[window].astype(float)
        z_mm = plane_z_mm(here, pose, camera.depth_from_rgb)
        flat = pose.inverse.apply(camera.depth_from_rgb.inverse.apply(here * z_mm[..., None]))[..., :2]
        inside = np.all((flat > low) & (flat < high), axis=-1) & (z_mm > 0.0)
        off = z_mm - camera.z_mm(read)
        near = inside & (read > 0.0) & (np.abs(off) < reach_mm)
        if not near.any():
            continue
        good = near & (np.abs(off - np.median(off[near])) < gate_mm)
        shares[k] = good.sum() / max(int(inside.sum()), 1)
        rows, columns = np.nonzero(inside)
        rows, columns = rows + first[1], columns + first[0]
        number = (rows // side_px) * across + columns // side_px
        used = good[inside]
        size = int(number.max()) + 1
        of, count = np.bincount(number, minlength=size), np.bincount(number[used], minlength=size)
        kept = np.flatnonzero((of >= 0.6 * side_px**2) & (count >= 0.5 * of))
        if len(kept) < LEAST_BLOCKS or shares[k] < LEAST_READ:
            continue
        sums = [
            np.bincount(number[used], values[used], minlength=size)[kept] / count[kept]
            for values in (columns.astype(float), rows.astype(float), read[inside], off[inside])
        ]
        parts.append((np.full(len(kept), k), kept // across, kept % across))
        numbers.append(np.stack(sums, axis=1))
    if not parts:
        nothing = np.zeros(0, np.int64)
        return Blocks(nothing, np.zeros((0, 2), np.int64), np.zeros((0, 2)), np.zeros(0), np.zeros(0), shares)
    whole = np.concatenate(numbers)
    view_of, row, column = (np.concatenate([part[i] for part in parts]).astype(np.int64) for i in range(3))
    return Blocks(view_of, np.stack([row, column], axis=1), whole[:, :2], whole[:, 2], whole[:, 3], shares)


def pixel_rays(camera: DepthCamera) -> Floats:
    """Directions with z = 1 of all pixels, shape (h, w, 3)."""
    own = camera.camera
    grid = np.stack(np.meshgrid(np.arange(own.width_px), np.arange(own.height_px)), axis=-1)
    return own.unproject(grid.astype(float))
