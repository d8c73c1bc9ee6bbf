"""What of a capture goes into a recording, as messages of its topics."""

from __future__ import annotations

from collections.abc import Callable

from models.capture import Capture
from models.exact_text import to_text
from models.recorded import (
    ACTIONS,
    ALARMS,
    CAPTURES,
    COLLAR,
    COLOUR,
    DEPTH,
    NOZZLE,
    RECORDER,
    SETTINGS,
    THERMAL,
    TOLD,
    CaptureNote,
)
from models.sightings import Seen
from vision.mcap_file import McapFile
from vision.picture_messages import (
    COMPRESSED_IMAGE,
    RAW_IMAGE,
    compressed_image,
    compressed_image_schema,
    raw_image,
    raw_image_schema,
)
from vision.pose_message import POSE_IN_FRAME, POSE_SCHEMA

Message = tuple[str, bytes, float]
"""Topic, data, session time."""


def announce(file: McapFile) -> None:
    """Topics and what their messages are."""
    for topic, schema, text in (
        (COLOUR, COMPRESSED_IMAGE, compressed_image_schema()),
        (THERMAL, RAW_IMAGE, raw_image_schema()),
        (DEPTH, RAW_IMAGE, raw_image_schema()),
    ):
        file.channel(topic, schema=schema, encoding="protobuf", data=text, messages="protobuf")
    file.channel(NOZZLE, schema=POSE_IN_FRAME, encoding="jsonschema", data=POSE_SCHEMA, messages="json")
    for topic in (CAPTURES, ACTIONS, SETTINGS, COLLAR, TOLD, ALARMS, RECORDER):
        file.channel(
            topic,
            schema=f"cryoguide{topic.replace('/', '.')}",
            encoding="jsonschema",
            data=b'{"type":"object"}',
            messages="json",
        )


def picture_messages(capture: Capture, *, ns: Callable[[float], int], quality: int) -> list[Message]:
    """The pictures of a capture; they come before its note.

    Args:
        capture: With the pictures that are to be kept.
        ns: From session seconds to nanoseconds since 1970.
        quality: Of the JPEG that a colour picture becomes, 1..100.
    """
    messages: list[Message] = []
    if capture.bgr is not None:
        jpeg = compressed_image(capture.bgr, t_ns=ns(capture.t_s), frame="rgb", quality=quality)
        messages.append((COLOUR, jpeg, capture.t_s))
    for thermal in capture.thermal:
        raw = raw_image(thermal.centikelvin, t_ns=ns(thermal.t_s), frame="thermal")
        messages.append((THERMAL, raw, capture.t_s))
    for depth in capture.depth:
        raw = raw_image(depth.depth_mm, t_ns=ns(depth.t_s), frame="depth")
        messages.append((DEPTH, raw, capture.t_s))
    return messages


def note_of(capture: Capture, seen: Seen) -> CaptureNote:
    """What is said of a capture beside the pictures that were kept of it."""
    return CaptureNote(
        t_s=capture.t_s,
        index=capture.index,
        gas_s=capture.gas_s,
        gas_now=capture.gas_now,
        picture=capture.bgr is not None,
        thermal=tuple((one.t_s, one.shutter) for one in capture.thermal),
        depth_s=tuple(one.t_s for one in capture.depth),
        seen=seen,
    )


def json_message(topic: str, message: object, *, t_s: float) -> Message:
    """A message as JSON."""
    return topic, to_text(message).encode(), t_s
