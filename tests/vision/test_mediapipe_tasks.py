"""The adapter to MediaPipe: quiet, closed once, with time stamps that grow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from models.problems import InputError
from vision.mediapipe_tasks import Landmarker, quiet_stderr


def test_chatter_is_dropped_and_the_rest_comes_through(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"W0000 00:00:1.0 1 inference_feedback_manager.cc:121] Feedback manager\n")
        os.write(2, b"E0000 00:00:1.0 1 graph.cc:1] broken\nmy own words\n")
    assert capfd.readouterr().err == "E0000 00:00:1.0 1 graph.cc:1] broken\nmy own words\n"


def test_stderr_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="inside"), quiet_stderr():
        raise RuntimeError("inside")
    os.write(2, b"INFO: heard again\n")
    assert capfd.readouterr().err == "INFO: heard again\n"


PICTURE = np.zeros((4, 6, 3), np.uint8)


def start(monkeypatch: pytest.MonkeyPatch, outcome: object) -> Landmarker:
    """A landmarker in which ``outcome`` stands for MediaPipe's own, or is raised when that is started."""

    def create(*_: object) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("vision.mediapipe_tasks._create", create)
    return Landmarker("Pose", Path("pose.task"), video=True)


@dataclass
class Result:
    pose_landmarks: list[object]


class Recorder:
    """Notes the time stamps that it is given; fails from the one on that it is told."""

    def __init__(self, *, fail_at: int | None = None) -> None:
        self.timestamps_ms: list[int] = []
        self.fail_at = fail_at
        self.closed = 0

    def detect_for_video(self, _: object, timestamp_ms: int) -> Result:
        self.timestamps_ms.append(timestamp_ms)
        if self.fail_at is not None and len(self.timestamps_ms) >= self.fail_at:
            raise RuntimeError("graph has errors")
        return Result([])

    def close(self) -> None:
        self.closed += 1


def test_a_missing_system_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError("libEGL.so.1: cannot open shared object file: No such file or directory")
    with pytest.raises(InputError, match=r"libEGL\.so\.1 is missing.*apt-get install"):
        start(monkeypatch, error)


def test_a_bundle_that_mediapipe_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"cannot use pose\.task \(no model inside\)"):
        start(monkeypatch, RuntimeError("no model\n  inside"))


def test_time_stamps_grow_by_the_true_steps_even_where_a_recording_starts_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = Recorder()
    with start(monkeypatch, inner) as landmarker:
        for t_s in (-0.5, -0.4, 0.0, 7.0, 0.0, 0.1, 0.1, 0.3):
            landmarker.detect(PICTURE, t_s=t_s)
    steps_ms = np.diff(inner.timestamps_ms)
    assert inner.timestamps_ms[0] >= 0
    assert steps_ms.tolist() == [100, 400, 7000, 33, 100, 33, 200]


def test_after_an_error_inside_mediapipe_nothing_is_asked_of_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = Recorder(fail_at=2)
    with start(monkeypatch, inner) as landmarker:
        assert landmarker.detect(PICTURE, t_s=0.0) is not None
        assert landmarker.detect(PICTURE, t_s=0.1) is None
        assert not landmarker.alive
        assert landmarker.detect(PICTURE, t_s=0.2) is None
    assert len(inner.timestamps_ms) == 2
    assert inner.closed == 1
