"""The temperature of each cell with its bound, or not observed: never a guess."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.capture import ThermalPicture
from models.chart import PlacedChart
from models.exposure import SkinTemperature
from models.geometry import Bools, Counts, Floats, Pose
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from tests.rendered_limb import ROOM_DEGC, SKIN_DEGC, RenderedLimb, nozzle_over
from vision.nozzle_mask import nozzle_mask
from vision.point_spread import USUAL
from vision.thermal import GRAZING_COS, NOISE_U95_DEGC, OBSERVED_S, CellReadings, aged, read_cells
from vision.thermal_watch import STUCK_S, ThermalWatch, degrees, watch

SCENE = RenderedLimb()
N = len(SCENE.chart)
UNKNOWN = SkinTemperature(np.full(N, np.nan), np.full(N, np.nan), np.zeros(N, bool), np.full(N, np.nan))
TOUCHED = np.zeros(N, np.bool_)
NEVER = np.full(N, np.nan)
AWAY = Lost("no tag in the picture", 0.0)
PLACED = PlacedChart(SCENE.chart, Pose.identity(), "placed", 1.0)
MIDDLE_MM = SCENE.limb.centre_mm
NOT_BESIDE = np.zeros(N, np.bool_)


def read(
    picture: ThermalPicture,
    *,
    before: SkinTemperature = UNKNOWN,
    nozzle: NozzleSighting | Lost = AWAY,
    placed: PlacedChart = PLACED,
    floor: int | None = None,
    t_s: float | None = None,
    between_s: Floats = NEVER,
    untouched: Bools = TOUCHED,
    beside: Bools = NOT_BESIDE,
    rig: Rig = SCENE.rig,
) -> CellReadings:
    return read_cells(
        before,
        picture,
        placed,
        rig=rig,
        nozzle=nozzle,
        floor_centikelvin=floor,
        spread=USUAL,
        t_s=picture.t_s + 0.05 if t_s is None else t_s,
        beside=beside,
        between_s=between_s,
        untouched=untouched,
    )


def facing() -> Floats:
    """Cosine under which the thermal camera sees each cell."""
    assert SCENE.rig.thermal is not None
    to = SCENE.rig.thermal.thermal_from_rgb.inverse.translation_mm - SCENE.chart.position_mm
    return (to * SCENE.chart.normal).sum(1) / np.linalg.norm(to, axis=1)


def counts(degc: float, *, shape: tuple[int, int] = (120, 160)) -> Counts:
    return np.full(shape, round(100.0 * (degc + 273.15)), np.uint16)


def test_even_skin_is_read_to_the_cameras_noise() -> None:
    """Away from the limb's edge, where the room behind it mixes in."""
    skin = read(SCENE.thermal(1.0)).skin
    inner = facing() > 0.75
    assert skin.observed[inner].all()
    assert np.abs(skin.degc[inner] - SKIN_DEGC).max() < 0.5
    assert (skin.t_s[skin.observed] == 1.0).all()


def test_a_cold_spot_is_read_where_it_lies() -> None:
    centre = MIDDLE_MM + np.array([0.0, 20.0, 0.0])
    spot = SCENE.cold_spot(centre, degc=5.0, radius_mm=18.0)
    skin = read(SCENE.thermal(1.0, degc=spot)).skin
    coldest = SCENE.chart.position_mm[int(np.nanargmin(skin.degc))]
    assert np.linalg.norm(coldest - centre) < 12.0
    true = spot(SCENE.chart.position_mm)
    seen = skin.observed
    assert (np.abs(skin.degc - true) <= skin.u95_degc)[seen].mean() > 0.95


