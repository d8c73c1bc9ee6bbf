"""The figures beside the picture: what was measured in words and numbers, as the page shows them.

Each figure carries a ``state`` that says how it is to be taken (``ok``, ``look``, ``warn``, ``stop``,
``unknown`` or ``calm``) and words for it: the page shows both, so that colour is never the only sign.
"""

from __future__ import annotations

import math

import numpy as np

from guidance.overlay.place import is_rough, place_u95_mm
from guidance.overlay.skin import distance_colour
from guidance.overlay.sweep import ADVICE, sweep_words
from guidance.overlay.tiles import coverage_share
from guidance.session import UNMEASURABLE, Guidance, Now, Shown, SweepGuide
from guidance.stages.state import Setup
from models.chart import PixelZone, PlacedChart
from models.protocol import Protocol
from models.sightings import Lost

Figure = dict[str, object]

TOO_LONG_S = 60.0
"""A time to the limit beyond this is only said to be long."""

_EVIDENCE = {
    "tap": "outline tapped",
    "landmarks": "body landmarks",
    "skin_tags": "tags on the skin",
    "depth": "depth camera",
    "body_model": "body model: a guess",
}


def figures(guidance: Guidance, setup: Setup) -> dict[str, Figure]:
    """All figures of one step, by name."""
    protocol, known = setup.protocol, reference(guidance, setup)
    return {
        "distance": distance(guidance, protocol, metric=setup.rig is not None),
        "skin": lowest_skin(guidance, protocol),
        "left": seconds_left(guidance, protocol),
        "sweep": sweep(guidance, protocol),
        "coverage": coverage(guidance, protocol),
        "zone_time": zone_time(guidance, protocol),
        "session_time": session_time(guidance, setup),
        "zone": zone(guidance),
        "nozzle": nozzle(guidance),
        "gas": gas(guidance),
        **({"reference": known} if known is not None else {}),
    }


def distance(guidance: Guidance, protocol: Protocol, *, metric: bool) -> Figure:
    """From the orifice to the skin, in the protocol's band; without a rig (not ``metric``) it is unknown."""
    band, jet = protocol.distance, guidance.jet
    full_mm = max(1.25 * (band.warn_high_mm or band.good_high_mm), 1.5 * band.good_high_mm)
    limits = [band.stop_low_mm, band.good_low_mm, band.good_high_mm]
    base: Figure = {"limits_mm": limits, "full_mm": full_mm}
    if jet is None:
        reason = guidance.jet_reason
        if not reason and isinstance(guidance.nozzle, Lost):
            reason = guidance.nozzle.reason
        if not metric:
            reason = "no rig: no millimetres"
        elif reason == UNMEASURABLE:
            reason = "cannot be measured with this rig"
        return base | {"state": "unknown", "words": reason or "not known", "mm": None, "u95_mm": None}
    _, word = distance_colour(jet.distance_mm, protocol=protocol)
    state = {"GOOD": "ok", "TOO CLOSE": "stop"}.get(word, "look")
    return base | {"state": state, "words": word, "mm": jet.distance_mm, "u95_mm": jet.distance_u95_mm}


def lowest_skin(guidance: Guidance, protocol: Protocol) -> Figure:
    """Lowest temperature with its bound; near the STOP counts the bound too."""
    limits, degc, bound = protocol.skin_degc, guidance.skin_min_degc, guidance.skin_min_u95_degc
    told = any(alarm.cause == "skin_temperature" and alarm.priority == "high" for alarm in guidance.active)
    base: Figure = {"degc": degc, "u95_degc": bound, "stop_degc": limits.stop}
    if degc is None:
        return base | {"state": "unknown", "words": "not seen"}
    least = degc - (bound or 0.0)
    if degc <= limits.stop:
        return base | {"state": "stop", "words": "reached STOP"}
    if told or least <= limits.stop:  # a STOP that stands is not softened by what is a tenth warmer again
        return base | {"state": "stop" if told else "warn", "words": "may be at STOP"}
    if least <= limits.warn:
        return base | {"state": "warn", "words": "near STOP"}
    if bound is None:
        return base | {"state": "unknown", "words": "bound not known"}
    return base | {"state": "calm", "words": f"STOP at {limits.stop:g} °C"}


