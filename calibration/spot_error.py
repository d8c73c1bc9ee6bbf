"""What a calibration leaves open of a temperature where it matters: on a small cold spot of the skin."""

from __future__ import annotations

import functools
from dataclasses import dataclass

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

_PHASES = (0.0, 0.25, 0.5)
"""Of the spot's middle between pixels: the worst is told."""


@dataclass(frozen=True)
class SpotErrors:
    """At `DISTANCES_MM`, degC; the worst of where the spot may lie between pixels."""

    bare_degc: tuple[float, ...]
    """How much too warm the bare camera shows its coldest pixel."""
    too_warm_degc: tuple[float, ...]
    """95 % bound of how much too warm it still reads once the spread has been taken out."""
    too_cold_degc: tuple[float, ...]
    """Likewise too cold: taking a spread out overshoots on spots 3 to 4 pixels wide, to the safe side."""


def spot_errors(*, focal_px: float, spread: PointSpread, camera_u95_degc: float) -> SpotErrors:
    """How far off a small spot reads at the working distances.

    Args:
        focal_px: Of the thermal camera.
        spread: As calibrated; drawn into the picture and taken out by the product's own way.
        camera_u95_degc: 95 % bound of what else is wrong with a reading of `SPOT_DEGC`.
    """
    bare: list[float] = []
    warm: list[float] = []
    cold: list[float] = []
    for distance_mm in DISTANCES_MM:
        each = [_read_spot(SPOT_MM * focal_px / distance_mm, phase, spread) for phase in _PHASES]
        beside = [float(np.hypot(doubt, camera_u95_degc)) + halo for _, _, doubt, halo in each]
        bare.append(max(one[0] for one in each))
        warm.append(max(0.0, *(one[1] + more for one, more in zip(each, beside, strict=True))))
        cold.append(max(0.0, *(more - one[1] for one, more in zip(each, beside, strict=True))))
    return SpotErrors(tuple(bare), tuple(warm), tuple(cold))


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
