"""What the overlay lays on the skin itself: exposure, unknown cells, outlines, the jet and its footprint."""

from __future__ import annotations

import cv2
import numpy as np

from guidance.overlay.figures import OK_COLOUR
from guidance.overlay.ink import SHIFT, dashes, dots, fixed, paint, polyline, stripes, text_width_px, write
from guidance.overlay.mesh import Outline3, cell_mesh
from guidance.overlay.palette import AMBER, GREY, INK, MAGENTA, RED, VERMILLION, WHITE, Rgb, bgr
from guidance.overlay.place import seen_cells, seen_runs
from guidance.overlay.states import LEVELS, CellStates, cell_states, ramp_colour
from guidance.session import Guidance, JetOnSkin
from models.camera import Camera
from models.chart import PixelZone, PlacedChart
from models.geometry import Bools, Bytes, Floats, Ints, unit
from models.jet import half_radius_mm
from models.protocol import Protocol
from models.rig import Rig
from models.sightings import NozzleSighting

DOTS_PX = 8.0
"""From dot to dot on predicted cells, at scale 1."""


def draw_chart(
    picture: Bytes, guidance: Guidance, zone: PlacedChart, *, rgb: Camera, protocol: Protocol, scale: float
) -> None:
    """Colour the cells and draw the outlines of a placed zone, in place."""
    chart, mesh = zone.chart, cell_mesh(zone.chart)
    vertex_px, visible = seen_cells(zone, rgb=rgb)
    quads = fixed(np.nan_to_num(vertex_px))[mesh.corner]
    states = cell_states(guidance, protocol=protocol, cells=len(chart), in_zone=chart.in_zone)
    marked = states.over | states.unknown | states.unseen | states.predicted
    drawn = visible & ((states.level > 0) | marked | chart.left_out)
    if drawn.any():
        _paint_cells(picture, quads, states, drawn=drawn, left_out=chart.left_out, scale=scale)
    held = zone.state != "placed"
    for loop in mesh.left_out:
        _draw_loop(
            picture, loop, zone, rgb=rgb, colour=AMBER, line=max(1, round(scale)), dashed=True, scale=scale
        )
    for loop in mesh.zone:
        _draw_loop(
            picture,
            loop,
            zone,
            rgb=rgb,
            colour=WHITE,
            line=max(1, round(2 * scale)),
            dashed=held,
            scale=scale,
        )


def draw_pixel_zone(picture: Bytes, zone: PixelZone, *, zone_scale: float, scale: float) -> None:
    """Outline of a zone that is known in pixels only, in place."""
    outline = (zone.outline_px + 0.5) * zone_scale - 0.5
    line = max(1, round(2 * scale))
    if zone.state == "placed":
        polyline(picture, outline, colour=WHITE, line=line, closed=True)
        return
    for dash in dashes(outline, dash_px=10 * scale, gap_px=8 * scale, closed=True):
        polyline(picture, dash, colour=WHITE, line=line)


