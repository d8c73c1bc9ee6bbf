"""Where the tags sit is learned from views, is never known better than it is, and stays as given without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.collar import GLUED_MM, Collar, learn, moved_corners, off_mm, renewed, tip_moved_mm, told
from models.geometry import Floats

N = 6
HALF_MM = np.full(N, 12.5)
UNIT = Collar.as_given(HALF_MM).unit
SIZE = 6 * N + 1
USED = np.ones(N, np.bool_)
CORNERS_MM = np.random.default_rng(0).uniform(-40.0, 40.0, (N, 4, 3))


def view(true: Floats, at: Floats, rng: np.random.Generator, *, noise: float = 1.0) -> tuple[Floats, Floats]:
    """Normal equations of rows that see differences of motions only, as pictures of a free body do."""
    rows = rng.normal(0.0, 30.0, (90, SIZE)) / np.append(UNIT, 1e-3 / 0.02)
    common = np.concatenate([np.tile(np.eye(6), (N, 1)) * UNIT[:, None], np.zeros((1, 6))])
    seen = rows @ common
    free = rows - seen @ np.linalg.lstsq(seen, rows, rcond=None)[0]
    light = free @ (true - at) + rng.normal(0.0, noise, len(rows))
    return free.T @ free, free.T @ light


def learned(true: Floats, *, views: int, seed: int, noise: float = 1.0) -> Collar:
    rng = np.random.default_rng(seed)
    collar = Collar.as_given(HALF_MM)
    for _ in range(views):
        collar = learn(collar, *view(true, collar.motion, rng, noise=noise), USED)
    return collar


def glued(sigma_mm: float, seed: int) -> Floats:
    """Tags glued by hand, printed 0.05 % too large."""
    return np.append(np.random.default_rng(1000 + seed).normal(0.0, sigma_mm, 6 * N) * UNIT, 5e-4)


def test_without_a_view_the_collar_is_as_given() -> None:
    collar = Collar.as_given(HALF_MM)
    assert not collar.motion.any()
    assert np.allclose(collar.shift_sigma_mm, GLUED_MM)
    assert tip_moved_mm(collar, CORNERS_MM) == 0.0


@pytest.mark.parametrize("sigma_mm", [0.1, 0.2])
def test_misplaced_tags_are_found_and_the_bound_covers_what_is_left(sigma_mm: float) -> None:
    """Chi-square of what is left, 37 motions: within 3 of its own standard deviations, over 12 collars."""
    squares, left, was = [], [], []
    for seed in range(12):
        true = glued(sigma_mm, seed)
        collar = learned(true, views=12, seed=seed)
        away = collar.motion - true
        squares.append(away @ np.linalg.solve(collar.covariance, away))
        edges = (away[:-1] / UNIT).reshape(N, 6)
        left.append(np.std(edges - edges.mean(axis=0)))
        was.append(np.std(true[:-1] / UNIT))
    assert np.mean(left) < 0.35 * np.mean(was)
    assert np.mean(squares) < SIZE + 3.0 * np.sqrt(2.0 * SIZE / 12.0)


def test_an_exact_collar_stays_where_it_is() -> None:
    """Noise is not taken for misplacement: the tolerance is found to be small."""
    for seed in range(6):
        collar = learned(np.zeros(SIZE), views=12, seed=seed)
        assert collar.placed_mm < 0.03
        assert off_mm(collar, CORNERS_MM).max() < 0.06


def test_many_views_never_tell_more_than_a_few_independent_ones() -> None:
    few, many = (learned(np.zeros(SIZE), views=views, seed=1, noise=0.0) for views in (3, 60))
    one, _ = view(np.zeros(SIZE), np.zeros(SIZE), np.random.default_rng(2))
    assert np.trace(one @ many.covariance) > 0.4 * np.trace(one @ few.covariance)


def test_what_views_together_leave_open_stays_as_open_as_gluing() -> None:
    """All tags shifted alike look like another pose: no view tells."""
    collar = learned(glued(0.15, 3), views=12, seed=3)
    alike = np.append(np.tile([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], N) / np.sqrt(N), 0.0)
    assert np.isclose(np.sqrt(alike @ collar.covariance @ alike), collar.placed_mm, rtol=0.05)


@given(st.permutations(range(5)))
def test_the_order_of_views_does_not_matter(order: list[int]) -> None:
    true = glued(0.2, 5)
    views = [view(true, np.zeros(SIZE), np.random.default_rng(seed)) for seed in range(5)]
    ends = []
    for way in (range(5), order):
        collar = replace(Collar.as_given(HALF_MM), rests_on=100)
        for k in way:
            collar = learn(collar, *views[k], USED)
        ends.append(renewed(collar).motion)
    assert np.allclose(ends[0], ends[1], atol=1e-9)


def test_moving_all_tags_alike_moves_the_tip_alike() -> None:
    shift = np.array([0.3, -0.2, 0.1])
    collar = Collar.as_given(HALF_MM)
    motion = np.append(np.tile(np.concatenate([np.zeros(3), shift]), N), 0.0)
    moved = replace(collar, motion=motion, views=np.ones(N, np.int64))
    assert np.allclose(moved_corners(CORNERS_MM, motion), CORNERS_MM + shift)
    assert np.isclose(tip_moved_mm(moved, CORNERS_MM), np.linalg.norm(shift))


def test_only_tags_that_the_views_constrain_are_said_to_be_told() -> None:
    """None before a view; all after some; neither one never seen, nor two that were seen without others."""
    assert not told(Collar.as_given(HALF_MM)).any()
    assert told(learned(glued(0.2, 1), views=12, seed=1)).all()
    rng = np.random.default_rng(4)
    few = Collar.as_given(HALF_MM)
    for _ in range(12):
        information, _ = view(np.zeros(SIZE), few.motion, rng)
        seen = np.array([True, True, False, False, False, False])
        kept = np.append(np.repeat(seen, 6), False)
        block = information[np.ix_(kept, kept)]
        alike = np.tile(np.eye(6), (2, 1)) * UNIT[:12, None]
        free = np.eye(12) - alike @ np.linalg.solve(alike.T @ block @ alike, alike.T @ block)
        apart = np.zeros((SIZE, SIZE))
        apart[np.ix_(kept, kept)] = free.T @ block @ free
        few = learn(few, apart, np.zeros(SIZE), seen)
    assert not told(few).any()
