"""The simulation itself, held against geometry and physics that can be written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.special import erfcx

from models.problems import InputError
from models.rig_file import read_rig
from vision.recording import open_recording
from vision.synthetic import captures, truth_at
from vision.synthetic_folder import write_session
from vision.synthetic_rig import real_rig, stated_rig, treatment_of
from vision.synthetic_scene import Body, Cover, Errors, Motion, Scene, SkinTag, Sweep
from vision.synthetic_skin import (
    CONDUCTS_W_MK,
    HOLDS_J_M3K,
    JETS,
    SKIN_DEGC,
    Cells,
    SkinUnderJet,
    footprint,
    true_dwell_s,
)
from vision.synthetic_studio import Studio

STILL = Motion(breath_mm=0.0, drift_mm_s=(0.0, 0.0, 0.0), turn_deg=0.0)
RESTING = Sweep(half_across_mm=0.0, half_along_mm=0.0, tremor_mm=0.0)
SMALL = Scene(seconds=0.8, size=0.25, motion=STILL, sweep=RESTING, gas_s=(0.0, np.inf))


def test_cells_on_a_cylinder_have_its_area() -> None:
    cells = Cells.of(Scene(body=Body(60.0, 60.0)))
    arc_mm = np.ptp(cells.arc_mm) + 2.5
    length_mm = np.ptp(cells.y_mm) + 2.5
    assert cells.area_cm2.sum() == pytest.approx(arc_mm * length_mm / 100.0, rel=1e-3)


@pytest.mark.parametrize("body", [Body(60.0, 60.0), Body(130.0, 90.0), Body(60.0, 60.0, taper=-0.0004)])
def test_a_jet_meets_the_skin_where_it_is_aimed(body: Body) -> None:
    scene = Scene(body=body, motion=STILL, sweep=replace(RESTING, distance_mm=120.0))
    true = truth_at(scene, 0.7)
    assert true.distance_mm == pytest.approx(120.0, abs=0.05)
    assert true.hit_rgb_mm is not None
    on_body = scene.rgb_from_body(0.7).inverse.apply(true.hit_rgb_mm)
    assert np.linalg.norm(on_body) < 0.05


def test_the_footprint_is_one_on_the_axis_and_one_half_at_its_half_radius() -> None:
    scene = replace(SMALL, body=Body(5000.0, 5000.0))
    body_from_nozzle = replace(RESTING, lean_deg=0.0, distance_mm=100.0).rest_from_nozzle(0.0, scene.body)
    across, along = body_from_nozzle.rotation[:, 0], body_from_nozzle.rotation[:, 2]
    points = body_from_nozzle.translation_mm + 100.0 * along + np.outer([0.0, 16.0, 45.0], across)
    weight = footprint(points, np.tile(-along, (3, 1)), body_from_nozzle)
    assert weight == pytest.approx([1.0, 0.5, 0.0], abs=1e-9)


def test_skin_cools_as_a_half_space_behind_a_film_does() -> None:
    """Carslaw and Jaeger 2.7; the coarse column is 0.1 degC off after half a second, less later."""
    skin = SkinUnderJet(SMALL)
    weight = skin.weight(0.5)
    cell = int(weight.argmax())
    gas_degc, film = JETS[SMALL.device]
    for t_s in (0.5, 1.0, 2.0):
        x = weight[cell] * film * np.sqrt(t_s / (CONDUCTS_W_MK * HOLDS_J_M3K))
        wanted = SKIN_DEGC + (gas_degc - SKIN_DEGC) * (1.0 - erfcx(x))
        assert skin.degc(t_s)[cell] == pytest.approx(wanted, abs=0.25)


def test_dwell_by_steps_of_the_skin_is_the_integral_of_the_footprint() -> None:
    scene = replace(SMALL, sweep=Sweep(), motion=Motion(), gas_s=(0.1, 0.5))
    skin = SkinUnderJet(scene)
    skin.advance(0.8)
    wanted = true_dwell_s(scene, skin.cells.position_mm, to_s=0.8)
    assert skin.dwell_s == pytest.approx(wanted, abs=1e-3)


def test_tags_are_drawn_where_the_rig_says() -> None:
    """Corners of the 8-bit picture lie up to a pixel inside: bright paper blooms."""
    tags = (SkinTag(100, -30.0, 60.0), SkinTag(101, 25.0, -50.0, 20.0))
    scene = replace(SMALL, size=1.0, skin_tags=tags, sweep=Sweep())
    twice = cv2.resize(Studio(scene).colour(0.4), None, fx=2.0, fy=2.0, interpolation=cv2.INTER_CUBIC)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    found, numbers, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(twice)
    corners_px = [(corners[0] - 0.5) / 2.0 for corners in found]
    seen = {int(number): corners for number, corners in zip(numbers.ravel(), corners_px, strict=True)}
    rig = real_rig(scene)
    assert rig.nozzle is not None
    assert {100, 101} < set(seen)
    collar_mm = scene.rgb_from_nozzle(0.4).apply(rig.nozzle.tags.corners_mm)
    on_nozzle = [number for number in seen if number < 12]
    assert len(on_nozzle) >= 2
    for number in on_nozzle:
        assert np.linalg.norm(seen[number] - rig.rgb.project(collar_mm[number]), axis=1).max() < 1.2
    for tag in tags:
        middle_px = rig.rgb.project(
            scene.rgb_from_body(0.4).apply(scene.body.skin(np.array(tag.arc_mm), np.array(tag.y_mm)))
        )
        assert np.linalg.norm(seen[tag.number].mean(axis=0) - middle_px) < 1.0


def test_a_finger_hides_a_tag() -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    detector = cv2.aruco.ArucoDetector(dictionary)
    bare = replace(SMALL, size=1.0)
    numbers = detector.detectMarkers(Studio(bare).colour(0.4))[1].ravel()
    covered = replace(bare, covers=(Cover((int(numbers[0]),), "finger", 0.5),))
    left = detector.detectMarkers(Studio(covered).colour(0.4))[1].ravel()
    assert set(left) == set(numbers) - {numbers[0]}


def test_the_cold_spot_lies_in_the_thermal_picture_where_the_jet_meets_the_skin() -> None:
    """A leaning cone strikes flat skin a little off its axis; turned by 2 degrees the spot moves 9.4 px."""
    places_px = []
    for turn_deg in (0.0, 2.0):
        errors = Errors(thermal_turn_deg=turn_deg)
        scene = replace(SMALL, size=1.0, body=Body(1000.0, 1000.0), errors=errors)
        without_gas = replace(scene, gas_s=(np.inf, np.inf))
        warm, cold = (Studio(one).thermal(0.6).astype(float) for one in (without_gas, scene))
        colder = np.maximum(warm - cold - 300.0, 0.0)
        rows, cols = np.indices(colder.shape)
        places_px.append(np.array([(colder * cols).sum(), (colder * rows).sum()]) / colder.sum())
    rig, true = stated_rig(scene), truth_at(scene, 0.6)
    assert rig.thermal is not None
    assert true.hit_rgb_mm is not None
    wanted_px = rig.thermal.camera.project(rig.thermal.thermal_from_rgb.apply(true.hit_rgb_mm))
    assert np.linalg.norm(places_px[0] - wanted_px) < 1.5
    moved_px = np.linalg.norm(places_px[1] - places_px[0])
    assert moved_px == pytest.approx(270.0 * np.tan(np.radians(2.0)), abs=0.5)


def test_the_stated_rig_is_wrong_by_what_was_asked_for_and_no_more() -> None:
    errors = Errors(focal_pct=0.3, tag_placement_mm=0.2, thermal_lag_s=0.15, skin_tag_size_pct=1.0)
    scene = Scene(errors=errors, skin_tags=(SkinTag(100, 0.0, 0.0),))
    real, stated, plain = real_rig(scene), stated_rig(scene), stated_rig(replace(scene, errors=Errors()))
    assert real.nozzle is not None
    assert stated.nozzle is not None
    assert plain.nozzle is not None
    assert real.thermal is not None
    assert stated.thermal is not None
    assert real.skin is not None
    assert stated.skin is not None
    assert stated.rgb.fx_px / real.rgb.fx_px == pytest.approx(1.003)
    off_mm = (real.nozzle.tags.corners_mm - stated.nozzle.tags.corners_mm).mean(axis=1)
    assert 0.1 < off_mm.std() < 0.3
    assert np.array_equal(stated.nozzle.tags.corners_mm, plain.nozzle.tags.corners_mm)
    assert stated.thermal.rgb_minus_thermal_s - real.thermal.rgb_minus_thermal_s == pytest.approx(0.15)
    assert np.allclose(stated.thermal.thermal_from_rgb.matrix, real.thermal.thermal_from_rgb.matrix)
    assert stated.skin.size_mm == pytest.approx(1.01 * real.skin.size_mm)


def test_faults_of_the_thermal_stream_happen_when_they_should() -> None:
    errors = Errors(thermal_stuck_s=(0.2, 0.4), thermal_missing_s=(0.5, 0.6), shutter_s=(0.65,))
    scene = replace(SMALL, depth_hz=0.0, errors=errors)
    pictures = [picture for capture, _ in captures(scene) for picture in capture.thermal]
    stuck = [p for p in pictures if 0.2 <= p.t_s < 0.4]
    assert all(np.array_equal(p.centikelvin, stuck[0].centikelvin) for p in stuck)
    assert not any(0.5 <= p.t_s < 0.6 for p in pictures)
    assert {p.shutter for p in pictures if p.t_s >= 0.65} == {True}
    assert not any(p.shutter for p in pictures if p.t_s < 0.65)


def test_a_session_folder_gives_the_captures_of_its_scene(tmp_path: Path) -> None:
    scene = replace(SMALL, errors=Errors(thermal_lag_s=0.1, focal_pct=0.3))
    write_session(scene, tmp_path / "session")
    recording = open_recording(tmp_path / "session")
    assert recording.warnings == ()
    assert recording.treatment.zone == treatment_of(scene).zone
    for read, (made, _) in zip(recording.captures(), captures(scene), strict=True):
        assert read.t_s == pytest.approx(made.t_s, abs=1e-5)
        assert read.gas_s == pytest.approx(made.gas_s, abs=1e-5)
        assert [p.t_s for p in read.thermal] == pytest.approx([p.t_s for p in made.thermal], abs=1e-9)
        for ours, theirs in zip(read.thermal, made.thermal, strict=True):
            assert np.array_equal(ours.centikelvin, theirs.centikelvin)
        for ours, theirs in zip(read.depth, made.depth, strict=True):
            assert np.array_equal(ours.depth_mm, theirs.depth_mm)
        assert read.bgr is not None
        assert made.bgr is not None
        assert np.abs(read.bgr.astype(float) - made.bgr).mean() < 3.0
    truth = tmp_path / "session" / "truth"
    with np.load(truth / "captures.npz") as archive:
        assert archive["tip_mm"] == pytest.approx(
            np.array([truth_at(scene, t_s).tip_rgb_mm for t_s in scene.times_s])
        )
    real, _ = read_rig((truth / "rig_true.toml").read_text(), where="rig_true.toml")
    assert recording.rig is not None
    assert real.rgb.fx_px == pytest.approx(recording.rig.rgb.fx_px / 1.003)


def test_a_recorded_session_is_never_replaced_by_a_simulated_one(lumbar: Path) -> None:
    with pytest.raises(InputError, match="not simulated"):
        write_session(SMALL, lumbar)
    assert (lumbar / "rgb.mp4").exists()
