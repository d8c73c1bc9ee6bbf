"""The rows below a Lepton 3 picture: unit, time, shutter and what the camera corrected.

Rows A, B and C of 80 words, low word first, as open drivers list them after FLIR's engineering datasheet. No
recording of a real camera was at hand to check them against.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.geometry import Counts
from models.radiation import KELVIN

SIZE_PX = (160, 122)
"""Width and height of a picture with its telemetry below."""
ROWS = 120

_MILLISECONDS, _STATUS = 1, 3  # two words each
_EMISSIVITY, _BACKGROUND_CK, _AIR_TRANSMISSION, _WINDOW_TRANSMISSION = 99, 100, 101, 103
_TLINEAR, _RESOLUTION = 208, 209
_WHOLE = 8192
"""1.0 in the words of emissivity and transmission."""
_SHUTTER_MASK, _SHUTTER_RUNS, _AGC = 0x30, 0x20, 0x1000


@dataclass(frozen=True)
class Telemetry:
    """What the rows below one picture say."""

    up_s: float
    """Time since the camera was switched on."""
    shutter: bool
    agc: bool
    tlinear: bool
    unit: str
    """Of the numbers with TLinear on."""
    emissivity: float
    background_degc: float
    clear: bool
    """The camera was set to clear air and no window."""


def read_telemetry(picture: Counts) -> Telemetry | None:
    """Read the rows below a picture.

    Args:
        picture: Shape (122, 160).

    Returns:
        What they say, None where they make no sense.
    """
    words = [int(word) for word in picture[ROWS:].ravel()]
    emissivity, background_ck = words[_EMISSIVITY], words[_BACKGROUND_CK]
    sound = words[_TLINEAR] in (0, 1) and words[_RESOLUTION] in (0, 1) and 0 < emissivity <= _WHOLE
    if not sound or not 20_000 <= background_ck <= 40_000:
        return None
    status = words[_STATUS] | words[_STATUS + 1] << 16
    return Telemetry(
        up_s=(words[_MILLISECONDS] | words[_MILLISECONDS + 1] << 16) / 1000.0,
        shutter=status & _SHUTTER_MASK == _SHUTTER_RUNS,
        agc=bool(status & _AGC),
        tlinear=words[_TLINEAR] == 1,
        unit="centikelvin" if words[_RESOLUTION] else "decikelvin",
        emissivity=emissivity / _WHOLE,
        background_degc=background_ck / 100.0 - KELVIN,
        clear=words[_AIR_TRANSMISSION] == words[_WINDOW_TRANSMISSION] == _WHOLE,
    )
