"""What is shown in the five seconds of a check beside the target: touches, a reference, motion. Drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Pose, rotation_from_rvec
from vision.synthetic_scene import Body, Errors, Motion, Patch, Scene, SkinTag, Sweep

TAGS = (SkinTag(100, -30.0, 25.0), SkinTag(101, 28.0, -30.0, 10.0))

STOPS = (
    # seconds, arc and y on the skin, and how far above it, mm
    (0.0, -60.0, 10.0, 70.0),
    (0.35, 10.0, 40.0, 35.0),
    (0.7, -30.0, 25.0, 0.0),
    (1.6, -30.0, 25.0, 0.0),
    (1.8, 30.0, 50.0, 60.0),
    (2.1, -20.0, -40.0, 25.0),
    (2.4, 60.0, -10.0, 55.0),
    (2.75, 28.0, -30.0, 0.0),
    (3.65, 28.0, -30.0, 0.0),
    (3.9, -40.0, -10.0, 45.0),
    (4.15, 20.0, 30.0, 70.0),
    (4.5, -50.0, 45.0, 30.0),
    (5.0, 40.0, -20.0, 60.0),
)
"""A hand that rests on the middle of each tag for most of a second, and hurries unevenly in between."""


@dataclass(frozen=True)
class Led(Sweep):
    """The nozzle led along `STOPS`."""

    def rest_from_nozzle(self, t_s: float, body: Body) -> Pose:
        """Pose of the nozzle over the body at rest."""
        times_s, *places = np.array(STOPS).T
        arc_mm, y_mm, away_mm = (float(np.interp(t_s, times_s, one)) for one in places)
        quarter_s = 4.0 * max(t_s, 1e-3)  # a sine is 1 after a quarter of its time: at the place itself
        here = replace(
            self,
            half_across_mm=arc_mm,
            half_along_mm=y_mm,
            across_s=quarter_s,
            along_s=quarter_s,
            distance_mm=away_mm,
        )
        return Sweep.rest_from_nozzle(here, t_s, body)


def shown_scene(*, lag_s: float = 0.0, off_degc: float = 0.0, seconds: float = 5.0) -> Scene:
    """Two tags on still skin 0.6 m away, touched one after the other, and a reference in the thermal picture.

    Args:
        lag_s: Thermal pictures are said to be so much later than they were.
        off_degc: The thermal camera reads so much too warm.
        seconds: Length.
    """
    return Scene(
        seconds=seconds,
        place=Pose.of(rotation_from_rvec(np.array([0.0, 0.0, -np.pi / 2.0])), np.array([0.0, 20.0, 620.0])),
        motion=Motion(breath_mm=0.0, drift_mm_s=(0.0, 0.0, 0.0), turn_deg=0.0),
        sweep=Led(tremor_mm=0.2),
        skin_tags=TAGS,
        errors=Errors(thermal_lag_s=lag_s, camera_off_degc=off_degc),
        gas_s=(100.0, 101.0),
        hz=10.0,
        thermal_hz=9.0,
        depth_hz=0.0,
        size=0.6,
        patch=Patch(centre_px=(35.0, 160.0), degc=30.0),
    )
