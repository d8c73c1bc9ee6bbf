"""Drawing on a picture: text that stays legible, panels, hatching. Everything here draws in place."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import cv2
import numpy as np

from guidance.overlay.palette import INK, WHITE, Rgb, bgr
from models.geometry import Bools, Bytes, Floats, Ints

FONT = cv2.FONT_HERSHEY_DUPLEX
REFERENCE_HEIGHT_PX = 720
"""All sizes are given for a picture of this height and scaled to the real one."""
SHIFT = 4
"""Sub-pixel bits of coordinates given to OpenCV."""
FAR_PX = 20_000.0
"""Coordinates are clipped here: OpenCV's fixed-point coordinates overflow at 2^31 / 2^SHIFT."""

_SPELLED = {"≤": "<=", "≥": ">=", "–": "-", "—": "-", "−": "-", "²": "2"}  # noqa: RUF001
_SPELLED_MORE = {"×": "x", "…": "...", "µ": "u", "’": "'", "“": '"', "”": '"', "ß": "ss", "·": "-"}  # noqa: RUF001


def plain(text: str) -> str:
    """Text in the letters of OpenCV's stroke font, and the two that `write` draws itself: ``±`` and ``°``."""
    text = text.replace("degC", "°C").replace("+-", "±").replace("± ", "±")
    for sign, spelled in (_SPELLED | _SPELLED_MORE).items():
        text = text.replace(sign, spelled)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return "".join(c if 32 <= ord(c) < 127 or c in "±°" else "?" for c in " ".join(text.split()))


def text_width_px(text: str, *, size: float, weight: int = 1) -> int:
    """Width of a text."""
    return sum(_piece_px(piece, size, weight) for piece in _pieces(text))


@lru_cache(maxsize=512)
def _pieces(text: str) -> tuple[str, ...]:
    return tuple(piece for piece in re.split("([±°])", text) if piece)


@lru_cache(maxsize=2048)
def _piece_px(piece: str, size: float, weight: int) -> int:
    if piece in "±°":
        return round((20.0 if piece == "±" else 11.0) * size)
    return cv2.getTextSize(piece, FONT, size, weight)[0][0]


def fitted(text: str, *, size: float, width_px: float) -> str:
    """Cut a text so that it is at most so wide, with three dots where it was cut."""
    if text_width_px(text, size=size) <= width_px:
        return text
    while text and text_width_px(text + "...", size=size) > width_px:
        text = text[:-1]
    return text.rstrip() + "..."


def wrapped(text: str, *, size: float, width_px: float, lines: int) -> list[str]:
    """Break a text between words into at most so many lines."""
    out: list[str] = []
    for word in text.split():
        if out and text_width_px(f"{out[-1]} {word}", size=size) <= width_px:
            out[-1] = f"{out[-1]} {word}"
        elif len(out) == lines:
            out[-1] = fitted(f"{out[-1]} {word} ...", size=size, width_px=width_px)
            return out
        else:
            out.append(fitted(word, size=size, width_px=width_px))
    return out


def write(
    picture: Bytes,
    text: str,
    at: tuple[float, float],
    *,
    size: float,
    colour: Rgb = WHITE,
    weight: int = 1,
    halo: bool = False,
) -> None:
    """Write a text with its baseline starting at a pixel; ``halo`` puts a dark edge around it."""
    for ink, width in ((INK, weight + 2), (colour, weight)) if halo else ((colour, weight),):
        x = round(at[0])
        for piece in _pieces(text):
            if piece in "±°":
                _glyph(picture, piece, (x, at[1]), size=size, colour=ink, weight=width)
            else:
                cv2.putText(picture, piece, (x, round(at[1])), FONT, size, bgr(ink), width, cv2.LINE_AA)
            x += _piece_px(piece, size, weight)


def _glyph(
    picture: Bytes, sign: str, at: tuple[float, float], *, size: float, colour: Rgb, weight: int
) -> None:
    """The signs that the font lacks; at size 1 its capitals are 21 px tall."""
    x, y = at
    if sign == "°":
        cv2.circle(
            picture,
            (round(x + 5 * size), round(y - 17 * size)),
            max(2, round(4 * size)),
            bgr(colour),
            weight,
            cv2.LINE_AA,
        )
        return
    left, right, mid = x + 2 * size, x + 16 * size, x + 9 * size
    for a, b in (
        ((left, y - 11 * size), (right, y - 11 * size)),
        ((mid, y - 18 * size), (mid, y - 4 * size)),
        ((left, y), (right, y)),
    ):
        cv2.line(
            picture, (round(a[0]), round(a[1])), (round(b[0]), round(b[1])), bgr(colour), weight, cv2.LINE_AA
        )


