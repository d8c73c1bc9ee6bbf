"""A headless Chromium driven over its own debugging protocol: what the console is tried in."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

STARTS_WITHIN_S = 60.0
MISSING = "needs chromium (Debian: apt-get install chromium)"


def chromium() -> str | None:
    """The browser's program, where there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class LeftError(AssertionError):
    """The page was left while something was asked of it."""


class Browser:
    """One browser with one profile of its own; use as a context manager."""

    def __init__(self, *, width: int = 1280, height: int = 800, trusting: bool = False) -> None:
        """Not started yet.

        Args:
            width: Of a page, in pixels.
            height: The same.
            trusting: Goes on where it does not know a certificate, as one does who has compared it.
        """
        self._size, self._trusting = (width, height), trusting
        self._folder = Path(tempfile.mkdtemp(prefix="console-browser-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._lines = ExitStack()
        self._profiles: list[str] = []
        self.port = 0

    @property
    def pid(self) -> int:
        """Of its first process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        program = chromium()
        assert program is not None
        width, height = self._size
        self._process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", f"--window-size={width},{height}", "--remote-debugging-port=0",
                *(("--ignore-certificate-errors",) if self._trusting else ()),
                f"--user-data-dir={self._folder}", "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self._folder)},
        )  # fmt: skip
        told = self._folder / "DevToolsActivePort"
        end_s = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < end_s and not (told.exists() and told.read_text().count("\n")):
            if self._process.poll() is not None:
                raise RuntimeError("The browser ended while it started.")
            time.sleep(0.05)
        self.port, path = int(told.read_text().split()[0]), told.read_text().split()[1]
        self._browser = self._line(path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._lines.close()
        self._process.terminate()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _line(self, path: str) -> ClientConnection:
        return self._lines.enter_context(connect(f"ws://127.0.0.1:{self.port}{path}", max_size=None))

    def open(self, address: str) -> Tab:
        """A new tab, in a profile of its own."""
        context = call(self._browser, "Target.createBrowserContext")["browserContextId"]
        self._profiles.append(context)
        width, height = self._size
        wanted = {"url": "about:blank", "browserContextId": context, "width": width, "height": height}
        target = call(self._browser, "Target.createTarget", **wanted)["targetId"]
        line = self._line(f"/devtools/page/{target}")
        about = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        call(line, "Emulation.setDeviceMetricsOverride", **about)
        return Tab(line, address)

    def close_pages(self) -> None:
        """Leave all pages that are open: those whose server has gone ask for it for ever."""
        for profile in self._profiles:
            call(self._browser, "Target.disposeBrowserContext", browserContextId=profile)
        self._profiles.clear()


class Tab:
    """One page as an operator has it."""

    def __init__(self, line: ClientConnection, address: str) -> None:
        self._line = line
        call(line, "Page.enable")
        call(line, "Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """What an expression gives; a promise is awaited."""
        wanted = {"expression": script, "awaitPromise": True, "returnByValue": True}
        done = call(self._line, "Runtime.evaluate", **wanted)
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"])
        return done["result"].get("value")

    def until(self, condition: str, *, within_s: float = 60.0) -> Any:
        """Wait in the page until an expression holds; gives its value."""
        script = f"""new Promise((done, failed) => {{
            const end = performance.now() + {1000 * within_s};
            const look = () => {{
                let value = null;
                try {{ value = {condition}; }} catch (trouble) {{ value = null; }}
                if (value) done(value);
                else if (performance.now() > end) failed(new Error({json.dumps(condition)} + " never held"));
                else setTimeout(look, 20);
            }};
            look();
        }})"""
        try:
            return self.run(script)
        except LeftError:  # for another page: go on waiting there
            return self.run(script)

    def tap(self, selector: str, *, hold_s: float = 0.0) -> None:
        """Press the middle of an element as a finger does, once it can be pressed."""
        found = json.dumps(selector)
        self.until(f"document.querySelector({found}) && !document.querySelector({found}).disabled")
        place = f"""(() => {{
            const node = document.querySelector({found});
            node.scrollIntoView({{ block: "center" }});
            const box = node.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        x, y = self.run(place)
        about = {"x": x, "y": y, "button": "left", "clickCount": 1}
        call(self._line, "Input.dispatchMouseEvent", type="mousePressed", **about)
        if hold_s:
            self.run(f"new Promise((done) => setTimeout(done, {1000 * hold_s}))")
        call(self._line, "Input.dispatchMouseEvent", type="mouseReleased", **about)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """One event of a finger or mouse: ``mousePressed``, ``mouseMoved`` or ``mouseReleased``."""
        about = {"x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        call(self._line, "Input.dispatchMouseEvent", type=kind, **about)

    def key(self, key: str, code: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            call(self._line, "Input.dispatchKeyEvent", type=kind, key=key, code=code)

    def enter(self) -> None:
        """Press Enter, as one who came here by Tab."""
        about = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        call(self._line, "Input.dispatchKeyEvent", type="keyDown", **about)
        call(self._line, "Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter")

    def type(self, selector: str, text: str) -> None:
        """Write into a field and leave it."""
        found = json.dumps(selector)
        self.until(f"document.querySelector({found})")
        self.run(f"document.querySelector({found}).focus()")
        call(self._line, "Input.insertText", text=text)
        self.run("document.activeElement.blur()")

    def before(self, script: str) -> None:
        """Run a script in each page from now on, before its own."""
        call(self._line, "Page.addScriptToEvaluateOnNewDocument", source=script)

    def size(self, width: int, height: int) -> None:
        """Turn the tablet, or take another one."""
        about = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        call(self._line, "Emulation.setDeviceMetricsOverride", **about)

    def paper(self) -> None:
        """Show the page as it is printed."""
        call(self._line, "Emulation.setEmulatedMedia", media="print")

    def go(self, address: str) -> None:
        """Leave this page for another."""
        call(self._line, "Page.navigate", url=address)

    def reload(self) -> None:
        """Load the page again."""
        call(self._line, "Page.reload")

    def picture(self) -> bytes:
        """The page as it looks, as PNG."""
        return base64.b64decode(call(self._line, "Page.captureScreenshot", format="png")["data"])


def call(line: ClientConnection, method: str, **wanted: object) -> dict[str, Any]:
    """One command and its answer; what the browser tells in between is passed over."""
    number = time.monotonic_ns()
    number = number % (1 << 31)
    line.send(json.dumps({"id": number, "method": method, "params": wanted}))
    while True:
        told = json.loads(line.recv(120.0))
        if told.get("id") == number:
            if "navigated" in str(told.get("error")):
                raise LeftError(method)
            if "error" in told:
                raise AssertionError(f"{method}: {told['error']}")
            return told["result"]
