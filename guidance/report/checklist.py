"""What the report says of the checklist before the gas."""

from __future__ import annotations

from guidance.outcome import Outcome
from guidance.report.markup import about, bullets, section
from models.contraindications import Finding


def before_gas(outcome: Outcome) -> str:
    """What spoke against the treatment, and what the operator said to it."""
    checked = outcome.checked
    if checked is None:
        return ""
    judged, answered = checked.judgement, checked.answered
    if judged is None or answered is None:
        return section("Before the gas", "", name="before", lead=checked.remark or "Not filled in.")
    lead = {
        "blocked": "The answers block this treatment.",
        "needs_confirmation": "Something speaks against this treatment, and no reason to go on was given.",
        "clear": "Every question was answered, and nothing that blocks was found.",
    }[judged.verdict]
    lines = [
        f"{head}: {_words(found)}"
        for head, findings in (
            ("Blocks", judged.blocking),
            ("Without a reason", judged.to_confirm),
            ("Confirmed by the operator", judged.confirmed),
        )
        for found in findings
    ]
    rows = [
        ("Answered by", answered.operator),
        ("Answered at", answered.filled_in.strftime("%Y-%m-%d %H:%M %Z")),
        ("Questions", checked.listed.approval),
    ]
    return section(
        "Before the gas", (bullets(lines) if lines else "") + about(rows), name="before", lead=lead
    )


def _words(found: Finding) -> str:
    reason = f" Reason: {found.reason}" if found.reason else ""
    return f"{found.question.text} {found.answer[0].upper()}{found.answer[1:]}.{reason}"
