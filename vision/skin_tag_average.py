"""What is known of one skin tag, averaged over looks: place, orientation, and how the skin bends it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import Rig
from models.sightings import TagPatch, radius_95_mm
from vision.alignment import Aligned, Bend
from vision.pose_bounds import intrinsic_variance_mm2
from vision.tag_poses import rotation_vector

LIMB_BEND = Bend(np.array([-1 / 120, 0.0, -1 / 120]), np.array([1 / 80, 1 / 120, 1 / 80]))
"""Bend of a tag before it was seen: skin is convex more often than not; within 2 sigma from flat (and
slightly hollow) to a cylinder of 30 mm radius lying any way."""

SLIDE_MM2_S = 4.0**2
"""Random walk of skin: breathing moves it 10 mm in 2 s, and 0.6 mm between looks."""

TILT_RAD2_S = float(np.radians(2.0)) ** 2
"""Random walk of its normal."""

REBEND_S = 1e-6
"""Random walk of the bend, per mm2 and s: 1 / 1000 mm in a second."""

REPEATED = 6.0
"""Looks are not independent: video repeats the residuals of a still picture. So many count as one."""

JUMP_MM = 6.0
"""A look that far from the average starts a new one."""

JUMP_RAD = float(np.radians(12.0))

CREASE_DEG = 1.5
"""95 % bound of what a tag's normal errs because skin is no cylinder: folds, hair, an edge that stands
off."""

CREASE_MM = 0.3
"""The same for its place: thickness of the sticker and of what it stands off."""


@dataclass(frozen=True, eq=False)
class SkinTag:
    """What is known of one tag."""

    number: int
    """Index into the rig's list."""
    rgb_from_tag: Pose
    """Origin on the skin at the tag's centre, z along the skin's normal there."""
    bend_per_mm: Floats
    covariance: Floats
    """Of a small motion about the tag's centre and of the bend, shape (9, 9), intrinsics not included."""
    rival_deg: float
    """Angle to the mirror image as long as it is not ruled out, else 0."""
    evidence: float
    """Chi-square gathered against the mirror image."""
    seen_s: float

    @property
    def expected_bend(self) -> Bend:
        """For the next look."""
        sigma = np.sqrt(np.diag(self.covariance)[6:])
        return Bend(self.bend_per_mm, np.maximum(sigma, 1e-4))


def average(before: SkinTag | None, found: Aligned, *, number: int, inflation: float, t_s: float) -> SkinTag:
    """Add a look to the average, or start one.

    Args:
        before: Average so far; None = first look.
        found: The look.
        number: Index of the tag.
        inflation: Of the look's scores, `vision.pose_bounds.Pulls.inflation`.
        t_s: Time of the look.
    """
    per = inflation * (1.0 if before is None else REPEATED)
    h, b = found.information[0] / per, found.score[0] / per
    kept = np.array([0, 1, 2, 3, 4, 5, 7, 8, 9])
    blur = h[6, 6] + found.prior[6]
    known = h[np.ix_(kept, kept)] - np.outer(h[kept, 6], h[6, kept]) / blur
    pull = b[kept] - h[kept, 6] * b[6] / blur
    pose, bend = found.rgb_from_body, found.bend_per_mm

    slid = turned = np.zeros(3)
    if before is not None:
        slid = before.rgb_from_tag.translation_mm - pose.translation_mm
        turned = rotation_vector(before.rgb_from_tag.rotation @ pose.rotation.T)
        if np.linalg.norm(slid) > JUMP_MM or np.linalg.norm(turned) > JUMP_RAD:
            before = None
    if before is None:
        prior = np.diag([0.0] * 6 + list(LIMB_BEND.sigma_per_mm**-2.0))
        away = np.concatenate([np.zeros(6), LIMB_BEND.per_mm - bend])
    else:
        dt_s = max(t_s - before.seen_s, 0.0)
        drift = np.diag([TILT_RAD2_S * dt_s] * 3 + [SLIDE_MM2_S * dt_s] * 3 + [REBEND_S * dt_s] * 3)
        prior = np.linalg.inv(before.covariance + drift)
        away = np.concatenate([turned, slid, before.bend_per_mm - bend])
    covariance = np.linalg.inv(prior + known + 1e-9 * np.diag(np.diag(known)))
    covariance = 0.5 * (covariance + covariance.T)
    move = covariance @ (prior @ away + pull)
    return SkinTag(
        number=number,
        rgb_from_tag=Pose.of(rotation_from_rvec(move[:3]) @ pose.rotation, pose.translation_mm + move[3:6]),
        bend_per_mm=bend + move[6:],
        covariance=covariance,
        rival_deg=before.rival_deg if before is not None else 0.0,
        evidence=before.evidence if before is not None else 0.0,
        seen_s=t_s,
    )


def patch_of(tag: SkinTag, *, tag_id: int, size_mm: float, rig: Rig, t_s: float) -> TagPatch:
    """The message: place and normal with their bounds at ``t_s``; ``size_mm`` is the black square's side."""
    age_s, depth_mm = t_s - tag.seen_s, float(tag.rgb_from_tag.translation_mm[2])
    normal = tag.rgb_from_tag.rotation[:, 2]
    across = np.eye(3) - np.outer(normal, normal)
    # Stiff paper, drawn in as it bends, would look smaller and so farther away by this share.
    draw = float(np.sum(tag.bend_per_mm**2 * [0.35, 0.7, 0.35])) * (0.5 * size_mm) ** 2 / 6.0
    tilt_rad = radius_95_mm(across @ (tag.covariance[:3, :3] + np.eye(3) * TILT_RAD2_S * age_s) @ across)
    place = tag.covariance[3:6, 3:6] + np.eye(3) * SLIDE_MM2_S * age_s
    place = place + np.diag(intrinsic_variance_mm2(tag.rgb_from_tag.translation_mm, rig))
    return TagPatch(
        tag=tag_id,
        rgb_from_tag=tag.rgb_from_tag,
        position_u95_mm=float(np.hypot(radius_95_mm(place), CREASE_MM + draw * depth_mm)),
        normal_u95_deg=float(np.hypot(np.degrees(tilt_rad), CREASE_DEG)) + tag.rival_deg,
    )
