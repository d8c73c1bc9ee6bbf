"""How long the skin under the jet has if the jet stays, and how fast the jet should sweep.

The skin model runs on from what the filter knows of every cell under the jet: its temperatures in depth, its
own factors of film and blood flow. The soonest time takes the 95 % bound of the present temperature and of
the film together.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields

import numpy as np

from models.bioheat import factors_of
from models.bioheat_steps import march
from models.geometry import Floats, Ints, frozen
from models.jet_cooling import JetFilm
from models.skin_estimate import FLUX_WANDERS, SURE, SkinEstimate
from models.skin_filter_steps import FLUX
from models.time_to_limit_steps import fall
from models.tissue import Tissue

HORIZON_S = 30.0
"""Looked ahead so far; warnings come at 5 s (domain section 8)."""

FIRST_STEP_S, STEP_GROWS, LONGEST_STEP_S = 0.1, 1.2, 1.5

LEAST_SHARE = 0.05
"""Cells whose film is below this share of the strongest are not looked at."""

SLOWEST_MM_S, FASTEST_MM_S, SPEEDS = 3.0, 500.0, 14
"""Sweeps that are tried; practice is 30-100 mm/s (domain section 8)."""

REACH, PASS_STEPS = 2.58, 36
"""Half radii at which the footprint ends, and steps from one end to the other."""


@dataclass(frozen=True, eq=False)
class LimitForecast:
    """For the cells under the jet, shape (k,) each."""

    cells: Ints
    """Which cells of the map."""
    left_s: Floats
    """Expected seconds to the limit; inf where it is not reached within `HORIZON_S`."""
    soonest_s: Floats
    """Lower 95 % bound of them."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))

    @property
    def least_s(self) -> float:
        """Expected seconds until the first cell is at the limit."""
        return float(self.left_s.min(initial=math.inf))

    @property
    def least_soonest_s(self) -> float:
        """Lower bound of them over all cells."""
        return float(self.soonest_s.min(initial=math.inf))


@functools.lru_cache(maxsize=16)
def _schedule(tissue: Tissue) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Lengths of the steps ahead, and the elimination for each."""
    steps: list[float] = []
    while sum(steps) < HORIZON_S:
        steps.append(min(FIRST_STEP_S * STEP_GROWS ** len(steps), LONGEST_STEP_S))
    each = [factors_of(tissue, step_s) for step_s in steps]
    return np.array(steps), (
        np.array([one.store for one in each]),
        np.array([one.inverse for one in each]),
        np.array([one.carry for one in each]),
    )


def time_to_limit(
    estimate: SkinEstimate, *, jet: JetFilm, tissue: Tissue, limit_degc: float
) -> LimitForecast:
    """Seconds until the cells under the jet reach a limit if the jet stays where it is.

    Args:
        estimate: Carried on to now under this jet.
        jet: What the jet does to the cells.
        tissue: What the skin is made of.
        limit_degc: The limit.

    Returns:
        One entry a cell under the jet that has ever been read; where nothing is known nothing is forecast.
    """
    known = np.isfinite(estimate.seen_t_s)
    strong = jet.film_w_m2k > LEAST_SHARE * jet.film_w_m2k.max(initial=0.0)
    cells = np.flatnonzero(known & strong)
    film = jet.film_w_m2k[cells] * np.exp(estimate.factors[0, cells])
    air_film, air_degc = estimate.air.film_w_m2k[cells], estimate.air.gas_degc[cells]
    blood = np.exp(estimate.factors[1, cells])
    u95 = np.hypot(SURE * np.sqrt(estimate.widest_degc2[cells]), estimate.common_u95_degc[cells])
    steps_s, per_step = _schedule(tissue)
    by = factors_of(tissue, FIRST_STEP_S)
    left_s, soonest_s = fall(
        estimate.skin.degc[:, cells],
        estimate.skin.share[cells] * blood,
        blood,
        film + air_film,
        film * jet.gas_degc[cells] + air_film * air_degc,
        film,
        jet.gas_degc[cells],
        (u95, estimate.covariance[FLUX, cells], FLUX_WANDERS**2),
        limit_degc,
        steps_s,
        (by.link, by.blood, by.source, by.arterial_degc, by.core_degc),
        per_step,
    )
    return LimitForecast(cells, left_s, soonest_s)


@dataclass(frozen=True)
class SweepBand:
    """Speeds at which one pass of the jet's middle leaves the skin within its band, mm/s."""

    slowest_mm_s: float
    """A slower pass takes the skin below the band; inf where even the fastest one does."""
    fastest_mm_s: float
    """A faster pass does not bring it into the band; 0 where even the slowest one does not."""


def sweep_band(
    estimate: SkinEstimate,
    *,
    cell: int,
    film_w_m2k: float,
    gas_degc: float,
    half_mm: float,
    tissue: Tissue,
    low_degc: float,
    high_degc: float,
) -> SweepBand:
    """How fast the jet may pass over a cell as it is now.

    Args:
        estimate: What is known of the skin.
        cell: The cell that is passed, the coldest one ahead, say; its own factors count, or the jet's where
            it was not struck yet.
        film_w_m2k: Film in the jet's middle after the profile.
        gas_degc: Temperature of its gas at the skin.
        half_mm: Radius at which the footprint's weight is one half.
        tissue: What the skin is made of.
        low_degc: Lower end of the band; the cell's bound is kept clear of it.
        high_degc: Upper end of the band.
    """
    struck = estimate.by_flux[0, cell] != 0.0
    film = film_w_m2k * math.exp(float(estimate.factors[0, cell]) if struck else estimate.pool[0])
    share = estimate.skin.share[cell : cell + 1] * math.exp(float(estimate.factors[1, cell]))
    air_film = float(estimate.air.film_w_m2k[cell])
    air_push = air_film * float(estimate.air.gas_degc[cell])
    place = np.linspace(-REACH, REACH, PASS_STEPS + 1)
    films = film * np.exp(-math.log(2.0) * ((place[1:] + place[:-1]) / 2.0) ** 2)
    speeds = np.geomspace(SLOWEST_MM_S, FASTEST_MM_S, SPEEDS)
    lowest = np.empty(SPEEDS)
    for k, speed_mm_s in enumerate(speeds.tolist()):
        step_s = 2.0 * REACH * half_mm / speed_mm_s / PASS_STEPS
        by = factors_of(tissue, step_s)
        degc, least = estimate.skin.degc[:, cell : cell + 1], math.inf
        for one in films.tolist():
            both = np.array([one + air_film])
            degc, _ = march(degc, share, both, (one * gas_degc + air_push) / both, by)
            least = min(least, float(degc[0, 0]))
        lowest[k] = least
    u95 = float(np.hypot(SURE * np.sqrt(estimate.widest_degc2[cell]), estimate.common_u95_degc[cell]))
    return SweepBand(
        _speed_for(speeds, lowest - u95, low_degc, below=SLOWEST_MM_S, above=math.inf),
        _speed_for(speeds, lowest, high_degc, below=0.0, above=math.inf),
    )


def _speed_for(speeds: Floats, lowest: Floats, degc: float, *, below: float, above: float) -> float:
    """Speed at which a pass takes the skin to a temperature; the slower, the colder."""
    if lowest[0] >= degc:
        return below
    if lowest[-1] <= degc:
        return above
    return float(np.exp(np.interp(degc, lowest, np.log(speeds))))
