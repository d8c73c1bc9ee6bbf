"""`step`: pure, exact about gas and time, and never silent about what was not seen."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from guidance.alarms.episodes import load_alarm_table
from guidance.pipeline import step
from guidance.stages.at_exposure import astray_mm, nozzle_at
from guidance.stages.jet import room_for
from guidance.stages.state import OnSkin, State, begin
from models.capture import ThermalPicture
from models.chart import PixelZone, PlacedChart
from models.geometry import Floats, unit
from models.sightings import Lost, NozzleSighting
from models.treatment import Tap
from models.verdict import verdicts
from tests.guidance.scripted import SCENE, Degc, Player, Script, outline_px, setup_of
from tests.rendered_limb import nozzle_over
from vision import skin_surface

CENTRE_MM = SCENE.limb.centre_mm
GONE = Lost("no tag in the picture", 0.0)


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Player:
    return Player(monkeypatch)


def on_skin(state: State) -> OnSkin:
    assert state.on_skin is not None
    return state.on_skin


def same(a: object, b: object) -> bool:
    """Equal all the way down, arrays by their numbers."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if is_dataclass(a) and not isinstance(a, type):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (np.isnan(a) and np.isnan(b))
    return a == b


def sweeping(t_s: float) -> NozzleSighting:
    """50 mm along the limb and back at 0.5 Hz."""
    return nozzle_over(CENTRE_MM + np.array([0.0, 25.0 * np.sin(np.pi * t_s), 0.0]), t_s=t_s)


# --- laws ---------------------------------------------------------------------------------------------------


def test_the_same_state_and_capture_give_the_same_guidance_twice(player: Player) -> None:
    script = Script(nozzle=sweeping)
    player.obey(script)
    setup, state = setup_of(), begin()
    for capture in script.captures(1.2):
        first, second = step(state, capture, setup), step(state, capture, setup)
        assert same(first[1], second[1])
        assert same(first[0], second[0])
        state = first[0]


def test_a_step_changes_nothing_that_it_was_given(player: Player) -> None:
    script = Script(nozzle=sweeping)
    player.obey(script)
    setup, state = setup_of(), begin()
    for capture in script.captures(0.8):
        held = [capture.bgr, *(p.centikelvin for p in capture.thermal), *(p.depth_mm for p in capture.depth)]
        before = [None if array is None else array.copy() for array in held]
        exposure = None if state.on_skin is None else state.on_skin.exposure.dwell_s.copy()
        later, _ = step(state, capture, setup)
        assert same(held, before)
        if exposure is not None:
            assert same(on_skin(state).exposure.dwell_s, exposure)
        state = later


def test_what_a_step_tells_cannot_be_written_to(player: Player) -> None:
    told = player.play(Script(), to_s=1.0).steps[-1]
    assert told.exposure is not None
    with pytest.raises(ValueError, match="read-only"):
        told.exposure.dwell_s[0] = 1.0


@pytest.mark.parametrize("back_s", [0.0, 0.2])
def test_time_must_advance(player: Player, back_s: float) -> None:
    script = Script()
    player.obey(script)
    first, second, *_ = script.captures(1.0)
    state, _ = step(begin(), first, setup_of())
    state, _ = step(state, second, setup_of())
    with pytest.raises(ValueError, match="came after"):
        step(state, replace(second, t_s=second.t_s - back_s), setup_of())


def test_a_still_jet_gives_its_gas_time_to_the_cell_under_it(player: Player) -> None:
    """Gas for 2 s: the middle of the footprint has weight 1."""
    played = player.play(Script(gas_s=(0.5, 2.5)), to_s=3.0)
    exposure = on_skin(played.state).exposure
    assert exposure.dwell_s.max() == pytest.approx(2.0, rel=0.05)
    assert played.state.gas_total_s == pytest.approx(2.0)
    assert played.state.unassigned_s == 0.0
    assert (exposure.dwell_upper_s >= exposure.dwell_s).all()
    nozzle, chart = nozzle_over(CENTRE_MM, t_s=0.0), on_skin(played.state).chart
    out = chart.position_mm - nozzle.tip_rgb_mm
    along = out @ nozzle.axis_rgb
    aside = np.linalg.norm(out - along[:, None] * nozzle.axis_rgb, axis=1)
    weight = np.exp(-np.log(2.0) * (aside / (6.0 + 0.1 * along)) ** 2)
    facing = (chart.normal @ nozzle.axis_rgb < -0.2) & (weight > 0.05)
    assert facing.sum() > 60
    assert exposure.dwell_s[facing] == pytest.approx(2.0 * weight[facing], abs=0.12)


