"""Rulers, the plain solution beside ours, one reference made again: as a technician sees and taps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration.board import Board
from calibration.folder_steps import ACCEPTED, StepTold
from calibration.guided_run import GuidedRun
from calibration.plain_camera import side_by_side
from calibration.rgb import CameraFound, find_camera
from calibration.rgb_command import told
from calibration.scale import Scale, scaled
from models.rig_file import write_rig
from tests.calibration.board_scenes import BOARD, SIZE_PX, views_of
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.chromium import MISSING, Browser, chromium
from tests.guidance import test_calibration_page
from tests.guidance.calibration_stand_in import references, standing, whole_rig
from tests.guidance.test_calibration_page import served
from tests.guidance.test_calibration_recorded_shown import OUTSIDE, fits

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)


def lines() -> tuple[str, ...]:
    """What `rgb` says of drawn corners."""
    found = find_camera(views_of(np.random.default_rng(0), count=8), BOARD, size_px=SIZE_PX)
    assert isinstance(found, CameraFound)
    beside = side_by_side(found.calibrated, found.views, found.views, BOARD, size_px=SIZE_PX)
    return (*told(found, BOARD), *beside, "Accepted.")


def test_after_a_step_the_plain_solution_stands_beside_ours_and_its_figures_are_a_tap_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = lines()

    def finish(run: GuidedRun) -> StepTold:
        assert run.name is not None
        one = StepTold(run.name, ACCEPTED, said)
        run.skip()
        run.told[one.name] = one
        return one

    monkeypatch.setattr(GuidedRun, "may_end", property(lambda _: True))
    monkeypatch.setattr(GuidedRun, "finish", finish)
    (tmp_path / "rig.toml").write_text(write_rig(whole_rig()))
    with Browser() as browser, served(tmp_path, scale=Scale(1.0, True, 1.0)) as (room, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'running'")
        assert tab.run("document.getElementById('beside').hidden")
        tab.tap("#key-e")
        tab.until("!document.getElementById('beside').hidden")
        verdict = said[-2].replace("Its", "The plain", 1)
        assert tab.run("document.querySelector('#beside span').textContent") == f"Colour camera. {verdict}"
        tab.tap("#beside-open")
        tab.until("document.getElementById('beside-close')")
        row = "#over .beside tr:nth-child(2) td"
        cells = f"[...document.querySelectorAll('{row}')].map((one) => one.textContent)"
        fx = next(line for line in said if line.startswith("fx_px")).split()
        assert tab.run(cells)[1] == f"{float(fx[1]):.2f} ± {float(fx[2]):.2f}"
        assert tab.run("document.querySelectorAll('#over .beside tr').length") == 4
        fits(tab, "#beside-close")
        tab.tap("#beside-close")
        tab.until("document.getElementById('over').hidden")
        room.overview()
        tab.until("document.querySelector('[data-beside=rgb]')")
        assert tab.run("document.querySelector('[data-beside=thermal]')") is None
        assert tab.run(OUTSIDE) == []
        tab.tap("[data-beside=rgb]")
        tab.until(f"document.querySelector('#over .beside p').textContent === {verdict!r}")


def test_both_rulers_are_asked_for_and_a_direction_that_is_off_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[Board] = []

    def kept(board: Board, scale: Scale) -> Board:
        printed.append(scaled(board, scale))
        return printed[-1]

    monkeypatch.setattr(test_calibration_page, "scaled", kept)
    with Browser() as browser, served(tmp_path) as (room, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'print'")
        fits(tab, "#measured-a", "#measured-b", "#go", "#unmeasured")
        tab.tap("#go")
        tab.until("document.querySelector('#over .bad').textContent.startsWith('Tell the lengths')")
        tab.type("#measured-a", "99,8")
        tab.type("#measured-b", "x")
        tab.tap("#go")
        tab.until("document.querySelector('#over .bad').textContent.startsWith('Tell lengths in mm')")
        assert room.phase == "print"
        tab.run("document.getElementById('measured-b').value = ''")
        tab.type("#measured-b", "101")
        tab.tap("#go")
        tab.until("document.querySelector('#over .bad').textContent.includes('ruler B measures 101 mm')")
        fits(tab, "#measured-a", "#measured-b", "#insist")
        tab.tap("#insist")
        tab.until("document.body.dataset.phase === 'running'")
        # The board lies along the long side of the paper.
        assert printed[-1].square_mm == pytest.approx(24.0 * 1.01)
        assert printed[-1].stretch == pytest.approx(0.998 / 1.01)


def test_the_room_may_stay_unknown_and_one_reference_is_tapped_to_be_recorded_again(tmp_path: Path) -> None:
    rig = whole_rig(thermal_px=(SIZE[1], SIZE[0]))
    scenery = references(ErringCamera(), (1.0, 33.0, 33.0))
    with standing(tmp_path, scenery, steps=("radiometry",), rig=rig) as (room, port), Browser() as browser:
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'ready'")
        assert tab.run("document.getElementById('entry-room_degc').placeholder") == "not known"
        fits(tab, "#begin", "#entry-degc", "#entry-u95_degc", "#entry-room_degc")
        panel = "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)"
        assert tab.run(f"{panel}(document.getElementById('recorded'))")
        tab.type("#entry-degc", "0,4")
        tab.type("#entry-room_degc", "295")
        tab.tap("#begin")
        tab.until("document.getElementById('trouble').textContent.includes('temperature of the room')")
        tab.run("document.getElementById('entry-room_degc').value = ''")
        tab.tap("#begin")
        tab.until("document.querySelector('[data-again]')")
        tab.tap("[data-again='0']")
        tab.until("document.getElementById('say').textContent === 'Now the ice slurry again.'")
        fits(tab, "#begin", "#keep", "#entry-degc")
        tab.tap("#keep")
        tab.until("document.getElementById('say').textContent === 'Now the warm block.'")
        tab.type("#entry-degc", "12")
        tab.tap("#begin")
        tab.tap("#work")
        tab.until("document.body.dataset.phase === 'told'")
        fits(tab, '#over [data-again="0"]', '#over [data-again="1"]', "#again", "#leave")
        tab.tap("#over [data-again='1']")
        tab.until("document.getElementById('say').textContent === 'Now the warm block again.'")
        recorded = room.told()[0]["recorded"]
        assert isinstance(recorded, dict)
        assert [recorded["again"], len(recorded["takes"])] == [1, 2]
