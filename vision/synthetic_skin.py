"""How simulated skin fares under the true jet: dwell, temperatures and times of cells 2.5 mm apart.

Dwell follows the session format's footprint. Each cell is a column of tissue of its own, warm at depth,
cooled at its surface by a film of gas in proportion to the footprint; heat flows along the column only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.compiled import compiled
from models.geometry import Bools, Floats, Ints, Pose
from vision.synthetic_scene import Scene, TrueJet

SPACING_MM = 2.5
STEP_S = 0.01
SKIN_DEGC, DEEP_DEGC = 33.0, 36.5
NODES_MM = np.array([0.0, 0.05, 0.12, 0.22, 0.36, 0.55, 0.85, 1.3, 2.0, 3.2, 5.0, 9.5])
"""Depths of a column's nodes; the last one keeps its temperature."""
CONDUCTS_W_MK, HOLDS_J_M3K = 0.3, 3.6e6
"""Conductivity and heat capacity a volume of skin: text book figures."""
JETS = {"ln2-wand": (-60.0, 180.0), "co2": (-40.0, 430.0), "chilled-air": (-25.0, 60.0)}
"""Gas at the skin (degC) and film coefficient (W/m2K) in the middle of each device's jet: chosen so that
a jet at rest brings skin to 2 degC within some 6 s (LN2), 2 s (CO2) or not at all (air)."""
BORE_MM = 12.0


@compiled
def _cool(
    columns: np.ndarray, film: np.ndarray, gas_degc: float, widths: np.ndarray, gaps: np.ndarray, dt_s: float
) -> None:
    """One explicit step of every column; ``film`` in W/m2K; the flux at rest keeps the starting profile."""
    n, m = columns.shape
    rest = CONDUCTS_W_MK * (DEEP_DEGC - SKIN_DEGC) / (NODES_MM[-1] * 1e-3)
    flow = np.empty(m)
    for i in range(n):
        flow[0] = -(film[i] * (columns[i, 0] - gas_degc) + rest)
        for j in range(m - 1):
            flow[j + 1] = CONDUCTS_W_MK * (columns[i, j + 1] - columns[i, j]) / gaps[j]
        for j in range(m - 1):
            inward = flow[0] if j == 0 else -flow[j]
            columns[i, j] += dt_s * (inward + flow[j + 1]) / (HOLDS_J_M3K * widths[j])


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells fixed to the skin, in the body's frame."""

    arc_mm: Floats
    """Arc length of the columns of the grid."""
    y_mm: Floats
    """Place of its rows."""
    position_mm: Floats
    """Shape (n, 3), rows by y."""
    normal: Floats
    area_cm2: Floats

    @staticmethod
    def of(scene: Scene) -> Cells:
        """On the side that faces the camera, as far as a session reaches."""
        angle, arc = scene.body.arcs()
        far_mm = min(float(np.interp(np.radians(100.0), angle, arc)), 170.0)
        arcs = np.arange(-far_mm, far_mm + 0.1, SPACING_MM)
        rows = np.arange(-180.0, 180.1, SPACING_MM)
        u, v = (grid.ravel() for grid in np.meshgrid(arcs, rows))
        position = scene.body.skin(u, v)
        step = 0.01
        along_u = (scene.body.skin(u + step, v) - scene.body.skin(u - step, v)) / (2.0 * step)
        along_v = (scene.body.skin(u, v + step) - scene.body.skin(u, v - step)) / (2.0 * step)
        area = np.linalg.norm(np.cross(along_u, along_v), axis=1) * SPACING_MM**2 / 100.0
        return Cells(arcs, rows, position, scene.body.normal(position), area)

    def only(self, which: Bools | Ints) -> Cells:
        """Some of them."""
        return replace(
            self,
            position_mm=self.position_mm[which],
            normal=self.normal[which],
            area_cm2=self.area_cm2[which],
        )


def footprint(
    position_mm: Floats, normal: Floats, body_from_nozzle: Pose, jet: TrueJet | None = None
) -> Floats:
    """Weight of the jet on points of the skin, body frame, shape (n,).

    The body is convex: a point sees the orifice where it faces it.
    """
    tip, axis = body_from_nozzle.translation_mm, body_from_nozzle.rotation[:, 2]
    away = position_mm - tip
    along = away @ axis
    across2 = (away * away).sum(1) - along**2
    half = BORE_MM / 2.0 + 0.1 * along if jet is None else jet.half_mm + jet.spread * along
    weight = np.exp(-np.log(2.0) * across2 / np.maximum(half, 1e-3) ** 2)
    faces = (normal @ axis < 0.0) & ((normal * away).sum(1) < 0.0)
    return np.where(faces & (along > 0.0) & (weight >= 0.01), weight, 0.0)


