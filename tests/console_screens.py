"""The console's page by itself, told by a test what a server would tell: any state, at any size, at once."""

from __future__ import annotations

import base64
import copy
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from guidance.treatment.choice import Choices
from guidance.treatment.wire import pack
from models.catalogue import load_devices, load_protocols, load_zones
from tests.chromium import Browser, Tab
from tests.page_clock import CLOCK, passes
from tests.served_console import Screen, running

PICTURES = os.environ.get("CRYOGUIDE_CONSOLE_PICTURES")
"""Folder for pictures of the page, where somebody wants to look at them."""

SIZES = ((1280, 800), (1024, 768), (1920, 1080), (800, 1280))
"""The console's own tablet, a small one, a screen on the wall, a tablet held upright."""

LINE = """
window.WebSocket = class {
    static OPEN = 1;
    constructor(url) {
        window.urls = [...(window.urls ?? []), url];
        window.line = this;
        this.readyState = 1;
        setTimeout(() => this.onopen?.(), 0);
    }
    send() {}
    close() {}
};
window.told = null;
window.tell = (text) => { window.told = text; window.line.onmessage({ data: text }); };
setInterval(() => { if (window.told && window.line) window.line.onmessage({ data: window.told }); }, 100);
"""
"""Stands in for the connection: the last state is told again and again, as the server does."""


WRONG = """(() => {
    const out = [], W = innerWidth, H = innerHeight, root = document.documentElement;
    const all = (selector) => document.querySelectorAll(selector);
    const own = (node) => node.id || node.className || node.tagName;
    const size = (n) => `${n.scrollWidth} x ${n.scrollHeight} in ${n.clientWidth} x ${n.clientHeight}`;
    if (root.scrollWidth > W || root.scrollHeight > H) out.push(`the page: ${size(root)}`);
    for (const node of all("footer button, footer .grow, header > *, canvas, #legend > *, .alarm, .tile")) {
        const box = node.getBoundingClientRect();
        const inside = box.left >= -1 && box.top >= -1 && box.right <= W + 1 && box.bottom <= H + 1;
        if (box.width && !inside) out.push(`outside: ${own(node)} in ${own(node.parentElement)}`);
    }
    for (const node of all("#alarms, #legend, header, .tile, .value, .words, footer, button, .alarm")) {
        if (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1)
            out.push(`cut off: ${own(node)} in ${own(node.parentElement)}, ${size(node)}`);
    }
    return out;
})()"""
"""What lies outside the window or is cut off."""


@dataclass(frozen=True)
class Told:
    """What a server told a page in a real session."""

    hello: dict[str, Any]
    state: dict[str, Any]
    """Of a treatment that runs."""
    picture: bytes


@cache
def told_by_a_server() -> Told:
    """Run a recorded session, once for all pages, and keep what is told."""
    with (
        TemporaryDirectory() as folder,
        running(Path(folder) / "report") as server,
        Screen(server, "e" * 32) as screen,
    ):
        screen.go_to("running")
        screen.hear_until(lambda: screen.state["t_s"] > 3.0)
        head, parts = screen.pictures[-1]
        first = screen.pictures[0][1]
        jpeg = next(p["jpeg"] for _, p in reversed(screen.pictures) if "jpeg" in p)
        whole = {**parts, "jpeg": jpeg, **{name: first[name] for name in ("corner",) if name in first}}
        return Told(screen.hello, screen.state, pack(head, whole))


