"""Poses for other programs: the same rotation, in metres."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geometry import Pose, rotation_from_rvec
from vision.pose_message import POSE_SCHEMA, pose_in_frame, quaternion_of


def turned(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A vector turned by a quaternion x y z w."""
    return v + 2.0 * np.cross(q[:3], np.cross(q[:3], v) + q[3] * v)


@given(st.tuples(*[st.floats(-3.2, 3.2)] * 3))
def test_a_quaternion_turns_as_its_matrix_does(rvec: tuple[float, float, float]) -> None:
    rotation = rotation_from_rvec(np.array(rvec))
    q = quaternion_of(rotation)
    assert np.linalg.norm(q) == pytest.approx(1.0)
    assert q[3] >= 0.0
    for v in np.eye(3):
        assert turned(q, v) == pytest.approx(rotation @ v, abs=1e-9)


@pytest.mark.parametrize("axis", range(3))
def test_half_turns_are_no_exception(axis: int) -> None:
    rotation = 2.0 * np.outer(np.eye(3)[axis], np.eye(3)[axis]) - np.eye(3)
    assert np.abs(quaternion_of(rotation)) == pytest.approx(np.eye(4)[axis], abs=1e-12)


def test_a_pose_is_told_in_metres_with_its_time_and_frame() -> None:
    pose = Pose.of(np.eye(3), np.array([1.0, -20.0, 900.0]))
    told = json.loads(pose_in_frame(pose, t_ns=5_000_000_007, frame="rgb"))
    assert told["timestamp"] == {"sec": 5, "nsec": 7}
    assert told["frame_id"] == "rgb"
    assert told["pose"]["position"] == {"x": 0.001, "y": -0.02, "z": 0.9}
    assert told["pose"]["orientation"] == {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}


def test_the_schema_names_every_field_that_is_written() -> None:
    def paths(table: dict) -> set[str]:
        return {
            f"{k}.{rest}" if rest else k
            for k, v in table.items()
            for rest in (paths(v) if isinstance(v, dict) else {""})
        }

    def named(schema: dict) -> set[str]:
        return {
            f"{k}.{rest}" if rest else k
            for k, v in schema["properties"].items()
            for rest in (named(v) if "properties" in v else {""})
        }

    told = json.loads(pose_in_frame(Pose.identity(), t_ns=0, frame="rgb"))
    assert paths(told) == named(json.loads(POSE_SCHEMA))
