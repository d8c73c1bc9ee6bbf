"""The plain solution beside ours, as a page shows it: the numbers are those that the step found."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.beside import Beside, beside_of
from calibration.plain_camera import plain_camera, side_by_side
from calibration.poses_file import TrackedPoses
from calibration.rgb import CameraFound, find_camera
from calibration.rgb_command import told as camera_told
from calibration.tip import find_tip
from calibration.tip_command import told as tip_told
from tests.calibration.board_scenes import BOARD, SIZE_PX, views_of
from tests.calibration.pivot_scenes import Turning, turned


def test_of_the_colour_camera_both_focal_lengths_stand_there_with_our_bound_and_the_verdict() -> None:
    views = views_of(np.random.default_rng(0), count=12)
    found = find_camera(views, BOARD, size_px=SIZE_PX)
    assert isinstance(found, CameraFound)
    beside = side_by_side(found.calibrated, found.views, found.views, BOARD, size_px=SIZE_PX)
    shown = beside_of("rgb", [*camera_told(found, BOARD), *beside, "Accepted."])
    assert isinstance(shown, Beside)
    ours, *plain = shown.rows
    values, sigma = found.calibrated.values, np.sqrt(np.diag(found.calibrated.covariance))
    assert ours[1] == f"{values[0]:.2f} ± {1.96 * sigma[0]:.2f}"
    assert ours[2] == f"{values[1]:.2f} ± {1.96 * sigma[1]:.2f}"
    assert ours[3] == f"{found.calibrated.rms_px:.3f}"
    assert len(plain) == 2  # of a chessboard: corners as is usual, and those that are used here
    same = plain_camera(found.views, BOARD, size_px=SIZE_PX)
    assert plain[1][1:] == (f"{same.fx_px:.2f}", f"{same.fy_px:.2f}", f"{same.rms_px:.3f}")
    assert all(len(row) == len(shown.head) for row in shown.rows)
    assert shown.verdict == beside[-1].replace("Its", "The plain", 1)
    assert not shown.differs


def test_a_plain_focal_length_beyond_the_bound_is_marked() -> None:
    views = views_of(np.random.default_rng(0), count=12, sag_mm=2.0)
    found = find_camera(views, BOARD, size_px=SIZE_PX)
    assert isinstance(found, CameraFound)
    beside = side_by_side(found.calibrated, found.views, found.views, BOARD, size_px=SIZE_PX)
    shown = beside_of("rgb", [*camera_told(found, BOARD), *beside])
    assert isinstance(shown, Beside)
    assert shown.differs
    assert "MORE THAN THE BOUND" in shown.verdict


@pytest.mark.parametrize("slips", [False, True])
def test_of_the_tip_both_places_stand_there_with_their_bounds_and_how_far_they_are_apart(slips: bool) -> None:
    how = Turning(cone_deg=30.0, poses=60)
    rotations, translations = turned(how, np.random.default_rng(2))
    if slips:  # the tip left its dimple in a tenth of the poses
        translations = translations + np.where(np.arange(60) % 10 == 3, 8.0, 0.0)[:, None]
    names = tuple(f"pose {k}" for k in range(60))
    found = find_tip(TrackedPoses(names, rotations, translations), marker_tool_mm=np.zeros(3))
    shown = beside_of("tip", tip_told(found, count=60))
    assert isinstance(shown, Beside)
    ours, plain = shown.rows
    for row, one in ((ours, found.robust), (plain, found.plain)):
        assert row[1] == "({:.3f}, {:.3f}, {:.3f})".format(*one.tip_mm)
        assert row[2] == f"{one.tip_u95_mm:.2f} mm"
        assert row[4] == str(int(one.used.sum()))
    assert shown.differs == (found.differ is not None)
    apart = f"{np.linalg.norm(found.plain.tip_mm - found.robust.tip_mm):.2f} mm apart"
    assert apart in shown.verdict
    assert shown.differs or shown.verdict.endswith("within their bounds.")
    if slips:
        assert int(ours[4]) < int(plain[4])


def test_a_step_without_a_plain_solution_shows_none() -> None:
    assert beside_of("collar", ["robust", "rms 0.1 px."]) is None
    assert beside_of("rgb", ["REFUSED. Only 3 pictures."]) is None
    assert beside_of("tip", []) is None
