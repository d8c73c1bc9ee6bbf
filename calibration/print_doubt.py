"""What a print that may be off leaves open of the thermal camera and its place.

A target that came out larger than it is told seems nearer to both cameras, and the shift between them comes
out smaller by that share; one that is longer one way leans where it does not, and each camera makes something
else of it. No pair disagrees, since the same sheet is in all of them: it is in no residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calibration.board import Board
from calibration.board_equations import stretch_mm
from calibration.pair_equations import PairEquations, Unknowns
from calibration.pair_widths import at_width, stepped
from models.geometry import Floats

_SHARE, _ROUNDS = 1e-3, 3
"""Of a doubt, by which corners are moved for the slope, and rounds in which the weights of corners come to be
as they were: by the whole of it none would fit where poses stay."""


def doubts_mm(board: Board) -> tuple[Floats, ...]:
    """Steps of the corners by 1 sigma of what is open of a print: its directions, all its lengths.

    Args:
        board: With its doubts; none of 0 is a step.

    Returns:
        Shape (m, 3) each; they are independent.
    """
    flat = board.corners_mm - board.corners_mm.mean(axis=0)
    directions = np.column_stack([stretch_mm(board), np.zeros(len(flat))])
    return tuple(step for step in (directions, board.scale_u95 / 1.96 * flat) if step.any())


def opened_by(
    equations: PairEquations,
    at: Unknowns,
    sigma: tuple[float, float],
    size_px: tuple[int, int],
    *,
    shift_px: float,
    doubts: Sequence[Floats],
) -> Floats:
    """Covariance of the shared unknowns by what is open of the print, to first order.

    Each doubt's step is taken to where the solution would lie were the print so.

    Args:
        equations: Of the pairs.
        at: The solution.
        sigma: Noise of each component of colour and of thermal corners, px.
        size_px: Of the thermal picture.
        shift_px: 1 sigma of what thermal corners of a pair are off by together.
        doubts: See `doubts_mm`.

    Returns:
        Shape (q, q).
    """

    def solved(corners_mm: Floats) -> Floats:
        printed, here = replace(equations, corners_mm=corners_mm), at
        for _ in range(_ROUNDS):
            system = printed.system(here, sigma)
            told = at_width(system, here, size_px, shift_px)
            here = stepped(here, system, told.one, told.inverse @ told.pull, alike_px=at.alike_px)
        return here.shared

    whole = np.zeros((len(at.shared), len(at.shared)))
    still = solved(equations.corners_mm) if doubts else whole[0]
    for doubt in doubts:
        moved = (solved(equations.corners_mm + _SHARE * doubt) - still) / _SHARE
        whole += np.outer(moved, moved)
    return whole
