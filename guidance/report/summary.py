"""The session in figures: what goes into ``summary.json``."""

from __future__ import annotations

import numpy as np

from guidance.outcome import Trace, Verdicts
from guidance.report.thermal_found import thermal_found, thermal_remarks
from guidance.rig_checked import rig_remarks
from guidance.session import Alarm
from guidance.stages.state import OnSkin, Setup, State
from guidance.version import software_version
from models.chart import why_unmeasured
from models.collar import off_mm, tip_moved_mm, told
from models.deposit import peak_per_cm2
from models.verdict import coverage_pct, verdict_area_cm2
from vision.source import Source

SCHEMA = "cryoguide.summary/1"

U95 = 1.96
"""Standard deviations to a 95 % bound."""

GLUED_AT_MOST_MM = 1.5
"""Farther off than this at its corners no tag is glued: 0.1 to 0.3 mm per direction is usual. Another collar,
or a tag that came off."""


def summarise(
    setup: Setup,
    state: State,
    trace: Trace,
    alarms: tuple[Alarm, ...],
    judged: Verdicts | None,
    *,
    recording: Source,
    runtime_s: float,
) -> dict[str, object]:
    """Figures of the whole session; None where something is not known."""
    on_skin, pixel_skin = state.on_skin, state.pixel_skin
    colour = trace.is_colour
    looked = colour.any() and setup.rig is not None and setup.rig.nozzle is not None
    tracked = np.array([s == "tracked" for s in trace.nozzle_state], bool)
    zone: dict[str, object] = {
        "name": setup.zone.name,
        "side": setup.treatment.side,
        "area_cm2": None,
        "anchored_by": state.pixel_zone.anchored_by if state.pixel_zone else None,
        "surface_by": None,
        "centre_mm": None,
        "place_u95_mm": None,
    }
    summary: dict[str, object] = {
        "schema": SCHEMA,
        "version": software_version(),
        "hashes": setup.hashes,
        "session": recording.name,
        "started": setup.treatment.started.isoformat(),
        "device": setup.device.name,
        "protocol": setup.protocol.name,
        "protocol_approved_by": setup.protocol.approved_by,
        "duration_s": recording.duration_s,
        "reference_t_s": None,
        "zone": zone,
        "coverage_pct": None,
        "overexposed_cm2": None,
        "unknown_cm2": None,
        "peak_dwell_s": None,
        "peak_dwell_cm2_s": None,
        "min_degc": None,
        "min_u95_degc": None,
        "tracked_pct": round(100.0 * float(tracked[colour].mean()), 2) if looked else None,
        "collar": collar_found(state, setup),
        "gas_s": state.gas_total_s,
        "unassigned_s": state.unassigned_s,
        "gas_off_map_s": state.off_map_s,
        "zone_not_placed_because": state.waiting_for or None,
        "distance_not_measured_because": None,
        "rig_check": rig_check(state),
        "thermal": thermal_found(state, setup),
        "alarms": _by_cause(alarms),
        "captures": int(colour.sum()),
        "runtime_s": round(runtime_s, 3),
        "warnings": [
            *recording.warnings,
            *state.remarks,
            *collar_remarks(state, setup),
            *thermal_remarks(state, setup),
            *rig_remarks(setup.rig, now=setup.treatment.started, moved=setup.moved_words),
        ],
    }
    exposure = on_skin.exposure if on_skin else pixel_skin.exposure if pixel_skin else None
    if exposure is not None and np.isfinite(exposure.min_degc).any():
        coldest = int(np.nanargmin(exposure.min_degc))
        summary["min_degc"] = float(exposure.min_degc[coldest])
        summary["min_u95_degc"] = float(exposure.min_u95_degc[coldest])
    if on_skin is None or judged is None:
        return summary
    chart = on_skin.chart
    observed = bool(np.isfinite(on_skin.exposure.min_degc).any())
    overexposed_cm2 = verdict_area_cm2(judged.verdict, chart, name="overexposed")
    unmeasured = why_unmeasured(chart, setup.protocol)
    measured = not unmeasured
    zone |= {
        "area_cm2": chart.zone_area_cm2 if measured else None,
        "anchored_by": chart.anchored_by,
        "surface_by": chart.surface_by,
        "centre_mm": chart.centre_mm.tolist() if measured else None,
        "place_u95_mm": chart.place_u95_mm,
    }
    summary |= {
        "reference_t_s": chart.reference_t_s,
        "distance_not_measured_because": unmeasured or None,
        "coverage_pct": coverage_pct(on_skin.exposure, chart, protocol=setup.protocol)
        if np.isfinite(on_skin.exposure.min_degc[chart.in_zone]).any()
        else None,
        "overexposed_cm2": overexposed_cm2 if observed or overexposed_cm2 > 0.0 else None,
        "possibly_past_stop_cm2": possibly_past_stop_cm2(on_skin, setup) if observed else None,
        "unknown_cm2": verdict_area_cm2(judged.verdict, chart, name="unknown"),
        "peak_dwell_s": float(on_skin.exposure.dwell_s.max(initial=0.0)) if measured else None,
        "peak_dwell_cm2_s": peak_per_cm2(on_skin.exposure.dwell_s, chart.position_mm, chart.area_cm2)
        if measured
        else None,
        "tile_time_s": on_skin.tile_time_s.tolist(),
        "never_observed_cm2": float(chart.area_cm2[~np.isfinite(on_skin.exposure.min_degc)].sum()),
    }
    return summary


