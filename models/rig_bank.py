"""Numbers of the rig's self-check: how a picture correlates with shifted predictions, and where most."""

from __future__ import annotations

from itertools import product

import numpy as np

from models.compiled import compiled
from models.geometry import Floats, Ints


@compiled
def correlate(
    predicted: Floats, row: Ints, col: Ints, cooled: Floats, steps: int, cells_a_step: int
) -> tuple[Floats, Floats]:
    """Correlate what was seen with a prediction shifted by every hypothesis, over the same seen cells.

    Args:
        predicted: Predicted cooling on the chart's grid, shape (lags, rows, cols), with a border of at least
            ``steps * cells_a_step`` cells.
        row: Grid row of each seen cell, border included, shape (k,).
        col: Grid column, shape (k,).
        cooled: Observed cooling less its mean, shape (k,).
        steps: Hypotheses to each side.
        cells_a_step: Cells from one hypothesis to the next.

    Returns:
        Sums over the cells of observed times predicted, and of the squared prediction less its mean, each
        of shape (lags, 2 steps + 1, 2 steps + 1): lag, shift along rows, shift along columns.
    """
    lags, side, seen = predicted.shape[0], 2 * steps + 1, len(cooled)
    both, own = np.zeros((lags, side, side)), np.zeros((lags, side, side))
    for lag in range(lags):
        for i in range(side):
            for j in range(side):
                down, across = cells_a_step * (i - steps), cells_a_step * (j - steps)
                product, total, square = 0.0, 0.0, 0.0
                for k in range(seen):
                    p = predicted[lag, row[k] - down, col[k] - across]
                    product += cooled[k] * p
                    total += p
                    square += p * p
                both[lag, i, j] = product
                own[lag, i, j] = square - total * total / seen
    return both, own


_PLACES = np.array(list(product((-1.0, 0.0, 1.0), repeat=3)))
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_QUADRIC = np.linalg.pinv(
    np.column_stack(
        [np.ones(27), _PLACES, *(_PLACES[:, a] * _PLACES[:, b] * (0.5 if a == b else 1.0) for a, b in _PAIRS)]
    )
)


def quadric_top(around: Floats) -> tuple[Floats, Floats]:
    """Top of the quadric through 3 x 3 x 3 values, and how steeply it falls: steps (3,) and (3, 3)."""
    fit = _QUADRIC @ around.ravel()
    curvature = np.zeros((3, 3))
    for value, (a, b) in zip(fit[4:], _PAIRS, strict=True):
        curvature[a, b] = curvature[b, a] = -value
    move = np.clip(np.linalg.pinv(curvature, rcond=1e-6, hermitian=True) @ fit[1:4], -1.0, 1.0)
    return move, curvature
