"""Time of each stage and of the whole step per capture, beside MediaPipe and pupil-apriltags.

``make bench`` runs it on the sample session, ``python -m benchmarks.step SESSION ...`` on others. The
peers see the same pictures in the same run, one after the other, so that whatever else the machine
does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from guidance import pipeline
from guidance.analyse import needs_eyes, set_up
from guidance.overlay import draw_overlay
from guidance.state import begin
from models.capture import Capture
from models.geometry import Bytes
from models.problems import InputError
from models.sightings import NozzleSighting
from models.weights import POSE
from vision.bundle import bundle_path
from vision.landmarks import BodyEyes
from vision.mediapipe_tasks import Landmarker
from vision.recording import Recording, open_recording

WARM_UP_S = 1.0
"""Left out at the start: loading of compiled code, the first run of the networks."""

STAGES = (
    ("nozzle", "track_nozzle"),
    ("skin tags", "see_skin_tags"),
    ("body landmarks", "see_body"),
    ("zone placed and followed", "place_or_follow"),
    ("jet on skin, dwell", "meet_skin"),
    ("skin temperature", "read_skin"),
    ("facts for the alarms", "gather"),
    ("alarms", "conditions"),
    ("alarms", "update"),
)
"""What is timed, and its name in `guidance.pipeline`; stages of one label are added up."""

OUR_TAGS, PEER_TAGS = "tags the nozzle's pose rests on", "tags that pupil-apriltags found"
STEP, READ, OVERLAY = "whole step", "reading the recording", "drawing the overlay"
POSE_PEER, TAG_PEER = "MediaPipe Pose, VIDEO mode, every frame", "pupil-apriltags, quad_decimate 2"

# The aims of the first release: the step beside MediaPipe alone, the nozzle beside pupil-apriltags.
STEP_AIM, NOZZLE_AIM = 2.5, 0.5

_FAMILIES = {
    "DICT_APRILTAG_36h11": "tag36h11",
    "DICT_APRILTAG_25h9": "tag25h9",
    "DICT_APRILTAG_16h5": "tag16h5",
}


class Stopwatch:
    """Milliseconds (and counts of tags) by name, one row a capture."""

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

    def values(self, name: str) -> np.ndarray:
        """One value a capture; 0 where it did not run."""
        return np.array([row.get(name, 0.0) for row in self._rows])

    @property
    def names(self) -> tuple[str, ...]:
        """In order of first use."""
        return tuple(self._names)


@contextmanager
def timed(watch: Stopwatch, module: ModuleType) -> Iterator[None]:
    """Time the stages of a module in place for the length of a block."""
    before = {name: getattr(module, name) for _, name in STAGES if hasattr(module, name)}

    def wrap(label: str, stage: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            with watch.time(label):
                return stage(*args, **options)

        return run

    try:
        for label, name in STAGES:
            if name in before:
                setattr(module, name, wrap(label, before[name]))
        yield
    finally:
        for name, stage in before.items():
            setattr(module, name, stage)


def measure(folder: Path, *, captures: int | None, peers: bool, models_dir: Path | None) -> Stopwatch:
    """Run a session and its peers.

    Args:
        folder: The session.
        captures: How many colour pictures at most, all where None.
        peers: Whether to run MediaPipe and pupil-apriltags too.
        models_dir: The user's own landmark models.
    """
    watch = Stopwatch()
    recording = open_recording(folder)
    with ExitStack() as stack:
        eyes = stack.enter_context(BodyEyes(models_dir=models_dir)) if needs_eyes(recording) else None
        setup = set_up(recording, eyes=eyes)
        pose, tags = None, None
        if peers:
            pose = stack.enter_context(
                Landmarker("Pose", bundle_path(POSE, models_dir=models_dir), video=True)
            )
            tags = tag_detector(setup.rig.nozzle.tags.dictionary if setup.rig and setup.rig.nozzle else None)
        stack.enter_context(timed(watch, pipeline))
        state, seen = begin(), 0
        source = track(
            timed_captures(recording),
            total=recording.frames,
            description=folder.name,
            transient=True,
            console=Console(stderr=True),
        )
        for capture, read_ms in source:
            if captures is not None and seen >= captures:
                break
            if capture.t_s >= WARM_UP_S:
                watch.next_row()
            watch.add(READ, read_ms)
            with watch.time(STEP):
                state, guidance = pipeline.step(state, capture, setup)
            if capture.bgr is None:
                continue
            seen += 1
            with watch.time(OVERLAY):
                draw_overlay(capture.bgr, guidance, rig=setup.rig, protocol=setup.protocol, zone=setup.zone)
            if pose is not None:
                with watch.time(POSE_PEER):
                    pose.detect(capture.bgr, t_s=capture.t_s)
            if tags is not None:
                with watch.time(TAG_PEER):
                    found = tags(capture.bgr)
                watch.add(PEER_TAGS, found)
                if isinstance(guidance.nozzle, NozzleSighting):
                    watch.add(OUR_TAGS, guidance.nozzle.tags_used)
    return watch


def timed_captures(recording: Recording) -> Iterator[tuple[Capture, float]]:
    """Each capture with the milliseconds that reading it took."""
    start_s = time.perf_counter()
    for capture in recording.captures():
        yield capture, 1000.0 * (time.perf_counter() - start_s)
        start_s = time.perf_counter()


def tag_detector(dictionary: str | None) -> Callable[[Bytes], int] | None:
    """Count tags in the full picture by pupil-apriltags; None where it does not know the family."""
    if dictionary not in _FAMILIES:
        return None
    from pupil_apriltags import Detector  # pyright: ignore[reportMissingImports]  # bench extra only

    detector: Any = Detector(families=_FAMILIES[dictionary], quad_decimate=2.0)
    return lambda bgr: len(detector.detect(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)))


def table(watch: Stopwatch, *, title: str) -> Table:
    """Mean, median, 95th percentile and maximum in ms a capture."""
    out = Table(title=title, title_justify="left")
    out.add_column("ms a capture")
    for heading in ("mean", "p50", "p95", "max"):
        out.add_column(heading, justify="right")
    labels = list(dict.fromkeys(label for label, _ in STAGES))
    for section in (labels, [STEP], [READ, OVERLAY], [POSE_PEER, TAG_PEER]):
        for name in section:
            if name in watch.names:
                ms = watch.values(name)
                figures = (ms.mean(), *np.percentile(ms, [50, 95]), ms.max())
                out.add_row(name, *(f"{value:.2f}" for value in figures))
        out.add_section()
    return out


def ratios(watch: Stopwatch) -> list[str]:
    """The two ratios that matter, of the means, and how many tags either of the two saw."""
    said: list[str] = []
    for what, peer, aim in ((STEP, POSE_PEER, STEP_AIM), ("nozzle", TAG_PEER, NOZZLE_AIM)):
        if what in watch.names and peer in watch.names:
            ours, theirs = watch.values(what), watch.values(peer)
            mean, median = ours.mean() / theirs.mean(), np.median(ours) / np.median(theirs)
            said.append(f"{what} / {peer}: {mean:.2f} of means, {median:.2f} of medians (aim: at most {aim})")
    for name in (OUR_TAGS, PEER_TAGS):
        if name in watch.names:
            said.append(f"{name}: {watch.values(name).mean():.1f} a capture")
    return said


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.step", description=__doc__)
    parser.add_argument("sessions", nargs="+", type=Path, metavar="SESSION")
    parser.add_argument("--captures", type=int, help="colour pictures at most")
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    parser.add_argument("--models", type=Path, metavar="DIR", help="your own MediaPipe .task bundles")
    options = parser.parse_args()
    console = Console()
    packages = ("mediapipe", "opencv-contrib-python", "numpy", "numba")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    console.print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {versions}, "
        f"{cv2.getNumThreads()} OpenCV threads",
        highlight=False,
    )
    try:
        for session in options.sessions:
            watch = measure(
                session, captures=options.captures, peers=options.peers, models_dir=options.models
            )
            console.print(table(watch, title=f"{session.name}: {len(watch.values(STEP))} captures"))
            for line in ratios(watch):
                console.print(line, highlight=False)
    except InputError as error:
        print(f"benchmarks.step: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
