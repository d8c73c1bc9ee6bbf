"""Depth pictures: points of the limb that was meant, without nozzle, hand, edges and the other leg."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.capture import DepthPicture
from models.geometry import Floats
from tests.models.limb_points import Limb
from tests.rendered_limb import RenderedLimb, nozzle_over
from vision.depth import (
    at_rgb_pixels,
    body_part,
    depth_points,
    limb_axis,
    outward_normal,
)

SCENE = RenderedLimb()
DEPTH = SCENE.rig.depth
assert DEPTH is not None
BARREL = replace(DEPTH.camera, distortion=np.array([-0.9, 0.0, 0.0, 0.0, 0.0]))
FOLDING = replace(SCENE.rig, depth=replace(DEPTH, camera=BARREL))
"""Its depth camera's distortion model ends inside the picture."""
LEGS = (SCENE, RenderedLimb(limb=replace(SCENE.limb, aside_mm=140.0)))


def two_legs() -> DepthPicture:
    """Side by side, 20 mm of couch between them."""
    one, other = (leg.depth(0.0, seed=k) for k, leg in enumerate(LEGS))
    return DepthPicture(0.0, np.minimum(one.depth_mm, other.depth_mm))


def off_mm(points: Floats, limb: Limb = SCENE.limb) -> Floats:
    return np.abs(limb.outside_mm(points))


def test_readings_become_points_of_the_limb_in_the_colour_cameras_frame() -> None:
    points = depth_points(SCENE.depth(0.0, noise_mm=0.0), rig=SCENE.rig, nozzle=None)
    near = points.points_rgb_mm[points.smooth & (points.points_rgb_mm[..., 2] < SCENE.limb.deep_mm + 50.0)]
    assert len(near) > 3000
    assert off_mm(near).max() < 1.0


def test_no_reading_is_no_point() -> None:
    picture = SCENE.depth(0.0)
    holed = picture.depth_mm.copy()
    holed[100:110] = 0
    points = depth_points(DepthPicture(0.0, holed), rig=SCENE.rig, nozzle=None)
    assert np.isnan(points.points_rgb_mm[100:110]).all()
    assert not points.smooth[100:110].any()
    assert points.smooth[90, 50]


def test_the_edge_between_limb_and_couch_is_not_smooth() -> None:
    points = depth_points(SCENE.depth(0.0, noise_mm=0.0), rig=SCENE.rig, nozzle=None)
    step = np.abs(np.diff(points.points_rgb_mm[..., 2], axis=1)) > 100.0
    assert step.any()
    assert not points.smooth[:, 1:][step].any()
    assert not points.smooth[:, :-1][step].any()


def test_nozzle_and_hand_are_taken_out() -> None:
    nozzle = nozzle_over(SCENE.limb.centre_mm, t_s=0.0, distance_mm=40.0)
    picture = SCENE.depth(0.0)
    assert SCENE.rig.depth is not None
    depth_from_rgb = SCENE.rig.depth.depth_from_rgb
    along = nozzle.tip_rgb_mm - np.linspace(5.0, 300.0, 60)[:, None] * nozzle.axis_rgb
    there = depth_from_rgb.apply(along)
    px = np.rint(SCENE.rig.depth.camera.project(there)).astype(int)
    drawn = picture.depth_mm.copy()
    drawn[px[:, 1], px[:, 0]] = np.rint(there[:, 2]).astype(np.uint16)
    points = depth_points(DepthPicture(0.0, drawn), rig=SCENE.rig, nozzle=nozzle)
    assert np.isnan(points.points_rgb_mm[px[:, 1], px[:, 0]]).all()


@pytest.mark.parametrize("leg", [0, 1])
def test_only_the_leg_under_the_finger_is_taken(leg: int) -> None:
    points = depth_points(two_legs(), rig=SCENE.rig, nozzle=None)
    limb = LEGS[leg].limb
    part = body_part(points, seed_rgb_mm=limb.centre_mm, rig=SCENE.rig, reach_mm=250.0)
    assert len(part) > 1500
    assert np.percentile(off_mm(part, limb), 99) < 12.0
    assert np.linalg.norm(part - limb.centre_mm, axis=1).max() <= 250.0


