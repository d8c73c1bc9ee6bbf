"""How a tag in the picture pulls on the pose of its body: robust normal equations from predicted pixels."""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from vision.tag_picture import ACROSS, BENT, BLOCK, DOWN, LIGHT, PATTERN, RIGID, RIM, SLOPE2, tag_rows

TUKEY = 4.7
"""Residuals beyond so many robust standard deviations weigh nothing (95 % efficiency for normal noise)."""

EDGE_PX = 5.0
"""Noise of a pixel grows by so many times the slope of the light there (per scale of the residual): coding
errs most at edges, and tags that sit 0.1 mm off must pull against each other, not be left out."""

MEDIAN, QUARTILE, WIDER = 1.4826, 0.8693, 1.8
"""1 / the 50 and 75 % points of the absolute value of a standard normal number, and how much larger the
latter may make the scale. The median alone is not enough: flat parts of a tag always fit, and it would make
outliers of all the edges of one that is 0.2 mm off. The 75 % point alone is too much where a finger hides a
third."""

MIN_SCALE = 1e-3
"""Least scale of the residual: rounding to 8 bits, 1 / 255 / sqrt(12)."""

MIN_CONTRAST = 0.01
"""Least light between white and black: below, rounding to 8 bits leaves no pattern."""

CODED = 2.275 * np.maximum((np.arange(257) + 0.5) / 256.0, 0.02) ** 0.5833
"""Light per 8-bit number at a level of light, for the gamma of sRGB (IEC 61966-2-1, its straight part left
out): noise of a number is that much noise of light."""


@compiled
def smallest(values: np.ndarray, n: int, k: int) -> float:
    """The k-th smallest (from 0) of the first n values, which it reorders (Hoare's selection)."""
    low, high = 0, n - 1
    while low < high:
        middle = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < middle:
                i += 1
            while values[j] > middle:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]


@compiled
def _shade(rows: np.ndarray, weight: np.ndarray, gain: float, offset: float) -> None:
    """Let light change steadily across a bent tag: pattern and derivatives are scaled in place."""
    aa, ab, bb, ar, br = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(rows.shape[0]):
        level = gain * rows[i, PATTERN]
        e = rows[i, LIGHT] - level - offset
        a, b = level * rows[i, ACROSS], level * rows[i, DOWN]
        aa += weight[i] * a * a
        ab += weight[i] * a * b
        bb += weight[i] * b * b
        ar += weight[i] * a * e
        br += weight[i] * b * e
    det = aa * bb - ab * ab
    if det <= 1e-12:
        return
    across = min(max((ar * bb - br * ab) / det, -0.5), 0.5)
    down = min(max((br * aa - ar * ab) / det, -0.5), 0.5)
    for i in range(rows.shape[0]):
        factor = 1.0 + across * rows[i, ACROSS] + down * rows[i, DOWN]
        rows[i, PATTERN] *= factor
        for p in range(BENT):
            rows[i, p] *= factor


