"""The jet that explains how a plain surface cooled: footprint and film by distance, with their covariance.

The surface is a half space of known effusivity: its temperature falls as heat flows into the gas, and by the
flow of heat within (Carslaw & Jaeger, Conduction of Heat in Solids, 2.4 ff.). What cools it is
``film(d) * weight(r, d) * (T - gas)`` with the profile of `models.jet_profile`. Only ``film / effusivity``
shows, so what is not known of the effusivity goes into the film's bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm
from scipy.optimize import least_squares

from calibration.burst import Burst
from models.geometry import Bools, Floats, unit
from models.jet import LEAST_WEIGHT
from models.jet_profile import PARAMETERS

STEP_S = 0.04
DIFFUSES_MM2_S = 0.14
"""Of water-like matter; the surface's temperature depends on the effusivity alone."""

NODES_MM = np.concatenate([[0.0], 0.03 * np.cumsum(1.45 ** np.arange(13))])
ROOM_FILM_W_M2K = 10.0
"""What a surface loses to still air and to the walls for each degree."""

GAS_DEGC = 4.0
"""1 sigma of the gas temperature by what the model leaves out (a film that does not change with temperature,
a surface that is one half space): film and gas make up for each other, so that the flow of heat is known
better than either. Simulated surfaces of coarser layers come out 4 to 5 degC off."""

SHAPE = 0.02
"""1 sigma of the half radius as a share of it, by what is left out: a footprint that is no bell, what the
camera's halo adds. Bursts of a simulated camera came out 0.5 mm too wide in 19 to 32."""

NOISE_DEGC = 0.3
"""Of a spot in one picture, from camera, sharpening and the surface's own pattern."""

SPOT_MM = 3.0
"""1 sigma of where the jet meets the surface against what the nozzle's pose says, by recording."""

LAG_S = 0.2
"""1 sigma of when the surface is and ceases to be blown on, against when gas is told, by recording: hose,
valve, a hand at a button, clocks known to hundredths. Wide: the onset of cooling in the pictures tells it to
hundredths. Left out, stamps 0.3 s early made the flow of heat 0.6 to 0.7 of the true one, 0.1 s 0.93."""

MOST_LAG_S = 1.0
"""Beyond this it is not looked for."""

_OWN = 4
"""Unknowns that each recording has for itself: where the jet lies beside its pose, and both lags."""

PRIOR = np.array([5.0, 0.1, 2.0, 1.0, 40.0])
"""1 sigma of what is taken for usual before anything was seen, in the order of the profile's parameters: bore
over 2, 0.1, the class' film, its fall, its gas. Wide: the recordings tell each better."""


@dataclass(frozen=True, eq=False)
class JetFit:
    """What was found."""

    values: Floats
    """half_mm, spread, log of the film (W/m2K) at ``distance_mm``, power, gas (degC), shape (5,)."""
    covariance: Floats
    """Shape (5, 5)."""
    distance_mm: float
    spots_mm: Floats
    """By how much each recording's jet lay beside its pose, shape (recordings, 2)."""
    lags_s: Floats
    """How late the surface was and ceased to be blown on, against the gas as told, shape (recordings, 2)."""
    residual_degc: tuple[Floats, ...]
    """Observed less fitted of each recording, NaN where not observed, shape (m, n) each."""
    fitted_degc: tuple[Floats, ...]

    @property
    def rms_degc(self) -> float:
        """Of all residuals."""
        every = np.concatenate([one[np.isfinite(one)] for one in self.residual_degc])
        return float(np.sqrt(np.mean(every**2)))


