"""A reference of known temperature in the thermal picture: where it lies and how the camera reads it.

Only pixels well inside its outline count, and only where they are even: at its edge the camera mixes in what
lies round it, and what is uneven has something before it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from models.camera_offset import PatchReading
from models.geometry import Bools, Floats
from models.rig import Rig
from models.treatment import Reference
from vision.point_spread import PointSpread, without_spread

INSIDE_PX = 3.0
"""Pixels nearer to the outline are not read: two standard deviations of the spread's wide part."""

ROUND_PX = 6.0
"""What lies up to so far outside counts as its surroundings; nearer than `INSIDE_PX` it is mixed."""

BESIDE_PX = 24
"""Margin about the outline, for the spread's correction and the halo."""

FEWEST_PIXELS = 9

MOST_HIDDEN = 0.2
"""Share of its pixels that nozzle or hand may hide."""

UNEVEN_DEGC = 0.35
"""Standard deviation, by the range that holds nine tenths, of an even patch: noise of 0.1 degC, sharpened,
and fixed pattern. Something that covers a tenth of it widens that range."""

NOISE_U95_DEGC = 0.1
"""Of the mean of a patch: what a camera's pixels wander by together from picture to picture. Own estimate."""

EMISSIVITY_U95 = 0.02
"""No emissivity is known better than this without having been measured."""

SECOND_RADIATION_UM_K, BAND_UM = 14388.0, 10.0
"""Planck's second constant, and the wavelength that stands for the band of 8-14 micrometres."""


@dataclass(frozen=True, eq=False)
class PatchPlace:
    """Where a reference lies in the thermal picture: a window and what is in it."""

    top: int
    left: int
    inside: Bools
    """Pixels well inside, of the window's shape."""
    beside: Bools
    """Pixels of its surroundings."""


def radiance(degc: float) -> float:
    """Black body radiance at `BAND_UM`, in units of its own."""
    return 1.0 / float(np.expm1(SECOND_RADIATION_UM_K / (BAND_UM * (degc + 273.15))))


def shown_degc(degc: float, *, emissivity: float, camera_emissivity: float, room_degc: float) -> float:
    """What a camera set to one emissivity shows of a surface of another, both lit by the room."""
    mirrored = radiance(room_degc)
    light = (emissivity - camera_emissivity) * (radiance(degc) - mirrored) / camera_emissivity
    seen = radiance(degc) + light
    return SECOND_RADIATION_UM_K / (BAND_UM * float(np.log1p(1.0 / seen))) - 273.15


def outline_thermal_px(reference: Reference, rig: Rig | None) -> Floats | None:
    """Its outline in thermal pixels, shape (n, 2); None where the rig cannot tell it."""
    if reference.stream == "thermal":
        return reference.outline_px
    if rig is None or rig.thermal is None or reference.distance_mm is None:
        return None
    points_rgb_mm = rig.rgb.unproject(reference.outline_px) * reference.distance_mm
    return rig.thermal.camera.project(rig.thermal.thermal_from_rgb.apply(points_rgb_mm))


@functools.lru_cache(maxsize=16)
def place_of(reference: Reference, rig: Rig | None, height_px: int, width_px: int) -> PatchPlace | None:
    """Its pixels in a thermal picture; None where too few lie well inside it and the picture."""
    outline_px = outline_thermal_px(reference, rig)
    if outline_px is None or not np.isfinite(outline_px).all():
        return None
    low = np.floor(outline_px.min(axis=0)).astype(int) - BESIDE_PX
    high = np.ceil(outline_px.max(axis=0)).astype(int) + BESIDE_PX + 1
    left, top = (int(v) for v in np.clip(low, 0, [width_px, height_px]))
    right, bottom = (int(v) for v in np.clip(high, 0, [width_px, height_px]))
    if right <= left or bottom <= top:
        return None
    x, y = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    contour = outline_px.astype(np.float32)[:, None]
    pixels = zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)
    depth = np.array([cv2.pointPolygonTest(contour, pixel, True) for pixel in pixels]).reshape(x.shape)
    inside, beside = depth >= INSIDE_PX, (depth <= -INSIDE_PX) & (depth >= -ROUND_PX)
    return PatchPlace(top, left, inside, beside) if inside.sum() >= FEWEST_PIXELS else None


def read_patch(
    degc: Floats,
    hidden: Bools,
    place: PatchPlace,
    reference: Reference,
    *,
    spread: PointSpread,
    camera_emissivity: float,
    room_degc: float,
) -> PatchReading | None:
    """How one picture shows a reference.

    Args:
        degc: Uncorrected temperatures, NaN where there is no reading, shape (h, w).
        hidden: Pixels that show nozzle or hand.
        place: Of the reference.
        reference: What is known of it.
        spread: The camera's.
        camera_emissivity: What the camera was set to.
        room_degc: What the reference mirrors.

    Returns:
        None where it is hidden, has no readings, or is uneven.
    """
    height, width = place.inside.shape
    window = slice(place.top, place.top + height), slice(place.left, place.left + width)
    sharp, doubt, halo = without_spread(degc[window], hidden[window], spread)
    clear = np.isfinite(degc[window]) & ~hidden[window]
    inside = place.inside & clear
    if inside.sum() < max(FEWEST_PIXELS, (1.0 - MOST_HIDDEN) * place.inside.sum()):
        return None
    read = float(np.median(sharp[inside]))
    low, high = np.percentile(sharp[inside], (5.0, 95.0))
    uneven = float(high - low) / 3.29
    if uneven > UNEVEN_DEGC:
        return None
    beside = place.beside & clear
    edge = read - float(np.median(sharp[beside])) if beside.sum() >= FEWEST_PIXELS else float("nan")

    def shown(emissivity: float) -> float:
        return shown_degc(
            reference.degc,
            emissivity=emissivity,
            camera_emissivity=camera_emissivity,
            room_degc=room_degc,
        )

    at = shown(reference.emissivity)
    by_emissivity = at - shown(reference.emissivity - EMISSIVITY_U95)
    mixed = (float(np.median(doubt[inside])), float(np.median(halo[inside])))
    common = (reference.u95_degc, by_emissivity, uneven, *mixed)
    return PatchReading(
        off_degc=read - at,
        noise_u95_degc=NOISE_U95_DEGC,
        common_u95_degc=float(np.linalg.norm(common)),
        edge_degc=edge,
        at_degc=at,
    )
