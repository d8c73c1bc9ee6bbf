"""What the page shows when little is known: nothing heard, a session gone on with, questions open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import SIZES, WRONG, Shown, shown

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

EVERY_SIZE = (*SIZES, (1024, 600))
OLD = "document.querySelectorAll('#side .tile:not([data-state=unknown])').length"
"""Tiles that say they know something."""
FRAME = """(() => {
    const canvas = document.querySelector("#picture"), c = canvas.getContext("2d");
    return Array.from(c.getImageData(4, canvas.height / 2, 1, 1).data).slice(0, 3);
})()"""
CARRIED = {"gas_s": 3.2, "gap_s": 26.0, "gap_gas_s": 26.0}


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with shown(browser, tmp_path_factory.mktemp("looks")) as found:
        yield found


def chip(page: Shown, name: str) -> str:
    return page.tab.run(f"document.querySelector('#chip-{name}').textContent")


def frame_is_magenta(page: Shown) -> bool:
    red, green, blue = page.tab.run(FRAME)
    return red > 150 and blue > 150 and green < 110


def test_what_was_told_before_the_server_fell_silent_is_not_known_any_more(page: Shown) -> None:
    page.tab.size(1280, 800)
    page.picture()
    page.show("running")
    assert not frame_is_magenta(page)
    page.tab.run("window.told = null")
    page.passes(1.0)
    assert page.tab.run("document.body.dataset.silent") == "yes"
    assert page.tab.run(OLD) == 0
    for name in ("gas", "nozzle", "zone"):
        assert "? not known" in chip(page, name).lower(), name
    assert frame_is_magenta(page)
    assert page.tab.run(WRONG) == []
    page.show("running")
    page.tab.until(f"{OLD} > 0")
    assert "not known" not in chip(page, "zone").lower()
    page.picture()
    assert not frame_is_magenta(page)


def test_figures_of_a_step_that_stands_still_are_not_known(page: Shown) -> None:
    page.picture()
    page.show("running", stalled=True, trouble="No guidance for 2.0 s. Close the valve until it is back.")
    page.tab.until(f"{OLD} === 0")
    page.passes(0.2)  # a picture is old after 0.15 s; a step is said to stand still after 2 s
    assert frame_is_magenta(page)
    page.show("running", stalled=False)
    page.tab.until(f"{OLD} > 0")


@pytest.mark.parametrize("size", EVERY_SIZE, ids=lambda size: f"{size[0]}x{size[1]}")
def test_seconds_of_gas_that_nobody_saw_are_never_cut_off(page: Shown, size: tuple[int, int]) -> None:
    page.tab.size(*size)
    page.hello(title="Lower leg, front, left")
    figures: dict[str, dict[str, Any]] = {
        "gas": {"on": True, "words": "ON", "by": "125.8 s unseen"},
        "nozzle": {"state": "unknown", "words": "LOST 12.9 s"},
        "zone": {"state": "unknown", "words": "NOT PLACED"},
    }
    page.show("running", figures=figures)
    chips = "[...document.querySelectorAll('header .chip')]"
    assert page.tab.run(f"{chips}.filter((one) => one.scrollWidth > one.clientWidth + 1).length") == 0
    assert "125.8 s unseen" in chip(page, "gas")
    assert page.tab.run(WRONG) == []
    page.hello()


def test_whatever_is_to_be_looked_at_stands_before_what_is_well(page: Shown) -> None:
    page.tab.size(1280, 800)
    page.hello(
        checks=[{"name": "Disk", "state": "ok", "words": ""}, {"name": "Rig", "state": "look", "words": ""}]
    )
    camera = {"name": "UVC", "state": "", "words": "unplugged", "hz": 30.0}
    page.show(
        "preflight",
        missing="",
        cameras=[camera | {"kind": "colour", "ok": True}, camera | {"kind": "thermal", "ok": False}],
    )
    states = page.tab.run("[...document.querySelectorAll('.checks li')].map((row) => row.dataset.state)")
    assert states == ["look", "look", "ok", "ok"]
    page.hello()


def test_the_checklist_marks_each_question_that_is_open_and_leads_to_the_first(page: Shown) -> None:
    page.tab.size(1280, 800)
    names = [question["name"] for question in page.told.hello["questions"]]
    last = names[-1]
    page.show(
        "checklist",
        missing="1 question is not answered yet.",
        answers=dict.fromkeys(names[:-1], "no"),
        reasons={},
        open=[last],
    )
    marked = page.tab.run("[...document.querySelectorAll('.question.open')].map((q) => q.dataset.question)")
    assert marked == [last]
    inside = f"""(() => {{
        const box = document.querySelector('[data-question="{last}"]').getBoundingClientRect();
        const list = document.querySelector("#card-checklist").getBoundingClientRect();
        return box.top >= list.top && box.bottom <= list.bottom + 1;
    }})()"""
    assert not page.tab.run(inside)
    page.tab.tap("#show_open")
    page.tab.until(inside)
    for size in EVERY_SIZE:
        page.tab.size(*size)
        page.tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.tab.run(WRONG) == [], size
    page.tab.size(1280, 800)
    page.show("checklist", missing="", answers=dict.fromkeys(names, "no"), reasons={}, open=[])
    assert page.tab.run("document.querySelector('#show_open') === null")


@pytest.mark.parametrize("size", EVERY_SIZE, ids=lambda size: f"{size[0]}x{size[1]}")
def test_before_start_it_is_in_sight_what_to_hold_and_what_is_gone_on_with(
    page: Shown, size: tuple[int, int]
) -> None:
    page.tab.size(*size)
    page.show("ready", missing="", carried=CARRIED)
    for words in ("valve still closed", "3 s of gas before; nobody watched for 26 s"):
        seen = page.tab.run(f"""(() => {{
            const card = document.querySelector("#card-ready"), box = card.getBoundingClientRect();
            const line = [...card.querySelectorAll("p")].find((p) => p.textContent.includes("{words}"));
            const place = line.getBoundingClientRect();
            return place.top >= box.top && place.bottom <= box.bottom;
        }})()""")
        assert seen, words


def test_start_is_not_pressed_while_the_zone_is_not_placed(page: Shown) -> None:
    page.tab.size(1280, 800)
    page.show("ready", missing="The zone is not placed: its outline does not lie on the skin yet.")
    assert page.tab.run("document.querySelector('#start').disabled")
    assert "does not lie on the skin" in page.tab.run("document.querySelector('#bar').textContent")
    page.show("ready", missing="")
    assert not page.tab.run("document.querySelector('#start').disabled")


def test_a_code_that_was_refused_does_not_stay_in_its_field(page: Shown) -> None:
    """Otherwise a treatment would go on under the code before, or under none, with another one in sight."""
    page.show("details", missing="", operator="OP-1", subject="A-017")
    value = "document.querySelector('#subject').value"
    page.tab.type("#subject", " and a name")
    assert "and a name" in page.tab.run(value)
    page.show("details", missing="", operator="OP-1", subject="A-017", refused="The subject must be a code.")
    assert page.tab.run(value) == "A-017"
    # Another field in which somebody types meanwhile is left alone.
    page.show("details", missing="", operator="OP-1", subject="A-017", refused=None)
    page.tab.run("document.querySelector('#subject').focus()")
    page.tab.run("document.execCommand('insertText', false, 'B-0')")
    half = page.tab.run(value)
    page.show("details", missing="", operator="OP-1", subject="A-017", refused="Your code must be a code.")
    assert page.tab.run(value) == half
    page.tab.run("document.activeElement.blur()")


def test_it_is_said_why_a_page_that_cannot_sound_does_not_start(page: Shown) -> None:
    page.show("ready", missing="")
    assert "cannot sound" not in page.tab.run("document.querySelector('#bar').textContent")
    page.tab.reload()
    page.tab.until("window.line && window.line.onmessage")
    page.hello()
    page.show("ready", missing="")
    assert page.tab.run("document.querySelector('#start').disabled")
    assert "tap SOUND at the top" in page.tab.run("document.querySelector('#bar').textContent")
    page.tab.tap("#chip-sound")
    page.tab.until("!document.querySelector('#start').disabled")
    page.picture()