def test_a_moved_body_is_read_where_it_is_now() -> None:
    moved = np.array([4.0, -25.0, 6.0])
    spot = SCENE.cold_spot(MIDDLE_MM, degc=8.0, radius_mm=15.0)
    placed = replace(PLACED, rgb_from_chart=Pose.of(np.eye(3), moved))
    skin = read(SCENE.thermal(1.0, moved_mm=moved, degc=spot), placed=placed).skin
    coldest = SCENE.chart.position_mm[int(np.nanargmin(skin.degc))]
    assert np.linalg.norm(coldest - MIDDLE_MM) < 12.0


def test_the_bound_holds_the_cameras_accuracy_exactly_once() -> None:
    """On even skin seen square on nothing but accuracy and noise is left."""
    skin = read(SCENE.thermal(1.0, noise_degc=0.0)).skin
    square_on = facing() > 0.97
    assert square_on.sum() > 20
    assert SCENE.rig.thermal is not None
    once = float(np.hypot(SCENE.rig.thermal.accuracy_degc, NOISE_U95_DEGC))
    assert skin.u95_degc[square_on].min() == pytest.approx(once, abs=0.01)
    assert np.median(skin.u95_degc[square_on]) < once + 0.2
    assert np.nanmin(skin.u95_degc) >= once - 1e-6


def test_the_bound_is_wider_on_the_rim_of_a_cold_spot_and_where_skin_slants() -> None:
    spot = SCENE.cold_spot(MIDDLE_MM, degc=5.0, radius_mm=18.0)
    skin = read(SCENE.thermal(1.0, degc=spot)).skin
    away = np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1)
    square_on = facing() > 0.9
    rim, far = square_on & (np.abs(away - 18.0) < 4.0), square_on & (away > 60.0)
    assert np.nanmedian(skin.u95_degc[rim]) > np.nanmedian(skin.u95_degc[far]) + 0.3
    slanting = (facing() > GRAZING_COS) & (facing() < GRAZING_COS + 0.1)
    even = read(SCENE.thermal(1.0)).skin
    assert np.nanmedian(even.u95_degc[slanting]) > np.nanmedian(even.u95_degc[far]) + 0.5


def bound_degc(
    *, spot_degc: float = 15.0, accuracy_degc: float = 2.0, noise_degc: float = 0.0, moved_mm: float = 0.0
) -> Floats:
    """Bounds of all cells with a cold spot of 12 mm in the middle; infinite where a cell is not observed."""
    thermal, spot_mm = SCENE.rig.thermal, MIDDLE_MM + np.array([0.0, moved_mm, 0.0])
    assert thermal is not None
    picture = SCENE.thermal(
        0.0, degc=SCENE.cold_spot(spot_mm, degc=spot_degc, radius_mm=12.0), noise_degc=noise_degc
    )
    rig = replace(SCENE.rig, thermal=replace(thermal, accuracy_degc=accuracy_degc))
    now = read(picture, rig=rig).skin
    return np.where(now.observed, now.u95_degc, np.inf)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(accuracy_degc=st.floats(0.2, 5.0), more_degc=st.floats(0.05, 5.0), moved_mm=st.floats(-30.0, 30.0))
def test_a_less_accurate_camera_widens_the_bound_of_every_cell(
    accuracy_degc: float, more_degc: float, moved_mm: float
) -> None:
    good = bound_degc(accuracy_degc=accuracy_degc, moved_mm=moved_mm)
    poor = bound_degc(accuracy_degc=accuracy_degc + more_degc, moved_mm=moved_mm)
    seen = np.isfinite(good)
    assert seen.mean() > 0.5
    assert (np.isfinite(poor) == seen).all()
    assert (poor[seen] > good[seen]).all()
    assert (good[seen] >= accuracy_degc).all()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(spot_degc=st.floats(13.0, 25.0), colder_degc=st.floats(1.0, 10.0))
def test_a_colder_spot_widens_the_bounds_in_it_and_on_its_rim(spot_degc: float, colder_degc: float) -> None:
    """What a place beside its pixel and the surroundings' share cost grows with the contrast."""
    mild, cold = bound_degc(spot_degc=spot_degc), bound_degc(spot_degc=spot_degc - colder_degc)
    near = np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1) < 16.0
    assert near.sum() > 20
    assert (cold[near] >= mild[near] - 0.01).all()
    assert cold[near].mean() > mild[near].mean()


