"""Writing an outcome as tables and figures, in the columns of the interchange format."""

# pyright: standard
# pyarrow ships no types, so strict checking would only count unknown members here.

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from guidance.outcome import Outcome
from models.geometry import Bools, Floats

_F, _I, _B, _S = pa.float64(), pa.int64(), pa.bool_(), pa.string()

CAPTURES = pa.schema(
    [
        ("t_s", _F), ("nozzle_state", _S), ("tags_used", _I),
        ("tip_x_mm", _F), ("tip_y_mm", _F), ("tip_z_mm", _F), ("axis_x", _F), ("axis_y", _F), ("axis_z", _F),
        ("tip_u95_mm", _F), ("distance_mm", _F), ("distance_u95_mm", _F), ("incidence_deg", _F),
        ("zone_state", _S), ("skin_min_degc", _F), ("skin_min_u95_degc", _F), ("time_to_limit_s", _F),
    ]
)  # fmt: skip
CELLS = pa.schema(
    [
        ("cell", _I), ("u_mm", _F), ("v_mm", _F), ("in_zone", _B), ("tile", _I),
        ("x_mm", _F), ("y_mm", _F), ("z_mm", _F), ("area_cm2", _F), ("dwell_s", _F), ("dwell_upper_s", _F),
        ("min_degc", _F), ("min_u95_degc", _F), ("cold_exposure_degc_s", _F),
        ("below_10_s", _F), ("below_4_s", _F), ("below_2_s", _F), ("observed_s", _F),
        ("verdict", _S), ("verdict_cause", _S),
    ]
)  # fmt: skip
ALARMS = pa.schema(
    [("t_on_s", _F), ("t_off_s", _F), ("cause", _S), ("priority", _S), ("kind", _S), ("message", _S)]
)
CURVES = pa.schema([("t_s", _F), ("zone_mean_degc", _F), ("zone_observed_share", _F), ("skin_min_degc", _F)])


def write_tables(outcome: Outcome, folder: Path) -> None:
    """Write ``captures``, ``cells``, ``alarms`` and ``curves`` as parquet and ``summary.json``.

    What is not known is null: NaN, the temperatures and times below thresholds of a cell that was
    never observed, the dwell of a zone known in pixels only.

    Args:
        outcome: The whole session.
        folder: Existing folder to write into.
    """
    for name, table in (
        ("captures", captures_table(outcome)),
        ("cells", cells_table(outcome)),
        ("alarms", alarms_table(outcome)),
        ("curves", curves_table(outcome)),
    ):
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    text = json.dumps(plain(outcome.summary), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")


def captures_table(outcome: Outcome) -> pa.Table:
    """One row a colour frame."""
    trace = outcome.trace
    rows = np.flatnonzero(trace.is_colour)
    columns: dict[str, object] = {
        "nozzle_state": [trace.nozzle_state[row] for row in rows],
        "zone_state": [trace.zone_state[row] for row in rows],
        "tags_used": [int(n) if math.isfinite(n) else None for n in trace.tags_used[rows].tolist()],
    }
    for axis, name in enumerate("xyz"):
        columns[f"tip_{name}_mm"] = _known(trace.tip_rgb_mm[rows, axis])
        columns[f"axis_{name}"] = _known(trace.axis_rgb[rows, axis])
    for name in CAPTURES.names:
        if name not in columns:
            columns[name] = _known(cast("Floats", getattr(trace, name))[rows])
    return _table(columns, CAPTURES)


def cells_table(outcome: Outcome) -> pa.Table:
    """One row a cell of the exposure map; no rows where the zone was never placed."""
    chart, pixels, exposure = outcome.chart, outcome.pixel_cells, outcome.exposure
    n = len(chart) if chart else len(pixels.centre_px) if pixels else 0
    columns: dict[str, object] = {name: pa.nulls(n, CELLS.field(name).type) for name in CELLS.names}
    columns["cell"] = np.arange(n)
    if chart:
        columns |= {
            "u_mm": chart.u_mm,
            "v_mm": chart.v_mm,
            "in_zone": chart.in_zone,
            "area_cm2": chart.area_cm2,
        }
        columns["tile"] = pa.array(chart.tile, mask=chart.tile < 0)
        columns |= {f"{name}_mm": chart.position_mm[:, axis] for axis, name in enumerate("xyz")}
    elif pixels:
        columns["in_zone"] = pixels.in_zone
    if exposure and n:
        unseen = exposure.observed_s <= 0.0
        if chart:
            columns |= {"dwell_s": _known(exposure.dwell_s), "dwell_upper_s": _known(exposure.dwell_upper_s)}
        for name in ("min_degc", "min_u95_degc"):
            columns[name] = _known(cast("Floats", getattr(exposure, name)))
        for name in ("cold_exposure_degc_s", "below_10_s", "below_4_s", "below_2_s"):
            columns[name] = _known(cast("Floats", getattr(exposure, name)), unknown=unseen)
        columns["observed_s"] = exposure.observed_s
    if outcome.verdicts and n:
        columns |= {"verdict": list(outcome.verdicts.verdict), "verdict_cause": list(outcome.verdicts.cause)}
    return _table(columns, CELLS)


def alarms_table(outcome: Outcome) -> pa.Table:
    """One row an episode of an alarm, in order of time."""
    alarms = sorted(outcome.alarms, key=lambda alarm: alarm.t_on_s)
    return _table({name: [getattr(alarm, name) for alarm in alarms] for name in ALARMS.names}, ALARMS)


def curves_table(outcome: Outcome) -> pa.Table:
    """One row a capture, ticks without a picture included."""
    return _table(
        {name: _known(cast("Floats", getattr(outcome.trace, name))) for name in CURVES.names}, CURVES
    )


def plain(value: object) -> object:
    """The value in JSON's own kinds; numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, np.ndarray):
        return plain(cast("object", value.tolist()))
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in cast("Sequence[object]", value)]
    return str(value)


def _known(values: Floats, *, unknown: Bools | None = None) -> pa.Array:
    """Numbers with null for NaN and where unknown."""
    mask = np.isnan(values) if unknown is None else np.isnan(values) | unknown
    return pa.array(np.asarray(values, dtype=np.float64), mask=mask)


def _table(columns: dict[str, object], schema: pa.Schema) -> pa.Table:
    arrays: list[pa.Array] = []
    for field in schema:
        column = columns[field.name]
        arrays.append(column if isinstance(column, pa.Array) else pa.array(column, type=field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
