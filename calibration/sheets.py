"""Sheets to print: boards, the nozzle's collar, skin tags and the thermal target, as SVG at true scale.

Two rulers of 100 mm are on every sheet: A along the short side of the paper, B along its long side. Printers
that fit to the page are off by some percent, those that feed unevenly in one direction only, and so is all
that is calibrated with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import OWN, Board
from models.geometry import Floats, Ints

RULER_MM = 100.0
_MARGIN_MM = 12.0
GAP_MM, STRIP_MM = 8.0, 16.0
"""Between the drawing and its rulers, and what the lying ruler and the words take up at the foot."""
UPRIGHT_MM = 11.0
"""What the upright ruler takes up with its letter."""
WORDS_MM = 146.0
"""The longest line at the foot, in the widest of usual sans-serif types."""
UPRIGHT_FOOT_MM = 160.0
"""Where the upright ruler stands at the foot: right of the words."""

TARGET = Board("tags", 3, 4, 40.0, 16.0, "DICT_APRILTAG_36h11", 200, 16.0)
"""The thermal target; its numbers are those of no nozzle and no skin."""

COLLAR_DICTIONARY, COLLAR_TAG_MM, COLLAR_FACES, COLLAR_RINGS = "DICT_APRILTAG_36h11", 25.0, 6, 2
_QUIET_MODULES = 1.0
"""White round each tag, in its modules."""


@dataclass(frozen=True, eq=False)
class Collar:
    """A hexagonal prism with two rings of tags; frame: origin at the orifice, +z the way the gas blows."""

    ids: Ints
    """Shape (12,), ring by ring, the ring nearer to the orifice first."""
    corners_nozzle_mm: Floats
    """Shape (12, 4, 3), in the order in which OpenCV's aruco returns them."""
    face_mm: float
    """Width of a face."""
    ring_mm: float
    """From ring to ring."""


def collar_of(*, across_mm: float, tip_mm: float, first: int = 0) -> Collar:
    """The collar whose faces are ``across_mm`` apart.

    The sheet is wound so that the foot of each tag's picture looks to the orifice.

    Args:
        across_mm: Between opposite faces; at least 1.73 times the width of a tag with its white rim.
        tip_mm: From the orifice back to the edge of the collar that is nearer to it.
        first: Number of the first tag.

    Raises:
        ValueError: If the tags do not fit the faces.
    """
    face_mm, pitch_mm = across_mm / np.sqrt(3.0), _pitch_mm()
    if face_mm < pitch_mm:
        raise ValueError(
            f"A collar for these tags is at least {pitch_mm * np.sqrt(3.0):.1f} mm across its faces."
        )
    half = COLLAR_TAG_MM / 2.0
    corners: list[Floats] = []
    for ring in range(COLLAR_RINGS):
        z_mm = -(tip_mm + (ring + 0.5) * pitch_mm)
        for face in range(COLLAR_FACES):
            angle = face * np.pi / 3.0
            out = np.array([np.cos(angle), np.sin(angle), 0.0])
            down = np.array([0.0, 0.0, 1.0])
            right = np.cross(down, -out)  # seen from outside, x right and y down make z into the face
            middle = out * across_mm / 2.0 + (0.0, 0.0, z_mm)
            signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
            corners.append(np.array([middle + half * (x * right + y * down) for x, y in signs]))
    ids = first + np.arange(COLLAR_RINGS * COLLAR_FACES)
    return Collar(ids, np.array(corners), face_mm, pitch_mm)


def collar_sheet(collar: Collar) -> str:
    """The collar laid flat: six faces side by side with folding lines, the orifice at the foot."""
    width, height = COLLAR_FACES * collar.face_mm, COLLAR_RINGS * collar.ring_mm
    shapes: list[str] = []
    for k, number in enumerate(collar.ids):
        ring, face = divmod(k, COLLAR_FACES)
        x = (_place(face) + 0.5) * collar.face_mm - COLLAR_TAG_MM / 2.0
        y = (COLLAR_RINGS - 1 - ring + 0.5) * collar.ring_mm - COLLAR_TAG_MM / 2.0
        shapes += _tag(COLLAR_DICTIONARY, int(number), x, y, COLLAR_TAG_MM)
    lines = [
        _line(face * collar.face_mm, 0.0, face * collar.face_mm, height) for face in range(COLLAR_FACES + 1)
    ]
    frame = _line(0.0, 0.0, width, 0.0) + _line(0.0, height, width, height)
    words = (
        f"Collar, {collar.face_mm:.2f} mm a face. Fold at the lines; the edge above goes towards the orifice"
    )
    return _sheet(width, height, [*shapes, *lines, frame], words)


def _place(face: int) -> int:
    """Column of a face on the sheet: wound round, right on the sheet is right seen from outside."""
    return COLLAR_FACES - 1 - face


def board_sheet(board: Board = OWN) -> str:
    """A ChArUco board."""
    across, down = board.columns + 1, board.rows + 1
    shapes: list[str] = []
    inset = (board.square_mm - board.marker_mm) / 2.0
    number = 0
    for row in range(down):
        for column in range(across):
            x, y = column * board.square_mm, row * board.square_mm
            if (row + column) % 2 == 0:
                shapes.append(_rect(x, y, board.square_mm, board.square_mm))
            else:
                shapes += _tag(board.dictionary, number, x + inset, y + inset, board.marker_mm)
                number += 1
    words = f"{board.words}, {board.square_mm:g} mm a square, {board.marker_mm:g} mm a marker"
    return _sheet(across * board.square_mm, down * board.square_mm, shapes, words)


