"""From a treatment at the console to its report: the outcome of an analysis, and what was done there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from guidance.checklist.answers import checklist_figures
from guidance.outcome import Checked, Outcome
from guidance.report.page import write_report
from guidance.report.record import write_tables
from guidance.run import Run
from guidance.treatment.course import Course
from models.contraindications import Checklist, Question, Questions
from models.treatment import Treatment
from vision.files import atomic_folder


def live_outcome(
    run: Run,
    course: Course,
    *,
    asked: Sequence[Question],
    listed: Questions,
    runtime_s: float,
    now: datetime,
    recorded: Mapping[str, object] | None = None,
    remarks: Sequence[str] = (),
) -> Outcome:
    """Everything that is written of a treatment at the console.

    Args:
        run: After its last step.
        course: What the operator did.
        asked: Questions before the gas.
        listed: The list that they come from.
        runtime_s: Real time that it took.
        now: By when all was answered, in UTC.
        recorded: Where the session was recorded, and how much of it; None = it was not.
        remarks: One sentence for each thing that the reader must know.
    """
    outcome = run.outcome(runtime_s=runtime_s)
    duration_s = min(outcome.duration_s, run.state.t_s)
    checked = _checked(run, course, asked=asked, listed=listed, now=now)
    told = [f"Pain was reported at {_clock(t_s)}." for t_s in course.pain_s]
    log = [{"t_s": entry.t_s, "what": entry.what} for entry in course.log]
    treatment = outcome.treatment
    return replace(
        outcome,
        # Whom the operator named, where the recording that is played names nobody.
        treatment=replace(treatment, subject=treatment.subject or course.subject or None),
        duration_s=duration_s,
        checked=checked,
        summary=outcome.summary
        | {
            "duration_s": duration_s,
            "checklist": checklist_figures(checked),
            "console": {
                "operator": course.operator,
                "subject": course.subject or None,
                "stopped_by": course.stopped_by,
                "log": log,
                "recorded": recorded,
            },
        },
        warnings=(*told, *remarks, *outcome.warnings),
    )


def write_live_report(outcome: Outcome, out: Path) -> None:
    """Write tables and report; an older report is replaced as a whole.

    Raises:
        InputError: If the folder cannot be written.
    """
    with atomic_folder(out) as aside:
        write_tables(outcome, aside)
        write_report(outcome, aside / "report.html")


def filled_in(treatment: Treatment, course: Course, *, now: datetime) -> Checklist:
    """The answers of a course, as the file of them has them."""
    return Checklist(
        filled_in=now,
        operator=course.operator,
        answers=course.answers,
        reasons=course.reasons,
        subject=course.subject or None,
        zone=treatment.zone,
        device=treatment.device,
    )


def _checked(
    run: Run, course: Course, *, asked: Sequence[Question], listed: Questions, now: datetime
) -> Checked:
    treatment, judged = run.setup.treatment, course.judged(tuple(asked))
    answered = filled_in(treatment, course, now=now)
    return Checked(judged.verdict, judged, answered, listed, None)


def _clock(t_s: float | None) -> str:
    return "an unknown time" if t_s is None else f"{t_s:.1f} s"
