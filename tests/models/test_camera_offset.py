"""A reference pins the camera's offset down; hidden, what was known of it fades into the stated accuracy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.camera_offset import BEYOND, CameraOffset, PatchReading, after_shutter, agreed, later, looked

NEW = CameraOffset(accuracy_degc=2.0)
EVEN = PatchReading(off_degc=1.2, noise_u95_degc=0.1, common_u95_degc=0.3, edge_degc=7.0, at_degc=30.0)
FLAT = replace(EVEN, edge_degc=0.1)
PICTURE_S = 0.1


def watched(reading: PatchReading | None, *, pictures: int, camera: CameraOffset = NEW) -> CameraOffset:
    begin_s = 0.0 if camera.t_s is None else camera.t_s
    for k in range(1, pictures + 1):
        camera = looked(camera, reading, t_s=begin_s + PICTURE_S * k)
    return camera


def test_without_a_reference_the_bound_is_the_stated_accuracy_at_any_temperature() -> None:
    assert agreed((), accuracy_degc=2.0).bound_degc(np.array([-5.0, 33.0])) == pytest.approx([2.0, 2.0])


def test_a_reference_gives_the_offset_within_its_own_bound() -> None:
    camera = watched(EVEN, pictures=10)
    assert camera.sight == "seen"
    assert camera.off_degc == pytest.approx(1.2, abs=0.02)
    assert 0.3 <= camera.u95_degc < 0.4


@given(pictures=st.integers(1, 400), u95_degc=st.floats(0.05, 1.0))
def test_no_number_of_looks_makes_the_offset_better_known_than_the_reference(
    pictures: int, u95_degc: float
) -> None:
    camera = watched(replace(EVEN, common_u95_degc=u95_degc), pictures=pictures)
    assert camera.u95_degc >= 0.99 * u95_degc


def test_far_from_the_references_temperature_the_bound_is_wider() -> None:
    bound = watched(EVEN, pictures=10).bound_degc(np.array([30.0, 15.0, 2.0]))
    assert bound[0] < bound[1] < bound[2]
    assert bound[2] == pytest.approx(np.hypot(bound[0], 0.02 * 28.0))


def test_a_hidden_reference_is_held_with_a_bound_that_grows_to_the_stated_accuracy() -> None:
    camera = watched(EVEN, pictures=10)
    bounds, offs = [], []
    for after_s in (0.0, 5.0, 30.0, 120.0, 600.0, 7200.0):
        held = looked(camera, None, t_s=1.0 + after_s)
        assert held.sight == "hidden"
        bounds.append(held.u95_degc)
        offs.append(held.off_degc)
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(2.0, abs=0.01)
    assert offs == sorted(offs, reverse=True)
    assert offs[-1] == pytest.approx(0.0, abs=0.01)


@given(first_s=st.floats(0.0, 300.0), then_s=st.floats(0.0, 300.0))
def test_fading_in_two_steps_is_fading_in_one(first_s: float, then_s: float) -> None:
    camera = watched(EVEN, pictures=5)
    assert camera.t_s is not None
    end_s = camera.t_s + first_s + then_s
    once, twice = later(camera, t_s=end_s), later(later(camera, t_s=camera.t_s + first_s), t_s=end_s)
    assert twice.off_degc == pytest.approx(once.off_degc)
    assert twice.u95_degc == pytest.approx(once.u95_degc)


def test_an_even_hand_before_the_reference_is_told_by_its_edge() -> None:
    """It reads 1 degC warmer than the reference, no more than a camera may step."""
    camera = watched(EVEN, pictures=10)
    hand = replace(EVEN, off_degc=2.2, edge_degc=0.2)
    covered = watched(hand, pictures=200, camera=camera)
    assert covered.sight == "hidden"
    assert covered.off_degc == pytest.approx(1.2, abs=0.05)
    assert covered.u95_degc > camera.u95_degc
    assert watched(EVEN, pictures=3, camera=covered).sight == "seen"


def test_where_no_edge_tells_a_jump_is_not_followed() -> None:
    camera = watched(FLAT, pictures=10)
    assert watched(replace(FLAT, off_degc=2.2), pictures=1, camera=camera).sight == "hidden"


def test_a_step_of_the_camera_moves_both_sides_of_the_edge_and_is_followed_at_once() -> None:
    camera = watched(EVEN, pictures=50)
    stepped = watched(replace(EVEN, off_degc=0.2), pictures=1, camera=camera)
    assert stepped.off_degc == pytest.approx(0.2, abs=0.1)


def test_a_shutter_event_widens_the_bound_until_the_reference_is_read_again() -> None:
    camera = watched(FLAT, pictures=10)
    after = after_shutter(camera)
    assert after.u95_degc == pytest.approx(np.hypot(camera.u95_degc, 1.0), abs=0.01)
    again = watched(replace(FLAT, off_degc=0.5), pictures=2, camera=after)
    assert again.sight == "seen"
    assert again.off_degc == pytest.approx(0.5, abs=0.05)


def test_a_drift_is_followed_within_the_bound() -> None:
    """0.1 degC a second, ten pictures a second."""
    camera = NEW
    for k in range(200):
        true_degc = 0.01 * k
        camera = looked(camera, replace(EVEN, off_degc=true_degc), t_s=PICTURE_S * k)
        assert abs(camera.off_degc - true_degc) <= camera.u95_degc
    assert camera.sight == "seen"


def test_a_reference_far_beyond_the_cameras_accuracy_contradicts_and_changes_nothing() -> None:
    off_degc = 1.01 * BEYOND * float(np.hypot(2.0, 0.3))
    camera = agreed((watched(replace(EVEN, off_degc=off_degc), pictures=20),), accuracy_degc=2.0)
    assert camera.sight == "contradicts"
    assert (camera.off_degc, camera.u95_degc) == (0.0, 2.0)


def test_of_two_references_the_better_known_counts_and_two_that_contradict_do_not() -> None:
    good, poor = watched(EVEN, pictures=5), watched(replace(EVEN, common_u95_degc=0.8), pictures=5)
    assert agreed((poor, good), accuracy_degc=2.0) is good
    other = watched(replace(EVEN, off_degc=-0.5), pictures=5)
    both = agreed((good, other), accuracy_degc=2.0)
    assert (both.sight, both.off_degc, both.u95_degc) == ("contradicts", 0.0, 2.0)
