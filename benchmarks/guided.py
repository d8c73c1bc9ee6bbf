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

from benchmarks.guided_pictures import FlatPicture, collar_picture
from benchmarks.stopwatch import machine, table_of
from calibration.advice import Sight
from calibration.board import OWN, Board, BoardView
from calibration.board_step import BoardStep
from calibration.collar import find_collar
from calibration.collar_step import CollarStep, turning
from calibration.intrinsics import Calibrated
from calibration.rgb import CameraFound, find_camera
from calibration.sheets import TARGET, collar_of
from calibration.skin_error import camera_of
from calibration.thermal import ThermalJudged, find_thermal
from calibration.thermal_pair import PairView, RgbKnown, ThermalFound
from calibration.tip import find_tip
from calibration.tip_step import TipStep
from models.geometry import Bytes, Counts, Floats, Pose, rotation_from_rvec, unit
from models.rig import Nozzle, Rig, Tags
from models.sightings import NozzleSighting
from vision.synthetic_rig import misplaced

TICK_S = 0.1
RGB_PX, THERMAL_PX = (1280, 720), (256, 192)
AT_MM = 800.0
CHANGE_S = {"thermal": 10.0, "collar": 8.0, "tip": 5.0}
"""To put one thing down and take up the next, the target warmed beforehand."""
GIVE_UP_S = 300.0


@dataclass(frozen=True, eq=False)
class Truth:
    """One rig as it is."""

    rgb: Floats
    thermal: Floats
    thermal_from_rgb: Pose
    bloom: float
    noise_px: float
    thermal_noise_px: float
    board_mm: Floats
    """Corners of the printed board, bent."""
    tags: Tags
    """Of the collar as glued."""
    given: Tags
    tip_mm: Floats
    """Where the orifice really is, in the frame of the given collar."""


@dataclass(frozen=True)
class Operator:
    """How somebody follows instructions."""

    reacts_s: float = 1.0
    across_mm: float = 30.0
    """1 sigma of where the board is held, against where it was asked for."""
    far_share: float = 0.07
    lean_deg: float = 7.0
    misreads: float = 0.05
    drift_mm_s: float = 4.0
    turns_deg_s: float = 22.0


@dataclass(frozen=True)
class Done:
    """Of one step."""

    camera_s: float
    taken: int
    bound_mm: float
    """As the finished calibration predicts, 95 %."""
    true_mm: float
    refused: str | None


def truth_of(rng: np.random.Generator) -> Truth:
    """A rig drawn at random."""
    focal, width = rng.uniform(850.0, 1150.0), 256.0
    rgb = np.array(
        [focal, focal * rng.normal(1.0, 0.001), *(rng.normal((639.5, 359.5), 12.0)), 0, 0, 0, 0, 0]
    )
    rgb[4:6] = rng.uniform(-0.2, 0.1), rng.uniform(-0.05, 0.08)
    thermal = np.zeros(9)
    thermal[0] = thermal[1] = width * rng.uniform(1.0, 1.5)
    thermal[2:4] = rng.normal((127.5, 95.5), 2.5)
    thermal[4] = rng.uniform(-0.2, 0.0)
    stand = Pose.of(
        rotation_from_rvec(rng.normal(0.0, 0.03, 3)), rng.normal((40.0, 0.0, 0.0), (8.0, 8.0, 5.0))
    )
    bent = np.array(OWN.corners_mm)
    middle = bent.mean(axis=0)
    bent[:, 2] += rng.uniform(0.0, 0.6) * ((bent[:, 0] - middle[0]) / 96.0) ** 2
    bent *= rng.normal(1.0, 0.001)
    made = collar_of(across_mm=60.0, tip_mm=60.0)
    given = Tags("DICT_APRILTAG_36h11", made.ids, made.corners_nozzle_mm)
    return Truth(
        rgb=rgb,
        thermal=thermal,
        thermal_from_rgb=stand,
        bloom=rng.uniform(-0.02, 0.05),
        noise_px=rng.uniform(0.08, 0.2),
        thermal_noise_px=rng.uniform(0.2, 0.5),
        board_mm=bent,
        tags=misplaced(given, sigma_mm=0.2, seed=int(rng.integers(1 << 30))),
        given=given,
        tip_mm=rng.normal(0.0, 3.0, 3),
    )


