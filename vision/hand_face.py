"""Hand and face landmarks of a colour picture, by MediaPipe's networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.geometry import Bytes, Floats, frozen
from models.sightings import Lost
from models.weights import FACE, HAND
from vision.mediapipe_tasks import Eyes, points_of


@dataclass(frozen=True, eq=False)
class HandLandmarks:
    """One hand in one picture; not cross-checked."""

    t_s: float
    points_px: Floats
    """MediaPipe Hand order (wrist, then four a finger from the thumb on), shape (21, 2)."""
    world_mm: Floats
    """Metric estimate of the network, shape (21, 3): a guess of the pose, not a measurement."""
    side: str
    """``left`` or ``right``, as the network takes it."""
    score: float
    """The network's confidence in the side, 0..1."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("points_px", "world_mm"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


class HandEyes(Eyes):
    """Follows up to two hands."""

    def __init__(self, *, models_dir: Path | None = None) -> None:
        """Start the network; see `BodyEyes`."""
        super().__init__(HAND, models_dir)
        self._following = self._start("Hand", video=True, num_hands=2)

    def see(self, bgr: Bytes, *, t_s: float) -> tuple[HandLandmarks, ...] | Lost:
        """Hands of one capture, at most two.

        Args:
            bgr: Colour picture, shape (height_px, width_px, 3).
            t_s: Its time.
        """
        result = self._following.detect(bgr, t_s=t_s)
        if result is None or not result.hand_landmarks:
            alive = self._following.alive
            return Lost("no hand found in the picture" if alive else "the hand network has failed", t_s)
        height_px, width_px = bgr.shape[:2]
        return tuple(
            HandLandmarks(
                t_s=t_s,
                points_px=points_of(points, width_px=width_px, height_px=height_px),
                world_mm=1000.0 * np.array([[point.x, point.y, point.z] for point in world]),
                # MediaPipe names the side as of a mirrored picture; ours is not mirrored.
                side={"Left": "right", "Right": "left"}[handedness[0].category_name],
                score=float(handedness[0].score),
            )
            for points, world, handedness in zip(
                result.hand_landmarks, result.hand_world_landmarks, result.handedness, strict=True
            )
        )


FACE_POINTS = 468


@dataclass(frozen=True, eq=False)
class FaceLandmarks:
    """One face in one picture; not cross-checked."""

    t_s: float
    points_px: Floats
    """MediaPipe Face Mesh order without the iris points, shape (468, 2)."""

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "points_px", frozen(self.points_px))


class FaceEyes(Eyes):
    """Follows one face."""

    def __init__(self, *, models_dir: Path | None = None) -> None:
        """Start the network; see `BodyEyes`."""
        super().__init__(FACE, models_dir)
        self._following = self._start("Face", video=True)

    def see(self, bgr: Bytes, *, t_s: float) -> FaceLandmarks | Lost:
        """The face of one capture.

        Args:
            bgr: Colour picture, shape (height_px, width_px, 3).
            t_s: Its time.
        """
        result = self._following.detect(bgr, t_s=t_s)
        if result is None or not result.face_landmarks:
            alive = self._following.alive
            return Lost("no face found in the picture" if alive else "the face network has failed", t_s)
        height_px, width_px = bgr.shape[:2]
        # The wheel's face model knows no iris points: the last ten are made up (see vision.bundle).
        points = result.face_landmarks[0][:FACE_POINTS]
        return FaceLandmarks(t_s, points_of(points, width_px=width_px, height_px=height_px))
