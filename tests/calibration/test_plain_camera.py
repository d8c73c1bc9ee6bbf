from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.board import Board, BoardView, board_of, find_board
from calibration.certified_parts import rgb_part
from calibration.intrinsics import calibrate_camera
from calibration.pictures import read_folder
from calibration.plain_camera import beside_words, plain_camera, side_by_side, usual_views
from calibration.rgb import find_camera
from models.geometry import Bytes

SIZE = (640, 480)
BOARD = board_of("charuco:10x7:DICT_5X5_100:30:22")
PUBLISHED_CHESSBOARD_PX, PUBLISHED_CHARUCO_PX = 535.92, 1424.70


def views_of(*, bent_mm: float) -> list[BoardView]:
    """A board before a camera of 600 px, its ends up by ``bent_mm``."""
    rng = np.random.default_rng(0)
    middle = BOARD.corners_mm.mean(axis=0)
    bent = BOARD.corners_mm.copy()
    bent[:, 2] = bent_mm * ((bent[:, 0] - middle[0]) / middle[0]) ** 2
    matrix = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
    views: list[BoardView] = []
    for k in range(10):
        turn = np.radians(30.0) * np.array([np.cos(0.7 * k), np.sin(0.7 * k), 0.0])
        at = np.array([rng.uniform(-60, 60), rng.uniform(-40, 40), 400.0 + 30.0 * k])
        px, _ = cv2.projectPoints(bent - middle, turn, at, matrix, np.zeros(5))
        seen = px.reshape(-1, 2) + 0.05 * rng.normal(size=(len(bent), 2))
        views.append(BoardView(f"{k}", np.arange(len(bent)), seen))
    return views


def told(views: list[BoardView]) -> str:
    camera = calibrate_camera(views, BOARD, size_px=SIZE)
    return side_by_side(camera, views, views, BOARD, size_px=SIZE)[-1]


def test_on_a_true_board_the_plain_solution_lies_within_the_bound() -> None:
    assert "within the bound" in told(views_of(bent_mm=0.0))


def test_on_a_bent_board_it_is_said_that_the_plain_solution_differs_and_by_what() -> None:
    """The board is bent by 3 mm: taken for flat it puts the focal length off by more than 0.5 %."""
    words = told(views_of(bent_mm=3.0))
    assert "MORE THAN THE BOUND" in words
    assert "by the board's shape" in words


@pytest.mark.parametrize(("bent_mm", "said"), [(0.0, "within the bound"), (3.0, "MORE THAN THE BOUND")])
def test_the_certificate_shows_the_plain_solution_beside_ours(bent_mm: float, said: str) -> None:
    views = views_of(bent_mm=bent_mm)
    found = find_camera(views, BOARD, size_px=SIZE, left_out=[])
    assert not isinstance(found, str)
    plain = plain_camera(views, BOARD, size_px=SIZE)
    lines = side_by_side(found.calibrated, views, views, BOARD, size_px=SIZE)
    facts = rgb_part(found, BOARD, beside=beside_words(lines)).facts
    assert (
        f"Plain least squares, the same corners: fx_px {plain.fx_px:.2f}, fy_px {plain.fy_px:.2f},"
        f" residual {plain.rms_px:.3f} px rms." in facts
    )
    assert said in facts[-1]
    assert "Plain least squares" not in " ".join(rgb_part(found, BOARD).facts)


def seen(folder: Path, board: Board) -> tuple[list[tuple[str, Bytes]], list[BoardView], tuple[int, int]]:
    pictures, _ = read_folder(folder)
    found = [find_board(grey, board, name=name) for name, grey in pictures]
    height_px, width_px = pictures[0][1].shape
    return pictures, [v for v in found if isinstance(v, BoardView)], (width_px, height_px)


def test_the_plain_solutions_of_the_public_sets_are_those_published(shared_data: Path) -> None:
    """Measured 536.07 (0.03 % off) and 1426.12 px (0.10 %)."""
    board = board_of("chessboard:9x6:25")
    pictures, views, size_px = seen(shared_data / "real" / "chessboard", board)
    usual = usual_views(pictures, views, board)
    plain = plain_camera(usual, board, size_px=size_px)
    assert plain.fx_px == pytest.approx(PUBLISHED_CHESSBOARD_PX, rel=1e-3)
    _, views, size_px = seen(shared_data / "real" / "charuco", BOARD)
    plain = plain_camera(views, BOARD, size_px=size_px)
    assert plain.fx_px == pytest.approx(PUBLISHED_CHARUCO_PX, rel=1.5e-3)


def test_of_the_public_chessboard_one_picture_pulls_the_plain_solution(shared_data: Path) -> None:
    """left02.jpg: 1.22 px against 0.19 in the others; without it 534.13 px, ours 533.63."""
    board = board_of("chessboard:9x6:25")
    pictures, views, size_px = seen(shared_data / "real" / "chessboard", board)
    usual = usual_views(pictures, views, board)
    camera = calibrate_camera(views, board, size_px=size_px)
    words = side_by_side(camera, views, usual, board, size_px=size_px)[-1]
    assert "left02.jpg alone" in words
    rest = plain_camera([v for v in usual if v.name != "left02.jpg"], board, size_px=size_px)
    assert rest.fx_px == pytest.approx(camera.values[0], rel=2e-3)
