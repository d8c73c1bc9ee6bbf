"""Stage: what the thermal pictures say of every cell, and where it is heading."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from guidance.camera_stage import RAW_U95_DEGC, camera_offset, see_references
from guidance.forecast_stage import jet_film_now, left_by_model, left_by_rate, spot_cells, spot_seen
from guidance.jet_stage import Contact
from guidance.state import Forecast, OnSkin, PixelSkin, Setup, State
from guidance.sweep_stage import sweep_guide
from models.capture import Capture, ThermalPicture
from models.chart import PixelZone, PlacedChart, ZoneChart
from models.deposit import record_temperature
from models.exposure import ExposureMap, SkinTemperature
from models.forecast import update_cooling
from models.geometry import Bools, Floats, Pose, unit
from models.jet_cooling import JetFilm
from models.protocol import Protocol
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from models.skin_estimate import FRESH_S, UNOBSERVED, CellTemperatures, temperatures
from models.skin_track import carried, corrected, settled
from vision.follow import BodyTrack
from vision.thermal import OBSERVED_S, aged, degrees, read_cells, watch

CARRIED_S = 5.0
"""A forecast runs on for at most this long while the spot is not observed; a shutter event takes 1 s."""

CELLS_ACROSS = 60
"""A zone in thermal pixels is cut into at most this many cells across."""

SLOW_CAMERA_S = 1.0 / 15.0
"""Pictures farther apart than this are not waited for: one alone passes a limit (domain section 8)."""

INTERVAL_SHARE = 0.2
"""Weight of the newest interval in the mean time between thermal pictures."""

LATE_INTERVALS = 1.5
"""A picture that comes later after its predecessor than this is missed."""

UNDER_JET_WEIGHT = 0.05
"""Footprint weight from which on a cell counts as lying under the jet."""

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


def read_skin(
    state: State, capture: Capture, setup: Setup, *, contact: Contact, dt_s: float
) -> tuple[State, SkinNow]:
    """Carry the skin model on under the jet, and take in the thermal pictures of this capture."""
    weight = contact.weight
    if state.on_skin is not None:
        film = jet_film_now(contact, capture, setup, dt_s=dt_s)
        blind = capture.gas_s > 0.0 and contact.may_cool_unseen
        model = carried(state.on_skin.model, jet=film, blind=blind, t_s=capture.t_s)
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
        pixel_skin = replace(state.pixel_skin, skin=aged(state.pixel_skin.skin, t_s=capture.t_s))
        zone, last_s = state.pixel_zone, state.thermal.last_t_s
        if zone is not None and zone.stream == "thermal":
            live = last_s is not None and capture.t_s - last_s <= OBSERVED_S
            zone = replace(zone, state="placed" if live else "held")
        state = replace(state, pixel_skin=pixel_skin, pixel_zone=zone)
        return state, _in_pixels(pixel_skin, pictures=_pictures_needed(state, setup))
    if state.on_skin is None:
        return state, SkinNow()
    on_skin = replace(
        state.on_skin, skin=aged(state.on_skin.skin, t_s=capture.t_s), model=settled(state.on_skin.model)
    )
    spot = spot_cells(weight, on_skin)
    blind_spot_s = 0.0
    if capture.gas_now and weight is not None and not (spot is not None and spot_seen(weight, on_skin.skin)):
        blind_spot_s = on_skin.spot_unobserved_s + dt_s
    film = jet_film_now(contact, capture, setup, dt_s=dt_s) if capture.gas_now else None
    known = temperatures(on_skin.model.now, fresh_s=_fresh_s(state, setup))
    now = _now(on_skin, known, spot, film, setup.protocol, pictures=_pictures_needed(state, setup))
    if contact.blind is not None and contact.blind.any():
        # Gas may be cooling cells that nobody sees: how cold the coldest is, nobody knows.
        now = replace(now, min_degc=None, min_u95_degc=None)
    now, forecast = _carried(now, on_skin.forecast, capture, blind=blind_spot_s > 0.0)
    sweep = sweep_guide(on_skin.sweep, on_skin, known, film, contact, setup, t_s=capture.t_s)
    on_skin = replace(on_skin, spot_unobserved_s=blind_spot_s, forecast=forecast, sweep=sweep)
    on_skin = _counted(on_skin, known, weight if capture.gas_now else None, dt_s=dt_s)
    return replace(state, on_skin=on_skin), now


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


def _carried(
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
    pixel_skin = state.pixel_skin or _outlined(
        taps[-1].outline_px, picture, pictures=setup.protocol.confirm_pictures
    )
    offset = camera_offset(state, setup)
    degc = degrees(picture, floor_centikelvin=state.thermal.floor_centikelvin) - offset.off_degc
    read = degc[tuple(np.rint(pixel_skin.pixels[:, ::-1]).astype(int).T)]
    u95 = offset.bound_degc(read)
    seen = np.isfinite(read)
    now = SkinTemperature(read, np.where(seen, u95, np.nan), seen, np.where(seen, picture.t_s, np.nan))
    exposure = record_temperature(pixel_skin.exposure, before=pixel_skin.skin, now=now)
    bound = read if offset.u95_degc >= RAW_U95_DEGC else read - u95
    bounds = _with_newest(pixel_skin.bounds_degc, bound, fresh=seen)
    zone = PixelZone("thermal", taps[-1].outline_px, "tap", "placed")
    pixel_skin = replace(pixel_skin, exposure=exposure, skin=now, bounds_degc=bounds)
    return replace(state, pixel_zone=zone, pixel_skin=pixel_skin, waiting_for="")


def _cells(
    state: State, on_skin: OnSkin, picture: ThermalPicture, capture: Capture, setup: Setup, rig: Rig
) -> OnSkin:
    """Cells of the chart."""
    placed = _placed_at(on_skin.body, on_skin.chart, picture.t_s)
    if placed.state == "lost":
        return on_skin
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
            common_u95_degc=readings.common_u95_degc,
        ),
        skin=now,
        beside=readings.beside,
        between_s=readings.between_s,
        warmer_degc=np.where(np.isfinite(readings.warmer_degc), readings.warmer_degc, on_skin.warmer_degc),
        bounds_degc=_with_newest(on_skin.bounds_degc, now.degc - now.u95_degc, fresh=fresh),
    )


def _with_newest(bounds_degc: Floats, newest_degc: Floats, *, fresh: Bools) -> Floats:
    """Put the newest bounds first and drop the oldest, for the cells that were read."""
    return np.where(fresh, np.vstack([newest_degc[None], bounds_degc[:-1]]), bounds_degc)


def _confirmed_degc(bounds_degc: Floats, seen: Bools, *, pictures: int) -> float | None:
    """Lowest bound that all of a cell's last pictures agree on, over the observed cells."""
    confirmed = bounds_degc[:pictures].max(axis=0)[seen]
    lowest = float(confirmed.min(initial=np.inf))
    return lowest if np.isfinite(lowest) else None


