"""What a hand is doing on the page is not undone by what the server tells meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import ALARM, RIG_CHECK, Shown, shown

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

IDLE = RIG_CHECK | {"state": "idle"}
SENT = """
window.sent = [];
window.line.send = (text) => window.sent.push(JSON.parse(text).do);
0"""
PRESSED = """(() => {
    const box = document.querySelector("#start").getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
})()"""
BETWEEN_S, HELD_S = 0.4, 1.2


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with shown(browser, tmp_path_factory.mktemp("hands")) as found:
        found.tab.run(SENT)
        yield found


def hold_start(page: Shown) -> tuple[float, float]:
    """Press *START*, and be told of an alarm while it is held."""
    page.show("ready", missing="", alarms=[])
    page.tab.run("window.sent.length = 0")
    x, y = page.tab.run(PRESSED)
    page.tab.mouse("mousePressed", x, y)
    page.passes(BETWEEN_S)
    page.show("ready", missing="", alarms=[ALARM])
    return x, y


def test_a_button_that_is_held_acts_though_an_alarm_begins_meanwhile(page: Shown) -> None:
    x, y = hold_start(page)
    page.passes(HELD_S)
    assert page.tab.run("window.sent.includes('start')")
    page.tab.mouse("mouseReleased", x, y)


def test_a_button_that_was_let_go_does_not_act_though_an_alarm_began_meanwhile(page: Shown) -> None:
    x, y = hold_start(page)
    page.tab.mouse("mouseReleased", x, y)
    page.passes(HELD_S)
    assert not page.tab.run("window.sent.includes('start')")


def test_a_button_whose_page_was_turned_while_it_was_held_does_not_act(page: Shown) -> None:
    x, y = hold_start(page)
    page.show("preflight", missing="Wait.", sound_confirmed=True, preparing=None)
    page.passes(HELD_S)
    page.tab.mouse("mouseReleased", x, y)
    assert not page.tab.run("window.sent.includes('start')")


def test_a_tap_is_not_lost_when_what_stands_beside_the_button_changes_meanwhile(page: Shown) -> None:
    page.show("preflight", missing="Wait.", sound_confirmed=False, preparing=None, rig_check=IDLE)
    page.passes(0.6)
    page.tab.run("window.sent.length = 0")
    x, y = page.tab.run(PRESSED.replace("#start", "#check_rig"))
    page.tab.mouse("mousePressed", x, y)
    page.show("preflight", missing="", sound_confirmed=True, preparing=None, rig_check=IDLE)
    page.tab.mouse("mouseReleased", x, y)
    assert page.tab.run("window.sent.filter((word) => word === 'check_rig').length") == 1
    page.show("preflight", missing="", sound_confirmed=True, preparing=None, rig_check=IDLE)
    assert page.tab.run("document.querySelector('#hear-sound').textContent") == "Heard"


def test_a_code_half_typed_stays_while_the_server_tells_of_the_other_one(page: Shown) -> None:
    page.show("details", missing="", operator="", subject="")
    page.tab.run("document.querySelector('#subject').focus()")
    page.tab.run("document.execCommand('insertText', false, 'A-0')")
    page.show("details", missing="", operator="OP-1", subject="")
    page.tab.run("document.execCommand('insertText', false, '17')")
    assert page.tab.run("document.querySelector('#subject').value") == "A-017"
    page.tab.run("document.activeElement.blur()")
    page.tab.until("document.querySelector('#operator').value === 'OP-1'")


def test_pain_that_is_tapped_just_as_the_gas_ends_by_itself_is_not_lost_and_counts_once(page: Shown) -> None:
    """Buttons that have just come take no tap for half a second; this one says what it said before."""
    page.show("running")
    page.passes(0.6)
    page.show("stopped", pain=0, gas_counts=None)
    page.tab.run("window.sent.length = 0")
    page.tab.run("document.querySelector('#pain').click()")
    assert page.tab.run("window.sent.includes('pain')")
    page.show("running")
    page.passes(0.6)
    page.show("stopped", pain=1, gas_counts=None)
    assert page.tab.run(
        "document.querySelector('#pain').disabled && document.querySelector('#finish').disabled"
    )


def test_what_the_operator_made_of_the_zone_is_read_once_more_before_the_gas(page: Shown) -> None:
    areas = [{"number": k, "kind": "circle", "radius_mm": 10.0} for k in (1, 2)]
    edited = {"outline": "by hand", "areas": areas, "refused": "", "count": 3, "spot": False}
    page.show("ready", missing="", edited=edited)
    words = page.tab.run("document.querySelector('#card-ready dl').textContent")
    assert "Outlineby hand" in words
    assert "Left out2 areas marked by you" in words


@pytest.mark.parametrize(
    ("title", "asked"),
    [("Calf, left", "On the subject's own left?"), ("Lower back", "")],
    ids=["one", "both"],
)
def test_the_side_is_asked_for_by_its_name(page: Shown, title: str, asked: str) -> None:
    """Never "the right side" where it is the left one that is meant."""
    page.hello(title=title)
    page.show("zone", missing="")
    words = page.tab.run("document.querySelector('#card-zone p').textContent")
    assert words == f"Does the outline lie where you want to treat? {asked}".strip()
