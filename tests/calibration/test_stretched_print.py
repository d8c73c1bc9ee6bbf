"""A print that is longer one way: corrected where it was measured, in the bounds where it was not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.board import Board
from calibration.board_equations import board_information, stretch_mm
from calibration.intrinsics import calibrate_camera
from calibration.scale import UNMEASURED_U95, Scale
from models.geometry import Ints
from tests.calibration.board_scenes import BOARD, SIZE_PX, TRUE, views_of

STRETCH = 0.005


def focal(
    board: Board, *, stretch: float = STRETCH, turned: bool = False, seed: int = 0
) -> tuple[float, float]:
    """How far the mean focal length is off, and its 95 % bound, as shares."""
    views = views_of(np.random.default_rng(seed), count=14, stretch=stretch, turned=turned)
    found = calibrate_camera(views, board, size_px=SIZE_PX)
    way = np.zeros(9)
    way[:2] = 0.5
    off = float(way @ (found.values - TRUE)) / TRUE[0]
    return off, 1.96 * float(np.sqrt(way @ found.covariance @ way)) / TRUE[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_stretched_print_is_corrected_by_both_rulers(seed: int) -> None:
    off, bound = focal(replace(BOARD, stretch=1.0 + STRETCH, stretch_u95=0.0), seed=seed)
    assert abs(off) < max(bound, 0.001)
    assert bound < 0.002


def test_the_doubt_of_a_direction_that_was_not_measured_is_in_the_bound() -> None:
    """Of three sets together: by how much pictures disagree, which a bound goes by too, differs."""
    told = [focal(replace(BOARD, stretch_u95=UNMEASURED_U95), seed=seed) for seed in range(3)]
    assert all(abs(off) < bound for off, bound in told)
    as_if_true = [focal(BOARD, stretch=0.0, seed=seed)[1] for seed in range(3)]
    assert sum(bound for _, bound in told) > sum(as_if_true)


def test_a_doubt_of_nothing_changes_nothing_and_known_stretch_is_no_width_of_corners() -> None:
    """Told of a stretch, corners are where they should be: their own width is not blown up by it."""
    views = views_of(np.random.default_rng(1), count=14, stretch=STRETCH, turned=True)
    taken = calibrate_camera(views, BOARD, size_px=SIZE_PX)
    told = calibrate_camera(views, replace(BOARD, stretch_u95=UNMEASURED_U95), size_px=SIZE_PX)
    assert told.off_mm[0] < 0.3 * max(taken.off_mm[0], 0.05)
    stretched = replace(BOARD, stretch_u95=0.0)
    assert not stretch_mm(stretched).any()


def test_what_is_told_of_a_stretch_is_a_width_along_one_way_of_all_corners_alone() -> None:
    """Information is the inverse of: each corner by itself, and all of them along the stretch."""
    board = replace(BOARD, stretch_u95=UNMEASURED_U95)
    way, bend = stretch_mm(board), np.eye(len(BOARD.corners_mm))
    prior = board_information(np.array([0.05, 0.1]), bend, way)
    at: Ints = (9 + 3 * np.arange(len(way))[:, None] + np.arange(2)).ravel()
    spread = 0.05**2 * np.eye(2 * len(way)) + np.outer(way.ravel(), way.ravel())
    assert prior[np.ix_(at, at)] @ spread == pytest.approx(np.eye(2 * len(way)), abs=1e-8)
    sizes = np.ptp(way, axis=0) / np.ptp(BOARD.corners_mm[:, :2], axis=0)

    assert sizes.sum() == pytest.approx(UNMEASURED_U95 / 1.96)


def test_both_rulers_leave_less_open_than_one() -> None:
    assert Scale(1.0, True, 1.0).stretch_u95 < Scale(1.0, True).stretch_u95
