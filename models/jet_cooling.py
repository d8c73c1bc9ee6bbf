"""How strongly a jet cools the skin: film and gas temperature of every cell, from the device profile.

Film: Martin's correlation for a round nozzle, ``Nu = G F Pr^0.42`` (Incropera, Fundamentals of Heat and Mass
Transfer, chapter 7), valid for 2e3 <= Re <= 4e5, 2 <= H/D <= 12 and 2.5 <= r/D <= 7.9. Gas: a cold free jet
keeps its temperature in its core and then warms as it takes in room air. Across the jet both follow the
footprint, so that cells under weight w take ``w h (T_gas - T)``; the room air that the jet drags along would
warm skin colder than the room and is left out: the side on which a warning comes early.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from models.geometry import Floats, frozen
from models.jet import half_radius_mm
from models.jet_profile import JetProfile
from models.protocol import Device

ROOM_DEGC = 22.0
"""Rooms are 18-24 degC (domain section 8)."""

NEAREST_BORES, FARTHEST_BORES = 2.0, 12.0
"""Martin's range of distance over bore; nearer and farther it is taken at the range's end and widened."""

LEAST_REYNOLDS, MOST_REYNOLDS = 2e3, 4e5

FLAT_BORES = 2.5
"""Martin's range of radius begins here; nearer to the axis the film is taken as even."""

OUTSIDE_FACTOR = 1.5
"""The bound widens by this factor where the correlation does not hold. Own estimate."""

OBLIQUE_DEG = 45.0
"""Beyond this the jet is taken as degraded (domain section 3) and the bound widened."""

FLOW_INTO_DEGC = 10.0
"""A measured jet is known best by the flow of heat into skin of this temperature."""

WARM_DEGC = 36.0
"""Skin before it is cooled is no warmer (31 to 35 degC, domain section 3)."""

SKIN_DEGC = 20.0
"""Gas properties are taken half way between jet and skin of this temperature."""


@dataclass(frozen=True)
class Gas:
    """Power laws about 273 K (White, Viscous Fluid Flow, tables 1-2 and 1-3), at room pressure."""

    density_kg_m3: float
    viscosity_pa_s: float
    viscosity_power: float
    conducts_w_mk: float
    conducts_power: float
    prandtl: float

    def reynolds(self, speed_m_s: float, bore_mm: float, *, degc: float) -> float:
        """Reynolds number of a flow at a temperature."""
        ratio = (degc + 273.15) / 273.15
        viscosity_m2_s = self.viscosity_pa_s / self.density_kg_m3 * ratio ** (self.viscosity_power + 1.0)
        return speed_m_s * bore_mm * 1e-3 / viscosity_m2_s


GASES = {
    "air": Gas(1.293, 1.716e-5, 0.666, 0.0241, 0.81, 0.72),
    "nitrogen": Gas(1.250, 1.663e-5, 0.67, 0.0242, 0.74, 0.72),
    "carbon dioxide": Gas(1.977, 1.370e-5, 0.79, 0.0146, 1.30, 0.76),
}


@dataclass(frozen=True)
class JetCore:
    """A jet on its axis, square on to the skin."""

    film_w_m2k: float
    gas_degc: float
    within_factor: float
    """95 %: the true film is at most so many times more or less."""


@dataclass(frozen=True, eq=False)
class JetFilm:
    """What the jet does to every cell, shape (n,) each."""

    film_w_m2k: Floats
    """0 where the jet does not reach."""
    gas_degc: Floats
    within_factor: Floats

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))

    @staticmethod
    def none(cells: int) -> JetFilm:
        """No gas flows."""
        return JetFilm(np.zeros(cells), np.full(cells, ROOM_DEGC), np.ones(cells))

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.film_w_m2k)


def core_of(
    device: Device, *, distance_mm: float, bore_mm: float | None = None, air_degc: float = ROOM_DEGC
) -> JetCore:
    """The jet where its axis meets the skin.

    Args:
        device: Profile of the device class.
        distance_mm: From the orifice along the axis.
        bore_mm: Of this nozzle, where it is known; else the profile's.
        air_degc: Temperature of the room.

    Raises:
        ValueError: If distance or bore is not positive.
    """
    flow, bore_mm = device.flow, device.bore_mm if bore_mm is None else bore_mm
    if not (distance_mm > 0.0 and bore_mm > 0.0):
        raise ValueError(f"A jet of {bore_mm} mm bore has no core at {distance_mm} mm.")
    gas, bores = GASES[flow.gas], distance_mm / bore_mm
    dense = gas.density_kg_m3 / GASES["air"].density_kg_m3
    dense *= (air_degc + 273.15) / (device.outlet_degc + 273.15)
    left = min(1.0, flow.decay / bores * math.sqrt(dense))
    gas_degc = air_degc + left * (device.outlet_degc - air_degc)
    between = (gas_degc + SKIN_DEGC) / 2.0
    reynolds = gas.reynolds(flow.outlet_m_s, bore_mm, degc=between)
    drive = 2.0 * math.sqrt(reynolds * (1.0 + 0.005 * reynolds**0.55)) * gas.prandtl**0.42
    conducts = gas.conducts_w_mk * ((between + 273.15) / 273.15) ** gas.conducts_power
    film = float(_spread(np.array([FLAT_BORES]), bores)[0]) * drive * conducts / (bore_mm * 1e-3)
    valid = NEAREST_BORES <= bores <= FARTHEST_BORES and LEAST_REYNOLDS <= reynolds <= MOST_REYNOLDS
    return JetCore(film, gas_degc, flow.within_factor * (1.0 if valid else OUTSIDE_FACTOR))


