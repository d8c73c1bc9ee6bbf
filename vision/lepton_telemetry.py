"""Recorded Lepton 3 pictures with telemetry: two more rows, see `vision.lepton_rows`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from models.geometry import frozen
from models.problems import InputError
from models.radiation import Air, Surroundings
from vision.lepton_rows import ROWS, SIZE_PX, read_telemetry
from vision.thermal_source import Numbers, Reading, ThermalSource, whole_number_scale


def open_lepton(
    values: Callable[[], Iterator[Numbers | None]], *, pictures: int, where: str, warnings: tuple[str, ...]
) -> ThermalSource:
    """A source of pictures with telemetry.

    Raises:
        InputError: If the telemetry makes no sense, or says that the pictures carry no temperatures.
    """
    said = [None if picture is None else read_telemetry(picture) for picture in values()]
    first = next((telemetry for telemetry in said if telemetry is not None), None)
    if first is None:
        raise InputError(
            f"{where} has the size of Lepton pictures with telemetry, but the rows below make no sense; "
            "record again without telemetry, or give the right --size-px."
        )
    for wrong, what in (
        (first.agc, "automatic gain (AGC) on, so they are a display; record with AGC off"),
        (not first.tlinear, "TLinear off, so they are raw counts without a scale; record with TLinear on"),
        (not first.clear, "a correction for air or a window on; record with both transmissions set to 1"),
    ):
        if wrong:
            raise InputError(f"{where}: by their telemetry the pictures were taken with {what}.")
    settings = {(t.emissivity, t.background_degc) for t in said if t is not None}
    if len(settings) > 1:
        raise InputError(
            f"{where}: the camera's emissivity or background changes on the way; record again without "
            "changing it."
        )
    up_s = [first.up_s if t is None else t.up_s for t in said]

    def read() -> Iterator[Reading | None]:
        for picture, telemetry in zip(values(), said, strict=False):
            if picture is None or telemetry is None or telemetry.agc or not telemetry.tlinear:
                yield None
            else:
                yield Reading(picture[:ROWS], whole_number_scale(telemetry.unit))

    return ThermalSource(
        where=where,
        kind="Lepton pictures with telemetry",
        width_px=SIZE_PX[0],
        height_px=ROWS,
        pictures=pictures,
        read=read,
        t_s=frozen(np.array(up_s) - up_s[0]) if None not in said else None,
        flag=frozen(np.array([t is not None and t.shutter for t in said])),
        applied=Surroundings(first.emissivity, first.background_degc, Air(first.background_degc, 0.0), 0.0),
        warnings=warnings,
    )
