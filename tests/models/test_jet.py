"""Claims about the jet's footprint: the definition, line of sight, bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.chart import ZoneChart
from models.geometry import Floats, unit
from models.jet import CLEARANCE_MM, HORIZON_DEG, half_radius_mm, jet_weights, jet_weights_spread
from models.mesh import ChartMesh
from tests.models.skin_scenes import beside, blocked_slowly, bumpy, chart_on, cylinder, plane, turned

DOWN = np.array([0.0, 0.0, 1.0])
"""Onto the plane z = 0, whose outward normal is -z."""


def weights(chart: ZoneChart, tip_mm: Floats, axis: Floats, bore_mm: float = 12.0) -> Floats:
    return jet_weights(
        ChartMesh.of(chart), chart.position_mm, chart.normal, tip_mm=tip_mm, axis=axis, bore_mm=bore_mm
    )


def footprint_slowly(chart: ZoneChart, tip_mm: Floats, axis: Floats, bore_mm: float) -> Floats:
    """The definition, written down cell by cell."""
    weight = np.zeros(len(chart))
    for cell in range(len(chart)):
        offset = chart.position_mm[cell] - tip_mm
        d = float(offset @ axis)
        if d <= 0.0 or float(chart.normal[cell] @ axis) >= 0.0:
            continue
        r = float(np.linalg.norm(offset - d * axis))
        w = 0.5 ** ((r / (bore_mm / 2.0 + 0.1 * d)) ** 2)
        behind_own_horizon = chart.normal[cell] @ unit(offset) > np.sin(np.radians(HORIZON_DEG))
        weight[cell] = 0.0 if w < 0.01 or behind_own_horizon else w
    reached = np.flatnonzero(weight)
    hidden = blocked_slowly(
        ChartMesh.of(chart), chart.position_mm, tip_mm=tip_mm, clearance_mm=CLEARANCE_MM, cells=reached
    )
    weight[reached[hidden]] = 0.0
    return weight


def test_weight_is_one_half_at_the_half_radius_and_one_on_the_axis() -> None:
    chart = chart_on(plane, rows=41, cols=41)
    # 140 mm away with a bore of 12 mm: 6 + 14 = 20 mm, four cells.
    assert half_radius_mm(140.0, bore_mm=12.0) == pytest.approx(20.0)
    weight = weights(chart, np.array([0.0, 0.0, -140.0]), DOWN).reshape(41, 41)
    assert weight[20, 20] == pytest.approx(1.0)
    assert weight[20, 24] == pytest.approx(0.5)
    assert weight[16, 20] == pytest.approx(0.5)


def test_oblique_jet_measures_distance_along_its_axis() -> None:
    chart = chart_on(plane, rows=41, cols=41)
    axis = unit(np.array([0.6, 0.0, 0.8]))
    tip = -120.0 * axis
    weight = weights(chart, tip, axis).reshape(41, 41)
    across, along = weight[24, 20], weight[20, 24]
    # Across: r = 20, d = 120. Along: 20 mm on the skin are d = 120 + 12 and r = 16.
    assert across == pytest.approx(0.5 ** ((20.0 / 18.0) ** 2))
    assert along == pytest.approx(0.5 ** ((16.0 / 19.2) ** 2))


def test_footprint_of_a_plane_has_the_area_of_the_gaussian() -> None:
    chart = chart_on(plane, rows=61, cols=61)
    weight = weights(chart, np.array([1.3, -0.7, -140.0]), DOWN)
    # Integral of 0.5^((r/h)^2) is pi h^2 / ln 2; the cut at 0.01 takes off 1 % of it.
    assert weight @ chart.area_cm2 == pytest.approx(0.99 * np.pi * 4.0 / np.log(2.0), rel=2e-3)


def test_nothing_behind_the_orifice_nor_below_one_percent() -> None:
    chart = chart_on(plane, rows=61, cols=61)
    assert not weights(chart, np.array([0.0, 0.0, 5.0]), DOWN).any()
    weight = weights(chart, np.array([0.0, 0.0, -100.0]), DOWN)
    assert weight[weight > 0.0].min() >= 0.01
    far = np.hypot(chart.position_mm[:, 0], chart.position_mm[:, 1]) > 16.0 * 2.58
    assert not weight[far].any()


def test_skin_that_turns_its_back_gets_nothing() -> None:
    chart = chart_on(plane, rows=21, cols=21)
    assert not weights(chart, np.array([0.0, 0.0, 100.0]), -DOWN).any()


def test_limb_is_reached_up_to_its_horizon_and_not_beyond() -> None:
    radius, height = 50.0, 100.0
    chart = chart_on(cylinder(radius), rows=11, cols=57)
    weight = weights(chart, np.array([0.0, 0.0, -height]), DOWN, bore_mm=120.0)
    turn_deg = np.degrees(np.abs(np.arctan2(chart.position_mm[:, 0], radius - chart.position_mm[:, 2])))
    # Own test: the normal's horizon as seen from the orifice, at the height of the cell along the limb.
    offset = chart.position_mm - [0.0, 0.0, -height]
    elevation_deg = np.degrees(np.arcsin(-(chart.normal * unit(offset)).sum(1)))
    cell_deg = np.degrees(5.0 / radius)
    assert weight[elevation_deg > cell_deg].min() > 0.0
    assert not weight[elevation_deg < -max(HORIZON_DEG, 0.0) - 1e-6].any()
    assert turn_deg[weight > 0.0].max() == pytest.approx(
        np.degrees(np.arccos(radius / (radius + height))), abs=9.0
    )


def test_plate_casts_the_shadow_of_central_projection() -> None:
    skin = chart_on(plane, rows=41, cols=41)
    plate = chart_on(lambda u, v: plane(u, v) - np.array([0.0, 0.0, 70.0]), rows=5, cols=5)
    chart, tip = beside(skin, plate), np.array([0.3, 0.2, -140.0])
    free = weights(skin, tip, DOWN, bore_mm=40.0)
    weight = weights(chart, tip, DOWN, bore_mm=40.0)
    x, y = np.abs(
        skin.position_mm[:, :2] + [0.3, 0.2]
    ).T  # the plate's edge at 10 mm lies at 20 mm on the skin
    on_skin = weight[: len(skin)]
    shadow, lit = np.maximum(x, y) < 19.0, np.maximum(x, y) > 21.0
    assert not on_skin[shadow].any()
    np.testing.assert_array_equal(on_skin[lit], free[lit])
    assert weight[len(skin) :].min() > 0.5


def test_two_legs_hide_each_other() -> None:
    left, right = (
        chart_on(cylinder(50.0), rows=21, cols=45),
        chart_on(lambda u, v: cylinder(50.0)(u, v) + np.array([110.0, 0.0, 0.0]), rows=21, cols=45),
    )
    chart = beside(left, right)
    axis = unit(np.array([-1.0, 0.0, 0.55]))
    tip = np.array([50.0, 0.0, 45.0]) - 220.0 * axis
    weight, alone = weights(chart, tip, axis)[: len(left)], weights(left, tip, axis)
    assert alone.sum() > 20.0
    assert weight.sum() < 0.5 * alone.sum()


def test_surface_noise_hides_no_cell_that_is_seen_well() -> None:
    """Noise of 0.3 mm between 5 mm cells is a slope of 5 degrees: below 60 degrees none may vanish."""
    noise_mm = 0.3 * np.random.default_rng(5).normal(size=31 * 35)
    chart = chart_on(cylinder(55.0), rows=31, cols=35)
    noisy = chart.position_mm + noise_mm[:, None] * chart.normal
    tip = np.array([0.0, 0.0, -120.0])
    weight = jet_weights(ChartMesh.of(chart), noisy, chart.normal, tip_mm=tip, axis=DOWN, bore_mm=12.0)
    seen_well = (weights(chart, tip, DOWN) > 0.02) & (
        -(chart.normal * unit(chart.position_mm - tip)).sum(1) > 0.5
    )
    assert seen_well.sum() > 200
    assert (weight[seen_well] > 0.0).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    tilt=st.tuples(st.floats(-1.3, 1.3), st.floats(-1.3, 1.3)),
    distance_mm=st.floats(40.0, 220.0),
    bore_mm=st.floats(5.0, 30.0),
)
def test_footprint_agrees_with_the_definition_cell_by_cell(
    seed: int, tilt: tuple[float, float], distance_mm: float, bore_mm: float
) -> None:
    chart = chart_on(bumpy(seed, height_mm=30.0), rows=19, cols=19)
    axis = unit(np.array([*tilt, 1.0]))
    tip = np.array([2.0, -3.0, -25.0]) - distance_mm * axis
    np.testing.assert_allclose(
        weights(chart, tip, axis, bore_mm), footprint_slowly(chart, tip, axis, bore_mm), atol=1e-12
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), tilt=st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)))
def test_moving_the_whole_scene_changes_nothing(seed: int, tilt: tuple[float, float]) -> None:
    chart, pose = chart_on(bumpy(seed, height_mm=25.0), rows=19, cols=19), turned(seed + 1)
    axis = unit(np.array([*tilt, 1.0]))
    tip = np.array([2.3, -3.1, -20.0]) - 100.0 * axis
    moved = jet_weights(
        ChartMesh.of(chart),
        pose.apply(chart.position_mm),
        pose.rotate(chart.normal),
        tip_mm=pose.apply(tip),
        axis=pose.rotate(axis),
        bore_mm=12.0,
    )
    np.testing.assert_allclose(moved, weights(chart, tip, axis), atol=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), first=st.floats(0.0, 15.0), more=st.floats(0.0, 15.0))
def test_bounds_hold_the_weight_and_grow_with_uncertainty(seed: int, first: float, more: float) -> None:
    chart = chart_on(bumpy(seed, height_mm=15.0), rows=19, cols=19)
    mesh, axis = ChartMesh.of(chart), unit(np.array([0.3, -0.2, 1.0]))
    tip = np.array([1.0, 4.0, -10.0]) - 90.0 * axis
    weight = weights(chart, tip, axis)
    narrow, wide = (
        jet_weights_spread(
            mesh,
            chart.position_mm,
            chart.normal,
            tip_mm=tip,
            axis=axis,
            bore_mm=12.0,
            spot_u95_mm=spot_u95_mm,
        )
        for spot_u95_mm in (first, first + more)
    )
    assert weight.min() >= 0.0
    assert wide.max() <= 1.0
    assert (narrow >= weight).all()
    # On smooth hills a longer lift uncovers cells; at a ridge that bends over it may hide single ones again.
    assert (wide >= narrow - 1e-12).mean() > 0.99
    assert wide.sum() >= narrow.sum() - 1e-9


@settings(max_examples=20, deadline=None, derandomize=True)
@given(shift=st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)), u95_mm=st.floats(1.0, 10.0))
def test_bound_covers_every_spot_within_it(shift: tuple[float, float], u95_mm: float) -> None:
    chart = chart_on(cylinder(60.0), rows=25, cols=37)
    tip = np.array([10.0, 0.0, -110.0])
    offset = np.array([*shift, 0.0]) * u95_mm / max(1.0, float(np.hypot(*shift)))
    upper = jet_weights_spread(
        ChartMesh.of(chart),
        chart.position_mm,
        chart.normal,
        tip_mm=tip,
        axis=DOWN,
        bore_mm=12.0,
        spot_u95_mm=u95_mm,
    )
    assert (upper >= weights(chart, tip + offset, DOWN) - 1e-12).all()


def test_negative_bounds_and_an_axis_without_length_are_refused() -> None:
    chart = chart_on(plane, rows=3, cols=3)
    mesh, tip = ChartMesh.of(chart), np.array([0.0, 0.0, -90.0])
    with pytest.raises(ValueError, match="negative"):
        jet_weights_spread(
            mesh, chart.position_mm, chart.normal, tip_mm=tip, axis=DOWN, bore_mm=12.0, spot_u95_mm=-1.0
        )
    with pytest.raises(ValueError, match="length"):
        weights(chart, tip, 0.0 * DOWN)
