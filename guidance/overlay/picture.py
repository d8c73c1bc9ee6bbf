"""The picture as the operator sees it: zone, exposure and jet on the skin, figures and alarms around it.

Input and output are colour pictures; nothing is shown that was not measured, and what is not known has
its own look (grey with magenta stripes) and its own words.
"""

from __future__ import annotations

import cv2
import numpy as np

from guidance.overlay.ink import REFERENCE_HEIGHT_PX, paint, stripes
from guidance.overlay.palette import MAGENTA, WHITE, ramp
from guidance.overlay.panels import draw_banner, draw_state_bar, notice
from guidance.overlay.skin import distance_colour, draw_chart, draw_jet, draw_pixel_zone
from guidance.overlay.tiles import draw_strip, strip_height_px
from guidance.session import Guidance
from models.capture import ThermalPicture
from models.chart import PixelZone, PlacedChart
from models.geometry import Bytes
from models.protocol import Protocol
from models.rig import Rig
from models.sightings import Lost
from models.zone import Zone

HIGH_PX = 240.0
"""A zone whose centre lies above this (at scale 1) moves the alarms, which end at 195, to the lower edge."""
REFERENCE_WIDTH_PX = 1280.0
UPRIGHT_WIDTH_PX = 960.0
"""In an upright picture the instruments stand in two rows, so they may be larger for its width."""
LEAST_SCALE = 0.42
"""Below this the stroke font cannot be read; a small picture then shows fewer instruments."""
KELVIN_0_DEGC = 273.15
NO_READING_BGR = (96, 90, 90)


def draw_overlay(
    bgr: Bytes,
    guidance: Guidance,
    *,
    rig: Rig | None,
    protocol: Protocol,
    zone: Zone,
    zone_scale: float = 1.0,
    device: str | None = None,
) -> Bytes:
    """Draw one result over its picture.

    Args:
        bgr: The colour picture, shape (height_px, width_px, 3); left as it is.
        guidance: Result of the step for this picture.
        rig: None where there are only pixels.
        protocol: For limits and bands.
        zone: For its title.
        zone_scale: Enlargement of ``bgr`` against the picture in whose pixels a `PixelZone` is given
            (a thermal picture drawn larger, say).
        device: Of the session; the protocol's where None.

    Returns:
        A new picture of the same shape.
    """
    picture = bgr.copy()
    height, width = picture.shape[:2]
    least_width_px = REFERENCE_WIDTH_PX if width >= height else UPRIGHT_WIDTH_PX
    scale = max(min(height / REFERENCE_HEIGHT_PX, width / least_width_px), LEAST_SCALE)
    strip_px = strip_height_px(picture, metric=rig is not None, scale=scale)
    place = guidance.zone
    if isinstance(place, PlacedChart) and rig is not None:
        draw_chart(picture, guidance, place, rgb=rig.rgb, protocol=protocol, scale=scale)
    elif isinstance(place, PixelZone):
        draw_pixel_zone(picture, place, zone_scale=zone_scale, scale=scale)
    if rig is not None:
        jet = guidance.jet
        colour = WHITE if jet is None else distance_colour(jet.distance_mm, protocol=protocol)[0]
        used = protocol.device if device is None else device
        draw_jet(picture, guidance, rig=rig, device=used, colour=colour, scale=scale)
    draw_state_bar(picture, guidance, protocol=protocol, zone=zone, scale=scale)
    draw_strip(picture, guidance, protocol=protocol, metric=rig is not None, scale=scale)
    if isinstance(place, Lost):
        notice(picture, f"zone not placed: {place.reason}", strip_px=strip_px, scale=scale)
    high = _zone_is_high(guidance, rig, below_px=HIGH_PX * scale)
    draw_banner(picture, guidance.active, strip_px=strip_px, below=high, scale=scale)
    return picture


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


def _zone_is_high(guidance: Guidance, rig: Rig | None, *, below_px: float) -> bool:
    """Whether a banner under the upper edge would hide the skin under treatment."""
    place = guidance.zone
    if isinstance(place, PixelZone):
        return float(place.outline_px[:, 1].mean()) < below_px
    if isinstance(place, PlacedChart) and rig is not None:
        y = float(rig.rgb.project(place.rgb_from_chart.apply(place.chart.centre_mm))[1])
        return y < below_px
    return False
