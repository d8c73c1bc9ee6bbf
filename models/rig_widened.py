"""A rig as it may be relied on: parts that no longer hold with bounds that say so.

A part found through another lens is off by what the two lenses differ by, at the lever at which the part
lies; where the older lens is not noted, by `UNNOTED`. A part that is too old has walked: its variance grows
with its age, and in a year by that of a part that nobody ever measured. What was stated stays in the bound:
no part is known better for having lapsed. Values stay as they are, but for a radiometry found with another
spread, which is not used, as one that is too old. See decision 33.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from models.camera import Camera
from models.geometry import Floats, frozen
from models.jet_profile import JetProfile
from models.rig import DEPTH_PARAMETERS, INTRINSICS, Rig, StatedSpread, ThermalCamera
from models.stream_clock import StreamClock
from models.validity import HOLDS_DAYS, TITLES, Lapsed, age_days

YEAR_DAYS = 365.0
"""A walk at random that takes up in so long what never measuring a part leaves open, as
`models.radiometry.CLAIM_HOLDS_DAYS`."""

LENS_SHARE = 0.005
"""1 sigma a year of focal length and middle, as a share of the focal length. Own estimate: focal lengths of
one camera calibrated twice differ by 0.1 to 0.3 %, which is what this comes to in the first two months. That
they change with handling and time is published (Habib, Pullivelli, Morgan 2006; Sanz-Ablanedo et al., Sensors
10 (2010) 1553)."""

PLACE_RAD, PLACE_MM = 0.005, 3.0
"""1 sigma a year of how thermal or depth camera stand to the colour camera. Own estimate: 0.3 degrees are
what a bracket that was bumped gives way by, 4 mm on the skin 0.8 m away."""

READS_SHARE = 0.01
"""1 sigma a year of a depth camera's scale: half of the 2 % of the distance that makers of stereo cameras
allow for (Intel RealSense D400 data sheet, depth accuracy at 2 m)."""

UNMEASURED_TAG_MM = 0.3
"""1 sigma of a tag's place on a collar that nobody calibrated, as `calibration.tag_leverage.GLUED_MM`."""

UNMEASURED_TIP_MM = 1.25
"""1 sigma of each direction of a tip whose collar nobody calibrated: tags placed to 0.3 mm leave 3 to 4 mm
open (95 %, docs/calibration.md), which is 2.8 of these."""

UNMEASURED_AXIS_RAD = 0.01
"""1 sigma of the jet's axis along a collar as it was printed: tags 30 mm apart, each off by 0.3 mm."""

UNMEASURED_CLOCK_S = 0.02
"""95 % bound of an offset that nobody measured, as `guidance.alarms.judge` allows for."""

UNMEASURED_SPREAD_PX, UNMEASURED_HALO = 0.2, 0.10
"""95 % bounds a year: focus that creeps, a window that gets dirty; halos of usual cameras, as
`vision.point_spread` bounds them. Own estimate."""

CLASS_FACTOR, CLASS_HALF = 3.0, 0.15
"""What the class of a device leaves open of film (95 %, the widest of ``devices.toml``) and half radius (1
sigma, own estimate: no two wands of a class were compared)."""

BOARD_MM = 800.0
"""How far away the target of the thermal step is held: there, a wrong focal length moves it along."""


@dataclass(frozen=True)
class LensApart:
    """How far two lenses of one camera differ."""

    share: float
    """Of the focal length."""
    rad: float
    """Most between the directions of one pixel."""

    @property
    def sigma(self) -> float:
        """Both, as a share of any lever."""
        return float(np.hypot(self.share, self.rad))


UNNOTED = LensApart(0.01, 0.01)
"""1 sigma where the older lens is not known: a turn of the focus ring, or another lens of the same name. Own
estimate; eight public pictures of a board change the focal length by 0.5 % as one is left out."""


def lens_apart(older: Sequence[float], newer: Camera) -> LensApart:
    """How far a lens in the order of `models.rig.INTRINSICS` lies from another one."""
    fx, fy, cx, cy = older[:4]
    before = Camera(newer.width_px, newer.height_px, fx, fy, cx, cy, np.asarray(older[4:], float))
    shares = np.array([0.1, 0.5, 0.9])
    at_px = np.stack(np.meshgrid(shares * newer.width_px, shares * newer.height_px), axis=-1).reshape(-1, 2)
    rays = [camera.unproject(at_px) for camera in (before, newer)]
    rays = [ray / np.linalg.norm(ray, axis=1, keepdims=True) for ray in rays]
    apart = float(np.linalg.norm(rays[0] - rays[1], axis=1).max())
    share = abs((fx + fy) / (newer.fx_px + newer.fy_px) - 1.0)
    return (
        LensApart(share, apart) if np.isfinite(apart) else LensApart(max(share, UNNOTED.share), UNNOTED.rad)
    )


