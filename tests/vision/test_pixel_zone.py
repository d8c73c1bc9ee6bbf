"""A zone in pixels: on the subject's own side, at the joint, nowhere where landmarks are not believed."""

from __future__ import annotations

import numpy as np
import pytest

from models.body_landmarks import LANDMARKS, NAMES
from models.catalogue import load_zones
from models.geometry import Floats
from models.sightings import Landmarks
from models.zone import Zone
from models.zone_side import zone_on_side
from vision.pixel_zone import pixel_zone

# A person who faces the camera: the subject's left is on the picture's right.
STANDING = {
    "nose": (320, 60), "shoulder": (375, 130), "elbow": (395, 210), "wrist": (400, 280), "hip": (350, 270),
    "knee": (355, 380), "ankle": (358, 480), "heel": (356, 495), "foot_index": (362, 505),
    "pinky": (404, 300), "index": (402, 304), "thumb": (396, 298), "ear": (336, 62), "eye": (328, 54),
    "eye_inner": (325, 54), "eye_outer": (332, 54),
}  # fmt: skip


def person(*, believed: bool = True, mirrored: bool = False) -> Landmarks:
    points = np.full((33, 2), 320.0)
    for k, name in enumerate(NAMES):
        side, _, part = name.partition("_")
        if side == "mouth":
            side, part = part, "eye_inner"
        x, y = STANDING.get(part if side in ("left", "right") else name, (320, 80))
        aside = (x - 320.0) * (1.0 if side == "left" else -1.0) * (-1.0 if mirrored else 1.0)
        points[k] = [320.0 + aside, y]
    ones = np.ones(33)
    return Landmarks(0.0, points, ones, np.zeros((33, 3)), np.full(33, believed))


def outline(zone: Zone, landmarks: Landmarks) -> Floats:
    found = pixel_zone(landmarks, zone=zone)
    assert found is not None
    return found


ONE_SIDED = [zone.name for zone in load_zones().values() if zone.anchor and zone.sides == ("left", "right")]


@pytest.mark.parametrize("mirrored", [False, True], ids=["facing", "turned away"])
@pytest.mark.parametrize("name", ["knee", "elbow", "wrist", "ankle", "calf", "quadriceps"])
def test_the_left_zone_lies_on_the_subjects_left_whichever_way_they_face(name: str, mirrored: bool) -> None:
    landmarks = person(mirrored=mirrored)
    for side in ("left", "right"):
        middle = outline(zone_on_side(load_zones()[name], side), landmarks).mean(0)
        joint = {"calf": "knee", "quadriceps": "knee"}.get(name, name)
        own = landmarks.points_px[LANDMARKS[f"{side}_{joint}"]]
        other = landmarks.points_px[LANDMARKS[f"{'right' if side == 'left' else 'left'}_{joint}"]]
        assert np.linalg.norm(middle - own) < np.linalg.norm(middle - other)


@pytest.mark.parametrize("name", ONE_SIDED)
def test_left_and_right_are_mirror_images_on_a_symmetric_body(name: str) -> None:
    left, right = (
        outline(zone_on_side(load_zones()[name], side), person()).mean(0) for side in ("left", "right")
    )
    assert left[0] - 320.0 == pytest.approx(320.0 - right[0], abs=1.0)
    assert left[1] == pytest.approx(right[1], abs=1.0)


def test_the_knee_is_about_as_large_as_a_knee() -> None:
    """The thigh of this person is 110 px long; a knee zone measures a third to a half of a thigh."""
    size = np.ptp(outline(zone_on_side(load_zones()["knee"], "left"), person()), axis=0)
    assert 0.25 * 110 < size[0] < 0.6 * 110
    assert 0.25 * 110 < size[1] < 0.6 * 110


def test_a_body_twice_as_near_has_a_zone_twice_as_large() -> None:
    zone, far = zone_on_side(load_zones()["knee"], "right"), person()
    near = Landmarks(0.0, 2.0 * far.points_px, far.visibility, far.world_mm, far.believed)
    assert outline(zone, near) == pytest.approx(2.0 * outline(zone, far))


def test_landmarks_that_are_not_believed_place_nothing() -> None:
    zone = zone_on_side(load_zones()["knee"], "left")
    assert pixel_zone(person(believed=False), zone=zone) is None
    landmarks = person()
    for name in ("left_knee", "left_hip"):
        believed = landmarks.believed.copy()
        believed[LANDMARKS[name]] = False
        doubtful = Landmarks(0.0, landmarks.points_px, landmarks.visibility, landmarks.world_mm, believed)
        assert pixel_zone(doubtful, zone=zone) is None


def test_landmarks_that_fall_together_place_nothing() -> None:
    points = np.full((33, 2), 200.0)
    heap = Landmarks(0.0, points, np.ones(33), np.zeros((33, 3)), np.ones(33, bool))
    assert pixel_zone(heap, zone=zone_on_side(load_zones()["knee"], "left")) is None
