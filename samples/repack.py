"""Copy a session folder with its thermal and depth streams as lossless 16-bit video (FFV1, gray16le).

    python samples/repack.py SOURCE TARGET [--thermal-every N] [--depth-every N] [--truth]

The colour video is copied byte for byte. ``--thermal-every 2`` keeps every second thermal picture.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_grey_video(path: Path, stack: NDArray[np.uint16]) -> None:
    """Write pictures of shape (n, height, width) as FFV1; their times go into a csv beside it."""
    with av.open(str(path), "w") as container:
        # coder 1: range coder; context 1: the larger model, 2.5 % smaller files than the small one.
        stream = container.add_stream("ffv1", rate=25, options={"level": "3", "coder": "1", "context": "1"})
        stream.height, stream.width, stream.pix_fmt = stack.shape[1], stack.shape[2], "gray16le"
        for number, picture in enumerate(stack):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray16le")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_times(path: Path, columns: dict[str, NDArray[np.generic]]) -> None:
    """Write a csv ``index,...`` with a row a picture."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["index", *columns])
        for number, row in enumerate(zip(*columns.values(), strict=True)):
            cells = [f"{value:.6f}" if isinstance(value, np.floating) else int(value) for value in row]
            writer.writerow([number, *cells])


def repack(source: Path, target: Path, *, thermal_every: int, depth_every: int, truth: bool) -> None:
    """Write ``target`` from ``source``."""
    target.mkdir(parents=True, exist_ok=True)
    header = (source / "session.toml").read_text(encoding="utf-8")
    for name in ("rig.toml", "rgb.csv", "rgb.mp4"):
        shutil.copyfile(source / name, target / name)
    for name, values, every in (
        ("thermal", "centikelvin", thermal_every),
        ("depth", "depth_mm", depth_every),
    ):
        if not (source / f"{name}.npz").exists():
            continue
        with np.load(source / f"{name}.npz") as archive:
            arrays = dict(archive)
        write_grey_video(target / f"{name}.mkv", arrays[values][::every])
        columns = {"t_s": arrays["t_s"][::every]}
        if name == "thermal":
            columns["flag"] = arrays["flag"][::every]
        write_times(target / f"{name}.csv", columns)
        header = header.replace(f'"{name}.npz"', f'"{name}.mkv"')
    (target / "session.toml").write_text(header, encoding="utf-8")
    if truth:
        (target / "truth").mkdir(exist_ok=True)
        for file in sorted((source / "truth").iterdir()):
            shutil.copyfile(file, target / "truth" / file.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--thermal-every", type=int, default=1)
    parser.add_argument("--depth-every", type=int, default=1)
    parser.add_argument("--truth", action="store_true", help="copy truth/ as well")
    asked = parser.parse_args()
    repack(
        asked.source,
        asked.target,
        thermal_every=asked.thermal_every,
        depth_every=asked.depth_every,
        truth=asked.truth,
    )
