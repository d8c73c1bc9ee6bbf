"""Where to look for the depth camera first: the sideways shift at which the board is read where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calibration.board import Board
from calibration.depth_views import DepthView, inner_mm
from models.geometry import Pose
from models.rig import DepthCamera

_SHIFTS_MM = np.linspace(-150.0, 150.0, 13)
"""Farther beside its stated place no depth camera is looked for."""

_APART = 0.06
"""Share of the distance by which a reading that is not of the board counts as off."""


def started(views: Sequence[DepthView], board: Board, camera: DepthCamera) -> tuple[DepthCamera, float]:
    """Where the depth camera may stand, beside where it is said to, and true distance by reading there.

    The sideways shift at which the board's distance goes best with what is read; the ratio is 1 to a few
    percent where readings are millimetres, NaN where nothing is read.
    """
    low, high = inner_mm(board)
    x, y = np.meshgrid(np.linspace(low[0], high[0], 7), np.linspace(low[1], high[1], 5))
    grid = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    points = np.stack([camera.depth_from_rgb.apply(view.rgb_from_board.apply(grid)) for view in views])
    number = np.repeat(np.arange(len(views)), len(grid))
    pictures = np.stack([view.readings_mm for view in views])
    best, least, ratio = (0.0, 0.0), np.inf, float("nan")
    for shift_x in _SHIFTS_MM:
        for shift_y in _SHIFTS_MM:
            moved = (points + np.array([shift_x, shift_y, 0.0])).reshape(-1, 3)
            px = camera.camera.project(moved)
            inside = np.isfinite(px).all(axis=1) & camera.camera.inside(px)
            at = np.rint(px[inside]).astype(int)
            read = pictures[number[inside], at[:, 1], at[:, 0]].astype(float)
            there = read > 0.0
            if there.sum() < 0.3 * len(moved):
                continue
            apart = np.log(moved[inside][there, 2] / read[there])
            middle = float(np.median(apart))
            lacking = _APART * (len(moved) - int(there.sum()))
            cost = (float(np.minimum(np.abs(apart - middle), _APART).sum()) + lacking) / len(moved)
            cost += 1e-5 * float(np.hypot(shift_x, shift_y))
            if cost < least:
                best, least, ratio = (float(shift_x), float(shift_y)), cost, float(np.exp(middle))
    stand = camera.depth_from_rgb
    moved_stand = Pose.of(stand.rotation, stand.translation_mm + np.array([*best, 0.0]))
    return replace(camera, depth_from_rgb=moved_stand, scale=1.0, offset_mm=0.0), ratio
