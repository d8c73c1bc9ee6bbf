"""Thermal pictures: the temperature of each cell, with a bound, or not observed.

A cell is not observed where nozzle or hand hide it (with a rim for the camera's blur), where it is seen
at a grazing angle, outside the picture, during a shutter event, where the picture has no reading, or
where it fell faster than skin can.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.camera import Camera
from models.camera_offset import CameraOffset
from models.capture import ThermalPicture
from models.chart import PlacedChart, ZoneChart
from models.exposure import SkinTemperature
from models.geometry import Bools, Bytes, Floats, Ints
from models.rig import Rig, ThermalCamera
from models.sightings import Lost, NozzleSighting
from models.thermal_place import place_u95_px
from vision.nozzle_mask import nozzle_mask
from vision.point_spread import SHRINK, PointSpread, reach_px, without_spread
from vision.rim import horizon, off_share
from vision.thermal_watch import degrees

OBSERVED_S = 0.5
"""A reading older than this is history, not an observation (domain section 8: thermal frame age)."""

GRAZING_COS = 0.35
"""Cells seen more grazingly read several degrees low: emissivity falls and neighbours mix in (simulated: 3-6
degC below a cosine of 0.2)."""

SLANT_COS = 0.6
"""Below this the reading is widened by up to `SLANT_U95_DEGC`."""

SLANT_U95_DEGC = 2.0

BEHIND_PX = 3.0
"""What lies behind the body is read so far outside its outline: beyond the camera's spread."""

LEAST_SHARE = 0.01
"""Smaller shares of a pixel are not looked at."""

PLACE_U95_PX = 0.6
"""How far a cell may lie beside the pixel it is read from: surface and timing together, and calibration where
it states no covariance of the thermal camera; what it states comes on top (`models.thermal_place`)."""

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

EVEN_DEGC = 1.0
"""Within this of untouched skin a cell is skin: what is mixed with a couch falls by 2 degC and more."""

