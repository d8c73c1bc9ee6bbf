"""How a reference of known temperature is read from a thermal picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.camera_offset import PatchReading
from models.geometry import Bools, Floats
from models.treatment import Reference
from vision.point_spread import USUAL
from vision.reference_patch import PatchPlace, place_of, read_patch, shown_degc

ROOM_DEGC = 23.0
OUTLINE_PX = np.array([[40.0, 30.0], [70.0, 30.0], [70.0, 60.0], [40.0, 60.0]])
PATCH = Reference("thermal", OUTLINE_PX, degc=32.0, u95_degc=0.2, emissivity=0.98)
CLEAR = np.zeros((120, 160), np.bool_)


def picture(*, degc: float = 32.0, off_degc: float = 0.0, round_degc: float = 29.0) -> Floats:
    """The patch among warmer surroundings than the room, blurred by the camera."""
    true = np.full(CLEAR.shape, round_degc)
    cv2.fillPoly(true, [OUTLINE_PX.astype(np.int32)], (degc,))
    noise = np.random.default_rng(7).normal(0.0, 0.06, true.shape)
    return np.asarray(cv2.GaussianBlur(true, (0, 0), 0.9), np.float64) + off_degc + noise


def place() -> PatchPlace:
    found = place_of(PATCH, None, *CLEAR.shape)
    assert found is not None
    return found


def read(degc: Floats, *, hidden: Bools = CLEAR, reference: Reference = PATCH) -> PatchReading | None:
    return read_patch(
        degc,
        hidden,
        place(),
        reference,
        spread=USUAL,
        camera_emissivity=0.98,
        room_degc=ROOM_DEGC,
    )


@pytest.mark.parametrize("off_degc", [-1.5, 0.0, 0.7])
def test_the_cameras_offset_is_read_off_the_middle_of_the_patch(off_degc: float) -> None:
    reading = read(picture(off_degc=off_degc))
    assert reading is not None
    assert reading.off_degc == pytest.approx(off_degc, abs=0.05)
    assert reading.common_u95_degc >= PATCH.u95_degc
    assert reading.edge_degc == pytest.approx(3.0, abs=0.1)


def test_no_pixel_near_the_outline_is_read() -> None:
    found = place()
    y, x = np.nonzero(found.inside)
    assert (x + found.left).min() >= 43
    assert (x + found.left).max() <= 67
    assert (y + found.top).min() >= 33
    assert (y + found.top).max() <= 57
    assert found.inside.sum() == 25 * 25


def test_a_patch_behind_nozzle_or_hand_is_not_read() -> None:
    hidden = CLEAR.copy()
    hidden[:, :52] = True
    assert read(picture(), hidden=hidden) is None


def test_a_patch_half_covered_by_something_warmer_is_not_read() -> None:
    covered = picture()
    covered[30:61, 40:58] = 34.0
    assert read(covered) is None


def test_a_patch_without_readings_is_not_read() -> None:
    assert read(np.full(CLEAR.shape, np.nan)) is None


def test_a_patch_too_small_to_have_an_inside_or_outside_the_picture_has_no_place() -> None:
    small = replace(PATCH, outline_px=np.array([[10.0, 10.0], [16.0, 10.0], [16.0, 16.0], [10.0, 16.0]]))
    assert place_of(small, None, *CLEAR.shape) is None
    assert place_of(replace(PATCH, outline_px=OUTLINE_PX + 500.0), None, *CLEAR.shape) is None
    assert place_of(replace(PATCH, stream="rgb"), None, *CLEAR.shape) is None


def test_what_a_shiny_reference_mirrors_of_the_room_is_reckoned_with() -> None:
    """Exchange of radiation: emissivity times its own and the rest of the room's, Planck at 10 micrometres.

    At 5 degC, emissivity 0.90, room 23 degC: 0.08 of about 17 degC are mirrored, 1.3 to 1.7 degC warmer.
    """
    same = shown_degc(5.0, emissivity=0.98, camera_emissivity=0.98, room_degc=ROOM_DEGC)
    assert same == pytest.approx(5.0, abs=1e-9)
    shiny = shown_degc(5.0, emissivity=0.90, camera_emissivity=0.98, room_degc=ROOM_DEGC)
    assert 6.3 < shiny < 6.7
    assert shown_degc(23.0, emissivity=0.5, camera_emissivity=0.98, room_degc=23.0) == pytest.approx(23.0)


def test_a_reference_of_another_emissivity_than_the_cameras_is_doubted_more() -> None:
    warm = replace(PATCH, degc=60.0)
    mild, hot = read(picture()), read(picture(degc=60.0), reference=warm)
    assert mild is not None
    assert hot is not None
    assert hot.common_u95_degc > mild.common_u95_degc + 0.3
