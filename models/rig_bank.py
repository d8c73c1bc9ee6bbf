"""Compiled kernel of the rig's self-check: how a cooling picture correlates with shifted predictions."""

from __future__ import annotations

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
