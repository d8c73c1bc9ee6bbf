"""How far something slid in the picture since it was last seen: its patch, searched for by correlation."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Floats
from vision.fiducials import Window

FACTOR = 4
"""Patches are searched for at a quarter of the size; what is left is within reach of the alignment."""

LEAST_SCORE = 0.5
"""Correlation below which the patch was not found again."""


@dataclass(frozen=True, eq=False)
class Patch:
    """What something looked like, at a quarter of the size."""

    light: NDArray[np.float32]
    """Linear light, shape (h, w)."""
    corner_px: Floats
    """Where its first pixel's corner lay in the picture, shape (2,)."""


def small(window: Window) -> NDArray[np.float32]:
    """The window at a quarter of the size."""
    height, width = window.light.shape
    whole = window.light[: height // FACTOR * FACTOR, : width // FACTOR * FACTOR].astype(np.float32)
    return np.asarray(
        cv2.resize(whole, (width // FACTOR, height // FACTOR), interpolation=cv2.INTER_AREA), np.float32
    )


def patch_of(window: Window, *, low_px: Floats, high_px: Floats) -> Patch | None:
    """Cut the patch between two points of the picture; None where it is too small to be told apart."""
    light = small(window)
    first = np.maximum((low_px - window.corner_px) // FACTOR, 0).astype(int)
    last = np.minimum((high_px - window.corner_px) // FACTOR + 1, light.shape[::-1]).astype(int)
    if np.any(last - first < 5):
        return None
    cut = light[first[1] : last[1], first[0] : last[0]].copy()
    cut.setflags(write=False)
    return Patch(cut, window.corner_px.astype(float) + FACTOR * first.astype(float))


def slide_px(patch: Patch, window: Window) -> Floats | None:
    """Shift (x, y) in pixels from where the patch was to where it is in the window.

    Returns:
        None where nothing in the window looks like it.
    """
    light = small(window)
    if light.shape[0] <= patch.light.shape[0] + 2 or light.shape[1] <= patch.light.shape[1] + 2:
        return None
    score = cv2.matchTemplate(light, patch.light, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    if not best >= LEAST_SCORE:
        return None
    at = np.array([x, y], float)
    if 0 < x < score.shape[1] - 1 and 0 < y < score.shape[0] - 1:
        at[0] += _peak(float(score[y, x - 1]), best, float(score[y, x + 1]))
        at[1] += _peak(float(score[y - 1, x]), best, float(score[y + 1, x]))
    return window.corner_px + FACTOR * at - patch.corner_px


def _peak(before: float, top: float, after: float) -> float:
    """Where a parabola through three values a step apart has its peak, from the middle one."""
    bend = before - 2.0 * top + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < -1e-9 else 0.0
