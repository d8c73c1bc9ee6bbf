"""What is lost when the program is killed: ``python -m benchmarks.live_kill``.

`cryoguide live --replay` runs as a process of its own, at 720p and 30 pictures a second with 25 thermal ones,
is led to a treatment by a page that draws and taps all the time, and is killed (SIGKILL) at random times:
while gas flows, just after STOP, while the skin rewarms. What can be read afterwards through the product's
own readers is held against the session's clock at the kill: how old is the last colour picture, thermal
picture and sighting of the nozzle, and which tap was the first that is not there. `cryoguide recover` must
read the same, `cryoguide verify` must say that the log was broken off, and must find lines cut off its end.

The clock starts anew as the page taps Start, and is taken from when that tap was sent: the way of the tap
counts as lost. What a camera needs to hand over a picture is no part of it. Where the machine does not keep
up, most of what is lost had not been looked at yet: what the page had been told of and is not in the file is
listed apart.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.stopwatch import machine
from guidance.cli import main as cryoguide
from guidance.recording.chained_log import verify
from guidance.recording.command import recover
from guidance.recording.log_beside import log_of
from guidance.recording.replay import steps
from guidance.session import PauseAudio, ResumeAudio
from guidance.treatment.staged import BEFORE_S
from models.sightings import NozzleSighting
from tests.live_process import live_process
from tests.served_console import CALF, Screen
from vision.mcap_recording import open_mcap
from vision.recording import open_recording

HZ = {"rgb": 30.0, "thermal": 25.0, "depth": 4.0}
SECONDS = 45.0
GAS_S = (0.8, 6.0)
TAPS_S = 0.15
"""Between two taps: less than what a page may send."""
WHEN = {"gas": (0.5, 5.0), "stop": (0.0, 0.5), "rewarming": (5.0, 35.0)}
"""Seconds after Start, or after STOP, between which it is killed."""
STOP_S = 2.0
"""After Start."""
KINDS = ("colour picture", "thermal picture", "nozzle sighting")


def faster(session: Path, folder: Path) -> None:
    """A recorded session there and back, at `HZ`, for so long that the skin can be watched rewarming."""
    once = [picture for picture in _pictures(session / "rgb.mp4", "bgr24")]
    count = round(SECONDS * HZ["rgb"])
    folder.mkdir()
    with av.open(str(folder / "rgb.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "18", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = once[0].shape[0], once[0].shape[1], "yuv420p"
        for picture in itertools.islice(_there_and_back(once), count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    rows = [f"{k},{k / HZ['rgb']:.6f}\n" for k in range(count)]
    (folder / "rgb.csv").write_text("".join(["index,t_s\n", *rows]))
    for name, values in (("thermal", "centikelvin"), ("depth", "depth_mm")):
        stack = list(_pictures(session / f"{name}.mkv", "gray16le"))
        count = round(SECONDS * HZ[name])
        first_s = float((session / f"{name}.csv").read_text().split("\n")[1].split(",")[1])
        arrays = {
            "t_s": first_s + np.arange(count) / HZ[name],
            values: np.stack(list(itertools.islice(_there_and_back(stack), count))),
        }
        if name == "thermal":
            arrays["flag"] = np.zeros(count, np.uint8)
        np.savez(folder / f"{name}.npz", **arrays)
    (folder / "rig.toml").write_bytes((session / "rig.toml").read_bytes())
    header = (session / "session.toml").read_text().replace(".mkv", ".npz")
    before, _, after = header.partition("[[valve]]")
    valve = f"[[valve]]\nfrom_s = {GAS_S[0]}\nto_s = {GAS_S[1]}\n\n"
    (folder / "session.toml").write_text(before + valve + after[after.index("[[tap]]") :])


def _pictures(path: Path, kind: str) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format=kind)


def _there_and_back(pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
    return itertools.cycle([*pictures, *pictures[-2:0:-1]])


@dataclass(eq=False)
class Tapped:
    """What a page did, and when."""

    start_s: float = 0.0
    """When the tap on Start was sent, real time (monotonic)."""
    stop_s: float | None = None
    at_s: list[float] = field(default_factory=list)
    """Taps on the alarm's sound while the treatment ran."""
    told_s: float = 0.0
    """Session time of the newest step that the page was told of."""


