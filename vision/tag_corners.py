"""Finding the corners of square tags in linear light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Bytes, Floats, Ints, frozen
from vision.fiducials import TagBody, Window, aruco_dictionary
from vision.tag_picture import RIM

WIDEN_PX = (0.0, 0.6, 1.2)
"""Outlines of tags are found up to a pixel inside the true ones: bright surroundings bloom."""

BRIGHTEST, WHITE = 0.9995, 380.0
"""The light that this share of the pixels stays below becomes this number of 255: tags may be less than a
hundredth of the picture, and white that clips costs nothing. Measured on drawn and simulated pictures: 100 %
of the tags, against 75 % (lone tags) without clipping and 67 % (skin tags) at the 99.5 % point."""

LEAST_READ = 0.65
"""Least correlation of a reading with the tag: sharp tags of 25 px reach 0.95, other things seldom 0.5."""

LEAST_LEAD = 0.12
"""By so much the tag must lead every other one."""

APART_PX = 6.0
"""Readings of one tag farther apart than this are of two things."""


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners of the tags found."""

    tags: Ints
    """Index of each into the body's tags, shape (k,)."""
    corners_px: Floats
    """Pixels of the colour picture, shape (k, 4, 2)."""


@lru_cache(maxsize=16)
def _quads(dictionary: str) -> cv2.aruco.ArucoDetector:
    """Finds dark quadrangles; what is in them is read by `_read`."""
    return cv2.aruco.ArucoDetector(aruco_dictionary(dictionary), cv2.aruco.DetectorParameters())


@lru_cache(maxsize=16)
def _turned_patterns(body: TagBody) -> Floats:
    """Patterns as they would be read from each corner, normalised, shape (4, n, modules squared)."""
    own = body.patterns[:, RIM:-RIM, RIM:-RIM]
    turned = np.stack([np.rot90(own, k, axes=(1, 2)).reshape(len(own), -1) for k in range(4)])
    turned = turned - turned.mean(axis=-1, keepdims=True)
    return frozen(turned / np.linalg.norm(turned, axis=-1, keepdims=True))


def find_corners(window: Window, body: TagBody) -> Corners:
    """Find the body's tags in a window, in linear light.

    Quadrangles are found by OpenCV's aruco and read here: the light at the modules' centres is correlated
    with the patterns looked for, for the outline as found and a little wider, as bright surroundings make it
    shrink. Tags of 20 pixels are read in most pictures, where a decision bit by bit reads one in ten.

    Args:
        window: Linear light.
        body: What to look for; other tags are not seen.
    """
    light = window.light
    white = float(np.quantile(light[::3, ::3], BRIGHTEST))
    picture = np.minimum(light * (WHITE / max(white, 0.02)), 255.0).astype(np.uint8)
    found, _, rejected = _quads(body.dictionary).detectMarkers(picture)
    quads = np.asarray([*found, *rejected], float).reshape(-1, 4, 2)
    if len(quads) == 0:
        return Corners(np.zeros(0, np.int64), np.zeros((0, 4, 2)))
    tags, corners, scores = _read(picture, quads, body)
    # The best reading of each tag. Two good readings apart from each other: neither is believed.
    kept: list[int] = []
    for tag in np.unique(tags):
        own = np.flatnonzero(tags == tag)
        best = own[np.argmax(scores[own])]
        away_px = np.linalg.norm(corners[own].mean(axis=1) - corners[best].mean(axis=0), axis=-1)
        if not np.any((away_px > APART_PX) & (scores[own] > scores[best] - LEAST_LEAD)):
            kept.append(int(best))
    return Corners(tags[kept], corners[kept] + window.corner_px)


def _read(picture: Bytes, quads: Floats, body: TagBody) -> tuple[Ints, Floats, Floats]:
    """Tags, corners and correlations of those quadrangles that hold a tag of the body."""
    centre = quads.mean(axis=1, keepdims=True)
    size = np.linalg.norm(quads - centre, axis=-1, keepdims=True)
    wider = np.stack([centre + (quads - centre) * (1.0 + widen / size) for widen in WIDEN_PX], axis=1)
    modules = body.modules
    at = (np.arange(modules) + 0.5) / modules
    grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    x, y = _in_quads(wider.reshape(-1, 4, 2), grid)
    light = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(float)
    light -= light.mean(axis=1, keepdims=True)
    light /= np.maximum(np.linalg.norm(light, axis=1, keepdims=True), 1e-6)
    score = np.einsum("qm,rtm->qrt", light, _turned_patterns(body))
    score = score.reshape(len(quads), len(WIDEN_PX), 4, len(body.ids))
    flat = score.reshape(len(quads), -1)
    best = flat.argmax(axis=1)
    widen, turn, tag = np.unravel_index(best, score.shape[1:])
    value = flat.max(axis=1)
    others = score.max(axis=(1, 2))
    others[np.arange(len(quads)), tag] = -1.0
    good = np.flatnonzero((value >= LEAST_READ) & (value - others.max(axis=1) >= LEAST_LEAD))
    corners = np.zeros((len(good), 4, 2))
    for row, k in enumerate(good):
        corners[row] = np.roll(wider[k, widen[k]], int(turn[k]), axis=0)
    return tag[good].astype(np.int64), corners, value[good]


def _in_quads(quads: Floats, grid: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points of the unit square, shape (m, 2), in each quadrangle in perspective: x and y of shape (n, m)."""
    a, b, c, d = (quads[:, k] for k in range(4))
    across, back = b - c, d - c
    total = a - b + c - d
    det = across[:, 0] * back[:, 1] - across[:, 1] * back[:, 0]
    det = np.where(np.abs(det) < 1e-9, 1e-9, det)
    g = (total[:, 0] * back[:, 1] - total[:, 1] * back[:, 0]) / det
    h = (across[:, 0] * total[:, 1] - across[:, 1] * total[:, 0]) / det
    u, v = grid[:, 0], grid[:, 1]
    by = g[:, None] * u + h[:, None] * v + 1.0
    by = np.where(np.abs(by) < 1e-6, 1e-6, by)
    along, down = b - a + g[:, None] * b, d - a + h[:, None] * d
    x = (along[:, :1] * u + down[:, :1] * v + a[:, :1]) / by
    y = (along[:, 1:] * u + down[:, 1:] * v + a[:, 1:]) / by
    return x.astype(np.float32), y.astype(np.float32)
