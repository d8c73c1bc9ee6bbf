"""The colour camera as it is usually calibrated, beside ours: flat board, least squares.

What others publish of the same pictures was found in this way. It tells no bound; where it lies farther off
than ours allows, the reader is told so, and how much is due to the corners and how much to the board.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import Board, BoardView, find_board
from calibration.intrinsics import Calibrated
from models.geometry import Bytes

USUAL_WINDOW_PX = 11
"""Half the window in which the corners of a chessboard are usually refined (OpenCV tutorial)."""

_BOUND_SIGMA = 1.96


@dataclass(frozen=True)
class PlainCamera:
    """A least-squares solution with five lens terms and two focal lengths; all corners count alike."""

    fx_px: float
    fy_px: float
    rms_px: float


def plain_camera(views: Sequence[BoardView], board: Board, *, size_px: tuple[int, int]) -> PlainCamera:
    """Calibrate as is usual.

    Args:
        views: At least three.
        board: What was seen, taken for flat and true.
        size_px: Width and height.
    """
    objects = [board.corners_mm[view.ids].astype(np.float32) for view in views]
    pictures = [view.corners_px.astype(np.float32) for view in views]
    guess = np.diag([float(size_px[0]), float(size_px[0]), 1.0])
    guess[:2, 2] = (size_px[0] - 1) / 2.0, (size_px[1] - 1) / 2.0
    # From OpenCV's own guess 1 of 100 sets with wide lenses ends in a solution that is none.
    tries = [
        cv2.calibrateCamera(objects, pictures, size_px, guess.copy(), np.zeros(5), flags=flags)
        for flags in (0, cv2.CALIB_USE_INTRINSIC_GUESS)
    ]
    rms_px, matrix, *_ = min(tries, key=lambda one: float(one[0]))
    return PlainCamera(float(matrix[0, 0]), float(matrix[1, 1]), float(rms_px))


def usual_views(
    pictures: Sequence[tuple[str, Bytes]], views: Sequence[BoardView], board: Board
) -> list[BoardView]:
    """The same pictures with corners as they are usually refined; those of a ChArUco board are the same."""
    if board.kind != "chessboard":
        return list(views)
    names = {view.name for view in views}
    found = [
        find_board(grey, board, name=name, window_px=USUAL_WINDOW_PX)
        for name, grey in pictures
        if name in names
    ]
    return [view for view in found if isinstance(view, BoardView)]


def side_by_side(
    camera: Calibrated,
    views: Sequence[BoardView],
    usual: Sequence[BoardView],
    board: Board,
    *,
    size_px: tuple[int, int],
) -> list[str]:
    """The plain solution beside ours, line by line.

    Args:
        camera: Ours.
        views: That it was found from.
        usual: See `usual_views`.
        board: What was seen.
        size_px: Width and height.
    """
    same = board.kind != "chessboard"
    plain = plain_camera(usual, board, size_px=size_px)
    ours = plain if same else plain_camera(views, board, size_px=size_px)
    lines = ["Beside it, plain least squares as is usual (board taken for flat, five lens terms, no bound):"]
    lines.append(f"{'':44}{'fx_px':>10}{'fy_px':>10}{'rms px':>9}")
    rows = (
        [("the same corners", ours)]
        if same
        else [
            (f"corners in a window of {USUAL_WINDOW_PX} px, as is usual", plain),
            ("the corners used here", ours),
        ]
    )
    lines += [f"  {what:42}{one.fx_px:10.2f}{one.fy_px:10.2f}{one.rms_px:9.3f}" for what, one in rows]
    focal = 0.5 * float(camera.values[0] + camera.values[1])
    row = np.zeros(9)
    row[:2] = 0.5
    bound = _BOUND_SIGMA * float(np.sqrt(row @ camera.covariance @ row)) / focal
    share = [0.5 * (one.fx_px + one.fy_px) / focal - 1.0 for one in (plain, ours)]
    words = f"Its focal length is {100.0 * abs(share[0]):.2f} % {'longer' if share[0] > 0.0 else 'shorter'}"
    if abs(share[0]) <= bound:
        return [*lines, f"{words}: within the bound of {100.0 * bound:.2f} %."]
    causes = [f"{100.0 * share[1]:+.2f} % by the board's shape, the lens model and the weights"]
    if not same:
        causes.insert(0, f"{100.0 * (share[0] - share[1]):+.2f} % by the corners")
    worst = _worst(usual, board, size_px)
    lines.append(f"{words}, MORE THAN THE BOUND of {100.0 * bound:.2f} %: {', '.join(causes)}.{worst}")
    return lines


def beside_words(lines: Sequence[str]) -> tuple[str, ...]:
    """What `side_by_side` tells, as sentences for a page: each plain solution, and whether ours agrees."""
    told: list[str] = []
    for line in lines[2:-1]:
        what, fx, fy, rms = line.strip().rsplit(None, 3)
        told.append(f"Plain least squares, {what}: fx_px {fx}, fy_px {fy}, residual {rms} px rms.")
    return (*told, lines[-1])


def _worst(usual: Sequence[BoardView], board: Board, size_px: tuple[int, int]) -> str:
    """A picture that the plain solution fits far worse than the others, if there is one."""
    objects = [board.corners_mm[view.ids].astype(np.float32) for view in usual]
    pictures = [view.corners_px.astype(np.float32) for view in usual]
    start = np.eye(3), np.zeros(5)  # not used: without the flag for a guess OpenCV finds its own
    *_, per_view = cv2.calibrateCameraExtended(objects, pictures, size_px, *start)
    off = np.ravel(np.asarray(per_view, float))
    worst, typical = int(np.argmax(off)), float(np.median(off))
    if off[worst] < 2.5 * typical:
        return ""
    rest = plain_camera([v for k, v in enumerate(usual) if k != worst], board, size_px=size_px)
    return (
        f" {usual[worst].name} alone has {off[worst]:.2f} px there (usual {typical:.2f}); without it fx is"
        f" {rest.fx_px:.2f}."
    )
