"""What is known of one skin tag, averaged over looks: place, orientation, and how the skin bends it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import Rig, SkinTags
from models.sightings import TagPatch, radius_95_mm
from vision.alignment import Aligned, Bend
from vision.pose_bounds import SCALE_SIGMA, placed_variance_mm2
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

UNMEASURED_STRETCH_U95 = 0.005
"""95 % bound of the share by which a print is longer one way, where the rig does not say how it came out, as
`calibration.scale` has it."""


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


def patch_of(tag: SkinTag, *, skin: SkinTags, rig: Rig, t_s: float) -> TagPatch:
    """The message: place and normal with their bounds at ``t_s``; ``skin`` says how the tag was printed."""
    age_s, depth_mm = t_s - tag.seen_s, float(tag.rgb_from_tag.translation_mm[2])
    normal = tag.rgb_from_tag.rotation[:, 2]
    across = np.eye(3) - np.outer(normal, normal)
    # Stiff paper, drawn in as it bends, would look smaller and so farther away by this share.
    draw = float(np.sum(tag.bend_per_mm**2 * [0.35, 0.7, 0.35])) * (0.5 * skin.size_mm) ** 2 / 6.0
    tilt_rad = radius_95_mm(across @ (tag.covariance[:3, :3] + np.eye(3) * TILT_RAD2_S * age_s) @ across)
    place = tag.covariance[3:6, 3:6] + np.eye(3) * SLIDE_MM2_S * age_s
    at_mm = tag.rgb_from_tag.translation_mm
    size_u95, stretch_u95 = _print_u95(skin)
    place = place + np.diag(placed_variance_mm2(at_mm, rig, scale_u95=size_u95))
    to_camera_tag = -tag.rgb_from_tag.rotation.T @ at_mm / np.linalg.norm(at_mm)
    printed_deg = float(np.degrees(leant_by_print_rad(to_camera_tag, stretch_u95)))
    return TagPatch(
        tag=skin.ids[tag.number],
        rgb_from_tag=tag.rgb_from_tag,
        position_u95_mm=float(np.hypot(radius_95_mm(place), CREASE_MM + draw * depth_mm)),
        normal_u95_deg=float(np.hypot(np.hypot(np.degrees(tilt_rad), CREASE_DEG), printed_deg))
        + tag.rival_deg,
    )


def _print_u95(skin: SkinTags) -> tuple[float, float]:
    """95 % bounds of the shares by which a tag's size may be off, and its height against its width.

    One that leans is placed by the direction that it does not lean in, so by either of both.
    """
    if skin.scale_u95 is None or skin.stretch_u95 is None:
        return float(np.hypot(1.96 * SCALE_SIGMA, UNMEASURED_STRETCH_U95)), UNMEASURED_STRETCH_U95
    return float(np.hypot(skin.scale_u95, 0.5 * skin.stretch_u95)), skin.stretch_u95


def leant_by_print_rad(to_camera_tag: Floats, stretch_u95: float) -> float:
    """How far a tag may seem to lean because its print is longer one way than is told.

    What looks shorter one way seems to lean away. Lean and direction taken as one complex number ``t``, a tag
    shows ``t^2`` (its foreshortening), to which a print longer by a share ``s`` adds ``2 s``: one that faces
    the camera seems to lean by ``sqrt(2 s)``, 6 degrees for 0.5 %; one that leans by 30, by 0.5 more.

    Args:
        to_camera_tag: Unit vector to the camera in the tag's frame, shape (3,).
        stretch_u95: 95 % bound of the share.
    """
    x, y, z = (float(v) for v in to_camera_tag)
    lean = np.sqrt(max(2.0 - 2.0 * z, 0.0)) * np.exp(1j * np.arctan2(y, x))
    others = np.sqrt(lean**2 + 2.0 * stretch_u95 * np.array([-1.0, 1.0]))
    others = np.where((np.conj(lean) * others).real < 0.0, -others, others)  # its mirror image is told apart
    return float(np.abs(others - lean).max())
