"""What the page shows first, what it keeps saying once nobody watches, and what a small area looks like."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import ALARM, LOW, SIZES, WRONG, Shown, keep, shown

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

PAUSED = {"state": "warn", "words": "Paused. The recording is held."}
TROUBLE = "No guidance for 2.5 s. Close the valve until it is back."

ROWS = """[...document.querySelectorAll("#alarms .alarm")].map((row) => row.innerText)"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with shown(browser, tmp_path_factory.mktemp("first")) as found:
        yield found


def rows(page: Shown) -> list[str]:
    """What the two rows say for which there is room."""
    return [" ".join(row.split()) for row in page.tab.run(ROWS)]


def test_a_notice_never_hides_a_stop_that_nobody_took_note_of(page: Shown) -> None:
    """Acknowledge takes note of what is displayed: a STOP behind "+1 more" would be silenced unseen."""
    page.show("paused", trouble=TROUBLE, notice=PAUSED, alarms=[ALARM])
    assert rows(page)[0].startswith("!!! No guidance")
    assert rows(page)[1].startswith("STOP Skin reaches its limit")
    page.show("paused", notice=PAUSED, alarms=[ALARM, LOW])
    assert rows(page)[0].startswith("STOP Skin reaches its limit")
    assert rows(page)[1].startswith("!! Paused.")


def test_a_notice_comes_before_alarms_that_are_over_acknowledged_or_lower(page: Shown) -> None:
    for alarm in (ALARM | {"standing": False}, ALARM | {"acknowledged": True}, LOW):
        page.show("paused", notice=PAUSED, alarms=[alarm])
        assert rows(page)[0].startswith("!! Paused."), alarm


def test_a_new_stop_is_seen_whatever_was_acknowledged_before(page: Shown) -> None:
    known = [ALARM | {"acknowledged": True}, ALARM | {"cause": "contact", "acknowledged": True}]
    page.show("running", alarms=[*known, ALARM | {"cause": "new", "message": "STOP: The nozzle touches."}])
    assert rows(page)[0].startswith("STOP The nozzle touches.")
    assert "+1 more" in rows(page)[1]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_pain_can_be_recorded_after_the_stop_on_a_screen_that_watches(
    page: Shown, size: tuple[int, int]
) -> None:
    """As on every screen while it runs; whoever stands there may hear of it a moment later."""
    page.tab.size(*size)
    page.show("stopped", controls=False, control_free=False, pain=0)
    page.tab.run("new Promise((done) => setTimeout(done, 700))")
    page.tab.run("window.sent = []; window.line.send = (text) => window.sent.push(JSON.parse(text).do); 0")
    page.tab.tap("#pain")
    assert page.tab.run("window.sent.includes('pain')")
    assert page.tab.run(WRONG) == []
    keep(page.tab, f"{size[0]}-first-watching-stopped")


def test_after_the_stop_nobody_is_told_to_come_closer_while_gas_still_flows(page: Shown) -> None:
    figures = {
        "distance": {"mm": 138.0, "u95_mm": 4.0, "state": "look", "words": "MOVE CLOSER"},
        "sweep": {"cm_s": 12.0, "state": "look", "words": "SLOWER", "keep": "keep 3-10 cm/s"},
    }
    page.show("running", figures=figures)
    told = 'document.querySelector("#side").innerText'
    page.tab.until(f"{told}.includes('MOVE CLOSER') && {told}.includes('SLOWER')", within_s=10.0)
    page.show("stopped", figures=figures)
    page.tab.until(f"{told}.includes('close valve')", within_s=10.0)
    assert "CLOSER" not in page.tab.run(told)
    assert "SLOWER" not in page.tab.run(told)
    assert page.tab.run(WRONG) == []
    keep(page.tab, "first-stopped-gas")


