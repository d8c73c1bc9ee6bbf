"""A treatment with its console, as it is served: what runs, what is recorded, what is written at the end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from guidance.console.beeper import watch
from guidance.console.ending import Ended, how_it_ended
from guidance.console.guard import Guard
from guidance.console.opened import opened
from guidance.console.pages import Console
from guidance.console.pairing import Pairing
from guidance.console.preparing import Prepare, Preparing
from guidance.console.recordings import Record, Recordings
from guidance.console.refusals import Refusals, access_log_of
from guidance.console.watches import heed, look, recheck
from guidance.live.loop import LiveRun
from guidance.live.steady import steady
from guidance.outcome import Outcome
from guidance.run import Run
from guidance.treatment.camera_room import CameraRoom
from guidance.treatment.course import CHECKLIST, DETAILS, PREFLIGHT, ZONE
from guidance.treatment.gas_from_input import GasFromInput
from guidance.treatment.kept_history import LiveHistory
from guidance.treatment.recording import (
    Kept,
    history_remark,
    recorded_figures,
    recorded_remarks,
)
from guidance.treatment.report import live_outcome, write_live_report
from guidance.treatment.staged import Staged
from models.problems import InputError


class Served:
    """One treatment with its console: what a server serves."""

    def __init__(
        self,
        staged: Staged | CameraRoom,
        *,
        out: Path,
        note: Callable[[str], None],
        record: Record | None = None,
        prepare: Prepare | None = None,
        beep: Callable[[], None] = lambda: None,
        history: Path | None = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            staged: What is guided, or a room with cameras where the operator chooses that.
            out: Folder for the report.
            note: Told of refused attempts, which are logged as well.
            record: Begins a recording; None = nothing is recorded.
            prepare: Done once the page can be seen, before the first capture.
            beep: Sounds by this machine where no page shows the treatment.
            history: The file of earlier treatments, in which this one is kept; None = neither read nor
                written. A recording that is played is no treatment.
        """
        self._history = LiveHistory(history if isinstance(staged, CameraRoom) else None)
        self._beep = beep
        self.out = out
        self._preparing = None if prepare is None else Preparing(prepare, ending=lambda: self._ending)
        self._room = staged if isinstance(staged, CameraRoom) else None
        self._staged = staged if isinstance(staged, Staged) else None
        self._run: Run | None = None
        self.desk, hello = opened(staged, history=history)
        self.desk.finish, self.desk.started, self.desk.turned = self._finish, self._started, self._turned
        self.refusals = Refusals(access_log_of(out), say=note)
        self.console = Console(self.desk, hello=hello, note=self.refusals.note)
        self._recordings = Recordings(record, desk=self.desk, refusals=self.refusals)
        self._ending, self._left_in = False, PREFLIGHT
        self._answered: datetime | None = None
        """By when all was answered before the gas."""
        self._began_s = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._in_turn = asyncio.Lock()

    @property
    def staged(self) -> Staged:
        """What is guided."""
        assert self._staged is not None, "nothing was chosen yet"
        return self._staged

    @property
    def run(self) -> Run:
        """What has been stepped."""
        assert self._run is not None, "nothing is guided yet"
        return self._run

    def application(
        self, *, hosts: tuple[str, ...], scheme: str = "http", pairing: Pairing | None = None
    ) -> Guard:
        """To be served, see `Console.application`."""
        return self.console.application(hosts=hosts, scheme=scheme, pairing=pairing, lifespan=self._life)

    def note(self, refused: str) -> None:
        """Tell of a refused attempt, and keep it."""
        self.refusals.note(refused)

    def ended(self) -> Ended:
        """How it ended, once it is not served any more."""
        kept, left = self._recordings.kept, self._recordings.left
        recording = None if kept is None else self.out.with_name(kept.file)
        still = self._preparing is not None and self._preparing.runs
        lacks = "" if kept is None else kept.status.trouble or ""
        ended = how_it_ended(
            self._left_in, report=self.desk.report, recording=recording, lacks=lacks, left=left
        )
        return replace(ended, still_runs=still)

    @contextlib.asynccontextmanager
    async def _life(self) -> AsyncGenerator[None]:
        self._loop = asyncio.get_running_loop()
        self._do(self._get_ready())
        watches = [watch(self._shown, self._beep), heed(self.desk, self.console)]
        if self._room is not None:
            watches += [
                look(self._room, self.desk, self.console),
                recheck(self._room, self.desk, self.console),
            ]
        watching = [asyncio.create_task(work) for work in watches]
        try:
            with steady():
                yield
        finally:
            self._ending = True
            for task in watching:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._left_in = self.desk.course.phase
            if self.desk.course.treating:
                self.refusals.note(f"Ended from the terminal in mid-session ({self.desk.course.phase}).")
            await self._end()
            self.refusals.close()

    def _shown(self) -> bool:
        """Whether a page shows the treatment, or none runs."""
        runs = self.desk.course.treating or (self.desk.gas_now and not self.desk.over)
        return not runs or self.console.is_shown

    def _do(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _soon(self, call: Callable[..., None]) -> Callable[..., None]:
        """A call that other threads may make."""

        def there(*what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the server has gone
                self._loop.call_soon_threadsafe(call, *what)

        return there

    async def _get_ready(self) -> None:
        """Compile what runs from the first gas on; a recording then begins to play."""
        if self._preparing is not None:
            trouble = await self._preparing.get_ready(told=self._prepared)
            if trouble is not None:
                self._ended(trouble)
                return
        if self._staged is not None and not self._ending:
            await self._begin(self._staged)

    async def _begin(self, staged: Staged) -> None:
        """Guide; where that cannot begin the page says so."""
        async with self._in_turn:
            try:
                if staged.go_on is not None:
                    staged = replace(staged, setup=staged.go_on(staged.setup))
                if self._room is not None:
                    staged = self._history.begin(staged)
                self._staged, self.desk.setup = staged, staged.setup
                self._run = run = Run(staged.setup, staged.session)
                await self._recordings.begin(staged)
            except InputError as problem:
                self._ended(str(problem))
                return
            recording = self._recordings.current
            live = LiveRun(
                run,
                staged.pictures(),
                told=self._soon(self.console.stepped),
                ended=self._soon(self._ended),
                listener=None if recording is None else recording.listener(run),
            )
            self.desk.live = live
            self.console.begin_anew()
            live.start()

    async def _end(self) -> None:
        """End what runs, and its recording."""
        async with self._in_turn:
            if self.desk.live is not None:
                await asyncio.to_thread(self.desk.live.close)
            if self._untouched:
                await asyncio.to_thread(self._recordings.discard)
            else:
                await asyncio.to_thread(self._recordings.close, self._run)
            treated = self._run is not None and self._run.state.gas_total_s > 0.0
            if treated and self._history.waits:
                try:
                    await asyncio.to_thread(self._keep, self._found(self._recordings.kept))
                except Exception as trouble:  # it must not keep the program from ending
                    what = f"{type(trouble).__name__}: {trouble}"
                    then = ": analyse its recording" if self._recordings.path is not None else ""
                    self.refusals.note(f"This treatment is not in the history ({what}){then}.")
            self._history.drop(treated=treated)

    async def _start_over(self) -> None:
        """The operator goes back behind the zone: what ran until now is over, and nothing was treated."""
        await self._end()
        self._recordings.forget()
        self.desk.live = None
        self.desk.over, self.desk.latest, self.desk.fault = False, None, None
        self.console.begin_anew()

    def _turned(self, before: str, after: str) -> None:
        """With cameras a session begins once it is chosen and the checklist answered."""
        if self._room is None:
            return
        if (before, after) == (DETAILS, CHECKLIST):
            staged = self._room.stage(self.desk.course)
            self.desk.asked = staged.asked
            self.console.hello = staged.hello() | {"choices": self._room.choices.told()}
        elif (before, after) == (CHECKLIST, ZONE):
            self._staged = staged = self._room.stage(self.desk.course)
            self.desk.setup, self.desk.gas = staged.setup, staged.gas
            self._do(self._begin(staged))
        elif (before, after) == (ZONE, CHECKLIST):
            self._do(self._start_over())

    def _prepared(self, steps: tuple[int, int] | None) -> None:
        self.desk.preparing = steps
        self.console.wake()

    def _ended(self, fault: str | None) -> None:
        self.desk.ended(fault)
        self.console.wake()

    def _started(self) -> None:
        # With cameras the session's clock starts once all is answered; a recording has a time of its own.
        staged = self.staged
        if unnoted := self._history.started(staged.setup.treatment, recording=self._recordings.path):
            self.refusals.note(unnoted)
        self._answered = datetime.now(UTC) if staged.gas is None else staged.setup.treatment.started
        self._answered = self._answered.replace(microsecond=0)  # as it is written
        if (recording := self._recordings.current) is not None:
            t_s = self.desk.t_s or 0.0
            recording.answered(staged, self.desk.course, t_s=t_s, now=self._answered)

    def _finish(self) -> None:
        self._do(self._write())

    async def _write(self) -> None:
        trouble: str | None = None
        try:
            outcome = await asyncio.to_thread(self._outcome)
            await asyncio.to_thread(write_live_report, outcome, self.out)
        except InputError as problem:
            trouble = str(problem)
        except Exception as problem:
            trouble = f"The report could not be written ({type(problem).__name__}: {problem})."
        self.desk.wrote(None if trouble else self.out, trouble=trouble)
        self.console.wake()

    def _outcome(self) -> Outcome:
        live = self.desk.live
        if live is None or not live.close():
            raise InputError("The last step does not end, so there is no report; run `cryoguide analyze`.")
        return self._keep(self._found(self._recordings.close(self._run)))

    def _keep(self, outcome: Outcome) -> Outcome:
        """Judge it by the history, and keep it there."""
        return self._history.keep(outcome, self.run.setup, recording=self._recordings.path)

    def _found(self, kept: Kept | None) -> Outcome:
        live, played = self.desk.live, self._room is None
        remark = history_remark(kept, played=played, wanted=self._history.path is not None)
        return live_outcome(
            self.run,
            self.desk.course,
            asked=self.staged.asked,
            listed=self.staged.listed,
            runtime_s=time.monotonic() - self._began_s,
            now=self._answered or datetime.now(UTC),
            recorded=recorded_figures(kept),
            remarks=(
                *recorded_remarks(kept, unrecorded=None if live is None else live.unrecorded),
                *((remark,) if remark else ()),
                *((self.desk.gas.remark(),) if isinstance(self.desk.gas, GasFromInput) else ()),
            ),
        )

    @property
    def _untouched(self) -> bool:
        """Whether neither Start was pressed nor gas has flowed: nobody was treated."""
        return self._answered is None and self._run is not None and self._run.state.gas_total_s == 0.0
