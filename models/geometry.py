"""Poses, points and array aliases: the vocabulary every other module speaks.

Frames are right-handed. ``a_from_b`` maps points of frame b into frame a, so that
inner names cancel: ``rgb_from_nozzle = rgb_from_tag @ tag_from_nozzle``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Counts = NDArray[np.uint16]

_Scalar = TypeVar("_Scalar", bound=np.generic)


def frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """Return a read-only copy, so that a frozen message cannot be changed through its arrays.

    An array that is read-only and owns its data is its own copy: messages that differ in one array share the
    others.
    """
    if type(array) is np.ndarray and array.base is None and not array.flags.writeable:
        return array
    copy = np.array(array, copy=True)
    copy.setflags(write=False)
    return copy


@dataclass(frozen=True, eq=False)
class Pose:
    """Rigid transform ``a_from_b``.

    Args:
        matrix: 4x4 homogeneous matrix, row-major, translation in mm.
    """

    matrix: Floats

    def __post_init__(self) -> None:
        """Check the shape and freeze the array."""
        matrix = np.asarray(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4):
            raise ValueError(f"A pose is a 4x4 matrix, not {matrix.shape}.")
        object.__setattr__(self, "matrix", frozen(matrix))

    @staticmethod
    def identity() -> Pose:
        """The pose that changes nothing."""
        return Pose(np.eye(4))

    @staticmethod
    def of(rotation: Floats, translation_mm: Floats) -> Pose:
        """Compose from a 3x3 rotation and a translation in mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = translation_mm
        return Pose(matrix)

    @property
    def rotation(self) -> Floats:
        """3x3 rotation part."""
        return self.matrix[:3, :3]

    @property
    def translation_mm(self) -> Floats:
        """Translation part, shape (3,), mm."""
        return self.matrix[:3, 3]

    def apply(self, points_mm: Floats) -> Floats:
        """Map points of shape (..., 3)."""
        return points_mm @ self.rotation.T + self.translation_mm

    def rotate(self, directions: Floats) -> Floats:
        """Turn directions of shape (..., 3); the translation does not act on them."""
        return directions @ self.rotation.T

    @property
    def inverse(self) -> Pose:
        """``b_from_a`` for this ``a_from_b``."""
        return Pose.of(self.rotation.T, -self.rotation.T @ self.translation_mm)

    def __matmul__(self, other: Pose) -> Pose:
        """Compose: ``a_from_c = a_from_b @ b_from_c``."""
        return Pose(self.matrix @ other.matrix)


def rotation_from_rvec(rvec_rad: Floats) -> Floats:
    """Rotation matrix of a rotation vector (Rodrigues), radians."""
    angle = float(np.linalg.norm(rvec_rad))
    cross = cross_matrix(rvec_rad)
    if angle < 1e-12:
        return np.eye(3) + cross
    cross = cross / angle
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)


def cross_matrix(vector: Floats) -> Floats:
    """The matrix whose product with any vector is the cross product of this one with it, shape (3, 3)."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def unit(vectors: Floats) -> Floats:
    """Scale vectors of shape (..., 3) to length 1; a zero vector stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-12)


def tukey(scaled: Floats) -> Floats:
    """Weights of residuals in standard deviations; zero from 4.7 on (95 % efficiency for normal noise)."""
    return np.where(np.abs(scaled) < 4.685, (1.0 - (scaled / 4.685) ** 2) ** 2, 0.0)
