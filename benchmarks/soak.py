"""Cost per capture and memory over a long session: ``make soak``, or ``python -m benchmarks.soak SESSION``.

The first captures of a recording are kept in memory and played forwards and backwards in turn, with a clock
that only goes on: nothing jumps where a pass ends. Each picture keeps its lag behind its capture.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.stopwatch import machine, table_of
from guidance.pipeline import step
from guidance.set_up import needs_eyes, set_up
from guidance.stages.state import begin
from models.capture import Capture
from models.problems import InputError
from vision.landmarks import BodyEyes
from vision.recording import open_recording

KEPT = 120
"""Captures that are kept: 8 s at 15 a second, 330 MB at 720p."""


def there_and_back(captures: list[Capture]) -> Iterator[Capture]:
    """The captures forwards, backwards, forwards ... for ever, on one clock that only advances."""
    t_s, last = captures[0].t_s, 0
    yield captures[0]
    once = [*range(1, len(captures)), *range(len(captures) - 2, -1, -1)]
    for number in itertools.cycle(once):
        dt_s = abs(captures[number].t_s - captures[last].t_s)
        t_s, last = t_s + dt_s, number
        capture = captures[number]
        shift_s = t_s - capture.t_s
        yield replace(
            capture,
            t_s=t_s,
            thermal=tuple(replace(picture, t_s=picture.t_s + shift_s) for picture in capture.thermal),
            depth=tuple(replace(picture, t_s=picture.t_s + shift_s) for picture in capture.depth),
            gas_s=dt_s if capture.gas_now else 0.0,
        )


def resident_mb() -> float:
    """Memory of this process now; NaN where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def show(console: Console, folder: Path, *, minutes: float) -> None:
    """Run and print a row a minute of session time (at least six rows), and the slopes."""
    recording = open_recording(folder)
    kept = list(itertools.islice(recording.captures(), KEPT))
    part_s = min(60.0, 10.0 * minutes)
    rows: list[tuple[float, float, float, float, float]] = []
    with ExitStack() as stack:
        eyes = stack.enter_context(BodyEyes()) if needs_eyes(recording) else None
        setup, state = set_up(recording, eyes=eyes), begin()
        ms: list[float] = []
        for capture in there_and_back(kept):
            start_s = time.perf_counter()
            state, _ = step(state, capture, setup)
            ms.append(1000.0 * (time.perf_counter() - start_s))
            if capture.t_s >= (len(rows) + 1) * part_s:
                end_min = (len(rows) + 1) * part_s / 60.0
                rows.append((end_min, *np.percentile(ms, [50, 95]), float(np.mean(ms)), resident_mb()))
                ms.clear()
            if capture.t_s >= 60.0 * minutes:
                break
    columns = ("p50 ms", "p95 ms", "mean ms", "resident MB")
    out = table_of(f"{folder.name}, played there and back for {minutes:g} min", "up to min", *columns)
    for end_min, p50, p95, mean, mb in rows:
        out.add_row(f"{end_min:.2f}", f"{p50:.2f}", f"{p95:.2f}", f"{mean:.2f}", f"{mb:.0f}")
    console.print(out)
    settled = np.array(rows[1:])  # the first part compiles and places the zone
    if len(settled) > 2:
        ms_slope, mb_slope = (np.polyfit(settled[:, 0], settled[:, column], 1)[0] for column in (1, 4))
        told = f"slope without the first row: {ms_slope:+.3f} ms and {mb_slope:+.2f} MB a minute"
        console.print(told, highlight=False)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("session", type=Path, metavar="SESSION")
    parser.add_argument("--minutes", type=float, default=30.0, help="session time")
    options = parser.parse_args()
    console = Console()
    console.print(machine(), highlight=False)
    try:
        show(console, options.session, minutes=options.minutes)
    except InputError as error:
        print(f"benchmarks.soak: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
