"""An analysed session as an entry of the history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import numpy as np

from guidance.outcome import Checked, Outcome, Trace
from guidance.session import Alarm
from models.exposure import SkinTemperature
from models.exposure_pack import KeptExposure
from models.geometry import Bools, Floats
from models.history import LimitReached, PastFinding, PastSession
from models.history_rules import SkinReading
from vision.placement import HEAD_GUESSED


def kept_exposure(outcome: Outcome) -> KeptExposure | None:
    """The exposure map as it is kept; None where there are no millimetres."""
    chart, exposure = outcome.chart, outcome.exposure
    if chart is None or exposure is None:
        return None
    turned = HEAD_GUESSED in outcome.warnings
    return KeptExposure(chart.u_mm, chart.v_mm, chart.area_cm2, exposure, chart.place_u95_mm, turned)


def coldest_tenth(skin: SkinTemperature | None, in_zone: Bools) -> SkinReading | None:
    """Temperature that nine tenths of the zone's cells exceed; None where half of them are not observed.

    Not the coldest cell: that is the noise of a thousand cells and the rim of the limb.
    """
    if skin is None:
        return None
    seen = np.flatnonzero(in_zone & skin.observed)
    if 2 * len(seen) <= in_zone.sum():
        return None
    row = int(seen[np.argsort(skin.degc[seen], kind="stable")[len(seen) // 10]])
    return SkinReading(float(skin.degc[row]), _finite(skin.u95_degc, row))


def history_entry(
    outcome: Outcome, *, subject: str, recording_sha256: str, live: bool = False
) -> PastSession:
    """What the history keeps of a session.

    Args:
        outcome: The whole session.
        subject: Code of the subject.
        recording_sha256: Of the recording's pictures.
        live: The treatment has just ended; otherwise its recording was analysed.
    """
    summary, trace = outcome.summary, outcome.trace
    on = np.flatnonzero(trace.gas)
    end_degc, end_u95_degc = _at_end(trace)
    tiles = summary.get("tile_time_s")
    return PastSession(
        recording_sha256=recording_sha256,
        subject=subject,
        started=outcome.treatment.started,
        duration_s=outcome.duration_s,
        zone=outcome.zone.name,
        side=outcome.treatment.side,
        device=outcome.device.name,
        protocol=outcome.protocol.name,
        protocol_sha256=str(_mapping(summary.get("hashes")).get("protocol") or ""),
        protocol_approved_by=outcome.protocol.approved_by,
        gas_from_s=float(trace.t_s[on[0]]) if len(on) else None,
        gas_to_s=float(trace.t_s[on[-1]]) if len(on) else None,
        gas_s=_number(summary.get("gas_s")) or 0.0,
        unassigned_s=_number(summary.get("unassigned_s")) or 0.0,
        min_degc=_number(summary.get("min_degc")),
        min_u95_degc=_number(summary.get("min_u95_degc")),
        end_degc=end_degc,
        end_u95_degc=end_u95_degc,
        area_cm2=outcome.chart.zone_area_cm2 if outcome.chart is not None else None,
        overexposed_cm2=_number(summary.get("overexposed_cm2")),
        unknown_cm2=_number(summary.get("unknown_cm2")),
        software=str(summary.get("version", "")),
        zone_interval_s=outcome.protocol.again.interval_s.value,
        session_time_s=outcome.protocol.session_time_s,
        continues=outcome.earlier.continues if outcome.earlier else None,
        gap_s=outcome.earlier.gap_s if outcome.earlier else None,
        tile_time_s=tuple(float(s) for s in cast("list[float]", tiles)) if isinstance(tiles, list) else (),
        limits=limits_reached(outcome.alarms),
        checklist=outcome.checked.verdict if outcome.checked else None,
        checklist_at=_filled_in(outcome.checked),
        findings=past_findings(outcome.checked),
        live=live,
    )


def _filled_in(checked: Checked | None) -> datetime | None:
    answered = checked.answered if checked is not None else None
    return answered.filled_in.astimezone(UTC) if answered is not None else None


def past_findings(checked: Checked | None) -> tuple[PastFinding, ...]:
    """What the checklist found, what blocks first."""
    judged = checked.judgement if checked is not None else None
    if judged is None:
        return ()
    found = (
        ("blocking", judged.blocking),
        ("to_confirm", judged.to_confirm),
        ("confirmed", judged.confirmed),
    )
    return tuple(
        PastFinding(one.question.name, one.answer, meant, one.reason)
        for meant, group in found
        for one in group
    )


def limits_reached(alarms: tuple[Alarm, ...]) -> tuple[LimitReached, ...]:
    """Alarms by cause, kind and priority, in order of first time."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for alarm in sorted(alarms, key=lambda a: a.t_on_s):
        found.setdefault((alarm.cause, alarm.kind, alarm.priority), []).append(alarm.t_on_s)
    return tuple(LimitReached(*key, times=len(t_s), first_s=t_s[0]) for key, t_s in found.items())


def _at_end(trace: Trace) -> tuple[float | None, float | None]:
    known = np.flatnonzero(np.isfinite(trace.skin_min_degc))
    if not len(known):
        return None, None
    return _finite(trace.skin_min_degc, known[-1]), _finite(trace.skin_min_u95_degc, known[-1])


def _finite(values: Floats, row: int) -> float | None:
    return float(values[row]) if np.isfinite(values[row]) else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if np.isfinite(value) else None


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
