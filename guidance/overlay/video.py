"""The annotated video: H.264 with true time stamps, written so that a browser plays it at once."""

# pyright: standard
# PyAV leaves its packets and options partly untyped, so strict checking would only count those.

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container.output import OutputContainer
from av.video.stream import VideoStream

from models.geometry import Bytes

TIME_BASE = Fraction(1, 90_000)
"""11 us a tick: stamps come back exact to the ten-thousandth of a second."""
CRF = "23"
PRESET = "veryfast"
KEYFRAME_EVERY = 60
"""Pictures between key frames: about 3 s, so that seeking in the report is quick."""


class OverlayVideo:
    """Writes pictures with their own times; use as a context manager.

    The file appears under its name only when the block ends without an error; otherwise nothing stays.
    Pictures of odd size are extended by one row or column, since yuv420p needs even sizes.
    """

    def __init__(self, path: Path) -> None:
        """Write to ``path`` (an ``.mp4``)."""
        self._path = path
        self._aside = path.with_name(f".{path.name}.part")
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._last_pts: int | None = None
        self._start_s = 0.0
        self._shape: tuple[int, ...] | None = None

    @property
    def pictures(self) -> bool:
        """Whether anything was written yet."""
        return self._last_pts is not None

    @property
    def start_s(self) -> float:
        """Session time of the video's zero: 0, or the first picture's time where that is negative."""
        return self._start_s

    def __enter__(self) -> Self:
        """Begin; the file itself is opened with the first picture, whose size it takes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file, or remove what was written of it."""
        try:
            if self._container is not None and self._stream is not None:
                if kind is None:
                    self._container.mux(self._stream.encode(None))
                self._container.close()
                if kind is None:
                    os.replace(self._aside, self._path)
        finally:
            self._container = self._stream = None
            self._aside.unlink(missing_ok=True)

    def add(self, bgr: Bytes, *, t_s: float) -> None:
        """Append a picture.

        Args:
            bgr: Shape (height_px, width_px, 3), the same for all pictures.
            t_s: Its time; later than the previous one's.

        Raises:
            ValueError: If time stands still or runs backwards, or the size changes.
        """
        if self._shape is not None and bgr.shape != self._shape:
            raise ValueError(
                f"The video has pictures of {self._shape[:2]}; one of {bgr.shape[:2]} cannot be added."
            )
        if self._stream is None:
            self._start_s = min(t_s, 0.0)
            self._open(bgr)
        pts = round((t_s - self._start_s) / TIME_BASE)
        if self._last_pts is not None and pts <= self._last_pts:
            raise ValueError(f"The picture of {t_s:.4f} s is not later than the one before it.")
        self._last_pts = pts
        assert self._stream is not None
        assert self._container is not None
        frame = av.VideoFrame.from_ndarray(_even(bgr), format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = pts, TIME_BASE
        self._container.mux(self._stream.encode(frame))

    def _open(self, bgr: Bytes) -> None:
        self._shape = bgr.shape
        height, width = _even(bgr[:, :, :1]).shape[:2]
        scale = str(TIME_BASE.denominator)
        options = {"movflags": "+faststart", "video_track_timescale": scale, "movie_timescale": scale}
        self._container = av.open(str(self._aside), "w", format="mp4", options=options)
        stream = self._container.add_stream(
            "libx264", rate=30, options={"crf": CRF, "preset": PRESET, "g": str(KEYFRAME_EVERY)}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = TIME_BASE
        stream.codec_context.time_base = TIME_BASE
        self._stream = stream


def _even(picture: Bytes) -> Bytes:
    height, width = picture.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return picture
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
