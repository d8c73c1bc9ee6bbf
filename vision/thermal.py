"""Thermal pictures: the temperature of each cell, with a bound, or not observed.

A cell is not observed where nozzle or hand hide it (with a rim for the camera's blur), where it is seen
at a grazing angle, outside the picture, during a shutter event, where the picture has no reading, or
where it fell faster than skin can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from models.camera import Camera
from models.camera_offset import CameraOffset
from models.capture import ThermalPicture
from models.chart import PlacedChart, ZoneChart
from models.exposure import SkinTemperature
from models.geometry import Bools, Bytes, Counts, Floats, Pose
from models.occlusion import NozzleShape
from models.rig import Rig, StatedSpread, ThermalCamera
from models.sightings import Lost, NozzleSighting
from vision.point_spread import (
    SHRINK,
    USUAL,
    PointSpread,
    measured_at_edge,
    reach_px,
    relied_on,
    without_spread,
)
from vision.rim import horizon, off_share

OBSERVED_S = 0.5
"""A reading older than this is history, not an observation (domain section 8: thermal frame age)."""

GRAZING_COS = 0.35
"""Cells seen more grazingly read several degrees low: emissivity falls and neighbours mix in (simulated: 3-6
degC below a cosine of 0.2)."""

SLANT_COS = 0.6
"""Below this the reading is widened by up to `SLANT_U95_DEGC`."""

SLANT_U95_DEGC = 2.0

RIM_PX = 2.5
"""Blur of the camera mixes a cold nozzle into this many pixels round it."""

BEHIND_PX = 3.0
"""What lies behind the body is read so far outside its outline: beyond the camera's spread."""

LEAST_SHARE = 0.01
"""Smaller shares of a pixel are not looked at."""

PLACE_U95_PX = 0.6
"""How far a cell may lie beside the pixel it is read from: calibration, surface and timing together."""

NOISE_U95_DEGC = 0.2
"""Two NETD of an uncooled camera (domain section 5: 40-70 mK), at 30 degC; colder pixels are noisier."""

FALL_DEGC, FALL_DEGC_S = 6.0, 40.0
"""Fastest believable fall of skin: CO2 jet core 34 to 15 degC in 0.5 s (domain section 3). A reading that
fell further is something that came between."""

UNSEEN_BETWEEN_S = 2.0
"""While nobody knows where the nozzle is, what came between is taken to stay for at most so long, though skin
might have become as cold meanwhile. Then it counts as skin again: a jet that rests must not go unnoticed."""

RIM_CELLS, RIM_FALL_DEGC = 2, 1.0
"""Cells so near to what came between show a part of it, where they fell by more than this."""

BESIDE_DEGC = 1.5
"""Untouched skin beside the zone that reads so much colder than the rest is not relied on: most is rim."""

COLD_DEGC, STEEP_DEGC_PX = 2.5, 1.0
"""Within the zone untouched skin is even within 2 degC; the rim of a limb falls by 2 to 6 degC a pixel, skin
that was treated before by less than one."""

FEWEST_UNTOUCHED = 50

LEAST_DEGC, MOST_DEGC = -60.0, 80.0
"""Readings outside are no skin and no room: another unit than centikelvin, a broken pixel, or the nozzle's
metal."""

SPREAD_TRIES = 10
"""The camera's spread is looked for in so many pictures (40 ms each)."""

STUCK_S = 0.45
"""The very same numbers for this long: a live picture carries noise, and the slowest camera (9 Hz) repeats a
picture at most three times."""

FEW_PIXELS = 0.01
"""A lowest value that this share of all pixels has exactly is the end of the scale, not a temperature."""

CROWD, CROWD_SHARE = 9, 4
"""So is one that a small cold spot has so often, and so many times as often as any of the next three values:
at the bottom of a smooth dip each value has about as many pixels."""


@dataclass(frozen=True, eq=False)
class CellReadings:
    """What one picture says of the cells, shape (n,) each."""

    skin: SkinTemperature
    """Last readings, this picture's among them."""
    beside: Bools
    """Cells that show what lies beside the skin."""
    between_s: Floats
    """Since when something has stood before each cell that nobody foretold, NaN where nothing does."""
    read_degc: Floats
    """This picture's readings, NaN where it has none."""
    noise_u95_degc: Floats
    """Bound of what differs from picture to picture."""
    common_u95_degc: Floats
    """Bound of what a cell's readings have in common: the camera's offset, its spread, a slanting view."""
    warmer_degc: Floats
    """The cell may be so much warmer than it reads, for its pixel may show what lies behind the body."""


