"""A guided calibration with a simulated operator: camera time, predicted and true errors on random rigs.

    python -m benchmarks.guided --rigs 8

Corners go through the true cameras (lens, bent board, noise); pictures of the collar are drawn. The operator
reacts late, holds the board about where it is asked for, misreads now and then, and drifts while holding.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from benchmarks.guided_operator import (
    RGB_PX,
    THERMAL_PX,
    Operator,
    Truth,
    board_run,
    collar_run,
    seen,
    tip_run,
    truth_of,
)
from benchmarks.guided_pictures import FlatPicture, collar_picture
from benchmarks.stopwatch import machine, table_of
from calibration.board import OWN
from calibration.board_step import BoardStep
from calibration.collar import find_collar
from calibration.collar_step import CollarStep
from calibration.intrinsics import Calibrated
from calibration.pair_equations import PairView
from calibration.rgb import CameraFound, find_camera, seen_places
from calibration.sheets import TARGET
from calibration.skin_error import camera_of
from calibration.tag_leverage import TagsPlaced
from calibration.thermal import ThermalJudged, find_thermal
from calibration.thermal_pair import RgbKnown, ThermalFound
from calibration.tip import find_tip
from calibration.tip_step import TipStep
from models.geometry import Bytes, Counts, Floats, Pose, rotation_from_rvec, unit
from models.lens_errors import REACH
from models.nozzle_errors import NozzleErrors
from models.rig import Nozzle, Rig, Tags
from models.sightings import NozzleSighting

AT_MM = 800.0
CHANGE_S = {"thermal": 10.0, "collar": 8.0, "tip": 5.0}
"""To put one thing down and take up the next, the target warmed beforehand."""


@dataclass(frozen=True)
class Done:
    """Of one step."""

    camera_s: float
    taken: int
    bound_mm: float
    """As the finished calibration predicts, 95 %."""
    true_mm: float
    refused: str | None


def rgb_true_mm(found: Calibrated, truth: Floats, at_px: Floats) -> float:
    """Worst place of across (whole turns of the camera taken out) and along (by size), 0.8 m away."""
    own, real = camera_of(found.values, size_px=RGB_PX), camera_of(truth, size_px=RGB_PX)
    a, b = unit(own.unproject(at_px)), unit(real.unproject(at_px))
    u, _, vt = np.linalg.svd(a.T @ b)
    turned = a @ (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt)
    off = turned / turned[:, 2:] - b / b[:, 2:]
    reach_px = REACH * truth[0] * np.eye(2)
    own_size, real_size = (
        sum(
            (camera.unproject(at_px + reach_px[k]) - camera.unproject(at_px - reach_px[k]))[:, k]
            for k in (0, 1)
        )
        for camera in (own, real)
    )
    along = np.abs(own_size / real_size - 1.0).max()
    return AT_MM * max(float(np.linalg.norm(off[:, :2], axis=1).max()), float(along))


def thermal_true_mm(found: ThermalFound, rgb: Floats, truth: Truth) -> float:
    """Worst of nine places, 0.8 m away, of what was promised."""
    at = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])

    def there(rgb: Floats, stand: Pose, thermal: Floats) -> Floats:
        points = camera_of(rgb, size_px=RGB_PX).unproject(at) * AT_MM
        return seen(stand.apply(points), thermal)

    off = there(rgb, found.thermal_from_rgb, found.values)
    off = off - there(truth.rgb, truth.thermal_from_rgb, truth.thermal)
    return float(np.linalg.norm(off, axis=1).max()) * AT_MM / truth.thermal[0]


def guided(
    rng: np.random.Generator, who: Operator, *, with_collar: bool = True, only_rgb: bool = False
) -> dict[str, Done]:
    """One whole run on one rig."""
    truth, out = truth_of(rng), dict[str, Done]()
    step, took_s = board_run(BoardStep.rgb(OWN, size_px=RGB_PX), truth, who, rng)
    views = [
        replace(one.colour, name=f"{k}")
        for k, one in enumerate(step.taken)
        if not isinstance(one.colour, str)
    ]
    camera = find_camera(views, OWN, size_px=RGB_PX)
    if not isinstance(camera, CameraFound):
        return {"rgb": Done(took_s, len(step.taken), np.inf, np.inf, camera)}
    bound = camera.errors[1].worst_mm
    off = rgb_true_mm(camera.calibrated, truth.rgb, seen_places(views, RGB_PX))
    out["rgb"] = Done(took_s, len(views), bound, off, camera.refusal)
    if only_rgb:
        return out
    known = RgbKnown(camera.calibrated.values, camera.calibrated.covariance)
    start = BoardStep.thermal(TARGET, known, size_px=THERMAL_PX, rgb_size_px=RGB_PX)
    step, took_s = board_run(start, truth, who, rng)
    pairs = [PairView(f"{k}", s.colour, s.thermal) for k, s in enumerate(step.taken)]  # type: ignore[arg-type]
    judged = find_thermal(pairs, TARGET, known=known, size_px=THERMAL_PX, rgb_size_px=RGB_PX)
    if isinstance(judged, ThermalJudged):
        off = thermal_true_mm(judged.found, known.values, truth)
        out["thermal"] = Done(took_s, len(pairs), float(judged.on_skin_mm[1]), off, judged.refusal)
    else:
        out["thermal"] = Done(took_s, len(pairs), np.inf, np.inf, judged)
    rig = _rig(camera.calibrated.values, truth.given)
    assert rig.nozzle is not None
    tags, placed_mm2 = truth.given, np.zeros((3 * len(truth.given.ids),) * 2)
    if with_collar:
        turned, pictures, took_s = collar_run(CollarStep(rig, rig.nozzle), truth, who, rng)
        found = find_collar(pictures, rig, rig.nozzle)
        if isinstance(found, str):
            out["collar"] = Done(took_s, len(pictures), np.inf, np.inf, found)
        else:
            off = _collar_off_mm(found.corners_mm, truth.tags.corners_mm)
            out["collar"] = Done(took_s, len(pictures), float(found.u95_mm.max()), off, found.refusal)
            tags, placed_mm2 = replace(tags, corners_mm=found.corners_mm), found.covariance_mm2
        del turned
    else:
        tags = truth.tags
    rig = replace(_rig(camera.calibrated.values, tags), nozzle_errors=NozzleErrors(tag_mm2=placed_mm2))
    assert rig.nozzle is not None
    tipped, took_s = tip_run(TipStep(rig, rig.nozzle), truth, who, rng)
    middle_mm = tags.corners_mm.reshape(-1, 3).mean(axis=0)
    placed = TagsPlaced(tags.corners_mm, placed_mm2)
    pivot = find_tip(tipped.poses(), marker_tool_mm=middle_mm, placed=placed)
    laid = _laid(tags.corners_mm, truth.tags.corners_mm)
    off = float(np.linalg.norm(pivot.robust.tip_mm - laid.apply(truth.tip_mm)))
    out["tip"] = Done(took_s, len(tipped.taken), float(pivot.robust.tip_u95_mm), off, pivot.refusal)
    return out


def _rig(values: Floats, tags: Tags) -> Rig:
    camera = camera_of(values, size_px=RGB_PX)
    return Rig(datetime(2026, 11, 28, tzinfo=UTC), camera, "srgb", 0.2, None, None, Nozzle(tags, 12.0), None)


def _laid(own_mm: Floats, real_mm: Floats) -> Pose:
    """What takes the real collar onto the one that was found."""
    a, b = real_mm.reshape(-1, 3), own_mm.reshape(-1, 3)
    u, _, vt = np.linalg.svd((a - a.mean(axis=0)).T @ (b - b.mean(axis=0)))
    turn = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt).T
    return Pose.of(turn, b.mean(axis=0) - turn @ a.mean(axis=0))


def _collar_off_mm(own_mm: Floats, real_mm: Floats) -> float:
    """Middles of the tags, the worst, laid onto each other."""
    off = _laid(own_mm, real_mm).apply(real_mm).mean(axis=1) - own_mm.mean(axis=1)
    return float(np.linalg.norm(off, axis=1).max())


def draw(rng: np.random.Generator, who: Operator, folder: Path, *, truth: Truth | None = None) -> None:
    """Pictures of one run, drawn as they were taken, laid out for ``cryoguide calibrate all`` and ``live``.

    Args:
        rng: Source of all chance.
        who: The operator.
        folder: Gets ``rgb``, ``pairs``, ``collar`` and ``tip``.
        truth: The rig; None = one drawn at random.
    """
    truth = truth_of(rng) if truth is None else truth
    colour, warm = camera_of(truth.rgb, size_px=RGB_PX), camera_of(truth.thermal, size_px=THERMAL_PX)
    known = RgbKnown(truth.rgb, np.diag([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    rig = _rig(truth.rgb, truth.given)
    assert rig.nozzle is not None

    def put(where: str, k: int, picture: Bytes | Counts) -> None:
        path = folder / where / f"{k:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture)

    step, _ = board_run(BoardStep.rgb(OWN, size_px=RGB_PX), truth, who, rng)
    flat = FlatPicture(OWN, colour)
    for k, vector in enumerate(step.found.poses):
        put("rgb", k, flat.colour(Pose.of(rotation_from_rvec(vector[:3]), vector[3:]), rng))
    start = BoardStep.thermal(TARGET, known, size_px=THERMAL_PX, rgb_size_px=RGB_PX)
    step, _ = board_run(start, truth, who, rng)
    flat, hot = FlatPicture(TARGET, colour), FlatPicture(TARGET, warm)
    for k, vector in enumerate(step.found.poses):
        pose = Pose.of(rotation_from_rvec(vector[:3]), vector[3:])
        put("pairs/colour", k, flat.colour(pose, rng))
        put("pairs/thermal", k, hot.thermal(truth.thermal_from_rgb @ pose, rng))
    _, pictures, _ = collar_run(CollarStep(rig, rig.nozzle), truth, who, rng)
    for k, bgr in enumerate(pictures):
        put("collar", k, bgr)
    tipped, _ = tip_run(TipStep(_rig(truth.rgb, truth.tags), Nozzle(truth.tags, 12.0)), truth, who, rng)
    for k, one in enumerate(tipped.taken):
        assert isinstance(one.nozzle, NozzleSighting)
        put("tip", k, collar_picture(truth.tags, one.nozzle.rgb_from_nozzle, colour, rng))


def _refused(done: Done) -> str:
    return "" if done.refused is None else f" REFUSED: {done.refused}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.guided", description=__doc__)
    parser.add_argument("--rigs", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="seed of the first rig")
    parser.add_argument("--no-collar", dest="collar", action="store_false", help="without drawn pictures")
    parser.add_argument("--only-rgb", action="store_true", help="the colour camera alone, for many rigs")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="draw the pictures of one run into DIR")
    options = parser.parse_args()
    console = Console(width=130)
    if options.draw is not None:
        draw(np.random.default_rng(options.first), Operator(), options.draw)
        return
    console.print(machine(), highlight=False)
    runs = []
    for k in range(options.rigs):
        run = guided(
            np.random.default_rng(options.first + k),
            Operator(),
            with_collar=options.collar,
            only_rgb=options.only_rgb,
        )
        runs.append(run)
        told = ", ".join(
            f"{n} {d.camera_s:.0f} s {d.taken} {d.true_mm:.2f}/{d.bound_mm:.2f}{_refused(d)}"
            for n, d in run.items()
        )
        console.print(f"rig {options.first + k}: {told}", highlight=False, soft_wrap=True)
    names = ["rgb", "thermal", "collar", "tip"] if options.collar else ["rgb", "thermal", "tip"]
    names = names[:1] if options.only_rgb else names
    headings = ("camera s, median", "worst", "pictures", "bound mm", "true mm", "true <= bound", "refused")
    table = table_of("Guided calibration, simulated operator (medians)", "step", *headings)
    for name in names:
        all_ = [run[name] for run in runs if name in run]
        times, bounds, offs = (
            np.array([getattr(d, f) for d in all_]) for f in ("camera_s", "bound_mm", "true_mm")
        )
        inside = int(np.sum(offs <= bounds))
        table.add_row(
            name, f"{np.median(times):.0f}", f"{times.max():.0f}",
            f"{np.median([d.taken for d in all_]):.0f}",
            f"{np.median(bounds):.2f}", f"{np.median(offs):.2f}",
            f"{inside} of {len(all_)}",
            f"{sum(d.refused is not None for d in all_)}",
        )  # fmt: skip
    console.print(table)
    whole = np.array([sum(d.camera_s for d in run.values()) for run in runs if len(run) == len(names)])
    change = sum(CHANGE_S.get(name, 0.0) for name in names)
    console.print(
        f"Whole run: camera {np.median(whole):.0f} s (median), {whole.max():.0f} s (worst) of {len(whole)};"
        f" with {change:.0f} s to change from thing to thing {np.median(whole) + change:.0f} and"
        f" {whole.max() + change:.0f} s."
    )


if __name__ == "__main__":
    main()
