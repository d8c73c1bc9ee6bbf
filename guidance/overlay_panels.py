"""Instruments around the picture: state bar above, figures below, alarms as a banner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from guidance.overlay_ink import box, fitted, panel, plain, polyline, text_width_px, wrapped, write
from guidance.overlay_skin import LEVELS, distance_colour, ramp_colour
from guidance.palette import AMBER, INK, MAGENTA, RED, VERMILLION, WHITE, YELLOW, Rgb
from guidance.session import Alarm, Guidance
from models.chart import PlacedChart
from models.geometry import Bytes
from models.protocol import Protocol
from models.sightings import Lost
from models.verdict import reached_target
from models.zone import Zone

OK_COLOUR: Rgb = (60, 220, 150)
CYAN: Rgb = (70, 220, 235)
DIM: Rgb = (176, 186, 196)
TRACK: Rgb = (70, 80, 92)
BAR_PX, STRIP_PX = 40.0, 92.0
MAX_ALARMS = 3

# IEC 60601-1-8 habit: high red, medium yellow, low cyan; the symbol and the words carry it without colour.
_PRIORITY: dict[str, tuple[Rgb, Rgb, str]] = {
    "high": (RED, WHITE, "!!!"),
    "medium": (YELLOW, INK, "!!"),
    "low": (CYAN, INK, "!"),
}


@dataclass(frozen=True)
class Tile:
    """One instrument of the strip."""

    width_px: float
    """Least width at scale 1."""
    rank: int
    """Where there is no room, the highest rank goes first."""
    draw: Callable[[tuple[float, float, float, float]], None]


def draw_state_bar(picture: Bytes, guidance: Guidance, *, protocol: Protocol, zone: Zone, s: float) -> None:
    """Time, gas, nozzle and zone state along the upper edge, in place."""
    width = picture.shape[1]
    height = BAR_PX * s
    panel(picture, (0, 0, width, height))
    base = 27 * s
    x = 14 * s
    minutes, tenths = divmod(round(max(guidance.t_s, 0.0) * 10), 600)
    clock = f"{minutes}:{tenths // 10:02d}.{tenths % 10}"
    write(picture, clock, (x, base), size=0.72 * s)
    x += text_width_px("00:00.0", size=0.72 * s) + 22 * s
    for name, word, colour, sign in _states(guidance):
        needed = (24 * s) + text_width_px(f"{name} {word}", size=0.52 * s)
        if x + needed > width - 8 * s:
            return
        _sign(picture, (x + 6 * s, base - 6 * s), sign, colour, s)
        x += 20 * s
        write(picture, name, (x, base), size=0.52 * s, colour=DIM)
        x += text_width_px(name + " ", size=0.52 * s)
        write(picture, word, (x, base), size=0.52 * s, colour=colour)
        x += text_width_px(word, size=0.52 * s) + 24 * s
    title = fitted(plain(f"{zone.title} | {protocol.title}"), size=0.48 * s, width_px=width - x - 14 * s)
    if len(title) > 6:
        wide = text_width_px(title, size=0.48 * s)
        write(picture, title, (width - wide - 14 * s, base), size=0.48 * s, colour=DIM)


def draw_strip(picture: Bytes, guidance: Guidance, *, protocol: Protocol, metric: bool, s: float) -> None:
    """Distance, lowest temperature, time to the limit, coverage, zone time and legend, in place.

    Without millimetres (``metric`` false) only what is known then.
    """
    height, width = picture.shape[:2]
    top = height - STRIP_PX * s
    panel(picture, (0, top, width, height))
    if not metric:
        text = "no rig: no millimetres. Zone known in pixels only; no distance, area or dwell."
        for k, line in enumerate(wrapped(text, size=0.6 * s, width_px=width - 330 * s, lines=2)):
            write(picture, line, (16 * s, top + (38 + 26 * k) * s), size=0.6 * s, colour=YELLOW)
        _skin_tile(picture, guidance, (width - 290 * s, top, width - 10 * s, height), protocol=protocol, s=s)
        return
    tiles = [
        Tile(330, 0, lambda b: _distance_tile(picture, guidance, b, protocol=protocol, s=s)),
        Tile(206, 1, lambda b: _skin_tile(picture, guidance, b, protocol=protocol, s=s)),
        Tile(176, 2, lambda b: _limit_tile(picture, guidance, b, protocol=protocol, s=s)),
        Tile(150, 4, lambda b: _coverage_tile(picture, guidance, b, protocol=protocol, s=s)),
        Tile(176, 3, lambda b: _time_tile(picture, guidance, b, protocol=protocol, s=s)),
        Tile(226, 5, lambda b: _legend_tile(picture, b, protocol=protocol, s=s)),
    ]
    while len(tiles) > 1 and sum(t.width_px for t in tiles) * s > width:
        tiles.remove(max(tiles, key=lambda t: t.rank))
    spare = (width - sum(t.width_px for t in tiles) * s) / len(tiles)
    x = 0.0
    for k, tile in enumerate(tiles):
        right = x + tile.width_px * s + spare
        if k:
            box(picture, (x, top + 14 * s, x + max(1, round(s)), height - 14 * s), colour=TRACK)
        tile.draw((x + 14 * s, top, right - 14 * s, height))
        x = right


def draw_banner(picture: Bytes, alarms: tuple[Alarm, ...], *, below: bool, s: float) -> None:
    """Alarms that stand, most urgent first; a STOP is large; in place.

    Under the state bar, or, where the zone lies there, ``below`` it: just above the figures.
    """
    height, width = picture.shape[:2]
    shown = _told_once(alarms)
    y = (BAR_PX + 6) * s
    if below:
        tall = sum((76 if k == 0 and _is_stop(a) else 34) + 5 for k, a in enumerate(shown[:MAX_ALARMS]))
        y = height - (STRIP_PX + 26 + tall + (22 if len(shown) > MAX_ALARMS else 0)) * s
    for k, alarm in enumerate(shown[:MAX_ALARMS]):
        y = _alarm(picture, alarm, y, width, s, large=k == 0 and _is_stop(alarm)) + 5 * s
    if len(shown) > MAX_ALARMS:
        words = f"and {len(shown) - MAX_ALARMS} more"
        at = ((width - text_width_px(words, size=0.5 * s)) / 2, y + 14 * s)
        write(picture, words, at, size=0.5 * s, halo=True)


def _told_once(alarms: tuple[Alarm, ...]) -> list[Alarm]:
    """Leave out the warning of a cause whose STOP stands as well; the order stays."""
    out: list[Alarm] = []
    for alarm in alarms:
        if not any(a.cause == alarm.cause and a.kind == alarm.kind for a in out):
            out.append(alarm)
    return out


def notice(picture: Bytes, text: str, *, s: float) -> None:
    """A calm message above the figures, where it hides little, in place."""
    height, width = picture.shape[:2]
    lines = wrapped(plain(text), size=0.8 * s, width_px=width * 0.8, lines=2)
    wide = max(text_width_px(line, size=0.8 * s) for line in lines)
    top = height - (STRIP_PX + 26 + 32 * len(lines)) * s
    panel(
        picture,
        ((width - wide) / 2 - 24 * s, top - 14 * s, (width + wide) / 2 + 24 * s, top + 36 * s * len(lines)),
    )
    for k, line in enumerate(lines):
        x = (width - text_width_px(line, size=0.8 * s)) / 2
        write(picture, line, (x, top + (18 + 32 * k) * s), size=0.8 * s, colour=YELLOW)


def _states(guidance: Guidance) -> list[tuple[str, str, Rgb, str]]:
    out = [("GAS", "ON", CYAN, "dot") if guidance.gas_now else ("GAS", "OFF", DIM, "ring")]
    nozzle = guidance.nozzle
    if isinstance(nozzle, Lost):
        missing = max(guidance.t_s - nozzle.since_s, 0.0)
        out.append(("NOZZLE", f"{nozzle.state.upper()} {missing:.1f} s", MAGENTA, "cross"))
    else:
        tracked = nozzle.state == "tracked"
        out.append(
            ("NOZZLE", nozzle.state.upper(), OK_COLOUR if tracked else AMBER, "dot" if tracked else "ring")
        )
    zone = guidance.zone
    if isinstance(zone, Lost):
        out.append(("ZONE", "NOT PLACED", MAGENTA, "cross"))
    else:
        placed = zone.state == "placed"
        by = zone.chart.surface_by if isinstance(zone, PlacedChart) else "pixels only"
        word = f"{zone.state.upper()} ({plain(by.replace('_', ' '))})"
        out.append(("ZONE", word, OK_COLOUR if placed else AMBER, "dot" if placed else "ring"))
    out.extend(("", plain(remark).upper(), YELLOW, "ring") for remark in guidance.status)
    return out


def _sign(picture: Bytes, at: tuple[float, float], sign: str, colour: Rgb, s: float) -> None:
    centre, r = np.array(at), 5.5 * s
    if sign == "cross":
        for arm in (np.array([r, r]), np.array([r, -r])):
            polyline(
                picture,
                np.stack([centre - arm, centre + arm]),
                colour=colour,
                line=max(2, round(2.5 * s)),
                casing=False,
            )
        return
    where = (round(at[0]), round(at[1]))
    cv2.circle(
        picture, where, round(r), colour[::-1], -1 if sign == "dot" else max(1, round(2 * s)), cv2.LINE_AA
    )


def _label(picture: Bytes, area: tuple[float, float, float, float], text: str, s: float) -> None:
    write(picture, text, (area[0], area[1] + 21 * s), size=0.44 * s, colour=DIM)


def _value(
    picture: Bytes,
    area: tuple[float, float, float, float],
    value: str,
    unit: str,
    s: float,
    colour: Rgb = WHITE,
) -> float:
    """A figure with its bound and unit behind it; returns where it ends."""
    size = (0.95 if value[:1].isdigit() or value[:1] in "-<>" else 0.72) * s
    write(picture, value, (area[0], area[1] + 53 * s), size=size, colour=colour)
    x = area[0] + text_width_px(value, size=size) + 8 * s
    write(picture, unit, (x, area[1] + 53 * s), size=0.55 * s, colour=WHITE if "±" in unit else DIM)
    return x + text_width_px(unit, size=0.55 * s)


def _note(
    picture: Bytes, area: tuple[float, float, float, float], text: str, s: float, colour: Rgb = DIM
) -> None:
    text = fitted(plain(text), size=0.44 * s, width_px=area[2] - area[0])
    write(picture, text, (area[0], area[1] + 78 * s), size=0.44 * s, colour=colour)


def _distance_tile(
    picture: Bytes,
    guidance: Guidance,
    area: tuple[float, float, float, float],
    *,
    protocol: Protocol,
    s: float,
) -> None:
    _label(picture, area, "DISTANCE TO SKIN", s)
    band, jet = protocol.distance, guidance.jet
    if jet is None:
        _value(picture, area, "not known", "", s, MAGENTA)
    else:
        colour, word = distance_colour(jet.distance_mm, protocol=protocol)
        _value(picture, area, f"{jet.distance_mm:.0f}", f"±{jet.distance_u95_mm:.0f} mm", s, colour)
        wide = text_width_px(word, size=0.5 * s)
        write(picture, word, (area[2] - wide, area[1] + 52 * s), size=0.5 * s, colour=colour)
    top, bottom = area[1] + 68 * s, area[1] + 76 * s
    full_mm = max(1.25 * (band.warn_high_mm or band.good_high_mm), 1.5 * band.good_high_mm)

    def at(mm: float) -> float:
        return area[0] + (area[2] - area[0]) * min(max(mm / full_mm, 0.0), 1.0)

    for low, high, colour in (
        (0.0, band.stop_low_mm, RED),
        (band.stop_low_mm, band.good_low_mm, AMBER),
        (band.good_low_mm, band.good_high_mm, (0, 158, 115)),
        (band.good_high_mm, full_mm, AMBER),
    ):
        box(picture, (at(low) + 1, top, at(high), bottom), colour=colour)
    if jet is None:
        reason = guidance.jet_reason or (guidance.nozzle.reason if isinstance(guidance.nozzle, Lost) else "")
        room = area[2] - area[0] - 132 * s
        lines = wrapped(plain(reason), size=0.44 * s, width_px=room, lines=2)
        for k, words in enumerate(lines):
            y = area[1] + (61 - 17 * len(lines) / 2 + 17 * k) * s
            write(picture, words, (area[0] + 132 * s, y), size=0.44 * s, colour=MAGENTA)
        return
    x, low, high = (
        at(jet.distance_mm),
        at(jet.distance_mm - jet.distance_u95_mm),
        at(jet.distance_mm + jet.distance_u95_mm),
    )
    box(picture, (low, top - 4 * s, max(high, low + 2), top - 1), colour=WHITE)
    tip = np.array([[x, top + 3 * s], [x - 6 * s, bottom + 9 * s], [x + 6 * s, bottom + 9 * s]])
    cv2.fillPoly(picture, [np.round(tip).astype(np.int32)], WHITE, cv2.LINE_AA)
    cv2.polylines(picture, [np.round(tip).astype(np.int32)], True, INK[::-1], 1, cv2.LINE_AA)


def _skin_tile(
    picture: Bytes,
    guidance: Guidance,
    area: tuple[float, float, float, float],
    *,
    protocol: Protocol,
    s: float,
) -> None:
    _label(picture, area, "LOWEST SKIN", s)
    if guidance.skin_min_degc is None:
        _value(picture, area, "not seen", "", s, MAGENTA)
        _note(picture, area, "nothing is observed", s, MAGENTA)
        return
    bound = guidance.skin_min_u95_degc
    least = guidance.skin_min_degc - (bound or 0.0)
    limits = protocol.skin_degc
    colour, word = (WHITE, f"STOP at {limits.stop:g} °C")
    if guidance.skin_min_degc <= limits.stop:
        colour, word = (255, 120, 110), f"REACHED STOP ({limits.stop:g} °C)"
    elif least <= limits.stop:
        colour, word = YELLOW, f"may be at STOP ({limits.stop:g} °C)"
    elif least <= limits.warn:
        colour, word = YELLOW, f"near STOP ({limits.stop:g} °C)"
    _value(
        picture,
        area,
        f"{guidance.skin_min_degc:.1f}",
        (f"±{bound:.1f} " if bound is not None else "") + "°C",
        s,
        colour,
    )
    _note(
        picture, area, word if bound is not None else "bound not known", s, colour if colour != WHITE else DIM
    )


def _limit_tile(
    picture: Bytes,
    guidance: Guidance,
    area: tuple[float, float, float, float],
    *,
    protocol: Protocol,
    s: float,
) -> None:
    _label(picture, area, "TO LIMIT IF HELD", s)
    left_s, limits = guidance.time_to_limit_s, protocol.predicted_s
    if left_s is None:
        if guidance.gas_now:
            _value(picture, area, "not known", "", s, MAGENTA)
        else:
            _value(picture, area, "--", "gas off", s, DIM)
        return
    if not np.isfinite(left_s) or left_s >= 60.0:
        _value(picture, area, "> 60", "s", s)
        return
    colour, word = WHITE, ""
    if left_s <= limits.stop:
        colour, word = (255, 120, 110), "MOVE NOW"
    elif left_s <= limits.warn:
        colour, word = YELLOW, "move on"
    _value(picture, area, f"{left_s:.1f}", "s", s, colour)
    _note(picture, area, word, s, colour)


def _coverage_tile(
    picture: Bytes,
    guidance: Guidance,
    area: tuple[float, float, float, float],
    *,
    protocol: Protocol,
    s: float,
) -> None:
    _label(picture, area, "COVERAGE", s)
    share = coverage_share(guidance, protocol=protocol)
    if share is None:
        _value(picture, area, "not known", "", s, MAGENTA)
        return
    _value(picture, area, f"{100.0 * share:.0f}", "%", s)
    _progress(picture, area, share, OK_COLOUR, s)


def _time_tile(
    picture: Bytes,
    guidance: Guidance,
    area: tuple[float, float, float, float],
    *,
    protocol: Protocol,
    s: float,
) -> None:
    tiles = 0 if guidance.tile_time_s is None else len(guidance.tile_time_s)
    which = (
        f", TILE {int(np.argmax(guidance.tile_time_s)) + 1}/{tiles}"
        if guidance.tile_time_s is not None and tiles > 1
        else ""
    )
    _label(picture, area, "ZONE TIME" + which, s)
    if guidance.tile_time_s is None or not len(guidance.tile_time_s):
        _value(picture, area, "not known", "", s, MAGENTA)
        return
    limits = protocol.zone_time_s
    longest = float(np.max(guidance.tile_time_s))
    colour = (255, 120, 110) if longest >= limits.stop else YELLOW if longest >= limits.warn else WHITE
    _value(picture, area, f"{longest:.0f}", f"/ {limits.warn:g} s", s, colour)
    _progress(picture, area, longest / limits.warn, colour if colour != WHITE else CYAN, s)


def _legend_tile(
    picture: Bytes, area: tuple[float, float, float, float], *, protocol: Protocol, s: float
) -> None:
    _label(picture, area, "JET-SECONDS PER CELL", s)
    top, bottom, width = area[1] + 28 * s, area[1] + 39 * s, area[2] - area[0]
    colours = ramp_colour(np.arange(1, LEVELS + 1) / LEVELS)
    for k in range(LEVELS):
        colour = (int(colours[k, 0]), int(colours[k, 1]), int(colours[k, 2]))
        box(
            picture,
            (area[0] + width * k / LEVELS, top, area[0] + width * (k + 1) / LEVELS, bottom),
            colour=colour,
        )
    limit = protocol.dwell_s
    write(picture, "0", (area[0], area[1] + 54 * s), size=0.42 * s, colour=DIM)
    for tick_s in (limit.warn / 5.0, limit.warn):
        text = f"{tick_s:.2g}"
        x = area[0] + width * min(tick_s / limit.stop, 1.0) ** 0.5 - text_width_px(text, size=0.42 * s) / 2
        write(picture, text, (x, area[1] + 54 * s), size=0.42 * s, colour=DIM)
    text = f"{limit.stop:g} s"
    write(
        picture,
        text,
        (area[2] - text_width_px(text, size=0.42 * s), area[1] + 54 * s),
        size=0.42 * s,
        colour=DIM,
    )
    x, y = area[0], area[1] + 68 * s
    for text, colour, both in (("unknown", MAGENTA, False), ("over limit", VERMILLION, True)):
        box(picture, (x, y, x + 20 * s, y + 13 * s), colour=(90, 90, 96) if not both else INK)
        for k in range(3):
            a, b = x + (1 + 7 * k) * s, x + (6 + 7 * k) * s
            line = max(1, round(1.5 * s))
            polyline(picture, np.array([[a, y + 12 * s], [b, y + s]]), colour=colour, line=line, casing=False)
            if both:
                polyline(
                    picture, np.array([[a, y + s], [b, y + 12 * s]]), colour=colour, line=line, casing=False
                )
        write(picture, text, (x + 26 * s, y + 11 * s), size=0.44 * s, colour=WHITE)
        x += 26 * s + text_width_px(text, size=0.44 * s) + 14 * s


def _progress(
    picture: Bytes, area: tuple[float, float, float, float], share: float, colour: Rgb, s: float
) -> None:
    top, bottom = area[1] + 68 * s, area[1] + 76 * s
    box(picture, (area[0], top, area[2], bottom), colour=TRACK)
    filled = (area[2] - area[0]) * min(max(share, 0.0), 1.0)
    if filled >= 1.0:
        box(picture, (area[0], top, area[0] + filled, bottom), colour=colour)


def coverage_share(guidance: Guidance, *, protocol: Protocol) -> float | None:
    """Share of the zone's area whose observed lowest temperature reached the target band; None = no zone."""
    if guidance.exposure is None or not isinstance(guidance.zone, PlacedChart):
        return None
    chart = guidance.zone.chart
    reached = reached_target(guidance.exposure, protocol=protocol)
    total = float(chart.area_cm2[chart.in_zone].sum())
    return float(chart.area_cm2[chart.in_zone & reached].sum()) / total if total > 0.0 else None


