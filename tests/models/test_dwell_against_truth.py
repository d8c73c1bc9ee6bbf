"""Accuracy: dwell and distance from the true nozzle on a 5 mm chart, against simulations with exact truth.

What is left out here is the work of others: the nozzle is where it truly was, and the chart is the true skin
sampled every 5 mm. What remains is the price of 5 mm cells, of captures at 15 Hz, and of the line of sight.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay, cKDTree

from models.deposit import deposit, peak_per_cm2
from models.exposure import ExposureMap
from models.geometry import Floats, Ints, unit
from models.jet import jet_weights, jet_weights_spread
from models.mesh import ChartMesh, cast_ray
from tests.models.skin_scenes import chart_of

BORE_MM = 12.0


@dataclass
class Simulated:
    """A session's truth, and a 5 mm chart that follows its skin."""

    cells: dict[str, Floats]
    captures: dict[str, Floats]
    valve_s: list[tuple[float, float]]
    corner: Ints
    share: Floats
    normal: Floats
    mesh: ChartMesh

    @staticmethod
    def of(folder: Path) -> Simulated:
        with np.load(folder / "truth" / "cells.npz") as archive:
            cells = dict(archive)
        with np.load(folder / "truth" / "captures.npz") as archive:
            captures = dict(archive)
        valve = tomllib.loads((folder / "session.toml").read_text())["valve"]
        unrolled = unroll(
            cells["position0_mm"].astype(float), cells["normal"].astype(float), cells["area_cm2"]
        )
        low, high = unrolled.min(0), unrolled.max(0)
        col, row = np.meshgrid(*(np.arange(a, b, 5.0) for a, b in zip(low, high, strict=True)))
        grid_mm = np.stack([col.ravel(), row.ravel()], axis=1)
        flat = Delaunay(unrolled)
        simplex = flat.find_simplex(grid_mm)
        kept = (simplex >= 0) & (cKDTree(unrolled).query(grid_mm)[0] < 5.0)
        grid_mm, simplex = grid_mm[kept], simplex[kept]
        to_share = flat.transform[simplex]
        two = np.einsum("nij,nj->ni", to_share[:, :2], grid_mm - to_share[:, 2])
        share, corner = np.column_stack([two, 1.0 - two.sum(1)]), flat.simplices[simplex].astype(np.int64)
        normal = unit(LinearNDInterpolator(flat, cells["normal"].astype(float))(grid_mm))
        position = np.einsum("nk,nki->ni", share, cells["position0_mm"].astype(float)[corner])
        index = np.rint((grid_mm - low) / 5.0).astype(np.int64)
        chart = chart_of(index[:, 1], index[:, 0], position, normal, np.full(len(position), 0.25))
        intervals = [(float(v["from_s"]), float(v["to_s"])) for v in valve]
        return Simulated(cells, captures, intervals, corner, share, normal, ChartMesh.of(chart))

    def vertices_mm(self, t_s: float) -> Floats:
        times, moved = self.cells["position_t_s"], self.cells["displacement_mm"]
        k = int(np.clip(np.searchsorted(times, t_s) - 1, 0, len(times) - 2))
        share = float(np.clip((t_s - times[k]) / (times[k + 1] - times[k]), 0.0, 1.0))
        return self.cells["position0_mm"] + (1.0 - share) * moved[k].astype(float) + share * moved[k + 1]

    def position_mm(self, t_s: float) -> Floats:
        return np.einsum("nk,nki->ni", self.share, self.vertices_mm(t_s)[self.corner])

    def gas_s(self, from_s: float, to_s: float) -> float:
        return sum(max(0.0, min(to_s, off) - max(from_s, on)) for on, off in self.valve_s)

    def exposure(self, *, spot_u95_mm: float, every: int = 1) -> ExposureMap:
        exposure, before = ExposureMap.empty(len(self.normal)), None
        rows = range(0, len(self.captures["t_s"]), every)
        for row in rows:
            t_s = float(self.captures["t_s"][row])
            seen = (self.mesh, self.position_mm(t_s), self.normal)
            jet = {
                "tip_mm": self.captures["tip_mm"][row],
                "axis": self.captures["axis"][row],
                "bore_mm": BORE_MM,
            }
            now = jet_weights(*seen, **jet), jet_weights_spread(*seen, **jet, spot_u95_mm=spot_u95_mm)
            if before is not None:
                exposure = deposit(
                    exposure,
                    weight_before=before[0],
                    weight_now=now[0],
                    upper_before=before[1],
                    upper_now=now[1],
                    gas_s=self.gas_s(float(self.captures["t_s"][row - every]), t_s),
                )
            before = now
        return exposure

    def true_dwell_s(self) -> tuple[Floats, Floats]:
        """Area-weighted mean of the true cells nearest to each chart cell, and their area."""
        found = cKDTree(self.position_mm(0.0)).query(self.vertices_mm(0.0))
        distance, nearest = np.asarray(found[0], float), np.asarray(found[1], np.int64)
        near, n = distance <= 6.0, len(self.normal)
        area = np.bincount(nearest[near], self.cells["area_cm2"][near], n).astype(float)
        summed = np.bincount(nearest[near], (self.cells["area_cm2"] * self.cells["dwell_s"])[near], n)
        return summed / np.maximum(area, 1e-12), area


