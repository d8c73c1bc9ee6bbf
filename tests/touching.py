"""A simulated session whose nozzle comes down on the middle of the zone and rests: a touch check."""

from __future__ import annotations

from dataclasses import dataclass, replace

from guidance.simulate import Wish, scene_of
from models.geometry import Pose
from vision.synthetic_scene import Body, Scene, Sweep

ABOVE_MM = 2.0
"""Along the jet."""
LEAN_DEG = 35.0
COMES_S = 0.4


@dataclass(frozen=True)
class Approach(Sweep):
    """Away at first, so that the zone is placed; then held a little above one place of the skin."""

    def rest_from_nozzle(self, t_s: float, body: Body) -> Pose:
        """Pose of the nozzle over the body at rest."""
        away_mm = 150.0 if t_s < COMES_S else self.distance_mm
        return Sweep.rest_from_nozzle(replace(self, distance_mm=away_mm), t_s, body)


def touching_scene(*, seconds: float, gas_s: float) -> Scene:
    """The middle of the zone touched from `COMES_S` on; gas from ``gas_s`` on."""
    approach = Approach(half_across_mm=0.0, half_along_mm=0.0, distance_mm=ABOVE_MM, lean_deg=LEAN_DEG)
    return replace(scene_of(Wish(seconds=seconds)), sweep=approach, gas_s=(gas_s, 1e3), hz=10.0)