def _placed_at(body: BodyTrack, chart: ZoneChart, t_s: float) -> PlacedChart:
    """Where the chart was at a time of exposure: shifted back along the way that its centre came."""
    placed = body.placed(chart)
    if not body.recent_mm:
        return placed
    times_s = [time_s for time_s, _ in body.recent_mm]
    shift_mm = np.array([shift for _, shift in body.recent_mm])
    then_mm = np.array([np.interp(t_s, times_s, shift_mm[:, axis]) for axis in range(3)])
    pose = placed.rgb_from_chart
    return replace(
        placed, rgb_from_chart=Pose.of(pose.rotation, pose.translation_mm + then_mm - shift_mm[-1])
    )


def nozzle_at(state: State, t_s: float) -> NozzleSighting | Lost:
    """Where the nozzle was at a time of exposure: between the two sightings around it, or the nearest one."""
    seen = state.recent_nozzles
    if not seen or min(abs(s.t_s - t_s) for s in seen) > 0.15:
        return state.nozzle if isinstance(state.nozzle, Lost) else Lost("not seen at that time", t_s)
    after = [s for s in seen if s.t_s >= t_s]
    before = [s for s in seen if s.t_s < t_s]
    if not after or not before or after[0].t_s - before[-1].t_s > 0.2:
        return min(seen, key=lambda s: abs(s.t_s - t_s))
    first, last = before[-1], after[0]
    share = (t_s - first.t_s) / (last.t_s - first.t_s)
    tip = first.tip_rgb_mm + share * (last.tip_rgb_mm - first.tip_rgb_mm)
    axis = unit(first.axis_rgb + share * (last.axis_rgb - first.axis_rgb))
    x = unit(first.rgb_from_nozzle.rotation[:, 0] - (first.rgb_from_nozzle.rotation[:, 0] @ axis) * axis)
    between = Pose.of(np.stack([x, np.cross(axis, x), axis], axis=1), tip)
    return replace(first, t_s=t_s, rgb_from_nozzle=between)


