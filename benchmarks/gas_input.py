"""How soon a gas input is believed, and its faults are told: ``python -m benchmarks.gas_input --times N``.

A thread at the far end of a pseudo-terminal sends lines as a microcontroller would, at 20 a second; the input
is read by its real driver on its own thread, and asked each 2 ms. Needs the extra ``serial``.
"""

from __future__ import annotations

import argparse
import os
import pty
import sys
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from rich.console import Console
from rich.table import Table

from vision.gas_input import GasInput
from vision.gas_serial import SerialText

BEAT_S, LOOK_S, WITHIN_S = 0.05, 0.002, 5.0


def main() -> int:
    """Print a row a change."""
    parser = argparse.ArgumentParser(description="How soon a gas input is believed, and its faults are told.")
    parser.add_argument("--times", type=int, default=20, metavar="N", help="how often (default: 20)")
    times = parser.parse_args().times
    took: dict[str, list[float]] = {}
    for _ in range(times):
        for name, seconds in tried().items():
            took.setdefault(name, []).append(seconds)
    title = f"{times} times, load {os.getloadavg()[0]:.1f}"
    table = Table("change", "median s", "p95 s", "most s", title=title)
    for name, all_s in took.items():
        figures = (np.median(all_s), np.percentile(all_s, 95.0), max(all_s))
        table.add_row(name, *(f"{figure:.3f}" for figure in figures))
    Console().print(table)
    return 0


def tried() -> dict[str, float]:
    """Seconds that each change took to be told, once."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    says, over = [b"0\n"], threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_S):
            with suppress(BlockingIOError):
                os.write(master, says[0])

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    took: dict[str, float] = {}
    with GasInput(SerialText(os.ttyname(slave))) as gas:

        def told(words: bytes, holds: Callable[[], bool]) -> float:
            says[0] = words
            return until(holds)

        told(b"0\n", lambda: gas.state().flows is False)
        took["on"] = told(b"1\n", lambda: gas.state().flows is True)
        took["off"] = told(b"0\n", lambda: gas.state().flows is False)
        took["garbage"] = told(b"x\n", lambda: gas.state().lost)
        told(b"0\n", lambda: gas.state().flows is False)
        took["silence"] = told(b"", lambda: gas.state().lost)
        told(b"0\n", lambda: gas.state().flows is False)
        over.set()
        thread.join()
        os.close(master)
        os.close(slave)
        took["unplugged"] = until(lambda: gas.state().lost)
    return took


def until(holds: Callable[[], bool]) -> float:
    """Seconds until something holds."""
    began_s = time.monotonic()
    while not holds():
        if time.monotonic() - began_s > WITHIN_S:
            raise SystemExit(f"Not told within {WITHIN_S:.0f} s: is the machine too busy?")
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


if __name__ == "__main__":
    sys.exit(main())
