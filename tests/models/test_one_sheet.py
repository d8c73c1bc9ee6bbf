"""The part of the skin that cannot hide itself: what the shortcut of the line of sight rests on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.chart import ZoneChart
from models.geometry import Bools, Floats
from models.jet import jet_weights
from models.mesh import ChartMesh
from models.one_sheet import Marks, one_sheet
from tests.models.skin_scenes import Shape, beside, bumpy, chart_of, chart_on, cylinder, plane
from tests.models.test_jet_oracle import jet, triangles_slowly, weight_slowly


def block_of(x: Floats, y: Floats, middle: tuple[int, int]) -> tuple[Marks, tuple[float, float]]:
    """Marks over a grid drawn at x, y; nothing lies beyond it."""
    slot = np.arange(1, x.size + 1, dtype=np.int32).reshape(x.shape)
    sheet = np.zeros(x.size + 1, np.int8)
    reach = one_sheet(sheet, slot, x, y, middle, (True, True, True, True))
    return sheet[1:].reshape(x.shape), reach


def covered_twice(x: Floats, y: Floats, block: Bools) -> bool:
    """Whether a corner of the block lies in a triangle of the block that is not its own; plain loops."""
    rows, cols = (np.flatnonzero(block.any(axis=1 - k)) for k in (0, 1))
    points = [(r, c) for r in rows for c in cols]
    for r in rows[:-1]:
        for c in cols[:-1]:
            a, b, d, e = (r, c), (r, c + 1), (r + 1, c + 1), (r + 1, c)
            for corners in ((a, b, d), (a, d, e), (a, b, e), (b, d, e)):
                p, q, s = (np.array([x[k], y[k]]) for k in corners)
                others = np.array([[x[k], y[k]] for k in points if k not in corners])
                turns = [
                    (v - u)[0] * (others - u)[:, 1] - (v - u)[1] * (others - u)[:, 0]
                    for u, v in ((p, q), (q, s), (s, p))
                ]
                if (np.all(np.greater(turns, 1e-9), axis=0) | np.all(np.less(turns, -1e-9), axis=0)).any():
                    return True
    return False


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    angle_deg=st.floats(0.0, 89.0),
    turn=st.floats(0.0, 6.28),
    height_mm=st.floats(0.0, 40.0),
)
def test_no_point_of_the_picture_is_covered_twice_by_the_block(
    seed: int, angle_deg: float, turn: float, height_mm: float
) -> None:
    chart, (tip, axis) = (
        chart_on(bumpy(seed, height_mm=height_mm), rows=9, cols=9),
        jet(angle_deg, turn, 90.0),
    )
    side = np.cross(axis, [0.3, -0.5, 0.2])
    sight = chart.position_mm - tip
    depth = sight @ axis
    depth[depth < 1.0] = np.nan
    x, y = (sight @ side / depth).reshape(9, 9), (sight @ np.cross(axis, side) / depth).reshape(9, 9)
    block, reach = block_of(x, y, (4, 4))
    assert not covered_twice(x, y, block > 0)
    rows, cols = (np.flatnonzero((block > 0).any(axis=1 - k)) for k in (0, 1))
    assert (block > 0).sum() == len(rows) * len(cols)
    for picture, far in zip((x, y), reach, strict=True):
        inside = picture[np.ix_(rows, cols)]
        for one, other in ((inside[1:, 1:], inside[:-1, :-1]), (inside[1:, :-1], inside[:-1, 1:])):
            assert (np.abs(one - other) <= far + 1e-12).all()


def test_a_flat_picture_is_one_sheet_and_a_folded_one_ends_at_its_fold() -> None:
    y, x = (grid.astype(float) for grid in np.mgrid[:7, :9])
    assert (block_of(x, y, (3, 4))[0] == 2).all()
    for turned_x, turned_y in ((-x, y), (x + 0.9 * y, y), (5.0 * y, x)):
        assert (block_of(turned_x, turned_y, (3, 4))[0] == 2).all()
    folded = np.where(x <= 6.0, x, 12.0 - x)
    block, _ = block_of(folded, y, (3, 2))
    assert (block[:, :6] == 2).all()
    assert (block[:, 6] == 1).all()
    assert not block[:, 7:].any()


def test_a_cell_that_is_missing_ends_the_block() -> None:
    y, x = (grid.astype(float) for grid in np.mgrid[:7, :9])
    x[3, 6] = np.nan
    block, _ = block_of(x, y, (3, 2))
    assert block[3, 6] == 0
    assert (block[:, :5] == 2).all()
    assert not block_of(x, y, (3, 6))[0].any()


def limb_with_a_ridge(u_mm: Floats, v_mm: Floats) -> Floats:
    """A limb of 30 mm radius with a ridge along it, sharp enough to hide what is behind."""
    bump = 14.0 * np.exp(-(((u_mm - 14.0) / 4.0) ** 2))
    point = cylinder(30.0)(u_mm, v_mm)
    out = np.stack([np.sin(u_mm / 30.0), 0.0 * v_mm, -np.cos(u_mm / 30.0)], axis=-1)
    return point + bump[..., None] * out


def with_a_hole(chart: ZoneChart) -> ZoneChart:
    """Without a few cells."""
    keep = ~((np.abs(chart.row - 7) <= 1) & (np.abs(chart.col - 12) <= 1))
    return chart_of(
        chart.row[keep], chart.col[keep], chart.position_mm[keep], chart.normal[keep], chart.area_cm2[keep]
    )


def flap(chart: ZoneChart) -> ZoneChart:
    """With a piece of skin in front of part of it."""
    return beside(chart, chart_on(lambda u, v: plane(u, v) + np.array([-6.0, 5.0, -25.0]), rows=4, cols=3))


LIMBS = [(cylinder(30.0), 15, 25), (cylinder(60.0), 21, 31), (limb_with_a_ridge, 15, 25)]


@pytest.mark.parametrize("change", [lambda chart: chart, with_a_hole, flap], ids=["whole", "hole", "flap"])
@pytest.mark.parametrize(("shape", "rows", "cols"), LIMBS, ids=["thin", "thick", "ridge"])
@pytest.mark.parametrize("angle_deg", [0.0, 35.0, 65.0])
def test_line_of_sight_is_the_slow_one_where_most_of_the_skin_is_one_sheet(
    shape: Shape, rows: int, cols: int, angle_deg: float, change: Callable[[ZoneChart], ZoneChart]
) -> None:
    """The horizon of a limb, a ridge, a hole and a flap lie within the cone, the middle is one sheet."""
    chart = change(chart_on(shape, rows=rows, cols=cols))
    for turn in (0.0, 1.0):
        tip, axis = jet(angle_deg, turn, 110.0)
        mesh = ChartMesh.of(chart)
        fast = jet_weights(mesh, chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=12.0)
        slow, doubtful = weight_slowly(chart, triangles_slowly(chart), tip, axis, 12.0)
        differ = (np.abs(fast - slow) > 1e-9) & ~doubtful
        assert not differ.any(), (np.flatnonzero(differ), fast[differ], slow[differ])
        without = ChartMesh(mesh.triangles, mesh.cells, mesh.longest_mm)
        plain = jet_weights(without, chart.position_mm, chart.normal, tip_mm=tip, axis=axis, bore_mm=12.0)
        assert ((fast == plain) | doubtful).all()


def test_cells_that_share_a_place_have_no_grid() -> None:
    chart = chart_on(plane, rows=4, cols=4)
    twice = chart_of(
        np.append(chart.row, 0),
        np.append(chart.col, 0),
        np.concatenate([chart.position_mm, chart.position_mm[:1]]),
        np.concatenate([chart.normal, chart.normal[:1]]),
        np.append(chart.area_cm2, 0.25),
    )
    assert ChartMesh.of(twice).grid.size == 0
    assert ChartMesh.of(chart).grid.tolist() == np.arange(16).reshape(4, 4).tolist()
    assert ChartMesh.of(chart).place[6].tolist() == [1, 2]
