"""Tip calibration over cones of 2 to 40 degrees, side by side with scikit-surgerycalibration.

``python -m benchmarks.pivot --pivots 200``: a row for each kind of pivot and cone, solved by both from the
same poses. Ours has a bound and refuses; the peer has neither, so for it only the error is told.

``--glued``: poses of a collar whose tags were glued on to 0.3 mm (1 sigma), found from drawn corners; once as
a rig without a calibrated collar has it, once with a collar calibrated to 0.02 mm.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
from rich.console import Console
from rich.table import Table

from calibration.poses_file import TrackedPoses
from calibration.sheets import collar_of
from calibration.tag_leverage import TagsPlaced
from calibration.tip import LIMIT_MM, find_tip
from models.geometry import Floats
from models.rig import Tags
from tests.calibration.pivot_scenes import Turning, glued_poses, turned
from vision.synthetic_rig import misplaced

CONES_DEG = (2.0, 4.0, 8.0, 12.0, 20.0, 30.0, 40.0)

KINDS = {
    "noise": Turning(),
    "rotations 1 deg": Turning(rotation_deg=1.0),
    "1 in 10 bad": Turning(outliers=0.1),
    "drift": Turning(drift=0.5, slow=True),
    "misplaced tags": Turning(misplaced=0.5, slow=True),
}


def measured(pivots: int) -> Table:
    """A row for every kind and cone."""
    table = Table(title=f"Tip by pivot, {pivots} simulated pivots a row, 50 poses, lever 150 mm")
    for column in ("kind", "cone", "accepted", "truth in bound, of accepted", "error p50 / p95, of accepted"):
        table.add_column(column)
    table.add_column("least squares p50 / p95, same pivots")
    table.add_column("scikit-surgerycalibration p50 / p95, same pivots")
    table.add_column("the peer, of those refused")
    for name, kind in KINDS.items():
        for cone_deg in CONES_DEG:
            table.add_row(name, f"{cone_deg:g} deg", *_row(replace(kind, cone_deg=cone_deg), pivots))
    return table


def _row(how: Turning, pivots: int) -> list[str]:
    rng = np.random.default_rng(11)
    ours, plain, peer, bounds, accepted = [], [], [], [], []
    truth = np.array(how.tip_mm)
    for _ in range(pivots):
        rotations, translations = turned(how, rng)
        names = tuple(str(k) for k in range(len(rotations)))
        found = find_tip(TrackedPoses(names, rotations, translations), marker_tool_mm=np.zeros(3))
        ours.append(float(np.linalg.norm(found.robust.tip_mm - truth)))
        plain.append(float(np.linalg.norm(found.plain.tip_mm - truth)))
        bounds.append(found.robust.tip_u95_mm)
        accepted.append(found.refusal is None)
        peer.append(float(np.linalg.norm(_peer_mm(rotations, translations) - truth)))
    good = np.array(accepted)
    held = np.array(ours)[good] <= np.array(bounds)[good]
    return [
        f"{100.0 * good.mean():.0f} %",
        f"{100.0 * held.mean():.1f} %" if good.any() else "-",
        _told(np.array(ours)[good]),
        _told(np.array(plain)[good]),
        _told(np.array(peer)[good]),
        _told(np.array(peer)[~good]),
    ]


def glued(pivots: int, *, limit_mm: float) -> Table:
    """A row for every cone, without and with a calibrated collar."""
    title = f"Tip by pivot, {pivots} collars a row, tags glued on to 0.3 mm; limit {limit_mm:g} mm"
    table = Table(title=title)
    for column in ("collar", "cone", "accepted", "truth in bound", "error p50 / p95", "bound p50"):
        table.add_column(column)
    made = collar_of(across_mm=60.0, tip_mm=60.0)
    given = Tags("DICT_APRILTAG_36h11", made.ids, made.corners_nozzle_mm)
    for name, sigma_mm in (("not calibrated", None), ("calibrated to 0.02 mm", 0.02)):
        for cone_deg in (12.0, 20.0, 30.0):
            rng, rows = np.random.default_rng(12), []
            for k in range(pivots):
                real = misplaced(given, sigma_mm=0.3, seed=k)
                known, stated = given, None
                if sigma_mm is not None:
                    known = _calibrated(real, sigma_mm, rng)
                    stated = sigma_mm**2 * np.eye(3 * len(given.ids))
                rotations, translations = glued_poses(known, real, rng, cone_deg=cone_deg)
                found = find_tip(
                    TrackedPoses(tuple(map(str, range(len(rotations)))), rotations, translations),
                    marker_tool_mm=known.corners_mm.reshape(-1, 3).mean(axis=0),
                    limit_mm=limit_mm,
                    placed=TagsPlaced(known.corners_mm, stated),
                )
                off_mm, bound_mm = float(np.linalg.norm(found.robust.tip_mm)), found.robust.tip_u95_mm
                rows.append((found.refusal is None, off_mm, bound_mm))
            good, off, bound = np.array(rows).T
            kept = good > 0.0
            inside = f"{100.0 * np.mean(off <= bound):.1f} % of all"
            if kept.any():
                inside += f", {100.0 * np.mean(off[kept] <= bound[kept]):.1f} % of accepted"
            table.add_row(
                name,
                f"{cone_deg:g} deg",
                f"{100.0 * kept.mean():.0f} %",
                inside,
                _told(off),
                f"{np.median(bound):.2f} mm",
            )
    return table


def _calibrated(real: Tags, sigma_mm: float, rng: np.random.Generator) -> Tags:
    """Each tag shifted by itself from where it is."""
    shifts = sigma_mm * rng.normal(size=(len(real.ids), 1, 3))
    return replace(real, corners_mm=real.corners_mm + shifts)


def _told(errors_mm: Floats) -> str:
    if not len(errors_mm) or not np.all(np.isfinite(errors_mm)):
        return "-"
    return "{:.2f} / {:.2f} mm".format(*np.quantile(errors_mm, (0.5, 0.95)))


def _peer_mm(rotations: Floats, translations_mm: Floats) -> Floats:
    """Tip by its algebraic one-step solution, NaN where the package is not installed."""
    if find_spec("sksurgerycalibration") is None:
        return np.full(3, np.nan)
    from sksurgerycalibration.algorithms import pivot  # pyright: ignore[reportMissingImports]

    matrices = np.tile(np.eye(4), (len(rotations), 1, 1))
    matrices[:, :3, :3], matrices[:, :3, 3] = rotations, translations_mm
    solved = cast(Any, pivot).pivot_calibration_aos(matrices)
    return np.ravel(np.asarray(solved[0], float))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.pivot", description=__doc__)
    parser.add_argument("--pivots", type=int, default=200)
    parser.add_argument("--glued", action="store_true", help="tags that are not where the rig has them")
    parser.add_argument("--limit-mm", type=float, default=LIMIT_MM, help="of --glued")
    options = parser.parse_args()
    told = glued(options.pivots, limit_mm=options.limit_mm) if options.glued else measured(options.pivots)
    Console(width=190).print(told)


if __name__ == "__main__":
    main()
