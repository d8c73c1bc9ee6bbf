"""Views of one board in two cameras as equations in what may have moved, and what that does on the skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import least_squares

from calibration.board import BoardView
from calibration.check_unnoticed import LOOSE
from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import Rig
from models.rig_checked import CAMERAS
from models.thermal_place import place_slopes_px

CAUSES = CAMERAS
"""What may have moved: turn and shift of ``thermal_from_rgb``; zooms as a share of the focal length."""

RGB_PX, THERMAL_PX, BLOOM = 0.1, 0.25, 0.03
"""Least error of a corner, 1 sigma, and of how much larger tags look to the thermal camera, as a share."""

ALIKE = 2.0
"""Corners of a board err together (print, bend, bloom, views of one place): so many count as one."""


@dataclass(frozen=True, eq=False)
class SeenBoth:
    """One board at one moment; no thermal corners where it was not found there."""

    rgb: BoardView
    thermal: BoardView | None


class SeenSystem:
    """Views of one board as equations in what may have moved, bloom, and the board's places."""

    def __init__(self, views: Sequence[SeenBoth], corners_mm: Floats, rig: Rig) -> None:
        assert rig.thermal is not None
        self._views, self._corners, self._rgb = views, corners_mm, rig.rgb
        self._camera = rig.thermal
        self._thermal, self._stand = rig.thermal.camera, rig.thermal.thermal_from_rgb
        self._middle = corners_mm.mean(axis=0)
        self._starts = np.array([board_pose(view.rgb, corners_mm, rig.rgb) for view in views])
        self.distance_mm = float(np.mean([self._place(one)[2] for one in self._starts]))

    def _place(self, pose: Floats) -> Floats:
        return rotation_from_rvec(pose[:3]) @ self._middle + pose[3:]

    def _left(self, x: Floats) -> Floats:
        """Residuals in sigmas, the loose beliefs last."""
        causes, bloom = x[: len(CAUSES)], x[len(CAUSES)]
        rows: list[Floats] = []
        for k, view in enumerate(self._views):
            pose = x[len(CAUSES) + 1 + 6 * k :][:6]
            turn = rotation_from_rvec(pose[:3])
            seen = (self._corners[view.rgb.ids] @ turn.T) + pose[3:]
            rgb_px = zoomed(self._rgb, causes[7]).project(seen)
            rows.append(((rgb_px - view.rgb.corners_px) / (RGB_PX * np.sqrt(ALIKE))).ravel())
            if view.thermal is not None:
                own = _bloomed(self._corners, bloom)[view.thermal.ids]
                thermal_px = self._to_thermal(own @ turn.T + pose[3:], causes)
                off = (thermal_px - view.thermal.corners_px) / (THERMAL_PX * np.sqrt(ALIKE))
                rows.append(off.ravel())
        return np.concatenate([*rows, causes / LOOSE, [bloom / BLOOM]])

    def _slopes(self, x: Floats) -> Floats:
        """Slopes of `_left`; a board's place moves the rows of its own view alone, so all take one step."""
        own, count = len(CAUSES) + 1, len(self._views)
        ends = np.cumsum(
            [2 * (len(v.rgb.ids) + (len(v.thermal.ids) if v.thermal else 0)) for v in self._views]
        )
        steps = np.concatenate([1e-4 * LOOSE, [1e-6], np.tile([1e-6] * 3 + [1e-3] * 3, count)])
        slopes = np.zeros((int(ends[-1]) + own, len(x)))
        for k in range(own + 6):
            at = [k] if k < own else list(range(k, len(x), 6))
            by = np.zeros(len(x))
            by[at] = steps[at]
            change = (self._left(x + by) - self._left(x - by)) / (2.0 * steps[at[0]])
            if k < own:
                slopes[:, k] = change
                continue
            for place, rows in zip(at, np.split(np.arange(ends[-1]), ends[:-1]), strict=True):
                slopes[rows, place] = change[rows]
        return slopes

    def _to_thermal(self, points_rgb_mm: Floats, causes: Floats) -> Floats:
        moved = Pose.of(rotation_from_rvec(causes[:3]), causes[3:6]) @ self._stand
        return zoomed(self._thermal, causes[6]).project(moved.apply(points_rgb_mm))

    def solve(self) -> tuple[Floats, Floats]:
        """Estimate of the causes and its covariance; sized by what is left over where that is more."""
        start = np.concatenate([np.zeros(len(CAUSES) + 1), self._starts.ravel()])
        found = least_squares(self._left, start, jac=self._slopes, x_scale="jac", max_nfev=30)
        free = max(len(found.fun) - len(start), 1)
        size = max(1.0, ALIKE * float(found.fun @ found.fun) / free)
        slopes: Floats = np.asarray(found.jac, np.float64)
        covariance = np.linalg.inv(slopes.T @ slopes)
        inner = slice(0, len(CAUSES))
        self._seen = found.x, (covariance @ slopes.T)[inner]
        return np.asarray(found.x[inner], float), np.asarray(size * covariance[inner, inner], float)

    def known(self, usual: Floats) -> Floats:
        """What calibration leaves open, as these views show it; `usual` for what the rig does not state."""
        stated = self._camera.covariance
        if stated is None:
            return usual
        x, by_rows = self._seen
        rows: list[Floats] = []
        for k, view in enumerate(self._views):
            rows.append(np.zeros((2 * len(view.rgb.ids), len(stated))))
            if view.thermal is not None:
                pose = x[len(CAUSES) + 1 + 6 * k :][:6]
                own = _bloomed(self._corners, x[len(CAUSES)])[view.thermal.ids]
                points = own @ rotation_from_rvec(pose[:3]).T + pose[3:]
                slopes = place_slopes_px(self._camera, points).reshape(-1, len(stated))
                rows.append(slopes / (THERMAL_PX * np.sqrt(ALIKE)))
        seen = np.concatenate(rows)
        by_stated = by_rows[:, : len(seen)] @ seen
        sizes = np.diag(stated)
        open_ = np.array([*(sizes[9:15] == 0.0), sizes[0] == 0.0, True])
        return by_stated @ stated @ by_stated.T + usual * np.outer(open_, open_)

    def on_skin_mm(
        self, causes: Floats, spread: Floats, distance_mm: float | None = None, *, along: bool = True
    ) -> tuple[float, float]:
        """How far thermal pixels and distances are off on the skin, rms over the picture; 95 % bound.

        Args:
            causes: What moved.
            spread: Its covariance.
            distance_mm: Of the skin; None = where the board is.
            along: Whether distances by size count too, which another colour zoom makes wrong.
        """
        mean2, by = self.on_skin(causes, distance_mm, along=along)
        return float(np.sqrt(mean2)), 1.96 * float(np.sqrt(np.maximum(np.trace(by @ spread), 0.0)))

    def on_skin(
        self, causes: Floats, distance_mm: float | None = None, *, along: bool = True
    ) -> tuple[float, Floats]:
        """Mean square in mm2 of what is off there, and what small changes add to it: ``x' by x``."""
        distance_mm = self.distance_mm if distance_mm is None else distance_mm
        w, h = self._rgb.width_px, self._rgb.height_px
        at_px = np.array([(x * w, y * h) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])
        points = self._rgb.unproject(at_px) * distance_mm
        mm_a_px = distance_mm / self._thermal.fx_px

        def moved(by: Floats) -> Floats:
            # A colour zoom misplaces what is placed by its size, along the line of sight.
            farther = points * (1.0 + by[7] * (1.0 if along else np.array([0.0, 0.0, 1.0])))
            px = self._to_thermal(farther, by) - self._to_thermal(points, np.zeros(len(CAUSES)))
            away = distance_mm * by[7] * np.ones(len(points) if along else 0)
            return np.concatenate([mm_a_px * px.ravel(), away])

        off = moved(causes)
        slopes = np.stack([(moved(causes + by) - off) / by.sum() for by in np.diag(1e-3 * LOOSE)], axis=1)
        n = len(points)
        return float((off**2).sum() / n), slopes.T @ slopes / n


