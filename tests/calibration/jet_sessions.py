"""Sessions under a jet that is not as its class is, without pictures: what the skin's filter foresees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Floats, unit
from models.jet_cooling import JetFilm, jet_film
from models.jet_profile import JetProfile
from models.protocol import Device
from models.skin_estimate import SkinEstimate
from models.skin_filter import correct_by, predict
from models.time_to_limit import time_to_limit
from models.tissue import tissue_at
from vision.synthetic_scene import Scene, Sweep, TrueJet
from vision.synthetic_skin import BORE_MM, Cells, SkinUnderJet, footprint

PICTURE_S, GAS_S, NOISE_DEGC, COMMON_U95_DEGC = 1.0 / 15.0, 0.8, 0.1, 0.5
LIMIT_DEGC = 2.0
CORE = 0.5
"""Cells below this share of the strongest film are not asked, as in the session."""


@dataclass(frozen=True, eq=False)
class Foreseen:
    """Seconds to the limit at moments under the gas, shape (k,) each; inf where there is none in sight."""

    t_s: Floats
    true_s: Floats
    left_s: Floats
    soonest_s: Floats

    def log_error(self) -> float:
        """Median of the logarithm of foretold over true seconds; above 0 is too late."""
        both = np.isfinite(self.true_s) & np.isfinite(self.left_s) & (self.true_s > 0.3)
        return float(np.median(np.log(np.maximum(self.left_s[both], 0.05) / self.true_s[both])))


def session_of(jet: TrueJet, *, lean_deg: float = 35.0, distance_mm: float = 100.0, rests: bool) -> Scene:
    """Eight seconds on a calf; the spot rests from the first gas on, or is led over the skin."""
    sweep = Sweep(
        half_across_mm=12.0,
        half_along_mm=18.0,
        lean_deg=lean_deg,
        distance_mm=distance_mm,
        rests_from_s=GAS_S if rests else np.inf,
    )
    return Scene(seconds=8.0, gas_s=(GAS_S, np.inf), sweep=sweep, jet=jet, device="ln2-wand", outline_mm=None)


def foreseen(
    scene: Scene, device: Device, profile: JetProfile | None, *, every_s: float = 0.4, seed: int = 0
) -> Foreseen:
    """Play a session through filter and forecast with the class' jet, or with a measured one."""
    every = Cells.of(scene)
    near = np.abs(every.position_mm[:, :2]).max(axis=1) < 45.0
    index = np.arange(len(near))
    fives = near & (index % 2 == 0)
    cells = every.only(fives)
    truth, n = SkinUnderJet(scene, cells), int(fives.sum())
    rng, tissue = np.random.default_rng(seed), tissue_at("calf")
    estimate = SkinEstimate.unknown(n, tissue=tissue, t_s=0.0)
    shape = None if profile is None else TrueJet(half_mm=profile.half_mm, spread=profile.spread)
    rows, next_s = [], GAS_S + 0.2

    def film_at(t_s: float) -> JetFilm | None:
        if not scene.gas_at(t_s):
            return None
        pose = scene.rgb_from_body(t_s).inverse @ scene.rgb_from_nozzle(t_s)
        tip, axis = pose.translation_mm, unit(pose.rotation[:, 2])
        distance = scene.body.meet(tip, axis)
        assert distance is not None
        met = scene.body.normal((tip + distance * axis)[None])[0]
        return jet_film(
            device,
            weight=footprint(cells.position_mm, cells.normal, pose, shape),
            distance_mm=distance,
            incidence_deg=float(np.degrees(np.arccos(np.clip(-met @ axis, -1.0, 1.0)))),
            bore_mm=BORE_MM,
            profile=profile,
        )

    for t_s in np.arange(PICTURE_S, scene.seconds, PICTURE_S).tolist():
        film = film_at(t_s - PICTURE_S / 2.0)
        estimate = predict(estimate, jet=film, tissue=tissue, t_s=t_s)
        degc = truth.degc(t_s)
        estimate = correct_by(
            estimate,
            read_degc=degc + rng.normal(0.0, NOISE_DEGC, n),
            noise_u95_degc=np.full(n, 2.0 * NOISE_DEGC),
            common_u95_degc=np.full(n, COMMON_U95_DEGC),
            jet=film,
            tissue=tissue,
        )
        if film is None or t_s < next_s:
            continue
        next_s += every_s
        if degc.min() <= LIMIT_DEGC:
            break
        strong = film.film_w_m2k >= CORE * film.film_w_m2k.max()
        core = replace(film, film_w_m2k=np.where(strong, film.film_w_m2k, 0.0))
        told = time_to_limit(estimate, jet=core, tissue=tissue, limit_degc=LIMIT_DEGC)
        rows.append(
            (t_s, truth.seconds_to(LIMIT_DEGC, t_s, longest_s=30.0), told.least_s, told.least_soonest_s)
        )
    table = np.array(rows)
    return Foreseen(table[:, 0], table[:, 1], table[:, 2], table[:, 3])
