"""What the console's check is shown beside the target: touches, a reference, times that are off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from calibration.sheets import TARGET
from guidance.calibrating.quick_check import QuickCheck
from models.capture import Capture
from models.rig import Rig
from models.rig_checked import CheckedPart
from models.rig_file import write_rig
from tests.calibration.check_shown import shown_scene
from vision.cameras import COLOUR, THERMAL
from vision.files import sha256_of
from vision.synthetic import captures
from vision.synthetic_rig import stated_rig, treatment_of
from vision.synthetic_scene import Scene

LAG_S, WARM_DEGC, SLIP_MM = 0.06, 4.0, 5.0
NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)


@cache
def seen() -> tuple[Scene, tuple[Capture, ...]]:
    """Five seconds; thermal pictures stamped too late by `LAG_S`, and read too warm."""
    scene = shown_scene(lag_s=LAG_S, off_degc=WARM_DEGC)
    return scene, tuple(capture for capture, _ in captures(scene))


def checked(folder: Path, rig: Rig) -> dict[str, CheckedPart]:
    scene, taken = seen()
    path = folder / "rig.toml"
    path.write_text(write_rig(rig))
    check = QuickCheck(
        path,
        sha256_of(path),
        frozenset((COLOUR, THERMAL)),
        board=TARGET,
        references=treatment_of(scene).references,
        now=lambda: NOW,
    )
    for capture in taken:
        check.see(capture)
        check.take(capture)
    found = check.judge()
    check.close()
    return {part.name: part for part in found.parts}


def test_a_slipped_collar_a_warm_camera_and_late_times_are_found_in_five_seconds_each_within_its_bound(
    tmp_path: Path,
) -> None:
    """Two skin tags touched for 0.9 s each, a reference in the picture, a hand that hurries in between."""
    rig = stated_rig(seen()[0])
    assert rig.nozzle is not None
    tags = replace(rig.nozzle.tags, corners_mm=rig.nozzle.tags.corners_mm + np.array([0.0, 0.0, SLIP_MM]))
    parts = checked(tmp_path, replace(rig, nozzle=replace(rig.nozzle, tags=tags)))
    assert {name: parts[name].state for name in ("tip", "temperature", "time")} == {
        "tip": "moved", "temperature": "moved", "time": "moved"
    }  # fmt: skip
    tip, degc, times = (parts[name].off[0] for name in ("tip", "temperature", "time"))
    assert "the collar slipped along the nozzle" in parts["tip"].words
    assert "2 points touched" in parts["tip"].words
    assert tip.values[2] == pytest.approx(SLIP_MM, abs=1.96 * float(np.sqrt(tip.covariance[2, 2])))
    assert degc.values[0] == pytest.approx(WARM_DEGC, abs=1.96 * float(np.sqrt(degc.covariance[0, 0])))
    assert times.values[0] == pytest.approx(-LAG_S, abs=1.96 * float(np.sqrt(times.covariance[0, 0])))
    assert parts["cameras"].state == "not looked at"


def test_the_same_shown_to_a_rig_that_knows_of_the_lag_is_valid_in_tip_and_time(tmp_path: Path) -> None:
    rig = stated_rig(seen()[0])
    assert rig.thermal is not None
    late = replace(rig.thermal, rgb_minus_thermal_s=rig.thermal.rgb_minus_thermal_s)
    parts = checked(tmp_path, replace(rig, thermal=late))
    assert parts["tip"].state == "valid"
