"""Known points that the nozzle's tip was held on, told by the tip's resting near one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats
from models.sightings import Lost, NozzleSighting

REST_S, REST_MM = 0.4, 1.5
"""A tip that stays so long within so much touches something."""
LEAST_SEEN = 4
"""Sightings in that time."""
NEAR_MM = 12.0
"""How far from a known point a touch may seem to be: half the way to the next corner of the printed board."""


@dataclass(frozen=True, eq=False)
class Touch:
    """The nozzle's tip held still on a known point."""

    point: str
    off_nozzle_mm: Floats
    """The point less where the rig says the tip is, nozzle frame, shape (3,)."""
    covariance_mm2: Floats
    """Of where the tip is seen, nozzle frame, shape (3, 3)."""


class Touches:
    """Takes sightings in order of time."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.points_rgb_mm: dict[str, Floats] = {}
        """Known points by name, as last seen; they may be hidden by the nozzle while it touches them."""
        self._found: list[Touch] = []
        self._rest: list[NozzleSighting] = []

    def add(self, sighting: NozzleSighting | Lost) -> None:
        """One more sighting; a tip that moves on ends a touch."""
        if isinstance(sighting, Lost) or sighting.state != "tracked":
            return
        if self._rest and np.linalg.norm(sighting.tip_rgb_mm - self._rest[0].tip_rgb_mm) > REST_MM:
            self._end()
        self._rest.append(sighting)

    def found(self) -> tuple[Touch, ...]:
        """All touches, one under way included."""
        self._end()
        return tuple(self._found)

    def _end(self) -> None:
        rested, self._rest = self._rest, []
        if len(rested) < LEAST_SEEN or rested[-1].t_s - rested[0].t_s < REST_S or not self.points_rgb_mm:
            return
        tip_rgb_mm = np.median([one.tip_rgb_mm for one in rested], axis=0)
        away = {name: float(np.linalg.norm(p - tip_rgb_mm)) for name, p in self.points_rgb_mm.items()}
        name = min(away, key=lambda one: away[one])
        if away[name] > NEAR_MM:
            return
        middle = rested[len(rested) // 2]
        turn = middle.rgb_from_nozzle.rotation
        spread = turn.T @ middle.point_covariance_mm2(middle.tip_rgb_mm) @ turn
        self._found.append(Touch(name, turn.T @ (self.points_rgb_mm[name] - tip_rgb_mm), spread))
