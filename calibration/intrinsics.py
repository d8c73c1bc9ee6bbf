"""A camera's intrinsics from views of one board, with their covariance.

Bundle adjustment over camera, poses and the board itself: no print is flat and square to a hundredth of its
squares, and what a board is off is off in every picture, so that taking it for noise of the pictures gives a
wrong focal length and a covariance that is too small. Each corner may sit off its place by a small step of
its own, drawn from a normal distribution whose width the views tell (evidence maximisation, MacKay, Neural
Computation 4 (1992) 415). On a public set of 13 photos that takes the residual from 0.18 to 0.11 px.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.linalg import cho_factor, cho_solve

from calibration.board import Board, BoardView
from calibration.disagreement import jackknife, larger_of
from models.geometry import Floats, frozen, tukey

PARAMETERS = ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2", "p1", "p2", "k3")
"""Of a camera, in the order of ``rig.toml``."""

LENSES: tuple[tuple[str, ...], ...] = (
    ("k1", "k2", "p1", "p2", "k3"),
    ("k1", "k2", "p1", "p2"),
    ("k1", "k2"),
    ("k1",),
    (),
)
"""Lens models, each within the one before."""

_ROUNDS, _STEP = 30, 1e-5
_CUT = 5.12
"""Corners (two components, in standard deviations) off by so much have no say: 95 % efficiency for normal
noise."""

_LEAST_PX = 0.01
_LEAST_WEIGHT = 1e-4
"""So that a view none of whose corners fits keeps a pose."""

_ALONE = 0.2
"""Of a board's bend, the share of each corner by itself (own choice): paper glued to a plate bends smoothly.
With corners taken to bend each by itself, ends up by 0.4 mm put the focal length off by 0.8 sigma."""

_SQUARE = 0.003
"""1 sigma of fy by fx off 1: pixels are square to a few thousandths. Taken as one where pictures do not show
otherwise, 0.1 % between them is missing in the bound (0.8 mm at 0.8 m)."""

_FLAT_MM = 2e-3
"""Corners that are off by less are taken as where they should be."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A camera as the views show it."""

    values: Floats
    """In the order of `PARAMETERS`, shape (9,)."""
    free: tuple[str, ...]
    """Parameters that were estimated; the others are 0, and ``fy_px`` is ``fx_px`` where it is not named."""
    covariance: Floats
    """In the order of `PARAMETERS`, 0 for what was not estimated, shape (9, 9)."""
    poses: Floats
    """``camera_from_board`` of each view: rotation vector, mm, shape (n, 6)."""
    offsets_mm: Floats
    """How far each corner of the board sits off its place, shape (m, 3)."""
    off_mm: Floats
    """1 sigma of that across and along the board's normal, shape (2,)."""
    noise_px: float
    """1 sigma of a corner's component."""
    residuals_px: tuple[Floats, ...]
    """Of each view, shape (k, 2)."""
    usual: Floats
    """What it was sought near: the lens in the middle and true, shape (9,)."""

    @property
    def rms_px(self) -> float:
        """Root mean square of the residuals' lengths, as OpenCV states it."""
        return float(np.sqrt(np.mean(np.concatenate([np.sum(r**2, axis=1) for r in self.residuals_px]))))


def calibrate_camera(
    views: Sequence[BoardView], board: Board, *, size_px: tuple[int, int], flat: bool = False
) -> Calibrated:
    """Estimate with the lens model that the views support.

    All is estimated first; then the smallest model is taken whose missing terms lie within what chance would
    give them (Wald's statistic against Schwarz's price of a parameter, Annals of Statistics 6 (1978) 461).
    Both focal lengths are always sought, near each other.

    Args:
        views: At least three.
        board: What was seen.
        size_px: Width and height.
        flat: Take the board for flat and true, as is usual: to compare with others.
    """
    start = _first(views, board, size_px)
    if flat:
        start = replace(start, off_mm=frozen(np.zeros(2)))
    found = _adjusted(start, PARAMETERS, views, board)
    count = 2 * sum(len(view.ids) for view in views)
    rows = np.eye(9)
    best = PARAMETERS
    for lens in LENSES:
        dropped = rows[[PARAMETERS.index(name) for name in LENSES[0] if name not in lens]]
        if len(dropped) and _within_chance(found, dropped, count):
            best = PARAMETERS[:4] + lens
    return _adjusted(found, best, views, board) if best != PARAMETERS else found


