"""Colours of overlay and report: safe for colour-blind eyes, and never the only sign of a state.

The state colours are those of Okabe and Ito, Color Universal Design (2008); each verdict also has a
letter and a pattern. Exposure and cold use one ramp whose lightness falls steadily, so that it still
orders in grey.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Bytes, Floats

Rgb = tuple[int, int, int]

VERMILLION: Rgb = (213, 94, 0)
PURPLE: Rgb = (176, 84, 148)
GREEN: Rgb = (0, 158, 115)
SKY: Rgb = (86, 180, 233)
YELLOW: Rgb = (240, 228, 66)
AMBER: Rgb = (230, 159, 0)
GREY: Rgb = (196, 200, 205)
WHITE: Rgb = (255, 255, 255)
INK: Rgb = (14, 20, 28)
RED: Rgb = (200, 30, 30)
MAGENTA: Rgb = (214, 60, 200)

# Pale to dark blue: colder and longer is darker; no hue of skin or of redness lies on it.
_RAMP = np.array(
    [[206, 238, 250], [140, 208, 240], [80, 170, 222], [34, 124, 194], [16, 76, 148], [8, 34, 84]],
    dtype=float,
)


@dataclass(frozen=True)
class VerdictLook:
    """How one verdict is drawn and named."""

    colour: Rgb
    letter: str
    pattern: str
    """``cross``, ``hatch``, ``bars``, ``solid`` or ``plain``."""
    title: str
    meaning: str


VERDICTS: dict[str, VerdictLook] = {
    "overexposed": VerdictLook(
        VERMILLION, "X", "cross", "Overexposed", "a limit of the protocol was reached or passed here"
    ),
    "unknown": VerdictLook(
        PURPLE,
        "?",
        "hatch",
        "Unknown",
        "gas may have reached it while nothing was observed: not safe, not harmed, not known",
    ),
    "in_target": VerdictLook(
        GREEN, "T", "solid", "In target", "the lowest temperature reached the target band"
    ),
    "below_target": VerdictLook(SKY, "b", "bars", "Below target", "treated, but did not get cold enough"),
    "untreated": VerdictLook(GREY, "-", "plain", "Untreated", "no gas reached it, as far as it was seen"),
}
"""In the order of urgency. A word that is not in this table is drawn as ``unknown``."""


@dataclass(frozen=True)
class KnowledgeLook:
    """How one way of knowing a temperature is drawn and named."""

    colour: Rgb
    letter: str
    pattern: str
    title: str
    meaning: str


KNOWLEDGE: tuple[KnowledgeLook, ...] = (
    KnowledgeLook(PURPLE, "?", "hatch", "Not observed", "neither pictures nor model knew its temperature"),
    KnowledgeLook(
        AMBER, "p", "bars", "Predicted", "hidden or between pictures: the skin model carried it on"
    ),
    KnowledgeLook(SKY, "m", "solid", "Measured", "the newest thermal picture showed it"),
)
"""Rows as in `models.skin_estimate`: unobserved, predicted, measured."""


def verdict_look(verdict: str) -> VerdictLook:
    """The look of a verdict; anything not understood looks unknown, never safe."""
    return VERDICTS.get(verdict, VERDICTS["unknown"])


def ramp(share: Floats) -> Bytes:
    """Colours of shares 0..1 (clipped) on the pale-to-dark ramp.

    Args:
        share: Any shape; must be finite.

    Returns:
        Red, green, blue in a last axis of length 3.
    """
    at = np.clip(share, 0.0, 1.0) * (len(_RAMP) - 1)
    low = np.minimum(at.astype(np.int64), len(_RAMP) - 2)
    part = (at - low)[..., None]
    return np.round(_RAMP[low] * (1.0 - part) + _RAMP[low + 1] * part).astype(np.uint8)


def css(colour: Rgb) -> str:
    """As ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def bgr(colour: Rgb) -> tuple[int, int, int]:
    """In OpenCV's order."""
    return colour[2], colour[1], colour[0]
