"""Maps of dwell, lowest temperature and verdict: in cm on the chart, and in place on the body."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guidance.outcome import Outcome, Poster
from guidance.palette import PURPLE, VERDICTS, WHITE, Rgb, css, ramp, verdict_look
from guidance.report_grid import CellGrid, pattern_square, raster, zone_paths
from guidance.report_svg import Scale, esc, jpeg, nice_ceiling, number, png, ticks
from models.exposure import ExposureMap
from models.geometry import Bools, Bytes, Floats
from models.protocol import Protocol

Ints32 = NDArray[np.int32]
UNKNOWN_INK: Rgb = (255, 255, 255)
WARMEST_DEGC = 34.0
"""Upper end of the temperature scale: resting skin of the trunk is at 32-34 degC (domain: skin)."""
BODY_WIDTH_PX = 900
"""Width of a map in place: twice the width at which it is shown."""


@dataclass(frozen=True, eq=False)
class CellPaint:
    """Colour and pattern of every cell in one map."""

    name: str
    title: str
    colour: Bytes
    """Red, green, blue, shape (n, 3)."""
    pattern: dict[str, Bools]
    ink: dict[str, Rgb]
    legend: str
    """HTML below the map."""


def verdict_paint(verdict: tuple[str, ...]) -> CellPaint:
    """Every verdict in its colour and pattern."""
    colour = np.array([verdict_look(v).colour for v in verdict], np.uint8).reshape(-1, 3)
    pattern = {
        name: np.array([verdict_look(v).pattern == name for v in verdict], bool)
        for name in ("cross", "hatch", "bars", "dots")
    }
    present = {v if v in VERDICTS else "unknown" for v in verdict}
    keys = "".join(
        f"<li>{swatch(name)}<b>{esc(look.title)}</b></li>"
        for name, look in VERDICTS.items()
        if name in present
    )
    ink: dict[str, Rgb] = {
        "cross": (60, 20, 0),
        "hatch": UNKNOWN_INK,
        "bars": (255, 255, 255),
        "dots": (140, 146, 152),
    }
    return CellPaint("verdict", "Verdict", colour, pattern, ink, f'<ul class="keys">{keys}</ul>')


def dwell_paint(exposure: ExposureMap, *, unknown: Bools, protocol: Protocol) -> CellPaint:
    """Jet-seconds on the ramp; unknown cells hatched."""
    top_s = nice_ceiling(float(np.nanmax(exposure.dwell_s, initial=0.0)))
    share = np.nan_to_num(exposure.dwell_s / top_s)
    colour = ramp(share)
    colour[exposure.dwell_s <= 0.05] = VERDICTS["untreated"].colour
    marks = [(protocol.dwell_s.warn, "advisory"), (protocol.dwell_s.stop, "limit")]
    note = (
        f"advisory {number(protocol.dwell_s.warn, 0)} s, limit {number(protocol.dwell_s.stop, 0)} s per cell"
    )
    legend = (
        colour_bar(0.0, top_s, "jet-seconds (s)", marks=marks, falling=False)
        + f'<p class="small">{esc(note)}</p>'
    )
    return _hatched(
        "dwell", "Dwell", colour, unknown, legend + unknown_key(unknown, "unknown: more may have come")
    )


def cold_paint(exposure: ExposureMap, *, unknown: Bools, protocol: Protocol) -> CellPaint:
    """Lowest observed temperature, dark is cold; cells never observed hatched."""
    observed = np.isfinite(exposure.min_degc)
    coldest = float(exposure.min_degc[observed].min()) if observed.any() else protocol.skin_degc.stop
    low = np.floor(min(coldest, protocol.skin_degc.stop - 2.0))
    high = max(WARMEST_DEGC, low + 10.0)
    colour = ramp(np.nan_to_num((high - exposure.min_degc) / (high - low)))
    stop, target = protocol.skin_degc.stop, protocol.target_high_degc
    legend = colour_bar(
        low, high, "lowest observed (°C)", marks=[(stop, "STOP"), (target, "target")], falling=True
    )
    unseen = unknown | ~observed
    return _hatched(
        "cold",
        "Lowest temperature",
        colour,
        unseen,
        legend + unknown_key(unseen, "not or not always observed"),
    )


def chart_svg(grid: CellGrid, paint: CellPaint, *, label: str) -> str:
    """The cells with axes and the zone's outline, as inline SVG."""
    left, top, right, bottom = 46.0, 10.0, 10.0, 40.0
    width = 330.0
    scale = (width - left - right) / grid.cols
    height = top + bottom + scale * grid.rows
    if height > 460.0:
        scale = (460.0 - top - bottom) / grid.rows
        height = 460.0
    plot_w, plot_h = scale * grid.cols, scale * grid.rows
    left = (width - plot_w - right + left) / 2.0 if plot_w < width - left - right else left
    x = Scale(*grid.x_edges, left, left + plot_w)
    y = Scale(*grid.y_edges, top, top + plot_h)
    parts = [
        f'<svg class="map" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{esc(label)}" '
        f'data-map="chart" data-left="{left:.2f}" data-top="{top:.2f}" data-step="{scale:.4f}">',
        f'<rect class="plot" x="{left:.1f}" y="{top:.1f}" width="{plot_w:.1f}" height="{plot_h:.1f}"/>',
        f'<image x="{left:.2f}" y="{top:.2f}" width="{plot_w:.2f}" height="{plot_h:.2f}" preserveAspectRatio="none" '
        f'href="{png(raster(grid, paint.colour, pattern=paint.pattern, ink=paint.ink))}"/>',
    ]
    for loop in zone_paths(grid):
        points = " ".join(f"{left + px * scale:.1f},{top + py * scale:.1f}" for px, py in loop.tolist())
        parts.append(f'<polygon class="casing" points="{points}"/><polygon class="zone" points="{points}"/>')
    for tick in ticks(*grid.x_edges, about=6):
        parts.append(
            f'<line class="tick" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top + plot_h:.1f}" y2="{top + plot_h + 4:.1f}"/>'
        )
        parts.append(
            f'<text class="mid" x="{x(tick):.1f}" y="{top + plot_h + 15:.1f}">{number(tick, 0)}</text>'
        )
    for tick in ticks(*grid.y_edges, about=6):
        parts.append(
            f'<line class="tick" x1="{left - 4:.1f}" x2="{left:.1f}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        )
        parts.append(f'<text class="end" x="{left - 7:.1f}" y="{y(tick) + 3.5:.1f}">{number(tick, 0)}</text>')
    parts.append(
        f'<text class="mid name" x="{left + plot_w / 2:.1f}" y="{height - 6:.1f}">{esc(grid.x_label)}</text>'
    )
    yy = top + plot_h / 2
    xx = left - 34
    parts.append(
        f'<text class="mid name" transform="translate({xx:.1f} {yy:.1f}) rotate(-90)">{esc(grid.y_label)}</text>'
    )
    return "".join(parts) + "</svg>"


def body_crop(poster: Poster) -> tuple[int, int, int, int] | None:
    """The part of the poster that holds all cells, with some room (left, top, right, bottom)."""
    if poster.corner_px is None:
        return None
    points = poster.corner_px.reshape(-1, 2)
    points = points[np.isfinite(points).all(1)]
    height, width = poster.bgr.shape[:2]
    if not len(points):
        return None
    low, high = np.clip(points.min(0), 0, [width, height]), np.clip(points.max(0), 0, [width, height])
    room = 0.18 * float(max(high - low)) + 10.0
    x0, y0 = np.clip(low - room, 0, [width, height]).astype(int)
    x1, y1 = np.clip(high + room, 0, [width, height]).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 - x0 > 20 and y1 - y0 > 20 else None


def body_picture(
    poster: Poster,
    paint: CellPaint,
    *,
    in_zone: Bools,
    crop: tuple[int, int, int, int],
    cover: float,
    width_px: int = BODY_WIDTH_PX,
    hidden: Bools | None = None,
) -> str:
    """The map drawn on the body: poster, cells, zone outline; a JPEG as data address.

    Args:
        poster: Picture and corners of the cells in it.
        paint: Colours and patterns.
        in_zone: Cells inside the outline.
        crop: Part of the poster to show (left, top, right, bottom).
        cover: How much of the skin the colours cover, 0..1.
        width_px: Width of the result.
        hidden: Cells to leave uncoloured.
    """
    assert poster.corner_px is not None
    x0, y0, x1, y1 = crop
    zoom = width_px / (x1 - x0)
    size = (width_px, round((y1 - y0) * zoom))
    picture = cv2.resize(poster.bgr[y0:y1, x0:x1], size, interpolation=cv2.INTER_CUBIC)
    corners = (poster.corner_px - [x0, y0] + 0.5) * zoom - 0.5
    good = np.isfinite(corners).all((1, 2)) & _turned_to_camera(corners)
    shown = good if hidden is None else good & ~hidden
    shift = 4
    fixed = np.round(np.nan_to_num(np.clip(corners, -2e4, 2e4)) * (1 << shift)).astype(np.int32)
    layer = picture.copy()
    _fill(layer, fixed[shown], paint.colour[shown][:, ::-1], shift)
    period = max(8, round(float(np.sqrt(np.median(_area(corners[good]))))) if good.any() else 8)
    for name, cells in paint.pattern.items():
        chosen = cells & shown
        if not chosen.any() or name == "dots":
            continue
        mask = np.zeros(layer.shape[:2], np.uint8)
        _fill(mask, fixed[chosen], np.full((int(chosen.sum()), 1), 255, np.uint8), shift)
        square = pattern_square(name, size_px=period)
        tiled = np.tile(square, (layer.shape[0] // period + 1, layer.shape[1] // period + 1))[
            : layer.shape[0], : layer.shape[1]
        ]
        layer[(mask > 0) & tiled] = paint.ink[name][::-1]
    out = cv2.addWeighted(picture, 1.0 - cover, layer, cover, 0.0)
    _outline(out, fixed[good & in_zone], shift)
    return jpeg(np.asarray(out, np.uint8), quality=84)


def swatch(verdict: str) -> str:
    """A small sample of a verdict's look, with its letter."""
    look = verdict_look(verdict)
    return f'<i class="swatch {esc(look.pattern)}" style="--c:{css(look.colour)}">{esc(look.letter)}</i>'


def unknown_key(unknown: Bools, words: str) -> str:
    """The legend of hatched cells, where there are any."""
    if not unknown.any():
        return ""
    return f'<ul class="keys"><li>{swatch("unknown")}{esc(words)}</li></ul>'


def colour_bar(low: float, high: float, label: str, *, marks: list[tuple[float, str]], falling: bool) -> str:
    """The ramp with its figures, as inline SVG."""
    width, left, right = 300.0, 14.0, 14.0
    x = Scale(low, high, left, width - right)
    steps = 48
    colours = ramp((np.arange(steps) + 0.5) / steps)
    if falling:
        colours = colours[::-1]
    wide = (width - left - right) / steps
    parts = [f'<svg class="bar" viewBox="0 0 {width:.0f} 46" role="img" aria-label="{esc(label)}">']
    for k in range(steps):
        r, g, b = colours[k].tolist()
        parts.append(
            f'<rect x="{left + k * wide:.2f}" y="14" width="{wide + 0.4:.2f}" height="10" fill="{css((r, g, b))}"/>'
        )
    for tick in ticks(low, high, about=6):
        parts.append(
            f'<text class="mid" x="{x(tick):.1f}" y="36">{f"{tick:g}".replace("-", chr(0x2212))}</text>'
        )
    for value, word in marks:
        if low < value < high:
            parts.append(
                f'<path class="mark" d="M{x(value):.1f} 26V10"/><text class="mid word" x="{x(value):.1f}" y="8">{esc(word)}</text>'
            )
    parts.append(f'<text class="mid name" x="{width / 2:.0f}" y="45">{esc(label)}</text></svg>')
    return "".join(parts)


def _hatched(name: str, title: str, colour: Bytes, unknown: Bools, legend: str) -> CellPaint:
    colour[unknown] = PURPLE
    return CellPaint(name, title, colour, {"hatch": unknown}, {"hatch": UNKNOWN_INK}, legend)


def _fill(picture: Bytes, quads: Ints32, colour: Bytes, shift: int) -> None:
    """Fill quads (k, 4, 2) one by one: neighbours may overlap, and one call for all would leave holes there."""
    for quad, value in zip(quads, colour.tolist(), strict=True):
        cv2.fillConvexPoly(picture, quad, value, cv2.LINE_8, shift)


def _outline(picture: Bytes, quads: Ints32, shift: int) -> None:
    if not len(quads):
        return
    mask = np.zeros(picture.shape[:2], np.uint8)
    _fill(mask, quads, np.full((len(quads), 1), 255, np.uint8), shift)
    soft = cv2.GaussianBlur(mask, (0, 0), max(2.0, picture.shape[1] / 300.0))
    contours, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(1, round(picture.shape[1] / 450.0))
    cv2.drawContours(picture, contours, -1, (20, 20, 20), line + 2, cv2.LINE_AA)
    cv2.drawContours(picture, contours, -1, WHITE, line, cv2.LINE_AA)


def _area(corners: Floats) -> Floats:
    a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2.0


def _turned_to_camera(corners: Floats) -> Bools:
    """Cells seen from outside: all of them run round the same way as most of the area does."""
    a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    turn = np.nan_to_num(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    return turn * np.sign(turn.sum()) > 0.0


def bare_picture(poster: Poster) -> str:
    """The poster without anything on it; a JPEG as data address."""
    return jpeg(poster.bgr, quality=82)


def unknown_cells(outcome: Outcome) -> Bools:
    """Cells that the verdict calls unknown; without verdicts those never observed."""
    if outcome.verdicts is not None:
        return np.array([verdict_look(v).pattern == "hatch" for v in outcome.verdicts.verdict], bool)
    assert outcome.exposure is not None
    return np.isnan(outcome.exposure.min_degc)
