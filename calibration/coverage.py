"""What is covered so far: cells of the picture, leans and distances of the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.board import BoardView
from calibration.holding import DISTANCES, LEANS, Hold
from models.geometry import Ints, frozen

ROWS, COLUMNS = 4, 6


@dataclass(frozen=True, eq=False)
class Coverage:
    """Counts of pictures."""

    cells: Ints
    """In how many pictures a corner lay in each cell of the picture, shape (rows, columns)."""
    leans: tuple[int, ...]
    """Of `calibration.holding.LEANS`."""
    distances: tuple[int, ...]
    """Of `calibration.holding.DISTANCES`."""

    def missing(self) -> list[str]:
        """What no picture shows yet, in words."""
        out = []
        share = float(np.mean(self.cells > 0))
        if share < 1.0:
            out.append(f"{100.0 * (1.0 - share):.0f} % of the picture")
        if not self.leans[0]:
            out.append("a board square to the camera")
        out += [f"the {side} side leaning towards the camera" for side, n in _unseen(LEANS, self.leans)]
        out += [f"a board {word}" for word, n in zip(DISTANCES, self.distances, strict=True) if not n]
        return out


def _unseen(names: Sequence[str], counts: Sequence[int]) -> list[tuple[str, int]]:
    return [(name, n) for name, n in zip(names[1:], counts[1:], strict=True) if not n]


def coverage_of(views: Sequence[BoardView], holds: Sequence[Hold], *, size_px: tuple[int, int]) -> Coverage:
    """Count.

    Args:
        views: Taken so far.
        holds: How the board was held in each.
        size_px: Width and height.
    """
    cells = np.zeros((ROWS, COLUMNS), np.int64)
    for view in views:
        at = np.floor(view.corners_px / size_px * (COLUMNS, ROWS)).astype(int)
        column, row = np.clip(at[:, 0], 0, COLUMNS - 1), np.clip(at[:, 1], 0, ROWS - 1)
        hit = np.zeros_like(cells)
        hit[row, column] = 1
        cells += hit
    return Coverage(
        cells=frozen(cells),
        leans=tuple(sum(hold.lean == k for hold in holds) for k in range(len(LEANS))),
        distances=tuple(sum(hold.far == k for hold in holds) for k in range(len(DISTANCES))),
    )
