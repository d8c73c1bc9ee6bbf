"""Thermal pictures of any camera, opened but not yet corrected: what their numbers mean, and their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.geometry import Bools, Floats
from models.problems import InputError
from models.radiation import KELVIN, Band, Curve, Surroundings

Numbers = NDArray[Any]
"""A picture as the file holds it: unsigned 8 or 16 bit, or floating point."""

PLAUSIBLE_DEGC = (-40.0, 80.0)
"""The middle of a picture of skin in a room lies well within; outside, the unit is another one."""

UNITS = {
    "centikelvin": 0.01,
    "decikelvin": 0.1,
    "kelvin/16": 1.0 / 16.0,
    "kelvin/25": 0.04,
    "kelvin/64": 1.0 / 64.0,
    "kelvin": 1.0,
    "degc": 1.0,
}
"""Size of one step in kelvin. Whole numbers in ``kelvin`` or ``degc`` are too coarse and are refused."""

_FLOAT_UNITS = ("degc", "kelvin")
_STEP_UNITS = tuple(unit for unit in UNITS if unit not in _FLOAT_UNITS)

_SKIN_DEGC = (-10.0, 45.0)
"""Median of a picture whose unit is told from the numbers: narrower, as Fahrenheit must not pass."""


@dataclass(frozen=True)
class Told:
    """What the user says of a file that may not say it itself."""

    unit: str | None = None
    """One of `UNITS`."""
    size_px: tuple[int, int] | None = None
    """Width and height of one picture in a file without a header."""
    degc_at_0: float | None = None
    degc_per_step: float | None = None
    """Of 8-bit pictures: temperature = degc_at_0 + value * degc_per_step."""


@dataclass(frozen=True, eq=False)
class Scale:
    """What the numbers of one picture mean."""

    degc: Callable[[Numbers], Floats]
    """Temperatures as the file states them, NaN = no reading."""
    curve: Curve = field(default_factory=Band)


@dataclass(frozen=True, eq=False)
class Reading:
    """One picture."""

    values: Numbers
    """Shape (height, width)."""
    scale: Scale


@dataclass(frozen=True, eq=False)
class ThermalSource:
    """Thermal pictures, one after another, and all that their file says of them."""

    where: str
    """Name of the file for messages."""
    kind: str
    """What the file was taken for, in words."""
    width_px: int
    height_px: int
    pictures: int
    read: Callable[[], Iterator[Reading | None]]
    """Starts a pass over all pictures; None for one that is damaged."""
    t_s: Floats | None = None
    """Their times on the file's own clock, None where it holds none."""
    flag: Bools | None = None
    """Shutter events, None where the file does not say."""
    unix_s: float | None = None
    """Time of day of the first picture."""
    stored: Surroundings | None = None
    """What the camera was set to, where the file says."""
    applied: Surroundings | None = None
    """What the camera had corrected for already, where the file says."""
    uncorrected: bool = False
    """The numbers are what the sensor saw, so the camera corrected for nothing yet. False = not known."""
    shared_clock: bool = False
    """The times were put beside the pictures by who recorded them, so they may be on the session clock."""
    warnings: tuple[str, ...] = ()


@cache
def whole_number_scale(unit: str) -> Scale:
    """Temperatures in steps of an absolute unit; 0 = no reading."""
    step_k = UNITS[unit]

    def degc(values: Numbers) -> Floats:
        kelvin = values.astype(np.float64) * step_k
        return np.where(values > 0, kelvin - KELVIN, np.nan)

    return Scale(degc)


@cache
def float_scale(unit: str) -> Scale:
    """Temperatures as they are; what is not finite is no reading."""
    offset = KELVIN if unit == "kelvin" else 0.0

    def degc(values: Numbers) -> Floats:
        read = values.astype(np.float64) - offset
        return np.where(np.isfinite(read), read, np.nan)

    return Scale(degc)


@cache
def grey_scale(told: Told) -> Scale:
    """8-bit grey with a stated scale; at its two ends at the latest it was clipped, hence no reading."""
    at_0, step = told.degc_at_0, told.degc_per_step
    if at_0 is None or step is None:
        raise ValueError("An 8-bit scale needs both its figures.")

    def degc(values: Numbers) -> Floats:
        read = at_0 + values.astype(np.float64) * step
        return np.where((values > 0) & (values < 255), read, np.nan)

    return Scale(degc)


