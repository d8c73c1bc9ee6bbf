"""The zone as a chart on the skin: 5 mm cells with their true area."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.geometry import Bools, Floats, Ints, Pose, frozen
from models.protocol import Protocol

CELL_MM = 5.0
"""Side of a cell. Lateral diffusion in 180 s is 4-5 mm (domain: thermal model), so 5 mm cells are nearly
independent."""


@dataclass(frozen=True, eq=False)
class ZoneChart:
    """Cells of the zone and of at least 50 mm around it, fixed to the skin.

    The chart's frame is the rgb camera's frame at ``reference_t_s``; a `PlacedChart` says how
    it has moved since. All arrays have one row a cell.
    """

    reference_t_s: float
    anchored_by: str
    """``landmarks``, ``skin_tags`` or ``tap``."""
    surface_by: str
    """``depth``, ``skin_tags`` or ``body_model``."""
    row: Ints
    """Grid row, along v."""
    col: Ints
    """Grid column, along u."""
    u_mm: Floats
    """Towards the subject's left, arc length on the skin from the zone's centre."""
    v_mm: Floats
    """Towards the head (on a limb: towards the trunk)."""
    position_mm: Floats
    """Cell centres, shape (n, 3)."""
    normal: Floats
    """Outward unit normals, shape (n, 3)."""
    area_cm2: Floats
    in_zone: Bools
    left_out: Bools
    """Inside the zone's outline but an area to leave out (a superficial nerve, say)."""
    tile: Ints
    """Tile of at most 150 cm2, numbered from 0; -1 outside the zone."""
    height_u95_mm: Floats
    """95 % bound of the cell's position along its normal."""
    place_u95_mm: float
    """95 % bound of the zone's place along the skin."""

    def __post_init__(self) -> None:
        """Check that all arrays speak of the same cells, and freeze them."""
        n = len(self.row)
        flat = ("row", "col", "u_mm", "v_mm", "area_cm2", "in_zone", "left_out", "tile", "height_u95_mm")
        for name in flat:
            value = getattr(self, name)
            if value.shape != (n,):
                raise ValueError(f"Chart of {n} cells has {name} of shape {value.shape}.")
            object.__setattr__(self, name, frozen(value))
        for name in ("position_mm", "normal"):
            value = getattr(self, name)
            if value.shape != (n, 3):
                raise ValueError(f"Chart of {n} cells has {name} of shape {value.shape}.")
            object.__setattr__(self, name, frozen(value))

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.row)

    @cached_property
    def centre_mm(self) -> Floats:
        """Area-weighted centre of the zone, chart frame, shape (3,)."""
        weight = np.where(self.in_zone, self.area_cm2, 0.0)
        return frozen((self.position_mm * weight[:, None]).sum(0) / weight.sum())

    @property
    def zone_area_cm2(self) -> float:
        """Area of the zone on the curved skin."""
        return float(self.area_cm2[self.in_zone].sum())


@dataclass(frozen=True, eq=False)
class PlacedChart:
    """Where the chart is in one capture."""

    chart: ZoneChart
    rgb_from_chart: Pose
    state: str
    """``placed`` (followed in this capture) or ``held`` (last known place, bounds growing)."""
    moved_u95_mm: float
    """95 % bound added by following the body since the reference time."""
    unseen_s: float = 0.0
    """How long its skin has not been followed in colour; 0 where it is."""
    by_depth: bool = False
    """Depth alone follows it, to which skin that slides along itself looks the same."""

    @property
    def position_rgb_mm(self) -> Floats:
        """Cell centres now, rgb frame, shape (n, 3)."""
        return self.rgb_from_chart.apply(self.chart.position_mm)

    @property
    def normal_rgb(self) -> Floats:
        """Outward normals now, rgb frame, shape (n, 3)."""
        return self.rgb_from_chart.rotate(self.chart.normal)


@dataclass(frozen=True, eq=False)
class PixelZone:
    """A zone known in pixels only: without a rig there are no millimetres."""

    stream: str
    """``rgb`` or ``thermal``."""
    outline_px: Floats
    """Shape (n, 2), in the picture of this capture."""
    anchored_by: str
    state: str
    """``placed`` or ``held``."""
    left_out_px: tuple[Floats, ...] = ()
    """Areas to leave out, each of shape (n, 2): where they were marked in the picture. They are drawn;
    nothing can be counted in them."""


def measures_distance(chart: ZoneChart, protocol: Protocol) -> bool:
    """Whether the skin is known well enough to say anything about the protocol's distance band."""
    return not why_unmeasured(chart, protocol)


def why_unmeasured(chart: ZoneChart, protocol: Protocol) -> str:
    """Why the skin is not known well enough for the protocol's distance band; empty where it is."""
    bound_mm = float(np.median(chart.height_u95_mm[chart.in_zone])) if chart.in_zone.any() else np.nan
    band_mm = protocol.distance.good_high_mm - protocol.distance.good_low_mm
    if bound_mm <= band_mm:
        return ""
    if not np.isfinite(bound_mm):
        return "the skin is not known"
    how = "only guessed, to" if chart.surface_by == "body_model" else "known to"
    return f"the skin is {how} +- {bound_mm:.0f} mm, and the protocol's band is {band_mm:.0f} mm wide"
