"""A long live session with faults: ``python -m benchmarks.live_soak --minutes 30``.

720p at 30 a second with thermal (and depth) pictures through stand-in cameras, guidance, recording, server
and a page that draws, in a process of its own; gas does not flow, so that no limit of exposure is reached.
Faults come one after the other, each with a while of rest behind it, round and round. Each must be told in
time and be over by itself; nothing else may be told.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.live_faults import KINDS, Kind, Made, make
from benchmarks.live_stand import Stand, looking, standing, ways_s
from benchmarks.soak import resident_mb
from benchmarks.stopwatch import machine, table_of

REST_S = 8.0
"""After a fault: it must be over by then."""
SETTLE_S = 5.0
SILENT_S = 0.5
"""A page that hears nothing for so long alarms by itself."""
BUSY = "No guidance for"
"""Told where the machine itself is too slow."""


@dataclass(frozen=True)
class Row:
    """How things stand after a part of the session; all since the part before."""

    minutes: float
    rate_hz: float
    left_out: int
    resident_mb: float
    processors: float


@dataclass
class Found:
    """What was told of all faults of a kind."""

    times: int = 0
    told_s: list[float] = field(default_factory=list)
    over_s: list[float] = field(default_factory=list)
    missed: int = 0
    """Not told, or not over before the next one."""


def words_of(note: dict[str, Any]) -> set[str]:
    """All that a page is told of trouble at one time."""
    trouble = {str(note["trouble"])} if note.get("trouble") else set[str]()
    unrecorded = {f"RECORDING: {note['unrecorded']}"} if note.get("unrecorded") else set[str]()
    return {*note.get("alarms", ()), *trouble, *unrecorded}


def course(heard: list[dict[str, Any]]) -> list[tuple[float, set[str]]]:
    """What stood from when on."""
    stands: dict[str, Any] = {}
    out: list[tuple[float, set[str]]] = []
    for note in heard:
        stands |= {name: note[name] for name in ("alarms", "trouble", "unrecorded") if name in note}
        words = words_of(stands)
        if not out or out[-1][1] != words:
            out.append((note["at_s"], words))
    return out


def judged(
    made: list[Made], told: list[tuple[float, set[str]]], end_s: float
) -> tuple[dict[str, Found], list[str]]:
    """How each kind of fault was told; and what else was told, with its time."""
    found = {kind.name: Found() for kind in KINDS}
    strange: list[str] = []
    for fault, until_s in zip(made, [*(one.from_s for one in made[1:]), end_s], strict=True):
        one, kind = found[fault.kind.name], fault.kind
        one.times += 1
        first_s = last_s = None
        for (at_s, words), (ends_s, _) in zip(told, [*told[1:], (end_s, set[str]())], strict=True):
            mine = any(belongs(word, kind.told) for word in words)
            if at_s < until_s and ends_s > fault.from_s and mine:
                first_s, last_s = max(at_s, fault.from_s) if first_s is None else first_s, ends_s
            if fault.from_s <= at_s < until_s:
                other = [word for word in words if not belongs(word, (*kind.told, *kind.also, BUSY))]
                strange += [
                    f"{word} ({kind.name}, {at_s - fault.from_s:.1f} s after it began)" for word in other
                ]
        if first_s is not None:
            one.told_s.append(first_s - fault.from_s)
        if last_s is not None:
            one.over_s.append(last_s - fault.to_s)
        one.missed += bool(kind.told) and (first_s is None or last_s is None or last_s >= until_s)
    return found, strange


def belongs(word: str, told: tuple[str, ...]) -> bool:
    """Whether a word is one of those."""
    return any(one in word for one in told)


def run(stand: Stand, *, minutes: float, kinds: tuple[Kind, ...]) -> tuple[list[Made], list[Row]]:
    """Make faults until the time is over."""
    made: list[Made] = []
    rows: list[Row] = []
    part_s = min(60.0, 10.0 * minutes)
    began_s = since_s = time.monotonic()
    steps, left_out, cpu_s = len(stand.t_s), stand.left_out, time.process_time()
    number = 0
    while time.monotonic() - began_s < 60.0 * minutes:
        made.append(make(kinds[number % len(kinds)], stand))
        number += 1
        time.sleep(REST_S)
        now_s = time.monotonic()
        if now_s - since_s >= part_s:
            over_s = now_s - since_s
            rate = (len(stand.t_s) - steps) / over_s
            used = (time.process_time() - cpu_s) / over_s
            more = stand.left_out - left_out
            rows.append(Row((now_s - began_s) / 60.0, rate, more, resident_mb(), used))
            since_s, steps, left_out, cpu_s = now_s, len(stand.t_s), stand.left_out, time.process_time()
    return made, rows


def show(
    console: Console, made: list[Made], rows: list[Row], heard: list[dict[str, Any]], stand: Stand
) -> bool:
    """Print the tables; whether all was as it must be."""
    end_s = time.monotonic()
    found, strange = judged(made, course(heard), end_s)
    out = table_of(
        "Faults", "what", "times", "told after, s: median / most", "aim", "over after, s: most", "missed"
    )
    fine = True
    for kind in KINDS:
        one = found[kind.name]
        if not one.times:
            continue
        told = f"{np.median(one.told_s):.2f} / {max(one.told_s):.2f}" if one.told_s else "nothing"
        over = f"{max(one.over_s):.2f}" if one.over_s else ""
        out.add_row(
            kind.name,
            str(one.times),
            told,
            f"{kind.due_s:g}" if kind.told else "nothing",
            over,
            str(one.missed),
        )
        fine &= not one.missed and max(one.told_s, default=0.0) <= kind.due_s
    console.print(out)
    table = table_of(
        "Along the session", "minute", "captures a second", "left out", "resident, MB", "processors"
    )
    for row in rows:
        cells = f"{row.rate_hz:.1f}", str(row.left_out), f"{row.resident_mb:.0f}", f"{row.processors:.2f}"
        table.add_row(f"{row.minutes:.1f}", *cells)
    console.print(table)
    settled = rows[1:]
    if len(settled) > 2:
        slope = np.polyfit([row.minutes for row in settled], [row.resident_mb for row in settled], 1)[0]
        console.print(f"memory, without the first row: {slope:+.2f} MB a minute", highlight=False)
    ways = ways_s(stand, heard)
    ms = " / ".join(f"{1000.0 * np.percentile(ways, share):.0f}" for share in (50, 95, 99))
    console.print(f"capture to the word of it at the page, p50 / p95 / p99: {ms} ms", highlight=False)
    gaps_s = np.diff([note["at_s"] for note in heard if note["kind"] == "word"])
    slow = sum(BUSY in word for _, words in course(heard) for word in words)
    console.print(
        f"'{BUSY} ...' told {slow} times; longest without a word {gaps_s.max():.2f} s", highlight=False
    )
    for line in strange:
        console.print(f"Told besides: {line}", highlight=False)
    return fine and not strange


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.live_soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", metavar="WORDS", help="only faults whose name has these words")
    parser.add_argument(
        "--folder", type=Path, help="where to record (default: the system's own for such files)"
    )
    options = parser.parse_args()
    kinds = tuple(kind for kind in KINDS if options.only is None or options.only in kind.name)
    console = Console(width=130)
    console.print(machine(), highlight=False)
    console.print(f"load before: {os.getloadavg()[0]:.1f}", highlight=False)
    with tempfile.TemporaryDirectory(dir=options.folder) as name, standing(Path(name)) as stand:
        page_file = Path(name) / "page.jsonl"
        with looking(stand, page_file, name="b" * 32) as page:
            time.sleep(SETTLE_S)
            stand.t_s, stand.arrived_s = stand.t_s[:0], stand.arrived_s[:0]
            made, rows = run(stand, minutes=options.minutes, kinds=kinds)
            heard = page.heard()
        fine = show(console, made, rows, heard, stand)
    console.print(f"load after: {os.getloadavg()[0]:.1f}", highlight=False)
    console.print("All was told in time, and nothing else." if fine else "NOT all was as it must be.")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
