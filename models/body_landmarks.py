"""Names of the body landmarks, and the checks that a set of them must pass before anything depends on it.

A landmark network always returns some body. On pictures of legs only it was measured to return
one that is wrong by 300 px while reporting presence 0.98-1.00, so its own confidence decides
nothing here. What does: proportions that a human body can have, points inside the picture, the
picture points agreeing with the network's own metric ones, the same body in several captures
(`models.body_track`), and, asked for by `vision.landmarks`, the same body found again in turned
copies of the picture.
"""

from __future__ import annotations

import numpy as np

from models.geometry import Bools, Floats

NAMES = (
    *(
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
    ),
    *("left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky"),
    *("left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel"),
    *("left_foot_index", "right_foot_index"),
)
"""MediaPipe Pose order. Left and right are the subject's own."""
LANDMARKS: dict[str, int] = {name: index for index, name in enumerate(NAMES)}
"""Row of `models.sightings.Landmarks.points_px` of a landmark's name."""

_LEFT = np.array([LANDMARKS[name] for name in NAMES if "left" in name])
_RIGHT = np.array([LANDMARKS[name.replace("left", "right")] for name in NAMES if "left" in name])
EXCHANGED = np.arange(len(NAMES))
"""Row of the same landmark on the other side."""
EXCHANGED[_LEFT], EXCHANGED[_RIGHT] = _RIGHT, _LEFT

_HEAD = np.arange(0, 11)
_L_SHOULDER, _R_SHOULDER, _L_HIP, _R_HIP = (
    LANDMARKS[name] for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
)
_TRUNK = np.array([_L_SHOULDER, _R_SHOULDER, _L_HIP, _R_HIP])
_SHOULDERS_AND_HEAD = np.array([_L_SHOULDER, _R_SHOULDER, *_HEAD])
_BIG_JOINTS = np.array([11, 12, 13, 14, 23, 24, 25, 26, 27, 28])  # shoulders, elbows, hips to ankles

# Proportions in the network's metric points. Anthropometry (Drillis & Contini 1966, fractions of
# stature: shoulder to hip 0.288, thigh 0.245, shank 0.246, upper arm 0.186, forearm 0.146) gives thigh/trunk
# 0.85, shank/thigh 1.0, upper arm/trunk 0.65; the network makes arms shorter. Measured on 40 pictures of
# five real people and of a rendered one: trunk 449-529 mm, shoulders/trunk 0.63-0.93, hips/shoulders
# 0.45-0.76, thigh/trunk 0.67-0.92, shank/thigh 0.80-1.17, upper arm/trunk 0.39-0.63, forearm/upper arm
# 0.70-1.20, left/right at most 1.30. Bodies seen in legs and hands: trunk 168-479 mm, most of them below 410.
_TRUNK_MM = (420.0, 580.0)
_SHOULDERS_PER_TRUNK = (0.50, 1.00)
_HIPS_PER_SHOULDERS = (0.36, 0.95)
_THIGH_PER_TRUNK = (0.58, 1.08)
_SHANK_PER_THIGH = (0.70, 1.35)
_UPPER_ARM_PER_TRUNK = (0.33, 0.72)
_FOREARM_PER_UPPER_ARM = (0.55, 1.45)
_LEFT_PER_RIGHT = 1.40

_VISIBLE = 0.5
# Picture points against the metric ones under one scale, turn and shift, as a share of the body's spread:
# 0.034-0.09 on the same people, 0.10-0.33 for most bodies seen in a hand.
_FIT = 0.14
# A joint is drawn into the picture where the next one along the limb lies outside it: 60 px of 1280 measured.
_EDGE_SHARE = 0.10


def trunk_px(points_px: Floats) -> float:
    """Length of the trunk in the picture, but never less than the width of the shoulders or hips, pixels.

    Args:
        points_px: Shape (33, 2).
    """
    left_shoulder, right_shoulder, left_hip, right_hip = points_px[_TRUNK]
    length = np.linalg.norm((left_shoulder + right_shoulder - left_hip - right_hip) / 2.0)
    width = max(np.linalg.norm(left_shoulder - right_shoulder), np.linalg.norm(left_hip - right_hip))
    return float(max(length, width, 1.0))


