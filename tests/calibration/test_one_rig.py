from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from calibration.board import Board, BoardView, board_of, find_tags
from calibration.one_rig import moved_between, moved_words
from calibration.pairs import read_pairs
from calibration.tag_gaps import gaps_words
from calibration.thermal_pair import PairView, bloomed
from models.geometry import Floats, Pose, rotation_from_rvec

BOARD = board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16")
STAND = Pose.of(rotation_from_rvec(np.array([0.02, -0.03, 0.01])), np.array([35.0, -4.0, 6.0]))


def seen(points_mm: Floats, focal_px: float, middle_px: tuple[float, float]) -> Floats:
    return points_mm[:, :2] / points_mm[:, 2:] * focal_px + middle_px


def pairs_of(rng: np.random.Generator, *, moved_mm: float, board: Board = BOARD) -> list[PairView]:
    """Six pairs; the target moves by ``moved_mm`` (1 sigma of each direction) between the two pictures."""
    ids, middle = np.arange(48), board.corners_mm.mean(axis=0)
    pairs: list[PairView] = []
    for k in range(6):
        turn = rotation_from_rvec(rng.uniform(-0.5, 0.5, 3))
        at = np.array([rng.uniform(-40, 40), rng.uniform(-30, 30), rng.uniform(500, 800)])
        colour = seen((board.corners_mm - middle) @ turn.T + at, 1000.0, (640.0, 360.0))
        there = (bloomed(board.corners_mm, 0.03) - middle) @ turn.T + at + moved_mm * rng.normal(size=3)
        thermal = seen(STAND.apply(there), 380.0, (127.5, 95.5))
        noisy = BoardView("x", ids, colour + 0.1 * rng.normal(size=colour.shape))
        soft = BoardView("x", ids, thermal + 0.25 * rng.normal(size=thermal.shape))
        pairs.append(PairView(f"{k}", noisy, soft))
    return pairs


def barrel(pair: PairView) -> PairView:
    """The same through a thermal lens that draws the farthest tags in by a tenth."""
    off = pair.thermal.corners_px - (127.5, 95.5)
    bent_px = (127.5, 95.5) + off * (1.0 - 1.2e-5 * np.sum(off**2, axis=1, keepdims=True))
    return PairView(pair.name, pair.rgb, BoardView(pair.name, pair.thermal.ids, bent_px))


def test_pairs_of_one_rig_are_not_said_to_have_moved() -> None:
    for seed in range(3):
        assert moved_words(pairs_of(np.random.default_rng(seed), moved_mm=0.0)) == ""


def test_a_target_that_moved_between_the_pictures_is_told() -> None:
    told = [moved_words(pairs_of(np.random.default_rng(seed), moved_mm=8.0)) for seed in range(3)]
    assert sum("not of one moment" in words for words in told) >= 2


def test_pairs_whose_lenses_alone_are_bent_are_not_said_to_have_moved() -> None:
    """No rig of pinhole cameras explains them, one with bent lenses does."""
    pairs = [barrel(pair) for pair in pairs_of(np.random.default_rng(0), moved_mm=0.0)]
    moved = moved_between(pairs)
    assert moved is not None
    assert moved.bent_px < 0.4 * moved.rigid_px
    assert not moved.believed


def test_gaps_that_are_named_wrongly_are_told_and_right_ones_are_not() -> None:
    pairs = pairs_of(
        np.random.default_rng(0), moved_mm=0.0, board=board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16x19")
    )
    views = [pair.rgb for pair in pairs]
    assert "stand 16.0 mm apart across and 19.0 mm down, not 16 and 16" in gaps_words(views, BOARD)
    assert gaps_words(views, board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16x19")) == ""


def test_the_real_pairs_are_not_of_one_moment_and_their_gaps_are_not_alike(shared_data: Path) -> None:
    """Any rigid rig leaves 1.7 px between middles of tags, 1.4 with bent lenses, one shift a pair 0.25."""
    folder = shared_data / "real" / "rgb_thermal_board"
    read, _ = read_pairs(f"{folder}/*_1.png", f"{folder}/*_0.png")
    pairs: list[PairView] = []
    for pair in read:
        rgb = find_tags(pair.rgb, BOARD, name=pair.name)
        thermal = find_tags(pair.thermal, BOARD, name=pair.name, refinement=cv2.aruco.CORNER_REFINE_CONTOUR)
        if isinstance(rgb, BoardView) and isinstance(thermal, BoardView):
            pairs.append(PairView(pair.name, rgb, thermal))
    moved = moved_between(pairs)
    assert moved is not None
    assert moved.rigid_px > 1.2
    assert moved.bent_px > 0.8
    assert moved.shifted_px < 0.4
    assert moved.believed
    assert 6.0 < max(moved.shifts_px) < 9.0
    views = [pair.rgb for pair in pairs]
    assert "13.5 mm apart across and 16.4 mm down, not 16 and 16" in gaps_words(views, BOARD)
    assert gaps_words(views, board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40:13.5x16.4")) == ""
