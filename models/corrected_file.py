"""The table ``[thermal.corrected]`` of ``rig.toml``: what an import has corrected the temperatures for."""

from __future__ import annotations

import json

from models.rig import Corrected
from models.toml_table import Table

NAME = "corrected"


def read_corrected(table: Table) -> Corrected:
    """Read the table; mistakes are noted in it."""
    at_degc, stated_degc = table.array("at_degc", (-1,)), table.array("stated_degc", (-1,))
    if table.sound and len(at_degc) != len(stated_degc):
        table.wrong("stated_degc", "must have one temperature for each of at_degc")
    corrected = Corrected(
        source=table.text("source"),
        reflected_degc=table.number("reflected_degc", low=-273.15),
        air_degc=table.number("air_degc", low=-273.15),
        humidity=table.number("humidity", low=0.0, high=1.0),
        distance_mm=table.number("distance_mm", low=0.0),
        camera_emissivity=table.optional_number("camera_emissivity", above=0.0, high=1.0),
        stated_degc=tuple(zip(at_degc.tolist(), stated_degc.tolist(), strict=False)),
    )
    table.done()
    return corrected


def corrected_lines(corrected: Corrected) -> list[str]:
    """The table as `read_corrected` reads it back."""
    lines = [
        f"[thermal.{NAME}]",
        f"source = {json.dumps(corrected.source)}",
        f"reflected_degc = {corrected.reflected_degc!r}",
        f"air_degc = {corrected.air_degc!r}",
        f"humidity = {corrected.humidity!r}",
        f"distance_mm = {corrected.distance_mm!r}",
    ]
    if corrected.camera_emissivity is not None:
        lines.append(f"camera_emissivity = {corrected.camera_emissivity!r}")
    lines.append(f"at_degc = {[at for at, _ in corrected.stated_degc]}")
    lines.append(f"stated_degc = {[stated for _, stated in corrected.stated_degc]}")
    return lines
