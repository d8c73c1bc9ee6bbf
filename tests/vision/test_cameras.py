"""Live cameras: faults known within half a second, recovery without a restart. No real device was at hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from models.capture import Capture
from models.geometry import Bytes, Counts
from models.rig_file import read_rig
from tests.timed_device import Start, TimedDevice
from tests.vision.played_camera import Clock, PlayedCamera
from tests.vision.turns import run, told_after_s
from vision.cameras import COLOUR, DEPTH, THERMAL, Camera, Picture
from vision.live_cameras import LiveCameras
from vision.pairing import Arrived, Pairing
from vision.recording import open_recording

DUE_S = 0.5


@pytest.fixture(scope="module")
def captures(calf: Path) -> list[Capture]:
    """Real pictures of a simulated session."""
    return list(islice(open_recording(calf).captures(), 12))


@pytest.fixture(scope="module")
def colour(captures: list[Capture]) -> list[Bytes]:
    return [capture.bgr for capture in captures if capture.bgr is not None]


@pytest.fixture(scope="module")
def thermal(captures: list[Capture]) -> list[Counts]:
    return [picture.centikelvin for capture in captures for picture in capture.thermal]


@pytest.fixture(scope="module")
def depth(captures: list[Capture]) -> list[Counts]:
    return [picture.depth_mm for capture in captures for picture in capture.depth]


def played(
    pictures: list, *, kind: str = "colour", hz: float = 30.0, keep: int = 1
) -> tuple[Camera, PlayedCamera]:
    clock = Clock()
    device = PlayedCamera(pictures, clock, kind=kind, hz=hz, interval_s=1.0 / hz)
    return Camera(device, keep=keep, clock=clock), device


def test_a_camera_that_works_is_ok(colour: list[Bytes]) -> None:
    camera, device = played(colour)
    assert camera.state().state == "starting"
    run(camera, device, 1.0)
    state = camera.state()
    assert state.ok
    assert state.words == ""
    assert state.hz == pytest.approx(30.0)


@pytest.mark.parametrize("shift_s", [5.0, -5.0])
def test_a_clock_that_jumps_is_told_and_gives_no_picture_until_it_is_right(
    colour: list[Bytes], shift_s: float
) -> None:
    """A picture of the future would keep every later one from being newer, and guidance would stand still."""
    camera, device = played(colour)
    run(camera, device, 1.0)
    camera.take()
    device.shift_s = shift_s
    assert told_after_s(camera, device, "wrong_clock") < DUE_S
    assert "wrong times" in camera.state().words
    assert camera.take() == ()
    device.shift_s = 0.0
    run(camera, device, 0.5)
    assert camera.state().ok
    assert [picture.at_s for picture in camera.take()] == [device.clock.now_s]


@pytest.mark.parametrize(
    ("kind", "hz"), [("colour", 30.0), ("colour", 15.0), (THERMAL, 25.0), (THERMAL, 9.0), (DEPTH, 30.0)]
)
@pytest.mark.parametrize("fault", ["unplugged", "frozen", "wrong format", "slow"])
def test_a_fault_is_told_within_half_a_second_and_goes_with_its_cause(
    colour: list[Bytes], thermal: list[Counts], depth: list[Counts], kind: str, hz: float, fault: str
) -> None:
    camera, device = played({THERMAL: thermal, DEPTH: depth}.get(kind, colour), kind=kind, hz=hz)
    run(camera, device, 1.0)
    assert camera.state().ok
    if fault == "slow":
        device.interval_s = min(3.0 / hz, 0.34)
    else:
        device.fault = fault
    assert told_after_s(camera, device, fault.replace(" ", "_")) <= DUE_S
    assert camera.state().words
    run(camera, device, 1.0)
    device.fault, device.interval_s = "", 1.0 / hz
    assert told_after_s(camera, device, "ok") <= 1.0
    run(camera, device, 0.5)
    assert len(camera.take()) == 1


def test_a_driver_that_hangs_in_a_read_does_not_hide_that_nothing_comes(colour: list[Bytes]) -> None:
    camera, device = played(colour)
    run(camera, device, 1.0)
    device.clock.now_s += 0.3
    assert camera.state().state in ("ok", "slow")
    device.clock.now_s += 0.1
    assert camera.state().state == "silent"


def test_a_device_that_was_never_there_is_told(colour: list[Bytes]) -> None:
    camera, device = played(colour)
    device.fault = "unplugged"
    run(camera, device, 0.1)
    assert camera.state().state == "unplugged"
    assert "plug it in" in camera.state().words
    assert camera.take() == ()


def test_pictures_of_before_a_fault_are_not_given_after_it(colour: list[Bytes]) -> None:
    camera, device = played(colour)
    run(camera, device, 0.5)
    device.fault = "unplugged"
    run(camera, device, 0.5)
    assert camera.take() == ()


def test_one_late_picture_is_no_slow_camera(colour: list[Bytes]) -> None:
    camera, device = played(colour)
    run(camera, device, 1.0)
    device.interval_s = 0.2
    camera.turn()
    assert camera.state().ok
    device.interval_s = 1.0 / 30.0
    camera.turn()
    assert camera.state().ok


def test_a_shutter_event_is_no_frozen_camera(thermal: list[Counts]) -> None:
    clock = Clock()

    class WithShutter(PlayedCamera):
        def read(self) -> Picture:
            picture = super().read()
            return Picture(picture.at_s, picture.pixels, shutter=self.fault == "frozen")

    device = WithShutter(thermal, clock, kind=THERMAL, hz=9.0, interval_s=1.0 / 9.0)
    camera = Camera(device, clock=clock)
    run(camera, device, 1.0)
    device.fault = "frozen"
    for _ in range(9):
        camera.turn()
        assert camera.state().ok


def test_the_newest_picture_wins(colour: list[Bytes]) -> None:
    camera, device = played(colour)
    run(camera, device, 1.0)
    (newest,) = camera.take()
    assert newest.at_s == device.clock.now_s
    assert camera.take() == ()
    several, device = played(colour, keep=4)
    run(several, device, 1.0)
    times_s = [picture.at_s for picture in several.take()]
    assert len(times_s) == 4
    assert times_s == sorted(times_s)
    assert times_s[-1] == device.clock.now_s


def test_a_thread_of_its_own_reads_until_it_is_stopped(colour: list[Bytes]) -> None:
    came, clock = threading.Event(), Clock()

    class Telling(PlayedCamera):
        def read(self) -> Picture:
            if self._next > 20:
                came.set()
            return super().read()

    camera = Camera(Telling(colour, clock), clock=clock)
    camera.start()
    assert came.wait(10.0)
    camera.stop()
    turns = clock.now_s
    assert camera.take()
    assert clock.now_s == turns


class InRealTime(PlayedCamera):
    """Plays in real time, 200 pictures a second."""

    def read(self) -> Picture:
        threading.Event().wait(self.interval_s)
        self.clock.now_s = time.monotonic() - self.interval_s
        return super().read()


def test_cameras_together_are_one_live_source(calf: Path, colour: list[Bytes], thermal: list[Counts]) -> None:
    """Two threads; the colour camera is unplugged in the middle, and plugged in again."""
    rig, _ = read_rig((calf / "rig.toml").read_text(), where="rig.toml")
    devices = [
        InRealTime(colour, Clock(), hz=200.0, interval_s=0.005),
        InRealTime(thermal, Clock(), kind=THERMAL, hz=200.0, interval_s=0.005),
    ]
    stop, found = threading.Event(), list[Capture]()
    with LiveCameras(devices) as live:
        for capture in live.captures(rig, gas=flowing, stop=stop):
            found.append(capture)
            blind = [one for one in found if one.index is None]
            if len(found) == 20:
                devices[0].fault = "unplugged"
            if len(blind) == 2 and capture.index is None:
                assert live.states[0].state == "unplugged"
                devices[0].fault = ""
            if blind and capture.index is not None and capture.index > 22:
                stop.set()
    times_s = [capture.t_s for capture in found]
    assert times_s == sorted(set(times_s))
    assert times_s[0] >= 0.0
    indices = [capture.index for capture in found if capture.index is not None]
    assert indices == list(range(len(indices)))
    exposures_s = [picture.t_s for capture in found for picture in capture.thermal]
    assert exposures_s == sorted(set(exposures_s))
    assert len(exposures_s) > 20
    assert devices[0].opened == 2
    with pytest.raises(ValueError, match="one camera of each kind"):
        LiveCameras([devices[0], devices[0]])


# --- pairing ------------------------------------------------------------------------------------------------


def flowing(from_s: float, to_s: float) -> tuple[float, bool]:
    return to_s - from_s, True


@pytest.fixture
def pairing(calf: Path) -> Callable[[float], Pairing]:
    text = (calf / "rig.toml").read_text().replace("rgb_minus_thermal_s = 0.0", "rgb_minus_thermal_s = -0.03")
    rig, _ = read_rig(text, where="rig.toml")
    assert rig.thermal is not None

    def with_offset(started_s: float) -> Pairing:
        return Pairing(rig, started_s=started_s, gas=flowing)

    return with_offset


def test_a_colour_picture_brings_all_that_arrived_with_times_of_the_session(
    thermal: list[Counts], colour: list[Bytes], calf: Path
) -> None:
    rig, _ = read_rig((calf / "rig.toml").read_text(), where="rig.toml")
    assert rig.thermal is not None
    pair = Pairing(rig, started_s=50.0, gas=flowing)
    offset_s = rig.thermal.rgb_minus_thermal_s
    first = pair.pair(Arrived((Picture(50.1, colour[0]),)), now_s=50.11)
    assert pair.pair(Arrived((), (Picture(50.12, thermal[0]),)), now_s=50.12) is None
    second = pair.pair(Arrived((Picture(50.2, colour[1]),), (Picture(50.16, thermal[1], True),)), now_s=50.21)
    assert first is not None
    assert second is not None
    assert (first.t_s, second.t_s) == (pytest.approx(0.1), pytest.approx(0.2))
    assert (first.index, second.index) == (0, 1)
    assert [p.t_s for p in second.thermal] == pytest.approx([0.12 + offset_s, 0.16 + offset_s])
    assert [p.shutter for p in second.thermal] == [False, True]
    assert second.bgr is not None
    assert np.array_equal(second.bgr, colour[1])
    assert first.gas_s == 0.0
    assert second.gas_s == pytest.approx(0.1)


def test_without_colour_pictures_the_clock_goes_on_ticking(
    pairing: Callable[[float], Pairing], colour: list[Bytes], thermal: list[Counts]
) -> None:
    pair = pairing(10.0)
    assert pair.pair(Arrived((Picture(10.0, colour[0]),)), now_s=10.0) is not None
    times_s = []
    for k in range(1, 100):
        capture = pair.pair(Arrived((), (Picture(10.0 + k / 100, thermal[0]),)), now_s=10.0 + k / 100)
        if capture is not None:
            assert capture.index is None
            assert capture.bgr is None
            assert capture.thermal
            times_s.append(capture.t_s)
    assert times_s[0] == pytest.approx(0.2, abs=0.011)
    assert np.diff(times_s) == pytest.approx(0.1, abs=0.011)


def test_a_picture_that_is_older_than_the_last_capture_makes_none(
    pairing: Callable[[float], Pairing], colour: list[Bytes], thermal: list[Counts]
) -> None:
    pair = pairing(0.0)
    assert pair.pair(Arrived((Picture(1.0, colour[0]),), (Picture(0.99, thermal[0]),)), now_s=1.0) is not None
    assert pair.pair(Arrived((Picture(0.9, colour[1]),)), now_s=1.05) is None
    late = pair.pair(Arrived((Picture(1.1, colour[1]),), (Picture(0.95, thermal[1]),)), now_s=1.1)
    assert late is not None
    assert late.thermal == ()


def taken_slowly(*, every: bool) -> list[float]:
    """Times of captures by somebody who takes three times as long as the camera."""
    stamps_s = np.arange(0.0, 5.0, 0.02).tolist()
    device = TimedDevice(COLOUR, stamps_s, lambda k: np.full((8, 8, 3), k % 250, np.uint8), Start(), hz=50.0)
    stop, pause, times = threading.Event(), threading.Event(), []
    with LiveCameras([device], every=every) as cameras:
        for capture in cameras.captures(None, gas=lambda _, __: (0.0, False), stop=stop):
            if capture.index is not None:
                times.append(capture.t_s)
            if capture.t_s > 0.6:
                stop.set()
            if len(times) % 3 == 2:
                pause.wait(0.06)
    return times


def test_whoever_records_gets_every_picture_and_whoever_guides_the_newest() -> None:
    """Whoever records is never slower than the camera for long."""
    recorded, guided = (np.diff(taken_slowly(every=every)) for every in (True, False))
    assert recorded == pytest.approx(0.02, abs=1e-6)
    assert guided.max() > 0.03
