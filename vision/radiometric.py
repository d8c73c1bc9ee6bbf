"""Read radiometric JPEGs of FLIR cameras: raw counts and the camera's own parameters to degC.

The result agrees with the maker's own tool to the last digit it exports, 0.001 degC
(``tests/vision/test_radiometric.py``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.geometry import Floats, frozen
from models.problems import InputError
from models.radiation import Planck, Surroundings, object_degc
from vision.flir_block import FlirBlock, UnreadableError, read_block


@dataclass(frozen=True, eq=False)
class RadiometricPicture:
    """One thermal picture with everything its temperatures rest on."""

    degc: Floats
    """Object temperature, shape (height, width); NaN where the counts lie outside the camera's curve."""
    model: str
    """Name of the camera as it calls itself, may be empty."""
    stored: Surroundings
    planck: Planck

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
    block = read_jpeg_block(path)
    degc = object_degc(block.counts.astype(np.float64), curve=block.planck, around=block.stored)
    return RadiometricPicture(degc, block.model, block.stored, block.planck)


def read_jpeg_block(path: Path) -> FlirBlock:
    """Raw counts and parameters of a FLIR radiometric JPEG; errors as `read_flir_jpeg`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    try:
        return read_block(_thermal_block(data))
    except UnreadableError as error:
        raise InputError(
            f"{path.name} {error}; give the original file of a FLIR camera, not an edited or sent copy."
        ) from error


def _thermal_block(data: bytes) -> bytes:
    """Join the pieces of the thermal block, which is cut into APP1 segments of at most 64 KiB."""
    if data[:2] != b"\xff\xd8":
        raise UnreadableError("is not a JPEG")
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
        raise UnreadableError("holds no radiometric data")
    missing = [i for i in range(last + 1) if i not in pieces]
    if missing:
        raise UnreadableError(f"lacks {len(missing)} of {last + 1} pieces of its radiometric data")
    return b"".join(pieces[i] for i in range(last + 1))
