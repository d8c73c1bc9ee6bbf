"""What every instrument of the overlay is made of: a label, a figure with its bound, a note, a bar.

Sizes are those in a picture of `guidance.overlay.ink.REFERENCE_HEIGHT_PX`, times ``scale``.
"""

from __future__ import annotations

from guidance.overlay.ink import box, fitted, plain, text_width_px, write
from guidance.overlay.palette import WHITE, Rgb
from models.geometry import Bytes

OK_COLOUR: Rgb = (60, 220, 150)
CYAN: Rgb = (70, 220, 235)
DIM: Rgb = (176, 186, 196)
TRACK: Rgb = (70, 80, 92)
ALARMING: Rgb = (255, 120, 110)

Area = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


def put_label(picture: Bytes, area: Area, text: str, scale: float) -> None:
    """What the instrument shows, in small letters."""
    write(picture, text, (area[0], area[1] + 21 * scale), size=0.44 * scale, colour=DIM)


def put_value(
    picture: Bytes,
    area: Area,
    value: str,
    unit: str,
    scale: float,
    colour: Rgb = WHITE,
) -> float:
    """A figure with its bound and unit behind it; returns where it ends."""
    size = (0.95 if value[:1].isdigit() or value[:1] in "-<>" else 0.72) * scale
    write(picture, value, (area[0], area[1] + 53 * scale), size=size, colour=colour)
    x = area[0] + text_width_px(value, size=size) + 8 * scale
    write(picture, unit, (x, area[1] + 53 * scale), size=0.55 * scale, colour=WHITE if "±" in unit else DIM)
    return x + text_width_px(unit, size=0.55 * scale)


def put_note(picture: Bytes, area: Area, text: str, scale: float, colour: Rgb = DIM) -> None:
    """A word below the figure, cut to the instrument's width."""
    text = fitted(plain(text), size=0.44 * scale, width_px=area[2] - area[0])
    write(picture, text, (area[0], area[1] + 78 * scale), size=0.44 * scale, colour=colour)


def put_word(picture: Bytes, area: Area, text: str, scale: float, colour: Rgb) -> None:
    """What to do, in the upper right corner."""
    wide = text_width_px(text, size=0.48 * scale)
    write(picture, text, (area[2] - wide, area[1] + 21 * scale), size=0.48 * scale, colour=colour)


def put_progress(picture: Bytes, area: Area, share: float, colour: Rgb, scale: float) -> None:
    """How far something has come, as a bar."""
    top, bottom = area[1] + 68 * scale, area[1] + 76 * scale
    box(picture, (area[0], top, area[2], bottom), colour=TRACK)
    filled = (area[2] - area[0]) * min(max(share, 0.0), 1.0)
    if filled >= 1.0:
        box(picture, (area[0], top, area[0] + filled, bottom), colour=colour)
