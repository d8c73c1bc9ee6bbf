"""The check of the rig as an operator has it: tapped in a real browser, before stand-in cameras."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from models.rig_checked import read_checked
from tests.calibration.check_scenes import turned
from tests.calibration.test_check import RIG
from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import WRONG, keep
from tests.guidance.shown_target import TargetPlace
from tests.guidance.test_console_browser import WATCH, hear, phase, reads
from tests.served_console import Screen

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

STATED = replace(RIG, thermal=replace(RIG.thermal, rgb_minus_thermal_s=0.0))  # type: ignore[type-var]
"""Stand-ins stamp both cameras' pictures by one clock."""
SIZES = ((1280, 800), (1024, 768))
LINES = """[...document.querySelectorAll("#rig-check-parts b")].map((one) =>
    Math.round(one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight)))"""
CHECK = 'document.querySelector("#card-rig-check")?.dataset.check'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


def check_state(state: str) -> str:
    return f"{CHECK} === {json.dumps(state)}"


def test_a_moved_camera_is_found_from_the_first_page_and_the_line_there_says_so(
    browser: Browser, tmp_path: Path
) -> None:
    assert STATED.thermal is not None
    real = replace(
        STATED, thermal=replace(STATED.thermal, thermal_from_rgb=turned(STATED, degrees=(0.0, 1.2, 0.0)))
    )
    with ExitStack() as stack:
        place = TargetPlace(tmp_path, stack, real=real, stated=STATED)
        watching = stack.enter_context(Screen(place.server, "b" * 32))
        tab = browser.open(f"http://{place.server.host}/")
        tab.until(phase("preflight"))
        tab.run(WATCH)
        tab.until('document.querySelector("#take_control")')  # the other screen was there first
        assert tab.run('document.querySelector("#check_rig").disabled'), "only who has control checks"
        tab.tap("#take_control", hold_s=1.2)
        tab.until('!document.querySelector("#check_rig").disabled')
        assert "tap Check the rig" in tab.run(reads("#card-preflight .checks"))
        hear(tab)
        for size in SIZES:
            tab.size(*size)
            keep(tab, f"{size[0]}-rig-check-0-preflight")
            assert tab.run(WRONG) == []
        watching.say("check_rig")
        watching.hear_until(lambda: "Another screen has control" in watching.state.get("refused", ""))
        tab.tap("#check_rig")
        tab.until(f"{check_state('looking')} || {check_state('waiting')}")
        tab.until(check_state("looking"))
        assert tab.run('document.querySelector("#next").disabled')
        tab.until(f'{reads("#rig-check-seen")}.includes("The thermal camera sees the target")')
        first = tab.until(f"parseInt({reads('#rig-check-left')})")
        assert 1 <= first <= 5
        for size in SIZES:
            tab.size(*size)
            keep(tab, f"{size[0]}-rig-check-1-looking")
            assert tab.run(WRONG) == []
        tab.until(check_state("told"))
        rows = tab.run("""[...document.querySelectorAll("#rig-check-parts li")].map((row) =>
            [row.dataset.part, row.dataset.state, row.querySelector("b").textContent])""")
        states = {name: state for name, state, _ in rows}
        assert states["cameras"] == "warn"
        assert states["tip"] == states["temperature"] == "unknown"
        words = {name: verdict for name, _, verdict in rows}
        assert words["cameras"].startswith("moved by ")
        assert words["cameras"].endswith(" mm")
        assert words["tip"] == "could not be judged"
        for size in SIZES:
            tab.size(*size)
            keep(tab, f"{size[0]}-rig-check-2-told")
            assert tab.run(WRONG) == []
            assert tab.run(LINES) == [1] * len(rows), "each verdict is one line"
        tab.size(1280, 800)
        assert place.check is not None
        (moved,) = read_checked(place.check.decode(), where="").moved
        assert moved.off
        assert "Quick check: moved" in (tmp_path / "rig-certificate.html").read_text()
        tab.tap("#leave_rig_check")
        tab.until(f'document.querySelector("#card-preflight") && {reads("#card-preflight .checks")}'
                  '.includes("wider bounds are used for thermal camera and its place")')  # fmt: skip
        keep(tab, "1280-rig-check-3-line")
        tab.until('!document.querySelector("#next").disabled')
        tab.tap("#next")
        tab.until(phase("details"))
        watching.say("take_control")
        watching.say("check_rig")
        watching.hear_until(lambda: "before a treatment only" in watching.state.get("refused", ""))
        assert tab.run("troubles") == []


def test_a_check_that_is_ended_leaves_nothing_and_the_cameras_free(browser: Browser, tmp_path: Path) -> None:
    with ExitStack() as stack:
        place = TargetPlace(tmp_path, stack, real=STATED, stated=STATED)
        tab = browser.open(f"http://{place.server.host}/")
        tab.until(phase("preflight"))
        hear(tab)
        tab.tap("#check_rig")
        tab.until(check_state("looking"))
        tab.reload()
        tab.until(f"{check_state('looking')} || {check_state('judging')}")  # a reload changes nothing
        tab.tap("#leave_rig_check")
        tab.until('document.querySelector("#card-preflight")')
        checking = place.room.rig_checking
        assert checking is not None
        checking.close()
        assert place.check is None
        at_s = time.monotonic()
        tab.until('document.querySelector("#card-preflight")')
        picture = place.room.cameras.look()
        assert picture is not None
        assert picture.at_s > at_s - 2.0
