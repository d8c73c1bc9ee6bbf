"""What a recording is made of: every item of a session as messages of an MCAP file, and lines of a log."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from guidance.recording.chained_log import ChainedLog
from guidance.recording.messages import Message, announce, json_message, note_of, picture_messages
from guidance.recording.told import told_in
from guidance.session import Alarm, Guidance, OperatorAction
from guidance.stages.state import Setup
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
    NOZZLE,
    RECORDER,
    SCHEMA,
    SETTINGS,
    TOLD,
)
from models.sightings import NozzleSighting, Seen
from vision.mcap_file import McapFile
from vision.mcap_recording import ENDED, NOTES, PLAYED_AT
from vision.pose_message import pose_in_frame

JPEG_QUALITY = 90
"""Analysed again from its pictures, a session's tip is off by 0.05 mm (p95) at this quality."""

COLLAR_S = 1.0
"""What is known of the nozzle's tags is for the report only: each second, and at the end."""

BeforeWriting = Callable[[Bytes, float], Bytes | None]
"""What is done to each colour picture (and its time), such as blurring faces; None of it = it must not be
written."""


@dataclass(frozen=True)
class Manifest:
    """What a recording must hold beside its captures."""

    setup: Setup
    attachments: tuple[tuple[str, bytes], ...] = ()
    """Files by name: ``rig.toml``, ``session.toml``, ``checklist.toml``, the protocols in use."""
    played_at: datetime | None = None
    """When a recorded session was played as if live; None = it takes place now."""


@dataclass(frozen=True, eq=False)
class Taken:
    """One step of the session."""

    capture: Capture
    seen: Seen
    guidance: Guidance
    actions: tuple[OperatorAction, ...]
    collar: Collar | None
    taken_s: float = 0.0
    """Real time (monotonic) at which it was handed over."""


@dataclass(frozen=True, eq=False)
class Missing:
    """A step that found no room: what must be known of it all the same."""

    t_s: float
    active: tuple[Alarm, ...]
    ended: tuple[Alarm, ...]
    actions: tuple[OperatorAction, ...]
    after_s: array[float] = field(default_factory=lambda: array("d"))
    """Steps right after it that found no room either, and of which nothing else must be known: a disk that
    stays full costs 8 bytes a capture."""

    def takes(self, after: Missing) -> bool:
        """Take over the next one where nothing but its time must be known."""
        same = not after.ended and not after.actions and _keys(after.active) == _keys(self.active)
        if same:
            self.after_s.append(after.t_s)
        return same


def _keys(alarms: tuple[Alarm, ...]) -> set[tuple[str, str, float]]:
    return {(alarm.cause, alarm.priority, alarm.t_on_s) for alarm in alarms}


@dataclass(frozen=True, eq=False)
class NewSettings:
    """The session is set up anew."""

    t_s: float
    setup: Setup


@dataclass(frozen=True, eq=False)
class Acted:
    """What the operator did after the last step."""

    t_s: float
    actions: tuple[OperatorAction, ...]


@dataclass(frozen=True, eq=False)
class Attached:
    """A file that comes to the recording while it runs, such as the answers before the gas."""

    name: str
    data: bytes


@dataclass(frozen=True, eq=False)
class Noted:
    """What belongs into the log alone, such as an attempt that was refused."""

    kind: str
    told: dict[str, Any]


Item = Taken | Missing | NewSettings | Acted | Attached | Noted


