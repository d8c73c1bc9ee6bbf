"""Industrial cameras by GenICam (the extra ``genicam``): colour, and thermal that tells linear temperature.

The maker's GenTL producer (a ``.cti`` file) does the talking; it is found where its installation says, in the
variable ``GENICAM_GENTL64_PATH``.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from models.geometry import Bytes, Counts
from models.problems import InputError
from vision.cameras import COLOUR, THERMAL, DeviceGoneError, Picture, WrongFormatError
from vision.device_clock import DeviceClock
from vision.uvc import in_centikelvin

PATHS = "GENICAM_GENTL64_PATH"
"""As the GenTL standard names it: folders of producers."""

HZ = 30.0
"""Where the camera does not say its rate."""

FETCH_S = 1.0

TO_BGR: dict[str, int | None] = {
    "BGR8": None,
    "RGB8": cv2.COLOR_RGB2BGR,
    "BGRa8": cv2.COLOR_BGRA2BGR,
    "RGBa8": cv2.COLOR_RGBA2BGR,
    "BayerRG8": cv2.COLOR_BayerRGGB2BGR,
    "BayerGB8": cv2.COLOR_BayerGBRG2BGR,
    "BayerGR8": cv2.COLOR_BayerGRBG2BGR,
    "BayerBG8": cv2.COLOR_BayerBGGR2BGR,
}
"""Names of the GenICam pixel format convention, the best first; 8 bits a channel."""

LINEAR_K = {"TemperatureLinear10mK": 1, "TemperatureLinear100mK": 10}
"""How Teledyne FLIR's cameras name linear temperature (``IRFormat``), and centikelvin per count of it."""


def library() -> ModuleType:
    """The module harvesters.core.

    Raises:
        InputError: If it is not installed.
    """
    try:
        return importlib.import_module("harvesters.core")
    except ImportError as trouble:
        raise InputError(
            'GenICam cameras need the extra: pip install "cryoguide[genicam]" (harvesters).'
        ) from trouble


def producers(paths: str | None = None) -> list[Path]:
    """The producers that are installed.

    Args:
        paths: In place of the variable's value.
    """
    named = os.environ.get(PATHS, "") if paths is None else paths
    return [
        file for folder in named.split(os.pathsep) if folder for file in sorted(Path(folder).glob("*.cti"))
    ]


