"""A calibration as it runs behind its page: pictures in on a thread of its own, what is shown out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from calibration.advice import Advice
from calibration.certificate import certificate_path
from calibration.folder_steps import ACCEPTED, KEPT, MISSING, StepTold
from calibration.guided_run import THINGS, GuidedRun, Wanted
from calibration.scale import Scale, scale_of
from guidance.calibrating import recorded_flow
from guidance.calibrating.arriving import newest_of, one_by_one
from guidance.calibrating.recorded_flow import RecordedFlow
from guidance.calibrating.sitting import OVER, PRINT, RUNNING, Sitting
from guidance.calibrating.told import SHOWN_PX, advice_told, outcome_told, pictures_told
from models.capture import Capture
from models.problems import InputError
from models.rig import Rig

Pictures = Callable[[threading.Event], Iterator[Capture]]
"""All that the cameras give, until the event is set."""

CHOOSE, REFUSED, STUCK = "choose", "refused", "stuck"
"""The list of all steps; what came of a guided step; a guided step that cannot go on, though others may."""
READY, RECORDING, SOLVING, TOLD = (
    recorded_flow.READY,
    recorded_flow.RECORDING,
    recorded_flow.SOLVING,
    recorded_flow.TOLD,
)
_PLAYS = (RUNNING, RECORDING)
"""What is played goes on in these phases only."""

ALL = ("colour", "thermal", "depth")


class CalibrationRoom:
    """What pages are told; its actions may be called from any thread."""

    def __init__(
        self,
        pictures: Pictures,
        wanted: Callable[[Scale], Wanted],
        *,
        scale: Scale | None = None,
        waits: bool = False,
        hurries: bool = False,
        cameras: Collection[str] = ALL,
        times_by: Rig | None = None,
        choose: bool = False,
        gas: Callable[[bool], None] = lambda _: None,
        gas_by_hand: bool = True,
        gas_lost: Callable[[], bool] = lambda: False,
        on_change: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing runs yet.

        Args:
            pictures: Where they come from.
            wanted: What is to be calibrated, once the sheets' scale is known.
            scale: Of the sheets, where it was measured before.
            waits: Whether pictures are of a recording: they wait until the sheets are measured.
            hurries: Whether pictures are of cameras, which do not wait until one was looked at: each is
                recorded as it comes, and the newest is looked at.
            cameras: Kinds that are there.
            times_by: Rig with which the pictures' times were worked out; None = they are the cameras' own.
            choose: Whether the technician chooses what to begin with.
            gas: Told that the button for gas is held, or was let go.
            gas_by_hand: Whether there is that button: no switch says whether gas flows.
            gas_lost: Asked whether whoever held that button fell silent.
            on_change: Told on the room's thread that there is something new to show.
            now: Time of day.
        """
        self._pictures, self._make, self.on_change = pictures, wanted, on_change
        self._lock, self._stop, self._plays = threading.RLock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="calibration", daemon=True)
        self._waits, self._hurries = waits, hurries
        self.gas, self._gas_by_hand, self.gas_lost = gas, gas_by_hand, gas_lost
        self._phase, self.trouble, self.print_trouble, self.choose_trouble = CHOOSE, "", "", ""
        self._sitting = Sitting(
            wanted, scale=scale, cameras=cameras, times_by=times_by, recorded=waits, hurries=hurries, now=now
        )
        self._advice: Advice | None = None
        self._refused: StepTold | None = None
        self._parts: dict[str, bytes] = {}
        self._scale_shown, self._skips, self._enough, self._ended_ = 1.0, 0, False, False
        self.number = self.taken_total = 0
        if not choose:
            self.phase = self._sitting.go(self._sitting.wanted.steps)

    @property
    def _run(self) -> GuidedRun | None:
        return self._sitting.run

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
            flow = self._flow
            if flow is not None and self.phase in (READY, TOLD, PRINT):
                if flow.outcome is None:
                    self._sitting.told[flow.step.name] = StepTold(flow.step.name, MISSING, ("Left out.",))
                self._next()
            elif self.phase == RUNNING:
                self._skips += 1
            elif self.phase == REFUSED and self._run is not None:
                self._run.skip()
                self.phase = RUNNING
                if self._run.is_over:
                    self._next()
        self._changed()

    def enough(self) -> None:
        """End the step under way with what was taken, where that is within its limit."""
        with self._lock:
            if self._flow is not None:
                self._flow.enough()
                self._follow(self._flow)
            else:
                self._enough = self.phase == RUNNING
        self._changed()

    def again(self, take: int | None = None) -> None:
        """Take the pictures of a refused step again, or one recording (counted from 0) alone."""
        with self._lock:
            if self._flow is not None and self.phase in (READY, TOLD):
                self._flow.again(take)
                self._follow(self._flow)
            elif self.phase == REFUSED:
                self.phase = RUNNING
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
            run, flow, sitting = self._run, self._flow, self._sitting
            step = sitting.step
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
                "refused": outcome_told(self._refused) if self.phase == REFUSED else None,
                "recorded": None if flow is None else flow.told(),
                "outcome": outcome_told(flow.outcome) if flow is not None and self.phase == TOLD else None,
                "certificate": self.certificate is not None,
                "gas_by_hand": self._gas_by_hand,
                "ended": self._ended_,
                "rig": str(sitting.wanted.rig),
                "scale": self._scale_shown,
                "taken_total": self.taken_total,
                "may_end": self.phase == RUNNING and run is not None and run.may_end,
                "advice": None if self._advice is None else advice_told(self._advice),
            }
            return head, dict(self._parts)

    def _next(self) -> None:
        """What is done is noted, and the next step begins."""
        self._advice, self._skips, self._enough = None, 0, False
        self.phase = self._sitting.next()

    def _work(self) -> None:
        try:
            came, stop = self._pictures(self._stop), self._stop
            taken = newest_of(came, self._take, stop=stop) if self._hurries else one_by_one(came, self._take)
            for capture in taken:
                if stop.is_set():
                    return
                self._look(capture)
                if self._waits:
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
        run, flow, advice = self._run, self._flow, None
        if run is not None and self.phase == RUNNING and bgr is not None:
            with self._lock:
                skips, self._skips = self._skips, 0
            for _ in range(skips):
                run.skip()
            try:
                advice = run.look(capture.t_s, bgr, thermal)
            except InputError as error:
                if self._waits:
                    raise
                with self._lock:
                    self.trouble, self.phase = str(error), STUCK
        if flow is not None:
            flow.see(capture)
        warm_first = flow is not None and not flow.step.colour
        parts = pictures_told(bgr, thermal, warm_first=warm_first)
        with self._lock:
            if self._run is run and self._flow is flow:
                self._see(advice, parts, capture)
        if parts:
            self._changed()
        if self.phase == SOLVING and run is not None and self._run is run:
            self._solve(run)

    def _see(self, advice: Advice | None, parts: dict[str, bytes], capture: Capture) -> None:
        run = self._run
        self._advice, self._parts = advice, parts or self._parts
        if capture.bgr is not None:
            self._scale_shown = min(1.0, SHOWN_PX / capture.bgr.shape[1])
        self.taken_total += advice is not None and advice.taken
        enough, self._enough = self._enough and run is not None and run.may_end, False
        if run is not None and advice is not None and (advice.done or enough):
            self.phase = SOLVING
        elif run is not None and run.is_over and self.phase == RUNNING:
            self._next()

    def _solve(self, run: GuidedRun) -> None:
        told = run.finish()
        with self._lock:
            if told.state in (ACCEPTED, KEPT):
                self.phase = RUNNING
                self._sitting.look_at_rig()
                if run.is_over:
                    self._next()
            else:
                self.phase, self._refused = REFUSED, told  # what is played waits for what is answered
            self._advice = None
        self._changed()

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
        run = self._run
        while run is not None and not run.is_over and self.phase in (RUNNING, SOLVING):
            step = run.step
            if step is not None and step.error_mm is not None:
                told = run.finish()
                if told.state in (ACCEPTED, KEPT):
                    continue
            run.skip()
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
