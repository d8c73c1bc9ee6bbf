"""Recording bare cameras: pictures with their times, without guidance, treatment or subject.

For the steps of a calibration. The file is a recording as any other (`vision.mcap_recording`), of a treatment
that names nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from guidance.recording.messages import announce, json_message, note_of, picture_messages
from guidance.recording.streams_told import StreamTold, Tallies
from guidance.version import software_version
from models.capture import Capture
from models.problems import InputError
from models.recorded import CAPTURES, RECORDER, SCHEMA, SETTINGS
from models.rig import Rig
from models.sightings import Lost, Seen
from models.treatment import Treatment
from vision.mcap_file import McapFile
from vision.mcap_recording import BARE, ENDED, GAS_OFF_AFTER_S, NOTES

JPEG_QUALITY = 95
"""Of colour pictures: it moves the corners of a drawn board by 0.015 to 0.021 px (rms) and the focal length
by 0.01 %, an eighth of its bound. Quality 90 moves them by 0.025 px, 98 by 0.013 px for 1.7 times as much."""

FLUSH_S, TO_DISK_S = 0.2, 1.0
"""So much at most is lost when the program dies, or the machine loses its power: as for a session."""

PICTURES_WAITING, CAPTURES_WAITING = 45, 300
"""Captures that may wait for the disk with their colour picture (125 MB at 720p), and at all."""


@dataclass(frozen=True)
class BareStatus:
    """How a recording stands."""

    t_s: float
    """Of the last capture."""
    streams: tuple[StreamTold, ...]
    bytes_written: int
    pictures_left_out: int
    """Colour pictures that the disk did not keep up with."""
    captures_lost: int
    captures_kept: int
    """That are in the file for sure."""
    kept_s: float
    """Time of the last of them."""
    trouble: str = ""
    """One sentence where what is recorded is less than all; empty while all is well."""
    failed: bool = False
    """Whether nothing more can be recorded."""
    finished: bool = False
    """Whether the file has its proper end."""


class BareRecording:
    """One recording of bare cameras. `take` never waits for the disk, which has a thread of its own."""

    def __init__(
        self,
        path: Path,
        *,
        kinds: tuple[str, ...],
        rig: Rig | None = None,
        device: str = "",
        gas_off_after_s: float = 0.0,
        attachments: tuple[tuple[str, bytes], ...] = (),
        started: datetime | None = None,
        jpeg_quality: int = JPEG_QUALITY,
    ) -> None:
        """Create the file.

        Args:
            path: The file, which must not exist yet.
            kinds: Of the cameras: ``colour``, ``thermal``, ``depth``.
            rig: By which the pictures' times were worked out; None = they are as the cameras stamp them.
            device: What blows, by its name in the catalogue; empty = not told.
            gas_off_after_s: So much too late the captures are told that gas has ended.
            attachments: Files that go in, by name, such as ``rig.toml``.
            started: Time of day at which the captures' clock is 0; None = now.
            jpeg_quality: Of colour pictures, 1..100.

        Raises:
            InputError: If the file exists already or cannot be written.
        """
        self.path = path
        started = datetime.now(UTC) if started is None else started.astimezone(UTC)
        self._start_ns = round(started.timestamp() * 1e9)
        self._quality = jpeg_quality
        self._file = McapFile(path, library=f"cryoguide {software_version()}")
        self._queue: deque[Capture] = deque()
        self._changed = threading.Condition()
        self._closing = self._finished = False
        self._tallies = Tallies(kinds)
        self._captures = self._kept = self._left_out = self._lost = 0
        self._lacks = self._dead = ""
        self._added_s = self._kept_s = 0.0
        treatment = Treatment(started, "", "", device, "", None, None, None, None, ())
        try:
            announce(self._file)
            notes = {"schema": SCHEMA, "version": software_version(), "started": started.isoformat()}
            notes |= {BARE: ",".join(kinds), GAS_OFF_AFTER_S: repr(gas_off_after_s)}
            self._file.note(NOTES, notes)
            for name, data in attachments:
                self._file.attach(name, data, media_type="application/octet-stream", t_ns=self._start_ns)
            self._add_json(SETTINGS, {"treatment": treatment, "rig": rig}, t_s=0.0)
            self._file.flush(to_disk=True)
        except OSError as trouble:
            self._file.abandon()
            path.unlink(missing_ok=True)
            words = f"{path} cannot be written ({trouble.strerror}); make room or choose another place."
            raise InputError(words) from trouble
        self._thread = threading.Thread(target=self._work, name="bare recording", daemon=True)
        self._thread.start()

    def take(self, capture: Capture, *, patient: bool = False) -> None:
        """Record one capture; returns at once.

        Args:
            capture: Later than the one before.
            patient: Wait for the disk instead of leaving anything out, for a source that can wait.
        """
        with self._changed:
            if patient:
                self._changed.wait_for(lambda: len(self._queue) < PICTURES_WAITING or bool(self._dead))
            self._tallies.add(capture)
            waiting = len(self._queue)
            if self._dead or self._closing or waiting >= CAPTURES_WAITING:
                self._lost += 1
                self._lacks = "The disk does not keep up: this recording lacks captures."
                return
            if waiting >= PICTURES_WAITING and capture.bgr is not None:
                capture = replace(capture, bgr=None)
                self._left_out += 1
                self._lacks = self._lacks or "The disk does not keep up: colour pictures are left out."
            self._queue.append(capture)
            self._changed.notify_all()

    @property
    def status(self) -> BareStatus:
        """How it stands."""
        with self._changed:
            return BareStatus(
                t_s=self._tallies.to_s,
                streams=self._tallies.told(),
                bytes_written=self._file.bytes_written,
                pictures_left_out=self._left_out,
                captures_lost=self._lost,
                captures_kept=self._kept,
                kept_s=self._kept_s,
                trouble=self._dead or self._lacks,
                failed=bool(self._dead),
                finished=self._finished,
            )

    def close(self, *, within_s: float | None = 20.0) -> BareStatus:
        """Write what waits, finish the file, and say how it stands; may be called again.

        Args:
            within_s: Wait no longer than this for a disk that hangs; None = as long as it takes.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(within_s)
        status = self.status
        if self._thread.is_alive():
            return replace(status, trouble="The recording was not finished: the disk does not answer.")
        return status

    # --- on the recording's own thread ----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._record()
            self._mark()
            figures = {"captures": self._captures, "captures_lost": self._lost}
            self._file.note(ENDED, {name: str(value) for name, value in figures.items()})
            self._file.close()
            self._kept, self._kept_s, self._finished = self._captures, self._added_s, True
        except Exception as trouble:  # whatever it is: what was recorded stays, and it is told
            why = trouble.strerror if isinstance(trouble, OSError) else trouble
            with self._changed:
                self._lost += len(self._queue)
                self._queue.clear()
                held = f"what came up to {self._kept_s:.1f} s" if self._kept else "nothing"
                self._dead = (
                    f"The recording cannot be written ({why}): it holds {held}; make room, then record again."
                )
                self._changed.notify_all()
            with suppress(Exception):
                self._file.abandon()

    def _record(self) -> None:
        flushed_s = to_disk_s = time.monotonic()
        while True:
            with self._changed:
                if not self._queue and not self._closing:
                    self._changed.wait(max(0.0, flushed_s + FLUSH_S - time.monotonic()))
                capture = self._queue.popleft() if self._queue else None
                self._changed.notify_all()
                done = capture is None and self._closing
            if capture is not None:
                self._add(capture)
            now_s = time.monotonic()
            if now_s - flushed_s >= FLUSH_S:
                due = now_s - to_disk_s >= TO_DISK_S
                flushed_s, to_disk_s = now_s, now_s if due else to_disk_s
                self._mark()
                self._file.flush(to_disk=due)
                self._kept, self._kept_s = self._captures, self._added_s
            if done:
                return

    def _add(self, capture: Capture) -> None:
        t_s = capture.t_s
        seen = Seen(capture.bgr is not None, Lost("not looked for", t_s), (), None, None)
        for topic, data, at_s in picture_messages(capture, ns=self._ns, quality=self._quality):
            self._file.add(topic, data, t_ns=self._ns(at_s))
        self._add_json(CAPTURES, note_of(capture, seen), t_s=t_s)
        self._added_s, self._captures = t_s, self._captures + 1

    def _mark(self) -> None:
        self._add_json(
            RECORDER, {"at": datetime.now(UTC).isoformat(), "t_s": self._added_s}, t_s=self._added_s
        )

    def _add_json(self, topic: str, message: object, *, t_s: float) -> None:
        topic, data, t_s = json_message(topic, message, t_s=t_s)
        self._file.add(topic, data, t_ns=self._ns(t_s))

    def _ns(self, t_s: float) -> int:
        return max(0, self._start_ns + round(t_s * 1e9))
