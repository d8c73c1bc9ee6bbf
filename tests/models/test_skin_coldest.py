"""How cold skin may be under a jet that nobody has measured yet: the film's bound is a factor."""

from __future__ import annotations

import numpy as np
import pytest

from models.skin_estimate import UNOBSERVED, coldest_degc, temperatures
from tests.models.skin_trial import CELLS, Bench

ALL = np.ones(CELLS, bool)
WITHIN = 2.5
"""The factor within which `tests.models.skin_trial` says that the film is known."""


@pytest.mark.parametrize("seconds", [0.07, 0.13, 0.2, 0.4])
@pytest.mark.parametrize("film_w_m2k", [60.0, 200.0])
def test_skin_under_a_jet_as_strong_as_its_bound_allows_is_held_from_the_first_moment(
    seconds: float, film_w_m2k: float
) -> None:
    """A slope alone reaches two thirds of the way."""
    bench = Bench(film_factor=WITHIN, film_w_m2k=film_w_m2k).run(1.0, gas=False)
    bench.run(seconds, gas=True, hidden=ALL)
    assert np.all(bench.true.surface_degc >= coldest_degc(bench.estimate))
    if film_w_m2k < 100.0 and seconds < 0.15:
        answer = temperatures(bench.estimate)
        assert np.all(bench.true.surface_degc < answer.degc - answer.u95_degc)


def test_skin_that_is_known_no_more_since_it_was_struck_still_tells_how_cold_it_may_be() -> None:
    bench = Bench(film_w_m2k=400.0).run(1.0, gas=False).run(0.3, gas=True, hidden=ALL)
    assert set(temperatures(bench.estimate).status) == {UNOBSERVED}
    assert np.all(np.isfinite(coldest_degc(bench.estimate)))
    assert np.all(coldest_degc(bench.estimate) < bench.true.surface_degc)


def test_once_pictures_have_told_the_film_the_bound_reaches_no_farther() -> None:
    """Measured: 0.004 degC farther."""
    bench = Bench(film_factor=1.3).run(1.0, gas=False).run(5.0, gas=True)
    answer, coldest = temperatures(bench.estimate), coldest_degc(bench.estimate)
    assert np.all(coldest >= answer.degc - answer.u95_degc - 0.02)


def test_skin_that_no_jet_has_struck_owes_it_nothing() -> None:
    assert np.all(np.isinf(coldest_degc(Bench().run(1.0, gas=False).estimate)))


def test_a_cell_that_was_never_read_tells_nothing() -> None:
    bench = Bench().run(0.3, gas=True, hidden=ALL)
    assert np.all(np.isinf(coldest_degc(bench.estimate)))
