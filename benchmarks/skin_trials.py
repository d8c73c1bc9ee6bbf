"""Simulated treatments of skin that differs from the text book: what a camera reads, and what truly happens.

The true skin is computed by the same equation, on 60 depths and at 60 steps a second, but of another tissue
and under another jet than the estimator believes: blood flow, fat, film and the gas's cold off by up to 30 %,
the jet 2 mm beside. What the equation itself leaves out is not in here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.bioheat import column_of
from models.bioheat_steps import factors, march
from models.catalogue import load_devices
from models.geometry import Bools, Floats
from models.jet import LEAST_WEIGHT, half_radius_mm
from models.jet_cooling import JetFilm, core_of, jet_film
from models.tissue import Tissue, tissue_at

CELL_MM, ACROSS = 5.0, 19
TRUE_HZ, TRUE_DEPTHS = 60, 60
ROOM_DEGC = 22.0
OFF = 0.3
"""Blood flow, fat, film and cold of the gas are off by up to this share."""

BESIDE_MM = 1.0
"""Standard deviation of the jet's place along each axis."""

NOISE_DEGC = 0.1
"""Of a reading: two NETD of a microbolometer on cold skin."""

OFFSET_DEGC = 0.25
"""Standard deviation of the camera's offset after a reference in the picture; its bound is 0.5 degC."""

HIDDEN_MM = 6.0
"""Behind the jet's axis, seen from the camera, the nozzle hides cells from here on."""


@dataclass(frozen=True)
class Treatment:
    """Device, distance, sweep and camera of one trial."""

    device: str
    distance_mm: float
    speed_mm_s: float
    """Of the sweep before the jet is held still; 0: held still from the start."""
    camera_hz: int
    seed: int


@dataclass(frozen=True, eq=False)
class Moment:
    """What one picture shows, and the truth behind it."""

    t_s: float
    jet: JetFilm
    """What the estimator believes of the jet."""
    read_degc: Floats
    """NaN where the nozzle hides the cell."""
    true_degc: Floats
    held: bool
    """The jet has come to rest."""
    jet_cells: Bools


class Trial:
    """One treatment of one subject, picture by picture."""

    def __init__(self, treatment: Treatment, *, longest_s: float = 60.0) -> None:
        """Draw the subject."""
        self.treatment, self.longest_s = treatment, longest_s
        self._rng = np.random.default_rng(treatment.seed)
        rng = self._rng
        site = ("knee", "calf", "lumbar", "quadriceps")[int(rng.integers(4))]
        self.tissue: Tissue = tissue_at(site)
        fat_mm = next(one.thick_mm.value for one in self.tissue.layers if one.name == "fat")
        self.true_tissue = self.tissue.with_fat(fat_mm * self._off()).with_perfusion(self._off())
        self.device = load_devices()[treatment.device]
        core = core_of(self.device, distance_mm=treatment.distance_mm)
        self.true_film = core.film_w_m2k * self._off()
        self.true_gas_degc = ROOM_DEGC + (core.gas_degc - ROOM_DEGC) * self._off()
        self.half_mm = half_radius_mm(treatment.distance_mm, bore_mm=self.device.bore_mm)
        axis_mm = (np.arange(ACROSS) - (ACROSS - 1) / 2.0) * CELL_MM
        self.x_mm, self.y_mm = (grid.ravel() for grid in np.meshgrid(axis_mm, axis_mm))
        self.beside_mm = rng.normal(0.0, BESIDE_MM, 2)
        self.offset_degc = float(rng.normal(0.0, OFFSET_DEGC))
        self.start_degc = float(rng.uniform(30.0, 34.0))
        self.sweep_s = float(rng.uniform(8.0, 25.0)) if treatment.speed_mm_s else 0.0
        self.rests_s = 1.0 + self.sweep_s
        """When the jet is held still; it is let out at 1 s."""
        self.crossed_s: float | None = None
        """When the first cell truly reached 2 degC."""

    def _off(self) -> float:
        return float(self._rng.uniform(1.0 - OFF, 1.0 + OFF))

    def _place_mm(self, t_s: float) -> tuple[float, float]:
        """Of the jet: to and fro along x, slowly along y, then at rest; it comes on 1 s after the start."""
        swept_s = min(max(t_s - 1.0, 0.0), self.sweep_s)
        reach = 30.0
        along = (self.treatment.speed_mm_s * swept_s) % (4.0 * reach)
        x_mm = along - reach if along < 2.0 * reach else 3.0 * reach - along
        return x_mm, 12.0 * math.sin(0.5 * swept_s)

    def _weight(self, t_s: float, beside_mm: Floats) -> Floats:
        if t_s < 1.0:
            return np.zeros(len(self.x_mm))
        x_mm, y_mm = self._place_mm(t_s)
        r2 = (self.x_mm - x_mm - beside_mm[0]) ** 2 + (self.y_mm - y_mm - beside_mm[1]) ** 2
        weight = np.exp(-math.log(2.0) * r2 / self.half_mm**2)
        return np.where(weight >= LEAST_WEIGHT, weight, 0.0)

    def moments(self) -> Iterator[Moment]:
        """The pictures, until some skin is at 0 degC or the time is over."""
        n, rng, distance_mm = len(self.x_mm), self._rng, self.treatment.distance_mm
        column = column_of(self.true_tissue, depths=TRUE_DEPTHS)
        degc = column.steady(np.full(n, self.start_degc) + rng.normal(0.0, 0.3, n))
        air = np.clip(column.outflow_w_m2(degc) / (degc[0] - ROOM_DEGC), 4.0, 25.0)
        by = factors(
            column.holds_j_m2k,
            column.conducts_w_m2k,
            column.blood_w_m2k,
            column.metabolism_w_m2,
            arterial_degc=column.arterial_degc,
            core_degc=column.core_degc,
            dt_s=1.0 / TRUE_HZ,
        )
        share, every = np.ones(n), round(TRUE_HZ / self.treatment.camera_hz)
        for step in range(1, round(self.longest_s * TRUE_HZ) + 1):
            t_s = step / TRUE_HZ
            film = self.true_film * self._weight(t_s - 0.5 / TRUE_HZ, self.beside_mm)
            both = film + air
            before = float(degc[0].min())
            degc, _ = march(degc, share, both, (film * self.true_gas_degc + air * ROOM_DEGC) / both, by)
            share = np.maximum(share - 0.03 / TRUE_HZ * (degc[0] < 20.0), 0.15)
            now = float(degc[0].min())
            if now <= 2.0 < before and self.crossed_s is None:
                self.crossed_s = t_s - (2.0 - now) / (before - now) / TRUE_HZ
            if step % every == 0:
                # The estimator is told where the jet was half an interval ago: the mean over the interval.
                middle_s = t_s - 0.5 * every / TRUE_HZ
                weight = self._weight(middle_s, np.zeros(2))
                jet = jet_film(self.device, weight=weight, distance_mm=distance_mm)
                x_mm, y_mm = self._place_mm(t_s)
                hidden = (self.y_mm - y_mm > HIDDEN_MM) & (np.abs(self.x_mm - x_mm) < 10.0) & (t_s >= 1.0)
                read = degc[0] + self.offset_degc + rng.normal(0.0, NOISE_DEGC, n)
                yield Moment(
                    t_s,
                    jet,
                    np.where(hidden, np.nan, read),
                    degc[0].copy(),
                    t_s >= self.rests_s,
                    weight >= 0.5,
                )
            if now <= 0.0:
                return