def draw_jet(picture: Bytes, guidance: Guidance, *, rig: Rig, device: str, colour: Rgb, scale: float) -> None:
    """Tip, axis, hit point and footprint ring of the jet, with the distance beside the tip; in place.

    The ring is that of the jet as measured only where it was measured on this session's ``device``.
    """
    nozzle, jet = guidance.nozzle, guidance.jet
    if not isinstance(nozzle, NozzleSighting):
        return
    line = max(1, round(2 * scale))
    tip_px = rig.rgb.project(nozzle.tip_rgb_mm)
    if jet is None:
        if np.isfinite(tip_px).all():
            polyline(picture, _circle(tip_px, 6 * scale), colour=colour, line=line, closed=True)
        return
    hit_px = rig.rgb.project(jet.hit_rgb_mm)
    if not (np.isfinite(tip_px).all() and np.isfinite(hit_px).all()):
        return
    if rig.nozzle is not None:
        measured = rig.jet if rig.jet is not None and rig.jet.device == device else None
        r_half_mm = half_radius_mm(jet.distance_mm, bore_mm=rig.nozzle.bore_mm, profile=measured)
        placed = guidance.zone if isinstance(guidance.zone, PlacedChart) else None
        ring_px = rig.rgb.project(footprint_ring(jet, nozzle.axis_rgb, placed, r_half_mm=r_half_mm))
        polyline(picture, ring_px, colour=WHITE if guidance.gas_now else GREY, line=line, closed=True)
    for dash in dashes(np.stack([tip_px, hit_px]), dash_px=9 * scale, gap_px=6 * scale):
        polyline(picture, dash, colour=colour, line=line)
    polyline(picture, _circle(tip_px, 5 * scale), colour=colour, line=line, closed=True)
    for dx, dy in ((7.0, 0.0), (0.0, 7.0)):
        arm = np.array([dx, dy]) * scale
        polyline(picture, np.stack([hit_px - arm, hit_px + arm]), colour=WHITE, line=line)
    label = f"{jet.distance_mm:.0f} ±{jet.distance_u95_mm:.0f} mm"
    width = text_width_px(label, size=0.62 * scale)
    x = (
        tip_px[0] + 16 * scale
        if tip_px[0] + 16 * scale + width < picture.shape[1]
        else tip_px[0] - 16 * scale - width
    )
    write(picture, label, (x, tip_px[1] + 6 * scale), size=0.62 * scale, colour=colour, halo=True)