def test_a_noisier_thermal_picture_widens_the_bounds() -> None:
    """A slope between noisy pixels is no less of a slope."""
    seen = np.isfinite(bound_degc(noise_degc=2.0)) & np.isfinite(bound_degc())
    means = [float(bound_degc(noise_degc=noise)[seen].mean()) for noise in (0.0, 0.2, 0.6, 2.0)]
    assert means == sorted(means)
    assert means[-1] > means[0] + 0.1


def test_skin_seen_grazingly_is_not_observed() -> None:
    skin = read(SCENE.thermal(1.0)).skin
    assert not skin.observed[facing() < GRAZING_COS - 0.02].any()
    assert skin.observed[facing() > GRAZING_COS + 0.2].all()
    assert np.isnan(skin.degc[~skin.observed]).all()


def test_skin_outside_the_picture_is_not_observed() -> None:
    far = replace(PLACED, rgb_from_chart=Pose.of(np.eye(3), np.array([0.0, 5000.0, 0.0])))
    assert not read(SCENE.thermal(1.0), placed=far).skin.observed.any()


def test_skin_behind_the_nozzle_is_not_observed_and_none_of_its_frost_is_read() -> None:
    nozzle = nozzle_over(MIDDLE_MM, t_s=1.0, distance_mm=60.0, leaning=(0.25, 0.3))
    skin = read(SCENE.thermal(1.0, nozzle=nozzle), nozzle=nozzle).skin
    hidden = ~skin.observed & (facing() > 0.6)
    assert hidden.sum() > 50
    assert skin.observed.sum() > 50
    assert np.nanmin(skin.degc) > 20.0


def test_where_the_nozzle_was_last_seen_is_not_where_it_is() -> None:
    """Without a sighting no pixel is taken for nozzle: a reading below zero may be its metal, not skin."""
    nozzle = nozzle_over(MIDDLE_MM, t_s=1.0, distance_mm=60.0, leaning=(0.25, 0.3))
    skin = read(SCENE.thermal(1.0, nozzle=nozzle), nozzle=AWAY).skin
    assert np.nanmin(skin.degc) >= 0.0


def test_a_sudden_fall_is_something_in_between_and_not_skin() -> None:
    """From 33 to 5 degC between two pictures a tenth of a second apart: a glove, not skin."""
    before = read(SCENE.thermal(1.0)).skin
    glove = SCENE.cold_spot(MIDDLE_MM, degc=5.0, radius_mm=25.0)
    after = read(SCENE.thermal(1.1, degc=glove), before=before).skin
    covered = (np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1) < 15.0) & before.observed
    assert (after.t_s[covered] == 1.0).all()
    assert (after.degc[covered] == before.degc[covered]).all()
    assert (after.t_s[before.observed & ~covered] == 1.1).mean() > 0.7


def test_skin_that_cools_as_fast_as_a_co2_jet_can_is_believed() -> None:
    """34 to 15 degC in half a second, at 10 pictures a second."""
    skin = UNKNOWN
    for k in range(6):
        picture = SCENE.thermal(1.0 + 0.1 * k, degc=33.0 - 3.6 * k)
        skin = read(picture, before=skin).skin
    inner = facing() > 0.75
    assert skin.t_s[inner] == pytest.approx(1.5)
    assert skin.degc[inner] == pytest.approx(np.full(inner.sum(), 15.0), abs=1.0)


def test_cold_skin_is_found_again_after_it_was_hidden() -> None:
    """Two seconds behind the nozzle: what it may have fallen to by then is believed."""
    before = read(SCENE.thermal(1.0)).skin
    after = read(SCENE.thermal(3.0, degc=3.0), before=before).skin
    inner = facing() > 0.75
    assert after.t_s[inner] == pytest.approx(3.0)


