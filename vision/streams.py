"""Time tables and 16-bit picture stacks of a session folder: csv, npz and lossless video."""

from __future__ import annotations

import csv
import os
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.geometry import Bools, Counts, Floats, Ints, frozen
from models.problems import InputError
from vision.video import grey_pictures, probe_video

MISSING_SHARE = 0.10
"""Share of the pictures that may be missing at the end before a file counts as cut off; a chosen limit."""


@dataclass(frozen=True, eq=False)
class TimeTable:
    """Rows of a csv."""

    index: Ints
    t_s: Floats
    flag: Bools
    """False throughout where the csv has no such column."""
    has_flag: bool


@dataclass(frozen=True, eq=False)
class Stack:
    """A stream of 16-bit pictures with its own time stamps."""

    where: str
    t_s: Floats
    """The stream's own stamps, shape (n,), never falling."""
    flag: Bools
    height_px: int
    width_px: int
    read: Callable[[], Iterator[Counts | None]]
    """Starts a pass over all n pictures; None for one that is corrupt."""
    warnings: tuple[str, ...]


def read_times(path: Path, *, where: str, flag: bool = False) -> TimeTable:
    """Read ``index,t_s`` (and, if there, ``flag``) from a csv.

    Args:
        path: The csv.
        where: Its name for messages.
        flag: Whether a column ``flag`` is looked for.

    Raises:
        InputError: If the file is missing, empty, has other columns, a cell that is no number,
            or times that run backwards.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except FileNotFoundError as trouble:
        raise InputError(
            f"{where} is missing; write one with the header index,t_s and a row a picture."
        ) from trouble
    except (OSError, UnicodeDecodeError, csv.Error) as trouble:
        raise InputError(
            f"{where} cannot be read as a csv; write it as plain text, header index,t_s."
        ) from trouble
    header = [name.strip() for name in rows[0]] if rows else []
    if "index" not in header or "t_s" not in header:
        raise InputError(f"{where} must begin with the header index,t_s; correct its first line.")
    if len(rows) == 1:
        raise InputError(f"{where} has no rows under its header; write one a picture.")
    has_flag = flag and "flag" in header
    names = ("index", "t_s", "flag") if has_flag else ("index", "t_s")
    columns = [header.index(name) for name in names]
    values = np.zeros((len(rows) - 1, len(names)))
    for number, row in enumerate(rows[1:]):
        try:
            values[number] = [float(row[column]) for column in columns]
        except (ValueError, IndexError) as trouble:
            raise InputError(
                f"{where} row {number + 2} does not hold numbers for {', '.join(names)}; correct that row."
            ) from trouble
    t_s = values[:, 1]
    _check_times(t_s, where=where, first_row=2)
    index = values[:, 0]
    if (
        not np.all(np.isfinite(index))
        or np.any(index != np.round(index))
        or np.any(np.diff(index) <= 0)
        or index[0] < 0
    ):
        raise InputError(f"{where}: the column index must count up in whole numbers from 0; correct it.")
    shutter = values[:, 2] != 0 if has_flag else np.zeros(len(t_s), dtype=bool)
    return TimeTable(frozen(index.astype(np.int64)), frozen(t_s), frozen(shutter), has_flag)


def open_stack(path: Path, *, where: str, values: str, flag: bool) -> Stack:
    """Open a thermal or depth stream, npz or lossless 16-bit video with its csv.

    Args:
        path: The stream's file; beside a video lies a csv of the same name.
        where: Name of the file for messages.
        values: Name of the array in the npz, ``centikelvin`` or ``depth_mm``.
        flag: Whether the stream carries shutter flags.

    Raises:
        InputError: If the file is missing, empty, damaged, cut off or of the wrong form.
    """
    if not path.is_file():
        raise InputError(f"{where} is missing; copy it into the session folder or take it out of [streams].")
    if path.stat().st_size == 0:
        raise InputError(f"{where} is empty; copy it again.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{where} may not be read; check its permissions.")
    if path.suffix.lower() == ".npz":
        if not zipfile.is_zipfile(path):
            raise InputError(f"{where} cannot be read, it is cut off or no npz archive; copy it again.")
        return _open_npz(path, where=where, values=values, flag=flag)
    return _open_video(path, where=where, flag=flag)


def _open_video(path: Path, *, where: str, flag: bool) -> Stack:
    video = probe_video(path, where=where)
    if video.pixels not in ("gray16le", "gray16be"):
        raise InputError(
            f"{where} has pixels of the kind {video.pixels}, not 16-bit grey; write it as FFV1, gray16le."
        )
    table = read_times(path.with_suffix(".csv"), where=where.rsplit(".", 1)[0] + ".csv", flag=flag)
    rows = picture_rows(table, pictures=video.pictures, announced=video.announced, where=where)
    wanted = set(rows.tolist())

    def read() -> Iterator[Counts | None]:
        served = 0
        for number, picture in enumerate(grey_pictures(video)):
            if number in wanted:
                served += 1
                yield picture
        for _ in range(served, len(table.t_s)):
            yield None

    warnings = missing_warning(table, pictures=video.pictures, rows=rows, where=where)
    if flag and not table.has_flag:
        warnings = (*warnings, f"{where}: no column flag in its csv; taken as without shutter events.")
    return Stack(where, table.t_s, table.flag, video.height_px, video.width_px, read, warnings)


def picture_rows(table: TimeTable, *, pictures: int, announced: int, where: str) -> Ints:
    """Number of the picture in the video for each row of the csv, shape (rows,).

    ``index`` counts the pictures of the video. A csv whose index leaves numbers out while the video
    holds exactly one picture a row is taken row by row.

    Raises:
        InputError: If more than `MISSING_SHARE` of the pictures are missing: the file is cut off.
    """
    rows, needed = len(table.t_s), int(table.index[-1]) + 1
    if pictures < needed and pictures == rows and announced <= pictures:
        return np.arange(rows, dtype=np.int64)
    if pictures < (1.0 - MISSING_SHARE) * needed:
        told_s = table.t_s[min(int(np.searchsorted(table.index, pictures)), rows - 1)]
        raise cut_off(where, pictures=pictures, expected=needed, until_s=float(told_s))
    return table.index


def cut_off(where: str, *, pictures: int, expected: int, until_s: float) -> InputError:
    """The sentence for a video whose end is missing."""
    return InputError(
        f"{where} is cut off: {pictures} pictures of {expected} are there, up to {until_s:.1f} s; "
        "copy it again."
    )


def missing_warning(table: TimeTable, *, pictures: int, rows: Ints, where: str) -> tuple[str, ...]:
    """A sentence where the csv and the video do not have the same number of pictures."""
    missing = int((rows >= pictures).sum())
    if missing:
        return (f"{where}: the last {missing} of {len(rows)} pictures are missing and were left out.",)
    if pictures > len(rows) and int(rows[-1]) == len(rows) - 1:
        return (f"{where}: {pictures - len(rows)} pictures have no row in the csv and were left out.",)
    return ()


def _open_npz(path: Path, *, where: str, values: str, flag: bool) -> Stack:
    try:
        # Opened here, as numpy leaves the file open where the archive turns out to be cut off.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = set(archive.files)
            for name in ("t_s", values):
                if name not in names:
                    raise InputError(f"{where} has no array {name}; write the arrays t_s and {values}.")
            t_s = np.asarray(archive["t_s"])
            shutter = np.asarray(archive["flag"]) if flag and "flag" in names else None
        shape, fortran, kind = _npy_header(path, values)
    except DAMAGED as trouble:
        raise InputError(f"{where} cannot be read, it is cut off or damaged; copy it again.") from trouble
    if t_s.ndim != 1 or len(t_s) == 0 or t_s.dtype.kind not in "fiu":
        raise InputError(
            f"{where}: t_s must be a list of times in seconds, not an array of shape {t_s.shape}."
        )
    if len(shape) != 3 or shape[0] != len(t_s) or 0 in shape or kind != np.dtype(np.uint16):
        raise InputError(
            f"{where}: {values} must be uint16 of shape ({len(t_s)}, height, width), one picture a time "
            f"stamp, not {kind} of shape {shape}."
        )
    t_s = t_s.astype(np.float64)
    _check_times(t_s, where=f"{where}: t_s", first_row=0)
    warnings: tuple[str, ...] = ()
    if shutter is not None and shutter.shape != t_s.shape:
        raise InputError(
            f"{where}: flag must have one value a picture ({len(t_s)}), not shape {shutter.shape}."
        )
    if flag and shutter is None:
        warnings = (f"{where}: no array flag; taken as without shutter events.",)
    events = np.zeros(len(t_s), dtype=bool) if shutter is None else shutter != 0

    def read() -> Iterator[Counts | None]:
        try:
            yield from _whole(path, values) if fortran else _one_by_one(path, values, shape)
        except DAMAGED as trouble:
            raise InputError(f"{where} is damaged inside {values}; copy it again.") from trouble

    return Stack(where, frozen(t_s), frozen(events), shape[1], shape[2], read, warnings)


DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile and numpy raise on a damaged archive."""


