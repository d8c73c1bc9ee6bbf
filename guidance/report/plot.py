"""Pieces of inline SVG: scales, ticks, lines, areas; colours come from the page's style sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from guidance.report.markup import MINUS, esc, number
from models.geometry import Bools, Floats


@dataclass(frozen=True)
class Scale:
    """Maps values to positions of a drawing."""

    low: float
    high: float
    at_low: float
    at_high: float

    def __call__(self, value: float) -> float:
        """Position of a value."""
        return self.at_low + (value - self.low) / (self.high - self.low) * (self.at_high - self.at_low)

    def many(self, values: Floats) -> Floats:
        """Positions of values; NaN stays NaN."""
        return self.at_low + (values - self.low) / (self.high - self.low) * (self.at_high - self.at_low)

    def clipped(self, value: float) -> float:
        """Position of a value, kept within the scale."""
        return self(min(max(value, self.low), self.high))


def text(x: float, y: float, words: str, *, kind: str = "", turned: bool = False) -> str:
    """A line of text; ``turned`` runs upwards."""
    if turned:
        return f'<text class="{kind}" transform="translate({x:.1f} {y:.1f}) rotate(-90)">{esc(words)}</text>'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{esc(words)}</text>'


def rect(
    x: float, y: float, width: float, height: float, *, kind: str, title: str = "", radius: float = 0.0
) -> str:
    """A rectangle, with a tooltip where a title is given."""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{max(height, 0.0):.1f}"'
    corner = f' rx="{radius:.0f}"' if radius else ""
    inside = f"><title>{esc(title)}</title></rect>" if title else "/>"
    return f'<rect class="{kind}" {size}{corner}{inside}'


def line(x1: float, y1: float, x2: float, y2: float, *, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def curve(d: str, *, kind: str) -> str:
    """A path."""
    return f'<path class="{kind}" d="{d}"/>'


def ticks(low: float, high: float, *, about: int) -> list[float]:
    """Round values between two others, about so many."""
    low, high = min(low, high), max(low, high)
    if not high > low:
        return [low]
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.95)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def time_ticks(low_s: float, high_s: float, *, about: int) -> list[float]:
    """Round times: steps of 1, 2, 5, 10, 15, 30 s, then minutes."""
    span = max(high_s - low_s, 1e-6)
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((s for s in steps if span / s <= about), 7200)
    first = math.ceil(low_s / step - 1e-9)
    return [round(k * step, 6) for k in range(first, math.floor(high_s / step + 1e-9) + 1)]


def time_label(t_s: float, *, span_s: float) -> str:
    """Seconds in a short session, minutes and seconds in a long one."""
    if span_s <= 120.0:
        return number(t_s, 1) if span_s <= 2.0 else f"{t_s:g}".replace("-", MINUS)
    minutes, seconds = divmod(round(t_s), 60)
    return f"{minutes}:{seconds:02d}"


def nice_ceiling(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    if not value > 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        m * power for m in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if m * power >= value * 0.9999
    )


def path(x: Floats, y: Floats) -> str:
    """Path through points, broken where a value is missing; a point by itself is a dot (round line ends)."""
    parts: list[str] = []
    for first, end in runs(np.isfinite(x) & np.isfinite(y)):
        points = [
            f"{px:.1f} {py:.1f}" for px, py in zip(x[first:end].tolist(), y[first:end].tolist(), strict=True)
        ]
        parts.append("M" + "L".join(points) + ("h0" if len(points) == 1 else ""))
    return "".join(parts)


def band(x: Floats, low: Floats, high: Floats) -> str:
    """Path of the area between two curves, one closed piece for every stretch without a gap."""
    parts: list[str] = []
    for a, b in runs(np.isfinite(x) & np.isfinite(low) & np.isfinite(high)):
        xs = np.concatenate([x[a:b], x[a:b][::-1]])
        ys = np.concatenate([low[a:b], high[a:b][::-1]])
        parts.append(path(xs, ys) + "Z")
    return "".join(parts)


def runs(here: Bools) -> list[tuple[int, int]]:
    """Stretches in which a condition holds, as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], here, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
