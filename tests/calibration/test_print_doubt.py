"""What a target that was printed off leaves open of the thermal camera is in its covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.thermal_place_coverage import Pairs, calibrated
from calibration.board import Board, board_of
from calibration.print_doubt import doubts_mm
from calibration.scale import UNMEASURED_U95, scale_of, scaled, spec_of
from calibration.sheets import TARGET
from calibration.skin_error import DISTANCES_MM
from calibration.thermal_pair import FREE, RgbKnown, ThermalFound, calibrate_thermal
from models.geometry import Floats
from tests.calibration.test_thermal import BOARD, COVARIANCE, RGB, SIZE, STAND, pairs_of

PAIRS = pairs_of(np.random.default_rng(11), count=8)
AT = DISTANCES_MM.index(800.0)


def solved(corners_mm: Floats = BOARD.corners_mm, *, doubts: tuple[Floats, ...] = ()) -> ThermalFound:
    known = RgbKnown(RGB, COVARIANCE)
    return calibrate_thermal(PAIRS, corners_mm, known=known, size_px=SIZE, doubts=doubts)


PLAIN = solved()


THERE = [*range(9, 9 + len(FREE)), 18, 19, 20]
"""Where the thermal lens and the shift between the cameras stand in the covariance."""


def open_by(board: Board) -> Floats:
    """1 sigma that its print leaves open of the thermal lens and the shift, shape (9,)."""
    told = solved(doubts=doubts_mm(board)).covariance - PLAIN.covariance
    return np.sqrt(np.maximum(np.diag(told)[THERE], 0.0))


def test_a_larger_print_puts_the_cameras_nearer_together_by_its_share_and_that_is_open() -> None:
    """The shift between them alone, by 36 mm times 1 %; all else of a larger print looks the same."""
    by_size = open_by(replace(BOARD, scale_u95=0.0196))
    assert by_size[6:] == pytest.approx(
        0.01 * np.abs(PLAIN.thermal_from_rgb.translation_mm), rel=0.02, abs=0.01
    )
    assert by_size[:4].max() < 0.01
    assert np.linalg.norm(STAND.translation_mm) == pytest.approx(36.0, abs=0.5)


def test_what_is_open_by_a_print_is_what_another_print_would_be_solved_to() -> None:
    """Oracle: the whole solution again. Of a doubt of 0.5 % they differ by 1 % where it matters."""
    board = replace(BOARD, stretch_u95=UNMEASURED_U95)
    (longer,) = doubts_mm(board)
    both = [solved(BOARD.corners_mm + side * longer) for side in (1.0, -1.0)]
    ends = [np.append(one.values[:6], one.thermal_from_rgb.translation_mm) for one in both]
    moved = 0.5 * np.abs(ends[0] - ends[1])
    large = moved > 0.05 * np.sqrt(np.diag(PLAIN.covariance)[THERE])
    assert large.sum() >= 3
    assert open_by(board)[large] == pytest.approx(moved[large], rel=0.05)


def test_a_print_that_is_known_opens_nothing() -> None:
    assert doubts_mm(BOARD) == ()
    np.testing.assert_allclose(solved(doubts=()).covariance, PLAIN.covariance, rtol=1e-5, atol=1e-9)


def test_the_place_of_a_thermal_pixel_is_told_with_the_prints_doubt() -> None:
    """Of 3 % (95 %), so that it shows among what else is open: measured 0 and 3 misses of 8."""
    how = Pairs(count=12, thermal_noise_px=0.1, print_u95=(0.03, 0.03))
    beyond = []
    for told in (True, False):
        held = [calibrated(replace(how, print_told=told), np.random.default_rng([3, k])) for k in range(8)]
        beyond.append(sum(one.of_nine_mm[AT] > one.bound_mm[AT] for one in held))
    assert beyond[0] == 0
    assert beyond[1] >= 2


def test_the_target_says_in_its_words_how_well_its_print_is_known() -> None:
    for measured, size, ways in ((None, UNMEASURED_U95, 0.005), ((99.9, 100.1), 0.002, 0.00283)):
        board = scaled(TARGET, scale_of(measured))
        assert (board.scale_u95, board.stretch_u95) == pytest.approx((size, ways), rel=0.01)
        again = board_of(spec_of(board))
        assert (again.scale_u95, again.stretch_u95) == pytest.approx((size, ways), rel=0.01)
        assert len(doubts_mm(again)) == 2
    assert "," not in spec_of(scaled(board_of("own"), scale_of(100.0)))
    alone = board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16:0.3%")
    assert (alone.stretch_u95, alone.scale_u95) == (0.003, 0.0)
