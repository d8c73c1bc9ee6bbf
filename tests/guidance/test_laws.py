"""Laws of jet on skin: gas is conserved, the place of the scene does not matter, bounds grow with noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.session import JetOnSkin
from guidance.stages.jet import meet_skin
from guidance.stages.skin import read_skin
from guidance.stages.state import OnSkin, Setup, State, begin
from models.capture import Capture, ThermalPicture
from models.chart import ZoneChart
from models.exposure import ExposureMap, SkinTemperature
from models.forecast import Cooling
from models.geometry import Floats, Pose
from models.jet import jet_weights
from models.mesh import ChartMesh
from models.sightings import Lost, NozzleSighting
from models.skin_track import SkinTrack
from models.verdict import verdicts
from tests.guidance.scripted import SCENE, setup_of
from tests.models.skin_scenes import bumpy, chart_on, cylinder, turned
from tests.rendered_limb import nozzle_over
from vision.followed import BodyTrack

SETUP = setup_of()
LIMB = chart_on(cylinder(60.0), rows=31, cols=25)
MIDDLE_MM = np.zeros(3)
GONE = Lost("no tag in the picture", 0.0)
BODY_COVARIANCE = np.diag([1e-6] * 3 + [0.25] * 3 + [25.0] * 3)


def laid(chart: ZoneChart, *, covariance: Floats = BODY_COVARIANCE) -> State:
    """A state in which the zone has just been placed; nothing was seen of jet and temperature."""
    n, unknown = len(chart), np.full(len(chart), np.nan)
    on_skin = OnSkin(
        chart=chart,
        mesh=ChartMesh.of(chart),
        body=BodyTrack.at_rest(0.0, covariance),
        exposure=ExposureMap.empty(n),
        skin=SkinTemperature(unknown, unknown, np.zeros(n, bool), unknown),
        beside=np.zeros(n, bool),
        between_s=unknown,
        warmer_degc=np.zeros(n),
        cooling=Cooling.unknown(n),
        model=SkinTrack.start(n, zone=SETUP.zone.name, t_s=0.0, room_degc=SETUP.treatment.room_degc),
        bounds_degc=np.full((SETUP.protocol.confirm_pictures, n), np.inf),
        tile_time_s=np.zeros(int(chart.tile.max()) + 1),
        jet=None,
        forecast=None,
        seen_hit_chart_mm=None,
        seen_hit_s=0.0,
        spot_unobserved_s=0.0,
        sweep=None,
        known=None,
        known_s=np.zeros((3, n)),
        known_jet_s=np.zeros((3, n)),
    )
    return replace(begin(), t_s=0.0, on_skin=on_skin)


def skin_of(state: State) -> OnSkin:
    assert state.on_skin is not None
    return state.on_skin


def advanced(
    state: State,
    nozzle: NozzleSighting | Lost,
    *,
    dt_s: float,
    gas_s: float,
    setup: Setup = SETUP,
    thermal: tuple[ThermalPicture, ...] = (),
) -> tuple[State, JetOnSkin | None]:
    """One capture, from a nozzle already found, on a body that was followed."""
    t_s = state.t_s + dt_s
    body = replace(skin_of(state).body, t_s=t_s, followed_s=t_s, in_colour_s=t_s)
    recent = (nozzle,) if isinstance(nozzle, NozzleSighting) else ()
    state = replace(
        state, t_s=t_s, nozzle=nozzle, recent_nozzles=recent, on_skin=replace(skin_of(state), body=body)
    )
    capture = Capture(t_s, None, None, thermal, (), gas_s=gas_s, gas_now=gas_s > 0.0)
    state, contact = meet_skin(state, capture, setup, dt_s=dt_s)
    state, _ = read_skin(state, capture, setup, contact=contact, dt_s=dt_s)
    return state, contact.jet


STEPS = st.lists(st.tuples(st.floats(0.02, 0.5), st.booleans(), st.floats(0.0, 1.0)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(steps=STEPS, seed=st.integers(0, 10_000))
def test_gas_is_assigned_or_unassigned_and_never_lost_or_counted_twice(
    steps: list[tuple[float, bool, float]], seed: int
) -> None:
    """A nozzle at rest that is seen and lost at random, over captures of any length.

    What a cell had in truth, its weight times all gas, is never above the upper bound of its dwell.
    """
    still = nozzle_over(MIDDLE_MM, t_s=0.0, leaning=(0.3, 0.01 * (seed % 50)))
    weight = jet_weights(
        ChartMesh.of(LIMB),
        LIMB.position_mm,
        LIMB.normal,
        tip_mm=still.tip_rgb_mm,
        axis=still.axis_rgb,
        bore_mm=SETUP.bore_mm,
    )
    state = laid(LIMB)
    for dt_s, seen, share in steps:
        state, jet = advanced(state, still if seen else GONE, dt_s=dt_s, gas_s=share * dt_s)
        assert (jet is not None) == seen
    had, gas_s = skin_of(state).exposure, sum(dt_s * share for dt_s, _, share in steps)
    assigned_s = float(had.dwell_s[weight.argmax()] / weight.max())
    assert state.gas_total_s == pytest.approx(gas_s, abs=1e-9)
    assert assigned_s + state.unassigned_s == pytest.approx(gas_s, abs=1e-9)
    assert state.off_map_s == 0.0
    np.testing.assert_allclose(had.dwell_s, assigned_s * weight, atol=1e-9)
    on_skin_cm2_s = float(had.dwell_s @ LIMB.area_cm2)
    assert on_skin_cm2_s == pytest.approx(assigned_s * float(weight @ LIMB.area_cm2), abs=1e-7)
    assert (had.dwell_upper_s >= gas_s * weight - 1e-9).all()
    np.testing.assert_allclose(skin_of(state).tile_time_s, gas_s, atol=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(steps=STEPS, parts=st.integers(2, 5))
def test_splitting_every_step_assigns_the_same_gas_to_the_same_cells(
    steps: list[tuple[float, bool, float]], parts: int
) -> None:
    """Steps of at most 150 ms: over longer ones a source that sees more often knows more."""
    still = nozzle_over(MIDDLE_MM, t_s=0.0)
    whole = split = laid(LIMB)
    for dt_s, seen, share in steps:
        nozzle, short_s = still if seen else GONE, 0.29 * dt_s
        whole, _ = advanced(whole, nozzle, dt_s=short_s, gas_s=share * short_s)
        for _ in range(parts):
            split, _ = advanced(split, nozzle, dt_s=short_s / parts, gas_s=share * short_s / parts)
    assert split.gas_total_s == pytest.approx(whole.gas_total_s, abs=1e-9)
    assert split.unassigned_s == pytest.approx(whole.unassigned_s, abs=1e-9)
    one, other = skin_of(whole).exposure, skin_of(split).exposure
    np.testing.assert_allclose(other.dwell_s, one.dwell_s, atol=1e-9)
    assert (other.unseen_s <= one.unseen_s + 1e-9).all()


# --- the place of the whole scene ---------------------------------------------------------------------------


def moved_chart(chart: ZoneChart, pose: Pose) -> ZoneChart:
    return replace(chart, position_mm=pose.apply(chart.position_mm), normal=pose.rotate(chart.normal))


def moved_nozzle(nozzle: NozzleSighting, pose: Pose) -> NozzleSighting:
    turn = np.kron(np.eye(2), pose.rotation)
    return replace(
        nozzle,
        rgb_from_nozzle=pose @ nozzle.rgb_from_nozzle,
        covariance=turn @ nozzle.covariance @ turn.T,
        centroid_rgb_mm=pose.apply(nozzle.centroid_rgb_mm),
    )


def moved_setup(pose: Pose) -> Setup:
    """The thermal camera goes along."""
    thermal = SCENE.rig.thermal
    assert thermal is not None
    there = replace(thermal, thermal_from_rgb=thermal.thermal_from_rgb @ pose.inverse)
    return replace(SETUP, rig=replace(SCENE.rig, thermal=there))


@dataclass(frozen=True, eq=False)
class Treated:
    """What a session left."""

    jets: list[JetOnSkin]
    state: State
    verdict: tuple[str, ...]


def treated(pose: Pose, *, leaning: tuple[float, float], sweep_mm: float) -> Treated:
    """A second of CO2 on the rendered limb, cameras and all moved by a pose; the middle cools to 1 degC."""
    chart, setup = moved_chart(SCENE.chart, pose), moved_setup(pose)
    turn = np.kron(np.eye(3), pose.rotation)
    state, jets = laid(chart, covariance=turn @ BODY_COVARIANCE @ turn.T), list[JetOnSkin]()
    for k in range(12):
        t_s, place = 0.1 * (k + 1), SCENE.limb.centre_mm + np.array([0.0, sweep_mm * k / 12.0, 0.0])
        nozzle = nozzle_over(place, t_s=t_s, leaning=leaning)
        degc = SCENE.cold_spot(SCENE.limb.centre_mm, degc=33.0 - 32.0 * k / 11.0, radius_mm=18.0)
        picture = SCENE.thermal(t_s - 0.02, degc=degc)
        state, jet = advanced(
            state, moved_nozzle(nozzle, pose), dt_s=0.1, gas_s=0.1, setup=setup, thermal=(picture,)
        )
        assert jet is not None
        jets.append(jet)
    on_skin = skin_of(state)
    verdict, _ = verdicts(on_skin.exposure, chart, protocol=setup.protocol, tile_time_s=on_skin.tile_time_s)
    return Treated(jets, state, verdict)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    leaning=st.tuples(st.floats(0.3, 0.9), st.floats(-0.5, 0.5)),
    sweep_mm=st.floats(-40.0, 40.0),
)
def test_moving_cameras_skin_and_nozzle_together_changes_nothing(
    seed: int, leaning: tuple[float, float], sweep_mm: float
) -> None:
    """Distance, incidence, their bounds, dwell, temperatures and verdicts.

    Cells on the edge of a shadow or of the nozzle's outline may fall to either side by rounding: one in 200.
    """
    here = treated(Pose.identity(), leaning=leaning, sweep_mm=sweep_mm)
    pose = turned(seed)
    there = treated(pose, leaning=leaning, sweep_mm=sweep_mm)
    for one, other in zip(here.jets, there.jets, strict=True):
        assert other.hit_rgb_mm == pytest.approx(pose.apply(one.hit_rgb_mm), abs=1e-6)
        assert (other.cell, other.in_zone) == (one.cell, one.in_zone)
        for name in ("distance_mm", "distance_u95_mm", "incidence_deg", "speed_cm_s"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-4), name
    had, has = skin_of(here.state).exposure, skin_of(there.state).exposure
    for name in ("dwell_s", "dwell_upper_s", "min_degc", "min_u95_degc", "below_10_s"):
        a, b = getattr(had, name), getattr(has, name)
        assert np.isclose(a, b, atol=1e-5, equal_nan=True).mean() > 0.995, name
    assert np.mean([a == b for a, b in zip(here.verdict, there.verdict, strict=True)]) > 0.995
    assert len(set(here.verdict)) >= 3


# --- bounds -------------------------------------------------------------------------------------------------


def distance_u95_mm(
    *, nozzle_noise: float = 1.0, skin_u95_mm: float = 2.0, body_noise: float = 1.0, lean: float = 0.4
) -> float:
    """Bound of one jet's distance; infinite where the distance is not given."""
    chart = replace(LIMB, height_u95_mm=np.full(len(LIMB), skin_u95_mm))
    nozzle = nozzle_over(MIDDLE_MM, t_s=0.0, leaning=(lean, 0.2))
    nozzle = replace(nozzle, covariance=nozzle_noise * nozzle.covariance)
    _, jet = advanced(laid(chart, covariance=body_noise * BODY_COVARIANCE), nozzle, dt_s=0.05, gas_s=0.0)
    return jet.distance_u95_mm if jet is not None else np.inf