def test_a_value_of_zero_is_no_reading() -> None:
    picture = SCENE.thermal(1.0)
    holed = picture.centikelvin.copy()
    holed[50:70, 60:80] = 0
    skin = read(replace(picture, centikelvin=holed)).skin
    assert not skin.observed.all()
    assert np.nanmin(skin.degc) > 15.0
    assert np.isnan(degrees(replace(picture, centikelvin=holed), floor_centikelvin=None)[60, 70])


@pytest.mark.parametrize("radius_mm", [22.0, 35.0, 60.0])
def test_the_end_of_the_scale_is_not_a_temperature(radius_mm: float) -> None:
    """Clipped below 18.4 degC: colder skin is unknown, not 18.4, in a small spot as in a large one."""
    end = round(100 * (18.4 + 273.15))
    picture = SCENE.thermal(1.0, degc=SCENE.cold_spot(MIDDLE_MM, degc=5.0, radius_mm=radius_mm))
    clipped = replace(picture, centikelvin=np.maximum(picture.centikelvin, np.uint16(end)))
    seen = watch(ThermalWatch.start(), clipped, t_s=1.05)
    assert seen.floor_centikelvin == end
    skin = read(clipped, floor=seen.floor_centikelvin).skin
    core = np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1) < radius_mm - 10.0
    assert core.sum() > 10
    assert not skin.observed[core].any()
    assert np.isnan(skin.degc[core]).all()


