"""The faults that other tests make by editing are really in the edited recordings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vision.recording import open_recording


def test_stuck_thermal_repeats_one_picture(spoil, calf: Path) -> None:
    folder = spoil.thermal_stuck(spoil.copy(calf), from_s=4.0)
    recording = open_recording(folder)
    assert recording.warnings == ()
    assert recording.thermal is not None
    pictures = np.stack([picture for picture in recording.thermal.read() if picture is not None])
    changed = (np.diff(pictures.astype(int), axis=0) != 0).any(axis=(1, 2))
    assert changed[recording.thermal_times_s[1:] < 4.0].all()
    assert not changed[recording.thermal_times_s[1:] >= 4.0].any()


def test_missing_thermal_leaves_a_hole(spoil, calf: Path) -> None:
    folder = spoil.thermal_missing(spoil.copy(calf), from_s=4.0, to_s=6.0)
    t_s = open_recording(folder).thermal_times_s
    assert not ((t_s >= 4.0) & (t_s < 6.0)).any()
    assert t_s[0] == pytest.approx(open_recording(calf).thermal_times_s[0])
    assert np.diff(t_s).max() == pytest.approx(2.0, abs=0.1)


def test_a_colour_gap_is_filled_with_ticks(spoil, calf: Path) -> None:
    folder = spoil.colour_gap(spoil.copy(calf, to_s=3.0), from_s=1.0, to_s=2.0)
    captures = [capture for capture in open_recording(folder).captures() if capture.t_s < 3.0]
    missing = [capture.t_s for capture in captures if capture.bgr is None]
    assert min(missing) == pytest.approx(1.13, abs=0.03)
    assert max(missing) < 2.0
    assert np.diff([0.933, *missing, 2.0]).max() < 0.21
    assert sum(len(capture.thermal) for capture in captures) == pytest.approx(37, abs=1)


def test_a_shift_moves_the_picture_from_its_time_on(spoil, calf: Path) -> None:
    """H.264 at crf 14: measured 2.0 grey levels from the original on average, most of it in blue."""
    folder = spoil.shifted(spoil.copy(calf, to_s=0.6), from_s=0.3, shift_px=(30, 10))
    originals = open_recording(calf).captures()
    for capture in open_recording(folder).captures():
        original = next(originals).bgr
        if capture.index is None:
            continue
        assert capture.bgr is not None
        assert original is not None
        expected = np.roll(original, (10, 30), axis=(0, 1)) if capture.t_s >= 0.3 else original
        assert np.abs(capture.bgr.astype(int) - expected).mean() < 3.0


def test_a_covered_nozzle_shows_no_tag(spoil, calf: Path) -> None:
    folder = spoil.nozzle_covered(spoil.copy(calf, to_s=1.6), truth=calf / "truth", from_s=0.8, to_s=1.4)
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11))
    for capture in open_recording(folder).captures():
        if capture.bgr is None or (capture.index or 0) % 2:
            continue
        found = detector.detectMarkers(capture.bgr)[1]
        seen = 0 if found is None else int((found < 12).sum())
        covered = 0.8 <= capture.t_s < 1.4
        assert (seen == 0) == covered, f"{seen} tags at {capture.t_s:.2f} s"
