"""A camera's intrinsics from views of one board, with their covariance.

Bundle adjustment over camera, poses and the board itself: no print is flat and square to a hundredth of its
squares, and what a board is off is off in every picture, so that taking it for noise of the pictures gives a
wrong focal length and a covariance that is too small. Each corner may sit off its place by a small step of
its own, drawn from a normal distribution whose width the views tell (evidence maximisation, MacKay, Neural
Computation 4 (1992) 415). On a public set of 13 photos that takes the residual from 0.18 to 0.11 px.

Every term of the lens is sought, near what lenses usually are: what the views do not tell stays there, with a
bound that says so. A term left out because it hardly shows still pulls the focal length: the smallest of
five models by Schwarz's criterion erred by 1.2 to 1.4 times as much on flat drawn boards.

Corners of one view may be off together: a shutter that rolls before a moving hand shears the picture, another
grip bends the board otherwise. Both are sought in each view, with widths that the views tell, 0 where they
tell none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from scipy.linalg import cho_factor, cho_solve

from calibration.board import Board, BoardView
from calibration.board_equations import (
    CAMERA,
    OWN,
    PARAMETERS,
    BoardSystem,
    Calibrated,
    bend_information,
    board_information,
    board_system,
    projected,
    stretch_mm,
    systems_of_each,
)
from calibration.disagreement import Told, Width, parameters_spread
from models.geometry import Floats, frozen

__all__ = ["PARAMETERS", "Calibrated", "calibrate_camera", "focal_of_each"]

_ROUNDS, _STEP = 30, 1e-5
_LEAST_PX = 0.01

_USUAL = ((0.2, 2), (0.1, 4), (0.003, 1), (0.003, 1), (0.05, 6))
"""Of k1, k2, p1, p2, k3: 1 sigma of what the term moves the picture's edge by, as a share of its distance
from the middle, and the power of that distance with which it grows. Lenses of 20 to 95 degrees bend by up to
a quarter there (own choice, several times what published webcams and thermal cameras have)."""

SQUARE = 0.003
"""1 sigma of fy by fx off 1: pixels are square to a few thousandths. Taken as one where pictures do not show
otherwise, 0.1 % between them is missing in the bound (0.8 mm at 0.8 m)."""

_LEAST_OWN = (2e-3, 2e-3)
"""Px and mm: what is less in each view is taken for nothing."""

_MOST_OWN = np.array([0.003, 0.004])
"""1 sigma of a view's own shift by the picture's width, and of its bend by the board's length, at most: 4 px
of 1280, 0.8 mm of 200. More is no hand that moved or gripped otherwise: another lens, or wrong corners."""

_STILL = 0.001
"""Share of the picture's width by which a picture may be sheared when it is judged whether it has another
zoom (own choice; 0.0005 to 0.0015 judge alike): pictures of two cameras look like sheared ones, too."""

_FLAT_MM = 2e-3
"""Corners that are off by less are taken as where they should be."""


def calibrate_camera(
    views: Sequence[BoardView], board: Board, *, size_px: tuple[int, int], flat: bool = False
) -> Calibrated:
    """Estimate camera, poses and board.

    Args:
        views: At least three.
        board: What was seen.
        size_px: Width and height.
        flat: Take the board for flat and true, as is usual: to compare with others.
    """
    start = _first(views, board, size_px)
    if flat:
        start = replace(start, off_mm=frozen(np.zeros(2)), own_width=frozen(np.zeros(2)), taken_flat=True)
    return _adjusted(start, views, board)


def focal_of_each(found: Calibrated, views: Sequence[BoardView], board: Board) -> tuple[Floats, Floats]:
    """By what share each view alone would have the focal length different, its pose let go.

    Returns:
        Shares and their 1 sigma, shape (n,) each.
    """
    shares, sigmas = np.zeros(len(views)), np.full(len(views), np.inf)
    focal = 0.5 * (found.values[0] + found.values[1])
    found = replace(found, own=frozen(np.zeros_like(found.own)))  # which would take up another zoom
    most = np.array([_STILL * 2.0 * found.usual[2], np.inf])
    width = np.repeat(np.minimum(found.own_width, most), (2, OWN - 2))
    for k, view in enumerate(views):
        seen_px, by_all, _ = projected(found, view, board, k)
        off = (view.corners_px - seen_px).ravel()
        zoom = by_all[:, :, 6:8].sum(axis=2, keepdims=True)
        flat = np.concatenate([by_all[:, :, :6], zoom, by_all[:, :, CAMERA + 6 :]], axis=2).reshape(
            len(off), -1
        )
        # A sheared picture is no other zoom: what is its own is sought too, as far as pictures here have any.
        usual = np.zeros(7 + OWN)
        usual[7:] = (found.noise_px / np.maximum(width, 1e-6)) ** 2
        normal = flat.T @ flat + np.diag(usual)
        size = np.sqrt(np.diag(normal))
        inverse = np.linalg.pinv(normal / np.outer(size, size), hermitian=True) / np.outer(size, size)
        step = inverse @ flat.T @ off
        left = off - flat @ step
        noise2 = max(_LEAST_PX**2, float(left @ left) / max(len(off) - 7, 1))
        shares[k], sigmas[k] = step[6] / focal, np.sqrt(inverse[6, 6] * noise2) / focal
    return shares, sigmas


def _first(views: Sequence[BoardView], board: Board, size_px: tuple[int, int]) -> Calibrated:
    """A start: OpenCV's calibration with a plain lens, from its own guess or a usual focal length.

    Its own comes out three times too long in 1 of 100 sets drawn with wide lenses.
    """
    objects = [board.corners_mm[view.ids].astype(np.float32) for view in views]
    pictures = [view.corners_px.astype(np.float32) for view in views]
    middle = (size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0
    plain = cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K2
    guess = np.diag([float(size_px[0]), float(size_px[0]), 1.0])
    guess[:2, 2] = middle
    square = plain | cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_ASPECT_RATIO
    tries = [
        cv2.calibrateCamera(objects, pictures, size_px, guess.copy(), np.zeros(5), flags=flags)
        for flags in (plain, square)
    ]
    rms_px, matrix, lens, turns, shifts = min(tries, key=lambda one: float(one[0]))
    values = np.zeros(CAMERA)
    values[4] = np.ravel(lens)[0]
    values[:4] = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
    poses = np.hstack([np.reshape(turns, (-1, 3)), np.reshape(shifts, (-1, 3))]).astype(float)
    return Calibrated(
        values=frozen(values),
        covariance=frozen(np.zeros((CAMERA, CAMERA))),
        poses=frozen(poses),
        offsets_mm=frozen(np.zeros_like(board.corners_mm)),
        off_mm=frozen(np.full(2, 0.003 * board.square_mm)),
        noise_px=max(float(rms_px), _LEAST_PX),
        own=frozen(np.zeros((len(views), OWN))),
        own_width=frozen(np.array([0.5 * max(float(rms_px), _LEAST_PX), 0.003 * board.square_mm])),
        residuals_px=(),
        usual=frozen(np.array([size_px[0], size_px[0], *middle, 0.0, 0.0, 0.0, 0.0, 0.0], float)),
    )


def _adjusted(start: Calibrated, views: Sequence[BoardView], board: Board) -> Calibrated:
    """Gauss-Newton from a start, noise and width of the offsets estimated along the way."""
    found, bend = start, bend_information(board)
    stretch = stretch_mm(board) if start.off_mm.any() else np.zeros((len(board.corners_mm), 2))
    weak, size_mm = _weak(start), float(np.ptp(board.corners_mm[:, :2]))
    for _ in range(_ROUNDS):
        system = board_system(found, views, board)
        prior = board_information(found.off_mm, bend, stretch)
        pull = system.scores.sum(axis=0)
        pull[:CAMERA] -= weak @ (found.values - found.usual)
        pull[CAMERA:] -= prior[CAMERA:, CAMERA:] @ found.offsets_mm.ravel()
        whole = system.reduced + prior + np.diag(1e-12 * np.diag(system.reduced))
        whole[:CAMERA, :CAMERA] += weak
        inverse = np.asarray(cho_solve(cho_factor(whole), np.eye(len(whole))), float)
        step = inverse @ pull
        found = _moved(found, system, step)
        told = 1.0 - np.einsum("ij,ji->i", inverse, prior)
        stretched = _stretched(found, stretch, inverse @ prior)
        own_spread = _own_spread(system, inverse)
        found = _noise(found, system, told, bend, own_spread, size_mm, stretched)
        if np.abs(step[:CAMERA] / np.maximum(np.abs(found.values), 1.0)).max() < _STEP:
            break
    system = board_system(found, views, board)
    known = board_information(found.off_mm, bend, stretch)
    known[:CAMERA, :CAMERA] += weak
    told = Told(
        reduced=system.reduced,
        known=known,
        scores=system.scores,
        each=systems_of_each(found, views, board),
        widths=_widths_told(found, system, known),
    )
    return replace(
        found,
        covariance=frozen(parameters_spread(told, count=CAMERA)),
        by_stretch=frozen(_by_stretch(system.reduced + known, stretch)),
        residuals_px=tuple(frozen(r) for r in system.residuals),
    )


def _by_stretch(whole: Floats, stretch: Floats) -> Floats:
    """What 1 sigma of what is still open along the stretch moves the camera by, shape (9,).

    Were it known, the covariance would be less by this times itself.
    """
    if not stretch.any():
        return np.zeros(CAMERA)
    way = _stretch_way(stretch)
    moved = cho_solve(cho_factor(whole + np.diag(1e-12 * np.diag(whole))), way)
    return np.asarray(moved[:CAMERA] / np.sqrt(way @ moved), np.float64)


def _stretch_way(stretch: Floats) -> Floats:
    """The step of all unknowns, of length 1, by which the board is longer one way, shape (q,)."""
    way = np.zeros((len(stretch), 3))
    way[:, :2] = stretch / float(np.linalg.norm(stretch))
    return np.concatenate([np.zeros(CAMERA), way.ravel()])


def _own_spread(system: BoardSystem, inverse: Floats) -> Floats:
    """Variances of what is each view's own, all else sought too, shape (n, 5)."""
    by_all = system.poses_by_all[:, 6:]
    spread = system.own_spread + by_all @ inverse @ np.swapaxes(by_all, 1, 2)
    return np.asarray(np.diagonal(spread, axis1=1, axis2=2), np.float64)


