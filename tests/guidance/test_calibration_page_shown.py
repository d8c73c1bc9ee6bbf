"""What a technician sees of a guided calibration when something is not as it should be; in a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calibration.folder_steps import REFUSED, StepTold
from calibration.guided_run import GuidedRun
from calibration.scale import Scale
from guidance.calibrating.room import CalibrationRoom
from guidance.calibrating.supply import Supply
from models.capture import Capture
from tests.chromium import MISSING, Browser, chromium
from tests.guidance.test_calibration_page import served, wanted_in

in_browser = pytest.mark.skipif(chromium() is None, reason=MISSING)


@in_browser
def test_a_page_whose_program_has_ended_says_so_and_does_not_stand_as_if_all_were_well(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'running'")
        assert tab.run("document.getElementById('gone').hidden")
    tab.until("!document.getElementById('gone').hidden")
    assert "has ended or cannot be reached" in tab.run("document.getElementById('gone').textContent")


@in_browser
def test_every_key_has_a_button_and_a_page_that_may_not_sound_says_how_it_may(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'running'")  # hidden until then
        tab.tap("#key-m")
        tab.until("document.getElementById('key-m').textContent.startsWith('Mirrored')")
        assert tab.run("document.getElementById('key-e').disabled")  # nothing is known to be within its limit
        tab.reload()
        tab.until("document.body.dataset.phase === 'running'")
        tab.tap("#key-sound")
        tab.until("document.getElementById('key-sound').hidden")
        tab.tap("#key-s")
        tab.until("document.body.dataset.step === 'thermal'")


HIDDEN_IN_STRIP = """(() => {
    const strip = document.getElementById('steps'), clock = document.getElementById('clock');
    const names = 'Colour Thermal Collar Tip Depth Spread Degrees Time Axis Jet Check'.split(' ');
    strip.replaceChildren(...names.map((name) => {
        const one = document.createElement('li');
        one.className = 'ok'; one.textContent = `${name} \u2713`;
        return one;
    }));
    const end = Math.min(strip.getBoundingClientRect().right, clock.getBoundingClientRect().left);
    const hides = getComputedStyle(strip).overflow !== 'visible';
    return [...strip.children].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.right > end + 1 || (hides && box.bottom > strip.getBoundingClientRect().bottom + 1);
    }).map((one) => one.textContent);
})()"""


@in_browser
@pytest.mark.parametrize("width", [1024, 1280])
def test_all_steps_stand_in_the_strip_also_when_all_are_done(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """The last one was cut off at 1280, as seen in a whole sitting."""
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.size(width, 800)
        tab.until("document.body.dataset.phase === 'running'")
        assert tab.run(HIDDEN_IN_STRIP) == []


OUTSIDE = """[...document.querySelectorAll(
    '#steps li, #clock, #picture, #side .card, #say, #why, #keys button')].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width && (box.left < -1 || box.top < -1 || box.right > innerWidth + 1
        || box.bottom > innerHeight + 1);
}).map((one) => one.id || one.textContent)"""


BELOW_ITS_CARD = """[...document.querySelectorAll('#side .card *')].filter((one) =>
    one.getBoundingClientRect().height &&
    one.getBoundingClientRect().bottom > document.getElementById('side').getBoundingClientRect().bottom + 1
).map((one) => one.textContent)"""


@in_browser
def test_nothing_is_cut_off_on_a_screen_of_either_way_and_the_picture_stays_large(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        for width, height in ((1280, 800), (800, 1280)):
            tab.size(width, height)
            tab.until("document.getElementById('marks').children.length > 5")
            assert tab.run(OUTSIDE) == []
            assert tab.run(BELOW_ITS_CARD) == []
            assert tab.run("document.getElementById('picture').getBoundingClientRect().width") > 700


@in_browser
def test_a_small_screen_crosswise_cuts_nothing_off_either(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        tab = browser.open("about:blank")
        tab.size(1024, 600)
        tab.go(f"http://127.0.0.1:{port}/")
        tab.until("document.getElementById('marks').children.length > 5")
        assert tab.run(OUTSIDE) == []
        assert tab.run(BELOW_ITS_CARD) == []
        assert tab.run("document.getElementById('picture').getBoundingClientRect().width") > 500


@in_browser
def test_what_no_picture_will_mend_can_be_ended_and_its_refusal_is_told(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that a tip whose collar was never calibrated took poses without end and without a word."""
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        monkeypatch.setattr(GuidedRun, "may_end", property(lambda _: True))
        lines = (
            "40 poses",
            "REFUSED. The bound is 3.9 mm (limit 2.5 mm); run `cryoguide calibrate collar` first.",
        )
        monkeypatch.setattr(GuidedRun, "finish", lambda _: StepTold("rgb", REFUSED, lines))
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'running'")  # hidden until then
        tab.tap("#key-e")
        tab.until("document.querySelector('#over .bad')?.textContent.startsWith('The bound is 3.9 mm')")
        assert "refused" in tab.run("document.querySelector('#over h1').textContent")
        tab.tap("#again")
        tab.until("document.body.dataset.phase === 'running'")


