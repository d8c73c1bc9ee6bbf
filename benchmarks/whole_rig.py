"""One simulated rig through every step of calibration, by the command line, and a session analysed with it.

    python -m benchmarks.whole_rig DIR            # draw all inputs, do every step, look at the certificate
    python -m benchmarks.whole_rig DIR --only jet check

The rig is that of the simulator, lens, glued tags, clock and temperatures wrong by known amounts, so that the
same rig makes the pictures of every step and the session. Inputs and results stay in DIR; what is drawn
already is not drawn again.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.guided import draw
from benchmarks.guided_operator import Operator, Truth
from benchmarks.whole_rig_inputs import (
    DEVICE_JET,
    draw_bursts,
    draw_check,
    draw_edge,
    draw_references,
    draw_session,
    draw_spin,
    draw_wave,
    real_scene,
)
from calibration.board import OWN
from calibration.certificate import certificate_path
from calibration.sheets import collar_of
from guidance.cli import main as cryoguide
from models.geometry import Floats
from models.rig import Tags
from models.rig_file import read_rig
from models.sightings import radius_95_mm
from vision.synthetic_rig import real_rig

ACROSS_MM, TIP_MM = 54.1266, 82.0
"""Of the simulator's collar; the tip is printed 2.4 mm from where it is."""

STEPS = ("rgb", "thermal", "spread", "radiometry", "time", "collar", "tip", "axis", "jet", "check", "session")


def truth_of_scene(seed: int) -> Truth:
    """The simulator's rig, as the operator's simulation wants it."""
    real = real_rig(real_scene(seed))
    assert real.thermal is not None
    assert real.nozzle is not None
    made = collar_of(across_mm=ACROSS_MM, tip_mm=TIP_MM)
    bent = np.array(OWN.corners_mm)
    bent[:, 2] += 0.3 * ((bent[:, 0] - bent[:, 0].mean()) / 96.0) ** 2

    def values(camera: object) -> Floats:
        names = ("fx_px", "fy_px", "cx_px", "cy_px")
        return np.array([*(getattr(camera, n) for n in names), *camera.distortion], float)  # type: ignore[attr-defined]

    return Truth(
        rgb=values(real.rgb),
        thermal=values(real.thermal.camera),
        thermal_from_rgb=real.thermal.thermal_from_rgb,
        bloom=0.0,
        noise_px=0.12,
        thermal_noise_px=0.3,
        board_mm=bent,
        tags=real.nozzle.tags,
        given=Tags("DICT_APRILTAG_36h11", made.ids, made.corners_nozzle_mm),
        tip_mm=np.zeros(3),
    )


def inputs(folder: Path, seed: int) -> None:
    """Draw what is not there yet."""
    truth, scene = truth_of_scene(seed), real_scene(seed)

    def once(name: str, make: Callable[[Path], object]) -> None:
        if not (folder / name).exists():
            print(f"drawing {name}", flush=True)
            make(folder / name)

    once("rgb", lambda _: draw(np.random.default_rng(seed), Operator(), folder, truth=truth))
    once("edge", lambda at: draw_edge(at, scene))
    for name, degc in (("ice", 0.0), ("block", 33.0)):
        once(name, lambda at, degc=degc: draw_references(at, scene, degc=degc))
    once("wave", lambda at: draw_wave(at, scene))
    once("spin", lambda at: draw_spin(at, truth))
    for distance in (75.0, 110.0, 150.0):
        once(f"burst-{distance:.0f}", lambda at, d=distance: draw_bursts(at, scene, distance_mm=d))
    once("shown", lambda at: draw_check(at, scene))
    once("session", lambda at: draw_session(at, scene))


def commands(folder: Path, rig: Path) -> dict[str, list[str]]:
    """What a technician types, step by step."""
    at, own = str(folder), ["--rig", str(rig)]
    target, surface = (
        "tags:3x4:DICT_APRILTAG_36h11:200:40:16",
        ["--effusivity", "1039", "--effusivity-u95", "0.05"],
    )
    ice, block = (
        ["--reference", f"{at}/{n}", d, "0.2", "0.98:0.005"] for n, d in (("ice", "0"), ("block", "33"))
    )
    return {
        "rgb": ["rgb", f"{at}/rgb", "--out", str(rig), *(own if rig.exists() else [])],
        "thermal": ["thermal", f"{at}/pairs/colour", f"{at}/pairs/thermal", *own, "--board", target],
        "spread": ["spread", f"{at}/edge", *own],
        "radiometry": ["radiometry", *ice, *block, "--room-degc", "23", *own],
        "time": ["time", f"{at}/wave", *own],
        "collar": ["collar", f"{at}/collar", *own, "--tag-mm-u95", "0.05"],
        "tip": ["tip", f"{at}/tip", *own],
        "axis": ["axis", f"{at}/spin", *own],
        "jet": ["jet", *(f"{at}/burst-{d}" for d in (75, 110, 150)), *own, *surface],
        "check": ["check", f"{at}/shown", *own],
    }


