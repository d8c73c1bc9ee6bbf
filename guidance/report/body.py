"""Maps in place: the cells drawn on the poster picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from guidance.outcome import Poster
from guidance.overlay.palette import AMBER, VERMILLION, WHITE, Rgb, bgr
from guidance.report.grid import CellGrid, stripes_of
from guidance.report.maps import CellPaint
from guidance.report.markup import jpeg
from models.geometry import Bools, Bytes, Floats

Ints32 = NDArray[np.int32]
BODY_WIDTH_PX = 900
"""Width of a map in place: about twice the width at which it is shown."""
LEAST_ASPECT = 0.7
"""A crop is at least so high for its width, and so wide for its height: a limb lying across stays legible."""


def body_crop(poster: Poster) -> tuple[int, int, int, int] | None:
    """The part of the poster that holds all cells, with some room (left, top, right, bottom)."""
    if poster.corner_px is None:
        return None
    points = poster.corner_px.reshape(-1, 2)
    points = points[np.isfinite(points).all(1)]
    height, width = poster.bgr.shape[:2]
    points = points[(points > -0.5 * max(height, width)).all(1) & (points < 1.5 * max(height, width)).all(1)]
    if not len(points):
        return None
    low, high = np.clip(points.min(0), 0, [width, height]), np.clip(points.max(0), 0, [width, height])
    room = 0.18 * float(max(high - low)) + 10.0
    middle, half = (low + high) / 2.0, (high - low) / 2.0 + room
    half = np.maximum(half, half[::-1] * LEAST_ASPECT)
    x0, y0 = np.clip(middle - half, 0, [width, height]).astype(int).tolist()
    x1, y1 = np.clip(middle + half, 0, [width, height]).astype(int).tolist()
    return (x0, y0, x1, y1) if x1 - x0 > 20 and y1 - y0 > 20 else None


def body_picture(
    poster: Poster,
    paint: CellPaint,
    *,
    grid: CellGrid,
    crop: tuple[int, int, int, int],
    cover: float,
    width_px: int = BODY_WIDTH_PX,
    hidden: Bools | None = None,
) -> str:
    """The map drawn on the body: poster, cells, zone outline; a JPEG as data address.

    Args:
        poster: Picture and corners of the cells in it.
        paint: Colours and patterns.
        grid: For the cells inside the outlines.
        crop: Part of the poster to show (left, top, right, bottom).
        cover: How much of the skin the colours cover, 0..1.
        width_px: Width of the result.
        hidden: Cells to leave uncoloured.
    """
    assert poster.corner_px is not None
    x0, y0, x1, y1 = crop
    zoom = width_px / (x1 - x0)
    size = (width_px, round((y1 - y0) * zoom))
    picture: Bytes = np.asarray(
        cv2.resize(poster.bgr[y0:y1, x0:x1], size, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    corners = (poster.corner_px - [x0, y0] + 0.5) * zoom - 0.5
    good = np.isfinite(corners).all((1, 2)) & _turned_to_camera(corners)
    shown = good if hidden is None else good & ~hidden
    shift = 4
    fixed = np.round(np.nan_to_num(np.clip(corners, -2e4, 2e4)) * (1 << shift)).astype(np.int32)
    layer = picture.copy()
    _fill(layer, fixed[shown], paint.colour[shown][:, ::-1], shift)
    cell_px = float(np.sqrt(np.median(_area(corners[good])))) if good.any() else 8.0
    period = max(12, round(1.6 * cell_px))
    for name, cells in paint.pattern.items():
        chosen = cells & shown
        if not chosen.any():
            continue
        mask = np.zeros(layer.shape[:2], np.uint8)
        _fill(mask, fixed[chosen], np.full((int(chosen.sum()), 1), 255, np.uint8), shift)
        dark = stripes_of(name, height_px=layer.shape[0], width_px=layer.shape[1], period_px=period)
        layer[(mask > 0) & dark] = paint.ink[name][::-1]
    out: Bytes = np.asarray(cv2.addWeighted(picture, 1.0 - cover, layer, cover, 0.0), np.uint8)
    _outline(out, fixed[good & (grid.in_zone | grid.left_out)], shift, cell_px=cell_px, colour=WHITE)
    _outline(out, fixed[good & grid.left_out], shift, cell_px=0.0, colour=AMBER)
    _outline(out, fixed[good & paint.marked], shift, cell_px=0.0, colour=VERMILLION)
    return jpeg(out, quality=84)


def bare_picture(poster: Poster) -> str:
    """The poster, with the outline of a zone known in pixels only; a JPEG as data address."""
    picture = poster.bgr.copy()
    if poster.outline_px is not None and np.isfinite(poster.outline_px).all():
        corners = [np.round(np.clip(poster.outline_px, -2e4, 2e4) * 16).astype(np.int32).reshape(-1, 1, 2)]
        line = max(2, round(picture.shape[1] / 450.0))
        cv2.polylines(picture, corners, True, (20, 20, 20), line + 2, cv2.LINE_AA, 4)
        cv2.polylines(picture, corners, True, WHITE, line, cv2.LINE_AA, 4)
    return jpeg(picture, quality=82)


def _fill(picture: Bytes, quads: Ints32, colour: Bytes, shift: int) -> None:
    """Fill quads (k, 4, 2) one by one: one call for all would leave holes where neighbours overlap."""
    for quad, value in zip(quads, colour.tolist(), strict=True):
        cv2.fillConvexPoly(picture, quad, value, cv2.LINE_8, shift)


def _outline(picture: Bytes, quads: Ints32, shift: int, *, cell_px: float, colour: Rgb) -> None:
    """Draw the outline of a set of cells, smoothed over about a cell."""
    if not len(quads):
        return
    mask = np.zeros(picture.shape[:2], np.uint8)
    _fill(mask, quads, np.full((len(quads), 1), 255, np.uint8), shift)
    soft = cv2.GaussianBlur(mask, (0, 0), max(2.0, 0.8 * cell_px))
    contours, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(1, round(picture.shape[1] / 450.0))
    cv2.drawContours(picture, contours, -1, (20, 20, 20), line + 2, cv2.LINE_AA)
    cv2.drawContours(picture, contours, -1, bgr(colour), line, cv2.LINE_AA)


def _area(corners: Floats) -> Floats:
    a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2.0


def _turned_to_camera(corners: Floats) -> Bools:
    """Cells seen from outside: all of them run round the same way as most of the area does."""
    a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    turn = np.nan_to_num(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    return turn * np.sign(turn.sum()) > 0.0
