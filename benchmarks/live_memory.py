"""Whether the memory of a process grows along a session, and by how much at most."""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.stats import theilslopes

from benchmarks.soak import resident_mb
from models.geometry import Floats

WARM_S = 240.0
"""Compiled code, caches and queues have their size by then, and a disk was full for as long as it will be."""
BLOCK_S = 30.0
"""The least memory of so long counts: what waits while a disk is full goes away again."""
BLOCKS_LEAST = 10
"""Fewer tell nothing of a slope: 9.5 minutes in all."""
MOST_MB_MIN = 1.0
"""Own choice: 30 MB in a session of 30 minutes. What a session must keep of each capture for its report
(`guidance.report.rows`, 0.3 MB a minute at 30 a second) and the index of its file (0.28) lie within."""
SURE = 0.95


@dataclass(frozen=True)
class Slope:
    """Growth of memory, MB a minute."""

    mb_min: float
    low_mb_min: float
    high_mb_min: float
    """Bounds that hold with 95 %."""
    blocks: int

    @property
    def told(self) -> bool:
        """Whether the session was long enough for a slope."""
        return self.blocks >= BLOCKS_LEAST

    @property
    def fine(self) -> bool:
        """Whether it is within what is allowed, by its upper bound; one that is not told is not judged."""
        return not self.told or self.high_mb_min <= MOST_MB_MIN

    @property
    def words(self) -> str:
        """One line."""
        if self.blocks < 3:
            return "memory: too short for a slope"
        bounds = f"{self.low_mb_min:+.2f} to {self.high_mb_min:+.2f}"
        judged = f"at most {MOST_MB_MIN:+.2f} is allowed" if self.told else "too short to be judged"
        return f"memory after {WARM_S / 60:g} minutes: {self.mb_min:+.2f} MB a minute ({bounds}); {judged}"


def slope(at_s: Floats, mb: Floats) -> Slope:
    """Robust slope (Theil and Sen) of the least memory in each block.

    Args:
        at_s: Times since the session began, shape (n,).
        mb: Memory then, shape (n,).
    """
    block = np.floor((at_s - WARM_S) / BLOCK_S).astype(int)
    numbers = np.unique(block[block >= 0])[:-1]  # the last one is not over
    if len(numbers) < 3:
        return Slope(np.nan, np.nan, np.nan, len(numbers))
    least = np.array([mb[block == number].min() for number in numbers])
    found = theilslopes(least, numbers * (BLOCK_S / 60.0), SURE)
    return Slope(float(found[0]), float(found[2]), float(found[3]), len(numbers))


class Memory:
    """Looks at this process each second, from ``with`` on."""

    def __init__(self) -> None:
        """Nothing is looked at yet."""
        self.at_s, self.mb = array("d"), array("d")
        self._began_s = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Memory:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(1.0):
            self.mb.append(resident_mb())
            self.at_s.append(time.monotonic() - self._began_s)

    def slope(self) -> Slope:
        """So far."""
        n = min(len(self.at_s), len(self.mb))
        return slope(np.array(self.at_s[:n]), np.array(self.mb[:n]))


def objects() -> Counter[str]:
    """Objects that the collector knows, by kind, without those of before the first gas (they are frozen)."""
    return Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())


class _Allocated(ctypes.Structure):
    """Of `mallinfo2(3)`."""

    _fields_: ClassVar = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks"),
            *("uordblks", "fordblks", "keepcost"),
        )
    ]


def in_use_mb() -> float:
    """What was asked of the C library's allocator and not freed; NaN where it does not tell.

    What is resident beyond it is code, what other allocators hold, and what this one keeps of what was freed.
    """
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return float("nan")
    ask.restype = _Allocated
    told = ask()
    return (told.uordblks + told.hblkhd) / 1e6


def forget_peak() -> None:
    """From now on `peak_mb` tells of what comes; without effect where the system has no such thing."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """The most memory this process had since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
