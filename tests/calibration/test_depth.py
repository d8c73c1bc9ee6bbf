from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.depth_coverage import (
    DEPTH_PX,
    GROUNDS,
    LENS,
    OWN,
    RGB,
    RGB_PX,
    Drawn,
    Noise,
    Taken,
    drawn,
    errors_mm,
    judged,
    seen,
)
from calibration.board import BoardView
from calibration.certificate import certificate_path
from calibration.depth import DepthJudged
from calibration.skin_error import DISTANCES_MM, camera_of
from guidance.cli import main
from models.capture import DepthPicture
from models.depth_place import STEPS, along_u95_mm, changed, placed_mm, placed_slopes, seen_at
from models.geometry import Counts, Floats, Pose, rotation_from_rvec
from models.rig import DEPTH_PARAMETERS, DepthCamera, Rig
from models.rig_file import read_rig, write_rig
from models.rig_widened import widened
from models.surface import empty_surface
from models.validity import Found, Validity
from tests.calibration.filmed import filmed, held
from vision.depth import depth_points
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

Pairs = list[tuple[BoardView, Counts]]
AT_800 = DISTANCES_MM.index(800.0)
NOISE = Noise()
STATED = DepthCamera(camera_of(LENS, size_px=DEPTH_PX), Pose.identity())


def made(seed: int, *, taken: Taken | None = None, noise: Noise = NOISE) -> tuple[Drawn, Pairs]:
    rng = np.random.default_rng([seed, 77])
    rig = drawn(rng)
    return rig, seen(rng, rig, noise=noise, taken=taken or Taken(10))


@pytest.fixture(scope="module")
def usual() -> tuple[Drawn, Pairs]:
    return made(1)


@pytest.fixture(scope="module")
def found(usual: tuple[Drawn, Pairs]) -> DepthJudged:
    one = judged(*usual)
    assert isinstance(one, DepthJudged)
    assert one.refusal is None
    return one


def refused(rig: Drawn, pairs: Pairs) -> str:
    one = judged(rig, pairs)
    words = one if isinstance(one, str) else one.refusal
    assert words is not None
    return words


@pytest.mark.parametrize("seed", [1, 2])
def test_where_the_depth_camera_shows_skin_lies_inside_the_promised_bound(seed: int) -> None:
    """How often it does over many drawn rigs is told by `python -m benchmarks.depth_coverage`."""
    rig, pairs = made(seed)
    one = judged(rig, pairs)
    assert isinstance(one, DepthJudged)
    assert one.refusal is None
    for distance_mm, along, across in zip(DISTANCES_MM, one.along_mm, one.across_mm, strict=True):
        errors = errors_mm(rig, one.camera, distance_mm)
        assert errors[0] <= along < 12.0
        assert errors[1] <= across < 12.0


def test_without_noise_place_scale_and_offset_come_out_as_they_are() -> None:
    """To 0.7 mm: readings are whole millimetres, corners have 0.1 px of noise, and so little is left."""
    quiet = Noise(pattern_mm=0.0, own_mm=0.0, holes=0.0)
    rng = np.random.default_rng(5)
    rig = drawn(rng)
    true = replace(rig.camera, camera=rig.told.camera)
    rig = Drawn(true, RGB, 0.0, rig.told)
    exact = replace(GROUNDS, depth_lens=np.zeros((9, 9)), rgb_lens=np.zeros((9, 9)), size_u95=1e-6)
    one = judged(rig, seen(rng, rig, noise=quiet, taken=Taken(12)), grounds=exact)
    assert isinstance(one, DepthJudged)
    assert max(errors_mm(rig, one.camera, 800.0)) < 0.7
    assert one.camera.scale == pytest.approx(true.scale, abs=2e-3)


def test_a_depth_camera_whose_place_nobody_told_is_found_140_mm_beside() -> None:
    rng = np.random.default_rng(900)
    rig = drawn(rng)
    turn = rotation_from_rvec(np.radians((3.0, -3.0, 2.0)))
    stand = Pose.of(turn, np.array([130.0, -40.0, 10.0]))
    rig = replace(rig, camera=replace(rig.camera, depth_from_rgb=stand))
    one = judged(rig, seen(rng, rig, noise=NOISE, taken=Taken(12)))
    assert isinstance(one, DepthJudged)
    assert one.found.left_out == ()
    along, across = errors_mm(rig, one.camera, 800.0)
    assert along <= one.along_mm[1]
    assert across <= one.across_mm[1]


