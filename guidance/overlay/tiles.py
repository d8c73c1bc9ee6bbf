"""Instruments along the lower edge: distance, temperature, time to the limit, coverage, zone time, legend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from guidance.overlay.figures import (
    ALARMING,
    BAR_BOTTOM,
    BAR_TOP,
    CYAN,
    DIM,
    OK_COLOUR,
    TRACK,
    Instrument,
)
from guidance.overlay.ink import box, panel, plain, wrapped, write
from guidance.overlay.legend import draw_legend_tile
from guidance.overlay.palette import AMBER, INK, MAGENTA, RED, WHITE, YELLOW
from guidance.overlay.skin import distance_colour
from guidance.overlay.sweep import draw_sweep_tile
from guidance.session import Guidance
from models.chart import PlacedChart
from models.geometry import Bytes
from models.protocol import Protocol
from models.sightings import Lost
from models.verdict import reached_target

STRIP_PX = 92.0
"""Height of the strip at scale 1."""


def draw_strip(picture: Bytes, guidance: Guidance, *, protocol: Protocol, metric: bool, scale: float) -> None:
    """Distance, lowest temperature, time to the limit, coverage, zone time and legend, in place.

    Without millimetres (``metric`` false) only what is known then.
    """
    height, width = picture.shape[:2]
    top = height - strip_height_px(picture, metric=metric, scale=scale)
    panel(picture, (0, top, width, height))
    if not metric:
        text = "no rig: no millimetres. Zone known in pixels only; no distance, area or dwell."
        for k, line in enumerate(wrapped(text, size=0.6 * scale, width_px=width - 330 * scale, lines=2)):
            write(picture, line, (16 * scale, top + (38 + 26 * k) * scale), size=0.6 * scale, colour=YELLOW)
        place = (width - 290 * scale, top, width - 10 * scale, height)
        _skin_tile(Instrument(picture, place, scale), guidance, protocol)
        return
    rows = (TILES[:4], TILES[4:]) if height > width else (TILES,)
    for k, row in enumerate(rows):
        for tile, place in _side_by_side(picture, row, top + k * STRIP_PX * scale, scale):
            tile.draw(place, guidance, protocol)


def strip_height_px(picture: Bytes, *, metric: bool, scale: float) -> float:
    """Height of the strip: two rows in an upright picture, one else."""
    return STRIP_PX * scale * (2.0 if metric and picture.shape[0] > picture.shape[1] else 1.0)


def _side_by_side(
    picture: Bytes, tiles: Sequence[Tile], top: float, scale: float
) -> Iterator[tuple[Tile, Instrument]]:
    """Tiles over the whole width with their places, parted by lines; those without room are left out."""
    width, bottom = picture.shape[1], top + STRIP_PX * scale
    shown = list(tiles)
    while len(shown) > 1 and sum(t.width_px for t in shown) * scale > width:
        shown.remove(max(shown, key=lambda t: t.rank))
    spare = (width - sum(t.width_px for t in shown) * scale) / len(shown)
    x = 0.0
    for k, tile in enumerate(shown):
        right = x + tile.width_px * scale + spare
        if k:
            box(picture, (x, top + 14 * scale, x + max(1, round(scale)), bottom - 14 * scale), colour=TRACK)
        yield tile, Instrument(picture, (x + 14 * scale, top, right - 14 * scale, bottom), scale)
        x = right


def coverage_share(guidance: Guidance, *, protocol: Protocol) -> float | None:
    """Share of the zone's area whose observed lowest temperature reached the target band; None = no zone."""
    if guidance.exposure is None or not isinstance(guidance.zone, PlacedChart):
        return None
    chart = guidance.zone.chart
    reached = reached_target(guidance.exposure, protocol=protocol)
    total = float(chart.area_cm2[chart.in_zone].sum())
    return float(chart.area_cm2[chart.in_zone & reached].sum()) / total if total > 0.0 else None


