"""Tables hold exactly the columns of the format, and null where nothing is known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest

from guidance.outcome import Outcome, PixelCells, Trace, Verdicts
from guidance.report.record import plain, write_tables
from guidance.session import Alarm
from models.chart import ZoneChart
from models.exposure import ExposureMap
from models.treatment import Treatment

NAN = float("nan")

CAPTURE_COLUMNS = [
    "t_s", "nozzle_state", "tags_used", "tip_x_mm", "tip_y_mm", "tip_z_mm", "axis_x", "axis_y",
    "axis_z", "tip_u95_mm", "distance_mm", "distance_u95_mm", "incidence_deg", "zone_state",
    "skin_min_degc", "skin_min_u95_degc", "time_to_limit_s",
]  # fmt: skip
CELL_COLUMNS = [
    "cell", "u_mm", "v_mm", "in_zone", "tile", "x_mm", "y_mm", "z_mm", "area_cm2", "dwell_s",
    "dwell_upper_s", "min_degc", "min_u95_degc", "cold_exposure_degc_s", "below_10_s", "below_4_s",
    "below_2_s", "observed_s", "verdict", "verdict_cause",
]  # fmt: skip
ALARM_COLUMNS = ["t_on_s", "t_off_s", "cause", "priority", "kind", "message"]


def trace(rows: int) -> Trace:
    numbers = np.arange(rows, dtype=float)
    unknown = np.full(rows, NAN)
    tip = np.stack([numbers, numbers + 10, numbers + 100], axis=1)
    tip[-1:] = NAN
    tags = numbers + 2
    tags[-1:] = NAN
    return Trace(
        t_s=numbers / 10,
        is_colour=np.arange(rows) % 3 != 2,
        gas=numbers > 1,
        nozzle_state=("tracked", "lost", "lost", "predicted")[:rows],
        tags_used=tags,
        tip_rgb_mm=tip,
        axis_rgb=tip / 100,
        tip_u95_mm=unknown,
        distance_mm=numbers + 150,
        distance_u95_mm=numbers + 3,
        incidence_deg=numbers,
        zone_state=("placed", "held", "lost", "placed")[:rows],
        skin_min_degc=unknown,
        skin_min_u95_degc=unknown,
        time_to_limit_s=unknown,
        zone_mean_degc=numbers + 30,
        zone_observed_share=numbers / 10,
        status=((),) * rows,
    )


def outcome(**changes: Any) -> Outcome:
    cells = 3
    ramp = np.arange(cells, dtype=float)
    chart = ZoneChart(
        reference_t_s=0.5,
        anchored_by="tap",
        surface_by="depth",
        row=np.arange(cells),
        col=np.arange(cells),
        u_mm=5 * ramp,
        v_mm=-5 * ramp,
        position_mm=np.stack([ramp, ramp + 1, ramp + 900], axis=1),
        normal=np.tile([0.0, 0.0, -1.0], (cells, 1)),
        area_cm2=np.full(cells, 0.26),
        in_zone=np.array([True, True, False]),
        left_out=np.zeros(cells, bool),
        tile=np.array([0, 0, -1]),
        height_u95_mm=np.ones(cells),
        place_u95_mm=5.0,
    )
    exposure = ExposureMap(
        dwell_s=ramp,
        unseen_s=ramp / 2,
        min_degc=np.array([4.0, 20.0, NAN]),
        min_u95_degc=np.array([2.0, 2.0, NAN]),
        cold_exposure_degc_s=np.array([3.0, 0.0, 0.0]),
        below_10_s=np.array([1.0, 0.0, 0.0]),
        below_4_s=np.zeros(cells),
        below_2_s=np.zeros(cells),
        observed_s=np.array([5.0, 5.0, 0.0]),
        blind_gas_s=np.zeros(cells),
    )
    made = Outcome(
        name="s",
        treatment=Treatment(
            datetime(2026, 11, 23, tzinfo=UTC),
            "knee",
            "left",
            "co2",
            "co2-analgesia",
            None,
            None,
            None,
            None,
            (),
        ),
        zone=cast("Any", None),
        protocol=cast("Any", None),
        device=cast("Any", None),
        rig=None,
        duration_s=0.4,
        chart=chart,
        pixel_cells=None,
        exposure=exposure,
        verdicts=Verdicts(("in_target", "untreated", "unknown"), ("", "", "unseen")),
        trace=trace(4),
        alarms=(
            Alarm("dwell", "physiological", "medium", "Move on.", 0.3),
            Alarm("nozzle_lost", "technical", "low", "Show the nozzle.", 0.1, 0.2),
        ),
        poster=None,
        gas_stopped_s=None,
        summary={
            "schema": "x",
            "min_degc": np.float64(NAN),
            "zone": {"centre_mm": np.array([1.0, 2.0, 3.5])},
        },
        warnings=(),
    )
    return replace(made, **changes)


def written(folder: Path, name: str) -> dict[str, list[Any]]:
    return pq.read_table(folder / f"{name}.parquet").to_pydict()


def test_columns_are_those_of_the_format_in_its_order(tmp_path: Path) -> None:
    write_tables(outcome(), tmp_path)
    assert list(written(tmp_path, "captures")) == CAPTURE_COLUMNS
    assert list(written(tmp_path, "cells")) == CELL_COLUMNS
    assert list(written(tmp_path, "alarms")) == ALARM_COLUMNS


def test_captures_have_a_row_a_colour_frame_and_null_where_nothing_is_known(tmp_path: Path) -> None:
    write_tables(outcome(), tmp_path)
    table = written(tmp_path, "captures")
    assert table["t_s"] == [0.0, 0.1, 0.3]
    assert table["nozzle_state"] == ["tracked", "lost", "predicted"]
    assert table["zone_state"] == ["placed", "held", "placed"]
    assert table["tags_used"] == [2, 3, None]
    assert table["tip_z_mm"] == [100.0, 101.0, None]
    assert table["tip_u95_mm"] == [None, None, None]
    assert table["distance_mm"] == [150.0, 151.0, 153.0]


def test_a_cell_never_observed_has_no_temperature_and_no_time_below(tmp_path: Path) -> None:
    write_tables(outcome(), tmp_path)
    table = written(tmp_path, "cells")
    assert table["cell"] == [0, 1, 2]
    assert table["min_degc"] == [4.0, 20.0, None]
    for name in ("cold_exposure_degc_s", "below_10_s", "below_4_s", "below_2_s"):
        assert table[name][1:] == [0.0, None]
    assert table["observed_s"] == [5.0, 5.0, 0.0]
    assert table["dwell_upper_s"] == [0.0, 1.5, 3.0]
    assert table["tile"] == [0, 0, None]
    assert table["z_mm"] == [900.0, 901.0, 902.0]
    assert table["in_zone"] == [True, True, False]
    assert table["verdict_cause"] == ["", "", "unseen"]


def test_a_zone_in_pixels_claims_no_millimetres_and_no_dwell(tmp_path: Path) -> None:
    pixels = PixelCells("thermal", np.zeros((3, 2)), np.array([True, True, False]))
    write_tables(outcome(chart=None, pixel_cells=pixels), tmp_path)
    table = written(tmp_path, "cells")
    for name in ("u_mm", "v_mm", "x_mm", "y_mm", "z_mm", "area_cm2", "dwell_s", "dwell_upper_s", "tile"):
        assert table[name] == [None, None, None]
    assert table["min_degc"] == [4.0, 20.0, None]


def test_without_a_zone_the_tables_are_empty_but_typed(tmp_path: Path) -> None:
    nothing = outcome(chart=None, exposure=None, verdicts=None, alarms=(), trace=trace(0))
    write_tables(nothing, tmp_path)
    for name, columns in (("cells", CELL_COLUMNS), ("captures", CAPTURE_COLUMNS), ("alarms", ALARM_COLUMNS)):
        table = pq.read_table(tmp_path / f"{name}.parquet")
        assert table.num_rows == 0
        assert table.schema.names == columns
        assert "null" not in {str(kind) for kind in table.schema.types}


def test_alarms_come_in_order_of_time_and_one_that_stands_has_no_end(tmp_path: Path) -> None:
    write_tables(outcome(), tmp_path)
    table = written(tmp_path, "alarms")
    assert table["cause"] == ["nozzle_lost", "dwell"]
    assert table["t_off_s"] == [0.2, None]


def test_curves_have_a_row_a_capture(tmp_path: Path) -> None:
    write_tables(outcome(), tmp_path)
    assert written(tmp_path, "curves")["t_s"] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_summary_is_plain_json_with_null_for_what_is_not_known(tmp_path: Path) -> None:
    write_tables(outcome(), tmp_path)
    text = (tmp_path / "summary.json").read_text()
    assert "NaN" not in text
    assert json.loads(text) == {"schema": "x", "min_degc": None, "zone": {"centre_mm": [1.0, 2.0, 3.5]}}


def test_plain_turns_every_kind_into_json() -> None:
    value = {
        "a": (np.int64(3), np.bool_(True), float("inf")),
        "b": datetime(2026, 1, 2, tzinfo=UTC),
        3: Path("x"),
    }
    assert plain(value) == {"a": [3, True, None], "b": "2026-01-02T00:00:00+00:00", "3": "x"}
