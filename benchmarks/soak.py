"""A long session: what a capture costs and how much memory is held, minute by minute.

A recording is played over and over with its clock running on, through the same `step` and one state, so that
whatever grows with a session's length shows. Where the recording starts anew, nozzle and body jump back to
where they began: the step finds them again, as after any sudden move. ``make soak`` runs half an hour, ``make
bench`` a minute.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from guidance import pipeline
from guidance.analyse import needs_eyes, set_up
from guidance.state import begin
from models.capture import Capture
from models.problems import InputError
from vision.landmarks import BodyEyes
from vision.recording import Recording, open_recording

MINUTE_S = 60.0


def over_and_over(recording: Recording, *, to_s: float) -> Iterator[Capture]:
    """Captures of a recording, repeated, all their times shifted on."""
    shift_s = 0.0
    while True:
        last_s = shift_s
        for capture in recording.captures():
            last_s = capture.t_s + shift_s
            if last_s >= to_s:
                return
            yield replace(
                capture,
                t_s=last_s,
                thermal=tuple(replace(picture, t_s=picture.t_s + shift_s) for picture in capture.thermal),
                depth=tuple(replace(picture, t_s=picture.t_s + shift_s) for picture in capture.depth),
            )
        shift_s = last_s + 1.0 / 15.0


def held_mib() -> float:
    """Memory that this process holds in RAM now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / 1024.0
    return float("nan")


def soak(folder: Path, *, minutes: float, models_dir: Path | None, console: Console) -> Table:
    """Run, and give a row for each minute of session (or part of one)."""
    recording = open_recording(folder)
    rows: list[tuple[float, list[float], float]] = []
    with ExitStack() as stack:
        eyes = stack.enter_context(BodyEyes(models_dir=models_dir)) if needs_eyes(recording) else None
        setup = set_up(recording, eyes=eyes)
        state, ms, since_s = begin(), list[float](), 0.0
        every_s = min(MINUTE_S, MINUTE_S * minutes / 4.0)
        for capture in over_and_over(recording, to_s=MINUTE_S * minutes):
            if capture.t_s >= since_s + every_s:
                rows.append((capture.t_s, ms, held_mib()))
                console.print(f"{capture.t_s / MINUTE_S:5.1f} min", end="\r")
                ms, since_s = [], since_s + every_s
            start_s = time.perf_counter()
            state, _ = pipeline.step(state, capture, setup)
            ms.append(1000.0 * (time.perf_counter() - start_s))
        rows.append((MINUTE_S * minutes, ms, held_mib()))
    out = Table(title=f"{folder.name}, over and over for {minutes:g} min of session", title_justify="left")
    for heading in ("up to min", "captures", "step ms p50", "mean", "p99", "held MiB"):
        out.add_column(heading, justify="right")
    shown = rows if len(rows) <= 10 else [rows[k] for k in np.linspace(0, len(rows) - 1, 10).astype(int)]
    for end_s, values, mib in shown:
        p50, p99 = np.percentile(values, [50, 99])
        out.add_row(
            f"{end_s / MINUTE_S:.1f}",
            str(len(values)),
            f"{p50:.1f}",
            f"{np.mean(values):.1f}",
            f"{p99:.1f}",
            f"{mib:.0f}",
        )
    return out


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("session", type=Path, metavar="SESSION")
    parser.add_argument("--minutes", type=float, default=30.0, help="of session (default: 30)")
    parser.add_argument("--models", type=Path, metavar="DIR", help="your own MediaPipe .task bundles")
    options = parser.parse_args()
    console = Console(width=110)
    try:
        console.print(
            soak(options.session, minutes=options.minutes, models_dir=options.models, console=console)
        )
    except InputError as error:
        print(f"benchmarks.soak: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
