from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.board import OWN, BoardView, find_board, find_tags
from calibration.sheets import TARGET, board_sheet, collar_of, collar_sheet, skin_sheet, target_sheet
from guidance.cli import main
from models.geometry import Bytes, Floats
from models.rig_file import read_rig

PX_PER_MM = 8


def raster(svg: str) -> Bytes:
    """Rectangles of a sheet, drawn at 8 px a mm; the origin of its drawing is at the sheet's margin."""
    root = ET.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    width, height = (float(root.attrib[key].removesuffix("mm")) for key in ("width", "height"))
    assert root.attrib["viewBox"] == f"0 0 {width:.3f} {height:.3f}"
    picture = np.full((int(height * PX_PER_MM), int(width * PX_PER_MM)), 255, np.uint8)
    for rect in root.findall(f"{name}g")[0].findall(f"{name}rect"):
        x, y, w, h = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        low = np.rint((np.array([x, y]) + 12.0) * PX_PER_MM).astype(int)
        high = np.rint((np.array([x + w, y + h]) + 12.0) * PX_PER_MM).astype(int)
        picture[low[1] : high[1], low[0] : high[0]] = 255 if rect.attrib["fill"] == "#fff" else 0
    return picture


def at_mm(px: Floats) -> Floats:
    return (px + 0.5) / PX_PER_MM - 12.0


def test_the_printed_board_is_found_whole_and_at_true_scale() -> None:
    view = find_board(raster(board_sheet()), OWN, name="sheet")
    assert isinstance(view, BoardView)
    assert len(view.ids) == 54
    apart = at_mm(view.corners_px) - (OWN.corners_mm[view.ids][:, :2] + OWN.square_mm)
    assert np.abs(apart).max() < 0.1


def test_the_thermal_target_is_found_whole_and_at_true_scale() -> None:
    view = find_tags(raster(target_sheet()), TARGET, name="sheet")
    assert isinstance(view, BoardView)
    assert len(view.ids) == 48
    assert at_mm(view.corners_px) == pytest.approx(TARGET.corners_mm[view.ids][:, :2], abs=0.15)


def tags_on(svg: str) -> dict[int, Floats]:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(raster(svg))
    assert ids is not None
    return {
        int(i): np.asarray(quad, float).reshape(4, 2) for i, quad in zip(ids.ravel(), corners, strict=True)
    }


def test_skin_tags_are_read_with_their_size() -> None:
    tags = tags_on(skin_sheet())
    assert sorted(tags) == [100, 101, 102, 103]
    assert np.linalg.norm(tags[100][1] - tags[100][0]) / PX_PER_MM == pytest.approx(24.0, abs=0.3)


def test_the_collars_geometry_is_that_of_its_sheet_wound_round() -> None:
    """Corner by corner: a face's column on the sheet gives the angle, the foot is the orifice's side."""
    collar = collar_of(across_mm=60.0, tip_mm=60.0)
    tags = tags_on(collar_sheet(collar))
    assert sorted(tags) == list(range(12))
    height_mm = 2 * collar.ring_mm
    for number, corners in zip(collar.ids, collar.corners_nozzle_mm, strict=True):
        flat = at_mm(tags[int(number)])
        column = int(flat[:, 0].mean() // collar.face_mm)
        angle = (5 - column) * np.pi / 3.0
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        right = np.cross((0.0, 0.0, 1.0), -out)
        along = (flat[:, 0] - (column + 0.5) * collar.face_mm)[:, None] * right
        z = -(60.0 + height_mm - flat[:, 1])[:, None] * np.array([0.0, 0.0, 1.0])
        assert corners == pytest.approx(out * 30.0 + along + z, abs=0.2)


def test_tags_of_the_collar_face_outwards_and_neighbours_on_the_sheet_are_neighbours_on_the_nozzle() -> None:
    collar = collar_of(across_mm=60.0, tip_mm=60.0)
    c = collar.corners_nozzle_mm
    into = np.cross(c[:, 1] - c[:, 0], c[:, 3] - c[:, 0])
    middles = c.mean(axis=1) * (1.0, 1.0, 0.0)
    assert np.all(np.sum(into * middles, axis=1) < 0.0)
    tags = tags_on(collar_sheet(collar))
    columns = {number: tags[number][:, 0].mean() for number in range(6)}
    order = sorted(columns, key=lambda number: columns[number])
    for left, right in pairwise(order):
        step = middles[right] - middles[left]
        assert step @ (c[left, 1] - c[left, 0]) > 0.0


def test_the_command_writes_the_sheet_and_a_nozzle_that_a_rig_reads(tmp_path: Path, lumbar: Path) -> None:
    assert (
        main(["calibrate", "print", "collar", "--out", str(tmp_path), "--across-mm", "60", "--tip-mm", "60"])
        == 0
    )
    nozzle = (tmp_path / "collar.toml").read_text()
    rig = tomllib.loads((lumbar / "rig.toml").read_text())["rgb"]
    text = 'schema = "cryoguide.rig/1"\ncreated = 2026-11-23T09:00:00Z\n[rgb]\n'
    text += (
        "".join(f"{key} = {value!r}\n" for key, value in rig.items() if not isinstance(value, str)) + nozzle
    )
    read, warnings = read_rig(text, where="rig")
    assert warnings == ()
    assert read.nozzle is not None
    assert len(read.nozzle.tags.ids) == 12
    assert main(["calibrate", "print", "collar", "--out", str(tmp_path), "--across-mm", "30"]) == 2


@pytest.mark.parametrize("sheet", ["board", "skin", "target", "collar"])
def test_each_sheet_has_a_ruler_of_100_mm_each_way(tmp_path: Path, sheet: str) -> None:
    assert main(["calibrate", "print", sheet, "--out", str(tmp_path)]) == 0
    drawn = (tmp_path / f"{sheet}.svg").read_text()
    assert drawn.count('d="M0 0H100"') == drawn.count('d="M0 0v100"') == 1
    assert drawn.count(">A</text>") == drawn.count(">B</text>") == 1
