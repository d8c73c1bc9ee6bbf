"""The skin's temperature by model and pictures together: measured, predicted, or unobserved.

Every cell has the skin model's column of temperatures and what these owe to two factors that no text book
knows for this subject and this jet: of the jet's film and of the blood flow. The sensitivities run through
the same equation as the temperatures (tangent model), so a reading corrects factors and all depths at once:
an extended Kalman filter of low rank (in general form: Pham, Verron, Roubaud 1998, J. Mar. Syst. 16, 323).
Third is an error near the surface, for all that the model leaves out.

Readings carry two bounds: of what differs from picture to picture, which averages out, and of what stays
(the camera's offset), which does not and is added to every bound.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from models.bioheat import LONGEST_S, Boundary, SkinState, column_of, factors_of, room_air
from models.bioheat_steps import march_sensed, narrowed
from models.compiled import still
from models.geometry import Bools, Floats
from models.jet_cooling import JetFilm
from models.skin_estimate import FLUX_WANDERS, SURE, SkinEstimate
from models.skin_filter_steps import BLOOD, FLUX, NEAR, agree, correct, spread_on, surface_variance
from models.tissue import Tissue

SHORTEST_S = 1e-5
"""Shorter steps do nothing: time stamps are rounded."""

BLOOD_SD = 0.5
"""Of the logarithm of the blood flow: the published range is a factor of 2.5, and people differ."""

FLUX_MEMORY_S = 2.0
"""What the film's factor did longer ago is doubted no more."""

BLOOD_WANDERS = 0.01

NEAR_JET_DEGC, NEAR_DEGC = 0.4, 0.08
"""What the model leaves out adds so much to the error near the surface in one second, under the jet and
elsewhere. Own estimate; the bound of a cell that is not seen grows by them."""

NEAR_MM = 0.8
"""Depth of that error: heat's reach in some seconds."""

BLIND_DEGC = 8.0
"""Where gas flows from nobody knows where, the error near the surface grows by this in one second: CO2 takes
skin from 34 to 15 degC in half a second (domain section 3), so predictions end after a quarter of one."""

STRUCK_SD_S = 0.025
"""Nobody knows better than this when a jet struck a cell: clocks, valve, and its way over the skin. At first
that tells more of a reading than the film does. Own estimate, chosen on one simulated strike of CO2."""

DOUBT = 4.0
"""Standard deviations beyond which a reading says that the model is wrong."""

MOST_LOG = math.log(8.0)
"""Factors stay within 1/8 to 8."""

ASK = 1.0
"""A cell under the jet that knows its film less well than by so many times the variance among the other cells
takes over what they say: it may be hidden, or just struck."""

RETOLD = 2.0
"""What the others say is no news the second time: it counts with so many times its variance."""

INFORMED = 0.5
"""A cell tells of the jet once its film's variance is below this share of what it began with."""


def predict(
    estimate: SkinEstimate, *, jet: JetFilm | None, tissue: Tissue, t_s: float, blind: bool = False
) -> SkinEstimate:
    """Carry every cell on to a time by the model; bounds grow.

    Args:
        estimate: What was known.
        jet: What the jet did to the cells meanwhile; None where no gas flowed or nobody knows where.
        tissue: What the skin is made of.
        t_s: The time, not before the estimate's.
        blind: Gas flowed and nobody knows where: no cell is sure of not having been struck.

    Raises:
        ValueError: If time runs backwards or the jet speaks of other cells.
    """
    dt_s = t_s - estimate.t_s
    jet = JetFilm.none(len(estimate)) if jet is None else jet
    if not dt_s >= 0.0 or len(jet) != len(estimate):
        raise ValueError(f"Cannot carry {len(estimate)} cells by {dt_s} s under a jet on {len(jet)}.")
    if dt_s < SHORTEST_S:
        return replace(estimate, t_s=t_s) if dt_s > 0.0 else estimate
    factors, covariance, pool = _begun(estimate, jet)
    skin, by_flux, by_blood = estimate.skin, estimate.by_flux, estimate.by_blood
    degc, share, removed = skin.degc, skin.share, skin.removed_j_cm2
    pieces = max(1, math.ceil(dt_s / LONGEST_S - 1e-9))
    # Whole microseconds: live steps then share their eliminations.
    step_s = max(round(dt_s / pieces, 6), 1e-6)
    film = jet.film_w_m2k * np.exp(factors[0])
    both = film + estimate.air.film_w_m2k
    push = film * jet.gas_degc + estimate.air.film_w_m2k * estimate.air.gas_degc
    added = (
        math.exp(-step_s / FLUX_MEMORY_S),
        FLUX_WANDERS**2 * step_s,
        BLOOD_WANDERS**2 * step_s,
        (NEAR_JET_DEGC**2 + BLIND_DEGC**2 * blind) * step_s,
        (NEAR_DEGC**2 + BLIND_DEGC**2 * blind) * step_s,
    )
    blood, by = np.exp(factors[1]), factors_of(tissue, step_s)
    widest = estimate.widest_degc2
    for _ in range(pieces):
        degc, by_flux, by_blood, heat_j_m2 = march_sensed(
            degc, by_flux, by_blood, share * blood, both, push, film, jet.gas_degc, by
        )
        share = narrowed(share, degc[0], dt_s=step_s)
        removed = removed + heat_j_m2 * 1e-4
        spread_on(by_flux, covariance, film, added)
        widest = np.maximum(widest, surface_variance(by_flux, by_blood, covariance))
    for array in (degc, by_flux, by_blood, covariance):
        array.setflags(write=False)
    return replace(
        estimate,
        t_s=t_s,
        skin=SkinState(degc, share, removed),
        by_flux=by_flux,
        by_blood=by_blood,
        factors=factors,
        covariance=covariance,
        widest_degc2=widest,
        struck_s=estimate.struck_s + np.where(jet.film_w_m2k > 0.0, dt_s, 0.0),
        pool=pool,
    )