def _own_freedom(found: Calibrated, spread: Floats) -> tuple[float, float]:
    """How many shifts and bends of their own the views tell, as a number of each."""
    firm = np.maximum(found.own_width, 1e-6) ** -2.0
    parts = spread[:, :2], spread[:, 2:]
    shifts, bends = (max(part.size - f * float(part.sum()), 0.0) for part, f in zip(parts, firm, strict=True))
    return shifts, bends


def _widths_told(found: Calibrated, system: BoardSystem, known: Floats) -> tuple[Width, ...]:
    """What the width of shifts and that of bends do to the unknowns, and how well views tell it."""
    whole = system.reduced + known
    inverse = np.asarray(np.linalg.inv(whole + np.diag(1e-12 * np.diag(whole))), np.float64)
    free = _own_freedom(found, _own_spread(system, inverse))
    parts = system.poses_by_all[:, 6:8], system.poses_by_all[:, 8:]
    return tuple(
        Width(part.reshape(-1, len(whole)) / width, one)
        for part, width, one in zip(parts, found.own_width, free, strict=True)
        if width > 0.0
    )


def _weak(start: Calibrated) -> Floats:
    """Information of what lenses usually are; far less than good pictures tell."""
    width_px, edge = 2.0 * start.usual[2] + 1.0, _edge(start)
    terms = [share / edge**power for share, power in _USUAL]
    square = np.concatenate([np.zeros(2), np.full(2, 0.1 * width_px), terms]) ** 2
    weak = np.diag(np.divide(1.0, square, out=np.zeros(CAMERA), where=square > 0.0))
    alike = np.array([1.0, -1.0]) / (SQUARE * max(float(start.values[0]), 0.1 * width_px))
    # Pictures taken square on tell no focal length: by itself it would run off, even below 0.
    weak[:2, :2] += np.outer(alike, alike) + 0.25 / width_px**2
    return weak


