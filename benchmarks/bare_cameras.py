"""Recording stand-in cameras by the clock: what is lost, how large it is, what it takes of the processor.

    python -m benchmarks.bare_cameras --seconds 20

Colour 1280 x 720 at 30 a second, thermal 256 x 192 at 25, depth 640 x 480 at 30; all with a sensor's noise.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from guidance.record_command import Asked, print_status, record_cameras
from models.geometry import Bytes, Counts
from tests.timed_device import Start, TimedDevice, finder

DIFFERENT = 12
"""Pictures of each camera that are shown in turn."""


def main() -> None:
    """Record and tell."""
    parser = argparse.ArgumentParser(prog="benchmarks.bare_cameras", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    rng, start = np.random.default_rng(0), Start()

    def scene(height: int, width: int, low: float, high: float) -> np.ndarray:
        coarse = rng.uniform(low, high, (9, 12)).astype(np.float32)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)

    def noisy(still: np.ndarray, noise: float, most: float) -> list[np.ndarray]:
        return [
            np.clip(np.rint(still + rng.normal(0.0, noise, still.shape)), 0, most) for _ in range(DIFFERENT)
        ]

    colour: list[Bytes] = [
        np.repeat(one[..., None], 3, 2).astype(np.uint8) for one in noisy(scene(720, 1280, 30, 220), 2.0, 255)
    ]
    thermal: list[Counts] = [
        one.astype(np.uint16) for one in noisy(scene(192, 256, 29500, 31000), 6.0, 65535)
    ]
    depth: list[Counts] = [one.astype(np.uint16) for one in noisy(scene(480, 640, 500, 900), 1.0, 65535)]
    devices = [
        TimedDevice(
            kind,
            (np.arange(hz * (seconds + 5.0)) / hz).tolist(),
            lambda k, shown=shown: shown[k % DIFFERENT],
            start,
            hz=hz,
        )
        for kind, hz, shown in (("colour", 30.0, colour), ("thermal", 25.0, thermal), ("depth", 30.0, depth))
    ]
    with tempfile.TemporaryDirectory() as folder:
        out, busy_s, begun_s = Path(folder) / "a.mcap", time.process_time(), time.monotonic()
        status = record_cameras(Asked(out, seconds=seconds), found=finder(*devices))
        busy_s, long_s = time.process_time() - busy_s, time.monotonic() - begun_s
        print_status(out, status)
    print(
        f"{100.0 * busy_s / long_s:.0f} % of a core, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"{status.pictures_left_out} colour pictures left out, {status.captures_lost} captures lost")


if __name__ == "__main__":
    main()