def _npy_header(path: Path, name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    with zipfile.ZipFile(path) as archive, archive.open(name + ".npy") as member:
        version = np.lib.format.read_magic(member)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        return read(member)


def _whole(path: Path, name: str) -> Iterator[Counts]:
    """Fortran order lays one pixel's whole history side by side: only the whole array can be read."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        stack = archive[name]
    for picture in stack:
        yield np.ascontiguousarray(picture)


def _one_by_one(path: Path, name: str, shape: tuple[int, ...]) -> Iterator[Counts]:
    """C order lays picture after picture: memory for one is enough, however long the session."""
    size = shape[1] * shape[2] * 2
    with zipfile.ZipFile(path) as archive, archive.open(name + ".npy") as member:
        version = np.lib.format.read_magic(member)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        kind = read(member)[2]
        for _ in range(shape[0]):
            data = member.read(size)
            if len(data) < size:
                raise EOFError(name)
            yield np.frombuffer(data, dtype=kind).reshape(shape[1:]).astype(np.uint16, copy=False)


def _check_times(t_s: Floats, *, where: str, first_row: int) -> None:
    bad = np.flatnonzero(~np.isfinite(t_s))
    if len(bad):
        raise InputError(f"{where} row {bad[0] + first_row} is not a finite time; correct the time stamps.")
    back = np.flatnonzero(np.diff(t_s) < 0)
    if len(back):
        row = int(back[0]) + 1
        raise InputError(
            f"{where} row {row + first_row} runs backwards ({t_s[row - 1]:g} s, then {t_s[row]:g} s); "
            "put the pictures in order of time."
        )
