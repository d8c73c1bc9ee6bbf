"""When a cell reaches a limit: exact where the law is exact, early where it is not, silent where nothing is
known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erfcx

from models.exposure import SkinTemperature
from models.forecast import (
    LEAST_RATE_DEGC_S,
    RATE_TIME_S,
    Cooling,
    seconds_to_limit,
    soonest_s,
    update_cooling,
)
from models.geometry import Floats

CONDUCTIVITY_W_MK, DIFFUSIVITY_M2_S = 0.37, 1.0e-7
"""Skin; published ranges 0.2-0.5 W/m/K and 0.8-1.2e-7 m2/s (class figures: only the shape of the curve
matters)."""


def one(value: float) -> Floats:
    return np.array([value])


def film_degc(t_s: Floats, *, film_w_m2k: float, gas_degc: float, start_degc: float = 33.0) -> Floats:
    """Surface of a half-space under a film (Carslaw and Jaeger, 2.7): 1 - exp(x^2) erfc(x), x = h sqrt(a t) /
    k."""
    x = film_w_m2k * np.sqrt(DIFFUSIVITY_M2_S * t_s) / CONDUCTIVITY_W_MK
    return start_degc - (start_degc - gas_degc) * (1.0 - erfcx(x))


def reading(degc: float, t_s: float, *, observed: bool = True) -> SkinTemperature:
    return SkinTemperature(one(degc), one(2.0), np.array([observed]), one(t_s))


NOTHING = SkinTemperature(one(np.nan), one(np.nan), np.array([False]), one(np.nan))


def followed(t_s: Floats, degc: Floats) -> Cooling:
    """All readings taken in one after the other."""
    cooling, before = Cooling.unknown(1), NOTHING
    for t, value in zip(t_s.tolist(), degc.tolist(), strict=True):
        now = reading(value, t)
        cooling, before = update_cooling(cooling, before=before, now=now), now
    return cooling


@given(
    baseline=st.floats(28.0, 36.0),
    drop=st.floats(3.1, 25.0),
    acted_s=st.floats(0.2, 60.0),
    limit=st.floats(0.0, 2.5),
)
def test_the_forecast_is_exact_under_a_steady_flux(
    baseline: float, drop: float, acted_s: float, limit: float
) -> None:
    """T0 - T = c sqrt(t), so the limit is reached at t = ((T0 - limit) / c)^2."""
    c = drop / np.sqrt(acted_s)
    degc, rate = baseline - drop, -c / (2.0 * np.sqrt(acted_s))
    if rate > -LEAST_RATE_DEGC_S or degc <= limit:
        return
    left = seconds_to_limit(one(baseline), one(degc), one(rate), limit_degc=limit)
    assert left == pytest.approx(((baseline - limit) / c) ** 2 - acted_s, rel=1e-6, abs=1e-6)


@given(
    film=st.floats(150.0, 3000.0),
    gas=st.floats(-120.0, -15.0),
    share=st.floats(0.02, 0.97),
    limit=st.floats(0.0, 6.0),
)
def test_under_a_film_the_forecast_is_early_never_late(
    film: float, gas: float, share: float, limit: float
) -> None:
    fine_s = np.geomspace(1e-3, 600.0, 6000)
    curve = film_degc(fine_s, film_w_m2k=film, gas_degc=gas)
    if curve[-1] >= limit:
        return
    reached_s = float(np.interp(-limit, -curve, fine_s))
    now_s = share * reached_s
    step_s = 1e-4 * now_s
    earlier, degc, later = film_degc(
        np.array([now_s - step_s, now_s, now_s + step_s]), film_w_m2k=film, gas_degc=gas
    )
    rate = (later - earlier) / (2.0 * step_s)
    if rate > -LEAST_RATE_DEGC_S:
        return
    left = seconds_to_limit(one(33.0), one(degc), one(rate), limit_degc=limit)[0]
    assert left <= (reached_s - now_s) * 1.005
    assert soonest_s(one(degc), one(rate), limit_degc=limit)[0] <= left * 1.005


@given(
    baseline=st.floats(15.0, 36.0),
    degc=st.floats(-5.0, 36.0),
    rate=st.floats(-40.0, 10.0),
    u95=st.floats(0.0, 5.0),
)
def test_the_earliest_time_is_never_later_than_the_nominal_one(
    baseline: float, degc: float, rate: float, u95: float
) -> None:
    baseline = max(baseline, degc)
    nominal = seconds_to_limit(one(baseline), one(degc), one(rate), limit_degc=2.0)[0]
    earliest = soonest_s(one(degc - u95), one(rate), limit_degc=2.0)[0]
    assert earliest <= nominal
    assert nominal >= 0.0
    assert earliest >= 0.0


@given(degc=st.floats(-10.0, 2.0), rate=st.floats(-40.0, 10.0))
def test_a_cell_at_the_limit_is_there_now_whether_it_cools_or_not(degc: float, rate: float) -> None:
    assert seconds_to_limit(one(33.0), one(degc), one(rate), limit_degc=2.0)[0] == 0.0
    assert soonest_s(one(degc), one(rate), limit_degc=2.0)[0] == 0.0


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_what_is_not_known_stays_unknown(missing: int) -> None:
    known = [one(33.0), one(12.0), one(-4.0)]
    known[missing] = one(np.nan)
    assert np.isnan(seconds_to_limit(known[0], known[1], known[2], limit_degc=2.0)).all()
    if missing:
        assert np.isnan(soonest_s(known[1], known[2], limit_degc=2.0)).all()


@pytest.mark.parametrize("rate", [-0.29, 0.0, 3.0])
def test_a_cell_that_does_not_cool_never_gets_there(rate: float) -> None:
    assert np.isinf(seconds_to_limit(one(33.0), one(20.0), one(rate), limit_degc=2.0)).all()
    assert np.isinf(soonest_s(one(20.0), one(rate), limit_degc=2.0)).all()


def test_cells_do_not_disturb_each_other() -> None:
    left = seconds_to_limit(
        np.array([33.0, 33.0, np.nan, 33.0]),
        np.array([10.0, 33.0, 10.0, 1.0]),
        np.array([-2.0, 0.0, -2.0, -2.0]),
        limit_degc=2.0,
    )
    assert np.isfinite(left).tolist() == [True, False, False, True]
    assert np.isnan(left).tolist() == [False, False, True, False]


def test_the_rate_settles_on_a_steady_fall() -> None:
    t_s = np.arange(0.0, 3.0, 0.08)
    cooling = followed(t_s, 33.0 - 4.0 * t_s)
    assert cooling.rate_degc_s[0] == pytest.approx(-4.0)
    assert cooling.baseline_degc[0] == 33.0


def test_the_rate_follows_a_change_with_its_time_constant() -> None:
    """From rest to -8 degC/s: after one time constant 63 % of it is seen."""
    still, falling = np.arange(0.0, 1.0, 0.04), np.arange(0.04, RATE_TIME_S + 1e-6, 0.04)
    t_s = np.concatenate([still, still[-1] + falling])
    cooling = followed(t_s, np.concatenate([np.full(len(still), 33.0), 33.0 - 8.0 * falling]))
    assert cooling.rate_degc_s[0] == pytest.approx(
        -8.0 * (1.0 - np.exp(-falling[-1] / RATE_TIME_S)), rel=1e-6
    )


def test_noise_alone_is_seldom_called_cooling() -> None:
    """0.1 degC of noise at 12 pictures a second leaves a rate of about 0.5 degC/s (1 sigma), zero on
    average."""
    seeded = np.random.default_rng(3)
    rates = []
    for _ in range(60):
        t_s = np.arange(0.0, 2.0, 1.0 / 12.0)
        rates.append(followed(t_s, 33.0 + seeded.normal(0.0, 0.1, len(t_s))).rate_degc_s[0])
    assert abs(np.mean(rates)) < 0.3
    assert np.std(rates) < 1.0


def test_the_baseline_is_the_warmest_reading_so_far() -> None:
    cooling = followed(np.array([0.0, 0.1, 0.2, 0.3]), np.array([31.0, 33.0, 29.0, 25.0]))
    assert cooling.baseline_degc[0] == 33.0


def test_one_reading_alone_is_no_rate() -> None:
    assert np.isnan(followed(np.array([1.0]), np.array([30.0])).rate_degc_s[0])


def test_no_rate_is_formed_over_a_gap() -> None:
    cooling = followed(np.array([0.0, 0.1, 0.2, 1.5]), np.array([33.0, 32.5, 32.0, 10.0]))
    assert np.isnan(cooling.rate_degc_s[0])
    assert cooling.baseline_degc[0] == 33.0


def test_a_cell_that_is_not_seen_any_more_has_no_rate() -> None:
    cooling = followed(np.array([0.0, 0.1, 0.2]), np.array([33.0, 32.5, 32.0]))
    last = reading(32.0, 0.2)
    assert update_cooling(cooling, before=last, now=last).rate_degc_s == pytest.approx(cooling.rate_degc_s)
    hidden = reading(32.0, 0.2, observed=False)
    assert np.isnan(update_cooling(cooling, before=last, now=hidden).rate_degc_s[0])


def test_the_whole_way_from_noisy_pictures_warns_before_the_limit() -> None:
    """A CO2 stop read at 12 Hz with 0.1 degC of noise: the forecast at 10 degC comes true early by less than
    3 s."""
    seeded = np.random.default_rng(5)
    t_s = np.arange(0.02, 20.0, 1.0 / 12.0)
    true = film_degc(t_s, film_w_m2k=900.0, gas_degc=-40.0)
    reached_s = float(np.interp(-2.0, -true, t_s))
    upto = int(np.searchsorted(-true, -10.0))
    noisy = true[:upto] + seeded.normal(0.0, 0.1, upto)
    cooling = followed(t_s[:upto], noisy)
    left = seconds_to_limit(cooling.baseline_degc, noisy[-1:], cooling.rate_degc_s, limit_degc=2.0)[0]
    true_left = reached_s - t_s[upto - 1]
    assert 0.4 * true_left < left < 1.05 * true_left
