"""Stage: the jet as the skin model wants it, the spot under it, and the time until it is too cold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from guidance.stages.jet import Contact
from guidance.stages.state import OnSkin, Setup
from models.capture import Capture
from models.exposure import SkinTemperature
from models.forecast import seconds_to_limit, soonest_s
from models.geometry import Bools, Floats
from models.jet_cooling import ROOM_DEGC, JetFilm, jet_film
from models.protocol import Protocol
from models.time_to_limit import time_to_limit

CORE = 0.5
"""Weight from which a cell counts as under the jet: inside the half radius."""

UNSEEN_RATE_DEGC_S, UNSEEN_DEGC = -1.0, 15.0
"""Skin that cools this fast and is this cold lies under a jet that was not seen: rewarming skin does not
cool, and noise of the averaged rate is 0.5 degC/s."""

NEAREST_MM = 5.0
"""A jet is taken to come from at least so far: nearer, the film is what it is there."""

PART_S = 0.1
"""A jet is taken to stay where it is for no longer: 7 mm at the fastest usual sweep, half its half radius."""

LEAST_S = 1e-3
"""Shorter parts of an interval are left out."""

SPOT_SEEN = 0.3
"""Share of the cells under the jet that must be observed for the spot to count as observed."""


def jet_film_now(contact: Contact, capture: Capture, setup: Setup, *, dt_s: float) -> JetFilm | None:
    """What the jet does to the cells, averaged over the interval; None without gas or a jet on the map."""
    if contact.weight is None or contact.jet is None or not (capture.gas_s > 0.0 and dt_s > 0.0):
        return None
    room_degc = setup.treatment.room_degc
    film = jet_film(
        setup.device,
        weight=contact.weight,
        distance_mm=max(contact.jet.distance_mm, NEAREST_MM),
        incidence_deg=contact.jet.incidence_deg,
        bore_mm=setup.bore_mm,
        air_degc=ROOM_DEGC if room_degc is None else room_degc,
        profile=setup.profile,
    )
    return replace(film, film_w_m2k=film.film_w_m2k * min(capture.gas_s / dt_s, 1.0))


def told_in_parts(
    contact: Contact, capture: Capture, setup: Setup, *, dt_s: float
) -> tuple[tuple[JetFilm | None, float], ...]:
    """What the jet did in each part of the interval up to a capture, with the part's end.

    A sweep of 7 cm/s moves the jet by most of its half radius between two captures of a 6 Hz camera: skin
    that it left meanwhile was cooled as well. Between two captures the footprint goes over from one to the
    other. Gas that flows now flowed at the interval's end, gas that has stopped at its beginning: a jet that
    strikes for a fifth of an interval cools by more than one of a fifth of the strength (by the root of 5).
    """
    t_s, gas_s = capture.t_s, min(capture.gas_s, dt_s)
    if not (math.isfinite(dt_s) and gas_s > 0.0) or contact.weight is None:
        return ((None, t_s),)
    on_s = (t_s - gas_s, t_s) if capture.gas_now else (t_s - dt_s, t_s - dt_s + gas_s)
    parts = max(math.ceil(gas_s / PART_S - 1e-6), 1)
    before = contact.weight if contact.weight_before is None else contact.weight_before
    told: list[tuple[JetFilm | None, float]] = [(None, on_s[0])] if on_s[0] > t_s - dt_s + LEAST_S else []
    for k in range(parts):
        end_s = on_s[0] + (k + 1) * gas_s / parts
        # At usual rates the footprint at the interval's end is as good, which alarms have been judged by.
        share = 1.0 if dt_s <= PART_S else 1.0 - (t_s - (on_s[0] + (k + 0.5) * gas_s / parts)) / dt_s
        part = replace(contact, weight=before + share * (contact.weight - before))
        told.append((jet_film_now(part, capture, setup, dt_s=gas_s), end_s))
    if on_s[1] < t_s - LEAST_S:
        return (*told, (None, t_s))
    return (*told[:-1], (told[-1][0], t_s))


def left_by_model(film: JetFilm, on_skin: OnSkin, protocol: Protocol) -> tuple[float | None, float | None]:
    """Nominal and earliest seconds to the STOP temperature under the jet, by the skin model."""
    strongest = film.film_w_m2k.max(initial=0.0)
    core = replace(film, film_w_m2k=np.where(film.film_w_m2k >= CORE * strongest, film.film_w_m2k, 0.0))
    model = on_skin.model
    told = time_to_limit(model.now, jet=core, tissue=model.tissue, limit_degc=protocol.skin_degc.stop)
    left, soonest = told.least_s, told.least_soonest_s
    return left if np.isfinite(left) else None, soonest if np.isfinite(soonest) else None


def left_by_rate(spot: Bools, on_skin: OnSkin, protocol: Protocol) -> tuple[float | None, float | None]:
    """Nominal and earliest seconds to the STOP temperature under the jet.

    The coldest tenth of the spot counts, at the spot's middle rate: a single cell's rate is noise.
    """
    skin, cooling = on_skin.skin, on_skin.cooling
    rated = spot & np.isfinite(cooling.rate_degc_s)
    if rated.sum() < 3:
        return None, None
    degc = np.percentile(skin.degc[rated], 10, keepdims=True)
    bound = np.percentile((skin.degc - skin.u95_degc)[rated], 10, keepdims=True)
    rate = np.median(cooling.rate_degc_s[rated], keepdims=True)
    baseline = np.median(cooling.baseline_degc[rated], keepdims=True)
    limit = protocol.skin_degc.stop
    left = float(seconds_to_limit(baseline, degc, rate, limit_degc=limit)[0])
    soonest = float(soonest_s(bound, rate, limit_degc=limit)[0])
    return left if np.isfinite(left) else None, soonest if np.isfinite(soonest) else None


def spot_cells(weight: Floats | None, on_skin: OnSkin) -> Bools | None:
    """Observed cells under the jet; None where the jet is not on the map.

    Where nobody knows the jet's place, the cells that cool fast on cold skin are taken to be under it.
    """
    skin = on_skin.skin
    if weight is None:
        with np.errstate(invalid="ignore"):
            cooling = (on_skin.cooling.rate_degc_s <= UNSEEN_RATE_DEGC_S) & (skin.degc <= UNSEEN_DEGC)
        return skin.observed & cooling
    if weight.max(initial=0.0) < CORE:
        return None
    return (weight >= CORE * weight.max()) & skin.observed


def spot_seen(weight: Floats | None, skin: SkinTemperature) -> bool:
    """Whether enough of the cells under the jet are observed."""
    if weight is None:
        return False
    core = weight >= CORE * weight.max(initial=0.0)
    return bool(skin.observed[core].mean() >= SPOT_SEEN)
