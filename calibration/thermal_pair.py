"""Thermal camera and where it stands to the colour camera, from views of one target that both see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from calibration.board import BoardView
from calibration.intrinsics import PARAMETERS
from calibration.pair_equations import PairEquations, PairView, bloomed
from models.geometry import Floats, Ints, Pose, frozen, rotation_from_rvec

LENSES: tuple[tuple[str, ...], ...] = (
    ("fx_px",),
    ("fx_px", "k1"),
    ("fx_px", "cx_px", "cy_px"),
    ("fx_px", "cx_px", "cy_px", "k1"),
    ("fx_px", "fy_px", "cx_px", "cy_px", "k1"),
    ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2"),
)
"""Parameters of the thermal camera that may be estimated; the others stay at the picture's middle and 0."""

BLOOM = "bloom"
"""By what share tags look larger to the thermal camera than they are: heat creeps over their edges."""

TURN_AND_SHIFT = ("rx_rad", "ry_rad", "rz_rad", "tx_mm", "ty_mm", "tz_mm")
"""Of ``thermal_from_rgb``: rotation vector and shift."""

_OUTLIER_SIGMA = 3.0


@dataclass(frozen=True, eq=False)
class RgbKnown:
    """The colour camera as known before."""

    values: Floats
    """In the order of `calibration.intrinsics.PARAMETERS`, shape (9,)."""
    covariance: Floats
    """Shape (9, 9); 0 where a parameter was not estimated."""
    from_these: bool = False
    """Whether it was estimated from these very pictures: half of what they say counts here, half there."""


@dataclass(frozen=True, eq=False)
class ThermalFound:
    """The thermal camera as the pairs show it."""

    free: tuple[str, ...]
    values: Floats
    """In the order of `calibration.intrinsics.PARAMETERS`."""
    thermal_from_rgb: Pose
    bloom: float
    covariance: Floats
    """Of all nine rgb parameters, the free thermal ones, `TURN_AND_SHIFT` and `BLOOM`."""
    rms_px: float
    """Of the thermal residuals' lengths."""
    price: float
    """Schwarz's criterion: the less, the better the pairs support the model."""
    rgb_values: Floats


def calibrate_thermal(
    pairs: Sequence[PairView],
    corners_mm: Floats,
    *,
    known: RgbKnown,
    size_px: tuple[int, int],
    lenses: Sequence[tuple[str, ...]] = LENSES,
    on_solved: Callable[[], None] = lambda: None,
) -> ThermalFound:
    """Solve with the model that the pairs support.

    Args:
        pairs: At least three.
        corners_mm: Of the target, board frame, shape (m, 3).
        known: The colour camera.
        size_px: Width and height of the thermal picture.
        lenses: Models to choose from.
        on_solved: Called after each of them.
    """
    found: list[ThermalFound] = []
    start, poses = _start(pairs, corners_mm, known, size_px)
    sigma = _sigmas(pairs, corners_mm, known, poses)
    for free in lenses:
        found.append(_solved(pairs, corners_mm, known, free, start, poses, sigma))
        on_solved()
    return min(found, key=lambda one: one.price)


