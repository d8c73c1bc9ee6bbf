"""What a live session keeps of its promises, in one table: ``python -m benchmarks.live``.

A session with stand-in cameras (720p at 30 a second, thermal at 25) is run with all that it has in use:
guidance, recording, server, pages in processes of their own. Measured: from a capture's arrival to the word
of it at a page (what sounds, which alarms stand); from a camera's end to the word of that; what a slow screen
does to a quick one; what of the processors each takes. Then a recording is replayed from what was seen (the
same to the last bit?) and looked at again picture by picture (how far off are tip and STOPs?).
`benchmarks.recording` has what a killed program loses, `benchmarks.live_soak` long sessions with faults.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.console import browser_s
from benchmarks.live_faults import KINDS, make
from benchmarks.live_judged import belongs, course
from benchmarks.live_stand import Stand, looking, standing, ways_s
from benchmarks.stopwatch import machine
from guidance.recording.replay import inputs, replayed, setup_then
from guidance.run import Run
from guidance.session import Guidance
from guidance.set_up import set_up
from models.sightings import NozzleSighting
from tests.chromium import Browser, chromium
from vision.mcap_recording import open_mcap

MOVING = 60
"""Captures of the session that are played where gas flows: the sweep's first 4 s."""
SLOW_S = 0.4
STOPS = ("colour camera gone and back", "thermal camera gone and back", "colour gap", "thermal stuck")
REST_S = 3.0
SETTLE_S = 3.0


def ms(seconds: list[float], *shares: float) -> str:
    """Percentiles in ms."""
    return " / ".join(f"{1000.0 * np.percentile(seconds, share):.0f}" for share in shares)


def quiet(table: Table, folder: Path, *, seconds: float, times: int) -> None:
    """Words, processors, a camera that ends, a slow screen."""
    with standing(folder) as stand, looking(stand, folder / "quick.jsonl", name="b" * 32) as quick:
        time.sleep(SETTLE_S)
        watched(table, stand, "one page, drawing nothing of its own", seconds, lambda: None)
        alone_hz = pictures_hz(quick.heard(), seconds)
        with looking(stand, folder / "slow.jsonl", name="c" * 32, draws_s=SLOW_S) as slow:
            time.sleep(seconds)
            beside = pictures_hz(quick.heard(), seconds), pictures_hz(slow.heard(), seconds)
        table.add_row("pictures a second at a quick page, alone", f"{alone_hz:.1f}")
        words = f"pictures a second: quick page, one of {1000 * SLOW_S:.0f} ms beside it"
        table.add_row(words, f"{beside[0]:.1f}, {beside[1]:.1f}")
        if chromium() is not None:
            with ExitStack() as stack:
                browser = stack.enter_context(Browser())
                browser.open(f"http://{stand.server.host}/")
                time.sleep(SETTLE_S)
                watched(table, stand, "a page and a browser", seconds, lambda: browser_s(browser))
        for name in STOPS:
            kind = next(one for one in KINDS if one.name == name)
            told_s: list[float] = []
            for _ in range(times):
                made = make(kind, stand)
                time.sleep(REST_S)
                told = [
                    at_s for at_s, words in course(quick.heard()) if any(belongs(w, kind.told) for w in words)
                ]
                told_s += [at_s - made.from_s for at_s in told if at_s > made.from_s][:1]
            what = f"{name}: told after, s, median / most of {len(told_s)} (made {times} times)"
            table.add_row(what, f"{np.median(told_s):.2f} / {max(told_s):.2f}" if told_s else "never")
        heard = quick.heard()
    ways = ways_s(stand, heard)
    words = f"capture to word of it, p50 / p95 / p99, ms, {len(ways)} captures"
    table.add_row(words, ms(ways, 50, 95, 99))


