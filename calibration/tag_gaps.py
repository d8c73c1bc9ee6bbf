"""Whether a target's tags stand as far apart as its name says, by the pictures alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from scipy.optimize import least_squares

from calibration.board import Board, BoardView
from models.geometry import Floats

_LEAST_OFF = 0.03
"""Share of the distance from tag to tag by which a gap must be off to be told: light that spills over the
edges of tags by a pixel makes gaps between tags of 60 px come out off by 2 %."""

_LEAST_FALL = 1.3
"""By so much the residual must fall."""


def gaps_words(views: Sequence[BoardView], board: Board) -> str:
    """A sentence on gaps that the pictures show to be others than named; empty where they are as named.

    Every view is compared with the board by a homography of its own, which knows of no camera. It takes up a
    scale of the whole, so that gaps are found by the tags' side.

    Args:
        views: Of tags, by the sharper camera.
        board: As named.
    """
    named = np.array([board.marker_mm, board.gap_down_mm])

    def off_px(gaps: Floats) -> Floats:
        as_if = replace(board, marker_mm=float(gaps[0]), gap_down_mm=float(gaps[1]))
        return np.concatenate([_off_px(view, as_if.corners_mm) for view in views])

    # A third of a side less or more than that is no slip of a ruler.
    wide = 0.33 * board.square_mm
    low, high = np.maximum(named - wide, 0.01 * board.square_mm), named + wide
    found = np.asarray(least_squares(off_px, named, bounds=(low, high), x_scale=board.square_mm).x, float)
    before, after = (float(np.sqrt(2.0 * np.mean(off_px(gaps) ** 2))) for gaps in (named, found))
    share = np.abs(found - named) / (board.square_mm + named)
    if share.max() < _LEAST_OFF or before < _LEAST_FALL * after:
        return ""
    return (
        f"By the colour pictures tags of {board.square_mm:g} mm stand {found[0]:.1f} mm apart across and"
        f" {found[1]:.1f} mm down, not {named[0]:g} and {named[1]:g}: measure them and correct --board."
    )


def _off_px(view: BoardView, corners_mm: Floats) -> Floats:
    at = corners_mm[view.ids, :2]
    over, _ = cv2.findHomography(at, view.corners_px, 0)
    seen = cv2.perspectiveTransform(at.reshape(-1, 1, 2), np.asarray(over, float))
    return (np.asarray(seen, float).reshape(-1, 2) - view.corners_px).ravel()
