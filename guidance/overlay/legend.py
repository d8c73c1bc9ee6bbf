"""The legend of the overlay: the ramp of exposure, and what each pattern on the skin means."""

from __future__ import annotations

import numpy as np

from guidance.overlay.figures import DIM, Area, Instrument
from guidance.overlay.ink import box, dots, paint, stripes, text_width_px, write
from guidance.overlay.palette import GREY, INK, MAGENTA, VERMILLION, WHITE, Rgb
from guidance.overlay.states import LEVELS, ramp_colour
from guidance.session import Guidance
from models.geometry import Bytes
from models.protocol import Protocol

SKIN: Rgb = (150, 120, 105)

PATTERNS = (
    ("predicted", "predicted"),
    ("unknown", "unknown"),
    ("not seen", "unseen"),
    ("at limit", "over"),
)
"""Words and pattern. Without one the temperature is measured. Each has half of the legend's width."""


def draw_legend_tile(tile: Instrument, _: Guidance, protocol: Protocol) -> None:
    """The ramp of exposure, and the patterns of what is not measured, in place."""
    tile.label("JET-SECONDS PER CELL")
    picture, area, scale, width = tile.picture, tile.area, tile.scale, tile.width_px
    top, bottom = tile.y_px(25), tile.y_px(33)
    colours = ramp_colour(np.arange(1, LEVELS + 1) / LEVELS)
    for k in range(LEVELS):
        colour = (int(colours[k, 0]), int(colours[k, 1]), int(colours[k, 2]))
        box(
            picture,
            (area[0] + width * k / LEVELS, top, area[0] + width * (k + 1) / LEVELS, bottom),
            colour=colour,
        )
    limit = protocol.dwell_s
    write(picture, "0", (area[0], tile.y_px(45)), size=0.40 * scale, colour=DIM)
    for tick_s in (limit.warn / 5.0, limit.warn):
        text = f"{tick_s:.2g}"
        x = (
            area[0]
            + width * min(tick_s / limit.stop, 1.0) ** 0.5
            - text_width_px(text, size=0.40 * scale) / 2
        )
        write(picture, text, (x, tile.y_px(45)), size=0.40 * scale, colour=DIM)
    text = f"{limit.stop:g} s"
    write(
        picture,
        text,
        (area[2] - text_width_px(text, size=0.40 * scale), tile.y_px(45)),
        size=0.40 * scale,
        colour=DIM,
    )
    for k, (text, pattern) in enumerate(PATTERNS):
        x, y = area[0] + (0.53 * width) * (k % 2), tile.y_px(51 + 19 * (k // 2))
        _swatch(picture, (x, y, x + 22 * scale, y + 14 * scale), pattern, scale)
        write(picture, text, (x + 27 * scale, y + 11 * scale), size=0.42 * scale, colour=WHITE)


def _swatch(picture: Bytes, area: Area, pattern: str, scale: float) -> None:
    """A sample of a pattern as it lies on the skin."""
    box(picture, area, colour=(90, 90, 96) if pattern in ("unknown", "unseen") else SKIN)
    x0, y0, x1, y1 = (round(v) for v in area)
    part = picture[y0:y1, x0:x1]
    height, width = part.shape[:2]
    period, line = max(4, round(7 * scale)), max(1, round(2 * scale))
    if pattern == "predicted":
        marks = dots(height, width, period_px=max(5, round(7 * scale)), dot_px=max(2, round(2 * scale)))
        paint(part, np.roll(marks, 1, axis=(0, 1)), colour=INK)
        paint(part, marks, colour=WHITE)
        return
    marks = stripes(height, width, period_px=period, line_px=line, rising=True)
    if pattern == "over":
        marks = marks | stripes(height, width, period_px=period, line_px=line, rising=False)
    paint(part, marks, colour={"unknown": MAGENTA, "over": VERMILLION}.get(pattern, GREY))
