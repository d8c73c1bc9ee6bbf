"""RealSense by its own library, fed without a camera; OAK-D by a stand-in. No real device was at hand."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vision import oak, realsense
from vision.cameras import COLOUR, DEPTH, Device, DeviceGoneError, Picture, WrongFormatError
from vision.every_camera import Found, Wanted, oak_cameras, realsense_cameras
from vision.oak import Oak, library
from vision.realsense import RealSense, depth_mm
from vision.shared_device import SharedDevice

W, H = 64, 48
FED, FED_EACH_S = 30, 0.02


def until(pipeline: RealSense | Oak, *kinds: str) -> list[Picture]:
    """Pictures of one set that has them all."""
    for _ in range(50):
        found = pipeline.wait()
        if set(kinds) <= set(found):
            return [found[kind] for kind in kinds]
    raise AssertionError(f"no set of {kinds} came")


def test_counts_become_whole_millimetres_and_what_does_not_fit_is_no_reading() -> None:
    counts = np.array([0, 1, 5000, 65535], np.uint16)
    assert depth_mm(counts, mm_per_count=1.0).tolist() == [0, 1, 5000, 65535]
    assert depth_mm(counts, mm_per_count=0.1).tolist() == [0, 0, 500, 6554]
    assert depth_mm(counts, mm_per_count=2.0).tolist() == [0, 2, 10000, 0]


# --- RealSense, its own library -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rs() -> Any:
    return pytest.importorskip("pyrealsense2", reason="needs the extra `realsense`")


@pytest.fixture(scope="module")
def recorded(rs: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in the library's own format, of a device of its own that we feed: 0.1 mm a count."""
    path = tmp_path_factory.mktemp("realsense") / "fed.db3"
    device = rs.software_device()

    def stream(kind: Any, form: Any, uid: int, bytes_px: int) -> Any:
        found = rs.video_stream()
        found.type, found.fmt, found.uid, found.bpp = kind, form, uid, bytes_px
        found.width, found.height, found.fps = W, H, 30
        lens = rs.intrinsics()
        lens.width, lens.height, lens.fx, lens.fy, lens.ppx, lens.ppy = W, H, W, W, W / 2, H / 2
        found.intrinsics = lens
        return found

    depth = device.add_sensor("Stereo")
    depth_profile = depth.add_video_stream(stream(rs.stream.depth, rs.format.z16, 1, 2))
    depth.add_read_only_option(rs.option.depth_units, 0.0001)
    colour = device.add_sensor("RGB")
    colour_profile = colour.add_video_stream(stream(rs.stream.color, rs.format.bgr8, 2, 3))
    recorder = rs.recorder(str(path), device)
    sensors = recorder.query_sensors()
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles())
        sensor.start(lambda _: None)
    for number in range(FED):
        # Played as fast as it was fed: at once it would be dropped by the library before anybody reads.
        threading.Event().wait(FED_EACH_S)
        for sensor, profile, pixels in (
            (colour, colour_profile, np.full((H, W, 3), (number, 7, 9), np.uint8)),
            (depth, depth_profile, np.full((H, W), 5000 + 10 * number, np.uint16)),
        ):
            frame = rs.software_video_frame()
            frame.pixels, frame.bpp = pixels, pixels.itemsize * pixels[0, 0].size
            frame.stride, frame.depth_units = frame.bpp * W, 0.0001
            frame.timestamp, frame.domain = 33.0 * number, rs.timestamp_domain.hardware_clock
            frame.frame_number, frame.profile = number, profile.as_video_stream_profile()
            sensor.on_video_frame(frame)
    for sensor in sensors:
        sensor.stop()
        sensor.close()
    sensor = None
    del recorder, sensors
    return path


def played(rs: Any, recorded: Path, **more: Any) -> RealSense:
    more = {"colour_px": (W, H), "depth_px": (W, H)} | more
    return RealSense("", name="RealSense", rs=rs, source=str(recorded), **more)


def test_the_library_gives_colour_in_our_order_and_depth_in_millimetres(rs: Any, recorded: Path) -> None:
    pipeline = played(rs, recorded)
    pipeline.open([COLOUR, DEPTH])
    try:
        colour, depth = until(pipeline, COLOUR, DEPTH)
    finally:
        pipeline.close()
        pipeline.close()
    number = int(colour.pixels[0, 0, 0])
    assert colour.pixels.shape == (H, W, 3)
    assert colour.pixels[0, 0].tolist() == [number, 7, 9]
    assert depth.pixels.shape == (H, W)
    assert depth.pixels.dtype == np.uint16
    assert 500 <= depth.pixels[0, 0] < 500 + FED
    assert 0.0 <= time.monotonic() - depth.at_s < 60.0


def test_the_library_lays_depth_over_colour_where_the_rig_says_so(rs: Any, recorded: Path) -> None:
    pipeline = played(rs, recorded, depth_as_colour=True)
    pipeline.open([DEPTH])
    try:
        (depth,) = until(pipeline, DEPTH)
    finally:
        pipeline.close()
    assert depth.pixels.shape == (H, W)
    assert 500 <= np.median(depth.pixels) < 500 + FED


