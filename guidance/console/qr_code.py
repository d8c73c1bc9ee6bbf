"""A QR code drawn with letters, for a terminal: a tablet's camera reads address and token off the screen."""

from __future__ import annotations

import cv2
import numpy as np

_WHITE, _DARK = "\x1b[97;40m", "\x1b[0m"
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
"""Two rows in one line, white where a half is lit: the upper and the lower one."""


def code_of(text: str) -> str:
    """The code of a text, in lines for a terminal that knows colours.

    Args:
        text: Up to some 100 letters.
    """
    picture = cv2.QRCodeEncoder.create().encode(text)
    lit = np.pad(np.asarray(picture) > 127, 2, constant_values=True)  # four modules of white around it
    if len(lit) % 2:
        lit = np.vstack([lit, np.ones((1, lit.shape[1]), bool)])
    rows = (
        "".join(_HALVES[bool(up), bool(down)] for up, down in zip(above, below, strict=True))
        for above, below in zip(lit[::2], lit[1::2], strict=True)
    )
    return "\n".join(f"{_WHITE}{row}{_DARK}" for row in rows)
