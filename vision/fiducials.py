"""Square tags on a body: their patterns and plates; and windows of a picture in linear light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np

from models.geometry import Bytes, Floats, Ints, Pose, frozen, unit
from models.problems import InputError
from models.rig import Tags
from vision.tag_picture import RIM


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
    """Columns: step of one module right and down on the tag, its first corner; body frame, shape (n, 3,
    3)."""
    centroid_mm: Floats
    """Of all corners, shape (3,)."""

    @cached_property
    def middles_mm(self) -> Floats:
        """Middles of the tags, body frame, shape (n, 3)."""
        return frozen(self.corners_mm.mean(axis=1))

    @cached_property
    def lever_mm(self) -> float:
        """Greatest distance of a corner from the centroid."""
        return float(np.linalg.norm(self.corners_mm - self.centroid_mm, axis=-1).max())

    @property
    def modules(self) -> int:
        """Modules along the side of the black square."""
        return self.patterns.shape[1] - 2 * RIM

    def facing(self, rgb_from_body: Pose) -> Floats:
        """Cosine between each tag's outward normal and the way to the camera, shape (n,)."""
        # In the body's frame, where the ways into the tags stay.
        to_camera_mm = rgb_from_body.rotation.T @ rgb_from_body.translation_mm
        away_mm = self.middles_mm + to_camera_mm
        length = np.sqrt((away_mm * away_mm).sum(axis=1))
        return (self._into * away_mm).sum(axis=1) / np.maximum(length, 1e-12)

    @cached_property
    def _into(self) -> Floats:
        """Unit vector into each tag, body frame, shape (n, 3)."""
        return frozen(unit(np.cross(self.plates[:, :, 0], self.plates[:, :, 1])))


def aruco_dictionary(name: str) -> cv2.aruco.Dictionary:
    """The dictionary of this name.

    Raises:
        InputError: If OpenCV knows none.
    """
    number = getattr(cv2.aruco, name, None)
    if not name.startswith("DICT_") or not isinstance(number, int):
        raise InputError(
            f"The rig names the tag dictionary '{name}', which OpenCV does not know; correct rig.toml."
        )
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
    return TagBody(
        dictionary=tags.dictionary,
        ids=frozen(tags.ids),
        corners_mm=frozen(c),
        patterns=frozen(np.asarray(patterns).reshape(len(tags.ids), modules + 2 * RIM, modules + 2 * RIM)),
        plates=frozen(_plates(c, modules)),
        centroid_mm=frozen(c.reshape(-1, 3).mean(axis=0)),
    )


def with_corners(body: TagBody, corners_mm: Floats) -> TagBody:
    """The same tags in other places; the centroid stays, as what is told about it is.

    Args:
        body: Tags.
        corners_mm: Body frame, shape (n, 4, 3).
    """
    plates = frozen(_plates(corners_mm, body.modules))
    return replace(body, corners_mm=frozen(corners_mm), plates=plates)


def _plates(corners_mm: Floats, modules: int) -> Floats:
    a, b, c, d = (corners_mm[:, k] for k in range(4))
    right, down = (b - a + c - d) / (2.0 * modules), (d - a + c - b) / (2.0 * modules)
    first = corners_mm.mean(axis=1) - (right + down) * (modules / 2.0)
    return np.stack([right, down, first], axis=-1)


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
    cut = np.ascontiguousarray(bgr[y0:y1, x0:x1])
    grey = np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), np.uint8)
    light = np.asarray(cv2.LUT(grey, light_table(transfer)), np.float64)
    return Window(light, np.array([x0, y0]))
