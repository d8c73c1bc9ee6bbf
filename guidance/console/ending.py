"""What is told at the terminal when a console is not served any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guidance.treatment.course import DONE, PAUSED, REPORTING, RUNNING, STOPPED


@dataclass(frozen=True)
class Ended:
    """How a served treatment ended."""

    words: str
    """One sentence or more for the terminal."""
    whole: bool
    """Nothing was begun that is not reported."""
    still_runs: bool = False
    """A compiler still runs on a thread that cannot be stopped."""


def how_it_ended(
    phase: str,
    *,
    report: Path | None,
    recording: Path | None,
    lacks: str = "",
    left: Sequence[Path] = (),
) -> Ended:
    """How a treatment ended that was left in a phase.

    Args:
        phase: Of the course.
        report: The report's folder, where one was written.
        recording: The file, where one was closed.
        lacks: What the file lacks, or why it could not be finished; empty where it is whole.
        left: What else is left of sessions in which nobody was treated: logs of refused attempts.
    """
    not_whole = f"The recording {recording} is not whole: {lacks}" if recording is not None and lacks else ""
    if phase == DONE and report is not None:
        return Ended(f"The report is in {report}" + (f"\n{not_whole}" if not_whole else ""), whole=True)
    files = f" The recording is closed: {recording}" if recording is not None else ""
    files = f" {not_whole}" if not_whole else files
    if phase in (RUNNING, PAUSED):
        what = "Ended in mid-session, with the valve as it was: close it. There is no report."
    elif phase in (STOPPED, REPORTING, DONE):
        what = "Ended before a report was written."
    else:
        kept = f" Gas flowed before Start, so the recording is kept: {recording}" if recording else ""
        noted = f" Attempts are kept in {', '.join(map(str, left))}" if left else ""
        none = " No recording is left." if recording is None else ""
        return Ended(f"Ended; nothing was treated.{kept or none}{noted}", whole=True)
    if recording is None:
        return Ended(f"{what} Nothing was recorded.", whole=False)
    return Ended(f"{what}{files}\n`cryoguide analyze` makes a report of it.", whole=False)
