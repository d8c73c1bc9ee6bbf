"""Bursts of gas on a plain warm surface, from recordings: where the nozzle was, and how each spot cooled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import cv2
import numpy as np

from calibration.gas_times import gas_times
from calibration.own_times import retimed
from models.geometry import Bools, Floats, unit
from models.problems import InputError
from models.radiometry import Calibrated, calibrated_at
from models.rig import Rig, StatedHalo
from models.sightings import NozzleSighting
from vision.depth import depth_points
from vision.nozzle import track_nozzle
from vision.nozzle_mask import nozzle_mask
from vision.nozzle_track import NozzleTrack
from vision.point_spread import HALO_PX, HALO_U95, measured_at_edge, relied_on, without_spread
from vision.source import Source

SPACING_MM = 6.0
"""Of the spots that are looked at."""

HALF_FIELD_MM = 60.0
"""They reach so far to each side of where the jet meets the surface."""

THERMAL_S = 0.1
"""Pictures closer together than this are passed over."""

LONGEST_UNSEEN_S = 0.35
"""Between two sightings farther apart than this the nozzle counts as not seen."""

TAKEN_HALO = StatedHalo(0.5 * HALO_U95, HALO_PX, 0.5 * HALO_U95)
"""Of a camera whose halo was not calibrated. A halo only ever warms a cold spot, by anything up to its usual
bound: left in, the flow of heat came out 5 % too small on drawn bursts. Half of it is taken out, give or take
half."""

_DEPTHS = 8


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

    Raises:
        InputError: If rig or recording lack what that takes, or no plane is found.
    """
    if rig.nozzle is None or rig.thermal is None or rig.depth is None:
        raise InputError(
            "The rig lacks its nozzle, thermal or depth camera; a jet is calibrated with all three."
        )
    if not (source.has_thermal and source.has_depth):
        raise InputError(f"{source.name} has no thermal or no depth stream; record both.")
    valve = gas_times(source)
    if not valve:
        raise InputError(
            f"{source.name} does not say when gas flowed; give its [[valve]] times, or record with --gas."
        )
    sightings, thermal, depths = _played(source, rig)
    if len(sightings) < 3:
        raise InputError(f"The nozzle is not seen in {source.name}; turn its tags towards the camera.")
    points = [
        depth_points(picture, rig=rig, nozzle=_nearest(sightings, picture.t_s))
        for picture in depths[:_DEPTHS]
    ]
    cloud = np.concatenate([one.points_rgb_mm[one.smooth] for one in points]) if points else np.zeros((0, 3))
    centre, turn, rough = _plane(cloud, sightings, where=source.name)
    side = np.arange(-HALF_FIELD_MM, HALF_FIELD_MM + 0.1, SPACING_MM)
    u, v = (grid.ravel() for grid in np.meshgrid(side, side))
    position = np.column_stack([u, v, np.zeros(len(u))])
    spots_rgb = centre + position @ turn
    first_s = valve[0][0]
    calibrated = calibrated_at(
        rig.thermal.radiometry, claim_degc=rig.thermal.accuracy_degc, started=source.treatment.started
    )
    times, degc, doubt = spot_temperatures(thermal, spots_rgb, sightings, rig, calibrated)
    early = times < first_s
    if early.sum() < 3 or not (times > first_s).any():
        raise InputError(f"{source.name} needs a second without gas before the burst, and pictures after it.")
    told = np.isfinite(degc[early])
    if not told.any():
        raise InputError(
            f"{source.name}: the nozzle hides the surface from the thermal camera; turn it aside."
        )
    many = told.sum(axis=0)
    mean = np.where(told, degc[early], 0.0).sum(axis=0) / np.maximum(many, 1)
    spread = float(np.std(mean[many > 0]))
    # What the nozzle hid before the gas was as warm as the rest.
    before = np.where(many > 0, mean, np.median(mean[many > 0]))
    seen_s = np.array([one.t_s for one in sightings])
    blown = [(float(a), float(min(b, times[-1]))) for a, b in valve if a < times[-1]]
    grid_s = np.concatenate([np.arange(a, b, 0.02) for a, b in blown])
    near = np.abs(seen_s[None, :] - grid_s[:, None]).min(axis=1)
    return Burst(
        name=source.name,
        position_mm=position,
        t_s=times,
        degc=degc,
        doubt_degc=doubt,
        before_degc=before,
        nozzle_s=seen_s,
        tip_mm=np.array([turn @ (one.tip_rgb_mm - centre) for one in sightings]),
        axis=np.array([turn @ one.axis_rgb for one in sightings]),
        tip_u95_mm=float(np.median([one.tip_u95_mm for one in sightings])),
        gas_s=tuple(blown),
        seen=float(np.mean(near <= LONGEST_UNSEEN_S / 2.0)),
        rough_mm=rough,
        before_spread_degc=spread,
        accuracy_degc=rig.thermal.accuracy_degc if calibrated is None else calibrated.u95_degc,
    )


