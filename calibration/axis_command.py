"""``cryoguide calibrate axis``."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from calibration.axis import LIMIT_DEG, AxisFound, find_axis
from calibration.certificate import Certified
from calibration.certificate_plots import bars_svg, residuals_svg
from calibration.poses_seen import poses_of
from calibration.relied import collar_lean_rad2, relied_rig
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from calibration.skin_error import DISTANCES_MM
from models.geometry import Floats, unit
from models.nozzle_errors import AXIS, TIP
from models.problems import InputError

NOMINAL_MM = 150.0
"""From the orifice to the skin, at which the error of the axis is told (domain: 15 cm is usual)."""


def calibrate_axis(options: argparse.Namespace, now: datetime) -> bool:
    """Solve, tell, and turn the nozzle's frame so that +z is the axis.

    Raises:
        InputError: If poses or rig cannot be read, or the rig has no nozzle.
    """
    path = cast(Path, options.rig)
    tables = read_tables(path)
    stated, rig, wider = relied_rig(path, now=now, step="axis")
    if rig.nozzle is None:
        raise InputError(f"{path} has no [nozzle]; add what `calibrate print collar` writes.")
    poses = poses_of(options.poses, rig, where=str(path), from_s=options.from_s, to_s=options.to_s)
    if len(poses.names) < 6:
        raise InputError(f"{options.poses} holds {len(poses.names)} poses; an axis needs 15 or more.")
    found = find_axis(
        poses,
        marker_nozzle_mm=rig.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0),
        tip_covariance_mm2=rig.nozzle_errors.tip_mm2,
        collar_rad2=collar_lean_rad2(rig.nozzle, stated, rig),
        limit_deg=options.limit_deg or LIMIT_DEG,
    )
    print("\n".join([*told(found, count=len(poses.names)), *wider]))
    if found.refusal is not None:
        print(f"REFUSED. {found.refusal}")
        return False
    spot_mm = NOMINAL_MM * found.robust.axis_u95_rad
    print(
        f"Accepted. The spot on skin {NOMINAL_MM:.0f} mm away is off by at most {spot_mm:.2f} mm (95 %)"
        " by the axis."
    )
    _turn_frame(tables, found)
    target = cast("Path | None", options.out) or path
    return replace_rig(target, tables, now=now, force=options.force, part=_part(found, poses.names))


def told(found: AxisFound, *, count: int) -> list[str]:
    """What was found, line by line."""
    lines = [
        f"{count} poses, spun over {found.spun_deg:.0f} degrees; the nozzle wobbled by {found.wobble_deg:.2f}"
        " degrees rms",
        f"{'':8}{'axis (nozzle frame)':32}{'95 % bound':>12}{'passes the tip at':>20}{'poses':>8}",
    ]
    for name, one in (("plain", found.plain), ("robust", found.robust)):
        axis = one.axis * np.sign(one.axis @ found.axis)
        way = "  ".join(f"{value:8.5f}" for value in axis)
        bound = f"{np.degrees(one.axis_u95_rad):.3f} deg"
        off = f"{np.linalg.norm(one.near_mm):.2f} ±{one.near_u95_mm:.2f} mm"
        lines.append(f"{name:8}{way:32}{bound:>12}{off:>20}{int(one.used.sum()):8d}")
    lines.append(f"The axis leans {found.lean_deg:.2f} degrees off the rig's.")
    if found.left_out:
        lines.append(f"Left out by the robust solution: {', '.join(found.left_out)}")
    return [*lines, found.differ] if found.differ is not None else lines


def turn_to_axis(axis: Floats) -> Floats:
    """The smallest turn that brings a direction to +z, shape (3, 3)."""
    z = np.array([0.0, 0.0, 1.0])
    if axis[2] < -0.999_999:
        return np.diag([1.0, -1.0, -1.0])
    half = unit(axis + z)
    # Two reflections make a turn (Householder).
    return (np.eye(3) - 2.0 * np.outer(half, half)) @ (np.eye(3) - 2.0 * np.outer(axis, axis))


def _turn_frame(tables: Toml, found: AxisFound) -> None:
    """Give corners and covariances in axes whose +z is the jet; the tip stays the origin."""
    turn, nozzle = turn_to_axis(found.axis), table_of(tables, "nozzle")
    for tag in cast("list[Toml]", nozzle["tag"]):
        corners = np.array(tag["corners_nozzle_mm"], float) @ turn.T
        tag["corners_nozzle_mm"] = [[round(float(v), 9) for v in corner] for corner in corners]
    if isinstance(stated := nozzle.get("covariance"), dict) and cast("Toml", stated).get(
        "parameters"
    ) == list(TIP):
        matrix = np.array(cast("Toml", stated)["matrix"], float)
        nozzle["covariance"] = covariance_table(TIP, turn @ matrix @ turn.T)
    collar = nozzle.get("collar")
    if isinstance(collar, dict) and isinstance(own := cast("Toml", collar).get("covariance"), dict):
        matrix = np.array(cast("Toml", own)["matrix"], float)
        if len(matrix) % 3 == 0:
            every = np.kron(np.eye(len(matrix) // 3), turn)
            names = cast("list[str]", cast("Toml", own)["parameters"])
            cast("Toml", collar)["covariance"] = covariance_table(names, every @ matrix @ every.T)
    lean = (turn @ found.robust.across.T)[:2]
    table_of(tables, "nozzle.axis")["covariance"] = covariance_table(
        AXIS, lean @ found.robust.covariance_rad2 @ lean.T
    )


def _part(found: AxisFound, names: tuple[str, ...]) -> Certified:
    robust = found.robust
    bound = 1.96 * np.sqrt(np.diag(robust.covariance_rad2))
    facts = [
        f"{int(robust.used.sum())} of {len(names)} poses, spun over {found.spun_deg:.0f} degrees.",
        f"The nozzle wobbled by {found.wobble_deg:.2f} degrees rms.",
        f"The axis passes the tip at {found.off_tip_mm:.2f} mm; the two are known to"
        f" {found.off_tip_u95_mm:.2f} mm.",
        f"It leans {found.lean_deg:.2f} degrees off the one before; the nozzle's frame was turned by as"
        " much.",
        "Plain: {} ; robust: {}.".format(
            *(
                " ".join(f"{v:.5f}" for v in one.axis * np.sign(one.axis @ found.axis))
                for one in (found.plain, robust)
            )
        ),
    ]
    spot_mm = tuple(NOMINAL_MM * robust.axis_u95_rad for _ in DISTANCES_MM)
    return Certified(
        step="axis",
        table="nozzle.axis",
        title="Axis of the jet",
        parameters=tuple((name, 0.0, float(b)) for name, b in zip(AXIS, bound, strict=True)),
        covariance_of=AXIS,
        covariance=robust.covariance_rad2,
        on_skin=((f"spot, {NOMINAL_MM:.0f} mm from the orifice", spot_mm),),
        facts=(*facts, found.differ) if found.differ is not None else tuple(facts),
        plots=(
            (
                "Lean of the nozzle at each pose, off its mean",
                residuals_svg([np.degrees(robust.tilt_rad)], unit="deg"),
            ),
            ("Axis beside its line at each pose", residuals_svg([robust.off_mm], unit="mm")),
            (
                "Lean at each pose",
                bars_svg(
                    names,
                    np.degrees(np.linalg.norm(robust.tilt_rad, axis=1)).tolist(),
                    limit=None,
                    unit="deg",
                ),
            ),
        ),
        used=tuple(name for name, used in zip(names, robust.used, strict=True) if used),
        refused=tuple(
            f"{name}: off by more than the noise of the others explains" for name in found.left_out
        ),
    )
