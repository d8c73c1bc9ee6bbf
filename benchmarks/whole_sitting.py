"""One sitting of all ten steps and the check through the calibration's page, from nothing to a finished rig.

    python -m benchmarks.whole_sitting DIR --seeds 1
    python -m benchmarks.whole_sitting DIR --seeds 1 --kill jet    # its server is killed in that step, and started again

What is served is what ``cryoguide calibrate live`` serves, in a process of its own; a technician is simulated at the
page's WebSocket, who taps, reads and follows what it shows, late and about. Cameras are stand-ins that show one drawn
rig of known truth; their clock stands while something is worked out, so camera time does not depend on the
machine. Nothing here is measured on real cameras. A whole sitting takes 15 to 40 minutes of a busy machine.
"""  # noqa: E501 # what is typed stays on one line

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.sitting_page import GOOD, Came, Technician
from benchmarks.sitting_truth import Held, held_to_truth
from benchmarks.sitting_world import World
from benchmarks.whole_rig import ACROSS_MM, TIP_MM, draw_session, real_scene, truth_of_scene
from calibration.options import add_calibrate
from calibration.recorded_plan import SITTING
from guidance.calibrating.live import room_of
from guidance.cli import main as cryoguide
from models.rig_file import read_rig, write_rig
from tests.guidance.calibration_stand_in import served_page
from vision.put_files import put_file
from vision.synthetic_rig import stated_rig

EVERY = (*SITTING, "check")
LASTS_S = 5400.0
"""So long a sitting may take by the clock."""


def sit(folder: Path, seed: int, *, kill: str | None, words: list[str]) -> None:
    """Serve one sitting and be its technician; what comes of it goes into ``told.jsonl``."""
    scene, truth = real_scene(seed), truth_of_scene(seed)
    folder = folder.resolve()
    os.chdir(folder)  # where a sitting keeps its pictures unless told otherwise
    rig = folder / "rig.toml"
    parser = argparse.ArgumentParser()
    add_calibrate(parser)
    collar = str(folder / "sheets" / "collar.toml")
    options = parser.parse_args(["live", "--out", str(rig), "--collar", collar, "--port", "0", *words])
    began_s = time.monotonic()

    def came(told: Came) -> None:
        line = json.dumps(asdict(told) | {"wall_s": round(time.monotonic() - began_s, 1)})
        with (folder / "told.jsonl").open("a") as file:
            file.write(line + "\n")
        print(f"{told.step:11}{told.state:16}{told.camera_s:7.1f} s of camera", flush=True)
        if told.state not in GOOD:
            print("\n".join(f"    {one}" for one in told.lines), flush=True)
        if told.step == "rgb" and told.state in GOOD:
            type_in_depth(rig, seed)

    def dies(step: str, head: dict[str, Any]) -> None:
        if step != kill:
            return
        count, recorded = (head.get("advice") or {}).get("count", 0), head.get("recorded") or {}
        now = recorded.get("now") or {}
        half = recorded.get("take", 0) + 1 >= recorded.get("least", 1) and now.get("share", 0.0) > 0.5
        if half or count >= 6:
            print(f"{step:11}killed", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    world = World(scene, truth, folder, dies=dies)
    with ExitStack() as stack:
        room = room_of(options, stack, stand_ins=(world, ("colour", "thermal", "depth")))
        world.room = room
        technician = Technician(0, world.entries, came)
        world.technician = technician
        technician.port = stack.enter_context(served_page(room))
        technician.start()
        if not technician.over.wait(LASTS_S):
            technician.trouble = f"It was not over after {LASTS_S:.0f} s."
        if technician.trouble:
            raise SystemExit(technician.trouble)


def type_in_depth(rig: Path, seed: int) -> None:
    """The maker's depth camera, which no step finds, as a technician types it in."""
    text = rig.read_text()
    if "[depth]" not in text:
        made = write_rig(stated_rig(real_scene(seed)))
        depth = made[made.index("[depth]") :]
        put_file(rig, (text + "\n" + depth[: depth.index("\n[")] + "\n").encode())


def run(folder: Path, seed: int, *, kill: str | None, words: list[str]) -> bool:
    """Sit, started again where it was killed; whether it came to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet = ["--across-mm", str(ACROSS_MM), "--tip-mm", str(TIP_MM)]
    cryoguide(["calibrate", "print", "collar", "--out", str(folder / "sheets"), *sheet])
    asked = [f"--words={shlex.join(words)}"] if words else []
    for again in (False, True):
        dies = [] if again or kill is None else ["--kill", kill]
        said = [sys.executable, "-m", "benchmarks.whole_sitting", str(folder), "--sit", str(seed), *dies]
        done = subprocess.run([*said, *asked], check=False, timeout=LASTS_S + 60.0)
        if done.returncode != -signal.SIGKILL:
            return done.returncode == 0
        print("started again", flush=True)
    return False


def tell(folder: Path, seed: int) -> None:
    """The table of one sitting, and what the finished rig is good for."""
    tries = [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]
    rig = folder / "rig.toml"
    found, left_out = read_rig(rig.read_text(), where=str(rig))
    told = {one["step"]: one["lines"] for one in tries if one["state"] in GOOD}
    held = held_to_truth(found, real_scene(seed), truth_of_scene(seed), told)
    print(f"\nseed {seed}: {rig}{''.join(f'; {one}' for one in left_out)}")
    print(f"{'step':11}{'came':18}{'tries':>6}{'camera':>9}   off the truth, of the bound")
    whole_s = 0.0
    for step in EVERY:
        mine = [one for one in tries if one["step"] == step]
        spent_s = sum(one["camera_s"] for one in mine)
        whole_s += spent_s
        state = mine[-1]["state"] if mine else "not done"
        off = "; ".join(map(_words, held.get(step, [])))
        print(f"{step:11}{state:18}{len(mine):6d}{spent_s:7.0f} s   {off}")
    print(f"{'all':11}{'':24}{whole_s:7.0f} s")
    use(folder, seed)


def _words(one: Held) -> str:
    sign = "+" if one.signed else ""
    return f"{one.what} {one.off:{sign}.3f} of {one.bound:.3f} {one.unit}{'' if one.inside else ' OUTSIDE'}"


def use(folder: Path, seed: int) -> None:
    """A treatment of the same rig, analysed with what the sitting found."""
    session = folder / "session"
    if not session.exists():
        draw_session(session, real_scene(seed))
    put_file(session / "rig.toml", (folder / "rig.toml").read_bytes())
    code = cryoguide(["analyze", str(session), "--out", str(folder / "report")])
    print(f"analyze with the finished rig: exit {code}")


def main() -> None:
    """Sit and tell."""
    parser = argparse.ArgumentParser(prog="benchmarks.whole_sitting", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kill", metavar="STEP", choices=EVERY)
    parser.add_argument("--sit", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--tell", action="store_true", help="only the table of what was done before")
    parser.add_argument("--words", default="", help="more words for `calibrate live`")
    options = parser.parse_args()
    words = shlex.split(options.words)
    if options.sit is not None:
        sit(options.folder, options.sit, kill=options.kill, words=words)
        return
    for seed in range(options.first, options.first + options.seeds):
        folder = options.folder / f"seed-{seed}"
        done = options.tell or run(folder, seed, kill=options.kill, words=words)
        print("" if done else "It did not come to its end.")
        if (folder / "rig.toml").exists():
            tell(folder, seed)


if __name__ == "__main__":
    main()
