"""Treatment protocols and device profiles: figures with source and confidence, as validated data.

The figures themselves are in ``models/data/*.toml``; reading them is in `models.catalogue`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """Where a figure comes from."""

    source: str
    confidence: str
    """``high``, ``medium`` or ``low``."""


@dataclass(frozen=True)
class Ladder:
    """A warning and a STOP threshold; their order is checked where the protocol is read."""

    warn: float
    stop: float


@dataclass(frozen=True)
class DistanceBand:
    """Distance from orifice to skin along the jet, mm."""

    nominal_mm: float
    good_low_mm: float
    good_high_mm: float
    warn_low_mm: float
    warn_high_mm: float | None
    stop_low_mm: float


@dataclass(frozen=True)
class Protocol:
    """Limits and targets of one treatment mode."""

    name: str
    title: str
    device: str
    target_low_degc: float
    target_high_degc: float
    advisory_degc: float
    skin_degc: Ladder
    """Skin temperature limits: STOP at or below ``stop``."""
    predicted_s: Ladder
    """Predicted seconds to the STOP temperature."""
    confirm_pictures: int
    """Thermal pictures in a row that must show a limit passed."""
    distance: DistanceBand
    zone_time_s: Ladder
    """Gas-on seconds per tile of at most 150 cm2: default / absolute."""
    session_time_s: float
    static_speed_cm_s: float
    static_s: Ladder
    """Seconds in the same cm2 with the nozzle slower than ``static_speed_cm_s``."""
    dwell_s: Ladder
    """Jet-seconds per cm2: advisory / limit."""
    below_10_s: Ladder
    below_4_s: Ladder
    below_2_s: Ladder
    incidence_warn_deg: float
    approved_by: str | None
    """None: not approved by a clinician, and said so wherever it shows."""
    evidence: dict[str, Evidence]
    """By name of the figure above."""


@dataclass(frozen=True)
class JetFlow:
    """What is known of a device's free jet; `models.jet_cooling` makes film and gas temperature of it."""

    gas: str
    """``air``, ``nitrogen`` or ``carbon dioxide``."""
    outlet_m_s: float
    decay: float
    """Cold left on the axis is ``decay * bore / distance * sqrt(density ratio)``, at most all of it."""
    within_factor: float
    """95 %: the true film is at most so many times more or less than the estimate."""
    evidence: dict[str, Evidence]


@dataclass(frozen=True)
class Device:
    """Profile of a device class."""

    name: str
    title: str
    outlet_degc: float
    """Temperature of the gas at the orifice."""
    bore_mm: float
    """Usual bore; the rig's own bore overrides it."""
    film_w_m2k: float
    """Film coefficient in the jet's core at the nominal distance."""
    skin_gas_degc: float
    """Gas temperature at the skin in the core at the nominal distance."""
    flow: JetFlow
    evidence: dict[str, Evidence]
