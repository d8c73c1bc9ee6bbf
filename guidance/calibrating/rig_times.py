"""A capture of bare cameras with its pictures' times as a session of the rig has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.capture import Capture
from models.rig import Rig, exposed_thermal_s


def timed(capture: Capture, rig: Rig) -> Capture:
    """With the rig's clocks taken into account.

    Args:
        capture: Thermal and depth pictures as their cameras stamped them.
        rig: Whose clocks they are.
    """
    thermal, depth = capture.thermal, capture.depth
    if rig.thermal is not None:
        camera = rig.thermal
        thermal = tuple(
            replace(one, t_s=float(exposed_thermal_s(camera, np.asarray(one.t_s)))) for one in thermal
        )
    if rig.depth is not None and (clock := rig.depth.clock) is not None:
        depth = tuple(replace(one, t_s=float(clock.session_s(np.asarray(one.t_s)))) for one in depth)
    return replace(capture, thermal=thermal, depth=depth)
