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

from models.compiled import compiled
from models.lens import distorted
from vision.tag_rays import EVEN, KNOT, KNOT_PX, axes, before_fold, inverse, knot, span

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
    hull, least, most = np.empty((4, 2)), np.inf, 0.0
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
        xd, yd, xx, xy, yy = distorted(x, y, lens_d)
        least, most = min(least, xx * yy - xy * xy), max(most, xx * yy - xy * xy)
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

    flat = bend.shape[0] == 0
    module_mm = math.sqrt(plate[0, 0] ** 2 + plate[1, 0] ** 2 + plate[2, 0] ** 2)
    middle = 0.5 * side
    tag_by_ray, directions = inverse(plate), axes(plate, module_mm)
    sharp = np.ones((high, wide))
    rays = np.empty((deep, inner, 9))
    rays[:, :, 0] = -1.0
    last_uv = side + 2.0 * RIM - 2.0
    knots, leftmost = np.empty((2, KNOT)), np.zeros(2)
    apart = KNOT_PX if least > EVEN * most else 1
    known = apart == 0  # none yet; a plain False would have `knot` compiled for that alone as well
    for row in range(high):
        begin, end = span(hull, first_y - reach + row)
        begin, end = max(begin - first_x + reach, 0), min(end - first_x + reach, wide)
        if begin >= end:
            continue  # beside the plate everything is taken to be white, as its border is
        y_px, now = float(first_y - reach + row), 0
        for start in range(begin - apart, end, apart):
            was, now = now, 1 - now
            a, b = knots[was], knots[now]
            x_px = float(first_x - reach + start + apart)
            fine_before, first = known, start < begin
            if first:
                known = knot(
                    b, x_px, y_px, leftmost, known, lens, tag_by_ray, directions, bend, module_mm, middle
                )
                leftmost[0], leftmost[1] = b[0], b[1]
                continue
            ahead = a[:2] + apart * a[12:]
            known = knot(b, x_px, y_px, ahead, known, lens, tag_by_ray, directions, bend, module_mm, middle)
            if not (known and fine_before):
                continue
            # Cubic between the knots where the pattern is read, straight lines for the rest.
            u_1, v_1, u_4, v_4 = apart * a[8], apart * a[9], apart * b[8], apart * b[9]
            u_2, v_2 = 3.0 * (b[6] - a[6]) - 2.0 * u_1 - u_4, 3.0 * (b[7] - a[7]) - 2.0 * v_1 - v_4
            u_3, v_3 = u_1 + u_4 - 2.0 * (b[6] - a[6]), v_1 + v_4 - 2.0 * (b[7] - a[7])
            for column in range(start, min(start + apart, end)):
                t = (column - start) / apart
                u = a[6] + t * (u_1 + t * (u_2 + t * u_3))
                v = a[7] + t * (v_1 + t * (v_2 + t * v_3))
                # The pixel's area on the tag, as a box along the modules with the same second moments.
                px_u, px_v = a[10] + t * (b[10] - a[10]), a[11] + t * (b[11] - a[11])
                wide_u, wide_v = 1.0 / max(px_u, 1.0), 1.0 / max(px_v, 1.0)
                u0 = min(max(u - 0.5 * wide_u + RIM, 0.0), last_uv)
                v0 = min(max(v - 0.5 * wide_v + RIM, 0.0), last_uv)
                iu, iv = int(u0), int(v0)
                of_u = min(1.0, (iu + 1 - u0) * max(px_u, 1.0))
                of_v = min(1.0, (iv + 1 - v0) * max(px_v, 1.0))
                upper = of_u * pattern[iv, iu] + (1.0 - of_u) * pattern[iv, iu + 1]
                lower = of_u * pattern[iv + 1, iu] + (1.0 - of_u) * pattern[iv + 1, iu + 1]
                sharp[row, column] = of_v * upper + (1.0 - of_v) * lower
                r, c = row - reach, column - reach
                if 0 <= r < deep and 0 <= c < inner:
                    edge_u = min(u + margin, side + margin - u) * px_u
                    edge_v = min(v + margin, side + margin - v) * px_v
                    rays[r, c, 0] = min(edge_u, edge_v)
                    for k in range(6):
                        rays[r, c, 1 + k] = a[k] + t * (b[k] - a[k])
                    rays[r, c, 7], rays[r, c, 8] = u, v

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
                by_out = qx * directions[0, 2] + qy * directions[1, 2] + qz * directions[2, 2]
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
