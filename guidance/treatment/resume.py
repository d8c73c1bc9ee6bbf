"""Going on after a crash: from the exposure that a recording of the interrupted session tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from guidance.checklist.answers import FILE as CHECKLIST
from guidance.history.entry import kept_exposure
from guidance.history.remember import SHUT_S, handed_on, look_up, remember
from guidance.outcome import Outcome
from guidance.recording.log_beside import RECOVERED, stem_of
from guidance.recording.replay import inputs, setup_then
from guidance.report.zone_words import touch_remarks
from guidance.run import Run
from guidance.stages.state import Setup
from guidance.treatment.choice import Choice
from guidance.treatment.course import Course
from guidance.treatment.preflight import Check
from guidance.zone_work import ZoneMade, made_of
from models.carry import Carried
from models.catalogue import load_questions
from models.contraindications_file import read_checklist
from models.earlier import COLD_PERFUSION
from models.problems import InputError
from vision.files import sha256_of_all
from vision.mcap_file import is_whole
from vision.mcap_recording import McapRecording, last_mark, open_mcap
from vision.source import SUFFIX

CLOCK_S = 1.0
"""A clock that is kept right by small steps stands back by no more (own choice)."""


@dataclass(frozen=True, eq=False)
class Interrupted:
    """A session that was interrupted, replayed to the last capture that its recording holds."""

    path: Path
    recording: McapRecording
    then: Setup
    run: Run
    outcome: Outcome
    ended: datetime
    """Time of day of its last capture."""
    course: Course
    """Where the treatment that goes on with it stands: as chosen and answered then."""

    def hand_on(self, setup: Setup, *, now: datetime, shut: bool) -> Setup:
        """The setup of a session that begins now, with what is handed on to it.

        The time since then is unassigned; gas may have flowed in it unless the valve was shut before and
        after.

        Args:
            setup: Of the session that goes on.
            now: Time of day of its beginning.
            shut: Whether no gas flows as it begins.

        Raises:
            InputError: If it is another treatment.
        """
        _same_treatment(self.path, self.then, setup)
        gap_s = self.gap_s(now)
        gas_s = self.run.state.gas_total_s
        gap_gas_s = 0.0 if shut and not _open(self.outcome) else gap_s
        # The key under which the history keeps it.
        key = sha256_of_all((self.path,))
        carried = _handed_on(self.run, self.outcome, key, gap_s=gap_s, shut=shut)
        perfusion = self.then.perfusion
        return replace(
            setup,
            carried=carried,
            session_used_s=self.then.session_used_s + gas_s + gap_gas_s,
            perfusion=min(perfusion, COLD_PERFUSION) if gas_s > 0.0 else perfusion,
            made=self._made(),
        )

    def _made(self) -> ZoneMade | None:
        """What the operator had made of the zone; of the session before where this one never had a zone."""
        state = self.run.state
        return made_of(state.work) if state.on_skin is not None else self.then.made

    def keep(self, history: Path) -> str:
        """Put the interrupted session into the history, since it has been replayed anyway.

        Args:
            history: The file.

        Returns:
            One sentence: that it is there, or why not.
        """
        past = look_up(self.recording, history=history)
        kept = remember(self.outcome, past, self.run.setup)
        if past.store is None or past.subject is None or kept.warnings[-1:] != self.outcome.warnings[-1:]:
            return f"{self.path.name} is not in the history: {' '.join(kept.warnings[-1:])}"
        return f"{self.path.name} is in the history now: {self.run.state.gas_total_s:.0f} s of gas."

    def gap_s(self, now: datetime) -> float:
        """How long nobody has watched.

        Raises:
            InputError: If the time of day says that it has not begun yet.
        """
        return _gap_s(self.path, self.ended, now)

    def check(self, now: datetime) -> Check:
        """What the operator is told before."""
        gas_s = self.run.state.gas_total_s
        words = (
            f"{self.path.name}: {gas_s:.0f} s of gas so far; nobody watched for {self.gap_s(now):.0f} s yet"
        )
        if self.run.state.work.elsewhere:
            words += "; the zone was outlined anew: outline it again, and mark again what to leave out"
        elif self._made() is not None:
            words += "; the zone is as it was changed then: look at it"
        for told in touch_remarks(self.run.touch):
            words += f". {told.rstrip('.')}; it is done anew now"
        return Check("Goes on from", "look", words)


def interrupted(path: Path, *, now: datetime, say: Callable[[str], None]) -> Interrupted:
    """Replay the recording of an interrupted session from what was seen.

    Args:
        path: The recording.
        now: Time of day.
        say: Told what takes its time.

    Raises:
        InputError: If it cannot be read, ended too long ago, or later than now.
    """
    recording = open_mcap(path, from_sightings=True)
    then, ended = setup_then(recording), ended_at(recording)
    gap_s, within_s = _gap_s(path, ended, now), then.protocol.again.resume_within_s
    if gap_s > within_s:
        raise InputError(
            f"{path} ended {gap_s / 60.0:.0f} min ago, and a session is gone on with for"
            f" {within_s / 60.0:.0f} min only: start anew without --resume,"
            " with what the protocol asks for between two sessions."
        )
    say(f"Going on from {path.name}: replaying {recording.duration_s:.0f} s ...")
    run = Run(then, recording)
    for given in inputs(recording, then, pictures=False):
        run.take(given.capture, given.actions, setup=given.setup)
    return Interrupted(
        path, recording, then, run, run.outcome(runtime_s=0.0), ended, _answered(recording, then)
    )


def _gap_s(path: Path, ended: datetime, now: datetime) -> float:
    gap_s = (now - ended).total_seconds()
    if gap_s < -CLOCK_S:
        raise InputError(
            f"{path} ended {-gap_s / 60.0:.1f} min later than now by this machine's clock, so how long nobody"
            " has watched is not known: set the clock and start again."
        )
    return max(0.0, gap_s)


def ended_at(recording: McapRecording) -> datetime:
    """Time of day of the last capture in a recording: as it was noted, else that of the file."""
    noted = last_mark(recording.path)
    if noted is not None:
        return datetime.fromisoformat(noted)
    return datetime.fromtimestamp(recording.path.stat().st_mtime, UTC)


def unfinished(out: Path) -> Path | None:
    """The newest recording beside a report, where it was not finished; None = there is none such.

    What was recovered of one is whole, and says nothing of how its session ended.
    """
    beside = out.absolute().parent.glob(f"*-live-*{SUFFIX}")
    recorded = [path for path in beside if not stem_of(path).endswith(RECOVERED)]
    found = sorted(recorded, key=lambda path: path.stat().st_mtime)
    return found[-1] if found and not is_whole(found[-1]) else None


def may_go_on(path: Path, setup: Setup, *, now: datetime) -> bool:
    """Whether a session can go on with a recording: it is of the same treatment, and not long ago."""
    try:
        recording = open_mcap(path, from_sightings=True)
        _same_treatment(path, setup_then(recording), setup)
        gap = now - ended_at(recording)
    except (InputError, OSError, ValueError):
        return False
    return gap <= timedelta(seconds=setup.protocol.again.resume_within_s)


def check_for(path: Path) -> Check:
    """What the operator is told before a session beside which an interrupted one lies."""
    return Check("Interrupted", "look", f"{path.name}: to go on with it, start with --resume")


def _same_treatment(path: Path, then: Setup, now: Setup) -> None:
    for what, before, wanted in (
        ("zone", then.treatment.zone, now.treatment.zone),
        ("side", then.treatment.side, now.treatment.side),
        ("device", then.treatment.device, now.treatment.device),
        ("protocol", then.treatment.protocol, now.treatment.protocol),
    ):
        if before != wanted:
            raise InputError(
                f"{path} is a treatment with the {what} {before}, not {wanted}: go on with the same one, or"
                " start anew without --resume."
            )


def _open(outcome: Outcome) -> bool:
    """Whether gas flowed as the interrupted session ended."""
    on = np.flatnonzero(outcome.trace.gas)
    return bool(len(on)) and outcome.trace.t_s[-1] - outcome.trace.t_s[on[-1]] < SHUT_S


def _handed_on(run: Run, outcome: Outcome, key: str, *, gap_s: float, shut: bool) -> Carried:
    state, before = run.state, run.setup.carried
    if state.on_skin is None and before is not None:
        # Its own zone was never placed: the map is the one before, and its gas may have gone anywhere.
        gas_s = state.gas_total_s + (0.0 if shut and not _open(outcome) else gap_s)
        return replace(before, gap_s=before.gap_s + gap_s, gap_gas_s=before.gap_gas_s + gas_s)
    tiles = tuple(state.on_skin.tile_time_s.tolist()) if state.on_skin is not None else ()
    return handed_on(
        key,
        # Where the zone was outlined off the skin that was found, its map lies in coordinates of its own.
        None if state.work.elsewhere else kept_exposure(outcome),
        gas_s=state.gas_total_s,
        tile_time_s=tiles,
        gap_s=gap_s,
        open_at_end=_open(outcome),
        shut=shut,
    )


def _answered(recording: McapRecording, then: Setup) -> Course:
    """Codes, choice and answers of then; each is shown again before the gas."""
    now = then.treatment
    course = Course(choice=Choice(now.zone, now.side, now.device, now.protocol))
    data = recording.attached(CHECKLIST)
    if data is None:
        return course
    try:
        known = {question.name for question in load_questions().questions}
        filled = read_checklist(data.decode("utf-8"), where=CHECKLIST, known=known)
    except (InputError, UnicodeDecodeError):
        return course
    return replace(
        course,
        operator=filled.operator,
        subject=filled.subject or "",
        answers=filled.answers,
        reasons=filled.reasons,
    )