def _edge(start: Calibrated) -> float:
    """Tangent of half the picture's width, by a first guess of the focal length, which may be far off."""
    return float(np.clip((start.usual[2] + 0.5) / max(float(start.values[0]), 1.0), 0.15, 1.2))


def _moved(found: Calibrated, system: BoardSystem, step: Floats) -> Calibrated:
    steps = system.pose_steps - system.poses_by_all @ step
    return replace(
        found,
        values=frozen(found.values + step[:CAMERA]),
        offsets_mm=frozen(found.offsets_mm + step[CAMERA:].reshape(-1, 3)),
        poses=frozen(found.poses + steps[:, :6]),
        own=frozen(found.own + steps[:, 6:]),
    )


def _stretched(found: Calibrated, stretch: Floats, known_before: Floats) -> tuple[float, float]:
    """Of offsets that make the board longer one way, square and share told: they tell no width."""
    if not stretch.any():
        return 0.0, 0.0
    flat = _stretch_way(stretch)
    return float(flat[CAMERA:] @ found.offsets_mm.ravel()) ** 2, 1.0 - float(flat @ known_before @ flat)


def _noise(
    found: Calibrated,
    system: BoardSystem,
    known: Floats,
    bend: Floats,
    own: Floats,
    size_mm: float,
    stretched: tuple[float, float],
) -> Calibrated:
    """Noise of the corners and width of the offsets, by the share of each that the views tell."""
    told, offsets = known[CAMERA:].reshape(-1, 3), found.offsets_mm
    squares = float(np.sum(offsets[:, :2] ** 2)) - stretched[0], float(offsets[:, 2] @ bend @ offsets[:, 2])
    free = float(told[:, :2].sum()) - stretched[1], float(told[:, 2].sum())
    widths = [np.sqrt(max(square, 0.0) / max(one, 1e-9)) for square, one in zip(squares, free, strict=True)]
    square = sum(
        float(np.sum(w[:, None] * r**2)) for w, r in zip(system.weights, system.residuals, strict=True)
    )
    count = sum(float(w.sum()) for w in system.weights)
    own_free = _own_freedom(found, own)
    squares_own = [float(np.sum(at**2)) for at in (found.own[:, :2], found.own[:, 2:])]
    own_width = [np.sqrt(square / max(one, 1e-9)) for square, one in zip(squares_own, own_free, strict=True)]
    most = _MOST_OWN * np.array([2.0 * found.usual[2], size_mm])
    taken = CAMERA + 6 * len(found.poses) + float(told.sum()) + sum(own_free)
    # Second moments under Tukey's weights are smaller by 0.86 for normal noise in two components.
    noise_px = np.sqrt(square / (0.86 * max(2.0 * count / 0.80 - taken, 1.0) * 0.80))
    # The median keeps a start that fits few corners from growing blind to the others.
    typical = float(np.median(np.concatenate([np.linalg.norm(r, axis=1) for r in system.residuals])))
    return replace(
        found,
        noise_px=max(float(noise_px), 0.6 * typical, _LEAST_PX),
        own_width=frozen(np.where(np.array(own_width) > _LEAST_OWN, np.minimum(own_width, most), 0.0)),
        off_mm=frozen(
            np.where(np.array(widths) > _FLAT_MM, widths, 0.0) if found.off_mm.any() else found.off_mm
        ),
    )
