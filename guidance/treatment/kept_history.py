"""The history as a treatment at the console uses it: what was before hands on, and it is kept as it ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from guidance.history.remember import Past, go_on, look_up_live, recorded_as, remember
from guidance.outcome import Outcome
from guidance.stages.state import Setup
from guidance.treatment.staged import Staged


class LiveHistory:
    """Of one treatment after the other, as they begin and end."""

    def __init__(self, path: Path | None) -> None:
        """Read nothing yet.

        Args:
            path: The file; None = neither read nor written.
        """
        self.path = path
        self._past: Past | None = None

    def begin(self, staged: Staged) -> Staged:
        """A treatment begins: the same is handed on to it as an analysis of its recording will find."""
        self._past = look_up_live(staged.setup.treatment, history=self.path)
        return replace(staged, setup=go_on(staged.setup, self._past, staged.session))

    def keep(self, outcome: Outcome, setup: Setup, *, recording: Path | None) -> Outcome:
        """The treatment has ended: judge it by what was before, and keep it, once.

        Args:
            outcome: The whole of it.
            setup: In force at its end.
            recording: Its file, which is written no more; None = it was not recorded.
        """
        if self._past is None:
            return outcome
        past, self._past = recorded_as(self._past, recording, treatment=setup.treatment), None
        return remember(outcome, past, setup)

    def drop(self) -> None:
        """Nothing was treated."""
        self._past = None

    @property
    def waits(self) -> bool:
        """Whether a treatment has begun that is not kept yet."""
        return self._past is not None
