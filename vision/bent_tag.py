"""Skin tags lie on curved skin: lay each one bent over the picture, once the limb below it is roughly known.

A flat tag laid over a bent one explains the foreshortening of its sides by a tilt or a greater distance: 24 mm on
a limb of 50 mm radius tilt by up to 15 degrees or move by 6 mm (measured on simulated recordings).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from scipy import ndimage, optimize

from models.geometry import Bytes, Floats, Pose, rotation_from_rvec, unit
from models.rig import Rig, Tags
from models.sightings import TagPatch
from models.tag_surface import Limb
from vision.fiducials import RIM, TagBody, tag_body, window_of

FINE = 8
"""Samples of the printed pattern per module when it is blurred."""

STEPS = 4
"""Readings of the picture per module: two to three a pixel at our distances."""

BORDER = 0.6
"""White border that is read, modules."""

LEAST_RADIUS_MM, MOST_RADIUS_MM = 30.0, 300.0

UNIT = np.array([0.02, 0.02, 0.02, 0.1, 0.1, 2.0, 0.2, 0.3])
"""Turns (rad), shifts across and along the line of sight (mm) and logarithm of the blur, and share of the bend
that change the picture alike."""

BEND_PRIOR = 0.5
"""Weight of the limb's own curvature, per `UNIT`."""

DIFFERENCE = 0.1
"""Step of the differences, in those units: about a thirtieth of a pixel."""

FIRST_BLUR_PX = 0.9

NORMAL_U95_DEG = 4.0
"""95 % bound of the normal after bending: noise 1-2 degrees, and the radius is known to a fifth only."""

POSITION_U95_MM = 2.5
"""95 % bound of the place, mostly along the line of sight: 0.05 px of 37 is 1.2 mm at 0.9 m."""


def bent_patch(patch: TagPatch, limb: Limb, bgr: Bytes, *, rig: Rig) -> TagPatch:
    """The same tag laid over the picture again, bent as the limb is there; unchanged where that fails.

    Args:
        patch: A flat fit.
        limb: A first fit of the limb.
        bgr: The picture, shape (height_px, width_px, 3).
        rig: With skin tags.
    """
    if rig.skin is None:
        return patch
    half = rig.skin.size_mm / 2.0
    body = _body(rig.skin.dictionary, patch.tag, half)
    corners = patch.rgb_from_tag.apply(body.corners_mm[0])
    px = rig.rgb.project(corners)
    window = window_of(bgr, low_px=px.min(0) - 12.0, high_px=px.max(0) + 12.0, transfer=rig.transfer)
    if window is None:
        return patch
    side = body.modules
    steps = np.arange(-BORDER, side + BORDER, 1.0 / STEPS)
    u, v = (grid.ravel() for grid in np.meshgrid(steps, steps))
    module_mm = 2.0 * half / side
    x, y = u * module_mm - half, half - v * module_mm
    across, expected_mm = _bend_of(patch, limb)
    arc = x * across[0] + y * across[1]

    def bent(share: float) -> Floats:
        # Arc length onto a circle: the tag's centre stays, its sides fall back. In powers of the curvature, which
        # may come out as zero.
        curvature = share / expected_mm
        out = -0.5 * curvature * arc**2
        less = -(curvature**2) * arc**3 / 6.0
        return np.stack([x + less * across[0], y + less * across[1], out], axis=1)

    centre = patch.rgb_from_tag.translation_mm

    sight = unit(centre)
    sideways = unit(np.cross(sight, np.array([0.0, 1.0, 0.0])))
    frame = np.stack([sideways, np.cross(sight, sideways), sight], axis=1)

    def pose(p: Floats) -> Pose:
        turned = rotation_from_rvec(UNIT[:3] * p[:3]) @ patch.rgb_from_tag.rotation
        return Pose.of(turned, centre + frame @ (UNIT[3:6] * p[3:6]))

    def residuals(p: Floats) -> Floats:
        at = rig.rgb.project(pose(p).apply(bent(1.0 + UNIT[7] * p[7]))) - window.corner_px
        seen = ndimage.map_coordinates(window.light, [at[:, 1], at[:, 0]], order=1, mode="nearest")
        told = _printed(body, u, v, blur_modules=blur0 * np.exp(UNIT[6] * p[6]))
        gain, base = np.polyfit(told, seen, 1)
        return np.append((seen - gain * told - base) / max(abs(gain), 1e-6), BEND_PRIOR * p[7])

    blur0 = FIRST_BLUR_PX * side / float(np.linalg.norm(px[0] - px[1]))

    def slopes(p: Floats) -> Floats:
        steps = DIFFERENCE * np.eye(8)
        return np.stack([(residuals(p + h) - residuals(p - h)) / (2.0 * DIFFERENCE) for h in steps], axis=1)

    fit = optimize.least_squares(residuals, np.zeros(8), jac=slopes, loss="soft_l1", f_scale=0.1, max_nfev=15)
    moved = UNIT * fit.x
    if np.linalg.norm(moved[3:6]) > 25.0 or np.linalg.norm(moved[:3]) > np.radians(40.0):
        return patch
    return replace(
        patch,
        rgb_from_tag=pose(fit.x),
        position_u95_mm=POSITION_U95_MM,
        normal_u95_deg=NORMAL_U95_DEG,
    )


def _body(dictionary: str, tag: int, half: float) -> TagBody:
    corners = np.array([[[-half, half, 0.0], [half, half, 0.0], [half, -half, 0.0], [-half, -half, 0.0]]])
    return tag_body(Tags(dictionary, np.array([tag]), corners))


def _bend_of(patch: TagPatch, limb: Limb) -> tuple[Floats, float]:
    """Direction across the limb in the tag's plane (tag frame, 2 numbers), and the limb's radius of curvature there."""
    local = patch.rgb_from_tag.translation_mm - limb.origin_mm
    side, front, course = (float(value[0]) for value in limb.at(np.array([local @ limb.y])))
    turn = np.arctan2((local @ limb.x - course) / side, (local @ limb.z) / front)
    radius = np.hypot(side * np.cos(turn), front * np.sin(turn)) ** 3 / (side * front)
    along = patch.rgb_from_tag.rotation.T @ limb.y
    across = unit(np.array([-along[1], along[0], 0.0]))[:2]
    return across, float(np.clip(radius, LEAST_RADIUS_MM, MOST_RADIUS_MM))


def _printed(body: TagBody, u: Floats, v: Floats, *, blur_modules: float) -> Floats:
    """The printed pattern as a blurred camera would see it, at places in modules."""
    fine = np.kron(body.patterns[0], np.ones((FINE, FINE))).astype(np.float32)
    fine = cv2.GaussianBlur(fine, (0, 0), max(float(blur_modules) * FINE, 0.3), borderType=cv2.BORDER_REPLICATE)
    x = ((u + RIM) * FINE - 0.5).astype(np.float32)
    y = ((v + RIM) * FINE - 0.5).astype(np.float32)
    return cv2.remap(fine, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).ravel().astype(float)