def focal_of_each(found: Calibrated, views: Sequence[BoardView], board: Board) -> tuple[Floats, Floats]:
    """By what share each view alone would have the focal length different, its pose let go.

    Returns:
        Shares and their 1 sigma, shape (n,) each.
    """
    shares, sigmas = np.zeros(len(views)), np.full(len(views), np.inf)
    focal = 0.5 * (found.values[0] + found.values[1])
    for k, view in enumerate(views):
        seen_px, by_all, _ = _projected(found, view, board, k)
        off = (view.corners_px - seen_px).ravel()
        rows = np.concatenate([by_all[:, :, :6], by_all[:, :, 6:8].sum(axis=2, keepdims=True)], axis=2)
        flat = rows.reshape(-1, 7)
        normal = flat.T @ flat
        size = np.sqrt(np.diag(normal))
        inverse = np.linalg.pinv(normal / np.outer(size, size), hermitian=True) / np.outer(size, size)
        step = inverse @ flat.T @ off
        left = off - flat @ step
        noise2 = max(_LEAST_PX**2, float(left @ left) / max(len(off) - 7, 1))
        shares[k], sigmas[k] = step[6] / focal, np.sqrt(inverse[6, 6] * noise2) / focal
    return shares, sigmas


def _within_chance(found: Calibrated, rows: Floats, count: int) -> bool:
    value, spread = rows @ found.values, rows @ found.covariance @ rows.T
    return float(value @ np.linalg.solve(spread, value)) < len(rows) * np.log(count)


