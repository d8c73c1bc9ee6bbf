"""The device's jet from short bursts on a warm surface: whether they will do, what they say, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.burst import Burst
from calibration.burst_pictures import QUIET_S
from calibration.burst_strays import after_gas, passed_by
from calibration.jet_fit import JetFit, fit_jet
from models.geometry import Bools, Floats
from models.jet_cooling import core_of
from models.jet_profile import JetProfile
from models.protocol import Device

SURFACES = {"agar": (1580.0, 0.05), "skin": (1220.0, 0.27)}
"""Effusivity (W s^0.5 / (m2 K)) and its 95 % bound as a share. Agar of 1-2 % is water: 0.60 W/mK, 4180 J/kgK.
Skin: all of it was measured at 1150 to 1600 (domain section 3, PMC5459687); a burst of 3 s reaches 0.6 mm,
where conductivity, density and heat capacity of the same source give 930 (epidermis) to 1100 (dermis). Both
ends lie within: 930 to 1600."""

LEAST_WARM_DEGC, MOST_UNEVEN_DEGC = 26.0, 1.0
"""As cold as a phantom may be at first, and how uneven (standard deviation)."""

SHORTEST_S, LONGEST_S = 1.5, 12.0
"""Of gas in a recording: less cools too little to tell gas from film, more reaches what lies below (the cold
goes 3 mm deep in 12 s)."""

LEAST_COOLED_DEGC, COLDEST_DEGC = 4.0, -20.0
"""How far the middle must cool, and how cold no thermal camera tells and frost forms (own estimate)."""

LEAST_RATIO = 1.4
"""Of the farthest to the nearest distance: spread and core of the footprint, and how the film falls, show
only between distances."""

LEAST_SEEN, MOST_ROUGH_MM = 0.85, 3.0

DRAUGHT_DEGC = 0.8
"""Change of spots beyond the jet's reach during a burst: air moves over the whole surface."""

BEYOND_HALVES = 2.8
"""A footprint has fallen below 0.5 % so many half radii out."""

EARLIEST_S, LATEST_S = -QUIET_S, 0.8
"""How late a surface may begin to cool, against when gas was told: earlier, and pictures that are taken for
those before the gas show some of it; later, and what was told is not the gas that is seen."""

MOST_OFF_DEGC = 0.9
"""Residual, root mean square, beyond which something else than the jet shows: fog before the camera, most
often."""

COLDEST_GAS_DEGC = -196.0
"""Nitrogen boils there."""

MOST_WITHIN, MOST_HALF_U95_MM = 1.8, 3.0
"""Bounds of film and half radius above which a jet is refused; the class' own factor is 2.5 to 3."""

CARRIED_OVER = 1.3
"""95 %: what holds on a flat phantom under a nozzle in a stand holds on skin to this factor. A
simulated jet swept at 35 degrees over skin of another effusivity brought it to 2 degC in 0.72 of the time
foretold with a cosine of the slant, which analysis has no more: a film larger by a factor of 1.18. Own
estimate."""

SKIN_DEGC = 10.0
"""The flow of heat is told into skin of this temperature."""


@dataclass(frozen=True, eq=False)
class JetFound:
    """What bursts say."""

    bursts: tuple[Burst, ...]
    distances_mm: tuple[tuple[float, float], ...]
    """Least and greatest of each recording."""
    fit: JetFit | None
    """None where the recordings would not do."""
    profile: JetProfile | None
    usual: JetProfile
    """What the device's class would have."""
    refusal: str | None


def find_jet(
    bursts: Sequence[Burst], device: Device, *, bore_mm: float, effusivity: float, effusivity_u95: float
) -> JetFound:
    """Judge the recordings, solve, and judge what came out.

    Args:
        bursts: One or more recordings.
        device: Its class.
        bore_mm: Of this nozzle.
        effusivity: Of the surface, W s^0.5 / (m2 K).
        effusivity_u95: 95 % bound, as a share.
    """
    spans = tuple(_span(one) for one in bursts)
    from_mm, to_mm = min(s[0] for s in spans), max(s[1] for s in spans)
    middle_mm = float(np.sqrt(max(from_mm, 1.0) * max(to_mm, 1.0))) if np.isfinite(from_mm * to_mm) else 100.0
    usual = usual_profile(device, bore_mm=bore_mm, distance_mm=middle_mm)
    refusal = _unfit(bursts, from_mm=from_mm, to_mm=to_mm)
    if refusal is not None:
        return JetFound(tuple(bursts), spans, None, None, usual, refusal)
    fit = fit_jet(
        bursts,
        usual=values_of(usual),
        distance_mm=middle_mm,
        effusivity=effusivity,
        effusivity_u95=effusivity_u95,
    )
    half_mm, spread, log_film, power, gas_degc = fit.values.tolist()
    profile = JetProfile(
        device=device.name,
        half_mm=half_mm,
        spread=spread,
        film_w_m2k=float(np.exp(log_film)),
        distance_mm=middle_mm,
        power=power,
        gas_degc=gas_degc,
        from_mm=from_mm,
        to_mm=to_mm,
        within_factor=within_factor(fit, from_mm=from_mm, to_mm=to_mm),
        covariance=fit.covariance,
    )
    return JetFound(tuple(bursts), spans, fit, profile, usual, _poor(bursts, fit, profile))