def _solved(
    pairs: Sequence[PairView],
    corners_mm: Floats,
    known: RgbKnown,
    free: tuple[str, ...],
    start: Floats,
    poses: Floats,
    sigma: tuple[float, float],
) -> ThermalFound:
    t, n = len(free), len(pairs)
    root = _root(known.covariance * (2.0 if known.from_these else 1.0))
    thermal_at = [PARAMETERS.index(name) for name in free]
    equations = PairEquations(
        pairs, corners_mm, known.values, root, start[:9], np.array(thermal_at), "fy_px" not in free, sigma
    )
    x = np.concatenate([np.zeros(9), start[thermal_at], start[9:], poses.ravel(), [0.0]])
    for _ in range(2):  # the noise of the thermal corners is found in the first round
        x = np.asarray(_least(equations, x).x, float)
        off = _thermal_off(equations.residuals(x), pairs) * sigma[1]
        sigma = (sigma[0], max(1.4826 * float(np.median(np.abs(off))), 0.02))
        equations = replace(equations, sigma=sigma)
    solved = _least(equations, x)
    x = np.asarray(solved.x, float)
    off = _thermal_off(equations.residuals(x), pairs) * sigma[1]
    freedom = max(len(solved.fun) - 9 - (6 * n + 6 + t), 1)
    jacobian = np.asarray(solved.jac, float)
    inverse = np.linalg.pinv(jacobian.T @ jacobian, hermitian=True)
    spread = max(1.0, 2.0 * float(solved.cost) / freedom)
    inner = np.r_[: 15 + t, len(x) - 1]
    keep = 16 + t
    covariance = (
        spread * _inflation(jacobian, solved.fun, inverse, pairs, inner[9:]) * inverse[np.ix_(inner, inner)]
    )
    lift = np.eye(keep)
    lift[:9, :9] = root
    return ThermalFound(
        free=free,
        values=frozen(equations.thermal_values(x)),
        thermal_from_rgb=Pose.of(rotation_from_rvec(x[9 + t : 12 + t]), x[12 + t : 15 + t]),
        bloom=float(x[-1]),
        covariance=frozen(lift @ covariance @ lift.T),
        rms_px=float(np.sqrt(2.0 * np.mean(off**2))),
        price=len(off) * float(np.log(np.mean(np.minimum(off**2, 9.0 * sigma[1] ** 2))))
        + t * float(np.log(len(off))),
        rgb_values=frozen(known.values + root @ x[:9]),
    )


def _least(equations: PairEquations, start: Floats) -> OptimizeResult:
    """Least squares in which outliers count linearly; steps of a millionth are far below the noise."""
    return least_squares(
        equations.residuals,
        start,
        equations.slopes,
        x_scale="jac",
        loss="soft_l1",
        f_scale=_OUTLIER_SIGMA,
        ftol=1e-6,
        xtol=1e-6,
    )


def transfer_px(pair: PairView, corners_mm: Floats, found: ThermalFound) -> Floats:
    """How far corners seen by the colour camera come out from where the thermal one sees them.

    Args:
        pair: Best one that the calibration did not see.
        corners_mm: Of the target, shape (m, 3).
        found: The calibration.

    Returns:
        Thermal pixels, one a corner, shape (k,).
    """
    pose = board_pose(pair.rgb, corners_mm, found.rgb_values)
    board_mm = bloomed(corners_mm, found.bloom)
    here = board_mm[pair.thermal.ids] @ rotation_from_rvec(pose[:3]).T + pose[3:]
    return np.linalg.norm(
        _seen(found.thermal_from_rgb.apply(here), found.values) - pair.thermal.corners_px, axis=1
    )


