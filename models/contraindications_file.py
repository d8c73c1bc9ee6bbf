"""Text codecs of the list of contraindications and of the answers to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import UTC

from models.contraindications import (
    ABSOLUTE,
    NO,
    RELATIVE,
    UNANSWERED,
    UNKNOWN,
    YES,
    Checklist,
    Question,
    Questions,
)
from models.history import is_code
from models.protocol_file import read_evidence
from models.toml_table import MISTAKES_SHOWN, Table

QUESTIONS_SCHEMA = "cryoguide.contraindications/1"
CHECKLIST_SCHEMA = "cryoguide.checklist/1"

ABOUT = ("patient", "skin", "room", "test")
ANSWERS = (YES, NO, UNKNOWN, UNANSWERED)

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def read_questions(
    text: str,
    *,
    where: str,
    zones: Collection[str],
    devices: Collection[str],
    most: int = MISTAKES_SHOWN,
) -> Questions:
    """Read a list of contraindications.

    Args:
        text: Whole file.
        where: Name of the file for messages.
        zones: The zones that there are.
        devices: The device classes that there are.
        most: So many mistakes are told.

    Raises:
        InputError: If anything is missing, of the wrong kind or not known; all mistakes are told at once.
    """
    top = Table.parse(text, where=where, schema=QUESTIONS_SCHEMA)
    table = top.table("question")
    questions = tuple(
        _question(name, table.table(name), zones=tuple(zones), devices=tuple(devices))
        for name in table.names()
    )
    for question in questions:
        if not _NAME.fullmatch(question.name):
            table.wrong(question.name, "is no name such as cold-injury: use small letters, digits and dashes")
    listed = Questions(questions, top.optional_text("approved_by"))
    sealed = top.optional_text("approved_questions")
    if top.sound and not questions:
        top.wrong("question", "holds no question")
    if sealed is not None and listed.approved_by is None:
        top.wrong("approved_questions", "seals questions that nobody approved: add approved_by")
    elif sealed is not None and sealed != listed.seal:
        top.wrong(
            "approved_questions",
            f"is {sealed!r}, but these questions have {listed.seal!r}: they were changed after the approval,"
            " so have them approved again",
        )
    top.done()
    top.finish(where=where, most=most)
    return listed


def _question(name: str, table: Table, *, zones: tuple[str, ...], devices: tuple[str, ...]) -> Question:
    question = Question(
        name=name,
        text=table.text("text"),
        about=table.text("about", choices=ABOUT),
        kind=table.text("kind", choices=(ABSOLUTE, RELATIVE)),
        zones=_limited(table, "zones", zones),
        devices=_limited(table, "devices", devices),
        optional=table.flag("optional"),
        note=table.optional_text("note"),
        evidence=read_evidence(table),
    )
    if question.text and not question.text.rstrip().endswith("?"):
        table.wrong("text", "must be a question that yes or no answers, ending in a question mark")
    if question.optional and question.about != "test":
        table.wrong("optional", 'is for a test that need not be made: only about = "test" may be left out')
    table.done()
    return question


def _limited(table: Table, key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    return table.texts(key, choices=choices, least=1) if table.has(key) else ()


def read_checklist(text: str, *, where: str, known: Collection[str]) -> Checklist:
    """Read the answers of an operator.

    Args:
        text: Whole file.
        where: Name of the file for messages.
        known: Names of the questions that there are.

    Raises:
        InputError: If anything is missing, of the wrong kind or not known; all mistakes are told at once.
    """
    top = Table.parse(text, where=where, schema=CHECKLIST_SCHEMA)
    answers = top.table("answers")
    reasons = top.table("reasons") if top.has("reasons") else Table({})
    checklist = Checklist(
        filled_in=top.moment("time"),
        operator=top.text("operator"),
        answers={name: answers.text(name, choices=ANSWERS) for name in answers.names()},
        reasons={name: reasons.text(name) for name in reasons.names()},
        subject=top.optional_text("subject"),
        zone=top.optional_text("zone"),
        device=top.optional_text("device"),
    )
    for key, code in (("operator", checklist.operator), ("subject", checklist.subject)):
        if code and not is_code(code):
            top.wrong(
                key,
                f"is {code!r}: use a code of letters, digits, dots and dashes with at least one digit, never"
                " a name",
            )
    for table in (answers, reasons):
        for name in table.names():
            if name not in known:
                table.wrong(name, "is no question of the list (`cryoguide checklist` shows them)")
    for name in reasons.names():
        if name in known and checklist.answers.get(name, UNANSWERED) in (NO, UNANSWERED):
            reasons.wrong(name, "gives a reason, but the answer is neither yes nor unknown")
    top.done()
    top.finish(where=where)
    return checklist


def checklist_text(asked: Iterable[Question], *, filled: Checklist, approval: str, title: str) -> str:
    """The file that an operator fills in; what is not answered yet stands as unanswered.

    Args:
        asked: The questions.
        filled: What is known already: time, operator, subject, zone, device, answers and reasons.
        approval: Who approved the questions.
        title: What it is for, in words.
    """
    lines = [
        f"# Before the gas: {title}. Questions {approval}.",
        '# Answer each with "yes", "no" or "unknown". Yes speaks against the gas; "unanswered" and, where',
        '# the question is absolute, "unknown" block. A relative one needs a reason under [reasons]:',
        '#     diabetes = "sensation tested with a monofilament, normal"',
        "# Codes only, never a name.",
        f'schema = "{CHECKLIST_SCHEMA}"',
        f"time = {filled.filled_in.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f'operator = "{filled.operator}"',
    ]
    for key, value in (("subject", filled.subject), ("zone", filled.zone), ("device", filled.device)):
        if value is not None:
            lines.append(f'{key} = "{value}"')
    lines += ["", "[answers]"]
    for question in asked:
        optional = ", may be left out" if question.optional else ""
        lines.append(f"# {question.text} ({question.kind}{optional})")
        if question.note is not None:
            lines.append(f"#   {question.note}")
        lines.append(f'{question.name} = "{filled.answers.get(question.name, UNANSWERED)}"')
    lines += ["", "[reasons]"]
    return "\n".join(lines) + "\n"
