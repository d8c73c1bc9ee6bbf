"""``cryoguide checklist``: what is asked before the gas, a file to fill in, and the answers judged."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from guidance.own_protocols import copy_questions
from models.catalogue import find, load_devices, load_protocols, load_questions, load_zones
from models.contraindications import (
    CLEAR,
    Checklist,
    Finding,
    Judgement,
    Question,
    Questions,
    departures,
    judge_answers,
    questions_for,
)
from models.contraindications_file import checklist_text, read_checklist
from models.history import is_code
from models.problems import InputError


def checklist(options: argparse.Namespace, *, now: datetime) -> bool:
    """Do what was asked.

    Args:
        options: As the command line has them.
        now: Time of day, in UTC.

    Returns:
        False where answers were judged and do not clear the treatment.

    Raises:
        InputError: If a file cannot be read or written, or anything is not known by its name.
    """
    if options.copy is not None:
        path = copy_questions(options.copy)
        print(f"Your copy  {path}\nEdit it, then check it:  cryoguide checklist --check {path}")
        return True
    if options.check is not None:
        _print_checked(load_questions(options.check, most=sys.maxsize))
        return True
    listed = load_questions(options.questions)
    zone, device = options.zone, options.device
    if zone is not None:
        find(load_zones(), zone, what="zone")
    if options.protocol is not None:
        device = find(load_protocols(), options.protocol, what="protocol").device
    if device is not None:
        find(load_devices(), device, what="device")
    if options.answers is not None:
        return _judge(options.answers, listed, zone=zone, device=device)
    asked = questions_for(listed, zone=zone, device=device)
    if options.template is not None:
        _write_template(options, listed, asked, zone=zone, device=device, now=now)
    else:
        _print_questions(asked, listed)
    return True


def judgement_lines(judged: Judgement) -> list[str]:
    """One line a finding, what blocks first."""
    heads = (
        ("Blocks", judged.blocking),
        ("Needs a reason", judged.to_confirm),
        ("Confirmed", judged.confirmed),
    )
    return [f"{head}: {_finding(found)}" for head, all_ in heads for found in all_]


def _judge(path: Path, listed: Questions, *, zone: str | None, device: str | None) -> bool:
    try:
        text = path.read_text("utf-8")
    except OSError as trouble:
        raise InputError(f"Cannot read {path} ({trouble.strerror}): name a file of answers.") from trouble
    except UnicodeDecodeError as trouble:
        raise InputError(f"{path} is not UTF-8 text: name a file of answers.") from trouble
    answered = read_checklist(text, where=str(path), known={q.name for q in listed.questions})
    for what, wanted, said in (("zone", zone, answered.zone), ("device", device, answered.device)):
        if wanted is not None and said is not None and wanted != said:
            raise InputError(
                f"{path} was filled in for the {what} {said}, not {wanted}: fill in another one."
            )
    asked = questions_for(listed, zone=zone or answered.zone, device=device or answered.device)
    judged = judge_answers(asked, answers=answered.answers, reasons=answered.reasons)
    for line in judgement_lines(judged):
        print(line)
    print(
        f"Answers of {answered.operator}, {answered.filled_in:%Y-%m-%d %H:%M %Z}:"
        f" {judged.verdict.replace('_', ' ')}."
    )
    _print_approval(listed)
    return judged.verdict == CLEAR


def _write_template(
    options: argparse.Namespace,
    listed: Questions,
    asked: Sequence[Question],
    *,
    zone: str | None,
    device: str | None,
    now: datetime,
) -> None:
    if options.operator is None or not is_code(options.operator):
        raise InputError("Name who fills it in by a code with a digit, never a name: --operator OP-1.")
    filled = Checklist(now, options.operator, {}, zone=zone, device=device)
    title = f"{zone or 'any zone'}, {device or 'any device'}"
    try:
        with options.template.open("x", encoding="utf-8") as file:
            file.write(checklist_text(asked, filled=filled, approval=listed.approval, title=title))
    except FileExistsError as trouble:
        raise InputError(f"{options.template} is there already; choose another name.") from trouble
    except OSError as trouble:
        raise InputError(
            f"{options.template} cannot be written ({trouble.strerror}); choose another place."
        ) from trouble
    print(f"To fill in  {options.template}\nThen:  cryoguide checklist --answers {options.template}")


def _print_questions(asked: Sequence[Question], listed: Questions) -> None:
    for question in asked:
        optional = ", may be left out" if question.optional else ""
        print(f"{question.name} ({question.kind}{optional})\n  {question.text}")
        if question.note is not None:
            print(f"  {question.note}")
        print(f"  source: {question.evidence.source} ({question.evidence.confidence} confidence)")
    _print_approval(listed)


def _print_checked(own: Questions) -> None:
    for sentence in departures(own, load_questions()):
        print(f"Note: {sentence}")
    print(f"No mistake found in {len(own.questions)} questions. Fingerprint  {own.seal}")
    _print_approval(own)


def _print_approval(listed: Questions) -> None:
    print(f"Note: these questions are {listed.approval}.")


def _finding(found: Finding) -> str:
    reason = f" Reason: {found.reason}" if found.reason else ""
    return f"{found.question.text} [{found.question.name}, {found.question.kind}] {found.answer}.{reason}"
