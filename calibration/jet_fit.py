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
    residual_degc: tuple[Floats, ...]
    """Observed less fitted of each recording, NaN where not observed, shape (m, n) each."""
    fitted_degc: tuple[Floats, ...]

    @property
    def rms_degc(self) -> float:
        """Of all residuals."""
        every = np.concatenate([one[np.isfinite(one)] for one in self.residual_degc])
        return float(np.sqrt(np.mean(every**2)))


def cooled(
    burst: Burst, values: Floats, *, distance_mm: float, effusivity: float, spot_mm: Floats | None = None
) -> Floats:
    """Temperatures of the spots at the times of a burst's pictures, shape (m, n).

    Args:
        burst: Spots, times, the nozzle's motion, gas; the temperature before.
        values: As in `JetFit`.
        distance_mm: At which the film is stated.
        effusivity: W s^0.5 / (m2 K).
        spot_mm: By how much the jet lies beside the pose, on the plane, shape (2,).
    """
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
    start_s = min(float(burst.t_s[0]), burst.gas_s[0][0])
    steps = int(np.ceil((burst.t_s[-1] - start_s) / STEP_S))
    spots = burst.position_mm - (0.0 if spot_mm is None else np.append(spot_mm, 0.0))
    away = np.zeros((len(spots), len(NODES_MM)))
    surface = np.zeros((steps + 1, len(spots)))
    middle_s = np.asarray(start_s + (np.arange(steps) + 0.5) * STEP_S, float)
    film = _films(burst, values, spots, middle_s, distance_mm=distance_mm)
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


def _films(burst: Burst, values: Floats, spots: Floats, t_s: Floats, *, distance_mm: float) -> Floats:
    """Film of the jet on the spots, averaged over steps about these times, shape (steps, n)."""
    half_mm, spread, log_film, power, _ = values
    on = np.zeros(len(t_s))
    for a, b in burst.gas_s:
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
    count = len(PARAMETERS)
    seen = [np.isfinite(one.degc) for one in bursts]

    def predicted(x: Floats) -> list[Floats]:
        spots = x[count:].reshape(-1, 2)
        return [
            cooled(one, x[:count], distance_mm=distance_mm, effusivity=effusivity, spot_mm=spot)
            for one, spot in zip(bursts, spots, strict=True)
        ]

    def residuals(x: Floats) -> Floats:
        told = predicted(x)
        parts = [((m - one.degc) / NOISE_DEGC)[use] for m, one, use in zip(told, bursts, seen, strict=True)]
        return np.concatenate([*parts, (x[:count] - usual) / PRIOR, x[count:] / SPOT_MM])

    start = np.concatenate([usual, np.zeros(2 * len(bursts))])
    low = np.concatenate([[0.0, 0.0, 0.0, -2.0, -200.0], np.full(2 * len(bursts), -20.0)])
    high = np.concatenate([[60.0, 0.8, 9.0, 4.0, 25.0], np.full(2 * len(bursts), 20.0)])

    def jacobian_of(x: Floats) -> Floats:
        """A spot moves what its own recording shows and nothing else."""
        whole, base = np.zeros((len(residuals(x)), len(x))), residuals(x)
        steps = np.concatenate([[0.02, 1e-3, 1e-3, 5e-3, 0.1], np.full(2 * len(bursts), 0.05)])
        for k in range(count):
            moved = x.copy()
            moved[k] += steps[k] if x[k] + steps[k] < high[k] else -steps[k]
            whole[:, k] = (residuals(moved) - base) / (moved[k] - x[k])
        at = 0
        for number, (one, use) in enumerate(zip(bursts, seen, strict=True)):
            many = int(use.sum())
            for k in (count + 2 * number, count + 2 * number + 1):
                moved = x.copy()
                moved[k] += steps[k] if x[k] + steps[k] < high[k] else -steps[k]
                spot = moved[count:].reshape(-1, 2)[number]
                told = cooled(one, x[:count], distance_mm=distance_mm, effusivity=effusivity, spot_mm=spot)
                off = ((told - one.degc) / NOISE_DEGC)[use]
                whole[at : at + many, k] = (off - base[at : at + many]) / (moved[k] - x[k])
                whole[len(base) - 2 * len(bursts) + k - count, k] = 1.0 / SPOT_MM
            at += many
        return whole

    solved = least_squares(
        residuals,
        np.clip(start, low + 1e-3, high - 1e-3),
        bounds=(low, high),
        x_scale=np.concatenate([[3.0, 0.05, 0.3, 0.5, 20.0], np.full(2 * len(bursts), 2.0)]),
        jac=jacobian_of,
        loss="soft_l1",
        f_scale=3.0,
        xtol=1e-5,
        ftol=1e-5,
        max_nfev=25,
    )
    x = np.asarray(solved.x, float)
    jacobian = jacobian_of(x)
    told = predicted(x)
    covariance = _covariance(jacobian, residuals(x), bursts, seen)
    doubt = (
        np.concatenate([*(one.doubt_degc[use] for one, use in zip(bursts, seen, strict=True))]) / NOISE_DEGC
    )
    moved = np.linalg.solve(jacobian.T @ jacobian, jacobian[: len(doubt)].T @ doubt)[:count]
    # The doubt is a 95 % bound and alike all over the picture.
    covariance = covariance[:count, :count] + np.outer(moved, moved) / 1.96**2
    covariance[0, 0] += (SHAPE * (x[0] + x[1] * distance_mm)) ** 2
    covariance[2, 2] += (effusivity_u95 / 1.96) ** 2
    covariance[4, 4] += (max(one.accuracy_degc for one in bursts) / 1.96) ** 2
    # Gas that is warmer by a degree with a film that is larger by as much leaves the flow of heat as it is.
    traded = np.array([0.0, 0.0, GAS_DEGC / max(10.0 - x[4], 5.0), 0.0, GAS_DEGC])
    covariance += np.outer(traded, traded)
    # A tip that is nearer or farther than it is said to be, in all recordings alike.
    off_mm = max(one.tip_u95_mm for one in bursts) / 1.96
    covariance[0, 0] += (x[1] * off_mm) ** 2
    covariance[2, 2] += (x[3] * off_mm / distance_mm) ** 2
    return JetFit(
        values=x[:count],
        covariance=0.5 * (covariance + covariance.T),
        distance_mm=distance_mm,
        spots_mm=x[count:].reshape(-1, 2),
        residual_degc=tuple(one.degc - m for one, m in zip(bursts, told, strict=True)),
        fitted_degc=tuple(told),
    )


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
