"""Skin from measured points: right where it was measured, bounded beside it, not claimed beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import unit
from models.surface import FILL_LIMIT_MM, GRID_MM, Skin, largest_part
from tests.models.limb_points import NOISE_SIGMA_MM, Limb
from tests.models.skin_scenes import turned

LIMB = Limb()


@pytest.fixture(scope="module")
def skin() -> Skin:
    return LIMB.surface().add(LIMB.seen()).skin()


def errors_mm(skin: Skin, limb: Limb = LIMB) -> np.ndarray:
    """Height of every claimed node above the true skin."""
    angle, v = skin.surface.grid()
    return limb.outside_mm(skin.surface.points(angle, v, skin.radius_mm))


def test_noisy_points_of_a_limb_give_its_skin_within_the_bound(skin: Skin) -> None:
    """Measured: 0.36 mm p95 where points lie; noise averages out over about a hundred of them."""
    measured = skin.surface.weight > 0
    error = np.abs(errors_mm(skin))
    assert np.percentile(error[measured], 95) < 0.8
    claimed = np.isfinite(skin.radius_mm)
    assert (error <= skin.u95_mm)[claimed].mean() > 0.97


def test_the_bound_never_falls_below_what_smoothing_cannot_average_away(skin: Skin) -> None:
    assert np.nanmin(skin.u95_mm) >= 2.5


def test_a_smooth_limb_without_noise_is_met_to_a_tenth_of_a_millimetre() -> None:
    skin = LIMB.surface().add(LIMB.seen(noise_mm=0.0)).skin()
    inner = skin.surface.weight > 0
    inner[:8] = inner[-8:] = False
    assert np.percentile(np.abs(errors_mm(skin))[inner], 95) < 0.1


def test_no_skin_is_claimed_farther_than_the_limit_from_a_point() -> None:
    skin = LIMB.surface().add(LIMB.seen(half_mm=60.0)).skin()
    _, v = skin.surface.grid()
    assert np.isnan(skin.radius_mm[np.abs(v) > 60.0 + FILL_LIMIT_MM + GRID_MM]).all()
    assert np.isfinite(skin.radius_mm[:, skin.radius_mm.shape[1] // 2][np.abs(v[:, 0]) < 60.0]).all()


def test_the_bound_grows_with_the_distance_from_the_last_point() -> None:
    skin = LIMB.surface().add(LIMB.seen(half_mm=60.0)).skin()
    middle = skin.u95_mm.shape[1] // 2
    _, v = skin.surface.grid()
    beyond = skin.u95_mm[v[:, 0] >= 66.0, middle]
    beyond = beyond[np.isfinite(beyond)]
    assert len(beyond) > 4
    assert (np.diff(beyond) >= 0.0).all()
    assert beyond[-1] > beyond[0] + 4.0


@pytest.mark.parametrize("taper", [-0.2, 0.15])
def test_a_tapered_limb_goes_on_along_its_slope_within_the_bound(taper: float) -> None:
    limb = Limb(taper=taper)
    skin = limb.surface().add(limb.seen(half_mm=80.0)).skin()
    _, v = skin.surface.grid()
    beyond = np.isfinite(skin.radius_mm) & (np.abs(v) > 82.0)
    error = np.abs(errors_mm(skin, limb))
    assert beyond.sum() > 100
    assert (error <= skin.u95_mm)[beyond].mean() > 0.95


def test_nothing_measured_is_no_skin_at_all() -> None:
    skin = LIMB.surface().skin()
    assert np.isnan(skin.radius_mm).all()
    assert np.isnan(skin.u95_mm).all()


def test_the_other_leg_is_not_taken_in() -> None:
    """It lies three to four radii from the axis."""
    other = Limb(aside_mm=200.0).seen()
    alone = LIMB.surface().add(LIMB.seen())
    both = alone.add(other)
    assert both.weight.sum() == alone.weight.sum()


def test_two_pictures_add_up_to_one_of_all_their_points() -> None:
    points = LIMB.seen()
    at_once = LIMB.surface().add(points)
    in_turn = LIMB.surface().add(points[::2]).add(points[1::2])
    assert in_turn.weight == pytest.approx(at_once.weight)
    assert in_turn.weighted_mm == pytest.approx(at_once.weighted_mm)


def test_two_pictures_of_half_the_weight_give_the_same_skin() -> None:
    points = LIMB.seen()
    once = LIMB.surface().add(points).skin()
    twice = LIMB.surface().add(points, weight=0.5).add(points, weight=0.5).skin()
    assert twice.radius_mm == pytest.approx(once.radius_mm, nan_ok=True)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_moving_the_whole_scene_changes_no_radius(seed: int) -> None:
    moved = turned(seed)
    points = LIMB.seen(spacing_mm=4.0, noise_mm=0.0)
    still = LIMB.surface().add(points)
    there = LIMB.surface(moved=moved).add(moved.apply(points))
    # A point on the edge of two nodes may fall to either.
    assert np.abs(there.weight - still.weight).sum() < 0.02 * still.weight.sum()
    difference = there.skin().radius_mm - still.skin().radius_mm
    assert np.nanmax(np.abs(difference)) < 0.2


def test_points_go_to_angle_and_height_and_back(skin: Skin) -> None:
    points = LIMB.seen(noise_mm=0.0)
    assert skin.surface.points(*skin.surface.polar(points)) == pytest.approx(points, abs=1e-9)


def test_every_node_lies_at_its_own_place_on_the_grid(skin: Skin) -> None:
    row, col = skin.surface.nodes(*skin.surface.grid())
    assert row == pytest.approx(np.indices(row.shape)[0].astype(float))
    assert col == pytest.approx(np.indices(col.shape)[1].astype(float))


def test_a_ray_meets_the_skin_where_the_limb_is(skin: Skin) -> None:
    """Measured 0.3 mm at most: the noise that is left."""
    targets = LIMB.at(np.radians([-50.0, -20.0, 0.0, 30.0, 55.0]), np.array([-80.0, 40.0, 0.0, -20.0, 90.0]))
    hits = skin.cast(targets, origin_rgb_mm=np.zeros(3))
    assert np.linalg.norm(hits - targets, axis=1).max() < 2.0
    assert np.linalg.norm(np.cross(unit(hits), unit(targets)), axis=1).max() < 1e-9


def test_a_ray_beside_the_limb_meets_nothing(skin: Skin) -> None:
    aside = np.array([[75.0, 0.0, LIMB.deep_mm], [0.0, 400.0, LIMB.deep_mm]])
    assert np.isnan(skin.cast(aside, origin_rgb_mm=np.zeros(3))).all()


def test_a_ray_meets_the_near_side_and_not_the_far_one() -> None:
    limb = Limb(deep_mm=2500.0)
    skin = limb.surface().add(limb.seen(noise_mm=0.0)).skin()
    hit = skin.cast(np.array([[0.0, 0.0, 1.0]]), origin_rgb_mm=np.zeros(3))
    assert hit[0, 2] == pytest.approx(2500.0, abs=1.0)


def test_a_shifted_grid_describes_the_same_skin(skin: Skin) -> None:
    shifted = skin.shifted(angle_rad=0.4, v_mm=30.0)
    origin = shifted.surface.points(np.zeros(1), np.zeros(1), shifted.at(np.zeros(1), np.zeros(1))[0])
    there = skin.surface.points(
        np.array([0.4]), np.array([30.0]), skin.at(np.array([0.4]), np.array([30.0]))[0]
    )
    assert origin == pytest.approx(there, abs=1e-9)
    error = np.abs(errors_mm(shifted))
    assert np.nanpercentile(error, 95) == pytest.approx(
        np.nanpercentile(np.abs(errors_mm(skin)), 95), abs=0.5
    )


def test_a_grid_turned_round_describes_the_same_skin(skin: Skin) -> None:
    turned_round = skin.turned_round()
    assert np.abs(errors_mm(turned_round)) == pytest.approx(np.abs(errors_mm(skin))[::-1, ::-1], nan_ok=True)
    assert turned_round.turned_round().radius_mm == pytest.approx(skin.radius_mm, nan_ok=True)
    head = turned_round.surface.rgb_from_axis.rotation[:, 1] @ skin.surface.rgb_from_axis.rotation[:, 1]
    assert head == pytest.approx(-1.0)


def test_a_knee_cap_stands_out_where_it_is_put(skin: Skin) -> None:
    raised = skin.raised(angle_rad=0.2, v_mm=-20.0, radius_mm=20.0, height_mm=12.0, height_u95_mm=6.0)
    place = np.array([0.2]), np.array([-20.0])
    before, u95_before = skin.at(*place)
    after, u95_after = raised.at(*place)
    assert after - before == pytest.approx([12.0], abs=0.1)
    assert u95_after == pytest.approx(np.hypot(u95_before, 6.0), abs=0.1)
    far = np.array([0.2]), np.array([80.0])
    assert raised.at(*far)[0] == pytest.approx(skin.at(*far)[0], abs=0.01)


def test_off_the_grid_nothing_is_claimed(skin: Skin) -> None:
    radius, u95 = skin.at(np.array([0.0, 0.0]), np.array([500.0, -500.0]))
    assert np.isnan(radius).all()
    assert np.isnan(u95).all()


def test_the_bound_covers_what_noise_leaves() -> None:
    """Five pictures of the same limb: at 95 % of the nodes the error lies inside the bound."""
    inside = []
    for seed in range(5):
        skin = LIMB.surface().add(LIMB.seen(seed=seed, spacing_mm=4.0, noise_mm=NOISE_SIGMA_MM)).skin()
        claimed = np.isfinite(skin.radius_mm)
        inside.append((np.abs(errors_mm(skin)) <= skin.u95_mm)[claimed].mean())
    assert np.mean(inside) > 0.95


def test_the_part_that_holds_a_place_is_found() -> None:
    mask = np.zeros((5, 9), bool)
    mask[:, :3] = mask[:, 5:] = True
    assert largest_part(mask, row=2, col=1).sum() == 15
    assert largest_part(mask, row=2, col=8).sum() == 20
    assert largest_part(mask, row=2, col=4).sum() == 20
    assert not largest_part(np.zeros((3, 3), bool), row=1, col=1).any()
