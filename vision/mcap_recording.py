"""A recording of a live session (MCAP) as a source of captures, finished or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from mcap.records import Attachment, Channel, Message, Metadata

from models.capture import Capture
from models.exact_text import from_plain
from models.geometry import Floats
from models.problems import InputError
from models.recorded import (
    CAPTURES,
    COLLAR,
    COLOUR,
    DEPTH,
    RECORDER,
    SCHEMA,
    SETTINGS,
    THERMAL,
)
from models.rig import Rig
from models.treatment import Treatment
from vision.mcap_file import Whole, read_records
from vision.mcap_ticks import Tick, messages_of, ticks_of

NOTES = "cryoguide"
"""Name of the table of words that every recording holds."""

ENDED = "end"
"""Name of the table that a recording ends with, unless it was broken off."""

PLAYED_AT = "played_at"
"""In the table of words: when a recorded session was played as if live, in ISO 8601."""

BARE = "bare_cameras"
"""In the table of words of a recording of bare cameras: which, with commas between. Nothing was treated, and
nothing was looked for in its pictures."""

GAS_OFF_AFTER_S = "gas_off_after_s"
"""In the same table: by how much too late the end of the gas is told: it was believed once it had been said
for so long."""


@dataclass(frozen=True, eq=False)
class McapRecording:
    """A recording, looked through once."""

    path: Path
    name: str
    treatment: Treatment
    rig: Rig | None
    warnings: tuple[str, ...]
    notes: dict[str, str]
    """Software version, names and checksums, as they were written."""
    attachments: dict[str, bytes]
    """Files inside: ``rig.toml``, ``session.toml``, ``checklist.toml``, protocols."""
    settings: bytes
    """The first, as JSON."""
    collar: bytes | None
    """What was known of the nozzle's tags when it was last written, as JSON."""
    times_s: Floats
    """Of all captures."""
    rgb_times_s: Floats
    """Of those with a colour picture, damaged ones included."""
    pictures: int
    """Colour pictures that are in the file."""
    width_px: int | None
    height_px: int | None
    has_thermal: bool
    has_depth: bool
    from_sightings: bool = False
    """Whether `captures` gives what was seen instead of looking at the pictures again."""
    damaged: bool = False
    """Whether it ends where bytes in the middle of the file have changed."""
    ended: bool = True
    """Whether it was ended by the program that recorded it, not broken off."""
    sealed: tuple[int, str] | None = None
    """Lines of the log beside it, and the seal of the last one, as last noted; None = not noted."""

    @property
    def frames(self) -> int:
        """Number of colour pictures."""
        return len(self.rgb_times_s)

    @property
    def duration_s(self) -> float:
        """Time of the last capture."""
        return float(self.times_s[-1]) if len(self.times_s) else 0.0

    @property
    def picture_files(self) -> tuple[Path, ...]:
        """The file: what this recording is."""
        return (self.path,)

    @property
    def version(self) -> str:
        """Of the software that recorded it."""
        return self.notes.get("version", "not known")

    @property
    def played_at(self) -> datetime | None:
        """When the session that this is the recording of was played as if live; None = it took place."""
        try:
            return datetime.fromisoformat(self.notes[PLAYED_AT])
        except (KeyError, ValueError):
            return None

    @property
    def gas_off_after_s(self) -> float:
        """By how much too late its captures were told that gas had ended; 0 where it does not say."""
        try:
            return float(self.notes.get(GAS_OFF_AFTER_S, "0"))
        except ValueError:
            return 0.0

    @property
    def bare(self) -> bool:
        """Whether it is of bare cameras, without guidance and treatment: `guidance.recording.bare`."""
        return BARE in self.notes

    @property
    def bare_kinds(self) -> tuple[str, ...]:
        """Kinds of the bare cameras that it is of; none where it is of a session."""
        return tuple(self.notes.get(BARE, "").split(",")) if self.bare else ()

    @property
    def rig_sha256(self) -> str | None:
        """Checksum of the rig file that was in use."""
        return self.notes.get("rig_sha256") or None

    def attached(self, name: str) -> bytes | None:
        """A file that was recorded with the session."""
        return self.attachments.get(name)

    def captures(self) -> Iterator[Capture]:
        """All captures, as the pipeline had them."""
        for tick in self.ticks():
            if self.from_sightings:
                yield tick.capture
            else:
                yield looked_at_again(tick.capture)

    def ticks(self, *, pictures: bool = True) -> Iterator[Tick]:
        """All captures with what belongs to them.

        Args:
            pictures: Whether to decode the colour pictures.

        Raises:
            InputError: If a message cannot be read.
        """
        try:
            yield from ticks_of(self.path, pictures=pictures)
        except ValueError as trouble:
            raise InputError(
                f"{self.name} holds a capture that cannot be read ({trouble}); use the version of"
                f" cryoguide that recorded it ({self.version})."
            ) from trouble


