"""Pictures taken by themselves end in a rig, and can be solved again from their folder."""

from __future__ import annotations

import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.board import OWN
from calibration.board_step import BoardStep
from calibration.folder_steps import ACCEPTED, Sheets
from calibration.guided_run import GuidedRun, Wanted
from calibration.scale import Scale, scaled
from calibration.sheets import TARGET
from guidance.cli import main
from models.geometry import Bytes, Floats
from models.problems import InputError

SIZE = (1280, 720)
FOCAL = 1010.0
PRINTED = Scale(1.0, True)
SHEETS = Sheets(scaled(OWN, PRINTED), scaled(TARGET, PRINTED), PRINTED, None)


def drawn(pose: Floats, rng: np.random.Generator) -> Bytes:
    """The board by a camera without distortion."""
    side, scale = OWN.square_mm, 8.0
    across, down = (OWN.columns + 1) * side, (OWN.rows + 1) * side
    sheet = OWN.charuco.generateImage((round(across * scale), round(down * scale)), marginSize=0)
    sheet = cv2.copyMakeBorder(sheet, 80, 80, 80, 80, cv2.BORDER_CONSTANT, value=255)
    low, rim = -side, 80.0 / scale
    ends = np.array([(low - rim, low - rim), (low + across + rim, low - rim)])
    far = np.array([(low + across + rim, low + down + rim), (low - rim, low + down + rim)])
    world = np.column_stack([np.vstack([ends, far]), np.zeros(4)])
    matrix = np.array([[FOCAL, 0, 650.0], [0, FOCAL, 352.0], [0, 0, 1.0]])
    px, _ = cv2.projectPoints(world, pose[:3], pose[3:], matrix, np.zeros(5))
    h, w = sheet.shape
    corner = np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]], np.float32)
    to = cv2.getPerspectiveTransform(corner, np.asarray(px, np.float32).reshape(4, 2))
    soft = cv2.GaussianBlur(sheet, (0, 0), 2.0)
    seen = cv2.warpPerspective(soft, to, SIZE, flags=cv2.INTER_LINEAR, borderValue=110)
    noisy = cv2.GaussianBlur(seen, (0, 0), 0.6) * 0.85 + 10.0 + rng.normal(0.0, 1.5, seen.shape)
    grey = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> GuidedRun:
    """Somebody who does about what is asked."""
    folder = tmp_path_factory.mktemp("run")
    run = GuidedRun(Wanted(folder / "rig.toml", folder / "keep", SHEETS, ("rgb",)))
    rng, t_s = np.random.default_rng(0), 0.0
    run.look(0.0, np.zeros((SIZE[1], SIZE[0], 3), np.uint8), None)
    for _ in range(20):
        assert isinstance(run.step, BoardStep)
        assert run.step.wanted is not None
        pose = run.step.wanted.pose
        pose = pose + np.append(0.08 * rng.normal(size=3), (15.0, 15.0, 25.0) * rng.normal(size=3))
        picture, advice = drawn(pose, rng), None
        for _ in range(4):
            t_s += 0.2
            advice = run.look(t_s, picture, None)
            assert advice is not None
            if advice.taken:
                break
        assert advice is not None
        if advice.done:
            assert run.finish().state == ACCEPTED
            break
    return run


def test_a_run_that_is_followed_ends_in_a_rig_with_its_certificate(run: GuidedRun) -> None:
    assert run.is_over
    told = run.told["rgb"]
    assert "Accepted." in told.lines
    rig = tomllib.loads(run.wanted.rig.read_text())
    assert rig["rgb"]["fx_px"] == pytest.approx(FOCAL, rel=0.004)
    page = run.wanted.rig.with_name("rig-certificate.html").read_text()
    assert "Colour camera" in page


def test_what_was_taken_is_solved_again_from_its_folder(
    run: GuidedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rig.toml"
    options = ["--steps", "rgb", "--out", str(out), "--measured-mm", "100"]
    assert main(["calibrate", "all", str(run.wanted.keep), *options]) == 0
    said = capsys.readouterr().out
    assert "All of these steps are done. Not measured yet: " in said  # the rig lacks more than these tell
    assert "All is calibrated." not in said
    first, again = (tomllib.loads(path.read_text()) for path in (run.wanted.rig, out))
    assert again["rgb"]["fx_px"] == pytest.approx(first["rgb"]["fx_px"])


def test_all_says_what_is_missing_and_what_to_take_next(
    run: GuidedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few" / "rgb"
    few.mkdir(parents=True)
    for file in sorted((run.wanted.keep / "rgb").iterdir())[:3]:
        (few / file.name).write_bytes(file.read_bytes())
    out = tmp_path / "rig.toml"
    assert main(["calibrate", "all", str(few.parent), "--out", str(out), "--steps", "rgb,tip"]) == 3
    told = capsys.readouterr().out
    assert "The print was not measured" in told
    assert "REFUSED. 3 pictures show the board (at least 6" in told
    assert "Take next: " in told
    assert "Not there: tip/" in told
    assert not out.exists()


def test_a_folder_that_holds_files_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"x")
    with pytest.raises(InputError, match="holds files already"):
        GuidedRun(Wanted(tmp_path / "rig.toml", tmp_path, SHEETS, ("rgb",)))


def test_nothing_but_the_colour_camera_begins_without_a_rig(tmp_path: Path) -> None:
    run = GuidedRun(Wanted(tmp_path / "rig.toml", tmp_path / "keep", SHEETS, ("tip",)))
    with pytest.raises(InputError, match="colour camera must be calibrated first"):
        run.look(0.0, np.zeros((SIZE[1], SIZE[0], 3), np.uint8), None)


def test_without_thermal_pictures_its_step_waits(tmp_path: Path, run: GuidedRun) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_bytes(run.wanted.rig.read_bytes())
    waiting = GuidedRun(Wanted(rig, tmp_path / "keep", SHEETS, ("thermal",)))
    assert waiting.look(0.0, np.zeros((SIZE[1], SIZE[0], 3), np.uint8), None) is None
    assert waiting.name == "thermal"
