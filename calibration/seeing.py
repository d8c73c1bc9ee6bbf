"""How good one picture of a board is: sharp, lit, still. Judged at the board's own edges, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from calibration.board import Board, BoardView
from models.geometry import Bytes, Floats

BLURRED_SHARE = 1.7 / 1280.0
"""1 sigma of an edge, as a share of the picture's width, from which corners are told to be soft: a sharp lens
leaves 0.6 to 1 px of 1280; twice that doubles the noise of the corners."""

SMEARED = 1.6
"""Edges across the motion are wider than those along it by so much where a picture is smeared; a lens out of
focus widens all alike."""

CLIPPED = 252
"""Numbers from here on are taken for the end of the scale."""

MOST_CLIPPED = 0.6
"""Of the light places beside edges: from here on white runs over into black, and tags look smaller."""

LEAST_CONTRAST = 45.0
"""Light minus dark side of an edge, of 255. Corners of flat pictures are noisier in proportion."""

STILL_SHARE = 0.01
"""Of the picture's width a second: at an exposure of 1/50 s a smear of 0.25 px of 1280. A still hand
drifts by 2 to 5 mm a second, which is 0.3 to 0.8 % at half a metre."""

HOLD_S = 0.35
"""So long it must have been still: cameras' stamps differ by up to 0.1 s, thermal ones by more."""

_REACH_MM = 3.0
_SAMPLES = 25
_MOST_EDGES = 40


@dataclass(frozen=True)
class Quality:
    """Of one picture of a board."""

    blur_px: float
    """1 sigma of the edges."""
    smear: float
    """Widest way by narrowest way: 1 = alike in all directions."""
    contrast: float
    """Light minus dark side, of 255."""
    clipped: float
    """Share of the light sides at the end of the scale."""

    def complaint(self, *, width_px: int) -> str | None:
        """What to do about it, where it is not good enough."""
        if self.contrast < LEAST_CONTRAST:
            return "Too dark or too flat: give more light."
        if self.clipped > MOST_CLIPPED:
            return "Too bright: white runs over. Less light, or a shorter exposure."
        if self.blur_px > BLURRED_SHARE * max(width_px, 640):
            if self.smear > SMEARED:
                return "Smeared by motion: hold it still, or give more light."
            return "Out of focus: set and lock the focus, or clean the lens."
        return None


def quality_of(grey: Bytes, view: BoardView, board: Board) -> Quality | None:
    """Measure a picture at the edges of its board.

    Args:
        grey: Picture, shape (h, w).
        view: Corners found in it.
        board: What was seen.

    Returns:
        None where no edge lies wholly in the picture.
    """
    ends_mm, across_mm = _edges_mm(view, board)
    if len(ends_mm) == 0:
        return None
    plane = board.corners_mm[view.ids][:, :2]
    over, _ = cv2.findHomography(plane, view.corners_px, 0)
    if over is None:
        return None
    offsets = np.linspace(-1.0, 1.0, _SAMPLES) * _REACH_MM
    samples_mm = ends_mm[:, None, :] + offsets[None, :, None] * across_mm[:, None, :]
    px = np.asarray(cv2.perspectiveTransform(samples_mm.reshape(1, -1, 2), np.asarray(over, float)), float)
    px = px.reshape(len(ends_mm), _SAMPLES, 2)
    height, width = grey.shape
    inside = np.all((px > 1.0) & (px < (width - 2.0, height - 2.0)), axis=(1, 2))
    px = px[inside]
    if len(px) == 0:
        return None
    light = np.asarray(map_coordinates(grey.astype(np.float32), [px[..., 1], px[..., 0]], order=1), float)
    step_px = np.linalg.norm(px[:, -1] - px[:, 0], axis=1) / (_SAMPLES - 1)
    high, low = light.max(axis=1), light.min(axis=1)
    slope = np.abs(light[:, 2:] - light[:, :-2]).max(axis=1) / (2.0 * step_px)
    sigma = (high - low) / np.maximum(slope, 1e-6) / np.sqrt(2.0 * np.pi)
    way = np.arctan2(px[:, -1, 1] - px[:, 0, 1], px[:, -1, 0] - px[:, 0, 0])
    by_way = [float(np.median(sigma[near])) for near in _ways(way) if near.sum() >= 3]
    return Quality(
        blur_px=float(np.median(sigma)) if not by_way else max(by_way),
        smear=max(by_way) / max(min(by_way), 0.3) if len(by_way) > 1 else 1.0,
        contrast=float(np.median(high - low)),
        clipped=float(np.mean(high >= CLIPPED)),
    )


def _ways(way: Floats) -> list[np.ndarray]:
    """Edges by their direction in the picture, two families square to each other."""
    doubled = np.exp(4j * way)  # both families of a grid fall together
    grid = np.angle(doubled.mean()) / 4.0
    turned = np.cos(2.0 * (way - grid))
    return [turned > 0.0, turned <= 0.0]


def _edges_mm(view: BoardView, board: Board) -> tuple[Floats, Floats]:
    """Middles of edges between neighbouring corners that were seen, and the way across, shape (n, 2) each."""
    seen = set(view.ids.tolist())
    pairs: list[tuple[int, int]] = []
    if board.kind == "tags":
        for tag in sorted({k // 4 for k in seen}):
            corners = [4 * tag + k for k in range(4)]
            pairs += [(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
    else:
        for k in sorted(seen):
            if (k + 1) % board.columns and k + 1 in seen:
                pairs.append((k, k + 1))
            if k + board.columns in seen:
                pairs.append((k, k + board.columns))
    pairs = [(a, b) for a, b in pairs if a in seen and b in seen]
    pairs = pairs[:: max(1, len(pairs) // _MOST_EDGES)]
    if not pairs:
        return np.zeros((0, 2)), np.zeros((0, 2))
    first, last = (board.corners_mm[[pair[k] for pair in pairs]][:, :2] for k in (0, 1))
    along = (last - first) / np.linalg.norm(last - first, axis=1, keepdims=True)
    return (first + last) / 2.0, np.stack([-along[:, 1], along[:, 0]], axis=1)


def motion_px_s(before: BoardView, now: BoardView, *, dt_s: float) -> float:
    """How fast the corners moved that both views hold, root mean square; inf where they share none."""
    both = np.intersect1d(before.ids, now.ids)
    if len(both) == 0 or not dt_s > 0.0:
        return float("inf")
    a = before.corners_px[np.searchsorted(before.ids, both)]
    b = now.corners_px[np.searchsorted(now.ids, both)]
    return float(np.sqrt(np.mean(np.sum((a - b) ** 2, axis=1)))) / dt_s
