"""Poses of a tracked tool from files: a folder of 4x4 matrices, or one file with all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.geometry import Floats, frozen
from models.problems import InputError

_RIGID_TOLERANCE = 1e-3
"""How far a rotation may be from one, as in `models.rig_file`."""

_METRES = 10.0
"""Tools are tracked from more than a centimetre and less than 10 m away: smaller numbers are metres."""

FARTHEST_MM = 1e5
"""No tool is tracked 100 m away: a larger number is none, or in another unit."""

SUFFIXES = (".txt", ".csv", ".npy")


@dataclass(frozen=True, eq=False)
class TrackedPoses:
    """``tracker_from_tool``, one a picture."""

    names: tuple[str, ...]
    rotations: Floats
    """Shape (n, 3, 3)."""
    translations_mm: Floats
    """Shape (n, 3)."""


def read_poses(path: Path) -> TrackedPoses:
    """Read poses in mm.

    Args:
        path: A folder with one 4x4 matrix a text file, taken in the order of their names; or one text file
            with the rows of all matrices one after another, or with 16 numbers a row; or an ``.npy`` of shape
            (n, 4, 4).

    Raises:
        InputError: If nothing is there, a number is missing, or a matrix is no rigid transform in mm.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise InputError(f"{path} holds no poses; give a folder of 4x4 matrices in .txt or .csv files.")
        stacks = [(file.name, _matrices(file)) for file in files]
    elif path.exists():
        stacks = [(path.name, _matrices(path))]
    else:
        raise InputError(f"{path} is not there; give a folder or a file with 4x4 poses.")
    names = [
        name if len(stack) == 1 else f"{name} pose {k}"
        for name, stack in stacks
        for k in range(1, len(stack) + 1)
    ]
    matrices = np.concatenate([stack for _, stack in stacks])
    rotations, translations_mm = matrices[:, :3, :3], matrices[:, :3, 3]
    skew = np.abs(rotations @ np.swapaxes(rotations, 1, 2) - np.eye(3)).max(axis=(1, 2))
    last = np.abs(matrices[:, 3] - (0.0, 0.0, 0.0, 1.0)).max(axis=1)
    wrong = np.flatnonzero((skew > _RIGID_TOLERANCE) | (np.linalg.det(rotations) < 0) | (last > 1e-6))
    if len(wrong):
        raise InputError(
            f"{path}: {names[wrong[0]]} is no rigid 4x4 transform; write rows of the rotation, the"
            f" translation in"
            " the last column, and 0 0 0 1 below."
        )
    if np.abs(translations_mm).max() < _METRES:
        raise InputError(f"{path}: no pose is 10 mm away, so these are metres or no poses; write them in mm.")
    return TrackedPoses(tuple(names), frozen(rotations), frozen(translations_mm))


def _matrices(file: Path) -> Floats:
    """All matrices of a file, shape (n, 4, 4)."""
    try:
        if file.suffix.lower() == ".npy":
            loaded = np.load(file, allow_pickle=False)
            if np.iscomplexobj(loaded):
                raise ValueError("complex numbers")
            numbers = np.asarray(loaded, float)
        else:
            lines = (line.replace(",", " ") for line in file.read_text(encoding="utf-8").splitlines())
            numbers = np.array([float(word) for line in lines for word in line.partition("#")[0].split()])
    except (OSError, ValueError) as error:
        raise InputError(
            f"{file} cannot be read as numbers ({error}); write 4x4 matrices as plain numbers."
        ) from error
    if numbers.size == 0 or numbers.size % 16 or not np.all(np.isfinite(numbers)):
        raise InputError(
            f"{file} holds {numbers.size} numbers, which are no whole, finite 4x4 matrices; write 16"
            f" numbers a pose."
        )
    if np.abs(numbers).max() > FARTHEST_MM:
        raise InputError(
            f"{file} holds a number of {np.abs(numbers).max():.3g}, but no tool is tracked {FARTHEST_MM:g} mm"
            " away; write 4x4 matrices in mm."
        )
    return numbers.reshape(-1, 4, 4)
