"""Sheets as PDF of a paper's size, so that true scale survives printing.

A drawing by itself has no paper, and browsers shrink or cut one that is larger than theirs.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.sheets import GAP_MM, RULER_MM, extent_mm, upright_at_mm

PAPERS_MM = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""ISO 216; ANSI/ASME Y14.1."""

EDGE_MM = 6.0
"""What desk printers leave white at most sides (4.2 mm is usual; some need 5 to 6)."""

_POINT_PER_MM = 72.0 / 25.4
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class _Window:
    """What of the drawing is on one page, mm from its left."""

    left_mm: float
    right_mm: float

    @property
    def wide_mm(self) -> float:
        """How much of it."""
        return self.right_mm - self.left_mm


@dataclass(frozen=True)
class _Groups:
    """What is on a sheet."""

    drawing: ET.Element
    foot: ET.Element
    upright: ET.Element


def pdf_of(svg: str, *, paper: str, title: str, cuts_mm: Sequence[float] = ()) -> bytes | None:
    """One of our own sheets on paper, on as many pages as its cuts allow.

    A drawing that is wider than high lies along the long side of the paper, another along its short side, so
    that ruler A is always along the short one.

    Args:
        svg: As `calibration.sheets` draws it: groups with drawing, lying ruler and words, upright ruler.
        paper: Of `PAPERS_MM`.
        title: Of the document.
        cuts_mm: Where the drawing may be cut if it is wider than the paper, from its left.

    Returns:
        The file; None where it does not fit.
    """
    root = ET.fromstring(svg)
    drawing, foot, upright = root.findall(f"{_SVG}g")
    width_mm, height_mm = _extent(drawing)
    short, long = PAPERS_MM[paper]
    paper_mm = (short, long) if height_mm > width_mm else (long, short)
    room_mm = paper_mm[0] - 2.0 * EDGE_MM, paper_mm[1] - 2.0 * EDGE_MM
    windows = _windows(width_mm, cuts_mm, room_mm[0])
    if windows is None or any(
        extent_mm(one.wide_mm, height_mm)[k] > room_mm[k] for one in windows for k in (0, 1)
    ):
        return None
    pages: list[str] = []
    for k, window in enumerate(windows, start=1):
        words = f"Part {k} of {len(windows)}, from the left." if len(windows) > 1 else ""
        pages.append(_page(_Groups(drawing, foot, upright), window, paper_mm, words=words))
    return _document(pages, paper_mm, title)


def _windows(width_mm: float, cuts_mm: Sequence[float], room_mm: float) -> list[_Window] | None:
    """As few pages as the cuts allow; None where a piece is wider than the paper."""
    found: list[_Window] = []
    left, edges = 0.0, [*sorted(cuts_mm), width_mm]
    while left < width_mm - 1e-6:
        reached = [edge for edge in edges if left < edge <= left + room_mm + 1e-6]
        if not reached:
            return None
        found.append(_Window(left, reached[-1]))
        left = reached[-1]
    return found


def _extent(drawing: ET.Element) -> tuple[float, float]:
    corners = [
        (float(r.attrib["x"]) + float(r.attrib["width"]), float(r.attrib["y"]) + float(r.attrib["height"]))
        for r in drawing.iter(f"{_SVG}rect")
    ]
    corners += [point for path in drawing.iter(f"{_SVG}path") for point in _points(path)]
    return max(x for x, _ in corners), max(y for _, y in corners)


