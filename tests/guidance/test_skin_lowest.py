"""The bound of the lowest temperature: of many cells, and of those that a jet has just struck."""

from __future__ import annotations

import numpy as np
import pytest

from guidance.skin_figures import lowest_of
from models.geometry import Floats
from models.skin_estimate import MEASURED, CellTemperatures
from models.skin_filter_steps import widened

CELLS, NOISE_U95 = 600, 0.3


def known(degc: Floats, u95: float = NOISE_U95) -> CellTemperatures:
    return CellTemperatures(degc, np.full(len(degc), u95), np.full(len(degc), MEASURED, np.int64))


def test_the_lowest_of_many_cells_of_even_skin_holds_the_truth() -> None:
    """Chance makes one of 600 cells 0.5 degC too cold: each cell's own bound holds in hardly any picture."""
    rng, noise, inside, alone = np.random.default_rng(1), np.full(CELLS, NOISE_U95), 0, 0
    for _ in range(200):
        cells = known(33.0 + rng.normal(0.0, NOISE_U95 / 1.96, CELLS))
        for told in (noise, None):
            lowest, u95 = lowest_of(cells, noise_u95_degc=told)
            assert lowest is not None
            assert u95 is not None
            held = abs(lowest - 33.0) <= u95
            inside, alone = (inside + held, alone) if told is not None else (inside, alone + held)
    assert inside >= 186
    assert alone < 20


def test_a_cell_far_colder_than_the_rest_keeps_its_own_bound() -> None:
    degc = np.full(CELLS, 33.0)
    degc[7] = 10.0
    u95 = lowest_of(known(degc), noise_u95_degc=np.full(CELLS, NOISE_U95))[1]
    assert u95 == pytest.approx(NOISE_U95, rel=1e-3)


def test_the_bound_reaches_down_to_what_a_jet_may_have_done_unread() -> None:
    assert lowest_of(known(np.full(CELLS, 33.0)), struck_floor_degc=12.0)[1] == pytest.approx(21.0)


@pytest.mark.parametrize("factor", [1.1, 2.0, 3.0])
def test_a_film_known_within_a_factor_may_be_stronger_by_the_whole_of_it(factor: float) -> None:
    slope = np.log(factor)
    assert widened((slope / 1.96) ** 2) * slope == pytest.approx(factor - 1.0)
