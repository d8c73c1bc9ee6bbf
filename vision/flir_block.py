"""The block in which FLIR cameras keep a raw thermal picture and the parameters to read it with.

It stands in radiometric JPEGs and, one after another, in ``.seq`` files. The format is not published by
its maker. The layout used here was worked out from the files themselves and is checked byte by byte;
anything that does not fit is refused, never guessed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from models.geometry import Counts, frozen
from models.radiation import KELVIN, Air, Planck, Surroundings

MAGIC = b"FFF\0"
HEADER_BYTES = 64
_ENTRY_BYTES = 32

# Records of the thermal block by type number, as found in the files.
_RAW_RECORD = 0x01
_CAMERA_RECORD = 0x20
_RAW_HEADER_BYTES = 32

# Byte offsets inside the camera record, as found in the files. All but the three marked are float32.
_EMISSIVITY, _DISTANCE_M, _REFLECTED_K, _AIR_K = 0x20, 0x24, 0x28, 0x2C
_WINDOW_TRANSMISSION, _HUMIDITY = 0x34, 0x3C
_R1, _B, _F = 0x58, 0x5C, 0x60
_ALPHA1, _ALPHA2, _BETA1, _BETA2, _X = 0x70, 0x74, 0x78, 0x7C, 0x80
_MODEL = 0xD4  # 32 characters
_O, _R2 = 0x308, 0x30C  # O is a signed 32-bit integer
_CAMERA_BYTES = 0x310
_TIME = 0x384  # seconds since 1970 and milliseconds, both unsigned 32-bit; later cameras only

_LONGEST_DIRECTORY = 1024
"""Entries; real files have 14. A larger number is no directory."""


class UnreadableError(Exception):
    """Why the bytes are no radiometric picture; completes the sentence that starts with the file's name."""


@dataclass(frozen=True, eq=False)
class FlirBlock:
    """One thermal picture as the camera stored it."""

    counts: Counts
    """Raw counts, shape (height, width)."""
    planck: Planck
    stored: Surroundings
    """What the camera was set to; often its factory setting."""
    model: str
    """Name of the camera as it calls itself, may be empty."""
    unix_s: float | None
    """Time of the picture by the camera's own clock, to the millisecond."""

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "counts", frozen(self.counts))


@dataclass(frozen=True)
class _Record:
    """One record of the thermal block."""

    data: bytes
    order: str
    """Byte order of its numbers: ``<`` or ``>``."""

    def number(self, kind: str, offset: int) -> float:
        return struct.unpack_from(self.order + kind, self.data, offset)[0]


def read_block(block: bytes) -> FlirBlock:
    """Read one block.

    Raises:
        UnreadableError: If it is not whole, or of a kind that is not corrected for.
    """
    records = _records(block)
    counts = _counts(records)
    return _with_parameters(counts, records)


def block_length(data: bytes) -> int:
    """Bytes from the start of the block at the start of ``data`` to the end of its last record.

    Args:
        data: At least header and directory; may end before the block does.

    Raises:
        UnreadableError: If no block starts here.
    """
    order, start, count = _directory(data)
    end = start + _ENTRY_BYTES * count
    for i in range(count):
        kind, offset, length = _entry(data, order, start + _ENTRY_BYTES * i)
        if kind:
            end = max(end, offset + length)
    return end


def _directory(block: bytes) -> tuple[str, int, int]:
    """Byte order, and where the directory starts and how many entries it has."""
    if len(block) < HEADER_BYTES or block[:3] != MAGIC[:3]:
        raise UnreadableError("holds radiometric data of an unknown kind")
    # The version number is 100 to 199 when read in the right byte order.
    order = next((o for o in (">", "<") if 100 <= struct.unpack_from(o + "I", block, 20)[0] < 200), None)
    if order is None:
        raise UnreadableError("holds radiometric data of an unknown version")
    start, count = struct.unpack_from(order + "II", block, 24)
    if count > _LONGEST_DIRECTORY or start + _ENTRY_BYTES * count > len(block):
        raise UnreadableError("holds radiometric data that ends too early")
    return order, start, count


def _entry(block: bytes, order: str, at: int) -> tuple[int, int, int]:
    """Type, offset and length of one record."""
    (kind,) = struct.unpack_from(order + "H", block, at)
    offset, length = struct.unpack_from(order + "II", block, at + 12)
    return kind, offset, length


