"""The table ``[thermal.radiometry]`` of ``rig.toml``: what references told of the thermal camera."""

from __future__ import annotations

import numpy as np

from models.covariance_file import check_covariance, covariance_lines
from models.radiometry import PARAMETERS, StatedRadiometry
from models.toml_table import Table

NAME = "radiometry"
KEYS = (
    "measured",
    "offset_degc",
    "at_degc",
    "gain",
    "drift_degc_per_min",
    "residual_u95_degc",
    "references_degc",
    "covariance",
)
"""Another program's table lacks some and is left out."""


def read_radiometry(table: Table) -> StatedRadiometry:
    """Read the table; mistakes are noted in it."""
    references = table.array("references_degc", (-1,))
    if table.sound and not (len(references) >= 2 and np.all(np.diff(references) >= 0.0)):
        table.wrong("references_degc", "must list two temperatures or more, rising")
    inner = table.table("covariance")
    names = inner.texts("parameters", choices=PARAMETERS, least=len(PARAMETERS))
    if inner.sound and names != PARAMETERS:
        inner.wrong("parameters", f"must be {', '.join(PARAMETERS)} in this order")
    matrix = inner.array("matrix", (len(PARAMETERS), len(PARAMETERS)))
    check_covariance(inner, matrix)
    inner.done()
    stated = StatedRadiometry(
        measured=table.moment("measured"),
        # A camera that is off by more than this is broken, or the numbers are in another unit.
        offset_degc=table.number("offset_degc", low=-20.0, high=20.0),
        at_degc=table.number("at_degc", low=-60.0, high=100.0),
        gain=table.number("gain", low=-0.3, high=0.3),
        drift_degc_per_min=table.number("drift_degc_per_min", low=-5.0, high=5.0),
        covariance=matrix,
        residual_u95_degc=table.number("residual_u95_degc", low=0.0, high=20.0),
        references_degc=tuple(float(v) for v in references) or (0.0, 0.0),
    )
    table.done()
    return stated


def radiometry_lines(stated: StatedRadiometry) -> list[str]:
    """The table as `read_radiometry` reads it back."""
    return [
        f"[thermal.{NAME}]",
        f"measured = {stated.measured.isoformat().replace('+00:00', 'Z')}",
        f"offset_degc = {stated.offset_degc!r}",
        f"at_degc = {stated.at_degc!r}",
        f"gain = {stated.gain!r}",
        f"drift_degc_per_min = {stated.drift_degc_per_min!r}",
        f"residual_u95_degc = {stated.residual_u95_degc!r}",
        f"references_degc = {list(stated.references_degc)}",
        *covariance_lines(f"thermal.{NAME}.covariance", PARAMETERS, stated.covariance),
    ]
