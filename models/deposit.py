"""Add what one step brought to the exposure map: jet-seconds, degrees, and what could not be seen.

Every function takes a map and returns a new one. Bounds only grow: what was not seen stays in the map as
``unseen_s`` or ``blind_gas_s`` and is never taken back.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.accrual import deposited
from models.chill import mean_deficit_degc, share_below
from models.exposure import EXPOSURE_THRESHOLD_DEGC, ExposureMap, SkinTemperature
from models.geometry import Bools, Floats
from models.jet import LEAST_WEIGHT
from models.peak import highest_disc_mean

HAND_SPEED_MM_S = 500.0
"""A bound of how fast the spot moves over the skin while nobody sees it. Sweeping is done at 30-100 mm/s
(domain section 8, low confidence; vapocoolant text 100 mm/s, domain section 1); three simulated operators
reached 127 mm/s. Five times the fastest sweep: a hand that changes sides within half a second. Confidence
low."""

WIDEST_HALF_RADIUS_MM = 31.0
"""Half radius at 250 mm, the farthest distance of any device profile, with a bore of 12 mm: an unseen nozzle
may have been drawn back, and its spot is then wider."""

EVERYWHERE = 0.95
"""Share of the cells that stands for all of them: a few at a rim are no other place to treat (own choice)."""

LONGEST_GAP_S = 0.5
"""Between two observations of a cell farther apart than this its temperature counts as not observed: skin
under a CO2 jet falls by 30 degrees in that time (domain: stationary jet). Source of the figure: thermal frame
age, domain section 8."""


def deposit(
    exposure: ExposureMap,
    *,
    weight_before: Floats | None,
    weight_now: Floats | None,
    gas_s: float,
    upper_before: Floats | None = None,
    upper_now: Floats | None = None,
) -> ExposureMap:
    """Add one interval between two captures, by the trapezoid rule.

    Args:
        exposure: Map before the interval.
        weight_before: Footprint weight on each cell at its start, 0..1, shape (n,); None = not known.
        weight_now: The same at its end.
        gas_s: Seconds of the interval in which gas flowed.
        upper_before: Upper 95 % bound of ``weight_before``; None = no bound beyond the weight itself.
        upper_now: The same at the end.

    Returns:
        A map whose dwell has grown by exactly ``gas_s`` times the mean of the two weights, and whose unseen
        part by what the bounds leave open. Where either weight is not known nothing is deposited: that
        interval belongs into `add_unseen`.

    Raises:
        ValueError: If time runs backwards or a weight lies outside 0..1.
    """
    _check_gas(gas_s)
    if weight_before is None or weight_now is None or gas_s == 0.0:
        return exposure
    # Arrays of numpy's own: the map keeps them as they are, where it would copy the kernel's.
    dwell, unseen = np.empty_like(exposure.dwell_s), np.empty_like(exposure.unseen_s)
    fine = deposited(
        dwell,
        unseen,
        exposure.dwell_s,
        exposure.unseen_s,
        _shaped(weight_before, exposure),
        _shaped(weight_now, exposure),
        _shaped(weight_before if upper_before is None else upper_before, exposure),
        _shaped(weight_now if upper_now is None else upper_now, exposure),
        float(gas_s),
    )
    if not fine:
        raise ValueError("A footprint weight lies outside 0..1.")
    dwell.setflags(write=False)
    unseen.setflags(write=False)
    return replace(exposure, dwell_s=dwell, unseen_s=unseen)


def reachable_weight(
    position_mm: Floats,
    *,
    last_spot_mm: Floats | None,
    unseen_for_s: float,
    spot_u95_mm: float = 0.0,
    half_radius_mm: float = WIDEST_HALF_RADIUS_MM,
    speed_mm_s: float = HAND_SPEED_MM_S,
) -> Floats:
    """Upper bound of the weight on each cell while nobody sees the nozzle.

    Within the distance that the spot can have moved every cell may be under the middle of the jet (weight 1);
    beyond it the weight falls off as the footprint of a wide spot does. Straight distances are used: on
    curved skin they are shorter than the way over it, so the bound holds.

    Args:
        position_mm: Cell centres, shape (n, 3).
        last_spot_mm: Where the jet met the skin when it was last seen, same frame; None = not known: all
            cells.
        unseen_for_s: Time since then, to the end of the interval that is accounted for.
        spot_u95_mm: 95 % bound of ``last_spot_mm``.
        half_radius_mm: Half radius of the widest spot.
        speed_mm_s: Fastest motion of the spot.

    Returns:
        Weights 0..1, shape (n,); they never shrink as time goes on.

    Raises:
        ValueError: If time runs backwards.
    """
    if not unseen_for_s >= 0.0:
        raise ValueError(f"The nozzle cannot have been unseen for {unseen_for_s} s.")
    if last_spot_mm is None:
        return np.ones(len(position_mm))
    reach_mm = spot_u95_mm + speed_mm_s * unseen_for_s
    beyond_mm = np.maximum(np.linalg.norm(position_mm - last_spot_mm, axis=1) - reach_mm, 0.0)
    weight = np.exp(-np.log(2.0) * (beyond_mm / half_radius_mm) ** 2)
    return np.where(weight < LEAST_WEIGHT, 0.0, weight)


def add_unseen(exposure: ExposureMap, *, reach: Floats, gas_s: float) -> ExposureMap:
    """Add an interval in which gas may have flowed while nozzle or zone was not seen.

    Args:
        exposure: Map before the interval.
        reach: Upper bound of the weight on each cell, from `reachable_weight`, shape (n,).
        gas_s: Seconds in which gas may have flowed.

    Returns:
        A map whose dwell is unchanged and whose unseen part has grown by ``reach * gas_s``.

    Raises:
        ValueError: If time runs backwards or a weight lies outside 0..1.
    """
    _check_gas(gas_s)
    return replace(exposure, unseen_s=exposure.unseen_s + gas_s * _checked(reach, exposure))


def add_blind(exposure: ExposureMap, *, cells: Bools, gas_s: float) -> ExposureMap:
    """Add an interval in which gas may have reached cells while neither nozzle nor temperature was observed.

    Args:
        exposure: Map before the interval.
        cells: Which cells, shape (n,).
        gas_s: Seconds in which gas may have flowed.

    Raises:
        ValueError: If time runs backwards or the shapes differ.
    """
    _check_gas(gas_s)
    if cells.shape != exposure.dwell_s.shape:
        raise ValueError(f"The map has {len(exposure.dwell_s)} cells, not {cells.shape}.")
    return replace(exposure, blind_gas_s=exposure.blind_gas_s + np.where(cells, gas_s, 0.0))


def record_temperature(
    exposure: ExposureMap,
    *,
    before: SkinTemperature | None,
    now: SkinTemperature,
    longest_gap_s: float = LONGEST_GAP_S,
) -> ExposureMap:
    """Add what was observed up to now.

    Between two observations of the same cell the temperature is taken as a straight line, so times below a
    threshold start and end where the line crosses it. A cell without a new observation since ``before``, or
    with a longer gap than allowed, adds nothing: that time was not observed. Call it once per thermal
    picture; a picture that is handed in twice counts once.

    Args:
        exposure: Map before.
        before: Temperatures at the previous call; None = there was none.
        now: Temperatures now.
        longest_gap_s: Longest interval that counts as observed.

    Returns:
        The new map. ``min_degc`` is the lowest single observation, ``min_u95_degc`` the bound of that
        observation.

    Raises:
        ValueError: If the shapes differ.
    """
    if now.degc.shape != exposure.dwell_s.shape:
        raise ValueError(
            f"The map has {len(exposure.dwell_s)} cells, the temperatures have shape {now.degc.shape}."
        )
    seen = now.observed & np.isfinite(now.degc) & np.isfinite(now.t_s)
    lower = seen & ~(now.degc >= exposure.min_degc)  # NaN: never observed before
    exposure = replace(
        exposure,
        min_degc=np.where(lower, now.degc, exposure.min_degc),
        min_u95_degc=np.where(lower, now.u95_degc, exposure.min_u95_degc),
    )
    if before is None:
        return exposure
    gap_s = now.t_s - before.t_s
    counts = seen & before.observed & np.isfinite(before.degc) & (gap_s > 0.0) & (gap_s <= longest_gap_s)
    if not counts.any():
        return exposure
    dt_s = np.where(counts, gap_s, 0.0)
    start = np.where(counts, before.degc, np.inf)
    end = np.where(counts, now.degc, np.inf)
    return replace(
        exposure,
        cold_exposure_degc_s=exposure.cold_exposure_degc_s
        + dt_s * mean_deficit_degc(start, end, threshold_degc=EXPOSURE_THRESHOLD_DEGC),
        below_10_s=exposure.below_10_s + dt_s * share_below(start, end, threshold_degc=10.0),
        below_4_s=exposure.below_4_s + dt_s * share_below(start, end, threshold_degc=4.0),
        below_2_s=exposure.below_2_s + dt_s * share_below(start, end, threshold_degc=2.0),
        observed_s=exposure.observed_s + dt_s,
    )


def nearly_everywhere(value: Floats, cells: Bools) -> float:
    """What all cells but a few have at least; 0 where there are none.

    Args:
        value: One for each cell, shape (n,).
        cells: Which count, shape (n,).
    """
    return float(np.quantile(value[cells], 1.0 - EVERYWHERE)) if cells.any() else 0.0


def peak_per_cm2(
    values: Floats, position_mm: Floats, area_cm2: Floats, *, subset: Bools | None = None
) -> float:
    """Highest area-weighted mean over a disc of 1 cm2 anywhere on the map.

    Args:
        values: One value a cell, not negative, shape (n,); NaN cells count as not there.
        position_mm: Cell centres, shape (n, 3).
        area_cm2: True area of each cell, shape (n,).
        subset: Cells that count; None = all. The disc's centre lies on or between them.

    Returns:
        The highest mean, in the unit of the values, never more than their maximum; NaN if no cell counts.
    """
    counts = np.isfinite(values) & (area_cm2 > 0.0)
    if subset is not None:
        counts &= subset
    if not counts.any():
        return float("nan")
    return highest_disc_mean(
        np.ascontiguousarray(values[counts], dtype=np.float64),
        np.ascontiguousarray(position_mm[counts], dtype=np.float64),
        np.ascontiguousarray(area_cm2[counts], dtype=np.float64),
    )


def _check_gas(gas_s: float) -> None:
    if not gas_s >= 0.0:
        raise ValueError(f"Gas cannot have flowed for {gas_s} s.")


def _checked(weight: Floats, exposure: ExposureMap) -> Floats:
    if not bool(np.all((_shaped(weight, exposure) >= 0.0) & (weight <= 1.0))):
        raise ValueError("A footprint weight lies outside 0..1.")
    return weight


def _shaped(weight: Floats, exposure: ExposureMap) -> Floats:
    if weight.shape != exposure.dwell_s.shape:
        raise ValueError(f"The map has {len(exposure.dwell_s)} cells, the weight has shape {weight.shape}.")
    return weight
