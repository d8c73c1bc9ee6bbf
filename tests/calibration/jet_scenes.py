"""Bursts on simulated surfaces, without pictures: the true temperatures of spots, with noise."""

from __future__ import annotations

import numpy as np

from calibration.burst import Burst
from models.geometry import Floats
from vision.synthetic_scene import Body, Motion, Scene, Sweep, TrueJet
from vision.synthetic_skin import CONDUCTS_W_MK, HOLDS_J_M3K, Cells, SkinUnderJet

EFFUSIVITY = float(np.sqrt(CONDUCTS_W_MK * HOLDS_J_M3K))
"""Of simulated skin."""

LEAN_DEG = 20.0


def burst_scene(
    jet: TrueJet,
    distance_mm: float,
    *,
    gas_s: float = 2.5,
    seed: int = 0,
    still_s: float = 1.0,
    after_s: float = 0.4,
) -> Scene:
    """A nozzle in a stand over a flat surface, gas after ``still_s``."""
    return Scene(
        seconds=still_s + gas_s + after_s,
        seed=seed,
        body=Body(3000.0, 3000.0),
        motion=Motion(breath_mm=0.0, drift_mm_s=(0.0, 0.0, 0.0), turn_deg=0.0),
        sweep=Sweep(
            half_across_mm=0.0, half_along_mm=0.0, distance_mm=distance_mm, lean_deg=LEAN_DEG, tremor_mm=0.5
        ),
        gas_s=(still_s, still_s + gas_s),
        jet=jet,
        device="ln2-wand",
        outline_mm=None,
    )


def burst_of(
    jet: TrueJet,
    distance_mm: float,
    *,
    gas_s: float = 2.5,
    seed: int = 0,
    off_mm: float = 1.5,
    still_s: float = 1.0,
    after_s: float = 0.4,
) -> Burst:
    """What a recording of it would tell; the pose is off by ``off_mm`` (1 sigma)."""
    scene = burst_scene(jet, distance_mm, gas_s=gas_s, seed=seed, still_s=still_s, after_s=after_s)
    rng = np.random.default_rng(seed)
    cells = Cells.of(scene)
    near = np.flatnonzero(np.abs(cells.position_mm[:, :2]).max(axis=1) < 50.0)
    skin = SkinUnderJet(scene, cells.only(near[:: max(len(near) // 130, 1)]))
    t_s = np.arange(0.1, scene.seconds, 0.2)
    degc: Floats = np.array([skin.degc(float(t)) for t in t_s])
    degc = degc + rng.normal(0.0, 0.1, degc.shape)
    nozzle_s = np.arange(0.0, scene.seconds, 0.1)
    poses = [scene.rgb_from_body(t).inverse @ scene.rgb_from_nozzle(t) for t in nozzle_s.tolist()]
    flat = skin.cells.position_mm.copy()
    flat[:, 2] = 0.0
    return Burst(
        name=f"burst at {distance_mm:.0f} mm",
        position_mm=flat,
        t_s=t_s,
        degc=degc,
        doubt_degc=np.zeros_like(degc),
        before_degc=degc[t_s < still_s].mean(axis=0),
        nozzle_s=nozzle_s,
        tip_mm=np.array([pose.translation_mm for pose in poses]) + rng.normal(0.0, off_mm, 3),
        axis=np.array([pose.rotation[:, 2] for pose in poses]),
        tip_u95_mm=2.8 * off_mm,
        gas_s=((still_s, still_s + gas_s),),
        seen=1.0,
        rough_mm=0.2,
        before_spread_degc=0.1,
        accuracy_degc=2.0,
    )
