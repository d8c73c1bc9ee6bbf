"""A whole analysis of a recording with exact truth: nozzle, distance, dwell, cold, and the STOP in time.

Limits are those of the project's aims; measured values stand in brackets behind them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from scipy.spatial import cKDTree

from guidance.analyse import analyse
from models.deposit import peak_per_cm2
from models.geometry import Bools, Floats

NEAR_MM = 6.0
"""A true cell farther than this from every reported one lies outside the map."""
TREATED_S = 0.05


@dataclass(frozen=True, eq=False)
class Scored:
    """A report beside the truth of its session."""

    summary: dict[str, object]
    captures: dict[str, Floats]
    nozzle_state: list[str]
    cells: dict[str, Floats]
    verdict: list[str]
    alarms: list[dict[str, object]]
    truth: dict[str, Floats]
    true_cells: dict[str, Floats]
    crossing_s: float | None

    @staticmethod
    def of(session: Path, out: Path) -> Scored:
        captures, cells, alarms = (
            pyarrow.parquet.read_table(out / f"{name}.parquet") for name in ("captures", "cells", "alarms")
        )
        with np.load(session / "truth" / "captures.npz") as archive:
            truth = dict(archive)
        with np.load(session / "truth" / "cells.npz") as archive:
            true_cells = dict(archive)
        crossing = json.loads((session / "truth" / "events.json").read_text())
        return Scored(
            summary=json.loads((out / "summary.json").read_text()),
            captures=_numbers(captures),
            nozzle_state=captures["nozzle_state"].to_pylist(),
            cells=_numbers(cells),
            verdict=cells["verdict"].to_pylist(),
            alarms=alarms.to_pylist(),
            truth=truth,
            true_cells=true_cells,
            crossing_s=_crossing_s(crossing),
        )

    @property
    def row(self) -> np.ndarray:
        """Row of the truth for each capture."""
        return np.abs(self.truth["t_s"][None] - self.captures["t_s"][:, None]).argmin(1)

    @property
    def tracked(self) -> Bools:
        return np.array([state == "tracked" for state in self.nozzle_state])

    def of_truth(self, name: str) -> Floats:
        return self.truth[name][self.row].astype(float)

    def tip_error_mm(self) -> Floats:
        tip = np.stack([self.captures[f"tip_{axis}_mm"] for axis in "xyz"], axis=1)
        return np.linalg.norm(tip - self.of_truth("tip_mm"), axis=1)

    def places_mm(self) -> Floats:
        """True cells at the reference time."""
        t_s, moved = self.true_cells["position_t_s"], self.true_cells["displacement_mm"]
        k = int(np.abs(t_s - float(str(self.summary["reference_t_s"]))).argmin())
        return self.true_cells["position0_mm"] + moved[k].astype(float)

    def beside_truth(self) -> tuple[Floats, Floats, Floats]:
        """Reported and true dwell of each reported cell, and the true cells' area in it."""
        places = np.stack([self.cells[f"{axis}_mm"] for axis in "xyz"], axis=1)
        found = cKDTree(places).query(self.places_mm())
        near, nearest = np.asarray(found[0]) <= NEAR_MM, np.asarray(found[1], np.int64)
        area, n = self.true_cells["area_cm2"].astype(float), len(places)
        held = np.bincount(nearest[near], area[near], n).astype(float)
        dwell = np.bincount(nearest[near], (area * self.true_cells["dwell_s"])[near], n)
        return self.cells["dwell_s"], dwell / np.maximum(held, 1e-12), held

    def stops_s(self) -> list[float]:
        """When the skin's temperature, or its forecast, told the operator to stop."""
        return [
            float(str(alarm["t_on_s"]))
            for alarm in self.alarms
            if alarm["priority"] == "high" and "temperature" in str(alarm["cause"])
        ]

    def unmatched_share(self) -> float:
        places = np.stack([self.cells[f"{axis}_mm"] for axis in "xyz"], axis=1)
        far = np.asarray(cKDTree(places).query(self.places_mm())[0]) > NEAR_MM
        dwell = (self.true_cells["area_cm2"] * self.true_cells["dwell_s"]).astype(float)
        return float(dwell[far].sum() / dwell.sum())


def _numbers(table: pyarrow.Table) -> dict[str, Floats]:
    return {
        name: np.array(table[name].to_pylist(), dtype=float)
        for name in table.column_names
        if table.schema.field(name).type not in (pyarrow.string(), pyarrow.bool_())
    }


