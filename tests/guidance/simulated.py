"""Simulated scenes through production `step`: what came out, beside what is true."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.pipeline import step
from guidance.session import Guidance
from guidance.state import Setup, State, begin
from models.catalogue import limits_in_zone, load_devices, load_protocols, load_zones
from models.zone_side import zone_on_side
from vision.synthetic import Truth, captures
from vision.synthetic_scene import Scene, stated_rig, treatment_of


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


@dataclass(frozen=True, eq=False)
class Played:
    """All that was told, each with its truth, and the state at the end."""

    told: list[tuple[Guidance, Truth]]
    state: State


def play(scene: Scene) -> Played:
    """Every capture of a scene through `step`."""
    setup, state, told = setup_of(scene), begin(), []
    for capture, truth in captures(scene):
        state, guidance = step(state, capture, setup)
        told.append((guidance, truth))
    return Played(told, state)
