"""Zones of the catalogue: where they are on a body, how large, and what to leave out."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.protocol import Evidence, Ladder


@dataclass(frozen=True)
class LeaveOut:
    """An ellipse inside or beside a zone that is not to be treated, in chart coordinates."""

    name: str
    """What is there, in an operator's words, e.g. ``fibular head (common peroneal nerve)``."""
    u_mm: float
    """Centre; on a left/right zone u is given for the LEFT side and mirrored for the right."""
    v_mm: float
    radius_u_mm: float
    radius_v_mm: float


@dataclass(frozen=True)
class Relief:
    """A rise of the skin over a smooth limb or trunk, where the surface is modelled and not measured."""

    name: str
    u_mm: float
    v_mm: float
    radius_mm: float
    """Standard deviation of its bell shape."""
    height_mm: float
    height_u95_mm: float


@dataclass(frozen=True)
class Anchor:
    """How body landmarks place and orient a zone.

    Centre = sum(weight * landmark); v axis = from ``v_from`` to ``v_to`` (means of landmarks).
    Landmarks are MediaPipe Pose names (``left_hip`` ...), written for the LEFT side of a one-sided
    zone; for the right side left and right are swapped.
    """

    centre: tuple[tuple[str, float], ...]
    v_from: tuple[str, ...]
    v_to: tuple[str, ...]
    scale_from: tuple[str, str]
    """Two landmarks whose distance (mean of both sides) scales the zone against ``scale_mm``."""
    scale_mm: float
    side_seen: str
    """``front``, ``back`` or ``any``: on which side of the body the zone lies."""
    place_u95_mm: float
    """95 % bound of the zone's place along the skin when placed by landmarks."""


@dataclass(frozen=True)
class Zone:
    """One zone of the catalogue."""

    name: str
    title: str
    sides: tuple[str, ...]
    """Allowed sides."""
    width_mm: float
    """Across (u), arc length on the skin."""
    length_mm: float
    """Along (v)."""
    shape: str
    """``ellipse`` or ``rectangle`` (with rounded corners)."""
    surface: str
    """``limb`` (a tapered cylinder of ``radius_mm``) or ``torso`` or ``face``."""
    radius_mm: float
    """Typical radius of curvature across, for the body model."""
    radius_u95_mm: float
    anchor: Anchor | None
    """None: no landmark places it well enough; it needs a tap or skin tags."""
    axis_on_tap: str
    """v on a tapped outline when no landmark helps: along its ``long_side`` or ``short_side``."""
    leave_out: tuple[LeaveOut, ...]
    cautions: tuple[str, ...]
    """One sentence each, shown to the operator."""
    face: bool
    evidence: Evidence
    tile_time_s: dict[str, Ladder] = field(default_factory=dict[str, Ladder])
    """Gas-on seconds a tile by device, where this zone bears less than the protocol allows."""
    relief: tuple[Relief, ...] = ()
