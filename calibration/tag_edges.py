"""Corners of tags where lines along their edges meet, for the soft edges of thermal pictures.

A threshold puts an edge nearer to the weaker side, and a tag on a board that is warmer at one end has four
different sides. Here each side is where the light changes most, whatever its two sides read, and tags that
were not read are looked for where the others say that they are.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.geometry import Bytes, Floats

_ALONG = np.linspace(0.12, 0.88, 25)
"""Where a side is crossed: its ends are rounded by heat that flows around them."""

_IN, _OUT, _CROSSED = 0.085, 0.125, 43
"""How far a crossing goes in and out, in sides, and where it is read: a module of the rim is 0.125 to 0.17 of
a side, and what lies inside of the rim must not be taken for the edge."""

_OF_GAP = 0.45
"""Share of the gap to the next tag that a crossing goes out at most."""

_RIM = 0.07
"""Sides by which a tag must stay inside the picture."""

_LEAST_CLEAR = 4

_CORE = 0.045
"""Half the stretch, in sides, whose middle of change is the edge."""

_ROUNDS = 3
_LEAST_STEP = 0.35
"""Least change of light over each side of a tag that was not read, by the median of those that were."""

_STRAIGHT = 0.02
"""Most that crossings of a side may be off its line, in sides (median)."""

_MOST_MOVED = 0.12
"""A corner that moves by more, in sides, was not one of this tag's."""


def edge_corners(
    grey: Bytes, quads: dict[int, Floats], corners_mm: Floats, *, gap: float
) -> dict[int, Floats]:
    """Refine the corners of tags that were read, and add those that were not.

    Args:
        grey: Picture, shape (h, w), either polarity.
        quads: Corners of the tags that were read, by tag, px, shape (4, 2) each; four tags or more.
        corners_mm: Of the whole board, four a tag, shape (4n, 3).
        gap: Narrowest gap between tags, in their sides.

    Returns:
        Corners by tag. Two ways of finding corners err differently, so they are not mixed: a tag whose edges
        are not clear is left out; where most are not, all keep the corners that they came with.
    """
    light = grey.astype(np.float32)
    across = np.linspace(-_IN, min(_OUT, _OF_GAP * gap), _CROSSED)
    found: dict[int, Floats] = {}
    steps: list[float] = []
    for tag, quad in quads.items():
        told = _refined(light, quad, across)
        if told is not None:
            found[tag] = told[0]
            steps.append(told[1])
    if len(found) < max(_LEAST_CLEAR, 0.5 * len(quads)):
        return quads
    typical = float(np.median(steps))
    order = sorted(found)
    at = np.concatenate([4 * tag + np.arange(4) for tag in order])
    over, _ = cv2.findHomography(corners_mm[at, :2], np.concatenate([found[tag] for tag in order]), 0)
    for tag in sorted(set(range(len(corners_mm) // 4)) - set(quads)):
        corners = corners_mm[4 * tag : 4 * tag + 4, :2].reshape(-1, 1, 2)
        quad = np.asarray(cv2.perspectiveTransform(corners, np.asarray(over, float)), float).reshape(4, 2)
        told = _refined(light, quad, across)
        if told is not None and told[1] * typical > 0.0 and abs(told[1]) > _LEAST_STEP * abs(typical):
            found[tag] = told[0]
    return found


def _refined(light: np.ndarray, quad: Floats, across: Floats) -> tuple[Floats, float] | None:
    """Corners where the sides' lines meet, and the weakest change of light over a side, outwards."""
    start, now = quad, quad
    side = float(np.mean(np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)))
    height, width = light.shape
    if np.any(quad < _RIM * side) or np.any(quad > np.array([width, height]) - 1.0 - _RIM * side):
        return None
    steps = np.zeros(4)
    for _ in range(_ROUNDS):
        lines = []
        for k in range(4):
            crossed = _line(light, now[k], now[(k + 1) % 4], now.mean(axis=0), side * across)
            if crossed is None:
                return None
            lines.append(crossed[0])
            steps[k] = crossed[1]
        met = np.array([_meet(lines[k - 1], lines[k]) for k in range(4)])
        if np.any(np.linalg.norm(met - start, axis=1) > _MOST_MOVED * side):
            return None
        now = met
    if np.any(steps * steps[0] <= 0.0):
        return None
    return now, float(steps[np.argmin(np.abs(steps))])


def _line(
    light: np.ndarray, a: Floats, b: Floats, middle: Floats, across: Floats
) -> tuple[tuple[Floats, Floats], float] | None:
    """A point of a side, its normal outwards, and the change of light over it; ``across`` is in px."""
    along = (b - a) / np.linalg.norm(b - a)
    out = np.array([along[1], -along[0]])
    if out @ (0.5 * (a + b) - middle) < 0.0:
        out = -out
    feet = a + _ALONG[:, None] * (b - a)
    at = feet[:, None, :] + across[None, :, None] * out
    x, y = at[..., 0].astype(np.float32), at[..., 1].astype(np.float32)
    seen = np.asarray(cv2.remap(light, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), float)
    slopes = np.diff(seen, axis=1)
    side = float(np.linalg.norm(b - a))
    between = 0.5 * (across[1:] + across[:-1])
    total = slopes.sum()
    rising = np.maximum(slopes * np.sign(total), 0.0)
    place = between[np.argmax(rising.mean(axis=0))] * np.ones(len(feet))
    for _ in range(4):
        near = rising * np.clip(1.5 - np.abs(between - place[:, None]) / (_CORE * side), 0.0, 1.0)
        weight = near.sum(axis=1)
        if np.any(weight <= 1e-6):
            return None
        place = (near @ between) / weight
    far = _ALONG * side
    slope, foot, off = 0.0, 0.0, place
    keep = np.ones(len(far), bool)
    for _ in range(3):
        slope, foot = np.polyfit(far[keep], place[keep], 1)
        off = np.abs(place - (foot + slope * far))
        keep = off <= max(3.0 * 1.4826 * float(np.median(off)), 1e-3)
    if float(np.median(off)) > _STRAIGHT * side:
        return None
    normal = out - slope * along
    return (a + foot * out, normal / np.linalg.norm(normal)), float(np.median(seen[:, -1] - seen[:, 0]))


def _meet(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> Floats:
    rows = np.array([one[1], other[1]])
    return np.asarray(np.linalg.solve(rows, np.array([one[1] @ one[0], other[1] @ other[0]])), float)
