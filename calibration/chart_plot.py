"""A chart of the certificate, inline SVG: points with their bounds over an axis, and a line through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from models.geometry import Floats

_INK, _LINE, _GRID = "#1d2733", "#b3261e", "#ccd3da"
_COLOURS = ("#0b6fa4", "#c05a00", "#4b7a2b", "#7a3b8f", "#5f6b76", "#a3123f")
_WIDE, _HIGH, _LEFT, _FOOT = 420.0, 230.0, 52.0, 40.0


@dataclass(frozen=True, eq=False)
class Series:
    """Points of one kind."""

    name: str
    x: Floats
    y: Floats
    u95: Floats | None = None
    """Half length of the bar at each point."""


def chart_svg(
    series: Sequence[Series], *, across: str, up: str, line: tuple[Floats, Floats] | None = None
) -> str:
    """Points over an axis.

    Args:
        series: At least one with a point.
        across: Words of the axis.
        up: Words of the other, with the unit.
        line: Places and values of a line through them.
    """
    x = np.concatenate([one.x for one in series] + ([line[0]] if line else []))
    y = np.concatenate(
        [one.y + side * (0.0 if one.u95 is None else one.u95) for one in series for side in (-1.0, 1.0)]
        + ([line[1]] if line else [])
    )
    low_x, high_x, step_x = _axis(x)
    low_y, high_y, step_y = _axis(y)

    def at(px: float, py: float) -> tuple[float, float]:
        return (
            _LEFT + (_WIDE - _LEFT - 8.0) * (px - low_x) / (high_x - low_x),
            (_HIGH - _FOOT) * (1.0 - (py - low_y) / (high_y - low_y)),
        )

    body = ""
    for value in np.arange(low_y, high_y + 0.5 * step_y, step_y):
        x0, y0 = at(low_x, float(value))
        body += f'<line x1="{x0:.1f}" x2="{_WIDE - 8:.1f}" y1="{y0:.1f}" y2="{y0:.1f}" stroke="{_GRID}"/>'
        body += _text(x0 - 6.0, y0 + 4.0, _figure(float(value), step_y), "end")
    for value in np.arange(low_x, high_x + 0.5 * step_x, step_x):
        x0, y0 = at(float(value), low_y)
        body += f'<line x1="{x0:.1f}" x2="{x0:.1f}" y1="{y0:.1f}" y2="{y0 + 4:.1f}" stroke="{_INK}"/>'
        body += _text(x0, y0 + 16.0, _figure(float(value), step_x), "middle")
    body += _text(0.5 * (_LEFT + _WIDE), _HIGH - 6.0, across, "middle")
    body += (
        f'<text font-size="11" fill="{_INK}" text-anchor="middle"'
        f' transform="translate(10 {0.5 * (_HIGH - _FOOT):.0f}) rotate(-90)">{escape(up)}</text>'
    )
    if line is not None:
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in (at(*p) for p in zip(*line, strict=True)))
        body += f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>'
    for k, one in enumerate(series):
        colour = _COLOURS[k % len(_COLOURS)]
        bars = np.zeros(len(one.x)) if one.u95 is None else one.u95
        for px, py, bar in zip(one.x, one.y, bars, strict=True):
            a, b = at(px, py)
            if bar > 0.0:
                top, bottom = at(px, py + bar)[1], at(px, py - bar)[1]
                body += (
                    f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"'
                    f' stroke="{colour}" stroke-width="1.5"/>'
                )
            body += f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}" fill-opacity="0.8"/>'
        body += f'<circle cx="{_LEFT + 6:.0f}" cy="{_HIGH + 10 + 16 * k:.0f}" r="4" fill="{colour}"/>'
        body += _text(_LEFT + 16.0, _HIGH + 14.0 + 16.0 * k, one.name, "start")
    high = _HIGH + 16.0 * len(series) + 6.0
    return (
        f'<svg viewBox="-2 -6 {_WIDE + 4:.0f} {high + 10:.0f}" width="{_WIDE:.0f}" height="{high + 6:.0f}"'
        f' role="img" xmlns="http://www.w3.org/2000/svg"><title>{escape(up)}</title>{body}</svg>'
    )


def _axis(values: Floats) -> tuple[float, float, float]:
    """Low and high end on round figures, and the step between ticks."""
    low, high = float(np.min(values)), float(np.max(values))
    span = max(high - low, 1e-3)
    rough = span / 4.0
    size = 10.0 ** np.floor(np.log10(rough))
    step = float(size * next(one for one in (1.0, 2.0, 5.0, 10.0) if one * size >= rough))
    first, last = np.floor((low - 0.04 * span) / step) * step, np.ceil((high + 0.04 * span) / step) * step
    return float(first), float(last), step


def _figure(value: float, step: float) -> str:
    places = max(0, -int(np.floor(np.log10(step))))
    return f"{value + 0.0:.{places}f}" if abs(value) > 1e-9 else "0"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" fill="{_INK}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )
