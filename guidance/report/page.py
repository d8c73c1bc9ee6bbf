"""The report of a session: one HTML file that opens offline, on any screen and on paper."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path

import numpy as np

from guidance.outcome import Outcome
from guidance.overlay.palette import VERDICTS
from guidance.report import sections, tables
from guidance.report.charts import reduced
from guidance.report.checklist import before_gas
from guidance.report.grid import CellGrid, chart_grid, pixel_grid
from guidance.report.history import earlier
from guidance.report.maps import (
    CellPaint,
    cold_paint,
    dwell_paint,
    knowledge_paint,
    overexposed_cells,
    unknown_cells,
    verdict_paint,
)
from guidance.report.markup import element, esc
from guidance.report.plot import Scale
from guidance.report.strips import shared_patterns
from models.geometry import Floats

CONTENTS = {
    "verdict": "Verdict",
    "figures": "Key figures",
    "treated": "What was treated",
    "maps": "Maps",
    "time": "Over time",
    "rewarming": "Rewarming",
    "coverage": "Coverage",
    "unknown": "Unknown",
    "alarms": "Alarms",
    "before": "Before the gas",
    "earlier": "Earlier sessions",
    "protocol": "Protocol",
    "rig": "Rig",
    "warnings": "Warnings",
    "limits": "Limits of the method",
    "software": "Software",
}


def write_report(outcome: Outcome, path: Path, *, video: str | None = "annotated.mp4") -> None:
    """Write the report.

    Args:
        outcome: The whole session.
        path: The ``.html`` file; it appears under its name only when it is complete.
        video: Name of the annotated video beside it; it is linked only where that file exists.
    """
    there = video is not None and path.with_name(video).exists()
    page = report_html(outcome, video=video if there else None)
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_text(page, encoding="utf-8")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def report_html(outcome: Outcome, *, video: str | None = None) -> str:
    """The whole page; everything but the video is inside it."""
    grid, paints = _maps(outcome)
    verdict = next((p for p in paints if p.name == "verdict"), None)
    body = "".join(
        (
            sections.verdict_card(outcome),
            sections.figures(outcome),
            sections.treated(outcome, grid, verdict, video=video),
            sections.maps(outcome, grid, paints),
            sections.over_time(outcome),
            sections.rewarming(outcome),
            tables.coverage(outcome),
            tables.not_known(outcome),
            tables.alarms(outcome),
            before_gas(outcome),
            earlier(outcome),
            tables.protocol(outcome),
            tables.rig(outcome),
            tables.warnings(outcome),
            tables.method(),
            tables.software(outcome),
        )
    )
    links = (
        element("a", title, href=f"#{name}") for name, title in CONTENTS.items() if f'id="{name}"' in body
    )
    contents = element("nav", "".join(links), kind="toc", aria_label="Contents")
    footer = "Written by cryoguide. Unknown is never safe: what was not seen is shown as unknown."
    page = sections.header(outcome) + contents + sections.notices(outcome) + body + element("footer", footer)
    data = json.dumps(_data(outcome, grid), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        + element("title", esc(f"{outcome.zone.title}, {outcome.name}"))
        + element("style", _own("report.css"))
    )
    scripts = f'<script type="application/json" id="data">{data}</script>' + element(
        "script", _own("report.js")
    )
    whole = element("head", head) + element("body", shared_patterns() + element("main", page) + scripts)
    return f'<!doctype html>\n<html lang="en">{whole}</html>\n'


def _maps(outcome: Outcome) -> tuple[CellGrid | None, list[CellPaint]]:
    """Raster and paints of the maps; nothing where no cell was ever placed."""
    exposure, judged = outcome.exposure, outcome.verdicts
    if exposure is None:
        return None, []
    unknown, over = unknown_cells(outcome), overexposed_cells(outcome)
    cold = cold_paint(exposure, unknown=unknown, over=over, protocol=outcome.protocol)
    if outcome.chart is not None:
        grid = chart_grid(outcome.chart, limb=outcome.zone.surface == "limb")
        paints = [dwell_paint(exposure, unknown=unknown, over=over, protocol=outcome.protocol), cold]
        if outcome.knowledge is not None:
            paints.append(knowledge_paint(outcome.knowledge, over=over))
        return grid, [verdict_paint(judged.verdict), *paints] if judged is not None else paints
    if outcome.pixel_cells is not None and len(outcome.pixel_cells.centre_px):
        return pixel_grid(outcome.pixel_cells), [cold]
    return None, []


def _data(outcome: Outcome, grid: CellGrid | None) -> dict[str, object]:
    """What the tooltips need."""
    trace = reduced(outcome.trace)
    out: dict[str, object] = {
        "curves": {
            "t": _round(trace.t_s, 3),
            "low": _round(trace.min_degc, 1),
            "bound": _round((trace.min_high_degc - trace.min_low_degc) / 2.0, 1),
            "mean": _round(trace.mean_degc, 1),
            "distance": _round(trace.distance_mm, 0) if outcome.chart is not None else None,
            "spread": _round((trace.distance_high_mm - trace.distance_low_mm) / 2.0, 0),
        }
    }
    exposure = outcome.exposure
    if grid is None or exposure is None:
        return out
    x = Scale(0.0, float(grid.cols), *grid.x_edges)
    y = Scale(0.0, float(grid.rows), *grid.y_edges)
    cells: dict[str, object] = {
        "unit": grid.unit,
        "row": grid.row.tolist(),
        "col": grid.col.tolist(),
        "x": _round(x.many(grid.col.astype(float) + 0.5), 1),
        "y": _round(y.many(grid.row.astype(float) + 0.5), 1),
        "zone": grid.in_zone.astype(int).tolist(),
        "low": _round(exposure.min_degc, 1),
        "bound": _round(exposure.min_u95_degc, 1),
        "seen": _round(exposure.observed_s, 1),
    }
    if outcome.chart is not None:
        cells |= {"dwell": _round(exposure.dwell_s, 1), "upper": _round(exposure.dwell_upper_s, 1)}
    if outcome.verdicts is not None and outcome.chart is not None:
        order, causes = list(VERDICTS), sorted({"", *outcome.verdicts.cause})
        out["causes"] = [c.replace("_", " ") for c in causes]
        cells |= {
            "words": [VERDICTS[v].title for v in order],
            "verdict": [order.index(v if v in VERDICTS else "unknown") for v in outcome.verdicts.verdict],
            "cause": [causes.index(c) for c in outcome.verdicts.cause],
        }
    out["cells"] = cells
    return out


def _round(values: Floats, digits: int) -> list[float | int | None]:
    """Rounded for people, null where not known."""
    rounded = np.round(values, digits) + 0.0
    listed = [
        v if known else None for v, known in zip(rounded.tolist(), np.isfinite(values).tolist(), strict=True)
    ]
    return [int(v) if v is not None and v == int(v) else v for v in listed]


def _own(name: str) -> str:
    """A text file that comes with this package."""
    return resources.files("guidance.report").joinpath(name).read_text(encoding="utf-8")
