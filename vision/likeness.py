"""How the chart's cells look in the colour picture, now and when the chart was laid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.chart import ZoneChart
from models.compiled import compiled
from models.geometry import Bools, Bytes, Floats, Ints, Pose
from models.occlusion import NozzleShape
from models.rig import Rig
from models.sightings import NozzleSighting

Greys = NDArray[np.float32]
"""A small grey picture, shape (h, w)."""

WIDTHS_PX = (160, 320)
"""Picture widths of the two steps, coarse to fine: one chart cell is about one pixel in the finer."""

GREY_SIGMA = 3.0
"""Least spread of grey levels between two pictures of the same skin: noise and compression, measured
1.5-2.5."""

GAIN = 0.7, 1.4
"""Automatic exposure seldom changes more while a body fills the picture."""

MOST_CELLS = 1500
"""Cells read per picture; more do not sharpen the answer."""

ALIKE_GREY = 12.0
"""A cell looks as it did within this many grey levels: shadow and fog of a nozzle change it by 10-60."""

SEARCH_CELLS = 300
"""Cells compared at each shift that is tried."""

REACH_MM = 100.0
"""Farthest shift across the picture that is looked for."""

RIM_MM = 25.0
"""Cells this near to the nozzle's outline are left out: its edge, and the pose's bound."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """How the skin looked at the cells when the chart was laid, once per step width."""

    grey: tuple[Floats, ...]
    """Grey level per cell, each of shape (n,)."""
    seen: Bools
    """Cells that were visible then."""


@dataclass(frozen=True, eq=False)
class Look:
    """What of this capture's colour picture is used: small pictures, and the cells it shows."""

    pictures: tuple[Greys, ...]
    cameras: tuple[Camera, ...]
    cells: Ints
    """Visible cells, thinned out to at most `MOST_CELLS`."""


def grey_rows(
    chart: ZoneChart, likeness: Likeness, look: Look, pose: Pose, centre: Floats, width: int
) -> tuple[Floats, Floats, float]:
    """Jacobian (m, 6) and residuals (m,) of the grey levels at the visible cells."""
    picture, camera = look.pictures[width], look.cameras[width]
    points = pose.apply(chart.position_mm[look.cells])
    px = camera.project(points)
    inside = camera.inside(px, 2.0)
    points, px = points[inside], px[inside]
    then = likeness.grey[width][look.cells][inside]
    if not len(then):
        return np.zeros((0, 6)), then, GREY_SIGMA
    now, slope_x, slope_y = _read_with_slopes(picture, px)
    gain, residual, sigma = _compared(then, now)
    slope_x, slope_y = gain * slope_x, gain * slope_y
    x, y, z = points.T
    along_x, along_y = slope_x * camera.fx_px / z, slope_y * camera.fy_px / z
    by_point = np.stack([along_x, along_y, -(along_x * x + along_y * y) / z], axis=1)
    return np.hstack([np.cross(points - centre, by_point), by_point]), residual, sigma


@compiled
def _read_with_slopes(picture: Greys, px: Floats) -> tuple[Floats, Floats, Floats]:
    """Bilinear readings at pixels (n, 2) at least 1 px inside, and their differences a pixel to each side."""
    n = len(px)
    now, slope_x, slope_y = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        x, y = px[i]
        now[i] = _between(picture, x, y)
        slope_x[i] = _between(picture, x + 0.5, y) - _between(picture, x - 0.5, y)
        slope_y[i] = _between(picture, x, y + 0.5) - _between(picture, x, y - 0.5)
    return now, slope_x, slope_y


@compiled
def _between(picture: Greys, x: float, y: float) -> float:
    """Bilinear reading inside the picture."""
    col, row = int(x), int(y)
    right, down = x - col, y - row
    above = (1.0 - right) * picture[row, col] + right * picture[row, col + 1]
    below = (1.0 - right) * picture[row + 1, col] + right * picture[row + 1, col + 1]
    return (1.0 - down) * above + down * below


@compiled
def _compared(then: Floats, now: Floats) -> tuple[float, Floats, float]:
    """How much brighter the exposure was then, the residuals (n,) with that taken out, and their spread.

    By the spread of the cells that look alike: skin darkens towards the rim of a limb, so a darker exposure
    would be taken for a body farther away.
    """
    off = then - now
    off -= np.median(off)
    alike = np.abs(off) < 3.0 * max(GREY_SIGMA, 1.4826 * np.median(np.abs(off)))
    spread, gain = now[alike].std(), 1.0
    if spread > GREY_SIGMA:
        gain = min(max(then[alike].std() / spread, GAIN[0]), GAIN[1])
    residual = then - gain * now
    residual -= np.median(residual)
    return gain, residual, max(GREY_SIGMA, 1.4826 * np.median(np.abs(residual)))