@pytest.mark.parametrize("step_ck", [1, 6])
@pytest.mark.parametrize("radius_mm", [5.0, 20.0, 60.0])
def test_the_lowest_value_of_a_dip_is_a_temperature(step_ck: int, radius_mm: float) -> None:
    """Also where the camera tells 1/16 K apart only."""

    def dip(points: Floats) -> Floats:
        away = np.linalg.norm(points - MIDDLE_MM, axis=-1)
        return SKIN_DEGC - 28.0 * np.exp(-np.log(2.0) * (away / radius_mm) ** 2)

    for seed in range(4):
        picture = SCENE.thermal(1.0 + seed, degc=dip)
        coarse = replace(picture, centikelvin=picture.centikelvin // step_ck * step_ck)
        assert watch(ThermalWatch.start(), coarse, t_s=1.05 + seed).floor_centikelvin is None


def test_a_picture_without_any_reading_observes_nothing() -> None:
    dead = ThermalPicture(1.0, np.zeros((120, 160), np.uint16), False)
    seen = watch(ThermalWatch.start(), dead, t_s=1.05)
    assert not read(dead, floor=seen.floor_centikelvin).skin.observed.any()


def test_a_reading_older_than_half_a_second_is_history() -> None:
    skin = read(SCENE.thermal(1.0)).skin
    assert aged(skin, t_s=1.0 + OBSERVED_S - 0.01).observed.sum() == skin.observed.sum()
    late = aged(skin, t_s=1.0 + OBSERVED_S + 0.01)
    assert not late.observed.any()
    assert np.array_equal(late.degc, skin.degc, equal_nan=True)


def test_a_picture_that_arrives_too_late_observes_nothing_now() -> None:
    assert not read(SCENE.thermal(1.0), t_s=2.0).skin.observed.any()


def test_a_stuck_picture_is_noticed_within_half_a_second() -> None:
    live, seen = SCENE.thermal(0.0), ThermalWatch.start()
    stuck_at = None
    for k in range(12):
        t_s = k / 9.0
        picture = replace(live, t_s=t_s) if k >= 3 else SCENE.thermal(t_s)
        seen = watch(seen, picture, t_s=t_s)
        if seen.stuck and stuck_at is None:
            stuck_at = t_s
    assert stuck_at is not None
    assert STUCK_S <= stuck_at - 3 / 9.0 < STUCK_S + 0.12


def test_live_pictures_are_never_stuck_even_of_a_still_body() -> None:
    """Each carries noise of its own; a slow camera may repeat each picture three times."""
    for repeats, rate in ((1, 9.0), (3, 27.0)):
        seen = ThermalWatch.start()
        for k in range(40):
            live = SCENE.thermal(k // repeats * repeats / rate)
            seen = watch(seen, replace(live, t_s=k / rate), t_s=k / rate)
            assert not seen.stuck


def test_a_stuck_picture_that_moves_on_is_live_again() -> None:
    seen = ThermalWatch.start()
    for k in range(10):
        seen = watch(seen, ThermalPicture(0.1 * k, counts(30.0), False), t_s=0.1 * k)
    assert seen.stuck
    assert not watch(seen, ThermalPicture(1.1, counts(30.1), False), t_s=1.1).stuck


def test_a_shutter_event_is_a_state_and_not_a_stuck_picture() -> None:
    seen = ThermalWatch.start()
    seen = watch(seen, ThermalPicture(0.0, counts(33.0), False), t_s=0.05)
    for k in range(1, 8):
        seen = watch(seen, ThermalPicture(0.1 * k, counts(33.0), True), t_s=0.1 * k + 0.05)
        assert seen.shutter
        assert not seen.stuck
        assert seen.last_t_s == 0.0
    seen = watch(seen, ThermalPicture(0.8, counts(33.1), False), t_s=0.85)
    assert not seen.shutter
    assert not seen.stuck
    assert seen.last_t_s == 0.8


def test_the_mask_covers_the_nozzle_and_leaves_the_rest() -> None:
    assert SCENE.rig.thermal is not None
    camera, thermal_from_rgb = SCENE.rig.thermal.camera, SCENE.rig.thermal.thermal_from_rgb
    nozzle = nozzle_over(MIDDLE_MM, t_s=1.0)
    mask = nozzle_mask(camera, thermal_from_rgb, SCENE.rig, nozzle)
    along = nozzle.tip_rgb_mm - np.linspace(0.0, 140.0, 30)[:, None] * nozzle.axis_rgb
    px = np.rint(camera.project(thermal_from_rgb.apply(along))).astype(int)
    assert mask[px[:, 1], px[:, 0]].all()
    spot = np.rint(camera.project(thermal_from_rgb.apply(MIDDLE_MM))).astype(int)
    assert not mask[spot[1], spot[0]]
    assert not nozzle_mask(camera, thermal_from_rgb, SCENE.rig, AWAY).any()
    assert not nozzle_mask(camera, thermal_from_rgb, replace(SCENE.rig, nozzle=None), nozzle).any()


def test_the_room_behind_the_limb_is_never_taken_for_skin() -> None:
    """A small error of the calibration must not read 22 degC of couch as cold skin: bounded, not certain."""
    skin = read(SCENE.thermal(1.0)).skin
    assert np.nanmin(skin.degc) > ROOM_DEGC + 3.0


def test_nothing_that_was_handed_over_is_changed() -> None:
    picture = SCENE.thermal(1.0)
    kept = picture.centikelvin.copy()
    first, second = read(picture).skin, read(picture).skin
    assert (picture.centikelvin == kept).all()
    assert np.array_equal(first.degc, second.degc, equal_nan=True)
    assert np.isnan(UNKNOWN.degc).all()


def test_untouched_cells_at_the_rim_of_a_limb_show_what_lies_beside_it() -> None:
    """Before any gas skin is even: what reads colder outside the zone, or on a steep fall, is no skin."""
    picture = SCENE.thermal(1.0)
    plain, sorted_out = read(picture).skin, read(picture, untouched=~TOUCHED).skin
    usual_degc = np.median(plain.degc[plain.observed])
    # The premise: with the spread taken out the rim reads 2.46 degC colder, 3 and more with it in.
    assert np.min(plain.degc[plain.observed]) < usual_degc - 2.4
    assert np.min(sorted_out.degc[sorted_out.observed]) > usual_degc - 3.0
    inner = facing() > 0.75
    assert sorted_out.observed[inner].all()


def test_a_cold_patch_in_the_zone_is_skin_that_has_not_rewarmed() -> None:
    picture = SCENE.thermal(1.0)
    height, width = picture.centikelvin.shape
    assert SCENE.rig.thermal is not None
    middle = SCENE.rig.thermal.thermal_from_rgb.apply(MIDDLE_MM)
    x, y = SCENE.rig.thermal.camera.project(middle[None])[0]
    row, column = np.mgrid[:height, :width]
    dip = 600.0 * np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2.0 * 6.0**2))
    cold = replace(picture, centikelvin=(picture.centikelvin - dip).astype(np.uint16))
    skin = read(cold, untouched=~TOUCHED).skin
    near = np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1) < 10.0
    assert skin.observed[near & SCENE.chart.in_zone].all()
    assert skin.degc[near].min() < 30.0


