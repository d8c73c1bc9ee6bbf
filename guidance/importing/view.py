"""What ``cryoguide import`` prints: what was read, what each correction does in degrees, what was written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.radiation import Curve, Effect, Planck, effects
from vision.thermal_source import ThermalSource
from vision.thermal_store import Correction, Written

SHOWN_DEGC = (2.0, 10.0, 30.0)
"""Skin at the STOP, in the target band, and untreated."""


def print_correction(
    source: ThermalSource, correction: Correction, curve: Curve, *, console: Console | None = None
) -> None:
    """Print what the corrections are and what each does."""
    console = console or Console()
    around = correction.around
    counted = "1 picture" if source.pictures == 1 else f"{source.pictures} pictures"
    of = f"{source.width_px}x{source.height_px}"
    console.print(Text(f"{source.where}: {source.kind}, {counted} of {of}"))
    console.print(
        Text(
            f"Corrected for emissivity {around.emissivity:g}, surroundings of "
            f"{around.reflected_degc:.1f} degC, "
            f"{around.distance_m * 1000:.0f} mm of air of {around.air.degc:.1f} degC and "
            f"{around.air.humidity:.0%} humidity (transmission {around.transmission:.4f}), "
            + (
                "by the camera's own curve."
                if isinstance(curve, Planck)
                else "by Planck's law from 8 to 14 um."
            )
        )
    )
    console.print(effect_table(effects(curve=curve, around=around, at_degc=SHOWN_DEGC), correction, curve))


def effect_table(found: Sequence[Effect], correction: Correction, curve: Curve) -> Table:
    """One row a skin temperature: how far off the camera reads without correction, and as it was set."""
    table = Table(title="How far off the pictures read without the correction (degC)", title_justify="left")
    for heading in ("skin", "emissivity", "reflection", "air", "together", "as the file had it"):
        table.add_column(heading, justify="right")
    for effect in found:
        table.add_row(
            f"{effect.true_degc:.1f}",
            *(
                f"{part:+.2f}"
                for part in (
                    effect.emissivity_degc,
                    effect.reflection_degc,
                    effect.air_degc,
                    effect.total_degc,
                    correction.stated_degc(effect.true_degc, curve) - effect.true_degc,
                )
            ),
        )
    return table


def print_written(
    written: Written, warnings: Sequence[str], *, folder: Path, console: Console | None = None
) -> None:
    """Print what became of the pictures, the notes, and how to go on."""
    console = console or Console()
    console.print(
        Text(
            f"{written.pictures} thermal pictures written, {written.low_degc:.2f} to "
            f"{written.high_degc:.2f} degC, {written.without_reading:.1%} of the pixels without a reading."
        )
    )
    for warning in warnings:
        console.print(Text(f"Note: {warning}", style="yellow"))
    console.print(Text(f"Session  {folder}\nNext:    cryoguide analyze {folder}"), soft_wrap=True)
