"""The check of ``cryoguide calibrate check`` for the console's first page: cameras in place of a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from calibration.board import Board
from calibration.check_command import board_to_check, check_rig, keep_check
from calibration.recorded_hints import BAD, GOOD, Hint, target_hints
from guidance.recording.bare import BareRecording
from guidance.treatment.rig_checking import Look, Seen
from models.capture import Capture, ThermalPicture
from models.problems import InputError
from models.rig_checked import RigChecked
from models.rig_file import read_rig
from models.treatment import Reference
from vision.cameras import COLOUR, THERMAL
from vision.files import sha256_of

EVERY_S = 0.4
"""The target is looked for this often: two pictures take up to 60 ms of one core."""

RECENT_S = 1.0
"""A thermal picture so old still shows what is held up now: it may be stamped late."""

NAME = "console"
"""Of the recording, as the certificate names it; the file itself is not kept."""


class QuickCheck:
    """One check; for one thread at a time. Its recording is in a folder of its own, and goes with it."""

    def __init__(
        self,
        rig_file: Path,
        rig_sha256: str,
        kinds: frozenset[str],
        *,
        board: Board,
        references: tuple[Reference, ...] | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is seen yet.

        Args:
            rig_file: The rig.
            rig_sha256: Checksum that it had when the session was opened with it.
            kinds: Of the cameras.
            board: That is held up.
            references: Of known temperature in the thermal picture.
            now: Time of day.

        Raises:
            InputError: If the rig cannot be read, or is another one by now.
        """
        _still(rig_file, rig_sha256)
        try:
            self._rig, _ = read_rig(rig_file.read_text(encoding="utf-8"), where=str(rig_file))
        except (OSError, UnicodeDecodeError) as trouble:
            raise InputError(
                f"{rig_file} cannot be read ({trouble}); look where your rig.toml is."
            ) from trouble
        self._rig_file, self._rig_sha256, self._now = rig_file, rig_sha256, now
        self._board, self._references = board, references
        self._kinds = tuple(kind for kind in (COLOUR, THERMAL) if kind in kinds)
        self._warm: ThermalPicture | None = None
        self._looked_s: float | None = None
        self._hints: tuple[Hint, ...] = ()
        self._tables: dict[str, object] = {}
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="cryoguide-check-")
        except OSError as trouble:
            raise InputError(
                f"The check has no room for its pictures ({trouble.strerror}); free some on"
                " the disk for temporary files, or go on without it."
            ) from trouble
        self._tape: BareRecording | None = None

    def see(self, capture: Capture) -> tuple[Seen, ...]:
        """Whether each camera sees the target, looked for each `EVERY_S`."""
        for picture in capture.thermal:
            if not picture.shutter:
                self._warm = picture
        due = self._looked_s is None or capture.t_s - self._looked_s >= EVERY_S
        if due and capture.bgr is not None:
            self._looked_s = capture.t_s
            self._hints = self._target(capture)
        elif self._looked_s is None or capture.t_s - self._looked_s > RECENT_S + EVERY_S:
            self._hints = (Hint(BAD, "The colour camera gives no picture"),)
        return tuple(Seen(hint.state == GOOD, hint.words) for hint in self._hints)

    def _target(self, capture: Capture) -> tuple[Hint, ...]:
        assert capture.bgr is not None
        warm = self._warm if self._warm and capture.t_s - self._warm.t_s <= RECENT_S else None
        hints = target_hints(capture.bgr, None if warm is None else warm.centikelvin, self._board)
        if warm is None and THERMAL in self._kinds:
            hints = (*hints, Hint(BAD, "The thermal camera gives no picture"))
        return hints

    @property
    def shown(self) -> bool:
        """Whether all cameras see the target."""
        return bool(self._hints) and all(hint.state == GOOD for hint in self._hints)

    def take(self, capture: Capture) -> None:
        """Record it."""
        if self._tape is None:
            path = Path(self._folder.name) / f"{NAME}.mcap"
            self._tape = BareRecording(path, kinds=self._kinds, rig=self._rig, started=self._now())
        self._tape.take(replace(capture, depth=()), patient=True)

    def judge(self) -> RigChecked:
        """What was recorded, judged as ``cryoguide calibrate check`` does."""
        if self._tape is None:
            raise InputError("Nothing was recorded: check again.")
        status = self._tape.close()
        if status.trouble:
            raise InputError(f"{status.trouble} Nothing was judged: check again.")
        lacks = [one.kind for one in status.streams if not one.pictures]
        if COLOUR in lacks:
            raise InputError("No colour picture came meanwhile: look after that camera, then check again.")
        checked, self._tables = check_rig(
            self._tape.path,
            self._rig_file,
            board=self._board,
            references=self._references,
            now=self._now(),
        )
        return checked

    def keep(self, checked: RigChecked) -> None:
        """Beside the rig and in its certificate, as the command does."""
        _still(self._rig_file, self._rig_sha256)
        keep_check(self._rig_file, checked, self._tables, name=NAME, now=checked.checked)

    def close(self) -> None:
        """The recording goes: faces are not covered in it."""
        if self._tape is not None:
            self._tape.close()
        self._folder.cleanup()


def looks(
    *, board: str | None = None, references: tuple[Reference, ...] | None = None
) -> Callable[[Path, str, frozenset[str]], Look]:
    """What makes the checks of a console.

    Args:
        board: That is held up, as ``calibrate check --board`` names it; None = the printed target.
        references: Of known temperature in the thermal picture; None = there are none.

    Raises:
        InputError: If there is no such board.
    """
    held_up = board_to_check(board)

    def look(rig_file: Path, rig_sha256: str, kinds: frozenset[str]) -> Look:
        return QuickCheck(rig_file, rig_sha256, kinds, board=held_up, references=references)

    return look


def _still(rig_file: Path, rig_sha256: str) -> None:
    """The rig is the one that the session was opened with.

    Raises:
        InputError: If it is another one, or has gone.
    """
    try:
        same = sha256_of(rig_file) == rig_sha256
    except OSError as trouble:
        raise InputError(f"{rig_file} cannot be read ({trouble.strerror}); nothing was judged.") from trouble
    if not same:
        raise InputError(
            f"{rig_file} has changed since this console was opened with it: end it at its own screen (Ctrl-C)"
            " and start it again, then check."
        )