def test_no_gas_is_no_dwell(player: Player) -> None:
    played = player.play(Script(gas_s=(9.0, 9.0)), to_s=1.0)
    assert on_skin(played.state).exposure.dwell_upper_s.max() == 0.0
    assert played.state.gas_total_s == 0.0


def test_splitting_captures_leaves_dwell_unchanged(player: Player) -> None:
    """A sweep, then with ticks in between, then with twice as many pictures. Measured: 0.3 % of the dwell."""
    plain = player.play(Script(nozzle=sweeping, gas_s=(0.3, 1.3)), to_s=1.4)
    one = on_skin(plain.state)
    area = one.chart.area_cm2
    total = float(area @ one.exposure.dwell_s)
    for split in (
        player.play(Script(nozzle=sweeping, gas_s=(0.3, 1.3), ticks=3), to_s=1.4),
        player.play(Script(nozzle=sweeping, gas_s=(0.3, 1.3), hz=20.0), to_s=1.4),
    ):
        other = on_skin(split.state)
        assert len(one.chart) == len(other.chart)
        assert float(area @ other.exposure.dwell_s) == pytest.approx(total, rel=0.01)
        assert float(area @ np.abs(other.exposure.dwell_s - one.exposure.dwell_s)) < 0.01 * total
        assert other.exposure.dwell_s.max() == pytest.approx(one.exposure.dwell_s.max(), rel=0.03)
        assert split.state.gas_total_s == pytest.approx(plain.state.gas_total_s)
        assert float(other.tile_time_s[0]) == pytest.approx(float(one.tile_time_s[0]), abs=0.11)


def test_the_jet_is_described_as_it_was_held(player: Player) -> None:
    told = player.play(Script(), to_s=1.0).steps[-1]
    assert told.jet is not None
    assert abs(told.jet.distance_mm - 100.0) <= told.jet.distance_u95_mm
    assert told.jet.distance_mm == pytest.approx(100.0, abs=2.0)
    axis = nozzle_over(CENTRE_MM, t_s=0.0).axis_rgb
    true_deg = np.degrees(np.arccos(-axis @ SCENE.limb.normal(CENTRE_MM)))
    assert told.jet.incidence_deg == pytest.approx(true_deg, abs=6.0)
    assert told.jet.in_zone
    assert told.jet.speed_cm_s == pytest.approx(0.0, abs=0.6)


def test_the_spots_speed_is_that_over_the_skin(player: Player) -> None:
    """4 cm/s along the limb."""

    def moving(t_s: float) -> NozzleSighting:
        return nozzle_over(CENTRE_MM + np.array([0.0, 40.0 * (t_s - 0.7), 0.0]), t_s=t_s)

    speeds = [g.jet.speed_cm_s for g in player.play(Script(nozzle=moving), to_s=1.4).steps if g.jet]
    known = [speed for speed in speeds if speed is not None]
    assert np.median(known) == pytest.approx(4.0, rel=0.1)


def test_a_jet_that_goes_along_with_the_body_stays_on_its_cell(player: Player) -> None:
    def moved(t_s: float) -> Floats:
        return np.array([0.0, 10.0 * t_s, 0.0])

    script = Script(moved=moved, nozzle=lambda t_s: nozzle_over(CENTRE_MM + moved(t_s), t_s=t_s))
    played = player.play(script, to_s=2.0)
    chart = on_skin(played.state).chart
    cells = {g.jet.cell for g in played.steps if g.jet}
    spread = np.ptp(chart.position_mm[sorted(cell for cell in cells if cell is not None)], axis=0)
    assert np.linalg.norm(spread) <= 12.0
    assert on_skin(played.state).exposure.dwell_s.max() == pytest.approx(1.5, rel=0.06)


# --- what was not seen --------------------------------------------------------------------------------------


def lost_between(from_s: float, to_s: float) -> Script:
    return Script(nozzle=lambda t_s: GONE if from_s <= t_s < to_s else nozzle_over(CENTRE_MM, t_s=t_s))


