"""Claims about production `step` on simulated scenes, whose truth is exact."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidance.pipeline import step
from guidance.stages.camera import camera_offset
from guidance.stages.state import begin
from models.chart import PlacedChart
from models.geometry import Floats, Pose, rotation_from_rvec
from models.sightings import NozzleSighting
from tests.guidance.simulated import Played, play, setup_of
from vision.synthetic import captures
from vision.synthetic_scene import Errors, Motion, Patch, Scene
from vision.synthetic_skin import true_dwell_s

EXACT = Scene(seconds=3.0, hz=12.0, thermal_hz=0.0, gas_s=(0.5, 2.7))
"""A swept calf before an exact rig: lens distortion, blur by lens and motion, noise, breathing, drift."""

MOVED = Pose.of(rotation_from_rvec(np.array([0.03, -0.04, 0.05])), np.array([0.0, 0.0, 950.0]))
"""Turned by 4 degrees about a place in front of the camera."""


@lru_cache(maxsize=4)
def played(scene: Scene) -> Played:
    """Each scene is drawn once."""
    return play(scene)


def moved_scene() -> Scene:
    """The same body and nozzle elsewhere before the same cameras."""
    about = Pose.of(np.eye(3), np.array([0.0, 0.0, -950.0]))
    aside = Pose.of(np.eye(3), np.array([12.0, -9.0, 25.0]))
    return replace(EXACT, place=aside @ MOVED @ about @ EXACT.place)


def tip_errors_mm(run: Played) -> Floats:
    """Of every sighting."""
    seen = [(told.nozzle, true) for told, true in run.told if isinstance(told.nozzle, NozzleSighting)]
    off_mm = np.array([nozzle.tip_rgb_mm - true.tip_rgb_mm for nozzle, true in seen])
    return np.sqrt((off_mm**2).sum(axis=1))


def on_body_mm(run: Played, scene: Scene) -> Floats:
    """Cells of the chart in the body's frame."""
    assert run.state.on_skin is not None
    chart = run.state.on_skin.chart
    return scene.rgb_from_body(chart.reference_t_s).inverse.apply(chart.position_mm)


def test_an_exact_rig_gives_the_tip_to_less_than_a_millimetre() -> None:
    """0.8 / 2.0 mm (p50 / p95) are asked for at this distance and size; measured 0.06 / 0.15 mm."""
    run = played(EXACT)
    errors_mm = tip_errors_mm(run)
    assert len(errors_mm) == len(run.told)
    assert np.percentile(errors_mm, 50) < 0.2
    assert np.percentile(errors_mm, 95) < 0.5


def test_an_exact_rig_gives_the_distance_within_its_bound() -> None:
    """3 mm (p95) are asked for with depth; measured 0.5 mm. Where the jet grazes the limb none is given."""
    jets = [(told.jet, true) for told, true in played(EXACT).told if told.jet is not None]
    errors_mm = np.array([abs(jet.distance_mm - true.distance_mm) for jet, true in jets])
    bounds_mm = np.array([jet.distance_u95_mm for jet, _ in jets])
    assert len(jets) > 0.85 * len(played(EXACT).told)
    assert np.percentile(errors_mm, 95) < 3.0
    assert (errors_mm <= bounds_mm).mean() > 0.93


def test_the_dwell_map_of_a_sweep_is_the_true_one() -> None:
    """7 % of the map and 6 % of the peak are asked for; measured 1.0 % and 0.8 %."""
    run = played(EXACT)
    on_skin = run.state.on_skin
    assert on_skin is not None
    true_s = true_dwell_s(EXACT, on_body_mm(run, EXACT), to_s=EXACT.seconds)
    area, treated = on_skin.chart.area_cm2, true_s > 0.05
    error = area * np.abs(on_skin.exposure.dwell_s - true_s)
    assert treated.sum() > 100
    assert error[treated].sum() < 0.05 * (area * true_s)[treated].sum()
    assert on_skin.exposure.dwell_s.max() == pytest.approx(true_s.max(), rel=0.05)
    assert (on_skin.exposure.dwell_upper_s >= true_s)[treated].mean() > 0.95


def test_a_rigid_motion_of_body_and_nozzle_changes_neither_dwell_nor_distance() -> None:
    """Both runs have their own pixels and noise: each may be off by half of what is asked for."""
    runs = [(played(scene), scene) for scene in (EXACT, moved_scene())]
    total_s, distances_mm = [], []
    for run, _ in runs:
        on_skin = run.state.on_skin
        assert on_skin is not None
        total_s.append(float(on_skin.chart.area_cm2 @ on_skin.exposure.dwell_s))
        distances_mm.append([told.jet.distance_mm if told.jet else np.nan for told, _ in run.told])
    assert total_s[1] == pytest.approx(total_s[0], rel=0.035)
    assert np.nanmedian(np.abs(np.diff(distances_mm, axis=0))) < 1.5
    assert np.percentile(tip_errors_mm(runs[1][0]), 95) < 0.5


