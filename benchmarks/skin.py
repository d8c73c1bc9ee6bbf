"""The skin model: time a step beside two other solvers, and how well the time to 2 degC is told 3 s ahead.

The peers step the same tissue, cells and boundary with backward Euler: SciPy's banded solver cell by cell,
and a Thomas elimination in NumPy over all cells. The study is `benchmarks.skin_study`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.linalg import solve_banded
from scipy.special import erfcx

from benchmarks.skin_study import LIMIT_DEGC, corrected, study
from benchmarks.stopwatch import machine, table_of
from models.bioheat import Boundary, Column, SkinState, advance, column_of
from models.catalogue import load_devices
from models.geometry import Floats
from models.jet_cooling import jet_film
from models.skin_estimate import SkinEstimate, temperatures
from models.skin_filter import predict
from models.time_to_limit import time_to_limit
from models.tissue import Figure, Layer, Tissue, tissue_at

CELLS, REPEATS, STEP_S, AIM_MS = 5000, 60, 1.0 / 15.0, 2.0
FILM_W_M2K, GAS_DEGC, START_DEGC = 90.0, -110.0, 33.0


def euler_banded(column: Column, degc: Floats, film: Floats, gas_degc: Floats, dt_s: float) -> Floats:
    """One backward Euler step, a banded system for each cell."""
    out, m = np.empty_like(degc), len(column.depth_mm)
    g, store = column.conducts_w_m2k, column.holds_j_m2k / dt_s
    bands = np.zeros((3, m))
    bands[0, 1:], bands[2, :-1] = -g, -g
    bands[1] = store + np.append(g, 0.0) + np.append(0.0, g)
    bands[1, -1], bands[2, -2] = 1.0, 0.0
    warmed = column.metabolism_w_m2 + column.blood_w_m2k * column.arterial_degc
    bands[1, :-1] += column.blood_w_m2k[:-1]
    for i in range(degc.shape[1]):
        right = store * degc[:, i] + warmed
        right[0] += film[i] * gas_degc[i]
        right[-1] = column.core_degc
        own = bands.copy()
        own[1, 0] += film[i]
        out[:, i] = solve_banded((1, 1), own, right)
    return out


def euler_thomas(column: Column, degc: Floats, film: Floats, gas_degc: Floats, dt_s: float) -> Floats:
    """One backward Euler step, Thomas elimination over all cells side by side."""
    m, n = degc.shape
    g, store = column.conducts_w_m2k, column.holds_j_m2k / dt_s
    warmed = column.metabolism_w_m2 + column.blood_w_m2k * column.arterial_degc
    over, value = np.empty((m, n)), np.empty((m, n))
    pivot = store[0] + column.blood_w_m2k[0] + g[0] + film
    over[0], value[0] = g[0] / pivot, (store[0] * degc[0] + warmed[0] + film * gas_degc) / pivot
    for j in range(1, m - 1):
        pivot = store[j] + column.blood_w_m2k[j] + g[j] + g[j - 1] * (1.0 - over[j - 1])
        over[j] = g[j] / pivot
        value[j] = (store[j] * degc[j] + warmed[j] + g[j - 1] * value[j - 1]) / pivot
    out = np.empty((m, n))
    out[-1] = column.core_degc
    for j in range(m - 2, -1, -1):
        out[j] = value[j] + over[j] * out[j + 1]
    return out


def _slab() -> Tissue:
    """One material without blood, for the half-space."""

    def exactly(value: float) -> Figure:
        return Figure(value, value, value, "benchmark")

    layer = Layer("slab", *(exactly(one) for one in (25.0, 0.37, 1116.0, 3300.0, 0.0, 0.0)))
    return Tissue("slab", (layer,), START_DEGC, START_DEGC, blood_j_m3k=1.0)


Step = Callable[[Tissue, Floats], Floats]


def steps_by() -> dict[str, Step]:
    """One step of temperatures of shape (m, n) by each solver."""

    def ours(tissue: Tissue, degc: Floats) -> Floats:
        n = degc.shape[1]
        state = SkinState(degc, np.ones(n), np.zeros(n))
        jet = Boundary(np.full(n, FILM_W_M2K), np.full(n, GAS_DEGC))
        return advance(state, jet, tissue=tissue, dt_s=STEP_S).degc

    def by(euler: Callable[[Column, Floats, Floats, Floats, float], Floats]) -> Step:
        def step(tissue: Tissue, degc: Floats) -> Floats:
            n = degc.shape[1]
            return euler(column_of(tissue), degc, np.full(n, FILM_W_M2K), np.full(n, GAS_DEGC), STEP_S)

        return step

    return {
        "models.bioheat": ours,
        "NumPy, Thomas over all cells": by(euler_thomas),
        "SciPy, solve_banded a cell": by(euler_banded),
    }


def _worst_degc(step: Step) -> float:
    """Worst error against the half-space behind a film, from 0.2 s to 30 s."""
    tissue = _slab()
    degc, worst = np.full((len(column_of(tissue).depth_mm), 1), START_DEGC), 0.0
    inertia = np.sqrt(0.37 * 1116.0 * 3300.0)
    for k in range(1, round(30.0 / STEP_S) + 1):
        degc = step(tissue, degc)
        x = FILM_W_M2K * np.sqrt(k * STEP_S) / inertia
        exact = START_DEGC - (START_DEGC - GAS_DEGC) * (1.0 - float(erfcx(x)))
        if k * STEP_S >= 0.2:
            worst = max(worst, abs(float(degc[0, 0]) - exact))
    return worst


def timed() -> Table:
    """Medians over `REPEATS` steps, each one on the last one's result."""
    out = table_of(
        f"skin model, {CELLS} cells x 20 depths (aim: {AIM_MS:g} ms a step)",
        "solver",
        "ms a step",
        "quickest",
        "times ours",
        "worst degC after 0.2 s",
    )
    tissue, ours_ms = tissue_at("knee"), 0.0
    for name, step in steps_by().items():
        degc, took_ms = column_of(tissue).steady(np.full(CELLS, START_DEGC)), []
        for repeat in range((REPEATS if "banded" not in name else 3) + 1):
            start_s = time.perf_counter()
            degc = step(tissue, degc)
            if repeat:  # the first one compiles
                took_ms.append(1000.0 * (time.perf_counter() - start_s))
        median_ms = float(np.median(took_ms))
        ours_ms = ours_ms or median_ms
        times = f"{median_ms / ours_ms:.1f}"
        out.add_row(name, f"{median_ms:.2f}", f"{min(took_ms):.2f}", times, f"{_worst_degc(step):.3f}")
    return out


