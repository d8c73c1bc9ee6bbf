"""What the page draws over the picture: geometry in pixels and the look of every cell, as numbers.

The server sends the picture as it is and these numbers; drawing is the page's. Pixels are those of the
picture as the cameras gave it (`PictureData.size_px`), however small it was made for sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from guidance.overlay.mesh import cell_mesh
from guidance.overlay.palette import AMBER, GREY, INK, MAGENTA, RED, VERMILLION, WHITE, YELLOW, Rgb, css
from guidance.overlay.place import seen_cells, seen_runs
from guidance.overlay.poster import scene
from guidance.overlay.skin import distance_colour, footprint_ring
from guidance.overlay.states import LEVELS, cell_states, ramp_colour
from guidance.overlay.tiles import CYAN, DIM, OK_COLOUR
from guidance.session import Guidance
from guidance.stages.state import Setup
from models.camera import Camera
from models.capture import Capture
from models.chart import PixelZone, PlacedChart, ZoneChart
from models.geometry import Bytes, Floats
from models.jet import half_radius_mm
from models.sightings import NozzleSighting

OVER, UNKNOWN, UNSEEN, LEFT_OUT, PREDICTED = 1, 2, 4, 8, 16
"""Bits of a cell's look, drawn in this order of importance; a cell that is not seen has none and level 0."""

SUBPIXEL = 8
"""Vertices go as 16-bit whole numbers of eighths of a pixel: exact to 0.06 px, up to 4095 px."""
NOWHERE = -32768
"""A vertex that lies in no picture."""

SEND_WIDTH_PX = 1280
"""A wider picture is made this wide for sending; geometry keeps its own pixels."""
JPEG_QUALITY = 80
"""Own choice: skin shows no blocks at arm's length; a 720p picture takes 30-90 kB."""


@dataclass(frozen=True, eq=False)
class PictureData:
    """One picture with what is drawn on it."""

    head: Mapping[str, object]
    """Ready for JSON."""
    arrays: Mapping[str, bytes]
    """``vertex`` int16 (m, 2), ``level`` uint8 (n,), ``look`` uint8 (n,); empty where no chart lies there."""
    chart: ZoneChart | None
    """Whose cells they are; the page gets its corners once (`corners`)."""
    jpeg: bytes
    """Empty where no picture came with this step."""


def picture_data(capture: Capture, guidance: Guidance, setup: Setup) -> PictureData:
    """What the page draws of one step."""
    shown = scene(capture, guidance)
    size_px = [0, 0] if shown is None else [shown.bgr.shape[1], shown.bgr.shape[0]]
    head: dict[str, object] = {"t_s": guidance.t_s, "size_px": size_px, "gas": guidance.gas_now}
    arrays: dict[str, bytes] = {}
    place, rig = guidance.zone, setup.rig
    chart = None
    if isinstance(place, PlacedChart) and rig is not None:
        chart = place.chart
        arrays = _cells(guidance, place, setup, rgb=rig.rgb)
        mesh = cell_mesh(chart)
        for name, loops in (("outline", mesh.zone), ("left_out", mesh.left_out)):
            found = [seen_runs(loop, place, rgb=rig.rgb) for loop in loops]
            head[name] = [{"px": _rounded(run), "closed": closed} for runs, closed in found for run in runs]
        head["held"] = place.state != "placed"
        if guidance.edited is not None and guidance.edited.spot_chart_mm is not None:
            spot_px = rig.rgb.project(place.rgb_from_chart.apply(guidance.edited.spot_chart_mm))
            head["spot"] = _rounded(spot_px) if np.isfinite(spot_px).all() else None
    elif isinstance(place, PixelZone):
        scale = 1.0 if shown is None else shown.scale
        outline_px = (np.asarray(place.outline_px, float) + 0.5) * scale - 0.5
        head["outline"] = [{"px": _rounded(outline_px), "closed": True}]
        head["left_out"] = [{"px": _rounded(area_px), "closed": True} for area_px in place.left_out_px]
        head["held"] = place.state != "placed"
    if rig is not None:
        head["jet"] = _jet(guidance, setup, rgb=rig.rgb)
    return PictureData(head, arrays, chart, b"" if shown is None else jpeg(shown.bgr))


def plain_picture(bgr: Bytes | None, *, t_s: float) -> PictureData:
    """A picture on which nothing is drawn; without one, only how the time goes on."""
    size_px = [0, 0] if bgr is None else [bgr.shape[1], bgr.shape[0]]
    head: dict[str, object] = {"t_s": t_s, "size_px": size_px, "gas": False}
    return PictureData(head, {}, None, b"" if bgr is None else jpeg(bgr))


