"""The hands of a simulated technician: they know of the calibration only what its page shows and says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np

from benchmarks.guided_operator import TICK_S, Board3d, Operator, Truth
from calibration.board import Board
from calibration.board_step import BoardStep
from calibration.collar_step import LEAN_DEG, turning
from calibration.holding import outline_mm
from calibration.nozzle_words import way_words
from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec, unit

Advice = dict[str, Any]
"""As the page is told it; empty where it is told none."""

_TURN = re.compile(r"Turn it: near side goes (.*), tip (towards|away from) the camera")
_LEAN = re.compile(r"Lean the tip (towards|away from) the camera")


class BoardHands:
    """Hold a board so that it fills the outline on the page: late, about there, now and then wrong."""

    def __init__(self, board: Board, camera: Camera, who: Operator, rng: np.random.Generator) -> None:
        """Held low, out of the picture."""
        self._outline_mm, self._camera = outline_mm(board), camera
        self._hand = Board3d(board, who, rng)
        self._ghost: object = None
        self._wish: SimpleNamespace | None = None

    def hold(self, advice: Advice, t_s: float) -> Pose:
        """Where the board is now, ``rgb_from_board``."""
        ghost = advice.get("ghost") or None
        if ghost != self._ghost:
            self._ghost, self._wish = ghost, None if ghost is None else self._fit(np.array(ghost[0], float))
        return self._hand.hold(cast("BoardStep", SimpleNamespace(wanted=self._wish)), t_s)

    def _fit(self, px: Floats) -> SimpleNamespace | None:
        if px.shape != (4, 2):
            return None
        flat = self._outline_mm - self._outline_mm.mean(axis=0)
        lens = self._camera
        found, turns, shifts, _ = cv2.solvePnPGeneric(
            flat, px.reshape(-1, 1, 2), lens.matrix, lens.distortion, flags=cv2.SOLVEPNP_IPPE
        )
        if not found:
            return None
        turn = np.ravel(turns[0]).astype(float)  # the one that fits better
        shift = np.ravel(shifts[0]).astype(float) - rotation_from_rvec(turn) @ self._outline_mm.mean(axis=0)
        return SimpleNamespace(pose=np.concatenate([turn, shift]))


@dataclass(eq=False)
class _Heard:
    """Words are followed a moment after they were said."""

    who: Operator
    rng: np.random.Generator
    said: object = None
    follows: object = None
    from_s: float = 0.0

    def now(self, said: object, t_s: float) -> object:
        if said != self.said:
            self.said, self.from_s = said, t_s + 0.4 * self.who.reacts_s * self.rng.uniform(0.7, 1.5)
        if t_s >= self.from_s:
            self.follows = self.said
        return self.follows


def turned(rotation: Floats, goal: Floats, *, deg_s: float) -> Floats:
    """A rotation a tick nearer to another."""
    vector, _ = cv2.Rodrigues(goal @ rotation.T)
    angle, most = float(np.linalg.norm(vector)), np.radians(deg_s) * TICK_S
    return rotation_from_rvec(np.ravel(vector).astype(float) * min(1.0, most / max(angle, 1e-9))) @ rotation


class CollarHands:
    """Turn and lean the nozzle as the words at the foot of the page say."""

    def __init__(self, truth: Truth, who: Operator, rng: np.random.Generator) -> None:
        """The collar before the camera, any side of it nearest."""
        self._middle, self._who, self._rng = truth.tags.corners_mm.reshape(-1, 3).mean(axis=0), who, rng
        self._heard = _Heard(who, rng)
        about = rotation_from_rvec(np.array([0.0, 0.0, rng.uniform(0.0, 6.0)]))
        self._rotation = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ about

    def hold(self, advice: Advice, t_s: float) -> Pose:
        """Where the nozzle is now, ``rgb_from_nozzle``."""
        said = self._heard.now(advice.get("say_plain", ""), t_s)
        rotation = self._rotation
        side = unit(-rotation.T @ self._at(rotation))
        goal = self._goal(str(said or ""), rotation, side)
        if goal is not None:
            # As the hand turns it: about the nozzle's own axes.
            wanted = rotation @ turning(goal, side)
            self._rotation = rotation = turned(rotation, wanted, deg_s=self._who.turns_deg_s)
        shaken = rotation_from_rvec(0.003 * self._rng.normal(size=3)) @ rotation
        return Pose.of(shaken, self._at(shaken) + self._rng.normal(0.0, 0.5, 3) - shaken @ self._middle)

    def _at(self, _: Floats) -> Floats:
        return np.array([0.0, 0.0, 350.0])

    def _goal(self, said: str, rotation: Floats, side: Floats) -> Floats | None:
        turn, lean = _TURN.fullmatch(said), _LEAN.fullmatch(said)
        if turn is None and lean is None:
            return None
        towards = (
            turn.group(2) if turn is not None else lean.group(1) if lean is not None else ""
        ) == "towards"
        angle, rise = float(np.arctan2(side[1], side[0])), np.radians(LEAN_DEG) * (1.0 if towards else -1.0)
        if turn is not None:
            x, y = rotation[0, 2], rotation[1, 2]
            for way in (1.0, -1.0):
                if way_words(way * np.array([y, -x, 0.0]), mirrored=False) == turn.group(1):
                    angle += way * np.radians(30.0)
                    break
        return np.array([np.cos(angle) * np.cos(rise), np.sin(angle) * np.cos(rise), np.sin(rise)])


class TipHands:
    """Lean the nozzle about its resting tip until its tags lie in their outlines on the page."""

    def __init__(self, truth: Truth, camera: Camera, who: Operator, rng: np.random.Generator) -> None:
        """Upright, the tip at rest."""
        self._corners, self._tip = truth.tags.corners_mm, truth.tip_mm
        self._camera, self._who, self._rng = camera, who, rng
        self._heard = _Heard(who, rng)
        self._upright = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
            np.array([0.3, 0.1, rng.uniform(0.0, 6.0)])
        )
        self._rotation, self._rest = self._upright, np.array([0.0, 90.0, 420.0])
        self._goal: Floats | None = None
        self._ghost: object = None

    def hold(self, advice: Advice, t_s: float) -> Pose:
        """Where the nozzle is now, ``rgb_from_nozzle``."""
        ghost = self._heard.now(advice.get("ghost") or None, t_s)
        if ghost != self._ghost:
            quads = [] if ghost is None else [np.array(one, float) for one in cast("list[Any]", ghost)]
            self._ghost, self._goal = ghost, self._fit([one for one in quads if one.shape == (4, 2)])
        if self._goal is not None:
            self._rotation = turned(self._rotation, self._goal, deg_s=self._who.turns_deg_s)
        shaken = rotation_from_rvec(0.002 * self._rng.normal(size=3)) @ self._rotation
        return Pose.of(shaken, self._rest + 0.1 * self._rng.normal(size=3) - shaken @ self._tip)

    def _fit(self, quads: Sequence[Floats]) -> Floats | None:
        """The lean about the tip at which tags that face the camera lie nearest to the outlines."""
        if not quads:
            return None
        outlines = np.array(quads)
        axis = self._upright[:, 2]
        first = unit(np.cross(axis, (0.0, 0.0, 1.0)))
        second = np.cross(axis, first)
        best, least = None, np.inf
        for angle in np.arange(36) * np.pi / 18.0:
            for lean in np.radians([0.0, 15.0, 20.0, 25.0, 30.0]):
                about = np.cos(angle) * first + np.sin(angle) * second
                rotation = rotation_from_rvec(lean * about) @ self._upright
                there = (self._corners - self._tip) @ rotation.T + self._rest
                into = np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0])
                facing = np.sum(into * there.mean(axis=1), axis=1) > 0.0
                px = self._camera.project(there[facing].reshape(-1, 3)).reshape(-1, 4, 2)
                away = np.linalg.norm(outlines[:, None] - px[None], axis=-1).mean(axis=-1)
                off = float(away.min(axis=1).mean())
                if off < least:
                    best, least = rotation, off
        return best
