"""Nozzle tracker and exposure map beside their peers: the same pictures, the same cells, the same process.

``make bench`` runs it on a session with truth; ``python -m benchmarks.peers SESSION ...`` on others. Peers do
what their users would do: pupil-apriltags finds corners in the whole picture, one PnP over all of them gives
the pose; scikit-surgeryarucotracker does both by itself; PySkinDose says which cells its beam hits.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from guidance import pipeline
from guidance.analyse import needs_eyes, set_up
from guidance.state import OnSkin, begin
from models.chart import CELL_MM
from models.deposit import deposit
from models.exposure import ExposureMap
from models.geometry import Bytes, Floats, Pose
from models.jet import jet_weights
from models.problems import InputError
from models.rig import Rig
from models.sightings import NozzleSighting
from vision.landmarks import BodyEyes
from vision.nozzle import NozzleTrack, track_nozzle
from vision.recording import Recording, open_recording

Tracker = Callable[[Bytes, float], Floats | None]
"""Picture and its time to the tip in the rgb frame, mm; None = not found."""

WARM_UP = 15
"""Pictures left out at the start."""

FAMILY = {"DICT_APRILTAG_36h11": "tag36h11", "DICT_APRILTAG_25h9": "tag25h9", "DICT_APRILTAG_16h5": "tag16h5"}


def ours(rig: Rig) -> Tracker:
    """The product's tracker."""
    carried = [NozzleTrack.start()]

    def tip(bgr: Bytes, t_s: float) -> Floats | None:
        sighting, carried[0] = track_nozzle(carried[0], bgr, t_s=t_s, rig=rig)
        return sighting.tip_rgb_mm if isinstance(sighting, NozzleSighting) else None

    return tip


def pupil(rig: Rig) -> Tracker:
    """pupil-apriltags, quad_decimate 2, and one PnP over all corners."""
    from pupil_apriltags import Detector  # pyright: ignore[reportMissingImports]  # bench extra only

    assert rig.nozzle is not None
    tags = rig.nozzle.tags
    detector: Any = Detector(families=FAMILY[tags.dictionary], quad_decimate=2.0)
    places = dict(zip(tags.ids.tolist(), tags.corners_mm, strict=True))
    begins: list[int] = []

    def fitted(corners_mm: Floats, corners_px: Floats) -> tuple[float, Floats]:
        _, rvec, tvec = cv2.solvePnP(
            corners_mm, corners_px, rig.rgb.matrix, rig.rgb.distortion, flags=cv2.SOLVEPNP_SQPNP
        )
        seen_px, _ = cv2.projectPoints(corners_mm, rvec, tvec, rig.rgb.matrix, rig.rgb.distortion)
        return float(np.abs(seen_px[:, 0] - corners_px).max()), np.asarray(tvec, float).ravel()

    def tip(bgr: Bytes, t_s: float) -> Floats | None:
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        found = [tag for tag in detector.detect(grey) if tag.tag_id in places]
        if not found:
            return None
        corners_mm = np.concatenate([places[tag.tag_id] for tag in found])
        if len(found) >= 2 and not begins:
            # Which of the family's corners is the dictionary's first is told by what fits.
            ways = [_corners_px(found, first) for first in range(4)]
            begins.append(int(np.argmin([fitted(corners_mm, way)[0] for way in ways])))
        return fitted(corners_mm, _corners_px(found, begins[0]))[1] if begins else None

    return tip


def _corners_px(found: list[Any], first: int) -> Floats:
    """Corners clockwise as the rig lists them, from the first one on."""
    return np.concatenate([np.roll(np.asarray(tag.corners)[::-1], -first, axis=0) for tag in found])


