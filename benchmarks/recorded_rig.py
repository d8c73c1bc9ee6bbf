"""The simulated rig of `benchmarks.whole_rig`, each of its inputs recorded as bare cameras first.

    python -m benchmarks.recorded_rig DIR          # DIR as `python -m benchmarks.whole_rig DIR --draw-only` makes it

Stand-ins play the drawn pictures by the clock, with the stamps that the simulated cameras give; they are recorded by the
path of ``cryoguide record``, and each step is done from its file on a new rig (seven minutes of recording). `--only`
does some steps, from what was recorded before where it is there.
"""  # noqa: E501 # what is typed stays on one line

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.whole_rig import (
    ACROSS_MM,
    DEVICE_JET,
    STEPS,
    TIP_MM,
    against_truth,
    commands,
    with_what_no_step_finds,
)
from guidance.cli import main as cryoguide
from guidance.record_command import Asked, print_status, record_cameras
from models.geometry import Bytes, Counts
from tests.timed_device import Start, TimedDevice, finder, unlike
from vision.gas_named import NamedGas, gas_device
from vision.recording import open_recording

HOLD_S = {"rgb": 1.5, "pairs": 1.5, "edge": 1.5, "collar": 0.4, "tip": 0.6, "spin": 0.6}
"""So long each single picture is held before the stand-ins."""
HZ = 10.0


@dataclass(eq=False)
class TimedSwitch:
    """A switch that says when gas flows, by the clock of the stand-ins."""

    start: Start
    gas_s: tuple[tuple[float, float], ...]
    name: str = "stand-in switch"

    def open(self) -> None:
        """Nothing to open."""

    def read(self) -> list[bool | None]:
        """How it stands now, each 10 ms."""
        time.sleep(0.01)
        now_s = time.monotonic() - self.start()
        return [any(on_s <= now_s < off_s for on_s, off_s in self.gas_s)]

    def close(self) -> None:
        """Nothing to let go of."""


def of_pictures(folder: Path, kind: str, *, hold_s: float, start: Start) -> TimedDevice:
    """Pictures of a folder, each held for a while."""
    how = cv2.IMREAD_COLOR if kind == "colour" else cv2.IMREAD_UNCHANGED
    pictures = [cv2.imread(str(file), how) for file in sorted(folder.glob("*.png"))]
    each = round(hold_s * HZ)
    stamps = [k / HZ for k in range(each * len(pictures))]

    def picture(k: int) -> Bytes | Counts:
        return unlike(np.asarray(pictures[k // each]), k)

    return TimedDevice(kind, stamps, picture, start, hz=HZ)


def of_session(folder: Path, start: Start) -> list[TimedDevice]:
    """The streams of a session folder, thermal pictures stamped as its camera stamps them."""
    recording = open_recording(folder)
    devices: list[TimedDevice] = []
    for kind in ("thermal", "depth"):
        if not (folder / f"{kind}.npz").exists():
            continue
        with np.load(folder / f"{kind}.npz") as told:
            stamps, flag = told["t_s"], told.get("flag")
            numbers = told["centikelvin" if kind == "thermal" else "depth_mm"]
        late_s = 0.31 if kind == "thermal" else 0.0
        devices.append(
            TimedDevice(
                kind,
                stamps.tolist(),
                lambda k, numbers=numbers: numbers[k],
                start,
                exposed_s=(stamps - late_s).tolist(),
                shutter=None if flag is None else flag.tolist(),
                hz=float(round(1.0 / np.median(np.diff(stamps)))),
            )
        )
    colour = [one for one in recording.captures() if one.bgr is not None]
    times = [one.t_s for one in colour]
    hz = float(round(1.0 / np.median(np.diff(times))))
    return [TimedDevice("colour", times, lambda k: np.asarray(colour[k].bgr), start, hz=hz), *devices]


def recorded(folder: Path, name: str) -> Path:
    """Record one input, unless it was."""
    out, start = folder / "recorded" / f"{name}.mcap", Start()
    if out.exists():
        return out
    out.parent.mkdir(exist_ok=True)
    gas_of: Callable[[str], NamedGas] = gas_device
    if name == "pairs":
        devices = [
            of_pictures(folder / name / kind, kind, hold_s=HOLD_S[name], start=start)
            for kind in ("colour", "thermal")
        ]
    elif name in HOLD_S:
        kind = "thermal" if name == "edge" else "colour"
        devices = [of_pictures(folder / name, kind, hold_s=HOLD_S[name], start=start)]
    elif name in ("ice", "block"):
        with np.load(folder / name / "thermal.npz") as told:
            stamps, flag, counts = told["t_s"], told["flag"], told["centikelvin"]
        devices = [
            TimedDevice("thermal", stamps.tolist(), lambda k: counts[k], start, shutter=flag.tolist(), hz=2.0)
        ]
    else:
        devices = of_session(folder / name, start)
        valve_s = open_recording(folder / name).treatment.valve_s
        if name.startswith("burst"):
            gas_of = lambda _: NamedGas(TimedSwitch(start, valve_s or ()), off_after_s=0.1)  # noqa: E731
    seconds = min(device.stamps_s[-1] for device in devices if device.kind != "depth") - 0.3
    gas, device = ("by the clock", "ln2-wand") if name.startswith("burst") else (None, None)
    asked = Asked(out, seconds=seconds, gas=gas, device=device)
    print_status(out, record_cameras(asked, found=finder(*devices), gas_of=gas_of))
    return out


def main() -> None:
    """Record, calibrate, hold against the truth."""
    parser = argparse.ArgumentParser(prog="benchmarks.recorded_rig", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="with which the inputs were drawn")
    parser.add_argument("--only", nargs="+", choices=STEPS)
    options = parser.parse_args()
    folder: Path = options.folder
    rig = folder / "recorded" / "rig.toml"
    cryoguide(["calibrate", "print", "collar", "--out", str(folder / "sheets"),
               "--across-mm", str(ACROSS_MM), "--tip-mm", str(TIP_MM)])  # fmt: skip
    print(f"true jet: {DEVICE_JET}")
    for step, words in commands(folder, rig).items():
        if options.only and step not in options.only:
            continue
        # Both folders of the pairs are one recording.
        words = [word for word in words if word != f"{folder}/pairs/thermal"]
        words = [word.removesuffix("/colour") for word in words]
        for k, word in enumerate(words):
            name = word.removeprefix(f"{folder}/")
            if name != word and (folder / name).is_dir():
                words[k] = str(recorded(folder, name))
        print(f"\n== cryoguide calibrate {' '.join(words)}", flush=True)
        code = cryoguide(["calibrate", *words])
        print(f"exit {code}")
        if code == 0:
            print("\n".join(f"    {line}" for line in against_truth(rig, options.seed)), flush=True)
        if step == "rgb":
            with_what_no_step_finds(rig, folder)


if __name__ == "__main__":
    main()
