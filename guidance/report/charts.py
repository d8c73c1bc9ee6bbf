"""Curves over time as inline SVG: temperature, distance, alarms; and rewarming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from guidance.outcome import Outcome, Trace
from guidance.report.markup import NARROW, TO, number, short
from guidance.report.plot import Scale, band, curve, line, path, rect, text, ticks, time_label, time_ticks
from guidance.report.strips import LEFT, RIGHT, WIDTH, alarm_lanes, state_strips, unknown_columns
from models.geometry import Floats

MOST_POINTS = 900
"""Points of a curve; longer sessions are reduced to the extremes of each stretch, so that no dip is lost."""
TEMPERATURE_PX, DISTANCE_PX, REWARMING_PX = 210.0, 150.0, 190.0


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
    observed_share: Floats


def reduced(trace: Trace) -> Curves:
    """Lowest of the lowest, widest of the bounds, mean of the rest, per stretch."""
    size = max(1, -(-len(trace.t_s) // MOST_POINTS))
    bound, spread = np.nan_to_num(trace.skin_min_u95_degc), np.nan_to_num(trace.distance_u95_mm)
    return Curves(
        t_s=stretched(trace.t_s, size, "mean"),
        min_degc=stretched(trace.skin_min_degc, size, "min"),
        min_low_degc=stretched(trace.skin_min_degc - bound, size, "min"),
        min_high_degc=stretched(trace.skin_min_degc + bound, size, "max"),
        mean_degc=stretched(trace.zone_mean_degc, size, "mean"),
        distance_mm=stretched(trace.distance_mm, size, "mean"),
        distance_low_mm=stretched(trace.distance_mm - spread, size, "min"),
        distance_high_mm=stretched(trace.distance_mm + spread, size, "max"),
        observed_share=stretched(np.nan_to_num(trace.zone_observed_share), size, "min"),
    )


def time_chart(outcome: Outcome) -> str:
    """All curves over one time axis."""
    trace = outcome.trace
    if len(trace.t_s) < 2:
        return '<p class="none">There are too few captures for curves.</p>'
    start, end = float(trace.t_s[0]), max(float(trace.t_s[-1]), float(trace.t_s[0]) + 0.1)
    x = Scale(start, end, LEFT, WIDTH - RIGHT)
    curves = reduced(trace)
    alarms, y = alarm_lanes(outcome, x, top=8.0)
    top = y
    parts: list[str] = []
    y += 22.0
    parts.append(_temperature(outcome, curves, x, top=y))
    y += TEMPERATURE_PX + 18.0
    if outcome.chart is not None or np.isfinite(trace.distance_mm).any():
        parts.append(_distance(outcome, curves, x, top=y))
        y += DISTANCE_PX + 16.0
    strips, y = state_strips(outcome, curves.t_s, curves.observed_share, x, top=y)
    parts.append(strips)
    unit = "min:s" if end - start > 120.0 else "s"
    axis = _time_axis(x, top=top, bottom=y, name=f"session time ({unit})")
    cursor = line(0.0, top, 0.0, y, kind="cursor")
    reach = f'data-start="{start:.4f}" data-end="{end:.4f}" data-left="{LEFT}" data-right="{WIDTH - RIGHT}"'
    return (
        f'<svg class="curves" id="curves" viewBox="0 0 {WIDTH:.0f} {y + 42:.0f}" role="img" '
        f'aria-label="Curves over the session" {reach}>{axis}{"".join(parts)}{alarms}{cursor}</svg>'
    )


def rewarming_chart(outcome: Outcome) -> str:
    """Zone mean and lowest temperature after the gas (or after the coldest zone mean); empty if unknown."""
    trace = outcome.trace
    begin_s = rewarming_start_s(outcome)
    if begin_s is None:
        return ""
    rows = trace.t_s >= begin_s - 1e-9
    after_s, low = trace.t_s[rows] - begin_s, trace.skin_min_degc[rows]
    mean, bound = trace.zone_mean_degc[rows], np.nan_to_num(trace.skin_min_u95_degc[rows])
    values = np.concatenate([mean, low - bound, low + bound])
    if len(after_s) < 2 or not np.isfinite(values).any():
        return ""
    size = max(1, -(-len(after_s) // MOST_POINTS))
    top, end_s = 12.0, float(after_s[-1])
    x = Scale(0.0, end_s, LEFT, WIDTH - RIGHT)
    y = _y_scale(float(np.nanmin(values)), float(np.nanmax(values)), top, REWARMING_PX, least=4.0)
    t_px = x.many(stretched(after_s, size, "mean"))
    mean_px, low_px = y.many(stretched(mean, size, "mean")), y.many(stretched(low, size, "min"))
    least_px = y.many(stretched(low - bound, size, "min"))
    most_px = y.many(stretched(low + bound, size, "max"))
    since = "gas stopped" if outcome.gas_stopped_s is not None else "the zone was coldest"
    unit = "min:s" if end_s > 120.0 else "s"
    parts = [
        _time_axis(x, top=top, bottom=top + REWARMING_PX, name=f"time since {since} ({unit})"),
        _frame(top, REWARMING_PX),
        _y_axis(y),
        _panel_name(top, REWARMING_PX, "Skin", "temperature", "°C"),
        curve(band(t_px, least_px, most_px), kind="areamin"),
        curve(path(t_px, mean_px), kind="line mean"),
        curve(path(t_px, low_px), kind="line min"),
        _end_label(t_px, mean_px, y, "zone mean", "mean", other_px=low_px),
        _end_label(t_px, low_px, y, "lowest", "min", other_px=mean_px),
    ]
    height = top + REWARMING_PX + 42.0
    head = f'<svg class="curves" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="Rewarming">'
    return f"{head}{''.join(parts)}</svg>"


def rewarming_start_s(outcome: Outcome) -> float | None:
    """When gas stopped; where no stop is known, when the zone's mean was lowest; None if nothing rewarms."""
    trace = outcome.trace
    if outcome.gas_stopped_s is not None:
        return outcome.gas_stopped_s
    if not np.isfinite(trace.zone_mean_degc).any():
        return None
    coldest = int(np.nanargmin(trace.zone_mean_degc))
    return float(trace.t_s[coldest]) if trace.t_s[-1] - trace.t_s[coldest] > 1.0 else None


