"""FLIR files as thermal sources: one radiometric JPEG, or a ``.seq`` of many blocks."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.geometry import Counts, frozen
from models.problems import InputError
from models.radiation import Planck
from vision.flir_block import HEADER_BYTES, MAGIC, FlirBlock, UnreadableError, block_length, read_block
from vision.radiometric import read_jpeg_block
from vision.thermal_source import Reading, Scale, ThermalSource

_DIRECTORY_END = HEADER_BYTES + 32 * 1024
"""Bytes from a block's start that are read for its directory."""

_REMEDY = "export the recording from the camera or its software again, as .seq"


def open_flir_jpeg(path: Path) -> ThermalSource:
    """Open one radiometric JPEG.

    Raises:
        InputError: If it is none, or is damaged.
    """
    block = read_jpeg_block(path)
    height_px, width_px = block.counts.shape

    def read() -> Iterator[Reading | None]:
        again = read_jpeg_block(path)
        yield Reading(again.counts, _scale(again.planck))

    return ThermalSource(
        where=path.name,
        kind=f"FLIR radiometric JPEG ({block.model or 'unnamed camera'})",
        width_px=width_px,
        height_px=height_px,
        pictures=1,
        read=read,
        unix_s=block.unix_s,
        stored=block.stored,
        uncorrected=True,
    )


def open_flir_sequence(path: Path) -> ThermalSource:
    """Open a ``.seq``: blocks one after another.

    A last block that is cut off is left out with a sentence; so is a damaged one in between.

    Raises:
        InputError: If no block can be read, or the pictures are of different sizes.
    """
    where = path.name
    starts, warnings = _starts(path, where)
    first: FlirBlock | None = None
    times: list[float | None] = []
    sizes: set[tuple[int, ...]] = set()
    settings = set()
    trouble = ""
    whole: list[bool] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start, end in starts:
            try:
                block = read_block(data[start:end])
            except UnreadableError as error:
                trouble = trouble or str(error)
                whole.append(False)
                times.append(None)
                continue
            first = first or block
            whole.append(True)
            times.append(block.unix_s)
            sizes.add(block.counts.shape)
            settings.add(block.stored)
    if first is None:
        raise InputError(f"{where} {trouble or 'holds no thermal picture'}; {_REMEDY}.")
    if len(sizes) > 1:
        told = " and ".join(f"{w}x{h}" for h, w in sorted(sizes))
        raise InputError(f"{where} holds pictures of different sizes ({told}); {_REMEDY}, one for each.")
    damaged = len(whole) - sum(whole)
    if damaged:
        warnings.append(f"{where}: {damaged} of {len(whole)} pictures are damaged and were left out.")
    if len(settings) > 1:
        warnings.append(
            f"{where}: the camera's settings change on the way; those of the first picture are taken."
        )
    kept = [span for span, good in zip(starts, whole, strict=True) if good]
    stamps = [t for t, good in zip(times, whole, strict=True) if good]
    known = [t for t in stamps if t is not None]
    t_s = frozen(np.array(known) - known[0]) if len(known) == len(stamps) else None

    def read() -> Iterator[Reading | None]:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for start, end in kept:
                again = read_block(data[start:end])
                yield Reading(again.counts, _scale(again.planck))

    height_px, width_px = first.counts.shape
    return ThermalSource(
        where=where,
        kind=f"FLIR sequence ({first.model or 'unnamed camera'})",
        width_px=width_px,
        height_px=height_px,
        pictures=len(kept),
        read=read,
        t_s=t_s,
        unix_s=stamps[0],
        stored=first.stored,
        uncorrected=True,
        warnings=tuple(warnings),
    )


def _starts(path: Path, where: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Start and end of each block that is there as a whole."""
    spans: list[tuple[int, int]] = []
    warnings: list[str] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(MAGIC)
        while at >= 0 and at + HEADER_BYTES <= len(data):
            try:
                length = block_length(data[at : at + _DIRECTORY_END])
            except UnreadableError:
                at = data.find(MAGIC, at + 1)  # the letters stood in a picture, not at a block's start
                continue
            if at + length > len(data):
                after = _next_block(data, at + 1)
                if after < 0:
                    warnings.append(f"{where} is cut off: its last picture is not whole and was left out.")
                    break
                length = after - at  # it lies about its length: damaged, but those after it are not
            spans.append((at, at + length))
            at = data.find(MAGIC, at + length)
    if not spans:
        raise InputError(f"{where} holds no whole FLIR picture; {_REMEDY}.")
    return spans, warnings


def _next_block(data: mmap.mmap, at: int) -> int:
    """Start of the next block whose directory makes sense, -1 where there is none."""
    found = data.find(MAGIC, at)
    while found >= 0:
        try:
            block_length(data[found : found + _DIRECTORY_END])
        except UnreadableError:
            found = data.find(MAGIC, found + 1)
            continue
        return found
    return -1


@lru_cache(maxsize=8)
def _scale(planck: Planck) -> Scale:
    """One scale for all pictures that share a curve, so that it is worked out once."""

    def degc(values: Counts) -> np.ndarray:
        return planck.degc(values.astype(np.float64))

    return Scale(degc, planck)
