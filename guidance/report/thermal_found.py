"""What a session showed of the thermal camera itself: how far it was off, how far it spreads a point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from guidance.report.markup import NARROW, number
from guidance.stages.camera import calibrated_now, camera_offset, radiometry_age_days
from guidance.stages.state import Setup, State
from vision.point_spread import disagree

SEEN_PCT = 50.0
"""A reference relied on in fewer pictures is told."""


def thermal_found(state: State, setup: Setup) -> dict[str, object]:
    """For the summary; None where something is not known."""
    offset, watch = camera_offset(state, setup), state.thermal
    stated = setup.rig.thermal.spread if setup.rig and setup.rig.thermal else None
    told = offset.at_degc is not None
    by = "taken for granted"
    if watch.at_edge is not None:
        by = "edge of warm skin"
    if stated is not None:
        by = "calibration"
        if watch.at_edge is not None and disagree(stated, watch.at_edge):
            by = "the wider of calibration and edge of warm skin"
    return {
        "references": len(setup.treatment.references),
        "reference_seen_pct": round(100.0 * offset.seen / offset.looks, 1) if offset.looks else None,
        "reads_too_warm_degc": round(offset.off_degc, 3) if told else None,
        "reads_too_warm_u95_degc": round(offset.u95_degc, 3) if told else None,
        "offset_bound_degc": round(offset.u95_degc, 3),
        "calibrated": _calibrated(state, setup),
        "spread_px": round(watch.spread.sigma_px, 3),
        "spread_by": by,
        "spread_at_edge_px": round(watch.at_edge.sigma_px, 3) if watch.at_edge else None,
        "spread_calibrated_px": stated.sigma_px if stated else None,
    }


def _calibrated(state: State, setup: Setup) -> dict[str, object] | None:
    """What calibration told of how far the camera reads off, and whether it was used; None: nothing."""
    told = setup.rig.thermal.radiometry if setup.rig and setup.rig.thermal else None
    if told is None:
        return None
    used, doubted = calibrated_now(state, setup), camera_offset(state, setup).doubted
    return {
        "age_days": round(radiometry_age_days(told, setup.treatment), 1),
        "used": used is not None and not doubted,
        "doubted": doubted,
        "reads_too_warm_degc": [round(float(v), 3) for v in told.off_degc(np.array(told.references_degc))],
        "at_degc": list(told.references_degc),
        "u95_degc": round(used.u95_degc, 3) if used is not None else None,
    }


def thermal_remarks(state: State, setup: Setup) -> tuple[str, ...]:
    """What the reader of the report must know of it, one sentence each."""
    told: list[str] = []
    offset, found = camera_offset(state, setup), thermal_found(state, setup)
    if offset.sight == "contradicts":
        told.append(
            "References in the thermal picture contradict the camera's stated accuracy or each other, so none"
            " was relied on: check their temperatures and outlines in session.toml."
        )
    elif offset.looks and 100.0 * offset.seen / offset.looks < SEEN_PCT:
        told.append(
            f"The reference in the thermal picture was relied on in {found['reference_seen_pct']} % of the"
            " pictures only: it was hidden, uneven or outside; without it the camera's own accuracy holds."
        )
    if setup.treatment.references and not offset.looks and setup.thermal_expected:
        told.append("The reference in the thermal picture was never looked at: no thermal picture came.")
    if offset.doubted:
        told.append(
            "A reference in the thermal picture is farther off than the camera's calibration with references"
            " allows, so the camera's claim was taken instead: calibrate it again (cryoguide calibrate"
            " radiometry)."
        )
    calibrated = cast("Mapping[str, object] | None", found["calibrated"])
    if calibrated is not None and not calibrated["used"] and not offset.doubted:
        told.append(
            f"The thermal camera was calibrated with references {calibrated['age_days']} days from this"
            " session, too long to count, so its claim was taken instead: calibrate it again."
        )
    stated = setup.rig.thermal.spread if setup.rig and setup.rig.thermal else None
    at_edge = state.thermal.at_edge
    if stated is not None and at_edge is not None and disagree(stated, at_edge):
        told.append(
            f"The thermal camera spreads a point by {at_edge.sigma_px:.2f} px at the edge of warm skin and"
            f" by {stated.sigma_px:.2f} px in rig.toml, farther apart than their bounds allow: check its"
            " focus and calibrate it again."
        )
    return tuple(told)


def offset_words(summary: Mapping[str, object]) -> str:
    """How far the camera was off, for the report."""
    found = cast("Mapping[str, object]", summary.get("thermal") or {})
    off, u95 = found.get("reads_too_warm_degc"), found.get("reads_too_warm_u95_degc")
    if isinstance(off, float) and isinstance(u95, float):
        way = "warm" if off >= 0.0 else "cold"
        share = number(cast("float", found["reference_seen_pct"]), 0)
        return (
            f"read {number(abs(off), 2)} ±{NARROW}{number(u95, 2)} °C too {way} at the end, by a reference"
            f" relied on in {share} % of the pictures; corrected"
        )
    calibrated = cast("Mapping[str, object]", found.get("calibrated") or {})
    if calibrated.get("used"):
        u95 = cast("float", calibrated["u95_degc"])
        days = number(cast("float", calibrated["age_days"]), 0)
        return (
            f"corrected as calibrated with references {days} days from the session, by then known to"
            f" ±{NARROW}{number(u95, 2)} °C; no reference in the picture was relied on"
        )
    if found.get("references"):
        return "no reference could be relied on; its stated accuracy is in every bound"
    return "no reference in the picture; its stated accuracy is in every bound"


def spread_words(summary: Mapping[str, object]) -> str:
    """How far the camera spreads a point, for the report."""
    found = cast("Mapping[str, object]", summary.get("thermal") or {})
    used = found.get("spread_px")
    if not isinstance(used, float):
        return "not known"
    parts = [f"{number(used, 2)} px ({found.get('spread_by')})"]
    at_edge, stated = found.get("spread_at_edge_px"), found.get("spread_calibrated_px")
    if isinstance(stated, float):
        parts.append(f"calibration says {number(stated, 2)} px")
        parts.append(
            f"the edge of warm skin {number(at_edge, 2)} px"
            if isinstance(at_edge, float)
            else "no edge of warm skin told it"
        )
    return "; ".join(parts)