def corners(chart: ZoneChart) -> bytes:
    """Vertices of each cell in order round it, uint16 (n, 4): sent once for each chart."""
    return cell_mesh(chart).corner.astype("<u2").tobytes()


def jpeg(bgr: Bytes) -> bytes:
    """A picture for sending."""
    height, width = bgr.shape[:2]
    if width > SEND_WIDTH_PX:
        size = (SEND_WIDTH_PX, round(height * SEND_WIDTH_PX / width))
        bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"A picture of {width} x {height} px cannot be encoded.")
    return data.tobytes()


def look() -> dict[str, object]:
    """Colours of the page: those of overlay and report."""
    levels = ramp_colour(np.arange(1, LEVELS + 1) / LEVELS)
    ramp = ["rgba({}, {}, {}, {:.2f})".format(*rgb, 0.46 + 0.26 * (k + 1) / LEVELS) for k, rgb in
            enumerate(levels.tolist())]  # fmt: skip
    named: dict[str, Rgb] = {
        "over": VERMILLION, "unknown": MAGENTA, "unseen": GREY, "left_out": AMBER, "white": WHITE,
        "ink": INK, "dim": DIM, "ok": OK_COLOUR, "look": AMBER, "warn": YELLOW, "stop": RED, "low": CYAN,
    }  # fmt: skip
    return {"ramp": ramp, **{name: css(colour) for name, colour in named.items()}}


def _cells(guidance: Guidance, place: PlacedChart, setup: Setup, *, rgb: Camera) -> dict[str, bytes]:
    vertex_px, visible = seen_cells(place, rgb=rgb)
    eighths = np.clip(np.round(vertex_px * SUBPIXEL), -32767, 32767)
    vertex = np.where(np.isfinite(eighths), eighths, NOWHERE).astype("<i2")
    states = cell_states(
        guidance, protocol=setup.protocol, cells=len(place.chart), in_zone=place.chart.in_zone
    )
    bits = (
        (states.over, OVER),
        (states.unknown, UNKNOWN),
        (states.unseen, UNSEEN),
        (states.predicted, PREDICTED),
    )
    looks = np.where(place.chart.left_out, LEFT_OUT, 0)
    for mask, bit in bits:
        looks = looks | np.where(mask, bit, 0)
    return {
        "vertex": vertex.tobytes(),
        "level": np.where(visible, states.level, 0).astype(np.uint8).tobytes(),
        "look": np.where(visible, looks, 0).astype(np.uint8).tobytes(),
    }


def _jet(guidance: Guidance, setup: Setup, *, rgb: Camera) -> dict[str, object] | None:
    """Tip, spot and ring of half strength; the spot is missing where the jet meets no known skin."""
    nozzle, jet = guidance.nozzle, guidance.jet
    if not isinstance(nozzle, NozzleSighting):
        return None
    tip_px = rgb.project(nozzle.tip_rgb_mm)
    if not np.isfinite(tip_px).all():
        return None
    out: dict[str, object] = {"tip": _rounded(tip_px), "state": nozzle.state, "reach": "unknown"}
    if jet is None:
        ahead_px = rgb.project(nozzle.tip_rgb_mm + setup.protocol.distance.nominal_mm * nozzle.axis_rgb)
        return out | {"ahead": _rounded(ahead_px) if np.isfinite(ahead_px).all() else None}
    hit_px = rgb.project(jet.hit_rgb_mm)
    if not np.isfinite(hit_px).all():
        return out
    _, word = distance_colour(jet.distance_mm, protocol=setup.protocol)
    placed = guidance.zone if isinstance(guidance.zone, PlacedChart) else None
    r_half_mm = half_radius_mm(jet.distance_mm, bore_mm=setup.bore_mm, profile=setup.profile)
    ring_px = rgb.project(footprint_ring(jet, nozzle.axis_rgb, placed, r_half_mm=r_half_mm))
    return out | {
        "hit": _rounded(hit_px),
        "ring": _rounded(ring_px) if np.isfinite(ring_px).all() else None,
        "reach": {"GOOD": "ok", "TOO CLOSE": "stop"}.get(word, "look"),
        "words": f"{jet.distance_mm:.0f} ±{jet.distance_u95_mm:.0f} mm",
    }


def _rounded(points_px: Floats) -> object:
    return np.round(np.clip(points_px, -20_000.0, 20_000.0), 1).tolist()
