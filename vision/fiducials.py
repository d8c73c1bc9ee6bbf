"""Square tags: their patterns, finding their corners in linear light, and poses from corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from models.camera import Camera
from models.geometry import Bools, Bytes, Floats, Ints, Pose, frozen
from models.problems import InputError
from models.rig import Tags
from vision.tag_picture import RIM

FLIP_RAD = np.radians(2.0)
"""Poses nearer to each other than this are one hypothesis."""

MISREAD_PX = 6.0
"""A tag whose corners lie farther than this from every pose the others agree on was misread or is bent."""


@dataclass(frozen=True, eq=False)
class TagBody:
    """Tags on one rigid body, ready to be found and predicted."""

    dictionary: str
    ids: Ints
    corners_mm: Floats
    """Body frame, shape (n, 4, 3)."""
    patterns: Floats
    """0 black, 1 white, black rim included and `RIM` white modules round it, shape (n, side, side)."""
    plates: Floats
    """Columns: step of one module right and down on the tag, its first corner; body frame, shape (n, 3, 3)."""
    centroid_mm: Floats
    """Of all corners, shape (3,)."""

    @property
    def modules(self) -> int:
        """Modules along the side of the black square."""
        return self.patterns.shape[1] - 2 * RIM

    def facing(self, rgb_from_body: Pose) -> Floats:
        """Cosine between each tag's outward normal and the way to the camera, shape (n,)."""
        plates = rgb_from_body.rotation @ self.plates
        centres = rgb_from_body.apply(self.corners_mm.mean(axis=1))
        into = np.cross(plates[:, :, 0], plates[:, :, 1])
        length = np.linalg.norm(into, axis=1) * np.linalg.norm(centres, axis=1)
        return np.einsum("nk,nk->n", into, centres) / np.maximum(length, 1e-12)

    def plates_in(self, rgb_from_body: Pose) -> Floats:
        """Plates in the rgb frame, shape (n, 3, 3)."""
        plates = rgb_from_body.rotation @ self.plates
        plates[:, :, 2] += rgb_from_body.translation_mm
        return plates


def aruco_dictionary(name: str) -> cv2.aruco.Dictionary:
    """The dictionary of this name.

    Raises:
        InputError: If OpenCV knows none.
    """
    number = getattr(cv2.aruco, name, None)
    if not name.startswith("DICT_") or not isinstance(number, int):
        raise InputError(f"The rig names the tag dictionary '{name}', which OpenCV does not know; correct rig.toml.")
    return cv2.aruco.getPredefinedDictionary(number)


@lru_cache(maxsize=16)
def tag_body(tags: Tags) -> TagBody:
    """Patterns and plates of the tags.

    Raises:
        InputError: If the dictionary is unknown or has no tag of such a number.
    """
    dictionary = aruco_dictionary(tags.dictionary)
    modules = dictionary.markerSize + 2
    count = dictionary.bytesList.shape[0]
    patterns = []
    for number in tags.ids:
        if not 0 <= number < count:
            raise InputError(
                f"The rig names tag {number}, but {tags.dictionary} ends at {count - 1}; correct rig.toml."
            )
        picture = cv2.aruco.generateImageMarker(dictionary, int(number), modules)
        patterns.append(np.pad((picture > 127).astype(float), RIM, constant_values=1.0))
    c = tags.corners_mm
    right = (c[:, 1] - c[:, 0] + c[:, 2] - c[:, 3]) / (2.0 * modules)
    down = (c[:, 3] - c[:, 0] + c[:, 2] - c[:, 1]) / (2.0 * modules)
    first = c.mean(axis=1) - (right + down) * (modules / 2.0)
    return TagBody(
        dictionary=tags.dictionary,
        ids=frozen(tags.ids),
        corners_mm=frozen(c),
        patterns=frozen(np.asarray(patterns).reshape(len(tags.ids), modules + 2 * RIM, modules + 2 * RIM)),
        plates=frozen(np.stack([right, down, first], axis=-1)),
        centroid_mm=frozen(c.reshape(-1, 3).mean(axis=0)),
    )


