"""What the operator has made of the zone so far: an outline moved or drawn, areas left out, a marked spot."""

from __future__ import annotations

from dataclasses import dataclass

from models.geometry import Floats
from models.treatment import Tap
from models.zone_chart import Shift
from vision.placement import Placement


@dataclass(frozen=True, eq=False)
class Area:
    """One area that the operator wants left out: in chart coordinates (mm), or in pixels without a rig."""

    number: int
    kind: str
    """``circle`` or ``outline``."""
    polygon: Floats
    """Shape (n, 2)."""
    centre: Floats | None = None
    """Of a circle, shape (2,)."""
    radius_mm: float | None = None
    """Of a circle on known skin."""


@dataclass(frozen=True, eq=False)
class ZoneWork:
    """All of it; the zone's chart is laid anew from this."""

    found: Placement | None = None
    """As it was found, chart frame; None = it was drawn before anything was found."""
    drawn: Placement | None = None
    """As it was drawn by hand, in the same frame."""
    tap: Tap | None = None
    """Drawn by hand where no zone is placed on skin: the newest outline in pixels."""
    shift: Shift | None = None
    areas: tuple[Area, ...] = ()
    spot_chart_mm: Floats | None = None
    numbered: int = 0
    """Areas so far, removed ones included."""
    refused: str = ""
    count: int = 0
    """Edits so far."""

    @property
    def base(self) -> Placement | None:
        """What is moved: the outline drawn by hand, else as found."""
        return self.drawn or self.found
