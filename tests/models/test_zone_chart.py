"""A zone laid on a limb: true area, normals, heights and arcs, and nothing where there is no skin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from models.catalogue import load_zones
from models.chart import CELL_MM, ZoneChart
from models.geometry import Floats, Pose
from models.surface import FILL_LIMIT_MM, Skin
from models.zone import LeaveOut, Zone
from models.zone_chart import MARGIN_MM, TILE_CM2, Outline, outline_of, tiles, uv_of
from tests.models.limb_points import Limb
from tests.models.skin_scenes import tapped_chart, turned

LIMB = Limb()
ZONE = replace(load_zones()["calf"], width_mm=110.0, length_mm=150.0, leave_out=())


def lay(skin: Skin, *, zone: Zone = ZONE, outline: Outline | None = None, u_sign: float = 1.0) -> ZoneChart:
    outline = outline or outline_of(zone, scale=1.0)
    chart = tapped_chart(skin, outline, zone=zone, u_sign=u_sign, reference_t_s=0.5)
    assert chart is not None
    return chart


def ellipse_cm2(zone: Zone) -> float:
    return np.pi / 4.0 * zone.width_mm * zone.length_mm / 100.0


def disc(u_mm: float, v_mm: float, radius_mm: float) -> Outline:
    turn = np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)
    return Outline(np.stack([u_mm + radius_mm * np.cos(turn), v_mm + radius_mm * np.sin(turn)], axis=1))


@pytest.fixture(scope="module")
def skin() -> Skin:
    """A limb of 60 mm radius from noisy points."""
    return LIMB.surface().add(LIMB.seen()).skin()


@pytest.fixture(scope="module")
def chart(skin: Skin) -> ZoneChart:
    return lay(skin)


def test_the_zones_area_is_that_of_the_curved_skin(chart: ZoneChart) -> None:
    """A limb unrolls without stretching, so the ellipse has its flat area; measured -1.7 %."""
    assert chart.zone_area_cm2 == pytest.approx(ellipse_cm2(ZONE), rel=0.03)


def test_each_cells_area_is_its_own_within_bounds_that_noise_sets(chart: ZoneChart) -> None:
    """A regular cell has 0.25 cm2; measured 0.2 % p95 in the zone."""
    assert np.percentile(np.abs(chart.area_cm2[chart.in_zone] - 0.25), 95) < 0.002
    assert chart.area_cm2.min() > 0.2


def test_normals_point_out_of_the_limb(chart: ZoneChart) -> None:
    """Measured 2.7 degrees p95 on noisy points."""
    true = LIMB.normal(chart.position_mm)
    turn_deg = np.degrees(np.arccos(np.clip((chart.normal * true).sum(1), -1.0, 1.0)))
    assert np.percentile(turn_deg[chart.in_zone], 95) < 4.0
    assert np.linalg.norm(chart.normal, axis=1) == pytest.approx(np.ones(len(chart)))


def test_heights_lie_inside_their_bound(chart: ZoneChart) -> None:
    error = np.abs(LIMB.outside_mm(chart.position_mm))
    assert (error <= chart.height_u95_mm).mean() > 0.97


def test_u_is_the_arc_on_the_skin_from_the_zones_middle(chart: ZoneChart) -> None:
    x, _, z = chart.position_mm.T
    arc_mm = LIMB.radius_mm * np.arctan2(x, LIMB.deep_mm + LIMB.radius_mm - z)
    # The limb's v points up in the picture, so x is to the right and u grows with it.
    error = np.abs(arc_mm - chart.u_mm)
    assert np.percentile(error[chart.in_zone], 95) < 1.0
    assert chart.v_mm == pytest.approx(-chart.position_mm[:, 1], abs=1e-6)


def test_neighbours_lie_one_cell_apart_on_the_skin(chart: ZoneChart) -> None:
    place = {(int(r), int(c)): p for r, c, p in zip(chart.row, chart.col, chart.position_mm, strict=True)}
    steps = [np.linalg.norm(place[r, c + 1] - p) for (r, c), p in place.items() if (r, c + 1) in place]
    assert np.mean(steps) == pytest.approx(CELL_MM, rel=0.02)
    assert np.percentile(steps, [2, 98]) == pytest.approx([CELL_MM, CELL_MM], rel=0.15)


def test_the_map_goes_on_at_least_50_mm_past_the_outline(chart: ZoneChart) -> None:
    """Where there is skin: along the limb to both sides, and round it as far as skin is known."""
    zone = chart.in_zone
    assert chart.v_mm.max() >= chart.v_mm[zone].max() + 50.0
    assert chart.v_mm.min() <= chart.v_mm[zone].min() - 50.0
    gap = np.hypot(
        chart.u_mm[:, None] - chart.u_mm[zone][None, ::7], chart.v_mm[:, None] - chart.v_mm[zone][None, ::7]
    )
    assert gap.min(1).max() <= MARGIN_MM + 20.0
    wide = lay(LIMB.surface().add(LIMB.seen()).skin(), outline=disc(0.0, 0.0, 20.0))
    assert wide.u_mm.max() >= 70.0
    assert wide.u_mm.min() <= -70.0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_moving_the_whole_scene_changes_nothing_on_the_chart(seed: int) -> None:
    """Points on the edge of two grid nodes may fall to either, hence the tolerances."""
    moved = turned(seed)
    points = LIMB.seen(spacing_mm=4.0, noise_mm=0.0)
    still = lay(LIMB.surface().add(points).skin())
    there = lay(LIMB.surface(moved=moved).add(moved.apply(points)).skin())
    assert there.zone_area_cm2 == pytest.approx(still.zone_area_cm2, rel=1e-3)
    assert moved.inverse.apply(there.centre_mm) == pytest.approx(still.centre_mm, abs=0.05)
    assert len(there) == pytest.approx(len(still), rel=0.01)
    inside = there.in_zone.sum(), still.in_zone.sum()
    assert inside[0] == inside[1]
    back = moved.inverse.apply(there.position_mm[there.in_zone])
    assert back == pytest.approx(still.position_mm[still.in_zone], abs=0.2)
    normal = moved.inverse.rotate(there.normal[there.in_zone])
    assert normal == pytest.approx(still.normal[still.in_zone], abs=0.02)


@settings(max_examples=10, deadline=None)
@given(angle_rad=st.floats(-0.4, 0.4), v_mm=st.floats(-35.0, 35.0))
def test_the_same_outline_has_the_same_area_wherever_the_charts_origin_lies(
    angle_rad: float, v_mm: float
) -> None:
    """A leaning ellipse; its chart's origin lies elsewhere each time, so 5 mm cells cut it differently.

    Its middle is the mean of whole cells: a fifth of a cell is allowed, 0.81 mm the most that was found.
    """
    skin = LIMB.surface().add(LIMB.seen(spacing_mm=3.0, noise_mm=0.0)).skin()
    turn = np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)
    ellipse = np.stack([40.0 * np.cos(turn), 60.0 * np.sin(turn)], axis=1)
    leaning = ellipse @ np.array([[0.94, 0.34], [-0.34, 0.94]]) - [angle_rad * LIMB.radius_mm, v_mm]
    chart = lay(skin.shifted(angle_rad=angle_rad, v_mm=v_mm), outline=Outline(leaning))
    assert chart.zone_area_cm2 == pytest.approx(np.pi * 4.0 * 6.0, rel=0.03)
    arc_mm = np.arctan2(chart.position_mm[:, 0], LIMB.deep_mm + LIMB.radius_mm - chart.position_mm[:, 2])
    middle = (
        np.average((arc_mm * LIMB.radius_mm)[chart.in_zone]),
        np.average(chart.position_mm[chart.in_zone, 1]),
    )
    assert middle == pytest.approx((0.0, 0.0), abs=1.0)


def test_left_and_right_mirror_u_and_nothing_else(skin: Skin) -> None:
    plain, mirrored = lay(skin), lay(skin, u_sign=-1.0)
    assert mirrored.zone_area_cm2 == pytest.approx(plain.zone_area_cm2, rel=0.01)
    for one, sign in ((plain, 1.0), (mirrored, -1.0)):
        assert np.corrcoef(one.u_mm, one.position_mm[:, 0])[0, 1] * sign > 0.9
        assert (LIMB.normal(one.position_mm) * one.normal).sum(1).min() > 0.8


@settings(max_examples=60, deadline=None)
@given(
    width_mm=st.floats(20.0, 420.0),
    length_mm=st.floats(20.0, 420.0),
    stretch=st.floats(0.6, 1.6),
)
def test_tiles_cover_the_zone_and_none_is_larger_than_150_cm2(
    width_mm: float, length_mm: float, stretch: float
) -> None:
    u, v = (a.ravel() for a in np.meshgrid(np.arange(0.0, width_mm, 5.0), np.arange(0.0, length_mm, 5.0)))
    area = 0.25 * np.linspace(1.0, stretch, len(u))
    tile = tiles(u, v, area)
    size = np.bincount(tile, area)
    assert tile.min() == 0
    assert (size > 0.0).all()
    assert size.max() <= TILE_CM2
    assert len(size) <= np.ceil(area.sum() / TILE_CM2) + 1


def test_a_large_zone_is_cut_into_tiles_and_a_small_one_is_not(skin: Skin) -> None:
    small, large = lay(skin, outline=disc(0.0, 0.0, 40.0)), lay(skin, outline=disc(0.0, 0.0, 85.0))
    assert set(small.tile[small.in_zone]) == {0}
    assert set(large.tile[large.in_zone]) == {0, 1}
    for chart in (small, large):
        assert (chart.tile[~chart.in_zone] == -1).all()
        for number in set(chart.tile[chart.in_zone].tolist()):
            assert chart.area_cm2[chart.tile == number].sum() <= TILE_CM2


def test_a_hole_in_the_readings_is_no_skin(skin: Skin) -> None:
    """A hand of 80 mm in front of the limb: cells more than 25 mm inside its edge are not made up."""
    points = LIMB.seen()
    away_mm = np.linalg.norm(points - LIMB.centre_mm, axis=1)
    holed = lay(LIMB.surface().add(points[away_mm > 40.0]).skin())
    from_middle = np.linalg.norm(holed.position_mm - LIMB.centre_mm, axis=1)
    assert from_middle.min() > 40.0 - FILL_LIMIT_MM - 3.0
    rim = from_middle < 36.0
    assert rim.sum() > 10
    assert holed.height_u95_mm[rim].min() > np.median(lay(skin).height_u95_mm)
    assert (np.abs(LIMB.outside_mm(holed.position_mm)) <= holed.height_u95_mm)[rim].mean() > 0.95


def test_only_skin_that_hangs_together_with_the_zone_is_on_its_map() -> None:
    points = LIMB.seen(half_mm=260.0)
    gap = (points[:, 1] > 90.0) & (points[:, 1] < 180.0)
    chart = lay(LIMB.surface(reach_mm=320.0).add(points[~gap]).skin())
    grid = np.zeros((chart.row.max() + 1, chart.col.max() + 1), bool)
    grid[chart.row, chart.col] = True
    assert ndimage.label(grid)[1] == 1
    assert chart.position_mm[:, 1].max() < 90.0 + FILL_LIMIT_MM + CELL_MM


@pytest.mark.parametrize("aside_mm", [135.0, 160.0, 200.0])
def test_the_other_leg_is_not_taken_in(aside_mm: float) -> None:
    """Two legs side by side, 15 mm apart and more; the whole picture is handed over."""
    points = np.concatenate([LIMB.seen(), Limb(aside_mm=aside_mm).seen(seed=1)])
    chart = lay(LIMB.surface().add(points).skin())
    error = np.abs(LIMB.outside_mm(chart.position_mm))
    assert error[chart.in_zone].max() < 3.0
    assert (error <= chart.height_u95_mm)[chart.in_zone].mean() > 0.97
    assert chart.zone_area_cm2 == pytest.approx(ellipse_cm2(ZONE), rel=0.03)


NERVE = LeaveOut("a nerve", u_mm=0.0, v_mm=0.0, radius_u_mm=40.0, radius_v_mm=40.0)


@pytest.mark.parametrize(("zone", "v_mm"), [(ZONE, 400.0), (replace(ZONE, leave_out=(NERVE,)), 0.0)])
def test_without_skin_to_treat_under_the_outline_there_is_no_chart(
    skin: Skin, zone: Zone, v_mm: float
) -> None:
    assert tapped_chart(skin, disc(0.0, v_mm, 30.0), zone=zone) is None


def test_what_is_to_be_left_out_is_not_in_the_zone_and_marked(skin: Skin) -> None:
    area = LeaveOut("a nerve", u_mm=20.0, v_mm=-30.0, radius_u_mm=15.0, radius_v_mm=20.0)
    chart = lay(skin, zone=replace(ZONE, leave_out=(area,)))
    inside = ((chart.u_mm - 20.0) / 15.0) ** 2 + ((chart.v_mm + 30.0) / 20.0) ** 2 <= 1.0
    assert inside.sum() > 20
    assert chart.left_out[inside].all()
    assert not chart.left_out[~inside].any()
    assert not chart.in_zone[inside].any()
    lost = np.pi * 1.5 * 2.0
    assert chart.zone_area_cm2 == pytest.approx(ellipse_cm2(ZONE) - lost, rel=0.03)


def test_places_on_the_chart_are_found_again_by_their_position(skin: Skin, chart: ZoneChart) -> None:
    some = np.flatnonzero(chart.in_zone)[::60]
    found = uv_of(skin, chart.position_mm[some], u_sign=1.0)
    assert found[:, 0] == pytest.approx(chart.u_mm[some], abs=0.3)
    assert found[:, 1] == pytest.approx(chart.v_mm[some], abs=0.01)


@pytest.mark.parametrize("name", sorted(load_zones()))
@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_an_outline_has_the_catalogues_size_times_the_bodys(name: str, scale: float) -> None:
    zone = load_zones()[name]
    polygon = outline_of(zone, scale=scale).polygon_mm
    assert np.ptp(polygon, axis=0) == pytest.approx([zone.width_mm * scale, zone.length_mm * scale], rel=2e-3)
    x, y = polygon.T
    area = 0.5 * abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    low, high = (0.78, 0.79) if zone.shape == "ellipse" else (0.9, 1.0)
    assert low < area / (zone.width_mm * zone.length_mm * scale**2) < high


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), corners=st.integers(3, 12))
def test_inside_means_that_the_outline_winds_round_the_point(seed: int, corners: int) -> None:
    """Second opinion: the sum of the angles under which the sides are seen."""
    seeded = np.random.default_rng(seed)
    turn = np.sort(seeded.uniform(0.0, 2.0 * np.pi, corners))
    star = seeded.uniform(20.0, 60.0, corners)[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    places: Floats = seeded.uniform(-70.0, 70.0, (200, 2))
    to = star[None] - places[:, None]
    angle = np.arctan2(to[..., 1], to[..., 0])
    side = (np.roll(angle, -1, axis=1) - angle + np.pi) % (2.0 * np.pi) - np.pi
    winds = np.abs(side.sum(1)) > np.pi
    assert (Outline(star).contains(places[:, 0], places[:, 1]) == winds).all()


def test_the_chart_remembers_when_and_by_what_it_was_laid(chart: ZoneChart) -> None:
    assert (chart.reference_t_s, chart.anchored_by, chart.surface_by) == (0.5, "tap", "depth")
    assert chart.place_u95_mm == 5.0


def test_the_identity_moves_no_chart(skin: Skin, chart: ZoneChart) -> None:
    again = lay(
        replace(
            skin, surface=replace(skin.surface, rgb_from_axis=Pose.identity() @ skin.surface.rgb_from_axis)
        )
    )
    assert again.position_mm == pytest.approx(chart.position_mm)
