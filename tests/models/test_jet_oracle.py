"""A second opinion on footprint, line of sight, distance and area that shares no code with the product.

Plain loops over cells and triangles; the triangles are joined here anew, sight is a ray against every one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.chart import ZoneChart
from models.geometry import Floats
from models.jet import jet_weights, jet_weights_spread
from models.mesh import ChartMesh, cast_ray
from tests.models.skin_scenes import beside, bumpy, chart_on, cylinder, plane, turned

CLEARANCE_MM, HORIZON_DEG = 2.0, 3.0
BOUND_OF_EDGE = 1e-6
"""A ray this near to a triangle's rim, in shares of its corners, may fall to either side by rounding."""


def triangles_slowly(chart: ZoneChart) -> list[tuple[int, int, int]]:
    """Squares of the grid cut along the shorter diagonal; three corners give one triangle."""
    at = {(int(r), int(c)): k for k, (r, c) in enumerate(zip(chart.row, chart.col, strict=True))}
    p = chart.position_mm
    found: list[tuple[int, int, int]] = []
    for row in range(int(chart.row.min()), int(chart.row.max())):
        for col in range(int(chart.col.min()), int(chart.col.max())):
            corners = [at.get(k) for k in ((row, col), (row, col + 1), (row + 1, col + 1), (row + 1, col))]
            there = [k for k in corners if k is not None]
            if len(there) == 3:
                found.append((there[0], there[1], there[2]))
            elif len(there) == 4:
                a, b, c, d = there
                short = math.dist(p[a], p[c]) <= math.dist(p[b], p[d])
                found += [(a, b, c), (a, c, d)] if short else [(a, b, d), (b, c, d)]
    return [t for t in found if max(math.dist(p[t[k]], p[t[k - 1]]) for k in range(3)) <= 15.0]


def meets(origin: Floats, ray: Floats, a: Floats, b: Floats, c: Floats) -> tuple[float, float]:
    """Distance along a unit ray to a triangle's plane, and the least share of a corner (inside: >= 0)."""
    normal = np.cross(b - a, c - a)
    slope = float(normal @ ray)
    if abs(slope) < 1e-9 * float(np.linalg.norm(normal)) or not slope:
        return math.inf, -math.inf
    distance = float(normal @ (a - origin)) / slope
    p = origin + distance * ray
    whole = float(normal @ normal)
    shares = [float(normal @ np.cross(v - u, p - u)) / whole for u, v in ((a, b), (b, c), (c, a))]
    return distance, min(shares)


def meets_all(origin: Floats, ray: Floats, corners_mm: Floats) -> tuple[Floats, Floats]:
    """`meets` for many triangles at once, corners of shape (m, 3, 3)."""
    a, b, c = corners_mm[:, 0], corners_mm[:, 1], corners_mm[:, 2]
    normal = np.cross(b - a, c - a)
    slope = normal @ ray
    whole = np.sum(normal * normal, axis=1)
    edge_on = np.abs(slope) <= 1e-9 * np.sqrt(whole)
    distance = np.sum(normal * (a - origin), axis=1) / np.where(edge_on, 1.0, slope)
    p = origin + distance[:, None] * ray
    shares = [np.sum(normal * np.cross(v - u, p - u), axis=1) for u, v in ((a, b), (b, c), (c, a))]
    inside = np.min(shares, axis=0) / np.maximum(whole, 1e-300)
    return np.where(edge_on, np.inf, distance), np.where(edge_on, -np.inf, inside)


def weight_slowly(
    chart: ZoneChart, triangles: list[tuple[int, int, int]], tip: Floats, axis: Floats, bore_mm: float
) -> tuple[Floats, np.ndarray]:
    """Weight of every cell, and which ones rounding alone may decide."""
    weight, doubtful = np.zeros(len(chart)), np.zeros(len(chart), bool)
    corners = np.array(triangles)
    for cell in range(len(chart)):
        sight = chart.position_mm[cell] - tip
        length, depth = float(np.linalg.norm(sight)), float(sight @ axis)
        facing = float(chart.normal[cell] @ axis)
        if depth <= 0.0 or facing >= 0.0:
            doubtful[cell] = abs(facing) < 1e-9
            continue
        across = math.sqrt(max(length**2 - depth**2, 0.0))
        w = math.exp(-math.log(2.0) * (across / (0.5 * bore_mm + 0.1 * depth)) ** 2)
        over = float(chart.normal[cell] @ sight) / length - math.sin(math.radians(HORIZON_DEG))
        doubtful[cell] = abs(over) < 1e-9 or abs(w - 0.01) < 1e-9
        if w < 0.01 or over > 0.0:
            continue
        weight[cell] = w
        ray = sight / length
        distance, inside = meets_all(tip, ray, chart.position_mm[corners])
        gap = length - CLEARANCE_MM - distance
        another = ~(corners == cell).any(axis=1)
        before = another & (distance > 0.0) & (inside >= -BOUND_OF_EDGE) & (gap >= -1e-6)
        surely = before & (inside >= BOUND_OF_EDGE) & (gap >= 1e-6)
        doubtful[cell] = bool(before.any())
        if surely.any():
            weight[cell], doubtful[cell] = 0.0, False
    return weight, doubtful


