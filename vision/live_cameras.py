"""The cameras of a rig as one live source of captures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from models.capture import Capture
from models.rig import Rig
from vision.cameras import COLOUR, DEPTH, THERMAL, Camera, CameraState, Device, Picture
from vision.pairing import Arrived, Gas, Pairing
from vision.playback import TICK_S

KEEP = {COLOUR: 1, THERMAL: 8, DEPTH: 4}
"""Pictures that wait for a step that takes long: of colour the newest only; every thermal one tells of
cooling (8 at 25 a second are 0.3 s)."""

KEEP_EVERY = {COLOUR: 12, THERMAL: 32, DEPTH: 16}
"""The same for whoever records: 0.4 s at 30 a second, so that a busy machine costs none; 33 MB at 720p."""


LOOKED_AT_S = 0.5
"""A picture that was taken longer ago shows nothing of now: the camera may be gone."""


class LiveCameras:
    """Devices, read from ``with`` on; `captures` pairs what they give."""

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        every: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Name the devices.

        Args:
            devices: At most one of each kind.
            every: Whether each colour picture makes a capture, as for a recorder; otherwise the newest does.
            clock: Seconds; only tests give another.

        Raises:
            ValueError: If there are two of a kind.
        """
        if len({device.kind for device in devices}) < len(devices):
            raise ValueError("A rig has one camera of each kind.")
        self._clock, self._every = clock, every
        keeps = KEEP_EVERY if every else KEEP
        self._came = threading.Event()
        self._last: Picture | None = None
        self.cameras = tuple(
            Camera(device, keep=keeps[device.kind], clock=clock, on_picture=self._came.set)
            for device in devices
        )

    def __enter__(self) -> Self:
        """Begin to read."""
        for camera in self.cameras:
            camera.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the devices."""
        for camera in self.cameras:
            camera.stop()

    @property
    def states(self) -> tuple[CameraState, ...]:
        """How each camera stands now."""
        return tuple(camera.state() for camera in self.cameras)

    def look(self) -> Picture | None:
        """The newest colour picture, whether it waits or was just taken; None where there is none."""
        waits = next((c.newest() for c in self.cameras if c.kind == COLOUR), None)
        if waits is not None or self._last is None:
            return waits
        return self._last if self._clock() - self._last.at_s <= LOOKED_AT_S else None

    def captures(
        self,
        rig: Rig | None,
        *,
        gas: Gas,
        stop: threading.Event,
        began: Callable[[float], None] = lambda _: None,
    ) -> Iterator[Capture]:
        """A session: captures from now on, its clock starting at 0, until it is stopped.

        Whoever takes them slowly gets fewer, each with the newest colour picture and every thermal picture
        since the one before, up to `KEEP`; with ``every``, each colour picture, up to `KEEP_EVERY`.

        Args:
            rig: Says how far the thermal camera's stamps are off.
            gas: Tells when gas flowed, on the session clock.
            stop: Set to end.
            began: Told the time, on the cameras' clock, at which the session's was 0.
        """
        self._taken()  # what came before the session
        started_s = self._clock()
        began(started_s)
        pairing = Pairing(rig, started_s=started_s, gas=gas)
        while not stop.is_set():
            self._came.wait(TICK_S / 2.0)
            self._came.clear()
            for arrived in self._each(self._taken()):
                capture = pairing.pair(arrived, now_s=self._clock())
                if capture is not None:
                    yield capture

    def _each(self, arrived: Arrived) -> Sequence[Arrived]:
        """One for each colour picture, where every one counts: the last brings all else that came."""
        if not self._every or len(arrived.colour) < 2:
            return (arrived,)
        *before, last = arrived.colour
        return (
            *(Arrived((one,)) for one in before),
            Arrived((last,), arrived.thermal, arrived.depth),
        )

    def _taken(self) -> Arrived:
        taken: dict[str, tuple[Picture, ...]] = {camera.kind: camera.take() for camera in self.cameras}
        if colour := taken.get(COLOUR):
            self._last = colour[-1]
        return Arrived(taken.get(COLOUR, ()), taken.get(THERMAL, ()), taken.get(DEPTH, ()))