def seen(points_mm: Floats, values: Floats) -> Floats:
    """Pixels of points in a camera's frame, shape (n, 2)."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    px, _ = cv2.projectPoints(np.ascontiguousarray(points_mm), np.zeros(3), np.zeros(3), matrix, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def _view(
    px: Floats, size_px: tuple[int, int], noise_px: float, whole: int, least: int, rng: np.random.Generator
) -> BoardView | str:
    """Corners with noise; ``whole`` of them come together or not at all."""
    inside = np.all((px > 4.0) & (px < np.array(size_px) - 5.0), axis=1).reshape(-1, whole).all(axis=1)
    if inside.sum() < least:
        return "shows too little of the board"
    ids = np.flatnonzero(np.repeat(inside, whole))
    return BoardView("x", ids, px[ids] + noise_px * rng.normal(size=(len(ids), 2)))


class Board3d:
    """A board in somebody's hands."""

    def __init__(self, board: Board, who: Operator, rng: np.random.Generator) -> None:
        """Held low, out of the picture."""
        self._who, self._rng = who, rng
        self._middle = board.corners_mm.mean(axis=0)
        self._turn, self._at = np.zeros(3), np.array([0.0, 500.0, 700.0])
        self._from = self._to = (self._turn, self._at)
        self._begins = self._ends = 0.0
        self._asked: object = None
        self._t_s = 0.0

    def hold(self, step: BoardStep, t_s: float) -> Pose:
        """Where the board is now; a new wish is followed late."""
        rng, who = self._rng, self._who
        wanted = step.wanted
        if wanted is not None and (wanted is not self._asked or t_s > self._ends + 2.5):
            turn, shift = wanted.pose[:3], wanted.pose[3:]
            at = rotation_from_rvec(turn) @ self._middle + shift
            if rng.uniform() < who.misreads:
                at = at * (-1.0, 1.0, 1.0)
                turn = -turn
            late = who.reacts_s * rng.uniform(0.7, 1.5) if wanted is not self._asked else 0.3
            self._asked = wanted
            turn = turn + np.radians(who.lean_deg) * rng.normal(size=3)
            at = at * (1.0 + who.far_share * rng.normal()) + who.across_mm * rng.normal(size=3) * (1, 1, 0)
            self._from, self._to = (self._turn, self._at), (turn, at)
            self._begins = t_s + late
            way = float(np.linalg.norm(at - self._at)) / 500.0
            lean = float(np.degrees(np.linalg.norm(turn - self._turn))) / 90.0
            self._ends = self._begins + 0.5 + way + lean
        share = np.clip((t_s - self._begins) / max(self._ends - self._begins, 1e-6), 0.0, 1.0)
        share = 10 * share**3 - 15 * share**4 + 6 * share**5
        self._turn = self._from[0] + share * (self._to[0] - self._from[0])
        self._at = self._from[1] + share * (self._to[1] - self._from[1])
        drift = who.drift_mm_s * TICK_S
        self._to = (self._to[0] + 0.002 * rng.normal(size=3), self._to[1] + drift * rng.normal(size=3) * 0.6)
        rotation = rotation_from_rvec(self._turn)
        return Pose.of(rotation, self._at - rotation @ self._middle)


