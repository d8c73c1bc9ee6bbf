"""What views of one board say of camera, poses and board, as normal equations.

Slopes are OpenCV's; poses are eliminated view by view, since they are many and each belongs to one view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import cv2
import numpy as np

from calibration.board import Board, BoardView
from models.geometry import Floats, frozen, tukey

PARAMETERS = ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2", "p1", "p2", "k3")
"""Of a camera, in the order of ``rig.toml``."""

CAMERA = len(PARAMETERS)

OWN = 5
"""Of each view beside its pose: how far a shutter that rolls shears it (two), how else it bends the board."""

_CUT = 5.12
"""Corners (two components, in standard deviations) off by so much have no say: 95 % efficiency for normal
noise."""

_LEAST_WEIGHT = 1e-4
"""So that a view none of whose corners fits keeps a pose."""

_ALONE = 0.2
"""Of a board's bend, the share of each corner by itself (own choice): paper glued to a plate bends smoothly.
With corners taken to bend each by itself, ends up by 0.4 mm put the focal length off by 0.8 sigma."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A camera as the views show it."""

    values: Floats
    """In the order of `PARAMETERS`, shape (9,)."""
    covariance: Floats
    """In the order of `PARAMETERS`, shape (9, 9)."""
    poses: Floats
    """``camera_from_board`` of each view: rotation vector, mm, shape (n, 6)."""
    offsets_mm: Floats
    """How far each corner of the board sits off its place, shape (m, 3)."""
    off_mm: Floats
    """1 sigma of that across and along the board's normal, shape (2,)."""
    noise_px: float
    """1 sigma of a corner's component."""
    own: Floats
    """Of each view: shift from the middle of the picture to its lower edge, px (two); bend beside that of all
    views in three shapes, mm root mean square, shape (n, 5)."""
    own_width: Floats
    """1 sigma of shifts, px, and of bends, mm, shape (2,)."""
    residuals_px: tuple[Floats, ...]
    """Of each view, shape (k, 2)."""
    usual: Floats
    """What it was sought near: the lens in the middle and true, shape (9,)."""
    by_stretch: Floats = field(default_factory=lambda: frozen(np.zeros(CAMERA)))
    """What they move by with 1 sigma of what views leave open of the print's directions, shape (9,)."""
    taken_flat: bool = False
    """Whether the board's own error was not looked for."""

    @property
    def rms_px(self) -> float:
        """Root mean square of the residuals' lengths, as OpenCV states it."""
        return float(np.sqrt(np.mean(np.concatenate([np.sum(r**2, axis=1) for r in self.residuals_px]))))


@dataclass(frozen=True, eq=False)
class BoardSystem:
    """Normal equations for the camera and offsets of the board; poses are eliminated view by view."""

    reduced: Floats
    """Without the prior, shape (q, q)."""
    scores: Floats
    """One a view, shape (n, q)."""
    pose_steps: Floats
    """Of the poses and what is each view's own, were all else right, shape (n, 11)."""
    poses_by_all: Floats
    """What steps of all else take from them, shape (n, 11, q)."""
    own_spread: Floats
    """Covariance of what is each view's own, were all else right, shape (n, 5, 5)."""
    residuals: tuple[Floats, ...]
    weights: tuple[Floats, ...]


def bend_information(board: Board) -> Floats:
    """Of a board that bends by 1 mm (1 sigma), shape (m, m): mostly smoothly, to the third order."""
    modes = bends(board)
    return np.asarray(np.linalg.inv(_ALONE**2 * np.eye(len(modes)) + modes @ modes.T), np.float64)


