"""What a camera sees of a tag, in linear light: prediction, derivatives, normal equations.

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

ROW = 11
"""Columns of a row: 6 derivatives of the pattern by a small motion (rotation about the centroid in rad,
translation in mm), its derivative by the blur (per px), the pattern itself 0..1, the light seen, and the
number of the block of `BLOCK_PX` squared that the pixel lies in, and the square of its slope per px."""

BLOCK_PX = 8
"""Residuals within such a block are taken to belong together: video is coded in blocks of 8 (H.264 high)."""

TUKEY = 4.7
"""Residuals beyond so many robust standard deviations weigh nothing (95 % efficiency for normal noise)."""

EDGE_PX = 5.0
"""Noise of a pixel grows by so many times the slope of the light there (per scale of the residual): coding errs most
at edges, and tags that sit 0.1 mm off must pull against each other, not be left out."""

MEDIAN, QUARTILE, WIDER = 1.4826, 0.8693, 1.8
"""1 / the 50 and 75 % points of the absolute value of a standard normal number, and how much larger the latter may
make the scale. The median alone is not enough: flat parts of a tag always fit, and it would make outliers of all
the edges of one that is 0.2 mm off. The 75 % point alone is too much where a finger hides a third."""

MIN_SCALE = 1e-3
"""Least scale of the residual: rounding to 8 bits, 1 / 255 / sqrt(12)."""

MIN_CONTRAST = 0.01
"""Least light between white and black: below, rounding to 8 bits leaves no pattern."""

RIM = 3
"""White modules round the padded pattern, so that samples beside the tag need no test."""


@compiled
def distort(x: float, y: float, d: np.ndarray) -> tuple[float, float, float, float, float]:
    """Lens distortion of a ray (x, y, 1) and its derivatives (xd, yd, dxd/dx, dxd/dy = dyd/dx, dyd/dy)."""
    r2 = x * x + y * y
    radial = 1.0 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]))
    slope = 2.0 * (d[0] + r2 * (2.0 * d[1] + 3.0 * r2 * d[4]))
    xd = x * radial + 2.0 * d[2] * x * y + d[3] * (r2 + 2.0 * x * x)
    yd = y * radial + d[2] * (r2 + 2.0 * y * y) + 2.0 * d[3] * x * y
    xx = radial + x * x * slope + 2.0 * d[2] * y + 6.0 * d[3] * x
    xy = x * y * slope + 2.0 * d[2] * x + 2.0 * d[3] * y
    yy = radial + y * y * slope + 6.0 * d[2] * y + 2.0 * d[3] * x
    return xd, yd, xx, xy, yy


@compiled
def tag_rows(
    light: np.ndarray,
    corner_px: np.ndarray,
    pattern: np.ndarray,
    plate: np.ndarray,
    lens: np.ndarray,
    centroid: np.ndarray,
    blur_px: float,
    margin: float,
    clear_px: float,
) -> np.ndarray:
    """Predict one tag: a row for each pixel that it fills.

    Args:
        light: Linear light of a window of the picture, shape (h, w).
        corner_px: Column and row of the picture at which the window begins, shape (2,).
        pattern: 0 black, 1 white, with `RIM` white modules round it, shape (n + 2 RIM, n + 2 RIM).
        plate: Columns: step of one module right and down on the tag, its first corner; rgb frame, mm.
        lens: fx fy cx cy k1 k2 p1 p2 k3.
        centroid: Point about which rotations act, rgb frame, mm, shape (3,).
        blur_px: Standard deviation of the blur.
        margin: White border of the plate, modules.
        clear_px: Pixels nearer than this to the plate's edge are left out: what lies beyond is unknown.

    Returns:
        Rows of `ROW` columns; none when the tag is not in the window.
    """
    fx, fy, cx, cy, lens_d = lens[0], lens[1], lens[2], lens[3], lens[4:]
    side = pattern.shape[0] - 2 * RIM
    left_px, top_px = int(corner_px[0]), int(corner_px[1])
    height, width = light.shape
    low_x, high_x, low_y, high_y = 1e9, -1e9, 1e9, -1e9
    for k in range(4):
        u = -margin if k == 0 or k == 3 else side + margin
        v = -margin if k < 2 else side + margin
        z = plate[2, 0] * u + plate[2, 1] * v + plate[2, 2]
        if z < 1.0:
            return np.empty((0, ROW))
        xd, yd, _, _, _ = distort(
            (plate[0, 0] * u + plate[0, 1] * v + plate[0, 2]) / z,
            (plate[1, 0] * u + plate[1, 1] * v + plate[1, 2]) / z,
            lens_d,
        )
        low_x, high_x = min(low_x, fx * xd + cx), max(high_x, fx * xd + cx)
        low_y, high_y = min(low_y, fy * yd + cy), max(high_y, fy * yd + cy)
    if not (high_x - low_x < 4000.0 and high_y - low_y < 4000.0):
        return np.empty((0, ROW))
    first_x = max(int(math.ceil(low_x)), left_px)
    last_x = min(int(math.floor(high_x)), left_px + width - 1)
    first_y = max(int(math.ceil(low_y)), top_px)
    last_y = min(int(math.floor(high_y)), top_px + height - 1)
    if last_x - first_x < 3 or last_y - first_y < 3:
        return np.empty((0, ROW))
    reach = int(math.ceil(3.0 * blur_px)) + 1  # one more for the derivative of the slope
    wide, high = last_x - first_x + 1 + 2 * reach, last_y - first_y + 1 + 2 * reach
    inner, deep = wide - 2 * reach, high - 2 * reach

    # Ray (x, y, 1) to (u w, v w, w); the point of the tag on it is ray / w.
    m = np.linalg.inv(plate)
    sharp = np.empty((high, wide))
    rays = np.empty((deep, inner, 7))
    last_uv = side + 2.0 * RIM - 2.0
    for row in range(high):
        yd = (first_y - reach + row - cy) / fy
        xd = (first_x - reach - cx) / fx
        x, y, xx, xy, yy, det = xd, yd, 1.0, 0.0, 1.0, 1.0
        for _ in range(12):
            xt, yt, xx, xy, yy = distort(x, y, lens_d)
            x, y = x + (xd - xt), y + (yd - yt)
        for column in range(wide):
            xd = (first_x - reach + column - cx) / fx
            xt, yt, xx, xy, yy = distort(x, y, lens_d)
            det = xx * yy - xy * xy
            x += ((xd - xt) * yy - (yd - yt) * xy) / det
            y += ((yd - yt) * xx - (xd - xt) * xy) / det
            w = m[2, 0] * x + m[2, 1] * y + m[2, 2]
            z = 1.0 / w
            u = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) * z
            v = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) * z
            ux, uy = (m[0, 0] - u * m[2, 0]) * z, (m[0, 1] - u * m[2, 1]) * z
            vx, vy = (m[1, 0] - v * m[2, 0]) * z, (m[1, 1] - v * m[2, 1]) * z
            u_px, u_py = (ux * yy - uy * xy) / (det * fx), (uy * xx - ux * xy) / (det * fy)
            v_px, v_py = (vx * yy - vy * xy) / (det * fx), (vy * xx - vx * xy) / (det * fy)
            # The pixel's area on the tag, as a box along the modules with the same second moments.
            per_u = max(math.sqrt(u_px * u_px + u_py * u_py), 1e-4)
            per_v = max(math.sqrt(v_px * v_px + v_py * v_py), 1e-4)
            wide_u, wide_v = min(per_u, 1.0), min(per_v, 1.0)
            u0 = min(max(u - 0.5 * wide_u + RIM, 0.0), last_uv)
            v0 = min(max(v - 0.5 * wide_v + RIM, 0.0), last_uv)
            iu, iv = int(u0), int(v0)
            a = min(1.0, (iu + 1 - u0) / wide_u)
            b = min(1.0, (iv + 1 - v0) / wide_v)
            sharp[row, column] = b * (a * pattern[iv, iu] + (1.0 - a) * pattern[iv, iu + 1]) + (1.0 - b) * (
                a * pattern[iv + 1, iu] + (1.0 - a) * pattern[iv + 1, iu + 1]
            )
            r, c = row - reach, column - reach
            if 0 <= r < deep and 0 <= c < inner:
                edge_u = min(u + margin, side + margin - u) / per_u
                edge_v = min(v + margin, side + margin - v) / per_v
                rays[r, c, 0] = min(edge_u, edge_v)
                rays[r, c, 1], rays[r, c, 2], rays[r, c, 3] = x, y, z
                rays[r, c, 4], rays[r, c, 5], rays[r, c, 6] = xx, xy, yy
            x += yy / (det * fx)  # predict the neighbour's ray; one Newton step there is exact to 1e-9
            y -= xy / (det * fx)

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
            qx, qy, qz = ax / z, ay / z, -(ax * x + ay * y) / z
            rx, ry, rz = x * z - centroid[0], y * z - centroid[1], z - centroid[2]
            rows[count, 0] = rz * qy - ry * qz
            rows[count, 1] = rx * qz - rz * qx
            rows[count, 2] = ry * qx - rx * qy
            rows[count, 3], rows[count, 4], rows[count, 5] = -qx, -qy, -qz
            curve = by_x[row, column + 1] - by_x[row, column - 1]
            curve += by_y[row + 1, column] - by_y[row - 1, column]
            rows[count, 6] = 0.5 * blur_px * curve
            rows[count, 7] = seen[row, column]
            rows[count, 8] = light[py - top_px, px - left_px]
            rows[count, 9] = (py // BLOCK_PX - first_y // BLOCK_PX) * blocks + px // BLOCK_PX - first_x // BLOCK_PX
            rows[count, 10] = by_x[row, column] ** 2 + by_y[row, column] ** 2
            count += 1
    return rows[:count]


@compiled
def tag_equations(
    rows: np.ndarray, srgb: bool, blocks: bool, h: np.ndarray, b: np.ndarray, spread: np.ndarray, stats: np.ndarray
) -> None:
    """Robust normal equations of one tag, its gain and offset solved out.

    Residuals are weighted as noise of the 8-bit numbers, which is even there and not in light. Tukey
    weights leave out what does not look like the tag: fingers, frost, glare.

    Args:
        rows: From `tag_rows`.
        srgb: Whether numbers are gamma-coded light.
        blocks: Also sum the scores by block into ``spread``.
        h: Output, 7x7: pose and blur, in units of the residual's own scale.
        b: Output, right side, shape (7,).
        spread: Output, 7x7: sum over blocks of the outer product of their scores.
        stats: Output: gain, offset, scale of the residual, share of pixels kept, correlation, pixels,
            sum of the squared residuals, each cut off where its weight ends.
    """
    n = rows.shape[0]
    h[:, :] = 0.0
    b[:] = 0.0
    spread[:, :] = 0.0
    stats[:] = 0.0
    stats[5] = n
    if n < 24:
        return
    low, high = 1.0, 0.0
    for i in range(n):
        low, high = min(low, rows[i, 7]), max(high, rows[i, 7])
    # First guess of gain and offset from the medians of what should be lightest and darkest: fingers and
    # glare over less than half of either do not shift it.
    white, black = np.empty(n), np.empty(n)
    whites, blacks, mean_white, mean_black = 0, 0, 0.0, 0.0
    for i in range(n):
        share = (rows[i, 7] - low) / (high - low + 1e-9)
        if share > 0.75:
            white[whites] = rows[i, 8]
            mean_white += rows[i, 7]
            whites += 1
        elif share < 0.25:
            black[blacks] = rows[i, 8]
            mean_black += rows[i, 7]
            blacks += 1
    if whites < 6 or blacks < 6:
        return
    mean_white, mean_black = mean_white / whites, mean_black / blacks
    dark = np.median(black[:blacks])
    gain = (np.median(white[:whites]) - dark) / (mean_white - mean_black)
    offset = dark - gain * mean_black
    weight, per_noise, r = np.empty(n), np.empty(n), np.empty(n)
    scale = 0.0
    for _ in range(2):
        if gain < MIN_CONTRAST:
            return
        for i in range(n):
            level = gain * rows[i, 7] + offset
            coded = 2.275 * max(level, 0.02) ** 0.5833 if srgb else 1.0
            per_noise[i] = 1.0 / math.sqrt(coded * coded + (EDGE_PX * gain) ** 2 * rows[i, 10])
            r[i] = abs(rows[i, 8] - level) * per_noise[i]
        middle = MEDIAN * np.median(r)
        scale = max(min(QUARTILE * np.quantile(r, 0.75), WIDER * middle), MIN_SCALE)
        s_rr, s_r, s_1, s_rl, s_l = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            t = r[i] / (TUKEY * scale)
            w = (1.0 - t * t) ** 2 * per_noise[i] ** 2 if t < 1.0 else 0.0
            weight[i] = w
            s_rr += w * rows[i, 7] * rows[i, 7]
            s_r += w * rows[i, 7]
            s_1 += w
            s_rl += w * rows[i, 7] * rows[i, 8]
            s_l += w * rows[i, 8]
        det = s_rr * s_1 - s_r * s_r
        if det <= 1e-9 * s_1 * s_1:
            return
        gain, offset = (s_rl * s_1 - s_l * s_r) / det, (s_rr * s_l - s_r * s_rl) / det
    if gain < MIN_CONTRAST:
        return

    full = np.zeros((9, 9))
    right = np.zeros(9)
    j = np.empty(9)
    cut = (TUKEY * scale) ** 2
    kept, m_r, m_l, m_rr, m_ll, m_rl = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        pattern, light = rows[i, 7], rows[i, 8]
        if weight[i] > 0.0:
            kept += 1.0
            m_r += pattern
            m_l += light
            m_rr += pattern * pattern
            m_ll += light * light
            m_rl += pattern * light
            w = weight[i] / (scale * scale)
            for p in range(7):
                j[p] = gain * rows[i, p]
            j[7], j[8] = pattern, 1.0
            e = light - gain * pattern - offset
            stats[6] += min((e * per_noise[i]) ** 2, cut)
            for p in range(9):
                wp = w * j[p]
                right[p] += wp * e
                for q in range(p, 9):
                    full[p, q] += wp * j[q]
        else:
            stats[6] += cut
    if kept < 12.0:
        return
    det = full[7, 7] * full[8, 8] - full[7, 8] * full[7, 8]
    shade = np.empty((2, 7))
    for p in range(7):
        shade[0, p] = (full[p, 7] * full[8, 8] - full[p, 8] * full[7, 8]) / det
        shade[1, p] = (full[p, 8] * full[7, 7] - full[p, 7] * full[7, 8]) / det
    for p in range(7):
        b[p] = right[p] - shade[0, p] * right[7] - shade[1, p] * right[8]
        for q in range(p, 7):
            h[p, q] = full[p, q] - shade[0, p] * full[q, 7] - shade[1, p] * full[q, 8]
            h[q, p] = h[p, q]
    stats[0], stats[1], stats[2], stats[3] = gain, offset, scale, kept / n
    var_r, var_l = m_rr - m_r * m_r / kept, m_ll - m_l * m_l / kept
    if var_r > 0.0 and var_l > 0.0:
        stats[4] = (m_rl - m_r * m_l / kept) / math.sqrt(var_r * var_l)
    if not blocks:
        return
    last = 0
    for i in range(n):
        last = max(last, int(rows[i, 9]))
    scores = np.zeros((last + 1, 7))
    for i in range(n):
        if weight[i] > 0.0:
            e = weight[i] / (scale * scale) * (rows[i, 8] - gain * rows[i, 7] - offset)
            k = int(rows[i, 9])
            for p in range(7):
                scores[k, p] += e * (gain * rows[i, p] - shade[0, p] * rows[i, 7] - shade[1, p])
    for k in range(last + 1):
        for p in range(7):
            for q in range(7):
                spread[p, q] += scores[k, p] * scores[k, q]


@compiled
def body_equations(
    light: np.ndarray,
    corner_px: np.ndarray,
    patterns: np.ndarray,
    plates: np.ndarray,
    lens: np.ndarray,
    centroid: np.ndarray,
    blur_px: float,
    margin: float,
    clear_px: float,
    srgb: bool,
    blocks: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`tag_rows` and `tag_equations` of several tags.

    Args:
        light: See `tag_rows`, as ``corner_px``, ``lens``, ``centroid``, ``blur_px``, ``margin``, ``clear_px``.
        corner_px: See `tag_rows`.
        patterns: Shape (n, side, side).
        plates: In the rgb frame, shape (n, 3, 3).
        lens: See `tag_rows`.
        centroid: See `tag_rows`.
        blur_px: See `tag_rows`.
        margin: See `tag_rows`.
        clear_px: See `tag_rows`.
        srgb: See `tag_equations`.
        blocks: See `tag_equations`.

    Returns:
        Per tag: ``h`` (n, 7, 7), ``b`` (n, 7), ``spread`` (n, 7, 7), ``stats`` (n, 7).
    """
    n = patterns.shape[0]
    h, b = np.zeros((n, 7, 7)), np.zeros((n, 7))
    spread, stats = np.zeros((n, 7, 7)), np.zeros((n, 7))
    for k in range(n):
        rows = tag_rows(
            light, corner_px, patterns[k], plates[k], lens, centroid, blur_px, margin, clear_px
        )
        tag_equations(rows, srgb, blocks, h[k], b[k], spread[k], stats[k])
    return h, b, spread, stats
