"""One function is the product: `step` advances a session by one capture, live and in replay alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from guidance.alarms.annunciator import advance
from guidance.alarms.episodes import update
from guidance.alarms.facts import Facts
from guidance.alarms.hysteresis import lingering
from guidance.alarms.judge import conditions
from guidance.session import Guidance, LeftOutArea, OperatorAction, ZoneEdited
from guidance.stages.at_exposure import clock_u95_s
from guidance.stages.camera import reference_remark
from guidance.stages.edit import edit_zone
from guidance.stages.jet import Contact, meet_skin, room_for
from guidance.stages.rig import check_rig
from guidance.stages.skin import SkinNow, read_skin
from guidance.stages.state import Setup, State
from guidance.stages.zone import place_or_follow, see_body
from models.capture import Capture
from models.chart import PixelZone, PlacedChart
from models.deposit import nearly_everywhere, peak_per_cm2
from models.jet import half_radius_mm
from models.sightings import Lost, NozzleSighting
from vision.nozzle import track_nozzle
from vision.skin_tags import see_skin_tags


def step(
    state: State, capture: Capture, setup: Setup, actions: Sequence[OperatorAction] = ()
) -> tuple[State, Guidance]:
    """Advance the session by one capture.

    Sources to sightings, to the zone's place, to exposure and temperature, to alarms.

    Args:
        state: What the previous step returned, or `guidance.stages.state.begin()`.
        capture: Later than the previous one. Where it says what was seen, its picture is not looked at.
        setup: Fixed for the session.
        actions: What the operator has done since the previous capture, in order of time.

    Raises:
        ValueError: If time does not advance, or an action lies outside this step.
    """
    first = not np.isfinite(state.t_s)
    dt_s = 0.0 if first else capture.t_s - state.t_s
    if not first and dt_s <= 0.0:
        raise ValueError(f"A capture at {capture.t_s:.3f} s came after one at {state.t_s:.3f} s.")
    state = replace(state, t_s=capture.t_s, colour_s=capture.t_s if capture.in_colour else state.colour_s)
    state = see_nozzle(state, capture, setup)
    state, found = see_body(state, capture, setup)
    then = state.on_skin
    state = place_or_follow(state, capture, setup, found)
    state = edit_zone(state, capture, setup, actions, then=then)
    state, contact = meet_skin(state, capture, setup, dt_s=dt_s)
    state, skin = read_skin(state, capture, setup, contact=contact, dt_s=dt_s)
    state = check_rig(state, capture, setup, contact)
    facts = gather(state, capture, setup, contact, skin)
    board, active, ended = update(
        state.board,
        conditions(facts, protocol=setup.protocol, device=setup.device),
        t_s=capture.t_s,
        lingering=lingering(facts, protocol=setup.protocol, device=setup.device),
    )
    annunciator = advance(state.annunciator, active, actions, t_s=capture.t_s)
    state = replace(state, board=board, annunciator=annunciator)
    on_skin = state.on_skin
    return state, Guidance(
        t_s=capture.t_s,
        dt_s=dt_s,
        index=capture.index,
        gas_now=capture.gas_now,
        nozzle=state.nozzle,
        zone=_zone(state),
        jet=contact.jet,
        jet_reason=contact.reason,
        weight=contact.weight,
        exposure=on_skin.exposure if on_skin else state.pixel_skin.exposure if state.pixel_skin else None,
        skin=on_skin.skin if on_skin else state.pixel_skin.skin if state.pixel_skin else None,
        blind=contact.blind,
        skin_min_degc=skin.min_degc,
        skin_min_u95_degc=skin.min_u95_degc,
        time_to_limit_s=skin.time_to_limit_s,
        tile_time_s=on_skin.tile_time_s if on_skin else None,
        gas_total_s=state.gas_total_s,
        unassigned_s=state.unassigned_s,
        landmarks=found,
        tag_patches=state.patches,
        active=active,
        ended=ended,
        status=_status(state, setup),
        zone_mean_degc=skin.zone_mean_degc,
        zone_observed_share=skin.zone_observed_share,
        sweep=on_skin.sweep if on_skin else None,
        known=on_skin.known if on_skin else None,
        announcement=annunciator.announcement,
        now=board.now,
        edited=_zone_edited(state),
    )


def edited_since(
    state: State, guidance: Guidance, capture: Capture, setup: Setup, actions: Sequence[OperatorAction]
) -> Guidance:
    """What a step told, as the operator's edits since then will make the zone: shown until the next step.

    Nothing is kept of it: the next step is told of the actions.
    """
    after = edit_zone(state, capture, setup, actions)
    if after is state:
        return guidance
    on_skin = after.on_skin
    guidance = replace(guidance, zone=_zone(after), edited=_zone_edited(after))
    if on_skin is state.on_skin or on_skin is None:
        return guidance
    return replace(
        guidance,
        exposure=on_skin.exposure,
        skin=on_skin.skin,
        tile_time_s=on_skin.tile_time_s,
        weight=None,
        blind=None,
        known=None,
        sweep=None,
        jet=None,
        jet_reason="the zone has just been changed",
    )


def see_nozzle(state: State, capture: Capture, setup: Setup) -> State:
    """Nozzle and skin tags in this capture."""
    if setup.rig is None:
        return replace(state, nozzle=Lost("there is no rig calibration", 0.0))
    nozzle: NozzleSighting | Lost = Lost("the rig describes no nozzle", 0.0)
    track, patches, tag_track = state.nozzle_track, state.patches, state.tag_track
    if capture.seen is not None:
        nozzle, patches = capture.seen.nozzle, capture.seen.patches
    else:
        if setup.rig.nozzle is not None:
            nozzle, track = track_nozzle(
                track, capture.bgr, t_s=capture.t_s, rig=setup.rig, possible=room_for(state)
            )
        if setup.rig.skin is not None:
            patches, tag_track = see_skin_tags(tag_track, capture.bgr, t_s=capture.t_s, rig=setup.rig)
    recent, seen_s = state.recent_nozzles, state.nozzle_seen_s
    if isinstance(nozzle, NozzleSighting):
        recent, seen_s = (*recent, nozzle), capture.t_s
    recent = tuple(s for s in recent if capture.t_s - s.t_s <= 1.0)
    return replace(
        state,
        nozzle=nozzle,
        nozzle_track=track,
        tag_track=tag_track,
        patches=patches,
        recent_nozzles=recent,
        nozzle_seen_s=seen_s,
    )


def gather(state: State, capture: Capture, setup: Setup, contact: Contact, skin: SkinNow) -> Facts:
    """All that is judged in one capture."""
    on_skin, jet, t_s = state.on_skin, contact.jet, capture.t_s
    peaks = {"dwell": 0.0, "upper": 0.0, "b10": 0.0, "b4": 0.0, "b2": 0.0}
    lowest, zone_upper_s = None, 0.0
    if on_skin is not None:
        e, chart = on_skin.exposure, on_skin.chart
        values = {
            "dwell": e.dwell_s,
            "upper": e.dwell_upper_s,
            "b10": e.below_10_s,
            "b4": e.below_4_s,
            "b2": e.below_2_s,
        }
        for name, value in values.items():
            if value.max(initial=0.0) > 0.0:
                peaks[name] = peak_per_cm2(value, chart.position_mm, chart.area_cm2)
        zone_upper_s = nearly_everywhere(e.dwell_upper_s, chart.in_zone)
    elif state.pixel_skin is not None:
        # Cells of a picture have no area: the worst one stands for the worst cm2.
        e = state.pixel_skin.exposure
        for name, value in {"b10": e.below_10_s, "b4": e.below_4_s, "b2": e.below_2_s}.items():
            peaks[name] = float(value.max(initial=0.0))
    exposure = on_skin.exposure if on_skin else state.pixel_skin.exposure if state.pixel_skin else None
    if exposure is not None and np.isfinite(exposure.min_degc).any():
        lowest = float(np.nanmin(exposure.min_degc))
    watch = state.thermal
    offset = state.rig_watch.offset if state.rig_watch is not None else None
    nozzle_lost_s = 0.0
    if isinstance(state.nozzle, Lost):
        nozzle_lost_s = t_s - (state.nozzle_seen_s if state.nozzle_seen_s is not None else 0.0)
    return Facts(
        t_s=t_s,
        gas_now=capture.gas_now,
        gas_s=capture.gas_s,
        nozzle_seen=isinstance(state.nozzle, NozzleSighting),
        nozzle_lost_s=nozzle_lost_s,
        zone_state=_zone_state(state, setup),
        patient_jump_mm=on_skin.body.jump_mm if on_skin else None,
        distance_mm=jet.distance_mm if jet else None,
        distance_u95_mm=jet.distance_u95_mm if jet else None,
        incidence_deg=jet.incidence_deg if jet else None,
        jet_in_zone=jet.in_zone if jet else None,
        jet_on_map=(jet is not None) if contact.weight is not None else None,
        jet_reason=contact.reason,
        jet_speed_cm_s=jet.speed_cm_s if jet else None,
        jet_half_mm=half_radius_mm(jet.distance_mm, bore_mm=setup.bore_mm, profile=setup.profile)
        if jet
        else None,
        static_for_s=contact.static_s,
        lowest_degc=skin.min_degc,
        lowest_bound_degc=skin.bound_degc,
        incident=lowest is not None and lowest <= 0.0,
        time_to_limit_s=skin.time_to_limit_s,
        time_to_limit_lower_s=skin.time_to_limit_lower_s,
        peak_dwell_s=peaks["dwell"],
        peak_dwell_upper_s=peaks["upper"],
        zone_dwell_upper_s=zone_upper_s,
        peak_below_10_s=peaks["b10"],
        peak_below_4_s=peaks["b4"],
        peak_below_2_s=peaks["b2"],
        tile_time_s=float(on_skin.tile_time_s.max(initial=0.0)) if on_skin else 0.0,
        session_time_s=setup.session_used_s + state.gas_total_s,
        thermal_age_s=t_s - watch.last_t_s if watch.last_t_s is not None else None,
        thermal_expected=setup.thermal_expected,
        thermal_stuck=watch.stuck,
        shutter=watch.shutter,
        colour_age_s=_colour_age_s(state, setup),
        rig_present=setup.rig is not None,
        calibration_age_days=_age_days(setup),
        calibration_lapsed=", ".join(_no_longer_holds(setup)),
        jet_spot_unobserved_s=on_skin.spot_unobserved_s if on_skin else 0.0,
        offset_mm=offset.offset_mm if offset else None,
        offset_u95_mm=offset.offset_u95_mm if offset else None,
        lag_s=offset.lag_s if offset else None,
        lag_u95_s=offset.lag_u95_s if offset else None,
        clock_u95_s=clock_u95_s(setup.rig, t_s),
    )


def _no_longer_holds(setup: Setup) -> tuple[str, ...]:
    """Steps whose parts rest on what the rig no longer has, or that a check found moved."""
    lapsed = setup.rig.validity.lapsed() if setup.rig else ()
    return tuple(dict.fromkeys((*(one.step for one in lapsed), *setup.moved)))


def _age_days(setup: Setup) -> float | None:
    """Age of the calibration at the time of the session."""
    if setup.rig is None:
        return None
    created, started = setup.rig.calibrated, setup.treatment.started
    if created.tzinfo is None or started.tzinfo is None:
        created, started = created.replace(tzinfo=None), started.replace(tzinfo=None)
    return (started - created).total_seconds() / 86400.0


def _colour_age_s(state: State, setup: Setup) -> float | None:
    """Age of the last colour picture; None where the session has no colour stream."""
    if not setup.colour_expected:
        return None
    return state.t_s - (state.colour_s if state.colour_s is not None else 0.0)


def _zone_state(state: State, setup: Setup) -> str:
    """Of the zone that is judged: where there is a rig, an outline alone is no zone on skin yet."""
    if state.on_skin is not None:
        return state.on_skin.body.state
    zone = state.pixel_zone
    if zone is None or (setup.rig is not None and zone.stream == "rgb"):
        return "none"
    return zone.state


def _status(state: State, setup: Setup) -> tuple[str, ...]:
    """Short remarks that are not alarms."""
    remark = reference_remark(state, setup)
    return (*(("shutter",) if state.thermal.shutter else ()), *((remark,) if remark else ()))


def _zone(state: State) -> PlacedChart | PixelZone | Lost:
    if state.on_skin is not None:
        if state.on_skin.body.state == "lost":
            return Lost("the body could not be followed", state.on_skin.body.in_colour_s)
        return state.on_skin.body.placed(state.on_skin.chart)
    return state.pixel_zone if state.pixel_zone is not None else Lost(state.waiting_for, 0.0)


def _zone_edited(state: State) -> ZoneEdited | None:
    work = state.work
    if not work.count:
        return None
    return ZoneEdited(
        outline=work.outline,
        areas=tuple(LeftOutArea(area.number, area.kind, area.radius_mm) for area in work.areas),
        refused=work.refused,
        count=work.count,
        spot_chart_mm=work.spot_chart_mm,
    )