def true_dwell_s(scene: Scene, position_mm: Floats, *, to_s: float) -> Floats:
    """Dwell of points of the skin, body frame, from the session's start to a time, shape (n,)."""
    normal, dwell_s = scene.body.normal(position_mm), np.zeros(len(position_mm))
    from_s, to_s = max(scene.gas_s[0], 0.0), min(scene.gas_s[1], to_s)
    steps = max(round((to_s - from_s) / STEP_S), 1)
    for middle_s in from_s + (np.arange(steps) + 0.5) * (to_s - from_s) / steps:
        body_from_nozzle = scene.rgb_from_body(middle_s).inverse @ scene.rgb_from_nozzle(middle_s)
        dwell_s += footprint(position_mm, normal, body_from_nozzle, scene.jet) * (to_s - from_s) / steps
    return dwell_s


class SkinUnderJet:
    """The skin from the session's start on; `advance` only goes forwards."""

    def __init__(self, scene: Scene, cells: Cells | None = None) -> None:
        """Warm everywhere; only these cells, where some of the body's are enough."""
        self.scene, self.cells = scene, Cells.of(scene) if cells is None else cells
        n = len(self.cells.position_mm)
        profile = SKIN_DEGC + (DEEP_DEGC - SKIN_DEGC) * NODES_MM / NODES_MM[-1]
        self._columns = np.tile(profile, (n, 1))
        self._before = np.full(n, SKIN_DEGC)
        gaps = np.diff(NODES_MM) * 1e-3
        self._gaps = gaps
        self._widths = np.concatenate([[gaps[0] / 2.0], (gaps[1:] + gaps[:-1]) / 2.0])
        self._step = 0
        self.dwell_s, self.cold_exposure_degc_s = np.zeros(n), np.zeros(n)
        self.min_degc = np.full(n, SKIN_DEGC)
        self.below_s = {limit: np.zeros(n) for limit in (10.0, 4.0, 2.0)}

    def weight(self, t_s: float) -> Floats:
        """Footprint of the true jet, whether or not gas flows."""
        cells, scene = self.cells, self.scene
        body_from_nozzle = scene.rgb_from_body(t_s).inverse @ scene.rgb_from_nozzle(t_s)
        return footprint(cells.position_mm, cells.normal, body_from_nozzle, scene.jet)

    def degc(self, t_s: float) -> Floats:
        """Surface temperatures at a time, shape (n,); advances to it."""
        self.advance(t_s)
        share = np.clip(t_s / STEP_S - (self._step - 1), 0.0, 1.0)
        return self._before + share * (self._columns[:, 0] - self._before)

    def advance(self, t_s: float) -> None:
        """Bring the skin up to a time, in whole steps."""
        while self._step * STEP_S < t_s - 1e-9:
            middle_s = (self._step + 0.5) * STEP_S
            from_s, to_s = self.scene.gas_s
            on = np.clip(to_s - self._step * STEP_S, 0.0, STEP_S) - np.clip(
                from_s - self._step * STEP_S, 0.0, STEP_S
            )
            weight = self.weight(middle_s) * max(on, 0.0) / STEP_S
            self._before = self._columns[:, 0].copy()
            self._cool(self._columns, weight * self._stronger(middle_s))
            now = self._columns[:, 0]
            self.dwell_s += weight * STEP_S
            self.min_degc = np.minimum(self.min_degc, now)
            self.cold_exposure_degc_s += STEP_S * np.maximum(13.6 - now, 0.0)
            for limit, below_s in self.below_s.items():
                below_s += STEP_S * (now < limit)
            self._step += 1

    def seconds_to(self, limit_degc: float, t_s: float, *, longest_s: float = 60.0) -> float:
        """Until the first cell is so cold if the jet is frozen; inf where it takes longer, 0 where it is."""
        weight, degc = self.weight(t_s) * self._stronger(t_s), self.degc(t_s)
        if degc.min() <= limit_degc:
            return 0.0
        under = np.argsort(degc - 40.0 * weight)[:40]
        columns, under_weight = self._columns[under].copy(), weight[under]
        for step in range(1, round(longest_s / STEP_S) + 1):
            self._cool(columns, under_weight)
            if columns[:, 0].min() <= limit_degc:
                return step * STEP_S
        return float("inf")

    def _stronger(self, t_s: float) -> float:
        """Film at this distance over that at 100 mm."""
        jet, scene = self.scene.jet, self.scene
        if jet is None or jet.power == 0.0:
            return 1.0
        body_from_nozzle = scene.rgb_from_body(t_s).inverse @ scene.rgb_from_nozzle(t_s)
        distance = scene.body.meet(body_from_nozzle.translation_mm, body_from_nozzle.rotation[:, 2])
        return 1.0 if distance is None else (distance / 100.0) ** -jet.power

    def _cool(self, columns: Floats, weight: Floats) -> None:
        jet = self.scene.jet
        gas_degc, film = JETS[self.scene.device] if jet is None else (jet.gas_degc, jet.film_w_m2k)
        _cool(columns, weight * film, gas_degc, self._widths, self._gaps, STEP_S)
