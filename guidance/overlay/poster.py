"""The picture to show of a capture, and the one that the report lays its maps on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.outcome import Poster
from guidance.overlay.mesh import cell_mesh
from guidance.overlay.picture import draw_thermal
from guidance.session import Guidance
from models.capture import Capture
from models.chart import PixelZone, PlacedChart
from models.geometry import Bytes
from models.rig import Rig

THERMAL_WIDTH_PX = 960
"""A thermal picture is enlarged by a whole number to about this width, so that words on it can be read."""

THERMAL_DEGC = (15.0, 36.0)
"""Range of the ramp: from cold skin to a warm trunk."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a person would look at."""

    bgr: Bytes
    scale: float
    """Its enlargement against the picture in whose pixels a zone may be given."""


def scene(capture: Capture, guidance: Guidance) -> Scene | None:
    """The colour picture, or the thermal one where the zone lives in that; None at a tick without either."""
    zone = guidance.zone
    in_thermal = isinstance(zone, PixelZone) and zone.stream == "thermal"
    if capture.bgr is not None and not in_thermal:
        return Scene(capture.bgr, 1.0)
    if not capture.thermal or not in_thermal:
        return None
    scale = max(1, round(THERMAL_WIDTH_PX / capture.thermal[-1].centikelvin.shape[1]))
    low, high = THERMAL_DEGC
    return Scene(draw_thermal(capture.thermal[-1], low_degc=low, high_degc=high, scale=scale), float(scale))


def better_poster(
    poster: Poster | None, capture: Capture, guidance: Guidance, *, rig: Rig | None
) -> Poster | None:
    """The first picture with the zone's cells; until then with its outline; until then the first of all."""
    zone = guidance.zone
    if poster is not None:
        worth = 2 if poster.cells_px is not None else 1 if poster.outline_px is not None else 0
        if worth >= (2 if isinstance(zone, PlacedChart) else 1 if isinstance(zone, PixelZone) else 0):
            return poster
    shown = scene(capture, guidance)
    if shown is None:
        return poster
    if isinstance(zone, PlacedChart) and rig is not None:
        corners = zone.rgb_from_chart.apply(cell_mesh(zone.chart).corner_mm)
        return Poster(capture.t_s, shown.bgr, rig.rgb.project(zone.position_rgb_mm), rig.rgb.project(corners))
    if isinstance(zone, PixelZone):
        outline = (np.asarray(zone.outline_px) + 0.5) * shown.scale - 0.5
        return Poster(capture.t_s, shown.bgr, None, None, outline)
    return Poster(capture.t_s, shown.bgr, None, None)
