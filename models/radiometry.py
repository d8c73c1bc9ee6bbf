"""How far a thermal camera reads off, as references told calibration, and what that is worth later.

A reading m is off by ``offset + gain (m - at)``. Beyond the referenced temperatures, with the time since the
shutter closed and with its age the bound grows, but never beyond what the camera's own claim leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.geometry import Floats, frozen

SURE = 1.96
"""Standard deviations in a 95 % bound."""

PARAMETERS = ("offset_degc", "gain", "drift_degc_per_min")
"""Names of what was estimated, in the order of its covariance."""

GAIN_U95 = 0.02
"""A camera whose offset is known at one temperature is off by so much of the distance to another: data sheets
give 2 degC or 2 % (domain section 5). Calibration replaces it between its references."""

HOLDS_DAYS = 30.0
"""An older one is not used at all; as the alarm ``calibration_old`` has it."""

CLAIM_HOLDS_DAYS = 365.0
"""A walk at random that uses up the camera's claim in so long: makers ask for a calibration once a year and
claim one accuracy until then. Own estimate; no published record of such drifts was found."""

UNFLAGGED_MIN = 3.0
"""So long may it have been since the shutter closed when a session begins: a Lepton's usual interval (domain
section 5)."""


@dataclass(frozen=True, eq=False)
class StatedRadiometry:
    """What calibration found with references of known temperature."""

    measured: datetime
    offset_degc: float
    """Readings of `at_degc` are so much too warm."""
    at_degc: float
    gain: float
    """Too much of each degree away from `at_degc`."""
    drift_degc_per_min: float
    """Between two closings of the shutter."""
    covariance: Floats
    """Of `PARAMETERS`, such that 1.96 times the root is a 95 % bound, shape (3, 3)."""
    residual_u95_degc: float
    """Bound of what differs from one closing of the shutter to the next, and over the picture."""
    references_degc: tuple[float, ...]
    """Temperatures that the references should have shown, rising."""

    def __post_init__(self) -> None:
        """Check the shape and freeze the array."""
        covariance = np.asarray(self.covariance, float)
        if covariance.shape != (3, 3):
            raise ValueError(f"The covariance of three figures has the shape {covariance.shape}.")
        object.__setattr__(self, "covariance", frozen(covariance))

    def off_degc(self, read_degc: Floats) -> Floats:
        """How much too warm readings of any shape are."""
        return self.offset_degc + self.gain * (read_degc - self.at_degc)

    def beyond_degc(self, degc: Floats) -> Floats:
        """How far temperatures lie outside the referenced ones, 0 between them."""
        low, high = self.references_degc[0], self.references_degc[-1]
        return np.maximum(np.maximum(low - degc, degc - high), 0.0)


@dataclass(frozen=True)
class Calibrated:
    """A calibrated camera at one moment of a session."""

    stated: StatedRadiometry
    claim_degc: float
    """Stated accuracy of the uncorrected camera, 95 % bound."""
    age_days: float
    """From calibration to session, whichever came first."""
    unshuttered_min: float
    """Since the shutter last closed, at most."""

    def corrected_degc(self, read_degc: Floats) -> Floats:
        """Readings of any shape without what calibration found."""
        return read_degc - self.stated.off_degc(read_degc)

    def claim_left_degc(self, degc: Floats) -> Floats:
        """95 % bound of corrected readings by the camera's own claim alone."""
        return self.claim_degc + np.abs(self.stated.off_degc(degc))

    def bound_degc(self, degc: Floats) -> Floats:
        """95 % bound of corrected readings."""
        stated = self.stated
        c, away = stated.covariance, degc - stated.at_degc
        fit = c[0, 0] + 2.0 * c[0, 1] * away + c[1, 1] * away**2
        drifts = (abs(stated.drift_degc_per_min) + SURE * np.sqrt(c[2, 2])) * self.unshuttered_min
        aged2 = self.claim_degc**2 * self.age_days / CLAIM_HOLDS_DAYS
        whole2 = SURE**2 * np.maximum(fit, 0.0) + (GAIN_U95 * stated.beyond_degc(degc)) ** 2
        whole2 += stated.residual_u95_degc**2 + drifts**2 + aged2
        return np.minimum(np.sqrt(whole2), self.claim_left_degc(degc))

    @property
    def u95_degc(self) -> float:
        """The worst of it between the references."""
        return float(self.bound_degc(np.array(self.stated.references_degc)).max())

    @property
    def claim_u95_degc(self) -> float:
        """The worst bound by the camera's claim alone between the references."""
        return float(self.claim_left_degc(np.array(self.stated.references_degc)).max())

    def between_degc(self, degc: Floats, at_degc: float) -> Floats:
        """95 % bound of how much more corrected readings are off than one at another temperature."""
        gain_u95 = SURE * float(np.sqrt(self.stated.covariance[1, 1]))
        beyond = self.stated.beyond_degc(degc) + self.stated.beyond_degc(np.array(at_degc))
        return np.hypot(gain_u95 * (degc - at_degc), GAIN_U95 * beyond)


def calibrated_at(
    stated: StatedRadiometry | None,
    *,
    claim_degc: float,
    started: datetime,
    unshuttered_min: float = UNFLAGGED_MIN,
) -> Calibrated | None:
    """What calibration tells of a camera at a time of day; None where it never was, or too long ago.

    Args:
        stated: Of the rig.
        claim_degc: Accuracy that the camera claims, 95 %.
        started: When it was looked at; one without an offset is compared as it stands.
        unshuttered_min: Since the shutter last closed, at most.
    """
    if stated is None:
        return None
    measured = stated.measured
    if measured.tzinfo is None or started.tzinfo is None:
        measured, started = measured.replace(tzinfo=None), started.replace(tzinfo=None)
    days = abs((started - measured).total_seconds()) / 86400.0
    return None if days > HOLDS_DAYS else Calibrated(stated, claim_degc, days, unshuttered_min)
