"""A calibration as it runs behind its page: pictures in on a thread of its own, what is shown out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from calibration.certificate import certificate_path
from calibration.folder_steps import MISSING, StepTold
from calibration.guided_run import THINGS, Wanted
from calibration.scale import Scale, scale_of
from guidance.calibrating.arriving import arriving
from guidance.calibrating.guided_flow import REFUSED, RUNNING, STUCK, GuidedFlow
from guidance.calibrating.recorded_flow import READY, RECORDING, SOLVING, TOLD, RecordedFlow
from guidance.calibrating.sitting import OVER, PRINT, Sitting
from guidance.calibrating.supply import GasButton, Supply
from guidance.calibrating.told import SHOWN_PX, advice_told, outcome_told, pictures_told
from models.capture import Capture
from models.problems import InputError

CHOOSE = "choose"
"""The list of all steps."""
_PLAYS = (RUNNING, RECORDING)
"""What is played goes on in these phases only."""

_NO_BUTTON_YET = GasButton()


class CalibrationRoom:
    """What pages are told; its actions may be called from any thread."""

    def __init__(
        self,
        supply: Supply,
        wanted: Callable[[Scale], Wanted],
        *,
        scale: Scale | None = None,
        choose: bool = False,
        gas: GasButton = _NO_BUTTON_YET,
        on_change: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing runs yet.

        Args:
            supply: Where pictures come from.
            wanted: What is to be calibrated, once the sheets' scale is known.
            scale: Of the sheets, where it was measured before.
            choose: Whether the technician chooses what to begin with.
            gas: The page's button for gas.
            on_change: Told on the room's thread that there is something new to show.
            now: Time of day.
        """
        self._supply, self.on_change = supply, on_change
        self._lock, self._stop, self._plays = threading.RLock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="calibration", daemon=True)
        self.gas, self._gas_by_hand, self.gas_lost = gas.flows, gas.by_hand, gas.lost
        self._phase, self.trouble, self.print_trouble, self.choose_trouble = CHOOSE, "", "", ""
        self._sitting = Sitting(wanted, supply, scale=scale, now=now)
        self._parts: dict[str, bytes] = {}
        self._scale_shown, self._ended_ = 1.0, False
        self.number = self.taken_total = 0
        if not choose:
            self.phase = self._sitting.go(self._sitting.wanted.steps)

    @property
    def _guided(self) -> GuidedFlow | None:
        return self._sitting.guided

    @property
    def _flow(self) -> RecordedFlow | None:
        return self._sitting.flow

    @property
    def phase(self) -> str:
        """What is under way."""
        return self._phase

    @phase.setter
    def phase(self, phase: str) -> None:
        self._phase = phase
        (self._plays.set if phase in _PLAYS else self._plays.clear)()

    def start(self) -> None:
        """Begin to read pictures."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._plays.set()
        self._thread.join(5.0)
        with self._lock:
            if self._flow is not None:
                self._flow.cancel()

    @property
    def certificate(self) -> Path | None:
        """The page beside the rig, where there is one."""
        path = certificate_path(self._sitting.wanted.rig)
        return path if path.exists() else None

    def measured(self, mm: float | Sequence[float] | None, *, insist: bool) -> None:
        """The rulers on the sheet were measured, A and B or one of them; None = they were not."""
        with self._lock:
            if self.phase != PRINT:
                return
            try:
                self._sitting.scale = scale_of(mm, insist=insist)
                self.phase = self._sitting.advance()
                self.print_trouble = ""
            except InputError as error:
                self._sitting.scale = None
                self.print_trouble = str(error).replace(" with --insist", "")  # a button on the page
        self._changed()

    def go(self, name: str | None) -> None:
        """Do one step, or all that are missing or lapsed."""
        with self._lock:
            if self.phase not in (CHOOSE, OVER) or self._ended_:
                return
            self.choose_trouble = ""
            sitting = self._sitting
            try:
                if name is None:
                    self.phase = sitting.go(sitting.missing())
                elif name in sitting.stands and sitting.stands[name].offered:
                    self.phase = sitting.go([name])
            except InputError as error:
                self.choose_trouble = str(error)
                self.phase = CHOOSE
        self._changed()

    def skip(self) -> None:
        """Leave the step under way out."""
        with self._lock:
            flow, guided = self._flow, self._guided
            if flow is not None and self.phase in (READY, TOLD, PRINT):
                if flow.outcome is None:
                    self._sitting.told[flow.step.name] = StepTold(flow.step.name, MISSING, ("Left out.",))
                self._next()
            elif guided is not None:
                guided.skip()
                self._follow_guided(guided)
        self._changed()

    def enough(self) -> None:
        """End the step under way with what was taken, where that is within its limit."""
        with self._lock:
            if self._flow is not None:
                self._flow.enough()
                self._follow(self._flow)
            elif self._guided is not None:
                self._guided.enough()
        self._changed()

    def again(self, take: int | None = None) -> None:
        """Take the pictures of a refused step again, or one recording (counted from 0) alone."""
        with self._lock:
            if self._flow is not None and self.phase in (READY, TOLD):
                self._flow.again(take)
                self._follow(self._flow)
            elif self._guided is not None:
                self._guided.again()
                self._follow_guided(self._guided)
        self._changed()

    def begin(self, entries: Mapping[str, str]) -> None:
        """Begin to record."""
        with self._lock:
            if self._flow is not None and self.phase == READY:
                self._flow.begin(entries)
                self._follow(self._flow)
        self._changed()

    def entered(self, entries: Mapping[str, str]) -> None:
        """What stands in the fields before a recording."""
        with self._lock:
            if self._flow is not None and self.phase == READY:
                self._flow.told_entries(entries)

    def keep(self) -> None:
        """Leave the recording as it was that was to be made again."""
        with self._lock:
            if self._flow is not None and self.phase == READY:
                self._flow.keep()
        self._changed()

    def cancel(self) -> None:
        """End the recording under way and leave nothing of it."""
        with self._lock:
            if self._flow is not None and self.phase == RECORDING:
                self._flow.cancel()
                self._follow(self._flow)
        self._changed()

    def overview(self) -> None:
        """Back to all steps; what was under way is left out."""
        with self._lock:
            if self.phase in (READY, TOLD, PRINT, REFUSED, RUNNING, STUCK) and not self._ended_:
                self._sitting.line, self.trouble = [], ""
                self._next()
                self.phase = CHOOSE
        self._changed()

    def told(self) -> tuple[dict[str, object], dict[str, bytes]]:
        """What a page shows now: figures and words, and pictures by name."""
        with self._lock:
            guided, flow, sitting = self._guided, self._flow, self._sitting
            step, advice = sitting.step, None if guided is None else guided.advice
            head: dict[str, object] = {
                "number": self.number,
                "phase": self.phase,
                "step": step,
                "thing": THINGS.get(step, "") if step is not None else "",
                "steps": sitting.steps_told(ended=self._ended_),
                "left": len(sitting.line),
                "trouble": self.trouble,
                "print_trouble": self.print_trouble,
                "choose_trouble": self.choose_trouble,
                "refused": None if guided is None else outcome_told(guided.refused),
                "recorded": None if flow is None else flow.told(),
                "outcome": outcome_told(flow.outcome) if flow is not None and self.phase == TOLD else None,
                "certificate": self.certificate is not None,
                "gas_by_hand": self._gas_by_hand,
                "ended": self._ended_,
                "rig": str(sitting.wanted.rig),
                "scale": self._scale_shown,
                "taken_total": self.taken_total,
                "may_end": guided is not None and guided.may_end,
                "advice": None if advice is None else advice_told(advice),
            }
            return head, dict(self._parts)

    def _next(self) -> None:
        """What is done is noted, and the next step begins."""
        self.phase = self._sitting.next()

    def _work(self) -> None:
        try:
            for capture in arriving(self._supply, self._take, stop=self._stop):
                if self._stop.is_set():
                    return
                self._look(capture)
                if self._supply.recorded:
                    self._plays_on()
                    if self.phase == OVER:
                        break
            if not self._stop.is_set():
                self._ended()
        except InputError as error:
            self.trouble = str(error)
        except Exception as error:  # the page must not stay still as if all were well
            self.trouble = f"This is a fault of cryoguide ({type(error).__name__}: {error})."
        self._changed()

    def _plays_on(self) -> None:
        """Wait until what is played may go on."""
        while self.phase != OVER and not self._stop.is_set() and not self._plays.wait(0.2):
            pass

    def _take(self, capture: Capture) -> None:
        """Each capture as it comes: a recording under way holds it, whatever is being looked at."""
        with self._lock:
            flow = self._flow
            if flow is not None:
                if self.gas_lost():
                    flow.gas_lost()
                flow.take(capture)
                self._follow(flow)

    def _look(self, capture: Capture) -> None:
        whole = [one for one in capture.thermal if not one.shutter]
        thermal, bgr = (whole[-1].centikelvin if whole else None), capture.bgr
        guided, flow, advice = self._guided, self._flow, None
        if guided is not None and bgr is not None:
            try:
                advice = guided.look(capture.t_s, bgr, thermal)
            except InputError as error:
                if self._supply.recorded:
                    raise
                with self._lock:
                    if self._guided is guided:
                        self.trouble = str(error)
        if flow is not None:
            flow.see(capture)
        warm_first = flow is not None and not flow.step.colour
        parts = pictures_told(bgr, thermal, warm_first=warm_first)
        with self._lock:
            if self._guided is guided and self._flow is flow:
                self._parts = parts or self._parts
                if bgr is not None:
                    self._scale_shown = min(1.0, SHOWN_PX / bgr.shape[1])
                if guided is not None:
                    self.taken_total += advice is not None and advice.taken
                    guided.see(advice)
                    self._follow_guided(guided)
        if parts:
            self._changed()
        if self.phase == SOLVING and guided is not None and self._guided is guided:
            told = guided.run.finish()
            with self._lock:
                guided.solved(told)
                self._sitting.look_at_rig()
                self._follow_guided(guided)
            self._changed()

    def _follow_guided(self, guided: GuidedFlow) -> None:
        """A guided step's own phase is the room's, until all of them are done."""
        self.phase = guided.phase
        if guided.is_over:
            self._next()

    def _follow(self, flow: RecordedFlow) -> None:
        """A recording's own phase is the room's; solving runs beside the pictures."""
        before, self.phase = self.phase, flow.phase
        if flow.phase == SOLVING and before != SOLVING:
            threading.Thread(target=self._work_out, args=(flow,), name="solving", daemon=True).start()

    def _work_out(self, flow: RecordedFlow) -> None:
        try:
            flow.solve()
        except Exception as error:  # the other steps go on, and this one may be recorded again
            flow.failed(f"This is a fault of cryoguide ({type(error).__name__}: {error})")
        with self._lock:
            if self._flow is flow:
                self.phase = flow.phase
                self._sitting.look_at_rig()
        self._changed()

    def _ended(self) -> None:
        """A recording is at its end: what is good enough already is solved, the rest is left out."""
        guided = self._guided
        while guided is not None and not guided.run.is_over and self.phase in (RUNNING, SOLVING):
            guided.end_step()
        with self._lock:
            self._ended_, self._sitting.line = True, []
            if self._flow is not None:
                name = self._flow.step.name
                if self.phase == RECORDING:
                    words = "What was played ended before the recording was over: play one that is longer."
                    self._sitting.told[name] = StepTold(name, MISSING, (f"REFUSED. {words}",))
                self._flow.cancel()
            if self.phase not in (SOLVING, TOLD):  # those stand until they were read
                self._next()

    def _changed(self) -> None:
        with self._lock:
            self.number += 1
        self.on_change()
