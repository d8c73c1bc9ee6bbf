"""A study with pictures: simulated sessions of many kinds through the product's own step, held against truth.

Every session is drawn at random: subject, zone, evidence of the skin, protocol, sweep, and what is wrong with
rig, cameras and view. Half of them end with the nozzle at rest, so that skin may cross 2 degC. The simulation
is our own (`vision.synthetic`), its limits are in docs/validation.md.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.stopwatch import machine, table_of
from guidance.pipeline import step
from guidance.simulate import Wish, scene_of, setup_of
from guidance.stages.state import begin
from models.geometry import Floats
from models.sightings import NozzleSighting
from vision.synthetic import captures
from vision.synthetic_scene import Cover, Scene
from vision.synthetic_skin import SkinUnderJet

LIMIT_DEGC = 2.0
SECONDS = 9.0
ZONES = ("calf", "knee", "quadriceps", "hamstring", "shoulder", "lumbar", "abdomen", "upper-back")
PROTOCOLS = ("ln2-thermal-shock", "ln2-analgesia", "co2-thermal-shock", "co2-analgesia", "air-analgesia")
BEHIND_DEG = 20.0
"""A camera that looks along the nozzle within this sees few tags, and not the spot."""
NEAR_DEGC = 6.0
"""A session whose skin came nearer to the limit than this is not one that never came near it."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """One session."""

    kind: str
    """How the camera sees the nozzle, and what tells of the skin."""
    lowest_degc: float
    crossed_s: float | None
    stops_s: tuple[float, ...]
    """Starts of the STOPs for temperature."""
    tip_mm: Floats
    tip_inside: Floats
    distance_mm: Floats
    distance_inside: Floats
    lowest_off_degc: Floats
    lowest_inside: Floats
    warned: bool
    """When skin crossed the limit, a STOP or another alarm of high priority stood or had been."""
    entries: int
    """Alarms of medium or high priority, technical ones included."""


def drawn(seed: int) -> Scene:
    """A session drawn at random."""
    rng = np.random.default_rng(seed)
    skin_tags = bool(rng.random() < 0.4)
    wish = Wish(
        zone=str(rng.choice(ZONES)),
        protocol=str(rng.choice(PROTOCOLS)),
        seconds=SECONDS,
        seed=seed,
        skin_tags=skin_tags,
        rest_at_s=float(rng.uniform(2.0, 5.0)) if rng.random() < 0.5 else None,
        tag_placement_mm=float(rng.uniform(0.0, 0.15)),
        focal_error_pct=float(rng.normal(0.0, 0.1)),
        turn_thermal_deg=float(rng.normal(0.0, 0.1)),
        lag_ms=float(rng.normal(0.0, 10.0)),
    )
    scene = scene_of(wish)
    hidden = Cover((int(rng.integers(12)),), share=float(rng.uniform(0.3, 1.0)), from_s=2.0, to_s=4.0)
    sweep = replace(
        scene.sweep,
        distance_mm=scene.sweep.distance_mm * float(rng.uniform(0.85, 1.2)),
        lean_deg=float(rng.uniform(5.0, 40.0)),
        aside_deg=float(rng.uniform(-60.0, 60.0)),
        along_s=float(rng.uniform(2.5, 6.0)),
    )
    body = replace(scene.body, across_mm=scene.body.across_mm * float(rng.uniform(0.9, 1.15)))
    return replace(
        scene,
        body=body,
        sweep=sweep,
        covers=(hidden,),
        motion=replace(scene.motion, breath_mm=float(rng.uniform(0.5, 3.0))),
        thermal_hz=float(rng.choice([9.0, 25.0])),
        thermal_noise_degc=float(rng.uniform(0.04, 0.1)),
        thermal_share=float(rng.uniform(0.0, 0.09)),
        thermal_blur_px=float(rng.uniform(0.5, 0.9)),
        blur_px=float(rng.uniform(0.5, 0.9)),
        exposure_s=float(rng.uniform(0.004, 0.012)),
    )


def run(seed: int) -> Outcome:
    """Play one session and hold what was told against the truth."""
    scene = drawn(seed)
    setup, state, skin = setup_of(scene), begin(), SkinUnderJet(scene)
    tip, distance, lowest = [], [], []
    stops: dict[tuple[str, float], None] = {}
    entries: set[tuple[str, float]] = set()
    crossed_s, least, warned = None, np.inf, False
    for capture, truth in captures(scene):
        state, told = step(state, capture, setup)
        true_degc = float(skin.degc(capture.t_s).min())
        least = min(least, true_degc)
        if crossed_s is None and true_degc <= LIMIT_DEGC:
            crossed_s = capture.t_s
        if isinstance(told.nozzle, NozzleSighting):
            off = float(np.linalg.norm(told.nozzle.tip_rgb_mm - truth.tip_rgb_mm))
            tip.append((off, off <= told.nozzle.tip_u95_mm))
        if told.jet is not None and np.isfinite(truth.distance_mm):
            off = abs(told.jet.distance_mm - truth.distance_mm)
            distance.append((off, off <= told.jet.distance_u95_mm))
        if told.skin_min_degc is not None and told.skin_min_u95_degc is not None:
            off = told.skin_min_degc - true_degc
            lowest.append((off, abs(off) <= told.skin_min_u95_degc))
        for alarm in told.active:
            warned |= alarm.priority == "high" and crossed_s in (None, capture.t_s)
            if alarm.priority != "low":
                entries.add((alarm.cause, alarm.t_on_s))
            if alarm.priority == "high" and "skin_temperature" in alarm.cause:
                stops[alarm.cause, alarm.t_on_s] = None
    off_mm, distances, lows = (np.array(one, float).reshape(-1, 2) for one in (tip, distance, lowest))
    return Outcome(
        kind=f"{_view(scene)}, {'skin tags' if scene.skin_tags else 'depth'}",
        lowest_degc=least,
        crossed_s=crossed_s,
        stops_s=tuple(sorted(t_s for _, t_s in stops)),
        tip_mm=off_mm[:, 0],
        tip_inside=off_mm[:, 1],
        distance_mm=distances[:, 0],
        distance_inside=distances[:, 1],
        lowest_off_degc=lows[:, 0],
        lowest_inside=lows[:, 1],
        warned=warned,
        entries=len(entries),
    )


def _view(scene: Scene) -> str:
    """Whether the nozzle stands between the camera and its own spot."""
    axis = scene.rgb_from_nozzle(0.0).rotation[:, 2]
    return "from behind" if axis[2] > np.cos(np.radians(BEHIND_DEG)) else "from the side"


def table(outcomes: list[Outcome]) -> Table:
    """One row a kind of session, and one for all."""
    out = table_of(
        f"{len(outcomes)} simulated sessions of {SECONDS:g} s with pictures, errors at random",
        "nozzle seen, skin by",
        "sessions",
        "tip p95 mm (inside)",
        "distance p95 mm (inside)",
        "lowest p95 degC, median (inside)",
        "crossed: without STOP, without any high alarm",
        "STOP ahead s: least, median",
        f"stayed above {NEAR_DEGC:g} degC: with STOP",
    )
    kinds = sorted({outcome.kind for outcome in outcomes})
    for kind in (*kinds, "all"):
        these = [outcome for outcome in outcomes if kind in (outcome.kind, "all")]
        out.add_row(kind, *_figures(these))
    return out


def _figures(these: list[Outcome]) -> list[str]:
    tip, distance, lowest = (
        np.concatenate([getattr(one, name) for one in these])
        for name in ("tip_mm", "distance_mm", "lowest_off_degc")
    )
    inside = [
        f"{100.0 * np.concatenate([getattr(one, name) for one in these]).mean():.1f} %"
        for name in ("tip_inside", "distance_inside", "lowest_inside")
    ]
    crossed = [one for one in these if one.crossed_s is not None]
    leads = [one.crossed_s - one.stops_s[0] for one in crossed if one.crossed_s is not None and one.stops_s]
    calm = [one for one in these if one.lowest_degc > NEAR_DEGC]
    return [
        f"{len(these)}",
        f"{np.percentile(tip, 95):.2f} ({inside[0]})",
        f"{np.percentile(distance, 95):.2f} ({inside[1]})" if len(distance) else "not measured",
        f"{np.percentile(np.abs(lowest), 95):.2f}, {np.median(lowest):+.2f} ({inside[2]})",
        f"{len(crossed)}: {len(crossed) - len(leads)}, {sum(not one.warned for one in crossed)}",
        f"{min(leads):.2f}, {np.median(leads):.2f}" if leads else "",
        f"{len(calm)}: {sum(bool(one.stops_s) for one in calm)}",
    ]


def main() -> None:
    """Play sessions and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.pictures", description=__doc__)
    parser.add_argument("--sessions", type=int, default=24, help="how many (default: 24, some 8 minutes)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one (default: 0)")
    parser.add_argument("--each", action="store_true", help="one line a session, too")
    options = parser.parse_args()
    console = Console()
    console.print(machine(), highlight=False)
    seeds = range(options.first, options.first + options.sessions)
    outcomes: list[Outcome] = []
    for seed in track(seeds, description="sessions", console=Console(stderr=True), transient=True):
        outcomes.append(run(seed))
        if options.each:
            one, scene = outcomes[-1], drawn(seed)
            tip, distance, lowest = (
                np.percentile(values, 95) if len(values) else np.nan
                for values in (one.tip_mm, one.distance_mm, np.abs(one.lowest_off_degc))
            )
            console.print(
                f"{seed}: {scene.zone}, {scene.protocol}, {one.kind}, tip {tip:.2f} mm,"
                f" distance {distance:.2f} mm,"
                f" lowest {lowest:.2f} degC off; true lowest {one.lowest_degc:.1f} degC,"
                f" crossed {one.crossed_s}, STOPs {one.stops_s},"
                f" {one.entries} alarms",
                highlight=False,
            )
    console.print(table(outcomes))


if __name__ == "__main__":
    main()
