"""The quick check from cameras: the same verdict as the command's, beside the rig, and no picture stays."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calibration.sheets import TARGET
from guidance.calibrating.quick_check import QuickCheck, looks
from guidance.cli import main
from models.capture import Capture
from models.problems import InputError
from models.rig import Rig
from models.rig_checked import CHECK_FILE, read_checked
from models.rig_file import write_rig
from tests.calibration.check_scenes import board_session, turned
from tests.calibration.test_check import RIG
from vision.cameras import COLOUR, THERMAL
from vision.files import sha256_of
from vision.recording import open_recording

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
BOTH = frozenset((COLOUR, THERMAL))


def check_of(path: Path, **changed: object) -> QuickCheck:
    about: dict[str, object] = {"board": TARGET, "references": None, "now": lambda: NOW} | changed
    return QuickCheck(path, sha256_of(path), BOTH, **about)  # type: ignore[arg-type]


def drawn(folder: Path, real: Rig) -> list[Capture]:
    return list(open_recording(board_session(folder / "shown", real, RIG)).captures())


def test_a_camera_that_is_turned_is_found_and_written_as_by_the_command_and_the_pictures_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    assert RIG.thermal is not None
    real = replace(RIG, thermal=replace(RIG.thermal, thermal_from_rgb=turned(RIG, degrees=(0.0, 1.2, 0.0))))
    path = tmp_path / "rig.toml"
    path.write_text(write_rig(RIG))
    captures, check = drawn(tmp_path, real), check_of(path)
    assert not check.shown
    told = [check.see(capture) for capture in captures]
    assert check.shown
    assert [one.words for one in told[-1]] == [
        "The colour camera sees the target",
        "The thermal camera sees the target",
    ]
    for capture in captures:
        check.take(capture)
    found = check.judge()
    assert not (tmp_path / CHECK_FILE).exists(), "nothing is written before it is told"
    check.keep(found)
    check.close()
    assert list((tmp_path / "tmp").iterdir()) == []
    beside = (tmp_path / CHECK_FILE).read_text()
    assert read_checked(beside, where="").parts[0].words == found.parts[0].words
    assert "Quick check: moved" in (tmp_path / "rig-certificate.html").read_text()
    (one,) = found.moved
    assert one.again == ("thermal",)
    size = float(one.words.partition("turned against the colour camera by ")[2].split()[0])
    assert size == pytest.approx(1.2, abs=0.05)
    assert one.off[0].parameters == ("rx_rad", "ry_rad", "rz_rad")


def test_what_no_camera_sees_is_told_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(write_rig(RIG))
    check = check_of(path)
    capture = next(one for one in drawn(tmp_path, RIG) if one.bgr is not None)
    assert capture.bgr is not None
    nothing = Capture(0.0, None, capture.bgr * 0, (), (), 0.0, False)
    assert [one.words for one in check.see(nothing)] == [
        "The colour camera does not see the target",
        "The thermal camera gives no picture",
    ]
    assert not check.shown
    gone = check.see(replace(nothing, t_s=5.0, bgr=None))
    assert [(one.good, one.words) for one in gone] == [(False, "The colour camera gives no picture")]
    with pytest.raises(InputError, match="Nothing was recorded"):
        check.judge()
    check.take(replace(nothing, bgr=None))
    with pytest.raises(InputError, match="No colour picture came"):
        check.judge()
    check.close()
    assert not (tmp_path / CHECK_FILE).exists()


def test_a_rig_that_was_calibrated_meanwhile_is_not_judged_for_a_session_that_has_another(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(write_rig(RIG))
    with pytest.raises(InputError, match="has changed since this console was opened"):
        QuickCheck(path, "0" * 64, BOTH, board=TARGET, references=None)
    check = check_of(path)
    for capture in drawn(tmp_path, RIG):
        check.take(capture)
    found = check.judge()
    path.write_text(write_rig(replace(RIG, created=NOW)))
    with pytest.raises(InputError, match="start it again"):
        check.keep(found)
    check.close()
    assert not (tmp_path / CHECK_FILE).exists()


def test_board_and_references_are_read_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError):
        looks(board="round")
    assert main(["live", "--rig", str(tmp_path / "rig.toml"), "--board", "round"]) == 2
    assert (
        main(["live", "--rig", str(tmp_path / "rig.toml"), "--references", str(tmp_path / "none.toml")]) == 2
    )
    assert "none.toml cannot be read" in capsys.readouterr().err
    assert main(["live", "--replay", str(tmp_path), "--board", "own"]) == 2
    assert "cryoguide calibrate check" in capsys.readouterr().err