def _played(source: Source, rig: Rig) -> tuple[list[NozzleSighting], list, list]:
    track, sightings, thermal, depths = NozzleTrack.start(), [], [], []
    last_s = -np.inf
    for recorded in source.captures():
        capture = retimed(recorded, then=source.rig, now=rig)
        seen, track = track_nozzle(track, capture.bgr, t_s=capture.t_s, rig=rig)
        if isinstance(seen, NozzleSighting) and seen.state == "tracked":
            sightings.append(seen)
        for picture in capture.thermal:
            if not picture.shutter and picture.t_s - last_s >= THERMAL_S:
                thermal.append(picture)
                last_s = picture.t_s
        if len(depths) < _DEPTHS:
            depths += list(capture.depth)
    return sightings, thermal, depths


def _nearest(sightings: list[NozzleSighting], t_s: float) -> NozzleSighting:
    return min(sightings, key=lambda one: abs(one.t_s - t_s))


def _plane(cloud: Floats, sightings: list[NozzleSighting], *, where: str) -> tuple[Floats, Floats, float]:
    """Where the jet meets the surface, rotation from rgb into its frame, and how far it is off a plane."""
    middle = sightings[len(sightings) // 2]
    tip, axis = middle.tip_rgb_mm, middle.axis_rgb
    away = cloud - tip
    along = away @ axis
    beside = np.linalg.norm(away - along[:, None] * axis, axis=1)
    near = cloud[(along > 15.0) & (along < 450.0) & (beside < 45.0)]
    for _ in range(3):
        if len(near) < 50:
            raise InputError(
                f"{where}: no surface is seen by the depth camera where the nozzle points; turn nozzle or"
                " camera."
            )
        centre = np.median(near, axis=0)
        _, _, vt = np.linalg.svd(near - near.mean(axis=0), full_matrices=False)
        normal = vt[2] * np.sign(float(vt[2] @ axis))
        slant = float(normal @ axis)
        if slant < 0.3:
            raise InputError(f"{where}: the jet grazes the surface; hold it squarer.")
        mean = near.mean(axis=0)
        centre = tip + axis * float((mean - tip) @ normal) / slant
        flat = np.abs((cloud - mean) @ normal) < 12.0
        near = cloud[flat & (np.linalg.norm(cloud - centre, axis=1) < 1.3 * HALF_FIELD_MM)]
    mean = near.mean(axis=0)
    _, _, vt = np.linalg.svd(near - mean, full_matrices=False)
    normal = vt[2] * np.sign(float(vt[2] @ axis))
    centre = tip + axis * float((mean - tip) @ normal) / float(normal @ axis)
    # Noise of single depth readings is no roughness: blocks of a centimetre are looked at.
    off, place = (near - mean) @ normal, np.floor((near - centre) / 10.0).astype(int)
    _, block = np.unique(place, axis=0, return_inverse=True)
    block = block.ravel()
    counts = np.bincount(block)
    means = np.bincount(block, off)[counts >= 8] / counts[counts >= 8]
    rough = float(np.sqrt(np.mean(means**2))) if len(means) else 0.0
    one = unit(np.asarray(np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))]), float))
    turn = np.stack([one, np.asarray(np.cross(normal, one), float), normal])
    return centre, turn, rough


def spot_temperatures(
    thermal: list,
    spots_rgb: Floats,
    sightings: list[NozzleSighting],
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