def _spread(radius_bores: Floats, distance_bores: float) -> Floats:
    """Martin's G, averaged over the disc within a radius; both in bores."""
    offset = _offset(distance_bores)
    return (radius_bores - 1.1) / (radius_bores * (radius_bores + offset))


def jet_film(
    device: Device,
    *,
    weight: Floats,
    distance_mm: float,
    incidence_deg: Floats | float = 0.0,
    bore_mm: float | None = None,
    air_degc: float = ROOM_DEGC,
    profile: JetProfile | None = None,
) -> JetFilm:
    """The jet's film on every cell.

    Args:
        device: Profile of the device class.
        weight: Footprint of the jet on the cells, 0..1, shape (n,).
        distance_mm: From the orifice to the skin along the axis.
        incidence_deg: Between the jet and the cells' inward normals, a number or shape (n,); what of the
            footprint is stretched by a slant is in the weights, the peak falls with the cosine.
        bore_mm: Of this nozzle, where it is known.
        air_degc: Temperature of the room.
        profile: The jet as measured: its footprint and flow of heat, where the latter is not below the
            class', in place of what follows from its class.

    Returns:
        Film, gas temperature and bound of every cell; outside the footprint no film.
    """
    bore_mm = device.bore_mm if bore_mm is None else bore_mm
    core = core_of(device, distance_mm=distance_mm, bore_mm=bore_mm, air_degc=air_degc)
    if profile is not None:
        return _as_measured(
            profile, core, weight=weight, distance_mm=distance_mm, incidence_deg=incidence_deg
        )
    reached = weight > 0.0
    half_bores = half_radius_mm(distance_mm, bore_mm=bore_mm) / bore_mm
    radius_bores = half_bores * np.sqrt(-np.log2(np.clip(weight, 1e-3, 1.0)))
    slant = np.broadcast_to(np.asarray(incidence_deg, dtype=np.float64), weight.shape)
    film = core.film_w_m2k * _local(radius_bores, distance_mm / bore_mm) * weight
    film = film * np.clip(np.cos(np.radians(slant)), 0.0, 1.0)
    factor = np.where(slant > OBLIQUE_DEG, core.within_factor * OUTSIDE_FACTOR, core.within_factor)
    return JetFilm(
        np.where(reached, film, 0.0),
        np.full(weight.shape, core.gas_degc),
        np.where(reached, factor, 1.0),
    )


def _as_measured(
    profile: JetProfile, core: JetCore, *, weight: Floats, distance_mm: float, incidence_deg: Floats | float
) -> JetFilm:
    """The measured footprint and flow of heat, on the side of the class' jet on which a warning comes early.

    Pictures tell the flow of heat, hardly what of it is film and what gas; and skin that is foretold falls on
    into colder temperatures than were seen, where warmer gas cools it less. So the gas is the colder one of
    class and measurement, the film carries the measured flow into skin of `FLOW_INTO_DEGC`, and a flow below
    the class' is only inside the bound: the session's own pictures take the cells there. No cosine of the
    slant: whether a stretched footprint cools its middle less was not measured.
    """
    slant = np.broadcast_to(np.asarray(incidence_deg, dtype=np.float64), weight.shape)
    gas_degc = min(profile.gas_degc, core.gas_degc)
    # Gas that is hardly colder than the skin at its limit has its flow stated into warm skin.
    into_degc = FLOW_INTO_DEGC if profile.gas_degc < 0.0 else WARM_DEGC
    measured = profile.film_at_w_m2k(distance_mm) * (into_degc - profile.gas_degc) / (into_degc - gas_degc)
    # What is no less into warm skin is no less into colder, for the gas is no warmer.
    film = max(measured, core.film_w_m2k * (WARM_DEGC - core.gas_degc) / (WARM_DEGC - gas_degc))
    within = profile.within_factor * film / measured
    within *= 1.0 if profile.measured_at(distance_mm) else OUTSIDE_FACTOR
    factor = np.where(slant > OBLIQUE_DEG, within * OUTSIDE_FACTOR, within)
    reached = weight > 0.0
    return JetFilm(
        np.where(reached, film * weight, 0.0),
        np.full(weight.shape, gas_degc),
        np.where(reached, factor, 1.0),
    )


def _local(radius_bores: Floats, distance_bores: float) -> Floats:
    """Film at a radius over the film on the axis: even at first, then as Martin's mean demands it."""
    offset, flat = _offset(distance_bores), np.array(FLAT_BORES)

    def local(x: Floats) -> Floats:
        return ((2.0 * x - 1.1) * (x + offset) - x * (x - 1.1)) / (2.0 * x * (x + offset) ** 2)

    return local(np.maximum(radius_bores, flat)) / local(flat)


def _offset(distance_bores: float) -> float:
    """Martin's term in H/D, held at the ends of its range."""
    return 0.1 * (min(max(distance_bores, NEAREST_BORES), FARTHEST_BORES) - 6.0)