def look_at(
    chart: ZoneChart, likeness: Likeness, bgr: Bytes, nozzle: NozzleSighting | None, rig: Rig, pose: Pose
) -> Look:
    """Shrink the picture once, and choose the cells that it shows."""
    pictures, cameras = shrunk(bgr, rig.rgb)
    cells = np.flatnonzero(likeness.seen)
    cells = cells[:: max(1, len(cells) // MOST_CELLS)]
    points, normals = pose.apply(chart.position_mm[cells]), pose.rotate(chart.normal[cells])
    cells = cells[visible(points, normals, nozzle, rig)]
    return Look(pictures, cameras, cells)


def matched(chart: ZoneChart, likeness: Likeness, look: Look, pose: Pose) -> float:
    """Share of visible cells that look as they did, at the coarse width; NaN where too few are visible."""
    px = look.cameras[0].project(pose.apply(chart.position_mm[look.cells]))
    known = np.isfinite(px[:, 0])
    if known.sum() <= 50:
        return np.nan
    off = _read(look.pictures[0], px[known]) - likeness.grey[0][look.cells[known]]
    return float(np.mean(np.abs(off - np.median(off)) < ALIKE_GREY))


def search(chart: ZoneChart, likeness: Likeness, look: Look, pose: Pose) -> Pose:
    """Try shifts of up to `REACH_MM` across the picture and take the one that looks most alike."""
    picture, camera = look.pictures[0], look.cameras[0]
    cells = look.cells[:: max(1, len(look.cells) // SEARCH_CELLS)]
    points = pose.apply(chart.position_mm[cells])
    px = camera.project(points)
    known = np.isfinite(px[:, 0])  # not past the fold of the lens
    cells, points = cells[known], points[known]
    if len(cells) < 50:
        return pose
    x, y = np.rint(px[known]).astype(np.int64).T
    depth_mm = float(np.median(points[:, 2]))
    reach = int(np.ceil(REACH_MM * camera.fx_px / depth_mm))
    dx, dy = np.indices((2 * reach + 1, 2 * reach + 1)).reshape(2, -1, 1) - reach
    off = picture[np.clip(y + dy, 0, camera.height_px - 1), np.clip(x + dx, 0, camera.width_px - 1)]
    off = off - likeness.grey[0][cells].astype(np.float32)
    off -= np.median(off, axis=1, keepdims=True)
    cost = np.minimum(np.abs(off), 30.0).mean(axis=1) + 0.02 * np.hypot(dx, dy)[:, 0]
    best = int(cost.argmin())
    shift_px = np.array([float(dx[best, 0]), float(dy[best, 0]), 0.0])
    return Pose.of(pose.rotation, pose.translation_mm + shift_px * depth_mm / camera.fx_px)


def shrunk(bgr: Bytes, camera: Camera) -> tuple[tuple[Greys, ...], tuple[Camera, ...]]:
    """Grey pictures of `WIDTHS_PX`, and the cameras that would have taken them."""
    pictures: list[Greys] = []
    cameras: list[Camera] = []
    picture = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
    for width_px in sorted(WIDTHS_PX, reverse=True):
        # Each from the next larger one: the areas of areas are the same.
        small = _shrunk_camera(camera, width_px)
        size = small.width_px, small.height_px
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
        pictures.insert(0, picture)
        cameras.insert(0, small)
    return tuple(pictures), tuple(cameras)


@lru_cache(maxsize=8)
def _shrunk_camera(camera: Camera, width_px: int) -> Camera:
    scale = width_px / camera.width_px
    focal = camera.fx_px * scale, camera.fy_px * scale
    centre = (camera.cx_px + 0.5) * scale - 0.5, (camera.cy_px + 0.5) * scale - 0.5
    return Camera(width_px, round(camera.height_px * scale), *focal, *centre, camera.distortion)


def _read(picture: Greys, px: Floats) -> Floats:
    """Bilinear reading at pixels (n, 2)."""
    x, y = np.ascontiguousarray(px.T, np.float32)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).ravel().astype(float)


def visible(points: Floats, normals: Floats, nozzle: NozzleSighting | None, rig: Rig) -> Bools:
    """Cells that face the colour camera and are not behind nozzle or hand."""
    facing = -(points * normals).sum(1) > 0.2 * np.linalg.norm(points, axis=1)
    if nozzle is None or rig.nozzle is None:
        return facing
    shape = NozzleShape.of(rig.nozzle)
    hidden = shape.hides(
        points,
        viewpoint_mm=np.zeros(3),
        tip_mm=nozzle.tip_rgb_mm,
        axis=nozzle.axis_rgb,
        margin_mm=RIM_MM,
    )
    return facing & ~hidden


def likeness_of(
    chart: ZoneChart, bgr: Bytes, nozzle: NozzleSighting | None, rig: Rig, pose: Pose
) -> Likeness:
    """How the cells look in this picture."""
    points = pose.apply(chart.position_mm)
    seen = visible(points, pose.rotate(chart.normal), nozzle, rig)
    grey = []
    for picture, camera in zip(*shrunk(bgr, rig.rgb), strict=True):
        px = camera.project(points)
        seen &= camera.inside(px, 1.0)
        grey.append(_read(picture, px))
    return Likeness(tuple(grey), seen)
