"""Sheets on paper: whole, within what printers reach, at true scale, and read again as what they are."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.board import OWN, Board, BoardView, find_board, find_tags
from calibration.sheet_pdf import EDGE_MM, PAPERS_MM, pdf_of
from calibration.sheets import TARGET, board_sheet, collar_of, collar_sheet, skin_sheet, target_sheet
from guidance.cli import main
from models.geometry import Bytes

PX_PER_MM = 8
POINT_PER_MM = 72.0 / 25.4


def pages_of(pdf: bytes) -> list[str]:
    return re.findall(r"stream\n(.*?)\nendstream", pdf.decode("cp1252"), re.DOTALL)


def paper_of(pdf: bytes) -> tuple[float, float]:
    found = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert found is not None
    return float(found[1]) / POINT_PER_MM, float(found[2]) / POINT_PER_MM


def boxes(page: str) -> list[tuple[float, float, float, float, float]]:
    """Grey, and left, top, right, bottom on the paper in mm: by the matrices of the page itself."""
    scale = re.match(r"([\d.]+) 0 0 -([\d.]+) 0 ([\d.]+) cm q", page)
    assert scale is not None
    assert float(scale[1]) == float(scale[2]) == pytest.approx(POINT_PER_MM, rel=1e-8)
    shifts = re.findall(r"1 0 0 1 ([\d.-]+) ([\d.-]+) cm\n", page)
    dx, dy = float(shifts[0][0]), float(shifts[0][1])
    found = re.findall(r"^(\d) g ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f$", page, re.MULTILINE)
    clip = re.search(r"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re W n", page)
    assert clip is not None
    left, top, width, height = (float(v) for v in clip.groups())
    whole = [
        (float(g), float(x) + dx, float(y) + dy, float(x) + dx + float(w), float(y) + dy + float(h))
        for g, x, y, w, h in found
    ]
    return [b for b in whole if left < (b[1] + b[3]) / 2 < left + width and top < b[2] < top + height]


def raster(pdf: bytes, page: int = 0) -> Bytes:
    width, height = paper_of(pdf)
    picture = np.full((round(height * PX_PER_MM), round(width * PX_PER_MM)), 255, np.uint8)
    for grey, *box in boxes(pages_of(pdf)[page]):
        left, top, right, bottom = (round(v * PX_PER_MM) for v in box)
        picture[top:bottom, left:right] = round(255 * grey)
    return picture


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("sheet", [board_sheet(), target_sheet(), skin_sheet()])
def test_a_sheet_lies_within_what_printers_reach_and_its_ruler_measures_100_mm(
    paper: str, sheet: str
) -> None:
    pdf = pdf_of(sheet, paper=paper, title="sheet")
    assert pdf is not None
    width, height = paper_of(pdf)
    assert sorted((width, height)) == pytest.approx(sorted(PAPERS_MM[paper]), abs=1e-3)
    (page,) = pages_of(pdf)
    for _, left, top, right, bottom in boxes(page):
        assert left >= EDGE_MM - 0.01
        assert top >= EDGE_MM - 0.01
        assert right <= width - EDGE_MM + 0.01
        assert bottom <= height - EDGE_MM + 0.01
    x, y = (float(v) for v in re.findall(r"q 1 0 0 1 ([\d.]+) ([\d.]+) cm", page)[-2])
    ruler = re.search(r"^0 G [\d.]+ w 0.0 0.0 m ([\d.]+) 0.0 l S$", page, re.MULTILINE)
    assert ruler is not None
    assert float(ruler[1]) == 100.0
    assert x + 100.0 <= width - EDGE_MM
    assert y + 15.0 <= height - EDGE_MM + 1.01
    assert b"/PrintScaling /None" in pdf


WORD_EM = 0.5
"""Mean width of a letter of Helvetica in these sentences, of its size: 0.46 to 0.49 on rendered pages."""

Box = tuple[float, float, float, float]


def marks(page: str) -> dict[str, list[Box]]:
    """Rulers and words of a page: name, and left, top, right, bottom on the paper in mm of each part."""
    groups = re.findall(r"q 1 0 0 1 ([\d.]+) ([\d.]+) cm\n(.*?)\nQ", page, re.DOTALL)
    found: dict[str, list[Box]] = {}
    for dx, dy, body in ((float(x), float(y), body) for x, y, body in groups):
        lines = re.findall(r"w ([\d.]+) ([\d.]+) m ([\d.]+) ([\d.]+) l S", body)
        letter = re.search(r"/B [\d.]+ Tf .*\(([AB])\) Tj", body)
        assert letter is not None
        found[letter[1]] = [
            (dx + float(a), dy + float(b), dx + float(c), dy + float(d)) for a, b, c, d in lines
        ]
        for size, x, y, words in re.findall(
            r"/[BF] ([\d.]+) Tf 0 g 1 0 0 -1 ([\d.]+) ([\d.]+) Tm \((.*)\) Tj", body
        ):
            wide = WORD_EM * float(size) * len(words)
            left, foot = dx + float(x), dy + float(y)
            found.setdefault("words", []).append((left, foot - 0.75 * float(size), left + wide, foot + 0.1))
    return found


def apart(one: Box, other: Box, by_mm: float) -> bool:
    """Whether two boxes lie apart."""
    return (
        one[2] + by_mm <= other[0]
        or other[2] + by_mm <= one[0]
        or one[3] + by_mm <= other[1]
        or other[3] + by_mm <= one[1]
    )


def hull(parts: list[Box]) -> Box:
    """Round all of them."""
    lefts, tops, rights, bottoms = zip(*parts, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


EVERY_SHEET = [
    *(pytest.param(sheet, (), id=name) for name, sheet in (
        ("board", board_sheet()), ("target", target_sheet()), ("skin", skin_sheet()),
        ("skin-20", skin_sheet(count=20)), ("skin-1", skin_sheet(count=1)),
    )),
    *(
        pytest.param(
            collar_sheet(one), tuple(k * one.face_mm for k in range(1, 6)), id=f"collar-{across_mm:g}"
        )
        for across_mm in (55.0, 60.0, 79.0, 82.0, 90.0, 130.0, 200.0, 400.0)
        for one in [collar_of(across_mm=across_mm, tip_mm=60.0)]
    ),
]  # fmt: skip


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize(("sheet", "cuts"), EVERY_SHEET)
def test_both_rulers_are_100_mm_lie_along_the_papers_sides_and_touch_nothing(
    sheet: str, cuts: tuple[float, ...], paper: str
) -> None:
    pdf = pdf_of(sheet, paper=paper, title="sheet", cuts_mm=cuts)
    assert pdf is not None
    width, height = paper_of(pdf)
    for page in pages_of(pdf):
        found = marks(page)
        sizes = {
            name: (hull(found[name])[2] - hull(found[name])[0], hull(found[name])[3] - hull(found[name])[1])
            for name in "AB"
        }
        along = {"A": 0, "B": 1} if width < height else {"A": 1, "B": 0}
        for name, axis in along.items():
            assert sizes[name][axis] == pytest.approx(100.0)
            assert sizes[name][1 - axis] == pytest.approx(4.0)
        drawn = hull([box[1:] for box in boxes(page)])
        everything = [hull(found["A"]), hull(found["B"]), drawn, *found["words"]]
        for k, one in enumerate(everything):
            assert one[0] >= EDGE_MM - 0.05
            assert one[1] >= EDGE_MM - 0.05
            assert one[2] <= width - EDGE_MM + 0.05
            assert one[3] <= height - EDGE_MM + 0.05
            for other in everything[k + 1 :]:
                assert apart(one, other, 0.3), (one, other)
        for name in "AB":  # white round the tags of a target is 5 mm of a module and more
            assert apart(hull(found[name]), drawn, 6.0)


@pytest.mark.parametrize(
    ("board", "sheet", "count"), [(OWN, board_sheet(), 54), (TARGET, target_sheet(), 48)]
)
def test_what_is_printed_is_found_at_true_scale(board: Board, sheet: str, count: int) -> None:
    pdf = pdf_of(sheet, paper="a4", title="sheet")
    assert pdf is not None
    find = find_board if board.kind == "charuco" else find_tags
    view = find(raster(pdf), board, name="sheet")
    assert isinstance(view, BoardView)
    assert len(view.ids) == count
    true_mm = board.corners_mm[view.ids][:, :2]
    found_mm = view.corners_px / PX_PER_MM
    apart = (found_mm - found_mm.mean(axis=0)) - (true_mm - true_mm.mean(axis=0))
    assert np.abs(apart).max() < 0.15


@pytest.mark.parametrize("across_mm", [55.0, 60.0, 90.0, 130.0])
def test_a_collar_of_any_diameter_comes_whole_on_as_many_pages_as_it_needs(across_mm: float) -> None:
    collar = collar_of(across_mm=across_mm, tip_mm=60.0)
    cuts = tuple(k * collar.face_mm for k in range(1, 6))
    pdf = pdf_of(collar_sheet(collar), paper="a4", title="collar", cuts_mm=cuts)
    assert pdf is not None
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    found: list[int] = []
    for page in range(len(pages_of(pdf))):
        corners, ids, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(raster(pdf, page))
        found += [int(i) for i in np.ravel(ids)]
        sides = [np.linalg.norm(quad[0][1] - quad[0][0]) / PX_PER_MM for quad in corners]
        assert sides == pytest.approx([25.0] * len(sides), abs=0.3)
    assert sorted(found) == list(range(12))
    assert len(pages_of(pdf)) == (1 if across_mm <= 80.0 else 2)


def test_what_fits_no_paper_is_written_as_a_drawing_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = ["calibrate", "print", "collar", "--across-mm", "1000", "--out", str(tmp_path)]
    assert main(wide) == 0
    assert "No PDF" in capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.iterdir()) == ["collar.svg", "collar.toml"]
    assert main(["calibrate", "print", "collar", "--tip-mm", "60000", "--out", str(tmp_path)]) == 2
