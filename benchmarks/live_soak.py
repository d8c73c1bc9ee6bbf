"""A long live session with faults: ``python -m benchmarks.live_soak --minutes 30``.

720p at 30 a second with thermal and depth pictures through stand-in cameras, guidance, recording, server and
a page that draws, in a process of its own. A treatment goes round and round (`benchmarks.live_gas`): gas,
pauses, STOPs and what else comes of it, acknowledged by an operator in a process of his own. Faults come one
after the other, each with a while of rest behind it. Each must be told in time and be over by itself; beside
what the treatment itself gives reason for nothing else may be told. At the end the report is written, and the
recording read again: does it tell what it lacks? Memory must not grow (`benchmarks.live_memory`).

What was recorded (0.2 GB a minute) is deleted at the end unless ``--keep`` names a folder for it.
``--disk-mb`` gives the recording a disk of its own in memory, really full where a disk is to be full.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.live_end import SILENT_MOST_S, Ending, Found, end, recording_found
from benchmarks.live_faults import KINDS, Kind, Made, make
from benchmarks.live_gas import CYCLE_S, GAS_S, treatment_round
from benchmarks.live_judged import BUSY, Told, course, judged, treated
from benchmarks.live_memory import Memory, Slope, in_use_mb, objects
from benchmarks.live_stand import CONTROLLER, LookingPage, Stand, beside, looking, standing, ways_s
from benchmarks.soak import resident_mb
from benchmarks.stopwatch import machine, table_of

REST_S = 8.0
"""After a fault: it must be over by then."""
SETTLE_S = 5.0
PART_S = 60.0
RECORDED_BYTES_MIN = 220e6
"""At 30 captures a second (`docs/recording.md` has 198 MB), and a reserve."""
RATE_LEAST_HZ = 20.0
"""The aim for captures a second."""


@dataclass(frozen=True)
class Row:
    """How things stand after a part of the session; all since the part before."""

    minutes: float
    rate_hz: float
    left_out: int
    resident_mb: float
    in_use_mb: float
    """Of it, what was asked of the allocator and not freed."""
    processors: float
    load: float

    @property
    def cells(self) -> tuple[str, ...]:
        """As shown."""
        return (
            f"{self.minutes:.1f}",
            f"{self.rate_hz:.1f}",
            str(self.left_out),
            f"{self.resident_mb:.0f}",
            f"{self.in_use_mb:.1f}",
            f"{self.processors:.2f}",
            f"{self.load:.1f}",
        )


HEADINGS = "minute", "captures a second", "left out", "resident, MB", "in use, MB", "processors", "load"


def schedule(kinds: tuple[Kind, ...]) -> Iterator[Kind]:
    """Faults in their order, round and round."""
    for number in itertools.count():
        yield from (kind for kind in kinds if number % kind.each == 0)


def run(
    stand: Stand, *, minutes: float, kinds: tuple[Kind, ...], tell: Callable[[Row], None]
) -> tuple[list[Made], list[Row]]:
    """Make faults until the time is over."""
    made: list[Made] = []
    rows: list[Row] = []
    began_s = since_s = time.monotonic()
    steps, left_out, cpu_s = len(stand.t_s), stand.left_out, time.process_time()
    for kind in schedule(kinds):
        if time.monotonic() - began_s + kind.lasts_s + REST_S > 60.0 * minutes and made:
            break
        made.append(make(kind, stand))
        time.sleep(REST_S)
        now_s = time.monotonic()
        if now_s - since_s >= PART_S:
            over_s = now_s - since_s
            rows.append(
                Row(
                    (now_s - began_s) / 60.0,
                    (len(stand.t_s) - steps) / over_s,
                    stand.left_out - left_out,
                    resident_mb(),
                    in_use_mb(),
                    (time.process_time() - cpu_s) / over_s,
                    os.getloadavg()[0],
                )
            )
            tell(rows[-1])
            since_s, steps, left_out, cpu_s = now_s, len(stand.t_s), stand.left_out, time.process_time()
    return made, rows


def show_faults(console: Console, stand: Stand, made: list[Made], told: Told, *, end_s: float) -> list[str]:
    """Print what was told of the faults; what was not as it must be."""
    arrived_s = np.array(stand.arrived_s)
    found, strange = judged(made, told, end_s)
    wrong = [f"Told besides: {line}" for line in strange]
    columns = "what", "times", "told after, s: median / most", "aim", "over after, s: most", "missed"
    out = table_of("Faults", *columns, "captures a second then")
    for kind in KINDS:
        one = found[kind.name]
        if not one.times:
            continue
        words = f"{np.median(one.told_s):.2f} / {max(one.told_s):.2f}" if one.told_s else "nothing"
        over = f"{max(one.over_s):.2f}" if one.over_s else ""
        due = f"{kind.due_s:g}" if kind.told else "nothing"
        spans = [(fault.from_s, fault.to_s) for fault in made if fault.kind.name == kind.name]
        steps = sum(int(((arrived_s >= a) & (arrived_s < b)).sum()) for a, b in spans)
        rate_hz = steps / sum(b - a for a, b in spans)
        out.add_row(kind.name, str(one.times), words, due, over, str(one.missed), f"{rate_hz:.1f}")
        if one.missed:
            wrong.append(f"{kind.name}: not told, or not over in time, {one.missed} of {one.times} times.")
        if (late_s := max(one.told_s, default=0.0)) > kind.due_s:
            wrong.append(f"{kind.name}: told after {late_s:.2f} s ({kind.due_s:g} s are the aim).")
    console.print(out)
    return wrong


def show_session(
    console: Console, stand: Stand, page: LookingPage, taps: list[str], rows: list[Row], grown: Slope
) -> list[str]:
    """Print how the session went; what was not as it must be."""
    table = table_of("Along the session", *HEADINGS)
    for row in rows:
        table.add_row(*row.cells)
    console.print(table)
    heard = page.heard()
    told = course(heard)
    counts = ", ".join(f"{name} {count}" for name, count in treated(told).most_common())
    taken = ", ".join(f"{do} {taps.count(do)}" for do in sorted(set(taps)))
    state = stand.server.served.run.state
    ways = ways_s(stand, heard)
    ms = " / ".join(f"{1000.0 * np.percentile(ways, share):.0f}" for share in (50, 95, 99))
    gaps_s = np.diff([note["at_s"] for note in heard if note["kind"] == "word"])
    slow = sum(BUSY in word for _, words in told for word in words)
    for line in (
        f"gas for {state.gas_total_s:.0f} s, of them {state.unassigned_s:.1f} s unassigned; taps: {taken}",
        f"alarms of the treatment itself: {counts or 'none'}",
        f"capture to the word of it at the page, p50 / p95 / p99: {ms} ms",
        f"'{BUSY} ...' told {slow} times; longest without a word {gaps_s.max():.2f} s",
        grown.words,
    ):
        console.print(line, highlight=False)
    wrong = [] if grown.fine else [f"Memory grows: {grown.words}."]
    rate_hz = float(np.median([row.rate_hz for row in rows])) if rows else RATE_LEAST_HZ
    if rate_hz < RATE_LEAST_HZ:
        wrong.append(f"{rate_hz:.1f} captures a second ({RATE_LEAST_HZ:g} are the aim).")
    return wrong


def show_end(console: Console, ending: Ending, found: Found) -> list[str]:
    """Print how it ended; what was not as it must be."""
    table = table_of("Its end", "what", "measured")
    for row in (*ending.rows, *found.told):
        table.add_row(*row)
    console.print(table)
    late = ending.silent_s > SILENT_MOST_S
    words = f"The page heard nothing for {ending.silent_s:.2f} s while the report was made."
    return [*found.wrong, *([words] if late else [])]


@contextmanager
def own_disk(at: Path, *, mb: int | None) -> Iterator[Path | None]:
    """A disk in memory, of a size of its own; None where none is wanted."""
    if mb is None:
        yield None
        return
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mb}m", "tmpfs", str(at)]
    if subprocess.run(mount, check=False).returncode:
        raise SystemExit("benchmarks.live_soak: --disk-mb needs the right to mount; leave it out.")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=False)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.live_soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", metavar="WORDS", help="only faults whose name has these words")
    parser.add_argument("--folder", type=Path, help="where to record (default: the system's own place)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new one, for recording and report")
    parser.add_argument("--disk-mb", type=int, metavar="MB", help="size of a disk for the recording alone")
    parser.add_argument("--objects", action="store_true", help="tell which objects have become more")
    options = parser.parse_args()
    kinds = tuple(kind for kind in KINDS if options.only is None or options.only in kind.name)
    if not kinds:
        parser.error(f"no fault has '{options.only}' in its name")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was recorded goes then, too
    console = Console(width=140)
    console.print(machine(), highlight=False)
    console.print(
        f"load before: {os.getloadavg()[0]:.1f}; drawing what the cameras show ...", highlight=False
    )
    with ExitStack() as stack:
        if options.keep is not None:
            options.keep.mkdir(parents=True)
            folder = options.keep
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        disk = stack.enter_context(own_disk(folder / "disk", mb=options.disk_mb))
        free, wanted = shutil.disk_usage(disk or folder).free, options.minutes * RECORDED_BYTES_MIN
        if free < wanted:
            words = (
                f"{free / 1e9:.1f} GB are free for {wanted / 1e9:.1f} GB: give --folder, or fewer --minutes."
            )
            print(f"benchmarks.live_soak: {words}", file=sys.stderr)
            return 2
        played = treatment_round()
        stand = stack.enter_context(standing(folder, played=played, record=disk))
        stand.disk = disk
        page = stack.enter_context(looking(stand, folder / "page.jsonl", name="b" * 32))
        taps = folder / "taps.jsonl"
        cycle = str(taps), str(played.began_s), str(CYCLE_S), str(GAS_S)
        time.sleep(SETTLE_S)
        stand.t_s, stand.arrived_s = stand.t_s[:0], stand.arrived_s[:0]

        def tell(row: Row) -> None:
            words = zip(HEADINGS, row.cells, strict=True)
            console.print("; ".join(f"{name} {cell}" for name, cell in words), highlight=False)

        with (
            beside("benchmarks.live_operator", stand.server.host, CONTROLLER, *cycle),
            Memory() as memory,
        ):
            before = objects() if options.objects else None
            made, rows = run(stand, minutes=options.minutes, kinds=kinds, tell=tell)
            grown = memory.slope()
            end_s = time.monotonic()
            if before is not None:
                more = [one for one in (objects() - before).most_common(12) if one[1] > 100]
                console.print(f"objects more than at the beginning: {more}", highlight=False)
        told = course(page.heard())
        tapped = [line.split('"')[-2] for line in taps.read_text().split("\n")[:-1]]
        wrong = show_session(console, stand, page, tapped, rows, grown)
        wrong += show_faults(console, stand, made, [one for one in told if one[0] < end_s], end_s=end_s)
        ending = end(stand)
        wrong += show_end(console, ending, recording_found(stand.recording, ending.summary))
        if options.keep is not None:
            console.print(f"kept: {folder}", highlight=False)
    console.print(f"load after: {os.getloadavg()[0]:.1f}", highlight=False)
    for line in wrong:
        console.print(f"WRONG: {line}", highlight=False)
    console.print("NOT all was as it must be." if wrong else "All was as it must be.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
