"""Bursts of gas on a plain warm surface, from recordings: where the nozzle was, and how each spot cooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import cv2
import numpy as np

from calibration.burst_open import LeftOpen, open_of
from calibration.burst_pictures import Played, before_gas, play_burst
from calibration.burst_plane import Plane, plane_of_depth, plane_of_tags
from calibration.gas_times import gas_times
from models.capture import ThermalPicture
from models.geometry import Bools, Floats
from models.problems import InputError
from models.radiometry import Calibrated, calibrated_at
from models.rig import Rig, StatedHalo
from models.sightings import NozzleSighting
from vision.depth import depth_points
from vision.nozzle_mask import nozzle_mask
from vision.point_spread import HALO_PX, HALO_U95, measured_at_edge, relied_on, without_spread
from vision.source import Source

SPACING_MM = 6.0
"""Of the spots that are looked at."""

HALF_FIELD_MM = 60.0
"""They reach so far to each side of where the jet meets the surface."""

LONGEST_UNSEEN_S = 0.35
"""Between two sightings farther apart than this the nozzle counts as not seen."""

TAKEN_HALO = StatedHalo(0.5 * HALO_U95, HALO_PX, 0.5 * HALO_U95)
"""Of a camera whose halo was not calibrated. A halo only ever warms a cold spot, by anything up to its usual
bound: left in, the flow of heat came out 5 % too small on drawn bursts. Half of it is taken out, give or take
half."""


def camera_words(rig: Rig, started: datetime) -> tuple[str, ...]:
    """What of the thermal camera was taken out of its readings, in sentences.

    Args:
        rig: With the thermal camera.
        started: Of the recording.
    """
    thermal = rig.thermal
    if thermal is None:
        return ()
    known = thermal.spread is not None and thermal.spread.halo is not None
    halo = (
        "Spread and halo of the thermal camera are taken out as calibrated."
        if known
        else "The thermal camera's halo was not calibrated: half of its bound is taken out, the rest is in"
        " the bounds; calibrate spread first to know the flow of heat better."
    )
    fresh = calibrated_at(thermal.radiometry, claim_degc=thermal.accuracy_degc, started=started)
    told = (
        f"Its temperatures are taken as it claims, to {thermal.accuracy_degc:g} degC; calibrate radiometry"
        " first to know the gas temperature better."
        if fresh is None
        else f"Its temperatures are corrected as calibrated, to {fresh.u95_degc:.1f} degC."
    )
    return halo, told


@dataclass(frozen=True, eq=False)
class Burst:
    """One recording of a nozzle blowing on a plane at rest."""

    name: str
    position_mm: Floats
    """Spots on the plane, in a frame whose z axis points into it, shape (n, 3)."""
    t_s: Floats
    """Times of the thermal pictures, shape (m,)."""
    degc: Floats
    """Temperatures, NaN = not observed, shape (m, n)."""
    doubt_degc: Floats
    """What the camera's spread leaves in doubt, same shape."""
    before_degc: Floats
    """Before any gas, shape (n,)."""
    nozzle_s: Floats
    """Times of the sightings, shape (k,)."""
    tip_mm: Floats
    """Same frame as the spots, shape (k, 3)."""
    axis: Floats
    """Shape (k, 3)."""
    tip_u95_mm: float
    gas_s: tuple[tuple[float, float], ...]
    seen: float
    """Share of the gas time in which the nozzle was seen."""
    rough_mm: float
    """How far the surface is off its plane, root mean square."""
    before_spread_degc: float
    """How uneven it was before the gas, standard deviation."""
    accuracy_degc: float
    """95 % bound of the thermal camera, as its radiometry or else its claim has it."""
    strays: int = 0
    """Pictures before the gas that showed something else and were left out."""
    open_: LeftOpen = field(default_factory=LeftOpen)
    """By the rig's other parts."""

    @property
    def blown_s(self) -> float:
        """Seconds of gas."""
        return float(sum(b - a for a, b in self.gas_s))

    def distances_mm(self) -> Floats:
        """From the orifice along the jet to the plane while gas flowed, one a sighting."""
        during = np.zeros(len(self.nozzle_s), bool)
        for a, b in self.gas_s:
            during |= (self.nozzle_s >= a) & (self.nozzle_s <= b)
        return (-self.tip_mm[:, 2] / np.maximum(self.axis[:, 2], 0.1))[during]


