"""The jet's calibration on drawn jets and devices: is the heat flow right, do the bounds hold.

    python -m benchmarks.jet --jets 8

Bursts at three distances go through the simulated thermal camera (lens, halo, its own error, noise); poses of
the nozzle are as wrong as their bound says. Each jet is solved with a rig that states spread and temperatures
of the camera, and with one that does not.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from rich.console import Console

from benchmarks.stopwatch import machine, table_of
from calibration.burst import HALF_FIELD_MM, SPACING_MM, Burst, spot_temperatures
from calibration.jet import JetFound, find_jet, flow_w_m2
from models.capture import ThermalPicture
from models.catalogue import load_devices
from models.geometry import Floats, Pose
from models.radiometry import StatedRadiometry, calibrated_at
from models.rig import Rig, StatedHalo, StatedSpread
from models.sightings import NozzleSighting
from vision.synthetic_rig import stated_rig
from vision.synthetic_scene import Body, Errors, Motion, Scene, Sweep, TrueJet
from vision.synthetic_skin import CONDUCTS_W_MK, HOLDS_J_M3K
from vision.synthetic_studio import Studio

EFFUSIVITY = float(np.sqrt(CONDUCTS_W_MK * HOLDS_J_M3K))
"""Of the simulator's skin."""
STARTED = datetime(2026, 11, 28, 12, tzinfo=UTC)
DEVICES = ("ln2-wand", "co2", "chilled-air")
GAS_S, THERMAL_HZ = 2.5, 10.0


def drawn_jet(rng: np.random.Generator, device: str) -> TrueJet:
    """A jet about as strong as its class, otherwise as different as jets are."""
    film, gas = {"ln2-wand": (170.0, -70.0), "co2": (230.0, -45.0), "chilled-air": (130.0, -25.0)}[device]
    return TrueJet(
        half_mm=float(rng.uniform(5.0, 10.0)),
        spread=float(rng.uniform(0.08, 0.14)),
        film_w_m2k=float(film * np.exp(rng.uniform(-0.3, 0.3))),
        power=float(rng.uniform(0.2, 0.9)),
        gas_degc=float(gas + rng.uniform(-12.0, 12.0)),
    )


def scene_of(jet: TrueJet, device: str, distance_mm: float, *, lean_deg: float, seed: int) -> Scene:
    """The nozzle in a stand over a flat warm surface; the camera reads 1 degC and 1 % too much."""
    return Scene(
        seconds=1.3 + GAS_S,
        seed=seed,
        body=Body(3000.0, 3000.0),
        motion=Motion(breath_mm=0.0, drift_mm_s=(0.0, 0.0, 0.0), turn_deg=0.0),
        sweep=Sweep(
            half_across_mm=0.0, half_along_mm=0.0, distance_mm=distance_mm, lean_deg=lean_deg, tremor_mm=0.3
        ),
        errors=Errors(camera_off_degc=1.0, camera_gain=0.01),
        gas_s=(1.0, 1.0 + GAS_S),
        thermal_hz=THERMAL_HZ,
        jet=jet,
        device=device,
        outline_mm=None,
    )


def knowing(rig: Rig, *, known: bool) -> Rig:
    """The rig with spread and temperatures of its thermal camera calibrated, or as its maker left it."""
    assert rig.thermal is not None
    spread = StatedSpread(0.75, 0.02, StatedHalo(0.09, 7.0, 0.01))
    told = StatedRadiometry(
        STARTED, 0.9, 20.0, 0.01, 0.0, np.diag([0.01, 1e-5, 1e-5]), 0.15, (0.0, 33.0)
    )  # fmt: skip
    return replace(
        rig,
        thermal=replace(rig.thermal, spread=spread if known else None, radiometry=told if known else None),
    )


