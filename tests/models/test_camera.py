"""Laws of projecting and back, for every plausible camera, up to and past the fold of its lens."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.camera import Camera
from models.geometry import Bools, Floats


def camera(width: int, height: int, focal: float, *distortion: float) -> Camera:
    return Camera(width, height, focal, 1.01 * focal, 0.51 * width, 0.48 * height, np.array(distortion))


CATALOGUE = {
    "no distortion": camera(1280, 720, 900.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "webcam": camera(1280, 720, 920.0, 0.05, -0.12, 0.001, -0.0008, 0.02),
    "wide webcam": camera(1920, 1080, 1050.0, -0.32, 0.13, 0.0006, 0.0004, -0.02),
    "phone": camera(1920, 1080, 1500.0, 0.12, -0.35, 0.0, 0.0, 0.25),
    "thermal 57 degrees": camera(160, 120, 150.0, -0.30, 0.09, 0.002, -0.003, 0.0),
    "thermal 24 degrees": camera(384, 288, 900.0, -0.25, 0.4, 0.0, 0.0, 0.0),
    "depth": camera(640, 480, 380.0, -0.055, 0.065, -0.0003, 0.0004, -0.02),
    "pincushion": camera(640, 480, 520.0, 0.2, 0.1, -0.001, 0.001, 0.0),
    "action camera, folds inside the picture": camera(1280, 720, 700.0, -0.35, 0.0, 0.001, 0.001, 0.0),
}
"""Distortions as published calibrations of such cameras state them, and one model that ends too early."""

ANY = st.builds(
    lambda fov, *d: camera(1280, 720, 640.0 / np.tan(np.radians(fov / 2.0)), *d),
    st.floats(20.0, 100.0),
    st.floats(-0.4, 0.4),
    st.floats(-0.4, 0.4),
    st.floats(-0.005, 0.005),
    st.floats(-0.005, 0.005),
    st.floats(-0.2, 0.2),
)


def pixel_grid(eye: Camera, step: int = 20) -> Floats:
    x, y = np.meshgrid(np.arange(0, eye.width_px, step), np.arange(0, eye.height_px, step))
    last = [[eye.width_px - 1.0, eye.height_px - 1.0], [0.0, eye.height_px - 1.0]]
    return np.vstack([np.stack([x.ravel(), y.ravel()], axis=1).astype(float), last])


def known(values: Floats) -> Bools:
    return np.asarray(np.isfinite(values).all(axis=-1), np.bool_)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_pixel_seen_along_its_own_ray_is_the_same_pixel(name: str) -> None:
    eye = CATALOGUE[name]
    pixels = pixel_grid(eye)
    rays = eye.unproject(pixels)
    seen = known(rays)
    np.testing.assert_allclose(eye.project(437.0 * rays[seen]), pixels[seen], atol=1e-6)
    assert seen.all() == ("folds" not in name)
    assert seen.mean() > 0.5


@settings(max_examples=60, deadline=None, derandomize=True)
@given(eye=ANY)
def test_whatever_the_lens_a_ray_is_right_or_unknown(eye: Camera) -> None:
    pixels = pixel_grid(eye, 80)
    rays = eye.unproject(pixels)
    seen = known(rays)
    assert known(rays[:, :2]).tolist() == seen.tolist()
    np.testing.assert_allclose(eye.project(rays[seen]), pixels[seen], atol=1e-6)
    assert seen[np.hypot(*(pixels - [eye.cx_px, eye.cy_px]).T) < 0.2 * eye.fx_px].all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(eye=ANY, seed=st.integers(0, 10_000))
def test_a_direction_that_is_projected_comes_back_as_itself(eye: Camera, seed: int) -> None:
    """Right next to the fold the inverse has no bounded slope: rounding by 1e-16 moves it by its root, 1e-8,
    and the allowed residual of 1e-9 by 3e-5."""
    seeded = np.random.default_rng(seed)
    rays = np.column_stack([seeded.uniform(-2.5, 2.5, (200, 2)), np.ones(200)])
    pixels = eye.project(rays * seeded.uniform(1.0, 2000.0, (200, 1)))
    seen = known(pixels)
    back = eye.unproject(pixels[seen])
    # Newton's method may give up within rounding of the fold; nowhere else.
    assert known(back).mean() > 0.97 if seen.any() else True
    np.testing.assert_allclose(back[known(back)], rays[seen][known(back)], atol=1e-4)


def test_past_the_fold_a_point_is_unknown_and_not_drawn_back_into_the_picture() -> None:
    eye = CATALOGUE["action camera, folds inside the picture"]
    radius = np.sqrt(eye.fold_square)
    assert radius == pytest.approx(1.0 / np.sqrt(3.0 * 0.35))
    turn = np.radians([20.0, 160.0, 250.0])
    rays = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(3)])
    far = eye.project(1.3 * radius * rays + [0.0, 0.0, 1.0])
    assert np.isnan(far).all()
    folded, _ = cv2.projectPoints(
        1.3 * radius * rays + [0.0, 0.0, 1.0], np.zeros(3), np.zeros(3), eye.matrix, eye.distortion
    )
    # What the bare polynomial makes of it lies in the picture.
    assert eye.inside(np.asarray(folded, np.float64).reshape(-1, 2)).any()
    assert np.isfinite(eye.project(0.95 * radius * rays + [0.0, 0.0, 1.0])).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(eye=ANY, turn=st.floats(0.0, 6.28))
def test_before_the_fold_farther_out_is_farther_out_in_the_picture(eye: Camera, turn: float) -> None:
    """Pixels move on, never back, along a straight line of directions: what one-to-one means for a lens."""
    out = np.linspace(0.0, 2.5, 400)
    rays = np.column_stack([out * np.cos(turn), out * np.sin(turn), np.ones(400)])
    seen = known(eye.project(rays))
    first = int(np.argmin(seen)) if not seen.all() else len(seen)
    assert not seen[first:].any()  # unknown from the fold on
    along = np.linalg.norm((eye.project(rays[:first]) - [eye.cx_px, eye.cy_px]) / [1.0, 1.01], axis=1)
    assert (np.diff(along) > -1e-3 * eye.fx_px * 2.5 / 400).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(name=st.sampled_from(sorted(CATALOGUE)), seed=st.integers(0, 10_000))
def test_projection_is_opencvs_wherever_it_is_known(name: str, seed: int) -> None:
    eye = CATALOGUE[name]
    seeded = np.random.default_rng(seed)
    points = np.column_stack([seeded.uniform(-600.0, 600.0, (50, 2)), seeded.uniform(200.0, 1500.0, 50)])
    pixels = eye.project(points)
    theirs = cv2.projectPoints(points, np.zeros(3), np.zeros(3), eye.matrix, eye.distortion)[0].reshape(-1, 2)
    np.testing.assert_allclose(pixels[known(pixels)], theirs[known(pixels)], atol=1e-7)


@pytest.mark.parametrize("name", CATALOGUE)
def test_at_and_behind_the_camera_nothing_is_seen(name: str) -> None:
    points = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 0.0], [10.0, 5.0, -300.0], [np.nan, 0.0, 500.0]])
    assert np.isnan(CATALOGUE[name].project(points)).any(axis=1).all()
    assert np.isnan(CATALOGUE[name].unproject(np.array([[np.nan, 3.0]]))).any()


def test_shapes_are_kept() -> None:
    for eye in CATALOGUE.values():
        assert eye.project(np.ones((4, 3, 3))).shape == (4, 3, 2)
        assert eye.unproject(np.zeros((4, 3, 2)) + eye.cx_px).shape == (4, 3, 3)
        assert eye.project(np.array([0.0, 0.0, 9.0])) == pytest.approx([eye.cx_px, eye.cy_px])
        assert eye.unproject(np.array([eye.cx_px, eye.cy_px])) == pytest.approx([0.0, 0.0, 1.0])


@pytest.mark.parametrize("focal", [0.0, -5.0, float("nan"), float("inf")])
def test_a_focal_length_that_is_none_is_refused(focal: float) -> None:
    with pytest.raises(ValueError, match="focal"):
        camera(640, 480, focal, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_distortion_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        camera(640, 480, 500.0, float("nan"), 0.0, 0.0, 0.0, 0.0)
