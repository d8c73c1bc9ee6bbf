"""Compiled: a body of tags slides down to where its predicted picture lies over the one seen.

Gauss-Newton on the robust normal equations of `vision.tag_equations`, all rounds in one call. Number by
number where that reads as well: to assign, sort or choose from whole arrays costs seconds of compiling.
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from vision.tag_equations import body_equations, smallest

SEEN, HIDDEN = 0.3, 0.3
"""Least correlation and share of pixels of a tag that shows something of its pattern."""

MIN_MATCH = 0.6
"""Least correlation of a tag with its prediction: 0.97 and more where it sits right, 0.65 half a module
off."""

SURE_MATCH = 0.85
"""At least one tag must match so well: hidden ones and other things stay below 0.5."""

MOST_WRONG = 0.25
"""Most of a tag's modules that may show the wrong shade: 0.02 in recordings, 0.3 to 0.5 in another tag."""

MIN_KEPT = 0.5
"""Least share of a tag's pixels that look like it."""

STRAIGHT, MOST_PACE = 0.9, 4.0
"""Cosine between steps from which on they grow, and by how much at most."""

MOST_EQUAL = 2.5
"""A tag that fits worse than most by up to this factor counts as much as they do: 0.2 mm off its place.
Beyond, it counts less and less: partly hidden."""

WARM_PX = 0.05
"""Unless steps are to become smaller than this a tag's gain is carried on from round to round."""

NEAR_PX = 0.5
"""After a step smaller than this tags that do not match yet are taken to be hidden."""

BLUR_PX = (0.35, 3.5)
"""Blur is sought between these."""

MOST_BENT_PER_MM = 0.04
"""A tag on a cylinder of 25 mm radius: a child's wrist."""

LEFT_PX = 0.3
"""A last step longer than this found no rest: not a pose."""

MAX_STEP_PX = 6.0
"""Longest step: beyond about two modules the linearisation means nothing."""

MARGIN = 0.7
"""White border of a tag that is relied on, modules: the least that its dictionary's users print is 1."""

CLEAR_BLURS = 2.0
"""Blurs that a pixel must lie inside the plate: less than 2.5 % of its light comes from beyond."""

FOUND, NOTHING, RESTLESS = 0, 1, 2
"""How a descent ended: at rest; nothing in the picture looks like the tags; not at rest."""


@compiled
def rotated(v: np.ndarray) -> np.ndarray:
    """Rotation matrix of a rotation vector (Rodrigues)."""
    angle2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
    if angle2 < 1e-12:
        first, second = 1.0 - angle2 / 6.0, 0.5 - angle2 / 24.0
    else:
        angle = math.sqrt(angle2)
        first, second = math.sin(angle) / angle, (1.0 - math.cos(angle)) / angle2
    turn = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            turn[i, j] = second * v[i] * v[j]
        turn[i, i] += 1.0 - second * angle2
    turn[0, 1] -= first * v[2]
    turn[0, 2] += first * v[1]
    turn[1, 0] += first * v[2]
    turn[1, 2] -= first * v[0]
    turn[2, 0] -= first * v[1]
    turn[2, 1] += first * v[0]
    return turn


@compiled
def solved(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, bool]:
    """Solve a positive definite system (Cholesky); False where it is not one."""
    n = len(right)
    low, x = np.zeros((n, n)), np.empty(n)
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= low[i, k] * low[j, k]
            if i == j:
                if not rest > 0.0:
                    return x, False
                low[i, i] = math.sqrt(rest)
            else:
                low[i, j] = rest / low[j, j]
    for i in range(n):
        rest = right[i]
        for k in range(i):
            rest -= low[i, k] * x[k]
        x[i] = rest / low[i, i]
    for i in range(n - 1, -1, -1):
        rest = x[i]
        for k in range(i + 1, n):
            rest -= low[k, i] * x[k]
        x[i] = rest / low[i, i]
    return x, True