def bursts_of(scene: Scene, *, rng: np.random.Generator, tip_sigma_mm: float) -> tuple[Burst, Burst]:
    """What `calibration.burst` takes out of a recording: with the camera's calibration, and without."""
    studio, stated = Studio(scene), stated_rig(scene)
    assert stated.thermal is not None
    t_s = np.arange(0.05, scene.seconds, 1.0 / THERMAL_HZ)
    pictures = [ThermalPicture(t, studio.thermal(t), shutter=False) for t in t_s.tolist()]
    off_mm = rng.normal(0.0, tip_sigma_mm, 3)
    nozzle_s = np.arange(0.0, scene.seconds, 0.1)
    poses = [scene.rgb_from_nozzle(t) for t in nozzle_s.tolist()]
    sightings = [
        NozzleSighting(t, Pose.of(p.rotation, p.translation_mm + off_mm), np.diag([1e-5] * 3 + [0.01] * 3),
                       p.translation_mm, 4, "tracked")
        for t, p in zip(nozzle_s.tolist(), poses, strict=True)
    ]  # fmt: skip
    side = np.arange(-HALF_FIELD_MM, HALF_FIELD_MM + 0.1, SPACING_MM)
    u, v = (grid.ravel() for grid in np.meshgrid(side, side))
    position = np.column_stack([u, v, np.zeros(len(u))])
    body = scene.rgb_from_body(0.0)
    made: list[Burst] = []
    for known in (True, False):
        rig = knowing(stated, known=known)
        assert rig.thermal is not None
        claim = rig.thermal.accuracy_degc
        calibrated = calibrated_at(rig.thermal.radiometry, claim_degc=claim, started=STARTED)
        times, degc, doubt = spot_temperatures(pictures, body.apply(position), sightings, rig, calibrated)
        early = times < 1.0
        seen = np.isfinite(degc[early])
        mean = np.where(seen, degc[early], 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        before = np.where(seen.any(axis=0), mean, np.median(mean[seen.any(axis=0)]))
        own = [body.inverse @ one.rgb_from_nozzle for one in sightings]
        made.append(
            Burst(
                name=f"{scene.sweep.distance_mm:.0f} mm",
                position_mm=position,
                t_s=times,
                degc=degc,
                doubt_degc=doubt,
                before_degc=before,
                nozzle_s=nozzle_s,
                tip_mm=np.array([one.translation_mm for one in own]),
                axis=np.array([one.rotation[:, 2] for one in own]),
                tip_u95_mm=2.8 * tip_sigma_mm,
                gas_s=((1.0, 1.0 + GAS_S),),
                seen=1.0,
                rough_mm=0.2,
                before_spread_degc=float(np.std(mean[seen.any(axis=0)])),
                accuracy_degc=claim if calibrated is None else calibrated.u95_degc,
            )
        )
    return made[0], made[1]


def judged(found: JetFound, jet: TrueJet, *, lean_deg: float) -> Floats | None:
    """At three distances: flow over the true one, its factor, half radius less the true one, its bound.

    The true jet knows no cosine of its slant; what is found is told for a jet that is square on and has one.
    """
    if found.profile is None or found.refusal is not None:
        return None
    profile, rows = found.profile, []
    for distance in (profile.from_mm, profile.distance_mm, profile.to_mm):
        true = jet.film_w_m2k * (distance / 100.0) ** -jet.power * (10.0 - jet.gas_degc)
        ratio = flow_w_m2(profile, distance) * np.cos(np.radians(lean_deg)) / true
        half = profile.half_radius_mm(distance) - jet.half_mm - jet.spread * distance
        rows.append((ratio, profile.within_factor, half, profile.half_u95_mm(distance)))
    return np.array(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.jet", description=__doc__)
    parser.add_argument("--jets", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    console = Console(width=140)
    console.print(machine(), highlight=False)
    results: dict[bool, list[Floats]] = {True: [], False: []}
    refused = {True: 0, False: 0}
    for k in range(options.first, options.first + options.jets):
        rng = np.random.default_rng(k)
        name = DEVICES[k % len(DEVICES)]
        jet, lean = drawn_jet(rng, name), float(rng.uniform(17.0, 30.0))
        made = [
            bursts_of(scene_of(jet, name, d, lean_deg=lean, seed=k), rng=rng, tip_sigma_mm=0.6)
            for d in (75.0, 110.0, 150.0)
        ]
        for which, known in enumerate((True, False)):
            found = find_jet(
                [one[which] for one in made],
                load_devices()[name],
                bore_mm=12.0,
                effusivity=EFFUSIVITY,
                effusivity_u95=0.05,
            )
            rows = judged(found, jet, lean_deg=lean)
            words = "known" if known else "not known"
            if rows is None:
                refused[known] += 1
                console.print(f"{k} {name} {words}: REFUSED {found.refusal}", highlight=False)
                continue
            results[known].append(rows)
            console.print(
                f"{k} {name} {words}: flow {', '.join(f'{r:.3f}' for r in rows[:, 0])} (factor"
                f" {rows[0, 1]:.2f}), half {', '.join(f'{h:+.2f}' for h in rows[:, 2])} mm (bound"
                f" {rows[1, 3]:.2f})",
                highlight=False,
            )
    headings = (
        "jets",
        "refused",
        "flow, mean",
        "least",
        "most",
        "within its factor",
        "half radius, mm",
        "held",
    )
    table = table_of("Jets as calibrated, over the true ones", "camera's spread and temperatures", *headings)
    for known, rows in results.items():
        if not rows:
            continue
        every = np.concatenate(rows)
        inside = np.abs(np.log(every[:, 0])) <= np.log(every[:, 1])
        held = np.abs(every[:, 2]) <= every[:, 3]
        table.add_row(
            "calibrated" if known else "as bought", str(len(rows)), str(refused[known]),
            f"{every[:, 0].mean():.3f}", f"{every[:, 0].min():.3f}", f"{every[:, 0].max():.3f}",
            f"{inside.sum()} of {len(inside)}", f"{every[:, 2].mean():+.2f}", f"{held.sum()} of {len(held)}",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
