"""Boards for calibrating a camera: what they are, and where their corners are in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from models.geometry import Bytes, Floats, Ints, frozen
from models.problems import InputError

WINDOW_SHARE = 0.3
"""Half the window in which a corner is refined, as a share of the distance to the nearest other corner. A
fixed window of 11 px, as widely used, takes in the neighbours of small corners: on a public set of 13 photos
it makes the residual 0.41 px instead of 0.18 and the focal length 0.6 % longer."""


@dataclass(frozen=True)
class Board:
    """A flat board; frame: origin at its first inner corner, x along columns, y along rows, z into it."""

    kind: str
    """``charuco`` or ``chessboard``."""
    columns: int
    """Inner corners along x."""
    rows: int
    """Inner corners along y."""
    square_mm: float
    marker_mm: float = 0.0
    dictionary: str = ""

    @cached_property
    def corners_mm(self) -> Floats:
        """Inner corners, row by row, shape (rows * columns, 3)."""
        y, x = np.mgrid[: self.rows, : self.columns].astype(float)
        return frozen(np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1) * self.square_mm)

    @property
    def words(self) -> str:
        """For people."""
        if self.kind == "chessboard":
            return f"chessboard with {self.columns} x {self.rows} inner corners"
        return f"ChArUco board of {self.columns + 1} x {self.rows + 1} squares, {self.dictionary}"

    @cached_property
    def charuco(self) -> cv2.aruco.CharucoBoard:
        """The same as OpenCV has it."""
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, self.dictionary))
        size = (self.columns + 1, self.rows + 1)
        return cv2.aruco.CharucoBoard(size, self.square_mm, self.marker_mm, dictionary)


OWN = Board("charuco", 9, 6, 24.0, 17.0, "DICT_5X5_100")
"""What ``cryoguide calibrate print board`` prints on A4."""


@dataclass(frozen=True, eq=False)
class BoardView:
    """Corners of a board in one picture."""

    name: str
    ids: Ints
    """Index of each into `Board.corners_mm`, shape (k,)."""
    corners_px: Floats
    """Shape (k, 2)."""


def board_of(text: str) -> Board:
    """The board that a user names.

    Args:
        text: ``own``; or ``chessboard:9x6[:SQUARE_MM]`` with inner corners; or
            ``charuco:10x7:DICT_5X5_100[:SQUARE_MM[:MARKER_MM]]`` with squares.

    Raises:
        InputError: If it is none of these.
    """
    if text == "own":
        return OWN
    kind, *parts = text.split(":")
    try:
        across, down = (int(word) for word in parts[0].split("x"))
        if kind == "chessboard" and len(parts) <= 2 and min(across, down) >= 3:
            return Board(kind, across, down, float(parts[1]) if len(parts) > 1 else 25.0)
        if kind == "charuco" and 2 <= len(parts) <= 4 and min(across, down) >= 3:
            square_mm = float(parts[2]) if len(parts) > 2 else OWN.square_mm
            marker_mm = float(parts[3]) if len(parts) > 3 else 0.7 * square_mm
            known = parts[1].startswith("DICT_") and hasattr(cv2.aruco, parts[1])
            if known and 0.0 < marker_mm < square_mm:
                return Board(kind, across - 1, down - 1, square_mm, marker_mm, parts[1])
    except (ValueError, IndexError):
        pass
    raise InputError(
        f"'{text}' names no board; write own, chessboard:9x6:25 (inner corners, mm of a square) or"
        " charuco:10x7:DICT_5X5_100:24:17 (squares, dictionary, mm of a square and of a marker)."
    )


def find_board(grey: Bytes, board: Board, *, name: str, window_px: int | None = None) -> BoardView | str:
    """Find the board's corners.

    Args:
        grey: Picture, shape (h, w).
        board: What to look for.
        name: Of the picture.
        window_px: Half the window in which corners are refined; None = by the distance of the corners.

    Returns:
        The corners, or why there are none.
    """
    if board.kind == "chessboard":
        return _find_chessboard(grey, board, name, window_px)
    ids, corners = _charuco_corners(grey, board)
    if len(ids) < _LEAST_CORNERS:
        mirrored, _ = _charuco_corners(np.ascontiguousarray(grey[:, ::-1]), board)
        if len(mirrored) > len(ids):
            return "is mirrored; switch off the camera's mirror mode"
        return (
            f"shows {len(ids)} corners of the board (at least {_LEAST_CORNERS}); show more of it, sharp"
            f" and lit"
        )
    return BoardView(name, frozen(ids), frozen(corners))


_LEAST_CORNERS = 12
"""Fewer than these hardly say more than where the board is."""


def _charuco_corners(grey: Bytes, board: Board) -> tuple[Ints, Floats]:
    corners, ids, _, _ = cv2.aruco.CharucoDetector(board.charuco).detectBoard(grey)
    if ids is None or len(ids) == 0:
        return np.zeros(0, np.int64), np.zeros((0, 2))
    return np.asarray(ids, np.int64).ravel(), np.asarray(corners, float).reshape(-1, 2)


def _find_chessboard(grey: Bytes, board: Board, name: str, window_px: int | None) -> BoardView | str:
    size = (board.columns, board.rows)
    found, corners = cv2.findChessboardCorners(grey, size)
    if not found:
        found, corners = cv2.findChessboardCornersSB(grey, size, flags=cv2.CALIB_CB_NORMALIZE_IMAGE)
    if not found:
        return "does not show the whole board; show all of it, sharp and evenly lit"
    grid = np.asarray(corners, float).reshape(board.rows, board.columns, 2)
    steps = [np.linalg.norm(np.diff(grid, axis=axis), axis=-1).min() for axis in (0, 1)]
    half = window_px or max(2, int(WINDOW_SHARE * min(steps)))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    refined = cv2.cornerSubPix(grey, np.asarray(corners, np.float32), (half, half), (-1, -1), stop)
    grid = np.asarray(refined, float).reshape(board.rows, board.columns, 2)
    if _is_light(grey, grid):  # half a turn; where both ends look alike the order stays as it is
        grid = grid[::-1, ::-1]
    ids = np.arange(board.rows * board.columns)
    return BoardView(name, frozen(ids), frozen(grid.reshape(-1, 2)))


def _is_light(grey: Bytes, grid: Floats) -> bool:
    """Whether the first square is lighter than the last, as seen in their middles."""

    def light(quad: Floats) -> float:
        x, y = np.rint(quad.reshape(-1, 2).mean(axis=0)).astype(int)
        return float(np.mean(grey[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]))

    first = light(grid[:2, :2]) - light(grid[:2, 1:3])
    last = light(grid[-2:, -2:]) - light(grid[-2:, -3:-1])
    return first > last
