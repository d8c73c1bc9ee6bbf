"""Times by name, the machine they were taken on, and rows of a table."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import cv2
import numpy as np
from rich.table import Table

from models.geometry import Floats

OUR_PACKAGES = ("mediapipe", "opencv-contrib-python", "numpy", "numba")
PEER_PACKAGES = (
    "pupil-apriltags",
    "scikit-surgeryarucotracker",
    "scikit-surgerycalibration",
    "pyskindose",
)


class Stopwatch:
    """Milliseconds (or counts) by name, one row a capture."""

    def __init__(self) -> None:
        """Start with no row."""
        self._rows: list[dict[str, float]] = []
        self._names: dict[str, None] = {}

    def next_row(self) -> None:
        """Begin the next capture."""
        self._rows.append({})

    def add(self, name: str, value: float) -> None:
        """Add milliseconds or a count to a name in the current row; dropped before the first row."""
        self._names[name] = None
        if self._rows:
            self._rows[-1][name] = self._rows[-1].get(name, 0.0) + value

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Time a block."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, 1000.0 * (time.perf_counter() - start_s))

    def values(self, name: str) -> Floats:
        """One value a capture; 0 where it did not run."""
        return np.array([row.get(name, 0.0) for row in self._rows])

    def noted(self, name: str) -> Floats:
        """The values of those captures only in which there is one."""
        return np.array([row[name] for row in self._rows if name in row])

    @property
    def names(self) -> tuple[str, ...]:
        """In order of first use."""
        return tuple(self._names)


def machine() -> str:
    """One line: processor, versions, and which peers are missing."""
    found: list[str] = []
    for name in (*OUR_PACKAGES, *PEER_PACKAGES):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} not installed (`make bench` does it)")
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"{', '.join(found)}, {cv2.getNumThreads()} OpenCV threads"
    )


def table_of(title: str, first: str, *headings: str) -> Table:
    """An empty table: names on the left, figures on the right."""
    out = Table(title=title, title_justify="left")
    out.add_column(first)
    for heading in headings:
        out.add_column(heading, justify="right")
    return out
