"""Whether two cameras still stand and see as the rig says, from one board that both see; if not, what moved.

All that may have moved is estimated at once, with the board's place in each view: the thermal camera's turn
and shift against the colour camera, and both zooms. What the estimate says counts against what the rig's own
covariance allows. Where that does not explain it, each single cause is tried: the one that explains it with
least left over is named, and so is each other that does nearly as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import stats
from scipy.optimize import least_squares

from calibration.board import BoardView
from models.camera import Camera
from models.geometry import Floats, Pose, frozen, rotation_from_rvec
from models.rig import Rig
from models.rig_checked import CAMERAS, Off

CAUSES = CAMERAS
"""What may have moved: turn and shift of ``thermal_from_rgb``; zooms as a share of the focal length."""

SINGLE: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("turned", (0, 1, 2)),
    ("shifted", (3, 4, 5)),
    ("thermal zoom", (6,)),
    ("colour zoom", (7,)),
)

USUAL_SIGMA = np.array([*[np.radians(0.1)] * 3, 2.0, 2.0, 3.0, 0.005, 0.003])
"""Of a rig whose calibration states no covariance: as good as the step ``thermal`` is at its limits."""

LOOSE = np.array([0.1, 0.1, 0.1, 60.0, 60.0, 60.0, 0.1, 0.1])
"""1 sigma of what is believed before looking: only so that what the views leave open stays finite."""

RGB_PX, THERMAL_PX, BLOOM = 0.1, 0.25, 0.03
"""Least error of a corner, 1 sigma, and of how much larger tags look to the thermal camera, as a share."""

ALIKE = 2.0
"""Corners of a board err together (print, bend, bloom, views of one place): so many count as one."""

UNLIKELY = 0.005
"""Share of checks in which a rig that is as it was is called moved."""

ALSO = 6.0
"""Causes that leave no more than this over in squared sigmas beyond the best one are named too."""

MATTERS_MM = 2.0
"""Less than this on the skin is no reason to calibrate again: a thermal pixel is 3 mm wide there."""

MOST_U95_MM = 8.0
"""As the step ``thermal`` has it."""


@dataclass(frozen=True, eq=False)
class SeenBoth:
    """One board at one moment; no thermal corners where it was not found there."""

    rgb: BoardView
    thermal: BoardView | None


@dataclass(frozen=True, eq=False)
class CamerasChecked:
    """What the views say."""

    state: str
    """``valid``, ``moved``, ``unknown``."""
    causes: tuple[str, ...]
    """Of `SINGLE`, the likeliest first; none where nothing moved."""
    found: Floats
    """The first cause alone, in the order of `CAUSES`, 0 for what it does not hold."""
    u95: Floats
    """Of it."""
    on_skin_mm: float
    """By how much a thermal pixel is misplaced on the skin at the board's distance, and along the line of
    sight what is placed by its size, both together."""
    on_skin_u95_mm: float
    distance_mm: float
    likely: float
    """Probability that as much is explained by a cause if nothing moved."""
    views: int
    off: tuple[Off, ...] = ()
    """What each of `causes` alone would be, in this order."""


def check_cameras(
    views: Sequence[SeenBoth], corners_mm: Floats, rig: Rig, *, known: Floats
) -> CamerasChecked:
    """Hold views of a board against the rig.

    Args:
        views: At least one.
        corners_mm: Of the board, shape (m, 3).
        rig: With a thermal camera.
        known: Covariance of `CAUSES` as calibration states it, shape (8, 8).
    """
    system = _System(views, corners_mm, rig)
    estimate, spread = system.solve()
    whole = spread + known
    far = float(estimate @ np.linalg.solve(whole, estimate))
    tried = sorted(((*_alone(estimate, whole, at), name, at) for name, at in SINGLE), key=lambda one: one[0])
    left, found, own, _, _ = tried[0]
    # How much each cause explains, by chance; four chances, so four times as likely.
    by_chance = [stats.chi2.sf(far - price + 2.0 * len(at), len(at)) for price, _, _, _, at in tried]
    likely = min(1.0, len(SINGLE) * float(min(by_chance)))
    near = [one for one in tried if one[0] <= left + ALSO]
    causes = tuple(name for _, _, _, name, _ in near)
    # What the rig and the views say together, where nothing moved; what the cause does, where it did.
    gain = known @ np.linalg.inv(whole)
    quiet, quiet_spread = gain @ estimate, known - gain @ known
    moved = likely < UNLIKELY
    off_mm, u95_mm = system.on_skin_mm(found if moved else quiet, own if moved else quiet_spread)
    state = "moved" if moved and off_mm > MATTERS_MM else "valid"
    if state == "valid" and off_mm + u95_mm > MOST_U95_MM:
        state = "unknown"
    return CamerasChecked(
        state=state,
        causes=causes if state == "moved" else (),
        found=frozen(found),
        u95=frozen(1.96 * np.sqrt(np.maximum(np.diag(own), 0.0))),
        on_skin_mm=off_mm,
        on_skin_u95_mm=u95_mm,
        distance_mm=system.distance_mm,
        likely=likely,
        views=len(views),
        off=tuple(_named(size, spread_, at) for _, size, spread_, _, at in near) if state == "moved" else (),
    )


def _named(found: Floats, spread: Floats, at: tuple[int, ...]) -> Off:
    """What one cause amounts to, by the names of its parameters."""
    names = tuple(CAUSES[k] for k in at)
    return Off(names, found[list(at)], spread[np.ix_(at, at)])


def _alone(estimate: Floats, whole: Floats, at: tuple[int, ...]) -> tuple[float, Floats, Floats]:
    """One cause alone: what it leaves over with the price of its freedom, itself, and its covariance."""
    pick = np.eye(len(CAUSES))[:, list(at)]
    weight = np.linalg.inv(whole)
    spread = np.linalg.inv(pick.T @ weight @ pick)
    found = pick @ (spread @ (pick.T @ weight @ estimate))
    left = estimate - found
    return float(left @ weight @ left) + 2.0 * len(at), found, pick @ spread @ pick.T


class _System:
    """Views of one board as equations in what may have moved, bloom, and the board's places."""

    def __init__(self, views: Sequence[SeenBoth], corners_mm: Floats, rig: Rig) -> None:
        assert rig.thermal is not None
        self._views, self._corners, self._rgb = views, corners_mm, rig.rgb
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

    def _to_thermal(self, points_rgb_mm: Floats, causes: Floats) -> Floats:
        moved = Pose.of(rotation_from_rvec(causes[:3]), causes[3:6]) @ self._stand
        return zoomed(self._thermal, causes[6]).project(moved.apply(points_rgb_mm))

    def solve(self) -> tuple[Floats, Floats]:
        """Estimate of the causes and its covariance; sized by what is left over where that is more."""
        start = np.concatenate([np.zeros(len(CAUSES) + 1), self._starts.ravel()])
        found = least_squares(self._left, start, x_scale="jac", max_nfev=30)
        free = max(len(found.fun) - len(start), 1)
        size = max(1.0, ALIKE * float(found.fun @ found.fun) / free)
        slopes: Floats = np.asarray(found.jac, np.float64)
        covariance = np.linalg.inv(slopes.T @ slopes) * size
        inner = slice(0, len(CAUSES))
        return np.asarray(found.x[inner], float), np.asarray(covariance[inner, inner], float)

    def on_skin_mm(self, causes: Floats, spread: Floats) -> tuple[float, float]:
        """How far thermal pixels and distances are off where the board is, rms over the picture; bound."""
        w, h = self._rgb.width_px, self._rgb.height_px
        at_px = np.array([(x * w, y * h) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])
        points = self._rgb.unproject(at_px) * self.distance_mm
        mm_a_px = self.distance_mm / self._thermal.fx_px

        def moved(by: Floats) -> Floats:
            # A colour zoom misplaces what is placed by its size, along the line of sight.
            farther = points * (1.0 + by[7])
            px = self._to_thermal(farther, by) - self._to_thermal(points, np.zeros(len(CAUSES)))
            return np.concatenate([mm_a_px * px.ravel(), self.distance_mm * by[7] * np.ones(len(points))])

        off = moved(causes)
        steps = np.where(spread.diagonal() > 0.0, 0.1 * np.sqrt(np.maximum(spread.diagonal(), 1e-18)), 0.0)
        slopes = np.zeros((len(off), len(CAUSES)))
        for k, step in enumerate(steps):
            if step > 0.0:
                by = np.zeros(len(CAUSES))
                by[k] = step
                slopes[:, k] = (moved(causes + by) - off) / step
        n = len(points)
        rms = float(np.sqrt((off**2).sum() / n))
        return rms, 1.96 * float(np.sqrt(np.trace(slopes @ spread @ slopes.T) / n))


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
