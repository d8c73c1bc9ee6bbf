"""What the next picture would tell of the cameras, and the error on the skin that it leaves.

Fisher information of corners with independent noise, the board's pose eliminated: what a bundle adjustment
would gain, without doing it. It knows neither bent boards nor how many pictures the noise was judged by: it
ranks pictures, and the bound that is told comes from the solved calibration alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from calibration.board import Board, BoardView
from calibration.board_equations import stretch_mm
from calibration.intrinsics import SQUARE
from calibration.pair_equations import bloomed
from calibration.placed import placed_slopes
from calibration.skin_error import camera_of, nine_places, place_slopes
from calibration.thermal_pair import RgbKnown, ThermalFound
from models.camera import Camera
from models.geometry import Bools, Floats, Ints, Pose, frozen, rotation_from_rvec

AT_MM = 800.0
"""Distance at which errors are weighed, as the verdicts do."""

MARGIN_PX = 3.0
LEAST_SHARE = 0.7
"""Of the board's corners that a pose must show to be asked for."""

LEAST_TAG_PX = 16.0
"""Side of a tag in the thermal picture: two pixels for each of its eight modules, which heat blurs."""

GUESSED_FOCAL, GUESSED_THERMAL = 0.9, 1.2
"""Focal length by the picture's width, of usual cameras, before anything was seen."""

_RGB_NOISE_PX, _THERMAL_NOISE_PX = 0.2, 0.4
_FREE = ("fx_px", "cx_px", "cy_px")
_PRINT_KNOWN = 1e-6
"""1 sigma of the share of a print that is taken for known."""


@dataclass(frozen=True, eq=False)
class LensForetold:
    """The colour camera as known so far."""

    values: Floats
    """In the order of `calibration.intrinsics.PARAMETERS`, shape (9,)."""
    size_px: tuple[int, int]
    board: Board
    information: Floats
    """Of `values` and of the share by which the board is longer down than across, shape (10, 10)."""
    slopes: Floats
    """Tangents of nine rays by the parameters, and shares of sizes there, shape (9, 3, 9)."""

    def with_(self, gains: Floats) -> LensForetold:
        """As known once further views have told theirs, shape (10, 10)."""
        return replace(self, information=frozen(self.information + gains))

    def error_mm(self, gain: Floats | None = None) -> float:
        """1.96 sigma of a point on the skin, across and along the line of sight together."""
        told = self.information + (0.0 if gain is None else gain)
        return 1.96 * AT_MM * _worst(self.slopes, told)

    def gain(self, pose: Floats, view: BoardView | None = None) -> Floats | None:
        """Information of a board at a pose, (10, 10); None where too little of it would be seen.

        Args:
            pose: ``rgb_from_board``: rotation vector, mm, shape (6,).
            view: What was seen of it; None = what the camera would see.
        """
        px, slopes = _seen(self.board.corners_mm, pose, self.values)
        ids = view.ids if view is not None else np.flatnonzero(_inside(px, self.size_px))
        if view is None and len(ids) < LEAST_SHARE * len(px):
            return None
        longer = self._longer_mm @ rotation_from_rvec(pose[:3]).T
        by_print = np.einsum("kij,kj->ki", slopes[:, :, 3:6], longer)
        rows = np.concatenate([slopes, by_print[:, :, None]], axis=2)[ids].reshape(-1, 16)
        return _eliminated(rows[:, 6:], rows[:, :6]) / _RGB_NOISE_PX**2

    @cached_property
    def _longer_mm(self) -> Floats:
        """Steps of the corners where the board is longer down than across by the whole of its length."""
        step = stretch_mm(replace(self.board, stretch_u95=1.96))
        return np.column_stack([step, np.zeros(len(step))])


