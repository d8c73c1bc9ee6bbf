"""Poses of a nozzle spun about itself, with known truth and known errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, rotation_from_rvec, unit


@dataclass(frozen=True)
class Spinning:
    """How a nozzle is spun and how well it is tracked."""

    poses: int = 60
    arc_deg: float = 360.0
    axis: tuple[float, float, float] = (0.02, -0.03, 1.0)
    near_mm: tuple[float, float, float] = (0.8, 0.4, 0.0)
    """A point of the axis."""
    rotation_deg: float = 0.3
    """1 sigma, each axis."""
    translation_mm: float = 0.3
    wobble_deg: float = 0.0
    """Lean in the block, 1 sigma, each direction."""
    slide_mm: float = 5.0
    """Along the block, 1 sigma."""
    outliers: float = 0.0

    @property
    def near(self) -> Floats:
        """Point of the axis nearest to the nozzle's origin."""
        axis, point = unit(np.array(self.axis)), np.array(self.near_mm)
        return point - axis * float(axis @ point)


def spun(how: Spinning, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Rotations (n, 3, 3) and translations (n, 3), mm."""
    axis, first = unit(np.array(how.axis)), rotation_from_rvec(rng.normal(size=3))
    rotations, translations = [], []
    for _ in range(how.poses):
        leans = rotation_from_rvec(np.radians(how.wobble_deg) * rng.normal(size=3))
        turn = leans @ first @ rotation_from_rvec(axis * np.radians(how.arc_deg) * rng.uniform())
        slide = how.slide_mm * rng.normal() * (first @ axis)
        at_mm = np.array([20.0, -30.0, 800.0]) + slide - turn @ how.near
        turn = rotation_from_rvec(np.radians(how.rotation_deg) * rng.normal(size=3)) @ turn
        at_mm = at_mm + how.translation_mm * rng.normal(size=3)
        if rng.uniform() < how.outliers:
            turn = rotation_from_rvec(0.2 * rng.normal(size=3)) @ turn
            at_mm = at_mm + 10.0 * rng.normal(size=3)
        rotations.append(turn)
        translations.append(at_mm)
    return np.array(rotations), np.array(translations)
