"""The annotated video plays in a browser and keeps the true times."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from guidance.overlay.video import OverlayVideo


def pictures(count: int, height_px: int = 72, width_px: int = 96) -> list[np.ndarray]:
    ramp = np.tile(np.linspace(0, 200, width_px), (height_px, 1))
    return [np.repeat(((ramp + 7 * k) % 256)[..., None], 3, axis=2).astype(np.uint8) for k in range(count)]


def irregular_s(count: int, first_s: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    return first_s + np.cumsum(np.append(0.0, rng.uniform(0.01, 0.4, count - 1)))


def written(path: Path, t_s: np.ndarray, **size: int) -> None:
    with OverlayVideo(path) as video:
        for picture, t in zip(pictures(len(t_s), **size), t_s, strict=True):
            video.add(picture, t_s=float(t))


@pytest.mark.parametrize("first_s", [0.0, 0.123, 4.2])
def test_times_come_back_within_a_millisecond(tmp_path: Path, first_s: float) -> None:
    t_s = irregular_s(40, first_s)
    written(tmp_path / "a.mp4", t_s)
    with av.open(str(tmp_path / "a.mp4")) as container:
        back_s = np.array([frame.time for frame in container.decode(video=0)])
    np.testing.assert_allclose(back_s, t_s, atol=1e-3)


def test_a_browser_can_play_it_at_once(tmp_path: Path) -> None:
    written(tmp_path / "a.mp4", irregular_s(30, 0.0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
    data = (tmp_path / "a.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_odd_sizes_are_extended_to_even_ones(tmp_path: Path) -> None:
    written(tmp_path / "a.mp4", irregular_s(3, 0.0), height_px=71, width_px=97)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.height, frame.width) == (72, 98)


def test_colours_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    red = np.full((64, 64, 3), (30, 30, 200), np.uint8)
    with OverlayVideo(path) as video:
        video.add(red, t_s=0.0)
    with av.open(str(path)) as container:
        back = next(container.decode(video=0)).to_ndarray(format="bgr24", src_colorspace="ITU709")
    assert np.abs(back.astype(int) - red).max() <= 6  # lossy coding and 8-bit colour conversion: 3 measured


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    def breaks() -> None:
        with OverlayVideo(tmp_path / "a.mp4") as video:
            video.add(pictures(1)[0], t_s=0.0)
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk"):
        breaks()
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_old_file_alone(tmp_path: Path) -> None:
    old = tmp_path / "a.mp4"
    old.write_bytes(b"old")

    def breaks() -> None:
        with OverlayVideo(old) as video:
            video.add(pictures(1)[0], t_s=0.0)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        breaks()
    assert old.read_bytes() == b"old"


def test_without_a_picture_no_file_is_written(tmp_path: Path) -> None:
    with OverlayVideo(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_time_that_stands_still_is_refused(tmp_path: Path) -> None:
    with OverlayVideo(tmp_path / "a.mp4") as video:
        video.add(pictures(1)[0], t_s=1.0)
        with pytest.raises(ValueError, match="not later"):
            video.add(pictures(1)[0], t_s=1.0)


def test_a_change_of_size_is_refused(tmp_path: Path) -> None:
    with OverlayVideo(tmp_path / "a.mp4") as video:
        video.add(pictures(1)[0], t_s=1.0)
        with pytest.raises(ValueError, match="pictures of"):
            video.add(pictures(1, height_px=80)[0], t_s=2.0)


def test_a_clock_that_starts_below_zero_is_told(tmp_path: Path) -> None:
    with OverlayVideo(tmp_path / "a.mp4") as video:
        for k, picture in enumerate(pictures(3)):
            video.add(picture, t_s=-0.05 + 0.1 * k)
        assert video.start_s == pytest.approx(-0.05)
    with av.open(str(tmp_path / "a.mp4")) as container:
        back_s = [frame.time for frame in container.decode(video=0)]
    assert back_s == pytest.approx([0.0, 0.1, 0.2], abs=1e-3)
