"""A rig all of whose parts are stated with their bounds, and marks of when each was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from models.camera import Camera
from models.jet_profile import JetProfile
from models.nozzle_errors import NozzleErrors
from models.radiometry import StatedRadiometry
from models.rig import Rig, StatedHalo, StatedSpread
from models.stream_clock import StreamClock
from models.validity import RESTS_ON, Found, Validity
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def lens(camera: Camera, *, longer: float = 0.0) -> tuple[float, ...]:
    """A lens as a step notes it."""
    focal = (camera.fx_px * (1.0 + longer), camera.fy_px * (1.0 + longer), camera.cx_px, camera.cy_px)
    return (*focal, *(float(v) for v in camera.distortion))


def marked(rig: Rig, *, days: float = 0.0, other: str = "", longer: float | None = None) -> Validity:
    """All steps; `other` was found again since."""
    found = []
    for step, grounds in RESTS_ON.items():
        rested = tuple((g, "older" if g == other else g) for g in grounds)
        noted = lens(rig.rgb, longer=longer) if longer is not None and "rgb" in grounds else ()
        found.append(Found(step, NOW - timedelta(days=days), step, rested, noted))
    return Validity(tuple(found))


def stated_rig() -> Rig:
    """Calibrated in every part."""
    plain = real_rig(Scene())
    assert plain.thermal is not None
    assert plain.nozzle is not None
    assert plain.depth is not None
    count = len(plain.nozzle.tags.ids)
    stated = StatedRadiometry(NOW, 1.5, 16.0, 0.01, 0.0, np.eye(3) * 1e-4, 0.2, (0.0, 32.0))
    thermal = replace(
        plain.thermal,
        spread=StatedSpread(0.8, 0.05, StatedHalo(0.08, 7.0, 0.01)),
        clock=StreamClock(0.0, 0.002),
        radiometry=stated,
        covariance=np.diag([1.0] * 4 + [1e-6] * 5 + [1e-7] * 3 + [0.1] * 3),
    )
    depth = replace(
        plain.depth,
        covariance=np.diag([1.0] * 4 + [0.0] * 5 + [1e-7] * 3 + [0.1] * 3 + [1e-6, 0.25]),
    )
    jet = JetProfile("ln2-wand", 6.0, 0.1, 800.0, 100.0, 0.8, -30.0, 70.0, 150.0, 1.3, np.eye(5) * 1e-4)
    errors = NozzleErrors(np.eye(3) * 0.04, np.eye(2) * 1e-5, np.eye(3 * count) * 0.0025)
    return replace(
        plain,
        created=NOW,
        thermal=thermal,
        depth=depth,
        nozzle_errors=errors,
        jet=jet,
        rgb_covariance=np.diag([1.0] * 4 + [1e-6] * 5),
    )
