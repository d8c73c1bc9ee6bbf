"""A treatment that goes round and round: what its cameras show, so that exposure, alarms and report are busy.

Simulated with the product's own scenes, since a recording played there and back would show skin that warms
while gas flows. Nozzle and body come back to where they were each `ROUND_S`; gas flows for the first `GAS_S`
of each `CYCLE_S`, and the skin rewarms in the rest of it. What is left of the cold then is a jump of the
thermal pictures, once a cycle, while no gas flows. Nothing of it is shown as measured: it is load.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.live_stand import HZ, Played
from guidance.simulate import Wish, scene_of
from models.geometry import Pose, rotation_from_rvec, unit
from models.rig_file import write_rig
from tests.recorded_device import RecordedDevice
from vision.cameras import COLOUR, DEPTH, THERMAL, DeviceGoneError, Picture
from vision.synthetic_rig import stated_rig, treatment_of
from vision.synthetic_scene import Body, Motion, Scene, Sweep
from vision.synthetic_studio import Studio

ROUND_S = 5.0
"""150 colour pictures of 2.8 MB are kept."""
CYCLE_S = 40.0
GAS_S = 12.0
"""In 30 minutes gas flows for 9: the protocol's session time (12 min) is not used up."""
AHEAD_S = 12.0
"""The first gas of the session comes so long after the cameras begin, as on a patient. Skin still cold, with
steep edges, when a zone is laid is not told from cloth, and is unobserved until it has rewarmed."""


@dataclass(frozen=True)
class Round(Sweep):
    """A figure of eight that comes back to its beginning each `ROUND_S` and rests nowhere."""

    def rest_from_nozzle(self, t_s: float, body: Body) -> Pose:
        """Pose of the nozzle over the body at rest."""
        turn = 2.0 * np.pi * t_s / ROUND_S
        along = self.half_along_mm * np.sin(turn)
        across = self.half_across_mm * np.sin(2.0 * turn)
        lean, aside = np.radians(self.lean_deg), np.radians(self.aside_deg)
        back = np.array([np.sin(lean) * np.cos(aside), np.sin(lean) * np.sin(aside), -np.cos(lean)])
        side = unit(np.cross(back, [0.0, 1.0, 0.0]))
        upright = np.stack([side, np.cross(-back, side), -back], axis=1)
        rotation = upright @ rotation_from_rvec(np.array([0.0, 0.0, np.radians(self.roll_deg)]))
        shakes = self.tremor_mm * np.sin(turn * np.array([13.0, 17.0, 11.0]))
        return Pose.of(rotation, body.skin(across, along) + self.distance_mm * back + shakes)


def scene() -> Scene:
    """A calf under CO2 at 30 pictures a second."""
    usual = scene_of(Wish(seconds=CYCLE_S))
    sweep = usual.sweep
    return replace(
        usual,
        sweep=Round(sweep.half_across_mm, sweep.half_along_mm, distance_mm=sweep.distance_mm),
        motion=Motion(breath_mm=1.0, breath_s=ROUND_S, drift_mm_s=(0.0, 0.0, 0.0), turn_deg=0.0),
        gas_s=(0.0, GAS_S),
        hz=HZ[COLOUR],
        thermal_hz=HZ[THERMAL],
        depth_hz=HZ[DEPTH],
        thermal_clock_s=0.0,
    )


@dataclass(eq=False)
class InStep(RecordedDevice):
    """Shows the picture of the moment: all cameras that began at one time show the same moment."""

    began_s: float = 0.0
    """On the clock of `time.monotonic`."""
    _shown: int = -1

    def read(self) -> Picture:
        """The next picture when it is due; those that are late are left out."""
        now = int((time.monotonic() - self.began_s) * self.hz)
        self._shown = max(self._shown + 1, now)
        at_s = self.began_s + self._shown / self.hz
        if self._gone.wait(max(0.0, at_s - time.monotonic())):
            raise DeviceGoneError(f"{self.name} is not there: plug it in.")
        return Picture(at_s, self.pictures[self._shown % len(self.pictures)])


def treatment_round() -> Played:
    """Draw a cycle (half a minute of a processor) and begin it now, `AHEAD_S` before gas flows."""
    real = scene()
    studio, stated = Studio(real), stated_rig(real)
    colour = [studio.colour(k / real.hz) for k in range(round(ROUND_S * real.hz))]
    thermal = [studio.thermal(k / real.thermal_hz) for k in range(round(CYCLE_S * real.thermal_hz))]
    depth = [studio.depth(k / real.depth_hz) for k in range(round(ROUND_S * real.depth_hz))]
    began_s = time.monotonic() - (CYCLE_S - AHEAD_S)
    return Played(
        devices={
            kind: InStep(kind, HZ[kind], pictures, f"recorded {kind} camera", began_s=began_s)
            for kind, pictures in ((COLOUR, colour), (THERMAL, thermal), (DEPTH, depth))
        },
        rig=stated,
        rig_text=write_rig(stated).encode(),
        taps=treatment_of(real).taps,
        began_s=began_s,
    )
