"""A covariance that covers others: as wide as each, and no wider where it was wide enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.covering import covering
from models.geometry import Floats


def drawn(seed: int, *, rank: int = 5) -> Floats:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(5, rank)) * np.array([1e-3, 1.0, 30.0, 0.1, 5.0])[:, None]
    return root @ root.T


def least(matrix: Floats, by: Floats) -> float:
    """Smallest eigenvalue, each parameter in sizes of its own."""
    size = np.sqrt(np.diag(by))
    return float(np.linalg.eigvalsh(matrix / np.outer(size, size)).min())


@given(st.integers(0, 10**6), st.integers(1, 5))
def test_it_is_no_narrower_than_any_of_them_in_any_direction(seed: int, rank: int) -> None:
    stated, others = drawn(seed), [drawn(seed + k, rank=rank) for k in (1, 2)]
    wide = covering(stated, others)
    for one in (stated, *others):
        assert least(wide - one, wide) > -1e-7


@given(st.integers(0, 10**6), st.floats(0.01, 1.0))
def test_what_is_nowhere_wider_changes_nothing(seed: int, share: float) -> None:
    stated = drawn(seed)
    np.testing.assert_allclose(covering(stated, [share * stated]), stated, rtol=1e-6)


def test_where_nothing_was_stated_it_is_the_other_one() -> None:
    """One that is singular, as where a lens was not looked at."""
    other = drawn(3, rank=2)
    np.testing.assert_allclose(covering(np.zeros((5, 5)), [other]), other, rtol=1e-4)
    assert not covering(np.zeros((5, 5)), [np.zeros((5, 5))]).any()


def test_it_grows_only_the_way_in_which_the_other_is_wider() -> None:
    wide = covering(np.diag([4.0, 1.0]), [np.diag([1.0, 9.0])])
    assert wide == pytest.approx(np.diag([4.0, 9.0]))