def row_time_s(trace: Trace) -> Floats:
    """How long each row stands: until the next one; 0 for the last."""
    return np.append(np.diff(trace.t_s), 0.0) if len(trace.t_s) else np.zeros(0)


def stretched(values: Floats, size: int, how: Literal["min", "max", "mean"]) -> Floats:
    """One value for each ``size`` values; what is not known is left out, all unknown stays NaN."""
    count = -(-len(values) // size)
    table = np.full(count * size, np.nan)
    table[: len(values)] = values
    table = table.reshape(count, size)
    known = np.isfinite(table)
    if how == "mean":
        out = np.where(known, table, 0.0).sum(1) / np.maximum(known.sum(1), 1)
    elif how == "min":
        out = np.where(known, table, np.inf).min(1, initial=np.inf)
    else:
        out = np.where(known, table, -np.inf).max(1, initial=-np.inf)
    return np.where(known.any(1), out, np.nan)


def _temperature(outcome: Outcome, c: Curves, x: Scale, *, top: float) -> str:
    limits = outcome.protocol
    values = np.concatenate([c.min_low_degc, c.min_high_degc, c.mean_degc])
    known = values[np.isfinite(values)]
    low = min(float(known.min()) if len(known) else 0.0, limits.skin_degc.stop - 2.0)
    high = max(float(known.max()) if len(known) else 30.0, limits.target_high_degc + 2.0)
    y = _y_scale(low, high, top, TEMPERATURE_PX, least=8.0)
    upper, lower, stop = y(limits.target_high_degc), y(limits.target_low_degc), y(limits.skin_degc.stop)
    target = f"target band {short(limits.target_low_degc)}{TO}{short(limits.target_high_degc)} °C"
    t_px = x.many(c.t_s)
    return "".join(
        [
            _frame(top, TEMPERATURE_PX),
            _y_axis(y),
            unknown_columns(
                outcome.trace.t_s, ~np.isfinite(outcome.trace.skin_min_degc), x, top, TEMPERATURE_PX
            ),
            rect(LEFT, upper, WIDTH - RIGHT - LEFT, lower - upper, kind="good"),
            curve(band(t_px, y.many(c.min_low_degc), y.many(c.min_high_degc)), kind="areamin"),
            curve(path(t_px, y.many(c.mean_degc)), kind="line mean"),
            curve(path(t_px, y.many(c.min_degc)), kind="line min"),
            line(LEFT, stop, WIDTH - RIGHT, stop, kind="stop"),
            text(LEFT + 6, upper + 13, target, kind="note"),
            text(LEFT + 6, stop + 13, f"STOP {short(limits.skin_degc.stop)} °C", kind="note stopword"),
            _panel_name(top, TEMPERATURE_PX, "Skin", "temperature", "°C"),
            _legend(
                top - 8, (("line mean", "mean of the zone"), ("line min", "lowest, with its 95 % bound"))
            ),
        ]
    )


def _distance(outcome: Outcome, c: Curves, x: Scale, *, top: float) -> str:
    limits = outcome.protocol.distance
    known = c.distance_high_mm[np.isfinite(c.distance_high_mm)]
    upper = max(float(np.percentile(known, 99)) if len(known) else 0.0, limits.good_high_mm * 1.25)
    y = _y_scale(0.0, min(upper, 3.0 * limits.good_high_mm), top, DISTANCE_PX, least=50.0)
    good, too_near = (y(limits.good_high_mm), y(limits.good_low_mm)), y(limits.stop_low_mm)
    unknown = outcome.trace.gas & ~np.isfinite(outcome.trace.distance_mm)
    low, mid, high = (
        y.many(np.clip(mm, 0.0, y.high)) for mm in (c.distance_low_mm, c.distance_mm, c.distance_high_mm)
    )
    words = f"good {short(limits.good_low_mm)}{TO}{short(limits.good_high_mm)} mm"
    t_px, wide = x.many(c.t_s), WIDTH - RIGHT - LEFT
    return "".join(
        [
            _frame(top, DISTANCE_PX),
            _y_axis(y),
            unknown_columns(outcome.trace.t_s, unknown, x, top, DISTANCE_PX),
            rect(LEFT, good[0], wide, good[1] - good[0], kind="good"),
            rect(LEFT, too_near, wide, top + DISTANCE_PX - too_near, kind="bad"),
            curve(band(t_px, low, high), kind="areadist"),
            curve(path(t_px, mid), kind="line dist"),
            text(LEFT + 6, good[0] + 13, words, kind="note"),
            text(LEFT + 6, too_near + 13, f"STOP below {short(limits.stop_low_mm)} mm", kind="note stopword"),
            _panel_name(top, DISTANCE_PX, "Nozzle", "to skin", "mm"),
        ]
    )


def _time_axis(x: Scale, *, top: float, bottom: float, name: str) -> str:
    parts: list[str] = []
    for tick in time_ticks(x.low, x.high, about=12):
        parts.append(line(x(tick), top, x(tick), bottom, kind="grid"))
        parts.append(text(x(tick), bottom + 16, time_label(tick, span_s=x.high - x.low), kind="mid"))
    return "".join(parts) + text((LEFT + WIDTH - RIGHT) / 2, bottom + 34, name, kind="mid name")


def _y_scale(low: float, high: float, top: float, height: float, *, least: float) -> Scale:
    if high - low < least:
        low, high = (low + high - least) / 2.0, (low + high + least) / 2.0
    room = 0.04 * (high - low)
    return Scale(low if low == 0.0 else low - room, high + room, top + height, top)


def _y_axis(y: Scale) -> str:
    parts: list[str] = []
    for tick in ticks(y.low, y.high, about=5):
        parts.append(line(LEFT, y(tick), WIDTH - RIGHT, y(tick), kind="grid"))
        parts.append(text(LEFT - 8, y(tick) + 4, short(tick), kind="end"))
    return "".join(parts)


def _frame(top: float, height: float) -> str:
    return rect(LEFT, top, WIDTH - RIGHT - LEFT, height, kind="plot")


def _panel_name(top: float, height: float, *words: str) -> str:
    middle = top + height / 2.0 - 7.5 * (len(words) - 1)
    return "".join(text(0.0, middle + 15.0 * k + 4, word, kind="panelname") for k, word in enumerate(words))


def _legend(y: float, entries: tuple[tuple[str, str], ...]) -> str:
    x = WIDTH - RIGHT
    parts: list[str] = []
    for kind, words in reversed(entries):
        x -= 6.3 * len(words)
        parts.append(text(x, y, words) + curve(f"M{x - 30:.1f} {y - 4:.1f}h24", kind=kind))
        x -= 52.0
    return "".join(parts)


def _end_label(t_px: Floats, value_px: Floats, y: Scale, words: str, kind: str, *, other_px: Floats) -> str:
    known = np.flatnonzero(np.isfinite(value_px))
    if not len(known):
        return ""
    k = int(known[-1])
    above = not np.isfinite(other_px[k]) or value_px[k] <= other_px[k]
    span = y.high - y.low
    value = y.low + (float(value_px[k]) - y.at_low) / (y.at_high - y.at_low) * span
    shown = f"{words} {number(value)}{NARROW}°C"
    return text(
        float(t_px[k]) - 6, float(value_px[k]) + (-8 if above else 18), shown, kind=f"endlabel {kind}"
    )
