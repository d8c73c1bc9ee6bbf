"""Drawn pictures of boards, the thermal target and the collar, by rays through the true cameras."""

from __future__ import annotations

import cv2
import numpy as np

from calibration.board import Board
from models.camera import Camera
from models.geometry import Bytes, Counts, Floats, Pose
from models.rig import Tags

FINE, RIM = 4, 1
"""Rays along a pixel's edge; modules of white round a tag."""


def collar_picture(
    tags: Tags,
    pose: Pose,
    camera: Camera,
    rng: np.random.Generator,
    *,
    blur_px: float = 0.7,
    noise: float = 1.5,
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
    light: Floats,
    corners: Floats,
    dictionary: cv2.aruco.Dictionary,
    number: int,
    modules: int,
    camera: Camera,
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


TEXTURE_PX_MM, SUB = 6, 2
"""Pixels of a flat board's texture in a millimetre; rays along a pixel's edge."""

_AMBIENT, _WARM, _WARM_NOISE = 29_600.0, 31_200.0, 4.0
"""Centikelvin of what is round the tags, of the tags, and of the noise."""


class FlatPicture:
    """Pictures of one flat board by one camera."""

    def __init__(self, board: Board, camera: Camera) -> None:
        """Prepare texture and rays."""
        self._board, self._camera = board, camera
        self._texture, self._low_mm = _texture(board)
        x = -0.5 + (np.arange(camera.width_px * SUB) + 0.5) / SUB
        y = -0.5 + (np.arange(camera.height_px * SUB) + 0.5) / SUB
        self._rays = camera.unproject(np.stack(np.meshgrid(x, y), axis=-1))

    def light(self, camera_from_board: Pose) -> tuple[Floats, Floats]:
        """How white the board is (0..1), and how much of each pixel it covers, shape (h, w) each."""
        camera = self._camera
        light, whole = (np.zeros((camera.height_px, camera.width_px)) for _ in range(2))
        x0, y0, x1, y1 = self._where(camera_from_board)
        if x1 <= x0 or y1 <= y0:
            return light, whole
        rays = self._rays[y0 * SUB : y1 * SUB, x0 * SUB : x1 * SUB]
        rotation, at = camera_from_board.rotation, camera_from_board.translation_mm
        away = rotation[:, 2] @ at / (rays @ rotation[:, 2])
        flat = (rays * away[..., None] - at) @ rotation[:, :2]
        px = ((flat - self._low_mm) * TEXTURE_PX_MM - 0.5).astype(np.float32)
        white = cv2.remap(self._texture, px[..., 0], px[..., 1], cv2.INTER_LINEAR, borderValue=-1.0)
        cover = ((white >= -0.01) & (away > 0.0)).astype(np.float32)
        size = (x1 - x0, y1 - y0)
        for out, one in ((light, white * cover), (whole, cover)):
            out[y0:y1, x0:x1] = cv2.resize(one, size, interpolation=cv2.INTER_AREA)
        return light, whole

    def _where(self, camera_from_board: Pose) -> tuple[int, int, int, int]:
        """Pixels that the board may cover: first column and row, and those after the last."""
        camera, every = self._camera, (0, 0, self._camera.width_px, self._camera.height_px)
        high = self._low_mm + np.array(self._texture.shape[::-1]) / TEXTURE_PX_MM
        # Corners and what lies between them: a bent lens makes an edge bulge.
        u, v = (np.linspace(low, up, 9) for low, up in zip(self._low_mm, high, strict=True))
        points = np.stack(np.broadcast_arrays(u[:, None], v[None], 0.0), axis=-1).reshape(-1, 3)
        there = camera_from_board.apply(points)
        if there[:, 2].min() < 50.0:
            return every
        px = camera.project(there)
        if not np.all(np.isfinite(px)):
            return every
        low, up = np.floor(px.min(axis=0)).astype(int) - 8, np.ceil(px.max(axis=0)).astype(int) + 9
        most = np.array([camera.width_px, camera.height_px])
        (x0, y0), (x1, y1) = np.clip(low, 0, most), np.clip(up, 0, most)
        return int(x0), int(y0), int(x1), int(y1)

    def colour(self, rgb_from_board: Pose, rng: np.random.Generator, *, blur_px: float = 0.7) -> Bytes:
        """As the colour camera sees it, blue green red."""
        white, cover = self.light(rgb_from_board)
        light = np.maximum(0.03 * cover + 0.72 * white, 0.0) + 0.20 * (1.0 - cover)
        light = cv2.GaussianBlur(light, (0, 0), blur_px)
        grey = 255.0 * np.clip(light, 0.0, 1.0) ** (1.0 / 2.2) + rng.normal(0.0, 1.5, light.shape)
        numbers = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(numbers[:, :, None], 3, axis=2))

    def thermal(self, thermal_from_board: Pose, rng: np.random.Generator, *, blur_px: float = 0.6) -> Counts:
        """As a thermal camera sees it whose tags are warm, centikelvin."""
        white, cover = self.light(thermal_from_board)
        warm = _AMBIENT + (_WARM - _AMBIENT) * np.clip(cover - white, 0.0, 1.0)
        warm = cv2.GaussianBlur(warm, (0, 0), blur_px) + rng.normal(0.0, _WARM_NOISE, warm.shape)
        return np.rint(warm).astype(np.uint16)


def _texture(board: Board) -> tuple[np.ndarray, Floats]:
    """A flat board, white 1 and black 0, with a rim; and where its first pixel is, board frame, mm."""
    rim_mm = 12.0
    if board.kind == "tags":
        low = board.corners_mm.min(axis=0)[:2] - rim_mm
        span = board.corners_mm.max(axis=0)[:2] + rim_mm - low
        flat = np.ones((round(span[1] * TEXTURE_PX_MM), round(span[0] * TEXTURE_PX_MM)), np.float32)
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
        side = round(board.square_mm * TEXTURE_PX_MM)
        for k, corners in enumerate(board.corners_mm.reshape(-1, 4, 3)):
            x, y = np.rint((corners[0, :2] - low) * TEXTURE_PX_MM).astype(int)
            flat[y : y + side, x : x + side] = (
                cv2.aruco.generateImageMarker(dictionary, board.first + k, side) / 255.0
            )
        return flat, low
    low = np.array([-board.square_mm - rim_mm, -board.square_mm - rim_mm])
    size = ((board.columns + 1) * board.square_mm, (board.rows + 1) * board.square_mm)
    drawn = board.charuco.generateImage((round(size[0] * TEXTURE_PX_MM), round(size[1] * TEXTURE_PX_MM)))
    rim = round(rim_mm * TEXTURE_PX_MM)
    flat = np.pad(np.asarray(drawn, np.float32) / 255.0, rim, constant_values=1.0)
    return flat, low