@compiled
def _first_guess(rows: np.ndarray) -> tuple[float, float]:
    """Gain and offset from the medians of what should be lightest and darkest, 0 where there is neither.

    Fingers and glare over less than half of either do not shift it.
    """
    n = rows.shape[0]
    low, high = 1.0, 0.0
    for i in range(n):
        low, high = min(low, rows[i, PATTERN]), max(high, rows[i, PATTERN])
    white, black = np.empty(n), np.empty(n)
    whites, blacks, mean_white, mean_black = 0, 0, 0.0, 0.0
    for i in range(n):
        share = (rows[i, PATTERN] - low) / (high - low + 1e-9)
        if share > 0.75:
            white[whites] = rows[i, LIGHT]
            mean_white += rows[i, PATTERN]
            whites += 1
        elif share < 0.25:
            black[blacks] = rows[i, LIGHT]
            mean_black += rows[i, PATTERN]
            blacks += 1
    if whites < 6 or blacks < 6:
        return 0.0, 0.0
    mean_white, mean_black = mean_white / whites, mean_black / blacks
    dark = smallest(black, blacks, blacks // 2)
    gain = (smallest(white, whites, whites // 2) - dark) / (mean_white - mean_black)
    return gain, dark - gain * mean_black


@compiled
def tag_equations(
    rows: np.ndarray,
    side: int,
    srgb: bool,
    blocks: bool,
    warm: bool,
    h: np.ndarray,
    b: np.ndarray,
    spread: np.ndarray,
    stats: np.ndarray,
) -> None:
    """Robust normal equations of one tag, its gain and offset solved out.

    Residuals are weighted as noise of the 8-bit numbers, which is even there and not in light. Tukey
    weights leave out what does not look like the tag: fingers, frost, glare.

    Args:
        rows: From `tag_rows`.
        side: Modules along the tag's side, its rim included.
        srgb: Whether numbers are gamma-coded light.
        blocks: Also sum the scores by block into ``spread``.
        warm: Gain and offset in ``stats`` are those of the round before and near enough to begin with.
        h: Output, m x m with m = `RIGID` or `BENT`: pose, blur, bend, in units of the residual's own scale.
        b: Output, right side, shape (m,).
        spread: Output, m x m: sum over blocks of the outer product of their scores.
        stats: Output: gain, offset, scale of the residual, share of pixels kept, correlation, pixels,
            sum of the squared residuals, each cut off where its weight ends, share of the pixels within the
            tag's modules that are light where they should be dark or the other way round.
    """
    n = rows.shape[0]
    gain, offset = stats[0], stats[1]
    h[:, :] = 0.0
    b[:] = 0.0
    spread[:, :] = 0.0
    stats[:] = 0.0
    stats[5] = n
    if n < 24:
        return
    warm = warm and gain >= MIN_CONTRAST and h.shape[0] == RIGID
    if not warm:
        gain, offset = _first_guess(rows)
    weight, per_noise, r, order = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    scale = 0.0
    for turn in range(1 if warm else 2):
        if gain < MIN_CONTRAST:
            return
        for i in range(n):
            level = gain * rows[i, PATTERN] + offset
            coded = CODED[min(max(int(level * 256.0), 0), 256)] if srgb else 1.0
            per_noise[i] = 1.0 / math.sqrt(coded * coded + (EDGE_PX * gain) ** 2 * rows[i, SLOPE2])
            r[i] = abs(rows[i, LIGHT] - level) * per_noise[i]
            order[i] = r[i]
        middle = MEDIAN * smallest(order, n, n // 2)
        scale = max(min(QUARTILE * smallest(order, n, 3 * n // 4), WIDER * middle), MIN_SCALE)
        s_rr, s_r, s_1, s_rl, s_l = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            t = r[i] / (TUKEY * scale)
            w = (1.0 - t * t) ** 2 * per_noise[i] ** 2 if t < 1.0 else 0.0
            weight[i] = w
            s_rr += w * rows[i, PATTERN] * rows[i, PATTERN]
            s_r += w * rows[i, PATTERN]
            s_1 += w
            s_rl += w * rows[i, PATTERN] * rows[i, LIGHT]
            s_l += w * rows[i, LIGHT]
        det = s_rr * s_1 - s_r * s_r
        if det <= 1e-9 * s_1 * s_1:
            return
        gain, offset = (s_rl * s_1 - s_l * s_r) / det, (s_rr * s_l - s_r * s_rl) / det
        if turn == 0 and h.shape[0] == BENT:
            _shade(rows, weight, gain, offset)
    if gain < MIN_CONTRAST:
        return

    m = h.shape[0]
    table = np.empty((n, m + 3))
    cut = (TUKEY * scale) ** 2
    kept, m_r, m_l, m_rr, m_ll, m_rl = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    told, wrong = 0, 0
    within = 1.0 - 2.0 / side
    half = 0.5 * gain + offset
    for i in range(n):
        pattern, light = rows[i, PATTERN], rows[i, LIGHT]
        # The rim is black in every tag: only what is within it tells one from another.
        if (pattern > 0.7 or pattern < 0.3) and abs(rows[i, ACROSS]) < within and abs(rows[i, DOWN]) < within:
            told += 1
            if (pattern > 0.5) != (light > half):
                wrong += 1
        if weight[i] > 0.0:
            m_r += pattern
            m_l += light
            m_rr += pattern * pattern
            m_ll += light * light
            m_rl += pattern * light
            root = math.sqrt(weight[i]) / scale
            e = light - gain * pattern - offset
            stats[6] += min((e * per_noise[i]) ** 2, cut)
            for p in range(m):
                table[kept, p] = root * gain * rows[i, p]
            table[kept, m], table[kept, m + 1], table[kept, m + 2] = root * pattern, root, root * e
            kept += 1
        else:
            stats[6] += cut
    if kept < 12:
        return
    full = np.dot(table[:kept].T, table[:kept])
    right = full[:, m + 2]
    g, o = m, m + 1
    det = full[g, g] * full[o, o] - full[g, o] * full[g, o]
    shade = np.empty((2, m))
    for p in range(m):
        shade[0, p] = (full[p, g] * full[o, o] - full[p, o] * full[g, o]) / det
        shade[1, p] = (full[p, o] * full[g, g] - full[p, g] * full[g, o]) / det
    for p in range(m):
        b[p] = right[p] - shade[0, p] * right[g] - shade[1, p] * right[o]
        for q in range(p, m):
            h[p, q] = full[p, q] - shade[0, p] * full[q, g] - shade[1, p] * full[q, o]
            h[q, p] = h[p, q]
    stats[7] = wrong / told if told > 0 else 1.0
    stats[0], stats[1], stats[2], stats[3] = gain, offset, scale, kept / n
    var_r, var_l = m_rr - m_r * m_r / kept, m_ll - m_l * m_l / kept
    if var_r > 0.0 and var_l > 0.0:
        stats[4] = (m_rl - m_r * m_l / kept) / math.sqrt(var_r * var_l)
    if not blocks:
        return
    last = 0
    for i in range(n):
        last = max(last, int(rows[i, BLOCK]))
    scores = np.zeros((last + 1, m))
    for i in range(n):
        if weight[i] > 0.0:
            e = weight[i] / (scale * scale) * (rows[i, LIGHT] - gain * rows[i, PATTERN] - offset)
            k = int(rows[i, BLOCK])
            for p in range(m):
                scores[k, p] += e * (gain * rows[i, p] - shade[0, p] * rows[i, PATTERN] - shade[1, p])
    for k in range(last + 1):
        for p in range(m):
            for q in range(m):
                spread[p, q] += scores[k, p] * scores[k, q]


@compiled
def body_equations(
    light: np.ndarray,
    corner_px: np.ndarray,
    patterns: np.ndarray,
    plates: np.ndarray,
    bend: np.ndarray,
    lens: np.ndarray,
    centroid: np.ndarray,
    blur_px: float,
    margin: float,
    clear_px: float,
    srgb: bool,
    blocks: bool,
    smear_px: np.ndarray,
    before: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`tag_rows` and `tag_equations` of several tags.

    Args:
        light: See `tag_rows`.
        corner_px: See `tag_rows`.
        patterns: Shape (n, side, side).
        plates: In the rgb frame, shape (n, 3, 3).
        bend: See `tag_rows`; the same for all.
        lens: See `vision.tag_rays.lens_of`.
        centroid: See `tag_rows`.
        blur_px: See `tag_rows`.
        margin: See `tag_rows`.
        clear_px: See `tag_rows`.
        srgb: See `tag_equations`.
        blocks: See `tag_equations`.
        smear_px: See `tag_rows`, shape (n, 2).
        before: ``stats`` of the round before, shape (n, 8); zeros in the first, or to begin afresh.

    Returns:
        Per tag: ``h`` (n, m, m), ``b`` (n, m), ``spread`` (n, m, m), ``stats`` (n, 8).
    """
    n = patterns.shape[0]
    m = RIGID if bend.shape[0] == 0 else BENT
    h, b = np.zeros((n, m, m)), np.zeros((n, m))
    spread, stats = np.zeros((n, m, m)), before.copy()
    for k in range(n):
        rows = tag_rows(
            light,
            corner_px,
            patterns[k],
            plates[k],
            bend,
            lens,
            centroid,
            blur_px,
            margin,
            clear_px,
            smear_px[k],
        )
        tag_equations(rows, patterns.shape[1] - 2 * RIM, srgb, blocks, True, h[k], b[k], spread[k], stats[k])
    return h, b, spread, stats
