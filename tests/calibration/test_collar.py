"""A slow turn before the camera tells where the tags of a collar sit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from guidance.cli import main
from models.camera import Camera
from models.geometry import Bytes, Floats
from models.rig import Tags
from models.rig_file import read_rig, write_rig
from tests.vision.tag_scenes import collar, misplaced, picture, rig_of, wand

CAMERA = Camera(480, 480, 600.0, 600.9, 242.7, 237.4, np.array([0.08, -0.17, 0.0004, -0.0003, 0.0]))
TRUE = collar()


def off_mm(found_mm: Floats, true_mm: Floats) -> float:
    """Corners, root mean square, the whole collar laid on the true one."""
    a, b = found_mm.reshape(-1, 3), true_mm.reshape(-1, 3)
    u, _, vt = np.linalg.svd((a - a.mean(axis=0)).T @ (b - b.mean(axis=0)))
    turn = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt).T
    away = (a - a.mean(axis=0)) @ turn.T - (b - b.mean(axis=0))
    return float(np.sqrt(np.mean(np.sum(away**2, axis=1))))


@pytest.fixture(scope="module")
def turn() -> list[Bytes]:
    """24 pictures all the way round, twice, leaning."""
    return [
        picture(
            [
                (
                    TRUE,
                    wand(
                        (0.0, 60.0 + 15.0 * np.sin(1.3 * k), 350.0),
                        lean_deg=25.0 + 20.0 * np.sin(0.7 * k),
                        roll_deg=30.0 * k,
                        yaw_deg=15.0 * np.cos(0.9 * k),
                    ),
                )
            ],
            camera=CAMERA,
            seed=k,
        )
        for k in range(24)
    ]


def written(folder: Path, pictures: list[Bytes], given: Tags) -> tuple[Path, Path]:
    shown = folder / "turn"
    shown.mkdir()
    for k, bgr in enumerate(pictures):
        cv2.imwrite(str(shown / f"{k:02d}.png"), bgr)
    rig = folder / "rig.toml"
    rig.write_text(write_rig(rig_of(given, camera=CAMERA)))
    return shown, rig


def test_tags_glued_three_tenths_of_a_millimetre_off_are_found_within_a_twentieth(
    tmp_path: Path, turn: list[Bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    given = misplaced(TRUE, sigma_mm=0.3, seed=0)
    shown, rig = written(tmp_path, turn, given)
    assert off_mm(given.corners_mm, TRUE.corners_mm) > 0.5
    code = main(["calibrate", "collar", str(shown), "--rig", str(rig), "--tag-mm-u95", "0.05"])
    assert code == 0, capsys.readouterr().out
    found, _ = read_rig(rig.read_text(), where="rig")
    assert found.nozzle is not None
    assert off_mm(found.nozzle.tags.corners_mm, TRUE.corners_mm) < 0.05
    assert found.nozzle_scale_u95 == pytest.approx(0.05 / 25.0, rel=0.02)
    assert "Collar: where its tags sit" in (tmp_path / "rig-certificate.html").read_text()


def test_a_rig_without_a_nozzle_takes_the_printed_collar_and_keeps_it_only_where_it_is_accepted(
    tmp_path: Path, turn: list[Bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    shown, rig = written(tmp_path, turn, TRUE)
    text = rig.read_text()
    bare, nozzle = text[: text.index("[nozzle]")], text[text.index("[nozzle]") :]
    rig.write_text(bare)
    collar = tmp_path / "collar.toml"
    collar.write_text(nozzle)
    assert main(["calibrate", "collar", str(shown), "--rig", str(rig)]) == 2
    assert "--collar collar.toml" in capsys.readouterr().err
    few = tmp_path / "few"
    few.mkdir()
    (few / "a.png").write_bytes((shown / "00.png").read_bytes())
    assert main(["calibrate", "collar", str(few), "--rig", str(rig), "--collar", str(collar)]) == 3
    assert rig.read_text() == bare
    assert main(["calibrate", "collar", str(shown), "--rig", str(rig), "--collar", str(collar)]) == 0
    found, _ = read_rig(rig.read_text(), where="rig")
    assert found.nozzle is not None
    assert main(["calibrate", "collar", str(shown), "--rig", str(rig), "--collar", str(collar)]) == 2
    assert "has a [nozzle] already" in capsys.readouterr().err


def test_a_bound_of_the_tags_side_that_no_rig_can_state_is_refused_and_not_made_smaller(
    tmp_path: Path, turn: list[Bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, 5 mm of a tag of 25 mm was written as a tenth: half of what was told."""
    shown, rig = written(tmp_path, turn[:1], TRUE)
    before = rig.read_text()
    assert main(["calibrate", "collar", str(shown), "--rig", str(rig), "--tag-mm-u95", "5"]) == 2
    assert "--tag-mm-u95 5 is more than a tenth of a tag's side of 25.0 mm" in capsys.readouterr().err
    assert rig.read_text() == before


def test_half_a_turn_is_refused_and_names_the_tags_that_were_not_seen(
    tmp_path: Path, turn: list[Bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    shown, rig = written(tmp_path, turn[:4], TRUE)
    before = rig.read_text()
    assert main(["calibrate", "collar", str(shown), "--rig", str(rig)]) == 3
    assert "seen in fewer than 6 pictures; turn the nozzle all the way round" in capsys.readouterr().out
    assert rig.read_text() == before
