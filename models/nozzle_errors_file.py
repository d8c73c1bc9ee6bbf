"""Text codec of what ``[nozzle]`` of a ``rig.toml`` says of its own errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.geometry import Floats, frozen
from models.nozzle_errors import AXIS, TIP, NozzleErrors
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
    if nozzle.has_tables("axis") and "covariance" in nozzle.peek("axis"):
        table = nozzle.table("axis")
        axis = _covariance(table, "covariance", AXIS, widest=WIDEST_RAD)
        for key in table.unread():
            table.pass_over(key)
    tags = None
    if nozzle.has_tables("collar") and "covariance" in nozzle.peek("collar"):
        table, names = nozzle.table("collar"), tuple(f"tag{tag}_{way}_mm" for tag in ids for way in "xyz")
        tags = _covariance(table, "covariance", names, widest=WIDEST_MM, required=False)
        for key in table.unread():
            table.pass_over(key)
    return NozzleErrors(tip, axis, tags)


def nozzle_error_lines(errors: NozzleErrors, ids: Sequence[int]) -> list[str]:
    """Text that `read_nozzle_errors` reads back."""
    tags = [f"tag{tag}_{way}_mm" for tag in ids for way in "xyz"]
    lines: list[str] = []
    for name, parameters, matrix in (
        ("covariance", list(TIP), errors.tip_mm2),
        ("axis.covariance", list(AXIS), errors.axis_rad2),
        ("collar.covariance", tags, errors.tag_mm2),
    ):
        if matrix is not None:
            lines += [f"[nozzle.{name}]", f"parameters = {parameters}", f"matrix = {matrix.tolist()}"]
    return lines


def _covariance(
    table: Table, key: str, names: Sequence[str], *, widest: float, required: bool = True
) -> Floats | None:
    if not table.has_tables(key) or not {"parameters", "matrix"} <= set(table.peek(key)):
        return None
    own = table.table(key)
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
    spread = np.sqrt(np.abs(np.diag(matrix)))
    scaled = matrix / np.outer(*[np.where(spread > 0.0, spread, 1.0)] * 2)
    if np.abs(scaled - scaled.T).max() > 1e-6 or np.linalg.eigvalsh(scaled).min() < -1e-6:
        own.wrong("matrix", "is no covariance: it must be symmetric with no negative eigenvalue")
    if not np.all(spread <= widest):
        own.wrong("matrix", f"leaves more than {widest:g} open (1 sigma); calibrate again")
    at = [told.index(name) for name in names]
    return frozen(matrix[np.ix_(at, at)])
