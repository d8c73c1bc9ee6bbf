"""How far the thermal camera spreads a point: measured at the edge of warm skin, and taken out again.

A small cold spot reads too warm because lens and detector mix its surroundings in (size of source). The edge
of the body before its cooler background shows by how much: a sharp step arrives as the spread's integral.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtr

from models.geometry import Bools, Floats
from models.rig import StatedHalo, StatedSpread

WIDE_PX = 1.5
"""Standard deviation of the spread's wide part; the narrow part and its share are measured. One wide part of
1.2 to 3 px describes the edges of three simulated cameras equally well: what counts is the variance."""

MEASURED_U95, TAKEN_U95 = 0.35, 0.8
"""The correction is not known better than this share of itself: measured at an edge, which skin seen
grazingly makes softer, and which tells a drawn spread within 10 %, or taken for granted."""

HALO_U95, HALO_PX = 0.10, 7.0
"""What lens and window mix in from far around (size-of-source effect), share of the contrast and reach;
bounded, not corrected, unless calibration states it: no edge in a session tells it from the warmth of a
couch. Our own simulation draws 9 %."""

SHRINK = 4
"""The halo is blurred at this part of the size."""

REACHES = 4.0
"""What lies so many standard deviations of the halo away changes no reading."""

HALO_ROUNDS = 4
"""Of a halo of 9 % less than a ten-thousandth of the contrast stays."""

BETWEEN_PX2 = 1.0 / 6.0
"""Reading between pixels by straight lines spreads too: x (1 - x) along each way, on average so much."""

ROUNDS = 2
"""Times that what the spread took is given back: of a spot that lost 11 % of its depth 0.1 % stay lost, and
noise grows by no more than a factor of two and a half."""

FINER, NEAR_PX, FAR_PX, BIN_PX = 4, 1.5, 8.0, 0.25
"""The outline is found on a picture so much finer, and the step is read from ``-FAR_PX`` outside the body to
``NEAR_PX`` inside it: farther in, skin seen grazingly falls off by itself."""

LEAST_STEP_DEGC, FEWEST_PER_BIN = 4.0, 25
LEAST_DEGC, MOST_DEGC = 12.0, 42.0
"""Skin and background lie in this range; what is colder is nozzle, gas or treated skin, and is kept
`COLD_AWAY_PX` away from."""

COLD_AWAY_PX = 12

CLEAN, CLEAN_PX = 0.15, 9
"""Only where all but this share of the step lies so near: skin behind cloth or beside a couch that it warmed
is left out."""

ROUGH = 0.04
"""The step must follow the spread within this share of its height (rms; 0.5-1.3 % on simulated cameras)."""

LEAST_VARIANCE_PX2, MOST_VARIANCE_PX2 = 0.1, 2.2


@dataclass(frozen=True)
class PointSpread:
    """A narrow and a wide round bell; shares add up to one."""

    narrow_px: float
    """Standard deviation of the narrow one."""
    wide_share: float
    """Share of the wide one, `WIDE_PX`."""
    u95: float
    """95 % bound of the correction as a share of itself."""
    measured: bool
    halo: StatedHalo | None = None
    """What is mixed in from far around, taken out too; None = not known, and only bounded."""

    @property
    def sigma_px(self) -> float:
        """Standard deviation of both together."""
        return float(np.sqrt(self.variance_px2))

    @property
    def variance_px2(self) -> float:
        """Second moment along one direction: for anything smooth it alone counts."""
        return (1.0 - self.wide_share) * self.narrow_px**2 + self.wide_share * WIDE_PX**2

    @property
    def between_pixels(self) -> PointSpread:
        """The same for readings between pixels, `BETWEEN_PX2`."""
        narrow_px2 = self.narrow_px**2 + BETWEEN_PX2 / (1.0 - self.wide_share)
        return replace(self, narrow_px=float(np.sqrt(narrow_px2)))


USUAL = PointSpread(0.6, 0.25, TAKEN_U95, measured=False)
"""Until one is measured: 0.87 px; three simulated cameras have 0.83 to 0.87 px."""


SHAPE_U95 = 0.2
"""Calibration states one figure; how it is shared between narrow and wide leaves so much of the correction in
doubt. Own estimate."""


def from_calibration(stated: StatedSpread) -> PointSpread:
    """The spread that calibration states: the usual wide part where there is room for it, else none."""
    variance_px2 = stated.sigma_px**2
    narrow_px2 = (variance_px2 - USUAL.wide_share * WIDE_PX**2) / (1.0 - USUAL.wide_share)
    u95 = float(np.hypot(2.0 * stated.u95_px / stated.sigma_px, SHAPE_U95))
    if narrow_px2 < LEAST_VARIANCE_PX2:
        return PointSpread(stated.sigma_px, 0.0, u95, measured=True, halo=stated.halo)
    return PointSpread(float(np.sqrt(narrow_px2)), USUAL.wide_share, u95, measured=True, halo=stated.halo)


def disagree(stated: StatedSpread, at_edge: PointSpread) -> bool:
    """Whether calibration and the edge in the session lie farther apart than both bounds allow.

    The correction goes with the variance, so that its bound is twice that of the standard deviation.
    """
    edge_u95_px = 0.5 * at_edge.u95 * at_edge.sigma_px
    return abs(_shown_at_edge_px(stated) - at_edge.sigma_px) > float(np.hypot(stated.u95_px, edge_u95_px))


@lru_cache(maxsize=8)
def _shown_at_edge_px(stated: StatedSpread) -> float:
    """What `measured_at_edge` finds of a camera that is as stated.

    Calibration keeps the halo apart from the spread; a fit without one takes some of it for spread: 9 % from
    7 px around make 0.75 px look like 0.91.
    """
    if stated.halo is None:
        return stated.sigma_px
    told, share = from_calibration(stated), stated.halo.share
    place = np.arange(-FAR_PX + BIN_PX / 2.0, NEAR_PX, BIN_PX)
    narrow = (1.0 - told.wide_share) * ndtr(place / told.narrow_px) + told.wide_share * ndtr(place / WIDE_PX)
    around = ndtr(place / np.hypot(stated.halo.reach_px, stated.sigma_px))
    found = _fitted(place, 23.0 + 10.0 * ((1.0 - share) * narrow + share * around), 23.0, 10.0)
    return stated.sigma_px if found is None else found.sigma_px


def relied_on(stated: StatedSpread | None, at_edge: PointSpread | None) -> PointSpread:
    """The spread to be used.

    Calibration goes before the edge of warm skin. Where they disagree the wider one is used, which reads
    cold spots colder, and is doubted like one that was never measured.
    """
    if stated is None:
        return at_edge or USUAL
    told = from_calibration(stated)
    if at_edge is None or not disagree(stated, at_edge):
        return told
    wider = told if told.variance_px2 > at_edge.variance_px2 else at_edge
    return replace(wider, u95=TAKEN_U95, halo=stated.halo)


def measured_at_edge(degc: Floats) -> PointSpread | None:
    """The camera's spread from the outline of warm skin before a cooler background.

    Args:
        degc: One picture, NaN where it has no reading.

    Returns:
        None where the picture shows no such outline, or one that no spread explains.
    """
    usable = np.isfinite(degc) & (degc > LEAST_DEGC) & (degc < MOST_DEGC)
    if usable.mean() < 0.5:
        return None
    filled = np.where(usable, degc, np.median(degc[usable]))
    # Two crowds, parted where their variances are least (Otsu 1979).
    scaled = (
        255.0 * (np.clip(filled, LEAST_DEGC, MOST_DEGC) - LEAST_DEGC) / (MOST_DEGC - LEAST_DEGC)
    ).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    parted_degc = LEAST_DEGC + (level + 0.5) * (MOST_DEGC - LEAST_DEGC) / 255.0
    warm = filled > parted_degc
    if not 0.02 < warm.mean() < 0.98:
        return None
    low, high = float(np.median(filled[~warm])), float(np.median(filled[warm]))
    if high - low < LEAST_STEP_DEGC:
        return None
    use = ~_near(~usable, COLD_AWAY_PX)
    use &= _near(filled > high - CLEAN * (high - low), CLEAN_PX)
    use &= _near(filled < low + CLEAN * (high - low), CLEAN_PX)
    place, step = _step(filled, inside_px=_inside_px(filled, (low + high) / 2.0), use=use)
    return _fitted(place, step, low, high - low) if len(place) >= 0.8 * (NEAR_PX + FAR_PX) / BIN_PX else None


def _near(pixels: Bools, reach_px: int) -> Bools:
    """Pixels with one of these at most so far away, along rows and columns."""
    square = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return cv2.dilate(pixels.astype(np.uint8), square) > 0


def _inside_px(degc: Floats, level_degc: float) -> Floats:
    """Distance of each pixel's centre from the outline, positive inside the warm part."""
    high, wide = degc.shape
    fine = cv2.resize(degc.astype(np.float32), (wide * FINER, high * FINER), interpolation=cv2.INTER_CUBIC)
    warm = (fine > level_degc).astype(np.uint8)
    inside = cv2.distanceTransform(warm, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - warm, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = np.where(warm > 0, inside - 0.5, 0.5 - outside)
    # A pixel's centre lies between the finer ones.
    return cv2.resize(signed, (wide, high), interpolation=cv2.INTER_AREA).astype(np.float64) / FINER


def _step(degc: Floats, *, inside_px: Floats, use: Bools) -> tuple[Floats, Floats]:
    """Mean place and median temperature, bin by bin across the outline."""
    edges = np.arange(-FAR_PX, NEAR_PX + 1e-9, BIN_PX)
    which = np.digitize(inside_px, edges)
    bins = [use & (which == k) for k in range(1, len(edges))]
    full = [one for one in bins if one.sum() >= FEWEST_PER_BIN]
    return (
        np.array([inside_px[one].mean() for one in full]),
        np.array([np.median(degc[one]) for one in full]),
    )


def _fitted(place_px: Floats, step_degc: Floats, low_degc: float, rise_degc: float) -> PointSpread | None:
    """The spread whose integral the step follows."""

    def residual(figures: Floats) -> Floats:
        base, rise, share, narrow, shift = figures
        x = place_px - shift
        spread = (1.0 - share) * ndtr(x / narrow) + share * ndtr(x / WIDE_PX)
        return base + rise * spread - step_degc

    found = least_squares(
        residual,
        [low_degc, rise_degc, 0.2, 0.6, 0.0],
        bounds=(
            [low_degc - 5.0, 0.5 * rise_degc, 0.0, 0.2, -1.0],
            [low_degc + 5.0, 1.5 * rise_degc, 0.9, 1.4, 1.0],
        ),
    )
    figures = cast(Floats, found.x)
    spread = PointSpread(float(figures[3]), float(figures[2]), MEASURED_U95, measured=True)
    rough = float(np.sqrt(np.mean(cast(Floats, found.fun) ** 2))) / float(figures[1])
    believable = LEAST_VARIANCE_PX2 < spread.variance_px2 < MOST_VARIANCE_PX2 and rough < ROUGH
    return spread if believable else None


def reach_px(spread: PointSpread) -> float:
    """What lies farther away changes no reading."""
    return REACHES * (HALO_PX if spread.halo is None else max(HALO_PX, spread.halo.reach_px))


def without_spread(degc: Floats, hidden: Bools, spread: PointSpread) -> tuple[Floats, Floats, Floats]:
    """Take the surroundings' share out of each pixel.

    Args:
        degc: One picture, NaN where it has no reading.
        hidden: Pixels that show something else before the skin: they weigh nothing.
        spread: The camera's.

    Returns:
        Corrected temperatures, the size of the correction's doubt, and what the halo may have mixed in, all
        in degC and of the picture's shape. Van Cittert's iteration: what another spreading would take is
        given back, `ROUNDS` times.
    """
    use = np.isfinite(degc) & ~hidden
    weight, held = use.astype(np.float32), np.where(use, degc, 0.0).astype(np.float32)
    total = np.maximum(_spread_out(weight, spread), 1e-3)
    sharp = held
    for _ in range(ROUNDS):
        sharp = np.where(use, sharp + held - _spread_out(sharp * weight, spread) / total, held)
    gained = np.where(use, sharp - held, 0.0).astype(np.float64)
    if spread.halo is not None:
        return _without_halo(degc, gained, use, spread.halo, doubt=spread.u95)
    far = _far_and_wide(weight)
    halo = np.where(far > 0.02, held - _far_and_wide(held) / np.maximum(far, 1e-3), 0.0)
    return degc + gained, spread.u95 * np.abs(gained), HALO_U95 * np.abs(halo)


def _without_halo(
    degc: Floats, gained: Floats, use: Bools, halo: StatedHalo, *, doubt: float
) -> tuple[Floats, Floats, Floats]:
    """As `without_spread`; what was taken out of a pixel weighs in the halo of the others as it really is.

    Each pixel reads (1 - share) of itself and the share of its surroundings: solved by going round
    `HALO_ROUNDS` times, of which each leaves the share of what the one before left.
    """
    weight = use.astype(np.float32)
    held = np.where(use, degc + gained, 0.0)
    far = np.maximum(_far_and_wide(weight, halo.reach_px), 1e-3)
    known = far > 0.02
    own, around = held, held
    for _ in range(HALO_ROUNDS):
        around = _far_and_wide(np.where(use, own, 0.0).astype(np.float32), halo.reach_px) / far
        own = np.where(use & known, (held - halo.share * around) / (1.0 - halo.share), held)
    taken = np.where(use, own - held, 0.0)
    # A share that is off by one hundredth leaves a hundredth of the contrast.
    left = np.where(use & known, halo.u95 * np.abs(own - around) / (1.0 - halo.share), 0.0)
    return degc + gained + taken, doubt * np.abs(gained), np.asarray(left, np.float64)


def _spread_out(picture: NDArray[np.float32], spread: PointSpread) -> NDArray[np.float32]:
    narrow = cv2.GaussianBlur(picture, (0, 0), spread.narrow_px, borderType=cv2.BORDER_REPLICATE)
    wide = cv2.GaussianBlur(picture, (0, 0), WIDE_PX, borderType=cv2.BORDER_REPLICATE)
    return np.asarray((1.0 - spread.wide_share) * narrow + spread.wide_share * wide, np.float32)


def _far_and_wide(picture: NDArray[np.float32], reach_px: float = HALO_PX) -> NDArray[np.float32]:
    """Blur, worked out at a quarter of the size: nothing finer is left of it."""
    high, wide = picture.shape
    size = max(wide // SHRINK, 1), max(high // SHRINK, 1)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), reach_px / SHRINK)
    return np.asarray(cv2.resize(blurred, (wide, high), interpolation=cv2.INTER_LINEAR), np.float32)