def seconds_left(guidance: Guidance, protocol: Protocol) -> Figure:
    """Seconds to the STOP temperature where the jet is now, if it stays.

    The number is the nominal one. Alarms are judged by its lower bound: where one stands that it gives no
    reason for, none is told.
    """
    left_s, limits = guidance.time_to_limit_s, protocol.predicted_s
    standing = {alarm.priority for alarm in guidance.active if alarm.cause == "predicted_skin_temperature"}
    if left_s is None:
        if guidance.gas_now:
            return {"state": "unknown", "words": "not known", "s": None}
        return {"state": "calm", "words": "gas off", "s": None}
    if not math.isfinite(left_s) or left_s >= TOO_LONG_S:
        return {"state": "calm", "words": f"more than {TOO_LONG_S:g} s", "s": None}
    if left_s <= limits.stop or "high" in standing:
        return {"state": "stop", "words": "MOVE NOW", "s": left_s if left_s <= limits.stop else None}
    if left_s <= limits.warn or "medium" in standing:
        return {"state": "warn", "words": "move on", "s": left_s if left_s <= limits.warn else None}
    return {"state": "calm", "words": "if held here", "s": left_s}


def sweep(guidance: Guidance, protocol: Protocol) -> Figure:
    """How fast the spot moves, and what to change: by the skin as it is, else by the protocol alone."""
    if guidance.sweep is not None:
        return _guided(guidance.sweep)
    low, high = protocol.sweep_low_cm_s, protocol.sweep_high_cm_s
    base: Figure = {"low_cm_s": low, "high_cm_s": high}
    speed = guidance.jet.speed_cm_s if guidance.jet is not None else None
    if not guidance.gas_now:
        return base | {"state": "calm", "words": "gas off", "cm_s": speed}
    if speed is None:
        return base | {"state": "unknown", "words": "not known", "cm_s": None}
    base["cm_s"] = speed
    if speed < low:
        return base | {"state": "look", "words": "TOO SLOW"}
    if speed > high:
        return base | {"state": "look", "words": "TOO FAST"}
    return base | {"state": "ok", "words": "GOOD"}


def _guided(guide: SweepGuide) -> Figure:
    """By the skin as it is now. Slower than it bears is to be mended now, the rest soon."""
    speed = guide.speed_cm_s
    harms = math.isinf(guide.slowest_cm_s) or (speed is not None and speed < guide.slowest_cm_s)
    high = guide.high_cm_s if math.isfinite(guide.high_cm_s) else None
    base: Figure = {"low_cm_s": guide.low_cm_s, "high_cm_s": high, "cm_s": speed, "keep": sweep_words(guide)}
    if guide.advice:
        state = "warn" if harms else "look"
        return base | {"state": state, "words": ADVICE[guide.advice]}
    if speed is None:
        return base | {"state": "unknown", "words": "not known"}
    return base | {"state": "ok", "words": "GOOD"}


def coverage(guidance: Guidance, protocol: Protocol) -> Figure:
    """Share of the zone that has reached the target band."""
    share = coverage_share(guidance, protocol=protocol)
    low, high = protocol.target_low_degc, protocol.target_high_degc
    if share is None:
        return {"state": "unknown", "words": "not known", "share": None}
    return {"state": "calm", "words": f"at {low:g} to {high:g} °C", "share": share}


def zone_time(guidance: Guidance, protocol: Protocol) -> Figure:
    """Gas time of the tile that has had most."""
    tiles, limits = guidance.tile_time_s, protocol.zone_time_s
    base: Figure = {"warn_s": limits.warn, "stop_s": limits.stop}
    if tiles is None or not len(tiles):
        return base | {"state": "unknown", "words": "not known", "s": None}
    longest_s = float(np.max(tiles))
    base["tile"] = f"tile {int(np.argmax(tiles)) + 1} of {len(tiles)}" if len(tiles) > 1 else ""
    state = "stop" if longest_s >= limits.stop else "warn" if longest_s >= limits.warn else "calm"
    return base | {"state": state, "words": f"of {limits.warn:g} s", "s": longest_s}


def session_time(guidance: Guidance, setup: Setup) -> Figure:
    """Gas time of the session, what earlier recordings used up included."""
    used_s = setup.session_used_s + guidance.gas_total_s
    stop_s = setup.protocol.session_time_s
    state = "stop" if used_s >= stop_s else "warn" if used_s >= 0.9 * stop_s else "calm"
    return {"state": state, "words": f"of {stop_s:g} s gas", "s": used_s, "stop_s": stop_s}


