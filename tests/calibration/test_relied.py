"""Axis and jet rest on the rig as it may be relied on: what lapsed or was found moved widens their bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.axis import find_axis
from calibration.burst_open import open_of
from calibration.relied import collar_lean_rad2, relied_rig
from guidance.cli import main
from models.nozzle_errors import NozzleErrors
from models.rig import Rig
from models.rig_checked import CHECK_FILE, CheckedPart, RigChecked, write_checked
from models.rig_file import read_rig, write_rig
from models.rig_widened import UNMEASURED_AXIS_RAD
from models.stream_clock import StreamClock
from models.validity import Found, Validity
from tests.calibration.spin_scenes import Spinning
from tests.calibration.test_axis import MARKER_MM, spin_poses
from tests.calibration.test_pivot import write_poses
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime.now(UTC)
SPOT_MM = np.array([0.0, 0.0, 800.0])


def written(folder: Path, *, days: float) -> Path:
    """A rig whose collar, thermal camera and time were found so long ago."""
    at = NOW - timedelta(days=days)
    plain = real_rig(Scene())
    assert plain.thermal is not None
    assert plain.nozzle is not None
    found = tuple(Found(s, at, s, ()) for s in ("thermal", "time", "collar"))
    count = 3 * len(plain.nozzle.tags.ids)
    thermal = replace(plain.thermal, clock=StreamClock(0.0, 0.001), covariance=1e-8 * np.eye(15))
    errors = NozzleErrors(tag_mm2=0.02**2 * np.eye(count), tip_mm2=0.01 * np.eye(3))
    rig = replace(
        plain,
        created=NOW,
        thermal=thermal,
        nozzle_errors=errors,
        validity=Validity((Found("rgb", NOW, "rgb", ()), *found)),
    )
    path = folder / "rig.toml"
    path.write_text(write_rig(rig))
    return path


def lean_of(stated: Rig, relied: Rig) -> float:
    assert relied.nozzle is not None
    return float(np.sqrt(collar_lean_rad2(relied.nozzle, stated, relied)))


def test_a_rig_that_holds_is_the_rig_as_stated_and_nothing_is_said(tmp_path: Path) -> None:
    stated, relied, words = relied_rig(written(tmp_path, days=3.0), now=NOW, step="jet")
    assert relied is stated
    assert words == ()
    assert lean_of(stated, relied) == 0.0


def test_what_lapsed_widens_what_a_burst_is_read_by_and_is_said(tmp_path: Path) -> None:
    stated, relied, words = relied_rig(written(tmp_path, days=200.0), now=NOW, step="jet")
    before, after = open_of(stated, SPOT_MM, t_s=0.0), open_of(relied, SPOT_MM, t_s=0.0)
    assert after.clock_u95_s > 10.0 * before.clock_u95_s
    assert after.aside_u95_mm > 5.0 > before.aside_u95_mm
    assert after.size_u95 > 0.005 > before.size_u95
    assert 0.2 * UNMEASURED_AXIS_RAD < lean_of(stated, relied) < 2.0 * UNMEASURED_AXIS_RAD
    assert "found 200 days ago" in words[0]
    assert "wider bounds are used" in words[0]


def test_what_a_check_found_moved_widens_it_too(tmp_path: Path) -> None:
    path = written(tmp_path, days=3.0)
    words = "the thermal camera is turned; do calibrate thermal again"
    part = CheckedPart("cameras", "moved", words, ("thermal",))
    (tmp_path / CHECK_FILE).write_text(write_checked(RigChecked(NOW, "0" * 64, (part,))))
    stated, relied, told = relied_rig(path, now=NOW, step="jet")
    assert open_of(relied, SPOT_MM, t_s=0.0).aside_u95_mm > open_of(stated, SPOT_MM, t_s=0.0).aside_u95_mm
    assert "the thermal camera is turned" in told[0]
    assert relied_rig(path, now=NOW, step="axis")[2] == ()  # an axis does not rest on it


def test_the_axis_along_a_collar_that_lapsed_has_a_wider_bound() -> None:
    poses = spin_poses(Spinning())
    holds = find_axis(poses, marker_nozzle_mm=MARKER_MM)
    wide = find_axis(poses, marker_nozzle_mm=MARKER_MM, collar_rad2=1e-6)
    assert wide.axis == pytest.approx(holds.axis)
    expected = np.hypot(holds.robust.axis_u95_rad, 2.45e-3)
    assert wide.robust.axis_u95_rad == pytest.approx(expected, rel=1e-3)


def test_the_command_says_so_and_refuses_an_axis_that_is_no_longer_known_well_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses = write_poses(tmp_path / "axis", spin_poses(Spinning(near_mm=(0.3, 0.0, 0.0))))
    good = written(tmp_path, days=3.0)
    assert main(["calibrate", "axis", str(poses), "--rig", str(good)]) == 0
    capsys.readouterr()
    old = written(tmp_path, days=300.0)
    before = old.read_text()
    assert main(["calibrate", "axis", str(poses), "--rig", str(old)]) == 3
    told = capsys.readouterr().out
    assert "places of the collar's tags" in told
    assert "REFUSED. The 95 % bound of the axis" in told
    assert old.read_text() == before
    assert read_rig(before, where="rig")[0].nozzle_errors.axis_rad2 is None
