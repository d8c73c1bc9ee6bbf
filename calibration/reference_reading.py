"""How the camera reads one reference, look by look, and what the reference itself leaves in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.look_slope import LookSlope, look_slope
from calibration.reference_looks import Look, LookSource
from calibration.reference_region import Region, area_mask, found_mask, is_clipped, region_of
from models.geometry import Bools, Floats
from models.radiation import Air, Band, Surroundings, object_degc, seen_signal
from vision.point_spread import PointSpread

ROOM_U95_DEGC = 3.0
"""What a reference mirrors is known no better where the room was not measured; to half of it where it was."""

EMISSIVITY_U95 = 0.02
"""As `vision.reference_patch` takes it; water and ice too: 0.95 to 0.99 covers them in the band of 8-14
micrometres at up to 45 degrees (Fresnel; Rees and James 1992, Int. J. Remote Sensing 13, 2873)."""

MATERIALS = {"water": 0.97, "ice": 0.97, "tape": 0.95}
"""Emissivities by name: water and ice slurry as above; black vinyl tape, as thermographers use it."""

LEAST_SLOPE_S, LEAST_SLOPE_MIN2 = 9.0, 0.039
"""A look tells a drift that is this long, and whose times lie so far from their mean (sum of squares): noise
of 0.02 degC then leaves 0.1 degC a minute or less of one look, and less of several. Five pictures over 15 s
do so, or forty over 10."""

LEAST_ALIVE_DEGC = 1e-4
"""Pixels that differ less from picture to picture come from no live camera."""


@dataclass(frozen=True)
class Told:
    """What the user says of a reference."""

    name: str
    degc: float
    u95_degc: float
    emissivity: float
    emissivity_u95: float = EMISSIVITY_U95
    area: str | None = None
    """None: it is found by itself."""


@dataclass(frozen=True, eq=False)
class LookRead:
    """One look at one reference."""

    t_s: float
    """Its middle."""
    read_degc: float
    slope_degc_per_min: float
    """NaN where the look is too short to tell. A jump within it has no part in it."""
    pictures: int
    across_px: float
    closings: int
    """As in `calibration.reference_looks.Look`."""
    square_min2: float = 1.0
    """Weight of the slope (`calibration.look_slope.LookSlope`)."""
    jumps_degc: tuple[float, ...] = ()
    """By how much it jumped within: a shutter that closed without a word."""


@dataclass(frozen=True, eq=False)
class ReferenceRead:
    """All looks at one reference."""

    told: Told
    shown_degc: float
    """What a camera without error would show of it."""
    by_room_degc: float
    """95 % bound of that by what is mirrored; all references share its sign."""
    own_u95_degc: float
    """95 % bound of what all its readings have in common."""
    halo_degc: float
    looks: tuple[LookRead, ...]
    left_out: tuple[str, ...]

    @property
    def off_degc(self) -> Floats:
        """How much too warm each look reads, shape (n,)."""
        return np.array([look.read_degc - self.shown_degc for look in self.looks])


def shown_degc(degc: float, *, emissivity: float, camera_emissivity: float, room_degc: float) -> float:
    """What a camera that corrects for one emissivity shows of a surface of another; air is left out.

    A metre of room air changes a contrast of 25 degC by 0.1 degC at most, and a session's skin alike.
    """
    curve, air = Band(), Air(room_degc, 0.5)
    seen = seen_signal(
        np.array(degc), curve=curve, around=Surroundings(emissivity, room_degc, air, distance_m=0.0)
    )
    around = Surroundings(camera_emissivity, room_degc, air, distance_m=0.0)
    return float(object_degc(seen, curve=curve, around=around))


def read_reference(
    source: LookSource,
    told: Told,
    *,
    spread: PointSpread,
    rig_emissivity: float,
    room_degc: float,
    room_u95_degc: float,
    on_look: Callable[[], None] = lambda: None,
) -> ReferenceRead:
    """Read a reference in all its looks.

    Args:
        source: Its pictures.
        told: What is known of it.
        spread: The camera's.
        rig_emissivity: Taken where the file does not say what its numbers were corrected with.
        room_degc: What it mirrors.
        room_u95_degc: 95 % bound of that.
        on_look: Called after each look.

    Raises:
        InputError: If the area that was told is none.
    """
    own = source.camera_emissivity
    camera = rig_emissivity if own is None else own

    def shown(emissivity: float, around_degc: float) -> float:
        return shown_degc(told.degc, emissivity=emissivity, camera_emissivity=camera, room_degc=around_degc)

    should = shown(told.emissivity, room_degc)
    looks: list[LookRead] = []
    regions: list[Region] = []
    left_out: list[str] = []
    for k, look in enumerate(source.looks(), 1):
        one = _read_look(look, told, should, spread)
        on_look()
        if isinstance(one, str):
            left_out.append(f"look {k} at {told.name}: {one}")
        else:
            looks.append(one[0])
            regions.append(one[1])
    by_emissivity = should - shown(told.emissivity - told.emissivity_u95, room_degc)
    doubts = (told.u95_degc, by_emissivity, *_worst(regions))
    return ReferenceRead(
        told=told,
        shown_degc=should,
        by_room_degc=shown(told.emissivity, room_degc + room_u95_degc) - should,
        own_u95_degc=float(np.linalg.norm(doubts)),
        halo_degc=max((one.halo_degc for one in regions), default=0.0),
        looks=tuple(looks),
        left_out=tuple(left_out),
    )


def _worst(regions: list[Region]) -> tuple[float, float]:
    if not regions:
        return 0.0, 0.0
    return max(one.mixed_u95_degc for one in regions), max(one.uneven_u95_degc for one in regions)


def _read_look(
    look: Look, told: Told, should_degc: float, spread: PointSpread
) -> tuple[LookRead, Region] | str:
    mean = np.asarray(np.mean(look.degc, axis=0), float)
    mask: Bools | None
    if told.area is not None:
        mask = area_mask(told.area, (mean.shape[0], mean.shape[1]))
    else:
        mask = found_mask(mean, should_degc)
        if mask is None:
            return "no even part stands out that could be it; mark it with --region"
    region = region_of(mean, mask, spread=spread)
    if isinstance(region, str):
        return region
    if any(is_clipped(picture, region.core) for picture in look.degc[:: max(1, len(look.degc) // 5)]):
        return "the reference is at the end of the camera's scale (saturated); widen the camera's range"
    if len(look.t_s) > 2 and float(np.median(np.std(look.degc[:, region.core], axis=0))) < LEAST_ALIVE_DEGC:
        return "its pictures do not change, so they do not come from a live camera"
    read = np.median(look.degc[:, region.core], axis=1).astype(float) + region.sharpened_degc
    minutes = (look.t_s - look.t_s.mean()) / 60.0
    line = LookSlope(float("nan"), 0.0)
    if float(minutes @ minutes) >= LEAST_SLOPE_MIN2 and 60.0 * float(np.ptp(minutes)) >= LEAST_SLOPE_S:
        line = look_slope(look.t_s, read)
    one = LookRead(
        t_s=float(look.t_s.mean()),
        read_degc=float(read.mean()),
        slope_degc_per_min=line.degc_per_min,
        pictures=len(minutes),
        across_px=region.across_px,
        closings=look.closings,
        square_min2=line.square_min2,
        jumps_degc=line.jumps_degc,
    )
    return one, region