def test_gas_while_the_nozzle_is_lost_is_unassigned_and_may_have_reached_any_near_cell(
    player: Player,
) -> None:
    seen, lost = player.play(Script(), to_s=1.0), player.play(lost_between(1.01, 1.61), to_s=1.6)
    before, after = on_skin(seen.state).exposure, on_skin(lost.state).exposure
    gas_s = lost.state.gas_total_s - seen.state.gas_total_s
    assert gas_s == pytest.approx(0.6)
    assert lost.state.unassigned_s == pytest.approx(gas_s)
    assert after.dwell_s == pytest.approx(before.dwell_s)
    grown = after.dwell_upper_s - before.dwell_upper_s
    away = np.linalg.norm(on_skin(lost.state).chart.position_mm - CENTRE_MM, axis=1)
    assert grown[away < 20.0] == pytest.approx(gas_s)
    assert (grown > 0.0).all()
    assert lost.first_s("nozzle_lost", priority="high") == pytest.approx(1.4, abs=0.2)
    told = lost.steps[-1]
    assert told.jet is None
    assert told.weight is None
    assert told.jet_reason == GONE.reason


def test_without_gas_a_lost_nozzle_leaves_nothing_open(player: Player) -> None:
    played = player.play(replace_gas(lost_between(0.6, 9.0)), to_s=1.5)
    assert played.state.unassigned_s == 0.0
    assert on_skin(played.state).exposure.dwell_upper_s.max() == 0.0
    assert played.first_s("nozzle_lost") is None


def replace_gas(script: Script) -> Script:
    script.gas_s = (99.0, 99.0)
    return script


def test_what_may_have_been_reached_unseen_and_unread_is_blind(player: Player) -> None:
    """No thermal picture either: those cells end as unknown."""
    script = lost_between(1.0, 9.0)
    script.thermal = lambda t_s, picture: picture if t_s < 0.4 else None
    played = player.play(script, to_s=2.0)
    told = played.steps[-1]
    assert told.blind is not None
    assert told.blind.mean() > 0.5
    held = on_skin(played.state)
    words, _ = verdicts(held.exposure, held.chart, protocol=setup_of().protocol, tile_time_s=held.tile_time_s)
    assert (np.array(words)[held.exposure.blind_gas_s > 0.2] == "unknown").all()


def test_gas_before_the_zone_was_placed_may_have_reached_every_cell(player: Player) -> None:
    """The outline is tapped at 1 s, gas flows from the start."""
    setup = setup_of(taps=(Tap(1.0, "rgb", outline_px()),))
    played = player.play(Script(gas_s=(0.0, 9.0)), to_s=1.5, setup=setup)
    placed_s = next(g.t_s for g in played.steps if isinstance(g.zone, PlacedChart))
    early = played.at(placed_s - 0.1)
    assert isinstance(early.zone, PixelZone | Lost)
    assert early.exposure is None
    assert early.unassigned_s == pytest.approx(early.t_s)
    held = on_skin(played.state)
    assert held.exposure.unseen_s.min() >= early.unassigned_s - 1e-9
    assert held.tile_time_s.min() >= early.unassigned_s - 1e-9
    assert played.state.unassigned_s == pytest.approx(early.unassigned_s)


def test_without_a_zone_nothing_is_given_and_gas_raises_the_alarm(player: Player) -> None:
    setup = setup_of(taps=(Tap(99.0, "rgb", outline_px()),))
    played = player.play(Script(), to_s=2.0, setup=setup)
    told = played.steps[-1]
    assert isinstance(told.zone, Lost)
    assert "tapped" in told.zone.reason
    for name in ("jet", "weight", "exposure", "skin", "skin_min_degc", "time_to_limit_s", "tile_time_s"):
        assert getattr(told, name) is None
    assert told.unassigned_s == pytest.approx(1.5)
    assert played.first_s("zone_lost", priority="high") is not None
    assert told.zone_mean_degc is None


