"""How far something slid in the picture since it was last seen: its patch, searched for by correlation."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.geometry import Bytes, Floats

FACTOR = 4
"""Patches are searched for at a quarter of the size; what is left is within reach of the alignment."""

LEAST_SCORE = 0.5
"""Correlation below which the patch was not found again."""


@dataclass(frozen=True, eq=False)
class Patch:
    """What something looked like, at a quarter of the size."""

    grey: Bytes
    """Shape (h, w)."""
    corner_px: Floats
    """Column and row of the picture at which it begins, shape (2,)."""


def patch_of(bgr: Bytes, *, low_px: Floats, high_px: Floats) -> Patch | None:
    """Cut the patch between two points of the picture; None where it is too small to be told apart."""
    if not (np.all(np.isfinite(low_px)) and np.all(np.isfinite(high_px))):
        return None
    bound = np.array([bgr.shape[1], bgr.shape[0]], float)
    x0, y0 = np.clip(low_px, 0.0, bound).astype(int)
    wide, high = ((np.clip(high_px, 0.0, bound).astype(int) - (x0, y0)) // FACTOR).tolist()
    if wide < 5 or high < 5:
        return None
    cut = np.ascontiguousarray(bgr[y0 : y0 + FACTOR * high, x0 : x0 + FACTOR * wide])
    small = cv2.resize(cut, (wide, high), interpolation=cv2.INTER_AREA)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
    grey.setflags(write=False)
    return Patch(grey, np.array([x0, y0], float))


def slide_px(patch: Patch, bgr: Bytes, *, expected_px: Floats, reach_px: float) -> Floats | None:
    """Shift (x, y) in pixels from where the patch was to where it is in a later picture.

    Args:
        patch: As it was.
        bgr: The later picture.
        expected_px: Where its corner should be by now.
        reach_px: How far from there it is searched for.

    Returns:
        None where nothing looks like it.
    """
    size_px = FACTOR * np.array(patch.grey.shape[::-1], float)
    around = patch_of(bgr, low_px=expected_px - reach_px, high_px=expected_px + size_px + reach_px)
    if around is None or any(a < b + 2 for a, b in zip(around.grey.shape, patch.grey.shape, strict=True)):
        return None
    score = cv2.matchTemplate(around.grey, patch.grey, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    if not best >= LEAST_SCORE:
        return None
    at = np.array([x, y], float)
    if 0 < x < score.shape[1] - 1 and 0 < y < score.shape[0] - 1:
        at[0] += _peak(float(score[y, x - 1]), best, float(score[y, x + 1]))
        at[1] += _peak(float(score[y - 1, x]), best, float(score[y + 1, x]))
    return around.corner_px + FACTOR * at - patch.corner_px


def _peak(before: float, top: float, after: float) -> float:
    """Where a parabola through three values a step apart has its peak, from the middle one."""
    bend = before - 2.0 * top + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < -1e-9 else 0.0
