"""Which pixels of a camera the nozzle or the hand may cover."""

from __future__ import annotations

import cv2
import numpy as np

from models.camera import Camera
from models.geometry import Bools, Bytes, Pose
from models.occlusion import NozzleShape
from models.rig import Rig
from models.sightings import Lost, NozzleSighting

RIM_PX = 2.5
"""Blur of the camera mixes a cold nozzle into this many pixels round it."""


def nozzle_mask(
    camera: Camera, camera_from_rgb: Pose, rig: Rig, nozzle: NozzleSighting | Lost, *, astray_mm: float = 0.0
) -> Bools:
    """Pixels of a camera that show nozzle or hand, with a rim for blur; none where it was not seen.

    ``astray_mm``: how far it may have been from there, as the time of exposure is known only so well.
    """
    mask: Bytes = np.zeros((camera.height_px, camera.width_px), np.uint8)
    if isinstance(nozzle, Lost) or rig.nozzle is None:
        return mask.astype(bool)
    tip, axis = camera_from_rgb.apply(nozzle.tip_rgb_mm), camera_from_rgb.rotate(nozzle.axis_rgb)
    balls = [
        (step, radius)
        for start, end, radius in NozzleShape.of(rig.nozzle).sections
        for step in np.linspace(start, end, max(2, int((end - start) / 10.0)))
    ]
    steps, radii_mm = np.array(balls).T
    places = tip - steps[:, None] * axis
    centres = camera.project(places)
    before = (places[:, 2] > 50.0) & np.all(np.abs(centres) < 10_000, axis=1)
    sizes = np.ceil((radii_mm[before] + astray_mm) * camera.fx_px / places[before, 2] + RIM_PX).astype(int)
    for (x, y), size in zip(np.rint(centres[before]).astype(int).tolist(), sizes.tolist(), strict=True):
        cv2.circle(mask, (x, y), size, 1, -1)
    return mask.astype(bool)