def _is_stop(alarm: Alarm) -> bool:
    return alarm.priority == "high" and alarm.kind == "physiological"


def _alarm(picture: Bytes, alarm: Alarm, y: float, width: int, s: float, *, large: bool) -> float:
    """Draw one alarm from y on; returns where it ends."""
    ground, ink, sign = _PRIORITY.get(alarm.priority, _PRIORITY["high"])
    message = plain(alarm.message)
    if _is_stop(alarm) and message.upper().startswith("STOP"):
        message = message[4:].lstrip(" :,.!-") or message
    message = message[:1].upper() + message[1:]
    head = "STOP" if _is_stop(alarm) else sign
    size, head_size = (0.8 * s, 1.7 * s) if large else (0.6 * s, 0.75 * s)
    weight = max(1, round((2 if large else 1) * s))
    head_weight = max(1, round((3 if large else 2) * s))
    head_wide = text_width_px(head, size=head_size, weight=head_weight)
    room = width * (0.72 if large else 0.86) - head_wide - 60 * s
    lines = wrapped(message, size=size, width_px=room, lines=2 if large else 1) or [""]
    wide = head_wide + max(text_width_px(line, size=size, weight=weight) for line in lines) + 56 * s
    tall = (34 if not large else 62 if len(lines) == 1 else 72) * s
    left = (width - wide) / 2
    panel(picture, (left, y, left + wide, y + tall), colour=ground, cover=0.94)
    box(picture, (left, y, left + wide, y + tall), colour=ink, line=max(1, round((3 if large else 1) * s)))
    middle = y + tall / 2
    write(
        picture,
        head,
        (left + 18 * s, middle + 10.5 * head_size),
        size=head_size,
        colour=ink,
        weight=head_weight,
    )
    first = middle + 9 * size - 14 * s * (len(lines) - 1)
    for k, line in enumerate(lines):
        at = (left + head_wide + 38 * s, first + 28 * s * k)
        write(picture, line, at, size=size, colour=ink, weight=weight)
    return y + tall
