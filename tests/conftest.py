"""Recordings for the tests, and ways to spoil them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

# As guidance/cli.py does, before numpy and OpenCV are imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_IPP", "disabled")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import av
import cv2
import numpy as np
import pytest
from hypothesis import settings

from models.geometry import Bytes, Counts, Floats
from models.rig_file import read_rig
from vision.streams import open_stack
from vision.video import colour_pictures, probe_video

# The same examples each time, and no deadline: the first one compiles, and machines differ.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

ROOT = Path(__file__).parent.parent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as cores: a test that waits for a page or a clock leaves its core idle."""
    return (3 * len(os.sched_getaffinity(0)) + 1) // 2


@pytest.fixture(scope="session")
def calf() -> Path:
    """A recording with its truth: CO2 on a calf, depth, a tapped outline, STOP at 8.07 s."""
    return ROOT / "tests" / "recordings" / "calf"


@pytest.fixture(scope="session")
def lumbar() -> Path:
    """The sample session, without truth."""
    return ROOT / "samples" / "lumbar"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared test data; the test is skipped where it is missing."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which is not here")
    return folder


@pytest.fixture(scope="session")
def twin(shared_data: Path) -> Callable[[str], Path]:
    """Finds a simulated session by its name, e.g. ``s2-knee-air``."""

    def find(name: str) -> Path:
        folder = shared_data / "twin" / name
        if not folder.is_dir():
            pytest.skip(f"needs {name} in ../shared/data/twin, which is not here")
        return folder

    return find


@pytest.fixture
def spoil(tmp_path: Path) -> Spoiler:
    """Copies recordings and edits the copies; each method returns the folder it edited."""
    return Spoiler(tmp_path / "sessions")


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[[], Path]:
    """Writes a session of 12 small pictures that is right in every respect."""

    def write() -> Path:
        folder = tmp_path / "tiny"
        folder.mkdir()
        (folder / "session.toml").write_text(TINY_SESSION)
        (folder / "rig.toml").write_text(TINY_RIG)
        seeded = np.random.default_rng(7)
        still = np.asarray(cv2.resize(seeded.integers(0, 255, (6, 8, 3), np.uint8), (64, 48)), np.uint8)
        write_colour_video(folder / "rgb.mp4", (np.roll(still, 2 * k, axis=1) for k in range(12)))
        write_rgb_times(folder / "rgb.csv", [(k, 0.1 * k) for k in range(12)])
        t_s = np.arange(24) * 0.05 - 0.3
        counts = np.full((24, 12, 16), 30000, np.uint16) + np.arange(24, dtype=np.uint16)[:, None, None]
        np.savez(folder / "thermal.npz", t_s=t_s, centikelvin=counts, flag=np.zeros(24, np.uint8))
        depth = np.full((4, 10, 14), 900, np.uint16)
        np.savez(folder / "depth.npz", t_s=np.arange(4) * 0.25, depth_mm=depth)
        return folder

    return write


