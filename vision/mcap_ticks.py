"""The captures of a recording of a live session (MCAP), each put together of its messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcap.records import Channel, Message

from models.capture import Capture, DepthPicture, ThermalPicture
from models.exact_text import from_text
from models.geometry import Bytes
from models.recorded import ACTIONS, CAPTURES, COLOUR, DEPTH, SETTINGS, THERMAL, TOLD, CaptureNote
from vision.mcap_file import read_records
from vision.picture_messages import read_compressed_image, read_raw_image


@dataclass(frozen=True, eq=False)
class Tick:
    """One recorded capture and what belongs to it."""

    capture: Capture
    """With what was seen in it, and its colour picture where that is wanted and there."""
    actions: tuple[bytes, ...]
    """What the operator did since the capture before, as JSON."""
    settings: bytes | None
    """What the session is set up with from this capture on, as JSON; None where nothing has changed."""
    told: bytes | None
    """What was told then, as JSON."""


def ticks_of(path: Path, *, pictures: bool = True) -> Iterator[Tick]:
    """All captures of a recording with what belongs to them.

    Args:
        path: The file, finished or not.
        pictures: Whether to decode the colour pictures.

    Raises:
        ValueError: If a message cannot be read.
        InputError: If it is no MCAP file.
    """
    gathered = _Gathered()
    for topic, message in messages_of(path):
        if topic == CAPTURES:
            yield gathered.tick(message.data, pictures=pictures)
            gathered = _Gathered()
        else:
            gathered.take(topic, message.data)


def messages_of(path: Path) -> Iterator[tuple[str, Message]]:
    """All messages of a recording, each with its topic."""
    topics: dict[int, str] = {}
    for record in read_records(path):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Message) and record.channel_id in topics:
            yield topics[record.channel_id], record


@dataclass(eq=False)
class _Gathered:
    """Messages since the last capture."""

    colour: bytes | None = None
    thermal: list[bytes] = field(default_factory=list[bytes])
    depth: list[bytes] = field(default_factory=list[bytes])
    actions: list[bytes] = field(default_factory=list[bytes])
    settings: bytes | None = None
    told: bytes | None = None

    def take(self, topic: str, data: bytes) -> None:
        if topic == COLOUR:
            self.colour = data
        elif topic == THERMAL:
            self.thermal.append(data)
        elif topic == DEPTH:
            self.depth.append(data)
        elif topic == ACTIONS:
            self.actions.append(data)
        elif topic == SETTINGS:
            self.settings = data
        elif topic == TOLD:
            self.told = data

    def tick(self, data: bytes, *, pictures: bool) -> Tick:
        note: CaptureNote = from_text(data, CaptureNote)
        if len(note.thermal) != len(self.thermal) or len(note.depth_s) != len(self.depth):
            raise ValueError(f"its thermal or depth pictures are missing at {note.t_s:.3f} s")
        bgr: Bytes | None = None
        if pictures and note.picture and self.colour is not None:
            bgr = read_compressed_image(self.colour)
        capture = Capture(
            t_s=note.t_s,
            index=note.index,
            bgr=bgr,
            thermal=tuple(
                ThermalPicture(t_s, read_raw_image(message), shutter)
                for (t_s, shutter), message in zip(note.thermal, self.thermal, strict=True)
            ),
            depth=tuple(
                DepthPicture(t_s, read_raw_image(message))
                for t_s, message in zip(note.depth_s, self.depth, strict=True)
            ),
            gas_s=note.gas_s,
            gas_now=note.gas_now,
            seen=note.seen,
        )
        return Tick(capture, tuple(self.actions), self.settings, self.told)
