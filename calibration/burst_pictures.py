"""The pictures of a burst: each counts once, when it was exposed, whichever capture brought it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calibration.own_times import retimed
from models.capture import Capture, DepthPicture, ThermalPicture
from models.geometry import Bools, Floats
from models.problems import InputError
from models.rig import Rig
from models.sightings import NozzleSighting, TagPatch
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack
from vision.skin_tags import SkinTagTrack, see_skin_tags
from vision.source import Source

THERMAL_S = 0.075
"""Pictures closer together than this are passed over: at 25 Hz every other one."""

DEPTHS = 8
"""Depth pictures that are looked at."""

QUIET_S = 0.4
"""So long before gas is told a picture counts as one without gas: a hand at a button is late, and so is an
exposure whose clock is known to tenths only."""

STRAY_DEGC = 1.0
"""A picture before the gas that lies so far off the others, over the whole surface, shows something else: a
hand that drew back, what the camera saw before it was turned here."""

MOST_STRAY = 0.25
"""Of the pictures before the gas; with more of them nobody knows which are the right ones."""

WHOLE_SPOTS = 10
"""Spots that must be seen in all those pictures to tell a stray one."""


@dataclass(frozen=True, eq=False)
class Played:
    """What a recording holds."""

    sightings: tuple[NozzleSighting, ...]
    """In order of time."""
    thermal: tuple[ThermalPicture, ...]
    """In order of exposure, each once."""
    depths: tuple[DepthPicture, ...]
    """The first ones."""
    patches: tuple[TagPatch, ...]
    """Of each skin tag what was known of it at the end."""


def play_burst(source: Source, rig: Rig) -> Played:
    """Look through a recording.

    Args:
        source: The recording.
        rig: By which the times of its pictures go.
    """
    track, tags = NozzleTrack.start(), SkinTagTrack.start()
    sightings: list[NozzleSighting] = []
    patches: dict[int, TagPatch] = {}

    def looked_at() -> Iterable[Capture]:
        nonlocal track, tags
        for recorded in source.captures():
            capture = retimed(recorded, then=source.rig, now=rig)
            seen, track = track_nozzle(track, capture.bgr, t_s=capture.t_s, rig=rig)
            if isinstance(seen, NozzleSighting) and seen.state == "tracked":
                sightings.append(seen)
            if rig.skin is not None and rig.depth is None:
                found, tags = see_skin_tags(tags, capture.bgr, t_s=capture.t_s, rig=rig)
                patches.update({one.tag: one for one in found})
            yield capture

    thermal, depths = by_exposure(looked_at())
    return Played(tuple(sightings), thermal, depths, tuple(patches[key] for key in sorted(patches)))


def by_exposure(
    captures: Iterable[Capture],
) -> tuple[tuple[ThermalPicture, ...], tuple[DepthPicture, ...]]:
    """Thermal and depth pictures in order of their own times, however they were grouped into captures.

    Pictures that were exposed before the recording began waited in the camera until then: they are left out.
    A core of 9 Hz that is sent at 27 Hz sends each picture three times: it counts once, at its first time.

    Args:
        captures: In order of time, all of one recording.
    """
    thermal: list[ThermalPicture] = []
    depths: list[DepthPicture] = []
    began_s = np.inf
    for capture in captures:
        began_s = min(began_s, capture.t_s)
        thermal += [one for one in capture.thermal if not one.shutter]
        depths += capture.depth
    kept: list[ThermalPicture] = []
    before: ThermalPicture | None = None
    for one in sorted(thermal, key=lambda picture: picture.t_s):
        again = before is not None and np.array_equal(one.centikelvin, before.centikelvin)
        before = one
        if one.t_s < began_s or again or (kept and one.t_s - kept[-1].t_s < THERMAL_S):
            continue
        kept.append(one)
    ordered = sorted((one for one in depths if one.t_s >= began_s), key=lambda picture: picture.t_s)
    return tuple(kept), tuple(ordered[:DEPTHS])


def before_gas(times_s: Floats, degc: Floats, *, gas_s: float, where: str) -> tuple[Bools, Floats, float]:
    """What the surface was before any gas, stray pictures left out.

    Args:
        times_s: Of the pictures, shape (m,).
        degc: Temperatures of the spots, NaN = not seen, shape (m, n).
        gas_s: When gas is told to have begun.
        where: The recording, for messages.

    Returns:
        Which pictures count (m,), temperatures before the gas (n,), how uneven they are (standard deviation).

    Raises:
        InputError: If there is no picture before the gas, or something else was seen in too many of them.
    """
    early = np.flatnonzero(times_s < gas_s - QUIET_S)
    if len(early) < 3 or not (times_s > gas_s).any():
        raise InputError(
            f"{where} needs a second without gas before the burst, and pictures after it: record it again so."
        )
    counts = np.ones(len(times_s), bool)
    stray = early[_stray(degc[early])]
    if len(stray) > MOST_STRAY * len(early):
        raise InputError(
            f"{where}: {len(stray)} of {len(early)} thermal pictures before the gas show something else than"
            " the rest; keep hands out and leave nozzle and surface as they are from the countdown on, then"
            " record again."
        )
    counts[stray] = False
    rest = degc[early[counts[early]]]
    told = np.isfinite(rest)
    if not told.any():
        raise InputError(f"{where}: the nozzle hides the surface from the thermal camera; turn it aside.")
    many = told.sum(axis=0)
    mean = np.where(told, rest, 0.0).sum(axis=0) / np.maximum(many, 1)
    seen = mean[many > 0]
    # What the nozzle hid before the gas was as warm as the rest.
    return counts, np.where(many > 0, mean, np.median(seen)), float(np.std(seen))


def _stray(degc: Floats) -> Bools:
    """Which pictures lie off the others, shape (m,)."""
    whole = degc[:, np.isfinite(degc).all(axis=0)]
    if whole.shape[1] < WHOLE_SPOTS:
        return np.zeros(len(degc), bool)
    away = np.median(whole - np.median(whole, axis=0), axis=1)
    return np.asarray(np.abs(away) > STRAY_DEGC, bool)
