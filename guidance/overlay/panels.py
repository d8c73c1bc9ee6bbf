"""What stands over the picture: the bar of states above, alarms as a banner, calm notices."""

from __future__ import annotations

import cv2
import numpy as np

from guidance.overlay.figures import CYAN, DIM, OK_COLOUR
from guidance.overlay.ink import box, fitted, panel, plain, polyline, text_width_px, wrapped, write
from guidance.overlay.palette import AMBER, INK, MAGENTA, RED, WHITE, YELLOW, Rgb
from guidance.overlay.place import is_rough
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


def draw_state_bar(
    picture: Bytes, guidance: Guidance, *, protocol: Protocol, zone: Zone, scale: float
) -> None:
    """Time, gas, nozzle and zone state along the upper edge, in place."""
    width = picture.shape[1]
    height = BAR_PX * scale
    panel(picture, (0, 0, width, height))
    base = 27 * scale
    x = 14 * scale
    minutes, tenths = divmod(round(max(guidance.t_s, 0.0) * 10), 600)
    clock = f"{minutes}:{tenths // 10:02d}.{tenths % 10}"
    write(picture, clock, (x, base), size=0.72 * scale)
    x += text_width_px("00:00.0", size=0.72 * scale) + 22 * scale
    for name, word, colour, sign in _states(guidance):
        needed = (24 * scale) + text_width_px(f"{name} {word}", size=0.52 * scale)
        if x + needed > width - 8 * scale:
            return
        _sign(picture, (x + 6 * scale, base - 6 * scale), sign, colour, scale)
        x += 20 * scale
        write(picture, name, (x, base), size=0.52 * scale, colour=DIM)
        x += text_width_px(name + " ", size=0.52 * scale)
        write(picture, word, (x, base), size=0.52 * scale, colour=colour)
        x += text_width_px(word, size=0.52 * scale) + 24 * scale
    # What is not approved says so first: a long title is cut at its end.
    mark = "" if protocol.approved_by else f"{protocol.approval.upper()} | "
    words = plain(f"{mark}{zone.title} | {protocol.title}")
    title = fitted(words, size=0.48 * scale, width_px=width - x - 14 * scale)
    if len(title) > 6:
        wide = text_width_px(title, size=0.48 * scale)
        write(picture, title, (width - wide - 14 * scale, base), size=0.48 * scale, colour=DIM)


def draw_banner(
    picture: Bytes, alarms: tuple[Alarm, ...], *, strip_px: float, below: bool, scale: float
) -> None:
    """Alarms that stand, most urgent first; a STOP is large; in place.

    Under the state bar, or, where the zone lies there, ``below`` it: just above the figures.
    """
    height, width = picture.shape[:2]
    shown = _told_once(alarms)
    y = (BAR_PX + 6) * scale
    if below:
        tall = sum((76 if k == 0 and _is_stop(a) else 34) + 5 for k, a in enumerate(shown[:MAX_ALARMS]))
        y = height - strip_px - (26 + tall + (22 if len(shown) > MAX_ALARMS else 0)) * scale
    for k, alarm in enumerate(shown[:MAX_ALARMS]):
        y = _alarm(picture, alarm, y, width, scale, large=k == 0 and _is_stop(alarm)) + 5 * scale
    if len(shown) > MAX_ALARMS:
        words = f"and {len(shown) - MAX_ALARMS} more"
        at = ((width - text_width_px(words, size=0.5 * scale)) / 2, y + 14 * scale)
        write(picture, words, at, size=0.5 * scale, halo=True)


def _told_once(alarms: tuple[Alarm, ...]) -> list[Alarm]:
    """Leave out the warning of a cause whose STOP stands as well; the order stays."""
    out: list[Alarm] = []
    for alarm in alarms:
        if not any(a.cause == alarm.cause and a.kind == alarm.kind for a in out):
            out.append(alarm)
    return out


