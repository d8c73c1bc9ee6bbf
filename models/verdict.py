"""What became of every cell: overexposed, unknown, in_target, below_target or untreated."""

from __future__ import annotations

import numpy as np

from models.chart import ZoneChart
from models.exposure import ExposureMap
from models.geometry import Bools, Floats
from models.protocol import Ladder, Protocol

TREATED_S = 0.05
"""Jet-seconds from which on a cell counts as treated: less is one capture at the rim of the footprint. The
scoring of dwell maps draws the same line."""

BLIND_S = 0.15
"""Seconds of gas on a cell with neither nozzle nor temperature observed that make it unknown. As long as a
lost nozzle may be bridged (session format, ``predicted``): a stationary CO2 jet needs 0.5 s to 15 degC
(domain section 3)."""

UNSEEN_S = 0.15
"""Jet-seconds that may have come unseen to a cell whose temperature was never observed, from which on it is
unknown."""


def verdicts(
    exposure: ExposureMap, chart: ZoneChart, *, protocol: Protocol, tile_time_s: Floats | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Judge every cell at the end of a session.

    ``overexposed``: its lowest temperature (best estimate) is at or below the protocol's STOP temperature
    (cause ``skin_temperature``), or its jet-seconds (``dwell``), the gas time of its tile (``zone_time``,
    only where the cell was treated) or its time below 10, 4 or 2 degC (``cold_time``) is at or past the STOP
    limit. ``unknown``: gas may have reached it for more than `BLIND_S` while neither nozzle nor temperature
    was observed (``not_observed``), or it was treated and its temperature observed for fewer seconds than it
    had jet-seconds, or gas may have come unseen (`UNSEEN_S`) and its temperature was never observed
    (``temperature_not_observed``). ``in_target``: its lowest temperature is in the target band or between
    band and STOP. ``below_target``: treated, but did not get cold enough. ``untreated``: the rest.

    Args:
        exposure: What the cells had, n cells.
        chart: Their tiles, n cells.
        protocol: Limits and target band.
        tile_time_s: Gas seconds per tile, indexed by ``chart.tile``; None = not counted.

    Returns:
        Verdict and cause of every cell; the cause is empty where there is none.

    Raises:
        ValueError: If map and chart differ in their number of cells.
    """
    n = len(chart)
    if exposure.dwell_s.shape != (n,):
        raise ValueError(f"The map has {len(exposure.dwell_s)} cells, the chart {n}.")
    treated = exposure.dwell_s > TREATED_S
    never_observed = np.isnan(exposure.min_degc)
    # Jet-seconds never exceed the time under the jet: fewer observed seconds mean unobserved cooling.
    cooled_unobserved = (treated & (exposure.observed_s < exposure.dwell_s)) | (
        never_observed & (treated | (exposure.dwell_upper_s > UNSEEN_S))
    )
    cold = (
        _passed(exposure.below_10_s, protocol.below_10_s)
        | _passed(exposure.below_4_s, protocol.below_4_s)
        | _passed(exposure.below_2_s, protocol.below_2_s)
    )
    zone_time = treated & _passed(_tile_time_s(chart, tile_time_s), protocol.zone_time_s)
    rules: tuple[tuple[str, str, Bools], ...] = (
        ("overexposed", "skin_temperature", exposure.min_degc <= protocol.skin_degc.stop),
        ("overexposed", "dwell", _passed(exposure.dwell_s, protocol.dwell_s)),
        ("overexposed", "zone_time", zone_time),
        ("overexposed", "cold_time", cold),
        ("unknown", "not_observed", exposure.blind_gas_s > BLIND_S),
        ("unknown", "temperature_not_observed", cooled_unobserved),
        ("in_target", "", reached_target(exposure, protocol=protocol)),
        ("below_target", "", treated),
    )
    verdict = np.full(n, "untreated", dtype=object)
    cause = np.full(n, "", dtype=object)
    for name, why, holds in reversed(rules):
        verdict[holds], cause[holds] = name, why
    return tuple(str(v) for v in verdict), tuple(str(c) for c in cause)


def reached_target(exposure: ExposureMap, *, protocol: Protocol) -> Bools:
    """Cells whose lowest observed temperature is in the target band or colder, shape (n,)."""
    return exposure.min_degc <= protocol.target_high_degc


def coverage_pct(exposure: ExposureMap, chart: ZoneChart, *, protocol: Protocol) -> float:
    """Share of the zone's area that was seen to reach the target band, 0..100.

    A cell that went on to be overexposed has reached the band; a cell whose temperature was never observed
    has not been seen to.

    Raises:
        ValueError: If the chart has no zone.
    """
    area_cm2 = np.where(chart.in_zone, chart.area_cm2, 0.0)
    if not area_cm2.sum() > 0.0:
        raise ValueError("The chart has no cell in the zone.")
    return float(100.0 * area_cm2[reached_target(exposure, protocol=protocol)].sum() / area_cm2.sum())


def verdict_area_cm2(
    verdict: tuple[str, ...], chart: ZoneChart, *, name: str, in_zone: bool = False
) -> float:
    """Area of the cells of one verdict, over the whole map or within the zone only."""
    holds = np.array([v == name for v in verdict], dtype=bool)
    return float(chart.area_cm2[holds & chart.in_zone if in_zone else holds].sum())


def _passed(seconds: Floats, limit: Ladder) -> Bools:
    return (seconds > 0.0) & (seconds >= limit.stop)  # a limit of 0 s is not passed by no time at all


def _tile_time_s(chart: ZoneChart, tile_time_s: Floats | None) -> Floats:
    if tile_time_s is None or not len(tile_time_s):
        return np.zeros(len(chart))
    return np.where(chart.tile >= 0, tile_time_s[np.clip(chart.tile, 0, len(tile_time_s) - 1)], 0.0)
