"""The page at every size: nothing moves as figures change, nothing is cut off, STOP is always in sight."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.geometry import Floats
from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import ALARM, LONG, LOW, SCREENS, SIZES, WRONG, Shown, choices, keep, shown

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

"""A folder where each screen is keep at each size, to be looked at."""

PLACE = """(() => ["#frame canvas", "#alarms", "#side", "footer", "#clock", "#tile-distance", "#tile-skin",
    "#tile-left", "#tile-sweep", "#tile-coverage", "#tile-zone-time", "#tile-session-time", "#tile-zone"
    ].map((name) => {
        const box = document.querySelector(name)?.getBoundingClientRect();
        return box ? [box.x, box.y, box.width, box.height].map(Math.round).join(" ") : "";
    }))()"""
"""Where everything lies that is looked at while gas flows."""

SETTLED_S = 0.5
"""Figures change each 0.35 s at most, and the state is told each 0.1 s."""

WIDE: dict[str, dict[str, Any]] = {
    "distance": {"mm": 188.8, "u95_mm": 28.8, "state": "stop", "words": "TOO CLOSE"},
    "skin": {"degc": -18.8, "u95_degc": 18.8, "state": "stop", "words": "may be at STOP"},
    "left": {"s": 88.8, "state": "stop", "words": "MOVE NOW"},
    "sweep": {"cm_s": 88.8, "state": "warn", "words": "MOVE OFF", "keep": "keep at least 8.8 cm/s"},
    "coverage": {"share": 1.0, "state": "calm", "words": "at 14 to 18 °C"},
    "zone_time": {"s": 888.0, "state": "stop", "words": "of 880 s", "tile": "tile 8 of 8"},
    "session_time": {"s": 1888.0, "state": "stop", "words": "of 1800 s gas"},
    "zone": {
        "state": "look",
        "words": "ROUGH",
        "u95_mm": 88.0,
        "by": "body landmarks, skin by body model: a guess",
    },
    "nozzle": {"state": "unknown", "words": "LOST 88.8 s"},
    "gas": {"state": "unknown", "on": True, "words": "ON", "by": "88.8 s unseen"},
}
"""Figures at their widest."""
BY_DEPTH: dict[str, Any] = {
    "state": "look",
    "words": "BY DEPTH",
    "u95_mm": 38.0,
    "by": "depth camera alone: not seen in colour for 8.8 s",
}
NONE: dict[str, dict[str, Any]] = {
    "distance": {"mm": None, "u95_mm": None, "state": "unknown", "words": "cannot be measured with this rig"},
    "skin": {"degc": None, "state": "unknown", "words": "bound not known"},
    "left": {"s": None, "state": "calm", "words": "more than 60 s"},
    "sweep": {"cm_s": None, "state": "unknown", "words": "not known"},
    "coverage": {"share": None, "state": "unknown", "words": "not known"},
    "zone_time": {"s": None, "state": "unknown", "words": "not known"},
    "zone": {
        "state": "unknown",
        "words": "NOT PLACED",
        "u95_mm": None,
        "by": "the body was not seen for 8.8 s",
    },
}
"""Nothing is known."""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with shown(browser, tmp_path_factory.mktemp("layout")) as found:
        yield found


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_no_screen_is_cut_off(page: Shown, size: tuple[int, int]) -> None:
    page.tab.size(*size)
    wrong: dict[str, list[str]] = {}
    for name, (phase, changed) in SCREENS.items():
        page.hello(**({"choices": choices()} if name == "details" else {}))
        page.show(phase, **changed)
        if name == "outline":
            page.tab.tap("#mode-outline")
        keep(page.tab, f"{size[0]}-{name}")
        if found := page.tab.run(WRONG):
            wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_moves_as_figures_and_alarms_change(page: Shown, size: tuple[int, int]) -> None:
    page.tab.size(*size)
    page.show("running")
    page.passes(SETTLED_S)
    before, moved, cut = page.tab.run(PLACE), [], {}
    for name, phase, changed in (
        ("wide", "running", {"figures": WIDE, "t_s": 3599.9}),
        ("none", "running", {"figures": NONE, "gas_counts": True}),
        ("alarms", "running", {"alarms": [ALARM, LOW, LOW | {"cause": "x"}], "figures": WIDE}),
        ("by depth", "running", {"figures": WIDE | {"zone": BY_DEPTH}}),
        ("trouble", "running", {"trouble": LONG, "pause_left_s": 120.0, "figures": NONE}),
        ("paused", *SCREENS["paused"]),
        ("stopped", *SCREENS["stopped"]),
        ("watching", *SCREENS["watching"]),
    ):
        page.show(phase, **changed)
        if "figures" in changed:
            page.passes(SETTLED_S)
        keep(page.tab, f"{size[0]}-moves-{name}")
        cut[name] = page.tab.run(WRONG)
        if page.tab.run(PLACE) != before:
            moved.append((name, page.tab.run(PLACE)))
    assert not any(cut.values()), cut
    assert moved == [], before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_stop_is_large_and_in_sight_whenever_it_works(page: Shown, size: tuple[int, int]) -> None:
    page.tab.size(*size)
    for name, (phase, changed) in SCREENS.items():
        if phase not in ("running", "paused"):
            continue
        page.show(phase, **changed)
        box = page.tab.run("""(() => {
            const node = document.querySelector("#stop"), box = node.getBoundingClientRect();
            const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            const inside = box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
            return node.contains(over) && inside ? [box.width, box.height] : null; })()""")
        assert box is not None, name
        assert box[0] >= 190, name
        assert box[1] >= 90, name


READ = """(() => {
    const out = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode.parentElement, box = node.getBoundingClientRect();
        const px = parseFloat(getComputedStyle(node).fontSize);
        if (walk.currentNode.textContent.trim() && box.width && box.height && px < 18)
            out.add(`${node.closest("[id]").id}: ${px} px, ${walk.currentNode.textContent}`);
    }
    return [...out];
})()"""
"""Words smaller than 18 px."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_no_word_on_the_page_of_a_treatment_is_too_small_to_be_read(
    page: Shown, size: tuple[int, int]
) -> None:
    """18 px are 3.7 mm on a tablet of 10 inches and 1024 px: small letters of 7 minutes of arc at 1 m."""
    page.tab.size(*size)
    for name, (phase, changed) in SCREENS.items():
        if phase not in ("running", "paused", "stopped"):
            continue
        page.show(phase, **changed)
        page.passes(SETTLED_S)
        assert page.tab.run(READ) == [], name
    for figures in (WIDE, NONE):
        page.show("running", figures=figures)
        page.passes(SETTLED_S)
        assert page.tab.run(READ) == []
        labels = """[...document.querySelectorAll(".tile .label")]
            .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent)"""
        assert page.tab.run(labels) == []  # a speed to keep to stands there


