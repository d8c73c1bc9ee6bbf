"""The guided steps as their page goes through them: looked at on one thread, asked for things from others."""

from __future__ import annotations

import threading

from calibration.advice import Advice
from calibration.folder_steps import ACCEPTED, KEPT, StepTold
from calibration.guided_run import GuidedRun
from guidance.calibrating.recorded_flow import SOLVING
from guidance.calibrating.told import played_out
from models.geometry import Bytes, Counts
from models.problems import InputError

RUNNING, REFUSED, STUCK = "running", "refused", "stuck"
"""Pictures are looked at; what came of a step is to be read; a step cannot go on, though others may."""


class GuidedFlow:
    """From the first picture to what came of the last step.

    All but `look` is asked under the room's lock.
    """

    def __init__(self, run: GuidedRun) -> None:
        """Nothing is looked at yet."""
        self.run, self.phase = run, RUNNING
        self.advice: Advice | None = None
        """Of the newest picture."""
        self.refused: StepTold | None = None
        """The step that is to be read about, and taken again or left out."""
        self._lock, self._skips, self._enough = threading.Lock(), 0, False

    @property
    def may_end(self) -> bool:
        """Whether what was taken is enough, if the technician says so."""
        return self.phase == RUNNING and self.run.may_end

    @property
    def is_over(self) -> bool:
        """Whether no step is left."""
        return self.phase == RUNNING and self.run.is_over

    def skip(self) -> None:
        """Leave the step under way out: before the next picture, or at once where none is looked at."""
        if self.phase == RUNNING:
            with self._lock:
                self._skips += 1
        elif self.phase == REFUSED:
            self.run.skip()
            self.refused, self.phase = None, RUNNING

    def enough(self) -> None:
        """End the step under way with what was taken, where that is within its limit."""
        self._enough = self.phase == RUNNING

    def again(self) -> None:
        """Take the pictures of the refused step again."""
        if self.phase == REFUSED:
            self.refused, self.phase = None, RUNNING

    def look(self, t_s: float, bgr: Bytes, thermal: Counts | None) -> Advice | None:
        """See one pair of pictures; None where none is looked at now.

        Raises:
            InputError: If the step under way cannot go on; it is stuck then.
        """
        if self.phase != RUNNING:
            return None
        with self._lock:
            skips, self._skips = self._skips, 0
        for _ in range(skips):
            self.run.skip()
        try:
            return self.run.look(t_s, bgr, thermal)
        except InputError:
            self.phase = STUCK
            raise

    def see(self, advice: Advice | None) -> None:
        """What the look told: the step may be ready to be solved by it."""
        self.advice = advice
        enough, self._enough = self._enough and self.run.may_end, False
        if advice is not None and (advice.done or enough):
            self.phase = SOLVING

    def solved(self, told: StepTold) -> None:
        """Go on after a step that the run has finished, or wait until what was refused was read."""
        self.advice = None
        if told.state in (ACCEPTED, KEPT):
            self.phase = RUNNING
        else:
            self.refused, self.phase = told, REFUSED

    def end_step(self) -> None:
        """No more pictures come: the step under way is solved if it is good enough, else left out."""
        step = self.run.step
        if step is not None and step.error_mm is not None and self.run.finish().state in (ACCEPTED, KEPT):
            return
        self.run.skip(played_out(step))
