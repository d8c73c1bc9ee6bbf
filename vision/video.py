"""Video files, read so that a corrupt picture costs that picture only.

Pictures are numbered by their order of display, taken from the packets' time stamps, so that a
picture which the decoder drops does not shift the numbers of those after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from models.geometry import Bytes, Counts, Floats
from models.problems import InputError


@dataclass(frozen=True, eq=False)
class VideoFile:
    """What is known of a video without decoding it."""

    path: Path
    where: str
    """Name for messages, e.g. ``s1/rgb.mp4``."""
    width_px: int
    """As stored, before rotation."""
    height_px: int
    pixels: str
    """Pixel format as FFmpeg names it, e.g. ``yuv420p``."""
    order: dict[int, int]
    """Time stamp in ticks -> number of the picture in order of display."""
    times_s: Floats
    """The file's own times, shape (pictures,)."""
    announced: int
    """Number of pictures that the file's header announces, 0 where it does not say."""

    @property
    def pictures(self) -> int:
        """Number of pictures whose packets are there."""
        return len(self.times_s)

    @property
    def stamped(self) -> bool:
        """Whether each picture has a time stamp of its own; else the times are only counted."""
        return bool(self.order)


def probe_video(path: Path, *, where: str) -> VideoFile:
    """Read a video's header and packet times.

    Raises:
        InputError: If the file is missing, empty, not a video, or cut off.
    """
    if not path.is_file():
        raise InputError(f"{where} is missing; copy it into the session folder or take it out of [streams].")
    if path.stat().st_size == 0:
        raise InputError(f"{where} is empty; copy the video again.")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise InputError(f"{where} holds no video; name a video file in [streams].")
            stream = container.streams.video[0]
            if getattr(stream, "codec_context", None) is None:
                raise InputError(f"{where} is of a kind of video that cannot be decoded; write it as H.264.")
            width_px, height_px, pixels = stream.width, stream.height, stream.pix_fmt or ""
            base_s, announced = float(stream.time_base or 1), stream.frames
            ticks = [
                packet.pts if packet.pts is not None else packet.dts
                for packet in container.demux(stream)
                if packet.size and not packet.is_discard
            ]
    except (FFmpegError, OSError, ValueError) as trouble:
        raise InputError(
            f"{where} cannot be read as a video, it is cut off or damaged ({_told(trouble)}); copy it again."
        ) from trouble
    known = sorted({tick for tick in ticks if tick is not None})
    if not known or width_px <= 0:
        raise InputError(f"{where} holds no pictures; copy the video again.")
    if len(known) < len(ticks):  # no or equal time stamps: the order of the packets is all there is
        return VideoFile(
            path, where, width_px, height_px, pixels, {}, np.arange(len(ticks)) / 25.0, announced
        )
    order = {tick: number for number, tick in enumerate(known)}
    times_s = (np.array(known, dtype=np.float64) - known[0]) * base_s
    return VideoFile(path, where, width_px, height_px, pixels, order, times_s, announced)


def colour_pictures(video: VideoFile) -> Iterator[Bytes | None]:
    """Decode all pictures in order of display.

    Yields:
        One picture of shape (height_px, width_px, 3), order blue green red, turned as the file's
        rotation says, for each of ``video.pictures``; None for one that is corrupt.
    """
    for frame in _in_order(video):
        if frame is None:
            yield None
            continue
        turns = round(frame.rotation / 90.0) % 4  # anticlockwise; PyAV only reports it
        bgr = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
        yield np.ascontiguousarray(np.rot90(bgr, turns)) if turns else bgr


def grey_pictures(video: VideoFile) -> Iterator[Counts | None]:
    """Decode all pictures of a 16-bit grey video in order of display.

    Yields:
        One picture of shape (height_px, width_px) for each of ``video.pictures``; None for a corrupt one.
    """
    for frame in _in_order(video):
        yield None if frame is None else np.asarray(frame.to_ndarray(format="gray16le"), dtype=np.uint16)


def packed_pictures(video: VideoFile) -> Iterator[Bytes | None]:
    """Decode all pictures of a video whose pixels are pairs of bytes (yuyv422), without converting them.

    Yields:
        One picture of shape (height_px, width_px, 2) for each of ``video.pictures``; None for a corrupt one.
    """
    for frame in _in_order(video):
        yield None if frame is None else np.asarray(frame.to_ndarray(), dtype=np.uint8)


def _in_order(video: VideoFile) -> Iterator[VideoFrame | None]:
    expected = 0
    for frame in _decoded(video):
        number = expected if not video.order or frame.pts is None else video.order.get(frame.pts, expected)
        if number < expected or number >= video.pictures:
            continue  # a second picture for a time that was served already
        for _ in range(expected, number):
            yield None
        expected = number + 1
        yield None if frame.is_corrupt else frame
    for _ in range(expected, video.pictures):
        yield None


def _decoded(video: VideoFile) -> Iterator[VideoFrame]:
    """All frames that decode; an error costs its packet."""
    try:
        with av.open(str(video.path), metadata_errors="replace") as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except FFmpegError:
                    continue
                for frame in frames:
                    if isinstance(frame, VideoFrame):
                        yield frame
    except (FFmpegError, OSError) as trouble:
        raise InputError(
            f"{video.where} can no longer be read ({_told(trouble)}); copy it again."
        ) from trouble


def _told(trouble: Exception) -> str:
    """FFmpeg's or the system's own words without the path."""
    return str(getattr(trouble, "strerror", None) or trouble).rstrip(".")
