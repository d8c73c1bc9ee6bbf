"""Thermal camera and where it stands to the colour camera, from views of one target that both see.

All of the lens that may matter is sought, near what lenses usually are: a model chosen by its fit leaves out
what is there but hardly shows, and its bound then knows nothing of it (with the smallest of six models by
Schwarz's criterion 82 of 92 bounds held in simulation). Thermal corners of a pair may be off together,
since neither hand nor camera is quite still and the thermal picture lags; by how much is told by the pairs
(evidence maximisation, MacKay, Neural Computation 4 (1992) 415).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import BoardView
from calibration.intrinsics import PARAMETERS
from calibration.pair_equations import (
    PairEquations,
    PairSystem,
    PairView,
    SharedSystem,
    Unknowns,
    bloomed,
    shared_system,
)
from models.geometry import Floats, Pose, frozen, rotation_from_rvec

FREE = PARAMETERS[:6]
"""Parameters of the thermal camera that are sought; the others stay 0."""

BLOOM = "bloom"
"""By what share tags look larger to the thermal camera than they are: heat creeps over their edges."""

TURN_AND_SHIFT = ("rx_rad", "ry_rad", "rz_rad", "tx_mm", "ty_mm", "tz_mm")
"""Of ``thermal_from_rgb``: rotation vector and shift."""

_MIDDLE_SHARE, _SQUARE_SHARE, _LENS = 0.04, 0.01, (0.3, 0.3)
"""1 sigma of what lenses usually are: middle off the picture's by a share of its width, fy by fx off 1, k1
and k2 off 0. Far more than good pairs leave open."""

_ROUNDS, _STEP = 40, 1e-4
_LEAST_PX = 0.02
_WIDTHS_PX = np.geomspace(0.01, 2.0, 14)
"""By which thermal corners of a pair may be off together, 1 sigma, all taken for as likely before looking."""


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
    by_width: tuple[tuple[float, Floats], ...]
    """The same for each width by which a pair's thermal corners may be off together, and its probability."""
    rms_px: float
    """Of the thermal residuals' lengths."""
    rgb_values: Floats
    shift_px: float = 0.0
    """1 sigma, each component, by which thermal corners of a pair are off together."""


def calibrate_thermal(
    pairs: Sequence[PairView],
    corners_mm: Floats,
    *,
    known: RgbKnown,
    size_px: tuple[int, int],
    near: ThermalFound | None = None,
) -> ThermalFound:
    """Solve.

    Args:
        pairs: At least three.
        corners_mm: Of the target, board frame, shape (m, 3).
        known: The colour camera.
        size_px: Width and height of the thermal picture.
        near: A solution to start from, as by other pairs of the same cameras.
    """
    root = _root(known.covariance * (2.0 if known.from_these else 1.0))
    poses = np.array([board_pose(pair.rgb, corners_mm, known.values) for pair in pairs])
    if near is None:
        values, stand = _start(pairs, corners_mm, poses, size_px)
    else:
        values, stand = near.values, _vector(near.thermal_from_rgb)
    equations = PairEquations(pairs, corners_mm, known.values, root, values, np.arange(len(FREE)))
    shared = np.concatenate([np.zeros(9), values[: len(FREE)], stand, [near.bloom if near else 0.0]])
    at = Unknowns(shared, np.hstack([poses, np.zeros((len(pairs), 2))]))
    least_rgb_px = _rgb_noise_px(pairs, corners_mm, known, poses)
    sigma = (least_rgb_px, 1.0)
    for _ in range(_ROUNDS):
        system = equations.system(at, sigma)
        told = _widths_told(system, at, size_px)
        whole, pull, one = _at_width(system, at, size_px, told.shift_px)
        step = np.linalg.solve(whole, pull)
        shift_steps = one.shift_steps - one.shift_by_shared @ step
        all_steps = np.hstack([np.broadcast_to(step, (len(pairs), len(step))), shift_steps])
        pose_steps = system.pose_steps - np.einsum("nij,nj->ni", system.pose_by_all, all_steps)
        before = sigma
        sigma = _noise_of(system, told, inner=len(step), least_rgb_px=least_rgb_px)
        at = Unknowns(at.shared + step, at.own + np.hstack([pose_steps, shift_steps]))
        small = np.all(np.abs(step) < _STEP * np.maximum(1.0, np.abs(at.shared)))
        if small and abs(np.log(sigma[1] / before[1])) < _STEP:
            break
    system = equations.system(at, sigma)
    told = _widths_told(system, at, size_px)
    t = len(FREE)
    lift = np.eye(len(shared))
    lift[:9, :9] = root
    more = _inflation(_at_width(system, at, size_px, told.shift_px)[2], told.covariance)
    off = np.concatenate([a + b for a, b in zip(system.thermal_off_px, at.own[:, None, 6:], strict=True)])
    return ThermalFound(
        free=FREE,
        values=frozen(equations.thermal_values(at.shared)),
        thermal_from_rgb=Pose.of(rotation_from_rvec(at.shared[9 + t : 12 + t]), at.shared[12 + t : 15 + t]),
        bloom=float(at.shared[-1]),
        covariance=frozen(more * lift @ told.covariance @ lift.T),
        by_width=tuple((w, frozen(more * lift @ c @ lift.T)) for w, c in told.each),
        rms_px=float(np.sqrt(np.mean(np.sum(off**2, axis=1)))),
        rgb_values=frozen(known.values + root @ at.shared[:9]),
        shift_px=told.shift_px,
    )


