"""Learned models: where they come from, their checksums, and where they are kept.

The models are MediaPipe's (Apache-2.0). MediaPipe 1.x ships none, so they are taken out of the
released 0.10.21 wheel; nothing of them is kept in this project. Fetching and building is in
`vision.bundle`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CACHE_VARIABLE = "CRYOGUIDE_CACHE"
"""Environment variable: folder to keep built models in."""
MODELS_VARIABLE = "CRYOGUIDE_MODELS_DIR"
"""Environment variable: folder with the user's own bundles, used instead of the built ones."""

WHEEL_REQUIREMENT = "mediapipe==0.10.21"
# The cp311 manylinux_2_28_x86_64 wheel, whatever the user's own platform: only data is taken out of it.
WHEEL_PYTHON = "311"
WHEEL_PLATFORM = "manylinux_2_28_x86_64"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"


@dataclass(frozen=True)
class Network:
    """One tflite file of the wheel, and its place in a bundle."""

    path_in_wheel: str
    name_in_bundle: str
    sha256: str
    """Of the file as released."""
    patch: str = ""
    """What it needs to run in MediaPipe 1.x: ``normalization``, ``longer_output`` or nothing."""


@dataclass(frozen=True)
class Bundle:
    """One ``.task`` file: a detector and a landmark network in a stored zip."""

    name: str
    file_name: str
    """The name in the cache, and the first one looked for in a folder of the user's."""
    other_names: tuple[str, ...]
    """Further names under which such a bundle is published."""
    networks: tuple[Network, ...]
    sha256: str
    """Of the built file. The build depends on nothing but the networks."""


_MODULES = "mediapipe/modules/"

# Checksums: measured on the wheel with the checksum above.
POSE = Bundle(
    name="pose",
    file_name="pose_landmarker_full.task",
    other_names=("pose_landmarker.task", "pose_landmarker_heavy.task", "pose_landmarker_lite.task"),
    networks=(
        Network(
            path_in_wheel=_MODULES + "pose_detection/pose_detection.tflite",
            name_in_bundle="pose_detector.tflite",
            sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        ),
        Network(
            path_in_wheel=_MODULES + "pose_landmark/pose_landmark_full.tflite",
            name_in_bundle="pose_landmarks_detector.tflite",
            sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            patch="normalization",
        ),
    ),
    sha256="6f3e7687454e21a534c4d038634c30fb20800e1561bc1086c5c47454dc2324dd",
)
FACE = Bundle(
    name="face",
    file_name="face_landmarker.task",
    other_names=("face_landmarker_v2.task",),
    networks=(
        Network(
            path_in_wheel=_MODULES + "face_detection/face_detection_short_range.tflite",
            name_in_bundle="face_detector.tflite",
            sha256="bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        ),
        Network(
            path_in_wheel=_MODULES + "face_landmark/face_landmark.tflite",
            name_in_bundle="face_landmarks_detector.tflite",
            sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
            patch="longer_output",
        ),
    ),
    sha256="383df863be0820c9835d6cf35ed30aa2b20a2e11953d89af2f86682246a09c2f",
)
BUNDLES = (POSE, FACE)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder(environment: Mapping[str, str], *, home: Path) -> Path:
    """Folder in which built bundles are kept.

    Args:
        environment: Environment variables; ``CRYOGUIDE_CACHE`` wins, then ``XDG_CACHE_HOME``,
            then (on Windows) ``LOCALAPPDATA``.
        home: The user's home folder.

    Returns:
        The folder; it need not exist yet.
    """
    if own := environment.get(CACHE_VARIABLE):
        return Path(own)
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        if base := environment.get(variable):
            return Path(base) / "cryoguide"
    return home / ".cache" / "cryoguide"


def is_intact(path: Path, bundle: Bundle) -> bool:
    """Whether a bundle is in its place and is, byte for byte, what was built."""
    return path.is_file() and sha256_of(path) == bundle.sha256
