"""One step that is recorded and then solved, as its page goes through it; for one thread at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from calibration.board import Board
from calibration.folder_steps import REFUSED, StepTold
from calibration.guided_run import put_aside
from calibration.kept_sitting import forget_takes, note_takes, only_takes, takes_of
from calibration.recorded_hints import Hint, Hints
from calibration.recorded_plan import RecordedStep
from calibration.recorded_solve import TAKES, Take, entries_trouble, solve_takes
from calibration.take_clock import TakeClock
from guidance.calibrating.rig_times import timed
from guidance.recording.bare import BareRecording
from models.capture import Capture
from models.problems import InputError
from models.rig import Rig

READY, RECORDING, SOLVING, TOLD = "ready", "recording", "solving", "told"


class RecordedFlow:
    """From what to set up to what came of it."""

    def __init__(
        self,
        step: RecordedStep,
        *,
        rig_file: Path,
        rig: Rig,
        times_by: Rig | None,
        keep: Path,
        board: Board,
        board_named: str,
        force: bool,
        now: Callable[[], datetime],
        patient: bool = True,
        go_on: bool = False,
    ) -> None:
        """Nothing is recorded yet.

        Args:
            step: What is done.
            rig_file: To go on from, and to write.
            rig: As it reads.
            times_by: With which the captures' times were worked out already; None = the cameras' own.
            keep: Folder for the recordings.
            board: Target of a check, or board of the depth camera.
            board_named: The same, as ``--board`` names it.
            force: Replace what is known better.
            now: For the rig's date.
            patient: Whether captures wait for the disk; cameras do not, and a recording that lacks more than
                colour pictures is refused.
            go_on: Whether recordings that wait to be worked out, of a sitting that was broken off, are taken
                over.
        """
        self._patient = patient
        self.step, self.phase, self.trouble = step, READY, ""
        self.outcome: StepTold | None = None
        self._streams: tuple[Hint, ...] = ()
        self._seen: tuple[Hint, ...] = ()
        self._rig_file, self._rig, self._times_by = rig_file, rig, times_by
        self._folder, self._keep, self._board_named = keep / TAKES[step.name], keep, board_named
        self._force, self._now = force, now
        self._look = Hints(step, rig, board)
        self._takes = takes_of(self._folder, now=now()) if go_on else list[Take]()
        self._entries = {
            one.key: one.value or (one.choices[0] if one.choices else "") for one in step.entries
        }
        self._clock = TakeClock(step.plan)
        self._refused = False
        """Whether it was refused before."""
        self._tape: BareRecording | None = None
        self._again: int | None = None
        """Recording that is to be made again, the others staying."""
        self._aside: Path | None = None
        """Where that one is meanwhile."""
        if self._takes:
            only_takes(self._folder, self._takes)
            self._ask_anew(material=self._next_material)
        else:
            put_aside(self._folder)

    def begin(self, entries: Mapping[str, str]) -> None:
        """Begin a recording, or say in `trouble` what is missing."""
        if self.phase != READY:
            return
        self.told_entries(entries)
        trouble = entries_trouble(self.step.name, self._entries)
        if trouble is None:
            try:
                self._tape = self._new_tape()
            except InputError as error:
                self._put_back()
                trouble = str(error)
        self.trouble = trouble or ""
        if trouble is None:
            # What was refused is looked at for as long as may be: slow noise is not seen within a short look.
            self._clock = (
                TakeClock(self.step.plan)
                if self._refused
                else TakeClock(self.step.plan, settled=self._look.settled, ready=self._look.ready)
            )
            self.phase = RECORDING
            self._look.begin(dict(self._entries))

    def told_entries(self, entries: Mapping[str, str]) -> None:
        """What stands in the fields now: hints go by it."""
        for one in self.step.entries:
            said = entries.get(one.key)
            if said is not None and (not one.choices or said in one.choices):
                self._entries[one.key] = said
        self._look.entries = dict(self._entries)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """What the pictures say."""
        return (*self._streams, *self._seen)

    def see(self, capture: Capture) -> None:
        """Look for what the step wants to see in one capture; this takes up to a tenth of a second."""
        if self.phase in (READY, RECORDING):
            self._seen = self._look.see(capture)

    def take(self, capture: Capture) -> None:
        """One capture as it comes; it is recorded where that is under way."""
        if self.phase not in (READY, RECORDING):
            return
        self._streams = self._look.came(capture)
        if self.phase != RECORDING or self._tape is None:
            return
        try:
            if self._clock.look(capture):
                kept = capture if self._times_by is not None else timed(capture, self._rig)
                if not self.step.colour:
                    kept = replace(kept, bgr=None, index=None)
                self._tape.take(kept, patient=self._patient)
            if self._clock.is_over:
                self._end_take()
        except InputError as error:
            self._drop()
            self.phase, self.trouble = READY, str(error)

    def gas_lost(self) -> None:
        """Nobody knows any more whether gas flows: a burst under way tells nothing."""
        if self.phase == RECORDING and any(one.gas for one in self.step.plan):
            self.cancel()
            self.trouble = (
                "The page that held the button for gas fell silent, so nobody knows how long gas flowed:"
                " record this burst again."
            )

    def cancel(self) -> None:
        """Leave nothing of the recording under way."""
        if self.phase == RECORDING:
            self._drop()
            self.phase = READY

    def enough(self) -> None:
        """Solve with the recordings that there are."""
        if self.phase == READY and self._may_solve:
            self.phase = SOLVING

    def again(self, take: int | None = None) -> None:
        """Record anew what was refused, or one recording of it; that also before it is worked out.

        Args:
            take: Counted from 0; None = all.
        """
        self._refused = self._refused or self.phase == TOLD
        if take is None and self.phase == TOLD:
            put_aside(self._folder)
            self._takes, self.outcome, self.phase, self.trouble = [], None, READY, ""
        elif take is not None and self.phase in (READY, TOLD) and take < len(self._takes):
            self._again, self.outcome, self.phase, self.trouble = take, None, READY, ""
            told = self._takes[take].entries
            self._entries |= told
            self._ask_anew(material=told.get("material"))

    def keep(self) -> None:
        """Leave the recording as it was that was to be made again."""
        if self.phase == READY and self._again is not None:
            self._again, self.trouble = None, ""
            self._ask_anew(material=None)

    @property
    def _number(self) -> int:
        """Of the recording that comes next."""
        return len(self._takes) if self._again is None else self._again

    @property
    def _may_solve(self) -> bool:
        return len(self._takes) >= self.step.takes and self._again is None

    @property
    def _next_material(self) -> str | None:
        """After the ice slurry the block under tape."""
        return "tape" if len(self._takes) == 1 else None

    def _ask_anew(self, *, material: str | None) -> None:
        """What is of each reference by itself is told anew: a temperature is never taken over unseen."""
        if "degc" in self._entries:
            self._entries["degc"] = ""
            if material is not None:
                self._entries["material"] = material
            self._look.begin(dict(self._entries))

    def solve(self) -> None:
        """Work it out; this takes seconds to a minute."""
        self.outcome = solve_takes(
            self.step.name,
            self._keep,
            self._rig_file,
            self._takes,
            board=self._board_named,
            force=self._force,
            now=self._now(),
        )
        forget_takes(self._folder)
        self.phase = TOLD

    def failed(self, why: str) -> None:
        """It cannot be worked out, by no fault of who recorded it; the recordings stay where they are."""
        name = self.step.name
        words = f"REFUSED. {why}. Record it again, or leave it out; {self._folder} holds what was recorded."
        self.outcome, self.phase = StepTold(name, REFUSED, (words,)), TOLD

    def told(self) -> dict[str, object]:
        """What a page shows of it."""
        step, clock, number = self.step, self._clock, self._number
        now = clock.now if self.phase == RECORDING else None
        return {
            "name": step.name,
            "title": step.title,
            "say": step.say,
            "set_up": list(step.set_up),
            "least_s": step.lasts_s if self._refused else step.least_s,
            "lasts_s": step.lasts_s,
            "take": number,
            "least": step.takes,
            "take_title": step.take_title(number),
            "takes": [one.title for one in self._takes],
            "again": self._again,
            "may_solve": self._may_solve,
            "more": step.more,
            "trouble": self.trouble,
            "entries": [
                {
                    "key": one.key,
                    "label": one.label,
                    "unit": one.unit,
                    "choices": list(one.choices),
                    "unknown": one.unknown,
                    "joined": one.joined,
                    "value": self._entries[one.key],
                }
                for one in step.entries
            ],
            "hints": [{"state": one.state, "words": one.words} for one in self.hints]
            if self.phase in (READY, RECORDING)
            else [],
            "now": None
            if now is None
            else {
                "say": now.say,
                "left_s": round(clock.left_s, 1),
                "all_left_s": round(clock.all_left_s, 1),
                "share": round(clock.share, 4),
                "kept": now.kept,
                "gas": now.gas,
                "anew": clock.looks_begun_anew,
            },
        }

    def _new_tape(self) -> BareRecording:
        by = self._rig if self._times_by is None else self._times_by
        kinds = (*(("colour",) if self.step.colour else ()), *self.step.needs)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as trouble:
            words = f"{self._folder} cannot be written ({trouble.strerror}); choose another folder."
            raise InputError(words) from trouble
        path = self._folder / f"{self._number:03d}.mcap"
        if self._again is not None:
            self._aside = put_aside(path)
        return BareRecording(
            path,
            kinds=kinds,
            rig=by,
            device=self._entries.get("device", ""),
            started=self._now(),
        )

    def _end_take(self) -> None:
        assert self._tape is not None
        self.phase, status = READY, self._tape.close()
        # Without some colour pictures it is thinner; without captures, thermal pictures or gas are missing.
        thinner = status.finished and not status.captures_lost and status.pictures_left_out > 0
        trouble = "" if thinner else status.trouble
        if not trouble and any(one.gas for one in self.step.plan) and not self._clock.valve_s:
            trouble = "No gas was told of in that recording: let the switch tell, or hold the large button."
        lacks = [one.kind for one in status.streams if not one.pictures]
        if not trouble and lacks:
            trouble = f"No {' and no '.join(lacks)} picture came meanwhile: look after the cameras."
        if trouble:
            self._drop()
            self.trouble = trouble
            return
        path, number, self._tape = self._tape.path, self._number, None
        title = self.step.take_title(number)
        degc = self._entries.get("degc")
        told = f"{title}: {degc} degC" if degc is not None else title
        if thinner:
            few = f"{status.pictures_left_out} colour pictures left out, the disk did not keep up"
            told = f"{told} ({few})" if told else few
        self._takes[number : number + 1] = [Take(path, dict(self._entries), told)]
        note_takes(self._folder, self._takes, now=self._now())
        self._again = self._aside = None
        self._ask_anew(material=self._next_material)
        if not self.step.more and len(self._takes) >= self.step.takes:
            self.phase = SOLVING

    def _drop(self) -> None:
        """Leave nothing of the recording under way; the one that it was to take the place of is back."""
        if self._tape is not None:
            self._tape.close()
            self._tape.path.unlink(missing_ok=True)
            self._tape = None
        self._put_back()

    def _put_back(self) -> None:
        if self._aside is not None:
            self._aside.rename(self._folder / f"{self._number:03d}.mcap")
            self._aside = None
