"""Faults that a live session must bear: how each is made, what must be told of it, and in what time."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Self
from unittest.mock import patch

from benchmarks.live_stand import Stand
from vision.cameras import COLOUR, THERMAL

DEVICE_DUE_S = 0.5
"""The aim for a device that stops."""
DISK_DUE_S = 1.5
"""A disk that is full is met at the next flush (0.2 s) of what is compressed (own choice)."""
JUMP_S = 5.0

Fault = Callable[[Stand], Generator[None]]


@dataclass(frozen=True)
class Kind:
    """One kind of fault."""

    name: str
    lasts_s: float
    make: Callable[[Stand], Generator[None]]
    """Makes it, is resumed when it has lasted, and ends it."""
    told: tuple[str, ...]
    """Words of which at least one is to be told; none = nothing must be told at all."""
    due_s: float
    also: tuple[str, ...] = ()
    """Words that may be told besides."""


def _stuck(stand: Stand) -> Generator[None]:
    stand.devices[THERMAL].stuck = True
    yield
    stand.devices[THERMAL].stuck = False


def _quiet(stand: Stand) -> Generator[None]:
    stand.devices[COLOUR].quiet.set()
    yield
    stand.devices[COLOUR].quiet.clear()


def _gone(kind: str) -> Fault:
    def make(stand: Stand) -> Generator[None]:
        stand.devices[kind].device.unplug()
        yield
        stand.devices[kind].device.plug_in()

    return make


def _shifted(kind: str, by_s: float) -> Fault:
    def make(stand: Stand) -> Generator[None]:
        stand.devices[kind].shift_s = by_s
        yield
        stand.devices[kind].shift_s = 0.0

    return make


def _wall_clock(by: timedelta) -> Fault:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + by

    def make(_: Stand) -> Generator[None]:
        with patch("guidance.recording.recorder.datetime", Clock):
            yield

    return make


def _full(stand: Stand) -> Generator[None]:
    """No file of this process may grow beyond what the recording has: the system refuses to write."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(stand.recording).st_size + 1, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


_COLOUR, _THERMAL = "recorded colour camera", "recorded thermal camera"
_BLIND = ("colour_gap", "zone_lost", "nozzle_lost")
_COLD = ("thermal_stale", "thermal_missing", "temperature_unobserved")

KINDS = (
    Kind("thermal stuck", 3.0, _stuck, ("thermal_stuck", _THERMAL), DEVICE_DUE_S, _COLD),
    Kind("colour gap", 1.5, _quiet, (_COLOUR, "colour_gap"), DEVICE_DUE_S, _BLIND),
    Kind("colour camera gone and back", 3.0, _gone(COLOUR), (_COLOUR,), DEVICE_DUE_S, _BLIND),
    Kind("thermal camera gone and back", 3.0, _gone(THERMAL), (_THERMAL,), DEVICE_DUE_S, _COLD),
    Kind("disk full", 4.0, _full, ("RECORDING",), DISK_DUE_S),
    Kind(
        f"colour stamps {JUMP_S:g} s ahead", 3.0, _shifted(COLOUR, JUMP_S), (_COLOUR,), DEVICE_DUE_S, _BLIND
    ),
    Kind(
        f"colour stamps {JUMP_S:g} s back", 3.0, _shifted(COLOUR, -JUMP_S), (_COLOUR,), DEVICE_DUE_S, _BLIND
    ),
    Kind(
        f"thermal stamps {JUMP_S:g} s ahead", 3.0, _shifted(THERMAL, JUMP_S), (_THERMAL,), DEVICE_DUE_S, _COLD
    ),
    Kind(
        f"thermal stamps {JUMP_S:g} s back", 3.0, _shifted(THERMAL, -JUMP_S), (_THERMAL,), DEVICE_DUE_S, _COLD
    ),
    Kind("wall clock 1 h ahead", 3.0, _wall_clock(timedelta(hours=1)), (), 0.0),
    Kind("wall clock 1 h back", 3.0, _wall_clock(timedelta(hours=-1)), (), 0.0),
)


@dataclass(frozen=True)
class Made:
    """A fault that was made; times of the monotonic clock."""

    kind: Kind
    from_s: float
    to_s: float


@contextmanager
def _during(kind: Kind, stand: Stand) -> Generator[None]:
    fault = kind.make(stand)
    next(fault)
    try:
        yield
    finally:
        next(fault, None)


def make(kind: Kind, stand: Stand) -> Made:
    """Make a fault, let it last, and end it."""
    from_s = time.monotonic()
    with _during(kind, stand):
        time.sleep(kind.lasts_s)
    return Made(kind, from_s, time.monotonic())