@dataclass(frozen=True, eq=False)
class ThermalForetold:
    """The thermal camera and where it stands, as known so far; the colour camera is taken for known."""

    found: ThermalFound
    rgb: RgbKnown
    size_px: tuple[int, int]
    rgb_size_px: tuple[int, int]
    board: Board
    information: Floats
    """Of focal length, middle, turn and shift of the stand, and bloom, shape (10, 10)."""
    slopes: Floats
    """Mm on the skin by the same without bloom, shape (9, 2, 9)."""

    def with_(self, gains: Floats) -> ThermalForetold:
        """As known once further pairs have told theirs, shape (10, 10)."""
        return replace(self, information=frozen(self.information + gains))

    def error_mm(self, gain: Floats | None = None) -> float:
        """1.96 sigma of where a thermal pixel is placed on the skin."""
        return 1.96 * _worst(self.slopes, self.information + (0.0 if gain is None else gain))

    def gain(self, pose: Floats, view: BoardView | None = None) -> Floats | None:
        """Information of a target at a pose, (10, 10); None where too little of it would be seen by both.

        Args:
            pose: ``rgb_from_board``: rotation vector, mm, shape (6,).
            view: What the thermal camera saw of it; None = what it would see.
        """
        corners_mm = self.board.corners_mm
        rgb_px, rgb_slopes = _seen(corners_mm, pose, self.rgb.values)
        middle = np.concatenate([_stand_of(self.found), [self.found.bloom]])
        base, by_lens = self._thermal(pose, middle)
        inside = _inside(base, self.size_px)
        ids: Ints = view.ids if view is not None else np.flatnonzero(inside)
        rgb_ids = np.flatnonzero(_inside(rgb_px, self.rgb_size_px))
        if view is None and min(len(ids), len(rgb_ids)) < LEAST_SHARE * len(base):
            return None
        if view is None and np.median(np.linalg.norm(base[1::4] - base[::4], axis=1)) < LEAST_TAG_PX:
            return None
        columns = [by_lens[:, :, 0] + by_lens[:, :, 1], by_lens[:, :, 2], by_lens[:, :, 3]]
        steps = np.array([1e-5] * 3 + [1e-2] * 3 + [1e-4])
        for k, size in enumerate(steps):
            columns.append((self._thermal(pose, middle + size * np.eye(7)[k])[0] - base) / size)
        by_pose = []
        for k in range(6):
            size = 1e-5 if k < 3 else 1e-2
            by_pose.append((self._thermal(pose + size * np.eye(6)[k], middle)[0] - base) / size)
        inner = np.stack(columns, axis=2)[ids].reshape(-1, 10) / _THERMAL_NOISE_PX
        pose_rows = np.stack(by_pose, axis=2)[ids].reshape(-1, 6) / _THERMAL_NOISE_PX
        rgb_rows = rgb_slopes[rgb_ids, :, :6].reshape(-1, 6) / _RGB_NOISE_PX
        whole = np.vstack([pose_rows, rgb_rows])
        return _eliminated(np.vstack([inner, np.zeros((len(rgb_rows), 10))]), whole)

    def _thermal(self, pose: Floats, middle: Floats) -> tuple[Floats, Floats]:
        """Thermal pixels, and their slopes by fx, fy, cx, cy."""
        here = bloomed(self.board.corners_mm, float(middle[6]))
        there = here @ rotation_from_rvec(pose[:3]).T + pose[3:]
        px, slopes = _seen(there, middle[:6], self.found.values)
        return px, slopes[:, :, 6:10]


def lens_guess(board: Board, *, size_px: tuple[int, int], focal: float = GUESSED_FOCAL) -> LensForetold:
    """Before anything was seen: what lenses usually are."""
    width, height = size_px
    values = np.zeros(9)
    values[:4] = focal * width, focal * width, (width - 1) / 2.0, (height - 1) / 2.0
    sigma = np.array([0.25 * width, 0.25 * width, 0.05 * width, 0.05 * width, 0.3, 0.5, 0.01, 0.01, 0.5])
    open_print = max(board.stretch_u95 / 1.96, _PRINT_KNOWN)
    information = np.diag(np.append(sigma, open_print) ** -2.0)
    alike = np.array([1.0, -1.0]) / (SQUARE * focal * width)
    information[:2, :2] += np.outer(alike, alike)
    return LensForetold(frozen(values), size_px, board, frozen(information), _slopes(values, size_px))


