"""Whether a sheet came out of the printer at true scale, by its ruler of 100 mm."""

from __future__ import annotations

from dataclasses import dataclass, replace

from calibration.board import Board
from calibration.sheets import RULER_MM
from models.problems import InputError

READ_MM = 0.2
"""95 % bound of a ruler of 100 mm read by eye against a good steel rule with half millimetres."""

MOST_OFF = 0.005
"""Largest share by which a sheet may be off: what is placed by its size is off in distance by
that share, 4 mm at 0.8 m, which is what `rgb` is refused for."""

_NO_RULER = 0.2


@dataclass(frozen=True)
class Scale:
    """How large a sheet came out."""

    factor: float
    """Printed by meant."""
    measured: bool
    """False: nobody measured, and true scale is only hoped for."""

    @property
    def u95(self) -> float | None:
        """95 % bound of the share by which lengths may still be off; None = nobody measured."""
        return READ_MM / RULER_MM if self.measured else None


def scale_of(measured_mm: float | None, *, insist: bool = False) -> Scale:
    """Judge a measured ruler.

    Args:
        measured_mm: Length of the ruler of 100 mm on the printed sheet; None = not measured.
        insist: Go on with a sheet that is off, by its measured scale.

    Raises:
        InputError: If it is off by more than `MOST_OFF` and nobody insists, or it cannot be that ruler.
    """
    if measured_mm is None:
        return Scale(1.0, False)
    off = measured_mm / RULER_MM - 1.0
    if not abs(off) <= _NO_RULER:
        raise InputError(
            f"A ruler of {RULER_MM:g} mm cannot measure {measured_mm:g} mm; measure from its first to its"
            " last mark, in mm."
        )
    if abs(off) > MOST_OFF and not insist:
        raise InputError(
            f"The sheet came out {100.0 * abs(off):.1f} % too {'large' if off > 0.0 else 'small'} (its ruler"
            f" measures {measured_mm:g} mm, at most {100.0 * MOST_OFF:g} % may be off); print it again at 100"
            " %, without fitting to the page, or insist on its measured scale with --insist."
        )
    return Scale(measured_mm / RULER_MM, True)


def scaled(board: Board, scale: Scale) -> Board:
    """The board as it was printed."""
    f = scale.factor
    return replace(
        board,
        square_mm=board.square_mm * f,
        marker_mm=board.marker_mm * f,
        gap_down_mm=board.gap_down_mm * f,
    )


def spec_of(board: Board) -> str:
    """A board in the words of ``--board``."""
    if board.kind == "chessboard":
        return f"chessboard:{board.columns}x{board.rows}:{board.square_mm:.6g}"
    if board.kind == "charuco":
        size = f"{board.columns + 1}x{board.rows + 1}"
        return f"charuco:{size}:{board.dictionary}:{board.square_mm:.6g}:{board.marker_mm:.6g}"
    gaps = f"{board.marker_mm:.6g}x{board.gap_down_mm:.6g}"
    return f"tags:{board.columns}x{board.rows}:{board.dictionary}:{board.first}:{board.square_mm:.6g}:{gaps}"
