"""A device's jet as calibration measured it, in place of the profile of its class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats

PARAMETERS = ("half_mm", "spread", "log_film", "power", "gas_degc")
"""Of its covariance."""


@dataclass(frozen=True, eq=False)
class JetProfile:
    """Footprint and cooling by distance.

    Half radius ``half_mm + spread * distance``; film on the axis ``film_w_m2k * (distance / distance_mm) **
    -power``, towards gas of ``gas_degc``; across the jet the film falls as the footprint weight does.
    """

    device: str
    """Device class that it was measured on; of no other."""
    half_mm: float
    spread: float
    film_w_m2k: float
    distance_mm: float
    """At which the film is stated."""
    power: float
    gas_degc: float
    from_mm: float
    to_mm: float
    """Distances over which it was measured."""
    within_factor: float
    """95 %: the true film is at most so many times more or less, over these distances."""
    covariance: Floats | None = None
    """1 sigma squared, in the order of `PARAMETERS`, shape (5, 5)."""

    def half_radius_mm(self, distance_mm: float) -> float:
        """Radius at which the weight is one half."""
        return self.half_mm + self.spread * max(distance_mm, 0.0)

    def film_at_w_m2k(self, distance_mm: float) -> float:
        """Film on the axis, square on to the skin."""
        return self.film_w_m2k * (max(distance_mm, 1.0) / self.distance_mm) ** -self.power

    def half_u95_mm(self, distance_mm: float) -> float:
        """95 % bound of the half radius."""
        if self.covariance is None:
            return 0.0
        way = np.array([1.0, distance_mm])
        return 1.96 * float(np.sqrt(max(way @ self.covariance[:2, :2] @ way, 0.0)))

    def measured_at(self, distance_mm: float) -> bool:
        """Whether this distance lies among those measured, or nearly (a tenth)."""
        return 0.9 * self.from_mm <= distance_mm <= 1.1 * self.to_mm
