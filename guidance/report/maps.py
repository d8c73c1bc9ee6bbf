"""Maps of dwell, lowest temperature and verdict on the chart: colours, patterns, axes, legends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.outcome import CellKnowledge, Outcome
from guidance.overlay.palette import KNOWLEDGE, PURPLE, VERDICTS, Rgb, css, ramp, verdict_look
from guidance.report.grid import CellGrid, outline_paths, raster
from guidance.report.markup import element, esc, png, short
from guidance.report.plot import Scale, line, nice_ceiling, rect, text, ticks
from models.exposure import ExposureMap
from models.geometry import Bools, Bytes
from models.protocol import Protocol

UNKNOWN_INK: Rgb = (255, 255, 255)
MAP_WIDTH, MAP_HEIGHT = 330.0, 410.0
"""Width of a map with its axes, greatest height of its cells."""
MOSTLY = 0.9
"""Share of the time for which a way of knowing must hold to name a cell."""
WARMEST_DEGC = 34.0
"""Upper end of the temperature scale: resting skin of the trunk is at 32-34 degC (domain: skin)."""


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
    marked: Bools
    """Overexposed cells: outlined on every map, since a few of them are easily missed."""


def verdict_paint(verdict: tuple[str, ...]) -> CellPaint:
    """Every verdict in its colour and pattern."""
    colour = np.array([verdict_look(v).colour for v in verdict], np.uint8).reshape(-1, 3)
    pattern = {
        name: np.array([verdict_look(v).pattern == name for v in verdict], bool)
        for name in ("cross", "hatch", "bars")
    }
    ink: dict[str, Rgb] = {
        "cross": (60, 20, 0),
        "hatch": UNKNOWN_INK,
        "bars": (255, 255, 255),
    }
    return CellPaint("verdict", "Verdict", colour, pattern, ink, verdict_keys(verdict), pattern["cross"])


def verdict_keys(verdict: tuple[str, ...], *, leave_out: str = "") -> str:
    """Legend of the verdicts that occur."""
    present = {v if v in VERDICTS else "unknown" for v in verdict} - {leave_out}
    keys = "".join(
        f"<li>{swatch(name)}<b>{esc(look.title)}</b></li>"
        for name, look in VERDICTS.items()
        if name in present
    )
    return f'<ul class="keys">{keys}</ul>'


def dwell_paint(exposure: ExposureMap, *, unknown: Bools, over: Bools, protocol: Protocol) -> CellPaint:
    """Jet-seconds on the ramp; unknown cells hatched."""
    top_s = nice_ceiling(float(np.nanmax(exposure.dwell_s, initial=0.0)))
    share = np.nan_to_num(exposure.dwell_s / top_s)
    colour = ramp(share)
    colour[exposure.dwell_s <= 0.05] = VERDICTS["untreated"].colour
    marks = [(protocol.dwell_s.warn, "advisory"), (protocol.dwell_s.stop, "limit")]
    note = f"advisory {short(protocol.dwell_s.warn)} s, limit {short(protocol.dwell_s.stop)} s per cell"
    legend = (
        colour_bar(0.0, top_s, "jet-seconds (s)", marks=marks, falling=False)
        + f'<p class="small">{esc(note)}</p>'
    )
    return _hatched(
        "dwell", "Dwell", colour, unknown, over, legend + unknown_key(unknown, "unknown: more may have come")
    )


def cold_paint(exposure: ExposureMap, *, unknown: Bools, over: Bools, protocol: Protocol) -> CellPaint:
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
        over,
        legend + unknown_key(unseen, "not or not always observed"),
    )


def knowledge_paint(knowledge: CellKnowledge, *, over: Bools) -> CellPaint:
    """How each cell's temperature was known while gas fell on it, or all the time where none did.

    A cell counts as measured where it was for nine tenths of that time, as predicted where model or pictures
    knew it for as long, else as not observed.
    """
    jet = knowledge.jet_s.sum(axis=0) > 0.0
    time_s = np.where(jet, knowledge.jet_s, knowledge.all_s)
    total_s = np.maximum(time_s.sum(axis=0), 1e-9)
    measured, known = time_s[2] / total_s >= MOSTLY, (time_s[1] + time_s[2]) / total_s >= MOSTLY
    level = np.where(measured, 2, np.where(known, 1, 0))
    colour = np.array([look.colour for look in KNOWLEDGE], np.uint8)[level]
    keys = ""
    for number in (2, 1, 0):
        look = KNOWLEDGE[number]
        if (level == number).any():
            sample = element(
                "i", esc(look.letter), kind=f"swatch {look.pattern}", style=f"--c:{css(look.colour)}"
            )
            keys += element(
                "li", sample + element("span", element("b", esc(look.title)) + esc(f": {look.meaning}"))
            )
    note = "While gas fell on the cell, or all the time where none did; for nine tenths of it."
    legend = element("ul", keys, kind="keys") + element("p", esc(note), kind="small")
    ink: dict[str, Rgb] = {"hatch": UNKNOWN_INK, "bars": (90, 55, 0)}
    pattern = {"hatch": level == 0, "bars": level == 1}
    return CellPaint("known", "How it was known", colour, pattern, ink, legend, over)


def chart_svg(grid: CellGrid, paint: CellPaint, *, label: str) -> str:
    """The cells with axes and the outlines, as inline SVG."""
    room_left, top, room_right, room_below = 46.0, 10.0, 10.0, 40.0
    step = min((MAP_WIDTH - room_left - room_right) / grid.cols, MAP_HEIGHT / grid.rows)
    wide, tall = step * grid.cols, step * grid.rows
    left = (MAP_WIDTH - wide - room_right + room_left) / 2.0
    height, bottom = top + tall + room_below, top + tall
    x, y = Scale(*grid.x_edges, left, left + wide), Scale(*grid.y_edges, top, bottom)
    place = f'x="{left:.2f}" y="{top:.2f}" width="{wide:.2f}" height="{tall:.2f}"'
    picture = png(raster(grid, paint.colour, pattern=paint.pattern, ink=paint.ink))
    parts = [
        rect(left, top, wide, tall, kind="plot"),
        f'<image {place} preserveAspectRatio="none" href="{picture}"/>',
    ]
    outlined = (("zone", grid.in_zone | grid.left_out, 1.0), ("leftout", grid.left_out, 0.6))
    for kind, cells, smooth_cells in (*outlined, ("over", paint.marked, 0.25)):
        for loop in outline_paths(grid, cells, smooth_cells=smooth_cells):
            points = " ".join(f"{left + px * step:.1f},{top + py * step:.1f}" for px, py in loop.tolist())
            parts.extend(f'<polygon class="{name}" points="{points}"/>' for name in ("casing", kind))
    for tick in ticks(*grid.x_edges, about=6):
        parts.append(line(x(tick), bottom, x(tick), bottom + 4, kind="tick"))
        parts.append(text(x(tick), bottom + 15, short(tick), kind="mid"))
    for tick in ticks(*grid.y_edges, about=6):
        parts.append(line(left - 4, y(tick), left, y(tick), kind="tick"))
        parts.append(text(left - 7, y(tick) + 3.5, short(tick), kind="end"))
    parts.append(text(left + wide / 2, height - 6, grid.x_label, kind="mid name"))
    parts.append(text(left - 34, top + tall / 2, grid.y_label, kind="mid name", turned=True))
    where = f'data-map="chart" data-left="{left:.2f}" data-top="{top:.2f}" data-step="{step:.4f}"'
    size = f'viewBox="0 0 {MAP_WIDTH:.0f} {height:.0f}"'
    return f'<svg class="map" {size} role="img" aria-label="{esc(label)}" {where}>{"".join(parts)}</svg>'


def swatch(verdict: str) -> str:
    """A small sample of a verdict's look, with its letter."""
    look = verdict_look(verdict)
    return element("i", esc(look.letter), kind=f"swatch {look.pattern}", style=f"--c:{css(look.colour)}")


