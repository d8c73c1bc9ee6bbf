"""Read radiometric JPEGs of FLIR cameras: raw counts and the camera's own parameters to degC.

The format is not published by its maker. The layout used here was worked out from the files
themselves and is checked byte by byte; anything that does not fit is refused, never guessed. The
result agrees with the maker's own tool to the last digit it exports,
0.001 degC (``tests/vision/test_radiometric.py``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.geometry import Floats, frozen
from models.problems import InputError

_KELVIN = 273.15

# Records of the thermal block by type number, as found in the files.
_RAW_RECORD = 0x01
_CAMERA_RECORD = 0x20
_RAW_HEADER_BYTES = 32

# Byte offsets inside the camera record, as found in the files. All but the two marked are float32.
_EMISSIVITY, _DISTANCE_M, _REFLECTED_K, _AIR_K = 0x20, 0x24, 0x28, 0x2C
_WINDOW_TRANSMISSION, _HUMIDITY = 0x34, 0x3C
_R1, _B, _F = 0x58, 0x5C, 0x60
_ALPHA1, _ALPHA2, _BETA1, _BETA2, _X = 0x70, 0x74, 0x78, 0x7C, 0x80
_MODEL = 0xD4  # 32 characters
_O, _R2 = 0x308, 0x30C  # O is a signed 32-bit integer
_CAMERA_BYTES = 0x310


@dataclass(frozen=True)
class Planck:
    """The camera's calibration curve: counts = r1 / (r2 (exp(b / T) - f)) - o, T in kelvin."""

    r1: float
    r2: float
    b: float
    f: float
    o: float

    def counts(self, degc: float) -> float:
        """Counts of a black body of this temperature."""
        return self.r1 / (self.r2 * (np.exp(self.b / (degc + _KELVIN)) - self.f)) - self.o

    def degc(self, counts: Floats) -> Floats:
        """Temperature of a black body of these counts; NaN outside the curve."""
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = self.r1 / (self.r2 * (counts + self.o)) + self.f
            kelvin = self.b / np.log(np.where((counts + self.o > 0.0) & (inner > 1.0), inner, np.nan))
        return kelvin - _KELVIN


@dataclass(frozen=True)
class Air:
    """Air between object and camera, and how well it lets the radiation through."""

    degc: float
    humidity: float
    """Relative, 0..1."""
    alpha1: float
    alpha2: float
    beta1: float
    beta2: float
    x: float

    def transmission(self, distance_m: float) -> float:
        """Share of the radiation that comes through, 0..1: one figure over the whole distance.

        Water content in g/m^3 from a cubic fit to the saturation curve, then two bands that fade
        with the square root of the distance. One such figure over the object distance reproduces the
        maker's tool to 0.0005 degC; splitting the way in two is off by up to 0.16 degC (measured on
        11 files).
        """
        t = self.degc
        water = self.humidity * np.exp(1.5587 + 6.939e-2 * t - 2.7816e-4 * t**2 + 6.8455e-7 * t**3)
        way, wet = np.sqrt(distance_m), np.sqrt(water)
        return float(
            self.x * np.exp(-way * (self.alpha1 + self.beta1 * wet))
            + (1.0 - self.x) * np.exp(-way * (self.alpha2 + self.beta2 * wet))
        )


@dataclass(frozen=True, eq=False)
class RadiometricPicture:
    """One thermal picture with everything its temperatures rest on."""

    degc: Floats
    """Object temperature, shape (height, width); NaN where the counts lie outside the camera's curve."""
    model: str
    """Name of the camera as it calls itself, may be empty."""
    emissivity: float
    distance_m: float
    reflected_degc: float
    planck: Planck
    air: Air

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "degc", frozen(self.degc))


def read_flir_jpeg(path: Path) -> RadiometricPicture:
    """Read a FLIR radiometric JPEG.

    Args:
        path: The picture as it left the camera; editors and messengers drop the radiometric part.

    Returns:
        Object temperatures in degC, corrected for emissivity, reflection and air with the parameters
        that the camera stored.

    Raises:
        InputError: If the file cannot be read, is no JPEG, holds no complete radiometric data, or was
            taken through an infrared window, which is not corrected for.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    try:
        block = _thermal_block(data)
        records = _records(block)
        counts = _counts(records)
        return _decode(counts, records)
    except _UnreadableError as error:
        raise InputError(
            f"{path.name} {error}; give the original file of a FLIR camera, not an edited or sent copy."
        ) from error


class _UnreadableError(Exception):
    """Why the bytes are no radiometric picture; completes the sentence that starts with the file's name."""


@dataclass(frozen=True)
class _Record:
    """One record of the thermal block."""

    data: bytes
    order: str
    """Byte order of its numbers: ``<`` or ``>``."""

    def number(self, kind: str, offset: int) -> float:
        return struct.unpack_from(self.order + kind, self.data, offset)[0]


def _thermal_block(data: bytes) -> bytes:
    """Join the pieces of the thermal block, which is cut into APP1 segments of at most 64 KiB."""
    if data[:2] != b"\xff\xd8":
        raise _UnreadableError("is not a JPEG")
    pieces: dict[int, bytes] = {}
    last = -1
    at = 2
    while at + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFFFF:  # fill byte
            at += 1
            continue
        if marker >> 8 != 0xFF or marker in (0xFFDA, 0xFFD9):  # picture data begins, or the end
            break
        body = data[at + 4 : at + 2 + length]
        if marker == 0xFFE1 and body[:5] == b"FLIR\0" and len(body) > 8:
            pieces[body[6]] = body[8:]
            last = max(last, body[7])
        at += 2 + length
    if not pieces:
        raise _UnreadableError("holds no radiometric data")
    missing = [i for i in range(last + 1) if i not in pieces]
    if missing:
        raise _UnreadableError(f"lacks {len(missing)} of {last + 1} pieces of its radiometric data")
    return b"".join(pieces[i] for i in range(last + 1))


