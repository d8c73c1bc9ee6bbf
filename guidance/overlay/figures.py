"""What an instrument of the overlay is made of: its place, a label, a figure with its bound, a note, a bar.

Sizes are those in a picture of `guidance.overlay.ink.REFERENCE_HEIGHT_PX`, times ``scale``.
"""

from __future__ import annotations

from dataclasses import dataclass

from guidance.overlay.ink import box, fitted, plain, text_width_px, write
from guidance.overlay.palette import MAGENTA, WHITE, Rgb
from models.geometry import Bytes

OK_COLOUR: Rgb = (60, 220, 150)
CYAN: Rgb = (70, 220, 235)
DIM: Rgb = (176, 186, 196)
TRACK: Rgb = (70, 80, 92)
ALARMING: Rgb = (255, 120, 110)

Area = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

BAR_TOP, BAR_BOTTOM = 68.0, 76.0
"""Of a bar, below the upper edge of its instrument at scale 1."""


@dataclass(frozen=True, eq=False)
class Instrument:
    """The place of one instrument in a picture, and what is put there, each at its own height."""

    picture: Bytes
    area: Area
    scale: float

    @property
    def width_px(self) -> float:
        """Of its place."""
        return self.area[2] - self.area[0]

    def y_px(self, below: float) -> float:
        """A height so far below its upper edge, at scale 1."""
        return self.area[1] + below * self.scale

    def label(self, text: str) -> None:
        """What the instrument shows, in small letters."""
        write(self.picture, text, (self.area[0], self.y_px(21)), size=0.44 * self.scale, colour=DIM)

    def value(self, value: str, unit: str = "", colour: Rgb = WHITE) -> None:
        """A figure with its bound and unit behind it."""
        size = (0.95 if value[:1].isdigit() or value[:1] in "-<>" else 0.72) * self.scale
        write(self.picture, value, (self.area[0], self.y_px(53)), size=size, colour=colour)
        x = self.area[0] + text_width_px(value, size=size) + 8 * self.scale
        colour = WHITE if "±" in unit else DIM
        write(self.picture, unit, (x, self.y_px(53)), size=0.55 * self.scale, colour=colour)

    def unknown(self, words: str = "not known") -> None:
        """Instead of a figure."""
        self.value(words, colour=MAGENTA)

    def note(self, text: str, colour: Rgb = DIM) -> None:
        """A word below the figure, cut to the instrument's width."""
        text = fitted(plain(text), size=0.44 * self.scale, width_px=self.width_px)
        write(self.picture, text, (self.area[0], self.y_px(78)), size=0.44 * self.scale, colour=colour)

    def word(self, text: str, colour: Rgb) -> None:
        """What to do, in the upper right corner."""
        x = self.area[2] - text_width_px(text, size=0.48 * self.scale)
        write(self.picture, text, (x, self.y_px(21)), size=0.48 * self.scale, colour=colour)

    def progress(self, share: float, colour: Rgb) -> None:
        """How far something has come, as a bar."""
        left, _, right, _ = self.area
        top, bottom = self.y_px(BAR_TOP), self.y_px(BAR_BOTTOM)
        box(self.picture, (left, top, right, bottom), colour=TRACK)
        filled = self.width_px * min(max(share, 0.0), 1.0)
        if filled >= 1.0:
            box(self.picture, (left, top, left + filled, bottom), colour=colour)
