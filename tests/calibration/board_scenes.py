"""Views of a board with known truth: projected corners with noise, the board bent or flat."""

from __future__ import annotations

import cv2
import numpy as np

from calibration.board import Board, BoardView
from models.geometry import Floats

SIZE_PX = (1280, 720)
TRUE = np.array([1000.0, 1000.0, 652.0, 351.0, -0.12, 0.05, 0.0, 0.0, 0.0])
BOARD = Board("chessboard", 9, 6, 25.0)


def views_of(
    rng: np.random.Generator,
    *,
    count: int = 12,
    values: Floats = TRUE,
    sag_mm: float = 0.0,
    noise_px: float = 0.1,
    lean_deg: float = 35.0,
    near_mm: float = 300.0,
    far_mm: float = 600.0,
    first: int = 0,
    stretch: float = 0.0,
    turned: bool = False,
) -> list[BoardView]:
    """Boards leaning to all sides, all corners in the picture.

    Args:
        rng: Source of all chance.
        count: Views.
        values: Camera, in the order of `calibration.intrinsics.PARAMETERS`.
        sag_mm: Of the board's ends, bent like a cylinder.
        noise_px: 1 sigma of a corner's component.
        lean_deg: At most.
        near_mm: Nearest.
        far_mm: Farthest.
        first: Number in the first name.
        stretch: By what share the print is longer down than it is told.
        turned: Every other view shows the board turned by a quarter.
    """
    middle = BOARD.corners_mm.mean(axis=0)
    bent = BOARD.corners_mm - middle
    bent[:, 1] *= 1.0 + stretch
    bent[:, 2] = sag_mm * (bent[:, 0] / 100.0) ** 2
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    views: list[BoardView] = []
    while len(views) < count:
        way = rng.uniform(0.0, 2.0 * np.pi)
        turn = np.radians(lean_deg) * np.sqrt(rng.uniform()) * np.array([np.cos(way), np.sin(way), 0.0])
        if turned and len(views) % 2:
            lean, _ = cv2.Rodrigues(turn)
            quarter, _ = cv2.Rodrigues(np.array([0.0, 0.0, np.pi / 2.0]))
            turn = np.ravel(cv2.Rodrigues(lean @ quarter)[0])
        depth = rng.uniform(near_mm, far_mm)
        at = np.array([rng.uniform(-0.5, 0.5) * depth, rng.uniform(-0.3, 0.3) * depth, depth])
        px, _ = cv2.projectPoints(bent, turn, at, matrix, values[4:])
        px = np.asarray(px, float).reshape(-1, 2)
        if np.all((px > 5.0) & (px < np.array(SIZE_PX) - 5.0)):
            noisy = px + noise_px * rng.normal(size=px.shape)
            views.append(BoardView(f"{first + len(views):02d}.png", np.arange(len(px)), noisy))
    return views
