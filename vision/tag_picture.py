"""What a camera sees of a tag, in linear light, and how that changes as the tag moves.

A tag's plate is a grid of black and white modules, white round about. The kernels here predict what
the camera sees of it (lens distortion, pixel area, blur of the lens) and how that changes when the body
moves. Gain and offset of every tag are solved out, so that light and shade do not move the pose.

Bright parts bloom because blur acts on light, not on its gamma-coded value: comparing light with
blurred light has no such bias, corners of the 8-bit picture have.
"""

from __future__ import annotations

import math

import numpy as np

from models.camera import Camera
from models.compiled import compiled
from models.geometry import Floats
from models.lens import distorted

PATTERN, LIGHT, BLOCK, SLOPE2, ACROSS, DOWN, ROW = 10, 11, 12, 13, 14, 15, 16
"""Columns of a row. Before them: derivatives of the pattern by a small motion (rotation about the centroid in
rad, translation in mm: 0-5), by the blur (px: 6), by the bend (per mm: 7-9). Then the pattern itself 0..1,
the light seen, the number of the block of `BLOCK_PX` squared that the pixel lies in, its slope per px,
squared, and where on the tag it lies, -1..1 from edge to edge."""

RIGID, BENT = 7, 10
"""Columns that are solved for on a rigid tag, and on one that may bend."""

BLOCK_PX = 8
"""Residuals within such a block are taken to belong together: video is coded in blocks of 8 (H.264 high)."""

LEAST_SMEAR_PX = 0.8
"""Shorter ways are as well told by the blur."""

RIM = 3
"""White modules round the padded pattern, so that samples beside the tag need no test."""

STRAY_PX = 0.05
"""A ray that lands this far from its pixel is looked for anew, and left out where none is found: past the
fold of a lens there is none."""


def lens_of(camera: Camera) -> Floats:
    """A camera as the kernels want it: fx fy cx cy k1 k2 p1 p2 k3 and the square of its fold, shape (10,)."""
    straight = [camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px]
    return np.array([*straight, *camera.distortion, camera.fold_square])


@compiled
def before_fold(x: float, y: float, d: np.ndarray) -> bool:
    """Whether the lens is one-to-one at a ray (x, y, 1), as `models.camera.Camera` has it; False for NaN."""
    _, _, xx, xy, yy = distorted(x, y, d)
    return x * x + y * y < d[5] and xx * yy - xy * xy > 0.0


@compiled
def _ray_at(xd: float, yd: float, d: np.ndarray) -> tuple[float, float]:
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
def _lands(x: float, y: float, off_x: float, off_y: float, whole: float, fold_square: float) -> bool:
    """Whether a ray lands within `STRAY_PX` of its pixel and before the fold; False for NaN."""
    near = abs(off_x) < STRAY_PX and abs(off_y) < STRAY_PX
    return near and x * x + y * y < fold_square and whole > 0.0


@compiled
def _inverse(a: np.ndarray) -> np.ndarray:
    """Inverse of a 3x3 matrix; zeros where it has none."""
    b = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            p, q, r, s = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            b[i, j] = a[p, r] * a[q, s] - a[p, s] * a[q, r]
    det = a[0, 0] * b[0, 0] + a[0, 1] * b[1, 0] + a[0, 2] * b[2, 0]
    return b / det if abs(det) > 1e-12 else np.zeros((3, 3))


@compiled
def _span(hull: np.ndarray, y: float) -> tuple[int, int]:
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
def _smeared(sharp: np.ndarray, smear_px: np.ndarray) -> np.ndarray:
    """Mean of a picture over a straight way, at steps of less than a pixel; its rim is repeated."""
    high, wide = sharp.shape
    steps = math.ceil(max(abs(smear_px[0]), abs(smear_px[1]))) + 1
    mean = np.zeros((high, wide))
    for k in range(steps):
        share = (k + 0.5) / steps - 0.5
        dx, dy = share * smear_px[0], share * smear_px[1]
        left, top = math.floor(dx), math.floor(dy)
        a, b = dx - left, dy - top
        for row in range(high):
            r0 = min(max(row + top, 0), high - 1)
            r1 = min(r0 + 1, high - 1)
            for column in range(wide):
                c0 = min(max(column + left, 0), wide - 1)
                c1 = min(c0 + 1, wide - 1)
                mean[row, column] += (1.0 - b) * ((1.0 - a) * sharp[r0, c0] + a * sharp[r0, c1])
                mean[row, column] += b * ((1.0 - a) * sharp[r1, c0] + a * sharp[r1, c1])
    return mean / steps