def _first(views: Sequence[BoardView], board: Board, size_px: tuple[int, int]) -> Calibrated:
    """A start: OpenCV's calibration with a plain lens."""
    objects = [board.corners_mm[view.ids].astype(np.float32) for view in views]
    pictures = [view.corners_px.astype(np.float32) for view in views]
    rms_px, matrix, lens, turns, shifts = cv2.calibrateCamera(
        objects,
        pictures,
        size_px,
        None,
        None,
        flags=cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K2,
    )
    middle = (size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0
    values = np.zeros(9)
    values[4] = np.ravel(lens)[0]
    values[:4] = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
    poses = np.hstack([np.reshape(turns, (-1, 3)), np.reshape(shifts, (-1, 3))]).astype(float)
    return Calibrated(
        values=frozen(values),
        free=PARAMETERS,
        covariance=frozen(np.zeros((9, 9))),
        poses=frozen(poses),
        offsets_mm=frozen(np.zeros_like(board.corners_mm)),
        off_mm=frozen(np.full(2, 0.003 * board.square_mm)),
        noise_px=max(float(rms_px), _LEAST_PX),
        residuals_px=(),
        usual=frozen(np.array([values[0], values[0], *middle, 0.0, 0.0, 0.0, 0.0, 0.0])),
    )


@dataclass(frozen=True, eq=False)
class _System:
    """Normal equations for free intrinsics and offsets of the board; poses are eliminated view by view."""

    reduced: Floats
    """Without the prior, shape (q, q)."""
    scores: Floats
    """One a view, shape (n, q)."""
    pose_steps: Floats
    """Of the poses, were all else right, shape (n, 6)."""
    poses_by_all: Floats
    """What steps of all else take from them, shape (n, 6, q)."""
    residuals: tuple[Floats, ...]
    weights: tuple[Floats, ...]


def _adjusted(
    start: Calibrated, free: tuple[str, ...], views: Sequence[BoardView], board: Board
) -> Calibrated:
    """Gauss-Newton from a start, noise and width of the offsets estimated along the way."""
    span = _span(free)
    inner = span.T @ start.values
    inner /= np.sum(span, axis=0)
    found = replace(start, values=frozen(span @ inner), free=free)
    usual = start.usual
    bend = _bend(board)
    for _ in range(_ROUNDS):
        system = _system(found, span, views, board)
        prior = _prior(found, bend, span.shape[1])
        pull = system.scores.sum(axis=0)
        weak = _weak(usual)
        pull[: span.shape[1]] -= span.T @ weak @ (found.values - usual)
        pull[span.shape[1] :] -= prior[span.shape[1] :, span.shape[1] :] @ found.offsets_mm.ravel()
        whole = system.reduced + prior + np.diag(1e-12 * np.diag(system.reduced))
        whole[: span.shape[1], : span.shape[1]] += span.T @ weak @ span
        inverse = np.asarray(cho_solve(cho_factor(whole), np.eye(len(whole))), float)
        step = inverse @ pull
        found = _moved(found, system, step, span)
        told = 1.0 - np.einsum("ij,ji->i", inverse, prior)
        found = _noise(found, system, told, span.shape[1], bend)
        if np.abs(step[: span.shape[1]] / np.maximum(np.abs(inner), 1.0)).max() < _STEP:
            break
    system = _system(found, span, views, board)
    return replace(
        found,
        covariance=frozen(
            _covariance(found, system, span, _weak(usual), _each(found, span, views, board), bend)
        ),
        residuals_px=tuple(frozen(r) for r in system.residuals),
    )


def _weak(usual: Floats) -> Floats:
    """Information of what lenses usually are; far less than good pictures tell."""
    square = np.concatenate([np.zeros(2), np.full(2, 0.1 * usual[0]), (1.0, 2.0, 0.05, 0.05, 4.0)]) ** 2
    weak = np.diag(np.divide(1.0, square, out=np.zeros(9), where=square > 0.0))
    alike = np.array([1.0, -1.0]) / (_SQUARE * usual[0])
    weak[:2, :2] += np.outer(alike, alike)
    return weak


def _span(free: tuple[str, ...]) -> Floats:
    """How the parameters follow from those that are free, shape (9, len(free))."""
    span = np.zeros((9, len(free)))
    for k, name in enumerate(free):
        span[PARAMETERS.index(name), k] = 1.0
    if "fy_px" not in free:
        span[1, free.index("fx_px")] = 1.0
    return span


def _bend(board: Board) -> Floats:
    """Of a board that bends by 1 mm (1 sigma), shape (m, m): mostly smoothly, to the third order."""
    x, y = (
        (board.corners_mm[:, :2] - board.corners_mm[:, :2].mean(axis=0)) / np.ptp(board.corners_mm[:, :2])
    ).T
    plane = np.stack([np.ones_like(x), x, y], axis=1)
    modes = np.stack([x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=1)
    modes -= plane @ np.linalg.lstsq(plane, modes, rcond=None)[0]
    modes /= np.sqrt(np.mean(modes**2, axis=0))
    return np.linalg.inv(_ALONE**2 * np.eye(len(x)) + modes @ modes.T)


def _prior(found: Calibrated, bend: Floats, inner: int) -> Floats:
    """Information of where the board's corners are, nothing of the camera, shape (q, q)."""
    across, along = np.maximum(found.off_mm, 1e-5)
    m = len(bend)
    prior = np.zeros((inner + 3 * m, inner + 3 * m))
    for axis in (0, 1):
        at = inner + axis + 3 * np.arange(m)
        prior[at, at] = across**-2.0
    at = inner + 2 + 3 * np.arange(m)
    prior[np.ix_(at, at)] = bend / along**2
    return prior


def _system(found: Calibrated, span: Floats, views: Sequence[BoardView], board: Board) -> _System:
    m, inner = len(board.corners_mm), span.shape[1]
    q, n = inner + 3 * m, len(views)
    reduced, scores = np.zeros((q, q)), np.zeros((n, q))
    pose_steps, poses_by_all = np.zeros((n, 6)), np.zeros((n, 6, q))
    residuals: list[Floats] = []
    weights: list[Floats] = []
    for k, view in enumerate(views):
        seen_px, by_all, by_offset = _projected(found, view, board, k)
        off = view.corners_px - seen_px
        weight = tukey(np.linalg.norm(off, axis=1) / found.noise_px * (4.685 / _CUT))
        weight = np.maximum(weight, _LEAST_WEIGHT)
        firm = weight / found.noise_px**2
        common = np.concatenate([by_all[:, :, 6:] @ span, by_all[:, :, :6]], axis=2)
        flat = common.reshape(-1, inner + 6)
        heavy = flat * np.repeat(firm, 2)[:, None]
        shared, pulled = heavy.T @ flat, heavy.T @ off.ravel()
        weighted = firm[:, None, None] * np.swapaxes(by_offset, 1, 2)
        columns = inner + 3 * view.ids[:, None] + np.arange(3)
        cross = np.zeros((inner + 6, q))
        cross[:, columns.ravel()] = np.swapaxes(weighted @ common, 0, 2).swapaxes(1, 2).reshape(inner + 6, -1)
        cross[:, :inner] = shared[:, :inner]
        score = np.zeros(q)
        score[:inner], score[columns] = pulled[:inner], np.einsum("kij,kj->ki", weighted, off)
        by_pose = cross[inner:]
        solved = np.linalg.solve(shared[inner:, inner:], np.column_stack([by_pose, pulled[inner:]]))
        poses_by_all[k], pose_steps[k] = solved[:, :q], solved[:, q]
        reduced[:inner] += cross[:inner]
        reduced[inner:, :inner] += cross[:inner, inner:].T
        reduced[columns[:, :, None], columns[:, None, :]] += weighted @ by_offset
        reduced -= by_pose.T @ poses_by_all[k]
        scores[k] = score - by_pose.T @ pose_steps[k]
        residuals.append(off)
        weights.append(weight)
    return _System(reduced, scores, pose_steps, poses_by_all, tuple(residuals), tuple(weights))


def _projected(found: Calibrated, view: BoardView, board: Board, k: int) -> tuple[Floats, Floats, Floats]:
    """Pixels; derivatives by pose and all parameters, (k, 2, 15), and by the corners' offsets, (k, 2, 3)."""
    v, pose = found.values, found.poses[k]
    points = board.corners_mm[view.ids] + found.offsets_mm[view.ids]
    matrix = np.array([[v[0], 0.0, v[2]], [0.0, v[1], v[3]], [0.0, 0.0, 1.0]])
    px, slopes = cv2.projectPoints(points, pose[:3], pose[3:], matrix, v[4:])
    by_all = np.asarray(slopes, float)[:, :15].reshape(-1, 2, 15)
    turn, _ = cv2.Rodrigues(pose[:3])
    return np.asarray(px, float).reshape(-1, 2), by_all, by_all[:, :, 3:6] @ np.asarray(turn, float)


def _moved(found: Calibrated, system: _System, step: Floats, span: Floats) -> Calibrated:
    inner = span.shape[1]
    return replace(
        found,
        values=frozen(found.values + span @ step[:inner]),
        offsets_mm=frozen(found.offsets_mm + step[inner:].reshape(-1, 3)),
        poses=frozen(found.poses + system.pose_steps - system.poses_by_all @ step),
    )


def _noise(found: Calibrated, system: _System, known: Floats, inner: int, bend: Floats) -> Calibrated:
    """Noise of the corners and width of the offsets, by the share of each that the views tell."""
    told, offsets = known[inner:].reshape(-1, 3), found.offsets_mm
    squares = float(np.sum(offsets[:, :2] ** 2)), float(offsets[:, 2] @ bend @ offsets[:, 2])
    free = float(told[:, :2].sum()), float(told[:, 2].sum())
    widths = [np.sqrt(square / max(one, 1e-9)) for square, one in zip(squares, free, strict=True)]
    square = sum(
        float(np.sum(w[:, None] * r**2)) for w, r in zip(system.weights, system.residuals, strict=True)
    )
    count = sum(float(w.sum()) for w in system.weights)
    taken = inner + 6 * len(found.poses) + float(told.sum())
    # Second moments under Tukey's weights are smaller by 0.86 for normal noise in two components.
    noise_px = np.sqrt(square / (0.86 * max(2.0 * count / 0.80 - taken, 1.0) * 0.80))
    # The median keeps a start that fits few corners from growing blind to the others.
    typical = float(np.median(np.concatenate([np.linalg.norm(r, axis=1) for r in system.residuals])))
    return replace(
        found,
        noise_px=max(float(noise_px), 0.6 * typical, _LEAST_PX),
        off_mm=frozen(
            np.where(np.array(widths) > _FLAT_MM, widths, 0.0) if found.off_mm.any() else found.off_mm
        ),
    )


def _each(found: Calibrated, span: Floats, views: Sequence[BoardView], board: Board) -> Floats:
    """Normal equations of each view alone, shape (n, q, q)."""
    poses = found.poses
    alone = [replace(found, poses=poses[k : k + 1]) for k in range(len(views))]
    return np.array([_system(one, span, views[k : k + 1], board).reduced for k, one in enumerate(alone)])


def _covariance(
    found: Calibrated, system: _System, span: Floats, weak: Floats, each: Floats, bend: Floats
) -> Floats:
    """Of the parameters: by independent corners, or as the views disagree, whichever is more."""
    inner = span.shape[1]
    whole = system.reduced + _prior(found, bend, inner)
    whole[:inner, :inner] += span.T @ weak @ span
    factor = cho_factor(whole + 1e-12 * np.diag(np.diag(whole)))
    inverse = cho_solve(factor, np.eye(len(whole)))
    n = len(found.poses)
    rows = inverse[:inner] @ (system.scores - system.scores.mean(axis=0)).T
    scattered = rows @ rows.T * (n / max(n - 2, 1))
    plain = inverse[:inner, :inner]
    told = inverse[:inner] @ system.reduced @ inverse[:, :inner]
    more = float(np.clip(np.trace(np.linalg.solve(told, scattered)) / inner, 1.0, None))
    ours = plain + (more - 1.0) * told
    return span @ larger_of(ours, jackknife(whole, each, system.scores, count=inner)) @ span.T
