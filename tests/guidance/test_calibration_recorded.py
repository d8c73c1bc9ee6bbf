"""Steps that are recorded on calibration's page, from drawn pictures, the outcome held to the truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from calibration.folder_steps import ACCEPTED, REFUSED
from guidance.calibrating.room import CalibrationRoom
from models.capture import Capture
from models.radiometry import UNFLAGGED_MIN, Calibrated
from models.rig_file import read_rig
from tests.calibration.check_scenes import board_session, turned
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.guidance.calibration_stand_in import (
    Scenery,
    Spun,
    edges,
    leaning_collar,
    moved,
    references,
    spinning,
    standing,
    waving,
    whole_rig,
)
from vision.recording import open_recording
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene


def until(holds: Callable[[], bool], *, within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s, "It never held."
        threading.Event().wait(0.01)


def recorded(room: CalibrationRoom, entries: dict[str, str] | None = None) -> None:
    until(lambda: room.phase == "ready")
    room.begin(entries or {})
    assert room.phase == "recording", room.told()[0]["recorded"]
    until(lambda: room.phase != "recording")


def outcome(room: CalibrationRoom) -> dict:
    until(lambda: room.phase == "told")
    told = room.told()[0]["outcome"]
    assert isinstance(told, dict)
    return told


def played(folder: Path) -> Scenery:
    """A session folder, again and again."""

    def shown(_: CalibrationRoom, number: int) -> Iterator[Capture]:
        for round_ in range(3):
            for capture in open_recording(folder).captures():
                yield moved(capture, 3.7 * round_)

    return shown


RIG = replace(real_rig(Scene(size=0.5, depth_hz=0.0)), thermal=real_rig(Scene()).thermal)
"""Colour 640 x 360, thermal 256 x 192."""


@pytest.mark.parametrize(("turned_deg", "state"), [(0.0, ACCEPTED), (2.0, REFUSED)])
def test_a_check_of_five_seconds_tells_a_camera_that_was_turned_from_one_that_was_not(
    turned_deg: float, state: str, tmp_path: Path
) -> None:
    assert RIG.thermal is not None
    pose = turned(RIG, degrees=(0.0, turned_deg, 0.0))
    real = replace(RIG, thermal=replace(RIG.thermal, thermal_from_rgb=pose))
    session = board_session(tmp_path / "session", real, RIG)
    room_of = standing(tmp_path, played(session), steps=("check",), rig=RIG, times_by=RIG)
    with room_of as (room, _):
        recorded(room)
        told = outcome(room)
        assert told["state"] == state, told["lines"]
        cameras = next(line for line in told["lines"] if line.startswith("cameras"))
        assert ("valid" if state == ACCEPTED else "moved") in cameras
        assert (tmp_path / "rig-check.toml").exists()


def test_a_check_to_which_nothing_was_shown_is_no_check(tmp_path: Path) -> None:
    with standing(tmp_path, edges(), steps=("check",), rig=whole_rig()) as (room, _):
        recorded(room)
        told = outcome(room)
        assert told["state"] == REFUSED
        assert "Nothing was shown" in told["lines"][-1]


def test_spread_is_found_from_an_edge_that_is_held_five_times(tmp_path: Path) -> None:
    with standing(tmp_path, edges(share=0.09), steps=("spread",), rig=whole_rig()) as (room, _):
        recorded(room)
        assert outcome(room)["state"] == ACCEPTED
        rig, _ = read_rig((tmp_path / "rig.toml").read_text(), where="rig")
        assert rig.thermal is not None
        assert rig.thermal.spread is not None
        assert rig.thermal.spread.halo is not None
        assert rig.thermal.spread.halo.share == pytest.approx(0.09, abs=0.02)
        assert len(list((tmp_path / "keep" / "spread").glob("*.png"))) == 5


def test_time_is_found_from_a_hand_that_both_cameras_see(tmp_path: Path) -> None:
    rig = whole_rig()
    assert rig.thermal is not None
    late_s = -rig.thermal.rgb_minus_thermal_s + 0.045
    with standing(tmp_path, waving(rig, late_s=late_s), steps=("time",), rig=rig) as (room, _):
        recorded(room)
        assert outcome(room)["state"] == ACCEPTED, outcome(room)["lines"]
        found, _ = read_rig((tmp_path / "rig.toml").read_text(), where="rig")
        assert found.thermal is not None
        assert found.thermal.clock is not None
        assert found.thermal.rgb_minus_thermal_s == pytest.approx(-late_s, abs=0.003)
        assert abs(found.thermal.rgb_minus_thermal_s + late_s) < 2.0 * found.thermal.clock.u95_s


def test_radiometry_is_found_from_two_references_told_by_the_technician(tmp_path: Path) -> None:
    camera = ErringCamera()
    rig = whole_rig(thermal_px=(SIZE[1], SIZE[0]))
    with standing(tmp_path, references(camera, (1.0, 33.0)), steps=("radiometry",), rig=rig) as (room, _):
        recorded(room, {"degc": "0,4", "u95_degc": "0.3", "material": "water"})
        recorded(room, {"degc": "33.5", "u95_degc": "0.3", "material": "tape"})
        assert room.phase == "ready"
        room.enough()
        told = outcome(room)
        assert told["state"] == ACCEPTED, told["lines"]
        found, _ = read_rig((tmp_path / "rig.toml").read_text(), where="rig")
        assert found.thermal is not None
        stated = found.thermal.radiometry
        assert stated is not None
        bound = Calibrated(stated, found.thermal.accuracy_degc, 0.0, UNFLAGGED_MIN)
        for degc in (2.0, 10.0, 20.0, 33.0):
            off = camera.offset_degc + camera.gain * (degc - 20.0)
            says = stated.offset_degc + stated.gain * (degc + off - stated.at_degc)
            assert abs(says - off) < float(bound.bound_degc(np.array(degc)))


def test_the_axis_is_found_from_a_nozzle_that_is_spun_before_the_camera(tmp_path: Path) -> None:
    """The rig's axes lean by 1.4 degrees off the true ones; what is left is to be within the bound."""
    scene = Spun(size=0.5, seconds=30.0)
    lean = np.array([0.02, -0.014, 0.0])
    told = leaning_collar(whole_rig(size=0.5), lean)
    with standing(tmp_path, spinning(scene), steps=("axis",), rig=told) as (room, _):
        recorded(room)
        assert outcome(room)["state"] == ACCEPTED, outcome(room)["lines"]
        found, _ = read_rig((tmp_path / "rig.toml").read_text(), where="rig")
        assert found.nozzle is not None
        true_mm = whole_rig(size=0.5).nozzle
        assert true_mm is not None
        turn, _ = Rotation.align_vectors(
            found.nozzle.tags.corners_mm.reshape(-1, 3), true_mm.tags.corners_mm.reshape(-1, 3)
        )
        off_rad = float(np.arccos(turn.as_matrix()[2, 2]))
        assert found.nozzle_errors.axis_rad2 is not None
        assert off_rad < 2.45 * float(np.sqrt(np.linalg.eigvalsh(found.nozzle_errors.axis_rad2)[-1]))
        assert off_rad < np.radians(0.5)
