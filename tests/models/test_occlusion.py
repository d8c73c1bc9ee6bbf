"""What nozzle and hand hide: against a slow second opinion, and by plain cases."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Bools, Floats, unit
from models.occlusion import HAND_RADIUS_MM, HAND_REACH_MM, NozzleShape
from models.rig import Nozzle, Tags
from tests.models.skin_scenes import turned

# A collar of 30 mm radius from 90 to 140 mm behind the orifice, about as in the simulated sessions.
_TURN = np.radians([45.0, 135.0, 225.0, 315.0])
_RING = np.stack([30.0 * np.cos(_TURN), 30.0 * np.sin(_TURN)], axis=1)
COLLAR = np.stack(
    [np.column_stack([_RING, np.full(4, z)]) for z in (-90.0, -140.0)],
)
NOZZLE = Nozzle(Tags("DICT_APRILTAG_36h11", np.array([0, 1]), COLLAR), bore_mm=12.0)
SHAPE = NozzleShape.of(NOZZLE)
EYE = np.zeros(3)


def hidden_slowly(points: Floats, *, tip_mm: Floats, axis: Floats, margin_mm: float) -> tuple[Bools, Floats]:
    """Sight lines against balls strung closely along each section; also how near each is to the edge, mm."""
    nearest = np.full(len(points), np.inf)
    for start, end, radius in SHAPE.sections:
        for behind_mm in np.linspace(start, end, 300):
            ball = tip_mm - behind_mm * axis
            along = np.clip((points @ ball) / (points * points).sum(1), 0.0, 1.0)
            apart = np.linalg.norm(along[:, None] * points - ball, axis=1)
            nearest = np.minimum(nearest, apart - radius - margin_mm)
    return nearest < 0.0, np.abs(nearest)


@pytest.mark.parametrize("seed", range(4))
def test_hiding_agrees_with_dense_sampling_of_the_sections(seed: int) -> None:
    seeded = np.random.default_rng(seed)
    tip = np.array([0.0, 0.0, 750.0]) + seeded.normal(0.0, 60.0, 3)
    axis = unit(np.array([0.0, 0.3, 1.0]) + seeded.normal(0.0, 0.4, 3))
    points = np.column_stack([seeded.uniform(-250.0, 250.0, (400, 2)), seeded.uniform(700.0, 1000.0, 400)])
    hidden = SHAPE.hides(points, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=5.0)
    slowly, edge_mm = hidden_slowly(points, tip_mm=tip, axis=axis, margin_mm=5.0)
    clear = edge_mm > 1.5
    assert clear.sum() > 350
    assert (hidden == slowly)[clear].all()
    assert 0 < slowly.sum() < len(points)


FROM_THE_RIGHT = unit(np.array([-1.0, 0.0, 0.3]))


def test_skin_behind_the_collar_is_hidden_and_skin_beside_it_is_not() -> None:
    tip, axis = np.array([0.0, 0.0, 850.0]), FROM_THE_RIGHT
    collar = tip - 115.0 * axis
    aside_mm = np.array([[0.0, 0.0, 0.0], [0.0, 20.0, 0.0], [0.0, 90.0, 0.0], [-155.0, 0.0, 0.0]])
    points = 1.1 * (collar + aside_mm)
    hidden = SHAPE.hides(points, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=0.0)
    assert hidden.tolist() == [True, True, False, False]


def test_the_hand_and_the_hose_behind_the_collar_hide_as_well() -> None:
    tip, axis = np.array([0.0, 0.0, 850.0]), unit(np.array([0.0, -1.0, 0.2]))
    collar_end = -float(COLLAR[..., 2].min()) + 10.0
    at_hand = tip - (collar_end + 100.0) * axis
    behind_hand, behind_air = 1.15 * at_hand, 1.15 * (tip - (collar_end + HAND_REACH_MM + 150.0) * axis)
    hidden = SHAPE.hides(
        np.stack([behind_hand, behind_air]), viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=0.0
    )
    assert hidden.tolist() == [True, False]
    beside = behind_hand + np.array([1.4 * HAND_RADIUS_MM, 0.0, 0.0])
    assert not SHAPE.hides(beside[None], viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=0.0).any()


def test_what_lies_in_front_of_the_nozzle_is_not_hidden() -> None:
    """A sight line ends at its point."""
    tip, axis = np.array([0.0, 0.0, 850.0]), FROM_THE_RIGHT
    behind_mm = np.array([10.0, 115.0, 250.0])
    before = 0.8 * (tip - behind_mm[:, None] * axis)
    assert not SHAPE.hides(before, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=0.0).any()
    assert SHAPE.hides(1.3 * before / 0.8, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=0.0).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), margin=st.floats(0.0, 30.0), more=st.floats(0.0, 30.0))
def test_a_wider_margin_never_uncovers_a_point(seed: int, margin: float, more: float) -> None:
    seeded = np.random.default_rng(seed)
    tip, axis = np.array([0.0, 0.0, 800.0]), unit(seeded.normal(0.0, 1.0, 3))
    points = np.column_stack([seeded.uniform(-200.0, 200.0, (80, 2)), np.full(80, 950.0)])
    narrow = SHAPE.hides(points, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=margin)
    wide = SHAPE.hides(points, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=margin + more)
    assert (wide | ~narrow).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_moving_camera_nozzle_and_skin_together_hides_the_same(seed: int) -> None:
    seeded = np.random.default_rng(seed)
    moved = turned(seed)
    tip, axis = np.array([20.0, -30.0, 800.0]), unit(seeded.normal(0.0, 1.0, 3))
    points = np.column_stack([seeded.uniform(-200.0, 200.0, (80, 2)), np.full(80, 950.0)])
    here = SHAPE.hides(points, viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=5.0)
    there = SHAPE.hides(
        moved.apply(points),
        viewpoint_mm=moved.apply(EYE),
        tip_mm=moved.apply(tip),
        axis=moved.rotate(axis),
        margin_mm=5.0,
    )
    assert (here == there).mean() > 0.98


def test_a_sight_line_along_the_nozzles_own_axis_is_hidden() -> None:
    """Parallel lines: the formula's denominator vanishes."""
    tip, axis = np.array([0.0, 0.0, 600.0]), np.array([0.0, 0.0, 1.0])
    assert SHAPE.hides(
        np.array([[0.0, 0.0, 900.0]]), viewpoint_mm=EYE, tip_mm=tip, axis=axis, margin_mm=0.0
    ).all()


