"""Recorded steps through the page of the calibration, from drawn pictures: what was found against the truth.

Run: ``python -m benchmarks.calibration_page [--seeds N] [--jet]``. Cameras are stand-ins (`tests/guidance/
calibration_stand_in.py`); nothing here is measured on real ones. ``--jet`` draws three bursts at full size,
which takes minutes.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.spatial.transform import Rotation

from guidance.calibrating.room import CalibrationRoom
from models.capture import Capture
from models.radiometry import UNFLAGGED_MIN, Calibrated
from models.rig import Rig
from models.rig_file import read_rig
from tests.calibration.jet_scenes import burst_scene
from tests.calibration.radiometry_scenes import SIZE, drawn_camera
from tests.guidance.calibration_stand_in import (
    Scenery,
    Spun,
    edges,
    leaning_collar,
    references,
    spinning,
    standing,
    waving,
    whole_rig,
)
from vision.synthetic import captures
from vision.synthetic_rig import stated_rig
from vision.synthetic_scene import Scene, TrueJet

JET = TrueJet(half_mm=7.5, spread=0.09, film_w_m2k=240.0, gas_degc=-70.0)
JET_MM = (70.0, 100.0, 150.0)


@dataclass(frozen=True)
class Came:
    """What came of one sitting."""

    state: str
    lines: tuple[str, ...]
    rig: Rig
    solving_s: float


def sat(
    step: str, scenery: Scenery, rig: Rig, entries: list[dict[str, str]], *, times_by: Rig | None = None
) -> Came:
    """Record as often as there are entries, work it out."""
    with TemporaryDirectory() as folder:
        room_of = standing(Path(folder), scenery, steps=(step,), rig=rig, times_by=times_by, idle_s=0.2)
        with room_of as (room, _):
            for told in entries:
                _wait(room, lambda phase: phase == "ready")
                room.begin(told)
                _wait(room, lambda phase: phase != "recording")
            began_s = time.monotonic()
            room.enough()
            _wait(room, lambda phase: phase == "told")
            took_s = time.monotonic() - began_s
            outcome = room.told()[0]["outcome"]
            assert isinstance(outcome, dict)
            text = (Path(folder) / "rig.toml").read_text()
            found, _ = read_rig(text, where="rig")
            return Came(str(outcome["state"]), tuple(outcome["lines"]), found, took_s)


def _wait(room: CalibrationRoom, holds: Callable[[str], bool]) -> None:
    while not holds(room.phase):
        if room.trouble:
            raise SystemExit(room.trouble)
        threading.Event().wait(0.02)


def spread(seed: int) -> str:
    """An edge of a camera with a halo of 3 to 15 %."""
    share = float(np.random.default_rng(seed).uniform(0.03, 0.15))
    came = sat("spread", edges(share), whole_rig(), [{}])
    assert came.rig.thermal is not None
    stated = came.rig.thermal.spread
    if stated is None or stated.halo is None:
        return f"{came.state}: {came.lines[-1]}"
    off = stated.halo.share - share
    bound = 100.0 * stated.halo.u95
    return f"{came.state:10} halo {100 * share:.1f} %: off {100 * off:+.2f} %, bound {bound:.2f} %"


def time_between(seed: int) -> str:
    """A thermal camera of 9 Hz whose stamps are late by up to 0.2 s more than the rig says."""
    rig = whole_rig()
    assert rig.thermal is not None
    late_s = -rig.thermal.rgb_minus_thermal_s + float(np.random.default_rng(seed).uniform(-0.2, 0.2))
    came = sat("time", waving(rig, late_s=late_s, seed=seed), rig, [{}])
    assert came.rig.thermal is not None
    if came.rig.thermal.clock is None:
        return f"{came.state}: {came.lines[-1]}"
    off_ms = 1000.0 * (came.rig.thermal.rgb_minus_thermal_s + late_s)
    return f"{came.state:10} off {off_ms:+.2f} ms, bound {1000 * came.rig.thermal.clock.u95_s:.2f} ms"


def radiometry(seed: int) -> str:
    """A camera as cameras differ, before ice and a block whose thermometers err by their bound at most."""
    rng = np.random.default_rng(seed)
    camera = drawn_camera(rng, seed=seed)
    shown = (0.64, 32.6)  # of 0.4 degC water and 33.1 degC tape in a room of 23, as a right camera shows them
    entries = [
        {"degc": f"{0.4 + rng.uniform(-0.2, 0.2):.2f}", "u95_degc": "0.3", "material": "water"},
        {"degc": f"{33.1 + rng.uniform(-0.2, 0.2):.2f}", "u95_degc": "0.3", "material": "tape"},
    ]
    came = sat("radiometry", references(camera, shown), whole_rig(thermal_px=(SIZE[1], SIZE[0])), entries)
    assert came.rig.thermal is not None
    stated = came.rig.thermal.radiometry
    if stated is None:
        return f"{came.state}: {' '.join(line for line in came.lines if 'REFUSED' in line)}"
    fresh = Calibrated(stated, came.rig.thermal.accuracy_degc, 0.0, UNFLAGGED_MIN)
    told: list[str] = []
    for degc in (2.0, 10.0, 20.0, 33.0):
        off = camera.offset_degc + camera.gain * (degc - 20.0)
        says = stated.offset_degc + stated.gain * (degc + off - stated.at_degc)
        told.append(f"{says - off:+.2f} of {float(fresh.bound_degc(np.array(degc))):.2f}")
    return f"{came.state:10} off at 2, 10, 20, 33 degC: {', '.join(told)} degC"


def axis(seed: int) -> str:
    """A collar told in axes that lean off the true ones by 1 to 2 degrees; colour 1280 x 720."""
    lean = np.append(np.radians(np.random.default_rng(seed).normal(0.0, 1.2, 2)), 0.0)
    true = whole_rig()
    came = sat("axis", spinning(Spun(seconds=30.0, seed=seed)), leaning_collar(true, lean), [{}])
    assert came.rig.nozzle is not None
    assert true.nozzle is not None
    if came.rig.nozzle_errors.axis_rad2 is None:
        return f"{came.state}: {came.lines[-1]}"
    turn, _ = Rotation.align_vectors(
        came.rig.nozzle.tags.corners_mm.reshape(-1, 3), true.nozzle.tags.corners_mm.reshape(-1, 3)
    )
    off_deg = float(np.degrees(np.arccos(np.clip(turn.as_matrix()[2, 2], -1.0, 1.0))))
    bound = np.degrees(2.45 * np.sqrt(np.linalg.eigvalsh(came.rig.nozzle_errors.axis_rad2)[-1]))
    told_deg = float(np.degrees(np.linalg.norm(lean)))
    return (
        f"{came.state:10} told {told_deg:.2f} deg off: found {off_deg:.3f} deg off, bound {float(bound):.3f}"
    )


def jet(seed: int) -> str:
    """Three bursts of a jet that is not as its class."""

    def scene(distance_mm: float) -> Scene:
        own = burst_scene(JET, distance_mm, gas_s=3.0, seed=seed + int(distance_mm))
        return replace(own, seconds=7.4, gas_s=(2.0, 5.0), hz=10.0, thermal_hz=10.0, depth_hz=2.0)

    def shown(_: CalibrationRoom, number: int) -> Iterator[Capture]:
        for capture, _truth in captures(scene(JET_MM[min(number, 2)])):
            yield capture

    rig = stated_rig(scene(70.0))
    entries = [{"device": "ln2-wand", "surface": "skin"}] * 3
    came = sat("jet", shown, rig, entries, times_by=rig)
    found = came.rig.jet
    if found is None:
        return f"{came.state}: {came.lines[-1]}"
    told: list[str] = []
    for at in JET_MM:
        true = JET.half_mm + JET.spread * at
        told.append(f"{found.half_radius_mm(at) - true:+.1f} of {found.half_u95_mm(at):.1f}")
    flow = found.film_at_w_m2k(100.0) * (10.0 - found.gas_degc) / (JET.film_w_m2k * (10.0 - JET.gas_degc))
    return (
        f"{came.state:10} half radius at {JET_MM}: {', '.join(told)} mm; heat flow {flow:.2f} of the truth,"
        f" known to a factor of {found.within_factor:.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jet", action="store_true")
    options = parser.parse_args()
    steps = {"spread": spread, "time": time_between, "radiometry": radiometry, "axis": axis}
    for name, run in ({"jet": jet} if options.jet else steps).items():
        for seed in range(1 if options.jet else options.seeds):
            with redirect_stderr(StringIO()):
                told = run(seed)
            print(f"{name:11} {seed}  {told}", flush=True)


if __name__ == "__main__":
    main()
