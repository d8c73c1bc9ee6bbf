"""What is known vaguely counts in the bound, and a jet on the rim of the map is not taken for none."""

from __future__ import annotations

import numpy as np
import pytest

from guidance.stages.jet import Contact
from guidance.stages.skin_figures import VAGUE_DEGC, covered_degc, lowest_of
from models.skin_estimate import MEASURED, PREDICTED, UNOBSERVED, CellTemperatures


def cells(*known: tuple[float, float, int]) -> CellTemperatures:
    degc, u95, status = zip(*known, strict=True)
    return CellTemperatures(np.array(degc), np.array(u95), np.array(status))


def test_the_lowest_is_that_of_cells_known_well() -> None:
    known = cells((20.0, 1.0, MEASURED), (18.0, 1.5, PREDICTED), (np.nan, np.nan, UNOBSERVED))
    assert lowest_of(known) == (18.0, 1.5)


def test_a_cell_known_vaguely_widens_the_bound_down_to_where_it_may_be() -> None:
    known = cells((20.0, 1.0, MEASURED), (12.0, VAGUE_DEGC + 1.0, PREDICTED))
    lowest, u95 = lowest_of(known)
    assert lowest == 20.0
    assert u95 == pytest.approx(20.0 - (12.0 - VAGUE_DEGC - 1.0))


def test_where_nothing_is_known_well_there_is_no_lowest() -> None:
    assert lowest_of(cells((12.0, VAGUE_DEGC + 1.0, PREDICTED))) == (None, None)


def test_where_pictures_are_all_that_is_known_the_lowest_is_what_they_show_with_its_wide_bound() -> None:
    known = cells(
        (20.0, VAGUE_DEGC + 1.0, MEASURED), (18.0, VAGUE_DEGC + 2.0, MEASURED), (9.0, 9.0, PREDICTED)
    )
    lowest, u95 = lowest_of(known)
    assert lowest == 18.0
    assert u95 == pytest.approx(18.0), "down to where the cell that nobody sees may be"


def test_skin_that_a_jet_has_just_struck_widens_the_bound_and_leaves_the_estimate_alone() -> None:
    known = cells((20.0, 1.0, MEASURED), (24.0, 2.0, PREDICTED), (np.nan, np.nan, UNOBSERVED))
    coldest_degc = np.array([np.inf, 21.0, 14.0])
    assert lowest_of(known, coldest_degc=coldest_degc) == (20.0, pytest.approx(6.0))
    assert lowest_of(known, coldest_degc=coldest_degc + 8.0) == (20.0, 1.0)


def test_metal_that_may_stand_before_untouched_skin_widens_its_bound_up_to_the_rest_of_the_skin() -> None:
    known = cells(*[(33.0, 0.5, MEASURED)] * 60, (28.0, 0.5, MEASURED))
    covered = covered_degc(known, untouched=np.ones(61, bool))
    assert lowest_of(known, covered_degc=covered) == (28.0, pytest.approx(5.5))


def test_skin_that_gas_may_have_reached_is_not_taken_for_metal() -> None:
    known, untouched = cells(*[(33.0, 0.5, MEASURED)] * 60, (28.0, 0.5, MEASURED)), np.ones(61, bool)
    untouched[60] = False
    assert lowest_of(known, covered_degc=covered_degc(known, untouched=untouched)) == (28.0, 0.5)


def test_of_a_few_untouched_cells_nobody_knows_what_is_usual() -> None:
    known = cells((33.0, 0.5, MEASURED), (28.0, 0.5, MEASURED))
    assert not covered_degc(known, untouched=np.ones(2, bool)).any()


def test_a_cell_at_the_rim_that_mixing_explains_is_not_the_lowest() -> None:
    known = cells((33.0, 2.0, MEASURED), (31.0, 2.5, MEASURED))
    assert lowest_of(known) == (31.0, 2.5)
    assert lowest_of(known, warmer_degc=np.array([0.0, 2.5])) == (33.0, 2.0)


def test_a_cell_at_the_rim_that_is_colder_than_mixing_explains_is_the_lowest() -> None:
    """Gas that nobody saw: mixing with the couch may have taken 2.5 degC, not eight."""
    known = cells((33.0, 2.0, MEASURED), (25.0, 2.5, MEASURED))
    assert lowest_of(known, warmer_degc=np.array([0.0, 2.5])) == (25.0, 2.5)


@pytest.mark.parametrize(("weight", "unseen"), [(None, True), ([0.0, 0.2], True), ([0.0, 0.0], False)])
def test_a_jet_that_is_lost_or_touches_the_rim_may_cool_unseen(
    weight: list[float] | None, unseen: bool
) -> None:
    contact = Contact(None, "", None if weight is None else np.array(weight), None, 0.0)
    assert contact.may_cool_unseen == unseen
