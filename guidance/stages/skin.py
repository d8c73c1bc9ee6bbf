"""Stage: what the thermal pictures say of every cell, and where it is heading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidance.stages.at_exposure import astray_mm, clock_u95_s, nozzle_at, placed_at
from guidance.stages.camera import camera_offset, see_references
from guidance.stages.forecast import jet_film_now, spot_cells, spot_seen, told_in_parts
from guidance.stages.jet import Contact
from guidance.stages.pixel import pixels_now, read_pixels
from guidance.stages.skin_figures import SkinNow, figures_of_cells, run_on, with_newest
from guidance.stages.state import OnSkin, Setup, State
from guidance.stages.sweep import sweep_guide
from models.capture import Capture, ThermalPicture
from models.chart import ZoneChart
from models.deposit import record_temperature
from models.forecast import Cooling, update_cooling
from models.geometry import Floats
from models.jet import UNDER_JET_WEIGHT
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from models.skin_estimate import FRESH_S, CellTemperatures, temperatures
from models.skin_track import carried, corrected, settled
from vision.thermal import OBSERVED_S, aged, read_cells
from vision.thermal_watch import watch

SLOW_CAMERA_S = 1.0 / 15.0
"""Pictures farther apart than this are not waited for: one alone passes a limit (domain section 8)."""

INTERVAL_SHARE = 0.2
"""Weight of the newest interval in the mean time between thermal pictures."""

LATE_INTERVALS = 1.5
"""A picture that comes later after its predecessor than this is missed."""


HIDDEN_SHARE = 0.1
"""Share of the zone that gas may reach and nobody sees, from which on the lowest temperature is not known. A
limb's rim takes 5 % of a zone in sight, a nozzle before the skin 10 to 20 % (our simulation)."""


def read_skin(
    state: State, capture: Capture, setup: Setup, *, contact: Contact, dt_s: float
) -> tuple[State, SkinNow]:
    """Carry the skin model on under the jet, and take in the thermal pictures of this capture."""
    weight = contact.weight
    if state.on_skin is not None:
        blind = capture.gas_s > 0.0 and contact.may_cool_unseen
        model = state.on_skin.model
        for film, to_s in told_in_parts(contact, capture, setup, dt_s=dt_s):
            model = carried(model, jet=film, blind=blind, t_s=to_s)
        state = replace(state, on_skin=replace(state.on_skin, model=model))
    stated = setup.rig.thermal.spread if setup.rig and setup.rig.thermal else None
    for picture in capture.thermal:
        interval_s = _interval_s(state, picture)
        watched = watch(state.thermal, picture, t_s=capture.t_s, stated=stated)
        state = replace(state, thermal=watched, thermal_interval_s=interval_s)
        if picture.shutter or not state.thermal.stuck:
            state = see_references(state, picture, setup, nozzle=nozzle_at(state, picture.t_s))
        if not picture.shutter and not state.thermal.stuck:
            state = _take_in(state, picture, capture, setup)
    if state.pixel_skin is not None:
        return pixels_now(state, state.pixel_skin, t_s=capture.t_s, pictures=_pictures_needed(state, setup))
    if state.on_skin is None:
        return state, SkinNow()
    on_skin = replace(
        state.on_skin, skin=aged(state.on_skin.skin, t_s=capture.t_s), model=settled(state.on_skin.model)
    )
    spot = spot_cells(weight, on_skin)
    blind_spot_s = 0.0
    # A nozzle that is not seen itself may hide its own spot: then any hidden skin will do.
    allowed = HIDDEN_SHARE if isinstance(state.nozzle, NozzleSighting) else 0.0
    zone_hidden = _hidden_share(on_skin.chart, contact) > allowed
    if capture.gas_now and weight is not None and not (spot is not None and spot_seen(weight, on_skin.skin)):
        blind_spot_s = on_skin.spot_unobserved_s + dt_s
    elif capture.gas_now and zone_hidden and isinstance(state.nozzle, NozzleSighting):
        # The nozzle is in sight, and yet nobody knows where its jet meets the skin.
        blind_spot_s = on_skin.spot_unobserved_s + dt_s
    film = jet_film_now(contact, capture, setup, dt_s=dt_s) if capture.gas_now else None
    known = temperatures(on_skin.model.now, fresh_s=_fresh_s(state, setup))
    now = figures_of_cells(
        on_skin,
        known,
        spot,
        film,
        setup.protocol,
        pictures=_pictures_needed(state, setup),
        nozzle_unseen=isinstance(state.nozzle, Lost),
    )
    if zone_hidden:
        # Gas may be cooling skin that nobody sees: how cold the coldest is, nobody knows.
        now = replace(now, min_degc=None, min_u95_degc=None)
    now, forecast = run_on(now, on_skin.forecast, capture, blind=blind_spot_s > 0.0)
    sweep = sweep_guide(on_skin.sweep, on_skin, known, film, contact, setup, t_s=capture.t_s)
    on_skin = replace(on_skin, spot_unobserved_s=blind_spot_s, forecast=forecast, sweep=sweep)
    on_skin = _counted(on_skin, known, weight if capture.gas_now else None, dt_s=dt_s)
    return replace(state, on_skin=on_skin), now


