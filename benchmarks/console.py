"""The live console as an operator has it, in a headless Chromium: ``python -m benchmarks.console``.

A tapped session is played as if live through the real server. Measured: captures a second with guidance on
every one, each as soon as the one before is stepped, with a page drawing and without; in real time, from
a capture's arrival to the page's word that it is drawn, and to what a page is told (alarms, sound); what a
screen that takes 400 ms a picture does to another; the browser's share of the processors.

Both ends of each time lie on one clock, in one process: the word of the page has come back over the socket.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.stopwatch import machine
from guidance.live.loop import Replay, Source, Stepped
from guidance.live.pace import Pace
from guidance.live_command import rehearse
from guidance.set_up import set_up
from models.capture import Capture
from models.problems import InputError
from tests.chromium import MISSING, Browser, chromium
from tests.served_console import CALF, Running, Screen, running
from vision.recording import Recording, open_recording

FLAT_OUT = 1000.0
SLOW_S = 0.4
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(eq=False)
class Steps:
    """When captures arrived and steps were done, by session time."""

    arrived_s: dict[float, float] = field(default_factory=dict)
    done_s: list[float] = field(default_factory=list)

    def watch(self, server: Running, *, done: Callable[[], object]) -> None:
        """Note every step from now on, and say when it is done."""
        tell = server.served.console.stepped

        def noted(stepped: Stepped) -> None:
            self.arrived_s[stepped.guidance.t_s] = stepped.arrived_s
            self.done_s.append(time.monotonic())
            done()
            tell(stepped)

        server.served.console.stepped = noted

    @property
    def a_second(self) -> float:
        """Steps a second between the first and the last one."""
        return (len(self.done_s) - 1) / (self.done_s[-1] - self.done_s[0])


class Endless:
    """The captures of a recording, each as soon as the one before was stepped: none is left out."""

    def __init__(self, recording: Recording, pace: Pace) -> None:
        """Goes on after the recording's first gas only when the clock does."""
        self.recording, self.pace = recording, pace
        self.stepped = threading.Semaphore(1)

    def captures(self) -> Iterator[Capture]:
        """Decoded while the step before goes on."""
        for capture in self.recording.captures():
            self.stepped.acquire()
            if not self.pace.wait_until(capture.t_s):
                return
            yield capture

    def close(self) -> None:
        """No more."""
        self.pace.close()
        self.stepped.release()


@contextmanager
def playing(session: Path, *, endless: bool) -> Iterator[tuple[Running, Steps, Screen]]:
    """A session under way; the screen that started it draws nothing and only listens."""
    sources: list[Endless] = []

    def made(recording: Recording, pace: Pace) -> Source:
        sources.append(Endless(recording, pace))
        return sources[0]

    with ExitStack() as stack:
        out = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "report"
        speed, source = (FLAT_OUT, made) if endless else (1.0, Replay)
        server = stack.enter_context(running(out, speed=speed, folder=session, source=source))
        steps = Steps()
        steps.watch(server, done=lambda: [source.stepped.release() for source in sources])
        starter = stack.enter_context(Screen(server, "a" * 32, draws=False))
        starter.go_to("ready")
        steps.arrived_s.clear()
        steps.done_s.clear()
        yield server, steps, starter


def start(starter: Screen) -> list[tuple[float, float]]:
    """Start, and listen to the end: session time and real time of each word about it."""
    heard: list[tuple[float, float]] = []
    starter.say("start")
    starter.until(phase="running")
    while starter.state["phase"] == "running":
        starter.hear()
        heard.append((starter.state["t_s"], time.monotonic()))
    return heard


