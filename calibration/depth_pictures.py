"""Pairs of a colour and a depth picture of one moment, from two folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from calibration.pairs import named_pictures
from calibration.pictures import read_grey
from models.geometry import Bytes, Counts
from models.problems import InputError


@dataclass(frozen=True, eq=False)
class DepthPair:
    """Two pictures of one moment."""

    name: str
    grey: Bytes
    """Colour camera, shape (h, w)."""
    readings_mm: Counts
    """Depth camera, shape (h, w), 0 = no reading."""


def read_depth_pairs(colour: str, depth: str) -> tuple[list[DepthPair], list[str]]:
    """Read pairs.

    Args:
        colour: A folder, or a pattern with one star such as ``pictures/*_1.png``; what the star stands for is
            the pair's name.
        depth: Likewise; pictures of 16 bits in mm, 0 = no reading.

    Returns:
        The pairs, and a sentence for each picture that cannot be read or has no partner.

    Raises:
        InputError: If there are no pairs, depth is not of 16 bits, or one camera's pictures are of two sizes.
    """
    seen, deep = named_pictures(colour), named_pictures(depth)
    left_out = [
        f"{name} has no partner from the {'depth' if name in seen else 'colour'} camera"
        for name in sorted(set(seen) ^ set(deep))
    ]
    pairs: list[DepthPair] = []
    for name in sorted(set(seen) & set(deep)):
        grey, readings = read_grey(seen[name]), _readings(deep[name])
        if grey is None or readings is None:
            left_out.append(f"{name} cannot be read ({(seen if grey is None else deep)[name].name})")
        else:
            pairs.append(DepthPair(name, grey, readings))
    if not pairs:
        raise InputError(
            f"{colour} and {depth} have no pictures of the same names that can be read; give them pairwise"
            " names."
        )
    for which, shapes in (
        ("colour", {pair.grey.shape for pair in pairs}),
        ("depth", {pair.readings_mm.shape for pair in pairs}),
    ):
        if len(shapes) > 1:
            raise InputError(
                f"The {which} pictures are of {len(shapes)} sizes; keep those of one camera only."
            )
    return pairs, left_out


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
