"""What ``cryoguide history`` prints."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.history import LimitReached, PastSession

NOT_KNOWN = "not known"
HEADINGS = ("subject", "zone and protocol", "gas (s)", "coldest (degC)", "STOPs", "recording")


def print_sessions(sessions: tuple[PastSession, ...], *, where: Path, console: Console | None = None) -> None:
    """Print one row a session, oldest first."""
    console = console or Console()
    if not sessions:
        console.print(Text(f"No session in {where}."), soft_wrap=True)
        return
    table = Table()
    for heading in (
        "started",
        "subject",
        "zone",
        "protocol",
        "gas (s)",
        "coldest (degC)",
        "STOPs",
        "recording",
    ):
        table.add_column(heading, no_wrap=heading == "recording")
    for past in sessions:
        stops = sum(limit.times for limit in past.limits if is_stop(limit))
        table.add_row(
            past.started.strftime("%Y-%m-%d %H:%M"),
            Text(past.subject),
            Text(f"{zone_words(past)}\n{past.protocol}"),
            f"{past.gas_s:.0f}",
            bounded(past.min_degc, past.min_u95_degc),
            str(stops),
            past.recording_sha256[:8],
        )
    console.print(table)


def is_stop(limit: LimitReached) -> bool:
    """Whether an alarm told the operator to stop the gas."""
    return limit.priority == "high" and limit.kind == "physiological"


def zone_words(past: PastSession) -> str:
    """Zone and side."""
    return past.zone if past.side == "both" else f"{past.zone}, {past.side}"


def bounded(value: float | None, u95: float | None) -> str:
    """A temperature with its bound, or that it is not known."""
    if value is None:
        return NOT_KNOWN
    return f"{value:.1f}" if u95 is None else f"{value:.1f} +- {u95:.1f}"