@dataclass(frozen=True)
class Lost:
    """After one kill."""

    when: str
    lost_s: dict[str, float]
    """From the last one that can be read to the kill, by kind."""
    told_s: float
    """From the last one that can be read to the newest one that the page was told of."""
    tap_s: float
    """From the first tap that is not there to the kill; 0 where all are."""
    stop_lost: bool
    """STOP had been tapped and is not in the log beside the recording."""
    captures_hz: float
    """Captures a second that were stepped."""
    truthful: str
    """What `cryoguide verify` got wrong; empty where it told the truth."""


def killed(session: Path, folder: Path, *, when: str, seed: int) -> Lost:
    """One session, killed."""
    folder.mkdir()
    out, chance = folder / "report", random.Random(seed)
    tapped, after_s = Tapped(), chance.uniform(*WHEN[when])
    with live_process("--replay", str(session), "--out", str(out)) as process:
        with Screen(process, "a" * 32) as screen:
            screen.go_to("ready")
            screen.until(held=True)  # Start before that would let the clock run on from where it is
            tapped.start_s = time.monotonic()
            screen.say("start")
            screen.until(phase="running")
            if when == "gas":
                _tap(screen, tapped, until_s=tapped.start_s + after_s)
            else:
                _tap(screen, tapped, until_s=tapped.start_s + STOP_S)
                tapped.stop_s = time.monotonic()
                screen.say("stop")
                _tap(screen, tapped, until_s=tapped.stop_s + after_s)
            kill_s = time.monotonic()
            os.kill(process.process.pid, 9)
        process.process.wait(10.0)
    (path,) = folder.glob("*-live-*.mcap")
    return _found(path, tapped, kill_s=kill_s, when=when)


def _tap(screen: Screen, tapped: Tapped, *, until_s: float) -> None:
    """Take what the page is told, and tap all the while."""
    while (now_s := time.monotonic()) < until_s:
        if not tapped.at_s or now_s - tapped.at_s[-1] >= TAPS_S:
            screen.say("quiet" if len(tapped.at_s) % 2 == 0 else "sound_on")
            tapped.at_s.append(now_s)
        with contextlib.suppress(TimeoutError):
            screen.hear_within(min(0.05, max(until_s - now_s, 0.001)))
        shown_s = [float(str(head["t_s"])) for head, _ in screen.pictures]
        tapped.told_s = max(tapped.told_s, screen.state.get("t_s") or 0.0, *shown_s)
        screen.pictures.clear()


def _found(path: Path, tapped: Tapped, *, kill_s: float, when: str) -> Lost:
    recording = open_mcap(path)  # as `cryoguide analyze` reads it
    last_s: dict[str, float] = {}
    taps, captures = 0, 0
    stop = any(
        entry["kind"] == "tap" and entry["told"]["name"] == "stop"
        for entry in map(json.loads, log_of(path).read_text().splitlines())
    )
    for given in steps(recording, pictures=True):
        capture = given.capture
        captures += capture.t_s > GAS_S[0]
        there = {
            KINDS[0]: capture.bgr is not None,
            KINDS[1]: bool(capture.thermal),
            KINDS[2]: capture.seen is not None and isinstance(capture.seen.nozzle, NozzleSighting),
        }
        last_s |= {kind: capture.t_s for kind, is_there in there.items() if is_there}
        taps += sum(isinstance(action, PauseAudio | ResumeAudio) for action in given.actions)
    end_s = recording.duration_s
    whole = open_mcap(recover(path))
    assert (whole.duration_s, whole.pictures) == (end_s, recording.pictures)
    # The session's clock stood at the first gas until Start.
    clock_s = GAS_S[0] - BEFORE_S + kill_s - tapped.start_s
    return Lost(
        when,
        {kind: clock_s - t_s for kind, t_s in last_s.items()},
        max(0.0, tapped.told_s - end_s),
        kill_s - tapped.at_s[taps] if taps < len(tapped.at_s) else 0.0,
        tapped.stop_s is not None and not stop,
        captures / max(end_s - GAS_S[0], 1e-3),
        untrue(log_of(path)),
    )


