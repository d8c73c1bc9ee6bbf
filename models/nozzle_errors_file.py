"""Text codec of what ``[nozzle]`` of a ``rig.toml`` says of its own errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.covariance_file import check_covariance, covariance_lines
from models.geometry import Floats, frozen
from models.nozzle_errors import AXIS, TIP, NozzleErrors
from models.optional_tables import ours
from models.toml_table import Table

WIDEST_MM, WIDEST_RAD = 50.0, 0.5
"""1 sigma beyond which a tip or an axis is no calibration."""


def read_nozzle_errors(nozzle: Table, ids: Sequence[int]) -> NozzleErrors:
    """What ``[nozzle]`` states; tables of another form are another program's and left alone.

    Args:
        nozzle: Table of the nozzle.
        ids: Tags in the order of the rig.
    """
    tip = _covariance(nozzle, "covariance", TIP, widest=WIDEST_MM)
    axis = None
    if (table := ours(nozzle, "axis", "covariance")) is not None:
        axis = _covariance(table, "covariance", AXIS, widest=WIDEST_RAD)
        for key in table.unread():
            table.pass_over(key)
    tags = None
    if (table := ours(nozzle, "collar", "covariance")) is not None:
        names = tuple(f"tag{tag}_{way}_mm" for tag in ids for way in "xyz")
        tags = _covariance(table, "covariance", names, widest=WIDEST_MM, required=False)
        for key in table.unread():
            table.pass_over(key)
    return NozzleErrors(tip, axis, tags)


def nozzle_error_lines(errors: NozzleErrors, ids: Sequence[int]) -> list[str]:
    """Text that `read_nozzle_errors` reads back."""
    tags = [f"tag{tag}_{way}_mm" for tag in ids for way in "xyz"]
    lines: list[str] = []
    for name, parameters, matrix in (
        ("covariance", TIP, errors.tip_mm2),
        ("axis.covariance", AXIS, errors.axis_rad2),
        ("collar.covariance", tags, errors.tag_mm2),
    ):
        if matrix is not None:
            lines += covariance_lines(f"nozzle.{name}", parameters, matrix)
    return lines


def _covariance(
    table: Table, key: str, names: Sequence[str], *, widest: float, required: bool = True
) -> Floats | None:
    own = ours(table, key, "parameters", "matrix")
    if own is None:
        return None
    told = own.texts("parameters", least=1)
    matrix = own.array("matrix", (len(told), len(told)))
    own.done()
    if not own.sound:
        return None
    if set(told) < set(names) and not required:
        return None  # only some tags: what is not named is not known
    if set(told) != set(names) or len(told) != len(names):
        own.wrong("parameters", f"must name each of {', '.join(names[:3])} ... once; calibrate again")
        return None
    check_covariance(own, matrix)
    if not np.all(np.sqrt(np.abs(np.diag(matrix))) <= widest):
        own.wrong("matrix", f"leaves more than {widest:g} open (1 sigma); calibrate again")
    at = [told.index(name) for name in names]
    return frozen(matrix[np.ix_(at, at)])
