"""Claims about how disagreement among pictures widens a covariance."""

from __future__ import annotations

import numpy as np

from calibration.disagreement import LeftOut, Told, Width, likely_more, parameters_spread
from models.geometry import Floats


def told_by(scores: Floats, *, each: float = 1.0, widths: tuple[Width, ...] = ()) -> Told:
    """Views that each tell two unknowns equally well."""
    n = len(scores)
    return Told(
        reduced=n * each * np.eye(2),
        known=np.zeros((2, 2)),
        scores=scores,
        each=np.repeat(each * np.eye(2)[None], n, axis=0),
        widths=widths,
    )


def test_pictures_that_agree_never_make_the_covariance_smaller() -> None:
    spread = parameters_spread(told_by(np.zeros((12, 2))), count=2)
    assert np.all(np.linalg.eigvalsh(spread) >= 1.0 / 12.0)


def test_disagreement_as_foretold_is_told_as_one() -> None:
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(200, 2))
    scores -= scores.mean(axis=0)
    steps = -scores / 199.0
    foretold = np.repeat(((1.0 / 199.0 - 1.0 / 200.0) * np.eye(2))[None], 200, axis=0)
    more, freedom = LeftOut(steps, foretold).more
    assert abs(more - 1.0) < 0.15
    assert abs(freedom - 199.0) < 1e-6


def test_pictures_that_disagree_twice_as_much_widen_the_bound_by_about_that() -> None:
    rng = np.random.default_rng(5)
    scores = 2.0 * rng.normal(size=(60, 2))
    spread = parameters_spread(told_by(scores - scores.mean(axis=0)), count=2)
    assert 1.6 < np.sqrt(60.0 * spread[0, 0]) < 2.4


def test_few_pictures_that_agree_leave_more_open_than_many() -> None:
    few, many = likely_more(1.0, 6.0), likely_more(1.0, 60.0)
    assert 1.0 < many < few < 2.5


def test_one_picture_with_most_to_say_leaves_disagreement_known_by_few() -> None:
    foretold = np.repeat(0.01 * np.eye(2)[None], 10, axis=0)
    foretold[0] *= 100.0
    _, freedom = LeftOut(np.random.default_rng(6).normal(size=(10, 2)), foretold).more
    assert freedom < 2.0


def test_a_width_that_few_pictures_tell_widens_what_rests_on_it() -> None:
    scores, by_all = np.zeros((20, 2)), np.array([[3.0, 0.0]])
    few, many = (
        parameters_spread(told_by(scores, widths=(Width(by_all, free),)), count=2) for free in (4.0, 400.0)
    )
    assert few[0, 0] > 1.02 * many[0, 0]
    assert np.isclose(few[1, 1], many[1, 1])
