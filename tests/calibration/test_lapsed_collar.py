"""A tip found with a collar that no longer holds is known as well as that collar may be relied on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.board import OWN
from calibration.folder_steps import Sheets
from calibration.guided_run import GuidedRun, Wanted
from calibration.poses_file import TrackedPoses
from calibration.scale import Scale
from calibration.sheets import TARGET
from calibration.tag_leverage import TagsPlaced, tags_placed
from calibration.tip import find_tip
from calibration.tip_step import TipStep
from guidance.cli import main
from models.nozzle_errors import NozzleErrors
from models.rig import Nozzle, Rig
from models.rig_file import read_rig, write_rig
from models.rig_widened import UNMEASURED_TAG_MM, widened
from models.validity import Found, Validity
from tests.calibration.pivot_scenes import Turning, glued_poses
from tests.calibration.test_pivot import GIVEN, poses_of, write_poses
from vision.synthetic_rig import misplaced, real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
STATED_MM = 0.02
SHEETS = Sheets(OWN, TARGET, Scale(1.0, True), None)


def rig_of(*, days: float = 0.0, lens: str = "lens", now: datetime = NOW) -> Rig:
    """Collar and lens found some time ago; the collar with the lens that is named."""
    at = now - timedelta(days=days)
    plain = real_rig(Scene())
    return replace(
        plain,
        created=now,
        nozzle=Nozzle(GIVEN, 12.0),
        nozzle_errors=NozzleErrors(tag_mm2=STATED_MM**2 * np.eye(3 * len(GIVEN.ids))),
        validity=Validity((Found("rgb", now, "lens", ()), Found("collar", at, "collar", (("rgb", lens),)))),
    )


def placed(rig: Rig) -> TagsPlaced:
    assert rig.nozzle is not None
    return tags_placed(widened(rig, now=NOW), rig.nozzle, now=NOW)


def test_tags_of_a_collar_that_holds_are_as_stated_and_of_one_that_lapsed_as_they_may_be_relied_on() -> None:
    holds = placed(rig_of(days=29.0))
    np.testing.assert_array_equal(holds.covariance_mm2, rig_of().nozzle_errors.tag_mm2)
    assert holds.lapsed == ""
    old = placed(rig_of(days=200.0))
    assert old.covariance_mm2 is not None
    expected_mm2 = STATED_MM**2 + 200.0 / 365.0 * UNMEASURED_TAG_MM**2
    np.testing.assert_allclose(np.diag(old.covariance_mm2), expected_mm2)
    assert old.lapsed == "found 200 days ago"
    other = placed(rig_of(lens="another"))
    assert other.covariance_mm2 is not None
    assert (np.diag(other.covariance_mm2) > STATED_MM**2).all()
    assert other.lapsed == "found with another lens of the colour camera"


def test_the_bound_holds_the_tip_whose_tags_have_walked_since_the_collar_was_found() -> None:
    """10 pivots, tags off by what 200 days leave open: at most 2 outside (more: 1 %); as stated, few hold."""
    old, middle = placed(rig_of(days=200.0)), GIVEN.corners_mm.reshape(-1, 3).mean(axis=0)
    as_stated = TagsPlaced(GIVEN.corners_mm, rig_of().nozzle_errors.tag_mm2)
    sigma_mm = float(np.sqrt(200.0 / 365.0) * UNMEASURED_TAG_MM)
    rng, held, stated = np.random.default_rng(8), 0, 0
    for k in range(10):
        real = misplaced(GIVEN, sigma_mm=sigma_mm, seed=k)
        rotations, translations = glued_poses(GIVEN, real, rng, cone_deg=25.0)
        poses = TrackedPoses(tuple(map(str, range(len(rotations)))), rotations, translations)
        relied, before = (
            find_tip(poses, marker_tool_mm=middle, placed=tags).robust for tags in (old, as_stated)
        )
        off_mm = float(np.linalg.norm(relied.tip_mm))
        held += off_mm <= relied.tip_u95_mm
        stated += off_mm <= before.tip_u95_mm
    assert held >= 8
    assert stated <= 5


def told_by_the_command(folder: Path, rig: Rig, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, float]:
    """Exit code, words, and the variance of the tip that was written, 0 where none was."""
    folder.mkdir()
    (folder / "rig.toml").write_text(write_rig(rig))
    poses = write_poses(folder / "poses", poses_of(Turning(tip_mm=(1.0, -2.0, 3.0), rotation_deg=0.1)))
    code = main(["calibrate", "tip", str(poses), "--rig", str(folder / "rig.toml")])
    after, _ = read_rig((folder / "rig.toml").read_text(), where="after")
    tip_mm2 = after.nozzle_errors.tip_mm2
    return code, capsys.readouterr().out, 0.0 if tip_mm2 is None else float(np.trace(tip_mm2))


def test_the_command_goes_by_todays_date_and_names_the_collar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    code, words, mm2 = told_by_the_command(tmp_path / "holds", rig_of(now=now), capsys)
    assert code == 0
    assert "no longer hold" not in words
    code, words, wider_mm2 = told_by_the_command(tmp_path / "month", rig_of(days=40.0, now=now), capsys)
    assert code == 0
    assert "The places of the collar's tags no longer hold (found 40 days ago)" in words
    assert wider_mm2 > 1.5 * mm2
    code, words, none = told_by_the_command(tmp_path / "old", rig_of(days=300.0, now=now), capsys)
    assert (code, none) == (3, 0.0)
    assert "run `cryoguide calibrate collar` again first" in words


def test_a_tip_watched_as_it_happens_rests_on_the_same_tags(tmp_path: Path) -> None:
    rig = rig_of(days=200.0)
    (tmp_path / "rig.toml").write_text(write_rig(rig))
    wanted = Wanted(tmp_path / "rig.toml", tmp_path / "keep", SHEETS, ("tip",))
    run = GuidedRun(wanted, now=lambda: NOW)
    run.look(0.0, np.zeros((rig.rgb.height_px, rig.rgb.width_px, 3), np.uint8), None)
    assert isinstance(run.step, TipStep)
    taken, expected = run.step.rig.nozzle_errors.tag_mm2, placed(rig).covariance_mm2
    assert taken is not None
    assert expected is not None
    np.testing.assert_allclose(taken, expected)
