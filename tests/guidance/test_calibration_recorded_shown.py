"""Recorded steps and the list of all steps as a technician has them: tapped, on three screens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calibration.marks import note
from calibration.recorded_plan import SITTING
from calibration.rig_text import read_tables, rig_text
from calibration.vouching import validity_of
from guidance.calibrating.room import CalibrationRoom
from models.capture import Capture
from models.rig_file import read_rig, write_rig
from models.validity import RESTS_ON
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.chromium import MISSING, Browser, Tab, chromium
from tests.guidance.calibration_stand_in import Scenery, edges, references, standing, whole_rig

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

SCREENS = ((1280, 800), (800, 1280), (1024, 600))

OUTSIDE = """[...document.querySelectorAll(
    'button, #say, #left, #steps li, #over h1, #trouble, #hints p')].filter((one) => {
    const box = one.getBoundingClientRect(), inside = one.closest('.card, #recorded');
    const scrolls = inside && inside.scrollHeight > inside.clientHeight + 1;
    return box.width && getComputedStyle(one).visibility !== 'hidden' && (
        box.left < -1 || box.right > innerWidth + 1
        || (!scrolls && (box.top < -1 || box.bottom > innerHeight + 1)));
}).map((one) => one.id || one.textContent)"""
"""What is beyond the screen, but for what a card that scrolls holds."""

IN_VIEW = """((one) => { const box = one.getBoundingClientRect(), at = document.elementFromPoint(
    box.x + box.width / 2, box.y + box.height / 2); return one === at || one.contains(at); })"""


def fits(tab: Tab, *seen: str) -> None:
    """Nothing is cut off on any screen, and what is named is in view without scrolling."""
    for width, height in SCREENS:
        tab.size(width, height)
        tab.until(f"innerWidth === {width}")
        assert tab.run(OUTSIDE) == []
        assert tab.run("document.documentElement.scrollWidth <= innerWidth")
        for one in seen:
            assert tab.run(f"{IN_VIEW}(document.querySelector('{one}'))"), (one, width)
    tab.size(1280, 800)


def waited(scenery: Scenery, each_s: float) -> Scenery:
    """The same, but as slowly as one can look at it."""

    def shown(room: CalibrationRoom, number: int) -> Iterator[Capture]:
        for capture in scenery(room, number):
            threading.Event().wait(each_s)
            yield capture

    return shown


def test_a_step_is_chosen_from_the_list_recorded_and_told_by_taps_alone(
    browser: Browser, tmp_path: Path
) -> None:
    cameras = ("colour", "thermal")
    room_of = standing(tmp_path, edges(), steps=SITTING, rig=whole_rig(), cameras=cameras, choose=True)
    with room_of as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'choose'")
        row = "document.querySelector('[data-step=jet]').textContent"
        tab.until(f"{row}.includes('no depth camera is connected')")
        assert tab.run("document.querySelector('[data-do=jet]')") is None
        fits(tab, "#go-on", "#quick")
        tab.tap("[data-do=spread]")
        tab.until("document.body.dataset.phase === 'ready'")
        tab.until("document.getElementById('hints').textContent.includes('One straight edge is seen')")
        fits(tab, "#begin", "#leave", "#hints p:last-child")
        assert tab.run("document.getElementById('begin').getBoundingClientRect().height") >= 72.0
        tab.tap("#begin")
        tab.until("document.body.dataset.phase === 'told'")
        tab.until("document.querySelector('#over h1').textContent.includes('accepted')")
        assert "degC (95 %)" in tab.run("document.querySelector('#over .found').textContent")
        fits(tab, "#next")
        tab.tap("#next")
        tab.until("document.querySelector('[data-step=spread] .chip')?.textContent === 'accepted'")
        rig, _ = read_rig((tmp_path / "rig.toml").read_text(), where="rig")
        assert rig.thermal is not None
        assert rig.thermal.spread is not None


def test_a_temperature_is_asked_for_the_time_left_is_shown_and_a_refusal_says_why(
    browser: Browser, tmp_path: Path
) -> None:
    rig = whole_rig(thermal_px=(SIZE[1], SIZE[0]))
    scenery = waited(references(ErringCamera(), (1.0, 33.0)), 0.004)
    with standing(tmp_path, scenery, steps=("radiometry",), rig=rig) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'ready'")
        tab.tap("#begin")
        tab.until("document.getElementById('trouble').textContent.includes('give degC')")
        fits(tab, "#begin", "#entry-degc", "#trouble")
        tab.type("#entry-degc", "0,4")
        tab.until("document.getElementById('hints').textContent.includes('The reference is seen')")
        tab.tap("#begin")
        tab.until("document.body.dataset.phase === 'recording'")
        first_s = float(tab.until("document.getElementById('left-s').textContent"))
        tab.until(f"Number(document.getElementById('left-s').textContent) < {first_s}")
        assert tab.run(OUTSIDE) == []
        tab.until("document.body.dataset.phase === 'ready'")
        tab.until("document.getElementById('say').textContent === 'Now the warm block.'")
        tab.type("#entry-degc", "12")
        tab.tap("[data-choice=tape]")
        tab.tap("#begin")
        tab.tap("#work")
        tab.until("document.body.dataset.phase === 'told'")
        assert "20), which tells the gain" in tab.run("document.querySelector('#over .bad').textContent")
        fits(tab, "#again", "#leave")
        tab.tap("#again")
        tab.until("document.body.dataset.phase === 'ready'")
        tab.until("document.querySelector('#recorded .takes') === null")


def test_for_a_finished_rig_the_first_choice_is_the_check(browser: Browser, tmp_path: Path) -> None:
    path, now = tmp_path / "rig.toml", datetime.now(UTC)
    path.write_text(write_rig(whole_rig()))
    tables = read_tables(path)
    for step in RESTS_ON:
        note(tables, validity_of(tables, now=now), step, now=now, created=now)
    path.write_text(rig_text(tables, now=now))
    with standing(tmp_path, edges(), steps=SITTING, choose=True) as (room, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.querySelector('#over h1')?.textContent === 'Calibrated'")
        assert tab.run("document.querySelector('#over button.first').id") == "quick"
        assert tab.run("document.getElementById('go-on')") is None
        fits(tab, "#quick")
        tab.tap("#quick")
        tab.until("document.body.dataset.phase === 'ready'")
        assert room.told()[0]["step"] == "check"


def test_gas_flows_as_long_as_the_button_is_held(browser: Browser, tmp_path: Path) -> None:
    said: list[bool] = []
    with standing(tmp_path, waited(edges(), 0.05), steps=("jet",), rig=whole_rig()) as (room, port):
        room.gas = said.append
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.tap("#begin")
        tab.until("document.getElementById('gas')")
        tab.tap("#gas", hold_s=0.8)
        tab.until("document.body.dataset.phase === 'ready'")
        tab.until("document.getElementById('trouble').textContent.includes('No gas was told of')")
    assert said[:2] == [True, True]
    assert said[-1] is False
    assert said.count(False) == 1
