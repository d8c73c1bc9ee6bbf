"""Which way to hold the board is asked for: new, needed for the verdict, and the one that tells most."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration.board import Board, BoardView
from calibration.foretell import LensForetold, ThermalForetold
from calibration.holding import Hold
from calibration.rgb import LEAST_APART, LEAST_COVERED, LEAST_TILT_DEG
from models.camera import Camera
from models.geometry import Floats, rotation_from_rvec

ALIKE_DEG, ALIKE_SHARE = 8.0, 0.08
"""Views turned by less and moved by a smaller share of their distance say the same."""


def best_way(
    foretold: LensForetold | ThermalForetold, *choices: Sequence[Hold]
) -> tuple[Hold | None, float | None]:
    """The way that lowers the error on the skin most, and that error in mm; None where none can be seen.

    Args:
        foretold: What is known so far.
        choices: The first that holds a way that can be seen decides.
    """
    for ways in choices:
        best, least = None, np.inf
        for way in ways:
            gain = foretold.gain(way.pose)
            error = np.inf if gain is None else foretold.error_mm(gain)
            if error < least:
                best, least = way, error
        if best is not None:
            return best, float(least)
    return None, None


def kind_of(hold: Hold) -> tuple[int, ...]:
    """Holds of one kind count as one: which third of the picture, lean, distance."""
    return (*(min(2, max(0, int(3.0 * x))) for x in hold.at), hold.lean, hold.far)


def alike(pose: Floats, other: Floats, board: Board) -> bool:
    """Whether two views say the same: errors of a hold, a print and a lens do not average out over them."""
    a, b = rotation_from_rvec(pose[:3]), rotation_from_rvec(other[:3])
    middle = board.corners_mm.mean(axis=0)
    at, there = a @ middle + pose[3:], b @ middle + other[3:]
    turned = float(np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1.0) / 2.0, -1.0, 1.0))))
    return turned < ALIKE_DEG and float(np.linalg.norm(at - there)) < ALIKE_SHARE * float(there[2])


def needed_ways(
    ways: Sequence[Hold],
    views: Sequence[BoardView],
    poses: Sequence[Floats],
    holds: Sequence[Hold],
    camera: Camera,
) -> list[Hold]:
    """Ways without which the colour camera would be refused, whatever the bound.

    Args:
        ways: To choose from.
        views: Taken so far.
        poses: ``rgb_from_board`` of each.
        holds: The same in words.
        camera: As known so far.
    """
    left = list(ways)
    if len(views) < 2:
        return left
    every = np.concatenate([view.corners_px for view in views]).astype(np.float32)
    covered = float(cv2.contourArea(cv2.convexHull(every))) / (camera.width_px * camera.height_px)
    normals = np.array([rotation_from_rvec(pose[:3])[:, 2] for pose in poses])
    tilt = float(np.degrees(np.arccos(np.clip(normals @ normals.T, -1.0, 1.0))).max())
    away = [hold.distance_mm for hold in holds]
    if covered < LEAST_COVERED + 0.1 and len(views) >= 3:
        left = [way for way in left if way.at[0] != 0.5 or way.at[1] != 0.5]
    if tilt < LEAST_TILT_DEG + 5.0:
        left = [way for way in left if way.lean] or left
    if max(away) < (LEAST_APART + 0.1) * min(away) and len(views) >= 2:
        held = max(set(holds), key=lambda hold: hold.distance_mm).far
        left = [way for way in left if way.far != held] or left
    return left