def test_gas_that_counts_as_flowing_is_never_said_to_be_off_and_no_skin_rewarms_under_it(page: Shown) -> None:
    """The step that takes the word up comes later, on a machine that is behind much later."""
    off = {"gas": {"on": False, "words": "OFF", "by": ""}}
    chip, halted = (f'document.querySelector("{where}").innerText' for where in ("#chip-gas", "#halted"))
    page.show("stopped", gas_counts=False, rewarming_s=12.3, figures=off)
    assert "OFF" in page.tab.run(chip)
    assert "Rewarming: 12 of 60 s" in page.tab.run(halted)
    page.show("stopped", gas_counts=True, rewarming_s=12.3, figures=off)
    assert "ON" in page.tab.run(chip)
    assert "OFF" not in page.tab.run(chip)
    assert "Rewarming" not in page.tab.run(halted)


@pytest.mark.parametrize("phase", ["reporting", "done"])
def test_once_nobody_watches_nothing_is_said_to_be_tracked_and_the_picture_is_old(
    page: Shown, phase: str
) -> None:
    page.tab.size(1280, 800)
    page.show("stopped")
    assert "TRACKED" in page.tab.run('document.querySelector("header").innerText')
    page.show(phase, report=phase == "done")
    head = page.tab.run('document.querySelector("header").innerText')
    assert not any(word in head for word in ("TRACKED", "GAS", "ZONE", "SOUND")), head
    magenta = """(() => {
        const canvas = document.querySelector("#picture");
        const [r, g, b] = canvas.getContext("2d").getImageData(4, canvas.height / 2, 1, 1).data;
        return r > 180 && g < 110 && b > 160;
    })()"""
    page.tab.until(magenta, within_s=10.0)
    keep(page.tab, f"first-{phase}")


def test_a_watching_screen_has_nothing_to_take_over_once_the_report_is_written(page: Shown) -> None:
    page.show("done", report=True, controls=False, control_free=False)
    assert page.tab.run('document.querySelector("#take_control") === null')
    assert page.tab.run('document.querySelector("#report-link") !== null')


def test_a_recording_that_is_not_whole_is_said_to_be_so_beside_the_report(page: Shown) -> None:
    """A disk that was full: the page said "The report is written" and no more."""
    lacks = "The recording was not finished (No space left on device): recover it before use."
    page.show("done", report=True, unrecorded="")
    assert page.tab.run('document.querySelector("#not-whole") === null')
    page.show("done", report=True, unrecorded=lacks)
    assert lacks in page.tab.run('document.querySelector("#card-done").innerText')
    assert page.tab.run(WRONG) == []


AROUND = """(async () => {
    const { Drawing } = await import("/drawing.js");
    const canvas = new OffscreenCanvas(200, 200), context = canvas.getContext("2d");
    const drawing = new Drawing(canvas);
    drawing.setLook({ look: 1, left_out: "#e69f00", ink: "#0b0f14", white: "#ffffff", ramp: [] });
    drawing.bitmap = await createImageBitmap(new ImageData(200, 200));
    const around = (radius) => Array.from({ length: 65 }, (_, k) =>
        [100 + radius * Math.cos((k * Math.PI) / 32), 100 + radius * Math.sin((k * Math.PI) / 32)]);
    const amber = async (radius) => {
        const head = { t_s: 0, size_px: [200, 200], left_out: [{ px: around(radius), closed: true }] };
        await drawing.draw({ head, parts: {} });
        const seen = around(radius).map((at) => context.getImageData(...at.map(Math.round), 1, 1).data);
        return seen.filter(([r, g, b]) => r > 150 && g > 90 && b < 90).length / seen.length;
    };
    return [await amber(11), await amber(80)];
})()"""


def test_a_mole_that_is_left_out_has_a_whole_line_round_it(page: Shown) -> None:
    """20 mm at the sample's distance are 22 pixels: in dashes they were three marks."""
    small, large = page.tab.run(AROUND)
    assert small > 0.85
    assert 0.2 < large < 0.9  # an area that is large enough keeps its dashes
