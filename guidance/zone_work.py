"""What the operator has made of the zone so far: an outline moved or drawn, areas left out, a marked spot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.geometry import Floats
from models.treatment import Tap
from models.zone_chart import Outline, Shift
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
class ZoneMade:
    """What an interrupted session hands on of it, in chart coordinates: they go with the body."""

    outline_mm: Floats | None
    """Drawn by hand on the skin that was found, shape (n, 2)."""
    shift: Shift | None
    areas: tuple[Area, ...]


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
    taken_over: bool = False
    """Whether it holds what an interrupted session handed on."""

    @property
    def base(self) -> Placement | None:
        """What is moved: the outline drawn by hand, else as found."""
        return self.drawn or self.found

    @property
    def outline(self) -> str:
        """``found``, ``moved`` or ``by hand``: the last that was done to it."""
        return "moved" if self.shift is not None else "by hand" if self.drawn or self.tap else "found"

    @property
    def elsewhere(self) -> bool:
        """Whether the outline was drawn off the skin that was found: its chart has coordinates of its own."""
        return self.drawn is not None and self.found is not None and self.drawn.skin is not self.found.skin


def made_of(work: ZoneWork) -> ZoneMade | None:
    """What a session that goes on takes over; None where there is nothing, or it would lie elsewhere."""
    if work.elsewhere or (work.shift is None and not work.areas and work.drawn is None):
        return None
    outline_mm = work.drawn.outline.polygon_mm if work.drawn is not None and work.found is not None else None
    return ZoneMade(outline_mm, work.shift, work.areas)


def take_over(work: ZoneWork, made: ZoneMade) -> ZoneWork:
    """A zone that has just been placed, with what was handed on.

    Where it was placed by hand that outline holds, and only the areas to leave out are taken over.
    """
    numbered = max((area.number for area in made.areas), default=0)
    work = replace(work, areas=made.areas, numbered=numbered, count=work.count + 1, taken_over=True)
    if work.found is None:
        return work
    drawn = None
    if made.outline_mm is not None:
        chart = replace(work.found.chart, anchored_by="tap")
        drawn = replace(work.found, chart=chart, outline=Outline(made.outline_mm))
    return replace(work, drawn=drawn, shift=made.shift)
