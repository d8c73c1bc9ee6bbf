"""Pairs of pictures of one moment, by the part of their names that differs from picture to picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from calibration.pictures import picture_files, read_grey
from models.geometry import Bytes, Counts
from models.problems import InputError

_Other = TypeVar("_Other", Bytes, Counts)


@dataclass(frozen=True, eq=False)
class Pair:
    """A colour and a thermal picture of one moment, grey."""

    name: str
    rgb: Bytes
    thermal: Bytes


@dataclass(frozen=True, eq=False)
class DepthPair:
    """A colour and a depth picture of one moment."""

    name: str
    grey: Bytes
    """Colour camera, shape (h, w)."""
    readings_mm: Counts
    """Depth camera, shape (h, w), 0 = no reading."""


def read_pairs(colour: str, thermal: str) -> tuple[list[Pair], list[str]]:
    """Read pairs.

    Args:
        colour: A folder, or a pattern with one star such as ``pictures/*_1.png``; what the star stands for is
            the pair's name.
        thermal: Likewise.

    Returns:
        The pairs, and a sentence for each picture that cannot be read or has no partner.

    Raises:
        InputError: If there are no pairs, or one camera's pictures are of two sizes.
    """
    read, left_out = _read_both(colour, thermal, other="thermal", read=read_grey)
    return [Pair(*one) for one in read], left_out


def read_depth_pairs(colour: str, depth: str) -> tuple[list[DepthPair], list[str]]:
    """Read pairs.

    Args:
        colour: See `read_pairs`.
        depth: Likewise; pictures of 16 bits in mm, 0 = no reading.

    Returns:
        The pairs, and a sentence for each picture that cannot be read or has no partner.

    Raises:
        InputError: If there are no pairs, depth is not of 16 bits, or one camera's pictures are of two sizes.
    """
    read, left_out = _read_both(colour, depth, other="depth", read=_readings)
    return [DepthPair(*one) for one in read], left_out


def _read_both(
    colour_at: str, other_at: str, *, other: str, read: Callable[[Path], _Other | None]
) -> tuple[list[tuple[str, Bytes, _Other]], list[str]]:
    colour_files, other_files = named_pictures(colour_at), named_pictures(other_at)
    left_out = [
        f"{name} has no partner from the {other if name in colour_files else 'colour'} camera"
        for name in sorted(set(colour_files) ^ set(other_files))
    ]
    pairs: list[tuple[str, Bytes, _Other]] = []
    for name in sorted(set(colour_files) & set(other_files)):
        first, second = read_grey(colour_files[name]), read(other_files[name])
        if first is None or second is None:
            file = (colour_files if first is None else other_files)[name]
            left_out.append(f"{name} cannot be read ({file.name})")
        else:
            pairs.append((name, first, second))
    if not pairs:
        raise InputError(
            f"{colour_at} and {other_at} have no pictures of the same names that can be read; give them"
            " pairwise names."
        )
    for which, sizes in (
        ("colour", {first.shape for _, first, _ in pairs}),
        (other, {second.shape for _, _, second in pairs}),
    ):
        if len(sizes) > 1:
            raise InputError(
                f"The {which} pictures are of {len(sizes)} sizes; keep those of one camera only."
            )
    return pairs, left_out


def named_pictures(where: str) -> dict[str, Path]:
    """Pictures of a folder, or of a pattern with one star, by what differs in their names.

    Raises:
        InputError: If there are none.
    """
    pattern = Path(where)
    if "*" not in pattern.name:
        return {file.stem: file for file in picture_files(pattern)}
    before, _, after = pattern.name.partition("*")
    named = {
        file.name[len(before) : len(file.name) - len(after)]: file
        for file in picture_files(pattern.parent)
        if file.name.startswith(before) and file.name.endswith(after) and len(file.name) > len(before + after)
    }
    if not named:
        raise InputError(f"No picture is named like {where}; correct the pattern.")
    return named


def _readings(file: Path) -> Counts | None:
    """One depth picture; None where it cannot be read.

    Raises:
        InputError: If it is a picture, but not of 16 bits a pixel in one channel.
    """
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None:
        return None
    if picture.dtype != np.uint16 or picture.ndim != 2:
        kind = "of several channels" if picture.ndim != 2 else f"of {8 * picture.dtype.itemsize} bits"
        raise InputError(
            f"{file} is {kind} and holds no distances; give grey pictures of 16 bits in mm, 0 = no reading."
        )
    return np.asarray(picture, np.uint16)
