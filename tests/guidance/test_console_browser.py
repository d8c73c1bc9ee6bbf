"""The console as an operator has it: a real browser, every page of the way by taps and keys."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

from guidance.console.control import FREE_AFTER_S, Control
from guidance.overlay.palette import RED
from models.geometry import Bytes
from tests.camera_place import Place
from tests.chromium import MISSING, Browser, Tab, chromium
from tests.console_screens import kept
from tests.live_process import live_process
from tests.served_console import CALF, Unhurried, running
from vision.cameras import THERMAL

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

LONG_ENOUGH = 0.2
"""Session seconds a second: the recording's ten do not end under what is tapped, also on a busy machine."""
"""A folder where each screen is kept, to be looked at."""


SILENT_WITHIN_S = 1.0
"""0.5 s of silence, a look each 0.1 s, and this test's own way to the browser."""

STALLS = """
window.stalled_s = 0;
window.looked_s = performance.now() / 1000;
setInterval(() => {
    const now_s = performance.now() / 1000;
    stalled_s += Math.max(0, now_s - looked_s - 0.05);
    looked_s = now_s;
}, 50);
0"""
"""Adds up for how long the page itself could not run, for another program had the machine."""

WATCH = """
window.troubles = [];
window.addEventListener("error", (event) => troubles.push(event.message));
window.addEventListener("unhandledrejection", (event) => troubles.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => troubles.push(event.violatedDirective));
0"""
"""Keeps what goes wrong in the page."""


def seen(tab: Tab, name: str) -> Bytes:
    """A picture of the page, blue green red; kept where somebody wants to look."""
    picture = cv2.imdecode(np.frombuffer(kept(tab, name), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def share_of(picture: Bytes, rgb: tuple[int, int, int], *, near: int = 12) -> float:
    return float((np.abs(picture[..., ::-1].astype(int) - rgb).max(axis=2) <= near).mean())


def phase(name: str) -> str:
    return f'document.body.dataset.phase === "{name}"'


def reads(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)}).textContent"


def hear(tab: Tab) -> None:
    """The sound gate."""
    tab.tap("#test-sound")
    tab.until("Number(document.body.dataset.bursts) > 0")
    tab.tap("#hear-sound")


def answer_all(tab: Tab) -> int:
    tab.until('document.querySelector("#card-checklist")')
    names = tab.run('[...document.querySelectorAll(".question")].map((q) => q.dataset.question)')
    for name in names:
        no = f'[data-question="{name}"] [data-answer=no]'
        tab.tap(no)
        tab.until(f"document.querySelector('{no}').getAttribute('aria-pressed') === 'true'")
    return len(names)


def answer_no_to_all(tab: Tab) -> None:
    tab.run("""document.querySelectorAll(".question").forEach((q) => document.querySelector(
        `[data-question="${q.dataset.question}"] [data-answer=no]`).click())""")


def go_to_ready(tab: Tab) -> None:
    """Quickly: the checklist is tapped through one by one elsewhere."""
    hear(tab)
    tab.tap("#next")
    tab.type("#operator", "OP-1")
    tab.tap("#next")
    tab.until('document.querySelector("#card-checklist")')
    answer_no_to_all(tab)
    tab.tap("#next")
    tab.until(phase("zone"))
    tab.tap("#next")
    leave_out_the_touch_check(tab)


def leave_out_the_touch_check(tab: Tab) -> None:
    tab.until(phase("touch"))
    assert tab.run('document.querySelector("#next").disabled')
    tab.tap("#skip-0")
    tab.tap("#next")
    tab.until(phase("ready"))


def test_the_whole_way_by_taps(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path / "report", speed=1.5, source=Unhurried) as server:
        tab = browser.open(f"http://{server.host}/")
        tab.until(phase("preflight"))
        tab.run(WATCH)
        # The sound gate: neither can be confirmed unheard, nor passed.
        assert tab.run('document.querySelector("#next").disabled')
        assert tab.run('document.querySelector("#hear-sound").disabled')
        hear(tab)
        tab.until('!document.querySelector("#next").disabled')
        kept(tab, "1-preflight")
        tab.tap("#next")
        tab.type("#operator", "Smith")
        tab.until(f'{reads("#toast")}.includes("never a name")')
        tab.run('document.querySelector("#operator").value = ""')
        tab.type("#operator", "OP-1")
        tab.until('!document.querySelector("#next").disabled')
        kept(tab, "2-details")
        tab.tap("#next")
        assert answer_all(tab) == len(server.served.staged.asked)
        kept(tab, "3-checklist")
        tab.tap('[data-question="raynaud"] [data-answer=yes]')
        tab.until('document.querySelector("#next").disabled')
        tab.tap('[data-question="raynaud"] [data-answer=no]')
        tab.tap("#next")
        tab.until(phase("zone"))
        kept(tab, "4-zone")
        tab.tap("#next")
        tab.until(phase("touch"))
        kept(tab, "4b-touch")
        leave_out_the_touch_check(tab)
        # Start is no accidental tap: it has to be held.
        tab.tap("#start")
        assert tab.run(phase("ready"))
        kept(tab, "5-ready")
        tab.tap("#start", hold_s=1.1)
        tab.until(phase("running"))
        tab.until(f'{reads("#clock")} >= "0:02.5"')
        kept(tab, "6-running")
        assert tab.run("document.documentElement.scrollWidth <= innerWidth")
        for name in ("distance", "skin", "left", "sweep", "coverage", "zone-time", "session-time", "zone"):
            assert tab.run(reads(f"#tile-{name}")), name
        tab.until('document.querySelector(".alarm.stop.loud")')
        tab.until('document.body.dataset.sound === "high-physiological"')
        assert share_of(seen(tab, "7-stop"), RED) > 0.05
        tab.key(" ", "Space")
        tab.until(phase("stopped"))
        tab.until('document.querySelector(".alarm.notice").textContent.includes("close the valve")')
        kept(tab, "8-stopped")
        tab.tap("#finish")
        tab.until('document.querySelector("#report-link")')
        assert not tab.run("document.body.dataset.sound")
        kept(tab, "9-done")
        assert tab.run("troubles") == []
        report = browser.open(f"http://{server.host}/report")
        report.until('document.querySelector("h1")')
        assert "Calf" in report.run("document.body.textContent")