def zoomed(camera: Camera, share: float) -> Camera:
    """The camera with a focal length that is longer by a share."""
    longer = 1.0 + float(share)
    return Camera(
        camera.width_px,
        camera.height_px,
        camera.fx_px * longer,
        camera.fy_px * longer,
        camera.cx_px,
        camera.cy_px,
        camera.distortion,
    )


def board_pose(view: BoardView, corners_mm: Floats, camera: Camera) -> Floats:
    """Rotation vector and shift of the board in the camera's frame, shape (6,)."""
    rays = camera.unproject(view.corners_px)[:, :2]
    _, turn, shift = cv2.solvePnP(
        corners_mm[view.ids], np.ascontiguousarray(rays), np.eye(3), np.zeros(5), flags=cv2.SOLVEPNP_IPPE
    )
    _, turn, shift = cv2.solvePnP(
        corners_mm[view.ids], np.ascontiguousarray(rays), np.eye(3), np.zeros(5), turn, shift, True
    )
    return np.concatenate([np.ravel(turn), np.ravel(shift)]).astype(np.float64)


def _bloomed(corners_mm: Floats, share: float) -> Floats:
    """Tags, four corners each, larger about their own middles; other boards as they are."""
    if len(corners_mm) % 4:
        return corners_mm
    own = corners_mm.reshape(-1, 4, 3)
    middle = own.mean(axis=1, keepdims=True)
    return (middle + (1.0 + share) * (own - middle)).reshape(-1, 3)
