"""Nothing replaces a good rig until the new one is complete and better, or the user insists."""

from __future__ import annotations

import contextlib
import os
import tomllib
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from calibration.certificate import Certified, certificate_path, certificate_text, refused_path
from calibration.marks import note
from calibration.rig_text import Toml, keep_older, read_tables, rig_text
from calibration.vouching import validity_of
from models.geometry import Floats
from models.validity_file import NAME
from vision.put_files import one_writer, written_aside

ALIKE = 1.05
"""A part whose standard deviation is this many times the older one's counts as no better."""


def replace_rig(target: Path, tables: Toml, *, now: datetime, force: bool, part: Certified) -> bool:
    """Write the rig with one part calibrated anew, unless that part is known better in the rig there.

    Args:
        target: Where to write.
        tables: With the new part.
        now: For the rig's date and the name of the one that is kept.
        force: Replace one that is better.
        part: Of the certificate beside the rig; it names step and table.

    Returns:
        Whether it was written.
    """
    there = read_tables(target) if os.path.exists(target) else {}  # also of names that no disk takes
    lost = [name for name, held in there.items() if isinstance(held, dict) and name not in (*tables, NAME)]
    if lost and not force:
        print(
            f"NOT WRITTEN. {target} holds {', '.join(f'[{name}]' for name in lost)}, which would be lost; go"
            f" on from it with --rig {target}, write elsewhere with --out, or insist with --force."
        )
        return False
    table = part.table
    older = covariance_of(there, table) if there and not _lapsed(there, part.step, now) else None
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
    created = cast("datetime", (there or tables).get("created", now))
    # As the file will read: numbers of numpy have another text than those that are read back.
    clean = cast("Toml", tomllib.loads(rig_text(tables, now=now)))
    note(clean, validity_of(clean, now=now), part.step, now=now, created=created)
    with contextlib.ExitStack() as both:  # rig and page are written whole before either is put in place
        both.enter_context(one_writer(target.parent))
        rig = both.enter_context(written_aside(target, rig_text(clean, now=now)))
        told = certificate_text(target, part, clean, now=now)
        page = both.enter_context(written_aside(certificate_path(target), told))
        kept = keep_older(target, now=now, part_of=tables)
        rig.put()
        page.put()
    print(f"Rig      {target}" + (f"\nBefore   {kept}" if kept is not None else ""))
    refused_path(target, part.step).unlink(missing_ok=True)
    print(f"Page     {certificate_path(target)}")
    _tell(clean, now)
    return True


def _lapsed(tables: Toml, step: str, now: datetime) -> bool:
    """Whether what the rig there has of this step no longer holds: it is no better then."""
    return any(one.step == step for one in validity_of(tables, now=now).lapsed(now=now))


def _tell(tables: Toml, now: datetime) -> None:
    """Say which parts were found with something else than the rig now has."""
    for one in validity_of(tables, now=now).lapsed():
        print(f"No longer holds: {one.words}; do calibrate {one.step} again")


def covariance_of(tables: Toml, table: str) -> dict[str, float] | None:
    """Standard deviations by name, None where the part has no covariance that can be read."""
    part: object = tables
    for name in table.split("."):
        part = cast("Toml", part).get(name) if isinstance(part, dict) else None
    told = cast("Toml", part).get("covariance") if isinstance(part, dict) else None
    if not isinstance(told, dict):
        return _bounds_of(part)
    names, matrix = cast("Toml", told).get("parameters"), cast("Toml", told).get("matrix")
    try:
        variances: Floats = np.diag(np.asarray(matrix, float))
        named = [str(name) for name in cast("list[object]", names)]
    except (TypeError, ValueError):
        return None
    if len(named) != len(variances) or not np.all(variances > 0.0):
        return None
    return dict(zip(named, np.sqrt(variances).tolist(), strict=True))


def _bounds_of(part: object) -> dict[str, float] | None:
    """Standard deviations of a part that states 95 % bounds in place of a covariance."""
    values = cast("Toml", part) if isinstance(part, dict) else {}
    bounds = {
        key: value / 1.96
        for key, value in values.items()
        if "u95" in key and isinstance(value, int | float) and value > 0.0
    }
    return bounds or None
