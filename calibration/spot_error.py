"""What a calibration leaves open of a temperature where it matters: on a small cold spot of the skin."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from calibration.skin_error import DISTANCES_MM
from models.geometry import Bools, Floats
from models.rig import StatedHalo
from vision.point_spread import HALO_PX, HALO_U95, WIDE_PX, PointSpread, without_spread

SPOT_MM, SPOT_DEGC, SKIN_DEGC = 12.0, 5.0, 30.0
"""As wide as the bore, as cold as the target, in skin that the jet has not cooled much."""

SPOT_WORDS = f"{SPOT_MM:g} mm spot of {SPOT_DEGC:g} degC in skin of {SKIN_DEGC:g} degC"

FINER, HALF_PX = 8, 40
"""The spot is drawn so much finer, in a picture of so many pixels to each side."""

_PHASES = (0.0, 0.5)
"""Of the spot's middle between pixels: the worst is told."""


def spot_errors_degc(
    *, focal_px: float, spread: PointSpread, camera_u95_degc: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """How far off a small spot reads at the working distances.

    Args:
        focal_px: Of the thermal camera.
        spread: As calibrated; drawn into the picture and taken out by the product's own way.
        camera_u95_degc: 95 % bound of what else is wrong with a reading of `SPOT_DEGC`.

    Returns:
        At `DISTANCES_MM`: how much too warm the bare camera reads its coldest pixel; and the 95 % error of
        what is left after the spread has been taken out.
    """
    bare: list[float] = []
    left: list[float] = []
    for distance_mm in DISTANCES_MM:
        across_px = SPOT_MM * focal_px / distance_mm
        each = [_read_spot(across_px, phase, spread) for phase in _PHASES]
        bare.append(max(one[0] for one in each))
        left.append(
            max(abs(off) + float(np.hypot(doubt, camera_u95_degc)) + halo for _, off, doubt, halo in each)
        )
    return tuple(bare), tuple(left)


@functools.lru_cache(maxsize=64)
def _read_spot(across_px: float, phase_px: float, spread: PointSpread) -> tuple[float, float, float, float]:
    """Bare error of the coldest pixel, what is left of it, doubt and halo, degC."""
    side = 2 * HALF_PX * FINER
    y, x = (np.indices((side, side)) + 0.5) / FINER - HALF_PX
    scene = np.where(np.hypot(x - phase_px, y - phase_px) <= 0.5 * across_px, SPOT_DEGC, SKIN_DEGC)
    near = _blurred(scene, spread.narrow_px * FINER)
    if spread.wide_share > 0.0:
        near = near + spread.wide_share * (_blurred(scene, WIDE_PX * FINER) - near)
    # A pixel reads where its centre lies: the stated spread holds the pixel's own width already.
    read = sum(near[FINER // 2 - a :: FINER, FINER // 2 - b :: FINER] for a in (0, 1) for b in (0, 1))
    halo = spread.halo or StatedHalo(HALO_U95, HALO_PX, HALO_U95)
    coarse = cv2.resize(scene, (2 * HALF_PX, 2 * HALF_PX), interpolation=cv2.INTER_AREA)
    around = _blurred(np.asarray(coarse, float), halo.reach_px)
    picture = 0.25 * (1.0 - halo.share) * read + halo.share * around
    degc = np.asarray(picture, float)
    nothing: Bools = np.zeros(degc.shape, np.bool_)
    sharp, doubt, mixed = without_spread(degc, nothing, spread)
    at = np.unravel_index(int(np.argmin(degc)), degc.shape)
    return float(degc[at]) - SPOT_DEGC, float(sharp[at]) - SPOT_DEGC, float(doubt[at]), float(mixed[at])


def _blurred(scene: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), sigma), float)
