"""Pictures of tags with a known pose, drawn ray by ray: not the product's way, so that they can judge it."""

from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np

from models.camera import Camera
from models.geometry import Bytes, Floats, Pose, rotation_from_rvec
from models.rig import Nozzle, Rig, SkinTags, Tags
from vision.synthetic_rig import collar as collar
from vision.synthetic_rig import misplaced as misplaced

CAMERA = Camera(1280, 720, 1000.0, 1001.5, 642.7, 357.4, np.array([0.08, -0.17, 0.0004, -0.0003, 0.0]))

FINE = 4
"""Rays along a pixel's edge."""


def rig_of(tags: Tags | None, *, camera: Camera = CAMERA, skin: SkinTags | None = None) -> Rig:
    """A rig without thermal and depth cameras."""
    return Rig(
        created=datetime(2026, 11, 23, tzinfo=UTC),
        rgb=camera,
        transfer="srgb",
        rgb_rms_px=0.18,
        thermal=None,
        depth=None,
        nozzle=Nozzle(tags, 12.0) if tags is not None else None,
        skin=skin,
    )


def wand(
    tip_mm: tuple[float, float, float], *, lean_deg: float, roll_deg: float, yaw_deg: float = 0.0
) -> Pose:
    """Pose of a nozzle whose collar is above its tip in the picture and whose jet points down and away."""
    down = np.radians(-90.0 + lean_deg)
    axis = rotation_from_rvec(np.array([down, 0.0, 0.0]))
    roll = rotation_from_rvec(np.array([0.0, 0.0, np.radians(roll_deg)]))
    yaw = rotation_from_rvec(np.array([0.0, 0.0, np.radians(yaw_deg)]))
    return Pose.of(yaw @ axis @ roll, np.array(tip_mm))


def picture(
    shown: list[tuple[Tags, Pose]],
    *,
    camera: Camera = CAMERA,
    blur_px: float = 0.6,
    noise: float = 1.5,
    seed: int = 0,
    border_modules: float = 1.0,
    quality: int | None = 90,
    transfer: str = "srgb",
    bend_per_mm: float = 0.0,
) -> Bytes:
    """Draw tags: light by rays, lens blur, gamma, noise of the 8-bit numbers, JPEG.

    Args:
        shown: Tags and where their body is in the rgb frame.
        camera: With its lens distortion.
        blur_px: Standard deviation of the lens blur, in light.
        noise: Standard deviation, of 255.
        seed: Of the noise.
        border_modules: Width of the white round each tag.
        quality: Of the JPEG; None = none.
        transfer: How light becomes numbers.
        bend_per_mm: Curvature of the tags about their vertical axis, negative = like a limb.
    """
    rng = np.random.default_rng(seed)
    light = np.full((camera.height_px, camera.width_px), 0.25)
    light += 0.03 * np.sin(np.arange(camera.width_px) / 37.0)
    for tags, pose in shown:
        _paint(light, tags, pose, camera, border_modules, bend_per_mm)
    light = cv2.GaussianBlur(light, (0, 0), blur_px)
    coded = np.where(light > 0.0031308, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * light)
    numbers = 255.0 * (coded if transfer == "srgb" else light) + rng.normal(0.0, noise, light.shape)
    bgr = np.repeat(np.clip(np.rint(numbers), 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    if quality is not None:
        _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        bgr = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr, dtype=np.uint8)


def _paint(light: Floats, tags: Tags, pose: Pose, camera: Camera, border: float, bend_per_mm: float) -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, tags.dictionary))
    modules = dictionary.markerSize + 2
    for number, corners_mm in zip(tags.ids, pose.apply(tags.corners_mm), strict=True):
        right, down = (corners_mm[1] - corners_mm[0]) / modules, (corners_mm[3] - corners_mm[0]) / modules
        into = np.cross(right, down)
        middle_mm = corners_mm.mean(axis=0)
        cosine = into @ middle_mm / np.linalg.norm(into) / np.linalg.norm(middle_mm)
        if cosine <= 0.02:
            continue
        around = 1.0 + 2.0 * border / modules
        hull_px = camera.project(middle_mm + (corners_mm - middle_mm) * around)
        x0, y0 = np.floor(hull_px.min(axis=0)).astype(int) - 3
        x1, y1 = np.ceil(hull_px.max(axis=0)).astype(int) + 4
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, camera.width_px), min(y1, camera.height_px)
        if x1 <= x0 or y1 <= y0:
            continue
        fine_x = x0 - 0.5 + (np.arange((x1 - x0) * FINE) + 0.5) / FINE
        fine_y = y0 - 0.5 + (np.arange((y1 - y0) * FINE) + 0.5) / FINE
        rays = camera.unproject(np.stack(np.meshgrid(fine_x, fine_y), axis=-1))
        u, v = _meet(rays, corners_mm, modules, bend_per_mm)
        on_plate = (np.minimum(u, v) > -border) & (np.maximum(u, v) < modules + border)
        drawn = cv2.aruco.generateImageMarker(dictionary, int(number), modules) > 127
        bits = np.pad(drawn, 2, constant_values=True)
        row, column = (np.clip(np.floor(w).astype(int) + 2, 0, modules + 3) for w in (v, u))
        shade = 0.25 + 0.6 * cosine
        value = np.where(bits[row, column], 0.95 * shade, 0.04 * shade)
        area = (x1 - x0, y1 - y0)
        cover = cv2.resize(on_plate.astype(float), area, interpolation=cv2.INTER_AREA)
        value = cv2.resize(np.where(on_plate, value, 0.0), area, interpolation=cv2.INTER_AREA)
        light[y0:y1, x0:x1] = light[y0:y1, x0:x1] * (1.0 - cover) + value


def _meet(rays: Floats, corners_mm: Floats, modules: int, bend_per_mm: float) -> tuple[Floats, Floats]:
    """Where rays meet the tag, in modules right and down from its first corner."""
    centre = corners_mm.mean(axis=0)
    right, down = corners_mm[1] - corners_mm[0], corners_mm[3] - corners_mm[0]
    side_mm, high_mm = float(np.linalg.norm(right)), float(np.linalg.norm(down))
    right, down = right / side_mm, down / high_mm
    out = np.cross(down, right)
    along = (centre @ out) / (rays @ out)
    s = (rays * along[..., None] - centre) @ right
    if bend_per_mm != 0.0:
        for _ in range(6):
            along = (centre @ out + 0.5 * bend_per_mm * s**2) / (rays @ out)
            s = (rays * along[..., None] - centre) @ right
    t = (rays * along[..., None] - centre) @ down
    return (s / side_mm + 0.5) * modules, (t / high_mm + 0.5) * modules


def hidden(bgr: Bytes, pose: Pose, tags: Tags, *, share: float, camera: Camera = CAMERA) -> Bytes:
    """Lay a skin-coloured disc over a share of the tags' width, from the left."""
    seen_px = camera.project(pose.apply(tags.corners_mm.reshape(-1, 3)))
    low, high = seen_px.min(axis=0) - 12.0, seen_px.max(axis=0) + 12.0
    edge = int(low[0] + share * (high[0] - low[0]))
    covered = bgr.copy()
    covered[int(low[1]) : int(high[1]) + 1, int(low[0]) : edge] = (120, 150, 200)
    return covered
