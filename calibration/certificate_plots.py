"""Plots of the certificate, as inline SVG: where corners were, what is left of them, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.geometry import Floats

_INK, _DOT, _LIMIT = "#1d2733", "#0b6fa4", "#b3261e"


def coverage_svg(corners_px: Sequence[Floats], *, size_px: tuple[int, int]) -> str:
    """Where in the picture corners were seen; the frame is the whole picture.

    Args:
        corners_px: Of each view, shape (k, 2).
        size_px: Width and height of the picture.
    """
    wide = 320.0
    scale = wide / size_px[0]
    high = size_px[1] * scale
    dots = "".join(_dot(x * scale, y * scale, 1.3) for one in corners_px for x, y in one)
    frame = f'<rect width="{wide:.0f}" height="{high:.1f}" fill="#fff" stroke="{_INK}"/>'
    return _svg(wide, high, frame + dots, "Corners seen in the picture")


def residuals_svg(residuals: Sequence[Floats], *, unit: str) -> str:
    """What is left of each corner or pose, with circles that hold 50 and 95 % of them.

    Args:
        residuals: Shape (k, 2) each.
        unit: Of them.
    """
    every = np.concatenate([np.atleast_2d(one) for one in residuals])
    length = np.linalg.norm(every, axis=1)
    half, most = np.quantile(length, (0.5, 0.95))
    side, reach = 240.0, max(1.5 * float(most), 1e-9)
    scale = 0.5 * side / reach
    middle = 0.5 * side
    drawn = every[length <= reach]
    dots = "".join(_dot(middle + x * scale, middle + y * scale, 1.2) for x, y in drawn)
    rings = "".join(
        f'<circle cx="{middle}" cy="{middle}" r="{r * scale:.1f}" fill="none" stroke="{_INK}"/>'
        f'<text x="{middle + 4:.0f}" y="{middle - r * scale - 3:.1f}" font-size="11"'
        f' stroke="#fff" stroke-width="3" paint-order="stroke" fill="{_INK}">{words} {r:.2f} {unit}'
        "</text>"
        for r, words in ((float(half), "50 % within"), (float(most), "95 % within"))
    )
    beyond = len(every) - len(drawn)
    note = f'<text x="4" y="{side - 5:.0f}" font-size="11">{beyond} beyond the frame</text>' if beyond else ""
    return _svg(side, side, dots + rings + note, f"Residuals, {unit}")


def bars_svg(names: Sequence[str], sizes: Sequence[float], *, limit: float | None, unit: str) -> str:
    """One bar for each pair, pose or picture, and the limit as a line; bars without end are cut.

    Args:
        names: Of the bars.
        sizes: In `unit`.
        limit: None where there is none.
        unit: Of both; it stands at each bar.
    """
    finite = [s for s in sizes if np.isfinite(s)]
    most = max([*finite, limit or 0.0, 1e-9])
    # The longest bar has two digits or more: leans of 0.01 degrees are not all alike.
    digits = int(np.clip(1 - np.floor(np.log10(max([*finite, 1e-9]))), 2, 6))
    row, left, wide = 16.0, 110.0, 420.0
    span = wide - left - 85.0
    body = ""
    for k, (name, size) in enumerate(zip(names, sizes, strict=True)):
        label = f'<text x="{left - 6:.0f}" y="{k * row + 12:.0f}" font-size="11" text-anchor="end">'
        y, long = k * row, span * min(size / most, 1.0) if np.isfinite(size) else span
        body += (
            f"{label}{_plain(name)}</text>"
            f'<rect x="{left:.0f}" y="{y + 3:.0f}" width="{long:.1f}" height="10" fill="{_DOT}"/>'
            f'<text x="{left + long + 5:.1f}" y="{y + 12:.0f}" font-size="11">{size:.{digits}f}'
            f" {_plain(unit)}</text>"
        )
    high = max(len(names), 1) * row
    if limit is not None:
        x = left + span * limit / most
        body += (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{high:.0f}" stroke="{_LIMIT}" stroke-width="2"/>'
            f'<text x="{left:.0f}" y="{high + 13:.0f}" font-size="11" fill="{_LIMIT}">'
            f"red line: limit {limit:g} {unit}</text>"
        )
    return _svg(wide, high + 18.0, body, f"Size of each, {unit}")


def _dot(x: float, y: float, r: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{_DOT}" fill-opacity="0.55"/>'


def _plain(text: str) -> str:
    cut = text if len(text) <= 16 else f"…{text[-15:]}"
    return cut.replace("&", "&amp;").replace("<", "&lt;")


def _svg(wide: float, high: float, body: str, title: str) -> str:
    return (
        f'<svg viewBox="-2 -2 {wide + 4:.0f} {high + 4:.0f}" width="{wide:.0f}" height="{high:.0f}"'
        f' role="img" xmlns="http://www.w3.org/2000/svg"><title>{title}</title>{body}</svg>'
    )