def _now(
    on_skin: OnSkin,
    known: CellTemperatures,
    spot: Bools | None,
    film: JetFilm | None,
    protocol: Protocol,
    *,
    pictures: int,
) -> SkinNow:
    """Figures over all cells of the map."""
    skin, chart = on_skin.skin, on_skin.chart
    seen = skin.observed
    zone = seen & chart.in_zone
    zone_area = chart.zone_area_cm2
    share = float(chart.area_cm2[zone].sum() / zone_area) if zone_area > 0 else None
    mean = float(np.average(skin.degc[zone], weights=chart.area_cm2[zone])) if zone.any() else None
    if not seen.any():
        return SkinNow(zone_mean_degc=mean, zone_observed_share=share)
    lowest, lowest_u95 = lowest_of(known, warmer_degc=on_skin.warmer_degc)
    left, soonest = None, None
    if film is not None:
        left, soonest = left_by_model(film, on_skin, protocol)
    elif spot is not None:
        left, soonest = left_by_rate(spot, on_skin, protocol)
    return SkinNow(
        min_degc=lowest,
        min_u95_degc=lowest_u95,
        bound_degc=_confirmed_degc(on_skin.bounds_degc, seen, pictures=pictures),
        time_to_limit_s=left,
        time_to_limit_lower_s=soonest,
        zone_mean_degc=mean,
        zone_observed_share=share,
    )


def lowest_of(
    known: CellTemperatures, *, warmer_degc: Floats | None = None
) -> tuple[float | None, float | None]:
    """Lowest temperature of the map and its 95 % bound, which takes in what cells known vaguely may be at.

    Args:
        known: Of every cell.
        warmer_degc: So much warmer cells at the rim of the body may be, for their pixels mix with what lies
            behind: one counts as the lowest only if it is colder than that explains. Its own bound stays.
    """
    vague = (known.status != UNOBSERVED) & (known.u95_degc > VAGUE_DEGC)
    told = (known.status != UNOBSERVED) & ~vague
    if not told.any():
        return None, None
    at_most = known.degc if warmer_degc is None else known.degc + warmer_degc
    coldest = int(np.argmin(np.where(told, at_most, np.inf)))
    lowest, u95 = float(known.degc[coldest]), float(known.u95_degc[coldest])
    floor = float(np.where(vague, known.degc - known.u95_degc, np.inf).min())
    return lowest, max(u95, lowest - floor)


def _outlined(outline_px: Floats, picture: ThermalPicture, *, pictures: int) -> PixelSkin:
    """Cells of a zone tapped in the thermal picture: whole pixels, every few where the zone is large."""
    h, w = picture.centikelvin.shape
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline_px).astype(np.int32)], 1)
    rows, cols = np.nonzero(mask)
    step = max(1, int(np.ceil(max(np.ptp(rows), np.ptp(cols), 1) / CELLS_ACROSS)))
    keep = (rows % step == 0) & (cols % step == 0)
    pixels = np.stack([cols[keep], rows[keep]], axis=1).astype(float)
    n = len(pixels)
    unknown = np.full(n, np.nan)
    nothing = SkinTemperature(unknown, unknown, np.zeros(n, bool), unknown)
    bounds = np.full((pictures, n), np.inf)
    return PixelSkin(pixels, np.ones(n), ExposureMap.empty(n), nothing, bounds)


def _in_pixels(pixel_skin: PixelSkin, *, pictures: int) -> SkinNow:
    """Figures of a zone in thermal pixels."""
    skin = pixel_skin.skin
    seen = skin.observed
    if not seen.any():
        return SkinNow(zone_observed_share=0.0)
    coldest = int(np.argmin(np.where(seen, skin.degc, np.inf)))
    return SkinNow(
        min_degc=float(skin.degc[coldest]),
        min_u95_degc=float(skin.u95_degc[coldest]),
        bound_degc=_confirmed_degc(pixel_skin.bounds_degc, seen, pictures=pictures),
        zone_mean_degc=float(skin.degc[seen].mean()),
        zone_observed_share=float(seen.mean()),
    )