def told(rig: Path) -> str:
    """What the certificate does not vouch for, in a line."""
    page = certificate_path(rig).read_text()
    missing = re.search(r"Not vouched for:</p><ul>(.*?)</ul>", page)
    words = re.findall(r"<li>(.*?)</li>", missing.group(1)) if missing else []
    return "\n".join(f"    - {one}" for one in words) or "    all vouched for"


def against_truth(rig_file: Path, seed: int) -> list[str]:
    """What was found beside what is true, with the bound that the rig states."""
    found, _ = read_rig(rig_file.read_text(), where=str(rig_file))
    real, lines = real_rig(real_scene(seed)), list[str]()
    assert real.nozzle is not None
    assert real.thermal is not None
    if found.nozzle is not None:
        own, true = (
            rig.nozzle.tags.corners_mm.reshape(-1, 3) for rig in (found, real) if rig.nozzle is not None
        )
        # The real nozzle laid onto the one that was found: what its origin and axis are off by.
        middle, at = true.mean(axis=0), own.mean(axis=0)
        u, _, vt = np.linalg.svd((true - middle).T @ (own - at))
        turn = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt).T
        tip, axis = at - turn @ middle, turn[:, 2]
        each = (own - at - (true - middle) @ turn.T).reshape(-1, 4, 3).mean(axis=1)
        lines.append(f"tags {np.linalg.norm(each, axis=1).max():.3f} mm off, the worst of their middles")
        errors = found.nozzle_errors
        if errors.tip_mm2 is not None:
            lines.append(f"tip {np.linalg.norm(tip):.2f} mm off, bound {radius_95_mm(errors.tip_mm2):.2f}")
        if errors.axis_rad2 is not None:
            off, sigma = np.degrees(np.arccos(axis[2])), np.degrees(np.sqrt(np.trace(errors.axis_rad2)))
            lines.append(f"axis {off:.3f} degrees off, 2 sigma {2.0 * sigma:.3f}")
    if found.thermal is not None:
        px = np.array([(x * 1280.0, y * 720.0) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])
        there = [
            rig.thermal.camera.project(rig.thermal.thermal_from_rgb.apply(rig.rgb.unproject(px) * 800.0))
            for rig in (found, real)
            if rig.thermal is not None
        ]
        off_mm = np.linalg.norm(there[0] - there[1], axis=1).max() * 800.0 / real.thermal.camera.fx_px
        lines.append(f"a thermal pixel {off_mm:.2f} mm off 0.8 m away, the worst of nine places")
        late = found.thermal.rgb_minus_thermal_s - real.thermal.rgb_minus_thermal_s
        lines.append(f"time {1000.0 * late:+.2f} ms off")
        if found.thermal.radiometry is not None:
            true_degc = np.array([2.0, 20.0, 33.0])
            read = true_degc + real_scene(seed).errors.camera_reads_too_warm_degc(0.0, true_degc)
            off = read - found.thermal.radiometry.off_degc(read) - true_degc
            lines.append(f"temperatures {', '.join(f'{v:+.2f}' for v in off)} degC off at 2, 20, 33 degC")
    return lines


def main() -> None:
    """Draw, calibrate, tell."""
    parser = argparse.ArgumentParser(prog="benchmarks.whole_rig", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=STEPS)
    parser.add_argument("--draw-only", action="store_true")
    options = parser.parse_args()
    folder, rig = options.folder, options.folder / "rig.toml"
    inputs(folder, options.seed)
    if options.draw_only:
        return
    first = ["calibrate", "print", "collar", "--out", str(folder / "sheets")]
    cryoguide([*first, "--across-mm", str(ACROSS_MM), "--tip-mm", str(TIP_MM)])
    print(f"true jet: {replace(DEVICE_JET)}")
    for step, words in commands(folder, rig).items():
        if options.only and step not in options.only:
            continue
        print(f"\n== cryoguide calibrate {' '.join(words)}", flush=True)
        code = cryoguide(["calibrate", *words])
        print(f"exit {code}; not vouched for after {step}:\n{told(rig)}", flush=True)
        if code == 0:
            print("\n".join(f"    {line}" for line in against_truth(rig, options.seed)))
        if step == "rgb":
            with_what_no_step_finds(rig, folder)


def with_what_no_step_finds(rig: Path, folder: Path) -> None:
    """The printed collar and the maker's depth camera, typed into the new rig as a technician does."""
    text, nozzle = rig.read_text(), (folder / "sheets" / "collar.toml").read_text()
    if "[nozzle]" not in text:
        text += "\n" + nozzle[nozzle.index("[nozzle]") :]
    if "[depth]" not in text:
        made = (folder / "session" / "rig.toml").read_text()
        depth = made[made.index("[depth]") :]
        text += "\n" + depth[: depth.index("\n[")]
    rig.write_text(text)


if __name__ == "__main__":
    main()
