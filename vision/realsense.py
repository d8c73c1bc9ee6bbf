"""Intel RealSense: colour and depth of one camera, by librealsense (the extra ``realsense``)."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from models.geometry import Counts
from models.problems import InputError
from vision.cameras import COLOUR, DEPTH, DeviceGoneError, Picture, WrongFormatError
from vision.device_clock import DeviceClock

COLOUR_PX, DEPTH_PX = (1280, 720), (848, 480)
"""What a D400 gives at 30 a second; 848 x 480 is the depth size that its maker recommends for it."""
HZ = 30.0
WAIT_MS = 1000


def library() -> ModuleType:
    """pyrealsense2.

    Raises:
        InputError: If it is not installed.
    """
    try:
        return importlib.import_module("pyrealsense2")
    except ImportError as trouble:
        raise InputError(
            'RealSense cameras need the extra: pip install "cryoguide[realsense]" (pyrealsense2).'
        ) from trouble


def connected_realsense(rs: Any) -> list[tuple[str, str]]:
    """Serial number and name of each camera that is connected.

    Args:
        rs: `library`, or a stand-in.
    """
    told = rs.camera_info
    return [
        (device.get_info(told.serial_number), device.get_info(told.name))
        for device in rs.context().query_devices()
    ]


class RealSense:
    """A `vision.shared_device.Pipeline`."""

    kinds = (COLOUR, DEPTH)
    hz = HZ

    def __init__(
        self,
        serial: str,
        *,
        name: str,
        rs: Any,
        colour_px: tuple[int, int] = COLOUR_PX,
        depth_px: tuple[int, int] = DEPTH_PX,
        depth_as_colour: bool = False,
        source: Any = None,
    ) -> None:
        """Name a camera; it is opened by `open`.

        Args:
            serial: Its serial number, which stays the same when it is plugged in again.
            name: For people.
            rs: `library`, or a stand-in.
            colour_px: Width, height that are asked for.
            depth_px: The same; with ``depth_as_colour`` what the sensor is asked for.
            depth_as_colour: Depth is told pixel by pixel of the colour picture, which needs colour as well;
                otherwise it is in the geometry of the left infrared sensor, as the camera itself states it.
            source: A recording's path in place of a camera: tests of the library without hardware.
        """
        self.name, self._serial, self._rs = name, serial, rs
        self._colour_px, self._depth_px, self._align = colour_px, depth_px, depth_as_colour
        self._source = source
        self._pipeline: Any = None
        self._aligned: Any = None
        self._mm_per_count = 1.0
        self._last: dict[str, int] = {}
        self._clocks = {kind: DeviceClock() for kind in self.kinds}

    def open(self, kinds: Sequence[str]) -> None:
        """See `vision.shared_device.Pipeline`."""
        rs = self._rs
        config = rs.config()
        if self._source is None:
            if self._serial not in [serial for serial, _ in connected_realsense(rs)]:
                # The library itself would wait 15 s for it.
                raise self._not_there()
            config.enable_device(self._serial)
        else:
            config.enable_device_from_file(self._source, repeat_playback=False)
        if COLOUR in kinds or self._align:
            config.enable_stream(rs.stream.color, *self._colour_px, rs.format.bgr8, int(HZ))
        if DEPTH in kinds:
            config.enable_stream(rs.stream.depth, *self._depth_px, rs.format.z16, int(HZ))
        pipeline = rs.pipeline()
        try:
            profile = pipeline.start(config)
            if DEPTH in kinds:
                self._mm_per_count = 1000.0 * profile.get_device().first_depth_sensor().get_depth_scale()
        except RuntimeError as trouble:
            if "resolve" in str(trouble):
                raise WrongFormatError(
                    f"{self.name} does not give {_size(self._colour_px)} in colour and"
                    f" {_size(self._depth_px)} in depth at {HZ:.0f} a second: use USB 3, or another size."
                ) from trouble
            raise self._not_there() from trouble
        self._aligned = rs.align(rs.stream.color) if self._align and DEPTH in kinds else None
        self._pipeline, self._last = pipeline, {}
        self._clocks = {kind: DeviceClock() for kind in self.kinds}

    def wait(self) -> Mapping[str, Picture]:
        """See `vision.shared_device.Pipeline`."""
        if self._pipeline is None:
            raise DeviceGoneError(f"{self.name} is closed.")
        try:
            frames = self._pipeline.wait_for_frames(WAIT_MS)
            arrived_s = time.monotonic()
            if self._aligned is not None:
                frames = self._aligned.process(frames)
        except RuntimeError as trouble:
            raise DeviceGoneError(f"{self.name} gives no pictures any more: check its cable.") from trouble
        found: dict[str, Picture] = {}
        for kind, frame in ((COLOUR, frames.get_color_frame()), (DEPTH, frames.get_depth_frame())):
            # A set repeats the last picture of a stream that has none new.
            if not frame or self._last.get(kind) == frame.get_frame_number():
                continue
            self._last[kind] = frame.get_frame_number()
            at_s = self._clocks[kind].at_s(frame.get_timestamp() / 1000.0, arrived_s=arrived_s)
            pixels = np.array(frame.get_data())  # the library takes its own back
            found[kind] = Picture(at_s, self._checked(kind, pixels))
        return found

    def close(self) -> None:
        """See `vision.shared_device.Pipeline`."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            try:
                pipeline.stop()
            except RuntimeError:  # it has gone before us
                return

    def _not_there(self) -> DeviceGoneError:
        return DeviceGoneError(
            f"{self.name} is not there or is in use by another program: plug it in or close that."
        )

    def _checked(self, kind: str, pixels: np.ndarray) -> np.ndarray:
        width_px, height_px = self._depth_px if kind == DEPTH and not self._align else self._colour_px
        if pixels.shape[:2] != (height_px, width_px):
            raise WrongFormatError(
                f"{self.name} gives pictures of {pixels.shape[1]} x {pixels.shape[0]} instead of"
                f" {width_px} x {height_px}: choose another size."
            )
        return pixels if kind == COLOUR else depth_mm(pixels, mm_per_count=self._mm_per_count)


def depth_mm(counts: Counts, *, mm_per_count: float) -> Counts:
    """Counts of a depth camera as whole millimetres; 0 stays 0, what does not fit is no reading."""
    if abs(mm_per_count - 1.0) < 1e-6:
        return counts
    mm = np.rint(counts * mm_per_count)
    return np.where(mm <= 0xFFFF, mm, 0.0).astype(np.uint16)


def _size(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]} x {size_px[1]}"
