from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.thermal_place_coverage import KINDS, calibrated
from calibration.board import BoardView, board_of, find_tags
from calibration.certified_parts import bloom_words
from calibration.pair_equations import PairEquations, PairView, Unknowns, bloomed
from calibration.pairs import read_pairs
from calibration.thermal import ThermalJudged, find_thermal, within_pair_px
from calibration.thermal_pair import RgbKnown, board_pose, calibrate_thermal, transfer_px
from guidance.cli import main
from models.geometry import Bytes, Floats, Pose, rotation_from_rvec
from models.problems import InputError

BOARD = board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16")
RGB = np.array([1000.0, 1000.0, 640.0, 360.0, -0.1, 0.03, 0.0, 0.0, 0.0])
THERMAL = np.array([380.0, 380.0, 127.5, 95.5, 0.0, 0.0, 0.0, 0.0, 0.0])
STAND = Pose.of(rotation_from_rvec(np.array([0.02, -0.03, 0.01])), np.array([35.0, -4.0, 6.0]))
SIZE, RGB_SIZE = (256, 192), (1280, 720)
COVARIANCE = np.diag(np.array([1.0, 1.0, 0.7, 0.7, 0, 0, 0, 0, 0]) ** 2)


def seen(points: Floats, values: Floats) -> Floats:
    matrix = np.array([[values[0], 0, values[2]], [0, values[1], values[3]], [0, 0, 1.0]])
    px, _ = cv2.projectPoints(np.ascontiguousarray(points), np.zeros(3), np.zeros(3), matrix, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def pairs_of(
    rng: np.random.Generator,
    *,
    count: int = 10,
    loose_mm: float = 0.0,
    bloom: float = 0.03,
    rgb: Floats = RGB,
) -> list[PairView]:
    """Targets before two cameras; ``loose_mm`` lets the cameras move against each other from pair to pair."""
    pairs: list[PairView] = []
    middle = BOARD.corners_mm.mean(axis=0)
    ids = np.arange(len(BOARD.corners_mm))
    while len(pairs) < count:
        way = rng.uniform(0.0, 2.0 * np.pi)
        lean = np.radians(40.0) * np.sqrt(rng.uniform())
        turn = rotation_from_rvec(lean * np.array([np.cos(way), np.sin(way), 0.0]))
        at = np.array([rng.uniform(-60, 60), rng.uniform(-40, 40), rng.uniform(500, 900)])
        here = (BOARD.corners_mm - middle) @ turn.T + at
        warm = (bloomed(BOARD.corners_mm, bloom) - middle) @ turn.T + at
        loose = Pose.of(STAND.rotation, STAND.translation_mm + loose_mm * rng.normal(size=3))
        colour, thermal = seen(here, rgb), seen(loose.apply(warm), THERMAL)
        if np.all((thermal > 2) & (thermal < np.array(SIZE) - 2)):
            noisy = BoardView("x", ids, colour + 0.1 * rng.normal(size=colour.shape))
            soft = BoardView("x", ids, thermal + 0.25 * rng.normal(size=thermal.shape))
            pairs.append(PairView(f"{len(pairs)}", noisy, soft))
    return pairs


def test_the_thermal_cameras_place_is_found_within_its_bounds() -> None:
    found = calibrate_thermal(
        pairs_of(np.random.default_rng(0)),
        BOARD.corners_mm,
        known=RgbKnown(RGB, COVARIANCE),
        size_px=SIZE,
    )
    sigma = np.sqrt(np.diag(found.covariance))
    off = np.abs(found.thermal_from_rgb.translation_mm - STAND.translation_mm)
    assert np.all(off < 3.0 * sigma[18:21])
    assert found.values[0] == pytest.approx(380.0, abs=3.0 * sigma[9])
    assert found.bloom == pytest.approx(0.03, abs=0.01)


@pytest.mark.parametrize("kind", ["12 pairs, 0.25 px", "pairs moved by 0.3 px"])
def test_the_predicted_error_on_the_skin_holds_the_true_one_and_is_not_idle(kind: str) -> None:
    """16 whole calibrations, the colour camera wrong as its covariance says: at most 3 misses (more: 1 %).

    Of a plane's normal error the median is 0.48 of what holds 95 of 100. Over 200 drawn rigs of ten kinds:
    `python -m benchmarks.thermal_place_coverage`.
    """
    held = [calibrated(KINDS[kind], np.random.default_rng([7, k])) for k in range(16)]
    share = np.array([one.of_nine_mm[1] / one.bound_mm[1] for one in held])
    assert np.sum(share > 1.0) <= 3
    assert 0.25 < np.median(share) < 0.75


def test_one_step_of_the_equations_takes_a_small_error_out_again() -> None:
    """Corners without noise: all slopes must be right for the step to be the error's opposite."""
    pairs = pairs_of(np.random.default_rng(6), count=4)
    lens = np.array([380.0, 384.0, 126.0, 97.0, -0.1, 0.05, 0.0, 0.0, 0.0])
    root = np.diag([1.0, 1.5, 0.7, 0.7, 0.01, 0.02, 0.0, 0.0, 0.0])
    equations = PairEquations(pairs, BOARD.corners_mm, RGB, root, lens, np.arange(6))
    poses = np.array([board_pose(pair.rgb, BOARD.corners_mm, RGB) for pair in pairs])
    swollen = [0.02, -0.3, 0.1]
    shared = np.concatenate([np.zeros(9), lens[:6], [0.02, -0.03, 0.01, 35.0, -4.0, 6.0], swollen])
    alike_px = 0.05 * np.random.default_rng(8).normal(size=(len(BOARD.corners_mm), 2))
    true = Unknowns(shared, np.hstack([poses, np.full((4, 2), 0.1)]), alike_px)
    off = equations.system(true, (1.0, 1.0))
    clean = [
        PairView(
            pair.name,
            replace(pair.rgb, corners_px=pair.rgb.corners_px - a),
            replace(pair.thermal, corners_px=pair.thermal.corners_px - b),
        )
        for pair, a, b in zip(pairs, off.rgb_off_px, off.thermal_off_px, strict=True)
    ]
    moved = replace(equations, pairs=clean)
    moved.__dict__.update(ways=equations.ways, along=equations.along)  # noise does not turn the tags
    equations = moved
    error = 1e-5 * np.maximum(np.abs(shared), 1.0) * np.random.default_rng(0).normal(size=len(shared))
    error[6:9] = 0.0  # the covariance has nothing of them
    own_error = 1e-5 * np.random.default_rng(1).normal(size=true.own.shape)
    system = equations.system(Unknowns(shared + error, true.own + own_error, alike_px), (1.0, 1.0))
    for k in range(4):
        wrong = np.concatenate([error, own_error[k, 6:]])
        assert system.pulled[k] == pytest.approx(
            -system.normal[k] @ wrong, rel=1e-2, abs=1e-4 * np.abs(system.pulled[k]).max()
        )
        steps = system.pose_steps[k] + system.pose_by_all[k] @ wrong
        assert steps == pytest.approx(-own_error[k, :6], rel=1e-2, abs=5e-7)


def judged(pairs: list[PairView]) -> ThermalJudged:
    found = find_thermal(pairs, BOARD, known=RgbKnown(RGB, COVARIANCE), size_px=SIZE, rgb_size_px=RGB_SIZE)
    assert isinstance(found, ThermalJudged)
    return found


def test_pairs_of_one_rig_are_accepted_and_those_of_a_loose_one_refused() -> None:
    tight = judged(pairs_of(np.random.default_rng(2), count=5))
    assert tight.refusal is None
    assert max(tight.held_out_px) < 1.0
    loose = judged(pairs_of(np.random.default_rng(2), count=5, loose_mm=8.0))
    assert loose.refusal is not None
    assert "do not fit one rig" in loose.refusal


def test_few_pairs_are_refused() -> None:
    told = find_thermal(
        pairs_of(np.random.default_rng(3), count=3),
        BOARD,
        known=RgbKnown(RGB, COVARIANCE),
        size_px=SIZE,
        rgb_size_px=RGB_SIZE,
    )
    assert isinstance(told, str)
    assert "at least 5" in told


def target(*, inverted: bool) -> Bytes:
    picture = np.full((560, 460), 255, np.uint8)
    for k in range(12):
        tag = cv2.aruco.generateImageMarker(
            cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_ARUCO_ORIGINAL), 1 + k, 80
        )
        x, y = 40 + 112 * (k % 3), 40 + 112 * (k // 3)
        picture[y : y + 80, x : x + 80] = tag
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8)
    return np.asarray(255 - picture, np.uint8) if inverted else picture