def believe(
    points_px: Floats, visibility: Floats, world_mm: Floats, *, width_px: int, height_px: int
) -> Bools:
    """Which landmarks of one picture can be believed, as far as one picture can tell.

    Without both shoulders in view nothing is believed (legs alone are no evidence of a body).
    Without both hips, only head, shoulders and arms can be.

    Args:
        points_px: Shape (33, 2).
        visibility: Shape (33,), 0..1.
        world_mm: The network's metric points, shape (33, 3).
        width_px: Width of the picture.
        height_px: Height of the picture.

    Returns:
        Shape (33,). All False where the body as a whole is not a plausible one.
    """
    nothing = np.zeros(len(NAMES), bool)
    if not (np.all(np.isfinite(points_px)) and np.all(np.isfinite(world_mm))):
        return nothing
    inside = np.all((points_px >= 0.0) & (points_px <= [width_px - 1.0, height_px - 1.0]), axis=1)
    seen = inside & (visibility >= _VISIBLE)
    if not (seen[_L_SHOULDER] and seen[_R_SHOULDER]) or not _trunk_is_human(world_mm):
        return nothing
    hips = bool(seen[_L_HIP] and seen[_R_HIP])
    if not hips and np.mean(seen[_HEAD]) < 0.5:
        return nothing
    if hips and _misfit(points_px, world_mm, seen) > _FIT:
        return nothing
    believed = nothing.copy()
    believed[_HEAD] = seen[_HEAD]
    believed[[_L_SHOULDER, _R_SHOULDER]] = True
    believed[[_L_HIP, _R_HIP]] = hips
    arms = _limbs(world_mm, ("shoulder", "elbow", "wrist"), _UPPER_ARM_PER_TRUNK, _FOREARM_PER_UPPER_ARM)
    legs = _limbs(world_mm, ("hip", "knee", "ankle"), _THIGH_PER_TRUNK, _SHANK_PER_THIGH)
    margin_px = _EDGE_SHARE * max(width_px, height_px)
    distance_px = np.minimum(points_px, [width_px - 1.0, height_px - 1.0] - points_px).min(axis=1)
    for side in ("left", "right"):
        for (middle, end, tips), (upper_ok, lower_ok) in (
            (("elbow", "wrist", ("pinky", "index", "thumb")), arms[side]),
            (("knee", "ankle", ("heel", "foot_index")), legs[side]),
        ):
            i, j = LANDMARKS[f"{side}_{middle}"], LANDMARKS[f"{side}_{end}"]
            root = LANDMARKS[f"{side}_{'shoulder' if middle == 'elbow' else 'hip'}"]
            drawn_in = not inside[j] and distance_px[i] < margin_px
            believed[i] = bool(believed[root] and seen[i] and upper_ok and not drawn_in)
            believed[j] = bool(believed[i] and seen[j] and lower_ok)
            for tip in tips:
                k = LANDMARKS[f"{side}_{tip}"]
                believed[k] = bool(believed[j] and seen[k])
    return believed


def _between(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _length(points: Floats, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a] - points[b]))


def _trunk_mm(world_mm: Floats) -> float:
    return (_length(world_mm, _L_SHOULDER, _L_HIP) + _length(world_mm, _R_SHOULDER, _R_HIP)) / 2.0


def _trunk_is_human(world_mm: Floats) -> bool:
    trunk_mm = _trunk_mm(world_mm)
    shoulders_mm = _length(world_mm, _L_SHOULDER, _R_SHOULDER)
    hips_mm = _length(world_mm, _L_HIP, _R_HIP)
    return (
        _between(trunk_mm, _TRUNK_MM)
        and _between(shoulders_mm / trunk_mm, _SHOULDERS_PER_TRUNK)
        and _between(hips_mm / shoulders_mm, _HIPS_PER_SHOULDERS)
    )


def _limbs(
    world_mm: Floats,
    joints: tuple[str, str, str],
    upper_per_trunk: tuple[float, float],
    lower_per_upper: tuple[float, float],
) -> dict[str, tuple[bool, bool]]:
    """Whether upper and lower part of each limb have human lengths, by side."""
    trunk_mm = _trunk_mm(world_mm)
    upper: dict[str, float] = {}
    lower: dict[str, float] = {}
    for side in ("left", "right"):
        a, b, c = (LANDMARKS[f"{side}_{joint}"] for joint in joints)
        upper[side], lower[side] = _length(world_mm, a, b), max(_length(world_mm, b, c), 1e-6)
    alike = [
        1.0 / _LEFT_PER_RIGHT <= part["left"] / max(part["right"], 1e-6) <= _LEFT_PER_RIGHT
        for part in (upper, lower)
    ]
    return {
        side: (
            alike[0] and _between(upper[side] / trunk_mm, upper_per_trunk),
            alike[1] and _between(lower[side] / max(upper[side], 1e-6), lower_per_upper),
        )
        for side in ("left", "right")
    }


def _misfit(points_px: Floats, world_mm: Floats, seen: Bools) -> float:
    """Root mean square misfit of the picture points to the metric ones, as a share of their spread.

    Weak perspective: the metric points lie in the camera's directions already, so one scale,
    one turn in the picture and one shift must do.
    """
    use = _BIG_JOINTS[seen[_BIG_JOINTS]]
    px: Floats = points_px[use] - points_px[use].mean(axis=0)
    mm: Floats = world_mm[use, :2] - world_mm[use, :2].mean(axis=0)
    spread_px, spread_mm = float((px * px).sum()), float((mm * mm).sum())
    if min(spread_px, spread_mm) <= 0.0:
        return float("inf")
    # Least squares for px = (c -s; s c) mm.
    c = float((mm * px).sum()) / spread_mm
    s = float((mm[:, 0] * px[:, 1] - mm[:, 1] * px[:, 0]).sum()) / spread_mm
    return float(np.sqrt(max(spread_px - (c * c + s * s) * spread_mm, 0.0) / spread_px))


def same_body(points_px: Floats, other_px: Floats, *, whole: bool) -> float:
    """How far two sets of landmarks of the same instant lie apart, in trunk lengths.

    Args:
        points_px: Shape (33, 2).
        other_px: The other set, in the same picture, shape (33, 2).
        whole: Compare shoulders and hips; otherwise shoulders and head (hips out of the picture).

    Returns:
        Largest distance of a landmark compared, divided by the length of the trunk (1.5 times the width
        of the shoulders where the hips are not compared).
    """
    compared = _TRUNK if whole else _SHOULDERS_AND_HEAD
    apart_px = float(np.linalg.norm(points_px[compared] - other_px[compared], axis=1).max())
    # A trunk is about 1.5 times as long as the shoulder joints are apart (0.288 / 0.19 of stature).
    size_px = trunk_px(points_px) if whole else max(1.5 * _length(points_px, _L_SHOULDER, _R_SHOULDER), 1.0)
    return apart_px / size_px
