"""The page beside the rig says what was found, and vouches for nothing that was changed since."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from calibration.certificate import (
    _STYLE,
    Certified,
    certificate_path,
    fingerprint,
    part_html,
    put_certificate,
)
from calibration.certificate_plots import bars_svg
from calibration.certified_parts import rgb_part, tip_part
from calibration.poses_file import TrackedPoses
from calibration.rgb import CameraFound, find_camera
from calibration.rgb_command import into
from calibration.rig_text import Toml, table_of
from calibration.tip import find_tip
from models.geometry import Floats, rotation_from_rvec
from tests.calibration.board_scenes import BOARD, SIZE_PX, views_of
from tests.calibration.pivot_scenes import Turning, turned
from tests.chromium import MISSING, Browser, chromium

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def found() -> CameraFound:
    told = find_camera(
        views_of(np.random.default_rng(0)),
        BOARD,
        size_px=SIZE_PX,
        left_out=[
            "<b>x.png shows no board",
        ],
    )
    assert isinstance(told, CameraFound)
    return told


def rig_with(found: CameraFound) -> Toml:
    tables: Toml = {}
    into(table_of(tables, "rgb"), found.calibrated, size_px=SIZE_PX)
    corners = [[0.0, 0.0, 50.0], [20.0, 0.0, 50.0], [20.0, 20.0, 50.0], [0.0, 20.0, 50.0]]
    tables["nozzle"] = {
        "dictionary": "DICT_APRILTAG_36h11",
        "bore_mm": 12.0,
        "tag": [{"id": 3, "corners_nozzle_mm": corners}],
    }
    return tables


def pivot_part() -> Certified:
    rotations, translations_mm = turned(Turning(outliers=0.1), np.random.default_rng(1))
    names = tuple(f"{k:02d}.txt" for k in range(len(rotations)))
    poses = TrackedPoses(names, rotations, translations_mm)
    return tip_part(find_tip(poses, marker_tool_mm=np.zeros(3)), names)


def test_the_page_tells_bounds_errors_and_what_was_left_out(tmp_path: Path, found: CameraFound) -> None:
    part = rgb_part(found, BOARD)
    page = put_certificate(tmp_path / "rig.toml", part, rig_with(found), now=NOW).read_text()
    focal, sigma = found.calibrated.values[0], np.sqrt(found.calibrated.covariance[0, 0])
    assert f"<td>fx_px</td><td>{focal:.4f}</td><td>± {1.96 * sigma:.4f}</td>" in page
    assert all(f"<td>{error.across_mm:.2f}</td>" in page for error in found.errors)
    assert "&lt;b&gt;x.png shows no board" in page
    assert "valid until 2026-12-28" in page
    assert not re.search(r"(src|href)=|@import|url\(", page)


def test_another_step_keeps_the_part_that_was_there(tmp_path: Path, found: CameraFound) -> None:
    rig, tables = tmp_path / "rig.toml", rig_with(found)
    put_certificate(rig, rgb_part(found, BOARD), tables, now=NOW)
    tip = pivot_part()
    page = put_certificate(rig, tip, tables, now=NOW).read_text()
    assert "Colour camera" in page
    assert "Tip of the nozzle" in page
    assert "It no longer holds" not in page
    assert len(tip.refused) > 0
    assert all(f"<li>{sentence}</li>" in page for sentence in tip.refused)


def test_a_part_of_a_rig_that_was_changed_since_is_not_vouched_for(
    tmp_path: Path, found: CameraFound
) -> None:
    rig, tables = tmp_path / "rig.toml", rig_with(found)
    put_certificate(rig, rgb_part(found, BOARD), tables, now=NOW)
    table_of(tables, "rgb")["fx_px"] = 1234.5
    put_certificate(rig, pivot_part(), tables, now=NOW)
    page = put_certificate(rig, pivot_part(), tables, now=NOW).read_text()
    said = "[rgb] was changed after this step; do calibrate rgb again."
    assert page.count(f"It no longer holds: {said}") == 1
    assert f"<li>lens of the colour camera: {said}</li>" in page
    assert (
        "<li>thermal camera and its place: as the rig states it, bound not known; calibrate thermal.</li>"
        in page
    )


def test_a_step_done_again_replaces_its_part(tmp_path: Path, found: CameraFound) -> None:
    rig, tables, part = tmp_path / "rig.toml", rig_with(found), rgb_part(found, BOARD)
    put_certificate(rig, part, tables, now=NOW)
    put_certificate(rig, replace(part, title="Done again"), tables, now=NOW)
    page = certificate_path(rig).read_text()
    assert "Done again" in page
    assert "Colour camera" not in page
    assert [p.name for p in tmp_path.iterdir()] == ["rig-certificate.html"]


def test_a_tip_found_after_the_collar_leaves_the_collar_vouched_for(
    tmp_path: Path, found: CameraFound
) -> None:
    rig, tables, tip = tmp_path / "rig.toml", rig_with(found), pivot_part()
    table_of(tables, "nozzle.collar")["covariance"] = {"parameters": ["tag3_x_mm"], "matrix": [[1e-4]]}
    collar = replace(tip, step="collar", table="nozzle.collar", title="Collar")
    put_certificate(rig, collar, tables, now=NOW)
    table_of(tables, "nozzle")["bore_mm"] = 11.0
    assert "It no longer holds" not in put_certificate(rig, tip, tables, now=NOW).read_text()
    table_of(tables, "nozzle.collar")["covariance"] = {"parameters": ["tag3_x_mm"], "matrix": [[4e-4]]}
    assert "It no longer holds" in put_certificate(rig, tip, tables, now=NOW).read_text()


def test_a_frame_that_is_moved_leaves_the_collar_vouched_for_and_a_tag_that_is_moved_does_not() -> None:
    rng = np.random.default_rng(0)
    corners, turn = rng.normal(0.0, 30.0, (12, 4, 3)), rotation_from_rvec(np.array([0.1, -0.2, 0.05]))
    spread = rng.normal(0.0, 0.01, (36, 36))
    every = np.kron(np.eye(12), turn)

    def tables(places_mm: Floats, covariance: Floats) -> Toml:
        tags = [{"id": k, "corners_nozzle_mm": one.tolist()} for k, one in enumerate(places_mm)]
        return {"nozzle": {"tag": tags, "collar": {"covariance": {"matrix": covariance.tolist()}}}}

    told = tables(corners, spread @ spread.T)
    moved = tables(np.round(corners @ turn.T + (1.0, 2.0, 3.0), 9), every @ spread @ spread.T @ every.T)
    assert fingerprint(told, "nozzle.collar") == fingerprint(moved, "nozzle.collar")
    corners[5] += (0.01, 0.0, 0.0)
    assert fingerprint(told, "nozzle.collar") != fingerprint(
        tables(corners, spread @ spread.T), "nozzle.collar"
    )


@pytest.mark.skipif(chromium() is None, reason=MISSING)
def test_on_paper_all_that_is_folded_up_is_shown_but_for_what_no_sheet_is_wide_enough_for(
    tmp_path: Path,
) -> None:
    page = tmp_path / "page.html"
    text = "<details><summary>Used (1)</summary><p>one.png</p></details>"
    text += "<details class=wide><summary>Covariance</summary><p>36 columns</p></details>"
    page.write_text(f"<!doctype html><style>{_STYLE}</style>{text}")
    with Browser() as browser:
        tab = browser.open(page.as_uri())
        tab.until("document.querySelectorAll('p').length === 2")
        seen = "[...document.querySelectorAll('p')].map((one) => one.checkVisibility())"
        assert tab.run(seen) == [False, False]
        tab.paper()
        assert tab.run(seen) == [True, False]


@pytest.mark.skipif(chromium() is None, reason=MISSING)
def test_on_a_telephone_nothing_is_wider_than_the_screen(tmp_path: Path, found: CameraFound) -> None:
    """Before, the table of the parts was 880 px wide, and the page could only be read through a slit."""
    rig, tables = tmp_path / "rig.toml", rig_with(found)
    put_certificate(rig, rgb_part(found, BOARD), tables, now=NOW)
    page = put_certificate(rig, pivot_part(), tables, now=NOW)
    with Browser(width=390, height=844) as browser:
        tab = browser.open(page.as_uri())
        tab.until("document.querySelectorAll('section').length === 2")
        assert tab.run("document.querySelector('meta[name=viewport]').content").startswith(
            "width=device-width"
        )
        for one in (
            "true",
            "document.querySelectorAll('details').forEach((each) => { each.open = true; }) || true",
        ):
            assert tab.run(one)
            assert tab.run("document.documentElement.scrollWidth") <= 390
        state = "document.querySelector('.over td:nth-child(2)').getBoundingClientRect().right"
        assert tab.run(state) <= 390


def test_a_check_has_no_covariance_and_is_not_said_to_leave_pictures_out(tmp_path: Path) -> None:
    told = replace(
        pivot_part(),
        step="check",
        covariance_of=(),
        covariance=np.zeros((0, 0)),
        refused=("tip: not touched",),
    )
    page = part_html(told, now=NOW)
    assert "Covariance" not in page
    assert "Left out" not in page
    assert "<h3>Not looked at</h3><ul><li>tip: not touched</li></ul>" in page


def test_bars_tell_their_unit_and_small_ones_are_not_all_alike() -> None:
    svg = bars_svg(["a", "b"], [0.0312, 0.0008], limit=None, unit="deg")
    assert ">0.031 deg</text>" in svg
    assert ">0.001 deg</text>" in svg
    assert ">12.00 mm</text>" in bars_svg(["a"], [12.0], limit=None, unit="mm")