@compiled
def tag_rows(
    light: np.ndarray,
    corner_px: np.ndarray,
    pattern: np.ndarray,
    plate: np.ndarray,
    bend: np.ndarray,
    lens: np.ndarray,
    centroid: np.ndarray,
    blur_px: float,
    margin: float,
    clear_px: float,
    smear_px: np.ndarray,
) -> np.ndarray:
    """Predict one tag: a row for each pixel that it fills.

    On a bent tag a point p mm from its centre (right, down) stands out by p' K p / 2. It is not drawn in, as
    film that gives is not; stiff paper on a cylinder of radius r is, by a share of (p / r)^2 / 6.

    Args:
        light: Linear light of a window of the picture, shape (h, w).
        corner_px: Column and row of the picture at which the window begins, shape (2,).
        pattern: 0 black, 1 white, with `RIM` white modules round it, shape (n + 2 RIM, n + 2 RIM).
        plate: Columns: step of one module right and down on the tag, its first corner; rgb frame, mm.
        bend: K as (right-right, right-down, down-down), per mm, towards the viewer; negative on a limb. Empty
        =
            rigid, and no derivatives by it.
        lens: See `lens_of`.
        centroid: Point about which rotations act, rgb frame, mm, shape (3,).
        blur_px: Standard deviation of the blur.
        margin: White border of the plate, modules.
        clear_px: Pixels nearer than this to the plate's edge are left out: what lies beyond is unknown.
        smear_px: Way of the tag in the picture while the shutter was open (right, down), shape (2,).

    Returns:
        Rows of `ROW` columns; none when the tag is not in the window, or reaches past the fold of the lens.
    """
    fx, fy, cx, cy, lens_d = lens[0], lens[1], lens[2], lens[3], lens[4:]
    side = pattern.shape[0] - 2 * RIM
    left_px, top_px = int(corner_px[0]), int(corner_px[1])
    height, width = light.shape
    low_x, high_x, low_y, high_y = 1e9, -1e9, 1e9, -1e9
    hull = np.empty((4, 2))
    for k in range(4):
        u = -margin if k == 0 or k == 3 else side + margin
        v = -margin if k < 2 else side + margin
        z = plate[2, 0] * u + plate[2, 1] * v + plate[2, 2]
        if z < 1.0:
            return np.empty((0, ROW))
        x = (plate[0, 0] * u + plate[0, 1] * v + plate[0, 2]) / z
        y = (plate[1, 0] * u + plate[1, 1] * v + plate[1, 2]) / z
        if not before_fold(x, y, lens_d):
            return np.empty((0, ROW))
        xd, yd, _, _, _ = distorted(x, y, lens_d)
        hull[k, 0], hull[k, 1] = fx * xd + cx, fy * yd + cy
        low_x, high_x = min(low_x, hull[k, 0]), max(high_x, hull[k, 0])
        low_y, high_y = min(low_y, hull[k, 1]), max(high_y, hull[k, 1])
    if not (high_x - low_x < 4000.0 and high_y - low_y < 4000.0):
        return np.empty((0, ROW))
    first_x = max(math.ceil(low_x), left_px)
    last_x = min(math.floor(high_x), left_px + width - 1)
    first_y = max(math.ceil(low_y), top_px)
    last_y = min(math.floor(high_y), top_px + height - 1)
    if last_x - first_x < 3 or last_y - first_y < 3:
        return np.empty((0, ROW))
    smear_way = max(abs(smear_px[0]), abs(smear_px[1]))
    reach = math.ceil(3.0 * blur_px) + math.ceil(0.5 * smear_way)
    reach += 1  # for the derivative of the slope
    wide, high = last_x - first_x + 1 + 2 * reach, last_y - first_y + 1 + 2 * reach
    inner, deep = wide - 2 * reach, high - 2 * reach

    # Ray (x, y, 1) to (u w, v w, w); the point of the flat tag on it is ray / w.
    m = _inverse(plate)
    flat = bend.shape[0] == 0
    k11, k12, k22 = 0.0, 0.0, 0.0
    if not flat:
        k11, k12, k22 = bend[0], bend[1], bend[2]
    e = np.zeros((3, 3))  # unit vectors right, down, out
    module_mm = math.sqrt(plate[0, 0] ** 2 + plate[1, 0] ** 2 + plate[2, 0] ** 2)
    for k in range(3):
        e[k, 0], e[k, 1] = plate[k, 0] / module_mm, plate[k, 1] / module_mm
    e[0, 2] = e[1, 1] * e[2, 0] - e[2, 1] * e[1, 0]
    e[1, 2] = e[2, 1] * e[0, 0] - e[0, 1] * e[2, 0]
    e[2, 2] = e[0, 1] * e[1, 0] - e[1, 1] * e[0, 0]
    middle = 0.5 * side
    sharp = np.ones((high, wide))
    rays = np.empty((deep, inner, 9))
    rays[:, :, 0] = -1.0
    per_fx, per_fy = 1.0 / fx, 1.0 / fy
    last_uv = side + 2.0 * RIM - 2.0
    for row in range(high):
        begin, end = _span(hull, first_y - reach + row)
        begin, end = max(begin - first_x + reach, 0), min(end - first_x + reach, wide)
        if begin >= end:
            continue  # beside the plate everything is taken to be white, as its border is
        yd = (first_y - reach + row - cy) * per_fy
        xd = (first_x - reach + begin - cx) * per_fx
        x, y = _ray_at(xd, yd, lens_d)
        for column in range(begin, end):
            xd = (first_x - reach + column - cx) * per_fx
            xt, yt, xx, xy, yy = distorted(x, y, lens_d)
            if not _lands(x, y, (xd - xt) * fx, (yd - yt) * fy, xx * yy - xy * xy, lens_d[5]):
                x, y = _ray_at(xd, yd, lens_d)
                xt, yt, xx, xy, yy = distorted(x, y, lens_d)
                if not _lands(x, y, (xd - xt) * fx, (yd - yt) * fy, xx * yy - xy * xy, lens_d[5]):
                    continue
            per_det = 1.0 / (xx * yy - xy * xy)
            x += ((xd - xt) * yy - (yd - yt) * xy) * per_det
            y += ((yd - yt) * xx - (xd - xt) * xy) * per_det
            z = 1.0 / (m[2, 0] * x + m[2, 1] * y + m[2, 2])
            u = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) * z
            v = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) * z
            ux, uy = (m[0, 0] - u * m[2, 0]) * z, (m[0, 1] - u * m[2, 1]) * z
            vx, vy = (m[1, 0] - v * m[2, 0]) * z, (m[1, 1] - v * m[2, 1]) * z
            by_px, by_py = per_det * per_fx, per_det * per_fy
            u_px, u_py = (ux * yy - uy * xy) * by_px, (uy * xx - ux * xy) * by_py
            v_px, v_py = (vx * yy - vy * xy) * by_px, (vy * xx - vx * xy) * by_py
            if not flat:
                dn = e[0, 2] * x + e[1, 2] * y + e[2, 2]
                ds = (e[0, 0] * x + e[1, 0] * y + e[2, 0]) / dn
                dt = (e[0, 1] * x + e[1, 1] * y + e[2, 1]) / dn
                s0, t0 = (u - middle) * module_mm, (v - middle) * module_mm
                s, t, out = s0, t0, 0.0
                for _ in range(3):
                    out = 0.5 * (k11 * s * s + 2.0 * k12 * s * t + k22 * t * t)
                    out = min(max(out, -module_mm * side), module_mm * side)
                    s, t = s0 + out * ds, t0 + out * dt
                u, v = s / module_mm + middle, t / module_mm + middle
                z += out / dn
            # The pixel's area on the tag, as a box along the modules with the same second moments.
            per_u = max(math.sqrt(u_px * u_px + u_py * u_py), 1e-4)
            per_v = max(math.sqrt(v_px * v_px + v_py * v_py), 1e-4)
            wide_u, wide_v = min(per_u, 1.0), min(per_v, 1.0)
            px_u, px_v = 1.0 / per_u, 1.0 / per_v
            u0 = min(max(u - 0.5 * wide_u + RIM, 0.0), last_uv)
            v0 = min(max(v - 0.5 * wide_v + RIM, 0.0), last_uv)
            iu, iv = int(u0), int(v0)
            a = min(1.0, (iu + 1 - u0) * max(px_u, 1.0))
            b = min(1.0, (iv + 1 - v0) * max(px_v, 1.0))
            sharp[row, column] = b * (a * pattern[iv, iu] + (1.0 - a) * pattern[iv, iu + 1]) + (1.0 - b) * (
                a * pattern[iv + 1, iu] + (1.0 - a) * pattern[iv + 1, iu + 1]
            )
            r, c = row - reach, column - reach
            if 0 <= r < deep and 0 <= c < inner:
                edge_u = min(u + margin, side + margin - u) * px_u
                edge_v = min(v + margin, side + margin - v) * px_v
                rays[r, c, 0] = min(edge_u, edge_v)
                rays[r, c, 1], rays[r, c, 2], rays[r, c, 3] = x, y, z
                rays[r, c, 4], rays[r, c, 5], rays[r, c, 6] = xx, xy, yy
                rays[r, c, 7], rays[r, c, 8] = u, v
            x += yy * by_px  # predict the neighbour's ray; one Newton step there is exact to 1e-9
            y -= xy * by_px

    if smear_way > LEAST_SMEAR_PX:
        sharp = _smeared(sharp, smear_px)
    taps = 2 * reach + 1
    bell, slope = np.empty(taps), np.empty(taps)
    weight, moment = 0.0, 0.0
    for k in range(taps):
        bell[k] = math.exp(-0.5 * ((k - reach) / blur_px) ** 2)
        weight += bell[k]
    for k in range(taps):
        bell[k] /= weight
        moment += bell[k] * (k - reach) ** 2
    for k in range(taps):
        slope[k] = bell[k] * (k - reach) / moment
    smooth, tilt = np.zeros((high, inner)), np.zeros((high, inner))
    for row in range(high):
        for k in range(taps):
            for column in range(inner):
                smooth[row, column] += bell[k] * sharp[row, column + k]
                tilt[row, column] += slope[k] * sharp[row, column + k]
    seen, by_x, by_y = np.zeros((deep, inner)), np.zeros((deep, inner)), np.zeros((deep, inner))
    for row in range(deep):
        for k in range(taps):
            for column in range(inner):
                seen[row, column] += bell[k] * smooth[row + k, column]
                by_x[row, column] += bell[k] * tilt[row + k, column]
                by_y[row, column] += slope[k] * smooth[row + k, column]

    count = 0
    rows = np.empty((deep * inner, ROW))
    blocks = (inner + BLOCK_PX - 1) // BLOCK_PX + 1
    for row in range(1, deep - 1):
        py = first_y + row
        for column in range(1, inner - 1):
            if rays[row, column, 0] < clear_px:
                continue
            px = first_x + column
            x, y, z = rays[row, column, 1], rays[row, column, 2], rays[row, column, 3]
            xx, xy, yy = rays[row, column, 4], rays[row, column, 5], rays[row, column, 6]
            gx, gy = by_x[row, column] * fx, by_y[row, column] * fy
            ax, ay = gx * xx + gy * xy, gx * xy + gy * yy
            per_z = 1.0 / z
            qx, qy, qz = ax * per_z, ay * per_z, -(ax * x + ay * y) * per_z
            rx, ry, rz = x * z - centroid[0], y * z - centroid[1], z - centroid[2]
            rows[count, 0] = rz * qy - ry * qz
            rows[count, 1] = rx * qz - rz * qx
            rows[count, 2] = ry * qx - rx * qy
            rows[count, 3], rows[count, 4], rows[count, 5] = -qx, -qy, -qz
            curve = by_x[row, column + 1] - by_x[row, column - 1]
            curve += by_y[row + 1, column] - by_y[row - 1, column]
            rows[count, 6] = 0.5 * blur_px * curve
            if not flat:
                s = (rays[row, column, 7] - middle) * module_mm
                t = (rays[row, column, 8] - middle) * module_mm
                by_out = qx * e[0, 2] + qy * e[1, 2] + qz * e[2, 2]
                rows[count, 7] = -0.5 * by_out * s * s
                rows[count, 8] = -by_out * s * t
                rows[count, 9] = -0.5 * by_out * t * t
            rows[count, PATTERN] = seen[row, column]
            rows[count, LIGHT] = light[py - top_px, px - left_px]
            rows[count, BLOCK] = (py // BLOCK_PX - first_y // BLOCK_PX) * blocks
            rows[count, BLOCK] += px // BLOCK_PX - first_x // BLOCK_PX
            rows[count, ACROSS] = rays[row, column, 7] / middle - 1.0
            rows[count, DOWN] = rays[row, column, 8] / middle - 1.0
            rows[count, SLOPE2] = by_x[row, column] ** 2 + by_y[row, column] ** 2
            count += 1
    return rows[:count]
