"""Tags stuck on the skin: each a small plane with its place and normal.

Skin moves slowly, so each tag is laid over the picture a few times a second and averaged; a tag that is
covered is dropped at its next look, one that jumped is taken where it is found.

Tag frame: origin at the tag's centre, x to the right and y up as the tag is printed, z out of the skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from models.geometry import Bytes, Floats, Pose, rotation_from_rvec
from models.rig import Rig, Tags
from models.sightings import TagPatch, radius_95_mm
from vision.alignment import Aligned, align
from vision.fiducials import (
    TagBody,
    Window,
    find_corners,
    other_pose,
    poses_from_corners,
    rotation_vector,
    tag_body,
    turn_rad,
    window_of,
)
from vision.pose_bounds import PLACED_MM, pose_covariance, pulls_on

LOOK_S = 0.12
"""Each tag is looked at this often: a shift is seen within 0.2 s at 15 pictures a second."""

SEARCH_S = 0.6
"""The whole picture is searched this often for tags that are missing."""

SLIDE_MM2_S = 8.0**2
"""Random walk of skin: breathing moves it 10 mm in 2 s."""

TILT_RAD2_S = np.radians(2.0) ** 2
"""Random walk of its normal."""

JUMP_MM = 6.0
"""A look that far from the average starts a new one."""

JUMP_RAD = np.radians(12.0)

FIRST_BLUR_PX = 0.8

APART = 16.0
"""Chi-square by which a pose must win over its mirror image, gathered over looks."""

BENT_DEG = 3.0
"""95 % bound of what a flat tag's normal errs on curved skin: 24 mm on a limb of 50 mm radius bend by 14 degrees
from edge to edge, a fit of a plane to it tilts where light or a fold breaks the symmetry."""

BENT_MM = 0.7
"""Sag of such a tag: its centre stands 1.4 mm above its edges, the plane runs between."""


@dataclass(frozen=True, eq=False)
class SkinTag:
    """What is known of one tag."""

    number: int
    """Index into the rig's list."""
    rgb_from_tag: Pose
    covariance: Floats
    """Of the averaged pose about its centre, random part only, shape (6, 6)."""
    fixed: Floats
    """Part of the covariance that averaging does not lessen, shape (6, 6)."""
    rival_deg: float
    """Angle to the mirror image as long as it is not ruled out, else 0."""
    evidence: float
    """Chi-square gathered against the mirror image."""
    seen_s: float
    looked_s: float


@dataclass(frozen=True, eq=False)
class SkinTagTrack:
    """What the caller carries from capture to capture."""

    tags: tuple[SkinTag, ...]
    blur_px: float
    searched_s: float
    """When the whole picture was last searched."""

    @staticmethod
    def start() -> SkinTagTrack:
        """Nothing seen yet."""
        return SkinTagTrack((), FIRST_BLUR_PX, -np.inf)