def target_sheet(board: Board = TARGET) -> str:
    """The thermal target: print it on foil or cut it out, before something warm or cold."""
    shapes: list[str] = []
    for k, corners in enumerate(board.corners_mm.reshape(-1, 4, 3)):
        shapes += _tag(board.dictionary, board.first + k, corners[0, 0], corners[0, 1], board.square_mm)
    width, height = board.corners_mm[:, :2].max(axis=0)
    return _sheet(float(width), float(height), shapes, f"{board.words}, {board.square_mm:g} mm a tag")


def is_wide(board: Board) -> bool:
    """Whether a board is printed with its columns along the long side of the paper."""
    width, height = board.corners_mm[:, :2].max(axis=0)
    return bool(width >= height)


SKIN_FIRST, SKIN_COUNT, SKIN_MM = 100, 4, 24.0
"""Tags on the skin sheet, side by side along the long side of the paper."""


def skin_sheet(*, first: int = SKIN_FIRST, count: int = SKIN_COUNT, size_mm: float = SKIN_MM) -> str:
    """Tags for the skin, to be cut out with their white rim."""
    step, shapes = size_mm * 1.6, list[str]()
    for k in range(count):
        shapes += _tag(COLLAR_DICTIONARY, first + k, (k % 4) * step, (k // 4) * step, size_mm)
    width, height = (min(count, 4) - 1) * step + size_mm, ((count - 1) // 4) * step + size_mm
    words = f"Skin tags {first} to {first + count - 1}, {size_mm:g} mm"
    return _sheet(width, height, shapes, words)


def _pitch_mm() -> float:
    """Room that a tag takes with its white rim."""
    modules = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, COLLAR_DICTIONARY)).markerSize + 2
    return COLLAR_TAG_MM * (1.0 + 2.0 * _QUIET_MODULES / modules)


def _tag(dictionary: str, number: int, x_mm: float, y_mm: float, side_mm: float) -> list[str]:
    """A tag as rectangles: the black square and white modules in it."""
    known = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    modules = known.markerSize + 2
    picture = np.asarray(cv2.aruco.generateImageMarker(known, number, modules))
    step = side_mm / modules
    shapes = [_rect(x_mm, y_mm, side_mm, side_mm)]
    for row, column in zip(*np.nonzero(picture > 127), strict=True):
        shapes.append(_rect(x_mm + column * step, y_mm + row * step, step, step, "#fff"))
    return shapes


def _rect(x: float, y: float, width: float, height: float, fill: str = "#000") -> str:
    return f'<rect x="{x:.4f}" y="{y:.4f}" width="{width:.4f}" height="{height:.4f}" fill="{fill}"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.3f} {y1:.3f}L{x2:.3f} {y2:.3f}" stroke="#999" stroke-width="0.1" fill="none"/>'


def upright_at_mm(width: float, height: float) -> tuple[float, float]:
    """Where the upright ruler of a drawing begins, from the drawing's own corner.

    Beside the drawing where that is taller than the ruler, else below it, right of the words: a collar may be
    as wide as the paper.
    """
    if height >= RULER_MM:
        return width + GAP_MM, (height - RULER_MM) / 2.0
    return UPRIGHT_FOOT_MM, height + GAP_MM


def extent_mm(width: float, height: float) -> tuple[float, float]:
    """Width and height of a drawing with its rulers and words."""
    x, y = upright_at_mm(width, height)
    return max(width, x + UPRIGHT_MM, WORDS_MM), max(height + GAP_MM + STRIP_MM, y + RULER_MM + 1.0)


def _sheet(width: float, height: float, shapes: list[str], words: str) -> str:
    """The whole file; one unit of the drawing is one millimetre."""
    type_ = 'font-size="3.4" font-family="sans-serif"'
    mark = 'font-size="6" font-weight="bold" font-family="sans-serif"'
    across, upright = ("B", "A") if width >= height else ("A", "B")
    whole, tall = (side + 2.0 * _MARGIN_MM for side in extent_mm(width, height))
    stroke = 'stroke="#000" stroke-width="0.15"'
    every = [(at, 4 if at % 10 == 0 else 2) for at in range(0, int(RULER_MM) + 1, 5)]
    ticks = "".join(f'<path d="M{at} 0v{long}" {stroke}/>' for at, long in every)
    rungs = "".join(f'<path d="M0 {at}H{long}" {stroke}/>' for at, long in every)
    foot = (
        f'<g transform="translate({_MARGIN_MM} {_MARGIN_MM + height + GAP_MM})"><path d="M0 0H{RULER_MM:g}"'
        f' {stroke}/>{ticks}<text x="{RULER_MM + 2.0:g}" y="4.5" {mark}>{across}</text>'
        f'<text x="0" y="9" {type_}>{words}.</text><text x="0" y="14" {type_}>Print at 100 %. Rulers A and B'
        " must measure 100 mm each; if not, do not use this sheet.</text></g>"
    )
    x, y = upright_at_mm(width, height)
    side = (
        f'<g transform="translate({_MARGIN_MM + x} {_MARGIN_MM + y})"><path d="M0 0v{RULER_MM:g}"'
        f' {stroke}/>{rungs}<text x="5" y="{RULER_MM / 2.0 + 2.0:g}" {mark}>{upright}</text></g>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:.3f}mm" height="{tall:.3f}mm"'
        f' viewBox="0 0 {whole:.3f} {tall:.3f}"><rect width="100%" height="100%" fill="#fff"/>'
        f'<g transform="translate({_MARGIN_MM} {_MARGIN_MM})" shape-rendering="crispEdges">'
        f"{''.join(shapes)}</g>"
        f"{foot}{side}</svg>\n"
    )
