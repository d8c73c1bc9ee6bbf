"""The recordings that a console makes, one session's after the other's, and what is left of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from guidance.console.refusals import Refusals
from guidance.run import Run
from guidance.treatment.desk import Desk
from guidance.treatment.recording import Kept, LiveRecording
from guidance.treatment.staged import Staged

Record = Callable[[Staged], LiveRecording]
"""Begins a recording."""


class Recordings:
    """At most one at a time; the desk and what is refused go into it while it runs."""

    def __init__(self, record: Record | None, *, desk: Desk, refusals: Refusals) -> None:
        """Nothing is recorded yet.

        Args:
            record: Begins one; None = nothing is ever recorded.
            desk: Tells pages how it stands.
            refusals: Refused attempts, which go into its log as well.
        """
        self._record, self._desk, self._refusals = record, desk, refusals
        self.current: LiveRecording | None = None
        self.kept: Kept | None = None
        """Of the current one, once it is closed."""
        self.left: tuple[Path, ...] = ()
        """Files that were left of sessions in which nobody was treated."""

    @property
    def path(self) -> Path | None:
        """The current one's file."""
        return None if self.current is None else self.current.path

    async def begin(self, staged: Staged) -> None:
        """Record a session from now on.

        Raises:
            InputError: If the file cannot be written.
        """
        if self._record is None:
            return
        self.current = await asyncio.to_thread(self._record, staged)
        self._desk.recording, self.kept = self.current, None
        self._refusals.session = self.current.note

    def close(self, run: Run | None) -> Kept | None:
        """Finish the recording of a run, once."""
        self._refusals.session = None
        if self.current is not None and run is not None and self.kept is None:
            live = self._desk.live
            untaken = live.untaken() if live is not None else ()
            self.kept = self.current.close(untaken, t_s=max(run.state.t_s, 0.0))
        return self.kept

    def discard(self) -> None:
        """Leave no recording of a session in which nobody was treated."""
        self._refusals.session = None
        if self.current is not None:
            self.left = (*self.left, *self.current.discard())
            self.forget()

    def forget(self) -> None:
        """What was recorded is over."""
        self.current = self._desk.recording = None
