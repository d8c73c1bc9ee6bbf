"""The log of actions and alarms beside a recording: whether it is all that the recording knows of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from guidance.recording.chained_log import seal_of, verify
from models.problems import InputError
from vision.encrypted import SUFFIX as ENCRYPTED
from vision.mcap_recording import McapRecording
from vision.source import SUFFIX

RECOVERED = "-recovered"
"""What `cryoguide recover` puts behind the name of a recording, whose log stays where it is."""

HOLDS, BROKEN_OFF, CUT_OFF, CHANGED, MISSING = "holds", "broken_off", "cut_off", "changed", "missing"


@dataclass(frozen=True)
class LogBeside:
    """What was found of it."""

    name: str
    state: str
    """``holds``; ``broken_off``: all is there that the recording names, and no line ends it, as neither was
    ended; ``cut_off``: lines are missing at its end; ``changed``; ``missing``."""
    lines: int
    """That hold."""
    words: str
    """One sentence; empty where all is well."""


def log_of(recording: Path) -> Path:
    """The log of actions and alarms beside a recording."""
    return recording.with_name(stem_of(recording) + ".log")


def stem_of(recording: Path) -> str:
    """Name of a recording without its endings."""
    return recording.name.removesuffix(ENCRYPTED).removesuffix(SUFFIX)


def log_beside(recording: McapRecording) -> LogBeside | None:
    """Hold the log beside a recording against what the recording says of it.

    Each 0.2 s a recording notes how many lines its log has and the seal of the last one: lines that are cut
    off at the end are found by that, although the chain that is left holds.

    Args:
        recording: Finished or not.

    Returns:
        What was found; None where there is no log and the recording knows of none.
    """
    log = log_of(recording.path)
    if not log.exists() and stem_of(recording.path).endswith(RECOVERED):
        log = recording.path.with_name(stem_of(recording.path).removesuffix(RECOVERED) + ".log")
    if not log.exists() and recording.sealed is None:
        return None
    return held_against(log, recording)


def held_against(log: Path, recording: McapRecording) -> LogBeside:
    """The same for a log by name."""
    name, sealed = log.name, recording.sealed
    try:
        found = verify(log)
    except InputError as trouble:
        words = f"The log of actions and alarms beside the recording is not known: {trouble}"
        return LogBeside(name, MISSING, 0, words)
    lines = found.lines
    if sealed is not None and (lines < sealed[0] or _seal_at(log, sealed[0]) != sealed[1]):
        if lines >= sealed[0]:
            words = f"{name} is not as it was when it was recorded: line {sealed[0]} has another seal."
            return LogBeside(name, CHANGED, lines, words)
        lacks = f"{name} holds for {lines} lines and had {sealed[0]} or more: its end was cut off or changed"
        why = "" if recording.ended else ", or the power failed before the disk had it"
        return LogBeside(name, CUT_OFF, lines, f"{lacks}{why}.")
    if found.trouble:
        return LogBeside(
            name, CHANGED, lines, f"The log of actions and alarms does not hold: {found.trouble}"
        )
    if found.closed:
        return LogBeside(name, HOLDS, lines, "")
    if recording.ended:
        words = f"No line ends {name} although its recording was ended: lines were cut off at its end."
        return LogBeside(name, CUT_OFF, lines, words)
    there = (
        "whether lines were cut off at its end is not known"
        if sealed is None
        else f"the {sealed[0]} lines that the recording names are there, later ones are not vouched for"
    )
    words = f"No line ends {name}, as the recording was broken off as well: {there}."
    return LogBeside(name, BROKEN_OFF, lines, words)


def reported_seal(log: Path) -> tuple[str, str] | None:
    """The seal of a log's last line as the report of its session holds it.

    Log and recording may have been cut off together; a report that lies beside them was written before.

    Args:
        log: The log.

    Returns:
        Name of the report's folder and the seal; None where no report beside the log names it.
    """
    for path in sorted(log.absolute().parent.glob("*/summary.json")):
        try:
            summary = json.loads(path.read_text("utf-8"))
            recorded = summary["console"]["recorded"]
            if recorded["log"] == log.name:
                return path.parent.name, str(recorded["log_seal_sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of an analysis, or none of ours
    return None


def _seal_at(log: Path, lines: int) -> str:
    """Seal of the last of the first lines."""
    return seal_of(log.read_bytes().split(b"\n")[lines - 1])