def read_burst(source: Source, rig: Rig) -> Burst:
    """Play a recording and take out what a calibration of the jet needs.

    Args:
        source: The recording.
        rig: As it may be relied on.

    Raises:
        InputError: If rig or recording lack what that takes, or no plane is found.
    """
    stands = rig.thermal
    if rig.nozzle is None or stands is None:
        raise InputError("The rig lacks its nozzle or thermal camera; a jet is calibrated with both.")
    if rig.depth is None and rig.skin is None:
        raise InputError(
            "The rig has neither a depth camera nor skin tags, and one of them tells where the surface is:"
            " do `calibrate depth` first, or add [skin] and lay three of its tags on the surface."
        )
    if not source.has_thermal or (rig.depth is not None and not source.has_depth):
        raise InputError(f"{source.name} has no thermal or no depth stream; record both.")
    valve = gas_times(source)
    if not valve:
        raise InputError(
            f"{source.name} does not say when gas flowed; give its [[valve]] times, or record with --gas."
        )
    played = play_burst(source, rig)
    if not played.thermal:
        raise InputError(f"{source.name} holds no thermal picture of its own time; record it again.")
    if len(played.sightings) < 3:
        raise InputError(f"The nozzle is not seen in {source.name}; turn its tags towards the camera.")
    plane = _plane(played, rig, where=source.name)
    side = np.arange(-HALF_FIELD_MM, HALF_FIELD_MM + 0.1, SPACING_MM)
    u, v = (grid.ravel() for grid in np.meshgrid(side, side))
    position = np.column_stack([u, v, np.zeros(len(u))])
    position = position[_beside_tags(plane.centre_rgb_mm + position @ plane.turn, played, rig)]
    spots_rgb = plane.centre_rgb_mm + position @ plane.turn
    calibrated = calibrated_at(
        stands.radiometry, claim_degc=stands.accuracy_degc, started=source.treatment.started
    )
    times, degc, doubt = spot_temperatures(played.thermal, spots_rgb, played.sightings, rig, calibrated)
    counts, before, spread = before_gas(times, degc, gas_s=valve[0][0], where=source.name)
    times, degc, doubt = times[counts], degc[counts], doubt[counts]
    seen_s = np.array([one.t_s for one in played.sightings])
    blown = [(float(a), float(min(b, times[-1]))) for a, b in valve if a < times[-1]]
    grid_s = np.concatenate([np.arange(a, b, 0.02) for a, b in blown])
    near = np.abs(seen_s[None, :] - grid_s[:, None]).min(axis=1)
    tip_u95_mm = float(np.median([one.tip_u95_mm for one in played.sightings]))
    return Burst(
        name=source.name,
        position_mm=position,
        t_s=times,
        degc=degc,
        doubt_degc=doubt,
        before_degc=before,
        nozzle_s=seen_s,
        tip_mm=np.array([plane.turn @ (one.tip_rgb_mm - plane.centre_rgb_mm) for one in played.sightings]),
        axis=np.array([plane.turn @ one.axis_rgb for one in played.sightings]),
        tip_u95_mm=float(np.hypot(tip_u95_mm, plane.u95_mm)),
        gas_s=tuple(blown),
        seen=float(np.mean(near <= LONGEST_UNSEEN_S / 2.0)),
        rough_mm=plane.rough_mm,
        before_spread_degc=spread,
        accuracy_degc=stands.accuracy_degc if calibrated is None else calibrated.u95_degc,
        strays=int((~counts).sum()),
        open_=open_of(rig, plane.centre_rgb_mm, t_s=float(times[0])),
    )


def _nearest(sightings: Sequence[NozzleSighting], t_s: float) -> NozzleSighting:
    return min(sightings, key=lambda one: abs(one.t_s - t_s))


def _plane(played: Played, rig: Rig, *, where: str) -> Plane:
    """By the depth camera, or where there is none by tags that lie on the surface."""
    if rig.depth is None:
        return plane_of_tags(played.patches, played.sightings, where=where)
    points = [
        depth_points(picture, rig=rig, nozzle=_nearest(played.sightings, picture.t_s))
        for picture in played.depths
    ]
    cloud = np.concatenate([one.points_rgb_mm[one.smooth] for one in points]) if points else np.zeros((0, 3))
    return plane_of_depth(cloud, played.sightings, where=where)


def _beside_tags(spots_rgb: Floats, played: Played, rig: Rig) -> Bools:
    """Spots that no tag covers, shape (n,): paper cools otherwise than what it lies on."""
    free = np.ones(len(spots_rgb), bool)
    if rig.skin is None:
        return free
    for one in played.patches:
        away_mm = np.linalg.norm(spots_rgb - one.rgb_from_tag.translation_mm, axis=1)
        free &= away_mm > 0.75 * rig.skin.size_mm + SPACING_MM
    return free


def spot_temperatures(
    thermal: Sequence[ThermalPicture],
    spots_rgb: Floats,
    sightings: Sequence[NozzleSighting],
    rig: Rig,
    calibrated: Calibrated | None,
) -> tuple[Floats, Floats, Floats]:
    """What the thermal camera says of spots.

    Args:
        thermal: Its pictures.
        spots_rgb: Shape (n, 3).
        sightings: Of the nozzle, which hides what is behind it.
        rig: With the thermal camera.
        calibrated: What radiometry found of it; None = nothing.

    Returns:
        Times (m,), temperatures and doubts (m, n).
    """
    stands = rig.thermal
    assert stands is not None
    spots_px = stands.camera.project(stands.thermal_from_rgb.apply(spots_rgb)).astype(float)
    first = thermal[0].centikelvin.astype(float) / 100.0 - 273.15
    spread = relied_on(stands.spread, measured_at_edge(first)).between_pixels
    if spread.halo is None:
        spread = replace(spread, halo=TAKEN_HALO)
    times, degc, doubts = [], [], []
    for picture in thermal:
        nozzle = _nearest(sightings, picture.t_s)
        hidden: Bools = nozzle_mask(stands.camera, stands.thermal_from_rgb, rig, nozzle)
        raw = picture.centikelvin.astype(float) / 100.0 - 273.15
        raw[picture.centikelvin == 0] = np.nan
        if calibrated is not None:  # as in a session: before the spread is taken out
            raw = calibrated.corrected_degc(raw)
        sharp, doubt, halo = without_spread(raw, hidden, spread)
        sharp = np.where(hidden, np.nan, sharp)
        both = np.hypot(doubt, halo)
        times.append(picture.t_s)
        degc.append(_sampled(sharp, spots_px))
        doubts.append(_sampled(both, spots_px))
    return np.array(times), np.array(degc), np.nan_to_num(np.array(doubts))


def _sampled(picture: Floats, at_px: Floats) -> Floats:
    """Linear between pixels; NaN where one of them is."""
    mapped = cv2.remap(
        picture.astype(np.float32),
        at_px[:, 0].astype(np.float32),
        at_px[:, 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float("nan"),
    )
    return np.asarray(mapped, float).ravel()