def test_both_kinds_come_through_one_pipeline_of_the_library(rs: Any, recorded: Path) -> None:
    shared = SharedDevice(played(rs, recorded))
    colour, depth = shared.part(COLOUR), shared.part(DEPTH)
    colour.open()
    depth.open()
    assert colour.read().pixels.ndim == 3
    assert depth.read().pixels.ndim == 2
    colour.close()
    depth.close()


def test_a_recording_that_ends_is_a_device_that_is_gone(rs: Any, recorded: Path) -> None:
    pipeline = played(rs, recorded)
    pipeline.open([DEPTH])
    with pytest.raises(DeviceGoneError, match="check its cable"):
        until(pipeline, "neither")
    pipeline.close()


def test_a_size_that_the_library_cannot_give_is_a_wrong_format(rs: Any, recorded: Path) -> None:
    with pytest.raises(WrongFormatError, match="another size"):
        played(rs, recorded, depth_px=(640, 480)).open([DEPTH])


def test_without_a_camera_the_library_says_that_it_is_gone_and_lists_none(rs: Any) -> None:
    if len(rs.context().query_devices()):
        pytest.skip("a RealSense is connected")
    assert realsense_cameras(Wanted()) == []
    with pytest.raises(DeviceGoneError, match="plug it in"):
        RealSense("123", name="RealSense", rs=rs).open([COLOUR, DEPTH])


def test_a_realsense_is_listed_as_two_cameras_of_one_address() -> None:
    told = SimpleNamespace(serial_number="serial", name="name")
    device = SimpleNamespace(get_info={"serial": "0042", "name": "Intel RealSense D435"}.__getitem__)
    context = SimpleNamespace(query_devices=lambda: [device])
    found = realsense_cameras(Wanted(), rs=SimpleNamespace(camera_info=told, context=lambda: context))
    assert [(one.kind, one.name, one.address) for one in found] == [
        (COLOUR, "Intel RealSense D435", "realsense:0042"),
        (DEPTH, "Intel RealSense D435", "realsense:0042"),
    ]
    assert found[1].make().kind == DEPTH


# --- OAK-D, by a stand-in; its names are held against the library -------------------------------------------


class Queue:
    def __init__(self, frames: Callable[[], Any]) -> None:
        self.frames = frames

    def get(self, within: timedelta) -> Any:
        assert within.total_seconds() < 0.35
        return self.frames()

    def tryGet(self) -> Any:  # noqa: N802
        return None if self.frames.__name__ == "<lambda>" else self.frames()


class StandInOak:
    """depthai as far as the driver uses it."""

    def __init__(self, *, there: bool = True) -> None:
        self.there, self.running, self.stopped = there, True, 0
        self.colour, self.depth = np.zeros((720, 1280, 3), np.uint8), np.full((400, 640), 700, np.uint16)
        self.age_s, self.asked = 0.02, list[tuple[object, ...]]()
        self.CameraBoardSocket = SimpleNamespace(CAM_A="A", CAM_B="B", CAM_C="C")
        self.CameraExposureOffset = SimpleNamespace(MIDDLE="middle")
        self.ImgFrame = SimpleNamespace(Type=SimpleNamespace(BGR888i="bgr"))
        self.node = SimpleNamespace(Camera="camera", StereoDepth="stereo")
        self.Device = type(
            "Device",
            (),
            {
                "__init__": lambda _, info: self._connect(),
                "getAllAvailableDevices": staticmethod(lambda: [SimpleNamespace(deviceId="19443")]),
            },
        )

    def _connect(self) -> None:
        if not self.there:
            raise RuntimeError("Cannot find any device with given deviceInfo")

    def DeviceInfo(self, device_id: str) -> str:  # noqa: N802
        return device_id

    def Pipeline(self, device: object) -> Any:  # noqa: N802
        return self

    def create(self, node: str) -> Any:
        self._node = node
        return SimpleNamespace(build=self._build)

    def _build(self, *what: object) -> Any:
        self.asked.append((self._node, *what))
        output = SimpleNamespace(createOutputQueue=lambda maxSize, blocking: Queue(self._colour))  # noqa: N803
        depth = SimpleNamespace(createOutputQueue=lambda maxSize, blocking: Queue(self._depth))  # noqa: N803
        return SimpleNamespace(
            requestOutput=lambda size, *more, fps: (self.asked.append((size, *more)), output)[1],
            setLeftRightCheck=lambda on: None,
            setDepthAlign=lambda socket: self.asked.append(("align", socket)),
            setOutputSize=lambda w, h: self.asked.append(("size", w, h)),
            depth=depth,
        )

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.stopped += 1

    def isRunning(self) -> bool:  # noqa: N802
        return self.running

    def _frame(self, pixels: np.ndarray) -> Any:
        at = timedelta(seconds=time.monotonic() - self.age_s)
        return SimpleNamespace(
            getCvFrame=lambda: pixels, getFrame=lambda: pixels, getTimestamp=lambda offset: at
        )

    def _colour(self) -> Any:
        return self._frame(self.colour)

    def _depth(self) -> Any:
        return self._frame(self.depth)


