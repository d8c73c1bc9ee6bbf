"""Pictures of a folder, read as grey, and those of two sizes or that cannot be read named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from models.geometry import Bytes
from models.problems import InputError

_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def picture_files(folder: Path) -> list[Path]:
    """All pictures of a folder, by name.

    Raises:
        InputError: If there are none.
    """
    if not folder.exists():
        raise InputError(f"{folder} does not exist; give a folder of pictures.")
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give a folder of pictures.")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no pictures; give a folder of .jpg, .png or .tif files.")
    return files


def read_grey(file: Path) -> Bytes | None:
    """One picture as 8-bit grey; more bits are spread over their range. None where it cannot be read."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    if len(data) == 0:
        return None
    # A rotation flag would turn some pictures of one camera and not others.
    how = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    picture = cv2.imdecode(data, how)
    if picture is None:
        return None
    return spread_grey(picture)


def spread_grey(picture: np.ndarray) -> Bytes:
    """A picture of more than 8 bits spread over its range; one of 8 bits as it is."""
    if picture.dtype != np.uint8:
        low, high = np.percentile(picture, (0.5, 99.5))
        picture = np.clip((picture - low) / max(high - low, 1e-9) * 255.0, 0.0, 255.0)
    return np.asarray(picture, np.uint8)


def read_folder(folder: Path) -> tuple[list[tuple[str, Bytes]], list[str]]:
    """All pictures that can be read.

    Returns:
        Name and grey of each; and a sentence for each that cannot be read.

    Raises:
        InputError: If there are none, or they are of two sizes.
    """
    read: list[tuple[str, Bytes]] = []
    refused: list[str] = []
    for file in picture_files(folder):
        grey = read_grey(file)
        if grey is None:
            refused.append(f"{file.name} cannot be read as a picture")
        else:
            read.append((file.name, grey))
    sizes: dict[tuple[int, ...], list[str]] = {}
    for name, grey in read:
        sizes.setdefault(grey.shape, []).append(name)
    if len(sizes) > 1:
        by_count = sorted(sizes.items(), key=lambda item: len(item[1]))
        (shape, names), (usual, others) = by_count[0], by_count[-1]
        raise InputError(
            f"{folder} mixes pictures of {'two' if len(sizes) == 2 else len(sizes)} sizes:"
            f" {', '.join(names[:4])} {'is' if len(names) == 1 else 'are'} {shape[1]} x {shape[0]},"
            f" {'most are' if len(others) > len(read) / 2 else others[0] + ' is'} {usual[1]} x {usual[0]};"
            " keep those of one camera only."
        )
    if not read:
        raise InputError(f"No picture of {folder} can be read; take them again.")
    return read, refused
