"""Recording a session as it runs: nothing that was seen, measured or told is lost with the program.

What the pipeline was given and what it told goes into an MCAP file on a thread of its own. What a replay
needs (sightings, thermal and depth pictures, clock, gas, actions, settings) is written without loss; colour
pictures are JPEG, and are the first to be left out where the disk does not keep up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from guidance.allocator import give_back
from guidance.recording.chained_log import ChainedLog
from guidance.recording.waiting import Waiting
from guidance.recording.writer import (
    JPEG_QUALITY,
    Acted,
    Attached,
    BeforeWriting,
    Item,
    Manifest,
    NewSettings,
    Noted,
    RecordingWriter,
    Taken,
)
from guidance.seen import seen_in
from guidance.session import Guidance, OperatorAction
from guidance.stages.state import Setup, State
from models.capture import Capture
from models.collar import Collar
from models.problems import InputError
from models.sightings import Seen

__all__ = ["Manifest", "Recorder", "RecorderStatus"]

FLUSH_S = 0.2
"""So much at most is lost when the program dies, and what was waiting then."""

TO_DISK_S = 1.0
"""So much at most is lost when the machine loses its power."""

KEPT_BYTES = 64 << 20
"""What a full disk did not take is kept up to this size; then captures wait, and at last are lost."""

_DEAD = "The recording has failed ({}): nothing more of this session is kept."
_NO_FACES = "Colour pictures are left out of the recording: faces in them could not be looked for."


@dataclass(frozen=True)
class RecorderStatus:
    """How the recording stands."""

    captures: int = 0
    """Taken so far."""
    waiting: int = 0
    pictures_left_out: int = 0
    captures_lost: int = 0
    bytes_written: int = 0
    trouble: str = ""
    """One sentence where what is recorded is less than all; empty while all is well."""
    finished: bool = False
    """Whether the file has its proper end."""


class Recorder:
    """Takes every step of a session; never waits for the disk."""

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        *,
        log: ChainedLog | None = None,
        before_writing: BeforeWriting | None = None,
        jpeg_quality: int = JPEG_QUALITY,
        encrypt_to: str | None = None,
    ) -> None:
        """Begin a recording.

        Args:
            path: The file, which must not exist yet.
            manifest: What goes in first.
            log: Where actions and alarms go as well; closed with the recording.
            before_writing: What is done to each colour picture, such as blurring faces.
            jpeg_quality: Of colour pictures.
            encrypt_to: age public key to which the file (not the log) is encrypted as it is written.

        Raises:
            InputError: If the file cannot be written.
        """
        try:
            self._writer = RecordingWriter(
                path,
                manifest,
                log=log,
                before_writing=before_writing,
                jpeg_quality=jpeg_quality,
                encrypt_to=encrypt_to,
            )
        except OSError as trouble:
            path.unlink(missing_ok=True)
            words = f"{path} cannot be written ({trouble.strerror}); make room or choose another place."
            raise InputError(words) from trouble
        self._waiting = Waiting()
        self._disk = self._dead = ""
        self._finished = self._was_full = False
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def take(
        self,
        capture: Capture,
        seen: Seen,
        guidance: Guidance,
        actions: Sequence[OperatorAction] = (),
        *,
        collar: Collar | None = None,
        patient: bool = False,
    ) -> None:
        """Record one step; returns at once.

        Args:
            capture: What the step was given.
            seen: `guidance.seen.seen_in` it.
            guidance: What it told.
            actions: What the operator did since the step before.
            collar: What is known of the nozzle's tags.
            patient: Wait for the disk instead of leaving anything out, for a source that can wait.
        """
        taken = Taken(capture, seen, guidance, tuple(actions), collar)
        self._waiting.add_step(taken, patient=patient)

    def after_step(
        self, state: State, capture: Capture, guidance: Guidance, actions: Sequence[OperatorAction] = ()
    ) -> None:
        """Record what `guidance.pipeline.step` was given and returned: for whoever is told of each step."""
        seen, collar = seen_in(state, capture, guidance), state.nozzle_track.collar
        self.take(capture, seen, guidance, actions, collar=collar)

    def set_up(self, setup: Setup, *, t_s: float) -> None:
        """Record that the session is set up anew, such as with another outline, from the next capture on."""
        self._waiting.add(NewSettings(t_s, setup))

    def act(self, actions: Sequence[OperatorAction], *, t_s: float) -> None:
        """Record what the operator did after the last step, which no step was told of."""
        if actions:
            self._waiting.add(Acted(t_s, tuple(actions)))

    def attach(self, name: str, data: bytes) -> None:
        """Put a file into the recording; one of the same name that is there already counts no more."""
        self._waiting.add(Attached(name, data))

    def note(self, kind: str, told: dict[str, Any]) -> None:
        """Put an entry into the log alone, ahead of all that waits: it outlives a kill at once."""
        self._waiting.add_at_once(Noted(kind, told))

    @property
    def status(self) -> RecorderStatus:
        """How the recording stands."""
        tally, forbidden = self._waiting.tally, self._writer.pictures_forbidden
        return RecorderStatus(
            captures=tally.captures,
            waiting=tally.waiting,
            pictures_left_out=tally.pictures_left_out + forbidden,
            captures_lost=tally.captures_lost,
            bytes_written=self._writer.bytes_written,
            trouble=self._dead or self._disk or tally.lacks or (_NO_FACES if forbidden else ""),
            finished=self._finished,
        )

    def close(self, *, within_s: float | None = None) -> RecorderStatus:
        """Write what is waiting, finish file and log, and say how they stand.

        Args:
            within_s: Wait no longer than this for a disk that hangs; None = as long as it takes.
        """
        self._waiting.close()
        self._thread.join(within_s)
        if self._thread.is_alive():
            return replace(self.status, trouble="The recording was not finished: the disk does not answer.")
        return self.status

    # --- on the recorder's own thread ---------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._record()
        except Exception as trouble:  # whatever it is: the session goes on, and is told
            self._dead = _DEAD.format(trouble)
            self._waiting.give_up()
            with suppress(Exception):
                self._writer.abandon()

    def _record(self) -> None:
        flushed_s = to_disk_s = time.monotonic()
        while True:
            full = self._writer.bytes_waiting > KEPT_BYTES
            item = self._waiting.next(until_s=flushed_s + FLUSH_S, full=full)
            if item is not None:
                self._write(item)
            now_s = time.monotonic()
            if now_s - flushed_s >= FLUSH_S:
                flushed_s, due = now_s, now_s - to_disk_s >= TO_DISK_S
                if self._flush(to_disk=due) and due:
                    to_disk_s = now_s
            if item is None and self._waiting.done:
                break
        self._end()

    def _write(self, item: Item) -> None:
        try:
            self._writer.add(item)
        except Exception as trouble:  # whatever it is, it must not end the recording
            self._waiting.lose(f"A capture could not be recorded ({trouble}); report this.")
        if isinstance(item, Noted):
            with suppress(OSError):  # it is tried again at the next flush, which says so
                self._writer.flush_log()

    def _flush(self, *, to_disk: bool) -> bool:
        try:
            self._writer.mark(datetime.now(UTC))
            self._writer.flush(to_disk=to_disk)
        except OSError as trouble:
            self._disk = f"The recording cannot be written ({trouble.strerror}): make room on the disk."
            self._was_full = True
            return False
        self._disk = ""
        if self._was_full and not self._waiting.tally.waiting:
            self._was_full = False
            give_back()
        return True

    def _end(self) -> None:
        status = self.status
        try:
            # The log first, so that the last mark names its last line but one.
            with suppress(OSError):
                self._writer.flush(to_disk=False)
            self._writer.mark(datetime.now(UTC))
            self._writer.close(
                captures=status.captures,
                captures_lost=status.captures_lost,
                pictures_left_out=status.pictures_left_out,
            )
            self._disk = ""
            self._finished = True
        except OSError as trouble:
            self._disk = f"The recording was not finished ({trouble.strerror}): recover it before use."
