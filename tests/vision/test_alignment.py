"""The kernels' derivatives and the alignment's reach."""

from __future__ import annotations

import numpy as np
import pytest

from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import Tags
from tests.vision.tag_scenes import CAMERA, collar, picture, wand
from vision.alignment import Aligned, align
from vision.fiducials import Window, tag_body, window_of
from vision.slide import patch_of, slide_px
from vision.tag_picture import ACROSS, BENT, DOWN, LIGHT, PATTERN, RIGID, tag_rows
from vision.tag_rays import lens_of

TAGS = collar()
BODY = tag_body(TAGS)
POSE = wand((20.0, 60.0, 850.0), lean_deg=40.0, roll_deg=10.0)
LENS = lens_of(CAMERA)
BLUR_PX = 0.8


def rows_of(plate: Floats, bend: Floats, *, blur_px: float = BLUR_PX, lens: Floats = LENS) -> Floats:
    """Rows of one tag, all pixels of its bounding box that lie well within it."""
    light = np.arange(720 * 1280, dtype=float).reshape(720, 1280)  # tells which pixel a row is
    corner = np.zeros(2, np.int64)
    centre, pattern = plate @ np.array([4.0, 4.0, 1.0]), BODY.patterns[0].copy()
    still = np.zeros(2)
    return tag_rows(light, corner, pattern, plate, bend, lens, centre, blur_px, 0.7, 3.0, still)