@lru_cache(maxsize=4)
def light_table(transfer: str) -> Floats:
    """Linear light 0..1 of each 8-bit number.

    Source: IEC 61966-2-1 (sRGB).

    Raises:
        InputError: If the transfer is neither ``srgb`` nor ``linear``.
    """
    v = np.arange(256) / 255.0
    if transfer == "linear":
        return v
    if transfer == "srgb":
        return np.where(v > 0.04045, ((v + 0.055) / 1.055) ** 2.4, v / 12.92)
    raise InputError(f"The rig's transfer is '{transfer}'; it must be 'srgb' or 'linear'.")


@dataclass(frozen=True, eq=False)
class Window:
    """Linear light of a part of the picture."""

    light: Floats
    """Shape (h, w), 0..1."""
    corner_px: Ints
    """Column and row of the picture at which it begins, shape (2,)."""


def window_of(bgr: Bytes, *, low_px: Floats, high_px: Floats, transfer: str) -> Window | None:
    """Cut a window of the picture as linear light; its first column and row are even.

    Args:
        bgr: Whole picture.
        low_px: Least (x, y) wanted.
        high_px: Greatest (x, y) wanted.
        transfer: See `light_table`.

    Returns:
        None where less than 16 pixels squared of it lie in the picture.
    """
    height, width = bgr.shape[:2]
    if not (np.all(np.isfinite(low_px)) and np.all(np.isfinite(high_px))):
        return None
    x0, y0 = (max(0, int(value) // 2 * 2) for value in np.clip(low_px, 0, 1e6))
    x1 = min(width, int(np.clip(high_px[0], -1.0, 1e6)) + 2)
    y1 = min(height, int(np.clip(high_px[1], -1.0, 1e6)) + 2)
    if x1 - x0 < 16 or y1 - y0 < 16:
        return None
    grey = cv2.cvtColor(np.ascontiguousarray(bgr[y0:y1, x0:x1]), cv2.COLOR_BGR2GRAY)
    return Window(light_table(transfer)[grey], np.array([x0, y0]))


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners of the tags found."""

    tags: Ints
    """Index of each into the body's tags, shape (k,)."""
    corners_px: Floats
    """Pixels of the colour picture, shape (k, 4, 2)."""


@lru_cache(maxsize=16)
def _detector(body: TagBody) -> cv2.aruco.ArucoDetector:
    whole = aruco_dictionary(body.dictionary)
    own = cv2.aruco.Dictionary(whole.bytesList[body.ids], whole.markerSize, whole.maxCorrectionBits)
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    parameters.relativeCornerRefinmentWinSize = 0.2
    parameters.cornerRefinementWinSize = 3
    return cv2.aruco.ArucoDetector(own, parameters)


def find_corners(window: Window, body: TagBody, *, enlarge: bool = False) -> Corners:
    """Find the body's tags in a window.

    Args:
        window: Linear light.
        body: What to look for; other tags are not seen.
        enlarge: Look in the picture doubled in size: finds tags of less than 20 pixels.
    """
    light = window.light
    white = float(np.quantile(light[::4, ::4], 0.995))
    picture = np.minimum(light * (255.0 / max(white, 0.02)), 255.0).astype(np.uint8)
    factor = 2 if enlarge else 1
    if enlarge:
        picture = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    found, numbers, _ = _detector(body).detectMarkers(picture)
    if numbers is None or len(found) == 0:
        return Corners(np.zeros(0, np.int64), np.zeros((0, 4, 2)))
    corners = np.asarray(found, float).reshape(-1, 4, 2)
    tags = np.asarray(numbers, np.int64).ravel()
    # Seen twice: neither is believed.
    once = np.bincount(tags, minlength=len(body.ids))[tags] == 1
    corners = (corners + 0.5) / factor - 0.5 + window.corner_px
    return Corners(tags[once], corners[once])


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One pose that explains corners."""

    rgb_from_body: Pose
    rms_px: float
    believed: Bools
    """Which of the tags agree with it."""


def poses_from_corners(corners: Corners, body: TagBody, camera: Camera) -> tuple[Hypothesis, ...]:
    """One PnP over all corners: at most two distinct poses, the best first.

    Each tag by itself offers two poses; each is tried on all corners and improved on those that agree.
    """
    if len(corners.tags) == 0:
        return ()
    object_mm, picture_px = body.corners_mm[corners.tags], corners.corners_px
    starts: list[Pose] = []
    for k in range(len(corners.tags)):
        starts += _planar(object_mm[k], picture_px[k], camera)
    found: list[Hypothesis] = []
    for start in starts:
        hypothesis = _improve(start, object_mm, picture_px, camera)
        if hypothesis is not None:
            found.append(hypothesis)
    found.sort(key=lambda h: (-int(h.believed.sum()), h.rms_px))
    distinct: list[Hypothesis] = []
    for hypothesis in found:
        if all(turn_rad(hypothesis.rgb_from_body, other.rgb_from_body) > FLIP_RAD for other in distinct):
            distinct.append(hypothesis)
    return tuple(distinct[:2])


def turn_rad(one: Pose, other: Pose) -> float:
    """Angle between two orientations."""
    cosine = (np.trace(one.rotation.T @ other.rotation) - 1.0) / 2.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def rotation_vector(rotation: Floats) -> Floats:
    """Rotation vector of a rotation matrix of less than half a turn, rad."""
    half = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = float(np.linalg.norm(half)) / 2.0
    if sine < 1e-9:
        return half / 2.0
    return half / (2.0 * sine) * float(np.arctan2(sine, (np.trace(rotation) - 1.0) / 2.0))


def other_pose(pose: Pose, corners_mm: Floats, camera: Camera) -> Pose | None:
    """The other pose in which coplanar corners look nearly the same, None where there is none."""
    seen_px = camera.project(pose.apply(corners_mm.reshape(-1, 3)))
    if not np.all(np.isfinite(seen_px)):
        return None
    offers = _planar(corners_mm.reshape(-1, 3), seen_px, camera)
    offers = [offer for offer in offers if turn_rad(offer, pose) > FLIP_RAD]
    return max(offers, key=lambda offer: turn_rad(offer, pose)) if offers else None


def _planar(object_mm: Floats, picture_px: Floats, camera: Camera) -> list[Pose]:
    try:
        _, rvecs, tvecs, _ = cv2.solvePnPGeneric(
            object_mm, picture_px, camera.matrix, camera.distortion, flags=cv2.SOLVEPNP_IPPE
        )
    except cv2.error:
        return []
    poses = [_pose(r, t) for r, t in zip(rvecs, tvecs, strict=True)]
    return [pose for pose in poses if np.all(np.isfinite(pose.matrix)) and pose.translation_mm[2] > 0]


def _improve(start: Pose, object_mm: Floats, picture_px: Floats, camera: Camera) -> Hypothesis | None:
    pose = start
    believed = np.ones(len(object_mm), np.bool_)
    for _ in range(2):
        off_px = np.linalg.norm(camera.project(pose.apply(object_mm)) - picture_px, axis=-1).max(axis=1)
        limit = max(MISREAD_PX, 2.5 * float(np.nanmedian(off_px)))
        believed = np.nan_to_num(off_px, nan=np.inf) <= limit
        if not believed.any():
            return None
        rvec, _ = cv2.Rodrigues(pose.rotation)
        rvec, tvec = cv2.solvePnPRefineLM(
            object_mm[believed].reshape(-1, 3),
            picture_px[believed].reshape(-1, 2),
            camera.matrix,
            camera.distortion,
            rvec,
            pose.translation_mm.reshape(3, 1).copy(),
        )
        pose = _pose(rvec, tvec)
    off_px = camera.project(pose.apply(object_mm[believed])) - picture_px[believed]
    rms_px = float(np.sqrt(np.mean(np.sum(off_px**2, axis=-1))))
    if not np.isfinite(rms_px) or rms_px > MISREAD_PX or pose.translation_mm[2] <= 0:
        return None
    return Hypothesis(pose, rms_px, believed)


def _pose(rvec: Sequence[float] | Floats, tvec: Sequence[float] | Floats) -> Pose:
    rotation, _ = cv2.Rodrigues(np.asarray(rvec, float))
    return Pose.of(np.asarray(rotation, float), np.asarray(tvec, float).reshape(3))
