"""The recording of one live session: its file and log, what goes in, and how it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from guidance.checklist.answers import FILE as CHECKLIST
from guidance.live.loop import Listener
from guidance.recording.chained_log import ChainedLog
from guidance.recording.command import attachments_of, log_of
from guidance.recording.recorder import Manifest, Recorder, RecorderStatus
from guidance.run import Run
from guidance.session import Guidance, OperatorAction
from guidance.treatment.course import Course
from guidance.treatment.report import filled_in
from guidance.treatment.staged import Staged
from models.capture import Capture
from models.contraindications_file import checklist_text
from models.problems import InputError
from vision.face_blur import FaceBlur
from vision.source import SUFFIX

CLOSE_WITHIN_S = 20.0
"""A report does not wait longer than this for a disk that hangs."""


@dataclass(frozen=True)
class Kept:
    """What was kept of a session, for its report."""

    file: str
    log: str
    seal: str
    """Of the log's last line."""
    status: RecorderStatus


class LiveRecording:
    """Records one run; whatever becomes of it, the run goes on."""

    def __init__(self, path: Path, staged: Staged, *, faces: FaceBlur | None = None) -> None:
        """Begin.

        Args:
            path: The file; its log goes beside it.
            staged: What is recorded.
            faces: Covers faces before a picture is kept; None = they stay as they are.

        Raises:
            InputError: If it cannot be written.
        """
        self.path = path
        self._noted = False
        self._log = ChainedLog(log_of(path))
        played_at = datetime.now(UTC) if staged.pace is not None else None
        manifest = Manifest(staged.setup, attachments_of(staged.session), played_at)
        self._recorder = Recorder(path, manifest, log=self._log, before_writing=faces)

    def listener(self, run: Run) -> Listener:
        """Told of each step of a run, on its thread."""

        def listen(capture: Capture, guidance: Guidance, actions: Sequence[OperatorAction]) -> None:
            self._recorder.after_step(run.state, capture, guidance, actions)

        return listen

    def note(self, kind: str, told: dict[str, Any]) -> None:
        """Put an entry into the log beside the file, such as an attempt that was refused."""
        self._noted = True
        self._recorder.note(kind, told)

    @property
    def trouble(self) -> str:
        """One sentence where what is recorded is less than all; empty while all is well."""
        return self._recorder.status.trouble

    def answered(self, staged: Staged, course: Course, *, t_s: float, now: datetime) -> None:
        """Put in what the operator answered before the gas (by ``now``), and whom he treats."""
        filled = filled_in(staged.setup.treatment, course, now=now)
        text = checklist_text(
            staged.asked, filled=filled, approval=staged.listed.approval, title=staged.setup.zone.title
        )
        # JSON's strings are TOML's.
        reasons = "".join(f"{name} = {json.dumps(reason)}\n" for name, reason in filled.reasons.items())
        self._recorder.attach(CHECKLIST, (text + reasons).encode())
        if course.subject and course.subject != staged.setup.treatment.subject:
            treatment = replace(staged.setup.treatment, subject=course.subject)
            self._recorder.set_up(replace(staged.setup, treatment=treatment), t_s=t_s)

    def close(self, untaken: Sequence[OperatorAction] = (), *, t_s: float = 0.0) -> Kept:
        """Write what waits, and what the operator did after the last step; finish file and log."""
        self._recorder.act(untaken, t_s=t_s)
        status = self._recorder.close(within_s=CLOSE_WITHIN_S)
        return Kept(self.path.name, log_of(self.path).name, self._log.seal, status)

    def discard(self) -> tuple[Path, ...]:
        """Leave nothing of a session in which nobody was treated.

        Returns:
            What is left all the same: the log, where something was noted in it that must not be lost, such
            as attempts that were refused; what cannot be removed.
        """
        self.close()
        left = [self.path] if not _removed(self.path) else []
        log = log_of(self.path)
        return (*left, *([log] if self._noted or not _removed(log) else ()))


def _removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def recording_path(out: Path, *, now: datetime) -> Path:
    """Where a session that begins now is recorded: beside its report, by the time of day.

    Raises:
        InputError: If there are files of that name already.
    """
    stem = out.name.removesuffix("-live-report").removesuffix("-report")
    for number in range(100):
        more = f"-{number}" if number else ""
        path = out.with_name(f"{stem}-live-{now.astimezone():%Y%m%d-%H%M%S}{more}{SUFFIX}")
        if not path.exists() and not log_of(path).exists():
            return path
    raise InputError(f"{out.parent} holds recordings of this second already; start again.")


def recorded_figures(kept: Kept | None) -> dict[str, object] | None:
    """As they go into the summary; None = nothing was recorded."""
    if kept is None:
        return None
    status = kept.status
    return {
        "file": kept.file,
        "log": kept.log,
        "log_seal_sha256": kept.seal,
        "captures": status.captures,
        "captures_lost": status.captures_lost,
        "pictures_left_out": status.pictures_left_out,
        "trouble": status.trouble or None,
    }


def recorded_remarks(kept: Kept | None, *, unrecorded: str | None) -> tuple[str, ...]:
    """Where a session was recorded, and what of it is missing.

    Args:
        kept: What was kept; None = nothing.
        unrecorded: Why nothing more was handed over; None = all was.
    """
    if kept is None:
        return ("This session was not recorded: it can be neither replayed nor analysed again.",)
    told = f"Recorded in {kept.file}; actions and alarms in {kept.log}, whose seal is {kept.seal}."
    status = kept.status
    lacks = unrecorded or status.trouble
    if status.captures_lost:
        lacks = f"{lacks} {status.captures_lost} of {status.captures} captures are missing.".strip()
    return (told, *((f"The recording is not whole: {lacks}",) if lacks else ()))


def history_remark(kept: Kept | None, *, played: bool, wanted: bool = True) -> str:
    """What of this session is in the history of the subject; empty where its own section says it.

    Args:
        kept: What was kept; None = nothing.
        played: A recorded session was played as if live.
        wanted: Whether there is a history.
    """
    if played:
        return "A recording that was played at the console is no treatment, so the history does not hold it."
    if wanted:
        return ""
    if kept is None:
        return "The history does not hold this treatment, and cannot: it was not recorded. Write it down."
    return f"The history does not hold this treatment yet: `cryoguide analyze {kept.file}` puts it there."
