"""Between two captures of a slow camera the skin model is told of the jet in parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidance.session import JetOnSkin
from guidance.simulate import Wish, scene_of, setup_of
from guidance.stages.forecast import PART_S, told_in_parts
from guidance.stages.jet import Contact
from models.capture import Capture
from models.geometry import Floats
from models.skin_estimate import SkinEstimate
from models.skin_filter import predict
from models.tissue import SKIN

SETUP = setup_of(scene_of(Wish(protocol="co2-thermal-shock")))
PLACES_MM = np.linspace(-40.0, 40.0, 41)
HALF_MM, SPEED_MM_S, SLOW_S = 16.0, 70.0, 1.0 / 6.0
JET = JetOnSkin(np.zeros(3), 100.0, 1.0, 0.0, 20, True, 7.0)


def weight(at_mm: float) -> Floats:
    return np.exp(-np.log(2.0) * ((PLACES_MM - at_mm) / HALF_MM) ** 2)


def capture(t_s: float, *, gas_s: float, gas_now: bool = True) -> Capture:
    return Capture(t_s, 1, None, (), (), gas_s, gas_now)


def contact(now_mm: float, *, before_mm: float | None) -> Contact:
    before = None if before_mm is None else weight(before_mm)
    return Contact(JET, "", weight(now_mm), None, 0.0, 1.0, before)


def swept(*, interval_s: float, seconds: float = 0.5) -> Floats:
    """Surface temperatures after a sweep of 7 cm/s seen at such intervals."""
    estimate = SkinEstimate.unknown(len(PLACES_MM), tissue=SKIN, t_s=0.0)
    for k in range(round(seconds / interval_s)):
        end_s = (k + 1) * interval_s
        now_mm, before_mm = (SPEED_MM_S * (t_s - seconds / 2.0) for t_s in (end_s, end_s - interval_s))
        parts = told_in_parts(
            contact(now_mm, before_mm=before_mm), capture(end_s, gas_s=interval_s), SETUP, dt_s=interval_s
        )
        for film, to_s in parts:
            estimate = predict(estimate, jet=film, tissue=SKIN, t_s=to_s)
    return estimate.skin.surface_degc


def test_a_sweep_seen_six_times_a_second_cools_the_skin_as_one_seen_often() -> None:
    """Measured: 0.4 degC of a fall of 10 apart at most; 1.6 with the footprint at each interval's end."""
    often, rarely = swept(interval_s=1.0 / 120.0), swept(interval_s=SLOW_S)
    assert often.min() < 24.0
    assert np.abs(rarely - often).max() < 0.6


def test_gas_that_came_on_late_struck_at_full_strength_for_the_rest_of_the_interval() -> None:
    """A fifth of the strength over the whole interval cools less by the root of five."""
    parts = told_in_parts(contact(0.0, before_mm=0.0), capture(1.0, gas_s=0.03), SETUP, dt_s=SLOW_S)
    (nothing, on_s), (film, end_s) = parts
    assert nothing is None
    assert (on_s, end_s) == (pytest.approx(0.97), 1.0)
    whole = told_in_parts(contact(0.0, before_mm=0.0), capture(1.0, gas_s=0.05), SETUP, dt_s=0.05)[-1][0]
    assert film is not None
    assert whole is not None
    assert film.film_w_m2k == pytest.approx(whole.film_w_m2k)


def test_gas_that_stopped_flowed_at_the_intervals_beginning() -> None:
    stopped = capture(1.0, gas_s=0.04, gas_now=False)
    (film, off_s), (nothing, end_s) = told_in_parts(contact(0.0, before_mm=0.0), stopped, SETUP, dt_s=SLOW_S)
    assert film is not None
    assert nothing is None
    assert (off_s, end_s) == (pytest.approx(1.0 - SLOW_S + 0.04), 1.0)


@pytest.mark.parametrize("dt_s", [1.0 / 30.0, 1.0 / 15.0, SLOW_S, 0.45])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("gas_now", [True, False])
def test_parts_follow_each_other_and_end_at_the_capture(dt_s: float, share: float, gas_now: bool) -> None:
    told = capture(5.0, gas_s=share * dt_s, gas_now=gas_now)
    parts = told_in_parts(contact(5.0, before_mm=0.0), told, SETUP, dt_s=dt_s)
    ends_s = [5.0 - dt_s, *(end_s for _, end_s in parts)]
    assert ends_s[-1] == pytest.approx(5.0)
    assert np.all(np.diff(ends_s) > -1e-9)
    blown = [b - a for a, b, (film, _) in zip(ends_s, ends_s[1:], parts, strict=False) if film is not None]
    assert sum(blown) == pytest.approx(share * dt_s, abs=2e-3)
    assert max(blown, default=0.0) <= PART_S + 1e-6


def test_at_usual_rates_one_part_tells_the_footprint_at_its_end() -> None:
    parts = told_in_parts(contact(5.0, before_mm=0.0), capture(1.0, gas_s=1.0 / 15.0), SETUP, dt_s=1.0 / 15.0)
    ((film, _),) = parts
    unmoved = told_in_parts(contact(5.0, before_mm=None), capture(1.0, gas_s=0.05), SETUP, dt_s=0.05)[0][0]
    assert film is not None
    assert unmoved is not None
    assert film.film_w_m2k == pytest.approx(unmoved.film_w_m2k)


def test_where_nobody_knows_the_jet_there_is_one_part_without_it() -> None:
    lost = replace(contact(0.0, before_mm=None), jet=None, weight=None)
    assert told_in_parts(lost, capture(1.0, gas_s=0.1), SETUP, dt_s=SLOW_S) == ((None, 1.0),)