@dataclass(frozen=True)
class Loosened:
    """By how much a part is looser than it states."""

    lapsed: Lapsed
    lens: LensApart | None
    """Between the lens that it was found with and the rig's; None = the same."""
    years: float
    """Share of what was never measured that its age opens, as a variance, 0..1."""
    another: bool
    """Found with another part than a lens: open as if never measured."""

    @property
    def opened(self) -> float:
        """Variance, as a share of that of a part never measured."""
        return 1.0 if self.another else self.years


def loosened(rig: Rig, *, now: datetime) -> tuple[Loosened, ...]:
    """What of a rig no longer holds at a time of day, and by how much its bounds open."""
    told: list[Loosened] = []
    for one in (*rig.validity.lapsed(now=now), *_old_unmarked(rig, now)):
        found, lens = rig.validity.of(one.step), None
        if "rgb" in one.because:
            lens = lens_apart(found.lens, rig.rgb) if found is not None and found.lens else UNNOTED
        measured = rig.created if found is None else found.measured
        years = 0.0 if one.because else min(age_days(measured, now) / YEAR_DAYS, 1.0)
        told.append(Loosened(one, lens, years, bool(set(one.because) - {"rgb"})))
    return tuple(told)


def _old_unmarked(rig: Rig, now: datetime) -> list[Lapsed]:
    """Parts with bounds but no mark, of an older version or another program: as old as the rig."""
    days, thermal, errors = age_days(rig.created, now), rig.thermal, rig.nozzle_errors
    if days <= HOLDS_DAYS:
        return []
    stated = {
        "rgb": rig.rgb_covariance,
        "thermal": thermal.covariance if thermal else None,
        "depth": rig.depth.covariance if rig.depth else None,
        "spread": thermal.spread if thermal else None,
        "time": thermal.clock if thermal else None,
        "collar": errors.tag_mm2,
        "tip": errors.tip_mm2,
        "axis": errors.axis_rad2,
        "jet": rig.jet,
    }
    unmarked = [s for s, bounds in stated.items() if bounds is not None and rig.validity.of(s) is None]
    return [Lapsed(step, (), f"found {days:.0f} days ago") for step in unmarked]


def widened(rig: Rig, *, now: datetime) -> Rig:
    """The rig with bounds that hold; the very same where all its parts do.

    Covariances grow by what has opened (`loosened`), so no bound becomes smaller.
    """
    for one in loosened(rig, now=now):
        rig = opened(rig, one)
    return rig


def opened(rig: Rig, one: Loosened) -> Rig:
    """The rig with one part as loose as told."""
    return _WIDEN[one.lapsed.step](rig, one)


def widened_words(told: tuple[Loosened, ...]) -> str:
    """What is done about it, for report and terminal; empty where all holds."""
    dropped = [one for one in told if one.lapsed.step == "radiometry" and one.lapsed.because]
    kept = [TITLES[one.lapsed.step] for one in told if one not in dropped and one.lapsed.step != "radiometry"]
    words = [f"until then wider bounds are used for {', '.join(kept)}"] if kept else []
    if dropped:
        words.append("the thermal camera's claim alone holds for its temperatures")
    return "; ".join(words)


def _lens(rig: Rig, one: Loosened) -> Rig:
    if rig.rgb_covariance is None:
        return rig
    sigma = LENS_SHARE * np.sqrt(one.years)
    focal = np.array([rig.rgb.fx_px, rig.rgb.fy_px])
    more = np.zeros((len(INTRINSICS), len(INTRINSICS)))
    more[:2, :2] = sigma**2 * np.outer(focal, focal)  # both together, as focus goes
    more[[2, 3], [2, 3]] = (sigma * focal) ** 2
    return replace(rig, rgb_covariance=frozen(rig.rgb_covariance + more))


def _thermal(rig: Rig, one: Loosened) -> Rig:
    camera = rig.thermal
    if camera is None:
        return rig
    lens = one.lens or LensApart(0.0, 0.0)
    focal_share2 = lens.share**2 + one.opened * LENS_SHARE**2
    turn2 = lens.rad**2 + one.opened * PLACE_RAD**2
    shift2 = (lens.sigma * BOARD_MM) ** 2 + one.opened * PLACE_MM**2
    more = np.zeros((15, 15))
    focal = camera.camera.focal[:2]
    more[:2, :2] = focal_share2 * np.outer(focal, focal)
    more[np.arange(9, 12), np.arange(9, 12)] = turn2
    more[np.arange(12, 15), np.arange(12, 15)] = shift2
    stated = np.zeros((15, 15)) if camera.covariance is None else camera.covariance
    return with_thermal(rig, replace(camera, covariance=frozen(stated + more)))


def _depth(rig: Rig, one: Loosened) -> Rig:
    """Only what was calibrated: one that is typed in has no bound that could grow."""
    camera = rig.depth
    if camera is None or camera.covariance is None:
        return rig
    lens = one.lens or LensApart(0.0, 0.0)
    more = np.zeros(len(DEPTH_PARAMETERS))
    more[9:12] = lens.rad**2 + one.opened * PLACE_RAD**2
    more[12:15] = (lens.sigma * BOARD_MM) ** 2 + one.opened * PLACE_MM**2
    more[15] = lens.share**2 + one.opened * READS_SHARE**2
    return replace(rig, depth=replace(camera, covariance=frozen(camera.covariance + np.diag(more))))


