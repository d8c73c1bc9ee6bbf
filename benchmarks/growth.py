"""How the cost of a step grows with the size of the picture: the same session, resized with its rig.

Growth with the number of cells is in `benchmarks.exposure`, with a session's length in `benchmarks.soak`.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.step import NOZZLE, STEP, WARM_UP_S, timed
from benchmarks.stopwatch import Stopwatch, machine, table_of
from guidance import pipeline
from guidance.set_up import needs_eyes, set_up
from guidance.stages.state import begin
from models.camera import Camera
from vision.landmarks import BodyEyes
from vision.recording import Recording, open_recording

SCALES, CAPTURES = (0.5, 0.75, 1.0, 1.5), 120
FOLLOW = "zone placed and followed"


def resized(camera: Camera, scale: float) -> Camera:
    """The camera of the resized picture; pixel centres lie at integers."""
    return replace(
        camera,
        width_px=round(camera.width_px * scale),
        height_px=round(camera.height_px * scale),
        fx_px=camera.fx_px * scale,
        fy_px=camera.fy_px * scale,
        cx_px=(camera.cx_px + 0.5) * scale - 0.5,
        cy_px=(camera.cy_px + 0.5) * scale - 0.5,
    )


def scaled(recording: Recording, scale: float) -> Recording:
    """The recording with the rig, and what was tapped, of the resized picture."""
    rig = replace(recording.rig, rgb=resized(recording.rig.rgb, scale)) if recording.rig else None
    taps = tuple(
        replace(tap, outline_px=(tap.outline_px + 0.5) * scale - 0.5) if tap.stream == "rgb" else tap
        for tap in recording.treatment.taps
    )
    treatment = replace(recording.treatment, taps=taps)
    width_px, height_px = round((recording.width_px or 0) * scale), round((recording.height_px or 0) * scale)
    return replace(recording, rig=rig, treatment=treatment, width_px=width_px, height_px=height_px)


def measured(folder: Path) -> Table:
    """Medians of the first captures, at each size."""
    out = table_of(
        f"{folder.name}, resized: median ms a capture", "picture", "nozzle", "tracked", FOLLOW, "whole step"
    )
    for scale in SCALES:
        recording, watch = scaled(open_recording(folder), scale), Stopwatch()
        tracked = 0
        with ExitStack() as stack:
            eyes = stack.enter_context(BodyEyes()) if needs_eyes(recording) else None
            setup, state = set_up(recording, eyes=eyes), begin()
            stack.enter_context(timed(watch, pipeline))
            for capture in islice(recording.captures(), CAPTURES):
                if capture.bgr is None:
                    continue
                how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
                size = (recording.width_px or 0, recording.height_px or 0)
                capture = replace(capture, bgr=cv2.resize(capture.bgr, size, interpolation=how))
                if capture.t_s >= WARM_UP_S:
                    watch.next_row()
                with watch.time(STEP):
                    state, guidance = pipeline.step(state, capture, setup)
                tracked += capture.t_s >= WARM_UP_S and getattr(guidance.nozzle, "state", "") == "tracked"
        times = [f"{np.median(watch.values(name)):.2f}" for name in (NOZZLE, FOLLOW, STEP)]
        share = f"{tracked / max(len(watch.values(STEP)), 1):.0%}"
        name = f"{recording.width_px} x {recording.height_px}"
        out.add_row(name, times[0], share, *times[1:])
    return out


if __name__ == "__main__":
    console = Console()
    console.print(machine(), highlight=False)
    for session in sys.argv[1:]:
        console.print(measured(Path(session)))
