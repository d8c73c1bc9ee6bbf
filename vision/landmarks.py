"""Body landmarks of a colour picture, by MediaPipe's networks, cross-checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.body_landmarks import LANDMARKS, believe, same_body
from models.body_track import LONGEST_GAP_S, BodyTrack, follow
from models.geometry import Bytes, Floats
from models.sightings import Landmarks, Lost
from models.weights import POSE
from vision.mediapipe_tasks import Eyes, points_of

__all__ = ["LANDMARKS", "BodyEyes"]

# A body is found at the same place when the picture is turned. On 24 pictures of people alone in view the
# landmarks of any two of the four orientations agreed within 0.05 trunk lengths; bodies seen in
# legs or hands are found in few orientations, and apart by 0.09-2.8. Following smooths, so what is followed
# lags behind a quick movement: by up to 0.11 in squats.
_TURNED_APART, _FOLLOWED_APART = 0.08, 0.20
_TURNS = (2, 1, 3)  # quarter turns, in the order tried
_CHECK_AGAIN_S = 5.0
_RETRY_S = 0.5
_DROP_AFTER = 5  # captures in a row that are not believed: what is followed is no body, search afresh


@dataclass(frozen=True)
class _Found:
    """One body as the network returned it."""

    points_px: Floats
    visibility: Floats
    """The smaller of MediaPipe's visibility and presence."""
    world_mm: Floats


class BodyEyes(Eyes):
    """Follows one body through a recording.

    A body is searched in the upright picture and then followed. Before anything is believed: its
    proportions are human (`models.body_landmarks.believe`); it is found at the same place in at
    least two turned copies of the picture (again every 5 s); two captures in a row, at most 1.5 s
    apart, agree without left and right changing places. Call `see` on every capture until something is
    believed.

    Several people: the network returns one of them. Where the turned copies return another one, nothing
    is believed; patient and therapist are not told apart otherwise, which is the operator's to confirm.
    """

    def __init__(self, *, models_dir: Path | None = None) -> None:
        """Start the networks.

        Args:
            models_dir: Folder with the user's own bundles; where None, ``CRYOGUIDE_MODELS_DIR``, then the
                cache.

        Raises:
            InputError: If the models or a system library are missing.
        """
        super().__init__(POSE, models_dir)
        try:
            self._following = self._start("Pose", video=True)
            self._checking = self._start("Pose", video=False)
        except BaseException:
            self._owned.close()
            raise
        self._track: BodyTrack | None = None
        self._checked_s = -np.inf
        self._retry_s = -np.inf
        self._doubted = 0
        self._refused = ""
        self._lost_since_s: float | None = None
        self._latest_s = -np.inf
        self._shape: tuple[int, ...] = ()

    def see(self, bgr: Bytes, *, t_s: float) -> Landmarks | Lost:
        """Body landmarks of one capture.

        Args:
            bgr: Colour picture, shape (height_px, width_px, 3).
            t_s: Its time on the session clock. Where it does not grow, or the picture changes its size,
                following starts afresh.

        Returns:
            Landmarks of which at least the shoulders are believed, or why nothing is.
        """
        if t_s <= self._latest_s or (self._shape and bgr.shape != self._shape):
            self._start_afresh()
        self._latest_s, self._shape = t_s, bgr.shape
        found_or_why = self._look(bgr, t_s)
        if isinstance(found_or_why, Landmarks):
            self._lost_since_s = None
            return found_or_why
        if self._lost_since_s is None:
            self._lost_since_s = t_s
        return Lost(found_or_why, self._lost_since_s)

    def _start_afresh(self) -> None:
        self._track, self._lost_since_s = None, None
        self._checked_s = self._retry_s = -np.inf
        if self._shape:
            self._following.forget(np.zeros(self._shape, np.uint8))

    def _look(self, bgr: Bytes, t_s: float) -> Landmarks | str:
        if t_s < self._retry_s:
            return self._refused
        found = _body(self._following.detect(bgr, t_s=t_s), bgr)
        if not self._following.alive or not self._checking.alive:
            return "the landmark network has failed; start the program again"
        if found is None:
            if self._track is not None and t_s - self._track.t_s > LONGEST_GAP_S:
                self._checked_s = -np.inf
            return "no body found in the picture"
        height_px, width_px = bgr.shape[:2]
        believed = believe(
            found.points_px, found.visibility, found.world_mm, width_px=width_px, height_px=height_px
        )
        if not believed.any():
            self._doubted += 1
            if self._doubted >= _DROP_AFTER:
                self._drop(bgr)
            return "what was found has not the proportions of a body in view"
        self._doubted = 0
        self._track, why_not = follow(self._track, found.points_px, t_s=t_s)
        if self._track.captures <= 1:
            self._checked_s = -np.inf
        if why_not:
            return why_not
        if t_s - self._checked_s > _CHECK_AGAIN_S:
            if not self._found_in_turned_copies(bgr, found, whole=bool(believed[LANDMARKS["left_hip"]])):
                return self._refuse("turned copies of the picture show another body", bgr, t_s)
            self._checked_s = t_s
        return Landmarks(t_s, found.points_px, found.visibility, found.world_mm, believed)

    def _refuse(self, reason: str, bgr: Bytes, t_s: float) -> str:
        """Drop what is followed, and rest a little: it is found again and again, and each time costs."""
        self._drop(bgr)
        self._retry_s, self._refused = t_s + _RETRY_S, reason
        return reason

    def _drop(self, bgr: Bytes) -> None:
        self._following.forget(bgr)
        self._doubted = 0
        self._checked_s = -np.inf

    def _found_in_turned_copies(self, bgr: Bytes, found: _Found, *, whole: bool) -> bool:
        """Whether two turned copies show the same body as each other, where it is followed."""
        agreeing: list[Floats] = []
        for quarter_turns in _TURNS:
            turned = np.ascontiguousarray(np.rot90(bgr, quarter_turns))
            other = _body(self._checking.detect(turned), turned)
            if other is None:
                continue
            other_px = turned_back(other.points_px, quarter_turns=quarter_turns, shape=bgr.shape)
            if same_body(found.points_px, other_px, whole=whole) > _FOLLOWED_APART:
                continue
            if any(same_body(earlier, other_px, whole=whole) <= _TURNED_APART for earlier in agreeing):
                return True
            agreeing.append(other_px)
        return False


def turned_back(points_px: Floats, *, quarter_turns: int, shape: tuple[int, ...]) -> Floats:
    """Points of a copy that ``numpy.rot90(picture, quarter_turns)`` made, in the picture itself.

    Args:
        points_px: (x, y) in the copy, shape (n, 2).
        quarter_turns: 0..3.
        shape: Of the picture, (height_px, width_px, ...).
    """
    height_px, width_px = shape[:2]
    x, y = points_px[:, 0], points_px[:, 1]
    if quarter_turns == 1:
        x, y = width_px - 1 - y, x
    elif quarter_turns == 2:
        x, y = width_px - 1 - x, height_px - 1 - y
    elif quarter_turns == 3:
        x, y = y, height_px - 1 - x
    return np.stack([x, y], axis=1)


def _body(result: Any, bgr: Bytes) -> _Found | None:
    if result is None or not result.pose_landmarks or not result.pose_world_landmarks:
        return None
    points, world = result.pose_landmarks[0], result.pose_world_landmarks[0]
    height_px, width_px = bgr.shape[:2]
    return _Found(
        points_px=points_of(points, width_px=width_px, height_px=height_px),
        visibility=np.array([min(point.visibility, point.presence) for point in points]),
        world_mm=1000.0 * np.array([[point.x, point.y, point.z] for point in world]),
    )
