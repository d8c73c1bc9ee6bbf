"""Nothing replaces a good rig until the new one is complete and better, or the user insists."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from calibration.certificate import Certified, put_certificate
from calibration.rig_text import Toml, put_rig, read_tables, rig_text
from models.geometry import Floats

ALIKE = 1.05
"""A part whose standard deviation is this many times the older one's counts as no better."""


def replace_rig(
    target: Path, tables: Toml, *, table: str, now: datetime, force: bool, part: Certified | None = None
) -> bool:
    """Write the rig with one part calibrated anew, unless that part is known better in the rig there.

    Args:
        target: Where to write.
        tables: With the new part.
        table: Name of the part, with its ``covariance``.
        now: For the rig's date and the name of the one that is kept.
        force: Replace one that is better.
        part: For the certificate beside the rig.

    Returns:
        Whether it was written.
    """
    older = covariance_of(read_tables(target), table) if target.exists() else None
    newer = covariance_of(tables, table)
    if older is not None and newer is not None and not force:
        shared = [name for name in newer if name in older]
        worse = [name for name in shared if newer[name] > ALIKE * older[name]]
        if worse:
            name = max(worse, key=lambda n: newer[n] / older[n])
            print(
                f"NOT WRITTEN. {target} knows {name} of [{table}] to {older[name]:.3g}, this calibration"
                f" only to"
                f" {newer[name]:.3g} (1 sigma); record more, write elsewhere with --out, or insist with"
                f" --force."
            )
            return False
    kept = put_rig(target, rig_text(tables, now=now), now=now)
    print(f"Rig      {target}" + (f"\nBefore   {kept}" if kept is not None else ""))
    if part is not None:
        print(f"Page     {put_certificate(target, part, tables, now=now)}")
    return True


def covariance_of(tables: Toml, table: str) -> dict[str, float] | None:
    """Standard deviations by name, None where the part has no covariance that can be read."""
    part: object = tables
    for name in table.split("."):
        part = cast("Toml", part).get(name) if isinstance(part, dict) else None
    told = cast("Toml", part).get("covariance") if isinstance(part, dict) else None
    if not isinstance(told, dict):
        return None
    names, matrix = cast("Toml", told).get("parameters"), cast("Toml", told).get("matrix")
    try:
        variances: Floats = np.diag(np.asarray(matrix, float))
        named = [str(name) for name in cast("list[object]", names)]
    except (TypeError, ValueError):
        return None
    if len(named) != len(variances) or not np.all(variances > 0.0):
        return None
    return dict(zip(named, np.sqrt(variances).tolist(), strict=True))
