"""A print that is longer one way: corrected where it was measured, in the bounds where it was not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.advice import Sight
from calibration.board import OWN, Board
from calibration.board_equations import board_information, stretch_mm
from calibration.board_step import TURNED, BoardStep
from calibration.foretell import camera_known, lens_guess
from calibration.holding import held_as, ways_to_hold
from calibration.intrinsics import calibrate_camera
from calibration.rgb import CameraFound, find_camera
from calibration.rgb_command import errors_told
from calibration.scale import UNMEASURED_U95, Scale
from calibration.skin_error import camera_of
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


def camera_found(*, turned: bool, doubt: float = UNMEASURED_U95, seed: int = 1) -> CameraFound:
    """12 pictures of a print that is longer down by 1 sigma of the usual doubt."""
    views = views_of(
        np.random.default_rng([12, seed]), count=12, stretch=UNMEASURED_U95 / 1.96, turned=turned
    )
    found = find_camera(views, replace(BOARD, stretch_u95=doubt), size_px=SIZE_PX)
    assert isinstance(found, CameraFound)
    return found


@pytest.fixture(scope="module")
def upright() -> CameraFound:
    return camera_found(turned=False)


def test_of_upright_boards_it_is_told_that_the_print_limits_and_what_to_do(upright: CameraFound) -> None:
    (one,) = upright.print_limits
    assert one[0] == "across"
    assert f"the error across {upright.errors[1].across_mm:.1f} mm instead of" in upright.print_words
    assert "board turned by a quarter" in upright.print_words
    assert upright.print_words in errors_told(upright)


def test_boards_turned_by_a_quarter_take_the_doubt_of_the_print_out_of_the_bound(
    upright: CameraFound,
) -> None:
    """Measured: fy by fx known to 0.36 % before and 0.04 % after (95 %); across 1.4 and 1.2 mm."""
    turned = camera_found(turned=True)
    assert turned.print_limits == ()
    assert turned.print_words == ""
    assert turned.errors[1].across_mm < 0.9 * upright.errors[1].across_mm
    assert square_u95(turned) < 0.3 * square_u95(upright)
    for found in (turned, upright):
        off = found.calibrated.values[1] / found.calibrated.values[0] - TRUE[1] / TRUE[0]
        assert abs(off) < square_u95(found)


def square_u95(found: CameraFound) -> float:
    """95 % bound of fy by fx."""
    way = np.zeros(9)
    way[:2] = np.array([1.0, -1.0]) / found.calibrated.values[:2]
    return 1.96 * float(np.sqrt(way @ found.calibrated.covariance @ way))


def test_what_is_left_were_the_print_known_is_what_a_known_print_leaves(upright: CameraFound) -> None:
    """Oracle: solved again of a print of no doubt; measured 1.07 and 1.07 mm across."""
    views = views_of(np.random.default_rng([12, 1]), count=12)
    known = find_camera(views, BOARD, size_px=SIZE_PX)
    assert isinstance(known, CameraFound)
    assert upright.known_print.across_mm == pytest.approx(known.errors[1].across_mm, rel=0.1)
    assert not known.calibrated.by_stretch.any()
    assert known.print_limits == ()


def test_a_quarter_turn_is_worth_more_where_the_print_is_in_doubt() -> None:
    """Foretold of boards held upright so far: a further upright one tells next to nothing of fy by fx."""
    falls = []
    for doubt in (UNMEASURED_U95, 0.0):
        board = replace(OWN, stretch_u95=doubt)
        known = lens_guess(board, size_px=SIZE_PX)
        camera = camera_known(known)
        upright, quarter = (ways_to_hold(board, camera, turned=one) for one in (False, True))
        gains = [gain for way in upright if (gain := known.gain(way.pose)) is not None]
        known = known.with_(np.sum(gains, axis=0))
        before = known.error_mm()
        falls.append(
            [
                before - min(known.error_mm(known.gain(way.pose)) for way in ways)
                for ways in (upright, quarter)
            ]
        )
    (plain, turned), (plain_known, turned_known) = falls
    assert turned > 2.0 * plain
    assert turned_known < 2.0 * plain_known


def test_a_board_held_turned_is_told_so_and_found_so() -> None:
    camera = camera_of(TRUE, size_px=SIZE_PX)
    for way in ways_to_hold(OWN, camera, turned=True):
        held = held_as(way.pose, OWN, camera)
        assert held.turned
        assert held.words() == way.words()
        assert way.words().endswith(", turned by a quarter")
    assert not any(held_as(way.pose, OWN, camera).turned for way in ways_to_hold(OWN, camera))


def test_where_the_print_limits_a_board_turned_by_a_quarter_is_asked_for_until_it_does_not() -> None:
    board, rng = replace(BOARD, stretch_u95=UNMEASURED_U95), np.random.default_rng([12, 1])
    views = views_of(rng, count=12, stretch=UNMEASURED_U95 / 1.96)
    start = BoardStep.rgb(board, size_px=SIZE_PX, asked_mm=0.5)
    step = start.having([Sight(float(k), view) for k, view in enumerate(views)])
    assert step.found.print_limits
    assert step.wanted is not None
    assert step.wanted.turned
    advice = step.advise(Sight(20.0, "shows no board"), "", SIZE_PX[0])
    assert "turned by a quarter" in advice.say
    assert TURNED in advice.missing
    more = views_of(rng, count=8, stretch=UNMEASURED_U95 / 1.96, turned=True)[1::2]
    after = start.having([Sight(float(k), view) for k, view in enumerate([*views, *more])])
    assert not after.found.print_limits
    assert after.wanted is not None
    assert not after.wanted.turned
    assert TURNED not in after.advise(Sight(30.0, "shows no board"), "", SIZE_PX[0]).missing


def test_two_turned_boards_more_lower_the_bound_and_two_upright_ones_do_not() -> None:
    """After 12 upright pictures: across 1.43 mm as measured, 1.32 with two more, 0.90 with two turned."""
    rng = np.random.default_rng([12, 1])
    stretch = UNMEASURED_U95 / 1.96 * np.random.default_rng([1, 1]).normal()
    before, more = (views_of(rng, count=n, stretch=stretch, first=k) for n, k in ((12, 0), (2, 12)))
    turned = views_of(rng, count=4, stretch=stretch, turned=True)[1::2]
    across = []
    for views in (before, [*before, *more], [*before, *turned]):
        found = find_camera(views, replace(BOARD, stretch_u95=UNMEASURED_U95), size_px=SIZE_PX)
        assert isinstance(found, CameraFound)
        across.append(found.errors[1].across_mm)
    assert across[1] > 0.85 * across[0]
    assert across[2] < 0.75 * across[1]