def looked_at_again(capture: Capture) -> Capture:
    """The same capture without what was seen in it."""
    return Capture(
        capture.t_s,
        capture.index,
        capture.bgr,
        capture.thermal,
        capture.depth,
        capture.gas_s,
        capture.gas_now,
    )


def last_mark(path: Path) -> str | None:
    """The last time of day that was noted in a recording, in ISO 8601; None where none was."""
    found: str | None = None
    for topic, message in messages_of(path):
        if topic == RECORDER:
            try:
                found = json.loads(message.data).get("at", found)
            except (ValueError, AttributeError):
                continue
    return found


def open_mcap(path: Path, *, from_sightings: bool = False) -> McapRecording:
    """Look through a recording.

    Args:
        path: The file, finished or not.
        from_sightings: Whether its captures bring what was seen instead of pictures to look at.

    Raises:
        InputError: If it is no recording of cryoguide, or nothing can be got out of it.
    """
    whole, topics = Whole(), dict[int, str]()
    notes: dict[str, str] = {}
    attachments: dict[str, bytes] = {}
    settings: list[bytes] = []
    collar: bytes | None = None
    times_s: list[float] = []
    rgb_s: list[float] = []
    pictures, seen_topics = 0, set[str]()
    ended, sealed = False, None
    for record in read_records(path, whole):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Metadata) and record.name == NOTES:
            notes = notes | record.metadata
        elif isinstance(record, Metadata) and record.name == ENDED:
            ended = True
        elif isinstance(record, Attachment):
            attachments[record.name] = record.data
        elif isinstance(record, Message):
            topic = topics.get(record.channel_id, "")
            seen_topics.add(topic)
            if topic == SETTINGS:
                settings.append(record.data)
            elif topic == COLLAR:
                collar = record.data
            elif topic == RECORDER:
                sealed = _sealed(record.data) or sealed
            elif topic == COLOUR:
                pictures += 1
            elif topic == CAPTURES:
                t_s, in_colour = _when(record.data, path)
                times_s.append(t_s)
                if in_colour:
                    rgb_s.append(t_s)
    if notes.get("schema") != SCHEMA or not settings:
        raise InputError(f"{path} is no recording of cryoguide; give a session folder or a recording.")
    if from_sightings and BARE in notes:
        raise InputError(
            f"{path} is a recording of bare cameras: nothing was guided or seen in it; give it to"
            " `calibrate`."
        )
    if not times_s:
        raise InputError(f"{path} holds no capture: the session ended before its first one was written.")
    treatment, rig = _header(settings, path)
    return McapRecording(
        path=path,
        name=path.name.removesuffix(".mcap"),
        treatment=treatment,
        rig=rig,
        warnings=_warnings(path, whole, last_s=times_s[-1], missing=len(rgb_s) - pictures),
        notes=notes,
        attachments=attachments,
        settings=settings[0],
        collar=collar,
        times_s=np.array(times_s),
        rgb_times_s=np.array(rgb_s),
        pictures=pictures,
        width_px=rig.rgb.width_px if rig else None,
        height_px=rig.rgb.height_px if rig else None,
        has_thermal=THERMAL in seen_topics,
        has_depth=DEPTH in seen_topics,
        from_sightings=from_sightings,
        damaged=whole.damaged,
        ended=ended,
        sealed=sealed,
    )


def _sealed(data: bytes) -> tuple[int, str] | None:
    """What a mark of the recorder says of the log: lines and seal."""
    try:
        noted = json.loads(data)
        return int(noted["log_lines"]), str(noted["log_seal"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _when(data: bytes, path: Path) -> tuple[float, bool]:
    """Time of a capture, and whether it is one of a colour picture."""
    try:
        note = json.loads(data)
        return float(note["t_s"]), note["index"] is not None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as trouble:
        raise InputError(
            f"{path} holds a capture that cannot be read; use the version that recorded it."
        ) from trouble


def _header(settings: list[bytes], path: Path) -> tuple[Treatment, Rig | None]:
    """As last set: an outline that is tapped during the session has its own time."""
    try:
        last = json.loads(settings[-1])
        return from_plain(last["treatment"], Treatment), from_plain(last["rig"], Rig | None)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as trouble:
        raise InputError(
            f"{path} holds settings that cannot be read ({trouble}); use the version that recorded it."
        ) from trouble


def _warnings(path: Path, whole: Whole, *, last_s: float, missing: int) -> tuple[str, ...]:
    told: list[str] = []
    if whole.damaged:
        told.append(
            f"{path.name} is damaged (bytes in its middle have changed): it is read up to {last_s:.2f} s, and"
            f" {whole.bytes_left_out} bytes from there on are left out; use another copy where there is one."
        )
    elif not whole.finished:
        told.append(
            f"{path.name} was not finished (program or machine stopped): it is read up to {last_s:.2f} s."
        )
    if whole.bytes_behind:
        told.append(
            f"{path.name}: {whole.bytes_behind} bytes stand behind its end; they are no part of it and left"
            " out."
        )
    if missing > 0:
        told.append(f"{path.name}: {missing} colour pictures were not recorded, to keep the rest.")
    return tuple(told)
