"""Whether the nozzle is seen as the steps of a guided run want it: tracked, and not moving fast."""

from __future__ import annotations

import numpy as np

from calibration.advice import Sight
from models.geometry import Floats
from models.rig import Rig


def not_yet(
    sight: Sight, last: Sight | None, rig: Rig, points_nozzle_mm: Floats, *, most_share: float, begin: str
) -> str:
    """Why a sight is of no use, as far as any step with the nozzle is concerned; empty = it may be.

    Args:
        sight: What is seen now.
        last: What was seen just before.
        rig: With the colour camera.
        points_nozzle_mm: That may not move fast in the picture, shape (n, 3).
        most_share: Of the picture's width a second, rms over the points.
        begin: What to say at the beginning.
    """
    here = sight.nozzle
    if isinstance(here, str):
        return f"The nozzle is not seen ({here})."
    if here.state != "tracked":
        return "The nozzle is not seen well."
    if last is None or isinstance(last.nozzle, str):
        return begin
    now_px, before_px = (
        rig.rgb.project(one.rgb_from_nozzle.apply(points_nozzle_mm)) for one in (here, last.nozzle)
    )
    square = np.sum((now_px - before_px) ** 2, axis=1)
    square = square[np.isfinite(square)]
    speed = np.sqrt(square.mean()) / max(sight.t_s - last.t_s, 1e-3) if len(square) else np.inf
    return "" if speed <= most_share * rig.rgb.width_px else "Slower."
