"""What recording costs and what a killed program loses: ``python -m benchmarks.recording SESSION``.

The first captures of a session are stepped through once; their pictures, sightings and guidance are then
handed to the recorder at 30 a second, in real time, as a live session would. The sample sessions have about
one thermal picture a capture, so that the recorder gets about 25 of them a second.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from mcap.records import Channel, Message
from rich.console import Console
from rich.table import Table

from benchmarks.soak import there_and_back
from benchmarks.stopwatch import machine
from guidance.pipeline import step
from guidance.recording.recorder import Manifest, Recorder
from guidance.seen import seen_in
from guidance.session import Guidance
from guidance.set_up import set_up
from guidance.stages.state import Setup, begin
from models.capture import Capture
from models.problems import InputError
from models.sightings import Seen
from vision.mcap_file import read_records
from vision.mcap_recording import open_mcap
from vision.source import open_source

HZ = 30.0
KEPT = 60
"""Captures that are kept: 165 MB at 720p."""

Step = tuple[Capture, Seen, Guidance]


def stepped(session: Path) -> tuple[Setup, list[Step]]:
    """The first captures of a session (its outline tapped) with what was seen and told."""
    source = open_source(session)
    setup, steps = set_up(source), list[Step]()
    state = begin()
    for capture in itertools.islice(source.captures(), KEPT):
        state, guidance = step(state, capture, setup)
        steps.append((capture, seen_in(state, capture, guidance), guidance))
    return setup, steps


def on_and_on(steps: list[Step]) -> Iterator[Step]:
    """The steps there and back for ever, on a clock of `HZ`."""
    by_number = {capture.index: (seen, guidance) for capture, seen, guidance in steps}
    for number, capture in enumerate(there_and_back([capture for capture, _, _ in steps])):
        seen, guidance = by_number[capture.index]
        t_s = number / HZ
        moved = replace(
            capture,
            t_s=t_s,
            thermal=tuple(replace(one, t_s=one.t_s - capture.t_s + t_s) for one in capture.thermal),
            depth=tuple(replace(one, t_s=one.t_s - capture.t_s + t_s) for one in capture.depth),
        )
        yield moved, seen, replace(guidance, t_s=t_s)


def in_real_time(recorder: Recorder, steps: list[Step], *, seconds: float, told: bool = False) -> list[float]:
    """Hand steps over at `HZ`; seconds that each call took."""
    took_s: list[float] = []
    wait, began_s = threading.Event(), time.perf_counter()
    for capture, seen, guidance in on_and_on(steps):
        if capture.t_s > seconds:
            return took_s
        wait.wait(max(0.0, began_s + capture.t_s - time.perf_counter()))
        before_s = time.perf_counter()
        recorder.take(capture, seen, guidance)
        took_s.append(time.perf_counter() - before_s)
        if told:
            print(f"{capture.t_s!r}", flush=True)
    return took_s


def cost(console: Console, setup: Setup, steps: list[Step], folder: Path, *, seconds: float) -> None:
    """Size, time and what was left out."""
    path = folder / "cost.mcap"
    recorder = Recorder(path, Manifest(setup))
    cpu_s = time.process_time()
    took_s = in_real_time(recorder, steps, seconds=seconds)
    status = recorder.close()
    cpu_s = time.process_time() - cpu_s
    minutes = len(took_s) / HZ / 60.0
    table = Table(title=f"Recording {len(took_s)} captures at {HZ:.0f} a second", title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_row("file, MB a minute", f"{path.stat().st_size / 1e6 / minutes:.1f}")
    for topic, size in sizes(path).most_common():
        table.add_row(f"  of it {topic} before compression", f"{size / 1e6 / minutes:.1f}")
    table.add_row("taking a capture, p99, ms", f"{1000.0 * np.percentile(took_s, 99):.2f}")
    table.add_row("processor time, % of one core", f"{100.0 * cpu_s / (len(took_s) / HZ):.0f}")
    table.add_row("pictures left out", str(status.pictures_left_out))
    table.add_row("captures lost", str(status.captures_lost))
    path.unlink()
    recorder = Recorder(path, Manifest(setup))
    began_s, count = time.perf_counter(), 300
    for capture, seen, guidance in itertools.islice(on_and_on(steps), count):
        recorder.take(capture, seen, guidance, patient=True)
    recorder.close()
    table.add_row("as fast as it goes, captures a second", f"{count / (time.perf_counter() - began_s):.0f}")
    console.print(table)


def sizes(path: Path) -> Counter[str]:
    """Bytes of each topic before compression."""
    topics: dict[int, str] = {}
    found: Counter[str] = Counter()
    for record in read_records(path):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Message):
            found[topics[record.channel_id]] += len(record.data)
    return found


def killed(console: Console, session: Path, folder: Path, *, times: int) -> None:
    """Kill a program that records in real time, and look how much is missing."""
    lost_s = [
        killed_once(session, folder / f"{k}.mcap", random.Random(k).randint(20, 60)) for k in range(times)
    ]
    console.print(
        f"Lost after kill -9, {times} times: median {np.median(lost_s):.2f} s, most {max(lost_s):.2f} s"
        " (from the last capture that was handed over to the last one in the file)",
        highlight=False,
    )


def killed_once(session: Path, path: Path, after: int) -> float:
    """Seconds that are missing."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.recording", str(session), "--write", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    handed = [writer.stdout.readline() for _ in range(after)]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait(timeout=20)
    handed += writer.stdout.readlines()
    return float(handed[-1]) - open_mcap(path).duration_s


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.recording", description=__doc__)
    parser.add_argument("session", type=Path, metavar="SESSION")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        setup, steps = stepped(options.session)
        if options.write is not None:
            in_real_time(Recorder(options.write, Manifest(setup)), steps, seconds=60.0, told=True)
            return 0
        console = Console()
        console.print(machine(), highlight=False)
        with tempfile.TemporaryDirectory() as folder:
            cost(console, setup, steps, Path(folder), seconds=options.seconds)
            killed(console, options.session, Path(folder), times=options.kills)
    except InputError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