def _seen(points_mm: Floats, values: Floats) -> Floats:
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    px, _ = cv2.projectPoints(np.ascontiguousarray(points_mm), np.zeros(3), np.zeros(3), matrix, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def board_pose(view: BoardView, corners_mm: Floats, values: Floats) -> Floats:
    """``camera_from_board``: of the two poses of a plane the one that fits better, improved."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    objects, lens = np.ascontiguousarray(corners_mm[view.ids]), np.asarray(values[4:], float)
    flat = objects * (1.0, 1.0, 0.0)
    _, turns, shifts, _ = cv2.solvePnPGeneric(flat, view.corners_px, matrix, lens, flags=cv2.SOLVEPNP_IPPE)
    best, least = np.zeros(6), np.inf
    for turn, shift in zip(turns, shifts, strict=True):
        turn, shift = cv2.solvePnPRefineLM(objects, view.corners_px, matrix, lens, turn.copy(), shift.copy())
        seen, _ = cv2.projectPoints(objects, turn, shift, matrix, lens)
        off = float(np.sum((np.asarray(seen, float).reshape(-1, 2) - view.corners_px) ** 2))
        if off < least and shift[2, 0] > 0.0:
            best, least = np.concatenate([np.ravel(turn), np.ravel(shift)]).astype(float), off
    return best


def _start(
    pairs: Sequence[PairView], corners_mm: Floats, known: RgbKnown, size_px: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Thermal parameters and ``thermal_from_rgb`` (15,), poses of the target in the rgb frame (n, 6)."""
    poses = np.array([board_pose(pair.rgb, corners_mm, known.values) for pair in pairs])
    middle = np.array([(size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0])
    guess = np.array(
        [[1.2 * size_px[0], 0.0, middle[0]], [0.0, 1.2 * size_px[0], middle[1]], [0.0, 0.0, 1.0]]
    )
    fixed = cv2.CALIB_FIX_K1 | cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_PRINCIPAL_POINT | cv2.CALIB_FIX_ASPECT_RATIO | fixed
    _, matrix, *_ = cv2.calibrateCamera(
        [(corners_mm[p.thermal.ids] * (1.0, 1.0, 0.0)).astype(np.float32) for p in pairs],
        [p.thermal.corners_px.astype(np.float32) for p in pairs],
        size_px,
        guess,
        np.zeros(5),
        flags=flags,
    )
    values = np.zeros(9)
    values[:4] = matrix[0, 0], matrix[0, 0], *middle
    stands: list[Pose] = []
    for pair, pose in zip(pairs, poses, strict=True):
        own = board_pose(pair.thermal, corners_mm, values)
        here = Pose.of(rotation_from_rvec(pose[:3]), pose[3:])
        stands.append(Pose.of(rotation_from_rvec(own[:3]), own[3:]) @ here.inverse)
    apart = [sum(float(np.linalg.norm(a.rotation - b.rotation)) for b in stands) for a in stands]
    best = stands[int(np.argmin(apart))]
    turn, _ = cv2.Rodrigues(best.rotation)
    return np.concatenate([values, np.ravel(turn).astype(float), best.translation_mm]), poses


def _sigmas(
    pairs: Sequence[PairView], corners_mm: Floats, known: RgbKnown, poses: Floats
) -> tuple[float, float]:
    """Noise of colour corners, and a first guess for thermal ones, px."""
    offs = []
    for pair, pose in zip(pairs, poses, strict=True):
        here = corners_mm[pair.rgb.ids] @ rotation_from_rvec(pose[:3]).T + pose[3:]
        offs.append((_seen(here, known.values) - pair.rgb.corners_px).ravel())
    sigma = max(1.4826 * float(np.median(np.abs(np.concatenate(offs)))), 0.02)
    return sigma * (np.sqrt(2.0) if known.from_these else 1.0), 1.0


def _root(covariance: Floats) -> Floats:
    """A matrix whose product with its transpose is the covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def _thermal_off(residuals: Floats, pairs: Sequence[PairView]) -> Floats:
    at, parts = 9, []
    for pair in pairs:
        at += 2 * len(pair.rgb.ids)
        parts.append(residuals[at : at + 2 * len(pair.thermal.ids)])
        at += 2 * len(pair.thermal.ids)
    return np.concatenate(parts)


def _inflation(
    jacobian: Floats, off: Floats, inverse: Floats, pairs: Sequence[PairView], inner: Ints
) -> float:
    """How much more the pairs' own scores scatter than they would by independent corners, at least 1."""
    at, scores = 9, []
    for pair in pairs:
        end = at + 2 * (len(pair.rgb.ids) + len(pair.thermal.ids))
        scores.append(jacobian[at:end].T @ off[at:end])
        at = end
    told = np.array(scores) @ inverse[:, inner]
    n = len(pairs)
    scattered = told.T @ told * (n / max(n - 1, 1))
    return max(1.0, float(np.trace(np.linalg.solve(inverse[np.ix_(inner, inner)], scattered))) / len(inner))
