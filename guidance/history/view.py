"""What ``cryoguide history`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.history import LimitReached, PastSession
from models.history_rules import Allowed, Refused, Warned
from models.protocol import Protocol

NOT_KNOWN = "not known"
HEADINGS = ("subject", "zone, protocol", "gas (s)", "coldest (degC)", "STOPs", "recording")
SHORT = 8
"""Digits of a recording's key that are printed and are enough to name it."""


def print_sessions(sessions: Sequence[PastSession], *, where: Path, console: Console | None = None) -> None:
    """Print one row a session, oldest first."""
    console = console or Console()
    if not sessions:
        console.print(Text(f"No session in {where}."), soft_wrap=True)
        return
    table = Table(show_lines=True)
    table.add_column("started (UTC)", width=10)
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=heading in ("recording", "subject"))
    for past in sessions:
        on = " (goes on)" if past.continues is not None else ""
        table.add_row(
            past.started.strftime("%Y-%m-%d %H:%M"),
            Text(past.subject),
            Text(f"{zone_words(past)}{on}\n{past.protocol}"),
            f"{past.gas_s:.0f}",
            bounded(past.min_degc, past.min_u95_degc),
            str(sum(limit.times for limit in past.limits if limit.is_stop)),
            past.recording_sha256[:SHORT],
        )
    console.print(table)


def print_session(past: PastSession, *, console: Console | None = None) -> None:
    """Print all that is kept of one session."""
    console = console or Console()
    rows = {
        "Subject": past.subject,
        "Zone": zone_words(past),
        "Protocol": f"{past.protocol}, figures {past.protocol_sha256[:12]}",
        "Approval": past.protocol_approved_by or "not approved by a clinician",
        "Device": past.device,
        "Duration": _figure(past.duration_s, "s"),
        "Gas": _figure(past.gas_s, "s"),
        "Gas per tile": ", ".join(f"{seconds:.1f}" for seconds in past.tile_time_s) + " s"
        if past.tile_time_s
        else NOT_KNOWN,
        "Unassigned": _figure(past.unassigned_s, "s"),
        "Coldest": bounded(past.min_degc, past.min_u95_degc, unit=" degC"),
        "Coldest at the end": bounded(past.end_degc, past.end_u95_degc, unit=" degC"),
        "Area": _figure(past.area_cm2, "cm2"),
        "Overexposed": _figure(past.overexposed_cm2, "cm2"),
        "Unknown": _figure(past.unknown_cm2, "cm2"),
        "Checklist": _checklist(past),
        "Software": past.software,
        "Kept": "as the treatment ended" if past.live else "when its recording was analysed",
        "Recording": past.recording_sha256,
    }
    if past.continues is not None:
        rows["Goes on from"] = f"{past.continues[:SHORT]}, {_figure(past.gap_s, 's')} before"
    title = Text(past.started.strftime("%Y-%m-%d %H:%M:%S UTC"))
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("figure", overflow="fold")
    for what, figure in rows.items():
        table.add_row(what, Text(figure))
    console.print(table)
    if past.limits:
        console.print(_limits(past.limits))


def print_verdict(
    verdict: Allowed | Warned | Refused,
    *,
    protocol: Protocol,
    sessions: int,
    console: Console | None = None,
) -> None:
    """Print whether a zone may be treated, what refuses first."""
    console = console or Console()
    for reason in verdict.reasons:
        word, style = ("Refused", "bold red") if reason.refuses else ("Warning", "yellow")
        console.print(Text(f"{word}: {reason.words}", style=style), soft_wrap=True)
    if all(reason.rule == "checklist" for reason in verdict.reasons):
        counted = "1 earlier session" if sessions == 1 else f"{sessions} earlier sessions"
        console.print(f"Nothing in the history speaks against it ({counted} of the subject).")
    if protocol.approved_by is None:
        note = f"Note: protocol {protocol.name} is {protocol.approval}."
        console.print(Text(note, style="yellow"), soft_wrap=True)


def zone_words(past: PastSession) -> str:
    """Zone and side."""
    return past.zone if past.side == "both" else f"{past.zone}, {past.side}"


def bounded(value: float | None, u95: float | None, *, unit: str = "") -> str:
    """A temperature with its bound, or that it is not known."""
    if value is None:
        return NOT_KNOWN
    return f"{value:.1f}{unit}" if u95 is None else f"{value:.1f} +- {u95:.1f}{unit}"


def _checklist(past: PastSession) -> str:
    """What was asked before the gas, and what was found."""
    if past.checklist is None:
        return NOT_KNOWN
    words = past.checklist.replace("_", " ")
    if past.checklist_at is not None:
        words += f", {past.checklist_at:%Y-%m-%d %H:%M UTC}"
    for found in past.findings:
        why = f": {found.reason}" if found.reason else ""
        words += f"\n{found.question} {found.answer} ({found.meant.replace('_', ' ')}{why})"
    return words


def _limits(limits: tuple[LimitReached, ...]) -> Table:
    table = Table()
    for heading in ("alarm", "priority", "times", "first"):
        table.add_column(heading)
    for limit in limits:
        table.add_row(limit.cause, limit.priority, str(limit.times), f"{limit.first_s:.2f} s")
    return table


def _figure(value: float | None, unit: str) -> str:
    return NOT_KNOWN if value is None else f"{value:.1f} {unit}"