def _records(block: bytes) -> dict[int, _Record]:
    """First record of each type."""
    if len(block) < 64 or block[:3] != b"FFF":
        raise _UnreadableError("holds radiometric data of an unknown kind")
    # The version number is 100 to 199 when read in the right byte order.
    order = next((o for o in (">", "<") if 100 <= struct.unpack_from(o + "I", block, 20)[0] < 200), None)
    if order is None:
        raise _UnreadableError("holds radiometric data of an unknown version")
    start, count = struct.unpack_from(order + "II", block, 24)
    if start + 32 * count > len(block):
        raise _UnreadableError("holds radiometric data that ends too early")
    records: dict[int, _Record] = {}
    for i in range(count):
        entry = start + 32 * i
        (kind,) = struct.unpack_from(order + "H", block, entry)
        offset, length = struct.unpack_from(order + "II", block, entry + 12)
        if kind not in (_RAW_RECORD, _CAMERA_RECORD) or kind in records or length < 2:
            continue
        if offset + length > len(block):
            raise _UnreadableError("holds radiometric data that ends too early")
        data = block[offset : offset + length]
        # Each record starts with the number 2 in its own byte order.
        records[kind] = _Record(data, "<" if data[:2] == b"\x02\x00" else ">")
    return records


def _counts(records: dict[int, _Record]) -> Floats:
    """Raw counts, shape (height, width)."""
    record = records.get(_RAW_RECORD)
    if record is None or len(record.data) < _RAW_HEADER_BYTES:
        raise _UnreadableError("holds no raw thermal picture")
    width, height = int(record.number("H", 2)), int(record.number("H", 4))
    raw = record.data[_RAW_HEADER_BYTES:]
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.dtype != np.uint16 or picture.shape != (height, width):
            raise _UnreadableError("holds a damaged raw thermal picture")
        counts = picture.astype(np.uint16)
        # PNG stores the high byte first, most of these cameras write the low byte first, some do not.
        swapped = counts.byteswap()
        return (swapped if _roughness(swapped) <= _roughness(counts) else counts).astype(np.float64)
    if width == 0 or height == 0 or len(raw) < 2 * width * height:
        raise _UnreadableError("holds a damaged raw thermal picture")
    return np.frombuffer(raw, record.order + "u2", width * height).reshape(height, width).astype(np.float64)


def _roughness(counts: np.ndarray) -> float:
    """Mean step between neighbours: with the bytes the wrong way round it is many times larger."""
    wide = counts.astype(np.int64)
    return float(np.abs(np.diff(wide, axis=0)).sum() + np.abs(np.diff(wide, axis=1)).sum()) / wide.size


def _decode(counts: Floats, records: dict[int, _Record]) -> RadiometricPicture:
    """Object temperature from counts with the stored parameters."""
    camera = records.get(_CAMERA_RECORD)
    if camera is None or len(camera.data) < _CAMERA_BYTES:
        raise _UnreadableError("holds no camera parameters")

    def stored(offset: int) -> float:
        return camera.number("f", offset)

    window = stored(_WINDOW_TRANSMISSION)
    if window not in (0.0, 1.0):  # 0: never set
        raise _UnreadableError("was taken through an infrared window, which is not corrected for")
    planck = Planck(r1=stored(_R1), r2=stored(_R2), b=stored(_B), f=stored(_F), o=camera.number("i", _O))
    humidity = stored(_HUMIDITY)
    air = Air(
        degc=stored(_AIR_K) - _KELVIN,
        humidity=humidity / 100.0 if humidity > 2.0 else humidity,  # some cameras store percent
        alpha1=stored(_ALPHA1),
        alpha2=stored(_ALPHA2),
        beta1=stored(_BETA1),
        beta2=stored(_BETA2),
        x=stored(_X),
    )
    picture = {
        "emissivity": stored(_EMISSIVITY),
        "distance_m": stored(_DISTANCE_M),
        "reflected_degc": stored(_REFLECTED_K) - _KELVIN,
    }
    figures = [*vars(planck).values(), *vars(air).values(), *picture.values()]
    if (
        not np.isfinite(figures).all()
        or min(planck.r1, planck.r2, planck.b) <= 0.0
        or not 0.0 < picture["emissivity"] <= 1.0
        or picture["distance_m"] < 0.0
        or min(air.degc, picture["reflected_degc"]) <= -_KELVIN
    ):
        raise _UnreadableError("holds camera parameters that make no sense")
    object_counts = _without_surroundings(counts, planck=planck, air=air, **picture)
    model = camera.data[_MODEL : _MODEL + 32].split(b"\0")[0].decode("ascii", "replace").strip()
    return RadiometricPicture(planck.degc(object_counts), model=model, planck=planck, air=air, **picture)


def _without_surroundings(
    counts: Floats, *, planck: Planck, air: Air, emissivity: float, distance_m: float, reflected_degc: float
) -> Floats:
    """Counts of the object alone.

    The camera sees counts = tau (eps object + (1 - eps) reflected) + (1 - tau) air, with tau the
    transmission of the air and eps the emissivity; solved for the object.
    """
    tau = air.transmission(distance_m)
    around = (1.0 - emissivity) * tau * planck.counts(reflected_degc) + (1.0 - tau) * planck.counts(air.degc)
    return (counts - around) / (emissivity * tau)