def panel(
    picture: Bytes, box: tuple[float, float, float, float], *, colour: Rgb = INK, cover: float = 0.74
) -> None:
    """Darken a rectangle (left, top, right, bottom); what lies behind still shows through."""
    height, width = picture.shape[:2]
    x0, y0 = max(round(box[0]), 0), max(round(box[1]), 0)
    x1, y1 = min(round(box[2]), width), min(round(box[3]), height)
    if x1 <= x0 or y1 <= y0:
        return
    region = picture[y0:y1, x0:x1]
    dark = cv2.convertScaleAbs(region, alpha=1.0 - cover)
    b, g, r = (cover * c for c in bgr(colour))
    region[:] = cv2.add(dark, (b, g, r, 0.0))  # pyright: ignore[reportCallIssue, reportArgumentType]


def box(picture: Bytes, corners: tuple[float, float, float, float], *, colour: Rgb, line: int = -1) -> None:
    """A rectangle (left, top, right, bottom), filled unless a line width is given."""
    x0, y0, x1, y1 = (round(v) for v in corners)
    cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), bgr(colour), line)


def fixed(points_px: Floats) -> Ints:
    """Pixels with sub-pixel bits, as OpenCV takes them; NaN is not allowed."""
    return np.round(np.clip(points_px, -FAR_PX, FAR_PX) * (1 << SHIFT)).astype(np.int32)  # type: ignore[return-value]


def polyline(
    picture: Bytes, points_px: Floats, *, colour: Rgb, line: int, closed: bool = False, casing: bool = True
) -> None:
    """A line through points (k, 2), with a dark casing that keeps it visible on any ground."""
    if len(points_px) < 2 or not np.isfinite(points_px).all():
        return
    points = [fixed(points_px).reshape(-1, 1, 2)]
    if casing:
        cv2.polylines(picture, points, closed, bgr(INK), line + 2, cv2.LINE_AA, SHIFT)
    cv2.polylines(picture, points, closed, bgr(colour), line, cv2.LINE_AA, SHIFT)


def dashes(points_px: Floats, *, dash_px: float, gap_px: float, closed: bool = False) -> list[Floats]:
    """Cut a line (k, 2) into dashes of equal length."""
    if closed:
        points_px = np.concatenate([points_px, points_px[:1]])
    step = np.hypot(*np.diff(points_px, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(step)])
    if not np.isfinite(along[-1]) or along[-1] <= 0.0:
        return []
    out: list[Floats] = []
    begin = 0.0
    while begin < along[-1] and len(out) < 500:
        end = min(begin + dash_px, along[-1])
        inner = along[(along > begin) & (along < end)]
        at = np.concatenate([[begin], inner, [end]])
        out.append(np.stack([np.interp(at, along, points_px[:, k]) for k in (0, 1)], axis=1))
        begin += dash_px + gap_px
    return out


@lru_cache(maxsize=16)
def stripes(height_px: int, width_px: int, *, period_px: int, line_px: int, rising: bool) -> Bools:
    """Diagonal stripes over a whole picture."""
    y, x = np.ogrid[:height_px, :width_px]
    mask: Bools = ((x + y if rising else x - y) % period_px) < line_px
    mask.setflags(write=False)
    return mask


@lru_cache(maxsize=16)
def dots(height_px: int, width_px: int, *, period_px: int, dot_px: int) -> Bools:
    """Dots over a whole picture, every second row shifted by half a step."""
    y, x = np.ogrid[:height_px, :width_px]
    shifted = x + (y // period_px % 2) * (period_px // 2)
    mask: Bools = (y % period_px < dot_px) & (shifted % period_px < dot_px)
    mask.setflags(write=False)
    return mask


def paint(picture: Bytes, mask: Bools, *, colour: Rgb, cover: float = 1.0) -> None:
    """Colour the pixels of a mask."""
    if not mask.any():
        return
    if cover >= 1.0:
        picture[mask] = bgr(colour)
        return
    mixed = picture[mask].astype(np.float32) * (1.0 - cover) + np.array(bgr(colour), np.float32) * cover
    picture[mask] = mixed.astype(np.uint8)
