"""Random rigs, and somebody who calibrates them: late, about where it is asked, now and then wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.guided_pictures import collar_picture
from calibration.advice import Sight
from calibration.board import OWN, Board, BoardView
from calibration.board_step import BoardStep
from calibration.collar_step import CollarStep, turning
from calibration.sheets import TARGET, collar_of
from calibration.skin_error import camera_of
from calibration.tip_step import TipStep
from models.camera import Camera
from models.geometry import Bytes, Floats, Pose, rotation_from_rvec, unit
from models.rig import Rig, Tags
from models.sightings import NozzleSighting
from vision.synthetic_rig import misplaced

TICK_S = 0.1
RGB_PX, THERMAL_PX = (1280, 720), (256, 192)
GIVE_UP_S = 300.0


@dataclass(frozen=True, eq=False)
class Truth:
    """One rig as it is."""

    rgb: Floats
    thermal: Floats
    thermal_from_rgb: Pose
    bloom: float
    noise_px: float
    thermal_noise_px: float
    board_mm: Floats
    """Corners of the printed board, bent."""
    tags: Tags
    """Of the collar as glued."""
    given: Tags
    tip_mm: Floats
    """Where the orifice really is, in the frame of the given collar."""


@dataclass(frozen=True)
class Operator:
    """How somebody follows instructions."""

    reacts_s: float = 1.0
    across_mm: float = 30.0
    """1 sigma of where the board is held, against where it was asked for."""
    far_share: float = 0.07
    lean_deg: float = 7.0
    misreads: float = 0.05
    drift_mm_s: float = 4.0
    turns_deg_s: float = 22.0


def truth_of(rng: np.random.Generator) -> Truth:
    """A rig drawn at random."""
    focal, width = rng.uniform(850.0, 1150.0), 256.0
    rgb = np.array(
        [focal, focal * rng.normal(1.0, 0.001), *(rng.normal((639.5, 359.5), 12.0)), 0, 0, 0, 0, 0]
    )
    rgb[4:6] = rng.uniform(-0.2, 0.1), rng.uniform(-0.05, 0.08)
    thermal = np.zeros(9)
    thermal[0] = thermal[1] = width * rng.uniform(1.0, 1.5)
    thermal[2:4] = rng.normal((127.5, 95.5), 2.5)
    thermal[4] = rng.uniform(-0.2, 0.0)
    stand = Pose.of(
        rotation_from_rvec(rng.normal(0.0, 0.03, 3)), rng.normal((40.0, 0.0, 0.0), (8.0, 8.0, 5.0))
    )
    bent = np.array(OWN.corners_mm)
    middle = bent.mean(axis=0)
    bent[:, 2] += rng.uniform(0.0, 0.6) * ((bent[:, 0] - middle[0]) / 96.0) ** 2
    bent *= rng.normal(1.0, 0.001)
    made = collar_of(across_mm=60.0, tip_mm=60.0)
    given = Tags("DICT_APRILTAG_36h11", made.ids, made.corners_nozzle_mm)
    return Truth(
        rgb=rgb,
        thermal=thermal,
        thermal_from_rgb=stand,
        bloom=rng.uniform(-0.02, 0.05),
        noise_px=rng.uniform(0.08, 0.2),
        thermal_noise_px=rng.uniform(0.2, 0.5),
        board_mm=bent,
        tags=misplaced(given, sigma_mm=0.2, seed=int(rng.integers(1 << 30))),
        given=given,
        tip_mm=rng.normal(0.0, 3.0, 3),
    )


def seen(points_mm: Floats, values: Floats) -> Floats:
    """Pixels of points in a camera's frame, shape (n, 2)."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    px, _ = cv2.projectPoints(np.ascontiguousarray(points_mm), np.zeros(3), np.zeros(3), matrix, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def _view(
    px: Floats, size_px: tuple[int, int], noise_px: float, whole: int, least: int, rng: np.random.Generator
) -> BoardView | str:
    """Corners with noise; ``whole`` of them come together or not at all."""
    inside = np.all((px > 4.0) & (px < np.array(size_px) - 5.0), axis=1).reshape(-1, whole).all(axis=1)
    if inside.sum() < least:
        return "shows too little of the board"
    ids = np.flatnonzero(np.repeat(inside, whole))
    return BoardView("x", ids, px[ids] + noise_px * rng.normal(size=(len(ids), 2)))


