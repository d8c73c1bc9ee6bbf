"""Motions of the nozzle in words, for somebody who faces the camera or looks at the picture."""

from __future__ import annotations

import numpy as np

from calibration.holding import MIRRORED
from models.geometry import Floats

_WAYS = (("left", "right"), ("up", "down"), ("towards the camera", "away from the camera"))
_SECOND = 0.5
"""A second direction is named where it is at least this share of the first."""


def way_words(way_rgb: Floats, *, mirrored: bool) -> str:
    """A direction in the colour camera's frame, such as ``left and towards the camera``."""
    order = np.argsort(-np.abs(way_rgb))
    words = []
    for axis in order[:2]:
        if words and abs(way_rgb[axis]) < _SECOND * abs(way_rgb[order[0]]):
            break
        word = _WAYS[axis][int(way_rgb[axis] > 0.0)]
        words.append(MIRRORED.get(word, word) if mirrored else word)
    return " and ".join(words)
