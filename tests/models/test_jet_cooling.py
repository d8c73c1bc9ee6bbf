"""The jet's film and gas temperature against tabulated estimates, and where they are not valid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.catalogue import load_devices, load_protocols
from models.jet_cooling import OUTSIDE_FACTOR, core_of, jet_film
from models.protocol import Device, Protocol

DEVICES = load_devices()
DISTANCES_MM = (50.0, 100.0, 150.0, 200.0)

ESTIMATES = {
    "LN2, 10 mm, 10 m/s": ("ln2-wand", 10.0, 10.0, -150.0, (119, 98, 92, 92), (-150, -85, -49, -32)),
    "LN2, 15 mm, 6 m/s": ("ln2-wand", 15.0, 6.0, -150.0, (80, 69, 61, 57), (-150, -139, -85, -58)),
    "air, 15 mm, 10 m/s": ("chilled-air", 15.0, 10.0, -30.0, (103, 89, 79, 74), (-30, -19, -5, 2)),
    "air, 20 mm, 15 m/s": ("chilled-air", 20.0, 15.0, -30.0, (125, 112, 101, 93), (-30, -30, -14, -5)),
}
"""Domain section 3, estimates there: device, bore, speed, outlet, film, gas at 5, 10, 15, 20 cm."""


def nozzle(device: str, *, bore_mm: float, speed_m_s: float, outlet_degc: float) -> Device:
    profile = DEVICES[device]
    flow = replace(profile.flow, outlet_m_s=speed_m_s)
    return replace(profile, bore_mm=bore_mm, outlet_degc=outlet_degc, flow=flow)


@pytest.mark.parametrize("name", ESTIMATES)
def test_films_are_those_estimated_from_martins_correlation(name: str) -> None:
    """10 %: an estimate against an estimate, gas properties from another source."""
    device, bore_mm, speed_m_s, outlet_degc, films, _ = ESTIMATES[name]
    jet = nozzle(device, bore_mm=bore_mm, speed_m_s=speed_m_s, outlet_degc=outlet_degc)
    found = [core_of(jet, distance_mm=at_mm).film_w_m2k for at_mm in DISTANCES_MM]
    assert found == pytest.approx(films, rel=0.1)


@pytest.mark.parametrize("name", ESTIMATES)
def test_gas_temperatures_are_those_estimated_or_colder(name: str) -> None:
    """The table's LN2 rows use a decay of 4, its text 5: colder by up to 26 degC, the early side."""
    device, bore_mm, speed_m_s, outlet_degc, _, gas_degc = ESTIMATES[name]
    jet = nozzle(device, bore_mm=bore_mm, speed_m_s=speed_m_s, outlet_degc=outlet_degc)
    for at_mm, told_degc in zip(DISTANCES_MM, gas_degc, strict=True):
        assert told_degc - 27.0 <= core_of(jet, distance_mm=at_mm).gas_degc <= told_degc + 1.0


@pytest.mark.parametrize("protocol", load_protocols().values(), ids=lambda one: one.name)
def test_at_the_nominal_distance_the_jet_is_the_profiles_own(protocol: Protocol) -> None:
    """Flux into skin of 20 degC within the stated factor of the profile's film and gas."""
    device = DEVICES[protocol.device]
    core = core_of(device, distance_mm=protocol.distance.nominal_mm)
    told = device.film_w_m2k * (20.0 - device.skin_gas_degc)
    assert 1.0 / core.within_factor < core.film_w_m2k * (20.0 - core.gas_degc) / told < core.within_factor


@pytest.mark.parametrize("device", DEVICES)
def test_farther_away_the_jet_is_never_colder_nor_stronger(device: str) -> None:
    cores = [core_of(DEVICES[device], distance_mm=at_mm) for at_mm in np.arange(20.0, 400.0, 5.0)]
    assert np.all(np.diff([core.gas_degc for core in cores]) >= 0.0)
    assert np.all(np.diff([core.film_w_m2k * (20.0 - core.gas_degc) for core in cores]) <= 0.0)
    assert cores[0].gas_degc == DEVICES[device].outlet_degc


def test_outside_of_the_correlations_range_the_bound_is_wider() -> None:
    device = DEVICES["ln2-wand"]
    inside = core_of(device, distance_mm=10.0 * device.bore_mm)
    for bores in (1.5, 13.0):
        outside = core_of(device, distance_mm=bores * device.bore_mm)
        assert outside.within_factor == pytest.approx(OUTSIDE_FACTOR * inside.within_factor)


def test_the_footprint_carries_the_film_and_a_slant_weakens_it() -> None:
    weight = np.array([0.0, 0.01, 0.25, 0.5, 1.0])
    film = jet_film(DEVICES["ln2-wand"], weight=weight, distance_mm=120.0)
    core = core_of(DEVICES["ln2-wand"], distance_mm=120.0)
    assert film.film_w_m2k[0] == 0.0
    assert film.film_w_m2k[-1] == pytest.approx(core.film_w_m2k)
    assert np.all(film.film_w_m2k <= weight * core.film_w_m2k + 1e-9)
    assert np.all(np.diff(film.film_w_m2k) > 0.0)
    tilted = jet_film(DEVICES["ln2-wand"], weight=weight, distance_mm=120.0, incidence_deg=60.0)
    assert tilted.film_w_m2k == pytest.approx(film.film_w_m2k / 2.0)
    assert np.all(tilted.within_factor[1:] > film.within_factor[1:])


def test_a_jet_without_distance_is_refused() -> None:
    with pytest.raises(ValueError, match="no core at 0"):
        core_of(DEVICES["co2"], distance_mm=0.0)