def cooled(
    burst: Burst, values: Floats, *, distance_mm: float, effusivity: float, own: Floats | None = None
) -> Floats:
    """Temperatures of the spots at the times of a burst's pictures, shape (m, n).

    Args:
        burst: Spots, times, the nozzle's motion, gas; the temperature before.
        values: As in `JetFit`.
        distance_mm: At which the film is stated.
        effusivity: W s^0.5 / (m2 K).
        own: By how much the jet lies beside the pose, on the plane (mm), and how late the surface is and
            ceases to be blown on, against when gas was told (s), shape (4,).
    """
    own = np.zeros(_OWN) if own is None else own
    gas_s = tuple((a + float(own[2]), b + float(own[3])) for a, b in burst.gas_s)
    gas_degc = float(values[4])
    conducts = effusivity * np.sqrt(DIFFUSES_MM2_S * 1e-6)
    holds = effusivity**2 / conducts
    gaps = np.diff(NODES_MM) * 1e-3
    widths = np.append(0.5 * gaps[0], np.append(0.5 * (gaps[1:] + gaps[:-1]), 0.5 * gaps[-1]))
    flow = np.zeros((len(NODES_MM), len(NODES_MM)))
    for k, gap in enumerate(gaps):
        flow[k, k] += conducts / gap
        flow[k + 1, k + 1] += conducts / gap
        flow[k, k + 1] -= conducts / gap
        flow[k + 1, k] -= conducts / gap
    store = holds * widths
    # Exact over a step for a flow of heat that stays the same in it.
    size = len(NODES_MM)
    driven = np.zeros((size + 1, size + 1))
    driven[:size, :size] = -flow / store[:, None]
    driven[0, size] = 1.0 / store[0]
    stepped = np.asarray(expm(STEP_S * driven), float)
    onward, unit_flux = stepped[:size, :size], stepped[:size, size]
    start_s = min(float(burst.t_s[0]), gas_s[0][0])
    steps = int(np.ceil((burst.t_s[-1] - start_s) / STEP_S))
    spots = burst.position_mm - np.append(own[:2], 0.0)
    away = np.zeros((len(spots), len(NODES_MM)))
    surface = np.zeros((steps + 1, len(spots)))
    middle_s = np.asarray(start_s + (np.arange(steps) + 0.5) * STEP_S, float)
    film = _films(burst, values, spots, middle_s, gas_s=gas_s, distance_mm=distance_mm)
    whole = film + ROOM_FILM_W_M2K
    pull = film * (burst.before_degc - gas_degc)
    yields = 1.0 / (1.0 + 0.5 * unit_flux[0] * whole)
    for k in range(steps):
        still = away @ onward.T
        # The flow goes with the mean of the surface's temperature over the step.
        mean = 0.5 * (away[:, 0] + still[:, 0])
        flux = -(pull[k] + whole[k] * mean) * yields[k]
        away = still + flux[:, None] * unit_flux
        surface[k + 1] = away[:, 0]
    at = np.clip((burst.t_s - start_s) / STEP_S, 0.0, steps)
    low = np.minimum(at.astype(int), steps - 1)
    share = (at - low)[:, None]
    return burst.before_degc + (1.0 - share) * surface[low] + share * surface[low + 1]


def _films(
    burst: Burst,
    values: Floats,
    spots: Floats,
    t_s: Floats,
    *,
    gas_s: Sequence[tuple[float, float]],
    distance_mm: float,
) -> Floats:
    """Film of the jet on the spots, averaged over steps about these times, shape (steps, n)."""
    half_mm, spread, log_film, power, _ = values
    on = np.zeros(len(t_s))
    for a, b in gas_s:
        on += (
            np.clip(np.minimum(b, t_s + STEP_S / 2.0) - np.maximum(a, t_s - STEP_S / 2.0), 0.0, None) / STEP_S
        )
    film, blows = np.zeros((len(t_s), len(spots))), on > 0.0
    ways = (burst.tip_mm, burst.axis)
    tip, axis = (
        np.stack([np.interp(t_s[blows], burst.nozzle_s, way[:, i]) for i in range(3)], axis=1) for way in ways
    )
    axis = unit(axis)
    along = np.einsum("nj,kj->kn", spots, axis) - np.sum(tip * axis, axis=1)[:, None]
    far2 = np.sum(spots**2, axis=1) - 2.0 * tip @ spots.T + np.sum(tip**2, axis=1)[:, None]
    across2 = np.maximum(far2 - along**2, 0.0)
    reach = np.maximum(-tip[:, 2] / np.maximum(axis[:, 2], 0.1), 5.0)
    half = np.maximum(half_mm + spread * np.maximum(along, 0.0), 0.5)
    weight = np.exp(-np.log(2.0) * across2 / half**2)
    weight[(weight < LEAST_WEIGHT) | (along <= 0.0)] = 0.0
    strength = on[blows] * np.exp(log_film) * (reach / distance_mm) ** -power * np.abs(axis[:, 2])
    film[blows] = strength[:, None] * weight
    return film