def choose(tab: Tab, name: str, value: str) -> None:
    """As one who picks it from the list."""
    field = f'document.querySelector("#choose-{name}")'
    tab.until(f"{field} && !{field}.disabled && [...{field}.options].some((one) => one.value === '{value}')")
    tab.run(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('change'))")
    tab.until(f"{field}.value === '{value}'")


def test_the_way_with_cameras_by_taps(browser: Browser, tmp_path: Path) -> None:
    """The cameras are stand-ins; one is unplugged while gas flows."""
    with ExitStack() as stack:
        place = Place(tmp_path, stack)
        tab = browser.open(f"http://{place.server.host}/")
        tab.until(phase("preflight"))
        tab.run(WATCH)
        tab.until("document.querySelectorAll('[data-camera][data-state=ok]').length === 3")
        hear(tab)
        kept(tab, "k1-preflight")
        tab.tap("#next")
        tab.type("#operator", "OP-1")
        for name, value in (("zone", "calf"), ("side", "left"), ("device", "co2")):
            assert tab.run('document.querySelector("#next").disabled')
            choose(tab, name, value)
        choose(tab, "protocol", "co2-thermal-shock")
        kept(tab, "k2-details")
        tab.tap("#next")
        tab.until('document.querySelector("[data-question]")')
        answer_no_to_all(tab)
        tab.tap("#next")
        tab.until(phase("zone"))
        tab.tap("#next")
        leave_out_the_touch_check(tab)
        tab.tap("#start", hold_s=1.1)
        tab.until(phase("running"))
        tab.until(f'{reads("#chip-gas")}.includes("ON")')
        kept(tab, "k3-running")
        tab.key("g", "KeyG")
        tab.until(f'{reads("#chip-gas")}.includes("OFF")')
        tab.tap("#gas_on")
        tab.until('document.querySelector("#gas_off")')
        place.device(THERMAL).unplug()
        tab.until('document.body.dataset.sound === "high-technical"')
        tab.until(f'{reads("#alarms")}.includes("plug it in")')
        kept(tab, "k4-unplugged")
        place.device(THERMAL).plug_in()
        tab.tap("#stop")
        tab.until(phase("stopped"))
        tab.until(f'{reads("#alarms")}.includes("GAS IS OFF")')
        assert tab.run('document.querySelector("#finish").disabled')
        kept(tab, "k5-stopped")
        tab.tap("#gas_off")
        tab.tap("#finish")
        tab.until('document.querySelector("#report-link")')
        assert tab.run("troubles") == []


def test_back_and_forward_of_the_browser_disturb_nothing(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path / "report", speed=0.3) as server:
        tab = browser.open(f"http://{server.host}/")
        go_to_ready(tab)
        tab.tap("#start", hold_s=1.1)
        tab.until(phase("running"))
        tab.go("about:blank")
        tab.until('location.href === "about:blank"')
        tab.run("history.back()")
        tab.until(phase("running"))
        tab.until('document.querySelector("#pause")')  # it still controls
        assert server.served.desk.course.phase == "running"