@dataclass(frozen=True, eq=False)
class ThermalWatch:
    """What is remembered of the thermal stream itself."""

    last_t_s: float | None
    """Exposure of the last picture that showed the scene."""
    last_arrived_s: float | None
    centikelvin: Counts | None
    changed_s: float | None
    """Exposure of the first picture that showed what the last one shows."""
    shutter: bool
    floor_centikelvin: int | None
    """Pixels at or below this lie off the scale."""
    spread: PointSpread = USUAL
    """The one to be used."""
    at_edge: PointSpread | None = None
    """As the edge of warm skin showed it; None where none did yet."""
    spread_tries: int = 0
    """Pictures in which the spread was looked for."""

    @staticmethod
    def start() -> ThermalWatch:
        """Nothing came yet."""
        return ThermalWatch(None, None, None, None, False, None)

    @property
    def stuck(self) -> bool:
        """The picture has not changed although it should have."""
        return (
            self.changed_s is not None
            and self.last_t_s is not None
            and self.last_t_s - self.changed_s >= STUCK_S
        )


def watch(
    state: ThermalWatch, picture: ThermalPicture, *, t_s: float, stated: StatedSpread | None = None
) -> ThermalWatch:
    """Take note of one picture; ``stated`` is the spread that calibration measured."""
    if picture.shutter:
        return replace(state, last_arrived_s=t_s, changed_s=picture.t_s, shutter=True)
    same = state.centikelvin is not None and np.array_equal(state.centikelvin, picture.centikelvin)
    changed = state.changed_s if same else picture.t_s
    floor = state.floor_centikelvin if same else _floor(picture.centikelvin)
    at_edge, tries = state.at_edge, state.spread_tries
    if at_edge is None and tries < SPREAD_TRIES:
        at_edge, tries = measured_at_edge(degrees(picture, floor_centikelvin=floor)), tries + 1
    return ThermalWatch(
        last_t_s=picture.t_s,
        last_arrived_s=t_s,
        centikelvin=picture.centikelvin,
        changed_s=changed,
        shutter=False,
        floor_centikelvin=floor,
        spread=relied_on(stated, at_edge),
        at_edge=at_edge,
        spread_tries=tries,
    )


def _floor(centikelvin: Counts) -> int | None:
    """Lowest value of the picture where it is the end of the scale; None where it is a temperature."""
    pixels = np.bincount(centikelvin.ravel())
    pixels[0] = 0
    values = np.flatnonzero(pixels)
    if not len(values):
        return None
    lowest, above = int(pixels[values[0]]), int(pixels[values[1:4]].max(initial=0))
    crowded = lowest > FEW_PIXELS * centikelvin.size or (lowest >= CROWD and lowest > CROWD_SHARE * above)
    return int(values[0]) if crowded else None


def degrees(picture: ThermalPicture, *, floor_centikelvin: int | None) -> Floats:
    """Temperatures in degC, NaN where the picture has no reading or it is off the scale."""
    low = 0 if floor_centikelvin is None else floor_centikelvin
    degc = picture.centikelvin.astype(np.float64) / 100.0 - 273.15
    believable = (degc >= LEAST_DEGC) & (degc <= MOST_DEGC)
    return np.where((picture.centikelvin > low) & believable, degc, np.nan)


