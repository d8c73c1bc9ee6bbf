"""Captures and guidance without cameras or a zone: what a recorder is tried on.

Run as a program it records in real time until it is killed, and prints the time of each capture that it
handed over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from guidance.recording.chained_log import ChainedLog
from guidance.recording.recorder import Manifest, Recorder
from guidance.session import Acknowledge, Guidance
from models.capture import Capture, ThermalPicture
from models.sightings import Lost, Seen
from tests.guidance.scripted import setup_of

ROOT = Path(__file__).parents[2]
HZ = 30.0
GONE = Lost("no tag in the picture", 0.0)
SEEN = Seen(True, GONE, (), None, None)
NOISE = np.random.default_rng(3)


def capture(k: int, *, size_px: tuple[int, int] = (48, 64), colour: bool = True) -> Capture:
    """The k-th of 30 a second, each with a thermal picture."""
    t_s = k / HZ
    height, width = size_px
    counts = (30000 + NOISE.integers(0, 80, (height // 2, width // 2))).astype(np.uint16)
    bgr = NOISE.integers(0, 255, (height, width, 3)).astype(np.uint8) if colour else None
    return Capture(t_s, k, bgr, (ThermalPicture(t_s - 0.05, counts, False),), (), 1.0 / HZ, True)


def guidance(t_s: float) -> Guidance:
    """Nothing is known."""
    return Guidance(
        t_s=t_s, dt_s=1.0 / HZ, index=None, gas_now=True, nozzle=GONE, zone=GONE, jet=None, jet_reason="",
        weight=None, exposure=None, skin=None, blind=None, skin_min_degc=None, skin_min_u95_degc=None,
        time_to_limit_s=None, tile_time_s=None, gas_total_s=t_s, unassigned_s=t_s, landmarks=None,
        tag_patches=(), active=(), ended=(), status=(), zone_mean_degc=None, zone_observed_share=None,
    )  # fmt: skip


def manifest() -> Manifest:
    """A calf under CO2."""
    return Manifest(setup_of(), (("rig.toml", b"# a rig\n"),))


def main(path: Path, encrypt_to: str | None = None) -> None:
    """Record until killed."""
    log = ChainedLog(path.with_suffix(".log"))
    recorder = Recorder(path, manifest(), log=log, encrypt_to=encrypt_to)
    pace = threading.Event()
    for k in range(3000):
        now = capture(k)
        actions = (Acknowledge(now.t_s),) if k % 10 == 5 else ()
        recorder.take(now, SEEN, guidance(now.t_s), actions)
        print(f"{now.t_s!r}", flush=True)
        pace.wait(1.0 / HZ)


def killed(path: Path, *more: str) -> float:
    """Record in a program of its own, as `main`, and kill it (-9) in mid-session.

    Returns:
        Session time in seconds of the last capture that it had handed over.
    """
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.guidance.tiny_session", str(path), *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    handed_s = [float(writer.stdout.readline()) for _ in range(40)]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait(timeout=20)
    handed_s += [float(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    return handed_s[-1]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
