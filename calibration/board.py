"""Boards for calibrating a camera: what they are, and where their corners are in a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from calibration.tag_edges import edge_corners
from models.geometry import Bytes, Floats, Ints, frozen
from models.problems import InputError

MIRRORED = "is mirrored; switch off the camera's mirror mode"
"""What is said of a picture that is."""

WINDOW_SHARE = 0.3
"""Half the window in which a corner is refined, as a share of the distance to the nearest other corner. A
fixed window of 11 px, as widely used, takes in the neighbours of small corners: on a public set of 13 photos
it makes the residual 0.41 px instead of 0.18 and the focal length 0.6 % longer."""


@dataclass(frozen=True)
class Board:
    """A flat board; frame: origin at its first inner corner, x along columns, y along rows, z into it."""

    kind: str
    """``charuco``, ``chessboard`` or ``tags``."""
    columns: int
    """Inner corners along x; of tags, how many."""
    rows: int
    """Inner corners along y; of tags, how many."""
    square_mm: float
    """Side of a square, or of a tag."""
    marker_mm: float = 0.0
    """Side of a marker in a square, or the gap between tags."""
    dictionary: str = ""
    first: int = 0
    """Number of the first tag."""
    gap_down_mm: float = 0.0
    """Gap between rows of tags; ``marker_mm`` is that between columns."""
    stretch: float = 1.0
    """Lengths down the board by those across it that are told here: of a print whose directions differ."""
    stretch_u95: float = 0.0
    """95 % bound of the share by which that may be off; 0 = taken for known, as other tools do."""
    scale_u95: float = 0.0
    """The same of all its lengths together, by which two cameras show how far they are apart."""

    @cached_property
    def corners_mm(self) -> Floats:
        """Inner corners, row by row, shape (rows * columns, 3); or four corners of each tag, tag by tag."""
        if self.kind == "tags":
            return frozen(_tag_corners(self) * (1.0, self.stretch, 1.0))
        y, x = np.mgrid[: self.rows, : self.columns].astype(float)
        flat = np.stack([x.ravel(), self.stretch * y.ravel(), np.zeros(x.size)], axis=1)
        return frozen(flat * self.square_mm)

    @property
    def words(self) -> str:
        """For people."""
        if self.kind == "chessboard":
            return f"chessboard with {self.columns} x {self.rows} inner corners"
        if self.kind == "tags":
            return f"board of {self.columns} x {self.rows} tags, {self.dictionary} from {self.first}"
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
            ``charuco:10x7:DICT_5X5_100[:SQUARE_MM[:MARKER_MM]]`` with squares; or
            ``tags:3x4:DICT_ARUCO_ORIGINAL:1:SIDE_MM:GAP_MM`` with the first tag's number. A
            square, side or gap may be ``ACROSSxDOWN``. A last part such as ``0.3%`` bounds (95 %) by what
            share lengths down may yet be off against those across; ``0.3%,0.2%`` also by what all may be.

    Raises:
        InputError: If it is none of these.
    """
    if text == "own":
        return OWN
    kind, *parts = text.split(":")
    try:
        doubt, size_doubt = _doubts(parts.pop()) if parts[-1].endswith("%") else (0.0, 0.0)
        across, down = (int(word) for word in parts[0].split("x"))
        board, stretch = None, 1.0
        if kind == "chessboard" and len(parts) <= 2 and min(across, down) >= 3:
            square_mm, stretch = _both_ways(parts[1] if len(parts) > 1 else "25")
            board = Board(kind, across, down, square_mm)
        elif kind == "charuco" and 2 <= len(parts) <= 4 and min(across, down) >= 3:
            square_mm, stretch = _both_ways(parts[2]) if len(parts) > 2 else (OWN.square_mm, 1.0)
            marker_mm = float(parts[3]) if len(parts) > 3 else 0.7 * square_mm
            if _tags_of(parts[1]) >= across * down // 2 and 0.0 < marker_mm < square_mm:
                board = Board(kind, across - 1, down - 1, square_mm, marker_mm, parts[1])
        elif kind == "tags" and len(parts) == 5 and min(across, down) >= 1 and across * down >= 4:
            (side_mm, stretch), first = _both_ways(parts[3]), int(parts[2])
            gaps = [float(gap) for gap in parts[4].split("x")]
            there = 0 <= first <= _tags_of(parts[1]) - across * down
            if there and min(gaps) > 0.0 and max(gaps) < MOST_MM and len(gaps) <= 2:
                board = Board(kind, across, down, side_mm, gaps[0], parts[1], first, gaps[-1] / stretch)
        if board is not None and max(across, down) <= MOST_ACROSS and 0.0 < board.square_mm < MOST_MM:
            return replace(board, stretch=stretch, stretch_u95=doubt, scale_u95=size_doubt)
    except (ValueError, IndexError):
        pass
    raise InputError(
        f"'{text}' names no board; write own, chessboard:9x6:25 (inner corners, mm of a square) or"
        " charuco:10x7:DICT_5X5_100:24:17 (squares, dictionary, mm of a square and of a marker), or"
        " tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16 (dictionary, first tag, mm of a tag and of a gap)."
    )


MOST_ACROSS = 100
"""Corners or tags a side: of more, none is as large as a pixel of any camera used here (own choice)."""
MOST_MM = 2000.0
"""Of one square, tag or gap; anything larger is a length in another unit (own choice)."""


def _tags_of(dictionary: str) -> int:
    """How many tags a dictionary has; 0 where there is none of that name."""
    if not dictionary.startswith("DICT_") or not hasattr(cv2.aruco, dictionary):
        return 0
    return len(cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary)).bytesList)