class Board3d:
    """A board in somebody's hands."""

    def __init__(self, board: Board, who: Operator, rng: np.random.Generator) -> None:
        """Held low, out of the picture."""
        self._who, self._rng = who, rng
        self._middle = board.corners_mm.mean(axis=0)
        self._turn, self._at = np.zeros(3), np.array([0.0, 500.0, 700.0])
        self._from = self._to = (self._turn, self._at)
        self._begins = self._ends = 0.0
        self._asked: object = None
        self._t_s = 0.0

    def hold(self, step: BoardStep, t_s: float) -> Pose:
        """Where the board is now; a new wish is followed late."""
        rng, who = self._rng, self._who
        wanted = step.wanted
        if wanted is not None and (wanted is not self._asked or t_s > self._ends + 2.5):
            turn, shift = wanted.pose[:3], wanted.pose[3:]
            at = rotation_from_rvec(turn) @ self._middle + shift
            if rng.uniform() < who.misreads:
                at = at * (-1.0, 1.0, 1.0)
                turn = -turn
            late = who.reacts_s * rng.uniform(0.7, 1.5) if wanted is not self._asked else 0.3
            self._asked = wanted
            turn = turn + np.radians(who.lean_deg) * rng.normal(size=3)
            at = at * (1.0 + who.far_share * rng.normal()) + who.across_mm * rng.normal(size=3) * (1, 1, 0)
            self._from, self._to = (self._turn, self._at), (turn, at)
            self._begins = t_s + late
            way = float(np.linalg.norm(at - self._at)) / 500.0
            lean = float(np.degrees(np.linalg.norm(turn - self._turn))) / 90.0
            self._ends = self._begins + 0.5 + way + lean
        share = np.clip((t_s - self._begins) / max(self._ends - self._begins, 1e-6), 0.0, 1.0)
        share = 10 * share**3 - 15 * share**4 + 6 * share**5
        self._turn = self._from[0] + share * (self._to[0] - self._from[0])
        self._at = self._from[1] + share * (self._to[1] - self._from[1])
        drift = who.drift_mm_s * TICK_S
        self._to = (self._to[0] + 0.002 * rng.normal(size=3), self._to[1] + drift * rng.normal(size=3) * 0.6)
        rotation = rotation_from_rvec(self._turn)
        return Pose.of(rotation, self._at - rotation @ self._middle)


def board_run(
    step: BoardStep, truth: Truth, who: Operator, rng: np.random.Generator
) -> tuple[BoardStep, float]:
    """Go on until the step is done; gives it and the camera's time."""
    hand, t_s = Board3d(step.board, who, rng), 0.0
    corners = truth.board_mm if step.name == "rgb" else TARGET.corners_mm
    while not step.done and t_s < GIVE_UP_S:
        t_s += TICK_S
        pose = hand.hold(step, t_s)
        here, thermal = pose.apply(corners), None
        if step.name == "rgb":
            colour = _view(seen(here, truth.rgb), RGB_PX, truth.noise_px, 1, 12, rng)
        else:
            colour = _view(seen(here, truth.rgb), RGB_PX, truth.noise_px, 4, 4, rng)
            tags = corners.reshape(-1, 4, 3)
            middles = tags.mean(axis=1, keepdims=True)
            warm = ((tags - middles) * (1.0 + truth.bloom) + middles).reshape(-1, 3)
            there = truth.thermal_from_rgb.apply(pose.apply(warm))
            px = seen(there, truth.thermal)
            thermal = _view(px, THERMAL_PX, truth.thermal_noise_px, 4, 4, rng)
        step, _ = step.look(Sight(t_s, colour, thermal=thermal))
    return step, t_s


def _sighting(pose: Pose, middle_mm: Floats, t_s: float) -> NozzleSighting:
    covariance = np.diag([1e-5] * 3 + [0.01] * 3)
    return NozzleSighting(t_s, pose, covariance, pose.apply(middle_mm), 4, "tracked")


