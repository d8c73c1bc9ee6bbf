"""The checklist of a recorded session: what its operator answered before the gas, and what that means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from guidance.outcome import Checked
from models.contraindications import CLEAR, Finding, Questions, judge_answers, questions_for
from models.contraindications_file import read_checklist
from models.problems import InputError
from models.treatment import Treatment

FILE = "checklist.toml"

HOLDS = timedelta(hours=12)
"""Answers older than this at the start of a session are not of this treatment (own figure: a working day)."""

NOT_FILLED_IN = "not_filled_in"


def judge_checklist(
    read: Callable[[], bytes | None],
    treatment: Treatment,
    listed: Questions,
    *,
    played_at: datetime | None = None,
) -> Checked:
    """Judge the answers that belong to a session.

    Trouble with them is a remark and never stops an analysis: they then count as not filled in.

    Args:
        read: Gives the file; None = there is none.
        treatment: What was treated, with what, and when.
        listed: The questions.
        played_at: When the session was played at the console: answers given there, within `HOLDS` from then
            on, are of this session as well.
    """
    return _judged(
        read,
        FILE,
        listed,
        subject=treatment.subject,
        zone=treatment.zone,
        device=treatment.device,
        started=treatment.started,
        played_at=played_at,
    )


def judge_file(
    path: Path, listed: Questions, *, subject: str | None, zone: str, device: str, started: datetime
) -> Checked:
    """Judge a file of answers for one treatment; answers of another one count as not filled in.

    Args:
        path: The file.
        listed: The questions.
        subject: Code of the subject; None = not known, and any will do.
        zone: What is treated.
        device: With what.
        started: When.
    """
    return _judged(
        path.read_bytes, path.name, listed, subject=subject, zone=zone, device=device, started=started
    )


def _judged(
    read: Callable[[], bytes | None],
    name: str,
    listed: Questions,
    *,
    subject: str | None,
    zone: str,
    device: str,
    started: datetime,
    played_at: datetime | None = None,
) -> Checked:
    try:
        text = read()
        if text is None:
            return _nothing(
                f"No {name}: whether anything spoke against this treatment was not filled in.", listed
            )
        answered = read_checklist(text.decode("utf-8"), where=name, known={q.name for q in listed.questions})
    except (InputError, OSError, UnicodeDecodeError) as trouble:
        return _nothing(f"{name} cannot be read, so it counts as not filled in: {trouble}", listed)
    for what, said, true in (
        ("subject", answered.subject, subject),
        ("zone", answered.zone, zone),
        ("device", answered.device, device),
    ):
        if said is not None and true is not None and said.casefold() != true.casefold():
            words = f"{name} is for the {what} {said}, not {true}, so it counts as not filled in."
            return _nothing(words, listed)
    # Answers are dated to the second.
    at_console = played_at is not None and (timedelta(seconds=-1) <= answered.filled_in - played_at <= HOLDS)
    if not at_console and not timedelta(0) <= started - answered.filled_in <= HOLDS:
        when = f"{answered.filled_in:%Y-%m-%d %H:%M %Z}"
        words = (
            f"{name} was filled in at {when}, not within 12 h before the session: it counts as not filled in."
        )
        return _nothing(words, listed)
    asked = questions_for(listed, zone=zone, device=device)
    judged = judge_answers(asked, answers=answered.answers, reasons=answered.reasons)
    remark = None
    if judged.verdict != CLEAR:
        words = "blocks this treatment" if judged.blocking else "lacks a reason"
        remark = f'The checklist filled in before the gas {words}: see "Before the gas" in the report.'
    return Checked(judged.verdict, judged, answered, listed, remark)


def checklist_figures(checked: Checked) -> dict[str, object]:
    """As they go into the summary."""
    judged, answered = checked.judgement, checked.answered
    return {
        "verdict": checked.verdict,
        "operator": answered.operator if answered else None,
        "time": answered.filled_in.isoformat() if answered else None,
        "blocking": _listed(judged.blocking) if judged else None,
        "to_confirm": _listed(judged.to_confirm) if judged else None,
        "confirmed": _listed(judged.confirmed) if judged else None,
        "remark": checked.remark,
        "questions_sha256": checked.listed.fingerprint,
        "questions_approved_by": checked.listed.approved_by,
    }


def _listed(findings: tuple[Finding, ...]) -> list[dict[str, str | None]]:
    return [{"question": f.question.name, "answer": f.answer, "reason": f.reason} for f in findings]


def _nothing(words: str, listed: Questions) -> Checked:
    return Checked(NOT_FILLED_IN, None, None, listed, words)
