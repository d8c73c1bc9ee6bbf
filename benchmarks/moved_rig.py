"""A thermal camera that was turned: how often the check finds it, and whether the session's bound then holds.

``python -m benchmarks.moved_rig [--rigs 24] [--views 8]`` prints a table. Corners of the target are drawn
with their noise. A rig that states nothing is off by half of what is usual there; one as calibrated comes
from 12 drawn pairs by the thermal step, so it is off by what that left. Each is turned about an axis across
the line of sight. Skin lies 0.4, 0.6 and 1 m away.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from benchmarks.thermal_place_coverage import KINDS, RGB_PX, THERMAL_PX, pairs_of, truth_of
from calibration.carried import carried
from calibration.check_cameras import USUAL_SIGMA, check_cameras
from calibration.check_parts import cameras_part
from calibration.check_views import CAUSES
from calibration.placed import skin_errors_mm, stated_covariance
from calibration.sheets import TARGET
from calibration.skin_error import camera_of
from calibration.thermal_pair import RgbKnown, calibrate_thermal
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import THERMAL_PARAMETERS, Rig
from models.rig_checked import RigChecked
from models.rig_moved import relied_on
from models.thermal_place import place_u95_px
from tests.calibration.test_check import KNOWN, RIG, views_of

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
AWAY_MM = (400.0, 600.0, 1000.0)
PLACES = np.array([(0.5, 0.5), (0.31, 0.33)])


@dataclass(frozen=True, eq=False)
class Drawn:
    """A rig as it states itself, and as it is."""

    stated: Rig
    real: Rig
    known: Floats


def states_nothing(rng: np.random.Generator) -> Drawn:
    """Off by half of what is usual; its colour lens is right."""
    causes = 0.5 * USUAL_SIGMA * rng.normal(size=len(CAUSES))
    assert RIG.thermal is not None
    stands = Pose.of(rotation_from_rvec(causes[:3]), causes[3:6]) @ RIG.thermal.thermal_from_rgb
    longer = RIG.thermal.camera.focal[:2] * (1.0 + causes[6])
    camera = replace(RIG.thermal.camera, fx_px=float(longer[0]), fy_px=float(longer[1]))
    return Drawn(
        RIG, replace(RIG, thermal=replace(RIG.thermal, camera=camera, thermal_from_rgb=stands)), KNOWN
    )


def as_calibrated(rng: np.random.Generator) -> Drawn:
    """From 12 pairs, by a colour camera that is wrong as its covariance says."""
    how, truth = KINDS["12 pairs, 0.25 px"], truth_of(rng)
    values, vectors = np.linalg.eigh(how.covariance)
    rgb = truth.rgb + vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.normal(size=9))
    known = RgbKnown(rgb, how.covariance)
    found = calibrate_thermal(pairs_of(truth, how, rng), TARGET.corners_mm, known=known, size_px=THERMAL_PX)
    found = carried(found, rgb, rgb_size_px=RGB_PX)
    told = stated_covariance(found, skin_errors_mm(found, rgb_size_px=RGB_PX), rgb_size_px=RGB_PX)
    at = [THERMAL_PARAMETERS.index(name) for name in (*found.free, *THERMAL_PARAMETERS[9:])]
    covariance = np.zeros((15, 15))
    covariance[np.ix_(at, at)] = told
    assert RIG.thermal is not None
    real_thermal = replace(
        RIG.thermal,
        camera=camera_of(truth.thermal, size_px=THERMAL_PX),
        thermal_from_rgb=truth.thermal_from_rgb,
    )
    thermal = replace(
        RIG.thermal,
        camera=camera_of(found.values, size_px=THERMAL_PX),
        thermal_from_rgb=found.thermal_from_rgb,
        covariance=covariance,
    )
    usual = np.zeros_like(KNOWN)
    usual[7, 7] = how.covariance[0, 0] / rgb[0] ** 2
    return Drawn(
        replace(RIG, rgb=camera_of(rgb, size_px=RGB_PX), thermal=thermal),
        replace(RIG, rgb=camera_of(truth.rgb, size_px=RGB_PX), thermal=real_thermal),
        usual,
    )


def turned(real: Rig, degrees: float, rng: np.random.Generator) -> Rig:
    """The thermal camera turned about an axis across its line of sight."""
    assert real.thermal is not None
    way = rng.uniform(0.0, 2.0 * np.pi)
    turn = rotation_from_rvec(np.radians(degrees) * np.array([np.cos(way), np.sin(way), 0.0]))
    stands = Pose.of(turn, np.zeros(3)) @ real.thermal.thermal_from_rgb
    return replace(real, thermal=replace(real.thermal, thermal_from_rgb=stands))


def missed_px(drawn: Drawn, real: Rig, away_mm: float) -> float:
    """How far beside its place the thermal camera really looks, the worst of `PLACES`."""
    assert drawn.stated.thermal is not None
    assert real.thermal is not None
    at_px = PLACES * (real.rgb.width_px, real.rgb.height_px)
    seen = [
        rig.thermal.camera.project(rig.thermal.thermal_from_rgb.apply(rig.rgb.unproject(at_px) * away_mm))
        for rig in (drawn.stated, real)
        if rig.thermal is not None
    ]
    return float(np.linalg.norm(seen[0] - seen[1], axis=1).max())


def row(
    make: Callable[[np.random.Generator], Drawn], degrees: float, *, rigs: int, views: int, first: int
) -> str:
    """One kind of rig, turned by so much."""
    told = {"moved": 0, "valid": 0, "unknown": 0}
    held = held_as_stated = looks = 0
    bounds, stated_mm, least = list[float](), list[float](), list[float]()
    for seed in range(rigs):
        drawn = make(np.random.default_rng([first + seed, 77]))
        rng = np.random.default_rng([first + seed, 78])
        real = turned(drawn.real, degrees, rng)
        seen = views_of(rng, np.zeros(len(CAUSES)), count=views, real=real)
        found = check_cameras(seen, TARGET.corners_mm, drawn.stated, known=drawn.known)
        told[found.state] += 1
        least.append(found.unnoticed.on_skin_mm)
        wide = relied_on(drawn.stated, RigChecked(NOW, "", (cameras_part(found),)), now=NOW).thermal
        assert wide is not None
        assert drawn.stated.thermal is not None
        for away_mm in AWAY_MM:
            points = drawn.stated.rgb.unproject(PLACES * (real.rgb.width_px, real.rgb.height_px)) * away_mm
            missed, now_px = missed_px(drawn, real, away_mm), place_u95_px(wide, points)
            before_px = place_u95_px(drawn.stated.thermal, points)
            looks, held, held_as_stated = (
                looks + 1,
                held + (missed <= now_px),
                held_as_stated + (missed <= before_px),
            )
            bounds.append(now_px * away_mm / wide.camera.fx_px)
            stated_mm.append(before_px * away_mm / wide.camera.fx_px)
    return (
        f"{degrees:4.1f}     {told['moved']:3d} {told['valid']:4d} {told['unknown']:5d}"
        f"   {held:4d} of {looks:3d}   {held_as_stated:4d} of {looks:3d}"
        f"      {np.median(bounds):5.1f}  {np.median(stated_mm):5.1f}      {np.median(least):5.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=24)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="seed of the first rig")
    parser.add_argument("--degrees", type=float, nargs="+", default=[0.0, 0.1, 0.2, 0.5, 1.0])
    parser.add_argument("--kinds", nargs="+", default=["nothing", "calibrated"])
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no further row after so long")
    options = parser.parse_args()
    makes = {"nothing": states_nothing, "calibrated": as_calibrated}
    ends = time.monotonic() + options.seconds
    for kind in options.kinds:
        print(f"rigs as {'they state ' if kind == 'nothing' else ''}{kind}, {options.rigs} a row")
        print(
            "turned  moved valid unknown   held        held as stated   bound, stated (mm)  finds from (mm)"
        )
        for degrees in options.degrees:
            if time.monotonic() > ends:
                return
            told = row(makes[kind], degrees, rigs=options.rigs, views=options.views, first=options.first)
            print(told, flush=True)


if __name__ == "__main__":
    main()
