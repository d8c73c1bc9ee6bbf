"""Compiled correction of the skin estimate by one picture, cell by cell."""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled, still
from models.geometry import Bools, Floats

FLUX, BLOOD, FLUX_BLOOD, NEAR, FLUX_NEAR, BLOOD_NEAR = range(6)
"""Rows of a covariance: of the logarithms of jet film and blood flow, and of the error near the surface."""


@compiled
def correct(
    degc: Floats,
    by_flux: Floats,
    by_blood: Floats,
    factors: Floats,
    covariance: Floats,
    near: Floats,
    read_degc: Floats,
    noise_degc2: Floats,
    seen: Bools,
    settings: tuple[float, float],
) -> None:
    """One Kalman update of every cell that was read, in place.

    Args:
        degc: Temperatures, shape (m, n).
        by_flux: Their change a unit of the logarithm of the jet's film.
        by_blood: The same for the blood flow.
        factors: Both logarithms, shape (2, n).
        covariance: Shape (6, n), rows as named above.
        near: Depth profile of an error near the surface, shape (m,), 1 at the surface.
        read_degc: Readings, shape (n,).
        noise_degc2: Their variance.
        seen: Which cells have a reading.
        settings: Standard deviations beyond which a reading says that the model is wrong, and the largest
            logarithm of a factor.
    """
    m, n = degc.shape
    doubt, most = settings
    for i in range(n):
        if not seen[i]:
            continue
        p = covariance[:, i]
        a, b = by_flux[0, i], by_blood[0, i]
        with_flux = a * p[FLUX] + b * p[FLUX_BLOOD] + p[FLUX_NEAR]
        with_blood = a * p[FLUX_BLOOD] + b * p[BLOOD] + p[BLOOD_NEAR]
        with_near = a * p[FLUX_NEAR] + b * p[BLOOD_NEAR] + p[NEAR]
        off = read_degc[i] - degc[0, i]
        variance = a * with_flux + b * with_blood + with_near + noise_degc2[i]
        if off * off > doubt * doubt * variance:
            # Something happened that the model does not know of: the reading counts, and the bound widens.
            extra = off * off
            p[NEAR] += extra
            with_near += extra
            variance += extra
        gain_flux, gain_blood, gain_near = with_flux / variance, with_blood / variance, with_near / variance
        flux = min(max(factors[0, i] + gain_flux * off, -most), most) - factors[0, i]
        blood = min(max(factors[1, i] + gain_blood * off, -most), most) - factors[1, i]
        rest = gain_near * off + a * (gain_flux * off - flux) + b * (gain_blood * off - blood)
        factors[0, i] += flux
        factors[1, i] += blood
        for j in range(m):
            degc[j, i] += by_flux[j, i] * flux + by_blood[j, i] * blood + near[j] * rest
        p[FLUX] = max(p[FLUX] - gain_flux * with_flux, 1e-8)
        p[BLOOD] = max(p[BLOOD] - gain_blood * with_blood, 1e-8)
        p[NEAR] = max(p[NEAR] - gain_near * with_near, 1e-8)
        p[FLUX_BLOOD] -= gain_flux * with_blood
        p[FLUX_NEAR] -= gain_flux * with_near
        p[BLOOD_NEAR] -= gain_blood * with_near


@compiled
def agree(
    degc: Floats,
    by_flux: Floats,
    by_blood: Floats,
    factors: Floats,
    covariance: Floats,
    near: Floats,
    jet: Floats,
    pool: tuple[float, float],
    ask: float,
) -> None:
    """Let cells that know little of the jet's film take over what the others say of it, in place.

    Args:
        degc: See `correct`.
        by_flux: See `correct`.
        by_blood: See `correct`.
        factors: See `correct`.
        covariance: See `correct`.
        near: See `correct`.
        jet: Film of the jet, shape (n,); cells where it does not blow are not asked.
        pool: What the others say of the logarithm, and its variance for a single cell.
        ask: A cell knows little where its variance is more than so many times the pool's.
    """
    m, n = degc.shape
    told, doubt = pool
    for i in range(n):
        p = covariance[:, i]
        if not (jet[i] > 0.0 and p[FLUX] > ask * doubt):
            continue
        variance = p[FLUX] + doubt
        off = told - factors[0, i]
        flux, blood, rest = (
            p[FLUX] * off / variance,
            p[FLUX_BLOOD] * off / variance,
            p[FLUX_NEAR] * off / variance,
        )
        factors[0, i] += flux
        factors[1, i] += blood
        for j in range(m):
            degc[j, i] += by_flux[j, i] * flux + by_blood[j, i] * blood + near[j] * rest
        p[BLOOD] = max(p[BLOOD] - p[FLUX_BLOOD] * p[FLUX_BLOOD] / variance, 1e-8)
        p[NEAR] = max(p[NEAR] - p[FLUX_NEAR] * p[FLUX_NEAR] / variance, 1e-8)
        p[BLOOD_NEAR] -= p[FLUX_BLOOD] * p[FLUX_NEAR] / variance
        keep = doubt / variance
        p[FLUX] *= keep
        p[FLUX_BLOOD] *= keep
        p[FLUX_NEAR] *= keep


@compiled
def spread_on(
    by_flux: Floats, covariance: Floats, jet: Floats, settings: tuple[float, float, float, float, float]
) -> None:
    """Let what is known of each cell grow old by one step, in place.

    What the film's factor did long ago becomes an error near the surface (a change of names, nothing is
    lost), so that the factor itself may wander without the past being doubted again.

    Args:
        by_flux: Shape (m, n); fades.
        covariance: Shape (6, n).
        jet: Film of the jet, shape (n,); 0 where it does not blow.
        settings: Share of ``by_flux`` that stays, and variances that are added: to the film's and the
            blood flow's logarithm, and to the error near the surface under the jet and elsewhere.
    """
    m, n = by_flux.shape
    stays, flux, blood, near_jet, near = settings
    for i in range(n):
        p = covariance[:, i]
        a = (1.0 - stays) * by_flux[0, i]
        p[NEAR] += 2.0 * a * p[FLUX_NEAR] + a * a * p[FLUX]
        p[FLUX_NEAR] += a * p[FLUX]
        p[BLOOD_NEAR] += a * p[FLUX_BLOOD]
        p[BLOOD] += blood
        if jet[i] > 0.0:
            p[FLUX] += flux
            p[NEAR] += near_jet
        else:
            p[NEAR] += near
    for j in range(m):
        for i in range(n):
            by_flux[j, i] *= stays


def surface_variance(by_flux: Floats, by_blood: Floats, covariance: Floats) -> Floats:
    """Variance of the surface temperature from all that is not known, shape (n,)."""
    return _surface_variance(still(by_flux), still(by_blood), still(covariance))


@compiled
def _surface_variance(by_flux: Floats, by_blood: Floats, covariance: Floats) -> Floats:
    n = by_flux.shape[1]
    out = np.empty(n)
    for i in range(n):
        p, a, b = covariance[:, i], by_flux[0, i], by_blood[0, i]
        both = a * a * p[FLUX] + b * b * p[BLOOD] + p[NEAR]
        both += 2.0 * (a * b * p[FLUX_BLOOD] + a * p[FLUX_NEAR] + b * p[BLOOD_NEAR])
        out[i] = both if both > 0.0 or math.isnan(both) else 0.0
    return out
