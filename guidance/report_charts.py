"""Curves over time as inline SVG: temperature, distance, states, alarms; and rewarming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.outcome import Outcome, Trace
from guidance.report_svg import Scale, band, clock, esc, number, path, ticks, time_label, time_ticks
from models.geometry import Bools, Floats

WIDTH, LEFT, RIGHT = 980.0, 118.0, 16.0
MOST_POINTS = 900
"""Points of a curve; longer sessions are reduced to the extremes of each stretch, so that no dip is lost."""
MOST_LANES = 6


@dataclass(frozen=True, eq=False)
class Curves:
    """The trace, reduced: one entry a stretch of time, NaN = not known throughout it."""

    t_s: Floats
    min_degc: Floats
    min_low_degc: Floats
    min_high_degc: Floats
    mean_degc: Floats
    distance_mm: Floats
    distance_low_mm: Floats
    distance_high_mm: Floats


def reduced(trace: Trace) -> Curves:
    """Lowest of the lowest, widest of the bounds, mean of the rest, per stretch."""
    m = len(trace.t_s)
    size = max(1, -(-m // MOST_POINTS))
    bound = np.nan_to_num(trace.skin_min_u95_degc)
    spread = np.nan_to_num(trace.distance_u95_mm)
    return Curves(
        t_s=_stretch(trace.t_s, size, np.mean),
        min_degc=_stretch(trace.skin_min_degc, size, np.min),
        min_low_degc=_stretch(trace.skin_min_degc - bound, size, np.min),
        min_high_degc=_stretch(trace.skin_min_degc + bound, size, np.max),
        mean_degc=_stretch(trace.zone_mean_degc, size, np.mean),
        distance_mm=_stretch(trace.distance_mm, size, np.mean),
        distance_low_mm=_stretch(trace.distance_mm - spread, size, np.min),
        distance_high_mm=_stretch(trace.distance_mm + spread, size, np.max),
    )


def time_chart(outcome: Outcome) -> str:
    """All curves over one time axis; empty where there is no capture."""
    trace = outcome.trace
    if len(trace.t_s) < 2:
        return '<p class="none">There are too few captures for curves.</p>'
    start, end = float(trace.t_s[0]), max(float(trace.t_s[-1]), float(trace.t_s[0]) + 0.1)
    x = Scale(start, end, LEFT, WIDTH - RIGHT)
    curves = reduced(trace)
    metric = bool(np.isfinite(trace.distance_mm).any()) or (
        outcome.rig is not None and outcome.chart is not None
    )
    parts: list[str] = []
    y = 8.0
    alarms, alarm_height = _alarm_lanes(outcome, x, top=y)
    y += alarm_height
    plots_top = y
    parts.append(_temperature_panel(outcome, curves, x, top=y, height=210.0))
    y += 210.0 + 18.0
    if metric:
        parts.append(_distance_panel(outcome, curves, x, top=y, height=150.0))
        y += 150.0 + 16.0
    y, strips = _strips(outcome, x, top=y)
    parts.append(strips)
    axis = []
    for tick in time_ticks(start, end, about=12):
        axis.append(
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{plots_top:.1f}" y2="{y:.1f}"/>'
        )
        axis.append(
            f'<text class="mid" x="{x(tick):.1f}" y="{y + 16:.1f}">{time_label(tick, span_s=end - start)}</text>'
        )
    unit = "min:s" if end - start > 120.0 else "s"
    axis.append(
        f'<text class="mid name" x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{y + 34:.1f}">session time ({unit})</text>'
    )
    cursor = f'<line class="cursor" x1="0" x2="0" y1="{plots_top:.1f}" y2="{y:.1f}"/>'
    return (
        f'<svg class="curves" id="curves" viewBox="0 0 {WIDTH:.0f} {y + 42:.0f}" role="img" '
        f'aria-label="Curves over the session" data-start="{start:.4f}" data-end="{end:.4f}" '
        f'data-left="{LEFT}" data-right="{WIDTH - RIGHT}">{"".join(axis)}{"".join(parts)}{alarms}{cursor}</svg>'
    )


def rewarming_chart(outcome: Outcome) -> str:
    """Zone mean and lowest temperature from the end of the gas on (or from the coldest zone mean)."""
    trace = outcome.trace
    begin_s = rewarming_start_s(outcome)
    if begin_s is None:
        return ""
    rows = trace.t_s >= begin_s - 1e-9
    after = trace.t_s[rows] - begin_s
    mean, low = trace.zone_mean_degc[rows], trace.skin_min_degc[rows]
    if len(after) < 2 or not (np.isfinite(mean).any() or np.isfinite(low).any()):
        return ""
    size = max(1, -(-len(after) // MOST_POINTS))
    after_r, mean_r, low_r = (
        _stretch(after, size, np.mean),
        _stretch(mean, size, np.mean),
        _stretch(low, size, np.min),
    )
    values = np.concatenate([mean, low])
    top, height = 12.0, 190.0
    x = Scale(0.0, float(after[-1]), LEFT, WIDTH - RIGHT)
    y = _y_scale(float(np.nanmin(values)), float(np.nanmax(values)), top, height, least=4.0)
    parts = [_frame(top, height), _y_axis(y, "°C")]
    for tick in time_ticks(0.0, float(after[-1]), about=12):
        parts.append(
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{top + height}"/>'
        )
        parts.append(
            f'<text class="mid" x="{x(tick):.1f}" y="{top + height + 16:.1f}">{time_label(tick, span_s=float(after[-1]))}</text>'
        )
    parts.append(f'<path class="line mean" d="{path(x.many(after_r), y.many(mean_r))}"/>')
    parts.append(f'<path class="line min" d="{path(x.many(after_r), y.many(low_r))}"/>')
    parts.append(_end_label(x, y, after_r, mean_r, "zone mean", "mean", other=low_r))
    parts.append(_end_label(x, y, after_r, low_r, "lowest", "min", other=mean_r))
    since = "gas stopped" if outcome.gas_stopped_s is not None else "the zone was coldest"
    unit = "min:s" if after[-1] > 120.0 else "s"
    parts.append(
        f'<text class="mid name" x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{top + height + 34:.1f}">time since {since} ({unit})</text>'
    )
    return (
        f'<svg class="curves" viewBox="0 0 {WIDTH:.0f} {top + height + 42:.0f}" role="img" '
        f'aria-label="Rewarming">{"".join(parts)}</svg>'
    )


def rewarming_start_s(outcome: Outcome) -> float | None:
    """When gas stopped, or, where no stop is known, when the zone's mean was lowest; None where nothing rewarms."""
    trace = outcome.trace
    if outcome.gas_stopped_s is not None:
        return outcome.gas_stopped_s
    if not np.isfinite(trace.zone_mean_degc).any():
        return None
    coldest = int(np.nanargmin(trace.zone_mean_degc))
    return float(trace.t_s[coldest]) if trace.t_s[-1] - trace.t_s[coldest] > 1.0 else None