def an_oak(dai: StandInOak, **more: Any) -> Oak:
    return Oak("19443", name="OAK", dai=dai, **more)


def test_an_oak_gives_colour_and_depth_stamped_by_the_hosts_clock() -> None:
    dai = StandInOak()
    pipeline = an_oak(dai)
    pipeline.open([COLOUR, DEPTH])
    found = pipeline.wait()
    assert found[COLOUR].pixels.shape == (720, 1280, 3)
    assert found[DEPTH].pixels[0, 0] == 700
    assert time.monotonic() - found[DEPTH].at_s == pytest.approx(dai.age_s, abs=0.5)
    assert found[DEPTH].at_s < time.monotonic() - dai.age_s + 1e-6
    dai.age_s = -5.0
    assert found[DEPTH].at_s <= pipeline.wait()[DEPTH].at_s <= time.monotonic()
    pipeline.close()
    pipeline.close()
    assert dai.stopped == 1


def test_an_oak_lays_depth_over_colour_where_the_rig_says_so() -> None:
    dai = StandInOak()
    dai.depth = np.full((720, 1280), 700, np.uint16)
    pipeline = an_oak(dai, depth_as_colour=True)
    pipeline.open([DEPTH])
    assert pipeline.wait()[DEPTH].pixels.shape == (720, 1280)
    assert ("align", "A") in dai.asked


def test_an_oak_that_goes_or_gives_something_else_is_told_and_comes_back() -> None:
    dai = StandInOak(there=False)
    pipeline = an_oak(dai)
    with pytest.raises(DeviceGoneError, match="plug it in"):
        pipeline.open([DEPTH])
    with pytest.raises(DeviceGoneError):
        pipeline.wait()
    dai.there = True
    pipeline.open([DEPTH])
    dai.running = False
    with pytest.raises(DeviceGoneError, match="check its cable"):
        pipeline.wait()
    pipeline.close()
    pipeline.open([DEPTH])
    dai.depth = np.zeros((480, 640), np.uint16)
    with pytest.raises(WrongFormatError, match="instead of 640 x 400"):
        pipeline.wait()


def test_an_oak_is_listed_as_two_cameras_of_one_address() -> None:
    found: list[Found] = oak_cameras(Wanted(), dai=StandInOak())
    assert [(one.kind, one.address) for one in found] == [(COLOUR, "oak:19443"), (DEPTH, "oak:19443")]
    device: Device = found[0].make()
    assert device.name == "OAK 19443 colour"


@pytest.mark.skipif(find_spec("depthai") is None, reason="needs the extra `oak`")
def test_the_library_of_the_oak_leaves_a_file_that_may_not_grow_an_error() -> None:
    """Its own handler would end the program; Python ignores that signal and raises."""
    look = "import vision.oak, signal; vision.oak.library(); print(open('/proc/self/status').read())"
    status = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True
    )
    ignored = next(line for line in status.stdout.splitlines() if line.startswith("SigIgn"))
    assert int(ignored.split()[1], 16) & 1 << (signal.SIGXFSZ - 1)


def test_the_library_of_the_oak_has_what_the_driver_calls() -> None:
    """The library's own nodes are built, without a device as far as that goes."""
    if find_spec("depthai") is None:
        pytest.skip("needs the extra `oak`")
    dai = library()
    assert {"CAM_A", "CAM_B", "CAM_C"} <= set(dai.CameraBoardSocket.__members__)
    assert "MIDDLE" in dai.CameraExposureOffset.__members__
    assert "BGR888i" in dai.ImgFrame.Type.__members__
    for owner, names in (
        (dai.node.Camera, ("build", "requestOutput")),
        (dai.node.StereoDepth, ("build", "setLeftRightCheck", "setDepthAlign", "setOutputSize", "depth")),
        (dai.Node.Output, ("createOutputQueue",)),
        (dai.MessageQueue, ("get", "tryGet")),
        (dai.ImgFrame, ("getCvFrame", "getFrame", "getTimestamp")),
        (dai.Pipeline, ("create", "start", "stop", "isRunning")),
        (dai.Device, ("getAllAvailableDevices",)),
        (dai.DeviceInfo, ("deviceId",)),
    ):
        assert [name for name in names if not hasattr(owner, name)] == []
    said = dai.Node.Output.createOutputQueue.__doc__
    assert "maxSize" in said
    assert "blocking" in said
    assert abs(dai.Clock.now().total_seconds() - time.monotonic()) < 1.0
    frame = dai.ImgFrame()
    frame.setType(dai.ImgFrame.Type.RAW16)
    frame.setWidth(4)
    frame.setHeight(2)
    frame.setData(np.arange(8, dtype=np.uint16).view(np.uint8))
    assert frame.getFrame().tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_missing_extra_is_named() -> None:
    for module, extra in ((realsense, "realsense"), (oak, "oak")):
        name = {"realsense": "pyrealsense2", "oak": "depthai"}[extra]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(__import__("sys").modules, name, None)
            with pytest.raises(Exception, match=rf"cryoguide\[{extra}\]"):
                module.library()
