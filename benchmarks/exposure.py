"""One update of the exposure map beside PySkinDose's hit test, by number of cells.

Both get the same cells, a half cylinder of 60 mm radius, and the same source 120 mm above it. PySkinDose's
beam is the square round the jet's footprint. The update weights every cell (line of sight included) and
deposits; the hit test says which cells lie in the beam and face it.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.stopwatch import machine, table_of
from models.chart import ZoneChart
from models.deposit import deposit
from models.exposure import ExposureMap
from models.geometry import Floats
from models.jet import half_radius_mm, jet_weights
from models.mesh import ChartMesh

CELLS_MM = (5.0, 2.5, 1.25, 0.7)
"""Side of a cell; the product's own is the first."""

RADIUS_MM, LENGTH_MM, DISTANCE_MM, BORE_MM = 60.0, 300.0, 120.0, 12.0
REACH = 2.58
"""Half radii at which the weight falls to 0.01."""

REPEATS, AIM = 15, 20.0
DOWN = np.array([0.0, 0.0, 1.0])


def limb(cell_mm: float) -> ZoneChart:
    """The upper half of a cylinder along y, its top at the origin, cells of one size."""
    rows, cols = round(LENGTH_MM / cell_mm), round(np.pi * RADIUS_MM / cell_mm)
    row, col = (grid.ravel() for grid in np.mgrid[:rows, :cols])
    u, v = (col - (cols - 1) / 2.0) * cell_mm, (row - (rows - 1) / 2.0) * cell_mm
    angle, n = u / RADIUS_MM, rows * cols
    normal = np.stack([np.sin(angle), np.zeros(n), -np.cos(angle)], axis=1)
    return ZoneChart(
        reference_t_s=0.0,
        anchored_by="tap",
        surface_by="depth",
        row=row,
        col=col,
        u_mm=u,
        v_mm=v,
        position_mm=RADIUS_MM * normal + np.stack([np.zeros(n), v, np.full(n, RADIUS_MM)], axis=1),
        normal=normal,
        area_cm2=np.full(n, cell_mm**2 / 100.0),
        in_zone=np.ones(n, bool),
        left_out=np.zeros(n, bool),
        tile=np.zeros(n, np.int64),
        height_u95_mm=np.ones(n),
        place_u95_mm=0.0,
    )


def hit_test(position_mm: Floats, normal: Floats) -> Any | None:
    """PySkinDose's hit test of these cells, ready to be called; None where it is not installed."""
    try:
        import pandas as pd  # pyright: ignore[reportMissingImports]  # group bench only
        from pyskindose.beam_class import Beam  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    field_mm = 2.0 * REACH * half_radius_mm(DISTANCE_MM, bore_mm=BORE_MM)
    event = {"Ap1": 0.0, "Ap2": 0.0, "Ap3": 0.0, "DSI": DISTANCE_MM, "DSD": DISTANCE_MM, "DID": DISTANCE_MM}
    event |= {"DSL": field_mm, "FS_long": field_mm, "FS_lat": field_mm}
    beam: Any = Beam(pd.DataFrame([event]))
    # Its source stands at y = DSI and looks down -y; `check_hit` reads nothing else of a phantom.
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    phantom: Any = SimpleNamespace(r=position_mm @ turn.T, n=normal @ turn.T, phantom_model="human")
    return lambda: beam.check_hit(phantom)


def measured() -> Table:
    """Medians over `REPEATS`, the two taken in turn."""
    columns = ("cells", "in the footprint", "hit", "update ms", "PySkinDose ms", "times faster")
    title = f"exposure map beside PySkinDose's hit test (aim: {AIM:.0f} times faster)"
    out = table_of(title, "cell", *columns)
    tip_mm = -DISTANCE_MM * DOWN
    for cell_mm in CELLS_MM:
        chart = limb(cell_mm)
        mesh, exposure = ChartMesh.of(chart), ExposureMap.empty(len(chart))
        before, theirs = np.zeros(len(chart)), hit_test(chart.position_mm, chart.normal)
        ours_ms, theirs_ms, hits = [], [], 0
        for repeat in range(REPEATS + 1):
            start_s = time.perf_counter()
            now = jet_weights(
                mesh, chart.position_mm, chart.normal, tip_mm=tip_mm, axis=DOWN, bore_mm=BORE_MM
            )
            exposure = deposit(exposure, weight_before=before, weight_now=now, gas_s=1.0 / 15.0)
            middle_s, before = time.perf_counter(), now
            hits = sum(theirs()) if theirs is not None else 0
            end_s = time.perf_counter()
            if repeat:  # the first one compiles
                ours_ms.append(1000.0 * (middle_s - start_s))
                theirs_ms.append(1000.0 * (end_s - middle_s))
        row = [f"{len(chart)}", f"{int((before > 0.0).sum())}"]
        ours, peer = float(np.median(ours_ms)), float(np.median(theirs_ms))
        if theirs is None:
            row += ["", f"{ours:.3f}", "not installed", ""]
        else:
            row += [f"{hits}", f"{ours:.3f}", f"{peer:.2f}", f"{peer / ours:.1f}"]
        out.add_row(f"{cell_mm:g} mm", *row)
    return out


if __name__ == "__main__":
    console = Console()
    console.print(machine(), highlight=False)
    console.print(measured())
