"""A damaged video costs what is damaged."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.problems import InputError
from vision.recording import open_recording
from vision.video import colour_pictures, probe_video


def packets(path: Path) -> list[tuple[int, int, int]]:
    """Position, size and time stamp of each packet."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(p.pos or 0, p.size, p.pts or 0) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize("damage", ["zeros", "noise", "head"])
def test_a_corrupt_picture_costs_that_picture_only(calf: Path, tmp_path: Path, damage: str) -> None:
    """The pictures after it are built on it: concealed, they are 2 grey levels off (measured 1.9)."""
    clean = probe_video(calf / "rgb.mp4", where="rgb.mp4")
    found = packets(calf / "rgb.mp4")
    at, size, tick = found[60]
    spoilt = bytearray((calf / "rgb.mp4").read_bytes())
    noise = np.random.default_rng(3).integers(0, 256, size).astype(np.uint8).tobytes()
    if damage == "head":
        spoilt[at : at + 8] = noise[:8]
    else:
        spoilt[at : at + size] = bytes(size) if damage == "zeros" else noise
    (tmp_path / "rgb.mp4").write_bytes(spoilt)

    before = colour_pictures(clean)
    after = colour_pictures(probe_video(tmp_path / "rgb.mp4", where="rgb.mp4"))
    hit = sorted(tick for _, _, tick in found).index(tick)
    for number in range(70):
        expected, picture = next(before), next(after)
        assert expected is not None
        if number == hit:
            assert picture is None
        else:
            assert picture is not None
            assert np.abs(picture.astype(int) - expected).mean() < 3.0


def test_a_corrupt_picture_keeps_its_row(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    at, size, _ = packets(folder / "rgb.mp4")[4]
    spoilt = bytearray((folder / "rgb.mp4").read_bytes())
    spoilt[at : at + size] = bytes(size)
    (folder / "rgb.mp4").write_bytes(spoilt)
    captures = [c for c in open_recording(folder).captures() if c.index is not None]
    assert [c.index for c in captures] == list(range(12))
    assert sum(c.bgr is None for c in captures) == 1


def fast_start(path: Path) -> None:
    """Rewrite an mp4 with its index in front, so that it opens although its end is missing."""
    front = path.with_name("front.mp4")
    with av.open(str(path)) as source, av.open(str(front), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    front.replace(path)


def test_a_truncated_video_is_refused_wherever_its_index_stands(calf: Path, spoil_copy: Path) -> None:
    video = spoil_copy / "rgb.mp4"
    fast_start(video)
    assert open_recording(spoil_copy).warnings == ()
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(InputError, match=r"calf/rgb\.mp4 is cut off: \d+ pictures of 150 are there"):
        open_recording(spoil_copy)
    (spoil_copy / "rgb.csv").unlink()
    with pytest.raises(InputError, match=r"calf/rgb\.mp4 is cut off: \d+ pictures of 150 are there"):
        open_recording(spoil_copy)
    video.write_bytes((calf / "rgb.mp4").read_bytes()[:500_000])
    with pytest.raises(InputError, match=r"calf/rgb\.mp4 cannot be read as a video"):
        open_recording(spoil_copy)


def test_a_slightly_short_video_is_read_with_a_warning(spoil_copy: Path) -> None:
    video = spoil_copy / "rgb.mp4"
    fast_start(video)
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 97 // 100])
    recording = open_recording(spoil_copy)
    assert any("are missing and were left out" in warning for warning in recording.warnings)
    colour = [capture for capture in recording.captures() if capture.index is not None]
    assert len(colour) == 150
    assert colour[-1].bgr is None
    assert colour[100].bgr is not None


@pytest.fixture
def spoil_copy(calf: Path, tmp_path: Path) -> Path:
    shutil.copytree(calf, tmp_path / "calf", ignore=shutil.ignore_patterns("truth"))
    return tmp_path / "calf"


def turn_display(path: Path, quarter_turns: int) -> None:
    """Write a rotation into the track header of an mp4, as a phone held upright does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    matrix = at + (40 if data[at] == 0 else 52)
    cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][quarter_turns % 4]
    values = (cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = struct.pack(">9i", *values)
    path.write_bytes(data)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_a_turned_video_comes_upright_as_opencv_shows_it(
    tiny: Callable[[], Path], quarter_turns: int
) -> None:
    video = tiny() / "rgb.mp4"
    turn_display(video, quarter_turns)
    second_opinion = cv2.VideoCapture(str(video))
    expected = second_opinion.read()[1]
    second_opinion.release()
    picture = next(colour_pictures(probe_video(video, where="rgb.mp4")))
    assert picture is not None
    assert picture.shape == expected.shape
    # Two conversions from YUV: measured 0.5 grey levels apart on average, 60 where the turn is wrong.
    assert np.abs(picture.astype(int) - expected).mean() < 3.0


def test_times_of_a_video_without_csv_are_its_own(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    (folder / "rgb.csv").unlink()
    with av.open(str(folder / "rgb.mp4")) as container:
        own = [
            float(f.pts * (f.time_base or Fraction(1)))
            for f in container.decode(video=0)
            if f.pts is not None
        ]
    assert open_recording(folder).rgb_times_s == pytest.approx(np.array(own) - own[0])