def board_run(
    step: BoardStep, truth: Truth, who: Operator, rng: np.random.Generator
) -> tuple[BoardStep, float]:
    """Go on until the step is done; gives it and the camera's time."""
    hand, t_s = Board3d(step.board, who, rng), 0.0
    corners = truth.board_mm if step.name == "rgb" else TARGET.corners_mm
    while not step.done and t_s < GIVE_UP_S:
        t_s += TICK_S
        pose = hand.hold(step, t_s)
        here, thermal = pose.apply(corners), None
        if step.name == "rgb":
            colour = _view(seen(here, truth.rgb), RGB_PX, truth.noise_px, 1, 12, rng)
        else:
            colour = _view(seen(here, truth.rgb), RGB_PX, truth.noise_px, 4, 4, rng)
            tags = corners.reshape(-1, 4, 3)
            middles = tags.mean(axis=1, keepdims=True)
            warm = ((tags - middles) * (1.0 + truth.bloom) + middles).reshape(-1, 3)
            there = truth.thermal_from_rgb.apply(pose.apply(warm))
            px = seen(there, truth.thermal)
            thermal = _view(px, THERMAL_PX, truth.thermal_noise_px, 4, 4, rng)
        step, _ = step.look(Sight(t_s, colour, thermal=thermal))
    return step, t_s


def rgb_true_mm(found: Calibrated, truth: Floats) -> float:
    """Worst of across (nine places, whole turns of the camera taken out) and along, 0.8 m away."""
    own, real = camera_of(found.values, size_px=RGB_PX), camera_of(truth, size_px=RGB_PX)
    at = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)])
    a, b = unit(own.unproject(at)), unit(real.unproject(at))
    u, _, vt = np.linalg.svd(a.T @ b)
    turned = a @ (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt)
    off = turned / turned[:, 2:] - b / b[:, 2:]
    along = abs(float(np.mean(found.values[:2] / truth[:2])) - 1.0)
    return AT_MM * max(float(np.linalg.norm(off[:, :2], axis=1).max()), along)


def thermal_true_mm(found: ThermalFound, truth: Truth) -> float:
    """Worst of nine places, 0.8 m away, of what was promised."""
    at = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])

    def there(rgb: Floats, stand: Pose, thermal: Floats) -> Floats:
        points = camera_of(rgb, size_px=RGB_PX).unproject(at) * AT_MM
        return seen(stand.apply(points), thermal)

    off = there(found.rgb_values, found.thermal_from_rgb, found.values)
    off = off - there(truth.rgb, truth.thermal_from_rgb, truth.thermal)
    return float(np.linalg.norm(off, axis=1).max()) * AT_MM / truth.thermal[0]


def _sighting(pose: Pose, middle_mm: Floats, t_s: float) -> NozzleSighting:
    covariance = np.diag([1e-5] * 3 + [0.01] * 3)
    return NozzleSighting(t_s, pose, covariance, pose.apply(middle_mm), 4, "tracked")


def collar_run(
    step: CollarStep, truth: Truth, who: Operator, rng: np.random.Generator
) -> tuple[CollarStep, list[Bytes], float]:
    """Turn the collar as asked; pictures are drawn where one is taken."""
    middle = step.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)
    rotation = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
        np.array([0.0, 0.0, rng.uniform(0.0, 6.0)])
    )
    real = camera_of(truth.rgb, size_px=RGB_PX)
    pictures: list[Bytes] = []
    t_s, ready_s, goal = 0.0, who.reacts_s, None
    while not step.done and t_s < GIVE_UP_S:
        t_s += TICK_S
        shaken = rotation_from_rvec(0.003 * rng.normal(size=3)) @ rotation
        pose = Pose.of(shaken, np.array([0.0, 0.0, 350.0]) + rng.normal(0.0, 0.5, 3) - shaken @ middle)
        sight = Sight(t_s, "no board", nozzle=_sighting(pose, middle, t_s))
        if not step.why_not(sight):
            bgr = collar_picture(truth.tags, pose, real, rng)
            pictures.append(bgr)
            sight = replace(sight, bgr=bgr)
        step, _ = step.look(sight)
        side = step.side_of(_sighting(pose, middle, t_s))
        wish = step.next_side(side)
        if wish is not None and (goal is None or float(wish @ goal) < 0.99):
            goal, ready_s = wish, t_s + 0.4 * who.reacts_s * rng.uniform(0.7, 1.5)
        if goal is not None and t_s > ready_s:
            whole = rotation.T @ rotation @ turning(goal, side)
            vector, _ = cv2.Rodrigues(whole)
            angle = float(np.linalg.norm(vector))
            most = np.radians(who.turns_deg_s) * TICK_S
            rotation = rotation @ rotation_from_rvec(
                np.ravel(vector).astype(float) * min(1.0, most / max(angle, 1e-9))
            )
    return step, pictures, t_s


