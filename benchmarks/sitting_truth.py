"""What a sitting found beside what is true: bound, error, and whether the truth lies within."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import numpy as np

from benchmarks.guided import rgb_true_mm
from benchmarks.guided_operator import RGB_PX, Truth
from calibration.intrinsics import Calibrated
from calibration.skin_error import nine_places
from models.depth_place import placed_mm, seen_at
from models.geometry import Floats, unit
from models.radiometry import UNFLAGGED_MIN
from models.radiometry import Calibrated as Radiometry
from models.rig import Rig
from models.sightings import radius_95_mm
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

AT_MM = 800.0
SKIN_DEGC = (2.0, 20.0, 33.0)
JET_MM = 106.0
"""Between the nearest and the farthest burst, evenly by their ratio."""


@dataclass(frozen=True)
class Held:
    """One figure of one step."""

    what: str
    off: float
    bound: float
    unit: str
    signed: bool = False

    @property
    def inside(self) -> bool:
        """Whether the truth lies within the bound."""
        return abs(self.off) <= self.bound


def at_800_mm(lines: Sequence[str]) -> float | None:
    """The bound at 0.8 m that a camera's step told: the worst of the whole picture."""
    for line in lines:
        if line.strip().startswith("0.8 m from the camera"):
            return max(float(word) for word in line.split()[5:][-2:])
    return None


def held_to_truth(
    rig: Rig, scene: Scene, truth: Truth, told: Mapping[str, Sequence[str]]
) -> dict[str, list[Held]]:
    """By step.

    Args:
        rig: As the sitting left it.
        scene: Of the rig that is true.
        truth: The same, as the operator's simulation has it.
        told: Lines of each step that was accepted.
    """
    real, found = real_rig(scene), dict[str, list[Held]]()
    if (bound := at_800_mm(told.get("rgb", ()))) is not None:
        values = np.array([rig.rgb.fx_px, rig.rgb.fy_px, rig.rgb.cx_px, rig.rgb.cy_px, *rig.rgb.distortion])
        own = cast("Calibrated", SimpleNamespace(values=values))
        off = rgb_true_mm(own, truth.rgb, nine_places(RGB_PX))
        found["rgb"] = [Held("worst of nine places, 0.8 m away", off, bound, "mm")]
    thermal = rig.thermal
    if thermal is not None and real.thermal is not None:
        if (bound := at_800_mm(told.get("thermal", ()))) is not None:
            found["thermal"] = [Held("a pixel, 0.8 m away", _thermal_mm(rig, real), bound, "mm")]
        if thermal.spread is not None and thermal.spread.halo is not None:
            halo = thermal.spread.halo
            off = 100.0 * (halo.share - scene.thermal_share)
            found["spread"] = [Held("halo", off, 100.0 * halo.u95, "%", signed=True)]
        if thermal.radiometry is not None:
            stated = Radiometry(thermal.radiometry, thermal.accuracy_degc, 0.0, UNFLAGGED_MIN)
            true = np.array(SKIN_DEGC)
            read = true + scene.errors.camera_reads_too_warm_degc(0.0, true)
            off, bounds = stated.corrected_degc(read) - true, stated.bound_degc(read)
            found["radiometry"] = [
                Held(f"{degc:g} degC", float(a), float(b), "degC", signed=True)
                for degc, a, b in zip(SKIN_DEGC, off, bounds, strict=True)
            ]
        if thermal.clock is not None:
            late_s = thermal.rgb_minus_thermal_s - real.thermal.rgb_minus_thermal_s
            found["time"] = [
                Held("thermal", 1000.0 * late_s, 1000.0 * thermal.clock.u95_s, "ms", signed=True)
            ]
    if rig.depth is not None and (bounds := depth_at_800_mm(told.get("depth", ()))) is not None:
        found["depth"] = [
            Held(f"{way}, 0.8 m away", off, bound, "mm")
            for way, off, bound in zip(("distance", "beside"), _depth_mm(rig, real), bounds, strict=True)
        ]
    if rig.nozzle is not None:
        found |= _nozzle(rig, truth)
    if rig.jet is not None and scene.jet is not None:
        jet, profile = scene.jet, rig.jet
        at = JET_MM
        flow = profile.film_at_w_m2k(at) * (10.0 - profile.gas_degc)
        film = jet.film_w_m2k * (at / 100.0) ** -jet.power
        true = film * (10.0 - jet.gas_degc)
        found["jet"] = [
            Held(f"half radius at {at:.0f} mm", profile.half_radius_mm(at) - (jet.half_mm + jet.spread * at),
                 profile.half_u95_mm(at), "mm", signed=True),
            Held("log of the flow of heat", float(np.log(flow / true)), float(np.log(profile.within_factor)),
                 "", signed=True),
        ]  # fmt: skip
    return found


