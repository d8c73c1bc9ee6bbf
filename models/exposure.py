"""What each cell has had so far: dwell, temperatures, times below thresholds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from models.geometry import Bools, Floats, frozen

EXPOSURE_THRESHOLD_DEGC = 13.6
"""Local analgesia (Bugaj; see domain section 2); cold exposure counts degrees below it."""


@dataclass(frozen=True, eq=False)
class ExposureMap:
    """Accumulated over the session, one value a cell, each array of shape (n,)."""

    dwell_s: Floats
    """Jet-seconds: integral of the footprint weight over time in which the nozzle was seen; NaN where it
    could not be measured at all."""
    unseen_s: Floats
    """Jet-seconds that may have come in addition while the nozzle or the zone was not seen, and from the
    bounds of the pose."""
    min_degc: Floats
    """Lowest observed temperature; NaN where never observed."""
    min_u95_degc: Floats
    cold_exposure_degc_s: Floats
    below_10_s: Floats
    below_4_s: Floats
    below_2_s: Floats
    observed_s: Floats
    """Time during which the temperature was really observed."""
    blind_gas_s: Floats
    """Time in which gas may have reached the cell while neither nozzle nor temperature was observed."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in _ARRAYS:
            given = getattr(self, name)
            kept = frozen(given)
            if kept is not given:
                object.__setattr__(self, name, kept)

    @staticmethod
    def empty(cells: int) -> ExposureMap:
        """Nothing deposited, nothing observed yet."""
        zero, unknown = np.zeros(cells), np.full(cells, np.nan)
        return ExposureMap(zero, zero, unknown, unknown, zero, zero, zero, zero, zero, zero)

    @property
    def dwell_upper_s(self) -> Floats:
        """Upper 95 % bound of the dwell, time unaccounted for included."""
        return np.nan_to_num(self.dwell_s) + self.unseen_s


_ARRAYS = tuple(field.name for field in fields(ExposureMap))


@dataclass(frozen=True, eq=False)
class SkinTemperature:
    """Temperature of every cell as last seen, one value a cell."""

    degc: Floats
    """Last observed temperature, NaN where never observed."""
    u95_degc: Floats
    observed: Bools
    """Seen in a picture not older than 0.5 s."""
    t_s: Floats
    """Time of exposure of the last observation, NaN where never."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))
