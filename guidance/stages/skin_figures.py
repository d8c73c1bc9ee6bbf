"""What a step says of the skin in figures: the lowest temperature, its bound, the time that is left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidance.stages.forecast import left_by_model, left_by_rate
from guidance.stages.state import Forecast, OnSkin
from models.capture import Capture
from models.geometry import Bools, Floats
from models.jet_cooling import JetFilm
from models.protocol import Protocol
from models.skin_estimate import MEASURED, UNOBSERVED, CellTemperatures, coldest_degc
from vision.thermal import FEWEST_UNTOUCHED

CARRIED_S = 5.0
"""A forecast runs on for at most this long while the spot is not observed; a shutter event takes 1 s."""

VAGUE_DEGC = 4.5
"""The lowest temperature is looked for among cells known better than this (95 %): what a jet does to skin
that it has just struck is known to a factor of two or three only, until the first picture shows it."""


@dataclass(frozen=True, eq=False)
class SkinNow:
    """Figures of this capture; None = not known."""

    min_degc: float | None = None
    min_u95_degc: float | None = None
    bound_degc: float | None = None
    """Lowest estimate less its bound, confirmed over the protocol's number of pictures."""
    time_to_limit_s: float | None = None
    time_to_limit_lower_s: float | None = None
    zone_mean_degc: float | None = None
    zone_observed_share: float | None = None


def figures_of_cells(
    on_skin: OnSkin,
    known: CellTemperatures,
    spot: Bools | None,
    film: JetFilm | None,
    protocol: Protocol,
    *,
    pictures: int,
    nozzle_unseen: bool = False,
) -> SkinNow:
    """Figures over all cells of the map.

    Args:
        on_skin: What is kept of the skin.
        known: Temperatures now.
        spot: Cells under the jet, where the model does not forecast them.
        film: What the jet does to the cells now.
        protocol: With its limits.
        pictures: In a row that must show a limit passed.
        nozzle_unseen: Nobody knows where the nozzle is: it may be what cells show.
    """
    skin, chart = on_skin.skin, on_skin.chart
    seen = skin.observed
    zone = seen & chart.in_zone
    zone_area = chart.zone_area_cm2
    share = float(chart.area_cm2[zone].sum() / zone_area) if zone_area > 0 else None
    mean = float(np.average(skin.degc[zone], weights=chart.area_cm2[zone])) if zone.any() else None
    if not seen.any():
        return SkinNow(zone_mean_degc=mean, zone_observed_share=share)
    lowest, lowest_u95 = lowest_of(
        known,
        warmer_degc=on_skin.warmer_degc,
        coldest_degc=coldest_degc(on_skin.model.now),
        covered_degc=covered_degc(known, untouched=on_skin.exposure.dwell_upper_s == 0.0)
        if nozzle_unseen
        else None,
    )
    left, soonest = None, None
    if film is not None:
        left, soonest = left_by_model(film, on_skin, protocol)
    elif spot is not None:
        left, soonest = left_by_rate(spot, on_skin, protocol)
    return SkinNow(
        min_degc=lowest,
        min_u95_degc=lowest_u95,
        bound_degc=confirmed_degc(on_skin.bounds_degc, seen, pictures=pictures),
        time_to_limit_s=left,
        time_to_limit_lower_s=soonest,
        zone_mean_degc=mean,
        zone_observed_share=share,
    )


def run_on(
    now: SkinNow, last: Forecast | None, capture: Capture, *, blind: bool
) -> tuple[SkinNow, Forecast | None]:
    """While gas flows on a spot that is not observed, the last forecast runs on and the last bound stands.

    A camera that goes blind is no reason to call off a STOP: skin under a jet does not get warmer.
    """
    if not capture.gas_now:
        return now, None
    if not blind:
        seen = now.time_to_limit_s, now.time_to_limit_lower_s
        return now, Forecast(capture.t_s, *seen, now.bound_degc)
    if last is None or capture.t_s - last.t_s > CARRIED_S:
        return now, last
    gone_s = capture.t_s - last.t_s
    bounds = [bound for bound in (now.bound_degc, last.bound_degc) if bound is not None]
    return replace(
        now,
        time_to_limit_s=max(last.left_s - gone_s, 0.0) if last.left_s is not None else now.time_to_limit_s,
        time_to_limit_lower_s=max(last.soonest_s - gone_s, 0.0)
        if last.soonest_s is not None
        else now.time_to_limit_lower_s,
        bound_degc=min(bounds) if bounds else None,
    ), last


def lowest_of(
    known: CellTemperatures,
    *,
    warmer_degc: Floats | None = None,
    coldest_degc: Floats | None = None,
    covered_degc: Floats | None = None,
) -> tuple[float | None, float | None]:
    """Lowest temperature of the map and its 95 % bound, which takes in what cells known vaguely may be at.

    Args:
        known: Of every cell.
        warmer_degc: So much warmer cells at the rim of the body may be, for their pixels mix with what lies
            behind: one counts as the lowest only if it is colder than that explains. Its own bound stays.
        coldest_degc: How cold each may be for what is not known of the jet (`models.skin_estimate`): the
            bound reaches down to that, whichever cell is told as the lowest.
        covered_degc: So much warmer each may be for something may be before it: into its bound.
    """
    vague = (known.status != UNOBSERVED) & (known.u95_degc > VAGUE_DEGC)
    told = (known.status != UNOBSERVED) & ~vague
    if not told.any():
        # Where gas flows from nobody knows where, even a picture is soon vague; it is still what is seen.
        told = known.status == MEASURED
    if not told.any():
        return None, None
    at_most = known.degc if warmer_degc is None else known.degc + warmer_degc
    coldest = int(np.argmin(np.where(told, at_most, np.inf)))
    lowest, u95 = float(known.degc[coldest]), float(known.u95_degc[coldest])
    if covered_degc is not None:
        u95 = max(u95, float(covered_degc[coldest]))
    floor = float(np.where(vague, known.degc - known.u95_degc, np.inf).min())
    if coldest_degc is not None:
        floor = min(floor, float(coldest_degc.min(initial=np.inf)))
    return lowest, max(u95, lowest - floor)


def covered_degc(known: CellTemperatures, *, untouched: Bools) -> Floats:
    """How much warmer skin may be (95 %) than it shows if an unseen nozzle stands before it, shape (n,).

    Skin that no gas can have reached is as warm as the rest of it, which has its bound; what shows colder may
    be metal or hand. It may also be skin that was cold before, so the estimate stays.
    """
    told = untouched & (known.status != UNOBSERVED)
    if told.sum() < FEWEST_UNTOUCHED:
        return np.zeros(len(known.degc))
    usual_degc, u95 = float(np.median(known.degc[told])), float(np.median(known.u95_degc[told]))
    return np.where(told, np.maximum(usual_degc - known.degc + u95, 0.0), 0.0)


def with_newest(bounds_degc: Floats, newest_degc: Floats, *, fresh: Bools) -> Floats:
    """Put the newest bounds first and drop the oldest, for the cells that were read."""
    return np.where(fresh, np.vstack([newest_degc[None], bounds_degc[:-1]]), bounds_degc)


def confirmed_degc(bounds_degc: Floats, seen: Bools, *, pictures: int) -> float | None:
    """Lowest bound that all of a cell's last pictures agree on, over the observed cells."""
    confirmed = bounds_degc[:pictures].max(axis=0)[seen]
    lowest = float(confirmed.min(initial=np.inf))
    return lowest if np.isfinite(lowest) else None
