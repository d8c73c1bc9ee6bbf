"""Luxonis OAK-D: colour and stereo depth of one camera, by depthai (the extra ``oak``)."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

import numpy as np

from models.problems import InputError
from vision.cameras import COLOUR, DEPTH, DeviceGoneError, Picture, WrongFormatError

COLOUR_PX, DEPTH_PX = (1280, 720), (640, 400)
HZ = 30.0
WAIT = timedelta(seconds=0.25)
OLDEST_S = 0.5
"""A stamp that lies farther back, or ahead, is not of our clock."""


def library() -> ModuleType:
    """The module depthai.

    Raises:
        InputError: If it is not installed.
    """
    # Its own handlers would end the program where a file may not grow, which the recorder lives through.
    os.environ.setdefault("DEPTHAI_INSTALL_SIGNAL_HANDLER", "0")
    # It warns of a missing USB stack at each look, also where nobody has such a camera.
    os.environ.setdefault("DEPTHAI_LEVEL", "error")
    try:
        return importlib.import_module("depthai")
    except ImportError as trouble:
        raise InputError('OAK-D cameras need the extra: pip install "cryoguide[oak]" (depthai).') from trouble


def connected_oak(dai: Any) -> list[tuple[str, str]]:
    """Id and name of each camera that is connected.

    Args:
        dai: `library`, or a stand-in.
    """
    return [(info.deviceId, f"OAK {info.deviceId}") for info in dai.Device.getAllAvailableDevices()]


class Oak:
    """A `vision.shared_device.Pipeline`.

    Stamps are the host's: depthai keeps device and host in step and tells times of the system's steady clock,
    which `time.monotonic` is as well; of the middle of the exposure.
    """

    kinds = (COLOUR, DEPTH)
    hz = HZ

    def __init__(
        self,
        device_id: str,
        *,
        name: str,
        dai: Any,
        colour_px: tuple[int, int] = COLOUR_PX,
        depth_px: tuple[int, int] = DEPTH_PX,
        depth_as_colour: bool = False,
    ) -> None:
        """Name a camera; it is opened by `open`.

        Args:
            device_id: Stays the same when it is plugged in again.
            name: For people.
            dai: `library`, or a stand-in.
            colour_px: Width, height that are asked for.
            depth_px: The same; not used with ``depth_as_colour``.
            depth_as_colour: Depth is told pixel by pixel of the colour picture; otherwise in the geometry of
                the rectified sensor to which the camera aligns it by itself.
        """
        self.name, self._id, self._dai = name, device_id, dai
        self._colour_px, self._align = colour_px, depth_as_colour
        self._depth_px = colour_px if depth_as_colour else depth_px
        self._pipeline: Any = None
        self._queues: dict[str, Any] = {}

    def open(self, kinds: Sequence[str]) -> None:
        """See `vision.shared_device.Pipeline`."""
        dai, sockets = self._dai, self._dai.CameraBoardSocket
        try:
            device = dai.Device(dai.DeviceInfo(self._id))
            pipeline = dai.Pipeline(device)
            outputs: dict[str, Any] = {}
            if COLOUR in kinds or self._align:
                colour = pipeline.create(dai.node.Camera).build(sockets.CAM_A)
                outputs[COLOUR] = colour.requestOutput(self._colour_px, dai.ImgFrame.Type.BGR888i, fps=HZ)
            if DEPTH in kinds:
                left, right = (
                    pipeline.create(dai.node.Camera).build(socket).requestOutput(DEPTH_PX, fps=HZ)
                    for socket in (sockets.CAM_B, sockets.CAM_C)
                )
                stereo = pipeline.create(dai.node.StereoDepth).build(left, right)
                stereo.setLeftRightCheck(True)
                if self._align:
                    stereo.setDepthAlign(sockets.CAM_A)
                    stereo.setOutputSize(*self._depth_px)
                outputs[DEPTH] = stereo.depth
            self._queues = {
                kind: outputs[kind].createOutputQueue(maxSize=2, blocking=False) for kind in kinds
            }
            pipeline.start()
        except RuntimeError as trouble:
            raise DeviceGoneError(
                f"{self.name} is not there or is in use by another program: plug it in or close that."
            ) from trouble
        self._pipeline = pipeline

    def wait(self) -> Mapping[str, Picture]:
        """See `vision.shared_device.Pipeline`."""
        if self._pipeline is None:
            raise DeviceGoneError(f"{self.name} is closed.")
        found: dict[str, Picture] = {}
        try:
            if not self._pipeline.isRunning():
                raise RuntimeError("it has ended")
            # The kind that comes first is waited for, the others are taken as they are there.
            for number, (kind, queue) in enumerate(self._queues.items()):
                frame = queue.get(WAIT) if number == 0 else queue.tryGet()
                newer = queue.tryGet()
                frame = newer if newer is not None else frame
                if frame is not None:
                    found[kind] = self._picture(kind, frame, now_s=time.monotonic())
        except RuntimeError as trouble:
            raise DeviceGoneError(f"{self.name} gives no pictures any more: check its cable.") from trouble
        return found

    def close(self) -> None:
        """See `vision.shared_device.Pipeline`."""
        pipeline, self._pipeline, self._queues = self._pipeline, None, {}
        if pipeline is not None:
            try:
                pipeline.stop()
            except RuntimeError:  # it has gone before us
                return

    def _picture(self, kind: str, frame: Any, *, now_s: float) -> Picture:
        width_px, height_px = self._depth_px if kind == DEPTH else self._colour_px
        # Its depth is in millimetres, 16 bits, 0 = no reading: what depthai tells unless it is set otherwise.
        pixels = np.array(frame.getFrame() if kind == DEPTH else frame.getCvFrame())
        if pixels.shape[:2] != (height_px, width_px) or (kind == DEPTH and pixels.dtype != np.uint16):
            raise WrongFormatError(
                f"{self.name} gives {kind} pictures of {pixels.shape[1]} x {pixels.shape[0]} ({pixels.dtype})"
                f" instead of {width_px} x {height_px}: choose another size."
            )
        at_s = frame.getTimestamp(self._dai.CameraExposureOffset.MIDDLE).total_seconds()
        return Picture(at_s if 0.0 <= now_s - at_s <= OLDEST_S else now_s, pixels)
