"""What a sitting goes through: which steps come next, what came of those before, and how the rig stands."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from calibration.folder_steps import StepTold
from calibration.guided_run import GuidedRun, Wanted
from calibration.kept_sitting import belongs, note_sitting
from calibration.outstanding import IMPOSSIBLE, NOT_YET, Outstanding, outstanding
from calibration.recorded_plan import CHECK, GUIDED, STEPS
from calibration.scale import Scale, scale_of, spec_of
from guidance.calibrating.guided_flow import RUNNING, GuidedFlow
from guidance.calibrating.recorded_flow import READY, RecordedFlow
from guidance.calibrating.supply import Supply
from guidance.calibrating.told import step_told
from models.rig_file import read_rig

PRINT, OVER = "print", "over"


class Sitting:
    """Not for several threads."""

    def __init__(
        self,
        make: Callable[[Scale], Wanted],
        supply: Supply,
        *,
        scale: Scale | None,
        now: Callable[[], datetime],
    ) -> None:
        """Nothing is begun.

        Args:
            make: What is to be calibrated, by the sheets' scale.
            supply: Where pictures come from.
            scale: Of the sheets; None = to be asked for where a step needs it.
            now: Time of day.

        Raises:
            InputError: If the rig cannot be read.
        """
        self._make, self._supply, self.scale, self._now = make, supply, scale, now
        self.wanted = make(scale if scale is not None else scale_of(None))
        self.guided: GuidedFlow | None = None
        self.flow: RecordedFlow | None = None
        self.told: dict[str, StepTold] = {}
        self.line: list[str] = []
        """Steps that are to come after the one under way."""
        self.used = belongs(self.wanted.keep, self.wanted.rig)
        """Whether the folder for pictures holds some of this sitting, or of one that was broken off."""
        self._begun = set[str]()
        self.look_at_rig()

    stands: dict[str, Outstanding]
    """How each step stands, by what the rig says."""

    @property
    def step(self) -> str | None:
        """Name of the step under way."""
        if self.flow is not None:
            return self.flow.step.name
        return self.guided.run.name if self.guided is not None else None

    def look_at_rig(self) -> None:
        """See how each step stands now."""
        found = outstanding(self.wanted.rig, cameras=self._supply.cameras, now=self._now())
        self.stands = {one.name: one for one in found}

    def missing(self) -> list[str]:
        """All that is to be done, or may be once others are."""
        wanted = {one.name for one in self.stands.values() if one.wanted or one.state == NOT_YET}
        return [name for name in self.wanted.steps if name in wanted and name != CHECK]

    def go(self, names: Collection[str]) -> str:
        """Do these steps, as far as the cameras allow them; gives the phase.

        Raises:
            InputError: See `advance`.
        """
        never = {one.name for one in self.stands.values() if one.state == IMPOSSIBLE}
        self.line = [name for name in names if name not in never]
        return self.advance()

    def advance(self) -> str:
        """The next of the line begins; gives the phase.

        Raises:
            InputError: If the rig cannot be read, or the folder for pictures holds others.
        """
        self.flow = None
        while self.line:
            if self.line[0] in GUIDED:
                if self.scale is None:
                    return PRINT
                self.wanted = self._make(self.scale)
                block = tuple(name for name in self.line if name in GUIDED)
                mine = replace(self.wanted, steps=block)
                recorded = self._supply.recorded
                self.guided = GuidedFlow(
                    GuidedRun(mine, recorded=recorded, going_on=self.used, now=self._now)
                )
                self._uses()
                self.line = [name for name in self.line if name not in GUIDED]
                return RUNNING
            name = self.line.pop(0)
            self.look_at_rig()
            if self.stands[name].offered:
                self.flow = self._flow_of(name)
                self._uses()
                return READY
        return OVER

    def next(self) -> str:
        """What is done is noted, and the next of the line begins; gives the phase.

        Raises:
            InputError: See `advance`.
        """
        if self.guided is not None:
            self.told |= self.guided.run.told
            self.guided = None
        if self.flow is not None and self.flow.outcome is not None:
            self.told[self.flow.step.name] = self.flow.outcome
        phase = self.advance()
        self.look_at_rig()
        return phase

    def steps_told(self, *, ended: bool) -> list[dict[str, object]]:
        """Each step, for the page.

        Args:
            ended: Whether nothing more can be done, for want of pictures.
        """
        every = self.told | (self.guided.run.told if self.guided is not None else {})
        if self.flow is not None and self.flow.outcome is not None:
            every[self.flow.step.name] = self.flow.outcome
        names = [*self.wanted.steps, *(() if CHECK in self.wanted.steps else (CHECK,))]
        return [step_told(name, every.get(name), self.stands.get(name), ended=ended) for name in names]

    def _uses(self) -> None:
        """The folder for pictures is of this sitting."""
        if not self._supply.recorded:
            note_sitting(self.wanted.keep, self.wanted.rig)
        self.used = True

    def _flow_of(self, name: str) -> RecordedFlow:
        wanted = self.wanted
        sheet = wanted.sheets.board if name == "depth" else wanted.sheets.target
        go_on = name not in self._begun and not self._supply.recorded
        self._begun.add(name)
        text = wanted.rig.read_text(encoding="utf-8")
        rig, _ = read_rig(text, where=str(wanted.rig))
        return RecordedFlow(
            STEPS[name],
            rig_file=wanted.rig,
            rig=rig,
            times_by=self._supply.times_by,
            keep=wanted.keep,
            board=sheet,
            board_named=spec_of(sheet),
            force=wanted.force,
            now=self._now,
            patient=not self._supply.hurries,
            go_on=go_on,
        )
