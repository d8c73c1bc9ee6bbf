"""From measured facts to conditions: the rules of over-exposure, deterministic and without memory."""

from __future__ import annotations

from collections.abc import Iterator

from guidance.alarms.episodes import Condition
from guidance.alarms.facts import Facts
from guidance.session import UNMEASURABLE
from models.history_rules import BUDGET_SHARE
from models.protocol import Device, Ladder, Protocol

# Ages from practice with watchdogs of medical displays: thermal 0.5 s, colour 0.3 s (expert knowledge).
THERMAL_STALE_S = 0.5
COLOUR_GAP_S = 0.3
THERMAL_MISSING_S = 0.8
"""Seven pictures in a row of a 9 Hz camera: no longer late but missing, and still told within a second."""
SHUTTER_S = 1.3
"""A shutter event (FFC) freezes the picture for 0.5-1 s: up to that long it is a status, not an alarm. The
pictures before and after it are up to 0.3 s farther apart: two intervals at 9 Hz and the second's way."""
NOZZLE_LOST_S = 0.3
"""Twice the 150 ms over which the tracker bridges."""
UNOBSERVED_S = 0.5
"""As for a stale picture: what counts is how long the temperature under the jet is not known."""
COLD_SHOWN_S = 0.5
"""Less than this below a limit is told by the temperature alarms, not as time."""
CONTACT_MM = 10.0
"""The rim of an LN2 nozzle is colder than -100 degC; 10 mm is twice the tip error aimed at."""
SHARP_DISTANCE_U95_MM = 15.0
"""The near end of a distance counts for the STOP, by this at most: more would stop every treatment."""
VAGUE_DISTANCE_U95_MM = 30.0
"""Beyond this the distance band (60 mm wide for LN2) cannot be kept by the figure shown."""
PATIENT_JUMP_MM = 15.0
"""Breathing moves a lying trunk by 5-10 mm; a shift of 30 mm must be told."""
RIG_OFFSET_MM = 10.0
"""Twice the cell size: cameras that disagree by more put temperatures on the wrong cells."""
RIG_PLACE_MM = 5.0
"""What a rig may honestly be off by, beside the offset's own bound: the worst translation error of stereo
calibrations of colour and thermal cameras that looked good was 4.6 mm."""
RIG_LAG_S = 0.08
"""A jet that sweeps at 10 cm/s is 8 mm farther by then."""
RIG_CLOCK_S = 0.02
"""What an honest time offset may be off by: half a picture at 25 Hz."""
CALIBRATION_DAYS = 30.0


def conditions(facts: Facts, *, protocol: Protocol, device: Device) -> tuple[Condition, ...]:
    """Judge one capture.

    A warning goes on holding while its STOP holds: the two are rows of their own. Limits of exposure
    (dwell, static nozzle, times, distance) are told while gas flows, when there is something to stop;
    temperature and contact always.

    Args:
        facts: What is known now.
        protocol: Limits, already tightened to the zone.
        device: Its name is told where it matters.

    Returns:
        The conditions that hold.
    """
    return (
        *_temperature(facts, protocol),
        *_nearness(facts, protocol, device),
        *_technical(facts),
        *(_exposure(facts, protocol) if facts.gas_now else ()),
    )


def _temperature(facts: Facts, protocol: Protocol) -> Iterator[Condition]:
    """Limits hold for the estimate less its bound, counted once; the advisory for the estimate itself."""
    if facts.incident:
        yield Condition("skin_freezing", "high", detail=_degc(facts.lowest_degc))
    bound = facts.lowest_bound_degc
    if bound is not None:
        detail = f"{bound:.1f} degC, measured {_degc(facts.lowest_degc)}"
        if bound <= protocol.skin_degc.stop:
            yield Condition("skin_temperature", "high", detail=detail)
        if bound <= protocol.skin_degc.warn:
            yield Condition("skin_temperature", "medium", detail=detail)
    if facts.lowest_degc is not None and facts.lowest_degc < protocol.advisory_degc:
        yield Condition("skin_temperature", "low", detail=_degc(facts.lowest_degc))
    if facts.gas_now:
        yield from _predicted(facts, protocol) if _slow(facts, protocol) else _passing(facts)


