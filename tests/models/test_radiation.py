"""What emissivity, reflection and air do: against tables, an integral, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from models.radiation import (
    KELVIN,
    Air,
    Band,
    Planck,
    Surroundings,
    effects,
    object_degc,
    seen_degc,
    seen_signal,
    share_below,
)

BAND = Band()
CAMERA = Planck(r1=14_000.0, r2=0.015, b=1_428.0, f=1.0, o=-6_000.0)
ROOM = Surroundings(0.98, 22.0, Air(22.0, 0.5), 1.0)


@pytest.mark.parametrize(
    ("wavelength_times_kelvin", "share"),
    [
        (1000.0, 0.0003),
        (2000.0, 0.0667),
        (2897.8, 0.2501),
        (4000.0, 0.4809),
        (6000.0, 0.7378),
        (10_000.0, 0.9142),
    ],
)
def test_share_of_a_black_body_agrees_with_the_tables(wavelength_times_kelvin: float, share: float) -> None:
    """Any text book's table of F(0 to lambda T), to its four digits."""
    assert share_below(np.array([wavelength_times_kelvin]))[0] == pytest.approx(share, abs=6e-5)


@pytest.mark.parametrize("degc", [-20.0, 2.0, 33.0])
def test_the_band_holds_what_plancks_law_integrates_to(degc: float) -> None:
    """CODATA constants; tolerance: linear interpolation of the table, 1e-7 of the signal."""
    c1_w_m2, c2_m_k, sigma = 3.741771852e-16, 1.438776877e-2, 5.670374419e-8
    kelvin = degc + KELVIN
    watts, _ = quad(lambda x: c1_w_m2 / x**5 / np.expm1(c2_m_k / (x * kelvin)), 8e-6, 14e-6)
    assert BAND.signal(degc) * sigma == pytest.approx(watts, rel=1e-7)


@pytest.mark.parametrize("curve", [BAND, CAMERA])
def test_a_curve_and_its_inverse_cancel(curve: Band | Planck) -> None:
    degc = np.array([-40.0, 0.0, 2.0, 33.3, 90.0])
    np.testing.assert_allclose(curve.degc(curve.signal(degc)), degc, atol=1e-6)


@pytest.mark.parametrize("curve", [BAND, CAMERA])
@given(
    degc=st.floats(-50.0, 60.0),
    emissivity=st.floats(0.5, 1.0),
    reflected=st.floats(-40.0, 60.0),
    air=st.floats(0.0, 40.0),
    humidity=st.floats(0.0, 1.0),
    distance_m=st.floats(0.0, 5.0),
)
def test_correcting_undoes_what_the_surroundings_did(
    curve: Band | Planck,
    degc: float,
    emissivity: float,
    reflected: float,
    air: float,
    humidity: float,
    distance_m: float,
) -> None:
    """Tolerance 1e-4 degC: the band's table is linear between steps of 0.05 K."""
    around = Surroundings(emissivity, reflected, Air(air, humidity), distance_m)
    seen = seen_signal(np.array([degc]), curve=curve, around=around)
    assert object_degc(seen, curve=curve, around=around)[0] == pytest.approx(degc, abs=1e-4)


def test_cold_skin_in_a_warm_room_reads_half_a_degree_too_warm() -> None:
    """Measured before: 0.4 to 0.5 degC at 2 degC with surroundings of 22 degC and emissivity taken as 1."""
    around = Surroundings(0.98, 22.0, Air(22.0, 0.5), 0.0)
    assert 0.4 < float(seen_degc(np.array(2.0), curve=BAND, around=around)) - 2.0 < 0.5


def test_nothing_changes_where_skin_air_and_room_are_equally_warm() -> None:
    around = Surroundings(0.9, 22.0, Air(22.0, 0.5), 2.0)
    assert float(seen_degc(np.array(22.0), curve=BAND, around=around)) == pytest.approx(22.0, abs=1e-6)


def test_a_black_body_without_air_reads_right() -> None:
    around = Surroundings(1.0, 22.0, Air(22.0, 0.5), 0.0)
    assert float(seen_degc(np.array(2.0), curve=BAND, around=around)) == pytest.approx(2.0, abs=1e-6)


def test_the_parts_of_an_effect_add_up_to_what_is_taken_out() -> None:
    (effect,) = effects(curve=CAMERA, around=ROOM, at_degc=(2.0,))
    reads = 2.0 + effect.total_degc
    assert object_degc(CAMERA.signal(reads), curve=CAMERA, around=ROOM) == pytest.approx(2.0, abs=1e-9)
    assert effect.emissivity_degc < 0.0 < effect.reflection_degc
    assert effect.air_degc > 0.0


def test_the_band_stands_in_for_a_cameras_own_curve() -> None:
    """Measured with the curves of four FLIR cameras: the whole correction differs by at most 0.005 degC."""
    for b in (1395.0, 1428.0, 1448.0):
        own = effects(curve=Planck(14_000.0, 0.015, b, 1.0, -6_000.0), around=ROOM, at_degc=(2.0, 10.0, 30.0))
        band = effects(curve=BAND, around=ROOM, at_degc=(2.0, 10.0, 30.0))
        for mine, theirs in zip(band, own, strict=True):
            assert mine.total_degc == pytest.approx(theirs.total_degc, abs=0.01)


def test_humidity_is_a_share() -> None:
    """Taken as percent it puts cold skin off by degrees: a peer's trap (1.8 degC at 0 degC)."""
    assert Air(22.0, 0.5).transmission(1.0) == pytest.approx(0.993, abs=0.002)
    assert Air(22.0, 0.9).transmission(1.0) < Air(22.0, 0.2).transmission(1.0) < 1.0


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_more_air_lets_less_through(one_m: float, more_m: float) -> None:
    air = Air(22.0, 0.5)
    assert air.transmission(one_m + more_m) <= air.transmission(one_m) + 1e-12
