"""A pose as Foxglove's PoseInFrame in JSON: what draws the nozzle in a 3D view."""

from __future__ import annotations

import json

import numpy as np

from models.geometry import Floats, Pose

POSE_IN_FRAME = "foxglove.PoseInFrame"

_NUMBER, _WHOLE = {"type": "number"}, {"type": "integer"}


def _table(**fields: object) -> dict[str, object]:
    return {"type": "object", "properties": fields}


POSE_SCHEMA = json.dumps(
    _table(
        timestamp=_table(sec=_WHOLE, nsec=_WHOLE),
        frame_id={"type": "string"},
        pose=_table(
            position=_table(x=_NUMBER, y=_NUMBER, z=_NUMBER),
            orientation=_table(x=_NUMBER, y=_NUMBER, z=_NUMBER, w=_NUMBER),
        ),
    )
).encode()
"""Fields as Foxglove publishes them."""


def pose_in_frame(pose: Pose, *, t_ns: int, frame: str) -> bytes:
    """A pose for other programs to draw; rounded to a micrometre, the exact one is in ``/captures``.

    Args:
        pose: ``frame_from_body``, mm; written in metres, as Foxglove has it.
        t_ns: Time since 1970.
        frame: Frame of reference, such as ``rgb``.
    """
    sec, nsec = divmod(t_ns, 1_000_000_000)
    position = dict(zip("xyz", (pose.translation_mm / 1000.0).round(6).tolist(), strict=True))
    orientation = dict(zip("xyzw", quaternion_of(pose.rotation).round(9).tolist(), strict=True))
    told = {
        "timestamp": {"sec": sec, "nsec": nsec},
        "frame_id": frame,
        "pose": {"position": position, "orientation": orientation},
    }
    return json.dumps(told, separators=(",", ":")).encode()


def quaternion_of(rotation: Floats) -> Floats:
    """Unit quaternion x y z w of a rotation matrix, w >= 0, shape (4,).

    It is the eigenvector of the largest eigenvalue of a symmetric matrix (Bar-Itzhack 2000): well conditioned
    for every rotation, half turns included.
    """
    r = rotation
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
            [0.0, r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
            [0.0, 0.0, r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [0.0, 0.0, 0.0, r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    _, vectors = np.linalg.eigh(k, UPLO="U")
    found: Floats = vectors[:, -1]
    return found if found[3] >= 0.0 else -found