def footprint_ring(jet: JetOnSkin, axis_rgb: Floats, zone: PlacedChart | None, *, r_half_mm: float) -> Floats:
    """Circle of half weight about the jet's axis, laid on the skin along the axis.

    Returns:
        Points of the rgb frame, shape (32, 3); on the plane square to the axis where no chart lies there.
    """
    turn = np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False)
    helper = np.array([1.0, 0.0, 0.0]) if abs(axis_rgb[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    e1 = unit(np.cross(axis_rgb, helper))
    e2 = np.cross(axis_rgb, e1)
    ring = jet.hit_rgb_mm + r_half_mm * (np.cos(turn)[:, None] * e1 + np.sin(turn)[:, None] * e2)
    if zone is None:
        return ring
    position, normal = zone.position_rgb_mm, zone.normal_rgb
    near = np.linalg.norm(position - jet.hit_rgb_mm, axis=1) < 2.0 * r_half_mm + 10.0
    near &= normal @ axis_rgb < -0.1
    if not near.any():
        return ring
    position, normal = position[near], normal[near]
    away = position[None] - ring[:, None]
    across = np.linalg.norm(away - (away @ axis_rgb)[..., None] * axis_rgb, axis=2)
    cell = across.argmin(1)
    along = ((position[cell] - ring) * normal[cell]).sum(1) / (normal[cell] @ axis_rgb)
    return ring + np.clip(along, -2.0 * r_half_mm, 2.0 * r_half_mm)[:, None] * axis_rgb


def distance_colour(distance_mm: float, *, protocol: Protocol) -> tuple[Rgb, str]:
    """Colour and word for a distance."""
    band = protocol.distance
    if distance_mm < band.stop_low_mm:
        return RED, "TOO CLOSE"
    if distance_mm < band.good_low_mm:
        return AMBER, "MOVE AWAY"
    if distance_mm > band.good_high_mm:
        return AMBER, "MOVE CLOSER"
    return OK_COLOUR, "GOOD"


def _paint_cells(
    picture: Bytes, quads: Ints, states: CellStates, *, drawn: Bools, left_out: Bools, scale: float
) -> None:
    height, width = picture.shape[:2]
    corners = quads[drawn] >> SHIFT
    x0, y0 = np.clip(corners.min((0, 1)) - 2, 0, [width, height])
    x1, y1 = np.clip(corners.max((0, 1)) + 3, 0, [width, height])
    if x1 <= x0 or y1 <= y0:
        return
    region = picture[y0:y1, x0:x1]
    local = quads - (np.array([x0, y0]) << SHIFT)
    size = (int(y1 - y0), int(x1 - x0))

    index = np.zeros(size, np.uint8)
    for level in np.unique(states.level[drawn]):
        if level > 0:
            _fill(index, local[drawn & (states.level == level)], int(level))
    keep, add = _ramp_tables()
    kept = cv2.multiply(region, cv2.applyColorMap(index, keep), scale=1.0 / 255.0)
    region[:] = cv2.add(kept, cv2.applyColorMap(index, add))

    def hatch(
        cells: Bools,
        colour: Rgb,
        *,
        period: float,
        line: float,
        ground: Rgb | None = None,
        both: bool = False,
    ) -> None:
        cells = cells & drawn
        if not cells.any():
            return
        mask8 = np.zeros(size, np.uint8)
        _fill(mask8, local[cells], 255)
        mask = mask8 > 0
        if ground is not None:
            paint(region, mask, colour=ground, cover=0.45)
        period_px, line_px = max(4, round(period * scale)), max(1, round(line * scale))
        pattern = stripes(height, width, period_px=period_px, line_px=line_px, rising=True)[y0:y1, x0:x1]
        if both:
            pattern = (
                pattern
                | stripes(height, width, period_px=period_px, line_px=line_px, rising=False)[y0:y1, x0:x1]
            )
        paint(region, mask & pattern, colour=colour, cover=0.85)
        edges, _ = cv2.findContours(mask8, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(region, edges, -1, bgr(colour), max(1, round(1.5 * scale)), cv2.LINE_AA)

    hatch(left_out, AMBER, period=12, line=1)
    dotted = states.predicted & drawn
    if dotted.any():
        mask8 = np.zeros(size, np.uint8)
        _fill(mask8, local[dotted], 255)
        for shift_px, ink in ((1, INK), (0, WHITE)):
            marks = dots(
                height, width, period_px=max(5, round(DOTS_PX * scale)), dot_px=max(2, round(2 * scale))
            )
            marks = np.roll(marks, shift_px, axis=(0, 1))[y0:y1, x0:x1]
            paint(region, (mask8 > 0) & marks, colour=ink)
    hatch(states.unseen, GREY, period=7, line=2)
    hatch(states.unknown, MAGENTA, period=9, line=3, ground=(90, 90, 96))
    hatch(states.over, VERMILLION, period=9, line=2, both=True)


def _fill(image: Bytes, quads: Ints, value: int) -> None:
    """Fill quads (k, 4, 2), sub-pixel coordinates, with one value."""
    if len(quads):
        cv2.fillPoly(image, list(quads.astype(np.int32)), (value,), cv2.LINE_8, SHIFT)


def _ramp_tables() -> tuple[Bytes, Bytes]:
    """Look-up tables (256, 1, 3): what is kept of the picture, and what is added, by exposure level."""
    share = np.arange(1, LEVELS + 1) / LEVELS
    cover = 0.46 + 0.26 * share
    keep, add = np.full((256, 1, 3), 255, np.uint8), np.zeros((256, 1, 3), np.uint8)
    keep[1 : LEVELS + 1, 0, :] = np.round(255.0 * (1.0 - cover))[:, None]
    add[1 : LEVELS + 1, 0, :] = np.round(ramp_colour(share)[:, ::-1] * cover[:, None])
    return keep, add


def _draw_loop(
    picture: Bytes,
    loop: Outline3,
    zone: PlacedChart,
    *,
    rgb: Camera,
    colour: Rgb,
    line: int,
    dashed: bool,
    scale: float,
) -> None:
    """Draw the parts of an outline that face the camera."""
    runs, closed = seen_runs(loop, zone, rgb=rgb)
    for run in runs:
        if dashed:
            for dash in dashes(run, dash_px=9 * scale, gap_px=7 * scale, closed=closed):
                polyline(picture, dash, colour=colour, line=line)
        else:
            polyline(picture, run, colour=colour, line=line, closed=closed)


def _circle(centre_px: Floats, radius_px: float) -> Floats:
    turn = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    return centre_px + radius_px * np.stack([np.cos(turn), np.sin(turn)], axis=1)
