"""The history as a treatment at the console uses it: what was before hands on, and it is kept as it ends."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from guidance.history.begun import NO_CODE, Begun, broken_off, note_begun, nothing_begun
from guidance.history.remember import Past, go_on, look_up_live, recorded_as, remember
from guidance.history.store import HistoryStore
from guidance.outcome import Outcome
from guidance.stages.state import Setup
from guidance.treatment.staged import Staged
from models.problems import InputError
from models.treatment import Treatment


class LiveHistory:
    """Of one treatment after the other, as they begin and end."""

    def __init__(self, path: Path | None) -> None:
        """Read nothing yet.

        Args:
            path: The file; None = neither read nor written.
        """
        self.path = path
        self._past: Past | None = None
        self._begun: Begun | None = None

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
        outcome = remember(outcome, past, setup)
        if self.path is not None and self._begun is not None and self._begun.subject == NO_CODE:
            nothing_begun(self.path, self._begun)  # it ended as it should, and will never be in the history
        elif self.path is not None and self._begun is not None:
            # What is in by now needs no note; what the history did not take stays noted.
            with suppress(InputError):
                broken_off(HistoryStore(self.path), subject=self._begun.subject)
        self._begun = None
        return outcome

    def started(self, treatment: Treatment, *, recording: Path | None) -> str:
        """Gas may flow from now on: note it where the next treatment looks, should this program die.

        Args:
            treatment: Without a code of its subject it will be in no history, and is noted all the same.
            recording: Its file.

        Returns:
            One sentence where that could not be noted; else empty.
        """
        if self.path is None or self._past is None:
            return ""
        begun = Begun(
            subject=treatment.subject or NO_CODE,
            zone=treatment.zone,
            side=treatment.side,
            device=treatment.device,
            protocol=treatment.protocol,
            started=treatment.started,
            recording=str(recording.absolute()) if recording is not None else "",
        )
        try:
            note_begun(self.path, begun)
        except InputError as trouble:
            return str(trouble)
        self._begun = begun
        return ""

    def drop(self, *, treated: bool = False) -> None:
        """It is over.

        Args:
            treated: Gas flowed: where it was not kept, the next treatment is told of it.
        """
        if not treated and self.path is not None and self._begun is not None:
            nothing_begun(self.path, self._begun)
        self._past = self._begun = None

    @property
    def waits(self) -> bool:
        """Whether a treatment has begun that is not kept yet."""
        return self._past is not None