def _predicted(facts: Facts, protocol: Protocol) -> Iterator[Condition]:
    """The early end warns. It stops too, if the best estimate agrees at least to a warning.

    A wide bound alone is no forecast: 20 s known to +-18 s is a warning.
    """
    early_s, best_s = facts.time_to_limit_lower_s, facts.time_to_limit_s
    early_s = best_s if early_s is None else early_s
    if early_s is None:
        return
    best_s = early_s if best_s is None else best_s
    detail = f"{early_s:.0f} to {best_s:.0f} s" if round(best_s) > round(early_s) else f"{best_s:.0f} s"
    if early_s <= protocol.predicted_s.stop and best_s <= protocol.predicted_s.warn:
        yield Condition("predicted_skin_temperature", "high", detail=detail)
    if early_s <= protocol.predicted_s.warn:
        yield Condition("predicted_skin_temperature", "medium", detail=detail)


def _passing(facts: Facts) -> Iterator[Condition]:
    """A sweep stops where the skin is at its limit before the spot has moved on by its half radius."""
    left_s, speed_cm_s, half_mm = facts.time_to_limit_s, facts.jet_speed_cm_s, facts.jet_half_mm
    if left_s is None or speed_cm_s is None or half_mm is None:
        return
    if left_s * 10.0 * speed_cm_s <= half_mm:
        yield Condition("predicted_skin_temperature", "high", detail=f"{left_s:.1f} s, within this pass")


def _slow(facts: Facts, protocol: Protocol) -> bool:
    """A sweep leaves a cell before the forecast for a jet that stays comes true. An unknown speed is slow."""
    return facts.jet_speed_cm_s is None or facts.jet_speed_cm_s < protocol.static_speed_cm_s


def _nearness(facts: Facts, protocol: Protocol, device: Device) -> Iterator[Condition]:
    """Contact whether gas flows or not: the nozzle is cold. The band only while gas flows."""
    distance_mm, u95_mm = facts.distance_mm, facts.distance_u95_mm
    if distance_mm is None:
        return
    detail = _distance(distance_mm, u95_mm)
    if distance_mm <= CONTACT_MM:
        yield Condition("contact", "high", detail=f"{device.title}: {detail}")
    if not facts.gas_now:
        return
    band = protocol.distance
    sharp_mm = SHARP_DISTANCE_U95_MM if u95_mm is None else min(u95_mm, SHARP_DISTANCE_U95_MM)
    if distance_mm - sharp_mm < band.stop_low_mm:
        yield Condition("distance", "high", detail=detail)
    where = "too near" if distance_mm < band.good_low_mm else "too far"
    wanted = f"{where}: {detail}, wanted {band.good_low_mm:.0f} to {band.good_high_mm:.0f}"
    if distance_mm < band.warn_low_mm or (band.warn_high_mm is not None and distance_mm > band.warn_high_mm):
        yield Condition("distance", "medium", detail=wanted)
    if not band.good_low_mm <= distance_mm <= band.good_high_mm:
        yield Condition("distance", "low", detail=wanted)


def _exposure(facts: Facts, protocol: Protocol) -> Iterator[Condition]:
    yield from _ladder("static_nozzle", facts.static_for_s, protocol.static_s)
    yield from _dwell(facts, protocol.dwell_s)
    yield from _cold_time(facts, protocol)
    yield from _ladder("zone_time", facts.tile_time_s, protocol.zone_time_s)
    budget_s = protocol.session_time_s
    yield from _ladder("session_time", facts.session_time_s, Ladder(BUDGET_SHARE * budget_s, budget_s))
    if facts.jet_in_zone is False or facts.jet_on_map is False:
        detail = "off the map" if facts.jet_on_map is False else "beside the outline"
        yield Condition("off_zone", "low", detail=detail)
        yield Condition("off_zone", "medium", detail=detail)
    if facts.incidence_deg is not None and facts.incidence_deg > protocol.incidence_warn_deg:
        yield Condition("incidence", "low", detail=f"{facts.incidence_deg:.0f} degrees")


