"""A camera that is known to be off reads the coldest skin better, and says so: never better than it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from guidance.pipeline import step
from guidance.report.thermal_found import thermal_found, thermal_remarks
from guidance.simulate import setup_of
from guidance.stages.camera import calibrated_now, camera_offset, reference_remark
from guidance.stages.state import Setup, State, begin
from models.radiometry import StatedRadiometry
from vision.synthetic import captures
from vision.synthetic_scene import Errors, Patch, Scene
from vision.synthetic_skin import SkinUnderJet

OFF, GAIN = 1.4, 0.02
SCENE = Scene(
    seconds=2.0, hz=5.0, thermal_hz=10.0, errors=Errors(camera_off_degc=OFF, camera_gain=GAIN), seed=3
)
STATED = StatedRadiometry(
    datetime(2026, 11, 22, 10, tzinfo=UTC),
    # off = OFF + GAIN (seen - 30), seen = (read - OFF + 30 GAIN) / (1 + GAIN)
    offset_degc=OFF + GAIN * ((16.0 - OFF + 30.0 * GAIN) / (1.0 + GAIN) - 30.0) + 0.05,
    at_degc=16.0,
    gain=GAIN / (1.0 + GAIN) - 0.002,
    drift_degc_per_min=0.01,
    covariance=np.diag([0.01, 1e-5, 1e-5]),
    residual_u95_degc=0.25,
    references_degc=(0.3, 32.0),
)
"""As calibration would state it, wrong by part of its bounds."""


def with_radiometry(setup: Setup, stated: StatedRadiometry | None) -> Setup:
    assert setup.rig is not None
    assert setup.rig.thermal is not None
    return replace(setup, rig=replace(setup.rig, thermal=replace(setup.rig.thermal, radiometry=stated)))


def run(scene: Scene, setup: Setup) -> tuple[State, list[tuple[float, float]]]:
    """State at the end, and each lowest temperature's error with its bound."""
    state, skin, told = begin(), SkinUnderJet(scene), []
    for capture, _ in captures(scene):
        state, guidance = step(state, capture, setup)
        if guidance.skin_min_degc is not None and guidance.skin_min_u95_degc is not None:
            true = float(skin.degc(capture.t_s).min())
            told.append((guidance.skin_min_degc - true, guidance.skin_min_u95_degc))
    return state, told


def test_calibration_mends_the_lowest_temperature_and_narrows_its_bound_honestly() -> None:
    setup = setup_of(SCENE)
    claimed = np.array(run(SCENE, setup)[1])
    state, told = run(SCENE, with_radiometry(setup, STATED))
    calibrated = np.array(told)
    assert len(calibrated) == len(claimed) >= 5
    assert np.abs(calibrated[:, 0]).mean() < np.abs(claimed[:, 0]).mean() - 0.8
    assert np.all(np.abs(calibrated[:, 0]) <= calibrated[:, 1])
    assert np.all(calibrated[:, 1] < claimed[:, 1])
    used = thermal_found(state, with_radiometry(setup, STATED))["calibrated"]
    assert isinstance(used, dict)
    assert used["used"] is True


def test_a_calibration_that_is_too_old_is_not_used_and_that_is_told() -> None:
    old = replace(STATED, measured=STATED.measured - timedelta(days=40))
    setup = with_radiometry(setup_of(SCENE), old)
    assert calibrated_now(begin(), setup) is None
    assert camera_offset(begin(), setup).u95_degc == pytest.approx(2.0)
    assert any("41.0 days" in sentence for sentence in thermal_remarks(begin(), setup))


def test_a_reference_in_the_picture_corrects_what_calibration_left() -> None:
    scene = replace(SCENE, seconds=1.2, patch=Patch())
    setup = with_radiometry(setup_of(scene), STATED)
    state, _ = run(scene, setup)
    offset = camera_offset(state, setup)
    assert offset.sight == "seen"
    assert not offset.doubted
    assert abs(offset.off_degc) < 0.4
    assert reference_remark(state, setup) is None


def test_a_reference_shows_a_calibration_that_no_longer_holds() -> None:
    scene = replace(SCENE, seconds=1.2, patch=Patch(), errors=Errors(camera_off_degc=0.1))
    wrong = with_radiometry(setup_of(scene), STATED)
    state, _ = run(scene, wrong)
    offset = camera_offset(state, wrong)
    assert offset.doubted
    # Claim and reference stand, as without calibration: what was taken out wrongly is given back.
    assert offset.off_degc == pytest.approx(0.1 - (OFF + 0.05), abs=0.35)
    assert reference_remark(state, wrong) == "reference contradicts the camera's calibration"
    assert any("calibrate it again" in sentence for sentence in thermal_remarks(state, wrong))