def test_everything_that_is_tapped_is_large_enough_for_a_glove(page: Shown) -> None:
    """56 px are 9.5 mm on a tablet of 10 inches and 1280 px, and more on any larger screen."""
    for size in SIZES:
        page.tab.size(*size)
        for name, (phase, changed) in SCREENS.items():
            page.show(phase, **changed)
            small = page.tab.run("""[...document.querySelectorAll("button, a.button, select, input")]
                .map((node) => [node.id, node.getBoundingClientRect()])
                .filter(([, box]) => box.width && (box.width < 56 || box.height < 56))
                .map(([id, box]) => `${id} ${box.width} ${box.height}`)""")
            assert small == [], (size, name)


def test_nothing_flashes_more_than_three_times_a_second(page: Shown) -> None:
    """An alarm whose words change with each step, a figure that flickers at its limit, for three seconds."""
    page.tab.size(1280, 800)
    loud = page.state("running", alarms=[ALARM], figures=WIDE)
    quiet = {"skin": {"state": "calm", "degc": 20.0, "u95_degc": 2.0}}
    calm = page.state("running", alarms=[ALARM | {"message": "STOP: take it away."}], figures=quiet)
    seen = page.tab.run(f"""new Promise((done) => {{
        const states = [{json.dumps(loud)}, {json.dumps(calm)}].map((one) => JSON.stringify(one));
        window.tell(states[0]);
        const seen = {{ border: [], tile: [] }}, end = performance.now() + 3000;
        let k = 0;
        const telling = setInterval(() => window.tell(states[k++ % 2]), 30);
        const look = () => {{
            seen.border.push(getComputedStyle(document.querySelector(".alarm.loud")).borderTopColor);
            seen.tile.push(document.querySelector("#tile-skin").dataset.state);
            if (performance.now() < end) requestAnimationFrame(look);
            else {{ clearInterval(telling); done(seen); }}
        }};
        look();
    }})""")
    for name, values in seen.items():
        changes = sum(a != b for a, b in pairwise(values))
        assert len(values) > 30, "the browser drew too little to judge"
        assert changes >= 2, name  # it is alive
        assert changes / 2 / 3.0 <= 3.0, (name, changes)  # a flash is two changes


