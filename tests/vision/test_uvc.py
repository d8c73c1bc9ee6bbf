"""Drivers of USB cameras, tried on stand-ins for OpenCV's own class: no real device was at hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from guidance.devices_command import devices
from vision import connected as connected_module
from vision.cameras import Device, DeviceGoneError, WrongFormatError
from vision.connected import Connected, connected, described, driver_of, shown, tried
from vision.uvc import UvcColour, UvcThermalP2, UvcThermalY16, centikelvin_of_p2
from vision.uvc_lepton import UvcLepton

BODY = 30315
"""30 degC."""


class StandIn:
    """Gives one raw picture again and again, as ``cv2.VideoCapture`` would."""

    def __init__(self, raw: np.ndarray | None, *, sizes: tuple[tuple[int, int], ...] = ()) -> None:
        self.raw, self.sizes = raw, sizes
        self.asked: dict[int, float] = {}
        self.released = 0
        self.stamp_ms = 0.0

    def isOpened(self) -> bool:  # noqa: N802
        return self.raw is not None

    def set(self, what: int, value: float) -> bool:
        self.asked[what] = value
        return True

    def get(self, what: int) -> float:
        if what == cv2.CAP_PROP_POS_MSEC:
            return self.stamp_ms
        size = tuple(self.asked.get(k, 0.0) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if self.sizes and size not in self.sizes:
            size = self.sizes[0]
        return float(size[what != cv2.CAP_PROP_FRAME_WIDTH])

    def grab(self) -> bool:
        return self.raw is not None

    def retrieve(self) -> tuple[bool, np.ndarray]:
        assert self.raw is not None
        return True, self.raw

    def release(self) -> None:
        self.released += 1


def colour(stand_in: StandIn) -> UvcColour:
    return UvcColour("/dev/video0", name="A", width_px=64, height_px=48, hz=30.0, opener=lambda _: stand_in)


def lepton(stand_in: StandIn, *, per_count: int = 1) -> UvcThermalY16:
    return UvcThermalY16(
        2, name="L", width_px=160, height_px=120, centikelvin_per_count=per_count, opener=lambda _: stand_in
    )


def read(device: Device) -> np.ndarray:
    device.open()
    return device.read().pixels


def test_a_colour_picture_comes_as_it_is() -> None:
    raw = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    stand_in = StandIn(raw)
    assert np.array_equal(read(colour(stand_in)), raw)
    assert stand_in.asked[cv2.CAP_PROP_FPS] == 30.0
    assert stand_in.asked[cv2.CAP_PROP_BUFFERSIZE] == 1


@pytest.mark.parametrize("form", ["words", "bytes of a row", "two bytes a pixel"])
def test_counts_are_the_same_in_whatever_form_opencv_hands_them_out(form: str) -> None:
    counts = (BODY + np.arange(120 * 160) % 500).astype(np.uint16).reshape(120, 160)
    raw = {
        "words": counts,
        "bytes of a row": counts.view(np.uint8).reshape(1, -1),
        "two bytes a pixel": counts.view(np.uint8).reshape(120, 160, 2),
    }[form]
    assert np.array_equal(read(lepton(StandIn(raw))), counts)


def test_counts_of_a_tenth_of_a_kelvin_become_centikelvin_and_what_does_not_fit_is_no_reading() -> None:
    raw = np.full((120, 160), BODY // 10, np.uint16)
    raw[0, 0] = 7000
    counts = read(lepton(StandIn(raw), per_count=10))
    assert counts[1, 1] == BODY // 10 * 10
    assert counts[0, 0] == 0


def test_the_lower_half_of_a_p2_picture_is_temperature_in_64ths_of_a_kelvin() -> None:
    raw = np.zeros((384, 256, 2), np.uint8)
    words = raw.view(np.uint16).reshape(384, 256)
    words[192:] = round(303.15 * 64)
    words[:192] = 12345
    counts = read(UvcThermalP2(0, name="P2", opener=lambda _: StandIn(raw)))
    assert counts.shape == (192, 256)
    assert np.abs(counts.astype(int) - BODY).max() <= 1


def test_p2_counts_are_right_to_half_a_centikelvin_over_their_range() -> None:
    words = np.arange(1, 41943, dtype=np.uint16)
    exact = words.astype(float) * 100.0 / 64.0
    assert np.abs(centikelvin_of_p2(words) - exact).max() <= 0.5
    assert centikelvin_of_p2(np.array([0, 65535], np.uint16)).tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(48, 64), (120, 160, 3), (50, 64, 3)])
def test_another_format_is_refused_in_words(shape: tuple[int, ...]) -> None:
    with pytest.raises(WrongFormatError, match="instead of 64 x 48"):
        read(colour(StandIn(np.zeros(shape, np.uint8))))
    with pytest.raises(WrongFormatError, match="in 16 bits"):
        read(lepton(StandIn(np.zeros(shape, np.uint8))))


def test_a_device_that_is_not_there_or_goes_is_told() -> None:
    stand_in = StandIn(None)
    with pytest.raises(DeviceGoneError, match="plug it in"):
        colour(stand_in).open()
    assert stand_in.released == 1
    device = colour(StandIn(np.zeros((48, 64, 3), np.uint8)))
    with pytest.raises(DeviceGoneError):
        device.read()
    device.close()
    device.close()


def test_the_drivers_own_stamp_is_taken_where_it_is_on_our_clock() -> None:
    stand_in = StandIn(np.zeros((48, 64, 3), np.uint8))
    device = colour(stand_in)
    device.open()
    stand_in.stamp_ms = 1000.0 * (time.monotonic() - 0.02)
    assert device.read().at_s == pytest.approx(stand_in.stamp_ms / 1000.0)
    for stamp_ms in (0.0, 1000.0 * (time.monotonic() + 50.0), 1000.0 * time.time()):
        stand_in.stamp_ms = stamp_ms
        before_s = time.monotonic()
        assert before_s <= device.read().at_s <= time.monotonic()


# --- what is connected --------------------------------------------------------------------------------------


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up list of the system's: a webcam with two nodes, a Lepton, and a P2 whose name says nothing."""
    monkeypatch.setattr(connected_module.sys, "platform", "linux")
    for node, index, name in (
        ("video0", "0", "Integrated Camera"),
        ("video1", "1", "Integrated Camera"),
        ("video2", "0", "PureThermal (fw:v1.3.0)"),
        ("video10", "0", "USB Camera"),
    ):
        (tmp_path / "class" / node).mkdir(parents=True)
        (tmp_path / "class" / node / "index").write_text(index + "\n")
        (tmp_path / "class" / node / "name").write_text(name + "\n")
    (tmp_path / "by-id").mkdir()
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "video2").touch()
    (tmp_path / "by-id" / "usb-PureThermal").symlink_to(tmp_path / "dev" / "video2")
    monkeypatch.setattr(connected_module, "SYSFS", tmp_path / "class")
    monkeypatch.setattr(connected_module, "BY_ID", tmp_path / "by-id")
    return tmp_path


