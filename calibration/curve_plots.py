"""Curves with their bounds, as inline SVG for the certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from models.geometry import Floats

_INK, _COLOURS = "#1d2733", ("#0b6fa4", "#b3261e", "#4f6d3a")
_WIDE, _HIGH, _LEFT, _TOP, _BELOW = 380.0, 220.0, 46.0, 20.0, 30.0


@dataclass(frozen=True, eq=False)
class Curve:
    """A named curve, with a band round it where it has bounds; NaN leaves a gap."""

    name: str
    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None


def curves_svg(curves: Sequence[Curve], *, x: str, y: str) -> str:
    """Curves over one pair of axes.

    Args:
        curves: One to three.
        x: Unit of their x.
        y: Unit of their y.
    """
    across = np.concatenate([one.x for one in curves])
    up = np.concatenate([part for one in curves for part in (one.y, one.low, one.high) if part is not None])
    up = up[np.isfinite(up)]
    left, right = float(across.min()), float(across.max())
    low, high = (float(up.min()), float(up.max())) if len(up) else (0.0, 1.0)
    room = max(0.05 * (high - low), 1e-6)
    low, high = low - room, high + room
    wide, tall = _WIDE - _LEFT - 8.0, _HIGH - _TOP - _BELOW

    def place(px: Floats, py: Floats) -> list[tuple[float, float]]:
        u = _LEFT + wide * (px - left) / max(right - left, 1e-9)
        v = _TOP + tall * (high - py) / (high - low)
        return list(zip(u.tolist(), v.tolist(), strict=True))

    body = f'<rect x="{_LEFT}" y="{_TOP}" width="{wide}" height="{tall}" fill="#fff" stroke="{_INK}"/>'
    for mark in np.linspace(low + room, high - room, 4):
        ((_, v),) = place(np.array([left]), np.array([mark]))
        body += f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{v:.1f}" y2="{v:.1f}" stroke="#ccd3da"/>'
        body += f'<text x="{_LEFT - 5}" y="{v + 4:.1f}" font-size="11" text-anchor="end">{mark:.3g}</text>'
    for mark, anchor in ((left, "start"), (right, "end")):
        ((u, _),) = place(np.array([mark]), np.array([low]))
        body += (
            f'<text x="{u:.1f}" y="{_HIGH - _BELOW + 15}" font-size="11" text-anchor="{anchor}">'
            f"{mark:.3g} {escape(x)}</text>"
        )
    legend = _LEFT
    for colour, one in zip(_COLOURS, curves, strict=False):
        if one.low is not None and one.high is not None:
            ring = [*place(one.x, one.high), *reversed(place(one.x, one.low))]
            body += f'<polygon points="{_points(ring)}" fill="{colour}" fill-opacity="0.15"/>'
        for run in _runs(one.y):
            line = _points(place(one.x[run], one.y[run]))
            body += f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        body += (
            f'<text x="{legend:.0f}" y="{_TOP - 7}" font-size="11" fill="{colour}">{escape(one.name)}</text>'
        )
        legend += 14.0 + 6.5 * len(one.name)
    title = f"{', '.join(one.name for one in curves)} in {y} over {x}"
    return (
        f'<svg viewBox="-2 -2 {_WIDE + 4:.0f} {_HIGH + 4:.0f}" width="{_WIDE:.0f}" height="{_HIGH:.0f}"'
        f' role="img" xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{body}</svg>'
    )


def _runs(y: Floats) -> list[slice]:
    """Stretches without a gap."""
    good = np.concatenate([[False], np.isfinite(y), [False]])
    edges = np.flatnonzero(good[1:] != good[:-1])
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a > 1]


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{u:.1f},{v:.1f}" for u, v in places)