def tip_run(step: TipStep, truth: Truth, who: Operator, rng: np.random.Generator) -> tuple[TipStep, float]:
    """Lean the nozzle about its resting tip as asked; poses come from noisy corners."""
    given = step.nozzle.tags.corners_mm
    middle = given.reshape(-1, 3).mean(axis=0)
    real = camera_of(truth.rgb, size_px=RGB_PX)
    rotation = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
        np.array([0.3, 0.1, rng.uniform(0.0, 6.0)])
    )
    rest = np.array([0.0, 90.0, 420.0])
    t_s, ready_s, goal = 0.0, who.reacts_s, None
    while not step.done and t_s < GIVE_UP_S:
        t_s += TICK_S
        pose = Pose.of(rotation, rest + 0.1 * rng.normal(size=3) - rotation @ truth.tip_mm)
        pose = Pose.of(rotation_from_rvec(0.002 * rng.normal(size=3)) @ pose.rotation, pose.translation_mm)
        found = _tracked(truth.tags.corners_mm, given, pose, real, step.rig, truth.noise_px, rng)
        heard = "no tag in the picture" if found is None else _sighting(found, middle, t_s)
        step, _ = step.look(Sight(t_s, "no board", nozzle=heard))
        wish = step.next_lean()
        if wish is not None and (goal is None or np.linalg.norm(wish - goal) > 0.2):
            goal, ready_s = wish, t_s + 0.4 * who.reacts_s * rng.uniform(0.7, 1.5)
        if goal is not None and t_s > ready_s:
            vector, _ = cv2.Rodrigues(goal @ rotation.T)
            angle = float(np.linalg.norm(vector))
            most = np.radians(who.turns_deg_s) * TICK_S
            rotation = (
                rotation_from_rvec(np.ravel(vector).astype(float) * min(1.0, most / max(angle, 1e-9)))
                @ rotation
            )
    return step, t_s


def _tracked(
    real_mm: Floats,
    given_mm: Floats,
    pose: Pose,
    camera: object,
    rig: Rig,
    noise_px: float,
    rng: np.random.Generator,
) -> Pose | None:
    """A pose from the corners of tags that face the camera, by the rig as it was calibrated."""
    there = pose.apply(real_mm)
    into = unit(np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0]))
    facing = np.sum(into * unit(there.mean(axis=1)), axis=1) > 0.35
    if facing.sum() < 2:
        return None
    px = camera.project(there[facing].reshape(-1, 3))  # type: ignore[attr-defined]
    px = px + noise_px * rng.normal(size=px.shape)
    turn, _ = cv2.Rodrigues(pose.rotation)
    own = np.ascontiguousarray(given_mm[facing].reshape(-1, 3))
    _, vector, shift = cv2.solvePnP(
        own, px, rig.rgb.matrix, rig.rgb.distortion, np.asarray(turn, float),
        pose.translation_mm.reshape(3, 1).copy(), useExtrinsicGuess=True,
    )  # fmt: skip
    rotation, _ = cv2.Rodrigues(vector)
    return Pose.of(np.asarray(rotation, float), np.ravel(shift).astype(float))