@lru_cache(maxsize=8)
def bends(board: Board) -> Floats:
    """Smooth shapes of a board, the quadratic ones first, root mean square 1, shape (m, 7)."""
    x, y = (
        (board.corners_mm[:, :2] - board.corners_mm[:, :2].mean(axis=0)) / np.ptp(board.corners_mm[:, :2])
    ).T
    plane = np.stack([np.ones_like(x), x, y], axis=1)
    modes = np.stack([x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=1)
    modes -= plane @ np.linalg.lstsq(plane, modes, rcond=None)[0]
    sizes = np.sqrt(np.mean(modes**2, axis=0))
    return frozen(np.asarray(modes / sizes, np.float64))


def stretch_mm(board: Board) -> Floats:
    """Steps of the corners where the board is longer down by 1 sigma of what is open, shape (m, 2).

    What would make it larger as a whole is left out: pictures show no size.
    """
    flat = board.corners_mm[:, :2] - board.corners_mm[:, :2].mean(axis=0)
    wide, high = np.sum(flat**2, axis=0)
    return (board.stretch_u95 / 1.96) * flat * (-high, wide) / (wide + high)


def board_information(off_mm: Floats, bend: Floats, stretch: Floats) -> Floats:
    """Information of where the board's corners are, nothing of the camera, shape (q, q).

    Args:
        off_mm: 1 sigma across and along the board's normal, shape (2,).
        bend: See `bend_information`.
        stretch: See `stretch_mm`; on top of what each corner is off by itself.
    """
    across, along = np.maximum(off_mm, 1e-5)
    m, inner = len(bend), CAMERA
    prior = np.zeros((inner + 3 * m, inner + 3 * m))
    for axis in (0, 1):
        at = inner + axis + 3 * np.arange(m)
        prior[at, at] = across**-2.0
    if stretch.any():
        at = (inner + 3 * np.arange(m)[:, None] + np.arange(2)).ravel()
        step = stretch.ravel()
        prior[np.ix_(at, at)] -= np.outer(step, step) / (across**2 + step @ step) / across**2
    at = inner + 2 + 3 * np.arange(m)
    prior[np.ix_(at, at)] = bend / along**2
    return prior


def board_system(found: Calibrated, views: Sequence[BoardView], board: Board) -> BoardSystem:
    """The equations where the solution stands, corners weighted by how well they fit."""
    m, inner = len(board.corners_mm), CAMERA
    q, n = inner + 3 * m, len(views)
    reduced, scores = np.zeros((q, q)), np.zeros((n, q))
    away = 6 + OWN
    pose_steps, poses_by_all, own_spread = (
        np.zeros((n, away)),
        np.zeros((n, away, q)),
        np.zeros((n, OWN, OWN)),
    )
    firm_own = np.maximum(found.own_width, 1e-6)[[0, 0, 1, 1, 1]] ** -2.0
    residuals: list[Floats] = []
    weights: list[Floats] = []
    for k, view in enumerate(views):
        seen_px, by_all, by_offset = projected(found, view, board, k)
        off = view.corners_px - seen_px
        weight = tukey(np.linalg.norm(off, axis=1) / found.noise_px * (4.685 / _CUT))
        weight = np.maximum(weight, _LEAST_WEIGHT)
        firm = weight / found.noise_px**2
        common = np.concatenate([by_all[:, :, 6:15], by_all[:, :, :6], by_all[:, :, 15:]], axis=2)
        flat = common.reshape(-1, inner + away)
        heavy = flat * np.repeat(firm, 2)[:, None]
        shared, pulled = heavy.T @ flat, heavy.T @ off.ravel()
        own = inner + 6 + np.arange(OWN)
        shared[own, own] += firm_own
        pulled[own] -= firm_own * found.own[k]
        weighted = firm[:, None, None] * np.swapaxes(by_offset, 1, 2)
        columns = inner + 3 * view.ids[:, None] + np.arange(3)
        cross = np.zeros((inner + away, q))
        cross[:, columns.ravel()] = (
            np.swapaxes(weighted @ common, 0, 2).swapaxes(1, 2).reshape(inner + away, -1)
        )
        cross[:, :inner] = shared[:, :inner]
        score = np.zeros(q)
        score[:inner], score[columns] = pulled[:inner], np.einsum("kij,kj->ki", weighted, off)
        by_pose = cross[inner:]
        sides = np.column_stack([by_pose, pulled[inner:], np.eye(away)[:, 6:]])
        solved = np.linalg.solve(shared[inner:, inner:], sides)
        poses_by_all[k], pose_steps[k], own_spread[k] = solved[:, :q], solved[:, q], solved[6:, q + 1 :]
        reduced[:inner] += cross[:inner]
        reduced[inner:, :inner] += cross[:inner, inner:].T
        reduced[columns[:, :, None], columns[:, None, :]] += weighted @ by_offset
        reduced -= by_pose.T @ poses_by_all[k]
        scores[k] = score - by_pose.T @ pose_steps[k]
        residuals.append(off)
        weights.append(weight)
    return BoardSystem(
        reduced, scores, pose_steps, poses_by_all, own_spread, tuple(residuals), tuple(weights)
    )


def projected(found: Calibrated, view: BoardView, board: Board, k: int) -> tuple[Floats, Floats, Floats]:
    """Pixels and their derivatives.

    Returns:
        Pixels, shape (k, 2); derivatives by pose, camera and what is the view's own, shape (k, 2, 20); and by
        the corners' offsets, shape (k, 2, 3).
    """
    v, pose, own = found.values, found.poses[k], found.own[k]
    points = board.corners_mm[view.ids] + found.offsets_mm[view.ids]
    shapes = bends(board)[view.ids, :3]
    points[:, 2] += shapes @ own[2:]
    matrix = np.array([[v[0], 0.0, v[2]], [0.0, v[1], v[3]], [0.0, 0.0, 1.0]])
    px, slopes = cv2.projectPoints(points, pose[:3], pose[3:], matrix, v[4:])
    by_all = np.asarray(slopes, float)[:, :15].reshape(-1, 2, 15)
    turn, _ = cv2.Rodrigues(pose[:3])
    by_offset = by_all[:, :, 3:6] @ np.asarray(turn, float)
    middle_px = found.usual[3]
    lower = (view.corners_px[:, 1] - middle_px) / (middle_px + 0.5)
    by_own = np.concatenate(
        [lower[:, None, None] * np.eye(2), by_offset[:, :, 2:] * shapes[:, None, :]], axis=2
    )
    seen_px = np.asarray(px, float).reshape(-1, 2) + lower[:, None] * own[:2]
    return seen_px, np.concatenate([by_all, by_own], axis=2), by_offset


def systems_of_each(found: Calibrated, views: Sequence[BoardView], board: Board) -> Floats:
    """Normal equations of each view alone, shape (n, q, q)."""
    poses = found.poses
    alone = [replace(found, poses=poses[k : k + 1], own=found.own[k : k + 1]) for k in range(len(views))]
    return np.array([board_system(one, views[k : k + 1], board).reduced for k, one in enumerate(alone)])
