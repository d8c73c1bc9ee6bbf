"""Faults that a live session must bear: how each is made, what must be told of it, and in what time."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self
from unittest.mock import patch

from benchmarks.live_stand import Stand
from vision.cameras import COLOUR, DEPTH, THERMAL

DEVICE_DUE_S = 0.5
"""The aim for a device that stops."""
DISK_DUE_S = 0.5
"""A disk that is full is met at the next flush (0.2 s), and told at the next beat (0.2 s)."""
FULL_S = 50.0
"""Longer than what a recorder keeps by itself (64 MB and 10 s of captures): some must be lost, and told."""
JUMP_S = 5.0
REFUSED = "RECORDING: The recording cannot be written"
LACKS = "RECORDING: The disk does not keep up"

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
    each: int = 1
    """Made in every such round of faults only."""
    loses: bool = False
    """Captures are lost by it: that they are is told from then on."""


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
    """The time of day is another one, wherever the product asks for it; the monotonic clock goes on."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + by

    def make(_: Stand) -> Generator[None]:
        real, rooms = time.time, ("guidance", "vision", "models", "calibration")
        with ExitStack() as stack:
            for name, module in list(sys.modules.items()):
                if name.split(".")[0] in rooms and vars(module).get("datetime") is datetime:
                    stack.enter_context(patch.object(module, "datetime", Clock))
            stack.enter_context(patch("time.time", lambda: real() + by.total_seconds()))
            yield

    return make


def _full(stand: Stand) -> Generator[None]:
    """The system refuses to write: really full where the recording has a disk of its own.

    Else no file of this process may grow beyond what the recording has (RLIMIT_FSIZE): refused at the same
    place and with parts written as on a full disk, but with EFBIG in place of ENOSPC, and the log, which is
    smaller, goes on.
    """
    if stand.disk is not None:
        whole, used, _ = shutil.disk_usage(stand.disk)
        filler = stand.disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                resize(stand.disk, used)
                with suppress(OSError):  # a few MB are left, for the system counts by the lump
                    while file.write(bytes(4096)):
                        pass
                yield
        finally:
            filler.unlink()
            resize(stand.disk, whole)
        return
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(stand.recording).st_size + 1, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


MS_REMOUNT = 32
"""Of `mount(2)`."""


def resize(disk: Path, size: int) -> None:
    """Give a disk in memory another size, at once.

    Raises:
        OSError: If it cannot have it.
    """
    system = ctypes.CDLL(None, use_errno=True)
    for more in range(0, 64 << 20, 1 << 20):  # what is written meanwhile must still fit
        told = f"size={size + more}".encode()
        if system.mount(b"tmpfs", os.fsencode(disk), b"tmpfs", ctypes.c_ulong(MS_REMOUNT), told) == 0:
            return
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(disk))


_COLOUR, _THERMAL, _DEPTH = (f"recorded {kind} camera" for kind in (COLOUR, THERMAL, DEPTH))
_BLIND = ("colour_gap", "zone_lost", "nozzle_lost")
_COLD = ("thermal_stale", "thermal_missing", "temperature_unobserved")

KINDS = (
    Kind("thermal stuck", 3.0, _stuck, ("thermal_stuck", _THERMAL), DEVICE_DUE_S, _COLD),
    Kind("colour gap", 1.5, _quiet, (_COLOUR, "colour_gap"), DEVICE_DUE_S, _BLIND),
    Kind("colour camera gone and back", 3.0, _gone(COLOUR), (_COLOUR,), DEVICE_DUE_S, _BLIND),
    Kind("thermal camera gone and back", 3.0, _gone(THERMAL), (_THERMAL,), DEVICE_DUE_S, _COLD),
    Kind("depth camera gone and back", 3.0, _gone(DEPTH), (_DEPTH,), DEVICE_DUE_S),
    Kind("disk full", 4.0, _full, (REFUSED,), DISK_DUE_S),
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
    Kind("disk full until captures are lost", FULL_S, _full, (REFUSED,), DISK_DUE_S, each=4, loses=True),
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
