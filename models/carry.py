"""Going on from the exposure of an interrupted session: its map laid on the cells of the new chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.spatial import cKDTree

from models.chart import CELL_MM, ZoneChart
from models.exposure import ExposureMap
from models.exposure_pack import KeptExposure
from models.geometry import Floats


@dataclass(frozen=True, eq=False)
class Carried:
    """What an interrupted session hands on to the one that goes on with it."""

    recording_sha256: str
    kept: KeptExposure | None
    """None: no map of it is known, so that its gas may have gone anywhere."""
    gas_s: float
    """Gas time of the interrupted session."""
    tile_time_s: tuple[float, ...]
    gap_s: float
    """Time between the two: unassigned."""
    gap_gas_s: float
    """Of it, in which gas may have flowed: none where the valve was shut before and after."""


def carry_over(kept: KeptExposure, chart: ZoneChart, *, perhaps_turned: bool = False) -> ExposureMap:
    """What each cell of a new chart has had, as the map of an earlier recording tells it.

    The best estimate is that of the earlier cell at the same place on the zone. Both recordings know that
    place only to a bound, so upper bounds are the worst of all earlier cells within both bounds together.
    A cell that the earlier map did not reach has never been observed.

    Args:
        kept: The earlier map, m cells.
        chart: The new chart, n cells.
        perhaps_turned: Which way the head lies was guessed for the new chart: with either map perhaps turned
            by 180 degrees, upper bounds take in the place opposite as well.

    Returns:
        n cells; no upper bound is below that of the earlier cell at the same place.
    """
    n, had = len(chart), kept.exposure
    if not len(kept.u_mm):
        return ExposureMap.empty(n)
    tree = cKDTree(np.column_stack([kept.u_mm, kept.v_mm]))
    place = np.column_stack([chart.u_mm, chart.v_mm])
    away_mm, nearest = tree.query(place)
    there = np.asarray(away_mm) <= CELL_MM
    within_mm = float(np.hypot(kept.place_u95_mm, chart.place_u95_mm)) + CELL_MM
    near = cast("list[list[int]]", list(tree.query_ball_point(place, within_mm)))
    if perhaps_turned or kept.perhaps_turned:
        opposite = cast("list[list[int]]", list(tree.query_ball_point(-place, within_mm)))
        near = [one + other for one, other in zip(near, opposite, strict=True)]
    upper_s = _worst(had.dwell_upper_s, near)
    coldest_degc = -_worst(-(had.min_degc - had.min_u95_degc), near, unknown=-np.inf)

    def same(values: Floats, *, unknown: float = 0.0) -> Floats:
        return np.where(there, values[nearest], unknown)

    dwell_s, low = same(np.nan_to_num(had.dwell_s)), same(had.min_degc, unknown=np.nan)
    return ExposureMap(
        dwell_s=dwell_s,
        unseen_s=np.maximum(upper_s - dwell_s, 0.0),
        min_degc=low,
        min_u95_degc=np.where(np.isfinite(low), np.maximum(low - coldest_degc, 0.0), np.nan),
        cold_exposure_degc_s=same(had.cold_exposure_degc_s),
        below_10_s=same(had.below_10_s),
        below_4_s=same(had.below_4_s),
        below_2_s=same(had.below_2_s),
        observed_s=same(had.observed_s),
        blind_gas_s=_worst(had.blind_gas_s, near),
    )


def carried_tiles(tile_time_s: tuple[float, ...], *, tiles: int) -> Floats:
    """Gas time of each tile; the longest for all where the tiles are others now."""
    if len(tile_time_s) == tiles:
        return np.array(tile_time_s)
    return np.full(tiles, max(tile_time_s, default=0.0))


def _worst(values: Floats, near: list[list[int]], *, unknown: float = 0.0) -> Floats:
    """The highest known value among the cells near each place."""
    known = np.where(np.isfinite(values), values, -np.inf)
    return np.array([max(float(known[cells].max()), unknown) if cells else unknown for cells in near])
