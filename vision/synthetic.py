"""A small simulation: captures of a scene whose truth is known, for production `step`.

Simple and exact, not pretty: pictures are grey. Nothing here shares code with the product's own prediction of
tags, footprint or skin, so that it can judge it. What is modelled and what not: docs/validation.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.capture import Capture
from models.geometry import Floats, Pose
from vision.playback import Arrivals, play
from vision.synthetic_rig import stated_rig, treatment_of
from vision.synthetic_scene import Scene
from vision.synthetic_studio import Studio, shutter_flags

DEPTH_LATENCY_S = 0.05
"""As `vision.recording` takes it."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true at a capture's time; rgb frame."""

    t_s: float
    rgb_from_nozzle: Pose
    rgb_from_body: Pose
    distance_mm: float
    """From the orifice along the axis to the skin; NaN where the jet misses it."""
    incidence_deg: float
    hit_rgb_mm: Floats | None
    gas: bool

    @property
    def tip_rgb_mm(self) -> Floats:
        """Centre of the orifice, shape (3,)."""
        return self.rgb_from_nozzle.translation_mm

    @property
    def axis_rgb(self) -> Floats:
        """The way the gas blows, shape (3,)."""
        return self.rgb_from_nozzle.rotation[:, 2]


def truth_at(scene: Scene, t_s: float) -> Truth:
    """Nozzle, body and where the jet meets the skin."""
    nozzle, body = scene.rgb_from_nozzle(t_s), scene.rgb_from_body(t_s)
    body_from_nozzle = body.inverse @ nozzle
    tip, axis = body_from_nozzle.translation_mm, body_from_nozzle.rotation[:, 2]
    distance, incidence, hit = scene.body.meet(tip, axis), np.nan, None
    if distance is not None:
        place = tip + distance * axis
        cos = -float(scene.body.normal(place) @ axis)
        incidence, hit = float(np.degrees(np.arccos(np.clip(cos, -1.0, 1.0)))), body.apply(place)
    return Truth(
        t_s, nozzle, body, np.nan if distance is None else distance, incidence, hit, scene.gas_at(t_s)
    )


def captures(scene: Scene) -> Iterator[tuple[Capture, Truth]]:
    """All captures of a scene as a source would deliver them, each with its truth.

    The product is to be given `stated_rig` and `treatment_of` of the same scene.
    """
    studio = Studio(scene)
    stated = stated_rig(scene)
    thermal = depth = None
    if stated.thermal is not None:
        exposures_s = thermal_times_s(scene)
        said_s = exposures_s + scene.errors.thermal_lag_s
        arrives_s = said_s + stated.thermal.latency_s
        thermal = Arrivals(
            (studio.thermal(t) for t in exposures_s), arrives_s, said_s, shutter_flags(scene, exposures_s)
        )
    if stated.depth is not None:
        times_s = depth_times_s(scene)
        depth = Arrivals(
            (studio.depth(t) for t in times_s),
            times_s + DEPTH_LATENCY_S,
            times_s,
            np.zeros(len(times_s), bool),
        )
    colour = (studio.colour(t) for t in scene.times_s)
    for capture in play(
        colour_s=scene.times_s,
        colour=colour,
        thermal=thermal,
        depth=depth,
        valve_s=treatment_of(scene).valve_s,
    ):
        yield capture, truth_at(scene, capture.t_s)


def thermal_times_s(scene: Scene) -> Floats:
    """True exposures of the thermal pictures that there are, session clock."""
    t_s = 0.013 + np.arange(int((scene.seconds - 0.013) * scene.thermal_hz)) / scene.thermal_hz
    missing = scene.errors.thermal_missing_s
    return t_s if missing is None else t_s[(t_s < missing[0]) | (t_s >= missing[1])]


def depth_times_s(scene: Scene) -> Floats:
    """Exposures of the depth pictures."""
    return 0.02 + np.arange(int((scene.seconds - 0.02) * scene.depth_hz) + 1) / scene.depth_hz