@pytest.mark.parametrize(
    "shift_mm",
    [(0.0, 30.0, 0.0), (30.0, 0.0, 0.0), (0.0, 0.0, 30.0), (0.0, 0.0, -30.0)],
    ids=["along", "across", "away", "nearer"],
)
def test_the_chart_is_right_again_half_a_second_after_a_sudden_shift(
    shift_mm: tuple[float, float, float],
) -> None:
    """4 mm are asked for; measured at most 1.2 mm from 0.33 s after its begin on (depth at 4 Hz)."""
    motion = Motion(shift_mm=shift_mm, shift_at_s=1.0)
    scene = replace(EXACT, seconds=1.8, motion=motion)
    run = play(scene)
    on_skin = run.state.on_skin
    assert on_skin is not None
    zone = on_skin.chart.in_zone
    start = scene.rgb_from_body(on_skin.chart.reference_t_s).inverse
    position = on_skin.chart.position_mm[zone]
    for told, true in run.told:
        if told.t_s < motion.shift_at_s + 0.5:
            continue
        assert isinstance(told.zone, PlacedChart)
        error_mm = np.linalg.norm(
            told.zone.position_rgb_mm[zone] - (true.rgb_from_body @ start).apply(position), axis=1
        )
        assert error_mm.max() < 4.0
    causes = {alarm.cause for told, _ in run.told for alarm in told.active}
    assert "patient_moved" in causes


OFF = Errors(camera_off_degc=-1.4, camera_drift_degc_s=0.1, shutter_s=(1.2,), shutter_step_degc=0.8)
"""The thermal camera is off, warms up, and steps at a shutter event."""

REFERRED = replace(EXACT, seconds=2.2, hz=6.0, thermal_hz=15.0, patch=Patch())


def test_with_a_reference_in_the_picture_the_cameras_offset_is_known_within_its_bound() -> None:
    """0.5 degC are asked for; measured 0.24 degC at most. The camera spreads 9 % far and wide (halo), which
    reads the reference 0.16 degC off: its bound holds that."""
    scene = replace(REFERRED, errors=OFF)
    setup, state, offs = setup_of(scene), begin(), []
    for capture, _ in captures(scene):
        state, told = step(state, capture, setup)
        offset = camera_offset(state, setup)
        if offset.looks == 0 or "shutter" in told.status:
            continue
        assert offset.t_s is not None
        true_degc = float(scene.errors.camera_reads_too_warm_degc(offset.t_s, np.array(30.0)))
        offs.append((offset.off_degc - true_degc, offset.u95_degc))
    error_degc, bound_degc = np.array(offs).T
    assert len(offs) > 7
    assert np.abs(error_degc).max() < 0.3
    assert (np.abs(error_degc) <= bound_degc).all()
    assert np.median(bound_degc) < 0.6
    assert camera_offset(state, setup).sight == "seen"


def test_with_a_reference_the_skin_reads_the_same_whatever_the_camera_is_off_by() -> None:
    runs = [play(replace(REFERRED, errors=errors)) for errors in (Errors(), Errors(camera_off_degc=1.5))]
    lowest = np.array([[told.skin_min_degc or np.nan for told, _ in run.told] for run in runs])
    known = np.isfinite(lowest).all(axis=0)
    assert known.sum() > 7
    assert np.abs(lowest[0] - lowest[1])[known].max() < 0.1


def test_without_a_reference_the_offset_stays_in_skin_and_bound() -> None:
    """The same scene without it reads as much too warm as the camera."""
    scene = replace(REFERRED, seconds=1.4, patch=None)
    runs = [play(replace(scene, errors=errors)) for errors in (Errors(), Errors(camera_off_degc=1.5))]
    last = [run.told[-1][0] for run in runs]
    assert last[0].skin_min_degc is not None
    assert last[1].skin_min_degc is not None
    assert last[1].skin_min_degc - last[0].skin_min_degc == pytest.approx(1.5, abs=0.15)
    assert all(told.skin_min_u95_degc is not None and told.skin_min_u95_degc > 2.0 for told in last)


def test_who_stands_before_the_reference_is_told_and_the_offset_is_held() -> None:
    scene = replace(REFERRED, patch=Patch(hidden_s=(1.0, 2.2)), errors=Errors(camera_off_degc=1.0))
    run, setup = play(scene), setup_of(scene)
    remarks = ["reference hidden" in told.status for told, _ in run.told]
    assert not any(remarks[1:6])
    assert all(remarks[8:])
    held = camera_offset(run.state, setup)
    assert held.off_degc == pytest.approx(1.0, abs=0.25)
    assert held.u95_degc < 1.0