@dataclass(frozen=True, eq=False)
class _Told:
    """Of the width of the shifts."""

    shift_px: float
    covariance: Floats
    """Of the shared unknowns, averaged over the widths."""
    each: tuple[tuple[float, Floats], ...]
    """Probability of a width, and the covariance that goes with it, where that counts."""
    taken: float
    """Degrees of freedom that the shifts take."""


def _widths_told(system: PairSystem, at: Unknowns, size_px: tuple[int, int]) -> _Told:
    """How probable each width of the shifts is, and what it leaves open of the shared unknowns."""
    logs, covariances = [], []
    for shift_px in _WIDTHS_PX:
        whole, pull, one = _at_width(system, at, size_px, shift_px)
        factor = np.linalg.cholesky(whole)
        inverse = np.linalg.inv(whole)
        logs.append(one.log + 0.5 * float(pull @ inverse @ pull) - float(np.log(np.diag(factor)).sum()))
        covariances.append(inverse)
    weight = np.exp(np.array(logs) - max(logs))
    weight /= weight.sum()
    shift_px = float(np.sqrt(weight @ np.square(_WIDTHS_PX)))
    inside = np.linalg.inv(
        np.linalg.inv(system.normal[:, -2:, -2:] + 1e-9 * np.eye(2)) + shift_px**2 * np.eye(2)
    )
    return _Told(
        shift_px,
        np.einsum("k,kij->ij", weight, np.array(covariances)),
        tuple((float(w), c) for w, c in zip(weight, covariances, strict=True) if w > 1e-3),
        shift_px**2 * float(np.trace(inside, axis1=1, axis2=2).sum()),
    )


def _at_width(
    system: PairSystem, at: Unknowns, size_px: tuple[int, int], shift_px: float
) -> tuple[Floats, Floats, SharedSystem]:
    """Normal equations of the shared unknowns with what was known of them before, and their right side."""
    one = shared_system(system, at.own[:, 6:], shift_px)
    usual, weak = np.zeros(len(at.shared)), np.zeros_like(one.reduced)
    weak[:9, :9] = np.eye(9)
    alike = np.array([1.0, -1.0]) / (_SQUARE_SHARE * float(at.shared[9]))
    weak[9:11, 9:11] = np.outer(alike, alike)
    usual[11:13] = (size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0
    weak[11, 11] = weak[12, 12] = (_MIDDLE_SHARE * size_px[0]) ** -2.0
    weak[13, 13], weak[14, 14] = _LENS[0] ** -2.0, _LENS[1] ** -2.0
    return one.reduced + weak, one.scores.sum(axis=0) - weak @ (at.shared - usual), one


def _noise_of(system: PairSystem, told: _Told, *, inner: int, least_rgb_px: float) -> tuple[float, float]:
    """1 sigma of a component of colour and of thermal corners, px, by what is left over."""
    sizes = []
    poses = 6.0 * len(system.normal)
    for offs, taken in ((system.rgb_off_px, poses), (system.thermal_off_px, inner - 9.0 + told.taken)):
        off = np.concatenate(offs).ravel()
        left = max(1.0 - taken / len(off), 0.3)
        sizes.append(max(1.4826 * float(np.median(np.abs(off))) / np.sqrt(left), _LEAST_PX))
    return max(sizes[0], least_rgb_px), sizes[1]


def _vector(pose: Pose) -> Floats:
    turn, _ = cv2.Rodrigues(pose.rotation)
    return np.concatenate([np.ravel(turn).astype(float), pose.translation_mm])


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
    pairs: Sequence[PairView], corners_mm: Floats, poses: Floats, size_px: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Thermal parameters (9,) and ``thermal_from_rgb`` (6,), the target's poses in the rgb frame given."""
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
    return values, _vector(stands[int(np.argmin(apart))])


def _rgb_noise_px(pairs: Sequence[PairView], corners_mm: Floats, known: RgbKnown, poses: Floats) -> float:
    """Noise of colour corners by the camera as known, px."""
    offs = []
    for pair, pose in zip(pairs, poses, strict=True):
        here = corners_mm[pair.rgb.ids] @ rotation_from_rvec(pose[:3]).T + pose[3:]
        offs.append((_seen(here, known.values) - pair.rgb.corners_px).ravel())
    off = np.concatenate(offs)
    left = max(1.0 - 6.0 * len(pairs) / len(off), 0.3)
    sigma = max(1.4826 * float(np.median(np.abs(off))) / np.sqrt(left), _LEAST_PX)
    return sigma * (np.sqrt(2.0) if known.from_these else 1.0)


def _root(covariance: Floats) -> Floats:
    """A matrix whose product with its transpose is the covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def _inflation(one: SharedSystem, inverse: Floats) -> float:
    """How much more the pairs' own scores scatter than by what is known of the noise, at least 1."""
    n, inner = len(one.scores), slice(9, None)
    told = inverse[inner] @ (one.scores - one.scores.mean(axis=0)).T
    scattered = told @ told.T * (n / max(n - 1, 1))
    foretold = inverse[inner] @ one.reduced @ inverse[:, inner]
    values, vectors = np.linalg.eigh(foretold)
    keep = values > 1e-9 * values[-1]
    share = np.einsum("ia,ij,ja->a", vectors, scattered, vectors)[keep] / values[keep]
    return max(1.0, float(np.mean(share)))