def test_what_looked_like_cloth_when_the_zone_was_laid_is_skin_once_it_is_as_warm_though_gas_has_been() -> (
    None
):
    """Gas before the session leaves a spot with steep edges. Until it is warm it may as well be cloth."""
    near = np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1) < 25.0
    cold = SCENE.cold_spot(MIDDLE_MM, degc=8.0, radius_mm=12.0)
    cool = SCENE.cold_spot(MIDDLE_MM, degc=29.0, radius_mm=40.0)
    laid = read(SCENE.thermal(1.0, degc=cold), untouched=~TOUCHED)
    taken_for_cloth = laid.beside & near
    assert taken_for_cloth.sum() >= 10
    kept = laid.beside
    for t_s, degc in ((1.1, cold), (10.0, cool)):
        kept = read(SCENE.thermal(t_s, degc=degc), untouched=~near, beside=kept).beside
        assert kept[taken_for_cloth].all(), "less steep, and still colder than skin no gas has reached"
    warm = read(SCENE.thermal(20.0), untouched=~near, beside=kept)
    assert warm.skin.observed[taken_for_cloth].all()


def seen_meanwhile(
    spots: list[tuple[float, float | None]], *, nozzle: NozzleSighting | Lost, untouched: Bools = TOUCHED
) -> list[float]:
    """Lowest temperature told of the middle after each picture, given as (time, degC of a spot there)."""
    skin, between_s, told = UNKNOWN, NEVER, []
    near = np.linalg.norm(SCENE.chart.position_mm - MIDDLE_MM, axis=1) < 15.0
    for t_s, spot_degc in spots:
        spot = None if spot_degc is None else SCENE.cold_spot(MIDDLE_MM, degc=spot_degc, radius_mm=25.0)
        picture = SCENE.thermal(t_s) if spot is None else SCENE.thermal(t_s, degc=spot)
        readings = read(
            picture, before=skin, nozzle=nozzle, t_s=t_s, between_s=between_s, untouched=untouched
        )
        skin, between_s = readings.skin, readings.between_s
        told.append(float(np.min(skin.degc[near], initial=np.inf, where=np.isfinite(skin.degc[near]))))
    return told


def test_metal_that_stays_before_the_skin_unseen_is_no_skin_for_two_seconds() -> None:
    times_s = [0.04 * k for k in range(1, 75)]
    told = seen_meanwhile([(0.0, None), *((t_s, 8.0) for t_s in times_s)], nozzle=AWAY)
    assert min(told[: round(1.9 / 0.04)]) > 25.0
    assert told[-1] < 12.0, "then it counts as skin: a jet at rest must not go unnoticed"