def test_reload_a_second_screen_and_pain(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path / "report", speed=LONG_ENOUGH) as server:
        tab = browser.open(f"http://{server.host}/")
        go_to_ready(tab)
        tab.tap("#start", hold_s=1.1)
        tab.until(phase("running"))
        tab.reload()
        tab.until(phase("running"))
        # The browser forgets that it may sound: the page says so, one tap mends it.
        tab.until(f'{reads("#chip-sound")}.includes("OFF")')
        tab.until('document.querySelector(".alarm.mute")')
        tab.tap("#chip-sound")
        tab.until('!document.querySelector(".alarm.mute")')
        tab.until(f'{reads("#chip-sound")}.includes("on")')
        other = browser.open(f"http://{server.host}/")
        other.until(f'{reads("#bar")}.includes("Another screen has control")')
        kept(other, "a-watching")
        assert other.run('document.querySelector("#pause") === null')
        tab.tap("#pause")
        tab.until(phase("paused"))
        other.until(phase("paused"))
        kept(tab, "b-paused")
        other.tap("#pain")
        tab.until(phase("stopped"))
        assert [entry.what for entry in server.served.desk.course.log][-1] == "pain"


def test_a_server_that_is_killed_is_an_alarm_of_the_page_itself(browser: Browser, tmp_path: Path) -> None:
    """The real command, killed (SIGKILL) before the eyes of a page that has been unlocked for sound."""
    options = ("--replay", str(CALF), "--out", str(tmp_path / "calf-live-report"), "--no-record")
    with live_process(*options) as process:
        tab = browser.open(f"http://{process.host}/")
        hear(tab)
        tab.until('document.querySelector("canvas").width > 300')
        before = tab.run("Number(document.body.dataset.bursts)")
        assert not tab.run("document.body.dataset.silent")
        tab.run(STALLS)
        process.kill()
        killed_s = time.monotonic()
        tab.until('document.body.dataset.silent === "yes"')
        took_s = time.monotonic() - killed_s
        assert took_s - tab.run("stalled_s") < SILENT_WITHIN_S
    tab.until('document.body.dataset.sound === "high-technical"')
    tab.until(f"Number(document.body.dataset.bursts) > {before}")
    assert "Close the valve" in tab.run(reads("#alarms"))
    kept(tab, "c-silent")


def test_unknown_cells_are_drawn_hatched_and_by_no_step_of_the_ramp(browser: Browser, tmp_path: Path) -> None:
    """One square of four cells: known, unknown, over, nothing. Colours are looked at in the canvas."""
    with running(tmp_path / "report") as server:
        tab = browser.open(f"http://{server.host}/")
        tab.until(phase("preflight"))
        script = """(async () => {
            const { Drawing } = await import("/drawing.js");
            const look = await new Promise((done) => {
                const line = new WebSocket(`ws://${location.host}/live?page=${"c".repeat(32)}`);
                line.onmessage = (event) => { line.close(); done(JSON.parse(event.data).look); };
            });
            const canvas = new OffscreenCanvas(80, 40), drawing = new Drawing(canvas);
            drawing.setLook(look);
            drawing.bitmap = await createImageBitmap(new ImageData(80, 40));
            const px = [[0, 0], [40, 0], [80, 0], [0, 40], [40, 40], [80, 40]];
            await drawing.draw({
                head: { t_s: 0, size_px: [80, 40], number: 1 },
                parts: {
                    corner: new Uint16Array([0, 1, 4, 3, 1, 2, 5, 4]).buffer,
                    vertex: new Int16Array(px.flat().map((v) => v * 8)).buffer,
                    level: new Uint8Array([24, 0]).buffer, look: new Uint8Array([0, 2]).buffer,
                },
            });
            const count = (x, [r, g, b]) => {
                const data = canvas.getContext("2d").getImageData(x + 4, 4, 32, 32).data;
                let n = 0;
                for (let k = 0; k < data.length; k += 4)
                    n += Math.abs(data[k] - r) + Math.abs(data[k + 1] - g) + Math.abs(data[k + 2] - b) < 60;
                return n / 1024;
            };
            const colour = (text) => text.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
            return { hatched: count(40, colour(look.unknown)), known: count(0, colour(look.unknown)) };
        })()"""
        found = tab.run(script)
    assert 0.15 < found["hatched"] < 0.8
    assert found["known"] == 0.0


def test_control_of_a_page_that_is_gone_is_one_tap_away(browser: Browser, tmp_path: Path) -> None:
    now = [0.0]
    with running(tmp_path / "report", speed=LONG_ENOUGH) as server:
        server.served.console.control = Control(now_s=lambda: now[0])
        first = browser.open(f"http://{server.host}/")
        go_to_ready(first)
        first.tap("#start", hold_s=1.1)
        first.until(phase("running"))
        other = browser.open(f"http://{server.host}/")
        other.until(f'{reads("#bar")}.includes("Another screen has control")')
        other.tap("#take_control")  # from a screen that is there it must be held
        assert other.run('document.querySelector("#pause") === null')
        first.go("about:blank")
        first.until('location.href === "about:blank"')
        while len(server.served.console.pages) > 1:  # its last words may still be on the way
            other.run("new Promise((done) => setTimeout(done, 20))")
        now[0] += FREE_AFTER_S + 0.1
        other.until(f'{reads("#bar")}.includes("Nobody has control")')
        assert other.run('document.querySelector("#stop") !== null')
        other.tap("#take_control")
        other.tap("#pause")
        other.until(phase("paused"))
