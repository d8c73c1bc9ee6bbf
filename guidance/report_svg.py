"""Small pieces of HTML and SVG: escaping, numbers for people, axes, pictures as data."""

from __future__ import annotations

import base64
import html
import math
from dataclasses import dataclass

import cv2
import numpy as np

from models.geometry import Bytes, Floats

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"


def esc(text: object) -> str:
    """Text made harmless inside HTML and its attributes."""
    return html.escape(str(text), quote=True)


def number(value: float | None, digits: int = 1) -> str:
    """A figure for people; ``not known`` where there is none."""
    if value is None or not math.isfinite(value):
        return "not known"
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def with_bound(value: float | None, bound: float | None, digits: int = 1) -> str:
    """``12.3 ± 0.9``, or the figure alone with the words that its bound is not known."""
    if value is None or not math.isfinite(value):
        return "not known"
    if bound is None or not math.isfinite(bound):
        return f"{number(value, digits)} (bound not known)"
    return f"{number(value, digits)}{NARROW}±{NARROW}{number(bound, digits)}"


def clock(t_s: float) -> str:
    """``1:05.2`` for 65.2 s."""
    if not math.isfinite(t_s):
        return "not known"
    sign, tenths = (MINUS if t_s < -0.05 else ""), round(abs(t_s) * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{sign}{minutes}:{rest // 10:02d}.{rest % 10}"


def png(picture: Bytes) -> str:
    """A picture (BGR or BGRA) as a data address."""
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def jpeg(picture: Bytes, *, quality: int) -> str:
    """A picture (BGR) as a data address."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


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


def ticks(low: float, high: float, *, about: int) -> list[float]:
    """Round values between two others, about so many."""
    low, high = min(low, high), max(low, high)
    if not high > low:
        return [low]
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.999)
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
    """SVG path through points, broken where a value is missing."""
    parts: list[str] = []
    pen_down = False
    for px, py in zip(x.tolist(), y.tolist(), strict=True):
        if not (math.isfinite(px) and math.isfinite(py)):
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{px:.1f} {py:.1f}")
        pen_down = True
    return "".join(parts)


def band(x: Floats, low: Floats, high: Floats) -> str:
    """SVG path of the area between two curves, one closed piece for every stretch without a gap."""
    good = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    parts: list[str] = []
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        xs = np.concatenate([x[a:b], x[a:b][::-1]])
        ys = np.concatenate([low[a:b], high[a:b][::-1]])
        parts.append(path(xs, ys) + "Z")
    return "".join(parts)
