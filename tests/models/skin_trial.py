"""A few cells under a jet at rest, their true skin carried on finely, and what a camera reads of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.bioheat import Boundary, SkinState, advance, room_air
from models.geometry import Bools, Floats
from models.jet_cooling import JetFilm
from models.skin_estimate import SkinEstimate
from models.skin_filter import correct_by, predict
from models.tissue import Tissue, tissue_at

CELLS, PICTURE_S, NOISE_DEGC = 40, 1.0 / 15.0, 0.1


@dataclass
class Bench:
    """Truth and estimate side by side; the true film is ``film_factor`` times the believed one."""

    film_factor: float = 1.0
    film_w_m2k: float = 80.0
    gas_degc: float = -80.0
    common_u95_degc: float = 0.5
    noise_degc: float = NOISE_DEGC
    tissue: Tissue = field(default_factory=lambda: tissue_at("calf"))
    seed: int = 1

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.true = SkinState.at_rest(np.full(CELLS, 33.0), tissue=self.tissue)
        self.air = room_air(self.true, tissue=self.tissue, air_degc=22.0)
        self.estimate = SkinEstimate.unknown(CELLS, tissue=self.tissue, t_s=0.0)

    def jet(self) -> JetFilm:
        return JetFilm(np.full(CELLS, self.film_w_m2k), np.full(CELLS, self.gas_degc), np.full(CELLS, 2.5))

    def run(self, for_s: float, *, gas: bool, hidden: Bools | None = None, blind: bool = False) -> Bench:
        """Pictures at 15 Hz; hidden cells have no reading."""
        jet = self.jet() if gas else None
        film = self.film_w_m2k * self.film_factor * gas
        both = self.air.film_w_m2k + film
        drawn = Boundary(both, (self.air.film_w_m2k * self.air.gas_degc + film * self.gas_degc) / both)
        for _ in range(round(for_s / PICTURE_S)):
            for _ in range(2):
                self.true = advance(self.true, drawn, tissue=self.tissue, dt_s=PICTURE_S / 2.0)
            self.estimate = predict(
                self.estimate,
                jet=None if blind else jet,
                tissue=self.tissue,
                t_s=self.estimate.t_s + PICTURE_S,
                blind=blind,
            )
            read = self.true.surface_degc + self.rng.normal(0.0, self.noise_degc, CELLS)
            self.read(read if hidden is None else np.where(hidden, np.nan, read), jet=jet)
        return self

    def read(self, degc: Floats, *, jet: JetFilm | None = None) -> None:
        """One picture now."""
        self.estimate = correct_by(
            self.estimate,
            read_degc=degc,
            noise_u95_degc=np.full(CELLS, 2.0 * NOISE_DEGC),
            common_u95_degc=np.full(CELLS, self.common_u95_degc),
            jet=jet,
            tissue=self.tissue,
        )