def timed_filter() -> Table:
    """What one picture costs with the filter: 5,000 cells, 600 of them under the jet."""
    names = ("jet's film", "predict", "correct", "answer", "time to limit")
    out = table_of(f"skin filter, {CELLS} cells, 600 under the jet: median ms a picture", "part", "ms")
    tissue, rng, n = tissue_at("knee"), np.random.default_rng(0), CELLS
    weight = np.zeros(n)
    weight[:600] = rng.uniform(0.01, 1.0, 600)
    device, estimate = load_devices()["ln2-wand"], SkinEstimate.unknown(n, tissue=tissue, t_s=0.0)
    took_s: list[list[float]] = []
    for k in range(REPEATS):
        read, at_s = START_DEGC + rng.normal(0.0, 0.1, n), [time.perf_counter()]
        jet = jet_film(device, weight=weight, distance_mm=150.0)
        at_s.append(time.perf_counter())
        estimate = predict(estimate, jet=jet, tissue=tissue, t_s=(k + 1) * STEP_S)
        at_s.append(time.perf_counter())
        estimate = corrected(estimate, read, jet, tissue)
        at_s.append(time.perf_counter())
        temperatures(estimate)
        at_s.append(time.perf_counter())
        time_to_limit(estimate, jet=jet, tissue=tissue, limit_degc=LIMIT_DEGC)
        at_s.append(time.perf_counter())
        took_s.append(np.diff(at_s).tolist())
    for name, seconds in zip(names, np.median(took_s[5:], axis=0), strict=True):
        out.add_row(name, f"{1000.0 * seconds:.2f}")
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.skin", description=__doc__)
    parser.add_argument("--trials", type=int, default=24, help="subjects a row of the study; 0: none")
    options = parser.parse_args()
    console = Console(width=180)
    console.print(machine(), highlight=False)
    console.print(timed())
    console.print(timed_filter())
    if options.trials:
        console.print(study(options.trials))


if __name__ == "__main__":
    main()