def test_skin_that_cools_through_all_temperatures_is_believed_while_the_nozzle_is_unseen() -> None:
    falling = [(0.04 * k, max(33.0 - 25.0 * 0.04 * k, 4.0)) for k in range(1, 30)]
    told = seen_meanwhile([(0.0, None), *falling], nozzle=AWAY)
    assert told[-1] < 9.0


def test_metal_that_comes_back_unseen_is_held_off_as_long_again() -> None:
    first = [(0.04 * k, 8.0) for k in range(1, 15)]
    away = [(0.04 * k, None) for k in range(15, 75)]
    again = [(0.04 * k, 8.0) for k in range(75, 120)]
    assert min(seen_meanwhile([(0.0, None), *first, *away, *again], nozzle=AWAY)) > 25.0


def test_metal_in_the_first_pictures_is_no_skin_that_no_gas_has_reached() -> None:
    spots: list[tuple[float, float | None]] = [(0.04 * k, 8.0) for k in range(60)]
    told = seen_meanwhile(spots, nozzle=AWAY, untouched=~TOUCHED)
    assert min(told[:45]) > 25.0
    assert told[-1] < 12.0, "after two seconds it may be skin"
    assert seen_meanwhile(spots[:1], nozzle=AWAY)[0] < 12.0, "skin that gas may have reached is believed"


def test_what_the_nozzle_hid_when_it_was_last_seen_is_no_skin_when_it_is_lost() -> None:
    shown = nozzle_over(MIDDLE_MM, t_s=1.0)
    metal = SCENE.thermal(1.0, nozzle=shown, nozzle_degc=8.0)
    skin = read(SCENE.thermal(0.0)).skin

    def after(
        nozzle: NozzleSighting | Lost, before: SkinTemperature, between_s: Floats, t_s: float
    ) -> CellReadings:
        picture = replace(metal, t_s=t_s)
        return read(picture, before=before, nozzle=nozzle, t_s=t_s, between_s=between_s)

    hidden = after(shown, skin, NEVER, 1.0)
    assert np.isfinite(hidden.between_s).sum() > 20
    lost = after(AWAY, hidden.skin, hidden.between_s, 1.2)
    assert np.nanmin(lost.skin.degc) > 25.0, "hidden for 1.2 s, skin might have fallen by 50 degrees"


def test_skin_is_believed_again_as_soon_as_what_stood_before_it_has_gone() -> None:
    spots = [(0.0, None), *((0.04 * k, 8.0) for k in range(1, 15)), (0.6, 28.0), (0.64, 28.0)]
    told = seen_meanwhile(spots, nozzle=AWAY)
    assert told[-1] == pytest.approx(28.0, abs=2.0)


def test_only_the_rim_before_a_cooler_room_may_be_warmer_than_it_reads() -> None:
    readings = read(SCENE.thermal(1.0, noise_degc=0.0))
    seen, warmer = np.isfinite(readings.warmer_degc), np.nan_to_num(readings.warmer_degc)
    inner, rim = seen & (facing() > 0.85), seen & (facing() < 0.45)
    assert warmer[inner].max() < 0.2
    assert rim.sum() > 20
    assert np.median(warmer[rim]) > 1.0
    # What they read colder than they are is no more than that and the bound.
    fell = SKIN_DEGC - readings.read_degc
    assert (fell <= warmer + np.hypot(readings.noise_u95_degc, readings.common_u95_degc))[seen].all()


def test_cold_skin_at_the_rim_before_a_warmer_room_is_doubted_downwards() -> None:
    def at(degc: float) -> Floats:
        return read(SCENE.thermal(1.0, degc=degc, noise_degc=0.0)).common_u95_degc

    cold, even, rim = at(ROOM_DEGC - 15.0), at(ROOM_DEGC), (facing() < 0.45) & (facing() > GRAZING_COS)
    assert np.median(cold[rim]) > np.median(even[rim]) + 1.0
    assert np.median(cold[facing() > 0.9]) == pytest.approx(np.median(even[facing() > 0.9]), abs=0.2)
