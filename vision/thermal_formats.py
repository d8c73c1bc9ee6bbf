"""Thermal pictures of any known kind, told apart by what the file holds, not by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.geometry import frozen
from models.problems import InputError
from vision import infiray
from vision.flir_block import MAGIC as FLIR_MAGIC
from vision.flir_sequence import open_flir_jpeg, open_flir_sequence
from vision.grey_clip import without_clipped
from vision.thermal_arrays import open_npy, open_npz
from vision.thermal_pictures import open_picture_file
from vision.thermal_raw import open_raw
from vision.thermal_source import Reading, ThermalSource, Told, natural_order
from vision.thermal_video import open_thermal_video

_RAW_SUFFIXES = (".raw", ".y16", ".bin", ".dat", ".yuv", ".yuyv")
_BESIDE_PICTURES = (".csv", ".txt", ".toml", ".json", ".xlsx", ".md", ".db")
"""Files that may lie beside the pictures in a folder."""

_READ = (
    "radiometric JPEG, .seq, .irg, TIFF, NumPy, FFV1 video, or raw 16-bit frames (.raw, .y16) with --size-px"
)


def open_thermal(path: Path, told: Told) -> ThermalSource:
    """Open a file of thermal pictures, or a folder of single ones.

    Args:
        path: File or folder.
        told: What the user said of it.

    Raises:
        InputError: If there is nothing, it carries no temperatures, or what its numbers mean is not certain.
    """
    source = _open(path, told)
    return source if told.degc_at_0 is None else without_clipped(source)


def _open(path: Path, told: Told) -> ThermalSource:
    try:
        if path.is_dir():
            return _open_folder(path, told)
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as trouble:
        raise InputError(f"{path} cannot be read ({trouble.strerror}); check the path.") from trouble
    if not head:
        raise InputError(f"{path.name} is empty; copy it again.")
    return _open_file(path, head, told)


def _open_file(path: Path, head: bytes, told: Told) -> ThermalSource:
    where = path.name
    if head[:2] == b"\xff\xd8":
        return open_flir_jpeg(path)
    if head[:4] == FLIR_MAGIC:
        return open_flir_sequence(path)
    if head[:2] == infiray.MAGIC:
        return infiray.open_irg(path)
    if head[:4] in (b"II*\0", b"MM\0*") or head[:8] == b"\x89PNG\r\n\x1a\n":
        return open_picture_file(path, told)
    if head[:6] == b"\x93NUMPY":
        return open_npy(path, told)
    if head[:4] == b"PK\3\4":
        return open_npz(path, told)
    if head[:4] in (b"RIFF", b"\x1aE\xdf\xa3") or head[4:8] == b"ftyp":
        return open_thermal_video(path, told)
    if head[:2] == b"BM" or head[:4] in (b"GIF8", b"II+\0", b"MM\0+"):
        raise InputError(f"{where} is of a kind that is not read; export {_READ}.")
    if path.suffix.lower() in _RAW_SUFFIXES or told.size_px is not None:
        return open_raw(path, told)
    raise InputError(f"{where} is of no known kind; give {_READ}.")


def _open_folder(folder: Path, told: Told) -> ThermalSource:
    """Single pictures in the natural order of their names, each of one kind and size."""
    paths = sorted(
        (
            path
            for path in folder.iterdir()
            if path.is_file() and path.suffix.lower() not in _BESIDE_PICTURES and path.name[0] != "."
        ),
        key=natural_order,
    )
    if not paths:
        raise InputError(f"{folder} holds no pictures; give the folder that does.")
    sources = [_open(path, told) for path in paths]
    first = sources[0]
    for source in sources:
        if source.pictures != 1:
            raise InputError(
                f"{source.where} holds {source.pictures} pictures; a folder must hold single ones, "
                "so give that file by itself."
            )
        if (source.width_px, source.height_px) != (first.width_px, first.height_px):
            raise InputError(
                f"{source.where} is {source.width_px}x{source.height_px}, but {first.where} is "
                f"{first.width_px}x{first.height_px}; put one recording into a folder."
            )
        if source.uncorrected != first.uncorrected or _family(source) != _family(first):
            raise InputError(
                f"{source.where} is {source.kind}, but {first.where} is {first.kind}; put one recording "
                "into a folder."
            )
    clock = [source.unix_s for source in sources]
    known = [t for t in clock if t is not None]
    in_order = len(known) == len(clock) and bool(np.all(np.diff(known) > 0))
    warnings = list(first.warnings)
    if len({source.stored for source in sources}) > 1:
        warnings.append(
            f"{folder.name}: the camera's settings change on the way; those of {first.where} are taken."
        )

    def read() -> Iterator[Reading | None]:
        for path in paths:
            yield from _open(path, told).read()

    return replace(
        first,
        where=folder.name,
        kind=f"{len(paths)} pictures: {first.kind}",
        pictures=len(paths),
        read=read,
        t_s=frozen(np.array(known) - known[0]) if in_order else None,
        warnings=tuple(warnings),
    )


def _family(source: ThermalSource) -> str:
    """Kind of the file without the camera's name."""
    return source.kind.partition(" (")[0]
