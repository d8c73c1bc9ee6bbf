"""The page's row of the gas switch, in a real browser. The switch is a stand-in."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.camera_place import Place
from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import keep
from tests.held_switch import HeldSwitch

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

ROW = 'document.querySelector("[data-gas]")'


def test_the_switch_is_pressed_once_before_the_treatment_and_its_loss_shows(
    browser: Browser, tmp_path: Path
) -> None:
    switch = HeldSwitch()
    with ExitStack() as stack:
        place = Place(tmp_path, stack, switch=switch)
        tab = browser.open(f"http://{place.server.host}/")
        tab.until(f'{ROW} && {ROW}.textContent.includes("press it once")')
        assert tab.run(f"{ROW}.dataset.state") == "look"
        switch.held = True
        tab.until(f'{ROW}.textContent.includes("now release it")')
        switch.held = False
        tab.until(f'{ROW}.textContent.includes("seen on and off")')
        assert tab.run(f"{ROW}.dataset.state") == "ok"
        keep(tab, "gas-preflight")
        switch.unplug()
        tab.until(f'{ROW}.textContent.includes("plug it in") && {ROW}.dataset.state === "look"')
        switch.plug_in()
        tab.until(f'{ROW}.dataset.gas === "ok"')