def _distance_tile(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
    tile.label("DISTANCE")
    band, jet = protocol.distance, guidance.jet
    if jet is None:
        tile.unknown()
    else:
        colour, word = distance_colour(jet.distance_mm, protocol=protocol)
        tile.value(f"{jet.distance_mm:.0f}", f"±{jet.distance_u95_mm:.0f} mm", colour)
        tile.word(word, colour)
    picture, area, scale = tile.picture, tile.area, tile.scale
    top, bottom = tile.y_px(BAR_TOP), tile.y_px(BAR_BOTTOM)
    full_mm = max(1.25 * (band.warn_high_mm or band.good_high_mm), 1.5 * band.good_high_mm)

    def at(mm: float) -> float:
        return area[0] + tile.width_px * min(max(mm / full_mm, 0.0), 1.0)

    for low, high, colour in (
        (0.0, band.stop_low_mm, RED),
        (band.stop_low_mm, band.good_low_mm, AMBER),
        (band.good_low_mm, band.good_high_mm, (0, 158, 115)),
        (band.good_high_mm, full_mm, AMBER),
    ):
        box(picture, (at(low) + 1, top, at(high), bottom), colour=colour)
    if jet is None:
        reason = guidance.jet_reason or (guidance.nozzle.reason if isinstance(guidance.nozzle, Lost) else "")
        room = tile.width_px - 132 * scale
        lines = wrapped(plain(reason), size=0.44 * scale, width_px=room, lines=2)
        for k, words in enumerate(lines):
            y = tile.y_px(61 - 17 * len(lines) / 2 + 17 * k)
            write(picture, words, (area[0] + 132 * scale, y), size=0.44 * scale, colour=MAGENTA)
        return
    x, low, high = (
        at(jet.distance_mm),
        at(jet.distance_mm - jet.distance_u95_mm),
        at(jet.distance_mm + jet.distance_u95_mm),
    )
    box(picture, (low, top - 4 * scale, max(high, low + 2), top - 1), colour=WHITE)
    tip = np.array(
        [[x, top + 3 * scale], [x - 6 * scale, bottom + 9 * scale], [x + 6 * scale, bottom + 9 * scale]]
    )
    cv2.fillPoly(picture, [np.round(tip).astype(np.int32)], WHITE, cv2.LINE_AA)
    cv2.polylines(picture, [np.round(tip).astype(np.int32)], True, INK[::-1], 1, cv2.LINE_AA)


def _skin_tile(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
    tile.label("LOWEST SKIN")
    if guidance.skin_min_degc is None:
        tile.unknown("not seen")
        tile.note("nothing is observed", MAGENTA)
        return
    bound = guidance.skin_min_u95_degc
    least = guidance.skin_min_degc - (bound or 0.0)
    limits = protocol.skin_degc
    colour, word = (WHITE, f"STOP at {limits.stop:g} °C")
    if guidance.skin_min_degc <= limits.stop:
        colour, word = ALARMING, f"REACHED STOP ({limits.stop:g} °C)"
    elif least <= limits.stop:
        colour, word = YELLOW, f"may be at STOP ({limits.stop:g} °C)"
    elif least <= limits.warn:
        colour, word = YELLOW, f"near STOP ({limits.stop:g} °C)"
    unit = "°C" if bound is None else f"±{bound:.1f} °C"
    tile.value(f"{guidance.skin_min_degc:.1f}", unit, colour)
    tile.note("bound not known" if bound is None else word, DIM if colour == WHITE else colour)


def _limit_tile(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
    tile.label("TO LIMIT IF HELD")
    left_s, limits = guidance.time_to_limit_s, protocol.predicted_s
    if left_s is None:
        if guidance.gas_now:
            tile.unknown()
        else:
            tile.value("--", "gas off", DIM)
        return
    if not np.isfinite(left_s) or left_s >= 60.0:
        tile.value("> 60", "s")
        return
    colour, word = WHITE, ""
    if left_s <= limits.stop:
        colour, word = ALARMING, "MOVE NOW"
    elif left_s <= limits.warn:
        colour, word = YELLOW, "move on"
    tile.value(f"{left_s:.1f}", "s", colour)
    tile.note(word, colour)


def _coverage_tile(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
    tile.label("COVERAGE")
    share = coverage_share(guidance, protocol=protocol)
    if share is None:
        tile.unknown()
        return
    tile.value(f"{100.0 * share:.0f}", "%")
    tile.progress(share, OK_COLOUR)


def _time_tile(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
    tiles = 0 if guidance.tile_time_s is None else len(guidance.tile_time_s)
    which = (
        f", TILE {int(np.argmax(guidance.tile_time_s)) + 1}/{tiles}"
        if guidance.tile_time_s is not None and tiles > 1
        else ""
    )
    tile.label("ZONE TIME" + which)
    if guidance.tile_time_s is None or not len(guidance.tile_time_s):
        tile.unknown()
        return
    limits = protocol.zone_time_s
    longest = float(np.max(guidance.tile_time_s))
    colour = ALARMING if longest >= limits.stop else YELLOW if longest >= limits.warn else WHITE
    tile.value(f"{longest:.0f}", f"/ {limits.warn:g} s", colour)
    tile.progress(longest / limits.warn, colour if colour != WHITE else CYAN)


@dataclass(frozen=True)
class Tile:
    """One instrument of the strip."""

    width_px: float
    """Least width at scale 1."""
    rank: int
    """Where there is no room, the highest rank goes first."""
    draw: Callable[[Instrument, Guidance, Protocol], None]


TILES = (
    Tile(262, 0, _distance_tile),
    Tile(204, 1, _skin_tile),
    Tile(152, 2, _limit_tile),
    Tile(168, 3, draw_sweep_tile),
    Tile(112, 5, _coverage_tile),
    Tile(160, 4, _time_tile),
    Tile(214, 6, draw_legend_tile),
)
"""From left to right; in an upright picture the first four are a row of their own."""
