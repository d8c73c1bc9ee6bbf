"""Thermal camera and where it stands to the colour camera, from views of one target that both see.

All of the lens that may matter is sought, near what lenses usually are: a model chosen by its fit leaves out
what is there but hardly shows, and its bound then knows nothing of it (with the smallest of six models by
Schwarz's criterion 82 of 92 bounds held in simulation). Thermal corners of a pair may be off together,
since neither hand nor camera is quite still and the thermal picture lags; by how much is told by the pairs
(evidence maximisation, MacKay, Neural Computation 4 (1992) 415).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from calibration.board import BoardView
from calibration.corners_alike import alike_system
from calibration.intrinsics import PARAMETERS
from calibration.pair_equations import (
    PairEquations,
    PairSystem,
    PairView,
    SharedSystem,
    Unknowns,
    bloomed,
)
from calibration.pair_widths import Widths, at_width, stepped, widths_told
from calibration.print_doubt import opened_by
from calibration.swell import outwards
from models.geometry import Floats, Pose, frozen, rotation_from_rvec

FREE = PARAMETERS[:6]
"""Parameters of the thermal camera that are sought; the others stay 0."""

BLOOM = "bloom"
"""By what share tags look larger to the thermal camera than they are: heat creeps over their edges."""

TURN_AND_SHIFT = ("rx_rad", "ry_rad", "rz_rad", "tx_mm", "ty_mm", "tz_mm")
"""Of ``thermal_from_rgb``: rotation vector and shift."""

_ROUNDS, _STEP = 40, 1e-4
_LEAST_PX = 0.02
_LAST_ROUNDS = 3
"""With errors of corners alike in all pictures: they change the solution by less than its bound."""


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
    """Of all nine rgb parameters, the free thermal ones, `TURN_AND_SHIFT`, `BLOOM` and the swells."""
    by_width: tuple[tuple[float, Floats], ...]
    """The same for each width by which a pair's thermal corners may be off together, and its probability."""
    rms_px: float
    """Of the thermal residuals' lengths."""
    rgb_values: Floats
    shift_px: float = 0.0
    """1 sigma, each component, by which thermal corners of a pair are off together."""
    alike_px: float = 0.0
    """1 sigma, each component, by which a thermal corner is off in all pairs alike."""
    swell_px: tuple[float, float] = (0.0, 0.0)
    """By how much sides of tags lie farther out in colour and in thermal pictures, beside the bloom."""


def calibrate_thermal(
    pairs: Sequence[PairView],
    corners_mm: Floats,
    *,
    known: RgbKnown,
    size_px: tuple[int, int],
    near: ThermalFound | None = None,
    bounded: bool = True,
    doubts: Sequence[Floats] = (),
) -> ThermalFound:
    """Solve.

    Args:
        pairs: At least three.
        corners_mm: Of the target, board frame, shape (m, 3).
        known: The colour camera.
        size_px: Width and height of the thermal picture.
        near: A solution to start from, as by other pairs of the same cameras.
        bounded: Whether its covariance is wanted; else errors alike in all pairs, which cost most, are left.
        doubts: What is open of the print, see `calibration.print_doubt.doubts_mm`.
    """
    root = _root(known.covariance * (2.0 if known.from_these else 1.0))
    poses = np.array([board_pose(pair.rgb, corners_mm, known.values) for pair in pairs])
    if near is None:
        values, stand = _start(pairs, corners_mm, poses, size_px)
    else:
        values, stand = near.values, _vector(near.thermal_from_rgb)
    equations = PairEquations(pairs, corners_mm, known.values, root, values, np.arange(len(FREE)))
    swollen = [near.bloom, *near.swell_px] if near else [0.0] * 3
    shared = np.concatenate([np.zeros(9), values[: len(FREE)], stand, swollen])
    at = Unknowns(shared, np.hstack([poses, np.zeros((len(pairs), 2))]), np.zeros((len(corners_mm), 2)))
    least_rgb_px = _rgb_noise_px(pairs, corners_mm, known, poses)
    sigma = (least_rgb_px, 1.0)
    for _ in range(_ROUNDS):
        before = at, sigma
        at, sigma = _improved(equations, at, sigma, size_px, least_rgb_px, alike=False)
        small = np.abs(at.shared - before[0].shared) < _STEP * np.maximum(1.0, np.abs(at.shared))
        if np.all(small) and abs(np.log(sigma[1] / before[1][1])) < _STEP:
            break
    for _ in range(_LAST_ROUNDS if bounded else 0):
        at, sigma = _improved(equations, at, sigma, size_px, least_rgb_px, alike=True)
    system = equations.system(at, sigma)
    told = widths_told(equations, system, at, size_px, alike=bounded)
    t = len(FREE)
    lift = np.eye(len(shared))
    lift[:9, :9] = root
    more = _inflation(at_width(system, at, size_px, told.shift_px).one, told.covariance)
    printed = opened_by(equations, at, sigma, size_px, shift_px=told.shift_px, doubts=doubts)
    off = np.concatenate([a + b for a, b in zip(system.thermal_off_px, at.own[:, None, 6:], strict=True)])
    return ThermalFound(
        free=FREE,
        values=frozen(equations.thermal_values(at.shared)),
        thermal_from_rgb=Pose.of(rotation_from_rvec(at.shared[9 + t : 12 + t]), at.shared[12 + t : 15 + t]),
        bloom=float(at.shared[-3]),
        covariance=frozen(lift @ (more * told.covariance + printed) @ lift.T),
        by_width=tuple((w, frozen(lift @ (more * c + printed) @ lift.T)) for w, c in told.each),
        rms_px=float(np.sqrt(np.mean(np.sum(off**2, axis=1)))),
        rgb_values=frozen(known.values + root @ at.shared[:9]),
        shift_px=told.shift_px,
        alike_px=told.alike_px,
        swell_px=(float(at.shared[-2]), float(at.shared[-1])),
    )


def _improved(
    equations: PairEquations,
    at: Unknowns,
    sigma: tuple[float, float],
    size_px: tuple[int, int],
    least_rgb_px: float,
    *,
    alike: bool,
) -> tuple[Unknowns, tuple[float, float]]:
    """One step, and the noise by what is left over."""
    system = equations.system(at, sigma)
    told = widths_told(equations, system, at, size_px, alike=alike)
    here = at_width(system, at, size_px, told.shift_px)
    step = here.inverse @ here.pull
    if alike:
        own = alike_system(
            equations, system, at, here.one, whole=here.whole, pull=here.pull, shift_px=here.shift_px
        )
        step = step - own.by_shared @ (told.errors_px - at.alike_px).ravel()
    sigma = _noise_of(system, told, inner=len(step), least_rgb_px=least_rgb_px)
    return stepped(at, system, here.one, step, alike_px=told.errors_px), sigma


def _noise_of(system: PairSystem, told: Widths, *, inner: int, least_rgb_px: float) -> tuple[float, float]:
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
    true_px = pair.rgb.corners_px - found.swell_px[0] * outwards(pair.rgb.corners_px)
    pose = board_pose(replace(pair.rgb, corners_px=true_px), corners_mm, found.rgb_values)
    board_mm = bloomed(corners_mm, found.bloom)
    here = board_mm[pair.thermal.ids] @ rotation_from_rvec(pose[:3]).T + pose[3:]
    off = _seen(found.thermal_from_rgb.apply(here), found.values) - pair.thermal.corners_px
    return np.linalg.norm(off + found.swell_px[1] * outwards(pair.thermal.corners_px), axis=1)


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
