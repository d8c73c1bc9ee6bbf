"""What pairs of pictures say, as equations: residuals of all corners, and how they move with what is sought.

Slopes are worked out, not tried, and what belongs to one pair alone is eliminated pair by pair, since
a target in ten pairs has some 80 unknowns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from calibration.board import BoardView
from calibration.swell import outwards, tag_axes
from models.geometry import Floats, Ints, frozen, rotation_from_rvec


@dataclass(frozen=True, eq=False)
class PairView:
    """One target in both cameras."""

    name: str
    rgb: BoardView
    thermal: BoardView


@dataclass(frozen=True, eq=False)
class Unknowns:
    """What is sought."""

    shared: Floats
    """Nine colour parameters (in units of their covariance's root), the thermal ones, ``thermal_from_rgb``
    (rotation vector, mm), the bloom, and the swell of tags in either camera (px), shape (9 + t + 9,)."""
    own: Floats
    """Of each pair: ``rgb_from_board`` (rotation vector, mm), and the shift of its thermal corners, px, shape
    (n, 8)."""
    alike_px: Floats
    """By how much each of the target's corners is found beside its place in all thermal pictures alike, along
    the tag's own sides, shape (m, 2)."""


@dataclass(frozen=True, eq=False)
class PairSystem:
    """Normal equations of the shared unknowns and each pair's shift, poses eliminated, without priors."""

    normal: Floats
    """One a pair, shape (n, q + 2, q + 2)."""
    pulled: Floats
    """Right sides, shape (n, q + 2)."""
    pose_steps: Floats
    """Of the poses, were all else right, shape (n, 6)."""
    pose_by_all: Floats
    """What steps of all else take from them, shape (n, 6, q + 2)."""
    rgb_off_px: tuple[Floats, ...]
    """Of each pair, seen minus foretold, shape (k, 2)."""
    thermal_off_px: tuple[Floats, ...]
    thermal_rows: tuple[Floats, ...]
    """Slopes of each pair's thermal corners by its pose and all else, shape (k, 2, 6 + q + 2)."""
    thermal_firm: tuple[Floats, ...]
    """Their weights, shape (k,)."""
    by_pose: Floats
    """Normal equations of the poses, shape (n, 6, 6)."""


@dataclass(frozen=True, eq=False)
class SharedSystem:
    """The same with the shifts eliminated too, for one width of them."""

    reduced: Floats
    """Shape (q, q)."""
    scores: Floats
    """One a pair, shape (n, q)."""
    shift_steps: Floats
    shift_by_shared: Floats
    """Shape (n, 2, q)."""
    log: float
    """Log of how probable what was seen is, but for what all widths have in common."""


def shared_system(system: PairSystem, shifts: Floats, shift_px: float) -> SharedSystem:
    """Eliminate the shifts.

    Args:
        system: Of all pairs.
        shifts: Where they are, shape (n, 2).
        shift_px: Their 1 sigma.
    """
    firm = shift_px**-2.0
    inner = system.normal[:, -2:, -2:] + firm * np.eye(2)
    pulled = system.pulled[:, -2:] - firm * shifts
    inverse = np.asarray(np.linalg.inv(inner), float)
    cross = system.normal[:, -2:, :-2]
    by_shared = inverse @ cross
    steps = np.einsum("nij,nj->ni", inverse, pulled)
    log = 0.5 * float(np.einsum("ni,ni->", steps, pulled) - firm * np.sum(shifts**2))
    log -= 0.5 * float(np.sum(np.log(np.linalg.det(inner) / firm**2)))
    return SharedSystem(
        reduced=np.sum(system.normal[:, :-2, :-2] - np.swapaxes(cross, 1, 2) @ by_shared, axis=0),
        scores=system.pulled[:, :-2] - np.einsum("nij,ni->nj", cross, steps),
        shift_steps=steps,
        shift_by_shared=by_shared,
        log=log,
    )


@dataclass(frozen=True, eq=False)
class PairEquations:
    """Of pairs of one target."""

    pairs: Sequence[PairView]
    corners_mm: Floats
    rgb_values: Floats
    """The colour camera as known before, shape (9,)."""
    root: Floats
    """Of its covariance, shape (9, 9)."""
    thermal_start: Floats
    """Thermal parameters that are not sought keep these, shape (9,)."""
    free_at: Ints
    """Where those that are sought stand in `calibration.intrinsics.PARAMETERS`."""

    @cached_property
    def ways(self) -> tuple[tuple[Floats, Floats], ...]:
        """Of each pair's colour and thermal corners: outwards of their tags, shape (k, 2)."""
        return tuple((outwards(p.rgb.corners_px), outwards(p.thermal.corners_px)) for p in self.pairs)

    @cached_property
    def along(self) -> tuple[Floats, ...]:
        """Axes of each pair's thermal tags in the picture, one a column, shape (k, 2, 2)."""
        return tuple(tag_axes(p.thermal.corners_px) for p in self.pairs)

    def thermal_values(self, shared: Floats) -> Floats:
        """All nine thermal parameters."""
        values = self.thermal_start.copy()
        values[self.free_at] = shared[9 : 9 + len(self.free_at)]
        return values

    def system(self, at: Unknowns, sigma: tuple[float, float]) -> PairSystem:
        """The equations there, corners weighted by how well they fit.

        Args:
            at: Where.
            sigma: Noise of each component of colour and of thermal corners, px.
        """
        t, q = len(self.free_at), len(at.shared)
        stand = at.shared[9 + t : 15 + t]
        turn, by_turn = _turned(stand[:3])
        board, by_bloom = _bloomed_both(self.corners_mm, float(at.shared[-3]))
        lens = self.rgb_values + self.root @ at.shared[:9], self.thermal_values(at.shared)
        poses = [_turned(own[:3]) for own in at.own]
        ids = [(pair.rgb.ids, pair.thermal.ids) for pair in self.pairs]
        counts = np.cumsum([[len(a), len(b)] for a, b in ids], axis=0)[:-1]
        here = [
            (self.corners_mm[a] @ r.T + o[3:6], board[b] @ r.T + o[3:6])
            for (a, b), (r, _), o in zip(ids, poses, at.own, strict=True)
        ]
        rgb = _seen(np.concatenate([a for a, _ in here]), lens[0])
        thermal = _seen(np.concatenate([b for _, b in here]) @ turn.T + stand[3:], lens[1])
        rgb_parts = list(zip(*(np.split(part, counts[:, 0]) for part in rgb), strict=True))
        thermal_parts = list(zip(*(np.split(part, counts[:, 1]) for part in thermal), strict=True))
        n = len(self.pairs)
        reduced, pulls = np.zeros((n, q + 2, q + 2)), np.zeros((n, q + 2))
        pose_steps, by_all = np.zeros((n, 6)), np.zeros((n, 6, q + 2))
        offs: tuple[list[Floats], list[Floats]] = ([], [])
        kept: tuple[list[Floats], list[Floats]] = ([], [])
        by_pose = np.zeros((n, 6, 6))
        for k, pair in enumerate(self.pairs):
            pose_turn, by_pose_turn = poses[k]
            px, by_point, by_lens = rgb_parts[k]
            ways = self.ways[k]
            off_rgb = pair.rgb.corners_px - px - at.shared[-2] * ways[0]
            m = len(px)
            rows = np.zeros((m + len(ids[k][1]), 2, 6 + q + 2))
            inner = rows[:, :, 6:]
            inner[:m, :, :9] = by_lens @ self.root
            inner[:m, :, q - 2] = ways[0]
            rows[:m, :, :3] = by_point @ _arms(by_pose_turn, self.corners_mm[ids[k][0]])
            rows[:m, :, 3:6] = by_point
            px, by_point, by_lens = thermal_parts[k]
            off_thermal = pair.thermal.corners_px - px - at.own[k, 6:] - at.shared[-1] * ways[1]
            off_thermal -= np.einsum("kij,kj->ki", self.along[k], at.alike_px[ids[k][1]])
            by_here = by_point @ turn
            inner[m:, :, 9 : 9 + t] = by_lens[:, :, self.free_at]
            inner[m:, :, 9 + t : 12 + t] = by_point @ _arms(by_turn, here[k][1])
            inner[m:, :, 12 + t : 15 + t] = by_point
            inner[m:, :, q - 1] = ways[1]
            inner[m:, :, q - 3] = np.einsum("kij,kj->ki", by_here, by_bloom[ids[k][1]] @ pose_turn.T)
            inner[m:, :, q:] = np.eye(2)
            rows[m:, :, :3] = by_here @ _arms(by_pose_turn, board[ids[k][1]])
            rows[m:, :, 3:6] = by_here
            firm = [weights_of(o / s) / s**2 for o, s in zip((off_rgb, off_thermal), sigma, strict=True)]
            flat = rows.reshape(-1, 6 + q + 2)
            heavy = flat * np.repeat(np.concatenate(firm), 2)[:, None]
            normal = heavy.T @ flat
            pulled = heavy.T @ np.concatenate([off_rgb, off_thermal]).ravel()
            solved = np.linalg.solve(normal[:6, :6], np.column_stack([normal[:6, 6:], pulled[:6]]))
            by_all[k], pose_steps[k] = solved[:, :-1], solved[:, -1]
            reduced[k] = normal[6:, 6:] - normal[6:, :6] @ by_all[k]
            pulls[k] = pulled[6:] - normal[6:, :6] @ pose_steps[k]
            offs[0].append(frozen(off_rgb))
            offs[1].append(frozen(off_thermal))
            kept[0].append(rows[m:])
            kept[1].append(firm[1])
            by_pose[k] = normal[:6, :6]
        return PairSystem(
            reduced, pulls, pose_steps, by_all, *(tuple(one) for one in (*offs, *kept)), by_pose=by_pose
        )


_SOFT, _ASTRAY = 3.0, 6.0
"""Corners off by more sigmas count less and less; by more than the second, not at all."""


def weights_of(off: Floats) -> Floats:
    """Weights of corners by how far they are off in sigmas, shape (k, 2) to (k,)."""
    square = np.sum(off**2, axis=1)
    return np.where(square > _ASTRAY**2, 1e-6, 1.0 / np.sqrt(1.0 + square / (2.0 * _SOFT**2)))


def bloomed(corners_mm: Floats, share: float) -> Floats:
    """Corners of tags that look larger by a share about their middles, shape (4n, 3)."""
    return _bloomed_both(corners_mm, share)[0]


def _bloomed_both(corners_mm: Floats, share: float) -> tuple[Floats, Floats]:
    tags = corners_mm.reshape(-1, 4, 3)
    out = (tags - tags.mean(axis=1, keepdims=True)).reshape(-1, 3)
    return corners_mm + share * out, out


def _arms(by_turn: Floats, points_mm: Floats) -> Floats:
    """How turned points move with the rotation vector, shape (k, 3, 3)."""
    return np.einsum("aij,kj->kia", by_turn, points_mm)


def _turned(vector: Floats) -> tuple[Floats, Floats]:
    """Rotation, and its slopes by the rotation vector, shape (3, 3, 3)."""
    _, slopes = cv2.Rodrigues(np.asarray(vector, float).reshape(3, 1))
    return rotation_from_rvec(vector), np.asarray(slopes, float).reshape(3, 3, 3)


def _seen(points_mm: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Pixels, and their slopes by the points, (k, 2, 3), and by the nine parameters, (k, 2, 9)."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    still = np.zeros(3)
    px, slopes = cv2.projectPoints(np.ascontiguousarray(points_mm), still, still, matrix, values[4:])
    whole = np.asarray(slopes, float).reshape(-1, 2, slopes.shape[1])
    return np.asarray(px, float).reshape(-1, 2), whole[:, :, 3:6], whole[:, :, 6:15]