def scene(kind: str, seed: int) -> ZoneChart:
    """Bumps, a limb with bumps, or two pieces of skin of which one floats before the other."""
    hills = bumpy(seed, height_mm=22.0)
    if kind == "bumps":
        return chart_on(hills, rows=15, cols=15)
    if kind == "limb":
        limb = cylinder(45.0)
        return chart_on(
            lambda u, v: limb(u, v) + 0.2 * hills(u, v) * np.array([0.0, 0.0, 1.0]), rows=11, cols=27
        )
    piece = chart_on(lambda u, v: 0.5 * hills(u, v) - np.array([12.0, -4.0, 45.0]), rows=6, cols=7)
    return beside(chart_on(hills, rows=13, cols=13), piece)


SCENES = st.sampled_from(["bumps", "limb", "two pieces"])
ANGLE_DEG = st.one_of(st.floats(0.0, 89.9), st.floats(75.0, 100.0))


def jet(angle_deg: float, turn: float, distance_mm: float) -> tuple[Floats, Floats]:
    """A jet at an angle to the chart's middle normal, at any side; 90 degrees graze it."""
    tilt = math.radians(angle_deg)
    axis = np.array([math.sin(tilt) * math.cos(turn), math.sin(tilt) * math.sin(turn), math.cos(tilt)])
    return np.array([1.7, -2.3, -9.0]) - distance_mm * axis, axis


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    kind=SCENES,
    seed=st.integers(0, 10_000),
    angle_deg=ANGLE_DEG,
    turn=st.floats(0.0, 6.28),
    distance_mm=st.floats(0.0, 200.0),
    bore_mm=st.floats(3.0, 20.0),
)
def test_weight_and_line_of_sight_are_the_slow_ones_at_every_angle(
    kind: str, seed: int, angle_deg: float, turn: float, distance_mm: float, bore_mm: float
) -> None:
    chart, (tip, axis) = scene(kind, seed), jet(angle_deg, turn, distance_mm)
    fast = jet_weights(
        ChartMesh.of(chart), chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=bore_mm
    )
    slow, doubtful = weight_slowly(chart, triangles_slowly(chart), tip, axis, bore_mm)
    differ = (np.abs(fast - slow) > 1e-9) & ~doubtful
    assert not differ.any(), (np.flatnonzero(differ), fast[differ], slow[differ])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    kind=SCENES,
    seed=st.integers(0, 10_000),
    angle_deg=ANGLE_DEG,
    turn=st.floats(0.0, 6.28),
    distance_mm=st.floats(0.0, 200.0),
)
def test_distance_along_the_axis_is_the_slow_one(
    kind: str, seed: int, angle_deg: float, turn: float, distance_mm: float
) -> None:
    chart, (tip, axis) = scene(kind, seed), jet(angle_deg, turn, distance_mm)
    hit = cast_ray(ChartMesh.of(chart), chart.position_mm, chart.normal, origin_mm=tip, direction=axis)
    met = [meets(tip, axis, *(chart.position_mm[k] for k in t)) for t in triangles_slowly(chart)]
    surely = min((d for d, inside in met if inside > BOUND_OF_EDGE and d > 1e-9), default=None)
    perhaps = min((d for d, inside in met if inside > -BOUND_OF_EDGE and d > -1e-9), default=None)
    if hit is None:
        assert surely is None
    else:
        assert perhaps is not None
        assert perhaps - 1e-6 <= hit.distance_mm <= (math.inf if surely is None else surely + 1e-6)
        np.testing.assert_allclose(hit.point_mm, tip + hit.distance_mm * axis, atol=1e-9)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(kind=SCENES, seed=st.integers(0, 10_000))
def test_mesh_joins_what_the_slow_one_joins_and_has_its_area(kind: str, seed: int) -> None:
    chart = scene(kind, seed)
    slow = triangles_slowly(chart)
    assert {frozenset(t) for t in ChartMesh.of(chart).triangles.tolist()} == {frozenset(t) for t in slow}
    p = chart.position_mm
    area = sum(0.5 * float(np.linalg.norm(np.cross(p[b] - p[a], p[c] - p[a]))) for a, b, c in slow)
    # Cells hold half a cell more on each side than the mesh, which ends at their centres; the chart's own
    # area is the tangent plane's at each centre, which on steep hills is up to 4 % more than chords.
    interior = np.zeros(len(chart))
    for t in slow:
        interior[list(t)] += 1.0 / 6.0
    assert float(interior @ chart.area_cm2) == pytest.approx(area / 100.0, rel=0.06)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(kind=SCENES, seed=st.integers(0, 10_000), angle_deg=ANGLE_DEG, turn=st.floats(0.0, 6.28))