def watched(
    table: Table, stand: Stand, words: str, seconds: float, other_s: Callable[[], float | None]
) -> None:
    """Captures a second and processors for a while."""
    steps, left_out, used_s = len(stand.t_s), stand.left_out, time.process_time()
    before_s, began_s = other_s(), time.monotonic()
    stand.server.served.console.latencies_s.clear()
    time.sleep(seconds)
    over_s = time.monotonic() - began_s
    rate, left_out = (len(stand.t_s) - steps) / over_s, stand.left_out - left_out
    table.add_row(f"captures a second with guidance; pictures left out ({words})", f"{rate:.1f}; {left_out}")
    drawn = list(stand.server.served.console.latencies_s)
    table.add_row("  capture to drawn, p50 / p95 / p99, ms", ms(drawn, 50, 95, 99) if drawn else "none")
    used = (time.process_time() - used_s) / over_s
    table.add_row("  processors: cameras, guidance, recording, server", f"{used:.2f}")
    after_s = other_s()
    if before_s is not None and after_s is not None:
        table.add_row("  processors: browser", f"{(after_s - before_s) / over_s:.2f}")


def pictures_hz(heard: list[dict[str, object]], seconds: float) -> float:
    """Pictures a second within the last seconds that were heard of."""
    at_s = [float(str(note["at_s"])) for note in heard if note["kind"] == "picture"]
    last_s = max(float(str(note["at_s"])) for note in heard)
    return sum(one > last_s - seconds for one in at_s) / seconds


def again(table: Table, folder: Path, *, seconds: float) -> None:
    """A session with gas, replayed from what was seen, and looked at again."""
    with standing(folder, captures=MOVING, gas=True) as stand:
        time.sleep(seconds)
        stand.say("stop", "gas_off")
        time.sleep(1.0)
    live: list[Guidance] = []
    recording = open_mcap(stand.recording, from_sightings=True)
    run = Run(setup_then(recording), recording)
    found = replayed(
        recording, lambda given: kept(live, run.take(given.capture, given.actions, setup=given.setup))
    )
    table.add_row("replayed from what was seen: steps, of them different", f"{len(live)}, {found.differing}")
    pictures = open_mcap(stand.recording, from_sightings=False)
    setup, looked = set_up(pictures), list[Guidance]()
    run = Run(setup, pictures)
    for given in inputs(pictures, setup):
        looked.append(run.take(given.capture, given.actions))
    tips = {one.t_s: one.nozzle.tip_rgb_mm for one in looked if isinstance(one.nozzle, NozzleSighting)}
    off_mm = [
        float(np.linalg.norm(one.nozzle.tip_rgb_mm - tips[one.t_s]))
        for one in live
        if isinstance(one.nozzle, NozzleSighting) and one.t_s in tips
    ]
    seen = sum(isinstance(one.nozzle, NozzleSighting) for one in live)
    words = f"tip from the recorded pictures, p50 / p95 off, mm ({len(off_mm)} of {seen} captures)"
    table.add_row(words, f"{np.percentile(off_mm, 50):.3f} / {np.percentile(off_mm, 95):.3f}")
    then, now = stops(live), stops(looked)
    same = [cause for cause, _ in then] == [cause for cause, _ in now]
    later_s = max((abs(a - b) for (_, a), (_, b) in zip(then, now, strict=False)), default=0.0)
    words = (
        f"{len(then)} and {len(now)}, {'the same' if same else 'NOT the same'}, most {later_s:.2f} s apart"
    )
    table.add_row("STOPs live and from the recorded pictures", words)


def kept(to: list[Guidance], guidance: Guidance) -> Guidance:
    """Keep and pass on."""
    to.append(guidance)
    return guidance


def stops(steps: list[Guidance]) -> list[tuple[str, float]]:
    """Cause and time of each STOP."""
    found = {
        (alarm.cause, alarm.t_on_s)
        for one in steps
        for alarm in (*one.active, *one.ended)
        if alarm.priority == "high" and alarm.kind == "physiological"
    }
    return sorted(found, key=lambda one: (one[1], one[0]))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each part")
    parser.add_argument("--times", type=int, default=5, help="that each camera fails")
    options = parser.parse_args()
    console = Console(width=130)
    console.print(machine(), highlight=False)
    load = os.getloadavg()[0]
    table = Table(title="A live session, 720p at 30 a second with thermal", title_justify="left")
    for heading in ("what", "measured"):
        table.add_column(heading)
    with tempfile.TemporaryDirectory() as name:
        for part in ("quiet", "again"):
            (Path(name) / part).mkdir()
        quiet(table, Path(name) / "quiet", seconds=options.seconds, times=options.times)
        again(table, Path(name) / "again", seconds=options.seconds)
    console.print(table)
    console.print(f"load average before and after: {load:.1f}, {os.getloadavg()[0]:.1f}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
