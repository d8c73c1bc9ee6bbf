"""Front end of the simulation: what a user asks for as a scene, written as a session folder."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from guidance.stages.state import Setup
from models.catalogue import find, limits_in_zone, load_devices, load_protocols, load_zones
from models.problems import InputError
from models.zone import Zone
from models.zone_side import zone_on_side
from vision.synthetic_folder import write_session
from vision.synthetic_rig import stated_rig, treatment_of
from vision.synthetic_scene import Body, Errors, Motion, Patch, Scene, SkinTag, Sweep

LONGEST_S = 120.0
"""Thermal and depth pictures are held in memory until they are written."""

TORSO_DEEP_MM = 110.0
"""Half the depth of a trunk."""

TAPER = -0.0004
"""A limb grows by 4 % each 10 cm towards the trunk, which lies to the left in the picture."""

EDGE_DEG = 60.0
"""An outline is not tapped farther round a limb."""


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    zone: str = "calf"
    protocol: str | None = None
    """None: one that suits the zone."""
    seconds: float = 12.0
    seed: int = 0
    skin_tags: bool = False
    """Four tags on the skin instead of a depth camera."""
    rest_at_s: float | None = None
    shift_mm: float = 0.0
    at_s: float = 3.0
    turn_thermal_deg: float = 0.0
    lag_ms: float = 0.0
    tag_placement_mm: float = 0.0
    focal_error_pct: float = 0.0
    camera_off_degc: float = 0.0
    camera_drift_degc_min: float = 0.0
    shutter_at_s: float | None = None
    shutter_step_degc: float = 0.0
    reference_degc: float | None = None


def simulate(wish: Wish, out: Path, *, on_progress: Callable[[int, int, float], None]) -> Scene:
    """Write a simulated session with its truth; see `vision.synthetic_folder.write_session`.

    Raises:
        InputError: If the wish is out of range or the folder cannot be written.
    """
    scene = scene_of(wish)
    write_session(scene, out, on_progress=on_progress)
    return scene


def scene_of(wish: Wish) -> Scene:
    """A scene on a body of the zone's typical size.

    Raises:
        InputError: If zone or protocol is not known or a figure is out of range.
    """
    _check(wish)
    zone = find(load_zones(), wish.zone, what="zone")
    usual = "air-gentle-face" if zone.face else "co2-thermal-shock"
    protocol = find(load_protocols(), wish.protocol or usual, what="protocol")
    body = _body(zone, tapered=not wish.skin_tags)
    angle_rad, arc_mm = body.arcs()
    edge_mm = float(np.interp(math.radians(EDGE_DEG), angle_rad, arc_mm))
    across, along = min(zone.width_mm / 2.0, edge_mm), zone.length_mm / 2.0
    tags = tuple(
        SkinTag(100 + 2 * i + j, u * min(across, 0.75 * edge_mm), v * (0.7 * along + 20.0), 7.0 * u * v)
        for i, u in enumerate((-1.0, 1.0))
        for j, v in enumerate((-1.0, 1.0))
    )
    errors = Errors(
        focal_pct=wish.focal_error_pct,
        tag_placement_mm=wish.tag_placement_mm,
        thermal_turn_deg=wish.turn_thermal_deg,
        thermal_lag_s=wish.lag_ms / 1000.0,
        camera_off_degc=wish.camera_off_degc,
        camera_drift_degc_s=wish.camera_drift_degc_min / 60.0,
        shutter_s=() if wish.shutter_at_s is None else (wish.shutter_at_s,),
        shutter_step_degc=wish.shutter_step_degc,
    )
    return Scene(
        seconds=wish.seconds,
        seed=wish.seed,
        body=body,
        motion=Motion(shift_mm=(0.0, wish.shift_mm, 0.0), shift_at_s=wish.at_s),
        sweep=Sweep(
            half_across_mm=0.5 * across,
            half_along_mm=0.6 * along,
            rests_from_s=math.inf if wish.rest_at_s is None else wish.rest_at_s,
            distance_mm=protocol.distance.nominal_mm,
        ),
        skin_tags=tags if wish.skin_tags else (),
        depth_hz=0.0 if wish.skin_tags else 4.0,
        errors=errors,
        zone=zone.name,
        side="both" if "both" in zone.sides else zone.sides[0],
        protocol=protocol.name,
        device=protocol.device,
        outline_mm=(across, along),
        patch=None if wish.reference_degc is None else Patch(degc=wish.reference_degc),
    )


def setup_of(scene: Scene) -> Setup:
    """As the analysis of the scene's session folder would set it up."""
    zone = zone_on_side(load_zones()[scene.zone], scene.side)
    return Setup(
        treatment=treatment_of(scene),
        zone=zone,
        protocol=limits_in_zone(load_protocols()[scene.protocol], zone),
        device=load_devices()[scene.device],
        rig=stated_rig(scene),
        eyes=None,
        thermal_expected=scene.thermal_hz > 0.0,
        colour_expected=True,
        hashes={},
        depth_expected=scene.depth_hz > 0.0,
    )


def _body(zone: Zone, *, tapered: bool) -> Body:
    if zone.surface == "torso":
        # Radius of curvature at the nearest line: across squared over deep.
        return Body(math.sqrt(zone.radius_mm * TORSO_DEEP_MM), TORSO_DEEP_MM)
    limb = Body(zone.radius_mm, zone.radius_mm)
    return replace(limb, taper=TAPER) if tapered else limb


def _check(wish: Wish) -> None:
    ranges = {
        "--seconds": (wish.seconds, 1.0, LONGEST_S),
        "--shift-mm": (wish.shift_mm, -100.0, 100.0),
        "--at-s": (wish.at_s, 0.0, LONGEST_S),
        "--rest-at-s": (wish.rest_at_s or 0.0, 0.0, LONGEST_S),
        "--turn-thermal-deg": (wish.turn_thermal_deg, -10.0, 10.0),
        "--lag-ms": (wish.lag_ms, -1000.0, 1000.0),
        "--tag-placement-mm": (wish.tag_placement_mm, 0.0, 1.0),
        "--focal-error-pct": (wish.focal_error_pct, -5.0, 5.0),
        "--camera-off-degc": (wish.camera_off_degc, -10.0, 10.0),
        "--camera-drift-degc-min": (wish.camera_drift_degc_min, -30.0, 30.0),
        "--shutter-at-s": (wish.shutter_at_s or 0.0, 0.0, LONGEST_S),
        "--shutter-step-degc": (wish.shutter_step_degc, -10.0, 10.0),
        "--reference-degc": (wish.reference_degc or 0.0, -20.0, 60.0),
        "--seed": (float(wish.seed), 0.0, 1e9),
    }
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise InputError(f"{name} is {value:g}; give a value from {low:g} to {high:g}.")
