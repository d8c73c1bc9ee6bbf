"""Every benchmark in one process: ``make bench``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import alarms, exposure, growth, skin, soak, step
from benchmarks.stopwatch import machine
from models.problems import InputError


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("sessions", nargs="+", type=Path, metavar="SESSION")
    options = parser.parse_args()
    console = Console()
    console.print(machine(), highlight=False)
    try:
        for session in options.sessions:
            step.show(console, session, captures=None, peers=True, models_dir=None)
        console.print(exposure.measured())
        console.print(skin.timed())
        console.print(skin.timed_filter())
        alarms.show(console, minutes=30.0, sessions=1, noise=alarms.Noise())
        console.print(growth.measured(options.sessions[0]))
        soak.show(console, options.sessions[0], minutes=1.0)
    except InputError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