def test_an_outline_whose_skin_cannot_be_measured_is_shown_but_is_no_zone(player: Player) -> None:
    """Depth shows nothing there: the outline stays in the picture, and gas raises the alarm."""
    script = Script()
    script.depth = lambda _, picture: replace(picture, depth_mm=np.zeros_like(picture.depth_mm))
    played = player.play(script, to_s=1.6)
    told = played.steps[-1]
    assert isinstance(told.zone, PixelZone)
    assert told.zone.state == "held"
    assert told.exposure is None
    assert told.unassigned_s == pytest.approx(told.gas_total_s)
    lost_s = played.first_s("zone_lost", priority="high")
    assert lost_s is not None
    assert lost_s <= 0.5 + 1.0


@pytest.mark.parametrize("shown_by", ["nothing", "a camera too coarse for the band"])
def test_a_distance_that_the_rig_cannot_measure_is_said_to_be_so_and_not_guessed(
    player: Player, shown_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither depth nor tags; or depth whose bound is wider than the protocol's band."""
    setup = setup_of(rig=replace(SCENE.rig, depth=None))
    script = Script(depth=lambda _, __: None)
    if shown_by != "nothing":
        band = setup.protocol.distance
        monkeypatch.setattr(skin_surface, "NOISE_U95_MM", 40.0 * (band.good_high_mm - band.good_low_mm))
        setup, script = setup_of(), Script()
    played = player.play(script, to_s=3.0, setup=setup)
    told = played.steps[-1]
    assert isinstance(told.zone, PlacedChart)
    assert told.jet is None
    assert told.weight is None
    assert told.jet_reason == "it cannot be measured with this rig"
    (remark,) = (r for r in played.state.remarks if r.startswith("Distance cannot be measured with this rig"))
    assert ("guessed" in remark) == (shown_by == "nothing")
    assert told.unassigned_s == pytest.approx(told.gas_total_s)
    assert on_skin(played.state).exposure.dwell_s.max() == 0.0
    assert on_skin(played.state).exposure.dwell_upper_s.min() == pytest.approx(told.gas_total_s)
    assert played.first_s("distance_unmeasurable") is not None
    assert played.first_s("distance_unknown") is None


def test_without_a_rig_there_are_no_millimetres(player: Player) -> None:
    played = player.play(Script(), to_s=1.0, setup=setup_of(rig=None))
    told = played.steps[-1]
    assert isinstance(told.zone, PixelZone)
    assert told.zone.state == "placed"
    assert isinstance(told.nozzle, Lost)
    for name in ("jet", "weight", "exposure", "skin", "skin_min_degc", "time_to_limit_s", "tile_time_s"):
        assert getattr(told, name) is None
    assert told.unassigned_s == pytest.approx(told.gas_total_s)
    assert played.first_s("rig_missing") is not None


def test_without_thermal_pictures_no_temperature_is_given_and_it_is_told(player: Player) -> None:
    script = Script(thermal=lambda _, __: None)
    played = player.play(script, to_s=2.5, setup=setup_of(thermal_expected=False))
    for told in played.steps:
        assert told.skin_min_degc is None
        assert told.time_to_limit_s is None
        assert told.zone_mean_degc is None
    held = on_skin(played.state)
    assert np.isnan(held.skin.degc).all()
    assert not held.skin.observed.any()
    assert np.isnan(held.exposure.min_degc).all()
    assert held.exposure.observed_s.max() == 0.0
    assert played.first_s("thermal_missing") is not None
    words, _ = verdicts(held.exposure, held.chart, protocol=setup_of().protocol, tile_time_s=held.tile_time_s)
    treated = held.exposure.dwell_s > 0.5
    assert treated.any()
    assert set(np.array(words)[treated]) == {"unknown"}


def test_a_stuck_thermal_picture_is_told_within_a_second_and_its_numbers_grow_old(player: Player) -> None:
    first = SCENE.thermal(1.0)
    script = Script(thermal=lambda t_s, picture: replace(first, t_s=t_s) if t_s >= 1.0 else picture)
    played = player.play(script, to_s=2.4)
    stuck_s = played.first_s("thermal_stuck")
    assert stuck_s is not None
    assert 1.3 < stuck_s <= 2.0
    told = played.steps[-1]
    assert told.skin is not None
    assert not told.skin.observed.any()
    assert told.skin_min_degc is None
    assert told.zone_observed_share == 0.0


def test_thermal_pictures_that_stop_are_told_within_a_second(player: Player) -> None:
    script = Script(thermal=lambda t_s, picture: picture if t_s < 1.0 else None)
    played = player.play(script, to_s=2.2)
    for cause in ("thermal_stale", "thermal_missing"):
        told_s = played.first_s(cause)
        assert told_s is not None
        assert 1.3 < told_s <= 2.0


def test_a_shutter_event_is_a_status_and_observes_nothing(player: Player) -> None:
    def shut(t_s: float, picture: ThermalPicture) -> ThermalPicture:
        return replace(picture, shutter=True) if 1.0 <= t_s < 1.8 else picture

    played = player.play(Script(thermal=shut), to_s=2.4)
    during = played.at(1.75)
    assert during.status == ("shutter",)
    assert during.skin is not None
    assert not during.skin.observed.any()
    assert played.first_s("thermal_stuck") is None
    assert played.first_s("thermal_stale") is None
    after = played.at(2.3)
    assert after.status == ()
    assert after.skin is not None
    assert after.skin.observed.any()


def test_a_colour_gap_is_told_and_gas_in_it_is_not_counted_as_seen(player: Player) -> None:
    script = lost_between(1.15, 2.0)
    script.colour = lambda t_s, picture: None if 1.0 <= t_s < 2.0 else picture
    played = player.play(script, to_s=2.4)
    gap_s = played.first_s("colour_gap")
    assert gap_s is not None
    assert 1.0 < gap_s <= 1.6
    assert played.state.unassigned_s == pytest.approx(0.85, abs=0.1)
    assert played.at(1.9).index is None
    before, during = played.at(0.95).zone, played.at(1.9).zone
    assert isinstance(before, PlacedChart)
    assert isinstance(during, PlacedChart)
    assert during.moved_u95_mm > before.moved_u95_mm + 2.0


def test_a_patient_who_shifts_by_30_mm_is_told_within_a_second(player: Player) -> None:
    script = Script(moved=lambda t_s: np.array([0.0, 30.0 if t_s >= 1.0 else 0.0, 0.0]))
    played = player.play(script, to_s=2.0)
    moved_s = played.first_s("patient_moved")
    assert moved_s is not None
    assert 1.0 <= moved_s <= 1.5


def test_a_patient_who_breathes_has_not_moved(player: Player) -> None:
    script = Script(moved=lambda t_s: np.array([0.0, 0.0, 4.0 * np.sin(1.7 * t_s)]))
    assert player.play(script, to_s=2.5).first_s("patient_moved") is None


# --- cold ---------------------------------------------------------------------------------------------------


def cooling(t_s: float) -> Degc:
    """A spot of 18 mm that falls by 9 degC a second from 1 s on."""
    low = 33.0 - 9.0 * max(0.0, t_s - 1.0)
    return SCENE.cold_spot(CENTRE_MM, degc=max(low, 0.5), radius_mm=18.0)


def test_stop_comes_before_the_skin_is_at_the_limit_and_counts_the_bound_once(player: Player) -> None:
    """33 to 2 degC in 3.4 s; the bound of 2 degC and more moves the STOP to a reading of 4 degC and more."""
    played = player.play(Script(degc=cooling, gas_s=(0.9, 99.0)), to_s=4.8)
    crossing_s = 1.0 + 31.0 / 9.0
    stop_s = played.first_s("skin_temperature", priority="high")
    assert stop_s is not None
    assert crossing_s - 1.0 < stop_s <= crossing_s + 0.2
    early_s = played.first_s("predicted_skin_temperature", priority="high")
    assert early_s is not None
    assert crossing_s - 3.3 < early_s < stop_s
    told = played.steps[-1]
    assert told.skin_min_degc is not None
    assert told.skin_min_u95_degc is not None
    assert abs(told.skin_min_degc - 0.5) <= told.skin_min_u95_degc


@pytest.mark.parametrize("hz", [10.0, 20.0])
def test_the_warning_comes_before_the_stop_and_each_waits_for_as_many_pictures_as_it_must(
    player: Player, hz: float
) -> None:
    """From 33 degC down to 7 in a second, then by 2 degC a second; bounds are about 3 degC.

    The camera of 10 Hz is slow: one picture alone passes a limit. That of 20 Hz needs two.
    """

    def falling(t_s: float) -> Degc:
        low = max(33.0 - 26.0 * (t_s - 0.5), 9.0 - 2.0 * (t_s - 1.5)) if t_s > 0.5 else 33.0
        return SCENE.cold_spot(CENTRE_MM, degc=max(low, 1.0), radius_mm=18.0)

    script = Script(degc=falling, gas_s=(99.0, 99.0), hz=hz)
    setup = setup_of(protocol="ln2-analgesia")
    played = player.play(script, to_s=5.0, setup=setup)
    warn_s = played.first_s("skin_temperature", priority="medium")
    stop_s = played.first_s("skin_temperature", priority="high")
    assert warn_s is not None
    assert stop_s is not None
    delay_s = load_alarm_table()["skin_temperature", "medium"].on_delay_s
    assert stop_s - warn_s == pytest.approx(1.0 - delay_s, abs=0.3)
    for limit_degc, told_s in ((4.0, warn_s - delay_s), (2.0, stop_s)):
        below = [
            g.t_s
            for g in played.steps
            if g.skin is not None
            and (g.skin.degc - g.skin.u95_degc)[g.skin.observed].min(initial=np.inf) <= limit_degc
        ]
        assert told_s == pytest.approx(below[0] if hz == 10.0 else below[1], abs=1e-6)


def test_a_jet_that_flickers_while_it_rests_is_still_a_static_nozzle(player: Player) -> None:
    """Out of sight for 0.3 s in each 0.8 s: CO2 stops after 2 s on one spot."""
    script = Script(nozzle=lambda t_s: GONE if t_s % 0.8 < 0.3 else nozzle_over(CENTRE_MM, t_s=t_s))
    static_s = player.play(script, to_s=3.5).first_s("static_nozzle", priority="high")
    assert static_s is not None
    assert 2.4 < static_s < 3.1


@pytest.mark.parametrize("distance_mm", [4.0, -4.0, -12.0])
def test_a_tip_that_seems_to_be_inside_the_skin_touches_it(player: Player, distance_mm: float) -> None:
    """Tip and skin are known to some millimetres only."""

    def touching(t_s: float) -> NozzleSighting:
        return nozzle_over(CENTRE_MM, t_s=t_s, distance_mm=100.0 if t_s < 0.45 else distance_mm)

    played = player.play(Script(nozzle=touching), to_s=1.5)
    assert played.first_s("contact", priority="high") is not None
    assert played.first_s("off_zone") is None
    told = played.steps[-1]
    assert told.jet is not None
    assert told.jet.distance_mm >= 0.0
    assert on_skin(played.state).exposure.dwell_s.max() > 0.7


@pytest.mark.parametrize(("distance_mm", "room"), [(100.0, True), (5.0, True), (-50.0, False)])
def test_the_skin_leaves_no_room_for_a_tip_deep_in_the_body(
    player: Player, distance_mm: float, room: bool
) -> None:
    """Before the skin is known it says nothing."""
    assert room_for(begin()) is None
    allowed = room_for(player.play(Script(), to_s=0.5).state)
    assert allowed is not None
    nozzle = nozzle_over(CENTRE_MM, t_s=0.5, distance_mm=distance_mm, leaning=(0.1, 0.0))
    assert allowed(nozzle.rgb_from_nozzle) is room


def test_gas_since_long_before_the_nozzle_was_seen_again_is_unassigned(player: Player) -> None:
    """One capture a second, as a source ticks in a long silence: the nozzle is seen at the last one."""
    script = Script(nozzle=lambda t_s: GONE if 1.5 < t_s < 3.5 else nozzle_over(CENTRE_MM, t_s=t_s), hz=1.0)
    script.gas_s = (0.0, 99.0)
    played = player.play(script, to_s=4.0)
    assert played.state.gas_total_s == pytest.approx(4.0)
    assert played.state.unassigned_s == pytest.approx(3.0)
    exposure = on_skin(played.state).exposure
    assert exposure.dwell_s.max() == pytest.approx(1.0, abs=0.05)
    assert exposure.dwell_upper_s.max() == pytest.approx(4.0, abs=0.1)


def test_cells_are_read_where_the_body_was_when_the_picture_was_taken(player: Player) -> None:
    """A body that glides by 20 mm/s: a picture that comes 0.05 s late shows it 1 mm further back.

    Measured: the cold spot's middle lies 0.1 mm from its place on a still body, 1.0 mm without the way back.
    """

    def middle_mm(speed_mm_s: float) -> float:
        script = Script(
            moved=lambda t_s: np.array([0.0, speed_mm_s * max(0.0, t_s - 0.5), 0.0]),
            degc=lambda _: SCENE.cold_spot(CENTRE_MM, degc=12.0, radius_mm=10.0),
            gas_s=(99.0, 99.0),
        )
        state = player.play(script, to_s=1.2).state
        skin = on_skin(state).skin
        chill = np.where(skin.observed, np.maximum(31.0 - skin.degc, 0.0), 0.0)
        return float(np.average(on_skin(state).chart.position_mm[:, 1], weights=chill))

    still_mm = middle_mm(0.0)
    assert middle_mm(20.0) == pytest.approx(still_mm, abs=0.3)
    assert middle_mm(-20.0) == pytest.approx(still_mm, abs=0.3)


def test_warm_skin_under_a_sweeping_jet_stops_nothing(player: Player) -> None:
    played = player.play(Script(nozzle=sweeping, degc=lambda _: 30.0), to_s=3.0)
    assert not any(a.priority == "high" for g in played.steps for a in g.active)


def test_cold_is_counted_from_what_was_observed(player: Player) -> None:
    """Measured 5 % more: a share of the warm room is taken out, and drawn pictures hold none of it."""
    played = player.play(Script(degc=lambda _: 8.0), to_s=2.0)
    exposure = on_skin(played.state).exposure
    seen = exposure.observed_s > 1.0
    assert seen.any()
    assert exposure.below_10_s[seen] == pytest.approx(exposure.observed_s[seen], abs=0.01)
    assert exposure.below_4_s.max() == 0.0
    degrees_below = exposure.cold_exposure_degc_s[seen] / exposure.observed_s[seen]
    assert np.median(degrees_below) == pytest.approx(13.6 - 8.0, rel=0.1)


def test_aiming_without_gas_is_no_static_nozzle(player: Player) -> None:
    """At rest for 2 s before the valve opens; CO2 warns after 1 s of gas on the same spot."""
    played = player.play(Script(gas_s=(2.0, 99.0)), to_s=3.5)
    static_s = played.first_s("static_nozzle")
    assert static_s is not None
    assert 2.9 < static_s < 3.4


def test_the_spots_temperature_hidden_while_gas_flows_is_told(player: Player) -> None:
    """A nozzle held so that it hides its own spot from the thermal camera."""
    hiding = Script(
        nozzle=lambda t_s: nozzle_over(CENTRE_MM, t_s=t_s, distance_mm=60.0, leaning=(0.08, 0.05))
    )
    assert player.play(hiding, to_s=2.5).first_s("temperature_unobserved") is not None


# --- a zone in the thermal picture --------------------------------------------------------------------------


def thermal_only() -> tuple[Script, Tap]:
    tap = Tap(0.0, "thermal", np.array([[70.0, 45.0], [80.0, 45.0], [80.0, 70.0], [70.0, 70.0]]))
    return Script(colour=lambda _, __: None, nozzle=lambda _: GONE, gas_s=(99.0, 99.0)), tap


def test_a_zone_tapped_in_the_thermal_picture_has_temperatures_and_no_millimetres(player: Player) -> None:
    script, tap = thermal_only()
    script.degc = lambda _: 15.0
    setup = setup_of(rig=None, taps=(tap,), colour_expected=False)
    told = player.play(script, to_s=1.0, setup=setup).steps[-1]
    assert isinstance(told.zone, PixelZone)
    assert told.zone.stream == "thermal"
    assert told.zone_mean_degc == pytest.approx(15.0, abs=0.3)
    assert told.skin_min_u95_degc == 5.0
    assert told.jet is None
    assert told.tile_time_s is None


def test_temperatures_in_thermal_pixels_grow_old_when_pictures_stop(player: Player) -> None:
    script, tap = thermal_only()
    script.thermal = lambda t_s, picture: picture if t_s < 1.0 else None
    setup = setup_of(rig=None, taps=(tap,), colour_expected=False)
    played = player.play(script, to_s=2.2, setup=setup)
    assert played.at(0.9).zone_mean_degc is not None
    told = played.steps[-1]
    assert told.zone_mean_degc is None
    assert told.skin_min_degc is None
    assert told.zone_observed_share == 0.0
    assert isinstance(told.zone, PixelZone)
    assert told.zone.state == "held"
    assert played.first_s("thermal_missing") is not None


@pytest.mark.parametrize(("degc", "told"), [(8.0, None), (1.5, "skin_temperature"), (-2.0, "skin_freezing")])
def test_a_zone_in_thermal_pixels_is_guarded_as_well(player: Player, degc: float, told: str | None) -> None:
    """A camera without a rig is taken as raw: its estimate is judged, its bound would stop everything."""
    script, tap = thermal_only()
    script.degc = lambda _: degc
    played = player.play(script, to_s=1.0, setup=setup_of(rig=None, taps=(tap,), colour_expected=False))
    high = {a.cause for g in played.steps for a in g.active if a.priority == "high"}
    assert high == ({told, "skin_temperature"} if told else set())


# --- between two sightings ----------------------------------------------------------------------------------


def test_the_nozzle_at_a_time_of_exposure_lies_between_its_sightings() -> None:
    a, b = nozzle_over(CENTRE_MM, t_s=1.0), nozzle_over(CENTRE_MM + np.array([0.0, 10.0, 0.0]), t_s=1.1)
    state = replace(begin(), recent_nozzles=(a, b), nozzle=b)
    half = nozzle_at(state, 1.05)
    assert isinstance(half, NozzleSighting)
    assert half.tip_rgb_mm == pytest.approx(0.5 * (a.tip_rgb_mm + b.tip_rgb_mm))
    assert half.axis_rgb == pytest.approx(unit(a.axis_rgb + b.axis_rgb))
    late = nozzle_at(state, 1.2)
    assert isinstance(late, NozzleSighting)
    assert late.tip_rgb_mm == pytest.approx(b.tip_rgb_mm)


@pytest.mark.parametrize("t_s", [0.5, 1.5])
def test_a_nozzle_not_seen_near_that_time_is_not_made_up(t_s: float) -> None:
    seen = nozzle_over(CENTRE_MM, t_s=1.0)
    assert isinstance(nozzle_at(replace(begin(), recent_nozzles=(seen,), nozzle=seen), t_s), Lost)
    assert isinstance(nozzle_at(begin(), 1.0), Lost)


def test_a_nozzle_may_be_astray_by_its_speed_times_the_bound_of_the_clock() -> None:
    away_mm = np.array([0.0, 5.0, 0.0])
    sightings = tuple(nozzle_over(CENTRE_MM + k * away_mm, t_s=1.0 + 0.05 * k) for k in range(3))
    state = replace(begin(), recent_nozzles=sightings, nozzle=sightings[-1])
    assert astray_mm(state, 1.04, u95_s=0.02) == pytest.approx(2.0)
    assert astray_mm(state, 1.04, u95_s=0.0) == 0.0
    assert astray_mm(begin(), 1.04, u95_s=0.02) == 0.0


@pytest.mark.parametrize("how", ["gone", "black"])
def test_a_zone_that_depth_alone_follows_is_not_placed_after_half_a_second(player: Player, how: str) -> None:
    black = np.zeros((SCENE.rig.rgb.height_px, SCENE.rig.rgb.width_px, 3), np.uint8)
    script = Script(hz=20.0)
    script.colour = lambda t_s, picture: picture if t_s < 1.0 else None if how == "gone" else black
    played = player.play(script, to_s=2.0)
    seen, blind = played.at(0.95).zone, [told.zone for told in played.steps if told.t_s >= 1.45]
    assert isinstance(seen, PlacedChart)
    assert seen.state == "placed"
    assert all(isinstance(zone, PlacedChart) and zone.state == "held" and zone.by_depth for zone in blind)
    assert isinstance(blind[-1], PlacedChart)
    assert blind[-1].unseen_s == pytest.approx(1.05, abs=0.11)


def test_an_outline_in_pixels_is_held_where_no_picture_comes(player: Player) -> None:
    script = Script(colour=lambda t_s, picture: picture if t_s < 1.0 else None)
    told = player.play(script, to_s=1.6, setup=setup_of(rig=None)).steps[-1]
    assert isinstance(told.zone, PixelZone)
    assert told.zone.state == "held"
