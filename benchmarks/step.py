"""Time of each stage and of the whole step per capture, beside MediaPipe and the nozzle tracker's peers.

``make bench`` runs it on the sample sessions, ``python -m benchmarks.step SESSION ...`` on others. The
peers see the same pictures in the same run, one after the other, so that whatever else the machine
does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.nozzle_peers import PUPIL, SURGERY, Truth, nozzle_peers
from benchmarks.stopwatch import Stopwatch, machine, table_of
from guidance import pipeline
from guidance.overlay.picture import draw_overlay
from guidance.run import Run
from guidance.set_up import needs_eyes, set_up
from guidance.stages.state import begin
from models.capture import Capture
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

STEP, READ, OVERLAY = "whole step", "reading the recording", "drawing the overlay"
NOZZLE, POSE_PEER = "nozzle", "MediaPipe Pose, VIDEO mode, every frame"
TAGS, TIP = "tags: ", "tip error: "
"""Before a tracker's name: how many tags its pose rests on, and its error in mm."""

# The aims: the step beside MediaPipe alone, the nozzle beside pupil-apriltags, and the session as a whole.
STEP_AIM, NOZZLE_AIM, TIP_AIM, RATE_AIM = 1.8, 1.0 / 3.0, 0.5, 30.0


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
        peers: Whether to run MediaPipe and the nozzle tracker's peers too.
        models_dir: The user's own landmark models.
    """
    watch = Stopwatch()
    recording = open_recording(folder)
    with ExitStack() as stack:
        eyes = stack.enter_context(BodyEyes(models_dir=models_dir)) if needs_eyes(recording) else None
        setup = set_up(recording, eyes=eyes)
        pose, tag_peers, truth = None, [], Truth(folder)
        if peers:
            pose = stack.enter_context(
                Landmarker("Pose", bundle_path(POSE, models_dir=models_dir), video=True)
            )
            tag_peers = nozzle_peers(setup.rig)
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
            if isinstance(guidance.nozzle, NozzleSighting) and guidance.nozzle.state == "tracked":
                watch.add(TAGS + NOZZLE, guidance.nozzle.tags_used)
                _note_error(watch, NOZZLE, truth.error_mm(guidance.nozzle.tip_rgb_mm, capture.t_s))
            for peer in tag_peers:
                with watch.time(peer.name):
                    raw = peer.look(capture.bgr)
                found = peer.read(raw)
                watch.add(TAGS + peer.name, found.tags)
                if found.rgb_from_nozzle is not None:
                    tip_mm = found.rgb_from_nozzle.translation_mm
                    _note_error(watch, peer.name, truth.error_mm(tip_mm, capture.t_s))
    return watch


def _note_error(watch: Stopwatch, name: str, error_mm: float | None) -> None:
    if error_mm is not None:
        watch.add(TIP + name, error_mm)


def session_rate(folder: Path, *, models_dir: Path | None) -> float:
    """Captures a second of the session as a whole, opening and reading included, nothing beside it.

    What `guidance.analyse.analyse` does but for the overlay, its video and the report's files.
    """
    start_s = time.perf_counter()
    recording = open_recording(folder)
    with ExitStack() as stack:
        eyes = stack.enter_context(BodyEyes(models_dir=models_dir)) if needs_eyes(recording) else None
        run, count = Run(set_up(recording, eyes=eyes), recording), 0
        for capture in recording.captures():
            run.take(capture)
            count += 1
    return count / (time.perf_counter() - start_s)


def timed_captures(recording: Recording) -> Iterator[tuple[Capture, float]]:
    """Each capture with the milliseconds that reading it took."""
    start_s = time.perf_counter()
    for capture in recording.captures():
        yield capture, 1000.0 * (time.perf_counter() - start_s)
        start_s = time.perf_counter()


def table(watch: Stopwatch, *, title: str) -> Table:
    """Mean, median, 95th percentile and maximum in ms a capture."""
    out = table_of(title, "ms a capture", "mean", "p50", "p95", "max")
    labels = list(dict.fromkeys(label for label, _ in STAGES))
    for section in (labels, [STEP], [READ, OVERLAY], [POSE_PEER, PUPIL, SURGERY]):
        for name in section:
            if name in watch.names:
                ms = watch.values(name)
                figures = (ms.mean(), *np.percentile(ms, [50, 95]), ms.max())
                out.add_row(name, *(f"{value:.2f}" for value in figures))
        out.add_section()
    return out


def nozzle_table(watch: Stopwatch) -> Table:
    """The nozzle tracker beside its peers: time, tags, and the tip's error where there is truth."""
    columns = ("p50 ms", "mean ms", "tags a capture", "poses", "tip p50 mm", "tip p95 mm")
    out = table_of("nozzle, all on the same pictures", "tracker", *columns)
    for name in (NOZZLE, PUPIL, SURGERY):
        if name in watch.names:
            ms, tags, error_mm = watch.values(name), watch.values(TAGS + name), watch.noted(TIP + name)
            figures = [f"{np.median(ms):.2f}", f"{ms.mean():.2f}", f"{tags.mean():.1f}"]
            figures += [f"{len(error_mm) / max(len(ms), 1):.0%}"] if len(error_mm) else ["no truth"]
            figures += [f"{np.percentile(error_mm, q):.2f}" for q in (50, 95)] if len(error_mm) else ["", ""]
            out.add_row(name, *figures)
    return out


def ratios(watch: Stopwatch) -> list[str]:
    """What the aims are about: ratios of times, of means and of medians, and of tip errors."""
    said: list[str] = []
    pairs = ((STEP, POSE_PEER, STEP_AIM), (NOZZLE, PUPIL, NOZZLE_AIM), (NOZZLE, SURGERY, None))
    for what, peer, aim in pairs:
        if what in watch.names and peer in watch.names:
            ours, theirs = watch.values(what), watch.values(peer)
            mean, median = ours.mean() / theirs.mean(), np.median(ours) / np.median(theirs)
            told = "" if aim is None else f" (aim: at most {aim:.2f})"
            said.append(f"time, {what} / {peer}: {mean:.2f} of means, {median:.2f} of medians{told}")
    for peer in (PUPIL, SURGERY):
        ours, theirs = watch.noted(TIP + NOZZLE), watch.noted(TIP + peer)
        if len(ours) and len(theirs):
            ratio = np.percentile(ours, [50, 95]) / np.percentile(theirs, [50, 95])
            told = f" (aim: at most {TIP_AIM})" if peer == PUPIL else ""
            said.append(f"tip error, {NOZZLE} / {peer}: {ratio[0]:.3f} of p50, {ratio[1]:.3f} of p95{told}")
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
    console.print(machine(), highlight=False)
    try:
        for session in options.sessions:
            show(
                console,
                session,
                captures=options.captures,
                peers=options.peers,
                models_dir=options.models,
            )
    except InputError as error:
        print(f"benchmarks.step: {error}", file=sys.stderr)
        return 2
    return 0


def show(
    console: Console, session: Path, *, captures: int | None, peers: bool, models_dir: Path | None
) -> None:
    """Measure one session and print its tables."""
    watch = measure(session, captures=captures, peers=peers, models_dir=models_dir)
    console.print(table(watch, title=f"{session.name}: {len(watch.values(STEP))} captures"))
    console.print(nozzle_table(watch))
    lines = ratios(watch)
    if captures is None:
        rate = session_rate(session, models_dir=models_dir)
        told = f"(aim at 720p: at least {RATE_AIM:.0f})"
        lines.append(f"session as a whole: {rate:.1f} captures a second {told}")
    for line in lines:
        console.print(line, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
