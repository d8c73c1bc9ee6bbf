"""What the checklist, and those of earlier sessions, say to whether a zone may be treated now."""

from __future__ import annotations

from collections.abc import Sequence

from guidance.outcome import Checked
from models.contraindications import Finding
from models.history import PastSession
from models.history_rules import Reason

RULE = "checklist"

NOT_GIVEN = (
    "No checklist was given (--checklist FILE; `cryoguide checklist --template FILE` writes one to fill in):"
    " whether anything speaks against the gas is not known."
)


def checklist_reasons(checked: Checked | None, before: Sequence[PastSession]) -> tuple[Reason, ...]:
    """Reasons for `models.history_rules.with_reasons`.

    Absolute findings refuse, and so do relative ones without the operator's reason. A list that is not
    filled in is told: it is neither clear nor a contraindication.

    Args:
        checked: The answers for this treatment; None = no file was given.
        before: Earlier sessions of the subject.
    """
    reasons: list[Reason] = []
    if checked is None:
        reasons.append(Reason(RULE, False, NOT_GIVEN))
    elif checked.judgement is None:
        reasons.append(Reason(RULE, False, checked.remark or NOT_GIVEN))
    else:
        judged = checked.judgement
        if judged.blocking:
            words = f"The checklist speaks against the gas: {_named(judged.blocking)}."
            reasons.append(Reason(RULE, True, words))
        if judged.to_confirm:
            words = f"The checklist wants a reason for going on: {_named(judged.to_confirm)}."
            reasons.append(Reason(RULE, True, words))
        if judged.confirmed:
            words = f"Confirmed by the operator with a reason: {_named(judged.confirmed)}."
            reasons.append(Reason(RULE, False, words))
    return (*reasons, *_last_time(before))


def _last_time(before: Sequence[PastSession]) -> tuple[Reason, ...]:
    """What spoke against the subject's last session whose checklist was kept."""
    asked = [past for past in before if past.checklist is not None]
    last = max(asked, key=lambda past: past.started, default=None)
    if last is None or not last.findings:
        return ()
    named = ", ".join(f"{found.question} ({found.answer})" for found in last.findings)
    words = f"Before the session of {last.started:%Y-%m-%d} the checklist found {named}: ask again."
    return (Reason(RULE, False, words),)


def _named(findings: tuple[Finding, ...]) -> str:
    return ", ".join(f"{found.question.name} ({found.answer})" for found in findings)
