"""Poses of a tool turned about its tip, with known truth and known errors."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np

from models.geometry import Floats, rotation_from_rvec, unit
from models.rig import Tags


def with_collar(rig: str, *, sigma_mm: float = 0.02) -> str:
    """Text of a rig whose collar was calibrated today, every tag by itself to a sigma."""
    tables = tomllib.loads(rig)
    rig = re.sub(r"(?m)^created = .*$", f"created = {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", rig, count=1)
    names = [f"tag{tag['id']}_{way}_mm" for tag in tables["nozzle"]["tag"] for way in "xyz"]
    matrix = (sigma_mm**2 * np.eye(len(names))).tolist()
    return f"{rig}\n[nozzle.collar.covariance]\nparameters = {names}\nmatrix = {matrix}\n"


def glued_poses(
    given: Tags, real: Tags, rng: np.random.Generator, *, cone_deg: float, poses: int = 50
) -> tuple[Floats, Floats]:
    """Poses of a nozzle leant about its resting tip, by tags that sit otherwise than given.

    Args:
        given: Tags as the rig has them, the tip at the origin.
        real: As they are.
        rng: Source of all chance.
        cone_deg: Half angle.
        poses: How many.

    Returns:
        Rotations (n, 3, 3) and translations (n, 3), mm, found from corners in a picture of 0.1 px noise.
    """
    matrix = np.array([[1000.0, 0.0, 640.0], [0.0, 1000.0, 360.0], [0.0, 0.0, 1.0]])
    upright = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0]))
    upright = upright @ rotation_from_rvec(np.array([0.0, 0.0, rng.uniform(0.0, 2.0 * np.pi)]))
    rest_mm, rotations, translations = np.array([0.0, 60.0, 420.0]), [], []
    while len(rotations) < poses:
        way, lean = rng.uniform(0.0, 2.0 * np.pi), np.radians(cone_deg) * np.sqrt(rng.uniform())
        turn = rotation_from_rvec(lean * np.array([np.cos(way), 0.0, np.sin(way)])) @ upright
        there = real.corners_mm @ turn.T + rest_mm
        into = unit(np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0]))
        facing = np.sum(into * unit(there.mean(axis=1)), axis=1) > 0.35
        px, _ = cv2.projectPoints(there[facing].reshape(-1, 3), np.zeros(3), np.zeros(3), matrix, np.zeros(5))
        px = np.asarray(px, float).reshape(-1, 2)
        start, _ = cv2.Rodrigues(turn)
        _, vector, shift = cv2.solvePnP(
            np.ascontiguousarray(given.corners_mm[facing].reshape(-1, 3)),
            px + 0.1 * rng.normal(size=px.shape),
            matrix,
            np.zeros(5),
            np.asarray(start, float),
            rest_mm.reshape(3, 1).copy(),
            useExtrinsicGuess=True,
        )
        rotations.append(rotation_from_rvec(np.ravel(vector).astype(float)))
        translations.append(np.ravel(shift).astype(float))
    return np.array(rotations), np.array(translations)


@dataclass(frozen=True)
class Turning:
    """How a tool is turned and how well it is tracked."""

    cone_deg: float = 20.0
    """Half angle."""
    poses: int = 50
    tip_mm: tuple[float, float, float] = (3.0, -5.0, 150.0)
    translation_mm: float = 0.3
    """1 sigma, each direction."""
    depth_times: float = 1.0
    """So many times more along the line of sight."""
    rotation_deg: float = 0.3
    """1 sigma, each axis."""
    outliers: float = 0.0
    """Share of poses that are wrong by centimetres."""
    spin_deg: float = 0.0
    """Turned about the cone's axis by as much, either way."""
    drift: float = 0.0
    """Share of the errors' variance that wanders from pose to pose."""
    drift_poses: float = 5.0
    """Over so many."""
    misplaced: float = 0.0
    """Share of it that is a smooth function of how the tool is held, as with tags not where they are said."""
    slow: bool = False
    """Turned along a spiral, so that neighbours are alike; else from anywhere to anywhere."""


def turned(how: Turning, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Rotations (n, 3, 3) and translations (n, 3), mm."""
    tip, rest_mm = np.array(how.tip_mm), np.array([20.0, -30.0, 800.0])
    first = rotation_from_rvec(rng.normal(size=3))
    rotations, translations = [], []
    (common,) = rng.spawn(1)
    waves, wandering = common.normal(size=(8, 3)) / 0.25, common.normal(size=6)
    sizes, phases = common.normal(size=(8, 6)) / 2.0, common.uniform(0.0, 2.0 * np.pi, 8)
    stays = np.exp(-1.0 / how.drift_poses)
    for k in range(how.poses):
        way = rng.uniform(0.0, 2.0 * np.pi)
        lean = np.radians(how.cone_deg) * np.sqrt(rng.uniform())
        if how.slow:
            way, lean = 5.0 * 2.0 * np.pi * k / how.poses, np.radians(how.cone_deg) * np.sqrt(k / how.poses)
        spin = np.radians(how.spin_deg) * rng.uniform(-1.0, 1.0)
        turn = first @ rotation_from_rvec(lean * np.array([np.cos(way), np.sin(way), 0.0]))
        turn = turn @ rotation_from_rvec(np.array([0.0, 0.0, spin]))
        at_mm = rest_mm - turn @ tip
        wandering = stays * wandering + np.sqrt(1.0 - stays**2) * common.normal(size=6)
        smooth = np.cos(waves @ (turn @ first.T @ np.array([0.0, 0.0, 1.0])) + phases) @ sizes
        alone = max(0.0, 1.0 - how.drift - how.misplaced)
        error = np.sqrt(how.drift) * wandering + np.sqrt(how.misplaced) * smooth
        error = error + np.sqrt(alone) * rng.normal(size=6)
        wrong = rotation_from_rvec(np.radians(how.rotation_deg) * error[:3])
        at_mm = at_mm + how.translation_mm * np.array([1.0, 1.0, how.depth_times]) * error[3:]
        if rng.uniform() < how.outliers:
            wrong = rotation_from_rvec(np.radians(10.0) * rng.normal(size=3))
            at_mm = at_mm + 8.0 * rng.normal(size=3)
        rotations.append(wrong @ turn)
        translations.append(at_mm)
    return np.array(rotations), np.array(translations)