def _begun(estimate: SkinEstimate, jet: JetFilm) -> tuple[Floats, Floats, tuple[float, float, float]]:
    """Factors and covariance with those cells begun that the jet strikes for the first time.

    They take over what the other cells say of the jet, or the profile's bound where none has said anything.
    """
    factors, covariance = estimate.factors.copy(), estimate.covariance.copy()
    fresh = (jet.film_w_m2k > 0.0) & (estimate.by_flux[0] == 0.0)
    pool = estimate.pool
    if not fresh.any():
        return factors, covariance, pool
    profile = (math.log(float(jet.within_factor.max())) / SURE) ** 2
    if math.isnan(pool[2]):
        pool = (0.0, profile, profile)
    factors[0, fresh] = pool[0]
    covariance[FLUX, fresh] = np.minimum((np.log(jet.within_factor[fresh]) / SURE) ** 2, pool[1])
    return factors, covariance, pool


def correct_by(
    estimate: SkinEstimate,
    *,
    read_degc: Floats,
    noise_u95_degc: Floats,
    common_u95_degc: Floats,
    jet: JetFilm | None,
    tissue: Tissue,
) -> SkinEstimate:
    """Take in one thermal picture at the estimate's time.

    Args:
        estimate: Carried on to the picture's exposure by `predict`.
        read_degc: Reading of every cell, NaN where it has none, shape (n,).
        noise_u95_degc: Bound of what differs from picture to picture.
        common_u95_degc: Bound of what all readings of a cell have in common.
        jet: As in `predict`: the cells under it tell each other of its film.
        tissue: What the skin is made of.

    Returns:
        The estimate, cells that were read corrected; a cell's first reading starts its column at rest.
    """
    seen = np.isfinite(read_degc)
    if not seen.any():
        return estimate
    degc, by_flux, by_blood = (
        np.array(one) for one in (estimate.skin.degc, estimate.by_flux, estimate.by_blood)
    )
    factors, covariance = estimate.factors.copy(), estimate.covariance.copy()
    jet_film = still(np.zeros(len(estimate)) if jet is None else jet.film_w_m2k)
    # A drop that grows in proportion to the time, as it does at first.
    mistimed = estimate.by_flux[0] * (STRUCK_SD_S / np.maximum(estimate.struck_s, STRUCK_SD_S))
    noise = (noise_u95_degc / SURE) ** 2 + mistimed**2
    first, air = seen & np.isnan(estimate.seen_t_s), estimate.air
    if first.any():
        rest = SkinState.at_rest(read_degc[first], tissue=tissue)
        degc[:, first] = rest.degc
        by_flux[:, first] = 0.0
        by_blood[:, first] = 0.0
        covariance[:, first] = 0.0
        covariance[BLOOD, first], covariance[NEAR, first] = BLOOD_SD**2, noise[first]
        film = air.film_w_m2k.copy()
        film[first] = room_air(rest, tissue=tissue, air_degc=float(air.gas_degc[0])).film_w_m2k
        air = Boundary(film, air.gas_degc)
    again = seen & ~first
    near = _near(tissue)
    read = still(read_degc)
    correct(degc, by_flux, by_blood, factors, covariance, near, read, noise, again, (DOUBT, MOST_LOG))
    pool = _pooled(estimate.pool, factors[0], covariance[FLUX], again & (jet_film > 0.0))
    if not math.isnan(pool[2]):
        told = (pool[0], RETOLD * pool[1])
        agree(degc, by_flux, by_blood, factors, covariance, near, jet_film, told, ASK / RETOLD)
    for array in (degc, by_flux, by_blood, covariance):
        array.setflags(write=False)
    widest = np.where(seen, surface_variance(by_flux, by_blood, covariance), estimate.widest_degc2)
    return replace(
        estimate,
        skin=SkinState(degc, estimate.skin.share, estimate.skin.removed_j_cm2),
        by_flux=by_flux,
        by_blood=by_blood,
        factors=factors,
        covariance=covariance,
        air=air,
        common_u95_degc=np.where(seen, common_u95_degc, estimate.common_u95_degc),
        seen_t_s=np.where(seen, estimate.t_s, estimate.seen_t_s),
        widest_degc2=widest,
        pool=pool,
    )


def _near(tissue: Tissue) -> Floats:
    """Depth profile of an error near the surface."""
    near = np.exp(-column_of(tissue).depth_mm / NEAR_MM)
    near[-1] = 0.0
    return near


def _pooled(
    pool: tuple[float, float, float], flux_log: Floats, variance: Floats, seen: Bools
) -> tuple[float, float, float]:
    """What all cells together say of the jet's film, for cells that it has not struck yet."""
    if math.isnan(pool[2]):
        return pool
    tells = seen & (variance > 0.0) & (variance < INFORMED * pool[2])
    if tells.sum() < 3:
        return pool
    weight = 1.0 / variance[tells]
    mean = float(np.average(flux_log[tells], weights=weight))
    spread = float(np.average((flux_log[tells] - mean) ** 2, weights=weight))
    own = float(1.0 / weight.mean())
    return mean, min(spread + own, pool[2]), pool[2]
