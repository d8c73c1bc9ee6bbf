"""What the sources deliver: one colour picture with all that had arrived by its time."""

from __future__ import annotations

from dataclasses import dataclass

from models.geometry import Bytes, Counts
from models.sightings import Seen


@dataclass(frozen=True, eq=False)
class ThermalPicture:
    """One thermal picture as it arrived."""

    t_s: float
    """Time of exposure on the session clock (the rig's offset already added)."""
    centikelvin: Counts
    """Shape (h, w); 0 = no reading. degC = value / 100 - 273.15."""
    shutter: bool
    """A shutter event (FFC) was under way: the numbers are not of the scene."""


@dataclass(frozen=True, eq=False)
class DepthPicture:
    """One depth picture."""

    t_s: float
    depth_mm: Counts
    """Distance along the depth camera's z axis, shape (h, w), 0 = no reading."""


@dataclass(frozen=True, eq=False)
class Capture:
    """One tick of the pipeline: a colour picture and what else had arrived by ``t_s``.

    Where no colour picture came for a while (a gap, a corrupt one, a thermal-only session)
    the source still ticks, with ``bgr`` None, so that alarms do not wait for the picture.
    """

    t_s: float
    """Time of the colour exposure (or of the tick) on the session clock; strictly increasing."""
    index: int | None
    """Row in the colour stream, None for a tick without a colour picture."""
    bgr: Bytes | None
    """Colour picture, shape (height_px, width_px, 3), order blue green red; lens distortion still in it."""
    thermal: tuple[ThermalPicture, ...]
    """Thermal pictures that arrived since the previous capture, oldest first."""
    depth: tuple[DepthPicture, ...]
    """Depth pictures that arrived since the previous capture, oldest first."""
    gas_s: float
    """Seconds of (previous t_s, t_s] during which gas flowed, as the valve says (or, without one, as is
    assumed). A live one may hold more: what turns out only now to have been unknown before."""
    gas_now: bool
    """Whether gas flows at ``t_s``."""
    seen: Seen | None = None
    """What was seen when this capture was recorded: taken in place of the picture, which may be missing."""

    @property
    def in_colour(self) -> bool:
        """Whether there is, or was when it was recorded, a colour picture."""
        return self.bgr is not None if self.seen is None else self.seen.in_colour