MORE = st.floats(1.01, 20.0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(first=st.floats(0.2, 5.0), more=MORE, lean=st.floats(0.0, 1.0))
@pytest.mark.parametrize("what", ["nozzle_noise", "skin_u95_mm", "body_noise"])
def test_the_bound_of_the_distance_grows_with_each_thing_that_is_known_worse(
    what: str, first: float, more: float, lean: float
) -> None:
    near, far = ({what: value} for value in (first, first * more))
    assert distance_u95_mm(**near, lean=lean) < distance_u95_mm(**far, lean=lean)


def test_the_bound_of_the_distance_holds_each_part_alone() -> None:
    """Nozzle, skin and body, square on: none hides the others."""
    for part in ("nozzle_noise", "skin_u95_mm", "body_noise"):
        alone = {"nozzle_noise": 1e-9, "skin_u95_mm": 1e-9, "body_noise": 1e-9, part: 4.0}
        assert distance_u95_mm(**alone) > 0.7


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), more=MORE)
def test_what_a_cell_may_have_had_grows_with_the_noise_of_the_pose(seed: int, more: float) -> None:
    """On bumpy skin: the upper bound of dwell, while dwell itself stays."""
    chart = chart_on(bumpy(seed, height_mm=8.0), rows=25, cols=25)
    nozzle = nozzle_over(MIDDLE_MM, t_s=0.0, leaning=(0.2, 0.1))
    worse = replace(nozzle, covariance=more * nozzle.covariance)
    one, other = (
        skin_of(advanced(laid(chart), seen, dt_s=0.1, gas_s=0.1)[0]).exposure for seen in (nozzle, worse)
    )
    np.testing.assert_array_equal(other.dwell_s, one.dwell_s)
    assert (other.dwell_upper_s >= one.dwell_upper_s - 1e-12).all()
    assert other.dwell_upper_s.sum() > one.dwell_upper_s.sum()