class Spoiler:
    """Edits copies of session folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copy(self, source: Path, *, to_s: float = np.inf) -> Path:
        """Copy a session without its truth; the colour stream ends at ``to_s``."""
        target = self.folder / source.name
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("truth"))
        for path in target.iterdir():
            path.chmod(0o644)
        target.chmod(0o755)
        rows = read_rgb_times(target / "rgb.csv")
        write_rgb_times(target / "rgb.csv", [row for row in rows if row[1] <= to_s])
        return target

    def thermal_stuck(self, folder: Path, *, from_s: float) -> Path:
        """From ``from_s`` (session clock) on every thermal picture repeats the last one before."""

        def edit(t_s: Floats, pictures: Counts) -> tuple[Floats, Counts]:
            last = int(np.searchsorted(t_s, from_s)) - 1
            pictures[last:] = pictures[last]
            return t_s, pictures

        return self._edit_thermal(folder, edit)

    def thermal_missing(self, folder: Path, *, from_s: float, to_s: float = np.inf) -> Path:
        """No thermal pictures between two times (session clock)."""

        def edit(t_s: Floats, pictures: Counts) -> tuple[Floats, Counts]:
            kept = (t_s < from_s) | (t_s >= to_s)
            return t_s[kept], pictures[kept]

        return self._edit_thermal(folder, edit)

    def nozzle_covered(self, folder: Path, *, truth: Path, from_s: float, to_s: float) -> Path:
        """Paint over the nozzle with the picture's own median colour; ``truth`` says where it is."""
        rig, _ = read_rig((folder / "rig.toml").read_text(), where="rig.toml")
        assert rig.nozzle is not None
        with np.load(truth / "captures.npz") as archive:
            captures = dict(archive)
        back_mm = float(rig.nozzle.tags.corners_mm[..., 2].min()) - 15.0
        radius_mm = float(np.hypot(*rig.nozzle.tags.corners_mm[..., :2].T).max()) + 8.0

        def edit(t_s: float, bgr: Bytes) -> Bytes:
            if not from_s <= t_s < to_s:
                return bgr
            row = int(np.abs(captures["t_s"] - t_s).argmin())
            tip_mm, axis = captures["tip_mm"][row], captures["axis"][row]
            across = np.linalg.svd(axis[None])[2][1:]
            turn = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
            ring_mm = radius_mm * (np.cos(turn)[:, None] * across[0] + np.sin(turn)[:, None] * across[1])
            hull_mm = np.concatenate([tip_mm + along * axis + ring_mm for along in (0.0, back_mm)])
            hull_px = cv2.convexHull(rig.rgb.project(hull_mm).astype(np.float32)).astype(np.int32)
            skin = np.median(bgr, axis=(0, 1)).tolist()
            return np.asarray(cv2.fillConvexPoly(bgr.copy(), hull_px, skin), np.uint8)

        return self.edit_colour(folder, edit)

    def colour_gap(self, folder: Path, *, from_s: float, to_s: float) -> Path:
        """No colour pictures between two times; the index of the csv leaves their numbers out."""
        rows = read_rgb_times(folder / "rgb.csv")
        write_rgb_times(folder / "rgb.csv", [row for row in rows if not from_s <= row[1] < to_s])
        return folder

    def shifted(self, folder: Path, *, from_s: float, shift_px: tuple[int, int]) -> Path:
        """From ``from_s`` on the whole colour picture is rolled by (x, y) pixels."""
        return self.edit_colour(
            folder, lambda t_s, bgr: np.roll(bgr, shift_px[::-1], axis=(0, 1)) if t_s >= from_s else bgr
        )

    def edit_colour(self, folder: Path, edit: Callable[[float, Bytes], Bytes]) -> Path:
        """Edit the pictures that the csv names, and encode them again."""
        rows = read_rgb_times(folder / "rgb.csv")
        times_s = dict(rows)
        decoded = enumerate(colour_pictures(probe_video(folder / "rgb.mp4", where="rgb.mp4")))
        last = rows[-1][0]
        pictures = (
            edit(times_s[k], bgr) for k, bgr in _until(decoded, last) if k in times_s and bgr is not None
        )
        write_colour_video(folder / "again.mp4", pictures)
        (folder / "again.mp4").replace(folder / "rgb.mp4")
        write_rgb_times(folder / "rgb.csv", [(number, t_s) for number, (_, t_s) in enumerate(rows)])
        return folder

    def _edit_thermal(self, folder: Path, edit: Callable[[Floats, Counts], tuple[Floats, Counts]]) -> Path:
        header = (folder / "session.toml").read_text()
        found = re.search(r'^thermal = "(.*)"$', header, re.MULTILINE)
        assert found
        name = found[1]
        rig, _ = read_rig((folder / "rig.toml").read_text(), where="rig.toml")
        offset_s = rig.thermal.rgb_minus_thermal_s if rig.thermal else 0.0
        stack = open_stack(folder / name, where=name, values="centikelvin", flag=True)
        pictures = np.stack([picture for picture in stack.read() if picture is not None])
        t_s, pictures = edit(stack.t_s + offset_s, pictures)
        flag = np.interp(t_s, stack.t_s + offset_s, stack.flag.astype(float)).astype(np.uint8)
        (folder / name).unlink()
        np.savez(folder / "thermal.npz", t_s=t_s - offset_s, centikelvin=pictures, flag=flag)
        (folder / "session.toml").write_text(header.replace(f'"{name}"', '"thermal.npz"'))
        return folder


def _until(numbered: Iterable[tuple[int, Bytes | None]], last: int) -> Iterable[tuple[int, Bytes | None]]:
    for number, picture in numbered:
        yield number, picture
        if number == last:
            return


def read_rgb_times(path: Path) -> list[tuple[int, float]]:
    """Rows (index, t_s) of a csv."""
    rows = (line.split(",") for line in path.read_text().splitlines()[1:])
    return [(int(row[0]), float(row[1])) for row in rows]


def write_rgb_times(path: Path, rows: Iterable[tuple[int, float]]) -> None:
    """Write rows (index, t_s) with their header."""
    path.write_text("".join(["index,t_s\n", *(f"{index},{t_s:.6f}\n" for index, t_s in rows)]))


def write_colour_video(path: Path, pictures: Iterable[Bytes]) -> None:
    """Encode pictures as H.264 so well that the tags' edges survive (crf 14)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15, options={"crf": "14", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


TINY_SESSION = """schema = "cryoguide.session/1"
started = 2026-11-23T10:00:00Z
zone = "knee"
side = "left"
device = "ln2-wand"
protocol = "ln2-analgesia"

[streams]
rgb = "rgb.mp4"
thermal = "thermal.npz"
depth = "depth.npz"

[[valve]]
from_s = 0.25
to_s = 0.65

[[tap]]
t_s = 0.0
outline_px = [[20, 20], [40, 20], [40, 40]]
"""

TINY_RIG = """schema = "cryoguide.rig/1"
created = 2026-11-23T09:00:00Z

[rgb]
width_px = 64
height_px = 48
fx_px = 60
fy_px = 60.0
cx_px = 31.5
cy_px = 23.5
distortion = [0, 0, 0, 0, 0]
rms_px = 0.2

[thermal]
width_px = 16
height_px = 12
fx_px = 15.0
fy_px = 15.0
cx_px = 7.5
cy_px = 5.5
distortion = [0.0, 0.0, 0.0, 0.0, 0.0]
emissivity = 0.98
accuracy_degc = 2
thermal_from_rgb = [[1, 0, 0, -30], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
rgb_minus_thermal_s = 0.3

[depth]
width_px = 14
height_px = 10
fx_px = 13.0
fy_px = 13.0
cx_px = 6.5
cy_px = 4.5
distortion = [0, 0, 0, 0, 0]
depth_from_rgb = [[1, 0, 0, 25], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]

[nozzle]
dictionary = "DICT_APRILTAG_36h11"
bore_mm = 12
[[nozzle.tag]]
id = 0
corners_nozzle_mm = [[27, 12, -112], [27, -12, -112], [27, -12, -88], [27, 12, -88]]

[skin]
dictionary = "DICT_APRILTAG_36h11"
size_mm = 24
ids = [100, 101]
"""
