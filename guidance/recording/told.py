"""What one step told, in figures that can be held against those of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from guidance.report.rows import zone_state
from guidance.session import Announcement, Guidance
from models.sightings import NozzleSighting


@dataclass(frozen=True)
class Standing:
    """One alarm that stands."""

    cause: str
    priority: str
    t_on_s: float


@dataclass(frozen=True)
class Told:
    """Figures and alarms of one step; floats to the last bit."""

    t_s: float
    nozzle_state: str
    tip_rgb_mm: tuple[float, float, float] | None
    distance_mm: float | None
    distance_u95_mm: float | None
    incidence_deg: float | None
    zone_state: str
    skin_min_degc: float | None
    skin_min_u95_degc: float | None
    time_to_limit_s: float | None
    zone_mean_degc: float | None
    gas_total_s: float
    unassigned_s: float
    peak_dwell_s: float | None
    active: tuple[Standing, ...]
    announcement: Announcement
    cells_sha256: str | None
    """Over exposure and temperature of every cell and the time of every tile; None before there are cells."""


def told_in(guidance: Guidance) -> Told:
    """The figures of one step."""
    nozzle, jet = guidance.nozzle, guidance.jet
    x, y, z = nozzle.tip_rgb_mm.tolist() if isinstance(nozzle, NozzleSighting) else (0.0, 0.0, 0.0)
    return Told(
        t_s=guidance.t_s,
        nozzle_state=nozzle.state,
        tip_rgb_mm=(x, y, z) if isinstance(nozzle, NozzleSighting) else None,
        distance_mm=jet.distance_mm if jet else None,
        distance_u95_mm=jet.distance_u95_mm if jet else None,
        incidence_deg=jet.incidence_deg if jet else None,
        zone_state=zone_state(guidance.zone),
        skin_min_degc=guidance.skin_min_degc,
        skin_min_u95_degc=guidance.skin_min_u95_degc,
        time_to_limit_s=guidance.time_to_limit_s,
        zone_mean_degc=guidance.zone_mean_degc,
        gas_total_s=guidance.gas_total_s,
        unassigned_s=guidance.unassigned_s,
        peak_dwell_s=float(guidance.exposure.dwell_s.max(initial=0.0)) if guidance.exposure else None,
        active=tuple(Standing(alarm.cause, alarm.priority, alarm.t_on_s) for alarm in guidance.active),
        announcement=guidance.announcement,
        cells_sha256=_cells_sha256(guidance),
    )


def _cells_sha256(guidance: Guidance) -> str | None:
    """Equal only where every bit of every cell is."""
    if guidance.exposure is None:
        return None
    digest = sha256()
    for message in (guidance.exposure, guidance.skin):
        for value in vars(message).values() if message is not None else ():
            digest.update(np.ascontiguousarray(value).tobytes())
    if guidance.tile_time_s is not None:
        digest.update(np.ascontiguousarray(guidance.tile_time_s).tobytes())
    return digest.hexdigest()