def test_a_server_that_falls_silent_is_an_alarm_only_while_something_is_guided(page: Shown) -> None:
    for phase, silent in (("done", ""), ("running", "yes")):
        page.show(phase)
        page.tab.run("window.told = null")
        page.passes(0.9)
        assert page.tab.run("document.body.dataset.silent ?? ''") == silent, phase


def test_a_tab_that_was_duplicated_takes_another_name_and_one_that_was_cut_off_keeps_it(page: Shown) -> None:
    page.tab.run("window.urls.length = 0")
    for code in (1006, 4001, 1006):
        page.tab.run(f"window.line.onclose({{ code: {code} }})")
        page.passes(0.4)
    first, second, third = page.tab.run("window.urls")
    assert first != second
    assert second == third


# Machado, Oliveira, Fernandes 2009 (IEEE TVCG 15/6, table 1), severity 1.0; on linear RGB.
_EYES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def _linear(colour: str) -> Floats:
    value = np.array([int(part, 16) / 255.0 for part in re.findall("[0-9a-f]{2}", colour)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: Floats) -> Floats:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(linear, 0.0, 1.0) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16.0 / 116.0)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", ["full colour", *_EYES])
def test_states_that_matter_are_told_apart_by_colour_blind_eyes(page: Shown, eyes: str) -> None:
    """At least 10 in CIE 1976 Lab between any two: several times the difference one just sees (2.3).

    A state is never told by its colour alone: see the signs below.
    """
    look = page.told.hello["look"]
    seen = {}
    for name in ("ok", "look", "warn", "stop", "unknown"):
        linear = _linear(look[name])
        seen[name] = _lab(np.array(_EYES[eyes]) @ linear if eyes in _EYES else linear)
    apart = {(a, b): float(np.linalg.norm(seen[a] - seen[b])) for a in seen for b in seen if a < b}
    assert min(apart.values()) > 10.0, sorted(apart.items(), key=lambda pair: pair[1])[:3]


def test_every_state_has_a_sign_or_a_word_beside_its_colour(page: Shown) -> None:
    page.tab.size(1280, 800)
    for state, sign in (("look", "!"), ("warn", "!!"), ("stop", "!!!")):
        page.show("running", figures={"left": {"s": 3.0, "state": state, "words": "words"}})
        page.passes(SETTLED_S)
        assert page.tab.run('document.querySelector("#tile-left .words").textContent') == f"{sign} words"
    page.show("running", figures=NONE)
    page.passes(SETTLED_S)
    for name in ("skin", "sweep", "coverage", "zone-time"):
        assert "known" in page.tab.run(f'document.querySelector("#tile-{name}").textContent'), name


@pytest.mark.parametrize("ground", ["#0b0f14", "#151b23"])
def test_words_stand_out_from_their_ground(ground: str) -> None:
    """4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
    css = (Path(__file__).parents[2] / "guidance" / "console" / "page" / "console.css").read_text()
    for name in ("ink", "dim"):
        found = re.search(rf"--{name}: (#[0-9a-f]{{6}})", css)
        assert found is not None
        light, dark = (float(np.dot(_linear(one), (0.2126, 0.7152, 0.0722))) for one in (found[1], ground))
        assert (light + 0.05) / (dark + 0.05) > 4.5, name
