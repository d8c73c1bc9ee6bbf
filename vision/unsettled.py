"""How far a sharpened thermal picture may be off because its pixels do not support so much sharpness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Floats

UNSETTLED, BY_NOISE_DEGC = 2.0, 0.3
"""Discs, squares and bells 2.6 to 8 px wide and 25 degC deep, sigma 0.6 to 0.95 px, pure and mixed spreads,
on pixels and between them: so many times the mean of what first and last round give, the largest nearby,
holds the error in 95 % (own simulation). Smaller spots are no more than a pixel and not told. Noise alone
makes so much of it."""


def unsettled_degc(first: NDArray[np.float32], last: NDArray[np.float32]) -> Floats:
    """Bound of what is wrong with a correction that is worked out in rounds, of the picture's shape.

    It is worked out for a spread of one shape and for readings on average between pixels. Where what is seen
    is smooth, the last round gives back little of what the first did, and neither matters. Of a spot as small
    as the spread it gives back nearly as much: then it may overshoot by as much as it gives.

    Args:
        first: What the first round gave back, shape (h, w).
        last: The same of the last round.
    """
    near, around = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (n, n)) for n in (3, 5))
    most = np.sqrt(cv2.dilate(np.abs(first), near) * cv2.dilate(np.abs(last), around))
    return np.maximum(UNSETTLED * np.asarray(most, np.float64) - BY_NOISE_DEGC, 0.0)
