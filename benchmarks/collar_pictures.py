"""Pictures of a collar for the guided calibration's benchmark: each tag drawn flat and laid where it is seen."""

from __future__ import annotations

import cv2
import numpy as np

from models.camera import Camera
from models.geometry import Bytes, Floats, Pose
from models.rig import Tags

FINE, RIM = 4, 1
"""Rays along a pixel's edge; modules of white round a tag."""


def collar_picture(
    tags: Tags, pose: Pose, camera: Camera, rng: np.random.Generator, *, blur_px: float = 0.7, noise: float = 1.5
) -> Bytes:
    """Draw what faces the camera.

    Args:
        tags: Where they really sit, nozzle frame.
        pose: ``rgb_from_nozzle``.
        camera: With its lens.
        rng: Of the noise.
        blur_px: 1 sigma of the lens.
        noise: 1 sigma, of 255.
    """
    light = np.full((camera.height_px, camera.width_px), 0.25)
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, tags.dictionary))
    modules = dictionary.markerSize + 2
    there = pose.apply(tags.corners_mm)
    for k in np.argsort(-there.mean(axis=1)[:, 2]):
        _lay(light, there[k], dictionary, int(tags.ids[k]), modules, camera)
    light = cv2.GaussianBlur(light, (0, 0), blur_px)
    coded = np.where(light > 0.0031308, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * light)
    numbers = np.clip(np.rint(255.0 * coded + rng.normal(0.0, noise, coded.shape)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(numbers[:, :, None], 3, axis=2))


def _lay(
    light: Floats, corners: Floats, dictionary: cv2.aruco.Dictionary, number: int, modules: int, camera: Camera
) -> None:
    right, down = (corners[1] - corners[0]) / modules, (corners[3] - corners[0]) / modules
    into, middle = np.cross(right, down), corners.mean(axis=0)
    cosine = float(into @ middle / np.linalg.norm(into) / np.linalg.norm(middle))
    if cosine < 0.05:
        return
    outer = corners + RIM * np.array([-right - down, right - down, right + down, down - right])
    px = camera.project(outer)
    low = np.maximum(np.floor(px.min(axis=0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(px.max(axis=0)).astype(int) + 3, (camera.width_px, camera.height_px))
    if np.any(high <= low):
        return
    x = low[0] - 0.5 + (np.arange((high[0] - low[0]) * FINE) + 0.5) / FINE
    y = low[1] - 0.5 + (np.arange((high[1] - low[1]) * FINE) + 0.5) / FINE
    rays = camera.unproject(np.stack(np.meshgrid(x, y), axis=-1))
    normal = into / np.linalg.norm(into)
    points = rays * ((corners[0] @ normal) / (rays @ normal))[..., None] - corners[0]
    u, v = points @ right / (right @ right), points @ down / (down @ down)
    on = (np.minimum(u, v) > -RIM) & (np.maximum(u, v) < modules + RIM)
    bits = np.pad(cv2.aruco.generateImageMarker(dictionary, number, modules) > 127, 2, constant_values=True)
    row, column = (np.clip(np.floor(w).astype(int) + 2, 0, modules + 3) for w in (v, u))
    shade = 0.25 + 0.6 * cosine
    area = (int(high[0] - low[0]), int(high[1] - low[1]))
    cover = cv2.resize(on.astype(float), area, interpolation=cv2.INTER_AREA)
    value = np.where(on, np.where(bits[row, column], 0.95 * shade, 0.04 * shade), 0.0)
    value = cv2.resize(value, area, interpolation=cv2.INTER_AREA)
    part = light[low[1] : high[1], low[0] : high[0]]
    light[low[1] : high[1], low[0] : high[0]] = part * (1.0 - cover) + value
