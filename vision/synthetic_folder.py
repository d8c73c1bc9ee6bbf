"""A simulated scene as a session folder of the interchange format, with its truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from models.geometry import Bytes, Floats
from models.problems import InputError
from models.rig_file import write_rig
from vision.files import atomic_folder
from vision.synthetic import Truth, depth_times_s, thermal_times_s, truth_at
from vision.synthetic_rig import real_rig, stated_rig, treatment_of
from vision.synthetic_scene import SHUTTER_S, Scene
from vision.synthetic_skin import SkinUnderJet
from vision.synthetic_studio import Studio, shutter_flags

SESSION_FILES = (
    "session.toml",
    "rig.toml",
    "rgb.mp4",
    "rgb.csv",
    "thermal.npz",
    "depth.npz",
    "truth",
)
"""What a simulated session holds; a folder with anything else in it is not replaced."""

MARK = "rig_true.toml"
"""In the truth of every simulated session, and of no other."""

CROSSINGS_DEGC = (15.0, 10.0, 6.0, 4.0, 2.0, 0.0)
SERIES_HZ = 5.0
CRF = "18"
"""H.264 quality: visually lossless."""


def write_session(
    scene: Scene, folder: Path, *, on_progress: Callable[[int, int, float], None] = lambda *_: None
) -> None:
    """Draw a scene and write it.

    Args:
        scene: What happens.
        folder: Replaced as a whole when all is written; untouched before.
        on_progress: Told pictures done, pictures in all, and session time.

    Raises:
        InputError: If the folder holds anything but an older simulated session, or cannot be written.
    """
    if (folder / "session.toml").exists() and not (folder / "truth" / MARK).exists():
        raise InputError(f"{folder} holds a session that was not simulated; choose another folder.")
    with atomic_folder(folder, products=SESSION_FILES, what="simulated session") as aside:
        studio, stated = Studio(scene), stated_rig(scene)
        thermal_s = thermal_times_s(scene) if stated.thermal is not None else np.zeros(0)
        depth_s = depth_times_s(scene) if stated.depth is not None else np.zeros(0)
        total = len(scene.times_s) + len(thermal_s) + len(depth_s)
        done = 0

        def one_more(t_s: float) -> None:
            nonlocal done
            done += 1
            on_progress(done, total, t_s)

        def colour() -> Iterator[Bytes]:
            for t_s in scene.times_s.tolist():
                yield studio.colour(t_s)
                one_more(t_s)

        _write_video(aside / "rgb.mp4", colour(), hz=scene.hz)
        rows = [f"{index},{t_s:.6f}\n" for index, t_s in enumerate(scene.times_s)]
        (aside / "rgb.csv").write_text("".join(["index,t_s\n", *rows]))
        streams = ['rgb = "rgb.mp4"']
        if stated.thermal is not None:
            pictures = []
            for t_s in thermal_s.tolist():
                pictures.append(studio.thermal(t_s))
                one_more(t_s)
            flag = shutter_flags(scene, thermal_s).astype(np.uint8)
            stamps = thermal_s - scene.thermal_clock_s
            np.savez_compressed(aside / "thermal.npz", t_s=stamps, centikelvin=np.stack(pictures), flag=flag)
            streams.append('thermal = "thermal.npz"')
        if stated.depth is not None:
            pictures = []
            for t_s in depth_s.tolist():
                pictures.append(studio.depth(t_s))
                one_more(t_s)
            np.savez_compressed(aside / "depth.npz", t_s=depth_s, depth_mm=np.stack(pictures))
            streams.append('depth = "depth.npz"')
        (aside / "rig.toml").write_text(write_rig(stated))
        (aside / "session.toml").write_text(_header(scene, streams))
        (aside / "truth").mkdir()
        write_truth(scene, aside / "truth")


def _header(scene: Scene, streams: list[str]) -> str:
    treatment = treatment_of(scene)
    lines = [
        'schema = "cryoguide.session/1"',
        f"started = {treatment.started.isoformat().replace('+00:00', 'Z')}",
        f'zone = "{treatment.zone}"',
        f'side = "{treatment.side}"',
        f'device = "{treatment.device}"',
        f'protocol = "{treatment.protocol}"',
        f"room_degc = {scene.room_degc:g}",
        "",
        "[streams]",
        *streams,
    ]
    for from_s, to_s in treatment.valve_s or ():
        lines += ["", "[[valve]]", f"from_s = {from_s:.3f}", f"to_s = {to_s:.3f}"]
    for tap in treatment.taps:
        lines += ["", "[[tap]]", f"t_s = {tap.t_s:g}", f"outline_px = {tap.outline_px.round(1).tolist()}"]
    for reference in treatment.references:
        lines += ["", "[[reference]]", f'stream = "{reference.stream}"']
        lines += [f"outline_px = {reference.outline_px.round(2).tolist()}"]
        lines += [f"degc = {reference.degc!r}", f"u95_degc = {reference.u95_degc!r}"]
        lines += [f"emissivity = {reference.emissivity!r}"]
    return "\n".join(lines) + "\n"


def write_truth(scene: Scene, folder: Path) -> None:
    """Write captures.npz, cells.npz, events.json, anatomy.json and rig_true.toml: what the score reads."""
    skin, times_s = SkinUnderJet(scene), scene.times_s
    series_s = np.arange(0.0, float(times_s[-1]) + 1e-9, 1.0 / SERIES_HZ)
    crossing_s: dict[str, float | None] = {f"{limit:g}": None for limit in CROSSINGS_DEGC}
    truths: list[Truth] = []
    lowest, left_s, series = [], [], []
    for t_s in times_s.tolist():
        while len(series) < len(series_s) and series_s[len(series)] <= t_s + 1e-9:
            series.append(skin.degc(float(series_s[len(series)])).astype(np.float16))
        truths.append(truth_at(scene, t_s))
        lowest.append(float(skin.degc(t_s).min()))
        left_s.append(skin.seconds_to(2.0, t_s) if scene.gas_at(t_s) else np.nan)
        for limit in CROSSINGS_DEGC:
            if crossing_s[f"{limit:g}"] is None and lowest[-1] <= limit:
                crossing_s[f"{limit:g}"] = round(t_s, 4)
    np.savez_compressed(
        folder / "captures.npz",
        t_s=times_s,
        tip_mm=np.array([truth.tip_rgb_mm for truth in truths]),
        axis=np.array([truth.axis_rgb for truth in truths]),
        distance_mm=np.array([truth.distance_mm for truth in truths]),
        incidence_deg=np.array([truth.incidence_deg for truth in truths]),
        gas=np.array([truth.gas for truth in truths]),
        skin_min_degc=np.array(lowest),
        time_to_2_s=np.array(left_s),
    )
    moved_s = np.append(np.arange(0.0, scene.seconds, 0.1), scene.seconds)
    bodies = [scene.rgb_from_body(t_s) for t_s in moved_s.tolist()]
    start_mm = bodies[0].apply(skin.cells.position_mm)
    moved = [body.apply(skin.cells.position_mm) - start_mm for body in bodies]
    np.savez_compressed(
        folder / "cells.npz",
        position_t_s=moved_s,
        position0_mm=start_mm.astype(np.float32),
        displacement_mm=np.array(moved, np.float32),
        normal=bodies[0].rotate(skin.cells.normal).astype(np.float32),
        area_cm2=skin.cells.area_cm2.astype(np.float32),
        dwell_s=skin.dwell_s.astype(np.float32),
        min_degc=skin.min_degc.astype(np.float32),
        cold_exposure_degc_s=skin.cold_exposure_degc_s.astype(np.float32),
        below_10_s=skin.below_s[10.0].astype(np.float32),
        below_4_s=skin.below_s[4.0].astype(np.float32),
        below_2_s=skin.below_s[2.0].astype(np.float32),
        series_t_s=series_s[: len(series)],
        series_degc=np.array(series),
    )
    events = {
        "duration_s": scene.seconds,
        "crossing_s": crossing_s,
        "min_degc": round(float(skin.min_degc.min()), 3),
        "faults": _faults(scene),
        "errors_injected": {
            key: value if not isinstance(value, float) or np.isfinite(value) else None
            for key, value in asdict(scene.errors).items()
        },
    }
    (folder / "events.json").write_text(json.dumps(events, indent=1))
    centre = [body.translation_mm.round(3).tolist() for body in bodies]
    anatomy = {
        "zone": scene.zone,
        "side": scene.side,
        "zone_centre_mm": centre[0],
        "zone_centre_t_s": moved_s.tolist(),
        "zone_centre_by_t_mm": centre,
        "zone_axes_rgb": _axes(bodies[0].rotation),
        "note": "zone_axes_rgb rows: across, along, outward normal",
    }
    (folder / "anatomy.json").write_text(json.dumps(anatomy, indent=1))
    (folder / MARK).write_text(write_rig(real_rig(scene)))


def _axes(rotation: Floats) -> list[list[float]]:
    return [rotation[:, 0].tolist(), rotation[:, 1].tolist(), (-rotation[:, 2]).tolist()]


def _faults(scene: Scene) -> list[dict[str, object]]:
    errors, found = scene.errors, []
    for kind, span in (
        ("thermal_stuck", errors.thermal_stuck_s),
        ("thermal_missing", errors.thermal_missing_s),
    ):
        if span is not None:
            found.append({"kind": kind, "from_s": span[0], "to_s": min(span[1], scene.seconds)})
    for start_s in errors.shutter_s:
        found.append({"kind": "thermal_ffc", "from_s": start_s, "to_s": start_s + SHUTTER_S})
    motion = scene.motion
    if any(motion.shift_mm) and motion.shift_at_s < scene.seconds:
        end_s = motion.shift_at_s + motion.shift_takes_s
        found.append({"kind": "patient_moved", "from_s": motion.shift_at_s, "to_s": end_s})
    return found


def _write_video(path: Path, pictures: Iterator[Bytes], *, hz: float) -> None:
    rate = Fraction(hz).limit_denominator(1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": CRF, "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
