"""Pairs of pictures of one moment, by the part of their names that differs from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calibration.pictures import picture_files, read_grey
from models.geometry import Bytes
from models.problems import InputError


@dataclass(frozen=True, eq=False)
class Pair:
    """Two pictures of one moment, grey."""

    name: str
    rgb: Bytes
    thermal: Bytes


def read_pairs(rgb: str, thermal: str) -> tuple[list[Pair], list[str]]:
    """Read pairs.

    Args:
        rgb: A folder, or a pattern with one star such as ``pictures/*_1.png``; what the star stands for is
            the pair's name.
        thermal: Likewise.

    Returns:
        The pairs, and a sentence for each picture that cannot be read or has no partner.

    Raises:
        InputError: If there are no pairs, or one camera's pictures are of two sizes.
    """
    colour, warm = named_pictures(rgb), named_pictures(thermal)
    left_out = [
        f"{name} has no partner from the {'thermal' if name in colour else 'colour'} camera"
        for name in sorted(set(colour) ^ set(warm))
    ]
    pairs: list[Pair] = []
    for name in sorted(set(colour) & set(warm)):
        read = [read_grey(file) for file in (colour[name], warm[name])]
        if read[0] is None or read[1] is None:
            left_out.append(f"{name} cannot be read ({(colour if read[0] is None else warm)[name].name})")
        else:
            pairs.append(Pair(name, read[0], read[1]))
    if not pairs:
        raise InputError(f"{rgb} and {thermal} have no pictures of the same names; give them pairwise names.")
    for which in ("rgb", "thermal"):
        sizes = {getattr(pair, which).shape for pair in pairs}
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