def scale_of(values: Numbers, told: Told, *, where: str) -> Scale:
    """What the numbers of a picture mean, from what the user said or from the numbers themselves.

    Args:
        values: The first picture.
        told: What the user said.
        where: Name of the file for messages.

    Raises:
        InputError: If that is not certain, or the picture carries no temperatures at all.
    """
    if values.dtype == np.uint8:
        if told.degc_at_0 is None or told.degc_per_step is None:
            raise InputError(
                f"{where} holds 8-bit numbers without a scale, so it is a display picture (AGC) without "
                "temperatures; record radiometric (16-bit) pictures, or give the scale with --degc-at-0 "
                "and --degc-per-step if the camera had a fixed one."
            )
        return grey_scale(told)
    if values.dtype.kind == "f":
        return float_scale(_float_unit(values, told, where))
    if values.dtype != np.uint16:
        raise InputError(
            f"{where} holds numbers of the kind {values.dtype}; save them as uint16 with a unit or as "
            "float32 in degC."
        )
    if told.unit is None:
        raise InputError(
            f"{where} holds 16-bit numbers from {values.min()} to {values.max()} of no stated unit"
            f"{_fitting(values)}; say it with --unit, or record with TLinear on if they are raw counts."
        )
    if told.unit not in _STEP_UNITS:
        raise InputError(
            f"{where} holds whole numbers, too coarse for --unit {told.unit}; use one of "
            f"{', '.join(_STEP_UNITS)}."
        )
    return whole_number_scale(told.unit)


def is_plausible(degc: Floats) -> bool:
    """Whether the middle of a picture is that of skin in a room; False where it holds no reading."""
    known = degc[np.isfinite(degc)]
    return known.size > 0 and PLAUSIBLE_DEGC[0] <= float(np.median(known)) <= PLAUSIBLE_DEGC[1]


def check_plausible(degc: Floats, *, where: str, unit: str | None = None) -> None:
    """Refuse a first picture that is no skin in a room: its unit or its mode is another one.

    Raises:
        InputError: If its middle lies outside `PLAUSIBLE_DEGC`, or it has no reading at all.
    """
    known = degc[np.isfinite(degc)]
    if not known.size:
        raise InputError(f"{where}: the first picture holds no reading; check the file, or its --unit.")
    middle = float(np.median(known))
    if not PLAUSIBLE_DEGC[0] <= middle <= PLAUSIBLE_DEGC[1]:
        told = f" in {unit}" if unit else ""
        raise InputError(
            f"{where}: read{told}, the middle of the first picture would be at {middle:.0f} degC; these are "
            "raw counts or another unit or gain mode, so correct --unit or record with TLinear on."
        )


def _float_unit(values: Numbers, told: Told, where: str) -> str:
    if told.unit is not None:
        if told.unit not in _FLOAT_UNITS:
            raise InputError(
                f"{where} holds floating-point numbers, which cannot be in {told.unit}; use --unit degc or "
                "--unit kelvin."
            )
        return told.unit
    known = values[np.isfinite(values)]
    middle = float(np.median(known)) if known.size else np.nan
    for unit, offset in (("degc", 0.0), ("kelvin", KELVIN)):
        if _SKIN_DEGC[0] <= middle - offset <= _SKIN_DEGC[1]:
            return unit
    raise InputError(
        f"{where} holds floating-point numbers about {middle:g}, neither plain degC nor plain kelvin; "
        "say the unit with --unit."
    )


def _fitting(values: Numbers) -> str:
    """Which unit would make skin of them: a hint, never a decision, as raw counts may look like any."""
    middle = float(np.median(values[values > 0])) if (values > 0).any() else 0.0
    fits = [
        f"{unit} ({low:.1f} to {high:.1f} degC)"
        for unit in _STEP_UNITS
        for low, high in [
            (float(v) * UNITS[unit] - KELVIN for v in (values[values > 0].min(initial=65535), values.max()))
        ]
        if _SKIN_DEGC[0] <= middle * UNITS[unit] - KELVIN <= _SKIN_DEGC[1]
    ]
    return f" (they would fit {', '.join(fits)})" if fits else " (no unit makes skin of them)"


def natural_order(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key by which picture 2 comes before picture 10."""
    parts: list[tuple[int, int | str]] = []
    digits = ""
    for char in [*path.name.lower(), ""]:
        if char.isascii() and char.isdigit():
            digits += char
            continue
        if digits:
            parts.append((0, int(digits)))
            digits = ""
        if char:
            parts.append((1, char))
    return tuple(parts)
