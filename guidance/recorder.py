"""Recording a session as it runs: nothing that was seen, measured or told is lost with the program.

What the pipeline was given and what it told goes into an MCAP file on a thread of its own. What a replay
needs (sightings, thermal and depth pictures, clock, gas, actions, settings) is written without loss; colour
pictures are JPEG, and are the first to be left out where the disk does not keep up.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

from guidance.chained_log import ChainedLog
from guidance.session import Alarm, Guidance, OperatorAction
from guidance.state import Setup
from guidance.told import told_in
from guidance.version import software_version
from models.capture import Capture
from models.collar import Collar
from models.exact_text import to_plain
from models.geometry import Bytes
from models.recorded import (
    ACTIONS,
    ALARMS,
    CAPTURES,
    COLLAR,
    COLOUR,
    DEPTH,
    RECORDER,
    SCHEMA,
    SETTINGS,
    THERMAL,
    TOLD,
    CaptureNote,
)
from models.sightings import Seen
from vision.mcap_file import McapFile
from vision.mcap_recording import NOTES
from vision.picture_messages import (
    COMPRESSED_IMAGE,
    RAW_IMAGE,
    compressed_image,
    compressed_image_schema,
    raw_image,
    raw_image_schema,
)

FLUSH_S = 0.2
"""So much at most is lost when the program dies, and what was waiting then."""

TO_DISK_S = 1.0
"""So much at most is lost when the machine loses its power."""

PICTURES_WAITING = 45
"""Captures that may wait with their colour picture: 1.5 s at 30 a second, 125 MB at 720p."""

CAPTURES_WAITING = 300
"""Captures that may wait at all: 10 s at 30 a second."""

KEPT_BYTES = 64 << 20
"""What a full disk did not take is kept up to this size; then captures wait, and at last are lost."""

JPEG_QUALITY = 90

COLLAR_S = 1.0
"""What is known of the nozzle's tags is for the report only: each second, and at the end."""


@dataclass(frozen=True)
class Manifest:
    """What a recording must hold beside its captures."""

    setup: Setup
    attachments: tuple[tuple[str, bytes], ...] = ()
    """Files by name: ``rig.toml``, ``session.toml``, ``checklist.toml``, the protocols in use."""


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


@dataclass(frozen=True, eq=False)
class _Item:
    capture: Capture
    seen: Seen
    guidance: Guidance
    actions: tuple[OperatorAction, ...]
    collar: Collar | None


@dataclass(frozen=True, eq=False)
class _Settings:
    t_s: float
    setup: Setup


@dataclass(eq=False)
class _Counts:
    captures: int = 0
    pictures_left_out: int = 0
    captures_lost: int = 0
    trouble: str = ""
    lost_from_s: list[float] = field(default_factory=list[float])


