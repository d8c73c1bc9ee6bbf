"""Stage: a zone that is known in the thermal picture's pixels only, as it was tapped there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from guidance.stages.camera import RAW_U95_DEGC, camera_offset
from guidance.stages.skin_figures import SkinNow, confirmed_degc, with_newest
from guidance.stages.state import PixelSkin, Setup, State
from models.capture import ThermalPicture
from models.chart import PixelZone
from models.deposit import record_temperature
from models.exposure import ExposureMap, SkinTemperature
from models.geometry import Floats
from models.treatment import Tap
from vision.thermal import OBSERVED_S, aged
from vision.thermal_watch import degrees

CELLS_ACROSS = 60
"""A zone in thermal pixels is cut into at most this many cells across."""


def read_pixels(state: State, picture: ThermalPicture, tap: Tap, setup: Setup) -> State:
    """Take in one picture of the scene; the tapped outline, in thermal pixels, becomes the zone."""
    pixel_skin = state.pixel_skin or _outlined(
        tap.outline_px, picture, pictures=setup.protocol.confirm_pictures
    )
    offset = camera_offset(state, setup)
    degc = offset.corrected_degc(degrees(picture, floor_centikelvin=state.thermal.floor_centikelvin))
    read = degc[tuple(np.rint(pixel_skin.pixels[:, ::-1]).astype(int).T)]
    u95 = offset.bound_degc(read)
    seen = np.isfinite(read)
    now = SkinTemperature(read, np.where(seen, u95, np.nan), seen, np.where(seen, picture.t_s, np.nan))
    exposure = record_temperature(pixel_skin.exposure, before=pixel_skin.skin, now=now)
    bound = read if offset.u95_degc >= RAW_U95_DEGC else read - u95
    bounds = with_newest(pixel_skin.bounds_degc, bound, fresh=seen)
    zone = PixelZone("thermal", tap.outline_px, "tap", "placed")
    pixel_skin = replace(pixel_skin, exposure=exposure, skin=now, bounds_degc=bounds)
    return replace(state, pixel_zone=zone, pixel_skin=pixel_skin, waiting_for="")


def pixels_now(state: State, pixel_skin: PixelSkin, *, t_s: float, pictures: int) -> tuple[State, SkinNow]:
    """Let the readings age, and tell their figures: a limit once so many pictures in a row show it."""
    pixel_skin = replace(pixel_skin, skin=aged(pixel_skin.skin, t_s=t_s))
    zone, last_s = state.pixel_zone, state.thermal.last_t_s
    if zone is not None and zone.stream == "thermal":
        live = last_s is not None and t_s - last_s <= OBSERVED_S
        zone = replace(zone, state="placed" if live else "held")
    return replace(state, pixel_skin=pixel_skin, pixel_zone=zone), _figures(pixel_skin, pictures=pictures)


def _figures(pixel_skin: PixelSkin, *, pictures: int) -> SkinNow:
    """Figures of a zone in thermal pixels."""
    skin = pixel_skin.skin
    seen = skin.observed
    if not seen.any():
        return SkinNow(zone_observed_share=0.0)
    coldest = int(np.argmin(np.where(seen, skin.degc, np.inf)))
    return SkinNow(
        min_degc=float(skin.degc[coldest]),
        min_u95_degc=float(skin.u95_degc[coldest]),
        bound_degc=confirmed_degc(pixel_skin.bounds_degc, seen, pictures=pictures),
        zone_mean_degc=float(skin.degc[seen].mean()),
        zone_observed_share=float(seen.mean()),
    )


def _outlined(outline_px: Floats, picture: ThermalPicture, *, pictures: int) -> PixelSkin:
    """Cells of a zone tapped in the thermal picture: whole pixels, every few where the zone is large."""
    h, w = picture.centikelvin.shape
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline_px).astype(np.int32)], 1)
    rows, cols = np.nonzero(mask)
    step = max(1, int(np.ceil(max(np.ptp(rows), np.ptp(cols), 1) / CELLS_ACROSS)))
    keep = (rows % step == 0) & (cols % step == 0)
    pixels = np.stack([cols[keep], rows[keep]], axis=1).astype(float)
    n = len(pixels)
    unknown = np.full(n, np.nan)
    nothing = SkinTemperature(unknown, unknown, np.zeros(n, bool), unknown)
    bounds = np.full((pictures, n), np.inf)
    return PixelSkin(pixels, np.ones(n), ExposureMap.empty(n), nothing, bounds)
