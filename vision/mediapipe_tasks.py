"""The one place that talks to MediaPipe Tasks: start a landmarker, give it a picture, keep it quiet."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from models.geometry import Bytes, Floats
from models.problems import InputError
from models.weights import Bundle, sha256_of
from vision.bundle import bundle_path
from vision.system_libraries import missing_library_sentence

# Creating a landmarker takes 0.1-0.7 s; after a graph error it was seen to hang for ever.
_START_TIMEOUT_S = 60.0
_NEXT_PICTURE_MS = 33
# What MediaPipe and TensorFlow Lite print for information or as a warning, once or twice a landmarker.
_CHATTER = re.compile(rb"^(INFO: |WARNING: Logging before|WARNING: All log messages before|[IW]\d{4} )")


_STDERR = threading.Lock()


class Landmarker:
    """One long-lived MediaPipe landmarker. Create it in a ``with``; it is closed there.

    MediaPipe's ``detect`` on a closed landmarker silently finds nothing; this one raises.
    After an error inside MediaPipe's graph it is dead (`alive` is False) and nothing new is
    created, because creating another one then was seen to deadlock.
    """

    def __init__(self, kind: str, bundle: Path, *, video: bool, **options: object) -> None:
        """Start it.

        Args:
            kind: ``Pose`` or ``Face``.
            bundle: The ``.task`` file.
            video: Follow from picture to picture (quicker, smoothed); else look at each picture afresh.
            **options: Further options of MediaPipe's.

        Raises:
            InputError: If a system library is missing, or the bundle cannot be used.
        """
        self.alive = True
        self._quiet = True
        self._video = video
        self._timestamp_ms = -1
        self._shift_ms = 0
        try:
            with quiet_stderr():
                self._landmarker = _within(_START_TIMEOUT_S, lambda: _create(kind, bundle, video, options))
        except (ImportError, OSError) as error:
            if sentence := missing_library_sentence(error):
                raise InputError(sentence) from error
            raise
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"MediaPipe cannot use {bundle} ({reason}): remove that file to have it built again."
            ) from error

    def __enter__(self) -> Landmarker:
        """Give itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Free the networks; a second call does nothing."""
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is not None:
            with quiet_stderr():
                landmarker.close()

    def detect(self, bgr: Bytes, *, t_s: float = 0.0) -> Any:
        """MediaPipe's result for one picture.

        Args:
            bgr: Shape (height_px, width_px, 3).
            t_s: Time of the picture. MediaPipe wants it to grow, and smooths by it: where it does not grow,
                this picture counts as the next one after the latest, and those that follow are shifted alike.

        Returns:
            MediaPipe's result object; None where its graph has failed, now or earlier.

        Raises:
            ValueError: If it is closed.
        """
        if self._landmarker is None:
            raise ValueError("The landmarker is closed.")
        if not self.alive:
            return None
        import mediapipe

        picture = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB,
            data=np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)),
        )
        try:
            # It prints when its networks first run: hushed until then, so that a progress bar stays whole.
            with quiet_stderr() if self._quiet else contextlib.nullcontext():
                if not self._video:
                    result = self._landmarker.detect(picture)
                else:
                    self._timestamp_ms = self._next_timestamp_ms(round(t_s * 1000.0))
                    result = self._landmarker.detect_for_video(picture, self._timestamp_ms)
        except RuntimeError:
            self.alive = False
            return None
        self._quiet = self._quiet and not _found_something(result)
        return result

    def _next_timestamp_ms(self, wanted_ms: int) -> int:
        if wanted_ms + self._shift_ms <= self._timestamp_ms:
            self._shift_ms = self._timestamp_ms + _NEXT_PICTURE_MS - wanted_ms
        return wanted_ms + self._shift_ms

    def forget(self, bgr: Bytes) -> None:
        """Make it search the next picture afresh, by showing it a black one.

        Args:
            bgr: A picture of the size in use; its content does not matter.
        """
        if self._video:
            self.detect(np.zeros_like(bgr), t_s=(self._timestamp_ms - self._shift_ms + 1) / 1000.0)


class Eyes:
    """Own landmarkers for the length of a ``with``."""

    def __init__(self, bundle: Bundle, models_dir: Path | None) -> None:
        self._bundle_path = bundle_path(bundle, models_dir=models_dir)
        self.bundle_sha256 = sha256_of(self._bundle_path)
        """Checksum of the models in use, for the record."""
        self._owned = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the landmarkers."""
        self._owned.close()

    def _start(self, kind: str, *, video: bool, **options: object) -> Landmarker:
        return self._owned.enter_context(Landmarker(kind, self._bundle_path, video=video, **options))


def points_of(landmarks: Any, *, width_px: int, height_px: int) -> Floats:
    """Pixels of normalised landmarks, shape (n, 2); pixel centres at integers, so x * width - 0.5."""
    return np.array([[point.x * width_px - 0.5, point.y * height_px - 0.5] for point in landmarks])


def _found_something(result: Any) -> bool:
    return any(bool(value) for name, value in vars(result).items() if name.endswith("landmarks"))


def _create(kind: str, bundle: Path, video: bool, options: dict[str, object]) -> Any:
    from mediapipe.tasks.python import BaseOptions, vision

    mode = vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE
    settings = getattr(vision, f"{kind}LandmarkerOptions")(
        base_options=BaseOptions(model_asset_path=str(bundle)), running_mode=mode, **options
    )
    return getattr(vision, f"{kind}Landmarker").create_from_options(settings)


def _within(limit_s: float, start: Callable[[], Any]) -> Any:
    """Run in a thread of its own, and give up on it after a while instead of hanging with it."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(start())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="start landmarker", daemon=True)
    thread.start()
    thread.join(limit_s)
    if failure:
        raise failure[0]
    if not outcome:
        raise InputError(
            f"MediaPipe did not start within {limit_s:.0f} s: end the program and start it again."
        )
    return outcome[0]


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep MediaPipe's chatter off the terminal; what else is written meanwhile is passed on afterwards.

    One thread at a time: there is one stderr, and two that exchange it at once would lose it.
    """
    with _STDERR:
        yield from _without_stderr()


def _without_stderr() -> Iterator[None]:
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, ValueError, AttributeError):  # no stderr to keep clean
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            rest = b"".join(
                line for line in held.read().splitlines(keepends=True) if not _CHATTER.match(line)
            )
            if rest:
                with contextlib.suppress(OSError):
                    os.write(2, rest)
