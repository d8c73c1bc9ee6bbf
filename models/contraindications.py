"""Before the gas: what speaks against treating, as validated data, and the judgement of the answers.

The questions themselves are in ``models/data/contraindications.toml``; reading them is in `models.catalogue`.
Every question is put so that *yes* speaks against the gas. Unknown is never safe: what nobody answered
blocks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256

from models.protocol import NOT_APPROVED, SEAL, Evidence

ABSOLUTE, RELATIVE = "absolute", "relative"
YES, NO, UNKNOWN, UNANSWERED = "yes", "no", "unknown", "unanswered"
BLOCKED, NEEDS_CONFIRMATION, CLEAR = "blocked", "needs_confirmation", "clear"


@dataclass(frozen=True)
class Question:
    """One thing that may speak against the treatment."""

    name: str
    text: str
    """Put to the operator, in plain English; yes speaks against the gas."""
    about: str
    """``patient``, ``skin``, ``room`` or ``test``."""
    kind: str
    """``absolute``: yes blocks; ``relative``: yes needs the operator's confirmation with a reason."""
    zones: tuple[str, ...]
    """Zones that it concerns; empty = all."""
    devices: tuple[str, ...]
    """Device classes that it concerns; empty = all."""
    optional: bool
    """Whether it may stay unanswered: a test that need not be made."""
    note: str | None
    """What must be known to answer it."""
    evidence: Evidence

    def concerns(self, *, zone: str | None, device: str | None) -> bool:
        """Whether it is asked; a zone or device that is not known may be any."""
        return (zone is None or not self.zones or zone in self.zones) and (
            device is None or not self.devices or device in self.devices
        )


@dataclass(frozen=True)
class Questions:
    """The whole list."""

    questions: tuple[Question, ...]
    approved_by: str | None
    """None: not approved by a clinician, and said so wherever it shows."""

    @property
    def approval(self) -> str:
        """Who approved it, in words that stand wherever the list shows."""
        return f"approved by {self.approved_by}" if self.approved_by else NOT_APPROVED

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all questions with their evidence, whoever approved them."""
        listed = [asdict(question) for question in self.questions]
        return sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()

    @property
    def seal(self) -> str:
        """The digits of the fingerprint that an approval names."""
        return self.fingerprint[:SEAL]


@dataclass(frozen=True)
class Checklist:
    """What an operator answered before the gas."""

    filled_in: datetime
    operator: str
    """A code, never a name."""
    answers: Mapping[str, str]
    """``yes``, ``no``, ``unknown`` or ``unanswered`` by name of the question."""
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why the operator goes on, by name of the question."""
    subject: str | None = None
    zone: str | None = None
    device: str | None = None
    """What it was filled in for; None = not said."""


@dataclass(frozen=True)
class Finding:
    """One question whose answer is not a plain no."""

    question: Question
    answer: str
    reason: str | None


@dataclass(frozen=True)
class Judgement:
    """What the answers mean."""

    blocking: tuple[Finding, ...]
    """Absolute ones answered yes or unknown, and all that nobody answered."""
    to_confirm: tuple[Finding, ...]
    """Relative ones answered yes or unknown without a reason."""
    confirmed: tuple[Finding, ...]
    """Relative ones that the operator confirmed with a reason."""

    @property
    def verdict(self) -> str:
        """``blocked``, ``needs_confirmation`` or ``clear``."""
        if self.blocking:
            return BLOCKED
        return NEEDS_CONFIRMATION if self.to_confirm else CLEAR


def questions_for(listed: Questions, *, zone: str | None, device: str | None) -> tuple[Question, ...]:
    """The questions that a zone and a device ask for; all of them where neither is known."""
    return tuple(q for q in listed.questions if q.concerns(zone=zone, device=device))


def judge_answers(
    asked: Collection[Question], *, answers: Mapping[str, str], reasons: Mapping[str, str]
) -> Judgement:
    """Judge the answers to a list of questions.

    Args:
        asked: The questions, as `questions_for` chose them.
        answers: By name of the question; a missing one is unanswered.
        reasons: Why the operator goes on, by name of the question. No reason lifts an absolute one.

    Returns:
        ``clear`` only where each question has an answer, no absolute one speaks against the gas, and each
        relative one that does, or is not known, is confirmed with a reason.
    """
    blocking: list[Finding] = []
    to_confirm: list[Finding] = []
    confirmed: list[Finding] = []
    for question in asked:
        answer = answers.get(question.name, UNANSWERED)
        reason = reasons.get(question.name, "").strip() or None
        if answer == NO or (answer == UNANSWERED and question.optional):
            continue
        finding = Finding(question, answer, reason)
        if answer not in (YES, UNKNOWN) or question.kind != RELATIVE:
            blocking.append(finding)
        elif reason is None:
            to_confirm.append(finding)
        else:
            confirmed.append(finding)
    return Judgement(tuple(blocking), tuple(to_confirm), tuple(confirmed))


def departures(own: Questions, shipped: Questions) -> tuple[str, ...]:
    """Where an own list asks less than the one that comes with the software, one sentence each."""
    mine = {question.name: question for question in own.questions}
    told: list[str] = []
    for question in shipped.questions:
        found = mine.get(question.name)
        if found is None:
            told.append(f"{question.name} ({question.kind}) is not asked.")
            continue
        if (question.kind, found.kind) == (ABSOLUTE, RELATIVE):
            told.append(f"{question.name} is relative here and absolute in the catalogue.")
        if found.optional and not question.optional:
            told.append(f"{question.name} may stay unanswered here.")
        for what, here, there in (
            ("zones", found.zones, question.zones),
            ("devices", found.devices, question.devices),
        ):
            if here and (not there or not set(there) <= set(here)):
                told.append(f"{question.name} concerns fewer {what} here.")
    return tuple(told)