@in_browser
def test_what_to_do_is_whole_also_while_a_long_warning_stands_below_it(
    browser: Browser, tmp_path: Path
) -> None:
    """Both took two lines, and the picture then hid the upper one of the instruction."""
    say = "Up and left, 40 cm away, left side towards the camera"
    why = "The colour picture shows 0 corners of the board (at least 12); show more of it, sharp and lit."
    covered = f"""(() => {{
        document.getElementById('say').textContent = {say!r};
        document.getElementById('say').className = '';
        document.getElementById('why').textContent = {why!r};
        const top = (id) => document.getElementById(id).getBoundingClientRect();
        return [top('say').top - document.querySelector('main').getBoundingClientRect().bottom,
            innerHeight - top('keys').bottom];
    }})()"""
    with served(tmp_path, scale=Scale(1.0, True)) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'running'")
        for width, height in ((1280, 800), (800, 1280), (1024, 600)):
            tab.size(width, height)
            tab.until(f"innerWidth === {width}")
            assert min(tab.run(covered)) >= 0.0, width


def test_a_sheet_that_is_off_is_told_in_the_words_of_the_page(tmp_path: Path) -> None:
    with served(tmp_path) as (room, _):
        room.measured(96.0, insist=False)
        assert "print it again at 100 %" in room.print_trouble
        assert "--" not in room.print_trouble


def test_what_is_played_waits_while_a_refusal_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the pictures that would mend it are over before the refusal was read."""
    shown: list[float] = []

    def played(stop: threading.Event) -> Iterator[Capture]:
        for t_s in range(20):
            if stop.wait(0.01):
                return
            shown.append(float(t_s))
            yield Capture(float(t_s), t_s, np.zeros((90, 160, 3), np.uint8), (), (), 0.0, False)

    supply = Supply(played, recorded=True)
    other = CalibrationRoom(supply, wanted_in(tmp_path), scale=Scale(1.0, True))
    within = [True]

    def refused(_: GuidedRun) -> StepTold:
        within[0] = False
        return StepTold("rgb", REFUSED, ("REFUSED. So.",))

    monkeypatch.setattr(GuidedRun, "is_within_limit", property(lambda _: within[0]))
    monkeypatch.setattr(GuidedRun, "finish", refused)
    other.enough()
    other.start()
    end_s = time.monotonic() + 20.0
    while other.phase != "refused" and time.monotonic() < end_s:
        threading.Event().wait(0.01)
    threading.Event().wait(0.3)
    assert other.phase == "refused"
    assert len(shown) <= 2
    other.again()
    while other.phase != "over" and time.monotonic() < end_s:
        threading.Event().wait(0.01)
    assert other.phase == "over"
    assert len(shown) == 20
    other.stop()
