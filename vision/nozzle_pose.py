"""One pose of the collar in one picture: laid over it, and told from its mirror image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.camera import Camera
from models.geometry import Bools, Bytes, Floats, Pose
from models.rig import Rig
from vision.alignment import MIN_COSINE, Aligned, align, ways_px
from vision.descent import SURE_MATCH
from vision.fiducials import TagBody, Window, window_of
from vision.pose_bounds import noise_covariance, pulls_on
from vision.slide import Patch, patch_of
from vision.steady import Undecided
from vision.tag_poses import other_pose, turn_rad

APART = 16.0
"""Chi-square by which the better of two poses must win: odds of 3000 to 1."""

PLAIN = 0.14
"""And by so much per pixel (15 % of the squared residual): less can come of what hides a part of a tag."""

CONTINUITY = 9.0
"""Most that nearness to the prediction may add to that: motion alone never decides."""

EXPECTED_RAD = float(np.radians(4.0))
"""How far a pose turns from the prediction, 1 sigma."""

SAME_RAD = float(np.radians(1.0))
"""Poses nearer to each other are one."""

SLANTEST = 0.1
"""Tags seen at up to 84 degrees may speak for or against a pose: its mirror image shows them less slantingly,
and must not win only because nobody looked."""

SQUARE_ON = 4.0
"""A plane must be tilted by so many sigmas of its tilt: then its mirror image is 8 sigmas away."""


@dataclass(frozen=True, eq=False)
class Look:
    """One picture, and what is looked for in it."""

    bgr: Bytes
    body: TagBody
    rig: Rig
    t_s: float
    possible: Callable[[Pose], bool] | None = None
    """Whether the skin leaves room for a pose of the body; None = nothing is known of the skin."""
    smear: Floats | None = None
    """Motion of the body while the shutter was open, as in `vision.alignment.align`."""

    @property
    def camera(self) -> Camera:
        """The colour camera."""
        return self.rig.rgb

    def window(self, pose: Pose, pad_px: float) -> Window | None:
        """The part of the picture round the body."""
        seen_px = self.camera.project(pose.apply(self.body.corners_mm.reshape(-1, 3)))
        if not np.all(np.isfinite(seen_px)):
            return None
        low, high = seen_px.min(axis=0) - pad_px, seen_px.max(axis=0) + pad_px
        return window_of(self.bgr, low_px=low, high_px=high, transfer=self.rig.transfer)

    def patch(self, pose: Pose) -> Patch | None:
        """What the body looks like, to find it again."""
        seen_px = self.camera.project(pose.apply(self.body.corners_mm.reshape(-1, 3)))
        return patch_of(self.bgr, low_px=seen_px.min(axis=0), high_px=seen_px.max(axis=0))

    def way_px(self, pose: Pose, motion: Floats) -> float:
        """Way in the picture, root mean square over the tags, during a small motion of the body."""
        ways = ways_px(motion, pose, self.body, self.camera)
        return float(np.sqrt(np.mean(np.sum(ways**2, axis=-1))))

    def lay(
        self,
        window: Window,
        start: Pose,
        blur_px: float,
        *,
        coarse: bool = False,
        settle: bool = False,
        least_cosine: float = MIN_COSINE,
    ) -> Aligned | None:
        """See `vision.alignment.align`."""
        return align(
            window,
            self.body,
            self.camera,
            start=start,
            blur_px=blur_px,
            srgb=self.rig.transfer == "srgb",
            coarse=coarse,
            settle=settle,
            smear=self.smear,
            least_cosine=least_cosine,
        )


def _flat(body: TagBody, found: Aligned) -> bool:
    """Whether the tags used lie in one plane, so that the pose may have a mirror image."""
    corners = body.corners_mm[found.used].reshape(-1, 3)
    spread = np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)
    return bool(spread[2] < 0.05 * spread[0])


def misfit_per_pixel(found: Aligned) -> float:
    """Mean squared residual of the tags used."""
    return float(found.stats[found.used, 6].sum() / max(found.stats[found.used, 5].sum(), 1.0))


def unambiguous(found: Aligned, window: Window, look: Look, expected: Pose | None) -> Aligned | Undecided:
    """The pose, if tags out of one plane fix it or it beats its mirror image; else what is left open."""
    if not _flat(look.body, found):
        return found
    settled = look.lay(window, found.rgb_from_body, found.blur_px, settle=True, least_cosine=SLANTEST)
    if settled is None:
        return Undecided("the tags in sight do not settle on a pose", None)
    better, rival = settled, _mirrored(settled, found.used, window, look)
    if rival is not None:
        better = _better(settled, rival, look.body, expected)
        if better is None:
            return _possible(settled, rival, look)
    # Where a plane is seen so square on that its tilt is hardly known, the two poses have melted into one.
    turn = noise_covariance(pulls_on(better))[:3, :3]
    tilt_rad = float(np.arccos(np.clip(look.body.facing(better.rgb_from_body)[better.used].min(), -1.0, 1.0)))
    if tilt_rad < SQUARE_ON * float(np.sqrt(np.linalg.eigvalsh(turn)[-1])):
        return Undecided("the tags in sight are seen too square on", better)
    return better


def _mirrored(settled: Aligned, flat: Bools, window: Window, look: Look) -> Aligned | None:
    """The other pose that coplanar tags may have, laid over the picture; None where it rests nowhere else."""
    other = other_pose(settled.rgb_from_body, look.body.corners_mm[flat], look.camera)
    if other is None:
        return None
    rival = look.lay(window, other, settled.blur_px, settle=True, least_cosine=SLANTEST)
    if rival is None:
        return None
    back_rad = turn_rad(rival.rgb_from_body, settled.rgb_from_body)
    slid_back = back_rad <= max(SAME_RAD, turn_rad(rival.rgb_from_body, other) - SAME_RAD)
    return None if slid_back else rival


def _possible(one: Aligned, two: Aligned, look: Look) -> Aligned | Undecided:
    """The pose that the skin leaves, if it leaves one."""
    left = [pose for pose in (one, two) if look.possible is None or look.possible(pose.rgb_from_body)]
    return left[0] if len(left) == 1 else Undecided("two poses fit the tags in sight equally well", None)


def _better(one: Aligned, two: Aligned, body: TagBody, expected: Pose | None) -> Aligned | None:
    """The pose that fits clearly better, if one does."""
    both = one.used & two.used
    sure = [pose.used & (pose.stats[:, 4] >= SURE_MATCH) for pose in (one, two)]
    extra = [bool((sure[0] & ~two.used).any()), bool((sure[1] & ~one.used).any())]
    if all(extra) or not both.any():
        return None
    # Each tag by its own noise (-2 log likelihood), or one that a finger covers in part would decide.
    per_pixel = [pose.stats[both, 6] / pose.stats[both, 5] for pose in (one, two)]
    pixels = np.minimum(one.stats[both, 5], two.stats[both, 5])
    ahead = float(np.sum(pixels * np.log(per_pixel[1] / per_pixel[0])))
    better, worse = (one, two) if ahead >= 0.0 else (two, one)
    apart = abs(ahead) / pulls_on(better).inflation
    if any(extra):  # one explains tags that the other does not: it must not fit worse where both speak
        fuller = one if extra[0] else two
        return fuller if fuller is better or apart < APART else None
    if abs(ahead) < PLAIN * float(pixels.sum()):
        return None
    if expected is not None:
        near = [(turn_rad(pose.rgb_from_body, expected) / EXPECTED_RAD) ** 2 for pose in (better, worse)]
        apart += float(np.clip(near[1] - near[0], -CONTINUITY, CONTINUITY))
    return better if apart >= APART else None
