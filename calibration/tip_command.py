"""``cryoguide calibrate tip``."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from calibration.certified_parts import tip_part
from calibration.pivot import PivotSolution
from calibration.poses_seen import poses_of
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from calibration.tag_leverage import tags_placed
from calibration.tip import LIMIT_MM, TipFound, find_tip
from models.geometry import Floats
from models.nozzle_errors import TIP
from models.problems import InputError
from models.rig_file import read_rig
from models.rig_widened import widened

_NO_NOZZLE = "{where} has no [nozzle]; add the geometry of the collar that `calibrate print` writes."

MARKER_WITHIN_MM = 2000.0
"""As for a printed collar: no handheld tool is as long."""

LEAST_POSES = 3
"""With fewer nothing can be solved, and nothing told."""


def calibrate_tip(options: argparse.Namespace, now: datetime) -> bool:
    """Solve, tell, and move the origin of the rig's nozzle to the tip.

    Raises:
        InputError: If poses or rig cannot be read, or the rig has no nozzle.
    """
    rig = cast("Path | None", options.rig)
    if options.out is not None and rig is None:
        raise InputError("--out needs --rig: the rig whose nozzle is to have its origin at the tip.")
    tables = read_tables(rig) if rig is not None else None
    known = None
    if rig is not None:
        stated, _ = read_rig(rig.read_text(encoding="utf-8"), where=str(rig))
        known = widened(stated, now=now)
    poses = poses_of(options.poses, known, where=str(rig), from_s=options.from_s, to_s=options.to_s)
    if (count := len(poses.names)) < LEAST_POSES:
        held = "1 pose" if count == 1 else f"{count} poses"
        raise InputError(f"{options.poses} holds {held}; a pivot needs 12 or more that agree, better 50.")
    marker_mm, placed = np.zeros(3), None
    if known is not None:
        if known.nozzle is None:
            raise InputError(_NO_NOZZLE.format(where=rig))
        placed = tags_placed(known, known.nozzle, now=now)
        marker_mm = placed.corners_mm.reshape(-1, 3).mean(axis=0)
    if options.marker_mm is not None:
        if max(abs(v) for v in options.marker_mm) > MARKER_WITHIN_MM:
            raise InputError(
                f"--marker-mm lies within {MARKER_WITHIN_MM:g} mm of the tool's origin; give it in mm."
            )
        marker_mm = np.array(options.marker_mm, float)
    found = find_tip(poses, marker_tool_mm=marker_mm, limit_mm=options.limit_mm or LIMIT_MM, placed=placed)
    print("\n".join(told(found, count=len(poses.names))))
    if placed is not None and placed.lapsed:
        print(
            f"The places of the collar's tags no longer hold ({placed.lapsed}): their bound is wider by that."
        )
    if found.refusal is not None:
        print(f"REFUSED. {found.refusal}")
        return False
    print(
        f"Accepted. The jet's spot on the skin is off by at most {found.robust.tip_u95_mm:.2f} mm (95 %)"
        f" by the tip."
    )
    if tables is None or rig is None:
        return True
    _move_origin(tables, rig, found.robust)
    return replace_rig(
        options.out or rig,
        tables,
        now=now,
        force=options.force,
        part=tip_part(found, poses.names),
    )


def told(found: TipFound, *, count: int) -> list[str]:
    """What was found, line by line."""
    lines = [
        f"{count} poses, turned by {found.turn_deg:.1f} degrees in the direction turned least",
        f"{'':8}{'tip (frame of the poses), mm':36}{'95 % bound':>12}{'rms':>9}{'poses':>7}",
    ]
    for name, solution in (("plain", found.plain), ("robust", found.robust)):
        tip = "  ".join(f"{value:10.3f}" for value in solution.tip_mm)
        bound = f"{solution.tip_u95_mm:9.2f} mm" if np.isfinite(solution.tip_u95_mm) else "   not known"
        lines.append(f"{name:8}{tip:36}{bound:>12}{solution.rms_mm:9.3f}{int(solution.used.sum()):7d}")
    lines.append(
        "rms: of the residuals' components. It says how still the tip was, not how well it is known; the"
        " bound does."
    )
    if found.left_out:
        lines.append(f"Left out by the robust solution: {', '.join(found.left_out)}")
    if found.differ is not None:
        lines.append(found.differ)
    if found.tags_u95_mm > 0.0:
        lines.append(f"Of the robust bound {found.tags_u95_mm:.2f} mm are what the tags' places leave open.")
    return lines


def _corners_mm(tables: Toml, where: object) -> Floats:
    nozzle = tables.get("nozzle")
    if not isinstance(nozzle, dict):
        raise InputError(_NO_NOZZLE.format(where=where))
    tags = cast("list[Toml]", cast("Toml", nozzle)["tag"])
    return np.array([tag["corners_nozzle_mm"] for tag in tags], float)


def _move_origin(tables: Toml, where: object, solution: PivotSolution) -> None:
    """Give all corners from the tip; the axes stay."""
    corners = _corners_mm(tables, where) - solution.tip_mm
    for tag, own in zip(cast("list[Toml]", table_of(tables, "nozzle")["tag"]), corners, strict=True):
        tag["corners_nozzle_mm"] = [[round(float(v), 9) for v in corner] for corner in own]
    table_of(tables, "nozzle")["covariance"] = covariance_table(TIP, solution.covariance_mm2)
