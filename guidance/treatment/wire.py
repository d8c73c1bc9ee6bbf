"""Messages between page and server: what a page may say, checked strictly, and how a picture is packed."""

from __future__ import annotations

import json
import math
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from guidance.treatment.choice import Choice
from guidance.treatment.commands import (
    MOVES,
    RIG_CHECKS,
    Answer,
    CheckRig,
    Choose,
    Command,
    ConfirmHistory,
    ConfirmSound,
    Identify,
    Move,
)
from guidance.treatment.course import PHASES
from guidance.treatment.zone_wire import read_zone_message

MESSAGE_MOST = 2048
"""Bytes of one message of a page: a reason of 200 letters fits several times."""


class BadMessageError(Exception):
    """Not something a page of ours would send."""


@dataclass(frozen=True)
class Drawn:
    """The page has drawn a picture and can take the next one."""

    number: int


@dataclass(frozen=True)
class Here:
    """The page is there and hears what it is told; said each second."""


@dataclass(frozen=True)
class About:
    """What a page wants about alarms or control, at any time."""

    name: str


ABOUTS = ("acknowledge", "quiet", "sound_on", "take_control")

PageMessage = Drawn | Here | About | CheckRig | Command


def read_message(text: str) -> PageMessage:
    """Read one message of a page.

    Args:
        text: JSON, an object with ``do``.

    Raises:
        BadMessageError: If it is anything else than one of the known ones.
    """
    if len(text.encode()) > MESSAGE_MOST:
        raise BadMessageError("The message is too long.")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as trouble:
        raise BadMessageError("The message is no JSON.") from trouble
    if not isinstance(parsed, dict):
        raise BadMessageError("The message is no object.")
    fields = cast("dict[str, object]", parsed)
    if any(isinstance(value, str) and not _writable(value) for value in fields.values()):
        raise BadMessageError("Letters that can be written nowhere.")
    what = fields.pop("do", None)
    if what == "drawn":
        number = fields.pop("number", None)
        if type(number) is not int or fields:
            raise BadMessageError("A drawn picture is told by its number alone.")
        return Drawn(number)
    if isinstance(what, str):
        try:
            command = read_zone_message(what, fields)
        except ValueError as trouble:
            raise BadMessageError(str(trouble)) from trouble
        if command is not None:
            return command
    words = {name: word for name, word in fields.items() if isinstance(word, str)}
    if what in ("next", "back") and words.keys() == {"at"} == fields.keys() and words["at"] in PHASES:
        return Move(what, words["at"])
    if len(words) < len(fields):
        raise BadMessageError("Everything that is said is text.")
    wanted: Mapping[str, PageMessage] = {
        **{name: Move(name) for name in MOVES},
        **{name: About(name) for name in ABOUTS},
        **{name: CheckRig(name) for name in RIG_CHECKS},
        "confirm_sound": ConfirmSound(),
        "here": Here(),
        "confirm_history": ConfirmHistory(),
    }
    if isinstance(what, str) and what in wanted and not words:
        return wanted[what]
    if what == "identify" and words.keys() == {"operator", "subject"}:
        return Identify(**words)
    if what == "choose" and words.keys() == {"zone", "side", "device", "protocol"}:
        return Choose(Choice(**words))
    if what == "answer" and words.keys() == {"question", "answer", "reason"}:
        return Answer(**words)
    raise BadMessageError("Nothing of that kind can be asked for.")


def _writable(text: str) -> bool:
    """Whether recording and report can hold it: JSON may bring half a letter (a lone surrogate), or a NUL."""
    return not any(unicodedata.category(letter) in ("Cs", "Cc") and letter not in "\t\n\r" for letter in text)


def text_of(told: Mapping[str, object]) -> str:
    """What a page is told, as JSON. A number that is not finite is not known, and goes out as null."""
    return json.dumps(_finite(told), separators=(",", ":"), allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in cast("list[object]", value)]
    return value


def pack(head: Mapping[str, object], parts: Mapping[str, bytes]) -> bytes:
    """One binary message: length of the head, the head as JSON, then the parts that it names.

    Args:
        head: Ready for JSON; gets ``parts``: pairs of name and length in bytes, in order.
        parts: Bytes by name.
    """
    listed = {**head, "parts": [[name, len(part)] for name, part in parts.items()]}
    text = text_of(listed).encode()
    return b"".join([struct.pack("<I", len(text)), text, *parts.values()])


def unpack(message: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    """The reverse of `pack`."""
    (length,) = struct.unpack_from("<I", message)
    head = cast("dict[str, object]", json.loads(message[4 : 4 + length]))
    parts: dict[str, bytes] = {}
    at = 4 + length
    for name, size in cast("list[tuple[str, int]]", head.pop("parts")):
        parts[name] = message[at : at + size]
        at += size
    return head, parts
