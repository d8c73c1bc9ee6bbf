"""Where the ray of a pixel meets a tag: exact at knots along a row of pixels, smooth between them."""

from __future__ import annotations

import math

import numpy as np

from models.camera import Camera
from models.compiled import compiled, still
from models.geometry import Floats
from models.lens import distorted

KNOT_PX = 8
"""Pixels from knot to knot. Between them a cubic errs by 1e-6 modules on a tag that leans by 75 degrees
(4th derivative of the perspective), straight lines by 1e-4 of a derivative."""

EVEN = 0.9
"""Where the lens magnifies one corner of a tag by less than this beside another (in area), next to its fold,
every pixel is a knot."""

KNOT = 14
"""Numbers of a knot: the ray (x, y, 1) and the depth of the point on the tag (0-2); derivatives of the lens
there as `models.lens.distorted` has them (3-5); place on the tag in modules right and down (6, 7), and its
derivatives by the pixel's column (8, 9); pixels a module right and down (10, 11); the ray's derivatives by
the column (12, 13)."""

STRAY_PX = 0.05
"""A ray that lands this far from its pixel is looked for anew, and left out where none is found: past the
fold of a lens there is none."""

_EXACT_PX = 1e-4
"""Newton's steps end at a ray that lands this near."""


def lens_of(camera: Camera) -> Floats:
    """A camera as the kernels want it: fx fy cx cy k1 k2 p1 p2 k3 and the square of its fold, shape (10,)."""
    straight = [camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px]
    return still(np.array([*straight, *camera.distortion, camera.fold_square]))


@compiled
def before_fold(x: float, y: float, d: np.ndarray) -> bool:
    """Whether the lens is one-to-one at a ray (x, y, 1), as `models.camera.Camera` has it; False for NaN."""
    _, _, xx, xy, yy = distorted(x, y, d)
    return x * x + y * y < d[5] and xx * yy - xy * xy > 0.0


@compiled
def ray_at(xd: float, yd: float, d: np.ndarray) -> tuple[float, float]:
    """The ray (x, y, 1) that the lens bends to (xd, yd); any, where there is none."""
    x, y = xd, yd
    for _ in range(12):
        xt, yt, _, _, _ = distorted(x, y, d)
        x, y = x + (xd - xt), y + (yd - yt)
    for _ in range(4):  # next to the fold the former go on for ever
        xt, yt, xx, xy, yy = distorted(x, y, d)
        det = xx * yy - xy * xy
        if det < 1e-6:
            break
        x += ((xd - xt) * yy - (yd - yt) * xy) / det
        y += ((yd - yt) * xx - (xd - xt) * xy) / det
    return x, y


@compiled
def inverse(a: np.ndarray) -> np.ndarray:
    """Inverse of a 3x3 matrix; zeros where it has none."""
    b = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            p, q, r, s = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            b[i, j] = a[p, r] * a[q, s] - a[p, s] * a[q, r]
    det = a[0, 0] * b[0, 0] + a[0, 1] * b[1, 0] + a[0, 2] * b[2, 0]
    return b / det if abs(det) > 1e-12 else np.zeros((3, 3))


@compiled
def span(hull: np.ndarray, y: float) -> tuple[int, int]:
    """First column of a row of pixels that a convex outline (4, 2) touches, and one past the last."""
    low, high = 1e9, -1e9
    for k in range(4):
        ax, ay, bx, by = hull[k, 0], hull[k, 1], hull[(k + 1) % 4, 0], hull[(k + 1) % 4, 1]
        if abs(ay - y) <= 1.0:
            low, high = min(low, ax), max(high, ax)
        for line in (y - 1.0, y + 1.0):
            if (ay - line) * (by - line) < 0.0:
                x = ax + (bx - ax) * (line - ay) / (by - ay)
                low, high = min(low, x), max(high, x)
    if low > high:
        return 0, 0
    return math.floor(low) - 1, math.ceil(high) + 2


@compiled
def axes(plate: np.ndarray, module_mm: float) -> np.ndarray:
    """Unit vectors right, down and out of a plate, as columns."""
    e = np.zeros((3, 3))
    for k in range(3):
        e[k, 0], e[k, 1] = plate[k, 0] / module_mm, plate[k, 1] / module_mm
    e[0, 2] = e[1, 1] * e[2, 0] - e[2, 1] * e[1, 0]
    e[1, 2] = e[2, 1] * e[0, 0] - e[0, 1] * e[2, 0]
    e[2, 2] = e[0, 1] * e[1, 0] - e[1, 1] * e[0, 0]
    return e