def collar_run(
    step: CollarStep, truth: Truth, who: Operator, rng: np.random.Generator
) -> tuple[CollarStep, list[Bytes], float]:
    """Turn the collar as asked; pictures are drawn where one is taken."""
    middle = step.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)
    rotation = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
        np.array([0.0, 0.0, rng.uniform(0.0, 6.0)])
    )
    real = camera_of(truth.rgb, size_px=RGB_PX)
    pictures: list[Bytes] = []
    t_s, ready_s, goal = 0.0, who.reacts_s, None
    while not step.done and t_s < GIVE_UP_S:
        t_s += TICK_S
        shaken = rotation_from_rvec(0.003 * rng.normal(size=3)) @ rotation
        pose = Pose.of(shaken, np.array([0.0, 0.0, 350.0]) + rng.normal(0.0, 0.5, 3) - shaken @ middle)
        sight = Sight(t_s, "no board", nozzle=_sighting(pose, middle, t_s))
        if not step.why_not(sight):
            bgr = collar_picture(truth.tags, pose, real, rng)
            pictures.append(bgr)
            sight = replace(sight, bgr=bgr)
        step, _ = step.look(sight)
        side = step.side_of(_sighting(pose, middle, t_s))
        wish = step.next_side(side)
        if wish is not None and (goal is None or float(wish @ goal) < 0.99):
            goal, ready_s = wish, t_s + 0.4 * who.reacts_s * rng.uniform(0.7, 1.5)
        if goal is not None and t_s > ready_s:
            whole = rotation.T @ rotation @ turning(goal, side)
            vector, _ = cv2.Rodrigues(whole)
            angle = float(np.linalg.norm(vector))
            most = np.radians(who.turns_deg_s) * TICK_S
            rotation = rotation @ rotation_from_rvec(
                np.ravel(vector).astype(float) * min(1.0, most / max(angle, 1e-9))
            )
    return step, pictures, t_s


def tip_run(step: TipStep, truth: Truth, who: Operator, rng: np.random.Generator) -> tuple[TipStep, float]:
    """Lean the nozzle about its resting tip as asked; poses come from noisy corners."""
    given = step.nozzle.tags.corners_mm
    middle = given.reshape(-1, 3).mean(axis=0)
    real = camera_of(truth.rgb, size_px=RGB_PX)
    rotation = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
        np.array([0.3, 0.1, rng.uniform(0.0, 6.0)])
    )
    rest = np.array([0.0, 90.0, 420.0])
    t_s, ready_s, goal = 0.0, who.reacts_s, None
    while not step.done and t_s < GIVE_UP_S:
        t_s += TICK_S
        pose = Pose.of(rotation, rest + 0.1 * rng.normal(size=3) - rotation @ truth.tip_mm)
        pose = Pose.of(rotation_from_rvec(0.002 * rng.normal(size=3)) @ pose.rotation, pose.translation_mm)
        found = _tracked(truth.tags.corners_mm, given, pose, real, step.rig, truth.noise_px, rng)
        heard = "no tag in the picture" if found is None else _sighting(found, middle, t_s)
        step, _ = step.look(Sight(t_s, "no board", nozzle=heard))
        wish = step.next_lean()
        if wish is not None and (goal is None or np.linalg.norm(wish - goal) > 0.2):
            goal, ready_s = wish, t_s + 0.4 * who.reacts_s * rng.uniform(0.7, 1.5)
        if goal is not None and t_s > ready_s:
            vector, _ = cv2.Rodrigues(goal @ rotation.T)
            angle = float(np.linalg.norm(vector))
            most = np.radians(who.turns_deg_s) * TICK_S
            rotation = (
                rotation_from_rvec(np.ravel(vector).astype(float) * min(1.0, most / max(angle, 1e-9)))
                @ rotation
            )
    return step, t_s


def _tracked(
    real_mm: Floats,
    given_mm: Floats,
    pose: Pose,
    camera: Camera,
    rig: Rig,
    noise_px: float,
    rng: np.random.Generator,
) -> Pose | None:
    """A pose from the corners of tags that face the camera, by the rig as it was calibrated."""
    there = pose.apply(real_mm)
    into = unit(np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0]))
    facing = np.sum(into * unit(there.mean(axis=1)), axis=1) > 0.35
    if facing.sum() < 2:
        return None
    px = camera.project(there[facing].reshape(-1, 3))
    px = px + noise_px * rng.normal(size=px.shape)
    turn, _ = cv2.Rodrigues(pose.rotation)
    own = np.ascontiguousarray(given_mm[facing].reshape(-1, 3))
    _, vector, shift = cv2.solvePnP(
        own, px, rig.rgb.matrix, rig.rgb.distortion, np.asarray(turn, float),
        pose.translation_mm.reshape(3, 1).copy(), useExtrinsicGuess=True,
    )  # fmt: skip
    rotation, _ = cv2.Rodrigues(vector)
    return Pose.of(np.asarray(rotation, float), np.ravel(shift).astype(float))