def _dwell(facts: Facts, ladder: Ladder) -> Iterator[Condition]:
    """What was counted stops; what may have come unseen warns (the lost nozzle has its own alarm).

    Where it may have come everywhere there is no other place to treat: that is another warning.
    """
    counted_s, upper_s = facts.peak_dwell_s, facts.peak_dwell_upper_s
    if counted_s >= ladder.stop:
        yield Condition("dwell", "high", detail=f"{counted_s:.1f} jet-seconds, limit {ladder.stop:g}")
    elif facts.zone_dwell_upper_s >= ladder.stop:
        most = f"up to {facts.zone_dwell_upper_s:.1f} jet-seconds anywhere, limit {ladder.stop:g}"
        yield Condition("dwell_unknown", "medium", detail=most)
        return
    if counted_s > ladder.warn:
        yield Condition("dwell", "medium", detail=f"{counted_s:.1f} jet-seconds, limit {ladder.stop:g}")
    elif upper_s >= ladder.stop:
        yield Condition("dwell", "medium", detail=f"up to {upper_s:.1f} jet-seconds, limit {ladder.stop:g}")


def _cold_time(facts: Facts, protocol: Protocol) -> Iterator[Condition]:
    """The worst of the three thresholds."""
    times = (
        ("below 2 degC", facts.peak_below_2_s, protocol.below_2_s),
        ("below 4 degC", facts.peak_below_4_s, protocol.below_4_s),
        ("below 10 degC", facts.peak_below_10_s, protocol.below_10_s),
    )
    for priority in ("high", "medium"):
        for words, time_s, ladder in times:
            if time_s >= ladder.stop if priority == "high" else time_s > max(ladder.warn, COLD_SHOWN_S):
                shown = f"{time_s:.1f}" if time_s < 10.0 else f"{time_s:.0f}"
                yield Condition("cold_time", priority, detail=f"{shown} s {words}")
                break


def _technical(facts: Facts) -> Iterator[Condition]:
    if not facts.rig_present:
        yield Condition("rig_missing", "medium")
    elif facts.calibration_age_days is None:
        yield Condition("calibration_old", "low")
    elif facts.calibration_age_days > CALIBRATION_DAYS:
        yield Condition("calibration_old", "medium", detail=f"{facts.calibration_age_days:.0f} days")
    if facts.calibration_lapsed:
        yield Condition("calibration_lapsed", "medium", detail=facts.calibration_lapsed)
    yield from _sight(facts)
    yield from _thermal(facts)
    if facts.colour_age_s is not None and facts.colour_age_s > COLOUR_GAP_S:
        yield Condition("colour_gap", "medium", detail=f"for {facts.colour_age_s:.1f} s")
    if facts.patient_jump_mm is not None and facts.patient_jump_mm > PATIENT_JUMP_MM:
        yield Condition("patient_moved", "medium", detail=f"{facts.patient_jump_mm:.0f} mm")
    yield from _rig_mismatch(facts)