@pytest.mark.parametrize("inverted", [False, True])
def test_the_target_is_found_in_either_polarity_at_the_same_corners(inverted: bool) -> None:
    view = find_tags(target(inverted=inverted), BOARD, name="a")
    assert isinstance(view, BoardView)
    scale = 80.0 / 40.0
    assert view.corners_px == pytest.approx(BOARD.corners_mm[view.ids][:, :2] * scale + 39.5, abs=0.6)
    assert len(view.ids) == 48


def test_pictures_pair_by_what_the_star_stands_for(tmp_path: Path) -> None:
    for name in ("1_0", "1_1", "2_0", "2_1", "3_0"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((20, 30), np.uint8))
    pairs, left_out = read_pairs(f"{tmp_path}/*_1.png", f"{tmp_path}/*_0.png")
    assert [pair.name for pair in pairs] == ["1", "2"]
    assert left_out == ["3 has no partner from the colour camera"]
    with pytest.raises(InputError, match="No picture is named"):
        read_pairs(f"{tmp_path}/*_7.png", f"{tmp_path}/*_0.png")


def test_of_the_real_pairs_the_second_is_refused_by_name_and_the_others_agree(shared_data: Path) -> None:
    """Tags held out within a pair: measured 0.31 to 0.53 px; all 12 tags are found in each."""
    folder = shared_data / "real" / "rgb_thermal_board"
    pairs, _ = read_pairs(f"{folder}/*_1.png", f"{folder}/*_0.png")
    within = {}
    for pair in pairs:
        rgb = find_tags(pair.rgb, BOARD, name=pair.name)
        thermal = find_tags(pair.thermal, BOARD, name=pair.name, refinement=cv2.aruco.CORNER_REFINE_CONTOUR)
        assert isinstance(thermal, BoardView)
        if isinstance(rgb, str):
            assert pair.name == "2"
            assert "weak: blurred or overexposed" in rgb
        else:
            within[pair.name] = within_pair_px(PairView(pair.name, rgb, thermal))
    assert sorted(within) == ["1", "3", "4", "5", "6"]
    assert max(within.values()) < 1.0


def test_corners_come_over_within_their_noise() -> None:
    pairs = pairs_of(np.random.default_rng(5), count=6)
    found = calibrate_thermal(pairs, BOARD.corners_mm, known=RgbKnown(RGB, COVARIANCE), size_px=SIZE)
    off = transfer_px(pairs[0], BOARD.corners_mm, found)
    assert np.sqrt(np.mean(off**2)) < 0.7


def test_a_target_that_is_no_board_of_tags_is_refused_and_the_printed_one_needs_no_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["calibrate", "thermal", str(tmp_path), str(tmp_path)]
    assert main([*folders, "--board", "chessboard:9x6:25"]) == 2
    assert "is a board of tags" in capsys.readouterr().err
    assert main(folders) == 2
    assert "holds no pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bloom", "words"),
    [
        (0.0302, "Tags look 3.0 % larger to the thermal camera than they are."),
        (-0.03, "Tags look 3.0 % smaller to the thermal camera than they are."),
        (-0.0002, "Tags look as large to the thermal camera as they are."),
    ],
)
def test_how_large_tags_look_is_said_in_english_for_either_sign(bloom: float, words: str) -> None:
    assert bloom_words(bloom) == words
