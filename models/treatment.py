"""What ``session.toml`` says: what was treated, with what, and when gas flowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.geometry import Floats


@dataclass(frozen=True, eq=False)
class Tap:
    """A zone outline that the operator tapped in one picture."""

    t_s: float
    stream: str
    """``rgb`` or ``thermal``."""
    outline_px: Floats
    """Shape (n, 2), n >= 3."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Something of known temperature that the thermal camera has in view."""

    stream: str
    """``rgb`` or ``thermal``: whose pixels the outline is in."""
    outline_px: Floats
    """Shape (n, 2), n >= 3."""
    degc: float
    """Temperature of its surface."""
    u95_degc: float
    """Its 95 % bound."""
    emissivity: float
    distance_mm: float | None = None
    """Along the rgb camera's z axis; given where the outline is in the rgb picture."""


@dataclass(frozen=True, eq=False)
class Treatment:
    """Header of a session."""

    started: datetime
    zone: str
    side: str
    """``left``, ``right`` or ``both``: the subject's own."""
    device: str
    protocol: str
    subject: str | None
    subject_height_mm: float | None
    room_degc: float | None
    valve_s: tuple[tuple[float, float], ...] | None
    """Intervals (from, to) during which gas flowed; None = not known, taken as flowing throughout."""
    taps: tuple[Tap, ...]
    references: tuple[Reference, ...] = ()