def _thermal_mm(rig: Rig, real: Rig) -> float:
    """The worst of nine places of what the step promises: where skin 0.8 m away is in the thermal picture."""
    assert real.thermal is not None
    px = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])
    there = [
        one.thermal.camera.project(one.thermal.thermal_from_rgb.apply(one.rgb.unproject(px) * AT_MM))
        for one in (rig, real)
        if one.thermal is not None
    ]
    return float(np.linalg.norm(there[0] - there[1], axis=1).max()) * AT_MM / real.thermal.camera.fx_px


def depth_at_800_mm(lines: Sequence[str]) -> tuple[float, float] | None:
    """The bounds at 0.8 m that the depth camera's step told: in distance, and beside the line of sight."""
    for line in lines:
        if line.strip().startswith("0.8 m from the camera"):
            along, beside = (float(word) for word in line.split()[5:7])
            return along, beside
    return None


def _depth_mm(rig: Rig, real: Rig) -> tuple[float, float]:
    """The worst of nine places: how far skin 0.8 m away is shown off its place, in distance and beside."""
    assert rig.depth is not None
    assert real.depth is not None
    px = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])
    sight = unit(real.rgb.unproject(px))
    at_px, readings_mm = seen_at(real.depth, sight * AT_MM)
    inside = real.depth.camera.inside(at_px)
    off = (placed_mm(rig.depth, at_px, readings_mm) - sight * AT_MM)[inside]
    along = np.sum(off * sight[inside], axis=1)
    beside = np.linalg.norm(off - along[:, None] * sight[inside], axis=1)
    return float(np.abs(along).max()), float(beside.max())


def _nozzle(rig: Rig, truth: Truth) -> dict[str, list[Held]]:
    assert rig.nozzle is not None
    own, true = (tags.corners_mm.reshape(-1, 3) for tags in (rig.nozzle.tags, truth.tags))
    turn, at = _laid(true, own)
    tip, axis = at + turn @ truth.tip_mm, turn[:, 2]
    each = (own - at - true @ turn.T).reshape(-1, 4, 3).mean(axis=1)
    errors, found = rig.nozzle_errors, dict[str, list[Held]]()
    if errors.tag_mm2 is not None:
        sigma = np.sqrt(
            np.array(
                [np.trace(errors.tag_mm2[k : k + 3, k : k + 3]) for k in range(0, len(errors.tag_mm2), 3)]
            )
        )
        worst = int(np.argmax(np.linalg.norm(each, axis=1)))
        found["collar"] = [
            Held(
                "middle of the worst tag", float(np.linalg.norm(each[worst])), 2.0 * float(sigma[worst]), "mm"
            )
        ]
    if errors.tip_mm2 is not None:
        found["tip"] = [Held("tip", float(np.linalg.norm(tip)), radius_95_mm(errors.tip_mm2), "mm")]
    if errors.axis_rad2 is not None:
        off = float(np.degrees(np.arccos(np.clip(axis[2], -1.0, 1.0))))
        bound = float(np.degrees(2.45 * np.sqrt(np.linalg.eigvalsh(errors.axis_rad2)[-1])))
        found["axis"] = [Held("axis", off, bound, "degrees")]
    return found


def _laid(true: Floats, own: Floats) -> tuple[Floats, Floats]:
    """What takes the real collar onto the one that was found: rotation, shift."""
    middle, at = true.mean(axis=0), own.mean(axis=0)
    u, _, vt = np.linalg.svd((true - middle).T @ (own - at))
    turn = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt).T
    return turn, at - turn @ middle
