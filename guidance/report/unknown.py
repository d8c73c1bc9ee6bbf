"""What the report says of what was not known: how much of it, and why that matters."""

from __future__ import annotations

import numpy as np

from guidance.outcome import Outcome
from guidance.report.charts import row_time_s
from guidance.report.facts import area_cm2, figure, named_verdicts
from guidance.report.known import Fact, gas_on_unmeasured_skin, measured
from guidance.report.markup import number
from models.geometry import Bools


def unknowns(outcome: Outcome) -> list[Fact]:
    """What was not known, how much of it, and why that matters; only what really occurred."""
    trace = outcome.trace
    time_s, gas = row_time_s(trace), trace.gas
    nozzle, place = np.array(trace.nozzle_state), np.array(trace.zone_state)
    shutter = np.array(["shutter" in " ".join(s).lower() for s in trace.status], bool)
    found: list[tuple[Bools, str, str]] = []
    if outcome.rig is not None:
        found += [
            (
                gas & (nozzle == "lost"),
                "Nozzle lost with gas on",
                "the jet may have pointed anywhere in reach",
            ),
            (
                gas & (nozzle == "ambiguous"),
                "Nozzle ambiguous with gas on",
                "several poses fitted; none was chosen",
            ),
            (gas & (nozzle == "predicted"), "Nozzle predicted with gas on", "bridged, with a growing bound"),
        ]
    found += [
        (
            place == "held",
            "Zone held",
            "its skin was not followed in colour; by depth alone or where it was last, with a growing bound",
        ),
        (place == "lost", "Zone lost", "not placed, so nothing could be counted on cells"),
        (shutter, "Thermal camera's shutter closed", "the camera was adjusting itself and saw nothing"),
        (gas & ~np.isfinite(trace.skin_min_degc), "No skin temperature with gas on", "no cell was observed"),
    ]
    out = [Fact(name, number(float(time_s[rows].sum())), "s", why) for rows, name, why in found if rows.any()]
    unassigned_s = figure(outcome, "unassigned_s")
    if unassigned_s:
        note = "added to the upper bound of the cells it could have reached"
        if outcome.chart is None:
            note = "there were no cells to count it on"
        out.append(measured("Gas time not accounted for", unassigned_s, "s", note))
    return out + gas_on_unmeasured_skin(outcome) + _alarm_times(outcome) + _unknown_cells(outcome)


def _alarm_times(outcome: Outcome) -> list[Fact]:
    """How long the cameras failed, as their alarms say."""
    out: list[Fact] = []
    for cause, name, why in (
        ("thermal_missing", "Thermal pictures missing", "no thermal picture arrived"),
        ("thermal_stale", "Thermal pictures too old", "the last one was older than 0.5 s"),
        ("thermal_stuck", "Thermal picture stuck", "it did not change although it should have"),
        ("colour_gap", "Colour pictures missing", "nothing could be followed meanwhile"),
    ):
        episodes = [a for a in outcome.alarms if a.cause == cause]
        lasted_s = sum((outcome.duration_s if a.t_off_s is None else a.t_off_s) - a.t_on_s for a in episodes)
        if episodes:
            out.append(Fact(name, number(lasted_s), "s", f"{why} (time of the alarm)"))
    return out


def _unknown_cells(outcome: Outcome) -> list[Fact]:
    chart, exposure = outcome.chart, outcome.exposure
    if exposure is None:
        return []
    never = ~np.isfinite(exposure.min_degc)
    if chart is None:
        if outcome.pixel_cells is None or not (never & outcome.pixel_cells.in_zone).any():
            return []
        share = 100.0 * float((never & outcome.pixel_cells.in_zone).sum() / outcome.pixel_cells.in_zone.sum())
        why = "hidden, or outside the camera's range"
        return [Fact("Zone never observed", number(share), "% of its pixels", why)]
    out: list[Fact] = []
    for cells, name, why in (
        (
            never & chart.in_zone,
            "Zone, temperature never observed",
            "hidden, turned away or out of the picture",
        ),
        (never & ~chart.in_zone, "Skin around it never observed", "overspray there has no temperature"),
    ):
        if cells.any():
            out.append(measured(name, area_cm2(outcome, cells), "cm²", why))
    if outcome.verdicts is None:
        return out
    words = {
        "not_observed": "gas may have come while neither nozzle nor temperature was observed",
        "temperature_not_observed": "gas came, or may have come, and the temperature was never observed",
    }
    unknown, causes = named_verdicts(outcome) == "unknown", np.array(outcome.verdicts.cause, np.str_)
    for cause in sorted(set(causes[unknown].tolist())):
        here = unknown & (causes == cause)
        longest_s = float(np.max(exposure.blind_gas_s[here], initial=0.0))
        why = words.get(cause, cause.replace("_", " ") or "no cause given")
        why += f"; at most {number(longest_s)} s of gas on one cell" if longest_s > 0.0 else ""
        out.append(measured("Verdict unknown", area_cm2(outcome, here), "cm²", why))
    return out
