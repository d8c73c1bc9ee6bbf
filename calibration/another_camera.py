"""One picture of another camera, zoom or focus among few, which pulls the solution and hides in it.

Among many pictures it stands out of all (`calibration.rgb`); among few it has to be left out first: each
picture in turn is held against the camera that the others tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from calibration.board import Board, BoardView
from calibration.intrinsics import calibrate_camera, focal_of_each
from calibration.rgb import ANOTHER, CameraFound
from models.geometry import frozen

FEW = 12
"""With more pictures one stands out by itself, and leaving out each takes long."""

_SIGMA, _SHARE, _OWN = 4.0, 0.02, 0.005
"""As `calibration.rgb` has it for many pictures."""

_CLEAR = 2.0
"""By so much more than any other is off, where several are: it spoils the lens that these are judged by."""


def mixed_words(found: CameraFound, board: Board) -> str | None:
    """Why pictures that are not good enough are not: one is another camera's. None where none is."""
    stray = [line for line in found.left_out if line.endswith(ANOTHER)]
    if stray:
        names = ", ".join(line.removesuffix(ANOTHER) for line in stray)
    else:
        names = one_of_another(found.views, board, size_px=found.size_px)
    if not names:
        return None
    return (
        f"Pictures of two cameras, zooms or focuses are mixed ({names} against the others); keep those of one"
        f" camera, zoom and focus locked. {found.refusal}"
    )


def one_of_another(views: Sequence[BoardView], board: Board, *, size_px: tuple[int, int]) -> str | None:
    """Name of the picture that the camera of all others does not explain; None for none, or several.

    Args:
        views: At least five.
        board: What was seen.
        size_px: Width and height.
    """
    if not 5 <= len(views) <= FEW:
        return None
    blamed: list[tuple[float, str]] = []
    for k, view in enumerate(views):
        rest = [one for j, one in enumerate(views) if j != k]
        found = calibrate_camera(rest, board, size_px=size_px)
        v = found.values
        matrix = np.array([[v[0], 0.0, v[2]], [0.0, v[1], v[3]], [0.0, 0.0, 1.0]])
        points = board.corners_mm[view.ids] + found.offsets_mm[view.ids]
        known, turn, shift = cv2.solvePnP(points, view.corners_px, matrix, v[4:])
        if not known:
            continue
        pose = np.concatenate([np.ravel(turn), np.ravel(shift)])
        share, sigma = focal_of_each(replace(found, poses=frozen(pose[None])), [view], board)
        mean = np.zeros(9)
        mean[:2] = 0.5 / v[:2]
        others2 = float(mean @ found.covariance @ mean)
        loose = float(np.sqrt(sigma[0] ** 2 + _OWN**2 + others2))
        off = abs(float(share[0]))
        if off > _SIGMA * loose and off > _SHARE:
            blamed.append((off / loose, view.name))
    blamed.sort(reverse=True)
    clear = len(blamed) == 1 or (len(blamed) > 1 and blamed[0][0] > _CLEAR * blamed[1][0])
    return blamed[0][1] if clear else None
