"""Where a board may be held before a camera: poses to choose from, in words and as an outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.board import Board
from models.camera import Camera
from models.geometry import Floats, rotation_from_rvec
from vision.tag_poses import rotation_vector

LEAN_DEG = 30.0
"""Far enough that distance and focal length part, near enough that corners are still found well."""

LEANS = ("square on", "top", "bottom", "left", "right")
"""Which side of the board is nearer to the camera, as the picture has it."""

_AXES = np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 1.0, 0.0)])
_QUARTER = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

DISTANCES = ("near", "middle", "far")
SPANS = (0.62, 0.45, 0.30)
"""Of the picture's width (or height, whichever is tighter) that the board takes up at these distances."""

ACROSS = (0.18, 0.5, 0.82)
"""Where its middle is held, as shares of the picture's width and height: the outer ones bring the corners of
the picture in."""

MIRRORED = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False)
class Hold:
    """One way to hold the board."""

    at: tuple[float, float]
    """Of its middle in the picture, as shares of width and height."""
    lean: int
    """Index into `LEANS`."""
    far: int
    """Index into `DISTANCES`."""
    pose: Floats
    """``rgb_from_board``: rotation vector, mm, shape (6,)."""
    distance_mm: float
    """Of the board's middle."""
    turned: bool = False
    """By a quarter about its normal: its upper edge is at the left or right."""

    def words(self, *, mirrored: bool = True) -> str:
        """What is told to who holds the board.

        Args:
            mirrored: Sides as for somebody who faces the camera (and sees a mirrored picture).
        """
        x, y = self.at
        side = "" if 0.4 < x < 0.6 else "left" if x < 0.5 else "right"
        height = "" if 0.4 < y < 0.6 else "up" if y < 0.5 else "down"
        if mirrored:
            side = MIRRORED.get(side, side)
        where = "In the middle" if not side and not height else " and ".join(w for w in (height, side) if w)
        lean = LEANS[self.lean]
        if mirrored:
            lean = MIRRORED.get(lean, lean)
        how = "square to the camera" if self.lean == 0 else f"{lean} side towards the camera"
        quarter = ", turned by a quarter" if self.turned else ""
        return f"{where.capitalize()}, {round(self.distance_mm / 50.0) * 5} cm away, {how}{quarter}"


def outline_mm(board: Board) -> Floats:
    """The board's edge, as drawn for people, board frame, shape (4, 3)."""
    rim = 0.0 if board.kind == "tags" else board.square_mm
    every = board.corners_mm
    low, high = every.min(axis=0) - rim, every.max(axis=0) + rim
    return np.array([(low[0], low[1], 0), (high[0], low[1], 0), (high[0], high[1], 0), (low[0], high[1], 0)])


def ways_to_hold(
    board: Board, camera: Camera, *, spans: Sequence[float] = SPANS, turned: bool = False
) -> list[Hold]:
    """All combinations of place, lean and distance.

    Args:
        board: What is held.
        camera: As known so far.
        spans: Shares of the picture for the distances.
        turned: By a quarter.
    """
    outline = outline_mm(board)
    middle = outline.mean(axis=0)
    sides = np.ptp(outline[:, 0]), np.ptp(outline[:, 1])
    width, height = sides[::-1] if turned else sides
    ways: list[Hold] = []
    for far, span in enumerate(spans):
        distance = max(
            camera.fx_px * width / (span * camera.width_px), camera.fy_px * height / (span * camera.height_px)
        )
        for x in ACROSS:
            for y in ACROSS:
                at_px = np.array([x * camera.width_px, y * camera.height_px])
                ray = camera.unproject(at_px)
                if not np.all(np.isfinite(ray)):
                    continue
                for lean, axis in enumerate(_AXES):
                    turn = np.radians(LEAN_DEG) * axis
                    if turned:
                        turn = rotation_vector(rotation_from_rvec(turn) @ _QUARTER)
                    shift = ray * distance - rotation_from_rvec(turn) @ middle
                    pose = np.concatenate([turn, shift])
                    away_mm = float(np.linalg.norm(ray * distance))
                    ways.append(Hold((x, y), lean, far, pose, away_mm, turned))
    return ways


def held_as(pose: Floats, board: Board, camera: Camera, *, spans: Sequence[float] = SPANS) -> Hold:
    """How a board is held, told in the same words.

    Args:
        pose: ``rgb_from_board``: rotation vector, mm, shape (6,).
        board: What is held.
        camera: As known so far.
        spans: Shares of the picture for the distances.
    """
    rotation = rotation_from_rvec(pose[:3])
    middle = rotation @ outline_mm(board).mean(axis=0) + pose[3:]
    seen = camera.project(middle)
    x, y = seen / (camera.width_px, camera.height_px) if np.all(np.isfinite(seen)) else (0.5, 0.5)
    # The board's normal tells the lean; in the picture's plane only quarters matter.
    normal = rotation[:, 2] if rotation[2, 2] > 0.0 else -rotation[:, 2]
    off = np.array([np.cross((0.0, 0.0, 1.0), normal) @ axis for axis in _AXES[1:]])
    lean = 0 if off.max() < np.sin(np.radians(LEAN_DEG / 3.0)) else 1 + int(np.argmax(off))
    outline, turned = outline_mm(board), bool(abs(rotation[1, 0]) > abs(rotation[0, 0]))
    sides = np.ptp(outline[:, 0]), np.ptp(outline[:, 1])
    width, height = sides[::-1] if turned else sides
    span = max(
        camera.fx_px * float(width) / camera.width_px,
        camera.fy_px * float(height) / camera.height_px,
    ) / max(float(middle[2]), 1.0)
    far = int(np.argmin([abs(np.log(span / one)) for one in spans]))
    return Hold((float(x), float(y)), lean, far, pose, float(np.linalg.norm(middle)), turned)
