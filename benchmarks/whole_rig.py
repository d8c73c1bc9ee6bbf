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
        if step == "rgb":
            _with_what_no_step_finds(rig, folder)


def _with_what_no_step_finds(rig: Path, folder: Path) -> None:
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
