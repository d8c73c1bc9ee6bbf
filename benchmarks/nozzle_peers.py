"""Peers of the nozzle tracker, each used as its own users would: tags of the whole picture, then a pose."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.geometry import Bytes, Floats, Pose, rotation_from_rvec
from models.rig import Rig, Tags

LEAST_TAGS = 2
"""A pose rests on as many at least: one small tag has two poses, and scikit-surgeryarucotracker then gives
the tag's pose in place of the collar's."""

PUPIL, SURGERY = "pupil-apriltags, quad_decimate 2", "scikit-surgeryarucotracker"

_FAMILIES = {
    "DICT_APRILTAG_36h11": "tag36h11",
    "DICT_APRILTAG_25h9": "tag25h9",
    "DICT_APRILTAG_16h5": "tag16h5",
}

_PUPIL_ORDER = (1, 0, 3, 2)
"""Which of pupil-apriltags' corners is each of OpenCV's: those nearest each other, the same in all tags of a
picture that both read."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a peer says of the collar in one picture."""

    tags: int
    rgb_from_nozzle: Pose | None


@dataclass(frozen=True, eq=False)
class Peer:
    """One peer. ``look`` is what is timed; ``read`` turns what it returned into a pose."""

    name: str
    look: Callable[[Bytes], Any]
    read: Callable[[Any], Seen]


def nozzle_peers(rig: Rig | None) -> list[Peer]:
    """The peers that are installed and know the collar's tags; none without a collar."""
    if rig is None or rig.nozzle is None:
        return []
    peers = (_pupil(rig, rig.nozzle.tags), _surgery(rig, rig.nozzle.tags))
    return [peer for peer in peers if peer is not None]


def _pupil(rig: Rig, tags: Tags) -> Peer | None:
    """Only the detection is timed: the package gives poses of single tags, the collar's is one PnP more."""
    try:
        from pupil_apriltags import Detector  # pyright: ignore[reportMissingImports]  # group bench only
    except ImportError:
        return None
    if tags.dictionary not in _FAMILIES:
        return None
    detector: Any = Detector(families=_FAMILIES[tags.dictionary], quad_decimate=2.0)
    corners_mm = dict(zip(tags.ids.tolist(), tags.corners_mm, strict=True))

    def look(bgr: Bytes) -> Any:
        return detector.detect(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))

    def read(found: Any) -> Seen:
        ours = [tag for tag in found if tag.tag_id in corners_mm]
        if len(ours) < LEAST_TAGS:
            return Seen(len(ours), None)
        points_mm = np.concatenate([corners_mm[tag.tag_id] for tag in ours])
        points_px = np.concatenate([tag.corners[list(_PUPIL_ORDER)] for tag in ours])
        done, rvec, tvec = cv2.solvePnP(points_mm, points_px, rig.rgb.matrix, rig.rgb.distortion)
        if not done:
            return Seen(len(ours), None)
        rvec_rad, origin_mm = np.asarray(rvec, np.float64).ravel(), np.asarray(tvec, np.float64).ravel()
        return Seen(len(ours), Pose.of(rotation_from_rvec(rvec_rad), origin_mm))

    return Peer(PUPIL, look, read)


def _surgery(rig: Rig, tags: Tags) -> Peer | None:
    """Its rigid body with the rig's corners; pose included in its time, as it comes in the same call."""
    try:
        from sksurgeryarucotracker.arucotracker import (  # pyright: ignore[reportMissingImports]
            ArUcoTracker,
        )
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "collar.txt"
        np.savetxt(body, np.column_stack([tags.ids, tags.corners_mm.reshape(len(tags.ids), 12)]))
        tracker: Any = ArUcoTracker(
            {
                "video source": "none",
                "aruco dictionary": tags.dictionary,
                "camera projection": rig.rgb.matrix,
                "camera distortion": np.array(rig.rgb.distortion),
                "rigid bodies": [
                    {"name": "collar", "filename": str(body), "aruco dictionary": tags.dictionary}
                ],
            }
        )
    tracker.start_tracking()

    def read(frame: Any) -> Seen:
        names, _, _, poses, quality = frame
        if "collar" not in names:
            return Seen(0, None)
        number = names.index("collar")
        count = round(float(quality[number]) * len(tags.ids))
        matrix = np.asarray(poses[number], float)
        good = count >= LEAST_TAGS and bool(np.isfinite(matrix).all())
        return Seen(count, Pose(matrix) if good else None)

    return Peer(SURGERY, tracker.get_frame, read)


class Truth:
    """Where the tip really was, from a simulated session's ``truth/captures.npz``."""

    def __init__(self, folder: Path) -> None:
        """Read it, if it is there."""
        path = folder / "truth" / "captures.npz"
        self._t_s, self._tip_mm = np.zeros(0), np.zeros((0, 3))
        if path.exists():
            with np.load(path) as table:
                self._t_s, self._tip_mm = np.array(table["t_s"]), np.array(table["tip_mm"])

    def error_mm(self, tip_rgb_mm: Floats, t_s: float) -> float | None:
        """Length of the tip's error; None where there is no truth within 20 ms."""
        if not len(self._t_s):
            return None
        row = int(np.abs(self._t_s - t_s).argmin())
        if abs(self._t_s[row] - t_s) > 0.02:
            return None
        return float(np.linalg.norm(tip_rgb_mm - self._tip_mm[row]))