def surgery(rig: Rig) -> Tracker:
    """scikit-surgeryarucotracker with the collar as one rigid body."""
    from sksurgeryarucotracker.arucotracker import (  # pyright: ignore[reportMissingImports]  # bench extra only
        ArUcoTracker,
    )

    assert rig.nozzle is not None
    tags = rig.nozzle.tags
    rows = [
        [number, *corners.mean(axis=0), *corners.ravel()]
        for number, corners in zip(tags.ids.tolist(), tags.corners_mm, strict=True)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as body:
        np.savetxt(body.name, rows)
        tracker: Any = ArUcoTracker(
            {
                "video source": "none",
                "camera projection": rig.rgb.matrix,
                "camera distortion": np.asarray(rig.rgb.distortion),
                "rigid bodies": [
                    {"name": "collar", "filename": body.name, "aruco dictionary": tags.dictionary}
                ],
            }
        )
    tracker.start_tracking()

    def tip(bgr: Bytes, t_s: float) -> Floats | None:
        names, _, _, poses, _ = tracker.get_frame(bgr)
        pose = dict(zip(names, poses, strict=True)).get("collar")
        if pose is None or not np.all(np.isfinite(pose)):
            return None
        return Pose(np.asarray(pose, float)).translation_mm

    return tip


TRACKERS = (
    ("cryoguide", ours),
    ("pupil-apriltags, quad_decimate 2, one PnP", pupil),
    ("scikit-surgeryarucotracker", surgery),
)


def race(recording: Recording, *, truth: Path, rig: Rig, captures: int | None) -> Table:
    """Time and tip error of each tracker on the pictures of a session, one tracker after another on each."""
    trackers = {name: make(rig) for name, make in TRACKERS}
    ms: dict[str, list[float]] = {name: [] for name in trackers}
    off_mm: dict[str, list[float]] = {name: [] for name in trackers}
    missed = dict.fromkeys(trackers, 0)
    known = np.load(truth) if truth.exists() else None
    seen = 0
    for capture in track(recording.captures(), total=recording.frames, transient=True, description="nozzle"):
        if capture.bgr is None:
            continue
        seen += 1
        if captures is not None and seen > captures:
            break
        for name, tracker in trackers.items():
            start_s = time.perf_counter()
            tip_mm = tracker(capture.bgr, capture.t_s)
            took = 1000.0 * (time.perf_counter() - start_s)
            if seen <= WARM_UP:
                continue
            ms[name].append(took)
            if tip_mm is None:
                missed[name] += 1
            elif known is not None:
                true_mm = known["tip_mm"][np.argmin(np.abs(known["t_s"] - capture.t_s))]
                off_mm[name].append(float(np.linalg.norm(tip_mm - true_mm)))
    out = Table(title=f"Nozzle tracker, {recording.name}", title_justify="left")
    for heading in ("", "ms p50", "ms mean", "of pupil-apriltags", "tip mm p50", "tip mm p95", "not found"):
        out.add_column(heading, justify="left" if heading == "" else "right")
    peer = float(np.mean(ms[TRACKERS[1][0]]))
    for name in trackers:
        away = np.array(off_mm[name])
        figures = [f"{value:.2f}" for value in np.percentile(away, [50, 95])] if len(away) else ["-", "-"]
        out.add_row(
            name,
            f"{np.median(ms[name]):.2f}",
            f"{np.mean(ms[name]):.2f}",
            f"{np.mean(ms[name]) / peer:.2f}",
            *figures,
            f"{100.0 * missed[name] / max(len(ms[name]), 1):.0f} %",
        )
    return out


def placed(recording: Recording, models_dir: Path | None) -> tuple[OnSkin, Floats, Floats, float] | None:
    """The session's chart, with a tip and an axis over it, as soon as it is laid and struck."""
    with contextlib.ExitStack() as stack:
        eyes = stack.enter_context(BodyEyes(models_dir=models_dir)) if needs_eyes(recording) else None
        setup = set_up(recording, eyes=eyes)
        state = begin()
        for capture in recording.captures():
            state, told = pipeline.step(state, capture, setup)
            if (
                state.on_skin is not None
                and told.jet is not None
                and isinstance(state.nozzle, NozzleSighting)
            ):
                return state.on_skin, state.nozzle.tip_rgb_mm, state.nozzle.axis_rgb, setup.bore_mm
    return None


def exposure_race(on_skin: OnSkin, tip_mm: Floats, axis: Floats, bore_mm: float) -> Table:
    """One update of the exposure map beside PySkinDose's hit test, on the same cells."""
    from pyskindose.beam_class import Beam  # pyright: ignore[reportMissingImports]  # bench extra only

    chart, mesh = on_skin.chart, on_skin.mesh
    exposure = ExposureMap.empty(len(chart))
    beam: Any = object.__new__(Beam)
    beam.r, beam.N = tip_mm[None], _pyramid(axis)
    patient = SimpleNamespace(r=chart.position_mm, n=chart.normal, phantom_model="human")

    def update() -> None:
        weight = jet_weights(mesh, chart.position_mm, chart.normal, tip_mm=tip_mm, axis=axis, bore_mm=bore_mm)
        deposit(
            exposure,
            weight_before=weight,
            weight_now=weight,
            upper_before=weight,
            upper_now=weight,
            gas_s=0.03,
        )

    times: dict[str, list[float]] = {"cryoguide": [], "PySkinDose check_hit": []}
    for _ in range(200):
        for name, run in (("cryoguide", update), ("PySkinDose check_hit", lambda: beam.check_hit(patient))):
            start_s = time.perf_counter()
            run()
            times[name].append(1000.0 * (time.perf_counter() - start_s))
    out = Table(
        title=f"One update of the exposure map, {len(chart)} cells of {CELL_MM:.0f} mm", title_justify="left"
    )
    for heading in ("", "ms p50", "ratio"):
        out.add_column(heading, justify="left" if heading == "" else "right")
    middle = {name: float(np.median(values[20:])) for name, values in times.items()}
    for name, value in middle.items():
        out.add_row(name, f"{value:.3f}", f"{value / middle['cryoguide']:.1f}")
    return out


def _pyramid(axis: Floats) -> Floats:
    """Outward normals of a square beam of 15 degrees to each side, shape (4, 3)."""
    side = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.8 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(axis, side)
    lean = np.tan(np.radians(15.0))
    return np.array([way - lean * axis for way in (side, -side, up, -up)])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parser.add_argument("sessions", nargs="+", type=Path, metavar="SESSION")
    parser.add_argument("--captures", type=int, help="colour pictures at most")
    parser.add_argument("--models", type=Path, metavar="DIR", help="your own MediaPipe .task bundles")
    options = parser.parse_args()
    console = Console(width=110)
    names = ("pupil-apriltags", "scikit-surgeryarucotracker", "pyskindose")
    try:
        console.print(", ".join(f"{name} {metadata.version(name)}" for name in names), highlight=False)
        for folder in options.sessions:
            recording = open_recording(folder)
            if recording.rig is None or recording.rig.nozzle is None:
                raise InputError(f"{folder} has no rig with a nozzle; the trackers need one.")
            truth = folder / "truth" / "captures.npz"
            with contextlib.redirect_stderr(io.StringIO()):
                table = race(recording, truth=truth, rig=recording.rig, captures=options.captures)
            console.print(table)
            found = placed(open_recording(folder), options.models)
            if found is not None:
                console.print(exposure_race(*found))
    except (InputError, metadata.PackageNotFoundError) as error:
        print(f"benchmarks.peers: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