def _crossing_s(events: dict[str, dict[str, float | None]]) -> float | None:
    return next(value for key, value in events["crossing_s"].items() if float(key) == 2.0)


@pytest.fixture(scope="session")
def scored_calf(calf: Path, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    out = tmp_path_factory.mktemp("calf") / "report"
    analyse(calf, out=out, video=False)
    return Scored.of(calf, out)


def test_the_nozzle_is_where_it_was(scored_calf: Scored) -> None:
    """Tracked in 98 % (100), tip 0.8 mm p50 (0.1) and 2 mm p95 (0.4), inside its bound in 93 % (100)."""
    scored, tracked = scored_calf, scored_calf.tracked
    assert tracked.mean() >= 0.98
    error = scored.tip_error_mm()[tracked]
    assert np.percentile(error, 50) <= 0.8
    assert np.percentile(error, 95) <= 2.0
    assert (error <= scored.captures["tip_u95_mm"][tracked]).mean() >= 0.93
    axis = np.stack([scored.captures[f"axis_{k}"] for k in "xyz"], axis=1)[tracked]
    turn_deg = np.degrees(np.arccos(np.clip((axis * scored.of_truth("axis")[tracked]).sum(1), -1.0, 1.0)))
    assert np.percentile(turn_deg, 95) <= 0.5


def test_the_distance_is_what_it_was(scored_calf: Scored) -> None:
    """3 mm p95 (1.2), inside its bound in 93 % of the captures (100), given in nearly all."""
    distance = scored_calf.captures["distance_mm"]
    given = np.isfinite(distance)
    assert given.mean() >= 0.95
    error = np.abs(distance - scored_calf.of_truth("distance_mm"))[given]
    assert np.percentile(error, 95) <= 3.0
    assert (error <= scored_calf.captures["distance_u95_mm"][given]).mean() >= 0.93


def test_the_dwell_map_is_the_true_one(scored_calf: Scored) -> None:
    """Area-weighted error 7 % (6.3), dwell outside the map 3 % (1.8), upper bound above 95 % of it (99)."""
    reported, true, area = scored_calf.beside_truth()
    treated = (area > 0.0) & (true > TREATED_S)
    assert treated.sum() > 200
    error = (area * np.abs(reported - true))[treated].sum() / (area * true)[treated].sum()
    assert error <= 0.07
    assert scored_calf.unmatched_share() <= 0.03
    assert (scored_calf.cells["dwell_upper_s"] >= true)[treated].mean() >= 0.95


def test_the_peak_dwell_is_the_true_one(scored_calf: Scored) -> None:
    """6 % (2.3)."""
    places, dwell = scored_calf.places_mm(), scored_calf.true_cells["dwell_s"].astype(float)
    true = peak_per_cm2(dwell, places, scored_calf.true_cells["area_cm2"].astype(float))
    assert float(str(scored_calf.summary["peak_dwell_cm2_s"])) == pytest.approx(true, rel=0.06)


def test_the_lowest_temperature_lies_inside_its_bound(scored_calf: Scored) -> None:
    low, u95 = (float(str(scored_calf.summary[name])) for name in ("min_degc", "min_u95_degc"))
    assert abs(low - float(scored_calf.true_cells["min_degc"].min())) <= u95
    captured, bound = scored_calf.captures["skin_min_degc"], scored_calf.captures["skin_min_u95_degc"]
    seen = np.isfinite(captured)
    inside = np.abs(captured - scored_calf.of_truth("skin_min_degc")) <= bound
    assert seen.mean() > 0.9
    assert inside[seen].mean() >= 0.9


def test_stop_comes_no_later_than_half_a_second_after_the_true_crossing(scored_calf: Scored) -> None:
    """And none too early: from 3 s before the crossing on, or with 4 s or less left (1.7 s before it)."""
    assert scored_calf.crossing_s is not None
    stops = scored_calf.stops_s()
    assert stops
    assert min(stops) <= scored_calf.crossing_s + 0.5
    for stop_s in stops:
        row = int(np.abs(scored_calf.truth["t_s"] - stop_s).argmin())
        assert stop_s >= scored_calf.crossing_s - 3.0 or scored_calf.truth["time_to_2_s"][row] <= 4.0


def test_a_faultless_recording_raises_no_technical_alarm(scored_calf: Scored) -> None:
    told = {str(alarm["cause"]) for alarm in scored_calf.alarms if alarm["kind"] == "technical"}
    assert told == set()
    assert scored_calf.summary["unassigned_s"] == 0.0


def test_an_exact_collar_is_found_to_be_exact(scored_calf: Scored) -> None:
    """0.01 mm at worst; a collar glued by hand is off by ten times as much and more."""
    collar = scored_calf.summary["collar"]
    assert isinstance(collar, dict)
    assert collar["tags_seen"] >= 4
    assert collar["worst_off_mm"] < 0.05


def test_the_cooling_lies_where_and_when_the_jet_should_cause_it(scored_calf: Scored) -> None:
    """The recording's rig is exact."""
    check = scored_calf.summary["rig_check"]
    assert isinstance(check, dict)
    assert check["reason"] is None
    assert check["offset_mm"] <= check["offset_u95_mm"] < 6.0
    assert abs(check["lag_s"]) <= check["lag_u95_s"] < 0.08


def test_zone_and_map_are_described(scored_calf: Scored) -> None:
    zone = scored_calf.summary["zone"]
    assert isinstance(zone, dict)
    assert (zone["anchored_by"], zone["surface_by"], zone["side"]) == ("tap", "depth", "left")
    cells, in_zone = scored_calf.cells, scored_calf.cells["tile"] >= 0
    assert zone["area_cm2"] == pytest.approx(cells["area_cm2"][in_zone].sum(), rel=1e-6)
    for number in np.unique(cells["tile"][in_zone]):
        assert cells["area_cm2"][cells["tile"] == number].sum() <= 150.0
    assert set(scored_calf.verdict) <= {"overexposed", "unknown", "in_target", "below_target", "untreated"}
    treated = cells["dwell_s"] > 0.5
    assert "untreated" not in np.array(scored_calf.verdict)[treated]


def check_aims(scored: Scored, *, tip_mm: float, distance_mm: float) -> None:
    assert scored.tracked.mean() >= 0.95
    assert np.percentile(scored.tip_error_mm()[scored.tracked], 95) <= tip_mm
    error = np.abs(scored.captures["distance_mm"] - scored.of_truth("distance_mm"))
    given = np.isfinite(error)
    assert np.percentile(error[given], 95) <= distance_mm
    assert (error <= scored.captures["distance_u95_mm"])[given].mean() >= 0.9
    reported, true, area = scored.beside_truth()
    treated = (area > 0.0) & (true > TREATED_S)
    assert (area * np.abs(reported - true))[treated].sum() <= 0.15 * (area * true)[treated].sum()
    assert scored.unmatched_share() <= 0.03


def test_a_back_placed_by_landmarks_meets_the_aims_too(twin: Callable[[str], Path], tmp_path: Path) -> None:
    """Distance 6 mm p95 (3.1), dwell 15 % (3.4), the zone's centre within 40 mm (11), STOP in time (3.2 s
    before)."""
    session = twin("s1-lumbar-ln2")
    analyse(session, out=tmp_path / "report", video=False)
    scored = Scored.of(session, tmp_path / "report")
    check_aims(scored, tip_mm=5.0, distance_mm=6.0)
    zone = scored.summary["zone"]
    assert isinstance(zone, dict)
    assert (zone["anchored_by"], zone["surface_by"]) == ("landmarks", "depth")
    anatomy = json.loads((session / "truth" / "anatomy.json").read_text())
    row = int(
        np.abs(np.array(anatomy["zone_centre_t_s"]) - float(str(scored.summary["reference_t_s"]))).argmin()
    )
    assert np.linalg.norm(np.subtract(zone["centre_mm"], anatomy["zone_centre_by_t_mm"][row])) <= 40.0
    assert scored.crossing_s is not None
    assert min(scored.stops_s()) <= scored.crossing_s + 0.5


def test_a_knee_with_skin_tags_meets_the_aims_too_and_is_never_stopped(
    twin: Callable[[str], Path], tmp_path: Path
) -> None:
    """Tip 1.5 mm p95 (0.2), distance 8 mm p95 (4.2), dwell 15 % (9.2) and 3 % outside (0); nothing is too
    cold."""
    session = twin("s2-knee-air")
    analyse(session, out=tmp_path / "report", video=False)
    scored = Scored.of(session, tmp_path / "report")
    check_aims(scored, tip_mm=1.5, distance_mm=8.0)
    assert scored.stops_s() == []
