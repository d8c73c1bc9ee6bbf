"""How many pictures of stand-in cameras, which come by the clock, a recording of calibration's page holds.

    python -m benchmarks.page_recording            # each picture is taken as it comes
    python -m benchmarks.page_recording --newest   # as it was: the newest, once the one before was looked at

Colour 1280 x 720 at 30 a second, thermal 256 x 192 at 25, all with noise, for the 20 s of `time`; a page
is open.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.sitting_page import Came, Technician
from calibration.board import OWN
from calibration.folder_steps import Sheets
from calibration.guided_run import Wanted
from calibration.recorded_plan import STEPS
from calibration.scale import Scale
from calibration.sheets import TARGET
from guidance.calibrating.room import RECORDING, CalibrationRoom
from guidance.calibrating.supply import Supply
from models.capture import Capture
from models.geometry import Bytes, Counts
from models.rig_file import write_rig
from tests.guidance.calibration_stand_in import served_page, whole_rig
from tests.timed_device import Start, TimedDevice
from vision.live_cameras import LiveCameras
from vision.source import open_source

STEP, DIFFERENT, SPARE_S = "time", 12, 240.0


def devices() -> list[TimedDevice]:
    """Pictures that differ by their noise, shown in turn."""
    rng, start = np.random.default_rng(0), Start()

    def shown(height: int, width: int, low: float, high: float, noise: float) -> list[np.ndarray]:
        coarse = rng.uniform(low, high, (9, 12)).astype(np.float32)
        still = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        return [np.rint(still + rng.normal(0.0, noise, still.shape)) for _ in range(DIFFERENT)]

    colour: list[Bytes] = [
        np.repeat(np.clip(one, 0, 255)[..., None], 3, 2).astype(np.uint8)
        for one in shown(720, 1280, 30, 220, 2.0)
    ]
    thermal: list[Counts] = [one.astype(np.uint16) for one in shown(192, 256, 29500, 31000, 6.0)]
    lasts_s = STEPS[STEP].lasts_s + SPARE_S
    return [
        TimedDevice(
            kind,
            (np.arange(hz * lasts_s) / hz).tolist(),
            lambda k, each=each: each[k % DIFFERENT],
            start,
            hz=hz,
        )
        for kind, hz, each in (("colour", 30.0, colour), ("thermal", 25.0, thermal))
    ]


def main() -> None:
    """Record and count."""
    parser = argparse.ArgumentParser(prog="benchmarks.page_recording", description=__doc__)
    parser.add_argument("--newest", action="store_true")
    every = not parser.parse_args().newest
    with tempfile.TemporaryDirectory() as place, LiveCameras(devices(), every=every) as cameras:
        folder = Path(place)
        (folder / "rig.toml").write_text(write_rig(whole_rig()))
        sheets = Sheets(OWN, TARGET, Scale(1.0, True), None)
        wanted = Wanted(folder / "rig.toml", folder / "keep", sheets, (STEP,))

        def pictures(stop: threading.Event) -> Iterator[Capture]:
            yield from cameras.captures(None, gas=lambda _from, _to: (0.0, False), stop=stop)

        room = CalibrationRoom(Supply(pictures, ("colour", "thermal"), hurries=every), lambda _: wanted)
        came = list[Came]()
        with served_page(room) as port:
            technician = Technician(port, lambda _step, _number: {}, came.append)
            technician.start()
            busy_s = begun_s = None
            while not came and not technician.over.is_set():
                if room.phase == RECORDING and begun_s is None:
                    busy_s, begun_s = time.process_time(), time.monotonic()
                time.sleep(0.05)
                if begun_s is not None and room.phase != RECORDING:
                    break
            assert begun_s is not None
            assert busy_s is not None
            share = (time.process_time() - busy_s) / (time.monotonic() - begun_s)
            technician.over.set()
        files = list((folder / "keep" / STEP).glob("*.mcap"))
        if not files:
            told = room.told()[0]["recorded"]
            raise SystemExit(str(told["trouble"]) if isinstance(told, dict) else room.trouble)
        captures = list(open_source(files[0]).captures())
    lasts_s = STEPS[STEP].lasts_s
    counted = {
        "colour": (sum(one.bgr is not None for one in captures), 30.0),
        "thermal": (sum(len(one.thermal) for one in captures), 25.0),
    }
    for kind, (count, hz) in counted.items():
        print(f"{kind:8} {count} of {hz * lasts_s:.0f} pictures")
    print(f"{100.0 * share:.0f} % of a core, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