@compiled
def knot(
    out: np.ndarray,
    x_px: float,
    y_px: float,
    guess: np.ndarray,
    guessed: bool,
    lens: np.ndarray,
    m: np.ndarray,
    e: np.ndarray,
    bend: np.ndarray,
    module_mm: float,
    middle: float,
) -> bool:
    """Where the ray of a pixel meets a tag.

    Args:
        out: Output, see `KNOT`.
        x_px: Column of the pixel.
        y_px: Row.
        guess: A ray near it, shape (2,).
        guessed: Whether there is one.
        lens: See `lens_of`.
        m: Ray (x, y, 1) to (u w, v w, w); the point of the flat tag on it is ray / w. Shape (3, 3).
        e: From `axes`.
        bend: See `vision.tag_picture.tag_rows`.
        module_mm: Side of a module.
        middle: Half the tag's side, modules.

    Returns:
        Whether the lens has a ray for this pixel.
    """
    fx, fy, d = lens[0], lens[1], lens[4:]
    xd, yd = (x_px - lens[2]) / fx, (y_px - lens[3]) / fy
    x, y = guess[0], guess[1]
    xx, xy, yy, det = 1.0, 0.0, 1.0, 1.0
    lands = False
    for attempt in range(2):
        if attempt == 1 or not guessed:
            x, y = ray_at(xd, yd, d)
        for _ in range(4):
            xt, yt, xx, xy, yy = distorted(x, y, d)
            det = xx * yy - xy * xy
            off_x, off_y = xd - xt, yd - yt
            off_px = max(abs(off_x) * fx, abs(off_y) * fy)
            lands = off_px < STRAY_PX and x * x + y * y < d[5] and det > 0.0
            if off_px < _EXACT_PX or not abs(det) > 1e-12:
                break
            x, y = x + (off_x * yy - off_y * xy) / det, y + (off_y * xx - off_x * xy) / det
        if lands or attempt == 1 or not guessed:
            break
    out[0], out[1], out[3], out[4], out[5] = x, y, xx, xy, yy
    if not lands:
        return False
    step_x, step_y = yy / (det * fx), -xy / (det * fx)
    down_x, down_y = -xy / (det * fy), xx / (det * fy)
    z = 1.0 / (m[2, 0] * x + m[2, 1] * y + m[2, 2])
    u = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) * z
    v = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) * z
    ux, uy = (m[0, 0] - u * m[2, 0]) * z, (m[0, 1] - u * m[2, 1]) * z
    vx, vy = (m[1, 0] - v * m[2, 0]) * z, (m[1, 1] - v * m[2, 1]) * z
    u_px, v_px = ux * step_x + uy * step_y, vx * step_x + vy * step_y
    u_py, v_py = ux * down_x + uy * down_y, vx * down_x + vy * down_y
    out[10] = 1.0 / max(math.sqrt(u_px * u_px + u_py * u_py), 1e-4)
    out[11] = 1.0 / max(math.sqrt(v_px * v_px + v_py * v_py), 1e-4)
    if bend.shape[0] > 0:
        k11, k12, k22 = bend[0], bend[1], bend[2]
        dn = e[0, 2] * x + e[1, 2] * y + e[2, 2]
        ds = (e[0, 0] * x + e[1, 0] * y + e[2, 0]) / dn
        dt = (e[0, 1] * x + e[1, 1] * y + e[2, 1]) / dn
        s0, t0 = (u - middle) * module_mm, (v - middle) * module_mm
        s, t, rise, most = s0, t0, 0.0, 2.0 * middle * module_mm
        for _ in range(8):
            rise = 0.5 * (k11 * s * s + 2.0 * k12 * s * t + k22 * t * t)
            rise = min(max(rise, -most), most)
            s, t = s0 + rise * ds, t0 + rise * dt
        # The same along the row of pixels, by the chain rule.
        dn_px = e[0, 2] * step_x + e[1, 2] * step_y
        ds_px = (e[0, 0] * step_x + e[1, 0] * step_y - ds * dn_px) / dn
        dt_px = (e[0, 1] * step_x + e[1, 1] * step_y - dt * dn_px) / dn
        s_px, t_px = u_px * module_mm + rise * ds_px, v_px * module_mm + rise * dt_px
        rise_px, by_s, by_t = 0.0, k11 * s + k12 * t, k12 * s + k22 * t
        if abs(rise) < most and abs(by_s * ds + by_t * dt) < 0.9:
            rise_px = (by_s * s_px + by_t * t_px) / (1.0 - by_s * ds - by_t * dt)
        u, v = s / module_mm + middle, t / module_mm + middle
        u_px, v_px = (s_px + rise_px * ds) / module_mm, (t_px + rise_px * dt) / module_mm
        z += rise / dn
    out[2], out[6], out[7], out[8], out[9], out[12], out[13] = z, u, v, u_px, v_px, step_x, step_y
    return True