def _page(groups: _Groups, window: _Window, paper_mm: tuple[float, float], *, words: str) -> str:
    """What is drawn on one page; a unit is a millimetre, y goes down from the top."""
    k, width_mm, height_mm = _POINT_PER_MM, window.wide_mm, _extent(groups.drawing)[1]
    whole = extent_mm(width_mm, height_mm)
    x_mm, y_mm = ((side - own) / 2.0 for side, own in zip(paper_mm, whole, strict=True))
    drawing_mm = x_mm + max(0.0, (whole[0] - width_mm) / 2.0 if height_mm < RULER_MM else 0.0)
    lines = [f"{k:.9f} 0 0 {-k:.9f} 0 {k * paper_mm[1]:.6f} cm q"]
    lines.append(f"{drawing_mm - 0.1:.4f} {y_mm - 0.1:.4f} {width_mm + 0.2:.4f} {height_mm + 0.2:.4f} re W n")
    lines += [f"1 0 0 1 {drawing_mm - window.left_mm:.4f} {y_mm:.4f} cm", *_shapes(groups.drawing), "Q"]
    lines += [f"q 1 0 0 1 {x_mm:.4f} {y_mm + height_mm + GAP_MM:.4f} cm", *_shapes(groups.foot)]
    if words:
        lines.append(_text(112.0, 4.0, 3.4, words))
    across_mm, down_mm = upright_at_mm(width_mm, height_mm)
    lines += ["Q", f"q 1 0 0 1 {x_mm + across_mm:.4f} {y_mm + down_mm:.4f} cm", *_shapes(groups.upright)]
    return "\n".join([*lines, "Q"])


def _shapes(group: ET.Element) -> list[str]:
    lines: list[str] = []
    for shape in group:
        about = shape.attrib
        if shape.tag == f"{_SVG}rect":
            box = " ".join(about[name] for name in ("x", "y", "width", "height"))
            lines.append(f"{'1' if about['fill'] == '#fff' else '0'} g {box} re f")
        elif shape.tag == f"{_SVG}path":
            (x1, y1), (x2, y2) = _points(shape)
            grey = "0.6" if about["stroke"] == "#999" else "0"
            lines.append(f"{grey} G {about['stroke-width']} w {x1} {y1} m {x2} {y2} l S")
        elif shape.tag == f"{_SVG}text":
            size = float(about["font-size"])
            bold = about.get("font-weight") == "bold"
            lines.append(_text(float(about["x"]), float(about["y"]), size, shape.text or "", bold=bold))
    return lines


def _points(path: ET.Element) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both ends of a line as our sheets write it: ``Mx yLx y``, ``Mx yHx`` or ``Mx yvlength``."""
    found = re.fullmatch(r"M([\d.]+) ([\d.]+)([LHv])([\d.]+)(?: ([\d.]+))?", path.attrib["d"])
    if found is None:
        raise ValueError(f"No line of ours: {path.attrib['d']}")
    x, y, to = float(found[1]), float(found[2]), float(found[4])
    if found[3] == "L":
        return (x, y), (to, float(found[5]))
    return (x, y), ((to, y) if found[3] == "H" else (x, y + to))


def _text(x_mm: float, y_mm: float, size_mm: float, words: str, *, bold: bool = False) -> str:
    escaped = re.sub(r"([\\()])", r"\\\1", words)
    return f"BT /{'B' if bold else 'F'} {size_mm} Tf 0 g 1 0 0 -1 {x_mm} {y_mm} Tm ({escaped}) Tj ET"


def _document(pages: Sequence[str], paper_mm: tuple[float, float], title: str) -> bytes:
    """The file (ISO 32000-1, 7.5). It asks the reader not to scale it (12.2, ``PrintScaling``)."""
    width, height = (_POINT_PER_MM * side for side in paper_mm)
    kids = " ".join(f"{5 + 2 * k} 0 R" for k in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R"
        " /ViewerPreferences << /PrintScaling /None /DisplayDocTitle true >> >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
        " /B << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >> >>",
        f"<< /Title ({title}) /Producer (cryoguide) >>",
    ]
    for k, drawn in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.4f} {height:.4f}] /Contents {6 + 2 * k} 0 R"
            " /Resources << /Font 3 0 R >> >>"
        )
        objects.append(f"<< /Length {len(drawn.encode('cp1252'))} >>\nstream\n{drawn}\nendstream")
    whole, starts = b"%PDF-1.7\n", list[int]()
    for number, body in enumerate(objects, start=1):
        starts.append(len(whole))
        whole += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{at:010d} 00000 n \n" for at in starts)
    end = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{len(whole)}\n%%EOF\n"
    )
    return whole + end.encode()