def _rig_mismatch(facts: Facts) -> Iterator[Condition]:
    """Told where it matters and is beyond its own bound and what an honest rig may be off by."""
    told: list[str] = []
    if facts.offset_mm is not None and facts.offset_u95_mm is not None:
        offset_mm, u95_mm = facts.offset_mm, facts.offset_u95_mm
        if offset_mm > max(RIG_OFFSET_MM, u95_mm + RIG_PLACE_MM):
            told.append(f"the skin cools {offset_mm:.0f} +- {u95_mm:.0f} mm beside the jet")
    if facts.lag_s is not None and facts.lag_u95_s is not None:
        lag_s, u95_s = facts.lag_s, facts.lag_u95_s
        if abs(lag_s) > max(RIG_LAG_S, u95_s + max(RIG_CLOCK_S, facts.clock_u95_s)):
            when = "late" if lag_s > 0.0 else "early"
            told.append(f"thermal times are {1000.0 * abs(lag_s):.0f} +- {1000.0 * u95_s:.0f} ms {when}")
    if told:
        yield Condition("rig_mismatch", "medium", detail=", ".join(told))


def _sight(facts: Facts) -> Iterator[Condition]:
    """Nozzle, zone and distance. Without a rig there is no nozzle in millimetres; `rig_missing` says so."""
    zone_known = facts.zone_state in ("placed", "held")
    if facts.zone_state == "lost" and not facts.gas_now:
        yield Condition("zone_lost", "medium", detail="lost")
    if not facts.gas_now:
        return
    if not zone_known:
        yield Condition("zone_lost", "high", detail="lost" if facts.zone_state == "lost" else "never placed")
    if not facts.rig_present:
        return
    if not facts.nozzle_seen and facts.nozzle_lost_s > NOZZLE_LOST_S:
        yield Condition("nozzle_lost", "high", detail=f"for {facts.nozzle_lost_s:.1f} s")
    if not (facts.nozzle_seen and zone_known) or facts.jet_on_map is False:
        return
    if facts.jet_reason == UNMEASURABLE:
        yield Condition("distance_unmeasurable", "medium")
    elif facts.distance_mm is None:
        why = facts.jet_reason or "no skin found under the jet"
        yield Condition("distance_unknown", "medium", detail=why)
    elif facts.distance_u95_mm is None or facts.distance_u95_mm > VAGUE_DISTANCE_U95_MM:
        yield Condition("distance_unknown", "low", detail=_distance(facts.distance_mm, facts.distance_u95_mm))


def _thermal(facts: Facts) -> Iterator[Condition]:
    """Told with and without gas: rewarming is watched as well, and a fault is best known before."""
    age_s = facts.thermal_age_s
    if not facts.thermal_expected:
        yield Condition("thermal_missing", "low")
    elif age_s is None:
        if facts.t_s > THERMAL_STALE_S:  # the first picture takes its time to arrive
            yield Condition("thermal_missing", "medium", detail="none so far")
    elif age_s > (SHUTTER_S if facts.shutter else THERMAL_STALE_S):
        yield Condition("thermal_stale", "medium", detail=f"{age_s:.1f} s")
        if age_s > THERMAL_MISSING_S:
            yield Condition("thermal_missing", "medium", detail=f"for {age_s:.1f} s")
    if facts.thermal_stuck and not facts.shutter:
        yield Condition("thermal_stuck", "medium", detail="unchanged")
    watched = facts.gas_now and facts.rig_present and facts.thermal_expected
    if watched and facts.jet_spot_unobserved_s > (SHUTTER_S if facts.shutter else UNOBSERVED_S):
        yield Condition("temperature_unobserved", "medium", detail=f"for {facts.jet_spot_unobserved_s:.1f} s")


def _ladder(cause: str, time_s: float, ladder: Ladder) -> Iterator[Condition]:
    detail = f"{time_s:.0f} s, limit {ladder.stop:.0f} s" if ladder.stop >= 10.0 else f"{time_s:.1f} s"
    if time_s >= ladder.stop:
        yield Condition(cause, "high", detail=detail)
    if time_s >= ladder.warn:
        yield Condition(cause, "medium", detail=detail)


def _degc(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} degC"


def _distance(distance_mm: float, u95_mm: float | None) -> str:
    return f"{distance_mm:.0f} mm" if u95_mm is None else f"{distance_mm:.0f} +- {u95_mm:.0f} mm"