def test_a_surface_is_as_far_off_as_the_camera_that_showed_it_however_many_points_it_has() -> None:
    plane = np.stack([*np.meshgrid(np.arange(-60.0, 60.0, 2.0), np.arange(-60.0, 60.0, 2.0))], axis=-1)
    points = np.concatenate([plane.reshape(-1, 2), np.full((plane.size // 2, 1), 800.0)], axis=1)
    bounds = []
    for shared_mm in (0.0, 4.0):
        surface = empty_surface(
            centre_rgb_mm=np.array([0.0, 0.0, 800.0]),
            normal_rgb=np.array([0.0, 0.0, -1.0]),
            v_rgb=np.array([0.0, 1.0, 0.0]),
            nominal_mm=120.0,
            half_u_mm=50.0,
            half_v_mm=50.0,
            noise_u95_mm=6.0,
            shared_u95_mm=shared_mm,
        )
        bounds.append(float(surface.add(points).skin().at(np.zeros(1), np.zeros(1))[1][0]))
    assert bounds[1] >= 4.0 > bounds[0]


def test_what_the_print_leaves_open_is_in_the_bound(usual: tuple[Drawn, Pairs], found: DepthJudged) -> None:
    loose = judged(*usual, grounds=replace(GROUNDS, size_u95=0.005))
    assert isinstance(loose, DepthJudged)
    assert loose.along_mm[1] > found.along_mm[1]
    assert loose.along_mm[1] >= 0.9 * 0.005 * 800.0


def test_more_pairs_never_leave_the_place_less_well_known_though_nobody_states_how_true_the_lens_is() -> None:
    """With a lens left as stated, what is known better of all else fits it worse: the bound rose."""
    rig, pairs = made(9, taken=Taken(15, near_mm=450.0, far_mm=900.0))
    lens = np.zeros((9, 9))
    lens[:2, :2], lens[[2, 3], [2, 3]] = (0.003 * LENS[0]) ** 2, (3.0 / 1280.0 * DEPTH_PX[0]) ** 2
    bounds: list[float] = []
    for count in (10, 15):
        one = judged(rig, pairs[:count], grounds=replace(GROUNDS, depth_lens=lens))
        assert isinstance(one, DepthJudged)
        bounds.append(one.across_mm[AT_800])
        along, across = errors_mm(rig, one.camera, 800.0)
        assert along <= one.along_mm[AT_800]
        assert across <= one.across_mm[AT_800]
    assert bounds[1] < bounds[0] < 6.0


def test_a_middle_of_the_lens_that_is_stated_wrong_is_found_by_boards_near_and_far() -> None:
    rig, pairs = made(6, taken=Taken(15, near_mm=450.0, far_mm=1100.0))
    stated = replace(rig.told, camera=replace(rig.camera.camera, cx_px=rig.camera.camera.cx_px + 3.0))
    lens = np.diag(np.array([1.3, 1.3, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]) ** 2)
    one = judged(replace(rig, told=stated), pairs, grounds=replace(GROUNDS, depth_lens=lens))
    assert isinstance(one, DepthJudged)
    assert abs(one.camera.camera.cx_px - rig.camera.camera.cx_px) < 1.5
    assert errors_mm(rig, one.camera, 800.0)[1] <= one.across_mm[AT_800]


def test_boards_that_are_all_parallel_are_refused_with_what_to_do() -> None:
    words = refused(*made(2, taken=Taken(10, lean_deg=4.0)))
    assert "parallel" in words
    assert "lean the board" in words


def test_boards_that_lean_one_way_only_are_refused() -> None:
    words = refused(*made(3, taken=Taken(10, lean_ways=0.01)))
    assert "lean one way only" in words


def test_boards_at_one_distance_tell_the_sum_of_scale_and_offset_alone() -> None:
    words = refused(*made(4, taken=Taken(14, near_mm=780.0, far_mm=820.0, lean_deg=40.0)))
    assert "not told apart, only their sum 0.8" in words
    assert "nearer and farther" in words


@pytest.mark.parametrize("unit", [10.0, 0.1])
def test_readings_in_another_unit_are_refused_as_no_millimetres(
    usual: tuple[Drawn, Pairs], unit: float
) -> None:
    rig, pairs = usual
    words = refused(rig, [(view, (read * unit).astype(np.uint16)) for view, read in pairs])
    assert "not millimetres" in words
    assert "times as far away as is read" in words


def test_disparities_are_refused(usual: tuple[Drawn, Pairs]) -> None:
    """Counts that fall with the distance, of about the same size as millimetres."""
    rig, pairs = usual
    turned = [
        (view, np.where(read > 0, np.clip(640000.0 / np.maximum(read, 1), 0, 65535), 0).astype(np.uint16))
        for view, read in pairs
    ]
    assert refused(rig, turned)


def test_pairs_with_hardly_a_reading_are_refused_or_left_out_by_name(usual: tuple[Drawn, Pairs]) -> None:
    rig, pairs = usual
    nothing = [(view, np.zeros_like(read)) for view, read in pairs]
    assert "reads nothing where the board is" in refused(rig, nothing)
    one = judged(rig, [*pairs[:-1], nothing[-1]])
    assert isinstance(one, DepthJudged)
    assert len(one.found.left_out) == 1
    assert one.found.left_out[0].startswith(f"{pairs[-1][0].name}: 0 % of the board")


def test_a_pair_whose_board_moved_between_the_pictures_is_left_out_by_name(
    usual: tuple[Drawn, Pairs], found: DepthJudged
) -> None:
    rig, pairs = usual
    assert found.found.left_out == ()
    view, read = pairs[3]
    one = judged(rig, [*pairs[:3], (view, np.where(read > 0, read + 25, 0).astype(np.uint16)), *pairs[4:]])
    assert isinstance(one, DepthJudged)
    assert [words.split(":")[0] for words in one.found.left_out] == [view.name]


def test_too_few_pairs_are_refused(usual: tuple[Drawn, Pairs]) -> None:
    rig, pairs = usual
    assert "5 pairs show the board to both cameras (at least 6" in refused(rig, pairs[:5])


def test_slopes_of_a_place_are_those_of_moved_parameters() -> None:
    """Against differences of twenty times the step, to first order."""
    camera = replace(STATED, depth_from_rgb=Pose.of(np.eye(3), np.array([20.0, 3.0, 1.0])), scale=1.01)
    points = np.array([[50.0, -80.0, 700.0], [-100.0, 60.0, 900.0]])
    px, readings = seen_at(camera, points)
    assert placed_mm(camera, px, readings) == pytest.approx(points, abs=1e-6)
    slopes = placed_slopes(camera, points)
    for k in range(len(DEPTH_PARAMETERS)):
        change = np.zeros(len(STEPS))
        change[k] = 20.0 * STEPS[k]
        moved = placed_mm(changed(camera, change), px, readings) - points
        assert moved == pytest.approx(
            slopes[:, :, k] * change[k], abs=0.02 * float(np.abs(moved).max()) + 1e-7
        )


def test_readings_are_made_true_before_skin_is_found() -> None:
    plain = real_rig(Scene())
    assert plain.depth is not None
    rig = replace(plain, depth=replace(plain.depth, scale=1.02, offset_mm=-5.0))
    shape = (rig.depth.camera.height_px, rig.depth.camera.width_px)  # type: ignore[union-attr]
    readings = np.full(shape, 800, np.uint16)
    readings[:5] = 0
    points = depth_points(DepthPicture(0.0, readings), rig=rig, nozzle=None)
    there = plain.depth.depth_from_rgb.apply(points.points_rgb_mm)
    assert np.nanmin(there[..., 2]) == pytest.approx(1.02 * 800.0 - 5.0)
    assert not np.isfinite(points.points_rgb_mm[:5]).any()


def test_a_bound_grows_when_the_calibration_ages_and_with_another_colour_lens(found: DepthJudged) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    plain = real_rig(Scene())
    at, way = np.array([0.0, 0.0, 800.0]), np.array([0.0, 0.0, 1.0])

    def bound(days: float, rgb: str) -> float:
        noted = Found("depth", now - timedelta(days=days), "b", (("rgb", rgb),))
        first = Found("rgb", now - timedelta(days=days), "a", ())
        rig = replace(plain, created=now, depth=found.camera, validity=Validity((first, noted)))
        camera = widened(rig, now=now).depth
        assert camera is not None
        return along_u95_mm(camera, at, way)

    assert along_u95_mm(STATED, at, way) == 0.0  # typed in: nobody states a bound
    assert bound(0.0, "a") == pytest.approx(along_u95_mm(found.camera, at, way))
    assert bound(0.0, "a") < bound(60.0, "a") < bound(300.0, "a")
    assert bound(0.0, "other") > bound(0.0, "a") + 5.0


def rendered(view: BoardView) -> np.ndarray:
    """A colour picture in which the board's corners lie where the view has them (lens left out)."""
    per_mm = 4.0
    squares = (10, 7)
    sheet = OWN.charuco.generateImage((int(squares[0] * 24 * per_mm), int(squares[1] * 24 * per_mm)))
    # The print's first inner corner lies one square in; pixel middles are at integers.
    sheet_px = ((OWN.corners_mm[:, :2] + 24.0) * per_mm - 0.5).astype(np.float32)
    over, _ = cv2.findHomography(sheet_px, view.corners_px.astype(np.float32))
    size = RGB_PX
    grey = cv2.warpPerspective(sheet, over, size, flags=cv2.INTER_AREA, borderValue=(190,))
    mask = cv2.warpPerspective(np.full_like(sheet, 255), over, size)
    grey = np.where(mask > 127, grey, 190)
    return cv2.cvtColor(cv2.GaussianBlur(grey.astype(np.uint8), (0, 0), 0.8), cv2.COLOR_GRAY2BGR)


def written_rig(folder: Path, *, depth: DepthCamera | None = STATED) -> Path:
    plain = real_rig(Scene())
    values = RGB.copy()
    values[4:] = 0.0
    rig: Rig = replace(
        plain,
        rgb=camera_of(values, size_px=RGB_PX),
        rgb_covariance=np.diag([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        depth=depth,
    )
    path = folder / "rig.toml"
    path.write_text(write_rig(rig))
    return path


def straight(seed: int, count: int) -> tuple[Drawn, Pairs]:
    """A rig whose colour lens does not bend, so that pictures are drawn by homographies."""
    rng = np.random.default_rng([seed, 78])
    rig = drawn(rng)
    values: Floats = RGB.copy()
    values[4:] = 0.0
    rig = Drawn(rig.camera, values, 0.0, rig.told)
    return rig, seen(rng, rig, noise=NOISE, taken=Taken(count, near_mm=450.0, far_mm=850.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("depth")
    _, pairs = straight(11, 12)
    for name in ("colour", "depth"):
        (where / name).mkdir()
    for view, read in pairs:
        cv2.imwrite(str(where / "colour" / f"{view.name}.png"), rendered(view))
        cv2.imwrite(str(where / "depth" / f"{view.name}.png"), read)
    return where


def test_two_folders_end_in_the_rig_with_bounds_and_a_certificate(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig, _ = straight(11, 12)
    path = written_rig(tmp_path)
    words = ["calibrate", "depth", str(folder / "colour"), str(folder / "depth"), "--rig", str(path)]
    assert main([*words, "--measured-mm", "100", "100"]) == 0
    said = capsys.readouterr().out
    assert "Accepted." in said
    again, warnings = read_rig(path.read_text(), where="rig.toml")
    assert warnings == ()
    camera = again.depth
    assert camera is not None
    assert camera.covariance is not None
    assert again.validity.of("depth") is not None
    along, across = errors_mm(rig, camera, 800.0)
    assert along < 6.0
    assert across < 8.0
    page = certificate_path(path).read_text()
    assert "part depth of depth" in page
    assert "Depth camera: where it stands" in page
    # As good as before is no reason to replace it.
    assert main([*words, "--measured-mm", "100"]) == 3
    assert "NOT WRITTEN" in capsys.readouterr().out


def test_a_recording_in_which_the_board_is_held_ends_in_the_rig_with_the_lens_that_it_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, pairs = straight(12, 10)
    stated, _ = read_rig(written_rig(tmp_path).read_text(), where="rig.toml")
    colour = held([rendered(view) for view, _ in pairs], hold_s=1.2, hz=5.0)
    depth = held([read for _, read in pairs], hold_s=1.2, hz=5.0)
    filmed(tmp_path / "board.mcap", colour=colour, depth=depth, rig=stated)
    (tmp_path / "bare").mkdir()
    bare = written_rig(tmp_path / "bare", depth=None)
    words = ["calibrate", "depth", str(tmp_path / "board.mcap"), "--rig", str(bare)]
    assert main([*words, "--measured-mm", "100", "100"]) == 0, capsys.readouterr().out
    found, _ = read_rig(bare.read_text(), where="rig.toml")
    assert found.depth is not None
    assert found.depth.covariance is not None
    off_px = found.depth.camera.fx_px - STATED.camera.fx_px
    assert abs(off_px) < 0.01 * STATED.camera.fx_px, "sought near where it is stated"


def test_what_cannot_be_depth_or_has_no_lens_is_told_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    eight = tmp_path / "eight"
    eight.mkdir()
    for file in (folder / "depth").iterdir():
        picture = np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), np.uint16)
        cv2.imwrite(str(eight / file.name), (picture // 8).astype(np.uint8))
    cut = tmp_path / "cut"
    cut.mkdir()
    for file in (folder / "depth").iterdir():
        picture = np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), np.uint16)
        cv2.imwrite(str(cut / file.name), picture[:240])
    (tmp_path / "bare").mkdir()
    rig, bare = written_rig(tmp_path), written_rig(tmp_path / "bare", depth=None)
    colour = str(folder / "colour")
    for words, told in (
        ([colour, str(eight), "--rig", str(rig)], "is of 8 bits and holds no distances"),
        ([colour, str(cut), "--rig", str(rig)], "the pictures 848 x 240"),
        ([colour, str(folder / "depth"), "--rig", str(bare)], "with --lens FX FY CX CY"),
        ([colour, str(folder / "depth"), "--rig", str(bare), "--lens", "425"], "A lens has 4 numbers"),
        ([colour, "--rig", str(rig)], "is no recording"),
    ):
        before = rig.read_bytes()
        assert main(["calibrate", "depth", *words]) == 2
        assert told in " ".join(capsys.readouterr().err.split())
        assert rig.read_bytes() == before
