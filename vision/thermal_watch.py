"""The stream of thermal pictures: its counts as degC, and whether it lives.

Told of the stream itself, before anybody asks for skin: shutter events, pictures that do not change, the end
of the scale, and how far the camera spreads a point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.capture import ThermalPicture
from models.geometry import Counts, Floats
from models.rig import StatedSpread
from vision.point_spread import USUAL, PointSpread, measured_at_edge, relied_on

LEAST_DEGC, MOST_DEGC = -60.0, 80.0
"""Readings outside are no skin and no room: another unit than centikelvin, a broken pixel, or the nozzle's
metal."""

SPREAD_TRIES = 10
"""The camera's spread is looked for in so many pictures (40 ms each)."""

STUCK_S = 0.35
"""The very same numbers for this long: a live picture carries noise, and the slowest camera (9 Hz) repeats a
picture at most three times (0.11 s). It is to be told within 0.5 s, on a busy machine too."""

FEW_PIXELS = 0.01
"""A lowest value that this share of all pixels has exactly is the end of the scale, not a temperature."""

CROWD, CROWD_SHARE = 9, 4
"""So is one that a small cold spot has so often, and so many times as often as any of the next three values:
at the bottom of a smooth dip each value has about as many pixels."""


@dataclass(frozen=True, eq=False)
class ThermalWatch:
    """What is remembered of the thermal stream itself."""

    last_t_s: float | None
    """Exposure of the last picture that showed the scene."""
    last_arrived_s: float | None
    centikelvin: Counts | None
    changed_s: float | None
    """Exposure of the first picture that showed what the last one shows."""
    shutter: bool
    floor_centikelvin: int | None
    """Pixels at or below this lie off the scale."""
    spread: PointSpread = USUAL
    """The one to be used."""
    at_edge: PointSpread | None = None
    """As the edge of warm skin showed it; None where none did yet."""
    spread_tries: int = 0
    """Pictures in which the spread was looked for."""
    shutter_s: float | None = None
    """Exposure of the last picture that showed the closed shutter."""

    @staticmethod
    def start() -> ThermalWatch:
        """Nothing came yet."""
        return ThermalWatch(None, None, None, None, False, None)

    @property
    def stuck(self) -> bool:
        """The picture has not changed although it should have."""
        return (
            self.changed_s is not None
            and self.last_t_s is not None
            and self.last_t_s - self.changed_s >= STUCK_S
        )


def watch(
    state: ThermalWatch, picture: ThermalPicture, *, t_s: float, stated: StatedSpread | None = None
) -> ThermalWatch:
    """Take note of one picture; ``stated`` is the spread that calibration measured."""
    if picture.shutter:
        return replace(state, last_arrived_s=t_s, changed_s=picture.t_s, shutter=True, shutter_s=picture.t_s)
    same = state.centikelvin is not None and np.array_equal(state.centikelvin, picture.centikelvin)
    changed = state.changed_s if same else picture.t_s
    floor = state.floor_centikelvin if same else _floor(picture.centikelvin)
    at_edge, tries = state.at_edge, state.spread_tries
    if at_edge is None and tries < SPREAD_TRIES:
        at_edge, tries = measured_at_edge(degrees(picture, floor_centikelvin=floor)), tries + 1
    return ThermalWatch(
        last_t_s=picture.t_s,
        last_arrived_s=t_s,
        centikelvin=picture.centikelvin,
        changed_s=changed,
        shutter=False,
        floor_centikelvin=floor,
        spread=relied_on(stated, at_edge),
        at_edge=at_edge,
        spread_tries=tries,
        shutter_s=state.shutter_s,
    )


def _floor(centikelvin: Counts) -> int | None:
    """Lowest value of the picture where it is the end of the scale; None where it is a temperature."""
    pixels = np.bincount(centikelvin.ravel())
    pixels[0] = 0
    values = np.flatnonzero(pixels)
    if not len(values):
        return None
    lowest, above = int(pixels[values[0]]), int(pixels[values[1:4]].max(initial=0))
    crowded = lowest > FEW_PIXELS * centikelvin.size or (lowest >= CROWD and lowest > CROWD_SHARE * above)
    return int(values[0]) if crowded else None


def degrees(picture: ThermalPicture, *, floor_centikelvin: int | None) -> Floats:
    """Temperatures in degC, NaN where the picture has no reading or it is off the scale."""
    low = 0 if floor_centikelvin is None else floor_centikelvin
    degc = picture.centikelvin.astype(np.float64) / 100.0 - 273.15
    believable = (degc >= LEAST_DEGC) & (degc <= MOST_DEGC)
    return np.where((picture.centikelvin > low) & believable, degc, np.nan)
