"""How often the bounds of ``calibrate radiometry`` hold, and what they are worth in a session; simulated.

``python -m benchmarks.radiometry --cameras 1000 --sessions 3``. Cameras are drawn at random, and so are the
errors of thermometers and emissivities, as wide as their bounds say.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from calibration.radiometry import RadiometryFound, find_radiometry
from guidance.pipeline import step
from guidance.simulate import setup_of
from guidance.stages.state import begin
from models.geometry import Floats
from models.radiometry import SURE
from models.rig import StatedHalo, StatedSpread
from tests.calibration.radiometry_scenes import (
    SKIN_DEGC,
    ErringCamera,
    drawn_camera,
    drawn_reference,
    read_simulated,
)
from vision.synthetic import captures
from vision.synthetic_scene import Errors, Patch, Scene
from vision.synthetic_skin import SkinUnderJet

THERMOMETER_U95_DEGC, CLAIM_DEGC = 0.3, 2.0
WHEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
"""A day before the simulated sessions."""


def calibrated(rng: np.random.Generator, camera: ErringCamera) -> RadiometryFound | str:
    """The camera held against ice and a block."""
    each = [
        drawn_reference(rng, degc, u95_degc=THERMOMETER_U95_DEGC, from_min=4.0 * k)
        for k, degc in enumerate((0.0, 32.0))
    ]
    reads = [read_simulated(camera, before, told) for before, told in each]
    found = find_radiometry(reads, claim_degc=CLAIM_DEGC, now=WHEN)
    return found if isinstance(found, str) or found.refusal is None else found.refusal


def errors_by_bound(
    rng: np.random.Generator, camera: ErringCamera, found: RadiometryFound
) -> Iterator[tuple[str, float]]:
    """Each figure's error as a share of its 95 % bound."""
    stated, u95 = found.stated, SURE * np.sqrt(np.diag(found.stated.covariance))
    # Calibration sees the middle of the picture, half a look after the shutter.
    middle = float(camera.pattern()[25:47, 36:60].mean()) + camera.drift_degc_per_min * 20.0 / 60.0
    seen = (stated.at_degc - camera.offset_degc + 20.0 * camera.gain - middle) / (1.0 + camera.gain)
    yield "offset", (stated.offset_degc - (stated.at_degc - seen)) / u95[0]
    yield "gain", (stated.gain - camera.gain / (1.0 + camera.gain)) / u95[1]
    yield "drift", (stated.drift_degc_per_min - camera.drift_degc_per_min) / u95[2]
    yield from skin_errors(rng, camera, found)


def skin_errors(
    rng: np.random.Generator, camera: ErringCamera, found: RadiometryFound
) -> Iterator[tuple[str, float]]:
    """The error of corrected readings of skin as a share of their 95 % bound."""
    for true in SKIN_DEGC:
        off = camera.off_degc(
            np.array(true),
            t_min=0.0,
            since_min=rng.uniform(0.0, 3.0),
            step_degc=float(rng.normal(0.0, camera.step_degc)),
        )
        read = np.array(true + float(off) + rng.choice(camera.pattern().ravel()))
        left = float(found.fresh.corrected_degc(read)) - true
        yield f"skin of {true:g} degC", left / float(found.fresh.bound_degc(read))


def coverage(console: Console, cameras: int) -> None:
    """How often each bound holds."""
    rng, shares, refused = np.random.default_rng(2), dict[str, list[float]](), Counter[str]()
    bounds: list[tuple[float, ...]] = []
    for n in range(cameras):
        camera = drawn_camera(rng, seed=n)
        found = calibrated(rng, camera)
        if isinstance(found, str):
            refused[found.split(":")[0][:60]] += 1
            continue
        bounds.append(found.skin_u95_degc())
        for name, share in errors_by_bound(rng, camera, found):
            shares.setdefault(name, []).append(share)
    table = Table("of", "95 % bound holds, %", "error / bound, rms", "mean")
    for name, each in shares.items():
        x = np.array(each)
        table.add_row(
            name,
            f"{100.0 * np.mean(np.abs(x) <= 1.0):.1f}",
            f"{np.sqrt(np.mean(x**2)):.2f}",
            f"{x.mean():+.2f}",
        )
    console.print(f"{len(bounds)} of {cameras} cameras accepted")
    console.print(table)
    told = ", ".join(f"{v:.2f}" for v in np.median(bounds, axis=0))
    console.print(f"median bound at {', '.join(f'{t:g}' for t in SKIN_DEGC)} degC: {told} degC")
    for why, count in refused.items():
        console.print(f"refused {count}: {why} ...", highlight=False)


def sessions(console: Console, count: int) -> None:
    """The lowest temperature of sessions with such cameras, by the camera's claim and by calibration."""
    table = Table("session", "rig says", "|error|, mean", "p95", "bound, median", "inside, %")
    for seed in range(count):
        rng = np.random.default_rng([7, seed])
        camera, found = ErringCamera(), "none yet"
        while isinstance(found, str):
            camera = drawn_camera(rng, seed=seed)
            found = calibrated(rng, camera)
        for name, erring, patch, told in (
            ("a camera without error, its claim", ErringCamera(0.0, 0.0, 0.0, step_degc=0.0), None, None),
            ("claim", camera, None, None),
            ("radiometry", camera, None, found),
            ("radiometry and reference", camera, Patch(), found),
        ):
            off, u95 = _lowest(erring, seed, patch, told, float(rng.normal(0.0, erring.step_degc)))
            inside = 100.0 * float(np.mean(np.abs(off) <= u95))
            figures = (np.abs(off).mean(), np.percentile(np.abs(off), 95.0), np.median(u95))
            table.add_row(f"{seed}", name, *(f"{v:.2f}" for v in figures), f"{inside:.0f}")
    console.print(table)


def _lowest(
    camera: ErringCamera, seed: int, patch: Patch | None, found: RadiometryFound | None, step_degc: float
) -> tuple[Floats, Floats]:
    errors = Errors(
        camera_off_degc=camera.offset_degc + 10.0 * camera.gain + step_degc,
        camera_gain=camera.gain,
        camera_drift_degc_s=camera.drift_degc_per_min / 60.0,
    )
    scene = Scene(seconds=4.0, seed=seed, errors=errors, patch=patch)
    setup, state, skin = setup_of(scene), begin(), SkinUnderJet(scene)
    assert setup.rig is not None
    assert setup.rig.thermal is not None
    thermal = replace(
        setup.rig.thermal,
        spread=StatedSpread(0.76, 0.03, StatedHalo(scene.thermal_share, 7.0, 0.01)),
        radiometry=None if found is None else found.stated,
    )
    setup = replace(setup, rig=replace(setup.rig, thermal=thermal))
    off: list[float] = []
    u95: list[float] = []
    for capture, _ in captures(scene):
        state, told = step(state, capture, setup)
        true_degc = float(skin.degc(capture.t_s).min())
        if told.skin_min_degc is not None and told.skin_min_u95_degc is not None:
            off.append(told.skin_min_degc - true_degc)
            u95.append(told.skin_min_u95_degc)
    return np.array(off), np.array(u95)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.radiometry", description=__doc__)
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=3)
    options = parser.parse_args()
    console = Console()
    if options.cameras:
        coverage(console, options.cameras)
    if options.sessions:
        sessions(console, options.sessions)


if __name__ == "__main__":
    main()