def unroll(position_mm: Floats, normal: Floats, area_cm2: Floats) -> Floats:
    """Arc and length on a cylinder fitted to the skin, shape (n, 2), mm."""
    along = np.linalg.eigh((normal * area_cm2[:, None]).T @ normal)[1][:, 0]
    across = unit(np.cross(along, [0.0, 0.0, 1.0]))
    out = np.cross(along, across)
    x, y = position_mm @ across, position_mm @ out
    a, b, c = np.linalg.lstsq(np.column_stack([2 * x, 2 * y, np.ones_like(x)]), x * x + y * y)[0]
    middle = np.arctan2((normal @ out * area_cm2).sum(), (normal @ across * area_cm2).sum())
    turn = (np.arctan2(y - b, x - a) - middle + np.pi) % (2.0 * np.pi) - np.pi
    return np.stack([np.sqrt(c + a * a + b * b) * turn, position_mm @ along], axis=1)


def check(session: Simulated, *, map_error_pct: float) -> None:
    exposure = session.exposure(spot_u95_mm=3.0)
    truth, area = session.true_dwell_s()
    treated = (area > 0.0) & (truth > 0.05)
    error = area * np.abs(exposure.dwell_s - truth)
    assert 100.0 * error[treated].sum() / (area * truth)[treated].sum() < map_error_pct
    assert (exposure.dwell_upper_s >= truth)[treated].mean() > 0.95
    peak = peak_per_cm2(exposure.dwell_s, session.position_mm(0.0), np.full(len(truth), 0.25))
    assert peak == pytest.approx(true_peak(session), rel=0.03)


def true_peak(session: Simulated) -> float:
    """Mean over a disc of 1 cm2 on the fine true cells, the disc on one of them."""
    position, dwell, area = session.vertices_mm(0.0), session.cells["dwell_s"], session.cells["area_cm2"]
    tree = cKDTree(position)
    discs = tree.query_ball_point(position[np.argsort(-dwell)[:300]], 5.642)
    return max(float((dwell[d] * area[d]).sum() / area[d].sum()) for d in discs)


@pytest.fixture(scope="module")
def calf_truth(calf: Path) -> Simulated:
    return Simulated.of(calf)


def test_dwell_on_a_calf_is_the_true_dwell(calf_truth: Simulated) -> None:
    """Measured 3.1 %: half of it 5 mm cells against true ones of 2.5 mm, the rest cells the jet grazes."""
    check(calf_truth, map_error_pct=4.5)


def test_five_captures_a_second_still_give_the_dwell_of_fifteen(calf_truth: Simulated) -> None:
    """Sub-steps between captures are not needed: measured 0.8 % at 5 Hz, sweeping at up to 127 mm/s."""
    fine, coarse = (calf_truth.exposure(spot_u95_mm=3.0, every=n).dwell_s for n in (1, 3))
    assert np.abs(coarse - fine).sum() < 0.03 * fine.sum()


def test_ray_finds_the_true_distance_and_incidence(calf_truth: Simulated) -> None:
    """Measured: 0.18 mm and 0.5 degrees at most."""
    captures = calf_truth.captures
    for row in range(0, len(captures["t_s"]), 5):
        hit = cast_ray(
            calf_truth.mesh,
            calf_truth.position_mm(float(captures["t_s"][row])),
            calf_truth.normal,
            origin_mm=captures["tip_mm"][row],
            direction=captures["axis"][row],
        )
        assert hit is not None
        assert hit.distance_mm == pytest.approx(captures["distance_mm"][row], abs=0.5)
        incidence_deg = np.degrees(np.arccos(-hit.normal @ captures["axis"][row]))
        assert incidence_deg == pytest.approx(captures["incidence_deg"][row], abs=1.0)


@pytest.mark.parametrize(("name", "map_error_pct"), [("s1-lumbar-ln2", 3.0), ("s2-knee-air", 6.0)])
def test_dwell_on_back_and_knee_is_the_true_dwell(
    twin: Callable[[str], Path], name: str, map_error_pct: float
) -> None:
    """Measured 1.6 % and 4.3 %; on the knee most of it is skin that the jet grazes."""
    check(Simulated.of(twin(name)), map_error_pct=map_error_pct)
