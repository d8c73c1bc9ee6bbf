"""What was refused at the console, and who was let in: told at once, and kept in a chained log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from guidance.console.guard import Allowance
from guidance.recording.chained_log import ChainedLog
from models.problems import InputError

ENTRIES_A_SECOND, ENTRIES_AT_ONCE = 1.0, 60.0
"""Whoever knocks without a pause fills neither the screen nor the disk: the rest is counted."""
WORDS_MOST = 300
"""Letters of one entry."""
KIND = "access"

SessionLog = Callable[[str, dict[str, Any]], None]
"""The log of a session that is being recorded: kind and what is told."""


def access_log_of(out: Path) -> Path:
    """Where attempts are kept as long as no session is recorded: beside the report.

    Args:
        out: The report's folder.
    """
    stem = out.name.removesuffix("-live-report").removesuffix("-report")
    return out.with_name(f"{stem}-live-access.log")


class Refusals:
    """Tells and keeps; a log that cannot be written is told once and disturbs nothing."""

    def __init__(self, path: Path, *, say: Callable[[str], None], allowance: Allowance | None = None) -> None:
        """Nothing is written before there is something to write.

        Args:
            path: The log used as long as no session is recorded; gone on with where it is there.
            say: Prints.
            allowance: How much is told.
        """
        self._path, self._say = path, say
        self.allowance = allowance or Allowance(a_second=ENTRIES_A_SECOND, at_once=ENTRIES_AT_ONCE)
        self._log: ChainedLog | None = None
        self._failed = False
        self._untold = 0
        self.session: SessionLog | None = None
        """Of the session that is being recorded; None = there is none."""

    def note(self, words: str) -> None:
        """Tell and keep one sentence."""
        if not self.allowance.take():
            self._untold += 1
            return
        words = words if len(words) <= WORDS_MOST else f"{words[:WORDS_MOST]} ..."
        if self._untold:
            words, self._untold = f"{words} ({self._untold} more before it were only counted.)", 0
        self._say(words)
        told = {"words": words}
        if self.session is not None:
            self.session(KIND, told)
            return
        try:
            if self._log is None and not self._failed:
                self._log = ChainedLog(self._path)
            if self._log is not None:
                self._log.append(KIND, told)
        except (InputError, OSError) as trouble:
            self._log, self._failed = None, True
            self._say(f"Attempts are printed only, since their log cannot be written: {trouble}")

    def close(self) -> None:
        """Write what was only counted, and the last line."""
        if self._untold:
            self.allowance = Allowance()
            untold, self._untold = self._untold, 0
            self.note(f"Refused: {untold} more attempts, which were only counted.")
        if self._log is not None:
            try:
                self._log.close()
            except OSError as trouble:
                self._say(f"The log of attempts was not finished: {trouble}")
            self._log = None