def _collar(rig: Rig, one: Loosened) -> Rig:
    if rig.nozzle is None or rig.nozzle_errors.tag_mm2 is None:  # not stated: taken for glued by hand already
        return rig
    middles = rig.nozzle.tags.corners_mm.mean(axis=1)
    reach_mm = float(np.linalg.norm(middles - middles.mean(axis=0), axis=1).max(initial=0.0))
    sigma2 = one.opened * UNMEASURED_TAG_MM**2 + (one.lens.sigma * reach_mm if one.lens else 0.0) ** 2
    size = 3 * len(middles)
    return with_nozzle_errors(rig, "tag_mm2", sigma2 * np.eye(size))


def _tip(rig: Rig, one: Loosened) -> Rig:
    if rig.nozzle is None:
        return rig
    lever_mm = float(np.linalg.norm(rig.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)))
    sigma2 = one.opened * UNMEASURED_TIP_MM**2 + (one.lens.sigma * lever_mm if one.lens else 0.0) ** 2
    return with_nozzle_errors(rig, "tip_mm2", sigma2 * np.eye(3))


def _axis(rig: Rig, one: Loosened) -> Rig:
    sigma2 = one.opened * UNMEASURED_AXIS_RAD**2 + (one.lens.sigma if one.lens else 0.0) ** 2
    return with_nozzle_errors(rig, "axis_rad2", sigma2 * np.eye(2))


def _spread(rig: Rig, one: Loosened) -> Rig:
    camera = rig.thermal
    if camera is None or camera.spread is None:
        return rig
    halo, opened = camera.spread.halo, float(np.sqrt(one.opened))
    if halo is not None:
        halo = replace(halo, u95=float(np.hypot(halo.u95, opened * UNMEASURED_HALO)))
    u95_px = float(np.hypot(camera.spread.u95_px, opened * UNMEASURED_SPREAD_PX))
    spread = StatedSpread(camera.spread.sigma_px, u95_px, halo)
    return with_thermal(rig, replace(camera, spread=spread))


def _radiometry(rig: Rig, one: Loosened) -> Rig:
    """One that is too old is left out where it is used; so is one whose halo was another's."""
    camera = rig.thermal
    if camera is None or not one.lapsed.because:
        return rig
    return with_thermal(rig, replace(camera, radiometry=None))


def _time(rig: Rig, one: Loosened) -> Rig:
    if rig.thermal is not None and rig.thermal.clock is not None:
        rig = with_thermal(rig, replace(rig.thermal, clock=_clock(rig.thermal.clock, one)))
    if rig.depth is not None and rig.depth.clock is not None:
        rig = replace(rig, depth=replace(rig.depth, clock=_clock(rig.depth.clock, one)))
    return rig


def _clock(clock: StreamClock, one: Loosened) -> StreamClock:
    u95_s = float(np.hypot(clock.u95_s, np.sqrt(one.opened) * UNMEASURED_CLOCK_S))
    return replace(clock, u95_s=u95_s)


def _jet(rig: Rig, one: Loosened) -> Rig:
    """It was found through all other parts: any that changed opens it to what its class leaves."""
    jet = rig.jet
    if jet is None:
        return rig
    opened = 1.0 if one.lapsed.because else one.opened
    logs = np.log([jet.within_factor, CLASS_FACTOR])
    within = float(np.exp(np.sqrt(logs[0] ** 2 + opened * logs[1] ** 2)))
    shares = np.array([CLASS_HALF * jet.half_mm, CLASS_HALF * jet.spread, 0.0, 0.0, 0.0])
    stated = np.zeros((5, 5)) if jet.covariance is None else jet.covariance
    covariance = frozen(stated + opened * np.outer(shares, shares))
    wider: JetProfile = replace(jet, within_factor=within, covariance=covariance)
    return replace(rig, jet=wider)


_WIDEN = {
    "rgb": _lens,
    "thermal": _thermal,
    "depth": _depth,
    "spread": _spread,
    "radiometry": _radiometry,
    "time": _time,
    "collar": _collar,
    "tip": _tip,
    "axis": _axis,
    "jet": _jet,
}


def with_thermal(rig: Rig, camera: ThermalCamera) -> Rig:
    """The rig with another thermal camera."""
    return replace(rig, thermal=camera)


def with_nozzle_errors(rig: Rig, name: str, more: Floats) -> Rig:
    """The rig with a covariance of `models.nozzle_errors.NozzleErrors` larger by so much."""
    stated = getattr(rig.nozzle_errors, name)
    whole = more if stated is None else stated + more
    return replace(rig, nozzle_errors=replace(rig.nozzle_errors, **{name: frozen(whole)}))
