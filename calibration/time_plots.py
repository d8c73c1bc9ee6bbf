"""Plots of the time between two streams, as inline SVG."""

from __future__ import annotations

import numpy as np

from calibration.time_offset import TimeFound
from models.geometry import Floats

_INK, _DOT, _LINE = "#1d2733", "#0b6fa4", "#b3261e"
_WIDE, _HIGH, _LEFT, _FOOT = 420.0, 190.0, 46.0, 34.0


def search_svg(found: TimeFound) -> str:
    """Share of the motion in common over the offsets that were tried."""
    shift = found.shift
    known = np.isfinite(shift.tried_explained)
    x, y = 1000.0 * shift.tried_s[known], 100.0 * np.clip(shift.tried_explained[known], 0.0, 1.0)
    frame = _Frame(float(x[0]), float(x[-1]), 0.0, 100.0)
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in zip(frame.x(x), frame.y(y), strict=True))
    at = float(frame.x(np.array([1000.0 * shift.offset_s]))[0])
    body = f'<polyline points="{points}" fill="none" stroke="{_DOT}" stroke-width="1.5"/>'
    body += f'<line x1="{at:.1f}" x2="{at:.1f}" y1="6" y2="{_HIGH - _FOOT:.0f}" stroke="{_LINE}"/>'
    return _svg(frame.axes("ms to be added", "%") + body, f"Motion in common, {found.stream}")


def stretches_svg(found: TimeFound) -> str:
    """Offset by each stretch of time, and the line of all."""
    shift = found.shift
    x, y = shift.window_t_s + shift.offset_s, 1000.0 * shift.window_offset_s
    u95 = 1960.0 * shift.window_sigma_s
    ends = np.array([float(x.min()), float(x.max())])
    line = 1000.0 * (shift.offset_s + shift.drift * (ends - found.middle_s))
    low, high = float((y - u95).min()), float((y + u95).max())
    spare = max(0.1 * (high - low), 0.5)
    frame = _Frame(min(0.0, ends[0]), float(ends[1] + 1.0), low - spare, high + spare)
    px, top, foot, dot = frame.x(x), frame.y(y + u95), frame.y(y - u95), frame.y(y)
    body = "".join(
        f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{b:.1f}" y2="{c:.1f}" stroke="{_DOT}"/>'
        f'<circle cx="{a:.1f}" cy="{d:.1f}" r="3" fill="{_DOT}"/>'
        for a, b, c, d in zip(px, top, foot, dot, strict=True)
    )
    (x0, x1), (y0, y1) = frame.x(ends), frame.y(line)
    body += f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="{y0:.1f}" y2="{y1:.1f}" stroke="{_LINE}"/>'
    return _svg(frame.axes("s of the recording", "ms") + body, f"Offset over time, {found.stream}")


class _Frame:
    """From values to places in the drawing."""

    def __init__(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self.x0, self.x1, self.y0, self.y1 = x0, x1, y0, y1

    def x(self, values: Floats) -> Floats:
        return _LEFT + (values - self.x0) / (self.x1 - self.x0) * (_WIDE - _LEFT - 18.0)

    def y(self, values: Floats) -> Floats:
        return 6.0 + (self.y1 - values) / (self.y1 - self.y0) * (_HIGH - _FOOT - 6.0)

    def axes(self, below: str, beside: str) -> str:
        foot = _HIGH - _FOOT
        text = f'<path d="M{_LEFT:.0f} 6V{foot:.0f}H{_WIDE - 18.0:.0f}" fill="none" stroke="{_INK}"/>'
        for value in _ticks(self.x0, self.x1):
            x = float(self.x(np.array([value]))[0])
            text += (
                f'<text x="{x:.1f}" y="{foot + 13:.0f}" font-size="11" text-anchor="middle">{value:g}</text>'
            )
        for value in _ticks(self.y0, self.y1):
            y = float(self.y(np.array([value]))[0])
            text += (
                f'<text x="{_LEFT - 5:.0f}" y="{y + 4:.1f}" font-size="11" text-anchor="end">{value:g}</text>'
            )
        middle = 0.5 * (_LEFT + _WIDE)
        text += (
            f'<text x="{middle:.0f}" y="{_HIGH - 4:.0f}" font-size="11" text-anchor="middle">{below}</text>'
        )
        return text + f'<text x="{_LEFT + 6:.0f}" y="16" font-size="11">{beside}</text>'


def _ticks(low: float, high: float) -> list[float]:
    step = 10.0 ** np.floor(np.log10((high - low) / 2.0))
    for times in (5.0, 2.0, 1.0):
        if (high - low) / (times * step) >= 3.0:
            step *= times
            break
    first = np.ceil(low / step)
    return [round(float(k * step), 9) for k in np.arange(first, np.floor(high / step) + 1.0)]


def _svg(body: str, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" width="{_WIDE:.0f}" height="{_HIGH:.0f}" role="img"'
        f' xmlns="http://www.w3.org/2000/svg"><title>{title}</title>{body}</svg>'
    )
