"""Checks of body landmarks, on a standing figure made from anthropometry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.body_landmarks import EXCHANGED, LANDMARKS, NAMES, believe, same_body
from models.geometry import Bools, Floats

WIDTH_PX, HEIGHT_PX = 1280, 720

# Left half of a figure of 1.75 m that faces the camera, mm from the middle of the hips; right is its mirror.
LEFT_HALF = {
    "eye_inner": (15, -640, -60),
    "eye": (30, -640, -55),
    "eye_outer": (45, -640, -45),
    "ear": (70, -620, 20),
    "shoulder": (165, -480, 0),
    "elbow": (230, -240, 0),
    "wrist": (250, -10, -40),
    "pinky": (265, 70, -40),
    "index": (250, 80, -60),
    "thumb": (240, 40, -60),
    "hip": (105, 0, 0),
    "knee": (110, 400, -10),
    "ankle": (115, 780, 30),
    "heel": (115, 820, 60),
    "foot_index": (130, 840, -90),
}


@dataclass(frozen=True)
class Figure:
    points_px: Floats
    visibility: Floats
    world_mm: Floats

    def believed(self) -> Bools:
        return believe(self.points_px, self.visibility, self.world_mm, width_px=WIDTH_PX, height_px=HEIGHT_PX)

    def names(self) -> set[str]:
        return {name for name, yes in zip(NAMES, self.believed(), strict=True) if yes}


def standing(
    *, scale: float = 0.4, turn_rad: float = 0.0, x_px: float = 640.0, y_px: float = 320.0
) -> Figure:
    world = np.zeros((len(NAMES), 3))
    for part, (x, y, z) in LEFT_HALF.items():
        world[LANDMARKS[f"left_{part}"]] = x, y, z
        world[LANDMARKS[f"right_{part}"]] = -x, y, z
    world[LANDMARKS["nose"]] = 0, -610, -90
    world[LANDMARKS["mouth_left"]] = 20, -580, -70
    world[LANDMARKS["mouth_right"]] = -20, -580, -70
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    world = world @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    return Figure(scale * world[:, :2] + [x_px, y_px], np.full(len(NAMES), 0.95), world)


def stretched(figure: Figure, names: tuple[str, ...], factor: float) -> Figure:
    """The same figure with some metric landmarks moved away from (or towards) the hips."""
    world = figure.world_mm.copy()
    rows = [LANDMARKS[name] for name in names]
    world[rows] *= factor
    return replace(figure, world_mm=world)


def test_left_and_right_are_each_others_partners() -> None:
    assert np.array_equal(EXCHANGED[EXCHANGED], np.arange(len(NAMES)))
    assert NAMES[EXCHANGED[LANDMARKS["left_knee"]]] == "right_knee"
    assert EXCHANGED[LANDMARKS["nose"]] == LANDMARKS["nose"]


def test_a_whole_body_in_view_is_believed() -> None:
    assert standing().believed().all()


@settings(max_examples=60, deadline=None)
@given(
    scale=st.floats(0.15, 0.34),
    turn_rad=st.floats(-3.2, 3.2),
    x_px=st.floats(330.0, 950.0),
    y_px=st.floats(330.0, 390.0),
)
def test_size_place_and_turn_in_the_picture_do_not_matter(
    scale: float, turn_rad: float, x_px: float, y_px: float
) -> None:
    assert standing(scale=scale, turn_rad=turn_rad, x_px=x_px, y_px=y_px).believed().all()


def test_without_both_shoulders_in_view_nothing_is_believed() -> None:
    assert not standing(scale=1.2, y_px=100.0).believed().any()
    hidden = standing()
    visibility = hidden.visibility.copy()
    visibility[LANDMARKS["left_shoulder"]] = 0.2
    assert not replace(hidden, visibility=visibility).believed().any()


def test_without_hips_only_head_and_arms_are_believed() -> None:
    names = standing(scale=1.0, y_px=760.0).names()
    assert {"nose", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"} <= names
    assert not names & {"left_hip", "right_hip", "left_knee", "right_knee"}


@pytest.mark.parametrize("factor", [0.4, 0.7, 1.4])
def test_a_trunk_of_no_human_length_takes_everything_with_it(factor: float) -> None:
    upper = tuple(name for name in NAMES if standing().world_mm[LANDMARKS[name], 1] < 0)
    assert not stretched(standing(), upper, factor).believed().any()


def test_hips_as_wide_as_a_hand_are_no_hips() -> None:
    assert not stretched(standing(), ("left_hip", "right_hip"), 0.3).believed().any()


def test_one_long_shank_costs_that_leg_its_ankle_and_foot_only_and_the_other_its_own() -> None:
    lost = set(NAMES) - stretched(standing(), ("left_ankle", "left_heel", "left_foot_index"), 1.35).names()
    assert lost == {
        f"{side}_{part}" for side in ("left", "right") for part in ("ankle", "heel", "foot_index")
    }


def test_a_thigh_unlike_the_other_costs_both_legs() -> None:
    names = stretched(standing(), ("left_knee",), 0.5).names()
    assert not names & {"left_knee", "right_knee", "left_ankle", "right_ankle"}
    assert {"left_hip", "right_hip", "left_elbow", "right_wrist"} <= names


def test_a_joint_at_the_edge_whose_limb_goes_on_outside_is_not_believed() -> None:
    names = standing(scale=0.8, y_px=390.0).names()
    assert "left_hip" in names
    assert not names & {"left_knee", "right_knee", "left_ankle"}


def test_picture_points_that_contradict_the_metric_ones_are_not_believed() -> None:
    figure = standing()
    points = figure.points_px.copy()
    for name in ("left_hip", "right_hip", "left_knee", "right_knee"):
        points[LANDMARKS[name], 0] += 150.0
    assert not replace(figure, points_px=points).believed().any()


def test_points_that_are_no_numbers_are_not_believed() -> None:
    figure = standing()
    points = figure.points_px.copy()
    points[LANDMARKS["left_wrist"]] = np.nan
    assert not replace(figure, points_px=points).believed().any()


def test_distance_between_two_bodies_is_counted_in_trunks() -> None:
    figure = standing(scale=0.4)
    trunk_px = 0.4 * 480
    assert same_body(figure.points_px, figure.points_px, whole=True) == 0.0
    aside_px = figure.points_px + np.array([0.1 * trunk_px, 0.0])
    assert same_body(figure.points_px, aside_px, whole=True) == pytest.approx(0.1)