@dataclass(eq=False)
class Shown:
    """A page in a browser."""

    tab: Tab
    told: Told

    def hello(self, **changed: Any) -> None:
        """Tell what a page is told first."""
        text = json.dumps(json.dumps(self.told.hello | changed))
        self.tab.run(f"window.line.onmessage({{ data: {text} }})")

    def state(self, phase: str, **changed: Any) -> dict[str, Any]:
        """A state of that phase; ``figures`` are merged one by one."""
        state = copy.deepcopy(self.told.state) | {"phase": phase, "alarms": [], "sound": None, "notice": None}
        for name, figure in changed.pop("figures", {}).items():
            state["figures"][name] |= figure
        return state | changed

    def show(self, phase: str, **changed: Any) -> None:
        """Tell a state and wait until it is shown."""
        text = json.dumps(json.dumps(self.state(phase, **changed)))
        self.tab.run(f"window.tell({text})")
        self.tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def passes(self, seconds: float) -> None:
        """Let so much time pass on the page, in which the last state is told again and again."""
        passes(self.tab, seconds)

    def picture(self) -> None:
        """Show the picture; the page says when it is drawn."""
        data = base64.b64encode(self.told.picture).decode()
        self.tab.run(
            f"""new Promise((done) => {{
                const line = window.line, send = line.send;
                line.send = (text) => {{
                    if (JSON.parse(text).do === "drawn") {{ line.send = send; done(); }}
                    send.call(line, text);
                }};
                line.onmessage({{
                    data: Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0)).buffer }});
            }})"""
        )


@contextmanager
def shown(browser: Browser, folder: Path) -> Iterator[Shown]:
    """A page that is told what the test wants."""
    told = told_by_a_server()
    with running(folder / "none") as server:
        tab = browser.open("about:blank")
        tab.before(CLOCK + LINE)
        tab.go(f"http://{server.host}/")
        tab.until("window.line && window.line.onmessage")
        page = Shown(tab, told)
        page.hello()
        page.show("running")
        page.tab.tap("#chip-sound")
        page.picture()
        yield page


def choices() -> dict[str, object]:
    """What there is to choose from, as a page is told."""
    return Choices(load_zones(), load_devices(), load_protocols()).told()


LONG = (
    "The thermal camera gives no new picture and nothing is known of the skin:"
    " close the valve at once, and look"
)
ALARM = {
    "cause": "dose",
    "priority": "high",
    "stop": True,
    "standing": True,
    "acknowledged": False,
    "message": "STOP: Skin reaches its limit in 10 to 12 s. Move the nozzle away now.",
}
LOW = ALARM | {"cause": "thermal", "priority": "medium", "stop": False, "message": LONG}

BEING_CHECKED = "The rig is being checked: wait for the verdict, or end the check."
RIG_CHECK: dict[str, Any] = {"left_s": 5.0, "of_s": 5.0, "seen": [], "parts": [], "trouble": ""}
RIG_PARTS = [
    {"name": name, "title": title, "state": state, "verdict": verdict, "words": LONG}
    for name, title, state, verdict in (
        ("cameras", "Cameras", "warn", "moved by 14.3 ± 3.6 mm"),
        ("tip", "Nozzle tip", "ok", "still valid"),
        ("temperature", "Temperature", "warn", "off by 12.8 ± 10.3 degC"),
        ("time", "Times", "unknown", "could not be judged"),
        ("calibration", "Calibration", "warn", "no longer valid"),
    )
]