def _hidden_share(chart: ZoneChart, contact: Contact) -> float:
    """Share of the zone that gas may reach now while neither nozzle nor temperature is observed."""
    if contact.blind is None or not contact.blind.any():
        return 0.0
    return float(chart.area_cm2[contact.blind & chart.in_zone].sum()) / max(chart.zone_area_cm2, 1e-9)


def _fresh_s(state: State, setup: Setup) -> float:
    """How old the newest reading of a camera that delivers may be: one interval after it arrived."""
    latency_s = setup.rig.thermal.latency_s if setup.rig and setup.rig.thermal else 0.0
    return max(FRESH_S, latency_s + min(LATE_INTERVALS * (state.thermal_interval_s or 0.0), OBSERVED_S))


def _counted(on_skin: OnSkin, known: CellTemperatures, weight: Floats | None, *, dt_s: float) -> OnSkin:
    """Take down for how long each cell was known in which way, and the same under the jet."""
    known_s, known_jet_s = on_skin.known_s.copy(), on_skin.known_jet_s.copy()
    cells = np.arange(len(known.status))
    known_s[known.status, cells] += dt_s
    if weight is not None:
        known_jet_s[known.status, cells] += dt_s * (weight > UNDER_JET_WEIGHT)
    return replace(on_skin, known=known, known_s=known_s, known_jet_s=known_jet_s)


def _interval_s(state: State, picture: ThermalPicture) -> float | None:
    """Mean time between pictures with this one taken in; gaps are no intervals."""
    last_s, mean_s = state.thermal.last_t_s, state.thermal_interval_s
    if last_s is None or picture.t_s - last_s > OBSERVED_S:
        return mean_s
    newest_s = picture.t_s - last_s
    return newest_s if mean_s is None else mean_s + INTERVAL_SHARE * (newest_s - mean_s)


def _pictures_needed(state: State, setup: Setup) -> int:
    """Pictures in a row that must show a limit passed."""
    slow = state.thermal_interval_s is not None and state.thermal_interval_s > SLOW_CAMERA_S
    return 1 if slow else setup.protocol.confirm_pictures


def _take_in(state: State, picture: ThermalPicture, capture: Capture, setup: Setup) -> State:
    """One picture of the scene."""
    if state.on_skin is not None and setup.rig is not None and setup.rig.thermal is not None:
        return replace(state, on_skin=_cells(state, state.on_skin, picture, capture, setup, setup.rig))
    taps = [tap for tap in setup.treatment.taps if tap.stream == "thermal" and tap.t_s <= capture.t_s]
    if not taps:
        return state
    return read_pixels(state, picture, taps[-1], setup)


def _cells(
    state: State, on_skin: OnSkin, picture: ThermalPicture, capture: Capture, setup: Setup, rig: Rig
) -> OnSkin:
    """Cells of the chart."""
    placed = placed_at(on_skin.body, on_skin.chart, picture.t_s)
    if placed.state == "lost":
        return on_skin
    u95_s = clock_u95_s(rig, picture.t_s)
    readings = read_cells(
        on_skin.skin,
        picture,
        placed,
        rig=rig,
        nozzle=nozzle_at(state, picture.t_s),
        floor_centikelvin=state.thermal.floor_centikelvin,
        spread=state.thermal.spread,
        t_s=capture.t_s,
        beside=on_skin.beside,
        between_s=on_skin.between_s,
        untouched=on_skin.exposure.dwell_upper_s == 0.0,
        camera_offset=camera_offset(state, setup),
        astray_mm=astray_mm(state, picture.t_s, u95_s=u95_s),
    )
    now = readings.skin
    fresh = now.t_s > np.where(np.isfinite(on_skin.skin.t_s), on_skin.skin.t_s, -np.inf)
    return replace(
        on_skin,
        exposure=record_temperature(on_skin.exposure, before=on_skin.skin, now=now),
        cooling=update_cooling(on_skin.cooling, before=on_skin.skin, now=now),
        model=corrected(
            on_skin.model,
            exposed_s=picture.t_s,
            read_degc=readings.read_degc,
            noise_u95_degc=readings.noise_u95_degc,
            # All pictures are off by the same time, so skin that cools reads wrong by as much of its fall.
            common_u95_degc=np.hypot(readings.common_u95_degc, u95_s * _fall_degc_s(on_skin.cooling)),
        ),
        skin=now,
        beside=readings.beside,
        between_s=readings.between_s,
        warmer_degc=np.where(np.isfinite(readings.warmer_degc), readings.warmer_degc, on_skin.warmer_degc),
        bounds_degc=with_newest(on_skin.bounds_degc, now.degc - now.u95_degc, fresh=fresh),
    )


def _fall_degc_s(cooling: Cooling) -> Floats:
    """How fast each cell cools; as fast as the fastest where that is not known yet."""
    rate = np.abs(cooling.rate_degc_s)
    return np.where(np.isfinite(rate), rate, rate[np.isfinite(rate)].max(initial=0.0))