def change(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Rows of the pixels in both: those of the first, and by how much the pattern changed."""
    _, a, b = np.intersect1d(one[:, LIGHT], other[:, LIGHT], return_indices=True)
    return one[a], other[b, PATTERN] - one[a, PATTERN]


FOLDING = Camera(1280, 720, 700.0, 707.0, 650.0, 345.0, np.array([-0.35, 0.0, 0.001, 0.001, 0.0]))
"""An action camera whose distortion model ends inside the picture."""


def plate_at(ray: Floats, *, depth_mm: float = 300.0, module_mm: float = 4.0) -> Floats:
    """A tag of 8 modules that faces the camera squarely, its middle in a direction (x, y, 1)."""
    corner = depth_mm * ray - 4.0 * module_mm * np.array([1.0, 1.0, 0.0])
    return np.column_stack([[module_mm, 0.0, 0.0], [0.0, module_mm, 0.0], corner])


@pytest.mark.parametrize("turn_deg", [20.0, 140.0, 200.0, 320.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 0.88, 0.92, 0.95, 0.98, 1.02, 1.2, 1.5])
def test_a_tag_is_drawn_before_the_lens_folds_and_never_past_it(share: float, turn_deg: float) -> None:
    """Whatever is drawn lies where the camera has it (measured 0.0003 px at most); a bare
    polynomial draws tags past its fold as well."""
    turn = np.radians(turn_deg)
    radius = share * np.sqrt(FOLDING.fold_square)
    plate = plate_at(np.array([radius * np.cos(turn), radius * np.sin(turn), 1.0]))
    rows = rows_of(plate, np.zeros(0), lens=lens_of(FOLDING))
    assert np.isfinite(np.delete(rows, np.s_[RIGID:BENT], axis=1)).all()  # a rigid tag has no bend
    if share >= 0.98:
        assert len(rows) == 0
    uv = 4.0 * (rows[:, [ACROSS, DOWN]] + 1.0)
    there_px = FOLDING.project(np.column_stack([uv, np.ones(len(uv))]) @ plate.T)
    pixel = rows[:, LIGHT].astype(np.int64)
    np.testing.assert_allclose(there_px, np.column_stack([pixel % 1280, pixel // 1280]), atol=0.003)
    corners = plate @ np.array([[-1.0, 9.0, 9.0, -1.0], [-1.0, -1.0, 9.0, 9.0], [1.0, 1.0, 1.0, 1.0]])
    inside = FOLDING.inside(FOLDING.project(corners.T))
    if share <= 0.8 and inside.all():
        assert len(rows) > 300


@pytest.mark.parametrize("bend", [(0.0, 0.0, 0.0), (-0.015, 0.004, -0.002)])
def test_the_predicted_pattern_changes_as_its_derivatives_say(bend: tuple[float, float, float]) -> None:
    """Differences over small steps. Measured: correlation 0.92 to 0.97, slope 0.98 to 1.09.

    The prediction averages over a box along the tag's sides, which makes it piecewise smooth.
    """
    pose = wand((20.0, 60.0, 450.0), lean_deg=20.0, roll_deg=250.0)
    plate = pose.rotation @ BODY.plates[0]
    plate[:, 2] += pose.translation_mm
    centre = plate @ np.array([4.0, 4.0, 1.0])
    curve = np.array(bend)
    base = rows_of(plate, curve)
    assert len(base) > 300
    steps = [*(1e-3 * np.eye(3)), *(0.05 * np.eye(3))]
    for column, step in enumerate(steps):
        turn = rotation_from_rvec(step) if column < 3 else np.eye(3)
        slide = step if column >= 3 else np.zeros(3)
        moved = turn @ plate
        moved[:, 2] = turn @ (plate[:, 2] - centre) + centre + slide
        size = float(np.abs(step).max())
        if column == 5:  # depth moves little
            moved[:, 2] += 9.0 * slide
            size *= 10.0
        rows, changed = change(base, rows_of(moved, curve))
        assert agree(rows[:, column] * size, changed)
    for column in range(7, BENT):
        other = curve.copy()
        other[column - 7] += 1e-3
        rows, changed = change(base, rows_of(plate, other))
        assert agree(rows[:, column] * 1e-3, changed)
    rows, changed = change(base, rows_of(plate, curve, blur_px=BLUR_PX + 0.02))
    assert agree(rows[:, 6] * 0.02, changed, slope=0.4)  # by second differences: rougher


def agree(expected: Floats, changed: Floats, slope: float = 0.12) -> bool:
    ratio = float(expected @ changed / (expected @ expected))
    return bool(np.corrcoef(expected, changed)[0, 1] > 0.9 and abs(ratio - 1.0) < slope)


def window_round(pose: Pose, pad_px: float = 60.0) -> Window:
    bgr = picture([(TAGS, pose)])
    corners_px = CAMERA.project(pose.apply(TAGS.corners_mm.reshape(-1, 3)))
    window = window_of(
        bgr, low_px=corners_px.min(axis=0) - pad_px, high_px=corners_px.max(axis=0) + pad_px, transfer="srgb"
    )
    assert window is not None
    return window


def laid(window: Window, start: Pose, *, coarse: bool) -> Aligned | None:
    return align(window, BODY, CAMERA, start=start, blur_px=0.8, srgb=True, coarse=coarse)


def test_alignment_reaches_the_pose_from_a_module_away_and_measures_the_blur() -> None:
    """A module is 3.1 mm; measured 0.1 mm at the tip, blur 0.60 px as drawn."""
    window = window_round(POSE)
    for across in ((2.0, 0.0, 6.0), (-1.5, 1.5, -8.0)):
        turn = rotation_from_rvec(np.array([0.008, -0.008, 0.01]))
        start = Pose.of(turn @ POSE.rotation, POSE.translation_mm + across)
        found = laid(window, start, coarse=True)
        assert found is not None
        assert np.linalg.norm(found.rgb_from_body.translation_mm - POSE.translation_mm) < 0.6
        assert found.blur_px == pytest.approx(0.6, abs=0.08)


def test_alignment_refuses_what_is_not_the_collar() -> None:
    window = window_round(POSE)
    far = Pose.of(POSE.rotation, POSE.translation_mm + np.array([30.0, 0.0, 0.0]))
    assert laid(window, far, coarse=False) is None
    other = tag_body(Tags(TAGS.dictionary, TAGS.ids + 50, TAGS.corners_mm))
    assert align(window, other, CAMERA, start=POSE, blur_px=0.8, srgb=True, coarse=False) is None


def test_large_tags_are_aligned_too() -> None:
    """Tags of 170 pixels: aligned at half size."""
    pose = wand((10.0, 30.0, 230.0), lean_deg=40.0, roll_deg=10.0)
    found = laid(window_round(pose), pose, coarse=False)
    assert found is not None
    assert np.linalg.norm(found.rgb_from_body.translation_mm - pose.translation_mm) < 0.3


def test_a_slid_patch_is_found_to_a_pixel() -> None:
    corners_px = CAMERA.project(POSE.apply(TAGS.corners_mm.reshape(-1, 3)))
    patch = patch_of(picture([(TAGS, POSE)]), low_px=corners_px.min(axis=0), high_px=corners_px.max(axis=0))
    assert patch is not None
    shift_mm = np.array([14.0, -9.0, 0.0])
    later = picture([(TAGS, Pose.of(POSE.rotation, POSE.translation_mm + shift_mm))])
    slid = slide_px(patch, later, expected_px=patch.corner_px, reach_px=40.0)
    true_px = shift_mm[:2] * CAMERA.fx_px / float(POSE.apply(BODY.centroid_mm)[2])
    assert slid is not None
    assert np.abs(slid - true_px).max() < 1.5
    assert slide_px(patch, picture([]), expected_px=patch.corner_px, reach_px=40.0) is None
