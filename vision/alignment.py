"""Photometric alignment of a rigid body of tags: six degrees of freedom from all pixels of all tags."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from models.camera import Camera
from models.compiled import compiled
from models.geometry import Bools, Floats, Pose, rotation_from_rvec
from vision.descent import BLUR_PX, FOUND, descend, way_px
from vision.fiducials import TagBody, Window
from vision.tag_rays import lens_of

MIN_COSINE = 0.25
"""Tags seen more slantingly than 75 degrees are left out."""

BLUR_SIGMA_PX = 0.15
"""How far the blur may stray from what it was expected to be (focus and motion change it), 1 sigma."""

COARSE_BLUR_PX = 1.0
"""Extra blur of picture and prediction at half size: widens the reach of a step to about one module."""

HALF_SIDE_PX = 36.0
"""Larger tags are first aligned in a picture of half the size, where a step costs a quarter."""

MAX_SIDE_PX = 90.0
"""Larger tags are aligned in a picture of half the size: they have pixels to spare."""


DONE_PX = 0.3
"""A step smaller than this is the last: steps shrink five to ten times, so 0.04 px is left. With 0.08 the tip
is 0.05 to 0.08 mm better (95 %, three simulated sessions) and the tracker takes a tenth to a fifth longer."""

SETTLED_PX = 0.002
"""Likewise where the misfit itself matters: 0.03 px left can cost a pose as much as its mirror image does."""

ROUGH_PX = 0.5
"""Likewise at half size, in its pixels: the reach of the finer steps is larger."""


@dataclass(frozen=True, eq=False)
class Bend:
    """What is expected of a tag's bend, per mm as in `vision.tag_picture.tag_rows`."""

    per_mm: Floats
    """Shape (3,)."""
    sigma_per_mm: Floats
    """1 sigma of each, shape (3,)."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """A body laid over the picture; motions as in `models.sightings.NozzleSighting.covariance`."""

    rgb_from_body: Pose
    blur_px: float
    bend_per_mm: Floats
    """See `vision.tag_picture.tag_rows`; empty for a rigid body, else all shapes of 7 below are 10."""
    centroid_rgb_mm: Floats
    """Point about which the motions turn, shape (3,)."""
    used: Bools
    """Tags that the pose rests on, shape (n,)."""
    information: Floats
    """Of each tag, were the residuals of its pixels independent, shape (n, 7, 7)."""
    score: Floats
    """Of each tag, shape (n, 7): how it would still move the body."""
    prior: Floats
    """Information that was not from the picture, shape (7,), the diagonal."""
    spread: Floats
    """Of each tag: sum over blocks of pixels of the outer products of their scores, shape (n, 7, 7)."""
    stats: Floats
    """Of each tag, see `vision.tag_equations.tag_equations`, shape (n, 8)."""
    step_px: float
    """Size of the last step in the picture."""

    def moved(self, motion: Floats) -> Aligned:
        """After a small motion about the centroid, rotation vector in rad and translation in mm."""
        turn = rotation_from_rvec(motion[:3])
        centroid_mm = self.centroid_rgb_mm + motion[3:]
        from_centroid_mm = self.rgb_from_body.translation_mm - self.centroid_rgb_mm
        pose = Pose.of(turn @ self.rgb_from_body.rotation, turn @ from_centroid_mm + centroid_mm)
        return replace(self, rgb_from_body=pose, centroid_rgb_mm=centroid_mm)


def half_size(window: Window, camera: Camera) -> tuple[Window, Camera]:
    """The same window and camera with half as many pixels a side."""
    light = _halved(window.light)
    smaller = Camera(
        width_px=camera.width_px // 2,
        height_px=camera.height_px // 2,
        fx_px=camera.fx_px / 2.0,
        fy_px=camera.fy_px / 2.0,
        cx_px=(camera.cx_px - 0.5) / 2.0,
        cy_px=(camera.cy_px - 0.5) / 2.0,
        distortion=camera.distortion,
    )
    return Window(light, window.corner_px // 2), smaller


@compiled
def _halved(light: np.ndarray) -> np.ndarray:
    high, wide = light.shape[0] // 2, light.shape[1] // 2
    half = np.empty((high, wide))
    for row in range(high):
        upper, lower = light[2 * row], light[2 * row + 1]
        for k in range(wide):
            half[row, k] = 0.25 * (upper[2 * k] + lower[2 * k] + upper[2 * k + 1] + lower[2 * k + 1])
    return half


def align(
    window: Window,
    body: TagBody,
    camera: Camera,
    *,
    start: Pose,
    blur_px: float,
    srgb: bool,
    coarse: bool,
    settle: bool = False,
    bend: Bend | None = None,
    smear: Floats | None = None,
    least_cosine: float = MIN_COSINE,
) -> Aligned | None:
    """Move the body until its tags, as the camera would see them, lie over those in the picture.

    Args:
        window: Linear light.
        body: Tags.
        camera: Of the picture that the window was cut from.
        start: First guess: within a quarter of a module, with ``coarse`` within about one.
        blur_px: Blur expected, standard deviation.
        srgb: Whether the picture's numbers were gamma-coded.
        coarse: First at half size.
        settle: Go on to the very bottom, so that the misfit (`Aligned.stats`) of two poses can be compared.
        bend: Of a tag that lies on something curved; None = rigid.
        smear: Motion of the body while the shutter was open, as in `ways_px`; None = it stood still.
        least_cosine: Tags seen more slantingly are left out.

    Returns:
        None where nothing in the picture looks like the tags.
    """
    side_px = _side_px(body, camera, start)
    shrunk = 1.0
    while side_px > MAX_SIDE_PX and min(window.light.shape) > 64:
        window, camera = half_size(window, camera)
        side_px, shrunk = side_px / 2.0, shrunk * 2.0
    blur_px = max(blur_px / shrunk, BLUR_PX[0])
    pose = start
    if coarse:
        small, small_camera = half_size(window, camera)
        light = np.asarray(cv2.GaussianBlur(small.light, (0, 0), COARSE_BLUR_PX), float)
        expected_px = float(np.hypot(blur_px / 2.0, COARSE_BLUR_PX))
        rough = _descend(
            Window(light, small.corner_px),
            body,
            small_camera,
            start=pose,
            blur_px=expected_px,
            srgb=srgb,
            rounds=4,
            fine=False,
            done_px=ROUGH_PX,
            bend=bend,
            smear=smear,
            least_cosine=least_cosine,
        )
        if rough is None:
            return None
        pose = rough.rgb_from_body
    if side_px > HALF_SIDE_PX:
        small, small_camera = half_size(window, camera)
        near = _descend(
            small,
            body,
            small_camera,
            start=pose,
            blur_px=max(blur_px / 2.0, BLUR_PX[0]),
            srgb=srgb,
            rounds=2,
            fine=False,
            done_px=ROUGH_PX,
            bend=bend,
            smear=smear,
            least_cosine=least_cosine,
        )
        pose = near.rgb_from_body if near is not None else pose
    found = _descend(
        window,
        body,
        camera,
        start=pose,
        blur_px=blur_px,
        srgb=srgb,
        rounds=16 if settle else 10,
        fine=True,
        done_px=SETTLED_PX if settle else DONE_PX,
        bend=bend,
        smear=smear,
        least_cosine=least_cosine,
    )
    return replace(found, blur_px=found.blur_px * shrunk) if found is not None and shrunk > 1.0 else found


def ways_px(motion: Floats, pose: Pose, body: TagBody, camera: Camera) -> Floats:
    """Way of each tag's middle in the picture during a small motion of the body, shape (n, 2).

    Args:
        motion: Rotation vector in rad about the body's centroid, translation in mm, shape (6,).
        pose: Of the body.
        body: Tags.
        camera: Lens distortion is left out.
    """
    turn, at, centroid = pose.rotation.copy(), pose.translation_mm.copy(), pose.apply(body.centroid_mm)
    middles_mm = body.middles_mm.copy()
    return np.array([way_px(motion, turn, at, point, centroid, camera.focal) for point in middles_mm])


def _side_px(body: TagBody, camera: Camera, pose: Pose) -> float:
    depth_mm = max(float(pose.apply(body.centroid_mm)[2]), 1.0)
    side_mm = float(np.linalg.norm(body.corners_mm[:, 1] - body.corners_mm[:, 0], axis=-1).max())
    return side_mm * camera.fx_px / depth_mm


def _descend(
    window: Window,
    body: TagBody,
    camera: Camera,
    *,
    start: Pose,
    blur_px: float,
    srgb: bool,
    rounds: int,
    fine: bool,
    done_px: float,
    bend: Bend | None,
    smear: Floats | None,
    least_cosine: float,
) -> Aligned | None:
    chosen = np.flatnonzero(body.facing(start) > least_cosine)
    if len(chosen) == 0:
        return None
    lens = lens_of(camera)
    expected = np.concatenate([np.zeros(6), [blur_px], [] if bend is None else bend.per_mm])
    firm = [] if bend is None else bend.sigma_per_mm**-2.0
    prior = np.concatenate([np.zeros(6), [BLUR_SIGMA_PX**-2.0], firm])
    if not fine:
        prior[6:] = 1e12
    status, rotation, translation, free, good, h, b, spread, stats, step_px = descend(
        window.light,
        window.corner_px,
        body.patterns[chosen],
        body.plates[chosen],
        body.middles_mm[chosen],
        np.array(body.centroid_mm),
        body.lever_mm,
        np.array(start.rotation),
        np.array(start.translation_mm),
        lens,
        expected,
        prior,
        np.zeros(6) if smear is None else smear,
        srgb,
        fine,
        rounds,
        done_px,
    )
    if status != FOUND:
        return None
    pose = Pose.of(rotation, translation)
    n, m = len(body.ids), len(prior)
    if not BLUR_PX[0] < free[0] < BLUR_PX[1]:
        prior[6] = 1e12
    used = np.zeros(n, np.bool_)
    all_h, all_b = np.zeros((n, m, m)), np.zeros((n, m))
    all_spread, all_stats = np.zeros((n, m, m)), np.zeros((n, 8))
    used[chosen], all_h[chosen], all_b[chosen] = good, h, b
    all_spread[chosen], all_stats[chosen] = spread, stats
    return Aligned(
        rgb_from_body=pose,
        blur_px=float(free[0]),
        bend_per_mm=free[1:],
        centroid_rgb_mm=pose.apply(body.centroid_mm),
        used=used,
        information=all_h,
        score=all_b,
        prior=prior,
        spread=all_spread,
        stats=all_stats,
        step_px=step_px,
    )
