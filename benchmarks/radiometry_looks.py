"""What the looks that calibration's page takes at two references are worth, by camera time; simulated.

``python -m benchmarks.radiometry_looks --cameras 300``. Cameras are those of `benchmarks.radiometry`;
besides, their shutter closes each 20 to 180 s, with a flag or without a word, and all their pixels waver
slowly together. Captures go through the page's own plan and clock, at 4 pictures a second. One that is
refused is looked at again, for the whole time, as the page does. ``--before`` takes
looks of 30 s with pauses of 11 s and counts each as parted by the shutter, as it was until 2026-11-29.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.radiometry import CLAIM_DEGC, THERMOMETER_U95_DEGC, WHEN, skin_errors
from calibration.radiometry import RadiometryFound, find_radiometry
from calibration.recorded_plan import STEPS, Stretch
from calibration.reference_looks import PAUSE_S, RECORDED_PAUSE_S, Look, LookSource, Taken
from calibration.reference_reading import ReferenceRead, Told, read_reference
from calibration.reference_settled import Readings
from calibration.take_clock import TakeClock
from models.capture import Capture, ThermalPicture
from models.geometry import Counts, Floats
from models.radiometry import SURE
from tests.calibration.radiometry_scenes import (
    SIZE,
    SPREAD,
    Before,
    ErringCamera,
    drawn_camera,
    drawn_reference,
)

HZ, CLOSED_S = 4.0, 0.5
WAVER_S = 5.0
"""Slow noise forgets itself in so long."""
CHANGE_S = 60.0
"""To set up the next reference."""
PLAN = STEPS["radiometry"].plan


@dataclass(frozen=True)
class Shutter:
    """When it closes, and what nobody flags."""

    each_s: float
    first_s: float
    flagged: bool
    waver_degc: float
    """Standard deviation of what all pixels do together."""


@dataclass(frozen=True, eq=False)
class Parted(LookSource):
    """Each look counts as parted by the shutter, seen or not."""

    def looks(self) -> Iterator[Look]:
        """One after the other."""
        for k, look in enumerate(super().looks()):
            yield replace(look, closings=k)


def before_plan() -> tuple[Stretch, ...]:
    """Three looks of 30 s, pauses of 11 s."""
    return tuple(
        replace(one, lasts_s=30.0 if one.kept else 11.0, least_s=15.0 if one.kept else None) for one in PLAN
    )


def captures(
    camera: ErringCamera, shown: Before, shutter: Shutter, rng: np.random.Generator, *, from_s: float
) -> Iterator[tuple[float, bool, Floats]]:
    """Time, whether the shutter is closed, and what the camera reads, degC."""
    y, x = np.indices(SIZE).astype(float)
    inside = (np.abs(x - 48.0) <= 24.0) & (np.abs(y - 36.0) <= 22.0)
    scene = np.where(inside, shown.shown_degc, shown.room_degc)
    narrow = cv2.GaussianBlur(scene, (0, 0), camera.blur_px)
    seen = narrow + camera.halo * (cv2.GaussianBlur(scene, (0, 0), 7.0) - narrow) + camera.pattern()
    keeps = np.exp(-1.0 / (HZ * WAVER_S))
    waver, step = rng.normal(0.0, shutter.waver_degc), rng.normal(0.0, camera.step_degc)
    was_closed = False
    for k in range(100_000):
        t_s = from_s + k / HZ
        since_s = (t_s - shutter.first_s) % shutter.each_s
        closed = since_s < CLOSED_S
        if closed and not was_closed:
            step = rng.normal(0.0, camera.step_degc)
        was_closed = closed
        waver = keeps * waver + rng.normal(0.0, shutter.waver_degc) * np.sqrt(1.0 - keeps**2)
        off = camera.off_degc(seen, t_min=30.0, since_min=since_s / 60.0, step_degc=float(step + waver))
        yield t_s, closed, seen + off + rng.normal(0.0, camera.noise_degc, SIZE)


def looked_at(
    camera: ErringCamera,
    shown: Before,
    told: Told,
    shutter: Shutter,
    rng: np.random.Generator,
    *,
    from_s: float,
    before: bool,
    whole: bool,
) -> tuple[ReferenceRead, float]:
    """One reference as the page records it, and the camera time of that."""
    readings, taken = Readings(), list[Taken]()
    settled = (lambda _: False) if before or whole else readings.settled
    clock, t_s = TakeClock(before_plan() if before else PLAN, settled=settled), from_s
    y, x = np.indices(SIZE)
    readings.core = (np.abs(x - 48.0) <= 12.0) & (np.abs(y - 36.0) <= 11.0)
    for now_s, closed, degc in captures(camera, shown, shutter, rng, from_s=from_s):
        t_s, flag = now_s, closed and shutter.flagged
        counts: Counts = np.rint(100.0 * (degc + 273.15)).astype(np.uint16)
        if not flag:
            readings.take(now_s, counts)
        warm = ThermalPicture(now_s, counts, flag)
        kept = clock.look(Capture(now_s, 0, None, (warm,), (), 0.0, False))
        if kept and (
            flag or not closed
        ):  # of a frozen or covered picture a look is the worse, not the better
            taken.append((now_s, flag, partial(_degc, counts)))
        if clock.is_over:
            break
    kind, pause_s = (Parted, PAUSE_S) if before else (LookSource, RECORDED_PAUSE_S)
    source = kind("simulated", SIZE[1], SIZE[0], None, lambda: iter(taken), pause_s)
    read = read_reference(
        source,
        told,
        spread=SPREAD,
        rig_emissivity=told.emissivity,
        room_degc=shown.room_degc,
        room_u95_degc=1.5,
    )
    return read, t_s - from_s


def _degc(counts: Counts) -> NDArray[np.float32]:
    return (counts / 100.0 - 273.15).astype(np.float32)


def calibrated(
    rng: np.random.Generator, camera: ErringCamera, shutter: Shutter, *, before: bool, whole: bool = False
) -> tuple[RadiometryFound | str, list[float]]:
    """The camera held against ice and a block, and the camera time of each."""
    reads: list[ReferenceRead] = []
    spent_s: list[float] = []
    for degc in (0.0, 32.0):
        shown, told = drawn_reference(rng, degc, u95_degc=THERMOMETER_U95_DEGC, from_min=0.0)
        from_s = sum(spent_s) + CHANGE_S * len(spent_s)
        read, took_s = looked_at(camera, shown, told, shutter, rng, from_s=from_s, before=before, whole=whole)
        reads.append(read)
        spent_s.append(took_s)
    found = find_radiometry(reads, claim_degc=CLAIM_DEGC, now=WHEN)
    return (found if isinstance(found, str) or found.refusal is None else found.refusal), spent_s


def errors_by_bound(
    rng: np.random.Generator, camera: ErringCamera, found: RadiometryFound
) -> Iterator[tuple[str, float]]:
    """Each error as a share of its bound: of skin, of the drift, of what the shutter leaves."""
    yield from skin_errors(rng, camera, found)
    drift, drift_u95 = found.stated.drift_degc_per_min, SURE * float(np.sqrt(found.stated.covariance[2, 2]))
    yield "drift", (camera.drift_degc_per_min - drift) / drift_u95
    yield "a step of the shutter", float(rng.normal(0.0, camera.step_degc)) / found.step_u95_degc


def measure(
    console: Console,
    cameras: int,
    *,
    before: bool,
    flagged: bool,
    waver_degc: float,
    first: int,
    step_degc: float | None,
) -> None:
    """One row of cameras: how often their bounds hold, how wide they are, and what they cost."""
    refused = (Counter[str](), Counter[str]())
    shares: dict[str, list[tuple[int, float]]] = {}
    bounds: list[tuple[float, ...]] = []
    spent: tuple[list[float], list[float]] = ([], [])
    seen, told = 0, [0, 0]
    for n in range(first, first + cameras):
        rng = np.random.default_rng([3, flagged, round(1000.0 * waver_degc), n])
        camera = drawn_camera(rng, seed=n)
        if step_degc is not None:
            camera = replace(camera, step_degc=step_degc)
        each_s = float(np.exp(rng.uniform(np.log(20.0), np.log(180.0))))
        shutter = Shutter(each_s, float(rng.uniform(0.0, each_s)), flagged, waver_degc)
        for again in range(1 if before else 2):
            found, spent_s = calibrated(rng, camera, shutter, before=before, whole=again > 0)
            spent[again].extend(spent_s)
            if isinstance(found, str):
                refused[again][_why(found)] += 1
                continue
            told[again] += 1
            seen += found.step_seen
            bounds.append(found.skin_u95_degc())
            for name, share in errors_by_bound(rng, camera, found):
                shares.setdefault(name, []).append((again, share))
            break
    kind = "flagged" if flagged else "not flagged"
    console.print(
        f"shutter {kind}, slow noise {waver_degc:g} degC: {told[0]} of {cameras} accepted at the first try,"
        f" {told[1]} of {cameras - told[0]} at the second; {seen} with the step seen; a reference took"
        f" {_spent(spent[0])}, at the second try {_spent(spent[1])}",
        highlight=False,
    )
    table = Table("of", "bound holds, %", "after a second try", "error / bound, rms", "median bound, degC")
    medians = np.median(bounds, axis=0) if bounds else ()
    for k, (name, each) in enumerate(shares.items()):
        again, x = np.array(each).T
        table.add_row(
            name,
            f"{100.0 * np.mean(np.abs(x) <= 1.0):.1f}",
            f"{np.sum(np.abs(x[again > 0]) <= 1.0)} of {np.sum(again > 0)}",
            f"{np.sqrt(np.mean(x**2)):.2f}",
            f"{medians[k]:.2f}" if k < len(medians) else "",
        )
    console.print(table)
    for words, whys in zip(("first", "second"), refused, strict=True):
        for why, count in whys.items():
            console.print(f"refused {count} at the {words} try: {why} ...", highlight=False)


def _why(found: str) -> str:
    return found.split(":")[0].split("degC")[0].rstrip("0123456789.+- ")


def _spent(spent: list[float]) -> str:
    if not spent:
        return "-"
    low, middle, high = np.percentile(spent, (5, 50, 95))
    return f"{middle:.0f} s (5 to 95 %: {low:.0f} to {high:.0f}, most {max(spent):.0f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.radiometry_looks", description=__doc__)
    parser.add_argument("--cameras", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="seed of the first camera")
    parser.add_argument("--before", action="store_true")
    parser.add_argument("--slow", type=float, nargs="+", default=[0.0, 0.02], metavar="DEGC")
    parser.add_argument(
        "--step", type=float, help="of the shutter, 1 sigma; else as drawn, 0.03 to 0.25 degC"
    )
    parser.add_argument("--shutter", choices=("flagged", "silent", "both"), default="both")
    options = parser.parse_args()
    kinds = {"flagged": (True,), "silent": (False,), "both": (True, False)}[options.shutter]
    for flagged in kinds:
        for waver_degc in options.slow:
            measure(
                Console(width=140),
                options.cameras,
                before=options.before,
                flagged=flagged,
                waver_degc=waver_degc,
                first=options.first,
                step_degc=options.step,
            )


if __name__ == "__main__":
    main()