SCREENS: dict[str, tuple[str, dict[str, Any]]] = {
    "preflight": (
        "preflight",
        {
            "missing": "Test the alarm sound and confirm that you hear it.",
            "sound_confirmed": False,
            "preparing": [40, 100],
            "cameras": [
                {"name": "UVC", "kind": kind, "state": "", "ok": kind != "depth", "words": LONG, "hz": 30.0}
                for kind in ("colour", "thermal", "depth")
            ],
        },
    ),
    **{
        f"rig check, {check['state']}": (
            "preflight",
            {"missing": BEING_CHECKED, "preparing": None, "rig_check": RIG_CHECK | check},
        )
        for check in (
            {"state": "idle"},
            {"state": "waiting", "seen": [{"good": False, "words": LONG}, {"good": True, "words": LONG}]},
            {"state": "looking", "left_s": 3.2, "seen": [{"good": True, "words": LONG}]},
            {"state": "judging", "left_s": 0.0},
            {"state": "told", "parts": RIG_PARTS},
        )
    },
    "rig check, not judged": (
        "preflight",
        {"missing": "", "rig_check": RIG_CHECK | {"state": "told", "trouble": LONG}},
    ),
    "details": (
        "details",
        {"missing": "Choose zone, side, device and protocol.", "operator": "", "subject": ""},
    ),
    "checklist": (
        "checklist",
        {"missing": "3 questions are not answered yet.", "answers": {}, "reasons": {}},
    ),
    "zone": ("zone", {"missing": ""}),
    "leave out": (
        "zone",
        {
            "missing": "",
            "edited": {
                "outline": "moved",
                "areas": [
                    {"number": k, "kind": kind, "radius_mm": 10.0 if kind == "circle" else None}
                    for k, kind in enumerate(("circle", "outline", "circle", "circle"), start=1)
                ],
                "refused": "",
                "count": 5,
                "spot": False,
            },
        },
    ),
    "touch": (
        "touch",
        {
            "missing": "Take the touch check, or say why it is left out.",
            "touch": {
                "state": "refused",
                "words": "Farther off than the rig allows: is the tip on it? Else calibrate it anew.",
                "target": "marked spot",
                "along_mm": -11.6,
                "along_u95_mm": 5.1,
                "across_mm": 22.9,
                "across_u95_mm": 6.3,
                "along_limit_mm": 30.0,
                "across_limit_mm": 16.0,
                "still_s": 1.0,
                "done": "",
                "taken": None,
            },
        },
    ),
    "ready": ("ready", {"missing": ""}),
    "running": ("running", {}),
    "stop": (
        "running",
        {"alarms": [ALARM, LOW, LOW | {"cause": "third"}], "sound": "high-physiological"},
    ),
    "two stops and more": (
        "running",
        {
            "trouble": "No guidance for 2.5 s. Close the valve until it is back.",
            "alarms": [
                ALARM
                | {
                    "message": "STOP: Skin may be down to -2.1 °C, measured 1.1 °C. Take the nozzle away now."
                },
                ALARM | {"cause": "other"},
                LOW,
            ],
        },
    ),
    "outline": ("zone", {"missing": ""}),
    "quiet": (
        "running",
        {"alarms": [ALARM | {"acknowledged": True}], "pause_left_s": 93.2, "gas_counts": True},
    ),
    "watching": ("running", {"controls": False, "control_free": False}),
    "alone": ("running", {"controls": False, "control_free": True, "alarms": [LOW]}),
    "paused": (
        "paused",
        {
            "gas_counts": True,
            "notice": {
                "state": "warn",
                "words": "Paused. Close the valve. Gas counts as flowing until you tap GAS IS OFF.",
            },
        },
    ),
    "unplugged": (
        "running",
        {
            "gas_counts": True,
            "trouble": "The thermal camera (PureThermal 3) is unplugged: plug it in."
            " Close the valve until it is back.",
            "alarms": [LOW],
        },
    ),
    "stopped": (
        "stopped",
        {
            "gas_counts": True,
            "pain": 2,
            "rewarming_s": 12.3,
            "over": True,
            "alarms": [ALARM | {"standing": False}],
            "notice": {"state": "stop", "words": "Stopped for pain. Close the valve, then tap GAS IS OFF."},
        },
    ),
    "stopped, gas as recorded": (
        "stopped",
        {"gas_counts": None, "rewarming_s": 12.3, "alarms": [ALARM | {"standing": False}]},
    ),
    "reporting": ("reporting", {}),
    "report": ("done", {"report": True}),
}
"""Each screen of the way, and states that ask for most room."""


def kept(tab: Tab, name: str) -> bytes:
    """A picture of the page, PNG; kept where somebody wants to look."""
    png = tab.picture()
    if PICTURES is not None:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        (Path(PICTURES) / f"{name}.png").write_bytes(png)
    return png


def keep(tab: Tab, name: str) -> None:
    """As `kept`, but no picture is taken where nobody wants to look."""
    if PICTURES is not None:
        kept(tab, name)