def read_cells(
    before: SkinTemperature,
    picture: ThermalPicture,
    placed: PlacedChart,
    *,
    rig: Rig,
    nozzle: NozzleSighting | Lost,
    floor_centikelvin: int | None,
    spread: PointSpread,
    t_s: float,
    beside: Bools,
    between_s: Floats,
    untouched: Bools,
    camera_offset: CameraOffset | None = None,
) -> CellReadings:
    """Bring the cells' temperatures up to date with one picture.

    Args:
        before: What was known of the cells.
        picture: Not a shutter event.
        placed: Where the chart was at the time of exposure.
        rig: With a thermal camera.
        nozzle: Where the nozzle was at the time of exposure.
        floor_centikelvin: Readings at or below it are off the scale.
        spread: The camera's, taken out of the readings.
        t_s: Now, on the session clock.
        beside: Cells that so far showed what lies beside the skin, shape (n,).
        between_s: As the last picture gave it, shape (n,).
        untouched: Cells that no gas can have reached yet, shape (n,).
        camera_offset: What is known of the camera's offset, taken out of the readings; None = no more than
            its stated accuracy.

    Cells that show what lies beside the skin are not observed.
    """
    thermal = _thermal(rig)
    camera, thermal_from_rgb = thermal.camera, thermal.thermal_from_rgb
    camera_offset = camera_offset or CameraOffset(thermal.accuracy_degc)
    points = thermal_from_rgb.apply(placed.position_rgb_mm)
    normals = thermal_from_rgb.rotate(placed.normal_rgb)
    facing = -(points * normals).sum(1) / np.linalg.norm(points, axis=1)
    px = camera.project(points)
    degc = degrees(picture, floor_centikelvin=floor_centikelvin) - camera_offset.off_degc
    hidden = nozzle_mask(camera, thermal_from_rgb, rig, nozzle)
    inside = camera.inside(px, 1.0) & (facing > GRAZING_COS)
    window, corner = _around(px[inside], camera, reach_px=reach_px(spread))
    degc, hidden = degc[window], hidden[window]
    at = np.where(inside[:, None], px - corner, 0.0)
    corrected, doubt, halo = without_spread(degc, hidden, spread.between_pixels)
    read = _sample(corrected, at)
    slope = np.hypot(_difference(degc, at, (1.0, 0.0)), _difference(degc, at, (0.0, 1.0)))
    covered = _sample(hidden.astype(np.float64), at) > 0.01
    visible = inside & ~covered & np.isfinite(read) & np.isfinite(slope)
    came, between_s = _came_between(
        before, read, placed.chart, between_s, t_s=picture.t_s, unseen=isinstance(nozzle, Lost)
    )
    visible &= ~came
    beside = np.where(
        visible & untouched, _beside(read, slope, visible & untouched, placed.chart.in_zone), beside
    )
    visible &= ~beside
    slant = np.clip((SLANT_COS - facing) / (SLANT_COS - GRAZING_COS), 0.0, 1.0)
    noise = np.hypot(NOISE_U95_DEGC, PLACE_U95_PX * slope)
    common = np.sqrt(
        camera_offset.bound_degc(read) ** 2 + _sample(doubt, at) ** 2 + (SLANT_U95_DEGC * slant) ** 2
    )
    # A halo makes every cold spot read too warm: once the offset is known it is the largest part of the
    # bound, and does not average out against the others.
    mixed = _sample(halo, at)
    common = np.hypot(common, mixed) if camera_offset.at_degc is None else common + mixed
    behind, share = _behind(
        corrected, placed, facing, px - corner, camera.fx_px / points[:, 2], spread.between_pixels
    )
    mixes = share * np.where(np.isfinite(behind - read), behind - read, 0.0)
    # Cold skin that mixes with a warm couch reads too warm, which harms: that widens its bound.
    common = np.hypot(common, np.maximum(mixes, 0.0))
    seen_s = np.where(visible, picture.t_s, before.t_s)
    skin = SkinTemperature(
        degc=np.where(visible, read, before.degc),
        u95_degc=np.where(visible, np.hypot(noise, common), before.u95_degc),
        observed=np.isfinite(seen_s) & (t_s - seen_s <= OBSERVED_S),
        t_s=seen_s,
    )
    warmer = np.where(visible, np.maximum(-mixes, 0.0), np.nan)
    return CellReadings(skin, beside, between_s, np.where(visible, read, np.nan), noise, common, warmer)


def _behind(
    degc: Floats,
    placed: PlacedChart,
    facing: Floats,
    px: Floats,
    px_mm: Floats,
    spread: PointSpread,
) -> tuple[Floats, Floats]:
    """What lies behind the body beside each cell, NaN where it is not read, and its share of the pixel.

    The share is a 95 % bound: the outline shifts with the calibration, and with the skin's height where it
    turns away.
    """
    ends = horizon(placed.chart, facing, px)
    raised_px = placed.chart.height_u95_mm * np.sqrt(np.clip(1.0 - facing**2, 0.0, 1.0)) * px_mm
    share = off_share(
        ends.inside_px,
        spread_px=spread.sigma_px,
        misplaced_u95_px=np.hypot(PLACE_U95_PX, raised_px),
    )
    at_rim = (share > LEAST_SHARE) & np.isfinite(ends.inside_px)
    out_px = px + ends.way * np.where(at_rim, ends.inside_px + BEHIND_PX, 0.0)[:, None]
    high, wide = degc.shape
    there = at_rim & (out_px >= 0.0).all(axis=1) & (out_px[:, 0] <= wide - 1.0) & (out_px[:, 1] <= high - 1.0)
    behind = _sample(degc, np.where(there[:, None], out_px, 0.0))
    return np.where(there, behind, np.nan), np.where(at_rim, share, 0.0)


def _beside(read: Floats, slope: Floats, untouched: Bools, in_zone: Bools) -> Bools:
    """Cells that read colder than skin that no gas has reached: cloth, a couch, or the rim of a limb.

    Within the zone only a steep fall is one: a cold patch there may be skin that has not rewarmed.
    """
    if untouched.sum() < FEWEST_UNTOUCHED:
        return np.zeros(len(read), bool)
    usual_degc = float(np.median(read[untouched]))
    colder_degc = usual_degc - read
    return np.where(in_zone, (colder_degc > COLD_DEGC) & (slope > STEEP_DEGC_PX), colder_degc > BESIDE_DEGC)