def usual_profile(device: Device, *, bore_mm: float, distance_mm: float) -> JetProfile:
    """The class' jet near a distance, in the form of a measured one."""
    core = core_of(device, distance_mm=distance_mm, bore_mm=bore_mm)
    near, far = (core_of(device, distance_mm=k * distance_mm, bore_mm=bore_mm) for k in (0.8, 1.25))
    power = float(np.log(near.film_w_m2k / far.film_w_m2k) / np.log(1.25 / 0.8))
    return JetProfile(
        device.name,
        bore_mm / 2.0,
        0.1,
        core.film_w_m2k,
        distance_mm,
        power,
        core.gas_degc,
        distance_mm,
        distance_mm,
        core.within_factor,
    )


def values_of(profile: JetProfile) -> Floats:
    """In the order of `models.jet_profile.PARAMETERS`."""
    film = float(np.log(profile.film_w_m2k))
    return np.array([profile.half_mm, profile.spread, film, profile.power, profile.gas_degc])


def flow_w_m2(profile: JetProfile, distance_mm: float) -> float:
    """Flow of heat into the middle of the jet from skin of `SKIN_DEGC`."""
    return profile.film_at_w_m2k(distance_mm) * (SKIN_DEGC - profile.gas_degc)


def within_factor(fit: JetFit, *, from_mm: float, to_mm: float) -> float:
    """95 %: the flow of heat into skin is at most so many times more or less, at the worst distance."""
    return float(np.exp(np.hypot(flow_u95(fit, from_mm=from_mm, to_mm=to_mm), np.log(CARRIED_OVER))))


def flow_u95(fit: JetFit, *, from_mm: float, to_mm: float) -> float:
    """95 % bound of the logarithm of the flow of heat into the surface itself, at the worst distance."""
    worst = 0.0
    for distance in (from_mm, fit.distance_mm, to_mm):
        lean = -np.log(distance / fit.distance_mm)
        way = np.array([0.0, 0.0, 1.0, lean, -1.0 / max(SKIN_DEGC - fit.values[4], 1.0)])
        worst = max(worst, float(way @ fit.covariance @ way))
    return 1.96 * float(np.sqrt(worst))


def _span(burst: Burst) -> tuple[float, float]:
    distances = burst.distances_mm()
    if not len(distances):
        return float("nan"), float("nan")
    low, high = np.quantile(distances, (0.05, 0.95))
    return float(low), float(high)


