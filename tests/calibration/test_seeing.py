"""Sharpness, light and stillness, judged at the edges of the board."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from calibration.board import BoardView, board_of, find_board
from calibration.seeing import motion_px_s, quality_of
from models.geometry import Bytes

BOARD = board_of("own")


@pytest.fixture(scope="module")
def sharp() -> Bytes:
    """The board, square on, 3 px a mm, as a sharp lens gives it."""
    drawn = BOARD.charuco.generateImage((720, 504), marginSize=0)
    picture = cv2.copyMakeBorder(drawn, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)
    picture = 20.0 + 200.0 / 255.0 * picture.astype(float)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


@pytest.fixture(scope="module")
def view(sharp: Bytes) -> BoardView:
    found = find_board(sharp, BOARD, name="a")
    assert isinstance(found, BoardView)
    return found


def told(picture: np.ndarray, view: BoardView) -> str | None:
    quality = quality_of(np.clip(np.rint(picture), 0, 255).astype(np.uint8), view, BOARD)
    assert quality is not None
    return quality.complaint(width_px=1280)


def test_the_width_of_an_edge_is_that_of_the_lens(sharp: Bytes, view: BoardView) -> None:
    """0.8 px, and 0.3 of a pixel's own width and of sampling between pixels, measured 1.00."""
    quality = quality_of(sharp, view, BOARD)
    assert quality is not None
    assert 0.8 < quality.blur_px < 1.15
    wider = quality_of(np.asarray(cv2.GaussianBlur(sharp, (0, 0), 2.0), np.uint8), view, BOARD)
    assert wider is not None
    assert wider.blur_px == pytest.approx(np.hypot(quality.blur_px, 2.0), rel=0.12)


def test_a_good_picture_has_no_complaint(sharp: Bytes, view: BoardView) -> None:
    assert told(sharp, view) is None


def test_a_lens_out_of_focus_and_a_smear_are_told_apart(sharp: Bytes, view: BoardView) -> None:
    soft = told(cv2.GaussianBlur(sharp, (0, 0), 2.0), view)
    assert soft is not None
    assert "Out of focus" in soft
    smeared = told(cv2.filter2D(sharp, -1, np.ones((1, 9)) / 9.0), view)
    assert smeared is not None
    assert "Smeared by motion" in smeared


def test_too_little_and_too_much_light_are_told(sharp: Bytes, view: BoardView) -> None:
    dark = told(0.15 * sharp, view)
    assert dark is not None
    assert "more light" in dark
    bright = told(1.5 * sharp.astype(float), view)
    assert bright is not None
    assert "Too bright" in bright


def test_motion_is_that_of_the_corners_both_views_hold() -> None:
    ids = np.arange(20)
    px = np.random.default_rng(0).uniform(0.0, 500.0, (20, 2))
    moved = BoardView("b", ids[5:], px[5:] + np.array([3.0, 4.0]))
    assert motion_px_s(BoardView("a", ids, px), moved, dt_s=0.1) == pytest.approx(50.0)
    assert motion_px_s(BoardView("a", ids[:5], px[:5]), moved, dt_s=0.1) == np.inf
