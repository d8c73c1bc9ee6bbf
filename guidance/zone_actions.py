"""What an operator does to the zone, and the touch check, as data: the same live, recorded and replayed."""

from __future__ import annotations

from dataclasses import dataclass

Px = tuple[float, float]
"""A place in the colour picture, pixels of the camera (x, y)."""


@dataclass(frozen=True)
class OutlineZone:
    """The outline is drawn by hand."""

    t_s: float
    outline_px: tuple[Px, ...]
    """In order round the area, at least 3."""


@dataclass(frozen=True)
class AdjustZone:
    """The outline is moved, turned and made larger on the skin, on top of what was done before."""

    t_s: float
    right_mm: float = 0.0
    """On the skin, towards the picture's right as seen at the outline's middle."""
    down_mm: float = 0.0
    turn_deg: float = 0.0
    """Clockwise in the picture."""
    scale: float = 1.0


@dataclass(frozen=True)
class DragZone:
    """The outline is drawn along: what lay at one place in the picture then lies at the other."""

    t_s: float
    from_px: Px
    to_px: Px


@dataclass(frozen=True)
class ZoneAsFound:
    """Back to the outline that was found; areas left out stay."""

    t_s: float


@dataclass(frozen=True)
class LeaveOutCircle:
    """A mole, say: a circle on the skin is not to be treated."""

    t_s: float
    centre_px: Px
    radius_mm: float


@dataclass(frozen=True)
class LeaveOutOutline:
    """A wound, say: an outlined area is not to be treated."""

    t_s: float
    outline_px: tuple[Px, ...]


@dataclass(frozen=True)
class ResizeLeftOut:
    """A circle to be left out is made larger or smaller."""

    t_s: float
    number: int
    """As `guidance.session.ZoneEdited` names it."""
    radius_mm: float


@dataclass(frozen=True)
class KeepIn:
    """An area that the operator had marked is no longer left out."""

    t_s: float
    number: int


@dataclass(frozen=True)
class MarkSpot:
    """A spot on the skin that the nozzle's tip is then put on."""

    t_s: float
    at_px: Px


@dataclass(frozen=True)
class TouchChecked:
    """The nozzle's tip was on a known place of the skin; what was measured then. Alarms do not heed it."""

    t_s: float
    target: str
    """``tag N`` or ``marked spot``."""
    along_mm: float
    """Tip above (+) or in (-) the charted skin, along its normal."""
    along_u95_mm: float
    across_mm: float
    """Tip beside the target, along the skin."""
    across_u95_mm: float
    along_limit_mm: float
    across_limit_mm: float
    still_s: float
    """Averaged over this long."""


@dataclass(frozen=True)
class TouchSkipped:
    """The touch check was left out, and why."""

    t_s: float
    reason: str


ZoneAction = (
    OutlineZone
    | AdjustZone
    | DragZone
    | ZoneAsFound
    | LeaveOutCircle
    | LeaveOutOutline
    | ResizeLeftOut
    | KeepIn
    | MarkSpot
)
"""What `guidance.stages.edit` takes."""

ZONE_ACTIONS = (
    OutlineZone, AdjustZone, DragZone, ZoneAsFound, LeaveOutCircle, LeaveOutOutline, ResizeLeftOut, KeepIn,
    MarkSpot,
)  # fmt: skip
TouchAction = TouchChecked | TouchSkipped