def lens_known(guess: LensForetold, values: Floats) -> LensForetold:
    """The guess's information, at parameters that are known better."""
    return replace(guess, values=frozen(values), slopes=_slopes(values, guess.size_px))


def thermal_guess(
    board: Board, rgb: RgbKnown, *, size_px: tuple[int, int], rgb_size_px: tuple[int, int]
) -> ThermalForetold:
    """Before any pair was seen: a usual thermal camera beside the colour camera."""
    values = np.zeros(9)
    values[:2] = GUESSED_THERMAL * size_px[0]
    values[2:4] = (size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0
    found = ThermalFound(
        free=_FREE,
        values=frozen(values),
        thermal_from_rgb=Pose.identity(),
        bloom=0.0,
        covariance=frozen(np.zeros((19, 19))),
        by_width=(),
        rms_px=0.0,
        rgb_values=rgb.values,
    )
    sigma = np.array([0.3 * size_px[0], *(0.05 * size_px[0],) * 2, *(0.1,) * 3, *(50.0,) * 3, 0.05])
    return thermal_known(found, board, rgb, np.diag(sigma**-2.0), size_px=size_px, rgb_size_px=rgb_size_px)


def thermal_known(
    found: ThermalFound,
    board: Board,
    rgb: RgbKnown,
    information: Floats,
    *,
    size_px: tuple[int, int],
    rgb_size_px: tuple[int, int],
) -> ThermalForetold:
    """Information at a solved camera; whatever it left free, these parameters are weighed."""
    plain = replace(found, free=_FREE)
    slopes = placed_slopes(plain, rgb_size_px=rgb_size_px, distance_mm=AT_MM)[:, :, 9:]
    return ThermalForetold(plain, rgb, size_px, rgb_size_px, board, frozen(information), frozen(slopes))


def camera_known(foretold: LensForetold | ThermalForetold) -> Camera:
    """The colour camera as known so far."""
    if isinstance(foretold, LensForetold):
        return camera_of(foretold.values, size_px=foretold.size_px)
    return camera_of(foretold.rgb.values, size_px=foretold.rgb_size_px)


def _slopes(values: Floats, size_px: tuple[int, int]) -> Floats:
    rays, sizes = place_slopes(values, size_px=size_px, at_px=nine_places(size_px))
    return frozen(np.concatenate([rays, sizes[:, None]], axis=1))


def _worst(slopes: Floats, information: Floats) -> float:
    """1 sigma at the worst place, all its directions together; slopes (n, k, m) by the first m parameters."""
    covariance = np.linalg.inv(information)[: slopes.shape[2], : slopes.shape[2]]
    return float(np.sqrt(np.einsum("kia,ab,kib->k", slopes, covariance, slopes).max()))


def _stand_of(found: ThermalFound) -> Floats:
    turn, _ = cv2.Rodrigues(found.thermal_from_rgb.rotation)
    return np.concatenate([np.ravel(turn).astype(float), found.thermal_from_rgb.translation_mm])


def _seen(points_mm: Floats, pose: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Pixels (n, 2), and slopes by turn, shift, fx, fy, cx, cy and lens, (n, 2, 15)."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    points = np.ascontiguousarray(points_mm, float)
    px, slopes = cv2.projectPoints(points, pose[:3].copy(), pose[3:].copy(), matrix, values[4:].copy())
    return np.asarray(px, float).reshape(-1, 2), np.asarray(slopes, float)[:, :15].reshape(-1, 2, 15)


def _inside(px: Floats, size_px: tuple[int, int]) -> Bools:
    return np.all((px > MARGIN_PX) & (px < np.array(size_px) - 1.0 - MARGIN_PX), axis=1)


def _eliminated(inner: Floats, pose: Floats) -> Floats:
    """Normal equations of the inner columns once the pose has taken what it explains."""
    cross = pose.T @ inner
    normal = pose.T @ pose + 1e-9 * np.eye(6)
    return inner.T @ inner - cross.T @ np.linalg.solve(normal, cross)