def untrue(log: Path) -> str:
    """What ``cryoguide verify`` says wrongly of a killed session's log; empty where it tells the truth."""
    code, told = _verified(log)
    if verify(log).closed or code != 0 or "Open" not in told:
        return f"a log that was broken off: exit code {code}, {told}"
    sealed = open_mcap(log.with_suffix(".mcap"), from_sightings=True).sealed
    assert sealed is not None
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[: sealed[0] - 1]))
    code, told = _verified(log)
    log.write_bytes(b"".join(lines))
    return "" if code == 1 and "Broken" in told else f"a line cut off: exit code {code}, {told}"


def _verified(log: Path) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = cryoguide(["verify", str(log)])
    return code, told.getvalue()


def table_of(found: list[Lost]) -> Table:
    """What was lost, and how often."""
    table = Table(title=f"Killed {len(found)} times, s lost: median / most", title_justify="left")
    table.add_column("of it")
    groups = {"all": found} | {when: [one for one in found if one.when == when] for when in WHEN}
    groups = {name: group for name, group in groups.items() if group}
    for name, group in groups.items():
        table.add_column(f"{name} ({len(group)})", justify="right")
    for kind in KINDS:
        lost = [[one.lost_s.get(kind, float("nan")) for one in group] for group in groups.values()]
        table.add_row(kind, *(f"{np.nanmedian(s):.2f} / {np.nanmax(s):.2f}" for s in lost))
    told = [[one.told_s for one in group] for group in groups.values()]
    table.add_row(
        "capture that the page had been told of", *(f"{np.median(s):.2f} / {max(s):.2f}" for s in told)
    )
    taps = [[one.tap_s for one in group] for group in groups.values()]
    table.add_row("tap (oldest one lost)", *(f"{np.median(s):.2f} / {max(s):.2f}" for s in taps))
    stops = [sum(one.stop_lost for one in group) for group in groups.values()]
    table.add_row("STOP taps lost", *(str(count) for count in stops))
    rates = [[one.captures_hz for one in group] for group in groups.values()]
    table.add_row("captures stepped a second", *(f"{np.median(hz):.1f}" for hz in rates))
    wrong = [sum(bool(one.truthful) for one in group) for group in groups.values()]
    table.add_row("`cryoguide verify` wrong", *(str(count) for count in wrong))
    return table


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.live_kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=12, help="in all; every second one while gas flows")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console, load = Console(width=130), os.getloadavg()[0]
    console.print(machine(), highlight=False)
    found: list[Lost] = []
    with tempfile.TemporaryDirectory() as name:
        faster(CALF, Path(name) / "session")
        size = open_recording(Path(name) / "session")
        console.print(f"{size.width_px} x {size.height_px}, {HZ['rgb']:.0f} and {HZ['thermal']:.0f} a second")
        for k in range(options.kills):
            when = "gas" if k % 2 == 0 else ("stop", "rewarming")[k // 2 % 2]
            with contextlib.redirect_stdout(io.StringIO()):
                one = killed(
                    Path(name) / "session", Path(name) / str(k), when=when, seed=100 * options.seed + k
                )
            found.append(one)
            words = ", ".join(f"{kind} {s:.2f}" for kind, s in one.lost_s.items())
            gone = ", STOP lost" if one.stop_lost else ""
            console.print(
                f"{k + 1}: {when}: {words}, told {one.told_s:.2f}, tap {one.tap_s:.2f}{gone} {one.truthful}",
                highlight=False,
            )
    console.print(table_of(found))
    console.print(f"load average before and after: {load:.1f}, {os.getloadavg()[0]:.1f}", highlight=False)
    return 1 if any(one.truthful for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
