"""The jet's axis by spin, and what calibration leaves open reaching the nozzle's bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration.axis import find_axis
from calibration.axis_command import turn_to_axis
from calibration.poses_file import TrackedPoses
from calibration.spin import spin_axis, spun_deg
from guidance.cli import main
from models.geometry import Floats, Pose, rotation_from_rvec, unit
from models.nozzle_errors import NozzleErrors
from models.rig_file import read_rig, write_rig
from models.sightings import radius_95_mm
from tests.calibration.pivot_scenes import with_collar
from tests.calibration.spin_scenes import Spinning, spun
from tests.calibration.test_pivot import Turning, poses_of, write_poses

MARKER_MM = np.array([0.0, 0.0, -115.0])


def spin_poses(how: Spinning, seed: int = 0) -> TrackedPoses:
    rotations, translations = spun(how, np.random.default_rng(seed))
    return TrackedPoses(tuple(f"pose {k}" for k in range(len(rotations))), rotations, translations)


def test_exact_poses_give_the_exact_axis_pointing_from_the_tags_to_the_tip() -> None:
    found = find_axis(spin_poses(Spinning(rotation_deg=0.0, translation_mm=0.0)), marker_nozzle_mm=MARKER_MM)
    assert found.axis == pytest.approx(unit(np.array(Spinning().axis)), abs=1e-9)
    assert found.off_tip_mm == pytest.approx(np.linalg.norm(Spinning().near_mm), abs=1e-2)
    assert found.refusal is None


@pytest.mark.parametrize(
    "how", [Spinning(), Spinning(arc_deg=180.0), Spinning(outliers=0.1), Spinning(poses=25)]
)
def test_the_bounds_hold_axis_and_line_in_95_of_100_spins(how: Spinning) -> None:
    """40 spins: 33 or more are within three standard deviations of 95 %."""
    rng, axis_held, line_held = np.random.default_rng(2), 0, 0
    axis = unit(np.array(how.axis))
    for _ in range(40):
        rotations, translations = spun(how, rng)
        found = spin_axis(rotations, translations, robust=True)
        off = np.arccos(min(1.0, abs(float(found.axis @ axis))))
        line_held += float(np.linalg.norm(found.near_mm - how.near)) <= found.near_u95_mm
        axis_held += float(off) <= found.axis_u95_rad
    assert axis_held >= 33
    assert line_held >= 33


def test_bad_poses_are_left_out_by_the_robust_axis() -> None:
    found = find_axis(spin_poses(Spinning(outliers=0.15), seed=3), marker_nozzle_mm=MARKER_MM)
    assert len(found.left_out) >= 4
    off = np.degrees(np.arccos(min(1.0, float(found.axis @ unit(np.array(Spinning().axis))))))
    assert off < np.degrees(found.plain.axis_u95_rad)
    assert off < 0.3


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (Spinning(arc_deg=60.0), "degrees only"),
        (Spinning(wobble_deg=2.0), "wobbled"),
        (Spinning(poses=9), "at least 15"),
        (Spinning(rotation_deg=1.2, translation_mm=1.0, poses=20), "limit 0.5"),
        (Spinning(near_mm=(5.0, 0.0, 0.0)), "passes the tip at"),
    ],
)
def test_what_is_not_good_enough_is_refused_with_the_remedy(how: Spinning, told: str) -> None:
    found = find_axis(spin_poses(how), marker_nozzle_mm=MARKER_MM)
    assert found.refusal is not None
    assert told in found.refusal


def test_the_arc_is_the_turn_less_its_widest_gap() -> None:
    angles = np.radians([0.0, 10.0, 100.0, 200.0])
    rotations = np.array([rotation_from_rvec(np.array([0.0, 0.0, a])) for a in angles])
    assert spun_deg(rotations, np.array([0.0, 0.0, 1.0])) == pytest.approx(200.0)


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.1, -0.2, 0.9), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)])
def test_the_frame_is_turned_so_that_z_is_the_axis(axis: tuple[float, float, float]) -> None:
    way = unit(np.array(axis))
    turn = turn_to_axis(way)
    assert turn @ way == pytest.approx((0.0, 0.0, 1.0), abs=1e-9)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_tip_then_axis_leaves_both_in_the_rig_and_on_the_page(tmp_path: Path, lumbar: Path) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(with_collar((lumbar / "rig.toml").read_text()))
    tip = write_poses(
        tmp_path / "tip", poses_of(Turning(tip_mm=(1.0, -2.0, 3.0), rotation_deg=0.1, cone_deg=25.0))
    )
    assert main(["calibrate", "tip", str(tip), "--rig", str(rig)]) == 0
    spin = write_poses(tmp_path / "spin", spin_poses(Spinning(near_mm=(0.3, 0.0, 0.0))))
    assert main(["calibrate", "axis", str(spin), "--rig", str(rig)]) == 0
    after, warnings = read_rig(rig.read_text(), where="after")
    assert warnings == ()
    assert after.nozzle_errors.tip_mm2 is not None
    assert after.nozzle_errors.axis_rad2 is not None
    again, _ = read_rig(write_rig(after), where="again")
    assert again.nozzle_errors.axis_rad2 == pytest.approx(after.nozzle_errors.axis_rad2)
    page = (tmp_path / "rig-certificate.html").read_text()
    assert "Axis of the jet" in page
    assert "no longer holds" not in page


def test_errors_of_tip_and_axis_scatter_the_jet_as_their_covariances_say() -> None:
    """20 000 draws: means of squares within 4 %."""
    rng = np.random.default_rng(0)
    tip_mm2, axis_rad2 = np.diag([1.0, 4.0, 0.25]), np.array([[4e-4, 1e-4], [1e-4, 1e-4]])
    pose = Pose.of(rotation_from_rvec(np.array([0.4, -0.3, 0.2])), np.array([10.0, -5.0, 800.0]))
    centroid = pose.apply(np.array([0.0, 0.0, -115.0]))
    six = NozzleErrors(tip_mm2, axis_rad2).pose_covariance(pose, centroid)
    for along_mm in (0.0, 150.0):
        point = pose.apply(np.array([0.0, 0.0, along_mm]))
        x, y, z = point - centroid
        way = np.hstack([np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]), np.eye(3)])
        leans = rng.multivariate_normal(np.zeros(2), axis_rad2, 20_000)
        tips = rng.multivariate_normal(np.zeros(3), tip_mm2, 20_000)
        drawn = tips + along_mm * np.column_stack([leans, np.zeros(len(leans))])
        scattered: Floats = pose.rotation @ (drawn.T @ drawn / len(drawn)) @ pose.rotation.T
        assert way @ six @ way.T == pytest.approx(scattered, abs=0.04 * np.trace(scattered))
    assert radius_95_mm(six[3:, 3:]) > 0.0