def fit_jet(
    bursts: Sequence[Burst], *, usual: Floats, distance_mm: float, effusivity: float, effusivity_u95: float
) -> JetFit:
    """Find the profile.

    Args:
        bursts: Recordings at several distances.
        usual: What the device's class would have, in the order of the parameters, shape (5,).
        distance_mm: At which the film is to be stated.
        effusivity: Of the surface, W s^0.5 / (m2 K).
        effusivity_u95: 95 % bound of it, as a share.
    """
    count, many_bursts = len(PARAMETERS), len(bursts)
    seen = [np.isfinite(one.degc) for one in bursts]
    own_sigma = np.concatenate([_own_sigma(one) for one in bursts])

    def told_of(number: int, x: Floats) -> Floats:
        own = x[count:].reshape(-1, _OWN)[number]
        return cooled(bursts[number], x[:count], distance_mm=distance_mm, effusivity=effusivity, own=own)

    def residuals(x: Floats) -> Floats:
        told = [told_of(number, x) for number in range(many_bursts)]
        parts = [((m - one.degc) / NOISE_DEGC)[use] for m, one, use in zip(told, bursts, seen, strict=True)]
        return np.concatenate([*parts, (x[:count] - usual) / PRIOR, x[count:] / own_sigma])

    start = np.concatenate([usual, np.zeros(_OWN * many_bursts)])
    most = np.tile([20.0, 20.0, MOST_LAG_S, MOST_LAG_S], many_bursts)
    low = np.concatenate([[0.0, 0.0, 0.0, -2.0, -200.0], -most])
    high = np.concatenate([[60.0, 0.8, 9.0, 4.0, 25.0], most])
    steps = np.concatenate(
        [[0.02, 1e-3, 1e-3, 5e-3, 0.1], np.tile([0.05, 0.05, STEP_S / 2.0, STEP_S / 2.0], many_bursts)]
    )

    def moved(x: Floats, k: int) -> Floats:
        out = x.copy()
        out[k] += steps[k] if x[k] + steps[k] < high[k] else -steps[k]
        return out

    def jacobian_of(x: Floats) -> Floats:
        """What a recording has for itself moves what it shows and nothing else."""
        base = residuals(x)
        whole = np.zeros((len(base), len(x)))
        for k in range(count):
            other = moved(x, k)
            whole[:, k] = (residuals(other) - base) / (other[k] - x[k])
        at = 0
        for number, (one, use) in enumerate(zip(bursts, seen, strict=True)):
            many = int(use.sum())
            for k in range(count + _OWN * number, count + _OWN * (number + 1)):
                other = moved(x, k)
                off = ((told_of(number, other) - one.degc) / NOISE_DEGC)[use]
                whole[at : at + many, k] = (off - base[at : at + many]) / (other[k] - x[k])
                whole[len(base) - len(x) + k, k] = 1.0 / own_sigma[k - count]
            at += many
        return whole

    solved = least_squares(
        residuals,
        np.clip(start, low + 1e-3, high - 1e-3),
        bounds=(low, high),
        x_scale=np.concatenate([[3.0, 0.05, 0.3, 0.5, 20.0], np.tile([2.0, 2.0, 0.1, 0.1], many_bursts)]),
        jac=jacobian_of,
        loss="soft_l1",
        f_scale=3.0,
        xtol=1e-5,
        ftol=1e-5,
        max_nfev=25,
    )
    x = np.asarray(solved.x, float)
    jacobian = jacobian_of(x)
    told = [told_of(number, x) for number in range(many_bursts)]
    covariance = _covariance(jacobian, residuals(x), bursts, seen)
    doubt = (
        np.concatenate([*(one.doubt_degc[use] for one, use in zip(bursts, seen, strict=True))]) / NOISE_DEGC
    )
    by_doubt = np.linalg.solve(jacobian.T @ jacobian, jacobian[: len(doubt)].T @ doubt)[:count]
    # The doubt is a 95 % bound and alike all over the picture.
    covariance = covariance[:count, :count] + np.outer(by_doubt, by_doubt) / 1.96**2
    covariance[0, 0] += (SHAPE * (x[0] + x[1] * distance_mm)) ** 2
    covariance[2, 2] += (effusivity_u95 / 1.96) ** 2
    covariance[4, 4] += (max(one.accuracy_degc for one in bursts) / 1.96) ** 2
    # Gas that is warmer by a degree with a film that is larger by as much leaves the flow of heat as it is.
    traded = np.array([0.0, 0.0, GAS_DEGC / max(10.0 - x[4], 5.0), 0.0, GAS_DEGC])
    covariance += np.outer(traded, traded)
    # A tip that is nearer or farther than it is said to be, in all recordings alike.
    off_mm = max(one.tip_u95_mm for one in bursts) / 1.96
    # A thermal picture that shows all larger or smaller than it is.
    larger = np.array([x[0], x[1], 0.0, 0.0, 0.0]) * max(one.open_.size_u95 for one in bursts) / 1.96
    covariance += np.outer(larger, larger)
    covariance[0, 0] += (x[1] * off_mm) ** 2
    covariance[2, 2] += (x[3] * off_mm / distance_mm) ** 2
    return JetFit(
        values=x[:count],
        covariance=0.5 * (covariance + covariance.T),
        distance_mm=distance_mm,
        spots_mm=x[count:].reshape(-1, _OWN)[:, :2],
        lags_s=x[count:].reshape(-1, _OWN)[:, 2:],
        residual_degc=tuple(one.degc - m for one, m in zip(bursts, told, strict=True)),
        fitted_degc=tuple(told),
    )


def _own_sigma(burst: Burst) -> Floats:
    """1 sigma of what a recording has for itself, before anything was seen, shape (4,)."""
    spot_mm = float(np.hypot(SPOT_MM, burst.open_.aside_u95_mm / 1.96))
    lag_s = float(np.hypot(LAG_S, burst.open_.clock_u95_s / 1.96))
    return np.array([spot_mm, spot_mm, lag_s, lag_s])


def _covariance(jacobian: Floats, residual: Floats, bursts: Sequence[Burst], seen: Sequence[Bools]) -> Floats:
    """Sandwich over blocks of the surface: what is off at a place stays off there all the time."""
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    meat, at = np.zeros_like(inverse), 0
    for one, use in zip(bursts, seen, strict=True):
        many = int(use.sum())
        block = np.floor((one.position_mm[:, :2] + 200.0) / 20.0).astype(int)
        number = np.broadcast_to(block[:, 0] * 100 + block[:, 1], use.shape)[use]
        scores = jacobian[at : at + many] * residual[at : at + many, None]
        for own in np.unique(number):
            total = scores[number == own].sum(axis=0)
            meat += np.outer(total, total)
        at += many
    rest = jacobian[at:]
    return inverse @ (1.5 * meat + rest.T @ rest) @ inverse
