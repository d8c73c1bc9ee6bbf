"""Whether a sheet came out of the printer at true scale, by its two rulers of 100 mm.

Ruler A lies along the short side of the paper, ruler B along its long side, on every sheet: what feeds paper
and what writes across it err by themselves, and so does paper along and across its grain. Both go with the
paper, not with which way up a sheet is read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from calibration.board import Board
from calibration.sheets import COLLAR_DICTIONARY, RULER_MM, SKIN_COUNT, SKIN_FIRST, SKIN_MM, is_wide
from models.geometry import Floats
from models.problems import InputError
from models.rig import SkinTags

READ_MM = 0.2
"""95 % bound of a ruler of 100 mm read by eye against a good steel rule with half millimetres."""

MOST_OFF = 0.005
"""Largest share by which a sheet may be off: what is placed by its size is off in distance by
that share, 4 mm at 0.8 m, which is what `rgb` is refused for."""

UNMEASURED_U95 = 0.005
"""95 % bound of the share by which one direction differs from the other where only one was measured.
A copier's service manual allows 1 mm of a page along its feed (Canon GP160, page 2-20: 0.34 % of 297 mm).
Bond paper changes with its moisture by 0.1 to 0.2 % along the grain and 0.2 to 0.4 % across it (papermakers'
typical values), up to 0.3 % between the two, and a fuser dries it. Together 0.45 %. Laser printers of 1988
were allowed 2 % (American Mathematical Society, comp.laser-printers): only measuring shows such a one. The
same is taken for all lengths together of a print that nobody measured: at 100 %, not fitted to the page."""

_NO_RULER = 0.2
_NAMES = ("A", "B")


@dataclass(frozen=True)
class Scale:
    """How large a sheet came out."""

    factor: float
    """Printed by meant, along the short side of the paper; along both where one length was measured."""
    measured: bool
    """False: nobody measured, and true scale is only hoped for."""
    long_factor: float | None = None
    """Along the long side of the paper; None = not measured by itself."""

    @property
    def short(self) -> float:
        """Printed by meant along the short side of the paper."""
        return self.factor

    @property
    def long(self) -> float:
        """Printed by meant along the long side of the paper."""
        return self.factor if self.long_factor is None else self.long_factor

    @property
    def both(self) -> bool:
        """Whether both directions were measured."""
        return self.long_factor is not None

    @property
    def u95(self) -> float | None:
        """95 % bound of the share by which sizes may still be off; None = nobody measured.

        What is placed by its size goes by the mean of both directions: half of what one may be off by itself
        comes on top of the reading where only one was measured.
        """
        if not self.measured:
            return None
        return READ_MM / RULER_MM if self.both else math.hypot(READ_MM / RULER_MM, 0.5 * UNMEASURED_U95)

    @property
    def stretch_u95(self) -> float:
        """95 % bound of the share by which one direction may still be off against the other."""
        return math.sqrt(2.0) * READ_MM / RULER_MM if self.both else UNMEASURED_U95


def scale_of(measured_mm: float | Sequence[float] | None, *, insist: bool = False) -> Scale:
    """Judge the measured rulers.

    Args:
        measured_mm: Lengths of rulers A and B of 100 mm on the printed sheet; one length = of either, taken
            for both; None = not measured.
        insist: Go on with a sheet that is off, by its measured scale.

    Raises:
        InputError: If one is off by more than `MOST_OFF` and nobody insists, it cannot be that ruler, or
            there are more than two.
    """
    if measured_mm is None:
        return Scale(1.0, False)
    lengths = [float(measured_mm)] if isinstance(measured_mm, int | float) else list(measured_mm)
    if not 1 <= len(lengths) <= 2:
        raise InputError(
            f"A sheet has two rulers, not {len(lengths)}; give the length of A, then that of B, in mm."
        )
    for name, length in zip(_NAMES, lengths, strict=False):
        _judge(f"ruler {name}" if len(lengths) == 2 else "ruler", length, insist=insist)
    first, *more = (length / RULER_MM for length in lengths)
    return Scale(first, True, *more)


def _judge(name: str, measured_mm: float, *, insist: bool) -> None:
    off = measured_mm / RULER_MM - 1.0
    if not abs(off) <= _NO_RULER:
        raise InputError(
            f"A ruler of {RULER_MM:g} mm cannot measure {measured_mm:g} mm; measure from its first to its"
            " last mark, in mm."
        )
    if abs(off) > MOST_OFF and not insist:
        raise InputError(
            f"The sheet came out {100.0 * abs(off):.1f} % too {'large' if off > 0.0 else 'small'} (its {name}"
            f" measures {measured_mm:g} mm, at most {100.0 * MOST_OFF:g} % may be off); print it again at 100"
            " %, without fitting to the page, or insist on its measured scale with --insist."
        )


def scaled(board: Board, scale: Scale) -> Board:
    """One of our boards as it was printed, each direction by its own scale."""
    across, down = (scale.long, scale.short) if is_wide(board) else (scale.short, scale.long)
    return replace(
        board,
        square_mm=board.square_mm * across,
        marker_mm=board.marker_mm * across,
        gap_down_mm=board.gap_down_mm * across,
        stretch=board.stretch * down / across,
        stretch_u95=scale.stretch_u95,
        scale_u95=UNMEASURED_U95 if scale.u95 is None else scale.u95,
    )


def scaled_collar(corners_nozzle_mm: Floats, scale: Scale) -> Floats:
    """The collar as it was printed: its sheet is wound with the long side of the paper round the nozzle."""
    return corners_nozzle_mm * (scale.long, scale.long, scale.short)


def scaled_skin(scale: Scale) -> SkinTags:
    """The skin tags as they were printed: their row lies along the long side of the paper."""
    ids = tuple(range(SKIN_FIRST, SKIN_FIRST + SKIN_COUNT))
    size_mm, stretch = round(SKIN_MM * scale.long, 4), round(scale.short / scale.long, 6)
    plain = SkinTags(COLLAR_DICTIONARY, size_mm, ids, stretch)
    if scale.u95 is None:
        return plain
    return replace(plain, scale_u95=round(scale.u95, 6), stretch_u95=round(scale.stretch_u95, 6))


def spec_of(board: Board) -> str:
    """A board in the words of ``--board``."""
    down = board.stretch
    side = f"{board.square_mm:.6g}" if down == 1.0 else f"{board.square_mm:.6g}x{board.square_mm * down:.6g}"
    doubt = f":{100.0 * board.stretch_u95:.3g}%" if board.stretch_u95 > 0.0 else ""
    if board.kind == "chessboard":
        return f"chessboard:{board.columns}x{board.rows}:{side}{doubt}"
    if board.kind == "charuco":
        size = f"{board.columns + 1}x{board.rows + 1}"
        return f"charuco:{size}:{board.dictionary}:{side}:{board.marker_mm:.6g}{doubt}"
    # Of a target only: what one camera sees of a board shows no size.
    doubt += f",{100.0 * board.scale_u95:.3g}%" if doubt and board.scale_u95 > 0.0 else ""
    gaps = f"{board.marker_mm:.6g}x{board.gap_down_mm * down:.6g}"
    return f"tags:{board.columns}x{board.rows}:{board.dictionary}:{board.first}:{side}:{gaps}{doubt}"


def directions_words(scale: Scale) -> str | None:
    """What is still open of a sheet whose rulers were not both measured, in a sentence."""
    if scale.both:
        return None
    told = "Only one ruler of the print was measured" if scale.measured else "The print was not measured"
    return (
        f"{told}: one direction may be off by {100.0 * UNMEASURED_U95:g} % against the other, which stays in"
        f" the bounds; measure rulers A and B of {RULER_MM:g} mm and say --measured-mm A B."
    )