class Recorder:
    """Takes every step of a session; never waits for the disk."""

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        *,
        log: ChainedLog | None = None,
        before_writing: Callable[[Bytes], Bytes] | None = None,
        jpeg_quality: int = JPEG_QUALITY,
    ) -> None:
        """Begin a recording.

        Args:
            path: The file, which must not exist yet.
            manifest: What goes in first.
            log: Where actions and alarms go as well.
            before_writing: What is done to each colour picture, such as blurring faces.
            jpeg_quality: Of colour pictures.

        Raises:
            InputError: If the file cannot be written.
        """
        self._file = McapFile(path, library=f"cryoguide {software_version()}")
        self._start_ns = round(manifest.setup.treatment.started.astimezone(UTC).timestamp() * 1e9)
        self._log, self._before_writing, self._quality = log, before_writing, jpeg_quality
        self._queue: deque[_Item | _Settings] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._counts = _Counts()
        self._standing: dict[tuple[str, str, float], Alarm] = {}
        self._collar: Collar | None = None
        self._collar_s = self._last_s = -1e9
        self._announce()
        self._begin(manifest)
        self._file.flush(to_disk=True)
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
        with self._changed:
            if patient:
                self._changed.wait_for(lambda: len(self._queue) < PICTURES_WAITING)
            self._counts.captures += 1
            waiting = len(self._queue)
            if waiting >= CAPTURES_WAITING or self._closing:
                self._counts.captures_lost += 1
                self._counts.lost_from_s.append(capture.t_s)
                self._say("The disk does not keep up: this recording lacks captures.")
                return
            if waiting >= PICTURES_WAITING and capture.bgr is not None:
                capture = replace(capture, bgr=None)
                self._counts.pictures_left_out += 1
                self._say("The disk does not keep up: colour pictures are left out of the recording.")
            self._queue.append(_Item(capture, seen, guidance, tuple(actions), collar))
            self._changed.notify_all()

    def set_up(self, setup: Setup, *, t_s: float) -> None:
        """Record that the session is set up anew, such as with another outline, from the next capture on."""
        with self._changed:
            self._queue.append(_Settings(t_s, setup))
            self._changed.notify_all()

    @property
    def status(self) -> RecorderStatus:
        """How the recording stands."""
        with self._changed:
            counts = self._counts
            return RecorderStatus(
                captures=counts.captures,
                waiting=len(self._queue),
                pictures_left_out=counts.pictures_left_out,
                captures_lost=counts.captures_lost,
                bytes_written=self._file.bytes_written,
                trouble=counts.trouble,
            )

    def close(self) -> RecorderStatus:
        """Write what is waiting, finish file and log, and say how they stand."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        return self.status

    def _say(self, sentence: str) -> None:
        self._counts.trouble = sentence

    # --- on the recorder's own thread ---------------------------------------------------------------------

    def _work(self) -> None:
        flushed_s = to_disk_s = time.monotonic()
        while True:
            item = self._next(until_s=flushed_s + FLUSH_S)
            if item is not None:
                self._write(item)
            now_s = time.monotonic()
            if now_s - flushed_s >= FLUSH_S:
                flushed_s = now_s
                if self._flush(to_disk=now_s - to_disk_s >= TO_DISK_S):
                    to_disk_s = now_s if now_s - to_disk_s >= TO_DISK_S else to_disk_s
            if item is None and self._done():
                break
        self._end()

    def _next(self, *, until_s: float) -> _Item | _Settings | None:
        with self._changed:
            full = self._file.bytes_waiting > KEPT_BYTES
            if full or (not self._queue and not self._closing):
                self._changed.wait(max(0.0, until_s - time.monotonic()))
            if full and not self._closing:
                return None
            self._changed.notify_all()
            return self._queue.popleft() if self._queue else None

    def _done(self) -> bool:
        with self._changed:
            return self._closing and not self._queue

    def _flush(self, *, to_disk: bool) -> bool:
        try:
            self._file.flush(to_disk=to_disk)
        except OSError as trouble:
            with self._changed:
                self._say(f"The recording cannot be written ({trouble.strerror}): make room on the disk.")
            return False
        return True

    def _write(self, item: _Item | _Settings) -> None:
        if isinstance(item, _Settings):
            self._json(SETTINGS, to_plain(replace(item.setup, eyes=None)), t_s=item.t_s)
            return
        capture, t_s = item.capture, item.capture.t_s
        for action in item.actions:
            self._json(ACTIONS, to_plain(action), t_s=t_s)
            self._note_down("action", to_plain(action))
        picture = self._colour(capture)
        for thermal in capture.thermal:
            message = raw_image(thermal.centikelvin, t_ns=self._ns(thermal.t_s), frame="thermal")
            self._file.add(THERMAL, message, t_ns=self._ns(t_s))
        for depth in capture.depth:
            message = raw_image(depth.depth_mm, t_ns=self._ns(depth.t_s), frame="depth")
            self._file.add(DEPTH, message, t_ns=self._ns(t_s))
        self._json(TOLD, to_plain(told_in(item.guidance)), t_s=t_s)
        self._alarms(item.guidance)
        self._lost_before(t_s)
        self._collar = item.collar or self._collar
        if t_s - self._collar_s >= COLLAR_S and self._collar is not None:
            self._json(COLLAR, to_plain(self._collar), t_s=t_s)
            self._collar_s = t_s
        note = CaptureNote(
            t_s=t_s,
            index=capture.index,
            gas_s=capture.gas_s,
            gas_now=capture.gas_now,
            picture=picture,
            thermal=tuple((one.t_s, one.shutter) for one in capture.thermal),
            depth_s=tuple(one.t_s for one in capture.depth),
            seen=item.seen,
        )
        self._json(CAPTURES, to_plain(note), t_s=t_s)
        self._last_s = t_s

    def _colour(self, capture: Capture) -> bool:
        if capture.bgr is None:
            return False
        bgr = capture.bgr if self._before_writing is None else self._before_writing(capture.bgr)
        message = compressed_image(bgr, t_ns=self._ns(capture.t_s), frame="rgb", quality=self._quality)
        self._file.add(COLOUR, message, t_ns=self._ns(capture.t_s))
        return True

    def _alarms(self, guidance: Guidance) -> None:
        """Each alarm once when it begins and once when it ends."""
        standing = {(a.cause, a.priority, a.t_on_s): a for a in guidance.active}
        begun = [alarm for key, alarm in standing.items() if key not in self._standing]
        self._standing = standing
        for word, alarms in (("begun", begun), ("ended", guidance.ended)):
            for alarm in alarms:
                told = {"event": word} | to_plain(alarm)
                self._json(ALARMS, told, t_s=guidance.t_s)
                self._note_down("alarm", told)

    def _lost_before(self, t_s: float) -> None:
        """Say in the recording itself what it lacks."""
        with self._changed:
            lost, self._counts.lost_from_s = self._counts.lost_from_s, []
            left_out = self._counts.pictures_left_out
        if lost:
            self._json(RECORDER, {"captures_lost_s": lost, "pictures_left_out": left_out}, t_s=t_s)

    def _note_down(self, kind: str, told: dict[str, object]) -> None:
        if self._log is None:
            return
        try:
            self._log.append(kind, told)
        except OSError as trouble:
            with self._changed:
                self._say(f"The log cannot be written ({trouble.strerror}): make room on the disk.")

    def _end(self) -> None:
        t_s = max(self._last_s, 0.0)
        if self._collar is not None:
            self._json(COLLAR, to_plain(self._collar), t_s=t_s)
        status = self.status
        self._file.note(
            "end",
            {
                "captures": str(status.captures),
                "captures_lost": str(status.captures_lost),
                "pictures_left_out": str(status.pictures_left_out),
            },
        )
        try:
            self._file.close()
            if self._log is not None:
                self._log.close(captures=status.captures, captures_lost=status.captures_lost)
        except OSError as trouble:
            with self._changed:
                self._say(f"The recording was not finished ({trouble.strerror}): recover it before use.")

    def _announce(self) -> None:
        """Topics and what their messages are."""
        for topic, schema, text in (
            (COLOUR, COMPRESSED_IMAGE, compressed_image_schema()),
            (THERMAL, RAW_IMAGE, raw_image_schema()),
            (DEPTH, RAW_IMAGE, raw_image_schema()),
        ):
            self._file.channel(topic, schema=schema, encoding="protobuf", data=text, messages="protobuf")
        for topic in (CAPTURES, ACTIONS, SETTINGS, COLLAR, TOLD, ALARMS, RECORDER):
            self._file.channel(
                topic,
                schema=f"cryoguide{topic.replace('/', '.')}",
                encoding="jsonschema",
                data=b'{"type":"object"}',
                messages="json",
            )

    def _begin(self, manifest: Manifest) -> None:
        setup = manifest.setup
        notes = {
            "schema": SCHEMA,
            "version": software_version(),
            "started": setup.treatment.started.isoformat(),
            "zone": setup.treatment.zone,
            "protocol": setup.protocol.name,
            "protocol_approval": setup.protocol.approval,
        }
        notes |= {f"{name}_sha256": value or "" for name, value in setup.hashes.items()}
        self._file.note(NOTES, notes)
        for name, data in manifest.attachments:
            self._file.attach(name, data, media_type="application/octet-stream", t_ns=self._start_ns)
        self._json(SETTINGS, to_plain(replace(setup, eyes=None)), t_s=0.0)
        self._note_down("begin", dict(notes))

    def _json(self, topic: str, told: object, *, t_s: float) -> None:
        self._file.add(topic, json.dumps(told, separators=(",", ":")).encode(), t_ns=self._ns(t_s))

    def _ns(self, t_s: float) -> int:
        return max(0, self._start_ns + round(t_s * 1e9))