class RecordingWriter:
    """One recording being written, by one thread."""

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        *,
        log: ChainedLog | None,
        before_writing: BeforeWriting | None,
        jpeg_quality: int,
        encrypt_to: str | None,
    ) -> None:
        """Create the file and write what goes in first.

        Raises:
            InputError: If it exists or cannot be created.
            OSError: If the disk is full.
        """
        self._file = McapFile(path, library=f"cryoguide {software_version()}", encrypt_to=encrypt_to)
        self._start_ns = round(manifest.setup.treatment.started.astimezone(UTC).timestamp() * 1e9)
        self._log, self._before_writing, self._quality = log, before_writing, jpeg_quality
        self._for_log: deque[tuple[str, dict[str, Any]]] = deque()
        self._standing: dict[tuple[str, str, float], Alarm] = {}
        self._collar: Collar | None = None
        self._collar_s = -1e9
        self._last_s = 0.0
        self.pictures_forbidden = 0
        """Colour pictures that must not be written."""
        announce(self._file)
        self._begin(manifest)
        self.flush(to_disk=True)

    @property
    def bytes_written(self) -> int:
        """That the file has taken."""
        return self._file.bytes_written

    @property
    def bytes_waiting(self) -> int:
        """That the file has not taken yet."""
        return self._file.bytes_waiting

    def add(self, item: Item) -> None:
        """Add all messages of an item, or none: where the pictures of a capture are, it is itself.

        Whatever it raises, nothing of the item is in the file then.
        """
        if isinstance(item, Noted):
            self._for_log.append((item.kind, item.told))
            return
        if isinstance(item, Attached):
            self._file.attach(
                item.name,
                item.data,
                media_type="application/octet-stream",
                t_ns=self._ns(self._last_s),
            )
            digest = sha256(item.data).hexdigest()
            self._for_log.append(("attached", {"name": item.name, "sha256": digest}))
            return
        for topic, data, t_s in self._messages(item):
            self._file.add(topic, data, t_ns=self._ns(t_s))

    def mark(self, at: datetime) -> None:
        """Note the time of day: how long nobody watched is told by the last one after a crash.

        So is how long the log is, and its seal: lines cut off at its end are found by that.
        """
        noted: dict[str, Any] = {"at": at.isoformat(), "t_s": self._last_s}
        if self._log is not None:
            noted |= {"log_lines": self._log.number, "log_seal": self._log.seal}
        topic, data, t_s = json_message(RECORDER, noted, t_s=self._last_s)
        self._file.add(topic, data, t_ns=self._ns(t_s))

    def flush(self, *, to_disk: bool) -> None:
        """Hand all that was added to the operating system, or to the disk.

        Raises:
            OSError: If there is no room; nothing is lost by that.
        """
        self._file.flush(to_disk=to_disk)
        self._write_log(to_disk=to_disk)

    def flush_log(self) -> None:
        """Hand what was noted for the log to the operating system.

        Raises:
            OSError: If there is no room; nothing is lost by that.
        """
        self._write_log(to_disk=False)

    def abandon(self) -> None:
        """Let go of file and log as they are, unfinished."""
        self._file.abandon()
        if self._log is not None:
            self._log.abandon()

    def close(self, **figures: int) -> None:
        """Finish file and log.

        Args:
            figures: What both shall say about the whole.

        Raises:
            OSError: If there is no room.
        """
        if self._collar is not None:
            topic, data, t_s = json_message(COLLAR, self._collar, t_s=self._last_s)
            self._file.add(topic, data, t_ns=self._ns(t_s))
        self._file.note(ENDED, {name: str(value) for name, value in figures.items()})
        self._file.close()
        self._write_log(to_disk=False)
        if self._log is not None:
            self._log.close(**figures)

    def _messages(self, item: Taken | Missing | NewSettings | Acted) -> list[Message]:
        if isinstance(item, NewSettings):
            return [json_message(SETTINGS, replace(item.setup, eyes=None), t_s=item.t_s)]
        if isinstance(item, Acted):
            self._for_log.extend(("action", to_plain(action)) for action in item.actions)
            return [json_message(ACTIONS, action, t_s=item.t_s) for action in item.actions]
        told = item.guidance if isinstance(item, Taken) else item
        t_s = told.t_s
        messages = [json_message(ACTIONS, action, t_s=t_s) for action in item.actions]
        alarms = self._alarms(told.active, told.ended)
        messages += [json_message(ALARMS, alarm, t_s=t_s) for alarm in alarms]
        if isinstance(item, Taken):
            messages += self._capture(item)
        else:
            lost_s = (t_s, *item.after_s)
            messages += [json_message(RECORDER, {"capture_lost_s": one_s}, t_s=one_s) for one_s in lost_s]
        self._for_log.extend(("action", to_plain(action)) for action in item.actions)
        self._for_log.extend(("alarm", alarm) for alarm in alarms)
        return messages

    def _capture(self, item: Taken) -> list[Message]:
        capture, t_s = item.capture, item.capture.t_s
        bgr = capture.bgr
        if bgr is not None and self._before_writing is not None:
            bgr = self._before_writing(bgr, t_s)
            self.pictures_forbidden += bgr is None
        capture = replace(capture, bgr=bgr)
        messages = picture_messages(capture, ns=self._ns, quality=self._quality)
        if isinstance(item.seen.nozzle, NozzleSighting):
            pose = item.seen.nozzle.rgb_from_nozzle
            messages.append((NOZZLE, pose_in_frame(pose, t_ns=self._ns(t_s), frame="rgb"), t_s))
        messages.append(json_message(TOLD, told_in(item.guidance), t_s=t_s))
        if item.collar is not None and t_s - self._collar_s >= COLLAR_S:
            messages.append(json_message(COLLAR, item.collar, t_s=t_s))
            self._collar_s = t_s
        messages.append(json_message(CAPTURES, note_of(capture, item.seen), t_s=t_s))
        self._collar, self._last_s = item.collar or self._collar, t_s
        return messages

    def _alarms(self, active: tuple[Alarm, ...], ended: tuple[Alarm, ...]) -> list[dict[str, Any]]:
        """Each alarm once when it begins and once when it ends."""
        standing = {(a.cause, a.priority, a.t_on_s): a for a in active}
        begun = tuple(alarm for key, alarm in standing.items() if key not in self._standing)
        self._standing = standing
        told = (("begun", begun), ("ended", ended))
        return [{"event": word} | to_plain(alarm) for word, alarms in told for alarm in alarms]

    def _write_log(self, *, to_disk: bool) -> None:
        if self._log is None:
            self._for_log.clear()
            return
        while self._for_log:
            self._log.append(*self._for_log[0])
            self._for_log.popleft()
        if to_disk:
            self._log.to_disk()

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
        if manifest.played_at is not None:
            notes[PLAYED_AT] = manifest.played_at.isoformat()
        notes |= {f"{name}_sha256": value or "" for name, value in setup.hashes.items()}
        self._file.note(NOTES, notes)
        for name, data in manifest.attachments:
            self._file.attach(name, data, media_type="application/octet-stream", t_ns=self._start_ns)
        topic, data, t_s = json_message(SETTINGS, replace(setup, eyes=None), t_s=0.0)
        self._file.add(topic, data, t_ns=self._ns(t_s))
        self._for_log.append(("begin", dict(notes)))

    def _ns(self, t_s: float) -> int:
        return max(0, self._start_ns + round(t_s * 1e9))
