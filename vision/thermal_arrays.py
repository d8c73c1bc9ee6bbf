"""NumPy files as thermal sources: ``.npy`` and ``.npz``, with times or without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.geometry import frozen
from models.problems import InputError
from vision.streams import DAMAGED
from vision.thermal_raw import stack_source
from vision.thermal_source import UNITS, Numbers, ThermalSource, Told

_NAMES = {unit.replace("/", "_"): unit for unit in UNITS}
"""Names of arrays in an npz that state the unit, e.g. ``centikelvin`` or ``kelvin_64``."""


def open_npy(path: Path, told: Told) -> ThermalSource:
    """Open one array of shape (n, height, width) or (height, width).

    Raises:
        InputError: If it is damaged, of another shape, or its unit is not certain.
    """
    where = path.name
    try:
        stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED as trouble:
        raise InputError(
            f"{where} cannot be read, it is cut off or no plain array; save it again."
        ) from trouble
    return _stack(stack, told, where=where)


def open_npz(path: Path, told: Told) -> ThermalSource:
    """Open an archive: pictures, and if there ``t_s`` and ``flag``.

    The name of the array of pictures states their unit (``centikelvin``, ``degc``, ``kelvin_64`` ...).

    Raises:
        InputError: As `open_npy`, or if there are several arrays of pictures.
    """
    where = path.name
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except DAMAGED as trouble:
        raise InputError(f"{where} cannot be read, it is cut off or damaged; save it again.") from trouble
    pictures = {name: array for name, array in arrays.items() if array.ndim in (3, 4)}
    if len(pictures) != 1:
        named = ", ".join(pictures) or "none"
        raise InputError(
            f"{where} must hold exactly one array of pictures, shape (n, height, width); it holds {named}."
        )
    ((name, stack),) = pictures.items()
    unit = _NAMES.get(name)
    if unit is not None and told.unit not in (None, unit):
        raise InputError(f"{where}: its array is named {name}, but --unit says {told.unit}; leave one out.")
    source = _stack(stack, replace(told, unit=told.unit or unit), where=where)
    t_s, flag = arrays.get("t_s"), arrays.get("flag")
    for key, array in (("t_s", t_s), ("flag", flag)):
        if array is not None and (array.shape != (source.pictures,) or array.dtype.kind not in "fiub"):
            raise InputError(
                f"{where}: {key} must hold one number a picture ({source.pictures}), not {array.dtype} of "
                f"shape {array.shape}."
            )
    return replace(
        source,
        t_s=None if t_s is None else frozen(t_s.astype(np.float64)),
        flag=None if flag is None else frozen(flag != 0),
        shared_clock=t_s is not None,
    )


def _stack(array: Numbers, told: Told, *, where: str) -> ThermalSource:
    # A raw frame of a TC001 as OpenCV hands it out: two bytes a pixel as a last axis of length 2.
    pairs = array.dtype == np.uint8 and array.ndim >= 3 and array.shape[-2:] == (256, 2)
    if pairs:
        array = np.ascontiguousarray(array).view("<u2")[..., 0]
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(
            f"{where} has the shape {array.shape}; it must be (n, height, width): one number a pixel. "
            "Colour pictures carry no temperatures."
        )

    def values() -> Iterator[Numbers]:
        for picture in array:
            native = np.ascontiguousarray(picture)
            yield native.astype(native.dtype.newbyteorder("="), copy=False)

    return stack_source(
        values, pictures=len(array), first=next(values()), told=told, where=where, kind="NumPy array"
    )