def _unfit(bursts: Sequence[Burst], *, from_mm: float, to_mm: float) -> str | None:
    """Why recordings cannot be used, before anything is solved."""
    for one in bursts:
        warm, coldest = float(np.median(one.before_degc)), float(np.nanmin(one.degc))
        if one.seen < LEAST_SEEN:
            return (
                f"{one.name}: the nozzle was seen in {100.0 * one.seen:.0f} % of the gas time only; turn"
                " its tags"
                " towards the camera and hold it in a stand."
            )
        if one.rough_mm > MOST_ROUGH_MM:
            return f"{one.name}: the surface is {one.rough_mm:.1f} mm off a plane; take a flat one."
        if warm < LEAST_WARM_DEGC:
            return (
                f"{one.name}: the surface has {warm:.1f} degC; warm it to 30 to 36 degC (at least"
                f" {LEAST_WARM_DEGC:.0f})."
            )
        if one.before_spread_degc > MOST_UNEVEN_DEGC:
            return (
                f"{one.name}: the surface is uneven by {one.before_spread_degc:.1f} degC before the gas"
                " (at most"
                f" {MOST_UNEVEN_DEGC:g}); let it rest, or take another spot."
            )
        if one.blown_s < SHORTEST_S:
            return f"{one.name}: {one.blown_s:.1f} s of gas are too short; blow for 2 to 5 s."
        if one.blown_s > LONGEST_S:
            return f"{one.name}: {one.blown_s:.1f} s of gas are too long (at most {LONGEST_S:.0f}); blow"
            " for 2 to 5 s."
        if coldest < COLDEST_DEGC:
            when = after_gas(one, float(one.t_s[np.nanargmin(np.nanmin(one.degc, axis=1))]))
            return (
                f"{one.name}: the surface froze ({coldest:.0f} degC, {when}); blow for a shorter time, or"
                " keep the camera's view free where something cold passed before it."
            )
        if warm - coldest < LEAST_COOLED_DEGC:
            return (
                f"{one.name}: the surface cooled by {warm - coldest:.1f} degC only (at least"
                f" {LEAST_COOLED_DEGC:g}); blow longer, or from nearer."
            )
    if not to_mm >= LEAST_RATIO * from_mm:
        return (
            f"All gas came from {from_mm:.0f} to {to_mm:.0f} mm: the farthest distance must be"
            f" {LEAST_RATIO:g} times"
            " the nearest; record bursts at, say, 70, 100 and 150 mm."
        )
    return None


def _poor(bursts: Sequence[Burst], fit: JetFit, profile: JetProfile) -> str | None:
    """Why what was solved is not good enough."""
    for one, residual in zip(bursts, fit.residual_degc, strict=True):
        # First: what passed before the camera can look like late gas or a draught as well.
        passed = passed_by(one, residual, most_off_degc=MOST_OFF_DEGC)
        if passed is not None:
            return passed
    for one, (on_s, _) in zip(bursts, fit.lags_s.tolist(), strict=True):
        if not EARLIEST_S <= on_s <= LATEST_S:
            when = f"{on_s:.1f} s after" if on_s > 0.0 else f"{-on_s:.1f} s before"
            return (
                f"{one.name}: the surface began to cool {when} gas was told; let a switch tell it (--gas),"
                " see that `calibrate time` was done with these cameras, then record again."
            )
    for one, residual in zip(bursts, fit.residual_degc, strict=True):
        far = _far(one, profile)
        during = one.t_s >= one.gas_s[-1][1] - 0.5 * one.blown_s
        change = (one.degc - one.before_degc)[during][:, far]
        if far.sum() >= 10 and np.isfinite(change).any() and abs(float(np.nanmedian(change))) > DRAUGHT_DEGC:
            return (
                f"{one.name}: skin or phantom changed by {float(np.nanmedian(change)):.1f} degC where the"
                " jet does"
                " not reach: there is a draught, or the surface was still warming; shut it out and"
                " record again."
            )
        off = float(np.sqrt(np.nanmean(residual**2)))
        if off > MOST_OFF_DEGC:
            return (
                f"{one.name}: a jet explains the temperatures to {off:.1f} degC only (at most"
                f" {MOST_OFF_DEGC:g}): fog"
                " or the hose stands before the camera, or the gas did not flow evenly; record again."
            )
    if profile.gas_degc <= COLDEST_GAS_DEGC:
        return (
            f"Only gas of {profile.gas_degc:.0f} degC would explain how the surface cooled, which none has:"
            " something else cooled it too, a draught most often; shut it out and record again."
        )
    half_u95 = max(profile.half_u95_mm(profile.from_mm), profile.half_u95_mm(profile.to_mm))
    if half_u95 > MOST_HALF_U95_MM or profile.within_factor > MOST_WITHIN:
        return (
            f"Half radius and film are known to {half_u95:.1f} mm (at most {MOST_HALF_U95_MM:g}) and a"
            " factor of"
            f" {profile.within_factor:.2f} (at most {MOST_WITHIN:g}); add bursts at other distances, on a"
            " surface"
            " of known effusivity."
        )
    return None


def _far(one: Burst, profile: JetProfile) -> Bools:
    """Spots that the jet does not reach, at any time of the burst."""
    tip, axis = one.tip_mm.mean(axis=0), one.axis.mean(axis=0)
    axis = axis / np.linalg.norm(axis)
    off = one.position_mm - tip
    along = off @ axis
    across = np.sqrt(np.maximum(np.sum(off**2, axis=1) - along**2, 0.0))
    return across > BEYOND_HALVES * (profile.half_mm + profile.spread * np.maximum(along, 0.0)) + 5.0
