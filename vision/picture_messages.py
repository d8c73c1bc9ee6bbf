"""Pictures as messages of a recording: Foxglove's RawImage and CompressedImage, in protobuf.

Field numbers and meanings are those that Foxglove publishes (foxglove.RawImage, foxglove.CompressedImage).
Both are a dozen fields on the wire, so they are written here without protobuf's own library; the schema that
goes into the file is made by the same means, so that any reader of protobuf understands it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from models.geometry import Bytes, Counts

RAW_IMAGE, COMPRESSED_IMAGE = "foxglove.RawImage", "foxglove.CompressedImage"

MONO16, JPEG = "mono16", "jpeg"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""

_OPTIONAL = 1
_INT64, _STRING, _MESSAGE, _RAW, _INT32, _UINT32 = 3, 9, 11, 12, 5, 7
"""Field types of a protobuf descriptor (7 is fixed32)."""

_TIMESTAMP = ".google.protobuf.Timestamp"


def raw_image(counts: Counts, *, t_ns: int, frame: str) -> bytes:
    """A 16-bit picture without loss.

    Args:
        counts: Shape (h, w).
        t_ns: Time of exposure since 1970.
        frame: Frame of reference, such as ``thermal``.
    """
    height_px, width_px = counts.shape
    return b"".join(
        (
            _field(1, _timestamp(t_ns)),
            _fixed(2, width_px),
            _fixed(3, height_px),
            _field(4, MONO16.encode()),
            _fixed(5, 2 * width_px),
            _field(6, np.ascontiguousarray(counts, "<u2").tobytes()),
            _field(7, frame.encode()),
        )
    )


def compressed_image(bgr: Bytes, *, t_ns: int, frame: str, quality: int) -> bytes:
    """A colour picture as JPEG, with loss.

    Args:
        bgr: Shape (h, w, 3).
        t_ns: Time of exposure since 1970.
        frame: Frame of reference.
        quality: Of the JPEG, 1..100.
    """
    done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {bgr.shape} cannot be written as JPEG")
    return b"".join(
        (
            _field(1, _timestamp(t_ns)),
            _field(2, jpeg.tobytes()),
            _field(3, JPEG.encode()),
            _field(4, frame.encode()),
        )
    )


@dataclass(frozen=True)
class RawForm:
    """What a RawImage says of itself, its pixels left where they are."""

    width_px: int
    height_px: int
    encoding: str
    step: int
    data: memoryview


def read_raw_form(message: bytes) -> RawForm:
    """Size and pixels of a RawImage.

    Raises:
        ValueError: If it is none.
    """
    told = dict(_fields(message))
    try:
        width_px, height_px, step = (int.from_bytes(told[key], "little") for key in (2, 3, 5))
        encoding = bytes(told[4]).decode()
        return RawForm(width_px, height_px, encoding, step, told[6])
    except (KeyError, UnicodeDecodeError) as trouble:
        raise ValueError(f"no RawImage ({trouble})") from trouble


def read_raw_image(message: bytes) -> Counts:
    """The 16-bit picture of a RawImage.

    Raises:
        ValueError: If it is none, or of another encoding.
    """
    form = read_raw_form(message)
    if form.encoding not in (MONO16, "16UC1") or form.step < 2 * form.width_px:
        raise ValueError(f"a RawImage of the encoding {form.encoding!r}, not {MONO16}")
    rows = np.frombuffer(form.data, np.uint8).reshape(form.height_px, form.step)[:, : 2 * form.width_px]
    return np.ascontiguousarray(rows).view("<u2").astype(np.uint16, copy=False)


def read_compressed_image(message: bytes) -> Bytes | None:
    """The colour picture of a CompressedImage; None where it cannot be decoded.

    Raises:
        ValueError: If the message is no CompressedImage.
    """
    told = dict(_fields(message))
    if 2 not in told:
        raise ValueError("no CompressedImage")
    if not len(told[2]):
        return None
    picture = cv2.imdecode(np.frombuffer(told[2], np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, np.uint8)


def raw_image_schema() -> bytes:
    """What protobuf calls the FileDescriptorSet of RawImage."""
    return _schema(
        "RawImage",
        (
            ("timestamp", 1, _MESSAGE),
            ("width", 2, _UINT32),
            ("height", 3, _UINT32),
            ("encoding", 4, _STRING),
            ("step", 5, _UINT32),
            ("data", 6, _RAW),
            ("frame_id", 7, _STRING),
        ),
    )


def compressed_image_schema() -> bytes:
    """The same of CompressedImage."""
    return _schema(
        "CompressedImage",
        (
            ("timestamp", 1, _MESSAGE),
            ("data", 2, _RAW),
            ("format", 3, _STRING),
            ("frame_id", 4, _STRING),
        ),
    )


def _schema(name: str, fields: tuple[tuple[str, int, int], ...]) -> bytes:
    timestamp = _file(
        "google/protobuf/timestamp.proto",
        "google.protobuf",
        (),
        _message("Timestamp", (("seconds", 1, _INT64), ("nanos", 2, _INT32))),
    )
    needs = ("google/protobuf/timestamp.proto",)
    own = _file(f"foxglove/{name}.proto", "foxglove", needs, _message(name, fields))
    return _field(1, timestamp) + _field(1, own)


def _file(path: str, package: str, needs: tuple[str, ...], message: bytes) -> bytes:
    told = [_field(1, path.encode()), _field(2, package.encode())]
    told += [_field(3, need.encode()) for need in needs]
    return b"".join((*told, _field(4, message), _field(12, b"proto3")))


def _message(name: str, fields: tuple[tuple[str, int, int], ...]) -> bytes:
    told = [_field(1, name.encode())]
    for title, number, kind in fields:
        one = [_field(1, title.encode()), _number(3, number), _number(4, _OPTIONAL), _number(5, kind)]
        if kind == _MESSAGE:
            one.append(_field(6, _TIMESTAMP.encode()))
        told.append(_field(2, b"".join(one)))
    return b"".join(told)


def _timestamp(t_ns: int) -> bytes:
    seconds, nanos = divmod(t_ns, 1_000_000_000)
    return _number(1, seconds) + _number(2, nanos)


def _varint(value: int) -> bytes:
    # Negative numbers are written as 64-bit two's complement.
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _fixed(number: int, value: int) -> bytes:
    return _varint(number << 3 | _FIXED32) + struct.pack("<I", value)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _fields(message: bytes) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each field; varints are passed over."""
    data, at = memoryview(message), 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _, at = _read_varint(data, at)
            continue
        length = {_FIXED32: 4, _FIXED64: 8}.get(kind)
        if length is None:
            if kind != _BYTES:
                raise ValueError(f"no protobuf: wire type {kind}")
            length, at = _read_varint(data, at)
        if at + length > len(data):
            raise ValueError("the message is cut off")
        yield number, data[at : at + length]
        at += length


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("the message is cut off")
