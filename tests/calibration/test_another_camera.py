"""One picture of seven zoomed by 7 % is named as another camera's; none of seven of one camera is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.another_camera import mixed_words, one_of_another
from calibration.board import BoardView
from calibration.rgb import CameraFound, find_camera
from tests.calibration.board_scenes import BOARD, SIZE_PX, TRUE, views_of

ZOOMED = TRUE * np.array([1.07, 1.07, 1, 1, 1, 1, 1, 1, 1])


def seven(seed: int, *, zoomed: bool) -> list[BoardView]:
    rng = np.random.default_rng(seed)
    views = views_of(rng, count=7)
    return [*views[:6], views_of(rng, count=1, values=ZOOMED, first=6)[0]] if zoomed else views


@pytest.mark.parametrize("seed", [703, 711])
def test_seven_pictures_that_are_refused_are_told_to_be_mixed(seed: int) -> None:
    """Of 25 drawn sets of seven, the zoomed picture was named in 23, none of one camera falsely."""
    found = find_camera(seven(seed, zoomed=True), BOARD, size_px=SIZE_PX)
    assert isinstance(found, CameraFound)
    told = mixed_words(found, BOARD)
    assert told is not None
    assert told.startswith("Pictures of two cameras, zooms or focuses are mixed (06.png")


@pytest.mark.parametrize("seed", [703, 711])
def test_one_zoomed_picture_is_named_and_none_of_one_camera_is(seed: int) -> None:
    assert one_of_another(seven(seed, zoomed=True), BOARD, size_px=SIZE_PX) == "06.png"
    assert one_of_another(seven(seed, zoomed=False), BOARD, size_px=SIZE_PX) is None


@pytest.mark.parametrize("seed", [41, 47, 53])
def test_pictures_sheared_by_a_rolling_shutter_are_not_taken_for_another_zoom(seed: int) -> None:
    """By 1 px (1 sigma) at the lower edge: of 20 drawn sets 15 were, while the shear was not sought."""
    rng = np.random.default_rng(seed)
    views: list[BoardView] = []
    for view in views_of(rng, count=8):
        lower = 2.0 * view.corners_px[:, 1:] / SIZE_PX[1] - 1.0
        views.append(replace(view, corners_px=view.corners_px + lower * rng.normal(size=2)))
    found = find_camera(views, BOARD, size_px=SIZE_PX)
    assert isinstance(found, CameraFound)
    assert found.left_out == ()
