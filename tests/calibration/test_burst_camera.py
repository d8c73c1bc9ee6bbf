"""What the thermal camera does to a cold spot is taken out of a burst, as far as it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from calibration.burst import camera_words, spot_temperatures
from models.capture import ThermalPicture
from models.geometry import Pose, rotation_from_rvec
from models.radiometry import StatedRadiometry, calibrated_at
from models.rig import Rig, StatedHalo, StatedSpread
from models.sightings import NozzleSighting
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SPREAD = StatedSpread(0.76, 0.02, StatedHalo(0.09, 7.0, 0.01))
WARM, COLD = 33.0, 10.0


def seen(rig: Rig, *, off_degc: float = 0.0) -> tuple[float, float]:
    """A cold spot's middle, and what is in doubt of it, before a camera that mixes in 9 % from around."""
    assert rig.thermal is not None
    camera = rig.thermal.camera
    true = np.full((camera.height_px, camera.width_px), WARM)
    cv2.circle(true, (128, 96), 8, COLD, -1)
    narrow = cv2.GaussianBlur(true, (0, 0), 0.7)
    degc = narrow + 0.09 * (cv2.GaussianBlur(true, (0, 0), 7.0) - narrow) + off_degc
    picture = ThermalPicture(0.0, np.rint(100.0 * (degc + 273.15)).astype(np.uint16), shutter=False)
    away = Pose.of(rotation_from_rvec(np.zeros(3)), np.array([0.0, -2000.0, 300.0]))
    nozzle = NozzleSighting(0.0, away, np.eye(6), away.translation_mm, 4, "tracked")
    place = camera.unproject(np.array([[128.0, 96.0]])) * 800.0
    spot = rig.thermal.thermal_from_rgb.inverse.apply(place)
    calibrated = calibrated_at(rig.thermal.radiometry, claim_degc=2.0, started=NOW)
    _, read, doubt = spot_temperatures([picture], spot, [nozzle], rig, calibrated)
    return float(read[0, 0]), float(doubt[0, 0])


def knowing(spread: StatedSpread | None, radiometry: StatedRadiometry | None = None) -> Rig:
    rig = real_rig(Scene())
    assert rig.thermal is not None
    return replace(rig, thermal=replace(rig.thermal, spread=spread, radiometry=radiometry))


def test_a_calibrated_halo_is_taken_out_and_half_of_one_that_is_not_known() -> None:
    known, known_doubt = seen(knowing(SPREAD))
    bare, bare_doubt = seen(knowing(None))
    assert known == pytest.approx(COLD, abs=0.15)
    assert COLD < bare < COLD + 0.06 * (WARM - COLD)
    assert abs(bare - COLD) <= bare_doubt
    assert known_doubt < bare_doubt


def test_what_radiometry_found_is_taken_out_before_the_spread() -> None:
    told = StatedRadiometry(NOW, 1.5, 20.0, 0.0, 0.0, np.diag([0.01, 1e-6, 1e-6]), 0.1, (0.0, 33.0))
    read, _ = seen(knowing(SPREAD, told), off_degc=1.5)
    assert read == pytest.approx(COLD, abs=0.15)
    read, _ = seen(knowing(SPREAD), off_degc=1.5)
    assert read == pytest.approx(COLD + 1.5, abs=0.15)


def test_what_was_not_known_of_the_camera_is_said_with_the_remedy() -> None:
    assert all("calibrate" in words for words in camera_words(knowing(None), NOW))
    told = StatedRadiometry(NOW, 1.5, 20.0, 0.0, 0.0, np.diag([0.01, 1e-6, 1e-6]), 0.1, (0.0, 33.0))
    halo, temperatures = camera_words(knowing(SPREAD, told), NOW)
    assert halo.endswith("are taken out as calibrated.")
    assert "corrected as calibrated" in temperatures