FEWEST_UNTOUCHED = 50


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
    astray_mm: float = 0.0,
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
        astray_mm: How far the nozzle may have been from there, as its clock is known only so well.

    Cells that show what lies beside the skin are not observed.
    """
    thermal = _thermal(rig)
    camera, thermal_from_rgb = thermal.camera, thermal.thermal_from_rgb
    camera_offset = camera_offset or CameraOffset(thermal.accuracy_degc)
    points = thermal_from_rgb.apply(placed.position_rgb_mm)
    normals = thermal_from_rgb.rotate(placed.normal_rgb)
    facing = -(points * normals).sum(1) / np.linalg.norm(points, axis=1)
    px = camera.project(points)
    degc = camera_offset.corrected_degc(degrees(picture, floor_centikelvin=floor_centikelvin))
    hidden = nozzle_mask(camera, thermal_from_rgb, rig, nozzle, astray_mm=astray_mm)
    inside = camera.inside(px, 1.0) & (facing > GRAZING_COS)
    window, corner = _around(px[inside], camera, reach_px=reach_px(spread))
    degc, hidden = degc[window], hidden[window]
    at = np.where(inside[:, None], px - corner, 0.0)
    corrected, doubt, halo = without_spread(degc, hidden, spread.between_pixels)
    read = _sample(corrected, at)
    slope = np.hypot(_difference(degc, at, (1.0, 0.0)), _difference(degc, at, (0.0, 1.0)))
    covered = _sample(hidden.astype(np.float64), at) > 0.01
    visible = inside & ~covered & np.isfinite(read) & np.isfinite(slope)
    if isinstance(nozzle, Lost):
        came, between_s = _came_unseen(
            before, read, placed.chart, between_s, t_s=picture.t_s, untouched=untouched
        )
    else:
        came = _fell_suddenly(before, read, t_s=picture.t_s)
        between_s = np.where(covered, picture.t_s, np.nan)
    visible &= ~came
    beside = _beside(beside, read, slope, visible=visible, untouched=untouched, in_zone=placed.chart.in_zone)
    visible &= ~beside
    slant = np.clip((SLANT_COS - facing) / (SLANT_COS - GRAZING_COS), 0.0, 1.0)
    noise = np.hypot(NOISE_U95_DEGC, PLACE_U95_PX * slope)
    beside_px = place_u95_px(thermal, placed.position_rgb_mm[_outermost(px, inside)])
    common = np.sqrt(
        camera_offset.bound_degc(read) ** 2
        + _sample(doubt, at) ** 2
        + (SLANT_U95_DEGC * slant) ** 2
        + _misplaced(corrected, at, read, slope, beside_px) ** 2
    )
    # A halo makes every cold spot read too warm: once the offset is known it is the largest part of the
    # bound, and does not average out against the others.
    mixed = _sample(halo, at)
    common = common + mixed if camera_offset.known else np.hypot(common, mixed)
    behind, share = _behind(
        corrected, placed, facing, px - corner, camera.fx_px / points[:, 2], spread.between_pixels, beside_px
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
    beside_px: float,
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
        misplaced_u95_px=np.hypot(np.hypot(PLACE_U95_PX, beside_px), raised_px),
    )
    at_rim = (share > LEAST_SHARE) & np.isfinite(ends.inside_px)
    out_px = px + ends.way * np.where(at_rim, ends.inside_px + BEHIND_PX, 0.0)[:, None]
    high, wide = degc.shape
    there = at_rim & (out_px >= 0.0).all(axis=1) & (out_px[:, 0] <= wide - 1.0) & (out_px[:, 1] <= high - 1.0)
    behind = _sample(degc, np.where(there[:, None], out_px, 0.0))
    return np.where(there, behind, np.nan), np.where(at_rim, share, 0.0)


def _outermost(px: Floats, inside: Bools) -> Ints:
    """Cells farthest out along rows, columns and diagonals: what calibration leaves open is worst there."""
    seen = np.flatnonzero(inside)
    ways = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    along = px[seen] @ ways.T
    return seen[np.unique([along.argmin(axis=0), along.argmax(axis=0)])] if len(seen) else seen


def _misplaced(degc: Floats, at: Floats, read: Floats, slope: Floats, off_px: float) -> Floats:
    """How much cells read so far beside their places would differ, in all pictures alike.

    Not by the slope alone, for the bottom of a cold spot has none.
    """
    if off_px <= 0.0:
        return np.zeros(len(read))
    ways = [
        np.fmax(*(np.abs(_sample(degc, at + s * w) - read) for s in (off_px, -off_px))) for w in np.eye(2)
    ]
    return np.fmax(np.hypot(*ways), off_px * slope)


def _beside(
    before: Bools, read: Floats, slope: Floats, *, visible: Bools, untouched: Bools, in_zone: Bools
) -> Bools:
    """Cells that read colder than skin that no gas has reached: cloth, a couch, or the rim of a limb.

    Within the zone only a steep fall is one: a cold patch there may be skin that has not rewarmed. Where gas
    may have been since, a cell stays what it was until it reads as warm as untouched skin: then it is skin,
    which was cold already when the zone was laid.
    """
    seen = visible & untouched
    if seen.sum() < FEWEST_UNTOUCHED:
        return before & ~seen
    colder_degc = float(np.median(read[seen])) - read
    rim = np.where(in_zone, (colder_degc > COLD_DEGC) & (slope > STEEP_DEGC_PX), colder_degc > BESIDE_DEGC)
    return np.where(seen, rim, before & ~(visible & (colder_degc <= EVEN_DEGC)))


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


def _fell_suddenly(before: SkinTemperature, read: Floats, *, t_s: float) -> Bools:
    """Readings that fell faster than skin can: the nozzle or its plume where it was not expected."""
    fell = before.degc - read
    return np.isfinite(fell) & (fell > FALL_DEGC + FALL_DEGC_S * np.maximum(t_s - before.t_s, 0.0))


def _came_unseen(
    before: SkinTemperature,
    read: Floats,
    chart: ZoneChart,
    between_s: Floats,
    *,
    t_s: float,
    untouched: Bools,
) -> tuple[Bools, Floats]:
    """The same where nobody knows where the nozzle is, and since when something stands before each cell.

    Skin that gas cools comes through all temperatures between, metal is there at once: that, and what the
    nozzle hid when it was last seen, is remembered for a while.
    """
    fell = before.degc - read
    known = np.isfinite(fell)
    # A frosty reading may be the metal, too.
    there = _fell_suddenly(before, read, t_s=t_s) | (read < 0.0)
    there |= known & (fell > FALL_DEGC) & (t_s - between_s <= UNSEEN_BETWEEN_S)
    # Nor is skin that no gas can have reached so much colder than the rest when it is first read.
    seen = np.isfinite(read)
    usual_degc = float(np.median(read[seen])) if seen.any() else np.nan
    first = untouched & np.isnan(before.degc) & (read < usual_degc - FALL_DEGC)
    there |= first & ~(t_s - between_s > UNSEEN_BETWEEN_S)
    grid: Bytes = np.zeros((int(np.ptp(chart.row)) + 1, int(np.ptp(chart.col)) + 1), np.uint8)
    row, col = chart.row - chart.row.min(), chart.col - chart.col.min()
    grid[row, col] = there
    side = 2 * RIM_CELLS + 1
    rim = cv2.dilate(grid, np.ones((side, side), np.uint8))[row, col] > 0
    came = there | (rim & known & (fell > RIM_FALL_DEGC))
    gone = seen & ~there
    since_s = np.where(there & ~np.isfinite(between_s), t_s, between_s)
    return came, np.where(gone, np.nan, since_s)


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
