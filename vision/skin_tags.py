"""Tags stuck on the skin: each a small piece of it with its place and normal.

Skin moves slowly, so each tag is laid over the picture a few times a second and averaged; a tag that is
covered is dropped at its next look, one that jumped is taken where it is found.

Tag frame: origin on the skin at the tag's centre, x to the right and y up as the tag is printed, z out of
the skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from models.geometry import Bytes, Floats, Pose
from models.rig import Rig, SkinTags, Tags
from models.sightings import TagPatch
from vision.alignment import Aligned, Bend, align
from vision.fiducials import TagBody, Window, tag_body, window_of
from vision.nozzle_pose import APART, SAME_RAD, SQUARE_ON
from vision.pose_bounds import pulls_on
from vision.skin_tag_average import JUMP_MM, LIMB_BEND, SkinTag, average, patch_of
from vision.tag_corners import find_corners
from vision.tag_poses import other_pose, poses_from_corners, turn_rad

LOOK_S = 0.12
"""Each tag is looked at this often: a shift is seen within 0.2 s at 15 pictures a second."""

SEARCH_S = 0.6
"""The whole picture is searched this often for tags that are missing."""

NEAR_MM = 60.0
"""A tag that is not where it was is looked for within this distance: patients shift by 30 mm."""

FIRST_BLUR_PX = 0.8


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
    if rig.skin is None:
        return (), track
    if bgr is not None and bgr.shape[:2] == (rig.rgb.height_px, rig.rgb.width_px):
        track = _look_at_all(track, bgr, t_s, rig)
    skin = rig.skin
    fresh = [tag for tag in track.tags if t_s - tag.seen_s <= 2.0 * LOOK_S + 1e-6]
    patches = (patch_of(tag, skin=skin, rig=rig, t_s=t_s) for tag in fresh)
    return tuple(patches), track


@dataclass(frozen=True, eq=False)
class _Look:
    bgr: Bytes
    rig: Rig
    t_s: float
    blur_px: float
    bodies: tuple[TagBody, ...]

    def window(self, points_px: Floats, pad_px: float) -> Window | None:
        low, high = points_px.min(axis=0) - pad_px, points_px.max(axis=0) + pad_px
        return window_of(self.bgr, low_px=low, high_px=high, transfer=self.rig.transfer)

    def lay(
        self,
        window: Window,
        number: int,
        start: Pose,
        bend: Bend,
        *,
        coarse: bool = False,
        settle: bool = False,
    ) -> Aligned | None:
        return align(
            window,
            self.bodies[number],
            self.rig.rgb,
            start=start,
            blur_px=self.blur_px,
            srgb=self.rig.transfer == "srgb",
            coarse=coarse,
            settle=settle,
            bend=bend,
        )


def _look_at_all(track: SkinTagTrack, bgr: Bytes, t_s: float, rig: Rig) -> SkinTagTrack:
    assert rig.skin is not None
    look = _Look(bgr, rig, t_s, track.blur_px, _bodies(rig.skin))
    tags = {tag.number: tag for tag in track.tags}
    due = sorted((tag for tag in track.tags if t_s - tag.seen_s >= LOOK_S - 1e-6), key=lambda tag: tag.seen_s)
    # A half at a time; all of them as soon as one is gone or has moved.
    at_once = (len(look.bodies) + 1) // 2
    blurs: list[float] = []
    lost = moved = False
    for count, tag in enumerate(due):
        if count >= at_once and not (lost or moved):
            break
        after, blur_px = _look_again(tag, look)
        if after is None:
            del tags[tag.number]
            lost = True
            continue
        tags[tag.number] = after
        blurs.append(blur_px)
        away_mm = np.linalg.norm(after.rgb_from_tag.translation_mm - tag.rgb_from_tag.translation_mm)
        moved |= bool(away_mm > JUMP_MM)
    searched_s = track.searched_s
    missing = [k for k in range(len(look.bodies)) if k not in tags]
    wait_s = LOOK_S if lost or not tags else SEARCH_S
    if missing and t_s - searched_s >= wait_s:
        searched_s = t_s
        for tag, blur_px in _search(missing, look):
            tags[tag.number] = tag
            blurs.append(blur_px)
    blur_px = 0.8 * track.blur_px + 0.2 * float(np.median(blurs)) if blurs else track.blur_px
    return SkinTagTrack(tuple(tags[k] for k in sorted(tags)), blur_px, searched_s)


@lru_cache(maxsize=4)
def _bodies(skin: SkinTags) -> tuple[TagBody, ...]:
    x, y = 0.5 * skin.size_mm, 0.5 * skin.size_mm * skin.stretch
    corners = np.array([[[-x, y, 0.0], [x, y, 0.0], [x, -y, 0.0], [-x, -y, 0.0]]])
    return tuple(tag_body(Tags(skin.dictionary, np.array([number]), corners)) for number in skin.ids)


@lru_cache(maxsize=16)
def _together(dictionary: str, ids: tuple[int, ...]) -> TagBody:
    """A body that is only good for finding corners of several tags at once."""
    square = np.array([[-1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0]])
    return tag_body(Tags(dictionary, np.array(ids), np.repeat(square[None], len(ids), axis=0)))


def _look_again(tag: SkinTag, look: _Look) -> tuple[SkinTag | None, float]:
    """The tag where it was, or near, else None; and the blur."""
    body = look.bodies[tag.number]
    corners_mm = tag.rgb_from_tag.apply(body.corners_mm[0])
    corners_px = look.rig.rgb.project(corners_mm)
    if not np.all(np.isfinite(corners_px)):
        return None, 0.0
    window = look.window(corners_px, 16.0)
    if window is not None:
        found = look.lay(window, tag.number, tag.rgb_from_tag, tag.expected_bend)
        if found is None:
            found = look.lay(window, tag.number, tag.rgb_from_tag, tag.expected_bend, coarse=True)
        if found is not None:
            return _settle(tag, found, tag.number, window, look), found.blur_px
    reach_px = NEAR_MM * look.rig.rgb.fx_px / float(corners_mm[:, 2].mean())
    window = look.window(corners_px, reach_px)
    return _acquire(tag.number, window, look) if window is not None else (None, 0.0)


def _search(missing: Sequence[int], look: _Look) -> list[tuple[SkinTag, float]]:
    camera = look.rig.rgb
    whole = look.window(np.array([[0.0, 0.0], [camera.width_px, camera.height_px]]), 0.0)
    if whole is None:
        return []
    everyone = _together(look.bodies[0].dictionary, tuple(int(look.bodies[k].ids[0]) for k in missing))
    corners = find_corners(whole, everyone)
    found: list[tuple[SkinTag, float]] = []
    for index, corners_px in zip(corners.tags, corners.corners_px, strict=True):
        window = look.window(corners_px, 16.0)
        if window is not None:
            tag, blur_px = _acquire(missing[int(index)], window, look)
            if tag is not None:
                found.append((tag, blur_px))
    return found


def _acquire(number: int, window: Window, look: _Look) -> tuple[SkinTag | None, float]:
    """Find a tag's corners in a window, and the better of the poses that they allow."""
    body = look.bodies[number]
    corners = find_corners(window, body)
    laid: list[Aligned] = []
    for hypothesis in poses_from_corners(corners, body, look.rig.rgb):
        found = look.lay(window, number, hypothesis.rgb_from_body, LIMB_BEND)
        if found is not None:
            laid.append(found)
    if not laid:
        return None, 0.0
    best = min(laid, key=lambda one: float(one.stats[0, 6]))
    return _settle(None, best, number, window, look), best.blur_px


