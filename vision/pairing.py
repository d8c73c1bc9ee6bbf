"""Pictures of live cameras, paired by time into captures as a recording would give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.capture import Capture, DepthPicture, ThermalPicture
from models.geometry import Bytes, Counts
from models.rig import Rig, exposed_thermal_s
from vision.cameras import Picture
from vision.playback import SILENCE_S, TICK_S

Gas = Callable[[float, float], tuple[float, bool]]
"""Of a span (from, to) of the session clock: seconds in which gas flowed, and whether it flows at its end."""


@dataclass(frozen=True, eq=False)
class Arrived:
    """What cameras gave since it was last asked, each oldest first."""

    colour: Sequence[Picture] = ()
    thermal: Sequence[Picture] = ()
    depth: Sequence[Picture] = ()


class Pairing:
    """Makes captures of what arrived. The colour camera's clock is the session's."""

    def __init__(self, rig: Rig | None, *, started_s: float, gas: Gas) -> None:
        """Begin a session.

        Args:
            rig: Says how far the thermal camera's stamps are off.
            started_s: Time of `time.monotonic` that is 0 s of the session.
            gas: Tells when gas flowed.
        """
        self._started_s, self._gas = started_s, gas
        self._thermal_camera = rig.thermal if rig else None
        self._depth_clock = rig.depth.clock if rig and rig.depth else None
        self._index = 0
        self._last_s = -math.inf
        self._colour_s = 0.0
        self._thermal: list[ThermalPicture] = []
        self._depth: list[DepthPicture] = []
        self._thermal_s = self._depth_s = -math.inf

    def pair(self, arrived: Arrived, *, now_s: float) -> Capture | None:
        """The next capture, or None where it is too early for one.

        A colour picture makes a capture with all else that has arrived. Where none comes for `SILENCE_S`,
        captures without a picture come each `TICK_S`, so that alarms do not wait.

        Args:
            arrived: Since the last call.
            now_s: Time of `time.monotonic`.
        """
        self._keep(arrived)
        since = [picture for picture in arrived.colour if picture.at_s >= self._started_s]
        newest = since[-1] if since else None
        t_s = (newest.at_s if newest is not None else now_s) - self._started_s
        if newest is None and t_s - max(self._last_s + TICK_S, self._colour_s + SILENCE_S) < 0.0:
            return None
        if t_s <= self._last_s:
            return None  # a picture older than the last tick, or a clock that went back
        index = None
        if newest is not None:
            index, self._index, self._colour_s = self._index, self._index + 1, t_s
        gas_s, gas_now = self._gas(max(self._last_s, 0.0), t_s) if t_s > 0.0 else (0.0, False)
        capture = Capture(
            t_s=t_s,
            index=index,
            bgr=np.asarray(newest.pixels, np.uint8) if newest is not None else None,
            thermal=tuple(self._thermal),
            depth=tuple(self._depth),
            gas_s=gas_s if self._last_s > -math.inf else 0.0,
            gas_now=gas_now,
        )
        self._thermal, self._depth, self._last_s = [], [], t_s
        return capture

    def _keep(self, arrived: Arrived) -> None:
        for picture in arrived.thermal:
            t_s = picture.at_s - self._started_s
            if self._thermal_camera is not None:
                t_s = float(exposed_thermal_s(self._thermal_camera, np.asarray(t_s)))
            if t_s > self._thermal_s:
                self._thermal_s = t_s
                self._thermal.append(ThermalPicture(t_s, _counts(picture.pixels), picture.shutter))
        for picture in arrived.depth:
            t_s = picture.at_s - self._started_s
            if self._depth_clock is not None:
                t_s = float(self._depth_clock.session_s(np.asarray(t_s)))
            if t_s > self._depth_s:
                self._depth_s = t_s
                self._depth.append(DepthPicture(t_s, _counts(picture.pixels)))


def _counts(pixels: Bytes | Counts) -> Counts:
    return np.ascontiguousarray(pixels, np.uint16)