def _around(px: Floats, camera: Camera, *, reach_px: float) -> tuple[tuple[slice, slice], Floats]:
    """The part of a picture that readings at these pixels (n, 2) depend on, and its corner (x, y)."""
    size_px = np.array([camera.width_px, camera.height_px])
    if not len(px):
        return (slice(0, SHRINK), slice(0, SHRINK)), np.zeros(2)
    low = np.maximum(px.min(axis=0) - reach_px, 0.0) // SHRINK * SHRINK
    high = np.minimum(-(-(px.max(axis=0) + reach_px) // SHRINK) * SHRINK, size_px)
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    return (slice(top, bottom), slice(left, right)), low


def aged(skin: SkinTemperature, *, t_s: float) -> SkinTemperature:
    """The same readings later: those that have become too old no longer count as observed."""
    observed = np.isfinite(skin.t_s) & (t_s - skin.t_s <= OBSERVED_S)
    return SkinTemperature(skin.degc, skin.u95_degc, observed, skin.t_s)


def nozzle_mask(camera: Camera, camera_from_rgb: Pose, rig: Rig, nozzle: NozzleSighting | Lost) -> Bools:
    """Pixels of a camera that show nozzle or hand, with a rim for blur; none where it was not seen."""
    mask: Bytes = np.zeros((camera.height_px, camera.width_px), np.uint8)
    if isinstance(nozzle, Lost) or rig.nozzle is None:
        return mask.astype(bool)
    tip, axis = camera_from_rgb.apply(nozzle.tip_rgb_mm), camera_from_rgb.rotate(nozzle.axis_rgb)
    balls = [
        (step, radius)
        for start, end, radius in NozzleShape.of(rig.nozzle).sections
        for step in np.linspace(start, end, max(2, int((end - start) / 10.0)))
    ]
    steps, radii_mm = np.array(balls).T
    places = tip - steps[:, None] * axis
    centres = camera.project(places)
    before = (places[:, 2] > 50.0) & np.all(np.abs(centres) < 10_000, axis=1)
    sizes = np.ceil(radii_mm[before] * camera.fx_px / places[before, 2] + RIM_PX).astype(int)
    for (x, y), size in zip(np.rint(centres[before]).astype(int).tolist(), sizes.tolist(), strict=True):
        cv2.circle(mask, (x, y), size, 1, -1)
    return mask.astype(bool)


def _came_between(
    before: SkinTemperature, read: Floats, chart: ZoneChart, between_s: Floats, *, t_s: float, unseen: bool
) -> tuple[Bools, Floats]:
    """Readings that fell faster than skin can: the nozzle or its plume where it was not expected.

    Skin that gas cools comes through all temperatures between, metal is there at once. Where nobody knows
    where the nozzle is (``unseen``), that is remembered for a while.

    Returns:
        Cells whose reading is not of the skin, and since when.
    """
    age_s = np.maximum(t_s - before.t_s, 0.0)
    fell = before.degc - read
    known = np.isfinite(fell)
    sudden = known & (fell > FALL_DEGC + FALL_DEGC_S * age_s)
    if not unseen:
        return sudden, np.full(len(read), np.nan)
    # A frosty reading may be the metal, too.
    there = sudden | (read < 0.0)
    there |= known & (fell > FALL_DEGC) & (t_s - between_s <= UNSEEN_BETWEEN_S)
    grid: Bytes = np.zeros((int(np.ptp(chart.row)) + 1, int(np.ptp(chart.col)) + 1), np.uint8)
    row, col = chart.row - chart.row.min(), chart.col - chart.col.min()
    grid[row, col] = there
    side = 2 * RIM_CELLS + 1
    rim = cv2.dilate(grid, np.ones((side, side), np.uint8))[row, col] > 0
    came = there | (rim & known & (fell > RIM_FALL_DEGC))
    return came, np.where(there, np.where(np.isfinite(between_s), between_s, t_s), np.nan)


def _sample(picture: Floats, at: Floats) -> Floats:
    """Bilinear reading; NaN spreads to its neighbours."""
    x, y = np.ascontiguousarray(at.T, np.float32)
    read = cv2.remap(picture.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return read.ravel().astype(np.float64)


def _difference(degc: Floats, at: Floats, way: tuple[float, float]) -> Floats:
    """Difference per pixel along a way of one pixel."""
    return 0.5 * (_sample(degc, at + way) - _sample(degc, at - np.array(way)))


def _thermal(rig: Rig) -> ThermalCamera:
    if rig.thermal is None:
        raise ValueError("A thermal picture came, but the rig has no thermal camera.")
    return rig.thermal
