"""A live Lepton with telemetry. Its rows are made up after the data sheet: no real camera was at hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.played_camera import Clock
from tests.vision.test_uvc import StandIn
from tests.vision.thermal_files import lepton
from vision.cameras import FROZEN_S, Camera, Picture, WrongFormatError
from vision.uvc_lepton import NONSENSE_MOST, UvcLepton

SKIN = np.full((120, 160), 30.0)


def opened(raw: np.ndarray) -> tuple[UvcLepton, StandIn]:
    stand_in = StandIn(raw)
    device = UvcLepton("/dev/video0", name="Lepton", opener=lambda _: stand_in)
    device.open()
    return device, stand_in


def test_telemetry_is_asked_for_and_cut_off() -> None:
    device, stand_in = opened(lepton(SKIN))
    assert stand_in.asked[cv2.CAP_PROP_FRAME_HEIGHT] == 122
    picture = device.read()
    assert picture.pixels.shape == (120, 160)
    assert picture.pixels[0, 0] == 30315
    assert not picture.shutter


def test_a_picture_during_a_shutter_event_is_marked() -> None:
    device, stand_in = opened(lepton(SKIN, shutter=True))
    assert device.read().shutter
    stand_in.raw = lepton(SKIN)
    assert not device.read().shutter


def test_the_unit_is_the_cameras_own_word() -> None:
    device, _ = opened(lepton(SKIN, high=False))
    assert int(device.read().pixels[0, 0]) == pytest.approx(30315, abs=10)


def test_without_telemetry_it_is_read_as_any_core() -> None:
    device, stand_in = opened(lepton(SKIN, shutter=True))
    device.read()
    stand_in.raw = np.full((120, 160), 30315, np.uint16)
    picture = device.read()
    assert picture.pixels[0, 0] == 30315
    assert not picture.shutter
    stand_in.raw = np.full((240, 320), 30315, np.uint16)
    with pytest.raises(WrongFormatError, match="instead of 160 x 120 or 160 x 122"):
        device.read()


@pytest.mark.parametrize(("setting", "words"), [("agc", "AGC"), ("tlinear", "TLinear")])
def test_pictures_that_are_no_temperatures_are_refused(setting: str, words: str) -> None:
    device, _ = opened(lepton(SKIN, **{setting: setting == "agc"}))
    with pytest.raises(WrongFormatError, match=words):
        device.read()


def test_another_emissivity_than_the_rigs_is_refused() -> None:
    device, _ = opened(lepton(SKIN))
    device.emissivity = 0.95
    device.read()
    device.emissivity = 0.98
    with pytest.raises(WrongFormatError, match=r"0\.950, the rig says 0\.980"):
        device.read()


def test_a_picture_whose_telemetry_makes_no_sense_is_left_out_and_a_second_of_them_refused() -> None:
    device, stand_in = opened(np.full((122, 160), 29315, np.uint16))
    for _ in range(NONSENSE_MOST):
        assert device.read().shutter
    with pytest.raises(WrongFormatError, match="makes no sense"):
        device.read()
    stand_in.raw = lepton(SKIN)
    assert not device.read().shutter


def test_a_shutter_event_is_no_frozen_camera_and_a_frozen_one_is() -> None:
    device, stand_in = opened(lepton(SKIN, shutter=True))
    clock = Clock()

    class OnClock(UvcLepton):
        def read(self) -> Picture:
            clock.now_s += 0.11
            return Picture(clock.now_s, *_parts(super().read()))

    device = OnClock("/dev/video0", name="Lepton", opener=lambda _: stand_in)
    camera = Camera(device, clock=clock)
    for _ in range(12):
        camera.turn()
        assert camera.state().ok or camera.state().state == "starting"
    stand_in.raw = lepton(SKIN)
    began_s = clock.now_s
    while camera.state().state != "frozen":
        camera.turn()
        assert clock.now_s - began_s < FROZEN_S + 0.25


def _parts(picture: Picture) -> tuple[np.ndarray, bool]:
    return picture.pixels, picture.shutter
