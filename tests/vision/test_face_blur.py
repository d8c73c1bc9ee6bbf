"""Faces are covered before a picture is kept, and pictures that could not be looked at are not kept."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.geometry import Bytes
from models.weights import FACE
from vision.face_blur import HOLD_S, FaceBlur, Head, HeadFinder, cover, head_of_body, head_of_face
from vision.mediapipe_tasks import Landmarker, quiet_stderr

NOISE = np.random.default_rng(5).integers(0, 255, (240, 320, 3)).astype(np.uint8)


class Told:
    """Finds what it is told to."""

    def __init__(self, *answers: tuple[Head, ...] | None) -> None:
        self.answers, self.asked = list(answers), 0

    def heads(self, bgr: Bytes) -> tuple[Head, ...] | None:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def changed(after: Bytes | None) -> np.ndarray:
    assert after is not None
    return (after != NOISE).any(axis=2)


def test_a_head_is_covered_and_nothing_else() -> None:
    after = changed(FaceBlur(Told((Head(100.0, 80.0, 30.0),)))(NOISE, 0.0))
    y, x = np.mgrid[0:240, 0:320]
    inside = np.hypot(x - 100.0, y - 80.0) <= 30.0
    assert not after[~inside].any()
    assert after[inside].mean() > 0.98


def test_the_picture_that_the_pipeline_has_is_left_as_it_is() -> None:
    before = NOISE.copy()
    FaceBlur(Told((Head(100.0, 80.0, 30.0),)))(NOISE, 0.0)
    assert np.array_equal(before, NOISE)


def test_within_a_head_only_coarse_blocks_are_left() -> None:
    """Noise of 74 grey levels falls to that of means over hundreds of pixels."""
    picture = NOISE.copy()
    cover(picture, Head(160.0, 120.0, 80.0))
    assert picture[90:150, 130:190].std(axis=(0, 1)).max() < 8.0


@pytest.mark.parametrize("where", [(0.0, 0.0), (319.0, 239.0), (-500.0, 50.0), (160.0, 900.0)])
def test_a_head_at_or_outside_the_edge_does_no_harm(where: tuple[float, float]) -> None:
    cover(NOISE.copy(), Head(*where, 40.0))


def test_a_head_that_is_lost_for_a_moment_stays_covered() -> None:
    blur = FaceBlur(Told((Head(100.0, 80.0, 30.0),), ()))
    assert changed(blur(NOISE, 0.0)).any()
    first = changed(blur(NOISE, 0.1)).sum()
    later = changed(blur(NOISE, 0.9 * HOLD_S)).sum()
    assert later > first
    assert not changed(blur(NOISE, HOLD_S + 0.3)).any()


def test_heads_are_looked_for_five_times_a_second() -> None:
    told = Told(())
    blur = FaceBlur(told)
    for k in range(31):
        blur(NOISE, k / 30.0)
    assert told.asked == 6


def test_a_picture_in_which_heads_could_not_be_looked_for_is_not_kept() -> None:
    blur = FaceBlur(Told((), None))
    assert blur(NOISE, 0.0) is not None
    assert blur(NOISE, 0.3) is None
    assert blur(NOISE, 0.31) is None


def test_a_head_reaches_past_the_points_that_show_it() -> None:
    mesh = np.array([[100.0, 100.0], [180.0, 100.0], [140.0, 220.0]])
    head = head_of_face(mesh)
    assert np.hypot(mesh[:, 0] - head.x_px, mesh[:, 1] - head.y_px).max() < head.radius_px
    body = np.zeros((33, 2))
    body[:11] = [140.0, 160.0]
    body[11], body[12] = (240.0, 300.0), (40.0, 300.0)
    assert head_of_body(body).radius_px >= 0.3 * 200.0


@pytest.mark.parametrize("name", ["portrait", "three_people"])
def test_after_it_the_face_network_finds_no_face(shared_data: Path, built_models: Path, name: str) -> None:
    """Photographs of one and of three people, in which it finds one before."""
    bgr = np.asarray(cv2.imread(str(shared_data / "real" / "people" / f"{name}.jpg")), np.uint8)
    with HeadFinder(models_dir=built_models) as finder:
        covered = FaceBlur(finder)(bgr, 0.0)
    assert covered is not None
    for picture, found in ((bgr, True), (covered, False)):
        with Landmarker("Face", built_models / FACE.file_name, video=False) as landmarker:
            assert bool(landmarker.detect(picture).face_landmarks) is found


def test_a_small_head_that_the_face_network_misses_is_found_by_its_body(
    shared_data: Path, built_models: Path
) -> None:
    bgr = np.asarray(cv2.imread(str(shared_data / "real" / "people" / "pose.jpg")), np.uint8)
    with HeadFinder(models_dir=built_models) as finder:
        heads = finder.heads(bgr)
    assert heads is not None
    assert len(heads) == 1
    assert np.hypot(heads[0].x_px - 475.0, heads[0].y_px - 275.0) < 25.0
    assert 25.0 < heads[0].radius_px < 70.0


def test_stderr_is_one_threads_at_a_time(capfd: pytest.CaptureFixture[str]) -> None:
    """Two networks in two threads: whoever comes second waits, and stderr is whole afterwards."""
    inside, go_on, second = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with quiet_stderr():
            inside.set()
            go_on.wait(5.0)

    def other() -> None:
        with quiet_stderr():
            second.set()

    threads = [threading.Thread(target=first), threading.Thread(target=other)]
    threads[0].start()
    assert inside.wait(5.0)
    threads[1].start()
    assert not second.wait(0.05)
    go_on.set()
    for thread in threads:
        thread.join(5.0)
    assert second.is_set()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
