"""What a rig's own covariances say of that which the quick check looks at."""

from __future__ import annotations

from typing import cast

import numpy as np

from calibration.check_cameras import USUAL_SIGMA
from calibration.check_views import CAUSES
from calibration.rig_text import Toml
from models.geometry import Floats


def known_causes(tables: Toml) -> Floats:
    """Covariance of `calibration.check_cameras.CAUSES`; the usual one for what the rig does not state.

    Args:
        tables: Of the rig.
    """
    known = np.diag(USUAL_SIGMA**2)
    thermal = _covariance(tables, "thermal")
    if thermal is not None:
        names, matrix = thermal
        places = {name: k for k, name in enumerate(CAUSES[:6])}
        if "fx_px" in names:
            places["fx_px"] = 6
        own = [name for name in names if name in places]
        at, here = [places[name] for name in own], [names.index(name) for name in own]
        focal_px = cast("float", cast("Toml", tables["thermal"])["fx_px"])
        scale = np.array([1.0 / focal_px if name == "fx_px" else 1.0 for name in own])
        known[at, :] = known[:, at] = 0.0
        known[np.ix_(at, at)] = matrix[np.ix_(here, here)] * np.outer(scale, scale)
    rgb = _covariance(tables, "rgb")
    if rgb is not None and "fx_px" in rgb[0]:
        k = rgb[0].index("fx_px")
        known[7, 7] = rgb[1][k, k] / cast("float", cast("Toml", tables["rgb"])["fx_px"]) ** 2
    return known


def known_tip(tables: Toml) -> Floats | None:
    """Covariance of the tip in the nozzle's frame, shape (3, 3); None where the rig does not state it."""
    told = _covariance(tables, "nozzle")
    if told is None or not {"tip_x_mm", "tip_y_mm", "tip_z_mm"} <= set(told[0]):
        return None
    at = [told[0].index(name) for name in ("tip_x_mm", "tip_y_mm", "tip_z_mm")]
    return told[1][np.ix_(at, at)]


def _covariance(tables: Toml, part: str) -> tuple[list[str], Floats] | None:
    told = cast("Toml", tables.get(part) or {}).get("covariance")
    if not isinstance(told, dict):
        return None
    try:
        names = [str(name) for name in cast("list[object]", cast("Toml", told)["parameters"])]
        matrix = np.asarray(cast("Toml", told)["matrix"], float)
    except (KeyError, TypeError, ValueError):
        return None
    return (names, matrix) if matrix.shape == (len(names), len(names)) else None