def browser_s(browser: Browser) -> float:
    """Processor seconds of a browser and all its processes so far."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = (int(fields[11]) + int(fields[12])) / TICKS
    total = 0.0
    for process in used:
        at: int | None = process
        while at is not None and at != browser.pid:
            at = parents.get(at)
        total += used[process] if at is not None else 0.0
    return total


def milliseconds(seconds: list[float], *shares: float) -> str:
    """Percentiles in ms."""
    return " / ".join(f"{1000.0 * np.percentile(seconds, share):.0f}" for share in shares)


def measured(session: Path) -> Table:
    """All of it, one row each."""
    table = Table(title=f"console, {session.name}", title_justify="left")
    for heading in ("what", "measured"):
        table.add_column(heading)
    recording = open_recording(session)
    rehearse(recording, set_up(recording))
    with playing(session, endless=True) as (_, steps, starter):
        start(starter)
    table.add_row("captures a second with guidance, none left out, no page", f"{steps.a_second:.1f}")
    with ExitStack() as stack:
        browser = stack.enter_context(Browser())
        with playing(session, endless=True) as (server, steps, starter):
            tab = browser.open(f"http://{server.host}/")
            tab.until("document.querySelector('#clock').textContent.includes(':0')")
            before_s, began_s = browser_s(browser), time.monotonic()
            server.served.console.latencies_s.clear()
            start(starter)
            share = (browser_s(browser) - before_s) / (time.monotonic() - began_s)
            drawn = len(server.served.console.latencies_s) / (steps.done_s[-1] - steps.done_s[0])
        table.add_row("the same with one page drawing", f"{steps.a_second:.1f}, drawn {drawn:.1f} a second")
        table.add_row("processors the browser takes meanwhile", f"{share:.2f}")
        with playing(session, endless=False) as (server, steps, starter):
            tab = browser.open(f"http://{server.host}/")
            tab.until("document.querySelector('#clock').textContent.includes(':0')")
            before_s, began_s = browser_s(browser), time.monotonic()
            server.served.console.latencies_s.clear()
            heard = start(starter)
            share = (browser_s(browser) - before_s) / (time.monotonic() - began_s)
            drawn_s, latest = list(server.served.console.latencies_s), server.served.desk.latest
        table.add_row("real time: captures, drawn", f"{len(steps.done_s)}, {len(drawn_s)}")
        table.add_row("pictures left out", str(latest.left_out if latest is not None else None))
        table.add_row("capture to drawn, p50 / p95 / p99, ms", milliseconds(drawn_s, 50, 95, 99))
        told = [at_s - steps.arrived_s[t_s] for t_s, at_s in first_words(heard) if t_s in steps.arrived_s]
        table.add_row(
            "capture to word of it (alarms, sound), p50 / p95 / p99, ms", milliseconds(told, 50, 95, 99)
        )
        table.add_row("processors the browser takes", f"{share:.2f}")
    quick, slow = beside_a_slow_one(session)
    table.add_row(
        f"pictures a second: quick screen, one of {1000 * SLOW_S:.0f} ms", f"{quick:.1f}, {slow:.1f}"
    )
    return table


def first_words(heard: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The first word about each session time."""
    first: dict[float, float] = {}
    for t_s, at_s in heard:
        first.setdefault(t_s, at_s)
    return list(first.items())


def beside_a_slow_one(session: Path) -> tuple[float, float]:
    """Pictures a second of a screen that draws at once, beside one that takes `SLOW_S` for each."""
    counts = {"quick": 0, "slow": 0}
    with playing(session, endless=False) as (server, steps, starter):

        def look(name: str, ident: str, lasts_s: float) -> None:
            due: list[tuple[float, int]] = []
            with Screen(server, ident, draws=False) as screen:
                while screen.state.get("phase") not in ("stopped", "done"):
                    before = len(screen.pictures)
                    screen.hear()
                    if len(screen.pictures) > before:
                        number = screen.pictures[-1][0]["number"]
                        counts[name] += 1
                        due.append((time.monotonic() + lasts_s, number))
                    while due and due[0][0] <= time.monotonic():
                        screen.say("drawn", number=due.pop(0)[1])

        threads = [
            threading.Thread(target=look, args=("quick", "c" * 32, 0.0)),
            threading.Thread(target=look, args=("slow", "d" * 32, SLOW_S)),
        ]
        for thread in threads:
            thread.start()
        start(starter)
        for thread in threads:
            thread.join()
        lasted_s = steps.done_s[-1] - steps.done_s[0]
    return counts["quick"] / lasted_s, counts["slow"] / lasted_s


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.console", description=__doc__)
    parser.add_argument("session", nargs="?", type=Path, default=CALF, metavar="SESSION")
    options = parser.parse_args()
    console = Console()
    if chromium() is None:
        console.print(f"benchmarks.console {MISSING}.")
        return 2
    console.print(machine(), highlight=False)
    console.print(f"load before: {os.getloadavg()[0]:.1f}", highlight=False)
    try:
        console.print(measured(options.session))
    except InputError as problem:
        console.print(str(problem))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