def _settle(before: SkinTag | None, found: Aligned, number: int, window: Window, look: _Look) -> SkinTag:
    """Weigh the pose against its mirror image, and average."""
    body = look.bodies[number]
    inflation = pulls_on(found).inflation
    evidence = before.evidence if before is not None else 0.0
    rival_deg = 0.0
    if evidence < APART:
        bend = LIMB_BEND if before is None else before.expected_bend
        found = look.lay(window, number, found.rgb_from_body, bend, settle=True) or found
        other = other_pose(found.rgb_from_body, body.corners_mm[0], look.rig.rgb)
        rival = look.lay(window, number, other, bend, settle=True) if other is not None else None
        angle_rad = turn_rad(rival.rgb_from_body, found.rgb_from_body) if rival is not None else 0.0
        if rival is not None and angle_rad > SAME_RAD:
            pixels = float(min(found.stats[0, 5], rival.stats[0, 5]))
            costs = [float(pose.stats[0, 6] / pose.stats[0, 5]) for pose in (found, rival)]
            evidence += pixels * float(np.log(costs[1] / costs[0])) / inflation
            if evidence < 0.0:
                found, before, evidence = rival, None, -evidence
        rival_deg = float(np.degrees(angle_rad)) if evidence < APART else 0.0
    tag = average(before, found, number=number, inflation=inflation, t_s=look.t_s)
    # Seen so square on that its tilt is hardly known, the tag and its mirror image have melted into one.
    tilt_rad = float(np.arccos(np.clip(body.facing(tag.rgb_from_tag)[0], -1.0, 1.0)))
    least_rad = SQUARE_ON * float(np.sqrt(np.linalg.eigvalsh(tag.covariance[:3, :3])[-1]))
    if tilt_rad < least_rad:
        rival_deg = max(rival_deg, float(np.degrees(2.0 * tilt_rad + least_rad)))
    return replace(tag, evidence=min(evidence, APART), rival_deg=rival_deg)