def unknown_key(unknown: Bools, words: str) -> str:
    """The legend of hatched cells, where there are any."""
    if not unknown.any():
        return ""
    return element("ul", element("li", swatch("unknown") + esc(words)), kind="keys")


def colour_bar(low: float, high: float, label: str, *, marks: list[tuple[float, str]], falling: bool) -> str:
    """The ramp with its figures, as inline SVG; ``falling``: dark at the low end."""
    width, edge, steps = 300.0, 14.0, 48
    x = Scale(low, high, edge, width - edge)
    colours = ramp((np.arange(steps) + 0.5) / steps)[:: -1 if falling else 1]
    wide = (width - 2.0 * edge) / steps
    parts: list[str] = []
    for k, (r, g, b) in enumerate(colours.tolist()):
        size = f'x="{edge + k * wide:.2f}" y="14" width="{wide + 0.4:.2f}" height="10"'
        parts.append(f'<rect {size} fill="{css((r, g, b))}"/>')
    parts.extend(text(x(tick), 36, short(tick), kind="mid") for tick in ticks(low, high, about=6))
    for value, word in marks:
        if low < value < high:
            parts.append(
                line(x(value), 10, x(value), 26, kind="mark") + text(x(value), 8, word, kind="mid word")
            )
    parts.append(text(width / 2, 51, label, kind="mid name"))
    head = f'<svg class="bar" viewBox="0 0 {width:.0f} 56" role="img" aria-label="{esc(label)}">'
    return f"{head}{''.join(parts)}</svg>"


def _hatched(name: str, title: str, colour: Bytes, unknown: Bools, over: Bools, legend: str) -> CellPaint:
    colour[unknown] = PURPLE
    return CellPaint(name, title, colour, {"hatch": unknown}, {"hatch": UNKNOWN_INK}, legend, over)


def overexposed_cells(outcome: Outcome) -> Bools:
    """Cells that the verdict calls overexposed."""
    if outcome.verdicts is not None:
        return np.array([v == "overexposed" for v in outcome.verdicts.verdict], bool)
    assert outcome.exposure is not None
    return np.zeros(len(outcome.exposure.min_degc), bool)


def unknown_cells(outcome: Outcome) -> Bools:
    """Cells that the verdict calls unknown; without verdicts those never observed."""
    if outcome.verdicts is not None:
        return np.array([verdict_look(v).pattern == "hatch" for v in outcome.verdicts.verdict], bool)
    assert outcome.exposure is not None
    return np.isnan(outcome.exposure.min_degc)