def _records(block: bytes) -> dict[int, _Record]:
    """First record of each type."""
    order, start, count = _directory(block)
    records: dict[int, _Record] = {}
    for i in range(count):
        kind, offset, length = _entry(block, order, start + _ENTRY_BYTES * i)
        if kind not in (_RAW_RECORD, _CAMERA_RECORD) or kind in records or length < 2:
            continue
        if offset + length > len(block):
            raise UnreadableError("holds radiometric data that ends too early")
        data = block[offset : offset + length]
        # Each record starts with the number 2 in its own byte order.
        records[kind] = _Record(data, "<" if data[:2] == b"\x02\x00" else ">")
    return records


def _counts(records: dict[int, _Record]) -> Counts:
    """Raw counts, shape (height, width)."""
    record = records.get(_RAW_RECORD)
    if record is None or len(record.data) < _RAW_HEADER_BYTES:
        raise UnreadableError("holds no raw thermal picture")
    width, height = int(record.number("H", 2)), int(record.number("H", 4))
    raw = record.data[_RAW_HEADER_BYTES:]
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.dtype != np.uint16 or picture.shape != (height, width):
            raise UnreadableError("holds a damaged raw thermal picture")
        counts = picture.astype(np.uint16)
        # PNG stores the high byte first, most of these cameras write the low byte first, some do not.
        swapped = counts.byteswap()
        return swapped if _roughness(swapped) <= _roughness(counts) else counts
    if raw[:4] == b"\xff\xd8\xff\xf7":
        raise UnreadableError(
            "holds its raw thermal pictures compressed as JPEG-LS (.csq), which is not read"
        )
    if width == 0 or height == 0 or len(raw) < 2 * width * height:
        raise UnreadableError("holds a damaged raw thermal picture")
    plain = np.frombuffer(raw, record.order + "u2", width * height)
    return plain.reshape(height, width).astype(np.uint16)


def _roughness(counts: np.ndarray) -> float:
    """Mean step between neighbours: with the bytes the wrong way round it is many times larger."""
    wide = counts.astype(np.int64)
    return float(np.abs(np.diff(wide, axis=0)).sum() + np.abs(np.diff(wide, axis=1)).sum()) / wide.size


def _with_parameters(counts: Counts, records: dict[int, _Record]) -> FlirBlock:
    """The counts with the stored parameters, checked."""
    camera = records.get(_CAMERA_RECORD)
    if camera is None or len(camera.data) < _CAMERA_BYTES:
        raise UnreadableError("holds no camera parameters")

    def number(offset: int) -> float:
        return camera.number("f", offset)

    window = number(_WINDOW_TRANSMISSION)
    if window not in (0.0, 1.0):  # 0: never set
        raise UnreadableError("was taken through an infrared window, which is not corrected for")
    planck = Planck(r1=number(_R1), r2=number(_R2), b=number(_B), f=number(_F), o=camera.number("i", _O))
    humidity = number(_HUMIDITY)
    air = Air(
        degc=number(_AIR_K) - KELVIN,
        humidity=humidity / 100.0 if humidity > 2.0 else humidity,  # some cameras store percent
        alpha1=number(_ALPHA1),
        alpha2=number(_ALPHA2),
        beta1=number(_BETA1),
        beta2=number(_BETA2),
        x=number(_X),
    )
    stored = Surroundings(
        emissivity=number(_EMISSIVITY),
        reflected_degc=number(_REFLECTED_K) - KELVIN,
        air=air,
        distance_m=number(_DISTANCE_M),
    )
    figures = [
        *vars(planck).values(),
        *vars(air).values(),
        stored.emissivity,
        stored.reflected_degc,
        stored.distance_m,
    ]
    if (
        not np.isfinite(figures).all()
        or min(planck.r1, planck.r2, planck.b) <= 0.0
        or not 0.0 < stored.emissivity <= 1.0
        or stored.distance_m < 0.0
        or min(air.degc, stored.reflected_degc) <= -KELVIN
    ):
        raise UnreadableError("holds camera parameters that make no sense")
    model = camera.data[_MODEL : _MODEL + 32].split(b"\0")[0].decode("ascii", "replace").strip()
    return FlirBlock(counts, planck, stored, model, _unix_s(camera))


def _unix_s(camera: _Record) -> float | None:
    """Time of the picture; None where the camera stored none."""
    if len(camera.data) < _TIME + 8:
        return None
    seconds, thousandths = camera.number("I", _TIME), int(camera.number("I", _TIME + 4)) & 0xFFFF
    return seconds + thousandths / 1000.0 if seconds > 0 and thousandths < 1000 else None
