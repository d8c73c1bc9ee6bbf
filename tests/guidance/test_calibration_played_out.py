"""What is played ends before a guided step is good enough: the page says how far it came, and what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.board import OWN
from calibration.folder_steps import Sheets
from calibration.guided_run import Wanted
from calibration.scale import Scale
from calibration.sheets import TARGET
from guidance.calibrating.room import CalibrationRoom
from guidance.calibrating.supply import Supply
from guidance.cli import main
from models.capture import Capture
from tests.calibration.test_guided_run import drawn
from tests.chromium import MISSING, Browser, chromium
from tests.guidance.calibration_stand_in import served_page
from tests.guidance.test_calibration_page import POSE
from vision.put_files import surely_written

TOLD = "What was played ended when 1 picture was taken: no error could be told yet, and 2.5 mm are asked"


def one_board(stop: threading.Event) -> Iterator[Capture]:
    """A board held still for a second, and no more."""
    bgr = drawn(POSE, np.random.default_rng(0))
    for k in range(10):
        if stop.is_set():
            return
        yield Capture(0.1 * k, k, bgr, (), (), 0.0, False)


@pytest.mark.skipif(chromium() is None, reason=MISSING)
def test_the_list_says_how_far_each_step_came_when_what_was_played_was_over(
    browser: Browser, tmp_path: Path
) -> None:
    scale = Scale(1.0, True)
    wanted = Wanted(
        tmp_path / "rig.toml", tmp_path / "keep", Sheets(OWN, TARGET, scale, None), ("rgb", "thermal")
    )
    room = CalibrationRoom(Supply(one_board), lambda _: wanted, scale=scale)
    with served_page(room) as port:
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'over'")
        rows = [
            f"document.querySelector('[data-step={name}] .about').textContent" for name in ("rgb", "thermal")
        ]
        tab.until(rows[0])
        assert TOLD in tab.run(rows[0])
        assert "ended before this step began" in tab.run(rows[1])


def test_a_folder_without_pictures_for_a_step_is_told_as_such_before_a_page_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    words = ["calibrate", "live", "--replay", str(tmp_path / "empty"), "--out", str(tmp_path / "rig.toml")]
    assert main([*words, "--port", "0"]) == 2
    told = capsys.readouterr().err
    assert "holds no pictures for a step; give a folder with rgb/" in told
    assert "session.toml" not in told


def test_a_rig_that_cannot_be_written_is_told_before_the_sitting_and_not_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "played" / "rgb").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "played" / "rgb" / "0.png"), np.zeros((40, 60, 3), np.uint8))
    options = [
        "--replay",
        str(tmp_path / "played"),
        "--out",
        str(tmp_path / "file" / "rig.toml"),
        "--port",
        "0",
    ]
    assert main(["calibrate", "live", *options, "--keep", str(tmp_path / "keep")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    good = tmp_path / "rig.toml"
    good.write_text("as it was")
    surely_written(good)
    assert good.read_text() == "as it was"
    assert not list(tmp_path.glob(".*"))
