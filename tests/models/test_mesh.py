"""Claims about the triangle mesh of a chart and the ray that looks for skin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.chart import ZoneChart
from models.geometry import unit
from models.mesh import ChartMesh, cast_ray
from tests.models.skin_scenes import (
    beside,
    bumpy,
    chart_of,
    chart_on,
    cylinder,
    first_hit_slowly,
    plane,
    turned,
)


def area_cm2(mesh: ChartMesh, chart: ZoneChart) -> float:
    a, b, c = (chart.position_mm[mesh.triangles[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 200.0)


def without(chart: ZoneChart, cell: int) -> ZoneChart:
    keep = np.arange(len(chart)) != cell
    return chart_of(
        chart.row[keep], chart.col[keep], chart.position_mm[keep], chart.normal[keep], chart.area_cm2[keep]
    )


def test_mesh_covers_a_plane_once() -> None:
    chart = chart_on(plane, rows=7, cols=11)
    assert area_cm2(ChartMesh.of(chart), chart) == pytest.approx(6 * 10 * 0.25)


def test_mesh_of_a_limb_has_the_area_of_the_limb() -> None:
    chart = chart_on(cylinder(55.0), rows=21, cols=41)
    # 20 x 40 squares of 5 mm; a chord of 5 mm arc at 55 mm radius is 0.03 % shorter.
    assert area_cm2(ChartMesh.of(chart), chart) == pytest.approx(200.0, rel=1e-3)


def test_missing_corner_cell_leaves_one_triangle() -> None:
    whole = chart_on(plane, rows=3, cols=3)
    chart = without(whole, 0)
    assert area_cm2(ChartMesh.of(chart), chart) == pytest.approx(4 * 0.25 - 0.125)


def test_two_pieces_of_skin_are_not_joined() -> None:
    below, above = chart_on(plane, rows=4, cols=4), chart_on(plane, rows=3, cols=3)
    chart = beside(below, above)
    assert area_cm2(ChartMesh.of(chart), chart) == pytest.approx(9 * 0.25 + 4 * 0.25)


def test_a_step_between_neighbours_is_left_open() -> None:
    chart = chart_on(
        lambda u, v: plane(u, v) + np.stack([0 * u, 0 * u, 40.0 * (u > 0.0)], -1), rows=4, cols=6
    )
    mesh = ChartMesh.of(chart)
    heights = chart.position_mm[mesh.triangles][:, :, 2]
    assert np.ptp(heights, axis=1).max() == 0.0
    assert area_cm2(mesh, chart) == pytest.approx(2 * 2 * 3 * 0.25)


def test_a_chart_of_one_row_has_no_triangles_and_no_hit() -> None:
    chart = chart_on(plane, rows=1, cols=5)
    mesh = ChartMesh.of(chart)
    assert len(mesh.triangles) == 0
    hit = cast_ray(
        mesh,
        chart.position_mm,
        chart.normal,
        origin_mm=np.array([0.0, 0, -9]),
        direction=np.array([0, 0, 1.0]),
    )
    assert hit is None


def test_triangle_of_an_unknown_cell_is_refused() -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.2"):
        ChartMesh(np.array([[0, 1, 3]]), 3, 7.0)


def test_ray_meets_the_plane_where_geometry_says() -> None:
    chart = chart_on(plane, rows=21, cols=21)
    hit = cast_ray(
        ChartMesh.of(chart),
        chart.position_mm,
        chart.normal,
        origin_mm=np.array([3.0, -4.0, -100.0]),
        direction=np.array([0.1, 0.2, 1.0]),
    )
    assert hit is not None
    np.testing.assert_allclose(hit.point_mm, [13.0, 16.0, 0.0], atol=1e-9)
    assert hit.distance_mm == pytest.approx(100.0 * np.sqrt(1.05))
    np.testing.assert_allclose(hit.normal, [0.0, 0.0, -1.0], atol=1e-9)
    np.testing.assert_allclose(chart.position_mm[hit.cell], [15.0, 15.0, 0.0], atol=1e-9)


def test_normal_on_a_limb_is_the_limbs_and_not_the_facets() -> None:
    chart = chart_on(cylinder(50.0), rows=21, cols=41)
    direction = unit(np.array([0.13, 0.02, 1.0]))
    hit = cast_ray(
        ChartMesh.of(chart),
        chart.position_mm,
        chart.normal,
        origin_mm=np.array([8.3, 1.0, -80.0]),
        direction=direction,
    )
    assert hit is not None
    outward = unit((hit.point_mm - [0.0, 0.0, 50.0]) * [1.0, 0.0, 1.0])
    # A facet of 5 mm on 50 mm radius deviates by up to 2.9 degrees; the interpolated normal by its sagitta
    # only.
    assert np.degrees(np.arccos(hit.normal @ outward)) < 0.1


def test_ray_backwards_or_beside_meets_nothing() -> None:
    chart = chart_on(plane, rows=9, cols=9)
    mesh = ChartMesh.of(chart)
    for origin, direction in (((0, 0, -50), (0, 0, -1)), ((0, 0, 50), (0, 0, 1)), ((90, 0, -50), (0, 0, 1))):
        assert (
            cast_ray(
                mesh,
                chart.position_mm,
                chart.normal,
                origin_mm=np.array(origin, float),
                direction=np.array(direction, float),
            )
            is None
        )


def test_direction_without_length_is_refused() -> None:
    chart = chart_on(plane, rows=3, cols=3)
    with pytest.raises(ValueError, match="direction"):
        cast_ray(
            ChartMesh.of(chart),
            chart.position_mm,
            chart.normal,
            origin_mm=np.zeros(3),
            direction=np.zeros(3),
        )


def test_nearer_of_two_pieces_of_skin_is_met() -> None:
    far = chart_on(plane, rows=15, cols=15)
    near = chart_on(lambda u, v: plane(u, v) - np.array([0.0, 0.0, 30.0]), rows=5, cols=5)
    chart = beside(far, near)
    hit = cast_ray(
        ChartMesh.of(chart),
        chart.position_mm,
        chart.normal,
        origin_mm=np.array([1.0, 1.5, -100.0]),
        direction=np.array([0.0, 0.0, 1.0]),
    )
    assert hit is not None
    assert hit.distance_mm == pytest.approx(70.0)
    assert hit.cell >= len(far)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), aim=st.tuples(st.floats(-45, 45), st.floats(-45, 45)))
def test_ray_agrees_with_the_slow_test_of_every_triangle(seed: int, aim: tuple[float, float]) -> None:
    chart = chart_on(bumpy(seed, height_mm=25.0), rows=17, cols=17)
    mesh, pose = ChartMesh.of(chart), turned(seed)
    origin = np.array([20.0, -30.0, -60.0])
    direction = np.array([*aim, 0.0]) - origin
    fast = cast_ray(
        mesh,
        pose.apply(chart.position_mm),
        pose.rotate(chart.normal),
        origin_mm=pose.apply(origin),
        direction=pose.rotate(direction),
    )
    slow = first_hit_slowly(mesh, chart.position_mm, origin_mm=origin, direction=direction)
    if slow is None:
        assert fast is None
    else:
        assert fast is not None
        assert fast.distance_mm == pytest.approx(slow, abs=1e-6)
        distances = np.linalg.norm(pose.apply(chart.position_mm) - fast.point_mm, axis=1)
        assert fast.cell == distances.argmin()
