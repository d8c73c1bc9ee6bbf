"""Strips over time: alarms in lanes, states of gas, nozzle and zone, and where a curve is not known."""

from __future__ import annotations

import numpy as np

from guidance.outcome import Outcome
from guidance.report.markup import clock, typeset
from guidance.report.plot import Scale, band, curve, rect, runs, text
from models.geometry import Bools, Floats

WIDTH, LEFT, RIGHT = 980.0, 118.0, 16.0
MOST_LANES = 8
LETTER_PX = 6.6
"""Mean width of a letter of the charts' text."""
WORD_FROM_PX = 36.0
"""A stretch at least so wide has its state written in it."""
SHARE_PX = 24.0


def shared_patterns() -> str:
    """The hatching that all charts of the page refer to."""
    return (
        '<svg class="shared" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="7" '
        'height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatchground" '
        'width="7" height="7"/><rect class="hatchline" width="2.4" height="7"/></pattern></defs></svg>'
    )


def alarm_lanes(outcome: Outcome, x: Scale, *, top: float) -> tuple[str, float]:
    """Alarms as numbered bars in lanes that do not overlap; the numbers are those of the table.

    Returns:
        The drawing, and where it ends.
    """
    lanes: list[float] = []
    parts: list[str] = []
    hidden = 0
    for count, alarm in enumerate(sorted(outcome.alarms, key=lambda a: a.t_on_s), start=1):
        x0 = x.clipped(alarm.t_on_s)
        x1 = max(x.clipped(x.high if alarm.t_off_s is None else alarm.t_off_s), x0 + 4.0)
        words = f"{count} {alarm.cause.replace('_', ' ')}"
        wide = LETTER_PX * len(words)
        if x1 - x0 >= wide + 10.0:  # in the bar, behind it, or before it
            place, at, left, right = "on", x0 + 5.0, x0, x1
        elif x1 + wide + 6.0 <= WIDTH - RIGHT:
            place, at, left, right = "off", x1 + 4.0, x0, x1 + wide + 6.0
        else:
            place, at, left, right = "off end", x0 - 4.0, x0 - wide - 6.0, x1
        lane = next((k for k, taken in enumerate(lanes) if taken <= left), len(lanes))
        if lane >= MOST_LANES:
            hidden += 1
            continue
        if lane == len(lanes):
            lanes.append(0.0)
        lanes[lane] = right + 6.0
        y = top + 20.0 * lane
        kind = alarm.priority if alarm.priority in ("high", "medium", "low") else "high"
        until = "the end" if alarm.t_off_s is None else clock(alarm.t_off_s)
        title = f"{count}. {kind}: {typeset(alarm.message)} ({clock(alarm.t_on_s)} to {until})"
        bar = rect(x0, y, x1 - x0, 16.0, kind="", title=title, radius=2.0)
        parts.append(f'<g class="alarm {kind}">{bar}{text(at, y + 12, words, kind=place)}</g>')
    if not parts:
        return "", top
    parts.append(text(0.0, top + 12, "Alarms", kind="panelname"))
    if hidden:
        parts.append(text(0.0, top + 28, f"+{hidden} in the table"))
    return "".join(parts), top + 20.0 * max(len(lanes), 2 if hidden else 1) + 10.0


def state_strips(
    outcome: Outcome, t_s: Floats, observed_share: Floats, x: Scale, *, top: float
) -> tuple[str, float]:
    """Gas, nozzle, zone, and the share of the zone whose temperature was seen.

    Returns:
        The drawing, and where it ends.
    """
    trace = outcome.trace
    strips: list[tuple[str, dict[str, Bools]]] = [("Gas on", {"gas": trace.gas})]
    if outcome.rig is not None:
        strips.append(("Nozzle", _states(trace.nozzle_state, ("tracked", "predicted", "ambiguous"))))
    strips.append(("Zone", _states(trace.zone_state, ("placed", "held"))))
    parts: list[str] = []
    y, wide = top, WIDTH - RIGHT - LEFT
    for name, states in strips:
        parts.append(text(0.0, y + 12, name, kind="panelname"))
        parts.append(rect(LEFT, y, wide, 16.0, kind="strip"))
        parts.extend(_stretches(trace.t_s, here, x, y, state) for state, here in states.items())
        y += 22.0
    share_px = y + SHARE_PX * (1.0 - np.clip(observed_share, 0.0, 1.0))
    parts.append(text(0.0, y + 16, "Zone seen (IR)", kind="panelname"))
    parts.append(rect(LEFT, y, wide, SHARE_PX, kind="strip") + rect(LEFT, y, wide, SHARE_PX, kind="lost"))
    parts.append(curve(band(x.many(t_s), share_px, np.full(len(t_s), y + SHARE_PX)), kind="seen"))
    return "".join(parts), y + SHARE_PX + 6.0


def unknown_columns(t_s: Floats, unknown: Bools, x: Scale, top: float, height: float) -> str:
    """Hatched columns where a curve is not known; at least a pixel wide, so that no gap vanishes."""
    ends = np.append(t_s, t_s[-1])
    parts: list[str] = []
    last = -10.0
    for a, b in runs(unknown):
        x0, x1 = x(float(t_s[a])), x(float(ends[b]))
        if x1 > last:
            parts.append(rect(x0, top, max(x1 - x0, 1.0), height, kind="gap"))
            last = max(x1, x0 + 1.0)
    return "".join(parts)


def _states(states: tuple[str, ...], known: tuple[str, ...]) -> dict[str, Bools]:
    """Rows by state; a state that is not known counts as lost."""
    listed = np.array(states)
    return {**{name: listed == name for name in known}, "lost": ~np.isin(listed, known)}


def _stretches(t_s: Floats, here: Bools, x: Scale, y: float, state: str) -> str:
    ends = np.append(t_s, t_s[-1])
    parts: list[str] = []
    last = -10.0
    for a, b in runs(here):
        x0, x1 = x(float(t_s[a])), x(float(ends[b]))
        if x1 <= last:
            continue
        x1 = max(x1, x0 + 1.0)
        title = f"{state} {clock(float(t_s[a]))} to {clock(float(ends[b]))}"
        parts.append(rect(x0, y, x1 - x0, 16.0, kind=state, title=title))
        if state in ("lost", "held", "ambiguous") and x1 - x0 > WORD_FROM_PX:
            parts.append(text((x0 + x1) / 2, y + 12, state, kind="mid inside"))
        last = x1
    return "".join(parts)