def notice(picture: Bytes, text: str, *, strip_px: float, scale: float) -> None:
    """A calm message above the figures, where it hides little, in place."""
    height, width = picture.shape[:2]
    lines = wrapped(plain(text), size=0.8 * scale, width_px=width * 0.8, lines=2)
    wide = max(text_width_px(line, size=0.8 * scale) for line in lines)
    top = height - strip_px - (26 + 32 * len(lines)) * scale
    panel(
        picture,
        (
            (width - wide) / 2 - 24 * scale,
            top - 14 * scale,
            (width + wide) / 2 + 24 * scale,
            top + 36 * scale * len(lines),
        ),
    )
    for k, line in enumerate(lines):
        x = (width - text_width_px(line, size=0.8 * scale)) / 2
        write(picture, line, (x, top + (18 + 32 * k) * scale), size=0.8 * scale, colour=YELLOW)


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
        by = "depth alone" if isinstance(zone, PlacedChart) and zone.by_depth else by
        word = zone.state.upper()
        if placed and isinstance(zone, PlacedChart) and is_rough(zone):
            placed, word = False, "ROUGH"
        word = f"{word} ({plain(by.replace('_', ' '))})"
        out.append(("ZONE", word, OK_COLOUR if placed else AMBER, "dot" if placed else "ring"))
    out.extend(("", plain(remark).upper(), YELLOW, "ring") for remark in guidance.status)
    pause_left_s = guidance.announcement.pause_left_s
    if pause_left_s is not None:
        out.append(("SOUND", f"OFF {np.ceil(pause_left_s):.0f} s", AMBER, "ring"))
    return out


def _sign(picture: Bytes, at: tuple[float, float], sign: str, colour: Rgb, scale: float) -> None:
    centre, r = np.array(at), 5.5 * scale
    if sign == "cross":
        for arm in (np.array([r, r]), np.array([r, -r])):
            polyline(
                picture,
                np.stack([centre - arm, centre + arm]),
                colour=colour,
                line=max(2, round(2.5 * scale)),
                casing=False,
            )
        return
    where = (round(at[0]), round(at[1]))
    cv2.circle(
        picture, where, round(r), colour[::-1], -1 if sign == "dot" else max(1, round(2 * scale)), cv2.LINE_AA
    )


def _is_stop(alarm: Alarm) -> bool:
    return alarm.priority == "high" and alarm.kind == "physiological"


def _alarm(picture: Bytes, alarm: Alarm, y: float, width: int, scale: float, *, large: bool) -> float:
    """Draw one alarm from y on; returns where it ends."""
    ground, ink, sign = _PRIORITY.get(alarm.priority, _PRIORITY["high"])
    message = plain(alarm.message)
    if _is_stop(alarm) and message.upper().startswith("STOP"):
        message = message[4:].lstrip(" :,.!-") or message
    message = message[:1].upper() + message[1:]
    head = "STOP" if _is_stop(alarm) else sign
    size, head_size = (0.8 * scale, 1.7 * scale) if large else (0.6 * scale, 0.75 * scale)
    weight = max(1, round((2 if large else 1) * scale))
    head_weight = max(1, round((3 if large else 2) * scale))
    head_wide = text_width_px(head, size=head_size, weight=head_weight)
    room = width * (0.72 if large else 0.86) - head_wide - 60 * scale
    lines = wrapped(message, size=size, width_px=room, lines=2 if large else 1) or [""]
    wide = head_wide + max(text_width_px(line, size=size, weight=weight) for line in lines) + 56 * scale
    tall = (34 if not large else 62 if len(lines) == 1 else 72) * scale
    left = (width - wide) / 2
    panel(picture, (left, y, left + wide, y + tall), colour=ground, cover=0.94)
    box(
        picture, (left, y, left + wide, y + tall), colour=ink, line=max(1, round((3 if large else 1) * scale))
    )
    middle = y + tall / 2
    write(
        picture,
        head,
        (left + 18 * scale, middle + 10.5 * head_size),
        size=head_size,
        colour=ink,
        weight=head_weight,
    )
    first = middle + 9 * size - 14 * scale * (len(lines) - 1)
    for k, line in enumerate(lines):
        at = (left + head_wide + 38 * scale, first + 28 * scale * k)
        write(picture, line, at, size=size, colour=ink, weight=weight)
    return y + tall
