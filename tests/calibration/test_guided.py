"""Guidance while it runs: what is taken, what is asked for next, when it is good enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.advice import Sight
from calibration.board import OWN, BoardView
from calibration.board_step import PATIENCE_S, BoardStep
from calibration.collar_step import CollarStep, turning
from calibration.foretell import LensForetold
from calibration.holding import held_as, ways_to_hold
from calibration.pair_equations import bloomed
from calibration.seeing import Quality
from calibration.sheets import TARGET, collar_of
from calibration.skin_error import camera_of
from calibration.thermal_pair import RgbKnown
from calibration.tip_step import TipStep
from guidance.cli import main
from models.geometry import Floats, Pose, rotation_from_rvec
from models.nozzle_errors import NozzleErrors
from models.rig import Nozzle, Tags
from models.sightings import NozzleSighting
from tests.vision.tag_scenes import rig_of

SIZE, THERMAL_SIZE = (1280, 720), (256, 192)
TRUE = np.array([1000.0, 1000.0, 652.0, 351.0, -0.12, 0.05, 0.0, 0.0, 0.0])
THERMAL = np.array([300.0, 300.0, 129.0, 94.0, -0.1, 0.0, 0.0, 0.0, 0.0])
STAND = Pose.of(rotation_from_rvec(np.array([0.02, -0.03, 0.01])), np.array([35.0, -4.0, 6.0]))
HELD = 5
"""Looks, 0.1 s apart, for which a board is held."""


def seen(points_mm: Floats, values: Floats) -> Floats:
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    px, _ = cv2.projectPoints(np.ascontiguousarray(points_mm), np.zeros(3), np.zeros(3), matrix, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def view_of(
    pose: Floats, rng: np.random.Generator, *, noise_px: float = 0.12, thermal: bool | None = None
) -> BoardView | str:
    """Corners of the board (None), or of the target by the colour (False) or thermal camera (True)."""
    board = OWN if thermal is None else TARGET
    corners = bloomed(board.corners_mm, 0.03) if thermal else board.corners_mm
    here = corners @ rotation_from_rvec(pose[:3]).T + pose[3:]
    px = seen(STAND.apply(here), THERMAL) if thermal else seen(here, TRUE)
    px = px + (0.25 if thermal else noise_px) * rng.normal(size=px.shape)
    size, whole = (THERMAL_SIZE if thermal else SIZE), (1 if thermal is None else 4)
    inside = np.all((px > 3.0) & (px < np.array(size) - 4.0), axis=1).reshape(-1, whole).all(axis=1)
    ids = np.flatnonzero(np.repeat(inside, whole))
    return BoardView("a", ids, px[ids]) if len(ids) >= 12 else "shows little of the board"


def followed(step: BoardStep, rng: np.random.Generator, *, most: int = 20) -> tuple[BoardStep, list[float]]:
    """Do about what is asked until it is good enough; gives the errors told on the way."""
    t_s, errors = 0.0, []
    for _ in range(most):
        if step.done or step.wanted is None:
            break
        pose = step.wanted.pose + np.append(0.1 * rng.normal(size=3), (25.0, 25.0, 35.0) * rng.normal(size=3))
        for _ in range(HELD):
            t_s += 0.1
            if step.name == "rgb":
                sight = Sight(t_s, view_of(pose, rng))
            else:
                colour, warm = (view_of(pose, rng, thermal=which) for which in (False, True))
                sight = Sight(t_s, colour, thermal=warm)
            step, advice = step.look(sight)
            if advice.taken:
                errors += [advice.error_mm] if advice.error_mm is not None else []
                break
    return step, errors


@pytest.fixture(scope="module")
def rgb() -> tuple[BoardStep, list[float]]:
    return followed(BoardStep.rgb(OWN, size_px=SIZE), np.random.default_rng(0))


def test_whoever_follows_is_done_with_few_pictures_and_a_good_camera(
    rgb: tuple[BoardStep, list[float]],
) -> None:
    step, errors = rgb
    assert step.done
    assert len(step.taken) <= 14
    assert errors[-1] <= step.asked_mm
    assert isinstance(step.foretold, LensForetold)
    off_mm = abs(step.foretold.values[0] / TRUE[0] - 1.0) * 800.0
    assert off_mm < errors[-1]


def test_it_stops_asking_when_it_is_good_enough(rgb: tuple[BoardStep, list[float]]) -> None:
    step, _ = rgb
    assert step.wanted is None
    after, advice = step.look(replace(step.taken[0], t_s=1000.0))
    assert not advice.taken
    assert advice.done
    assert "Good enough" in advice.say
    assert len(after.taken) == len(step.taken)


def test_what_was_covered_is_counted_and_the_rest_is_named(rgb: tuple[BoardStep, list[float]]) -> None:
    step, _ = rgb
    coverage = step.coverage()
    assert coverage.cells.max() <= len(step.taken)
    assert sum(coverage.leans) == len(step.taken) == sum(coverage.distances)
    fresh = BoardStep.rgb(OWN, size_px=SIZE).coverage().missing()
    assert "100 % of the picture" in fresh
    assert "a board near" in fresh


def held(step: BoardStep, pose: Floats, t_s: float, *, count: int = HELD, **more: object) -> tuple:
    rng, advice = np.random.default_rng(1), None
    for k in range(count):
        sight = Sight(t_s + 0.1 * k, view_of(pose, rng, noise_px=0.02), **more)  # type: ignore[arg-type]
        step, advice = step.look(sight)
        if advice.taken:
            break
    return step, advice


@pytest.fixture
def first() -> tuple[BoardStep, Floats]:
    step = BoardStep.rgb(OWN, size_px=SIZE)
    assert step.wanted is not None
    return step, step.wanted.pose


def test_a_board_that_moves_is_not_taken(first: tuple[BoardStep, Floats]) -> None:
    step, pose = first
    rng = np.random.default_rng(0)
    for k in range(10):
        step, advice = step.look(Sight(0.1 * k, view_of(pose + np.append(np.zeros(3), (5.0 * k, 0, 0)), rng)))
        assert not advice.taken
        assert advice.why == "Hold still."


def test_a_board_held_still_is_taken_once_and_not_again_from_the_same_place(
    first: tuple[BoardStep, Floats],
) -> None:
    step, pose = first
    step, advice = held(step, pose, 0.0)
    assert advice.taken
    step, advice = held(step, pose, 2.0, count=12)
    assert len(step.taken) == 1
    assert "This was taken" in advice.why


def test_a_blurred_picture_is_not_taken_and_says_what_to_do(first: tuple[BoardStep, Floats]) -> None:
    step, pose = first
    soft = Quality(blur_px=4.0, smear=1.0, contrast=150.0, clipped=0.0)
    step, advice = held(step, pose, 0.0, count=8, colour_quality=soft)
    assert not advice.taken
    assert "Out of focus" in advice.why
    assert advice.warnings


def test_what_does_not_come_is_not_asked_for_for_ever(first: tuple[BoardStep, Floats]) -> None:
    step, pose = first
    step, _ = held(step, pose, 0.0)
    asked = step.wanted
    for t_s in (1.0, 2.0, 1.0 + PATIENCE_S + 0.1):
        step, _ = step.look(Sight(t_s, "shows 0 corners of the board"))
    assert step.wanted is not asked
    assert asked in step.avoided


def test_what_is_asked_for_is_what_lowers_the_foretold_error_most(first: tuple[BoardStep, Floats]) -> None:
    step, pose = first
    step, _ = held(step, pose, 0.0)
    assert step.wanted is not None
    assert step.best_mm is not None
    best = step.foretold.gain(step.wanted.pose)
    assert best is not None
    assert step.foretold.error_mm(best) == pytest.approx(step.best_mm)
    again = step.foretold.gain(step.found.poses[0])
    assert again is not None
    assert step.best_mm < step.foretold.error_mm(again) < step.foretold.error_mm()


def test_words_say_how_a_board_is_held_and_turn_round_for_who_faces_the_camera() -> None:
    camera = camera_of(TRUE, size_px=SIZE)
    for way in ways_to_hold(OWN, camera):
        assert held_as(way.pose, OWN, camera).words() == way.words()
    left = next(w for w in ways_to_hold(OWN, camera) if w.at == (0.18, 0.18) and w.lean == 3)
    assert left.words(mirrored=False).startswith("Up and left")
    assert "left side towards" in left.words(mirrored=False)
    assert left.words().startswith("Up and right")
    assert "right side towards" in left.words()


def test_the_thermal_camera_is_done_with_few_pairs() -> None:
    known = RgbKnown(TRUE, np.diag(np.array([1.0, 1.0, 0.7, 0.7, 0, 0, 0, 0, 0]) ** 2))
    start = BoardStep.thermal(TARGET, known, size_px=THERMAL_SIZE, rgb_size_px=SIZE)
    step, errors = followed(start, np.random.default_rng(2))
    assert step.done
    assert len(step.taken) <= 12
    assert errors[-1] <= step.asked_mm


def test_a_target_that_only_the_colour_camera_sees_is_not_taken() -> None:
    known = RgbKnown(TRUE, np.diag(np.array([1.0, 1.0, 0.7, 0.7, 0, 0, 0, 0, 0]) ** 2))
    step = BoardStep.thermal(TARGET, known, size_px=THERMAL_SIZE, rgb_size_px=SIZE)
    rng = np.random.default_rng(0)
    assert step.wanted is not None
    pose, advice = step.wanted.pose, None
    for k in range(8):
        colour = view_of(pose, rng, thermal=False)
        step, advice = step.look(Sight(0.1 * k, colour, thermal="shows 0 tags of the board"))
        assert not advice.taken
    assert advice is not None
    assert "thermal picture shows 0 tags" in advice.why


def nozzle() -> Nozzle:
    made = collar_of(across_mm=60.0, tip_mm=60.0)
    return Nozzle(Tags("DICT_APRILTAG_36h11", made.ids, made.corners_nozzle_mm), 12.0)


def sighting(rotation: Floats, tip_mm: Floats, t_s: float) -> NozzleSighting:
    pose = Pose.of(rotation, tip_mm)
    middle = pose.apply(nozzle().tags.corners_mm.reshape(-1, 3).mean(axis=0))
    return NozzleSighting(t_s, pose, np.diag([1e-5] * 3 + [0.01] * 3), middle, 4, "tracked")


UPRIGHT = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0]))


def test_each_side_of_the_collar_is_taken_once_and_the_next_one_is_asked_for() -> None:
    own = nozzle()
    step = CollarStep(rig_of(own.tags), own)
    middle, rotation = own.tags.corners_mm.reshape(-1, 3).mean(axis=0), UPRIGHT
    for k in range(1200):
        here = sighting(rotation, np.array([0.0, 0.0, 350.0]) - rotation @ middle, 0.1 * k)
        step, _ = step.look(Sight(0.1 * k, "not looked for", nozzle=here))
        goal = step.next_side(step.side_of(here))
        if not any(word in step.advise(step.last, "").missing[0] for word in ("sides",)):  # type: ignore[arg-type]
            break
        assert goal is not None
        whole = turning(goal, step.side_of(here))
        vector, _ = cv2.Rodrigues(whole)
        angle = float(np.linalg.norm(vector))
        rotation = rotation @ rotation_from_rvec(
            np.ravel(vector).astype(float) * min(1.0, 0.035 / max(angle, 1e-9))
        )
    assert 24 <= len(step.taken) <= 48
    sides = np.array(step.sides)
    apart = np.degrees(np.arccos(np.clip(sides @ sides.T, -1.0, 1.0))) + 90.0 * np.eye(len(sides))
    assert apart.min() > 13.0
    assert not step.done  # no picture was looked at: nothing is known of the tags


def test_a_collar_that_is_turned_fast_is_not_taken() -> None:
    own = nozzle()
    step, advice = CollarStep(rig_of(own.tags), own), None
    for k in range(6):
        turned = UPRIGHT @ rotation_from_rvec(np.array([0.0, 0.0, 0.4 * k]))
        step, advice = step.look(
            Sight(0.1 * k, "-", nozzle=sighting(turned, np.array([0.0, 100.0, 350.0]), 0.1 * k))
        )
    assert not step.taken
    assert advice is not None
    assert advice.warnings == ("Too fast: turn it slowly.",)


def test_a_pivot_that_is_followed_is_done_within_its_bound() -> None:
    own, rng = nozzle(), np.random.default_rng(0)
    known = NozzleErrors(tag_mm2=1e-4 * np.eye(3 * len(own.tags.ids)))  # as the step before leaves it
    step, rotation = TipStep(replace(rig_of(own.tags), nozzle_errors=known), own), UPRIGHT
    true_mm, rest = np.array([1.0, -2.0, 3.0]), np.array([0.0, 90.0, 420.0])
    looks = 0
    for k in range(600):
        looks = k
        noisy = rotation_from_rvec(0.003 * rng.normal(size=3)) @ rotation
        at = rest - rotation @ true_mm + 0.15 * rng.normal(size=3)
        step, advice = step.look(Sight(0.1 * k, "-", nozzle=sighting(noisy, at, 0.1 * k)))
        if advice.done:
            break
        goal = step.next_lean()
        if goal is not None:
            vector, _ = cv2.Rodrigues(goal @ rotation.T)
            angle = float(np.linalg.norm(vector))
            rotation = (
                rotation_from_rvec(np.ravel(vector).astype(float) * min(1.0, 0.05 / max(angle, 1e-9)))
                @ rotation
            )
    assert step.done
    assert looks < 400
    assert step.error_mm is not None
    assert step.error_mm <= step.asked_mm


@pytest.mark.parametrize(("name", "told"), [("nowhere", "is not there"), ("empty", "holds no pictures")])
def test_a_folder_without_pictures_is_told_with_what_it_should_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["calibrate", "all", str(tmp_path / name), "--out", str(tmp_path / "rig.toml")]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "pairs/thermal/" in said
