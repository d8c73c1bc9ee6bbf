"""Going on from an earlier map: nothing that skin has had is lost, wherever in its bound the zone lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.carry import carried_tiles, carry_over
from models.chart import ZoneChart
from models.exposure import ExposureMap
from models.exposure_pack import KeptExposure
from models.geometry import Floats
from tests.models.skin_scenes import chart_on, plane

BOUND_MM = 6.0
CHART = replace(chart_on(plane, rows=15, cols=11), place_u95_mm=BOUND_MM)


def exposure_of(chart: ZoneChart) -> ExposureMap:
    """A spot beside the middle: dwell, cold, and a corner never observed."""
    away = np.hypot(chart.u_mm - 10.0, chart.v_mm + 15.0)
    low = np.where(chart.u_mm < -20.0, np.nan, 30.0 - 25.0 * np.exp(-((away / 12.0) ** 2)))
    return replace(
        ExposureMap.empty(len(chart)),
        dwell_s=20.0 * np.exp(-((away / 12.0) ** 2)),
        unseen_s=np.full(len(chart), 0.3),
        min_degc=low,
        min_u95_degc=np.where(np.isfinite(low), 1.0, np.nan),
        below_10_s=np.where(low < 10.0, 7.0, 0.0),
        observed_s=np.where(np.isfinite(low), 30.0, 0.0),
        blind_gas_s=np.where(away < 10.0, 0.4, 0.0),
    )


def kept(chart: ZoneChart = CHART, *, turned: bool = False) -> KeptExposure:
    return KeptExposure(
        chart.u_mm, chart.v_mm, chart.area_cm2, exposure_of(chart), chart.place_u95_mm, perhaps_turned=turned
    )


def moved(chart: ZoneChart, u_mm: float, v_mm: float) -> ZoneChart:
    """The same skin, charted with the zone's centre elsewhere."""
    return replace(chart, u_mm=chart.u_mm - u_mm, v_mm=chart.v_mm - v_mm)


def test_the_best_estimate_is_that_of_the_same_place() -> None:
    before, after = exposure_of(CHART), carry_over(kept(), CHART)
    for name in ("dwell_s", "min_degc", "below_10_s", "observed_s"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), nan_ok=True)


@given(st.floats(0.0, BOUND_MM), st.floats(0.0, 2.0 * np.pi))
def test_no_cell_gets_an_upper_bound_below_what_its_skin_had(away_mm: float, way: float) -> None:
    """The same skin charted up to the bound elsewhere: cell k is still cell k."""
    before = exposure_of(CHART)
    after = carry_over(kept(), moved(CHART, away_mm * np.cos(way), away_mm * np.sin(way)))
    assert (after.dwell_upper_s >= before.dwell_s - 1e-9).all()
    assert (after.blind_gas_s >= before.blind_gas_s).all()
    both = np.isfinite(after.min_degc) & np.isfinite(before.min_degc)
    assert (after.min_degc - after.min_u95_degc <= before.min_degc + 1e-9)[both].all()


def test_skin_that_the_earlier_map_did_not_reach_was_never_observed() -> None:
    after = carry_over(kept(), moved(CHART, 500.0, 0.0))
    assert np.isnan(after.min_degc).all()
    assert (after.observed_s == 0.0).all()


@pytest.mark.parametrize("whose", ["earlier", "later"])
def test_a_map_that_may_be_the_wrong_way_up_bounds_the_place_opposite(whose: str) -> None:
    opposite = int(np.argmin(np.hypot(CHART.u_mm + 10.0, CHART.v_mm - 15.0)))
    straight = carry_over(kept(), CHART)
    either = carry_over(kept(turned=whose == "earlier"), CHART, perhaps_turned=whose == "later")
    assert straight.dwell_upper_s[opposite] < 2.0
    assert either.dwell_upper_s[opposite] > 19.0
    assert either.dwell_s == pytest.approx(straight.dwell_s)


def test_dwell_that_was_not_measured_is_carried_as_a_bound() -> None:
    unknown: Floats = np.full(len(CHART), np.nan)
    before = replace(kept(), exposure=replace(exposure_of(CHART), dwell_s=unknown))
    before = replace(before, exposure=replace(before.exposure, unseen_s=np.full(len(CHART), 9.0)))
    after = carry_over(before, CHART)
    assert (after.dwell_s == 0.0).all()
    assert after.dwell_upper_s == pytest.approx(9.0)


def test_a_map_without_cells_leaves_a_fresh_one() -> None:
    none: Floats = np.zeros(0)
    after = carry_over(KeptExposure(none, none, none, ExposureMap.empty(0), 3.0), CHART)
    assert np.isnan(after.min_degc).all()


def test_tiles_keep_their_time_and_other_tiles_get_the_longest() -> None:
    assert carried_tiles((5.0, 7.0), tiles=2).tolist() == [5.0, 7.0]
    assert carried_tiles((5.0, 7.0), tiles=3).tolist() == [7.0, 7.0, 7.0]
    assert carried_tiles((), tiles=2).tolist() == [0.0, 0.0]
