"""Whether five seconds of motion tell a check the time between the cameras, and rightly; drawn hands.

    python -m benchmarks.check_times --checks 200

A hand waves, two cameras see it (`tests.calibration.motion_scenes`): colour at 15 to 30 a second, thermal at 9 or
25, rolled and shifted against each other, stamps off by up to 0.2 s or as the rig says, with jitter; now and then
a picture is lost. Counted is what `calibration.check_parts.time_part_of` would say.
"""  # noqa: E501 # what is typed stays on one line

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from rich.console import Console

from benchmarks.stopwatch import machine
from calibration.check_command import LEAST_S, LIMIT_S, SEARCH_S, STRETCH_S
from calibration.check_parts import time_part_of
from calibration.motion_streams import MotionStream
from calibration.time_offset import TimeFound, find_time
from tests.calibration.motion_scenes import Camera, hand, stream

SECONDS = 5.0
CLOCK_U95_S = 0.01
"""As `calibrate time` leaves it at most."""


def drawn(seed: int, *, off: bool) -> tuple[MotionStream, MotionStream, float]:
    """Five seconds of both streams, and by how much thermal stamps are late."""
    rng = np.random.default_rng([seed, 31])
    late_s = float(rng.uniform(-0.2, 0.2)) if off else float(rng.normal(0.0, CLOCK_U95_S / 1.96))
    colour = Camera(hz=float(rng.uniform(15.0, 30.0)), jitter_s=float(rng.uniform(0.0, 0.004)), dropped=0.02)
    thermal = Camera(
        hz=float(rng.choice([8.7, 25.0])),
        clock_s=late_s,
        jitter_s=float(rng.uniform(0.0, 0.006)),
        dropped=0.02,
        noise=float(rng.uniform(0.02, 0.08)),
        exposure_s=float(rng.uniform(0.005, 0.03)),
        turn=float(rng.normal(0.0, 0.1)),
        shift=(float(rng.normal(0.0, 0.05)), float(rng.normal(0.0, 0.05))),
        ground=float(rng.uniform(0.05, 0.3)),
    )
    path = hand(rng, seconds=SECONDS, reach=float(rng.uniform(0.15, 0.3)), hz=float(rng.uniform(1.2, 2.2)))
    both = [
        MotionStream(name, *stream(camera, path, rng, seconds=SECONDS), 0, 0)
        for name, camera in (("rgb", colour), ("thermal", thermal))
    ]
    return both[0], both[1], late_s


def measure(console: Console, checks: int, *, first: int, off: bool, seconds: float) -> None:
    """What checks say of clocks that are off, or as the rig says."""
    states, silent = Counter[str](), Counter[str]()
    within, bounds, errors, ends = 0, list[float](), list[float](), time.monotonic() + seconds
    done = 0
    for seed in range(first, first + checks):
        if time.monotonic() > ends:
            break
        rgb, thermal, late_s = drawn(seed, off=off)
        found = find_time(
            rgb, thermal, least_s=LEAST_S, limit_s=LIMIT_S, search_s=SEARCH_S, stretch_s=STRETCH_S
        )
        done += 1
        state = time_part_of(found, clock_u95_s=CLOCK_U95_S).state
        states[state] += 1
        if isinstance(found, TimeFound) and found.refusal is None:
            within += abs(found.offset_s + late_s) <= found.u95_s
            bounds.append(1000.0 * found.u95_s)
            errors.append(1000.0 * (found.offset_s + late_s))
        else:
            why = found if isinstance(found, str) else found.refusal or ""
            silent[_plain(why)] += 1
    kind = "off by up to 200 ms" if off else "as the rig says"
    told = (
        f"{within} within their bound (median {np.median(bounds):.1f} ms; off by"
        f" {np.sqrt(np.mean(np.square(errors))):.1f} ms rms, most {np.abs(errors).max():.1f})"
        if bounds
        else "none"
    )
    console.print(f"clock {kind}: {len(bounds)} of {done} told a time, {told}", highlight=False)
    console.print(f"  states: {dict(states)}", highlight=False)
    for why, count in silent.most_common():
        console.print(f"  {count} silent: {why}", highlight=False)


def _plain(why: str) -> str:
    """Without figures, so that reasons can be counted."""
    return "".join(c for c in why if not c.isdigit())[:70]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.check_times", description=__doc__)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first check")
    parser.add_argument("--seconds", type=float, default=1e9, help="end each of the two rows after so long")
    options = parser.parse_args()
    console = Console(width=140)
    console.print(machine(), highlight=False)
    for off in (True, False):
        measure(console, options.checks, first=options.first, off=off, seconds=options.seconds)


if __name__ == "__main__":
    main()
