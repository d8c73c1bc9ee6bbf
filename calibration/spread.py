"""Point spread and halo of a thermal camera, from pictures of one long straight edge between warm and cold.

Across a straight edge the picture is the spread's integral: a steep part of the lens, and a shallow one of
what is mixed in from far around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.optimize import least_squares
from scipy.special import ndtr

from models.geometry import Floats

LEAST_STEP_DEGC = 5.0
FAR_PX, LEAST_FAR_PX, BIN_PX = 40.0, 20.0, 0.5
"""Read so far to both sides; a halo of 7 px is over after 20."""

STRAIGHT_PX, ROUGH = 0.35, 0.01
"""The edge must be straight within this (rms), and the step follow the model within this share of its
height: one hundredth is what a halo of 9 % is to be told from."""

UNEVEN_U95 = 0.01
"""Of the share: a target warmer in its middle by one hundredth of the step looks so. Own estimate."""


@dataclass(frozen=True)
class SpreadFound:
    """Means over the pictures."""

    sigma_px: float
    sigma_u95_px: float
    halo_share: float
    halo_px: float
    halo_u95: float
    used: int
    refused: tuple[str, ...]


def find_spread(pictures: Sequence[tuple[str, Floats]]) -> SpreadFound | str:
    """Fit each picture (degC, NaN = no reading) and say how far they agree; or why none will do."""
    fits: list[tuple[float, float, float]] = []
    refused: list[str] = []
    for name, degc in pictures:
        one = at_straight_edge(degc)
        if isinstance(one, str):
            refused.append(f"{name} {one}")
        else:
            fits.append(one)
    if len(fits) < 3:
        return "; ".join([*refused, f"{len(fits)} pictures will do (at least 3); take more"])
    each = np.array(fits)
    mean, sigma = each.mean(axis=0), each.std(axis=0, ddof=1)
    return SpreadFound(
        sigma_px=float(mean[0]),
        sigma_u95_px=float(max(2.0 * sigma[0], 0.02)),
        halo_share=float(mean[1]),
        halo_px=float(mean[2]),
        halo_u95=float(np.hypot(2.0 * sigma[1], UNEVEN_U95)),
        used=len(fits),
        refused=tuple(refused),
    )


def at_straight_edge(degc: Floats) -> tuple[float, float, float] | str:
    """Spread (px), share of the halo and its reach (px) of one picture; or why it will not do."""
    if not np.all(np.isfinite(degc)):
        return "has pixels without a reading"
    across, down = np.abs(np.diff(degc, axis=1)).sum(), np.abs(np.diff(degc, axis=0)).sum()
    lying = degc if across >= down else degc.T
    low, high = np.percentile(lying, (10.0, 90.0))
    if high - low < LEAST_STEP_DEGC:
        return f"shows no step of {LEAST_STEP_DEGC:g} degC"
    if lying[:, :5].mean() > lying[:, -5:].mean():
        lying = lying[:, ::-1]
    rows, middle = np.arange(len(lying)), 0.5 * (low + high)
    above = lying > middle
    first = np.argmax(above, axis=1)
    if not np.all(above.any(axis=1) & (first > 0)):
        return "shows no edge from side to side"
    before, after = lying[rows, first - 1], lying[rows, first]
    edge = first - 1 + (middle - before) / (after - before)
    slope, start = np.polyfit(rows, edge, 1)
    if float(np.sqrt(np.mean((edge - start - slope * rows) ** 2))) > STRAIGHT_PX:
        return "shows an edge that is not straight"
    y, x = np.indices(lying.shape)
    away = (x - start - slope * y) / np.hypot(1.0, slope)
    if min(-away.min(), away.max()) < LEAST_FAR_PX:
        return f"has its edge nearer than {LEAST_FAR_PX:g} px to the picture's side"
    which = np.round(away / BIN_PX).astype(int)
    bins = [which == k for k in range(-int(FAR_PX / BIN_PX), int(FAR_PX / BIN_PX) + 1)]
    full = [one for one in bins if one.sum() >= 10]
    place = np.array([away[one].mean() for one in full])
    step = np.array([lying[one].mean() for one in full])

    def left(figures: Floats) -> Floats:
        base, rise, narrow, share, reach, shift = figures
        at = place - shift
        return base + rise * ((1.0 - share) * ndtr(at / narrow) + share * ndtr(at / reach)) - step

    found = least_squares(
        left,
        [low, high - low, 0.8, 0.08, 7.0, 0.0],
        bounds=([-99.0, 1.0, 0.2, 0.0, 3.0, -2.0], [99.0, 200.0, 3.0, 0.33, 20.0, 2.0]),
    )
    figures = cast(Floats, found.x)
    if float(np.sqrt(np.mean(cast(Floats, found.fun) ** 2))) > ROUGH * figures[1]:
        return "shows a step that no spread explains; use a target that is even on both sides"
    return float(figures[2]), float(figures[3]), float(figures[4])