def test_a_place_of_the_picture_is_found_in_space() -> None:
    """Measured: 1.4 mm at most with 2.5 mm of noise; the median of some thirty readings."""
    points = depth_points(SCENE.depth(0.0), rig=SCENE.rig, nozzle=None)
    places = SCENE.limb.at(np.radians([-30.0, 0.0, 25.0]), np.array([-80.0, 0.0, 60.0]))
    found = at_rgb_pixels(points, SCENE.rig.rgb.project(places), rig=SCENE.rig)
    assert np.linalg.norm(found - places, axis=1).max() < 4.0
    beside = at_rgb_pixels(points, np.array([[-200.0, 50.0]]), rig=SCENE.rig)
    assert np.isnan(beside).all()


def test_the_normal_points_out_of_the_skin_towards_the_camera() -> None:
    for angle, y in ((0.0, 0.0), (0.5, 40.0), (-0.6, -60.0)):
        place = SCENE.limb.at(np.array(angle), np.array(y))
        normal = outward_normal(SCENE.limb.seen(), centre_rgb_mm=place, radius_mm=25.0)
        assert normal is not None
        assert np.degrees(np.arccos(normal @ SCENE.limb.normal(place))) < 5.0


def test_few_points_have_no_normal_and_no_axis() -> None:
    few = SCENE.limb.seen()[:15]
    assert outward_normal(few, centre_rgb_mm=few[0], radius_mm=500.0) is None
    assert limb_axis(few, centre_rgb_mm=few[0], radius_mm=500.0) is None


@pytest.mark.parametrize("taper", [0.0, -0.1, 0.12])
def test_a_limbs_axis_is_the_way_its_skin_bends_least(taper: float) -> None:
    """On a tapered limb that is along its front, which leans against the axis by the taper."""
    limb = Limb(radius_mm=55.0, taper=taper)
    axis = limb_axis(limb.seen(), centre_rgb_mm=limb.centre_mm, radius_mm=165.0)
    assert axis is not None
    assert np.degrees(np.arcsin(abs(axis[0]))) < 2.0
    assert np.degrees(np.arccos(abs(axis[1]))) < 2.0 + 1.4 * np.degrees(abs(taper))


def test_readings_past_what_the_lens_is_known_for_are_no_points() -> None:
    points = depth_points(SCENE.depth(0.0, noise_mm=0.0), rig=FOLDING, nozzle=None)
    unknown = np.isnan(points.points_rgb_mm).any(axis=-1)
    assert 0.02 < unknown.mean() < 0.5
    assert not points.smooth[unknown].any()
    assert np.isfinite(points.points_rgb_mm[points.smooth]).all()
    part = body_part(points, seed_rgb_mm=SCENE.limb.centre_mm, rig=FOLDING, reach_mm=250.0)
    assert len(part) > 500
    assert np.isfinite(part).all()


@pytest.mark.parametrize(
    "seed_mm", [(0.0, 0.0, -500.0), (0.0, 0.0, 0.0), (np.nan, np.nan, np.nan), (3000.0, 0.0, 900.0)]
)
def test_a_place_that_the_depth_camera_cannot_see_lies_on_nothing(
    seed_mm: tuple[float, float, float],
) -> None:
    """Behind it, at its centre, nowhere, and past the fold of its lens."""
    points = depth_points(SCENE.depth(0.0), rig=FOLDING, nozzle=None)
    part = body_part(points, seed_rgb_mm=np.array(seed_mm), rig=FOLDING, reach_mm=5000.0)
    assert part.shape == (0, 3)


def test_a_rig_without_a_depth_camera_is_told() -> None:
    with pytest.raises(ValueError, match="no depth camera"):
        depth_points(SCENE.depth(0.0), rig=replace(SCENE.rig, depth=None), nozzle=None)
