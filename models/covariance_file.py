"""Text codec of a covariance in a TOML file: names of its parameters, and the matrix in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.geometry import Floats
from models.optional_tables import ours
from models.toml_table import Table

MOST_VARIANCE = 1e12
"""Of px, mm or anything else that a rig states: a sigma of a million says nothing (own choice)."""


def read_covariance(table: Table, parameters: tuple[str, ...]) -> Floats | None:
    """Read the optional ``covariance`` of a table; mistakes are noted in it.

    Args:
        table: The table in which it stands.
        parameters: Those it may name.

    Returns:
        Of all parameters in their order, 0 for what is not named and so was not estimated, shape (n, n);
        None where there is no such table, or it is another program's.
    """
    own = ours(table, "covariance", "parameters", "matrix")
    if own is None:
        return None
    names = own.texts("parameters", choices=parameters, least=1)
    if len(set(names)) != len(names):
        own.wrong("parameters", "names one twice")
    given = own.array("matrix", (len(names), len(names)), most=MOST_VARIANCE)
    own.done()
    whole = np.zeros((len(parameters), len(parameters)))
    check_covariance(own, given)
    if own.sound:
        at = [parameters.index(name) for name in names]
        whole[np.ix_(at, at)] = given
    return whole


def check_covariance(table: Table, matrix: Floats) -> None:
    """Note where the ``matrix`` of a table is no covariance; one that may be a stand-in is not looked at."""
    if not table.sound:
        return
    sigma = np.sqrt(np.abs(np.diag(matrix)))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        scaled = matrix / np.outer(*[np.where(sigma > 0.0, sigma, 1.0)] * 2)
    whole = bool(np.all(np.isfinite(scaled))) and float(np.abs(scaled - scaled.T).max()) <= 1e-6
    if not whole or np.linalg.eigvalsh(scaled).min() < -1e-6:
        table.wrong("matrix", "is no covariance: it must be symmetric with no negative eigenvalue")


def covariance_lines(name: str, parameters: Sequence[str], matrix: Floats) -> list[str]:
    """The table of this name, to be read back."""
    return [f"[{name}]", f"parameters = {list(parameters)}", f"matrix = {matrix.tolist()}"]