def opener(address: str | int) -> StandIn:
    if str(address).endswith("video0"):
        return StandIn(np.full((720, 1280, 3), 90, np.uint8), sizes=((1280, 720),))
    if "PureThermal" in str(address):
        return StandIn(np.full((120, 160), BODY, np.uint16))
    if str(address).endswith("video10"):
        return StandIn(np.full((384, 256, 2), 75, np.uint8), sizes=((256, 384),))
    return StandIn(None)


def test_cameras_are_listed_once_and_known_by_name_or_size(system: Path) -> None:
    found = connected(system / "class", system / "by-id", opener=opener)
    assert [one.name for one in found] == ["Integrated Camera", "PureThermal (fw:v1.3.0)", "USB Camera"]
    assert found[1].address == str(system / "by-id" / "usb-PureThermal")
    kinds = [type(driver_of(one, opener=opener)) for one in found]
    assert kinds == [UvcColour, UvcLepton, UvcThermalP2]


def test_elsewhere_the_numbers_that_can_be_opened_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connected_module.sys, "platform", "darwin")

    def only_two(number: str | int) -> StandIn:
        return StandIn(np.zeros((720, 1280, 3), np.uint8) if number == 2 else None)

    assert connected(opener=only_two) == [Connected(2, "camera 2")]


def of(system: Path) -> dict[str, Any]:
    """Where this system lists its cameras, and no camera of another library."""
    return {"sysfs": system / "class", "by_id": system / "by-id", "dev": system / "dev", "own": lambda _: []}


def test_devices_tries_each_and_writes_its_test_picture(
    system: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    works = devices(tmp_path / "out", **of(system), opener=opener)
    assert works == 3
    told = capsys.readouterr().out
    assert "1280 x 720" in told
    assert "160 x 120, 30.0 to 30.0 degC" in told
    assert "2 thermal cameras: say which with --thermal NAME" in told
    assert "colour cameras: say" not in told
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "0-colour.png",
        "1-thermal.png",
        "2-thermal.png",
    ]


def test_devices_lists_what_could_say_whether_gas_flows(
    system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = system / "dev"
    for name in ("serial/by-id/usb-Maker-port0", "input/by-id/usb-Foot-event-kbd", "gpiochip0", "ttyUSB0"):
        (dev / name).parent.mkdir(parents=True, exist_ok=True)
        (dev / name).touch()
    devices(None, **of(system), opener=opener)
    told = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert told[-3:] == [
        f"serial:{dev}/serial/by-id/usb-Maker-port0",
        f"gpio:{dev}/gpiochip0:LINE",
        f"keys:{dev}/input/by-id/usb-Foot-event-kbd",
    ]


def test_a_camera_that_does_not_work_is_told_and_the_others_are_tried(
    system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_gone(address: str | int) -> StandIn:
        return StandIn(None) if str(address).endswith("video0") else opener(address)

    assert devices(None, **of(system), opener=one_gone) == 2
    assert "plug it in" in capsys.readouterr().out


def test_no_camera_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert devices(None, **of(tmp_path), opener=opener) == 0
    told = capsys.readouterr().out
    assert "No camera" in told
    assert "plug one in" in told


def test_a_thermal_test_picture_is_spread_over_its_readings() -> None:
    device = lepton(StandIn(np.linspace(29000, 31000, 120 * 160).astype(np.uint16).reshape(120, 160)))
    found = tried(device)
    assert found.picture is not None
    grey = shown(found.picture, kind="thermal")
    assert (grey.min(), grey.max()) == (0, 255)
    assert "16.9 to 36.9 degC" in described(found.picture, kind="thermal")