@compiled
def way_px(
    motion: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    point_mm: np.ndarray,
    centroid: np.ndarray,
    lens: np.ndarray,
) -> tuple[float, float]:
    """Way of a point of the body in the picture during a small motion about a centroid (rgb frame)."""
    x = rotation[0] @ point_mm + translation[0]
    y = rotation[1] @ point_mm + translation[1]
    z = max(rotation[2] @ point_mm + translation[2], 1.0)
    a, b, c = x - centroid[0], y - centroid[1], z - centroid[2]
    dx = motion[1] * c - motion[2] * b + motion[3]
    dy = motion[2] * a - motion[0] * c + motion[4]
    dz = motion[0] * b - motion[1] * a + motion[5]
    return lens[0] * (dx - x / z * dz) / z, lens[1] * (dy - y / z * dz) / z


@compiled
def descend(
    light: np.ndarray,
    corner_px: np.ndarray,
    patterns: np.ndarray,
    plates: np.ndarray,
    middles_mm: np.ndarray,
    centroid_mm: np.ndarray,
    lever_mm: float,
    rotation: np.ndarray,
    translation: np.ndarray,
    lens: np.ndarray,
    expected: np.ndarray,
    prior: np.ndarray,
    smear: np.ndarray,
    srgb: bool,
    fine: bool,
    rounds: int,
    done_px: float,
) -> tuple[
    int,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    float,
]:
    """Move the body until its steps are small.

    Args:
        light: See `vision.tag_picture.tag_rows`.
        corner_px: See there.
        patterns: Of the tags that face the camera, shape (n, side, side).
        plates: Theirs, body frame, shape (n, 3, 3).
        middles_mm: Their middles, body frame, shape (n, 3).
        centroid_mm: About which motions turn, body frame, shape (3,).
        lever_mm: Radius that turns radians into a motion in the picture.
        rotation: Start, rgb from body, shape (3, 3).
        translation: Likewise, mm, shape (3,).
        lens: See `tag_rows`.
        expected: Of motion (0), blur (px) and bend (per mm), where the start has its own, shape (m,).
        prior: Information of it, shape (m,).
        smear: Motion of the body while the shutter was open, shape (6,).
        srgb: Whether the picture's numbers were gamma-coded.
        fine: The last descent: it must come to rest on tags that match.
        rounds: Most steps.
        done_px: A smaller step is the last.

    Returns:
        How it ended; rotation and translation; blur, then bend; which tags the pose rests on (n,); their
        information (n, m, m), score at the end (n, m), spread (n, m, m) and stats (n, 8) as in
        `vision.alignment.Aligned`; size of the last step in px.
    """
    n, m = len(patterns), len(prior)
    expected, prior = expected.copy(), prior.copy()
    free = expected[6:].copy()
    rotation, translation = rotation.copy(), translation.copy()
    h, b = np.zeros((n, m, m)), np.zeros((n, m))
    spread, stats = np.zeros((n, m, m)), np.zeros((n, 8))
    good, strict = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    before, before_px, pace, step_px = np.zeros(m), np.inf, 1.0, np.inf
    afresh, warm = np.zeros((n, 8)), done_px >= WARM_PX
    ways, placed, scales = np.zeros((n, 2)), np.empty((n, 3, 3)), np.empty(n)
    smeared = bool(np.any(smear != 0.0))
    status = NOTHING
    while True:
        centroid = rotation @ centroid_mm + translation
        for k in range(n):
            for p in range(3):
                for q in range(3):
                    placed[k, p, q] = 0.0
                    for i in range(3):
                        placed[k, p, q] += rotation[p, i] * plates[k, i, q]
                placed[k, p, 2] += translation[p]
            if smeared:
                ways[k, 0], ways[k, 1] = way_px(smear, rotation, translation, middles_mm[k], centroid, lens)
        clear_px = (CLEAR_BLURS if fine else 1.0) * free[0]
        h, b, spread, stats = body_equations(
            light,
            corner_px,
            patterns,
            placed,
            free[1:],
            lens,
            centroid,
            free[0],
            MARGIN,
            clear_px,
            srgb,
            fine,
            ways,
            stats if warm else afresh,
        )
        # On the way every tag that shows something of its pattern helps; at rest only those that match.
        goods, stricts = 0, 0
        for k in range(n):
            good[k] = stats[k, 4] >= SEEN and stats[k, 3] >= HIDDEN
            strict[k] = stats[k, 4] >= MIN_MATCH and stats[k, 3] >= MIN_KEPT and stats[k, 7] <= MOST_WRONG
            goods += good[k]
            stricts += strict[k]
        matched = True
        for k in range(n):
            if step_px < NEAR_PX and stricts > 0:
                good[k] = strict[k]
            matched = matched and good[k] == strict[k]
        if step_px < NEAR_PX and stricts > 0:
            goods = stricts
        if goods == 0:
            break
        # Tags that sit a little off must pull against each other: no tag counts less only because it fits
        # worse.
        count = 0
        for k in range(n):
            if good[k]:
                scales[count] = stats[k, 2]
                count += 1
        usual = smallest(scales, count, (count - 1) // 2)
        total, right = np.zeros((m, m)), np.zeros(m)
        for k in range(n):
            scale = stats[k, 2] / usual
            equal = max(scale, 1.0) ** 2 / max(scale / MOST_EQUAL, 1.0) ** 4
            for p in range(m):
                b[k, p] *= equal
                right[p] += b[k, p] if good[k] else 0.0
                for q in range(m):
                    h[k, p, q] *= equal
                    spread[k, p, q] *= equal * equal
                    total[p, q] += h[k, p, q] if good[k] else 0.0
        for p in range(m):
            total[p, p] = (total[p, p] + prior[p]) * (1.0 + 1e-6)
        for p in range(6, m):
            right[p] += prior[p] * (expected[p] - free[p - 6])
        move, fine_system = solved(total, right)
        if not fine_system:
            break
        turned_mm2 = (move[0] ** 2 + move[1] ** 2 + move[2] ** 2) * lever_mm**2
        step_px = lens[0] / centroid[2] * math.sqrt(turned_mm2 + move[3] ** 2 + move[4] ** 2)
        if not math.isfinite(step_px):
            break
        # Weights that follow the residuals make some descents slow and straight: those gather pace.
        along, back = total @ move, total @ before
        straight = move @ back / math.sqrt(max((move @ along) * (before @ back), 1e-30))
        slow = straight > STRAIGHT and step_px > 0.5 * before_px
        pace = min(2.0 * pace, MOST_PACE) if slow else 1.0
        before, before_px = move, step_px
        shrink = min(pace, MAX_STEP_PX / max(step_px, 1e-9))
        turn = rotated(shrink * move[:3])
        translation = turn @ (translation - centroid) + centroid + shrink * move[3:6]
        rotation = turn @ rotation
        wanted_px = free[0] + shrink * move[6]
        free[0] = min(max(wanted_px, BLUR_PX[0]), BLUR_PX[1])
        if free[0] != wanted_px:  # sharpened by the camera, or far out of focus: no longer a free quantity
            prior[6], expected[6] = 1e12, free[0]
        for p in range(7, m):
            free[p - 6] = min(max(free[p - 6] + shrink * move[p], -MOST_BENT_PER_MM), MOST_BENT_PER_MM)
        if (rotation @ centroid_mm + translation)[2] < 1.0:
            break
        rounds -= 1
        if rounds == 0 or (step_px < done_px and (matched or not fine)):
            best = 0.0
            for k in range(n):
                for p in range(m):
                    for q in range(m):
                        b[k, p] -= h[k, p, q] * (shrink * move[q])
                if good[k]:
                    best = max(best, stats[k, 4])
            rests = not fine or (matched and step_px < LEFT_PX and best >= SURE_MATCH)
            status = FOUND if rests else RESTLESS
            break
    return status, rotation, translation, free, good, h, b, spread, stats, step_px