def test_moving_surface_and_nozzle_together_changes_neither_weight_nor_distance(
    kind: str, seed: int, angle_deg: float, turn: float
) -> None:
    """But for cells on the edge of a shadow, which rounding of 1e-13 mm may move to either side."""
    chart, (tip, axis), pose = scene(kind, seed), jet(angle_deg, turn, 60.0), turned(seed + 7)
    mesh = ChartMesh.of(chart)
    there = (pose.apply(chart.position_mm), pose.rotate(chart.normal))
    tip_there, axis_there = pose.apply(tip), pose.rotate(axis)
    assert mesh.triangles.shape == ChartMesh.of(chart).triangles.shape
    for u95 in (0.0, 6.0):
        here_w, there_w = (
            jet_weights_spread(
                mesh, *skin, tip_mm=t, axis=a, bore_mm=12.0, spot_u95_mm=u95, facing_u95_deg=u95
            )
            for skin, t, a in (((chart.position_mm, chart.normal), tip, axis), (there, tip_there, axis_there))
        )
        assert (np.abs(here_w - there_w) > 1e-9).sum() <= 1
    here = cast_ray(mesh, chart.position_mm, chart.normal, origin_mm=tip, direction=axis)
    moved = cast_ray(mesh, *there, origin_mm=tip_there, direction=axis_there)
    assert (here is None) == (moved is None)
    if here is not None and moved is not None:
        assert moved.distance_mm == pytest.approx(here.distance_mm, abs=1e-9)
        np.testing.assert_allclose(pose.rotate(here.normal), moved.normal, atol=1e-9)
        np.testing.assert_allclose(pose.apply(here.point_mm), moved.point_mm, atol=1e-9)


def test_degenerate_triangles_hide_nothing_and_are_met_by_nothing() -> None:
    chart = chart_on(plane, rows=9, cols=9)
    flat = np.concatenate([ChartMesh.of(chart).triangles, [[3, 3, 5], [0, 1, 2], [7, 7, 7]]])
    mesh = ChartMesh(flat, len(chart), 10.0)
    tip, axis = np.array([1.0, 2.0, -80.0]), np.array([0.0, 0.0, 1.0])
    plain = jet_weights(
        ChartMesh.of(chart), chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=9.0
    )
    same = jet_weights(mesh, chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=9.0)
    np.testing.assert_array_equal(same, plain)
    row = ChartMesh(np.array([[0, 1, 2]]), len(chart), 10.0)
    for x in (-20.0, -17.5, -10.0):
        start = np.array([x, -20.0, -50.0])
        assert cast_ray(row, chart.position_mm, chart.normal, origin_mm=start, direction=axis) is None


def test_a_cell_at_the_orifice_has_full_weight_a_hair_in_front_and_none_behind() -> None:
    chart, axis = chart_on(plane, rows=9, cols=9), np.array([0.0, 0.0, 1.0])
    mesh = ChartMesh.of(chart)
    for gap_mm, expected in ((1e-9, 1.0), (0.3, 1.0), (3.0, 1.0), (0.0, 0.0), (-1e-9, 0.0)):
        tip = np.array([0.0, 0.0, -gap_mm])
        weight = jet_weights(mesh, chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=12.0)
        assert weight[40] == pytest.approx(expected)
        assert np.isfinite(weight).all()


def test_a_jet_from_inside_the_limb_reaches_nothing_of_it() -> None:
    """The skin's outward side turns away from it everywhere."""
    chart = chart_on(cylinder(50.0), rows=11, cols=61)
    mesh, inside = ChartMesh.of(chart), np.array([0.0, 0.0, 50.0])
    for turn in np.linspace(0.0, 6.0, 9):
        axis = np.array([math.sin(turn), 0.0, math.cos(turn)])
        weight = jet_weights(mesh, chart.position_mm, chart.normal, tip_mm=inside, axis=axis, bore_mm=12.0)
        assert not weight.any()


def test_a_jet_along_the_limbs_axis_grazes_it_and_treats_nothing() -> None:
    """Skin parallel to the jet does not face it."""
    chart = chart_on(cylinder(50.0), rows=21, cols=31)
    axis = np.array([0.0, 1.0, 0.0])
    for height_mm in (1.0, 10.0, 50.0):
        tip = np.array([0.0, -80.0, -height_mm])
        weight = jet_weights(
            ChartMesh.of(chart), chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=12.0
        )
        assert weight.max() == 0.0 or float(np.abs(chart.normal[weight > 0.0] @ axis).max()) < 1e-9