def collar_found(state: State, setup: Setup) -> dict[str, object] | None:
    """How far the rig's collar geometry was off, over the tags that were seen; None where none was."""
    collar = state.nozzle_track.collar
    if collar is None or setup.rig is None or setup.rig.nozzle is None or not collar.views.any():
        return None
    tags, seen = setup.rig.nozzle.tags, collar.views > 0
    away = np.where(seen, off_mm(collar, tags.corners_mm), -1.0)
    return {
        "tags_seen": int(seen.sum()),
        "views": collar.taken,
        "median_off_mm": round(float(np.median(away[seen])), 4),
        "worst_off_mm": round(float(away.max()), 4),
        "worst_off_u95_mm": round(float(U95 * collar.shift_sigma_mm[away.argmax()]), 4),
        "worst_tag": int(tags.ids[away.argmax()]),
        "tip_moved_mm": round(tip_moved_mm(collar, tags.corners_mm), 3),
        "placed_mm": round(collar.placed_mm, 4),
        "tags_not_told": tags.ids[~told(collar)].tolist(),
    }


def collar_remarks(state: State, setup: Setup) -> tuple[str, ...]:
    """What should be said of a tag that sits farther off than gluing explains."""
    collar, rig = state.nozzle_track.collar, setup.rig
    if collar is None or rig is None or rig.nozzle is None:
        return ()
    away = off_mm(collar, rig.nozzle.tags.corners_mm)
    bad = np.flatnonzero((collar.views > 0) & (away > GLUED_AT_MOST_MM))
    if len(bad) == 0:
        return ()
    named = ", ".join(f"{rig.nozzle.tags.ids[k]} by {away[k]:.1f} mm" for k in bad)
    return (f"Tags of the collar sit elsewhere than the rig says ({named}): measure the collar again.",)


def rig_check(state: State) -> dict[str, object]:
    """How far cooling and jet lie apart, with bounds; None with the reason where that is not known."""
    watch = state.rig_watch
    found = watch.offset if watch is not None else None
    reason = "jet, skin and thermal picture were not all measured" if watch is None else watch.reason
    return {
        "offset_mm": found.offset_mm if found else None,
        "offset_u95_mm": found.offset_u95_mm if found else None,
        "u_mm": found.u_mm if found else None,
        "v_mm": found.v_mm if found else None,
        "lag_s": found.lag_s if found else None,
        "lag_u95_s": found.lag_u95_s if found else None,
        "at_s": found.at_s if found else None,
        "reason": None if found else reason,
    }


def possibly_past_stop_cm2(on_skin: OnSkin, setup: Setup) -> float:
    """Area whose lowest temperature less its bound reaches the STOP, without cells that surely did."""
    exposure, stop = on_skin.exposure, setup.protocol.skin_degc.stop
    possible = (exposure.min_degc - exposure.min_u95_degc <= stop) & (exposure.min_degc > stop)
    return float(on_skin.chart.area_cm2[possible].sum())


def _by_cause(alarms: tuple[Alarm, ...]) -> dict[str, dict[str, float]]:
    """Count and first time by cause, in order of first time."""
    found: dict[str, dict[str, float]] = {}
    for alarm in sorted(alarms, key=lambda a: a.t_on_s):
        entry = found.setdefault(alarm.cause, {"count": 0, "first_s": alarm.t_on_s})
        entry["count"] += 1
    return found
