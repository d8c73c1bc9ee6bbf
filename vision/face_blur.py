"""Faces made unrecognisable before a colour picture is kept: found by two networks, held between looks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import cv2
import numpy as np

from models.body_landmarks import LANDMARKS
from models.geometry import Bytes, Floats
from models.weights import FACE, POSE, Bundle
from vision.mediapipe_tasks import Eyes, points_of

LOOK_S = 0.2
"""Heads are looked for this often: both networks take 32 ms of a core, 16 % of it so."""

HOLD_S = 1.0
"""A head stays covered this long after it was last found: networks lose one now and then."""

GROWS_PER_S = 0.5
"""What is held grows by this share of itself a second: a head nods meanwhile."""

BLOCKS = 6
"""A head is reduced to so many blocks across: eyes and mouth are less than one."""

PEOPLE = 3
"""Patient, operator and one more."""

FACE_TO_HEAD, POINTS_TO_HEAD, SHOULDERS_TO_HEAD = 0.75, 1.7, 0.35
"""Radius of a head: of the longer side of a face's mesh; of the way from the middle of nose, eyes, ears and
mouth to the farthest of them; at least this share of the shoulders' distance."""

HEAD_POINTS = 11
"""The first landmarks of MediaPipe Pose are those of the head."""


@dataclass(frozen=True)
class Head:
    """A circle round a head in the picture."""

    x_px: float
    y_px: float
    radius_px: float


class Finder(Protocol):
    """Who finds heads."""

    def heads(self, bgr: Bytes) -> tuple[Head, ...] | None:
        """Heads in a picture; None where they cannot be looked for any more."""
        ...


class FaceBlur:
    """Covers the heads of one stream of pictures; a `guidance.recording.writer.BeforeWriting`."""

    def __init__(self, finder: Finder) -> None:
        """Nothing found yet."""
        self._finder = finder
        self._held: tuple[tuple[float, Head], ...] = ()
        self._looked_s = -np.inf

    def __call__(self, bgr: Bytes, t_s: float) -> Bytes | None:
        """The picture with its heads covered; None where heads could not be looked for: it must not be kept.

        Args:
            bgr: Shape (height_px, width_px, 3); left as it is.
            t_s: Its time, growing.
        """
        if t_s - self._looked_s >= LOOK_S - 1e-6 or t_s < self._looked_s:
            found = self._finder.heads(bgr)
            if found is None:
                return None
            kept = () if t_s < self._looked_s else self._held
            self._looked_s = t_s
            self._held = (*((s, head) for s, head in kept if t_s - s <= HOLD_S), *((t_s, h) for h in found))
        if not self._held:
            return bgr
        covered = bgr.copy()
        for seen_s, head in self._held:
            grown = head.radius_px * (1.0 + GROWS_PER_S * (t_s - seen_s))
            cover(covered, Head(head.x_px, head.y_px, grown))
        return covered


def cover(bgr: Bytes, head: Head) -> None:
    """Reduce a head to `BLOCKS` blocks across, in place."""
    height_px, width_px = bgr.shape[:2]
    x0, x1 = (int(np.clip(head.x_px + side * head.radius_px, 0, width_px)) for side in (-1, 1))
    y0, y1 = (int(np.clip(head.y_px + side * head.radius_px, 0, height_px)) for side in (-1, 1))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    part = bgr[y0:y1, x0:x1]
    blocks = cv2.resize(part, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
    plain = cv2.resize(blocks, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    y, x = np.ogrid[y0:y1, x0:x1]
    inside = (x - head.x_px) ** 2 + (y - head.y_px) ** 2 <= head.radius_px**2
    part[inside] = plain[inside]


class _Network(Eyes):
    """One of the two networks, looking at each picture afresh."""

    def __init__(self, bundle: Bundle, kind: str, models_dir: Path | None, **options: object) -> None:
        super().__init__(bundle, models_dir)
        self.landmarker = self._start(kind, video=False, **options)


class HeadFinder:
    """Heads by MediaPipe's face network (near) and its body network (whole bodies, small or turned faces)."""

    def __init__(self, *, models_dir: Path | None = None) -> None:
        """Start the networks.

        Raises:
            InputError: If the models or a system library are missing.
        """
        self._owned = ExitStack()
        with ExitStack() as stack:
            self._face = stack.enter_context(_Network(FACE, "Face", models_dir, num_faces=PEOPLE))
            self._body = stack.enter_context(_Network(POSE, "Pose", models_dir, num_poses=PEOPLE))
            self._owned = stack.pop_all()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the networks."""
        self._owned.close()

    def heads(self, bgr: Bytes) -> tuple[Head, ...] | None:
        """Heads in a picture; None where a network has failed."""
        faces, bodies = self._face.landmarker.detect(bgr), self._body.landmarker.detect(bgr)
        if faces is None or bodies is None:
            return None
        height_px, width_px = bgr.shape[:2]

        def pixels(landmarks: Sequence[Any]) -> Floats:
            return points_of(landmarks, width_px=width_px, height_px=height_px)

        return (
            *(head_of_face(pixels(face)) for face in faces.face_landmarks),
            *(head_of_body(pixels(body)) for body in bodies.pose_landmarks),
        )


def head_of_face(points_px: Floats) -> Head:
    """The head round a face's mesh, shape (n, 2)."""
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    x, y = (low + high) / 2.0
    return Head(float(x), float(y), FACE_TO_HEAD * float((high - low).max()))


def head_of_body(points_px: Floats) -> Head:
    """The head of a body's landmarks, shape (33, 2)."""
    head = points_px[:HEAD_POINTS]
    x, y = head.mean(axis=0)
    spread = float(np.linalg.norm(head - head.mean(axis=0), axis=1).max())
    shoulders = points_px[LANDMARKS["left_shoulder"]] - points_px[LANDMARKS["right_shoulder"]]
    radius = max(POINTS_TO_HEAD * spread, SHOULDERS_TO_HEAD * float(np.linalg.norm(shoulders)))
    return Head(float(x), float(y), radius)
