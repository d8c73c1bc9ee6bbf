"""What the report says of earlier sessions, and of treating again."""

from __future__ import annotations

from guidance.outcome import Outcome
from guidance.report.markup import about, bullets, clock, number, section, short, typeset
from models.history_rules import Allowed, Refused, Warned
from models.protocol import Again, Rule


def earlier(outcome: Outcome) -> str:
    """What was done to the subject before, and what the protocol says of treating again."""
    before = outcome.earlier
    if before is None:
        return ""
    verdict = before.verdict
    lead = {
        Allowed: "The protocol allowed this session after what was before.",
        Warned: "The protocol allowed this session after what was before; the operator had to know:",
        Refused: "The protocol does not want this session so soon after what was before:",
        type(None): "This session was held against no earlier one: what was before is not known.",
    }[type(verdict)]
    body = bullets(typeset(reason.words) for reason in verdict.reasons) if verdict and verdict.reasons else ""
    rows = [
        ("Earlier sessions of the subject", "not known" if before.sessions is None else str(before.sessions))
    ]
    if before.sessions:
        total_s = short(outcome.protocol.session_time_s)
        rows.append(("Session total used before", f"{number(before.session_used_s)} s of {total_s} s"))
    if before.continues is not None and before.gap_s is not None:
        went = f"recording {before.continues[:8]}, {clock(before.gap_s)} min before; maps and times count on"
        rows.append(("Goes on from", went))
    return section("Earlier sessions", body + about(rows), name="earlier", lead=lead)


def again_figures(again: Again) -> list[tuple[str, str, str]]:
    """When the zone may be treated again: key of the evidence, name, value."""
    a_day = "no figure" if again.a_day is None else _rule(again.a_day, 1.0, "")
    return [
        ("zone_interval_s", "Same zone again after", _rule(again.interval_s, 3600.0, "h")),
        ("sessions_a_day", "Sessions on a zone in 24 h, at most", a_day),
        ("rewarmed_degc", "Skin rewarmed above", _rule(again.rewarmed_degc, 1.0, "°C")),
        (
            "resume_within_s",
            "An interrupted session goes on within",
            f"{short(again.resume_within_s / 60)} min",
        ),
        ("perfusion_low_s", "Blood flow may stay low for", f"{short(again.perfusion_low_s / 3600)} h"),
    ]


def _rule(rule: Rule, unit_s: float, unit: str) -> str:
    return f"{short(rule.value / unit_s)} {unit}".strip() + ("" if rule.refuses else ", warns only")