@contextmanager
def _ctrl_c_kept() -> Iterator[None]:
    """Harvesters takes Ctrl-C for itself where it is used on the main thread, and then nothing ends by it."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


class GenicamBus:
    """All GenICam cameras of this computer. One object, for a producer is loaded only once."""

    def __init__(self, core: Any, files: Sequence[Path]) -> None:
        """Load producers; what cannot be loaded is left out.

        Args:
            core: `library`, or a stand-in.
            files: See `producers`.
        """
        self._lock = threading.Lock()
        self._harvester = core.Harvester()
        for file in files:
            try:
                self._harvester.add_file(str(file))
            except Exception:  # each maker's producer has errors of its own
                continue

    def look(self) -> list[tuple[str, str]]:
        """Id and name of each camera that is connected now."""
        with self._lock:
            return [(str(info.id_), f"{info.vendor} {info.model}") for info in self._look()]

    def open(self, device_id: str) -> Any:
        """An image acquirer of harvesters', not started.

        Raises:
            DeviceGoneError: If it is not there, or in use.
        """
        with self._lock:
            ids = [str(info.id_) for info in self._look()]
            if device_id not in ids:
                raise DeviceGoneError(f"The camera {device_id} is not there: plug it in.")
            try:
                with _ctrl_c_kept():
                    return self._harvester.create(ids.index(device_id))
            except Exception as trouble:
                raise DeviceGoneError(
                    f"The camera {device_id} is in use by another program: close that."
                ) from trouble

    def kind(self, device_id: str) -> str:
        """``colour`` or ``thermal``, as its settings tell."""
        acquirer = self.open(device_id)
        try:
            return THERMAL if acquirer.remote_device.node_map.has_node("IRFormat") else COLOUR
        finally:
            acquirer.destroy()

    def close(self) -> None:
        """Unload the producers."""
        with self._lock:
            self._harvester.reset()

    def _look(self) -> Sequence[Any]:
        self._harvester.update()
        return self._harvester.device_info_list


class GenicamCamera:
    """A `vision.cameras.Device`."""

    def __init__(
        self,
        bus: GenicamBus,
        device_id: str,
        *,
        name: str,
        kind: str,
        size_px: tuple[int, int] | None = None,
    ) -> None:
        """Name a camera; it is opened by `open`.

        Args:
            bus: Where it is.
            device_id: Its id there.
            name: For people.
            kind: ``colour`` or ``thermal``.
            size_px: Width, height that are asked for; None = as it is set.
        """
        self.name, self.kind, self.hz = name, kind, HZ
        self._bus, self._id, self._size_px = bus, device_id, size_px
        self._acquirer: Any = None
        self._per_count = 1
        self._clock = DeviceClock()

    def open(self) -> None:
        """See `vision.cameras.Device`."""
        acquirer = self._bus.open(self._id)
        try:
            nodes = acquirer.remote_device.node_map
            self._set_format(nodes)
            if self._size_px is not None:
                _set(nodes, "Width", self._size_px[0])
                _set(nodes, "Height", self._size_px[1])
            if nodes.has_node("AcquisitionFrameRate"):
                self.hz = float(nodes.AcquisitionFrameRate.value)
            acquirer.start()
        except WrongFormatError:
            acquirer.destroy()
            raise
        except Exception as trouble:
            acquirer.destroy()
            raise DeviceGoneError(f"{self.name} cannot be started ({trouble}): unplug it once.") from trouble
        self._acquirer, self._clock = acquirer, DeviceClock()

    def read(self) -> Picture:
        """See `vision.cameras.Device`."""
        if self._acquirer is None:
            raise DeviceGoneError(f"{self.name} is closed.")
        try:
            with self._acquirer.fetch(timeout=FETCH_S) as buffer:
                arrived_s = time.monotonic()
                picture = buffer.payload.components[0]
                size = int(picture.height), int(picture.width)
                data, form = np.array(picture.data), str(picture.data_format)
                stamp_s = _stamp_s(buffer)
        except Exception as trouble:  # a producer has errors of its own, a timeout among them
            raise DeviceGoneError(f"{self.name} gives no pictures any more: check its cable.") from trouble
        at_s = arrived_s if stamp_s is None else self._clock.at_s(stamp_s, arrived_s=arrived_s)
        return Picture(at_s, self._pixels(data, form, size))

    def close(self) -> None:
        """See `vision.cameras.Device`."""
        acquirer, self._acquirer = self._acquirer, None
        if acquirer is not None:
            try:
                acquirer.stop()
                acquirer.destroy()
            except Exception:  # it has gone before us
                return

    def _set_format(self, nodes: Any) -> None:
        if self.kind == THERMAL:
            form = next((one for one in LINEAR_K if one in nodes.IRFormat.symbolics), None)
            if form is None:
                raise WrongFormatError(f"{self.name} tells no linear temperature: choose another camera.")
            nodes.IRFormat.value, self._per_count = form, LINEAR_K[form]
            _set(nodes, "PixelFormat", "Mono16")
            return
        gives = nodes.PixelFormat.symbolics
        form = next((one for one in TO_BGR if one in gives), None)
        if form is None:
            raise WrongFormatError(
                f"{self.name} gives no colour that is known here ({', '.join(gives)}): choose another camera."
            )
        _set(nodes, "PixelFormat", form)

    def _pixels(self, data: np.ndarray, form: str, size: tuple[int, int]) -> Bytes | Counts:
        wanted = size if self._size_px is None else self._size_px[::-1]
        known = form == "Mono16" if self.kind == THERMAL else form in TO_BGR
        if size != wanted or not known or data.size % (size[0] * size[1]):
            raise WrongFormatError(
                f"{self.name} gives pictures of {size[1]} x {size[0]} ({form}) instead of"
                f" {wanted[1]} x {wanted[0]}: choose another size or format."
            )
        if self.kind == THERMAL:
            return in_centikelvin(data.reshape(size), self._per_count)
        pixels = data.reshape(size) if form.startswith("Bayer") else data.reshape(*size, -1)
        code = TO_BGR[form]
        return np.asarray(pixels if code is None else cv2.cvtColor(pixels, code), np.uint8)


def _set(nodes: Any, name: str, value: object) -> None:
    """Where a setting cannot be changed it stays: what comes is checked."""
    try:
        getattr(nodes, name).value = value
    except Exception:
        return


def _stamp_s(buffer: Any) -> float | None:
    try:
        return float(buffer.timestamp_ns) / 1e9
    except Exception:  # not every producer has stamps
        return None