def see_skin_tags(
    track: SkinTagTrack, bgr: Bytes | None, *, t_s: float, rig: Rig
) -> tuple[tuple[TagPatch, ...], SkinTagTrack]:
    """Skin tags in sight.

    Args:
        track: What the previous call returned, or `SkinTagTrack.start`.
        bgr: Picture, lens distortion still in it; None = there is none at this tick.
        t_s: Time of the picture.
        rig: Calibration.

    Returns:
        A patch for each tag that was seen within the last 2 `LOOK_S`, in the order of the rig's list; and the
        track for the next call.
    """
    if rig.skin is None or bgr is None or bgr.shape[:2] != (rig.rgb.height_px, rig.rgb.width_px):
        return _patches(track, rig.skin.ids if rig.skin is not None else (), t_s), track
    bodies = _bodies(rig.skin.dictionary, rig.skin.size_mm, rig.skin.ids)
    look = _Look(bgr, rig, t_s, track.blur_px)
    tags = {tag.number: tag for tag in track.tags}
    due = sorted((tag for tag in track.tags if t_s - tag.looked_s >= LOOK_S - 1e-6), key=lambda t: t.looked_s)
    at_once = max(1, (len(bodies) + 1) // 2)
    lost = False
    while due:
        now, due = due[:at_once], due[at_once:]
        jumped = False
        for tag in now:
            after = _look_again(tag, bodies[tag.number], look)
            if after is None:
                del tags[tag.number]
                lost = True
            else:
                moved_mm = np.linalg.norm(after.rgb_from_tag.translation_mm - tag.rgb_from_tag.translation_mm)
                jumped |= bool(moved_mm > JUMP_MM)
                tags[tag.number] = after
        if not jumped and not lost:
            break
    searched_s = track.searched_s
    missing = [k for k in range(len(bodies)) if k not in tags]
    first_loss = lost and t_s - searched_s > LOOK_S
    if missing and (first_loss or t_s - searched_s >= SEARCH_S):
        searched_s = t_s
        tags |= {tag.number: tag for tag in _search(missing, bodies, look)}
    blurs = look.blurs
    blur_px = 0.8 * track.blur_px + 0.2 * float(np.median(blurs)) if blurs else track.blur_px
    after = SkinTagTrack(tuple(tags[k] for k in sorted(tags)), blur_px, searched_s)
    return _patches(after, rig.skin.ids, t_s), after


@dataclass(frozen=True, eq=False)
class _Look:
    bgr: Bytes
    rig: Rig
    t_s: float
    blur_px: float

    @property
    def blurs(self) -> list[float]:
        return []

    def window(self, points_mm: Floats, pad_px: float) -> Window | None:
        seen_px = self.rig.rgb.project(points_mm)
        if not np.all(np.isfinite(seen_px)):
            return None
        low, high = seen_px.min(axis=0) - pad_px, seen_px.max(axis=0) + pad_px
        return window_of(self.bgr, low_px=low, high_px=high, transfer=self.rig.transfer)

    def lay(self, window: Window, body: TagBody, start: Pose, *, coarse: bool) -> Aligned | None:
        return align(
            window,
            body,
            self.rig.rgb,
            start=start,
            blur_px=self.blur_px,
            srgb=self.rig.transfer == "srgb",
            coarse=coarse,
            tags=np.ones(1, np.bool_),
        )


@lru_cache(maxsize=4)
def _bodies(dictionary: str, size_mm: float, ids: Sequence[int]) -> tuple[TagBody, ...]:
    h = size_mm / 2.0
    corners = np.array([[[-h, h, 0.0], [h, h, 0.0], [h, -h, 0.0], [-h, -h, 0.0]]])
    return tuple(tag_body(Tags(dictionary, np.array([number]), corners)) for number in ids)


def _look_again(tag: SkinTag, body: TagBody, look: _Look) -> SkinTag | None:
    """The tag where it was, or near, else None."""
    corners_mm = tag.rgb_from_tag.apply(body.corners_mm[0])
    window = look.window(corners_mm, 16.0)
    found = look.lay(window, body, tag.rgb_from_tag, coarse=True) if window is not None else None
    if found is not None:
        return _average(tag, found, window, body, look)
    reach_px = 60.0 * look.rig.rgb.fx_px / float(corners_mm[:, 2].mean())
    window = look.window(corners_mm, reach_px)
    return _acquire(tag.number, body, window, look) if window is not None else None


def _search(missing: Sequence[int], bodies: Sequence[TagBody], look: _Look) -> list[SkinTag]:
    camera = look.rig.rgb
    whole = window_of(
        look.bgr,
        low_px=np.zeros(2),
        high_px=np.array([camera.width_px, camera.height_px], float),
        transfer=look.rig.transfer,
    )
    if whole is None:
        return []
    all_ids = np.array([int(bodies[k].ids[0]) for k in missing])
    everyone = _together(bodies[0].dictionary, tuple(int(i) for i in all_ids))
    corners = find_corners(whole, everyone)
    found: list[SkinTag] = []
    for index, corners_px in zip(corners.tags, corners.corners_px, strict=True):
        number = missing[int(index)]
        window = window_of(
            look.bgr,
            low_px=corners_px.min(axis=0) - 16.0,
            high_px=corners_px.max(axis=0) + 16.0,
            transfer=look.rig.transfer,
        )
        tag = _acquire(number, bodies[number], window, look) if window is not None else None
        if tag is not None:
            found.append(tag)
    return found


@lru_cache(maxsize=16)
def _together(dictionary: str, ids: tuple[int, ...]) -> TagBody:
    """A body that is only good for finding corners of several tags at once."""
    square = np.array([[-1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0]])
    return tag_body(Tags(dictionary, np.array(ids), np.repeat(square[None], len(ids), axis=0)))


def _acquire(number: int, body: TagBody, window: Window, look: _Look) -> SkinTag | None:
    """Find a tag's corners in a window and both poses they allow."""
    corners = find_corners(window, body, enlarge=min(window.light.shape) < 160)
    laid: list[Aligned] = []
    for hypothesis in poses_from_corners(corners, body, look.rig.rgb):
        found = look.lay(window, body, hypothesis.rgb_from_body, coarse=False)
        if found is not None:
            laid.append(found)
    if not laid:
        return None
    best = min(laid, key=lambda one: float(one.stats[0, 6]))
    fresh = SkinTag(
        number=number,
        rgb_from_tag=best.rgb_from_body,
        covariance=np.eye(6) * 1e6,
        fixed=np.zeros((6, 6)),
        rival_deg=0.0,
        evidence=0.0,
        seen_s=look.t_s,
        looked_s=look.t_s,
    )
    return _average(fresh, best, window, body, look)


def _average(tag: SkinTag, found: Aligned, window: Window, body: TagBody, look: _Look) -> SkinTag:
    found, evidence, rival_deg = _against_mirror(tag, found, window, body, look)
    pulls = pulls_on(found, body)
    whole = pose_covariance(found, pulls, look.rig, PLACED_MM)
    noise = pulls.inflation * np.linalg.inv(found.information[0] + np.diag([0.0] * 6 + [40.0]))[:6, :6]
    fixed = np.maximum(whole - noise, 0.0) * np.eye(6)
    slid = found.rgb_from_body.translation_mm - tag.rgb_from_tag.translation_mm
    turned = rotation_vector(found.rgb_from_body.rotation @ tag.rgb_from_tag.rotation.T)
    jumped = np.linalg.norm(slid) > JUMP_MM or np.linalg.norm(turned) > JUMP_RAD
    if jumped or tag.covariance[0, 0] > 1e5:
        pose, covariance = found.rgb_from_body, noise
    else:
        dt_s = look.t_s - tag.seen_s
        before = tag.covariance + np.diag([TILT_RAD2_S * dt_s] * 3 + [SLIDE_MM2_S * dt_s] * 3)
        gain = before @ np.linalg.inv(before + noise)
        move = gain @ np.concatenate([turned, slid])
        covariance = before - gain @ before
        covariance = 0.5 * (covariance + covariance.T)
        pose = Pose.of(
            rotation_from_rvec(move[:3]) @ tag.rgb_from_tag.rotation, tag.rgb_from_tag.translation_mm + move[3:]
        )
    return replace(
        tag,
        rgb_from_tag=pose,
        covariance=covariance,
        fixed=fixed,
        rival_deg=rival_deg,
        evidence=evidence,
        seen_s=look.t_s,
        looked_s=look.t_s,
    )


def _against_mirror(
    tag: SkinTag, found: Aligned, window: Window, body: TagBody, look: _Look
) -> tuple[Aligned, float, float]:
    """Whether the pose or its mirror image fits better, told with what earlier looks said."""
    if tag.evidence >= APART:
        return found, tag.evidence, 0.0
    other = other_pose(found.rgb_from_body, body.corners_mm[0], look.rig.rgb)
    rival = look.lay(window, body, other, coarse=False) if other is not None else None
    if rival is None or turn_rad(rival.rgb_from_body, found.rgb_from_body) < np.radians(1.0):
        return found, tag.evidence, 0.0
    scale = float(min(found.stats[0, 2], rival.stats[0, 2]) ** 2)
    wins = float(rival.stats[0, 6] - found.stats[0, 6]) / scale / max(pulls_on(found, body).inflation, 4.0)
    evidence = tag.evidence + wins
    if evidence < 0.0:
        found, evidence = rival, -evidence
    angle_deg = float(np.degrees(turn_rad(rival.rgb_from_body, found.rgb_from_body)))
    return found, evidence, 0.0 if evidence >= APART else angle_deg


def _patches(track: SkinTagTrack, ids: Sequence[int], t_s: float) -> tuple[TagPatch, ...]:
    patches: list[TagPatch] = []
    for tag in track.tags:
        age_s = t_s - tag.seen_s
        if age_s > 2.0 * LOOK_S + 1e-6:
            continue
        whole = tag.covariance + tag.fixed
        normal = tag.rgb_from_tag.rotation[:, 2]
        across = np.eye(3) - np.outer(normal, normal)
        tilt_rad = radius_95_mm(across @ whole[:3, :3] @ across)
        slide = whole[3:, 3:] + np.eye(3) * SLIDE_MM2_S * age_s
        patches.append(
            TagPatch(
                tag=ids[tag.number],
                rgb_from_tag=tag.rgb_from_tag,
                position_u95_mm=float(np.hypot(radius_95_mm(slide), BENT_MM)),
                normal_u95_deg=float(np.hypot(np.degrees(tilt_rad), BENT_DEG)) + tag.rival_deg,
            )
        )
    return tuple(patches)