def row_time_s(trace: Trace) -> Floats:
    """How long each row stands: until the next one; 0 for the last."""
    if len(trace.t_s) < 2:
        return np.zeros(len(trace.t_s))
    return np.append(np.diff(trace.t_s), 0.0)


def _stretch(values: Floats, size: int, how: object) -> Floats:
    if size == 1:
        return np.asarray(values, float)
    count = -(-len(values) // size)
    table = np.full(count * size, np.nan)
    table[: len(values)] = values
    table = table.reshape(count, size)
    known = np.isfinite(table)
    out = np.full(count, np.nan)
    rows = known.any(1)
    if how is np.min:
        out[rows] = np.where(known, table, np.inf)[rows].min(1)
    elif how is np.max:
        out[rows] = np.where(known, table, -np.inf)[rows].max(1)
    else:
        out[rows] = np.where(known, table, 0.0)[rows].sum(1) / known[rows].sum(1)
    return out


def _temperature_panel(outcome: Outcome, c: Curves, x: Scale, *, top: float, height: float) -> str:
    protocol = outcome.protocol
    values = np.concatenate([c.min_low_degc, c.min_high_degc, c.mean_degc])
    known = values[np.isfinite(values)]
    low = min(float(known.min()) if len(known) else 0.0, protocol.skin_degc.stop - 2.0)
    high = max(float(known.max()) if len(known) else 30.0, protocol.target_high_degc + 2.0)
    y = _y_scale(low, high, top, height, least=8.0)
    a, b = y(protocol.target_high_degc), y(protocol.target_low_degc)
    stop_y = y(protocol.skin_degc.stop)
    parts = [
        _frame(top, height),
        _unknown_columns(outcome.trace.t_s, ~np.isfinite(outcome.trace.skin_min_degc), x, top, height),
        f'<rect class="good" x="{LEFT}" y="{a:.1f}" width="{WIDTH - RIGHT - LEFT:.1f}" height="{b - a:.1f}"/>',
        f'<text class="note" x="{LEFT + 6}" y="{a + 12:.1f}">target band {number(protocol.target_low_degc, 0)}–{number(protocol.target_high_degc, 0)} °C</text>',
        _y_axis(y, "°C"),
        f'<path class="areamin" d="{band(x.many(c.t_s), y.many(c.min_low_degc), y.many(c.min_high_degc))}"/>',
        f'<path class="line mean" d="{path(x.many(c.t_s), y.many(c.mean_degc))}"/>',
        f'<path class="line min" d="{path(x.many(c.t_s), y.many(c.min_degc))}"/>',
        f'<line class="stop" x1="{LEFT}" x2="{WIDTH - RIGHT:.1f}" y1="{stop_y:.1f}" y2="{stop_y:.1f}"/>',
        f'<text class="note stopword" x="{LEFT + 6}" y="{stop_y + 12:.1f}">STOP {number(protocol.skin_degc.stop, 0)} °C</text>',
        _side_label(top, height, "Skin", "temperature"),
        _legend(top + 14, (("line mean", "mean of the zone"), ("line min", "lowest, with its 95 % bound"))),
    ]
    return "".join(parts)


def _distance_panel(outcome: Outcome, c: Curves, x: Scale, *, top: float, height: float) -> str:
    limits = outcome.protocol.distance
    known = c.distance_high_mm[np.isfinite(c.distance_high_mm)]
    upper = max(float(np.percentile(known, 99)) if len(known) else 0.0, limits.good_high_mm * 1.25)
    y = _y_scale(0.0, min(upper, 3.0 * limits.good_high_mm), top, height, least=50.0)
    wide = f'x="{LEFT}" width="{WIDTH - RIGHT - LEFT:.1f}"'
    good_a, good_b, stop = y(limits.good_high_mm), y(limits.good_low_mm), y(limits.stop_low_mm)
    unknown = outcome.trace.gas & ~np.isfinite(outcome.trace.distance_mm)
    low, mid, high = (np.clip(v, 0.0, y.high) for v in (c.distance_low_mm, c.distance_mm, c.distance_high_mm))
    return "".join(
        [
            _frame(top, height),
            _unknown_columns(outcome.trace.t_s, unknown, x, top, height),
            f'<rect class="good" {wide} y="{good_a:.1f}" height="{good_b - good_a:.1f}"/>',
            f'<text class="note" x="{LEFT + 6}" y="{good_a + 12:.1f}">good {number(limits.good_low_mm, 0)}–{number(limits.good_high_mm, 0)} mm</text>',
            f'<rect class="bad" {wide} y="{stop:.1f}" height="{top + height - stop:.1f}"/>',
            f'<text class="note stopword" x="{LEFT + 6}" y="{stop + 12:.1f}">STOP below {number(limits.stop_low_mm, 0)} mm</text>',
            _y_axis(y, "mm"),
            f'<path class="areadist" d="{band(x.many(c.t_s), y.many(low), y.many(high))}"/>',
            f'<path class="line dist" d="{path(x.many(c.t_s), y.many(mid))}"/>',
            _side_label(top, height, "Nozzle", "to skin"),
        ]
    )


def _strips(outcome: Outcome, x: Scale, *, top: float) -> tuple[float, str]:
    trace = outcome.trace
    rows: list[tuple[str, list[tuple[str, Bools]]]] = [("Gas", [("gas", trace.gas)])]
    if outcome.rig is not None:
        nozzle = np.array(trace.nozzle_state)
        rows.append(
            ("Nozzle", [("tracked", nozzle == "tracked"), ("predicted", nozzle == "predicted"),
                        ("ambiguous", nozzle == "ambiguous"), ("lost", ~np.isin(nozzle, ["tracked", "predicted", "ambiguous"]))])
        )  # fmt: skip
    place = np.array(trace.zone_state)
    rows.append(
        (
            "Zone",
            [
                ("placed", place == "placed"),
                ("held", place == "held"),
                ("lost", ~np.isin(place, ["placed", "held"])),
            ],
        )
    )
    parts: list[str] = []
    y = top
    for name, states in rows:
        parts.append(f'<text class="side" x="{LEFT - 10}" y="{y + 12:.1f}">{esc(name)}</text>')
        parts.append(
            f'<rect class="strip" x="{LEFT}" y="{y:.1f}" width="{WIDTH - RIGHT - LEFT:.1f}" height="16"/>'
        )
        for state, here in states:
            parts.append(_runs(trace.t_s, here, x, y, 16.0, state))
        y += 22.0
    share = np.nan_to_num(trace.zone_observed_share)
    size = max(1, -(-len(share) // MOST_POINTS))
    at, seen = _stretch(trace.t_s, size, np.mean), np.clip(_stretch(share, size, np.min), 0.0, 1.0)
    parts.append(f'<text class="side" x="{LEFT - 10}" y="{y + 15:.1f}">Zone seen (IR)</text>')
    parts.append(
        f'<rect class="strip" x="{LEFT}" y="{y:.1f}" width="{WIDTH - RIGHT - LEFT:.1f}" height="24"/>'
    )
    parts.append(
        f'<rect class="lost" x="{LEFT}" y="{y:.1f}" width="{WIDTH - RIGHT - LEFT:.1f}" height="24"/>'
    )
    parts.append(
        f'<path class="seen" d="{band(x.many(at), y + 24.0 - 24.0 * seen, np.full(len(at), y + 24.0))}"/>'
    )
    y += 30.0
    return y, "".join(parts)


def _runs(t_s: Floats, here: Bools, x: Scale, y: float, height: float, state: str) -> str:
    """One rectangle for every stretch in a state; at least a pixel wide, so that no loss vanishes."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], here, [False]]).astype(np.int8)))
    ends = np.append(t_s, t_s[-1])
    parts: list[str] = []
    last_x = -10.0
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        x0, x1 = x(float(t_s[a])), x(float(ends[b]))
        if x1 <= last_x:
            continue
        x1 = max(x1, x0 + 1.0)
        title = f"{state} {clock(float(t_s[a]))} to {clock(float(ends[b]))}"
        parts.append(
            f'<rect class="{state}" x="{x0:.1f}" y="{y:.1f}" width="{x1 - x0:.1f}" height="{height:.0f}"><title>{esc(title)}</title></rect>'
        )
        if state in ("lost", "held", "ambiguous") and x1 - x0 > 34.0:
            parts.append(
                f'<text class="mid inside" x="{(x0 + x1) / 2:.1f}" y="{y + height - 4:.1f}">{esc(state)}</text>'
            )
        last_x = x1
    return "".join(parts)


def _alarm_lanes(outcome: Outcome, x: Scale, *, top: float) -> tuple[str, float]:
    """Alarms as numbered bars in lanes that do not overlap; the numbers are those of the table."""
    lanes: list[float] = []
    parts: list[str] = []
    hidden = 0
    for number_, alarm in enumerate(sorted(outcome.alarms, key=lambda a: a.t_on_s), start=1):
        x0 = x(min(max(alarm.t_on_s, x.low), x.high))
        off_s = x.high if alarm.t_off_s is None else alarm.t_off_s
        x1 = max(x(min(max(off_s, x.low), x.high)), x0 + 4.0)
        text = f"{number_} {alarm.cause.replace('_', ' ')}"
        right = max(x1, x0 + 6.4 * len(text) + 12.0) + 6.0
        lane = next((k for k, free in enumerate(lanes) if free <= x0), len(lanes))
        if lane >= MOST_LANES:
            hidden += 1
            continue
        if lane == len(lanes):
            lanes.append(0.0)
        lanes[lane] = right
        y = top + 20.0 * lane
        kind = alarm.priority if alarm.priority in ("high", "medium", "low") else "high"
        anchor, tx = ("start", x0 + 5.0)
        if x0 + 6.4 * len(text) + 8.0 > WIDTH - RIGHT:
            anchor, tx = "end", x0 - 4.0
        title = f"{number_}. {kind}: {alarm.message} ({clock(alarm.t_on_s)} to {'the end' if alarm.t_off_s is None else clock(alarm.t_off_s)})"
        parts.append(
            f'<g class="alarm {kind}"><title>{esc(title)}</title><rect x="{x0:.1f}" y="{y:.1f}" width="{x1 - x0:.1f}" height="16" rx="2"/>'
            f'<text x="{tx:.1f}" y="{y + 12:.1f}" text-anchor="{anchor}">{esc(text)}</text></g>'
        )
    label = f'<text class="side" x="{LEFT - 10}" y="{top + 12:.1f}">Alarms</text>' if parts else ""
    height = 20.0 * len(lanes) + (10.0 if lanes else 0.0)
    if hidden:
        parts.append(f'<text class="side" x="{LEFT - 10}" y="{top + 28:.1f}">+{hidden} in the table</text>')
        height = max(height, 40.0)
    return label + "".join(parts), height


def _unknown_columns(t_s: Floats, unknown: Bools, x: Scale, top: float, height: float) -> str:
    """Hatched columns where a curve is not known."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unknown, [False]]).astype(np.int8)))
    ends = np.append(t_s, t_s[-1])
    parts: list[str] = []
    last = -10.0
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        x0, x1 = x(float(t_s[a])), x(float(ends[b]))
        if x1 <= last:
            continue
        parts.append(
            f'<rect class="gap" x="{x0:.1f}" y="{top:.1f}" width="{max(x1 - x0, 1.0):.1f}" height="{height:.1f}"/>'
        )
        last = max(x1, x0 + 1.0)
    return "".join(parts)


def _y_scale(low: float, high: float, top: float, height: float, *, least: float) -> Scale:
    if high - low < least:
        low, high = (low + high - least) / 2.0, (low + high + least) / 2.0
    room = 0.04 * (high - low)
    low = low if low == 0.0 else low - room
    return Scale(low, high + room, top + height, top)


def _y_axis(y: Scale, unit: str) -> str:
    parts: list[str] = []
    for tick in ticks(y.low, y.high, about=5):
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT:.1f}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        )
        parts.append(
            f'<text class="end" x="{LEFT - 8}" y="{y(tick) + 4:.1f}">{number(tick, 0)} {esc(unit)}</text>'
        )
    return "".join(parts)


def _frame(top: float, height: float) -> str:
    return f'<rect class="plot" x="{LEFT}" y="{top:.1f}" width="{WIDTH - RIGHT - LEFT:.1f}" height="{height:.1f}"/>'


def _side_label(top: float, height: float, *words: str) -> str:
    lines = "".join(
        f'<tspan x="14" dy="{0 if k == 0 else 15}">{esc(word)}</tspan>' for k, word in enumerate(words)
    )
    return f'<text class="panelname" x="14" y="{top + height / 2 - 4:.1f}">{lines}</text>'


def _legend(top: float, entries: tuple[tuple[str, str], ...]) -> str:
    x = WIDTH - RIGHT - 12.0
    parts: list[str] = []
    for kind, words in reversed(entries):
        x -= 6.2 * len(words)
        parts.append(f'<text class="note" x="{x:.1f}" y="{top:.1f}">{esc(words)}</text>')
        parts.append(f'<path class="{kind}" d="M{x - 28:.1f} {top - 4:.1f}h22"/>')
        x -= 44.0
    return "".join(parts)


def _end_label(
    x: Scale, y: Scale, t_s: Floats, values: Floats, words: str, kind: str, *, other: Floats
) -> str:
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return ""
    k = int(known[-1])
    above = not np.isfinite(other[k]) or values[k] >= other[k]
    return (
        f'<text class="endlabel {kind}" x="{x(float(t_s[k])) - 6:.1f}" y="{y(float(values[k])) + (-8 if above else 16):.1f}">'
        f"{esc(words)} {number(float(values[k]))} °C</text>"
    )


def shared_patterns() -> str:
    """The hatching that all charts of the page refer to."""
    return (
        '<svg class="shared" width="0" height="0" aria-hidden="true">'
        '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatchground" width="7" height="7"/><rect class="hatchline" width="2.4" height="7"/></pattern></defs></svg>'
    )