def zone(guidance: Guidance) -> Figure:
    """Which evidence places the zone, and how good it is."""
    place = guidance.zone
    if isinstance(place, Lost):
        since = f" for {guidance.t_s - place.since_s:.1f} s" if place.since_s > 0.0 else ""
        return {"state": "unknown", "words": "NOT PLACED", "by": f"{place.reason}{since}", "u95_mm": None}
    state, word = ("ok", "PLACED") if place.state == "placed" else ("look", "HELD")
    anchored_by = place.anchored_by if isinstance(place, PixelZone) else place.chart.anchored_by
    by = _EVIDENCE.get(anchored_by, anchored_by)
    if isinstance(place, PixelZone):
        return {"state": "look", "words": word, "by": f"{by}, pixels only", "u95_mm": None}
    by = f"{by}, skin by {_EVIDENCE.get(place.chart.surface_by, place.chart.surface_by)}"
    bound_mm = place_u95_mm(place)
    if place.unseen_s > 0.0:
        word, how = ("BY DEPTH", "depth camera alone") if place.by_depth else ("HELD", "where it was last")
        by = f"{how}: not seen in colour for {place.unseen_s:.1f} s"
    if state == "ok" and is_rough(place):
        state, word = "look", "ROUGH"
    return {"state": state, "words": word, "by": by, "u95_mm": bound_mm if math.isfinite(bound_mm) else None}


def nozzle(guidance: Guidance) -> Figure:
    """Whether the nozzle is seen."""
    seen = guidance.nozzle
    if isinstance(seen, Lost):
        missing_s = max(guidance.t_s - seen.since_s, 0.0)
        words = f"{seen.state.upper()} {missing_s:.1f} s"
        return {"state": "unknown", "words": words, "by": seen.reason, "u95_mm": None}
    state = "ok" if seen.state == "tracked" else "look"
    by = f"{seen.tags_used} tag{'' if seen.tags_used == 1 else 's'}"
    return {"state": state, "words": seen.state.upper(), "by": by, "u95_mm": seen.tip_u95_mm}


def gas(guidance: Guidance) -> Figure:
    """Whether gas flows, and how much of it nobody knows the place of."""
    words = "ON" if guidance.gas_now else "OFF"
    unassigned_s = guidance.unassigned_s
    state = "unknown" if unassigned_s > 0.0 else "ok" if guidance.gas_now else "calm"
    by = f"{unassigned_s:.1f} s unseen" if unassigned_s > 0.0 else ""
    return {"state": state, "words": words, "by": by, "on": guidance.gas_now, "unassigned_s": unassigned_s}


def reference(guidance: Guidance, setup: Setup) -> Figure | None:
    """How what has a known temperature in the thermal picture stands; None where there is nothing such."""
    if not setup.treatment.references:
        return None
    told = next((words for words in guidance.status if words.startswith("reference ")), None)
    if told is None:
        return {"state": "ok", "words": "AGREES"}
    state, words = ("unknown", "HIDDEN") if told == "reference hidden" else ("look", "CONTRADICTS THE CAMERA")
    return {"state": state, "words": words}


def alarms(guidance: Guidance) -> list[Figure]:
    """What is displayed, most urgent first."""
    return [
        _displayed(one, guidance.now.get((one.alarm.cause, one.alarm.priority)))
        for one in guidance.announcement.shown
    ]


def _displayed(one: Shown, now: Now | None) -> Figure:
    """One alarm, with figures of late while it stands; its own words where it is only kept."""
    alarm, latest = one.alarm, now if one.standing else None
    message = alarm.message if latest is None else latest.message
    stop = alarm.priority == "high" and alarm.kind == "physiological"
    return {
        "cause": alarm.cause,
        "priority": alarm.priority,
        "stop": stop,
        "message": message.replace("degC", "°C").replace("+-", "±"),
        "t_on_s": alarm.t_on_s,
        "standing": one.standing,
        # What a STOP asked for is done until the STOP has ended.
        "mended": latest is not None and latest.mended and alarm.priority != "high",
        "acknowledged": one.acknowledged,
    }


def is_placed(guidance: Guidance, *, metric: bool) -> bool:
    """Whether the zone lies where it will be treated: on the skin, or in the picture alone without a rig.

    Args:
        guidance: Of one step.
        metric: Whether there is a rig: an outline in the colour picture waits for its skin then.
    """
    place = guidance.zone
    if isinstance(place, PixelZone):
        return not metric or place.stream == "thermal"
    return isinstance(place, PlacedChart)
