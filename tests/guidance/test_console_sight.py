"""What must be in sight without scrolling, and what a hasty second tap must not hit, at every size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import ALARM, SCREENS, SIZES, WRONG, Shown, choices, keep, shown

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

"""A folder where screens are keep, to be looked at."""

SAME_PLACE = """(() => {
    const box = window.before.STOP, out = [];
    for (const x of [.05, .25, .5, .75, .95]) for (const y of [.1, .5, .9]) {
        const node = document.elementFromPoint(box.x + x * box.width, box.y + y * box.height);
        const hit = node?.closest("button");
        if (hit) out.push(hit.id);
    }
    return [...new Set(out)];
})()"""
"""Buttons that lie where STOP lay."""

SETTLED_S = 0.7
"""Buttons that have just come take no tap for half a second."""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with shown(browser, tmp_path_factory.mktemp("sight")) as found:
        yield found


def in_sight(page: Shown, selector: str) -> bool:
    """Whether a finger reaches all of it as the page opens."""
    return page.tab.run(f"""(() => {{
        const node = document.querySelector('{selector}'), box = node.getBoundingClientRect();
        return [[9, 9], [box.width - 9, 9], [9, box.height - 9], [box.width - 9, box.height - 9]].every(
            ([x, y]) => node.contains(document.elementFromPoint(box.x + x, box.y + y)));
    }})()""")


def show(page: Shown, name: str, **changed: object) -> None:
    phase, usual = SCREENS[name]
    page.hello()
    page.show("done")
    page.show(phase, **(usual | changed))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_has_to_be_tapped_is_in_sight_as_its_page_opens(page: Shown, size: tuple[int, int]) -> None:
    page.tab.size(*size)
    show(page, "preflight")
    assert in_sight(page, "#test-sound")
    assert in_sight(page, "#hear-sound")
    keep(page.tab, f"{size[0]}-sight-preflight")
    show(page, "touch", played=False)
    assert in_sight(page, "#take-touch")
    keep(page.tab, f"{size[0]}-sight-touch")
    assert in_sight(page, "#skip-0")
    show(page, "leave out")
    page.tab.tap("#mode-leave")
    keep(page.tab, f"{size[0]}-sight-leave")
    for number in (4, 3):  # the newest come first
        assert in_sight(page, f'[data-area="{number}"] .remove'), number


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_in_the_head_lies_over_anything_else(page: Shown, size: tuple[int, int]) -> None:
    page.tab.size(*size)
    page.hello(approved=False)
    for name in ("preflight", "running", "quiet", "stopped"):
        show(page, name, played=True)
        over = page.tab.run("""(() => {
            const all = [...document.querySelectorAll("header > *")]
                .map((node) => [node.id, node.getBoundingClientRect()]).filter(([, box]) => box.width);
            const beside = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1;
            const above = (a, b) => a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
            return all.flatMap(([one, a], k) => all.slice(k + 1)
                .filter(([, b]) => !beside(a, b) && !above(a, b)).map(([two]) => `${one} ${two}`));
        })()""")
        assert over == [], name
        flags = page.tab.run("""(() => {
            const node = document.querySelector("#flags");
            return [node.innerText, node.scrollWidth <= node.clientWidth];
        })()""")
        assert flags == ["REPLAY\nNOT APPROVED", True], name


@pytest.mark.parametrize("size", [(853, 533), (683, 512), (1280, 720), (533, 853), (800, 1180)])
def test_a_zoomed_page_and_a_small_window_cut_nothing_off(page: Shown, size: tuple[int, int]) -> None:
    """1280 x 800 and 1024 x 768 at 150 %, and tablets whose browser takes a part of the screen."""
    page.tab.size(*size)
    for name in ("leave out", "stop", "quiet", "unplugged", "stopped"):
        show(page, name)
        page.passes(SETTLED_S)
        keep(page.tab, f"{size[0]}-{size[1]}-zoomed-{name}")
        assert page.tab.run(WRONG) == [], name
        if name == "stop":
            assert in_sight(page, "#stop")
    show(page, "leave out")
    far = page.tab.run("""(() => {
        const place = (one) => document.querySelector(one).getBoundingClientRect();
        const a = place("#picture"), b = place("#marks");
        return Math.max(...["left", "top", "right", "bottom"].map((side) => Math.abs(a[side] - b[side])));
    })()""")
    assert far < 1.0  # what is drawn by a finger lies where the finger is


def test_a_page_opens_at_its_top_wherever_the_one_before_was_scrolled(page: Shown) -> None:
    page.tab.size(1024, 768)
    show(page, "checklist")
    page.tab.run('document.querySelector("#side .scroll").scrollTop = 99999')
    page.show("zone", **SCREENS["zone"][1])
    assert page.tab.run('document.querySelector("#side .scroll").scrollTop') == 0


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_second_tap_on_stop_hits_nothing(page: Shown, size: tuple[int, int]) -> None:
    """Least of all GAS IS OFF: gas would count as off while it flows."""
    page.tab.size(*size)
    for counts in (None, True):
        page.show("running", gas_counts=counts, alarms=[ALARM])
        page.tab.run('window.before = { STOP: document.querySelector("#stop").getBoundingClientRect() }; 0')
        page.show("stopped", gas_counts=counts, alarms=[ALARM])
        assert page.tab.run(SAME_PLACE) == [], counts


def test_buttons_that_have_just_come_take_no_tap_but_stop_does(page: Shown) -> None:
    page.tab.size(1280, 800)
    page.show("checklist", **SCREENS["checklist"][1])
    page.show("zone", **SCREENS["zone"][1])
    assert page.tab.run('document.querySelector("#next").disabled')
    page.passes(SETTLED_S)
    assert not page.tab.run('document.querySelector("#next").disabled')
    page.show("running", gas_counts=True)
    assert page.tab.run(
        'document.querySelector("#gas_off").disabled && document.querySelector("#pause").disabled'
    )
    assert not page.tab.run(
        'document.querySelector("#stop").disabled || document.querySelector("#pain").disabled'
    )
    # Control that has just come brings other buttons as well.
    page.passes(SETTLED_S)
    page.show("running", controls=False, control_free=True)
    assert page.tab.run('document.querySelector("#take_control").disabled')


def test_a_recording_is_a_reason_to_skip_the_touch_check_only_where_one_is_played(page: Shown) -> None:
    for played in (True, False):
        show(page, "touch", played=played)
        told = page.tab.run('document.querySelector("#card-touch").innerText')
        assert ("A recording is played" in told) == played


def test_after_the_stop_nobody_is_told_to_come_closer(page: Shown) -> None:
    """As the server tells it; the page shows it without an advice."""
    page.show("stopped", figures={"distance": {"state": "calm", "words": "gas off"}})
    page.passes(SETTLED_S)
    assert page.tab.run('document.querySelector("#tile-distance .words").innerText').strip() == "gas off"


def test_an_advice_of_the_sweep_is_written_whole(page: Shown) -> None:
    advice = {"cm_s": None, "state": "warn", "words": "MOVE OFF", "keep": "let skin rewarm"}
    for size in SIZES:
        page.tab.size(*size)
        page.show("running", figures={"sweep": advice})
        page.passes(SETTLED_S)
        tile = page.tab.run("""(() => {
            const node = document.querySelector("#tile-sweep .value");
            return [node.innerText, node.scrollHeight <= node.clientHeight + 1];
        })()""")
        assert tile == ["MOVE OFF: let it rewarm", True], size


def test_the_screen_stays_on_while_a_treatment_runs(page: Shown) -> None:
    """A browser takes its word back from a page that is hidden: it is asked again as the page comes back."""
    page.show("ready")
    page.tab.run("""window.asked = []; Object.defineProperty(navigator, "wakeLock", { configurable: true,
        value: { request: async (what) => {
            asked.push(what);
            window.lock = { released: false, release: async () => { asked.push("off"); } };
            return window.lock; } } }); 0""")
    page.show("running")
    page.show("paused")
    assert page.tab.run("asked") == ["screen"]
    page.tab.run('lock.released = true; document.dispatchEvent(new Event("visibilitychange"))')
    page.show("stopped")
    assert page.tab.run("asked") == ["screen", "screen"]
    page.show("done")
    assert page.tab.run("asked") == ["screen", "screen", "off"]


def test_a_screen_that_may_not_stay_on_disturbs_nothing(page: Shown) -> None:
    page.show("ready")
    page.tab.run("""window.failed = []; addEventListener("unhandledrejection", () => failed.push(1));
        Object.defineProperty(navigator, "wakeLock", { configurable: true,
            value: { request: async () => { throw new Error("battery low"); } } }); 0""")
    page.show("running")
    page.show("done")
    assert page.tab.run("failed") == []


def test_the_window_says_how_the_treatment_stands(page: Shown) -> None:
    page.hello()
    for phase, changed, title in (
        ("preflight", {}, "Calf, left | cryoguide"),
        ("running", {}, "RUNNING | Calf, left | cryoguide"),
        ("paused", {}, "PAUSED | Calf, left | cryoguide"),
        ("running", {"alarms": [ALARM]}, "STOP | Calf, left | cryoguide"),
    ):
        page.show(phase, **changed)
        assert page.tab.run("document.title") == title
    assert page.tab.run('document.querySelector("link[rel=icon]").href').startswith("data:image/svg+xml,")


SENT = "window.sent = []; window.line.send = (text) => window.sent.push(JSON.parse(text).do); 0"
SAID = "sent.filter((one) => one !== 'here')"


def test_stop_works_by_the_keyboard_alone(page: Shown) -> None:
    """By its key from anywhere, also with a button in focus; by Tab and Enter as any button."""
    page.show("running", gas_counts=True)
    page.passes(SETTLED_S)
    page.tab.run(SENT)
    page.tab.run('document.querySelector("#pause").focus()')
    page.tab.key(" ", "Space")
    assert page.tab.run(SAID) == ["stop"]
    page.tab.run(SENT)
    for name in ("stop", "pain"):
        page.tab.run(f'document.querySelector("#{name}").focus()')
        page.tab.enter()
    assert page.tab.run(SAID) == ["stop", "pain"]


def test_a_finger_on_pain_tells_of_it_once(page: Shown) -> None:
    page.show("running")
    page.tab.run(SENT)
    page.tab.tap("#pain")
    assert page.tab.run(SAID) == ["pain"]


def test_a_key_that_is_held_says_its_word_once_and_the_browsers_own_keys_say_none(page: Shown) -> None:
    """A key G that lies under something would switch the gas on and off again and again."""
    page.show("running", gas_counts=True)
    page.tab.run(SENT)
    page.tab.run("""for (const more of [{}, { repeat: true }, { ctrlKey: true }, { metaKey: true }])
        for (const key of ["g", "a", "q"])
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }))""")
    assert page.tab.run(SAID) == ["gas_off", "acknowledge", "quiet"]


def test_nothing_that_can_be_tapped_is_out_of_the_keyboards_reach(page: Shown) -> None:
    page.tab.size(1280, 800)
    for name in ("preflight", "details", "checklist", "zone", "touch", "ready", "running", "stopped"):
        page.hello(**({"choices": choices()} if name == "details" else {}))
        page.show("done")
        page.show(SCREENS[name][0], **SCREENS[name][1])
        page.passes(SETTLED_S)
        skipped = page.tab.run("""[...document.querySelectorAll("button, input, select, a, #chip-sound")]
            .filter((node) => !node.disabled && node.offsetParent && node.tabIndex < 0)
            .map((node) => node.id)""")
        assert skipped == [], name


def test_a_line_that_is_dead_is_given_up_and_a_stop_tapped_meanwhile_goes_out_if_it_is_needed(
    page: Shown,
) -> None:
    """A network that has failed tells the browser nothing: what is sent goes nowhere for minutes."""
    for phase, sent in (("running", ["stop"]), ("stopped", [])):
        page.show("running")
        page.tab.run("window.told = null; window.known = window.urls.length; 0")
        page.passes(0.7)
        assert page.tab.run("document.body.dataset.silent") == "yes"
        page.tab.tap("#stop")
        assert page.tab.run("window.urls.length === window.known")
        page.passes(3.5)
        assert page.tab.run("window.urls.length > window.known")
        page.tab.run(SENT)
        page.show(phase)
        page.tab.until('document.body.dataset.silent === ""')
        page.show(phase)
        assert page.tab.run(SAID) == sent, phase
        assert page.tab.run("new Set(window.urls.slice(-2)).size") == 1  # by the same name


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_tap_on_the_alarms_shows_all_of_them_and_moves_nothing(page: Shown, size: tuple[int, int]) -> None:
    """Acknowledge takes note of all that is displayed: what has no room must be within reach."""
    page.tab.size(*size)
    page.show("running", alarms=[ALARM | {"cause": f"cause {k}"} for k in range(4)])
    place = "JSON.stringify(document.querySelector('#picture').getBoundingClientRect())"
    rows = "document.querySelectorAll('#alarms .alarm').length"
    before = page.tab.run(place)
    assert page.tab.run(rows) == 2
    page.tab.tap("#alarms .alarm")
    assert page.tab.run(rows) == 4
    keep(page.tab, f"{size[0]}-sight-all-alarms")
    assert page.tab.run(place) == before
    assert page.tab.run(WRONG) == []
    page.tab.tap("#alarms .alarm")
    assert page.tab.run(rows) == 2
