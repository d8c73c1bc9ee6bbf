"""What stands over the picture: the bar of states above, alarms as a banner, calm notices."""

from __future__ import annotations

import cv2
import numpy as np

from guidance.overlay_figures import CYAN, DIM, OK_COLOUR
from guidance.overlay_ink import box, fitted, panel, plain, polyline, text_width_px, wrapped, write
from guidance.palette import AMBER, INK, MAGENTA, RED, WHITE, YELLOW, Rgb
from guidance.session import Alarm, Guidance
from models.chart import PlacedChart
from models.geometry import Bytes
from models.protocol import Protocol
from models.sightings import Lost
from models.zone import Zone

BAR_PX = 40.0
"""Height of the bar at scale 1."""
MAX_ALARMS = 3

# IEC 60601-1-8 habit: high red, medium yellow, low cyan; the symbol and the words carry it without colour.
_PRIORITY: dict[str, tuple[Rgb, Rgb, str]] = {
    "high": (RED, WHITE, "!!!"),
    "medium": (YELLOW, INK, "!!"),
    "low": (CYAN, INK, "!"),
}


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
    # What is not approved says so first: a long title is cut at its end.
    mark = "" if protocol.approved_by else f"{protocol.approval.upper()} | "
    words = plain(f"{mark}{zone.title} | {protocol.title}")
    title = fitted(words, size=0.48 * s, width_px=width - x - 14 * s)
    if len(title) > 6:
        wide = text_width_px(title, size=0.48 * s)
        write(picture, title, (width - wide - 14 * s, base), size=0.48 * s, colour=DIM)


def draw_banner(picture: Bytes, alarms: tuple[Alarm, ...], *, strip_px: float, below: bool, s: float) -> None:
    """Alarms that stand, most urgent first; a STOP is large; in place.

    Under the state bar, or, where the zone lies there, ``below`` it: just above the figures.
    """
    height, width = picture.shape[:2]
    shown = _told_once(alarms)
    y = (BAR_PX + 6) * s
    if below:
        tall = sum((76 if k == 0 and _is_stop(a) else 34) + 5 for k, a in enumerate(shown[:MAX_ALARMS]))
        y = height - strip_px - (26 + tall + (22 if len(shown) > MAX_ALARMS else 0)) * s
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


def notice(picture: Bytes, text: str, *, strip_px: float, s: float) -> None:
    """A calm message above the figures, where it hides little, in place."""
    height, width = picture.shape[:2]
    lines = wrapped(plain(text), size=0.8 * s, width_px=width * 0.8, lines=2)
    wide = max(text_width_px(line, size=0.8 * s) for line in lines)
    top = height - strip_px - (26 + 32 * len(lines)) * s
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
    pause_left_s = guidance.announcement.pause_left_s
    if pause_left_s is not None:
        out.append(("SOUND", f"OFF {np.ceil(pause_left_s):.0f} s", AMBER, "ring"))
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
