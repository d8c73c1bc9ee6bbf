"""Where a reference lies in a thermal picture, given or found by itself, and how it reads there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.geometry import Bools, Bytes, Floats
from models.problems import InputError
from vision.point_spread import PointSpread, without_spread
from vision.reference_patch import FEWEST_PIXELS, INSIDE_PX, UNEVEN_DEGC

LEAST_SPREADS = 16.0
"""Least width of a reference in standard deviations of the camera's spread: 14 px of usual cameras, as a
reference in a session needs it (decision 17)."""

CORE = 0.5
"""Only pixels at least this share of the way in from the edge are read: the farther, the less is mixed in."""

MOST_HALO_DEGC = 0.3
"""What lens and window may mix in from far around where calibration states no halo: as much as thermometer
and emissivity together leave in doubt. A reference of 12 reaches of the halo's 7 px across stays below it."""

MOST_TILT_DEGC = 0.5
"""From one end of the core to the other. Half a degree puts a thermometer at one end of it a quarter off the
mean; an even block or a stirred slurry, seen by a camera that falls off by 0.2 degC, stays below it."""

CLIPPED = 0.9
"""Share of the core that has exactly the picture's lowest or highest value: off the scale. Noise of a camera
leaves no such share, not even in steps of 0.1 K."""


@dataclass(frozen=True, eq=False)
class Region:
    """Core of a reference in one picture, and what its edges do to it."""

    core: Bools
    """Pixels that are read, shape (h, w)."""
    across_px: float
    sharpened_degc: float
    """To be added to what the core reads: what spread and stated halo took."""
    mixed_u95_degc: float
    """Doubt of that."""
    halo_degc: float
    """Bound of what may be mixed in from far around, of one sign always; 0 where the halo is stated."""
    uneven_u95_degc: float


def area_mask(words: str, shape: tuple[int, int]) -> Bools:
    """Pixels of an area that was given as ``x,y,w,h`` or as corners ``x,y,x,y,x,y...``.

    Raises:
        InputError: If it is neither, or lies outside the picture.
    """
    try:
        numbers = [float(part) for part in words.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) < 4 or len(numbers) % 2 or not np.all(np.isfinite(numbers)):
        raise InputError(f"--region {words} is no area; give x,y,w,h or corners x,y,x,y,x,y in pixels.")
    if len(numbers) == 4:
        x, y, wide, high = numbers
        corners = np.array([[x, y], [x + wide - 1, y], [x + wide - 1, y + high - 1], [x, y + high - 1]])
    else:
        corners = np.array(numbers).reshape(-1, 2)
    limits = np.array([shape[1], shape[0]]) - 0.5
    if np.any(corners < -0.5) or np.any(corners > limits):
        raise InputError(
            f"--region {words} lies outside the picture of {shape[1]} x {shape[0]} pixels; give pixels within"
            " it, counted from 0 at its left upper corner."
        )
    mask: Bytes = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
    return mask > 0


def found_mask(degc: Floats, shown_degc: float) -> Bools | None:
    """The even part of a picture that is coldest or warmest against its surroundings, as the reference is.

    Two crowds, parted where their variances are least (Otsu 1979); the one nearer to what the reference
    should show, and of it the largest piece.

    Args:
        degc: Mean of a look, NaN = no reading.
        shown_degc: What the reference should show.

    Returns:
        None where no part stands out.
    """
    known = np.isfinite(degc)
    if known.mean() < 0.5:
        return None
    filled = np.where(known, degc, np.median(degc[known]))
    low, high = (float(v) for v in np.percentile(filled, (0.5, 99.5)))
    if high - low < 2.0:
        return known if abs(float(np.median(filled)) - shown_degc) < 10.0 else None
    scaled: Bytes = np.asarray(255.0 * (np.clip(filled, low, high) - low) / (high - low), np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    warm = scaled > level
    warm_off = abs(float(np.median(filled[warm])) - shown_degc)
    cold_off = abs(float(np.median(filled[~warm])) - shown_degc)
    own: Bytes = (warm if warm_off < cold_off else ~warm).astype(np.uint8)
    count, labels, figures, _ = cv2.connectedComponentsWithStats(own, connectivity=4)
    if count < 2:
        return None
    return labels == 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))


def region_of(degc: Floats, mask: Bools, *, spread: PointSpread) -> Region | str:
    """The core of a reference, or why it will not do.

    Args:
        degc: Mean of a look, NaN = no reading, shape (h, w).
        mask: Pixels of the reference.
        spread: The camera's.
    """
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth = np.asarray(depth[1:-1, 1:-1], float)
    across = 2.0 * float(depth.max()) - 1.0
    needed = LEAST_SPREADS * spread.sigma_px
    if across < needed:
        return (
            f"the reference is {max(across, 0.0):.0f} px across, less than {LEAST_SPREADS:g} spreads of a"
            f" point ({needed:.0f} px); go nearer or take a larger one"
        )
    core = mask & (depth >= max(INSIDE_PX, CORE * depth.max()))
    if core.sum() < FEWEST_PIXELS or not np.all(np.isfinite(degc[core])):
        return "the reference has pixels without a reading; it is off the camera's scale, or covered"
    sharp, doubt, halo = without_spread(degc, ~np.isfinite(degc), spread)
    inside = sharp[core]
    y, x = np.nonzero(core)
    plane = np.column_stack([x - x.mean(), y - y.mean(), np.ones(len(x))])
    slopes, *_ = np.linalg.lstsq(plane, inside, rcond=None)
    tilt = float(np.ptp(plane[:, :2] @ slopes[:2]))
    rough = float(np.std(inside - plane @ slopes))
    if tilt > MOST_TILT_DEGC:
        return (
            f"the reference is uneven: {tilt:.1f} degC from one end to the other (limit {MOST_TILT_DEGC:g});"
            " stir it, let it settle, shield it from draught"
        )
    if rough > UNEVEN_DEGC:
        return (
            f"the reference is uneven: its pixels differ by {rough:.2f} degC (1 sigma, limit"
            f" {UNEVEN_DEGC:g}); lay nothing over it, or mark its even part with --region"
        )
    mixed = float(np.mean(halo[core]))
    if spread.halo is None and mixed > MOST_HALO_DEGC:
        return (
            f"{mixed:.1f} degC may be mixed in from far around the reference (limit {MOST_HALO_DEGC:g}); go"
            " nearer, or calibrate spread first (cryoguide calibrate spread)"
        )
    stated = spread.halo is not None
    return Region(
        core=core,
        across_px=across,
        sharpened_degc=float(np.mean(inside - degc[core])),
        mixed_u95_degc=float(np.hypot(np.mean(doubt[core]), mixed if stated else 0.0)),
        halo_degc=0.0 if stated else mixed,
        uneven_u95_degc=float(np.std(inside)),
    )


def is_clipped(degc: Floats, core: Bools) -> bool:
    """Whether a picture shows the reference at the end of its scale."""
    inside = degc[core]
    ends = (np.nanmin(degc), np.nanmax(degc))
    return any(float(np.mean(inside == end)) > CLIPPED for end in ends)
