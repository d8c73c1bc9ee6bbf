"""Collect what each capture told, row by row, for tables and curves."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np

from guidance.outcome import Trace
from guidance.session import Guidance
from models.chart import PixelZone, PlacedChart
from models.geometry import Floats
from models.sightings import Lost, NozzleSighting

_NAN = float("nan")
_NONE3 = (_NAN, _NAN, _NAN)


_NUMBERS = 20
"""A row, all that are numbers."""

_Word = TypeVar("_Word", bound=Hashable)


class _Words(Generic[_Word]):
    """What was told in words, one a row: few different ones, each kept once and named by a number."""

    def __init__(self) -> None:
        self._number_of: dict[_Word, int] = {}
        self._rows = array("H")

    def append(self, word: _Word) -> None:
        self._rows.append(self._number_of.setdefault(word, len(self._number_of)))

    def all(self) -> tuple[_Word, ...]:
        words = tuple(self._number_of)
        return tuple(words[number] for number in self._rows)


class TraceRows:
    """Grows by one row a capture: 168 bytes, 0.3 MB a minute at 30 captures a second.

    The report shows the whole session, so none of it may go. As objects of Python it was 720 bytes.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._numbers = array("d")
        self._nozzle_state = _Words[str]()
        self._zone_state = _Words[str]()
        self._status = _Words[tuple[str, ...]]()
        self._advice = _Words[str]()

    def add(self, guidance: Guidance) -> None:
        """Append one capture."""
        nozzle, jet = guidance.nozzle, guidance.jet
        if isinstance(nozzle, NozzleSighting):
            seen = (nozzle.tags_used, *nozzle.tip_rgb_mm, *nozzle.axis_rgb, nozzle.tip_u95_mm)
        else:
            seen = (_NAN, *_NONE3, *_NONE3, _NAN)
        spot = (jet.distance_mm, jet.distance_u95_mm, jet.incidence_deg) if jet else _NONE3
        skin = (
            guidance.skin_min_degc,
            guidance.skin_min_u95_degc,
            guidance.time_to_limit_s,
            guidance.zone_mean_degc,
            guidance.zone_observed_share,
        )
        speed_cm_s = jet.speed_cm_s if jet else None
        self._numbers.extend(
            (
                guidance.t_s,
                float(guidance.index is not None),
                float(guidance.gas_now),
                *(float(x) for x in seen),
                *spot,
                *(_NAN if x is None else x for x in skin),
                _NAN if speed_cm_s is None else speed_cm_s,
            )
        )
        self._nozzle_state.append(nozzle.state)
        self._zone_state.append(zone_state(guidance.zone))
        self._status.append(guidance.status)
        self._advice.append(guidance.sweep.advice if guidance.sweep else "")

    def trace(self) -> Trace:
        """All rows as arrays."""
        table: Floats = np.array(self._numbers, float).reshape(-1, _NUMBERS)
        return Trace(
            t_s=table[:, 0],
            is_colour=table[:, 1] > 0.0,
            gas=table[:, 2] > 0.0,
            nozzle_state=self._nozzle_state.all(),
            tags_used=table[:, 3],
            tip_rgb_mm=table[:, 4:7],
            axis_rgb=table[:, 7:10],
            tip_u95_mm=table[:, 10],
            distance_mm=table[:, 11],
            distance_u95_mm=table[:, 12],
            incidence_deg=table[:, 13],
            zone_state=self._zone_state.all(),
            skin_min_degc=table[:, 14],
            skin_min_u95_degc=table[:, 15],
            time_to_limit_s=table[:, 16],
            zone_mean_degc=table[:, 17],
            zone_observed_share=table[:, 18],
            status=self._status.all(),
            speed_cm_s=table[:, 19],
            sweep_advice=self._advice.all(),
        )


def zone_state(zone: PlacedChart | PixelZone | Lost) -> str:
    """``placed``, ``held`` or ``lost``."""
    return "lost" if isinstance(zone, Lost) else zone.state
