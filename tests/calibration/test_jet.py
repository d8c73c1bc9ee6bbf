"""A jet that is not as its class is comes out of bursts within its bounds, and bad bursts are refused."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from calibration.burst import Burst
from calibration.jet import JetFound, find_jet, flow_w_m2
from calibration.jet_command import table_of_jet, told
from calibration.jet_part import jet_part
from calibration.rig_text import Toml, rig_text
from models.catalogue import load_devices
from models.jet import half_radius_mm
from models.jet_cooling import jet_film
from models.jet_profile import JetProfile
from models.rig_file import read_rig, write_rig
from tests.calibration.jet_scenes import EFFUSIVITY, burst_of
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene, TrueJet

LN2 = load_devices()["ln2-wand"]
TRUE = TrueJet(half_mm=9.0, spread=0.13, film_w_m2k=160.0, power=0.7, gas_degc=-75.0)


def solved(bursts: list[Burst]) -> JetFound:
    return find_jet(bursts, LN2, bore_mm=12.0, effusivity=EFFUSIVITY, effusivity_u95=0.05)


@pytest.fixture(scope="module")
def bursts() -> list[Burst]:
    return [burst_of(TRUE, distance, seed=k) for k, distance in enumerate((75.0, 140.0))]


@pytest.fixture(scope="module")
def found(bursts: list[Burst]) -> JetFound:
    return solved(bursts)


def thinned(burst: Burst) -> Burst:
    """A third of its spots: enough to be refused by."""
    return replace(
        burst,
        position_mm=burst.position_mm[::3],
        degc=burst.degc[:, ::3],
        doubt_degc=burst.doubt_degc[:, ::3],
        before_degc=burst.before_degc[::3],
    )


def profile_of(found: JetFound) -> JetProfile:
    assert found.refusal is None, found.refusal
    assert found.profile is not None
    return found.profile


def test_the_footprint_is_found_within_its_bound(found: JetFound) -> None:
    profile = profile_of(found)
    for distance in (75.0, 100.0, 140.0):
        true_mm = TRUE.half_mm + TRUE.spread * distance
        off_mm = abs(profile.half_radius_mm(distance) - true_mm)
        assert off_mm <= profile.half_u95_mm(distance)
        assert off_mm < 0.25 * abs(half_radius_mm(distance, bore_mm=12.0) - true_mm)


def test_the_flow_of_heat_is_found_within_its_factor_and_better_than_by_the_class(found: JetFound) -> None:
    """The profile states it square on; the nozzle leaned by 20 degrees."""
    profile = profile_of(found)
    for distance in (75.0, 100.0, 140.0):
        film = TRUE.film_w_m2k * (distance / 100.0) ** -TRUE.power / np.cos(np.radians(20.0))
        true = film * (10.0 - TRUE.gas_degc)
        ratio = flow_w_m2(profile, distance) / true
        assert 1.0 / profile.within_factor <= ratio <= profile.within_factor
        by_class = flow_w_m2(found.usual, distance) / true
        assert abs(np.log(ratio)) < 0.3 * abs(np.log(by_class))


def test_values_lie_within_their_own_bounds(found: JetFound) -> None:
    profile = profile_of(found)
    assert profile.covariance is not None
    bound = 1.96 * np.sqrt(np.diag(profile.covariance))
    true_film = TRUE.film_w_m2k * (profile.distance_mm / 100.0) ** -TRUE.power / np.cos(np.radians(20.0))
    assert abs(np.log(profile.film_w_m2k / true_film)) <= bound[2]
    assert abs(profile.gas_degc - TRUE.gas_degc) <= bound[4]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda b: replace(b, seen=0.5), "turn its tags"),
        (lambda b: replace(b, before_degc=b.before_degc - 12.0), "warm it"),
        (lambda b: replace(b, before_spread_degc=2.0), "uneven"),
        (lambda b: replace(b, gas_s=((1.0, 1.9),)), "too short"),
        (lambda b: replace(b, gas_s=((1.0, 20.0),)), "too long"),
        (lambda b: replace(b, rough_mm=8.0), "off a plane"),
        (lambda b: replace(b, degc=b.before_degc + 0.1 * (b.degc - b.before_degc)), "cooled by"),
    ],
)
def test_a_recording_that_will_not_do_is_refused_by_name(
    bursts: list[Burst], spoil: Callable[[Burst], Burst], words: str
) -> None:
    told_ = solved([bursts[0], spoil(bursts[1])])
    assert told_.refusal is not None
    assert words in told_.refusal
    assert bursts[1].name in told_.refusal


def test_distances_too_alike_are_refused(bursts: list[Burst]) -> None:
    refusal = solved([bursts[0], bursts[0]]).refusal
    assert refusal is not None
    assert "the nearest" in refusal


def test_a_draught_is_refused(bursts: list[Burst]) -> None:
    one, other = thinned(bursts[0]), thinned(bursts[1])
    blown = np.clip(one.t_s - 1.0, 0.0, None)[:, None] * 1.2
    refusal = solved([replace(one, degc=one.degc - blown), other]).refusal
    assert refusal is not None
    assert "draught" in refusal or "fog" in refusal


def test_fog_before_the_camera_is_refused(bursts: list[Burst]) -> None:
    """Clouds colder by up to 6 degC drift over the surface."""
    other, one = thinned(bursts[0]), thinned(bursts[1])
    wave = np.sin(one.position_mm[:, 0] / 9.0 + 5.0 * one.t_s[:, None]) > 0.3
    refusal = solved([other, replace(one, degc=one.degc - 6.0 * wave * (one.t_s[:, None] > 1.0))]).refusal
    assert refusal is not None
    assert "fog" in refusal or "draught" in refusal


@pytest.mark.parametrize("off_degc", [8.0, -6.0])
def test_a_hand_that_passes_during_the_gas_is_told_with_its_time(
    bursts: list[Burst], off_degc: float
) -> None:
    """Two pictures of 19, 1.3 and 1.5 s after the gas was told, of something warmer or colder."""
    other, one = thinned(bursts[0]), thinned(bursts[1])
    passes = (one.t_s > 2.2) & (one.t_s < 2.6)
    assert passes.sum() == 2
    refusal = solved([other, replace(one, degc=one.degc + off_degc * passes[:, None])]).refusal
    assert refusal is not None
    assert one.name in refusal
    assert "2 thermal pictures, the first 1.3 s after gas was told, the last 1.5 s after" in refusal


def test_ice_cold_fog_during_the_gas_is_told_with_its_time_too(bursts: list[Burst]) -> None:
    other, one = thinned(bursts[0]), thinned(bursts[1])
    passes = np.abs(one.t_s - 2.3) < 0.05
    refusal = solved([other, replace(one, degc=np.where(passes[:, None], -12.0, one.degc))]).refusal
    assert refusal is not None
    assert "1.3 s after gas was told" in refusal


def test_the_rig_keeps_the_jet_and_analysis_uses_it_in_place_of_the_class(found: JetFound) -> None:
    profile = profile_of(found)
    scene = Scene(zone="calf")
    rig, _ = read_rig(write_rig(real_rig(scene)), where="real")
    kept, _ = read_rig(write_rig(replace(rig, jet=profile)), where="with jet")
    assert kept.jet is not None
    assert kept.jet.covariance == pytest.approx(profile.covariance)
    weight = np.array([0.0, 0.5, 1.0])
    film = jet_film(LN2, weight=weight, distance_mm=100.0, bore_mm=12.0, profile=kept.jet)
    assert film.film_w_m2k == pytest.approx(weight * film.film_w_m2k[2])
    into_cold = film.film_w_m2k[2] * (10.0 - film.gas_degc[2])
    assert into_cold == pytest.approx(max(flow_w_m2(profile, 100.0), flow_w_m2(found.usual, 100.0)), rel=0.01)
    beyond = jet_film(LN2, weight=weight, distance_mm=300.0, bore_mm=12.0, profile=kept.jet)
    assert beyond.within_factor[2] > film.within_factor[2]
    tables: Toml = tomllib.loads(write_rig(rig))
    tables["jet"] = table_of_jet(profile)
    again, warnings = read_rig(rig_text(tables, now=rig.created), where="calibrated")
    assert warnings == ()
    assert again.jet is not None
    assert again.jet.half_mm == pytest.approx(profile.half_mm, rel=1e-6)


def test_the_page_shows_what_was_seen_beside_the_profile(found: JetFound) -> None:
    profile = profile_of(found)
    assert found.fit is not None
    part = jet_part(found, found.fit, profile, effusivity=EFFUSIVITY, effusivity_u95=0.05)
    assert len(part.plots) == 4
    assert all("<polyline" in svg for _, svg in part.plots)
    assert any("class:" in line for line in told(found))
