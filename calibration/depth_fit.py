"""Where the depth camera stands, and what makes its readings true: planes of one board, seen by both cameras.

The board's plane by the colour camera is held against depth readings inside the board's outline. Its lean
tells the shift along it, its distances part scale from offset. The depth camera's lens is
sought with them, near where its maker states it; what that, the colour camera's lens, the corners and the
print leave open is in the bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.board import Board
from calibration.depth_alike import Rows, Step, first_step, solved
from calibration.depth_views import Blocks, DepthView, block_px, blocks_of, inner_mm, pixel_rays
from models.depth_place import STEPS, changed
from models.geometry import Bools, Floats, frozen
from models.rig import INTRINSICS, DepthCamera

SCALE_1, OFFSET_1_MM = 0.03, 10.0
"""1 sigma of a camera's scale and offset before anything is seen: makers allow 2 % of the distance (Intel
RealSense D400 data sheet, at 2 m) and 11 mm and 0.1 % (Azure Kinect DK specification)."""

BEND_MM = 0.2
"""1 sigma by which the board may bend in each of three shapes (own choice): paper glued to a plate."""

_PLACE_1 = np.array([0.2, 0.2, 0.2, 200.0, 200.0, 200.0])
"""1 sigma of rotation and shift about the start; only keeps first steps in hand."""

_GATES_MM = ((120.0, 60.0), (80.0, 40.0), (60.0, 30.0), (40.0, 20.0), (30.0, 15.0), (30.0, 15.0))
"""How far readings may be from the plane, and from the middle of those, in the first rounds."""

_LEAST_GATE_MM, _STRAY_SIGMA = 5.0, 4.5
"""Blocks off by more standard deviations have no say: a finger, a reflection."""

_STRAY_VIEW = 4.0
"""Likewise whole views, off by so many times what the middle one of all is off by."""

_COUNT = len(INTRINSICS)
_UNREAD = "The board's place is hardly read by the depth camera"
_NOT_METRIC = "Depth readings do not grow with the distance as those of a metric camera do"


@dataclass(frozen=True, eq=False)
class DepthFound:
    """The depth camera as the pairs show it."""

    camera: DepthCamera
    covariance: Floats
    """Of `models.rig.DEPTH_PARAMETERS`, shape (17, 17)."""
    each: Floats
    """For each way in which readings may err together, shape (ways, 17, 17)."""
    step: Step
    """The last."""
    blocks: Blocks
    off_mm: Floats
    """What is left of each block, shape (m,)."""
    view_off_mm: Floats
    """Mean of that in each view, NaN where it was not used, shape (n,)."""
    used: Bools
    """Shape (n,)."""
    left_out: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Grounds:
    """Covariances of what a calibration of the depth camera rests on."""

    depth_lens: Floats
    """In the order of `models.rig.INTRINSICS`, shape (9, 9)."""
    rgb_lens: Floats
    """Shape (9, 9)."""
    size_u95: float
    """95 % bound of the share by which the board may be larger than told."""


def fit_depth(
    views: Sequence[DepthView], board: Board, *, start: DepthCamera, grounds: Grounds
) -> DepthFound | str:
    """Solve.

    Args:
        views: At least three.
        board: What was seen.
        start: See `calibration.depth_start.started`.
        grounds: What it rests on.

    Returns:
        What was found; or why nothing was.
    """
    side, rays = block_px(views, board, start), pixel_rays(start)
    information = np.diag(np.concatenate([_PLACE_1, [SCALE_1, OFFSET_1_MM]]) ** -2.0)
    camera, left_out = start, np.zeros(len(views), bool)
    for reach_mm, gate_mm in _GATES_MM:
        blocks = blocks_of(views, board, camera, rays=rays, side_px=side, reach_mm=reach_mm, gate_mm=gate_mm)
        if len(np.unique(blocks.view)) < 3:
            return _UNREAD
        pull = information @ (_of(start) - _of(camera))
        camera = _stepped(
            camera, _plain_step(_rows(views, board, camera, blocks, grounds), information, pull)
        )
        if not _is_metric(camera):
            return _NOT_METRIC
    gate_mm = _GATES_MM[-1][1]
    for last in (False, False, True):
        blocks = blocks_of(
            views, board, camera, rays=rays, side_px=side, reach_mm=max(30.0, 2.0 * gate_mm), gate_mm=gate_mm
        )
        blocks = blocks.where(~left_out[blocks.view])
        if len(np.unique(blocks.view)) < 3:
            return _UNREAD
        off_mm = blocks.off_mm - np.median(blocks.off_mm)
        gate_mm = max(_LEAST_GATE_MM, _STRAY_SIGMA * 1.4826 * float(np.median(np.abs(off_mm))))
        keep = np.abs(off_mm) < gate_mm * np.maximum(
            (blocks.reading_mm / _median(blocks.reading_mm)) ** 2, 1.0
        )
        left_out |= _stray(blocks, keep, len(views))
        blocks = blocks.where(keep & ~left_out[blocks.view])
        if len(np.unique(blocks.view)) < 3:
            return _UNREAD
        rows, pull = _rows(views, board, camera, blocks, grounds), information @ (_of(start) - _of(camera))
        if last:
            break
        camera = _stepped(camera, first_step(rows, information=information, pull=pull))
    step = solved(rows, information=information, pull=pull)
    lens = step.known_change[:_COUNT]
    kept = rows.off_mm + rows.slopes @ step.change + rows.known[:, :_COUNT] @ lens
    camera = changed(camera, np.concatenate([lens, step.change]))
    if not _is_metric(camera):
        return _NOT_METRIC
    used = np.isin(np.arange(len(views)), blocks.view)
    means = [float(kept[blocks.view == k].mean()) if used[k] else np.nan for k in range(len(views))]
    order = np.concatenate([8 + np.arange(_COUNT), np.arange(8)])  # lens first, as the rig has it
    return DepthFound(
        camera=camera,
        covariance=frozen(step.covariance[np.ix_(order, order)]),
        each=frozen(step.each[:, order[:, None], order[None]]),
        step=step,
        blocks=blocks,
        off_mm=frozen(kept),
        view_off_mm=frozen(np.array(means)),
        used=used,
        left_out=tuple(
            _why(view.name, bool(stray), float(share))
            for view, stray, share, here in zip(views, left_out, blocks.share, used, strict=True)
            if not here
        ),
    )


def _of(camera: DepthCamera) -> Floats:
    """Rotation vector (0: what it turned by is not looked at), shift, scale and offset."""
    return np.array([0.0, 0.0, 0.0, *camera.depth_from_rgb.translation_mm, camera.scale, camera.offset_mm])


def _stepped(camera: DepthCamera, change: Floats) -> DepthCamera:
    return changed(camera, np.concatenate([np.zeros(_COUNT), change]))


def _is_metric(camera: DepthCamera) -> bool:
    return 0.75 < camera.scale < 1.25 and abs(camera.offset_mm) < 100.0


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 1.0


def _plain_step(rows: Rows, information: Floats, pull: Floats) -> Floats:
    """A step by least squares, blocks far off with little say."""
    off_mm = np.abs(rows.off_mm - np.median(rows.off_mm))
    noise2 = max(1.4826 * float(np.median(off_mm)), 1.0) ** 2
    weight = np.where(off_mm < 3.0 * np.sqrt(noise2), 1.0, 0.1) / noise2
    normal = rows.slopes.T @ (weight[:, None] * rows.slopes) + information
    step = np.linalg.solve(normal, pull - rows.slopes.T @ (weight * rows.off_mm))
    return np.asarray(step, np.float64)


def _rows(
    views: Sequence[DepthView], board: Board, camera: DepthCamera, blocks: Blocks, grounds: Grounds
) -> Rows:
    """What blocks say, with slopes by all that is sought or only known to a bound.

    Slopes are taken at the readings that planes foretell: with noise in them, and lens and print free to
    scale all distances, the scale would come out too small by half its own sigma.
    """
    off_mm = blocks.off_mm
    plain_mm = (
        _off(camera, blocks, views) + camera.z_mm(blocks.reading_mm) - camera.offset_mm
    ) / camera.scale
    blocks = replace(blocks, reading_mm=plain_mm)
    poses = np.array([view.pose for view in views])
    by_own = np.stack(
        [
            (_off(changed(camera, s * e), blocks, views) - _off(changed(camera, -s * e), blocks, views))
            / (2.0 * s)
            for s, e in zip(STEPS, np.eye(len(STEPS)), strict=True)
        ],
        axis=1,
    )
    by_pose = np.zeros((len(blocks.view), 6))
    for k, s in enumerate((1e-6,) * 3 + (1e-3,) * 3):
        ahead, behind = (
            [replace(view, pose=view.pose + way * s * np.eye(6)[k]) for view in views] for way in (1.0, -1.0)
        )
        by_pose[:, k] = (_off(camera, blocks, ahead) - _off(camera, blocks, behind)) / (2.0 * s)
    m, n = len(blocks.view), len(views)
    of_poses = np.zeros((m, n, 6))
    of_poses[np.arange(m), blocks.view] = by_pose
    by_lens = np.array([view.by_lens for view in views])
    by_rgb = np.einsum("mi,mij->mj", by_pose, by_lens[blocks.view])
    by_size = np.sum(by_pose[:, 3:] * poses[blocks.view, 3:], axis=1, keepdims=True)
    known = np.hstack(
        [by_own[:, :_COUNT], by_rgb, by_size, _bends(views, board, camera, blocks), of_poses.reshape(m, -1)]
    )
    covariance = np.zeros((known.shape[1],) * 2)
    covariance[:9, :9], covariance[9:18, 9:18] = grounds.depth_lens, grounds.rgb_lens
    covariance[18, 18] = (grounds.size_u95 / 1.96) ** 2
    covariance[[19, 20, 21], [19, 20, 21]] = BEND_MM**2
    for k, view in enumerate(views):
        at = slice(22 + 6 * k, 28 + 6 * k)
        covariance[at, at] = view.spread
    z_mm = camera.z_mm(blocks.reading_mm)
    return Rows(off_mm, by_own[:, _COUNT:], known, covariance, blocks.view, blocks.at, z_mm / np.median(z_mm))


def _off(camera: DepthCamera, blocks: Blocks, views: Sequence[DepthView]) -> Floats:
    """How much farther the board's plane lies than is read, at the blocks' own places, shape (m,)."""
    stands = [camera.depth_from_rgb @ view.rgb_from_board for view in views]
    normals = np.array([stand.rotation[:, 2] for stand in stands])
    far = np.array([stand.rotation[:, 2] @ stand.translation_mm for stand in stands])
    slant = np.sum(camera.camera.unproject(blocks.px) * normals[blocks.view], axis=1)
    return far[blocks.view] / slant - camera.z_mm(blocks.reading_mm)


def _bends(views: Sequence[DepthView], board: Board, camera: DepthCamera, blocks: Blocks) -> Floats:
    """What three shapes of a bent board do, each 1 mm at its ends, shape (m, 3)."""
    low, high = inner_mm(board)
    stands = [camera.depth_from_rgb @ view.rgb_from_board for view in views]
    rays = camera.camera.unproject(blocks.px)
    points = rays * camera.z_mm(blocks.reading_mm)[:, None]
    out = np.zeros((len(points), 3))
    for k, stand in enumerate(stands):
        own = blocks.view == k
        flat = stand.inverse.apply(points[own])[:, :2]
        x, y = ((2.0 * flat - low - high) / (high - low)).T
        slant = rays[own] @ stand.rotation[:, 2]
        out[own] = np.stack([x * x - 1.0 / 3.0, x * y, y * y - 1.0 / 3.0], axis=1) / slant[:, None]
    return out


def _stray(blocks: Blocks, keep: Bools, count: int) -> Bools:
    """Views that lie elsewhere than all others say: a board or camera that moved between the pictures."""
    off = np.full(count, np.nan)
    for k in np.unique(blocks.view):
        off[k] = float(np.median(blocks.off_mm[blocks.view == k]))
    size = np.abs(off - np.nanmedian(off))
    usual = max(1.4826 * float(np.nanmedian(size)), 1.0)
    few = np.array([np.any(own := blocks.view == k) and np.mean(keep[own]) < 0.5 for k in range(count)])
    return few | (np.nan_to_num(size) > _STRAY_VIEW * usual)


def _why(name: str, stray: bool, share: float) -> str:
    if stray:
        return f"{name}: its depth readings lie elsewhere than the other pairs say; hold still, both at once"
    return (
        f"{name}: {100.0 * share:.0f} % of the board has depth readings on one plane; come nearer, keep off"
        " glare and edges of the picture"
    )