def guided(rng: np.random.Generator, who: Operator, *, with_collar: bool = True) -> dict[str, Done]:
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
    here = camera.errors[1]
    bound = max(here.across_mm, here.along_mm)
    out["rgb"] = Done(took_s, len(views), bound, rgb_true_mm(camera.calibrated, truth.rgb), camera.refusal)
    known = RgbKnown(camera.calibrated.values, camera.calibrated.covariance)
    start = BoardStep.thermal(TARGET, known, size_px=THERMAL_PX, rgb_size_px=RGB_PX)
    step, took_s = board_run(start, truth, who, rng)
    pairs = [PairView(f"{k}", s.colour, s.thermal) for k, s in enumerate(step.taken)]  # type: ignore[arg-type]
    judged = find_thermal(pairs, TARGET, known=known, size_px=THERMAL_PX, rgb_size_px=RGB_PX)
    if isinstance(judged, ThermalJudged):
        off = thermal_true_mm(judged.found, truth)
        out["thermal"] = Done(took_s, len(pairs), float(judged.on_skin_mm[1]), off, judged.refusal)
    else:
        out["thermal"] = Done(took_s, len(pairs), np.inf, np.inf, judged)
    rig = _rig(camera.calibrated.values, truth.given)
    assert rig.nozzle is not None
    tags = truth.given
    if with_collar:
        turned, pictures, took_s = collar_run(CollarStep(rig, rig.nozzle), truth, who, rng)
        found = find_collar(pictures, rig, rig.nozzle)
        if isinstance(found, str):
            out["collar"] = Done(took_s, len(pictures), np.inf, np.inf, found)
        else:
            off = _collar_off_mm(found.corners_mm, truth.tags.corners_mm)
            out["collar"] = Done(took_s, len(pictures), float(found.u95_mm.max()), off, found.refusal)
            tags = replace(tags, corners_mm=found.corners_mm)
        del turned
    else:
        tags = truth.tags
    rig = _rig(camera.calibrated.values, tags)
    assert rig.nozzle is not None
    tipped, took_s = tip_run(TipStep(rig, rig.nozzle), truth, who, rng)
    pivot = find_tip(tipped.poses(), marker_tool_mm=tags.corners_mm.reshape(-1, 3).mean(axis=0))
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


def draw(rng: np.random.Generator, who: Operator, folder: Path) -> None:
    """Pictures of one run, drawn as they were taken, laid out for ``cryoguide calibrate all`` and ``live``.

    Args:
        rng: Source of all chance.
        who: The operator.
        folder: Gets ``rgb``, ``pairs``, ``collar`` and ``tip``.
    """
    truth = truth_of(rng)
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
    for k, vector in enumerate(step.poses):
        put("rgb", k, flat.colour(Pose.of(rotation_from_rvec(vector[:3]), vector[3:]), rng))
    start = BoardStep.thermal(TARGET, known, size_px=THERMAL_PX, rgb_size_px=RGB_PX)
    step, _ = board_run(start, truth, who, rng)
    flat, hot = FlatPicture(TARGET, colour), FlatPicture(TARGET, warm)
    for k, vector in enumerate(step.poses):
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
    parser.add_argument("--draw", type=Path, metavar="DIR", help="draw the pictures of one run into DIR")
    options = parser.parse_args()
    console = Console(width=130)
    if options.draw is not None:
        draw(np.random.default_rng(options.first), Operator(), options.draw)
        return
    console.print(machine(), highlight=False)
    runs = []
    for k in range(options.rigs):
        run = guided(np.random.default_rng(options.first + k), Operator(), with_collar=options.collar)
        runs.append(run)
        told = ", ".join(
            f"{n} {d.camera_s:.0f} s {d.taken} {d.true_mm:.2f}/{d.bound_mm:.2f}{_refused(d)}"
            for n, d in run.items()
        )
        console.print(f"rig {options.first + k}: {told}", highlight=False, soft_wrap=True)
    names = ["rgb", "thermal", "collar", "tip"] if options.collar else ["rgb", "thermal", "tip"]
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
