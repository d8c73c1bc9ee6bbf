"""What a guided calibration sees in each moment, and what it tells the technician."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.board import BoardView
from calibration.coverage import Coverage
from calibration.seeing import Quality
from models.geometry import Bytes, Floats
from models.sightings import NozzleSighting


@dataclass(frozen=True, eq=False)
class Sight:
    """What one pair of pictures shows."""

    t_s: float
    colour: BoardView | str
    """The board in the colour picture, or why there is none."""
    colour_quality: Quality | None = None
    thermal: BoardView | str | None = None
    """Likewise; None where no thermal picture belongs to this moment."""
    nozzle: NozzleSighting | str = "not looked for"
    bgr: Bytes | None = None
    """The colour picture, for steps that need it, shape (h, w, 3)."""


@dataclass(frozen=True, eq=False)
class Advice:
    """What is told after one pair of pictures."""

    step: str
    """``rgb``, ``thermal``, ``collar`` or ``tip``."""
    taken: bool
    """Whether this picture was taken."""
    say: str
    """What to do, in large letters, for somebody who faces the camera."""
    say_plain: str
    """The same with left and right as the picture has them."""
    why: str
    """Why this picture was not taken; empty where it was."""
    warnings: tuple[str, ...]
    """Light and sharpness."""
    count: int
    """Pictures taken."""
    least: int
    """So many are needed at least."""
    error_mm: float | None
    """95 % error on the skin as the solved calibration tells it; None = not known yet."""
    foretold_mm: float | None
    """What it falls to with the picture that is asked for, by its information; None = not known."""
    asked_mm: float
    limit_mm: float
    """Above it the step is refused."""
    missing: tuple[str, ...]
    done: bool
    coverage: Coverage | None = None
    seen_px: Floats | None = None
    """Corners found in the colour picture, shape (k, 2)."""
    ghost_px: tuple[Floats, ...] = ()
    """Outlines of where to hold it next, colour picture, shape (k, 2) each."""