def test_readings_on_nozzle_and_hand_belong_to_them_and_skin_does_not() -> None:
    tip, axis = np.array([10.0, 20.0, 700.0]), unit(np.array([0.3, -0.2, 1.0]))
    side = unit(np.cross(axis, [1.0, 0.0, 0.0]))
    on_shaft, on_collar = tip - 20.0 * axis + 8.0 * side, tip - 115.0 * axis + 29.0 * side
    on_hand, skin = tip - 250.0 * axis + 70.0 * side, tip + 60.0 * axis
    held = SHAPE.holds(np.stack([on_shaft, on_collar, on_hand, skin]), tip_mm=tip, axis=axis, margin_mm=5.0)
    assert held.tolist() == [True, True, True, False]


def test_every_corner_of_the_collar_belongs_to_the_nozzle() -> None:
    moved = turned(4)
    corners = moved.apply(COLLAR.reshape(-1, 3))
    axis = moved.rotate(np.array([0.0, 0.0, 1.0]))
    assert SHAPE.holds(corners, tip_mm=moved.translation_mm, axis=axis, margin_mm=0.0).all()


def test_the_shape_has_no_gap_from_the_orifice_to_the_hose() -> None:
    edges = [(start, end) for start, end, _ in SHAPE.sections]
    assert edges[0][0] == 0.0
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(edges))
    assert all(end > start for start, end in edges)