_MOST_DOUBT, _MOST_STRETCH = 0.1, 0.25
"""No print is off by more: a slip of the pen."""


def _doubts(words: str) -> tuple[float, float]:
    """Of lengths down against those across, and of all lengths, of ``0.3%`` or ``0.3%,0.2%``."""
    doubts = [0.01 * float(word.removesuffix("%")) for word in words.split(",")]
    if len(doubts) > 2 or not all(0.0 <= doubt <= _MOST_DOUBT for doubt in doubts):
        raise ValueError
    return doubts[0], doubts[1] if len(doubts) == 2 else 0.0


def _both_ways(words: str) -> tuple[float, float]:
    """Length across, and lengths down by those across, of ``24`` or ``24x24.1``."""
    across, *down = (float(word) for word in words.split("x"))
    stretch = down[0] / across if down and across > 0.0 else 1.0
    if len(down) > 1 or not across > 0.0 or not abs(stretch - 1.0) <= _MOST_STRETCH:
        raise ValueError
    return across, stretch


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
    if board.kind == "tags":
        return find_tags(grey, board, name=name)
    if board.kind == "chessboard":
        return _find_chessboard(grey, board, name, window_px)
    ids, corners = _charuco_corners(grey, board)
    if len(ids) < _LEAST_CORNERS:
        mirrored, _ = _charuco_corners(np.ascontiguousarray(grey[:, ::-1]), board)
        if len(mirrored) > len(ids):
            return MIRRORED
        return (
            f"shows {len(ids)} corners of the board (at least {_LEAST_CORNERS}); show more of it, sharp"
            f" and lit"
        )
    return BoardView(name, frozen(ids), frozen(corners))


_LEAST_CORNERS = 12
"""Fewer than these hardly say more than where the board is."""


LEAST_TAGS = 4


def find_tags(
    grey: Bytes, board: Board, *, name: str, refinement: int = cv2.aruco.CORNER_REFINE_SUBPIX
) -> BoardView | str:
    """Find a board of tags, dark on light or light on dark, whichever shows more of them.

    Args:
        grey: Picture, shape (h, w).
        board: Of tags.
        name: Of the picture.
        refinement: Of corners, as OpenCV numbers them, before `calibration.tag_edges`. On soft thermal edges
            lines along the contour leave 0.6 px against the colour picture's corners, the gradient at the
            corner 0.9, lines where the light changes most 0.3 to 0.5.

    Returns:
        Corners in the order of `Board.corners_mm`, or why there are none.
    """
    inverse = np.asarray(255 - grey, np.uint8)
    finds = [_tags_in(picture, board, refinement) for picture in (grey, inverse)]
    tags = max(finds, key=len)
    if len(tags) < LEAST_TAGS:
        why = "show all of it" if _edges(grey) > _WEAK_EDGES else "its edges are weak: blurred or overexposed"
        return f"shows {len(tags)} tags of the board (at least {LEAST_TAGS}); {why}"
    gap = min(board.marker_mm, board.gap_down_mm) / board.square_mm
    tags = edge_corners(grey, tags, board.corners_mm, gap=gap)
    order = sorted(tags)
    ids = np.concatenate([4 * k + np.arange(4) for k in order])
    return BoardView(name, frozen(ids), frozen(np.concatenate([tags[k] for k in order])))


GLANCE_PX = 800
"""A picture wider than this is halved for a glance: a tag of 40 mm, 1.2 m away, is 16 px wide then (720p)."""


def is_shown(grey: Bytes, board: Board) -> bool:
    """Whether a picture shows enough of a board: a glance, without its corners, a tenth of the work for tags.

    Args:
        grey: Picture, shape (h, w).
        board: What to look for.
    """
    if board.kind != "tags":
        return not isinstance(find_board(grey, board, name=""), str)
    if grey.shape[1] > GLANCE_PX:
        grey = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    both = (grey, np.asarray(255 - grey, np.uint8))
    return any(len(_tags_in(one, board, cv2.aruco.CORNER_REFINE_NONE)) >= LEAST_TAGS for one in both)


_WEAK_EDGES = 0.2
"""Steepest edges, of the picture's range a pixel: 0.11 in a public picture with too much light, 0.35 and more
in five good ones of that set."""


def _edges(grey: Bytes) -> float:
    light = grey.astype(float)
    steps = np.hypot(cv2.Sobel(light, -1, 1, 0), cv2.Sobel(light, -1, 0, 1)) / 8.0
    low, high = np.percentile(light, (1.0, 99.0))
    return float(np.percentile(steps, 99.5) / max(high - low, 1.0))


def _tags_in(grey: Bytes, board: Board, refinement: int) -> dict[int, Floats]:
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = refinement
    settings.adaptiveThreshWinSizeMax, settings.adaptiveThreshWinSizeStep = 53, 6
    settings.minMarkerPerimeterRate = 0.02
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary, settings).detectMarkers(grey)
    if ids is None:
        return {}
    found: dict[int, Floats] = {}
    for number, quad in zip(np.ravel(ids), corners, strict=True):
        index = int(number) - board.first
        if 0 <= index < board.columns * board.rows:
            found[index] = np.asarray(quad, float).reshape(4, 2)
    return found


def _tag_corners(board: Board) -> Floats:
    side = board.square_mm
    right, below = side + board.marker_mm, side + board.gap_down_mm
    square = np.array([(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)])
    places = [(column * right, row * below) for row in range(board.rows) for column in range(board.columns)]
    flat = np.concatenate([square + place for place in places])
    return np.column_stack([flat, np.zeros(len(flat))])


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
