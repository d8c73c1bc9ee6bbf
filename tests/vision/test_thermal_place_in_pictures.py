"""What calibration states of the thermal camera's place goes into the bound of what is read there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.thermal_place import moved_px
from tests.rendered_limb import SKIN_DEGC
from tests.vision.test_thermal import MIDDLE_MM, SCENE, read


def test_a_camera_drawn_from_its_stated_place_keeps_the_truth_inside() -> None:
    """The rig is told the wrong place; 2 px (95 %) along each way is what calibration states."""
    rng, centre = np.random.default_rng(8), MIDDLE_MM + np.array([0.0, 20.0, 0.0])
    cold = SCENE.cold_spot(centre, degc=5.0, radius_mm=18.0)
    thermal = SCENE.rig.thermal
    assert thermal is not None
    covariance = np.zeros((15, 15))
    covariance[[2, 3], [2, 3]] = (2.0 / 1.96) ** 2
    true, near = cold(SCENE.chart.position_mm), cold(SCENE.chart.position_mm) < SKIN_DEGC - 1.0
    stated, bare = [], []
    for _ in range(24):
        off = np.zeros(15)
        off[2:4] = rng.normal(0.0, 2.0 / 1.96, 2)
        here = moved_px(thermal, SCENE.chart.position_mm, off) - moved_px(
            thermal, SCENE.chart.position_mm, np.zeros(15)
        )
        camera = replace(
            thermal.camera,
            cx_px=thermal.camera.cx_px + float(here[0, 0]),
            cy_px=thermal.camera.cy_px + float(here[0, 1]),
        )
        for told, kept in ((covariance, stated), (None, bare)):
            wrong = replace(thermal, camera=camera, covariance=told, accuracy_degc=0.3)
            skin = read(SCENE.thermal(1.0, degc=cold), rig=replace(SCENE.rig, thermal=wrong)).skin
            kept.append(np.mean((np.abs(skin.degc - true) <= skin.u95_degc)[near & skin.observed]))
    assert np.mean(stated) >= 0.93
    assert np.mean(bare) < np.mean(stated)
