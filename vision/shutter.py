"""How long the shutter is open, told by how much blurrier things are that move.

Over an exposure of e seconds a thing that moves by v pixels a second is spread evenly over e v pixels, which
has the variance (e v)^2 / 12 along its way: half of that is what an even blur sees of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HALF_VARIANCE = 1.0 / 24.0
"""Of an even spread over a way of 1, seen as a blur the same in all directions."""

FADE_S = 4.0
"""Evidence fades over this time: light changes, and auto exposure with it."""

LONGEST_S = 1.0 / 25.0
"""No shutter is open longer than a slow camera's interval between pictures."""

CALM = 25.0
"""Evidence of a still shutter to begin with, in (100 px/s)^4: a way of 3 px at 300 px/s counts 81 times."""


@dataclass(frozen=True)
class Shutter:
    """Sums of a line fitted through squared blur over squared speed, fading with time."""

    weight: float
    speed2: float
    blur2: float
    speed4: float
    speed2_blur2: float

    @staticmethod
    def start() -> Shutter:
        """Nothing was seen: taken to be open for no time."""
        return Shutter(0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def open_s(self) -> float:
        """Time for which it is open, as far as is known."""
        if self.weight <= 0.0:
            return 0.0
        spread = self.speed4 - self.speed2**2 / self.weight
        rise = self.speed2_blur2 - self.speed2 * self.blur2 / self.weight
        open2 = rise / (spread + CALM) / HALF_VARIANCE * 1e-4
        return float(np.clip(np.sqrt(max(open2, 0.0)), 0.0, LONGEST_S))

    def seen(self, *, blur_px: float, speed_px_s: float, taken_s: float, dt_s: float) -> Shutter:
        """Take in one picture.

        Args:
            blur_px: Blur that was found beside the motion that was reckoned with, standard deviation.
            speed_px_s: Speed in the picture.
            taken_s: Time open that was reckoned with.
            dt_s: Since the picture before.
        """
        keep = float(np.exp(-max(dt_s, 0.0) / FADE_S))
        x = (0.01 * speed_px_s) ** 2
        y = blur_px**2 + HALF_VARIANCE * (taken_s * speed_px_s) ** 2
        return Shutter(
            keep * self.weight + 1.0,
            keep * self.speed2 + x,
            keep * self.blur2 + y,
            keep * self.speed4 + x * x,
            keep * self.speed2_blur2 + x * y,
        )
