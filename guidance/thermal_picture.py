"""A thermal picture made visible: for sessions without a colour camera."""

from __future__ import annotations

import cv2
import numpy as np

from guidance.overlay_ink import paint, stripes
from guidance.palette import MAGENTA, ramp
from models.capture import ThermalPicture
from models.geometry import Bytes

KELVIN_0_DEGC = 273.15
NO_READING_BGR = (96, 90, 90)


def draw_thermal(picture: ThermalPicture, *, low_degc: float, high_degc: float, scale: int) -> Bytes:
    """Draw temperatures on the ramp of the report: dark is cold, pale is warm.

    Args:
        picture: Counts of shape (h, w).
        low_degc: Darkest end of the ramp; colder is drawn like it.
        high_degc: Palest end.
        scale: Whole-number enlargement; pixels stay squares, nothing is made up between them.

    Returns:
        Blue, green, red, shape (h * scale, w * scale, 3). Pixels without a reading, and whole pictures
        taken while the shutter was closed, are grey with magenta stripes.

    Raises:
        ValueError: If the scale is below 1 or the ramp has no width.
    """
    if scale < 1 or not high_degc > low_degc:
        raise ValueError("A thermal picture needs a scale of 1 or more, and a range from cold to warm.")
    degc = picture.centikelvin.astype(np.float64) / 100.0 - KELVIN_0_DEGC
    unknown = np.full(degc.shape, True) if picture.shutter else picture.centikelvin == 0
    small = np.ascontiguousarray(ramp((high_degc - degc) / (high_degc - low_degc))[..., ::-1])
    small[unknown] = NO_READING_BGR
    height, width = degc.shape
    size = (width * scale, height * scale)
    large: Bytes = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    hidden = np.repeat(np.repeat(unknown, scale, axis=0), scale, axis=1)
    lines = stripes(size[1], size[0], period_px=12, line_px=4, rising=True)
    paint(large, hidden & lines, colour=MAGENTA)
    return large
