"""Claims about verdicts: the first rule that holds decides, and unknown is never safe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.exposure import ExposureMap
from models.geometry import Floats
from models.protocol import Again, DistanceBand, Ladder, Protocol, Rule
from models.verdict import BLIND_S, TREATED_S, coverage_pct, reached_target, verdict_area_cm2, verdicts
from tests.models.skin_scenes import chart_on, plane

PROTOCOL = Protocol(
    name="test",
    title="Test",
    device="ln2-wand",
    mode="analgesia",
    target_low_degc=8.0,
    target_high_degc=12.0,
    advisory_degc=6.0,
    skin_degc=Ladder(4.0, 2.0),
    predicted_s=Ladder(5.0, 2.5),
    confirm_pictures=2,
    distance=DistanceBand(150.0, 120.0, 180.0, 100.0, 250.0, 70.0),
    zone_time_s=Ladder(150.0, 180.0),
    session_time_s=720.0,
    static_speed_cm_s=1.0,
    static_s=Ladder(2.0, 4.0),
    dwell_s=Ladder(15.0, 30.0),
    below_10_s=Ladder(180.0, 600.0),
    below_4_s=Ladder(60.0, 120.0),
    below_2_s=Ladder(0.0, 3.0),
    incidence_warn_deg=45.0,
    sweep_low_cm_s=3.0,
    sweep_high_cm_s=10.0,
    again=Again(Rule(10800.0, refuses=True), None, Rule(28.0, refuses=True), 600.0, 7200.0),
    approved_by=None,
    evidence={},
)
CHART = chart_on(plane, rows=1, cols=1)


def cell(**values: float) -> ExposureMap:
    """One well observed, treated cell at 10 degC, with some values changed."""
    usual = {"dwell_s": 5.0, "min_degc": 10.0, "min_u95_degc": 0.5, "observed_s": 60.0} | values
    return replace(ExposureMap.empty(1), **{name: np.array([value]) for name, value in usual.items()})


def judged(exposure: ExposureMap, tile_time_s: Floats | None = None) -> tuple[str, str]:
    verdict, cause = verdicts(exposure, CHART, protocol=PROTOCOL, tile_time_s=tile_time_s)
    return verdict[0], cause[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"min_degc": 2.0}, ("overexposed", "skin_temperature")),
        ({"min_degc": 2.01}, ("in_target", "")),
        ({"dwell_s": 30.0}, ("overexposed", "dwell")),
        ({"below_10_s": 600.0}, ("overexposed", "cold_time")),
        ({"below_4_s": 120.0}, ("overexposed", "cold_time")),
        ({"below_2_s": 3.0}, ("overexposed", "cold_time")),
        ({"below_2_s": 2.9}, ("in_target", "")),
        ({"blind_gas_s": BLIND_S + 0.01}, ("unknown", "not_observed")),
        ({"blind_gas_s": BLIND_S - 0.01}, ("in_target", "")),
        ({"min_degc": np.nan, "observed_s": 0.0}, ("unknown", "temperature_not_observed")),
        ({"dwell_s": 5.0, "observed_s": 4.0}, ("unknown", "temperature_not_observed")),
        (
            {"dwell_s": 0.0, "min_degc": np.nan, "observed_s": 0.0, "unseen_s": 1.0},
            ("unknown", "temperature_not_observed"),
        ),
        ({"dwell_s": 0.0, "min_degc": np.nan, "observed_s": 0.0}, ("untreated", "")),
        ({"dwell_s": 0.0, "min_degc": 30.0, "unseen_s": 1.0}, ("untreated", "")),
        ({"min_degc": 12.0}, ("in_target", "")),
        ({"min_degc": 12.1}, ("below_target", "")),
        ({"min_degc": 30.0, "dwell_s": TREATED_S}, ("untreated", "")),
    ],
)
def test_verdict_of_one_cell(values: dict[str, float], expected: tuple[str, str]) -> None:
    assert judged(cell(**values)) == expected


def test_overexposed_is_said_even_where_part_was_not_seen() -> None:
    assert judged(cell(min_degc=1.0, blind_gas_s=5.0)) == ("overexposed", "skin_temperature")


def test_coldest_cause_is_named_first() -> None:
    assert judged(cell(min_degc=1.0, dwell_s=40.0, below_2_s=9.0)) == ("overexposed", "skin_temperature")


def test_zone_time_condemns_the_treated_cells_of_its_tile_only() -> None:
    assert judged(cell(), np.array([180.0])) == ("overexposed", "zone_time")
    assert judged(cell(), np.array([179.0])) == ("in_target", "")
    assert judged(cell(dwell_s=0.0, min_degc=30.0), np.array([180.0])) == ("untreated", "")
    outside = replace(CHART, tile=np.array([-1]))
    verdict, _ = verdicts(cell(), outside, protocol=PROTOCOL, tile_time_s=np.array([180.0]))
    assert verdict == ("in_target",)


def test_no_time_at_all_passes_no_limit_of_zero_seconds() -> None:
    strict = replace(PROTOCOL, below_2_s=Ladder(0.0, 0.0))
    assert verdicts(cell(), CHART, protocol=strict, tile_time_s=None)[0] == ("in_target",)


@given(
    dwell_s=st.floats(0.0, 40.0),
    min_degc=st.floats(-5.0, 35.0),
    observed_s=st.floats(0.0, 60.0),
    blind_s=st.floats(0.0, 2.0),
    more_s=st.floats(0.0, 10.0),
)
def test_seeing_less_never_makes_a_cell_look_better(
    dwell_s: float, min_degc: float, observed_s: float, blind_s: float, more_s: float
) -> None:
    alarm = {"untreated": 0, "below_target": 0, "in_target": 0, "unknown": 1, "overexposed": 2}
    seen = cell(dwell_s=dwell_s, min_degc=min_degc, observed_s=observed_s, blind_gas_s=blind_s)
    less = cell(
        dwell_s=dwell_s,
        min_degc=min_degc,
        observed_s=max(0.0, observed_s - more_s),
        blind_gas_s=blind_s + more_s,
    )
    assert alarm[judged(less)[0]] >= alarm[judged(seen)[0]]


def test_coverage_is_the_share_of_the_zones_area_that_got_cold_enough() -> None:
    chart = chart_on(plane, rows=1, cols=4)
    chart = replace(chart, area_cm2=np.array([1.0, 2.0, 3.0, 10.0]), in_zone=np.array([1, 1, 1, 0], bool))
    exposure = replace(ExposureMap.empty(4), min_degc=np.array([11.0, 1.0, np.nan, 5.0]))
    # Too cold has been through the band; never observed has not been seen to reach it; the last lies outside.
    assert coverage_pct(exposure, chart, protocol=PROTOCOL) == pytest.approx(50.0)
    np.testing.assert_array_equal(reached_target(exposure, protocol=PROTOCOL), [True, True, False, True])


def test_areas_of_verdicts_add_up_to_the_map() -> None:
    chart = chart_on(plane, rows=1, cols=3)
    chart = replace(chart, in_zone=np.array([True, True, False]))
    verdict = ("unknown", "in_target", "unknown")
    assert verdict_area_cm2(verdict, chart, name="unknown") == pytest.approx(0.5)
    assert verdict_area_cm2(verdict, chart, name="unknown", in_zone=True) == pytest.approx(0.25)


def test_a_map_of_another_chart_and_a_chart_without_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="chart"):
        verdicts(ExposureMap.empty(2), CHART, protocol=PROTOCOL, tile_time_s=None)
    with pytest.raises(ValueError, match="no cell in the zone"):
        coverage_pct(cell(), replace(CHART, in_zone=np.array([False])), protocol=PROTOCOL)
