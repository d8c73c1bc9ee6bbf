"""What the rig's other parts leave open of a burst, as far as they may be relied on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats
from models.rig import Rig
from models.rig_widened import UNMEASURED_CLOCK_S
from models.thermal_place import place_u95_px


@dataclass(frozen=True)
class LeftOpen:
    """95 % bounds."""

    clock_u95_s: float = UNMEASURED_CLOCK_S
    """Of the thermal pictures' times."""
    aside_u95_mm: float = 0.0
    """Of where the surface is looked up in the thermal picture."""
    size_u95: float = 0.0
    """Of how large the thermal picture shows it, as a share."""


def open_of(rig: Rig, centre_rgb_mm: Floats, *, t_s: float) -> LeftOpen:
    """By clock, place and lens of the thermal camera.

    Args:
        rig: As it may be relied on, with the thermal camera.
        centre_rgb_mm: Where the jet meets the surface, shape (3,).
        t_s: When it is looked at.
    """
    stands = rig.thermal
    assert stands is not None
    clock_s = UNMEASURED_CLOCK_S if stands.clock is None else stands.clock.u95_at_s(t_s)
    if stands.covariance is None:
        return LeftOpen(clock_s)
    away_mm = float(stands.thermal_from_rgb.apply(centre_rgb_mm[None])[0, 2])
    per_px = max(away_mm, 1.0) / stands.camera.fx_px
    share = 1.96 * float(np.sqrt(max(stands.covariance[0, 0], 0.0))) / stands.camera.fx_px
    # Nearer or farther than it stands, the camera shows all larger or smaller.
    nearer = 1.96 * float(np.sqrt(max(stands.covariance[14, 14], 0.0))) / max(away_mm, 1.0)
    return LeftOpen(
        clock_s, place_u95_px(stands, centre_rgb_mm[None]) * per_px, float(np.hypot(share, nearer))
    )
