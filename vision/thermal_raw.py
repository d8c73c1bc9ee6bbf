"""Files without a header: 16-bit pictures of Lepton and Boson cameras (Y16), raw frames of TC001 and P2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from models.geometry import Counts
from models.problems import InputError
from vision.lepton_telemetry import SIZE_PX as LEPTON_PX
from vision.lepton_telemetry import open_lepton
from vision.thermal_source import Numbers, Reading, ThermalSource, Told, scale_of, whole_number_scale

DOUBLE_PX = (256, 384)
"""Width and height of a raw frame of TOPDON TC001 and InfiRay P2: the picture above, temperatures below."""

_KNOWN_PX = {
    (160, 120): "Lepton 3",
    LEPTON_PX: "Lepton 3 with telemetry",
    (320, 256): "Boson 320",
    (640, 512): "Boson 640",
    DOUBLE_PX: "TC001 or P2",
}

DOUBLE_UNIT = "kelvin/64"
"""Of the lower half (evidence: PyThermalCamera reads it so)."""


def open_raw(path: Path, told: Told) -> ThermalSource:
    """Open a file that holds nothing but pictures.

    Raises:
        InputError: If its length fits no size or several, or its numbers have no known unit.
    """
    where, length = path.name, path.stat().st_size
    width_px, height_px = told.size_px or _size(length, where)
    one = 2 * width_px * height_px
    if length < one or length % one:
        raise InputError(
            f"{where} has {length} bytes, which is no whole number of {width_px}x{height_px} pictures of 16 "
            "bits; correct --size-px or copy the file again."
        )
    pictures = length // one
    with path.open("rb") as file:
        first = np.frombuffer(file.read(one), "<u2").reshape(height_px, width_px)
    swapped = _smoother_swapped(_lower(first))

    def values() -> Iterator[Numbers]:
        with path.open("rb") as file:
            for _ in range(pictures):
                data = file.read(one)
                if len(data) < one:
                    raise InputError(f"{where} became shorter while it was read; copy it again.")
                picture = np.frombuffer(data, ">u2" if swapped else "<u2").astype(np.uint16)
                yield picture.reshape(height_px, width_px)

    warnings = (f"{where}: its numbers have the high byte first.",) if swapped else ()
    return stack_source(
        values,
        pictures=pictures,
        first=first.byteswap() if swapped else first,
        told=told,
        where=where,
        kind="16-bit pictures without a header",
        warnings=warnings,
    )


def stack_source(
    values: Callable[[], Iterator[Numbers | None]],
    *,
    pictures: int,
    first: Numbers,
    told: Told,
    where: str,
    kind: str,
    warnings: tuple[str, ...] = (),
) -> ThermalSource:
    """A source of pictures; those of `DOUBLE_PX` are raw frames, whose lower half is taken.

    Those of a Lepton with telemetry say themselves what they are.

    Args:
        values: Starts a pass over the pictures.
        pictures: How many there are.
        first: The first of them.
        told: What the user said.
        where: Name of the file for messages.
        kind: What the file is, in words.
        warnings: What was worked around so far.

    Raises:
        InputError: If the numbers have no known unit.
    """
    if first.shape == LEPTON_PX[::-1] and first.dtype == np.uint16:
        return open_lepton(values, pictures=pictures, where=where, warnings=warnings)
    double = first.shape == DOUBLE_PX[::-1] and first.dtype == np.uint16
    if double:
        if told.unit not in (None, DOUBLE_UNIT):
            raise InputError(
                f"{where} holds raw frames of 256x384, whose lower half is in {DOUBLE_UNIT}, not in "
                f"{told.unit}; leave --unit out."
            )
        scale, kind = whole_number_scale(DOUBLE_UNIT), "raw frames of a TC001 or P2"
    else:
        scale = scale_of(first, told, where=where)

    def read() -> Iterator[Reading | None]:
        for picture in values():
            yield None if picture is None else Reading(_lower(picture), scale)

    height_px, width_px = _lower(first).shape
    return ThermalSource(
        where=where,
        kind=kind,
        width_px=width_px,
        height_px=height_px,
        pictures=pictures,
        read=read,
        warnings=warnings,
    )


def _lower(picture: Numbers) -> Numbers:
    """The half of a raw frame that holds temperatures; any other picture as it is."""
    return picture[DOUBLE_PX[1] // 2 :] if picture.shape == DOUBLE_PX[::-1] else picture


def _size(length: int, where: str) -> tuple[int, int]:
    fits = [size for size in _KNOWN_PX if length and length % (2 * size[0] * size[1]) == 0]
    if len(fits) == 1:
        return fits[0]
    which = (
        "fits " + ", ".join(f"{w}x{h} ({_KNOWN_PX[w, h]})" for w, h in fits)
        if fits
        else "fits no size that is known"
    )
    raise InputError(
        f"{where} has no header and its length of {length} bytes {which}; give the size of one picture with "
        "--size-px, e.g. --size-px 160x120."
    )


def _smoother_swapped(picture: Counts) -> bool:
    """Whether the picture is smoother with its bytes the other way round."""

    def roughness(values: Numbers) -> int:
        wide = values.astype(np.int64)
        return int(np.abs(np.diff(wide, axis=0)).sum() + np.abs(np.diff(wide, axis=1)).sum())

    return roughness(picture.byteswap()) < roughness(picture)
