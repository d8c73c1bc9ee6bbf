"""Lepton 3 pictures with telemetry: two more rows that say unit, time, shutter and what the camera corrected.

Rows A, B and C of 80 words, low word first, as open drivers list them after FLIR's engineering datasheet. No
recording of a real camera was at hand to check them against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from models.geometry import Counts, frozen
from models.problems import InputError
from models.radiation import KELVIN, Air, Surroundings
from vision.thermal_source import Numbers, Reading, ThermalSource, whole_number_scale

SIZE_PX = (160, 122)
"""Width and height of a picture with its telemetry below."""
_ROWS = 120

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
    words = [int(word) for word in picture[_ROWS:].ravel()]
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


def open_lepton(
    values: Callable[[], Iterator[Numbers | None]], *, pictures: int, where: str, warnings: tuple[str, ...]
) -> ThermalSource:
    """A source of pictures with telemetry.

    Raises:
        InputError: If the telemetry makes no sense, or says that the pictures carry no temperatures.
    """
    said = [None if picture is None else read_telemetry(picture) for picture in values()]
    first = next((telemetry for telemetry in said if telemetry is not None), None)
    if first is None:
        raise InputError(
            f"{where} has the size of Lepton pictures with telemetry, but the rows below make no sense; "
            "record again without telemetry, or give the right --size-px."
        )
    for wrong, what in (
        (first.agc, "automatic gain (AGC) on, so they are a display; record with AGC off"),
        (not first.tlinear, "TLinear off, so they are raw counts without a scale; record with TLinear on"),
        (not first.clear, "a correction for air or a window on; record with both transmissions set to 1"),
    ):
        if wrong:
            raise InputError(f"{where}: by their telemetry the pictures were taken with {what}.")
    settings = {(t.emissivity, t.background_degc) for t in said if t is not None}
    if len(settings) > 1:
        raise InputError(
            f"{where}: the camera's emissivity or background changes on the way; record again without "
            "changing it."
        )
    up_s = [first.up_s if t is None else t.up_s for t in said]

    def read() -> Iterator[Reading | None]:
        for picture, telemetry in zip(values(), said, strict=False):
            if picture is None or telemetry is None or telemetry.agc or not telemetry.tlinear:
                yield None
            else:
                yield Reading(picture[:_ROWS], whole_number_scale(telemetry.unit))

    return ThermalSource(
        where=where,
        kind="Lepton pictures with telemetry",
        width_px=SIZE_PX[0],
        height_px=_ROWS,
        pictures=pictures,
        read=read,
        t_s=frozen(np.array(up_s) - up_s[0]) if None not in said else None,
        flag=frozen(np.array([t is not None and t.shutter for t in said])),
        applied=Surroundings(first.emissivity, first.background_degc, Air(first.background_degc, 0.0), 0.0),
        warnings=warnings,
    )
