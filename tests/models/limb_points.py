"""Points measured on a limb of known radius, as a depth camera at the origin would see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, Pose, unit
from models.surface import RadialSurface, empty_surface

NOISE_SIGMA_MM = 2.5
"""Noise of one depth reading along the line of sight; its 95 % bound is then 5 mm."""


@dataclass(frozen=True)
class Limb:
    """A limb along y whose nearest line lies before the camera; its radius changes by ``taper`` a mm of y."""

    radius_mm: float = 60.0
    taper: float = 0.0
    deep_mm: float = 900.0
    aside_mm: float = 0.0

    @property
    def centre_mm(self) -> Floats:
        """The place on the skin nearest to the camera, shape (3,)."""
        return np.array([self.aside_mm, 0.0, self.deep_mm])

    def at(self, angle_rad: Floats, y_mm: Floats) -> Floats:
        """Points of the skin, shape (..., 3); angle 0 faces the camera, x grows with it."""
        radius = self.radius_mm + self.taper * y_mm
        x = self.aside_mm + radius * np.sin(angle_rad)
        return np.stack([x, y_mm, self.deep_mm + self.radius_mm - radius * np.cos(angle_rad)], axis=-1)

    def outside_mm(self, points_mm: Floats) -> Floats:
        """Distance of points (..., 3) outside the skin, square to it."""
        x, y, z = np.moveaxis(points_mm, -1, 0)
        away = np.hypot(x - self.aside_mm, z - self.deep_mm - self.radius_mm)
        return (away - self.radius_mm - self.taper * y) / np.hypot(1.0, self.taper)

    def normal(self, points_mm: Floats) -> Floats:
        """Outward unit normals at points (..., 3) of the skin."""
        x, _, z = np.moveaxis(points_mm, -1, 0)
        out = np.stack([x - self.aside_mm, np.zeros_like(x), z - self.deep_mm - self.radius_mm], axis=-1)
        return unit(unit(out) - self.taper * np.array([0.0, 1.0, 0.0]))

    def seen(
        self,
        *,
        seed: int = 0,
        half_mm: float = 170.0,
        spacing_mm: float = 1.8,
        noise_mm: float = NOISE_SIGMA_MM,
    ) -> Floats:
        """What a camera at the origin sees of it, with noise along the line of sight, shape (n, 3)."""
        seeded = np.random.default_rng(seed)
        y, across = np.meshgrid(
            np.arange(-half_mm, half_mm, spacing_mm), np.arange(-0.98, 0.98, spacing_mm / self.radius_mm)
        )
        points = self.at(np.arcsin(across).ravel(), y.ravel())
        points = points[-(self.normal(points) * unit(points)).sum(1) > 0.1]
        return points + unit(points) * seeded.normal(0.0, noise_mm, (len(points), 1))

    def surface(
        self, *, moved: Pose | None = None, reach_mm: float = 200.0, turn_rad: float = 0.0
    ) -> RadialSurface:
        """An empty grid about the limb's true axis; ``turn_rad``: its middle lies round the limb."""
        moved = moved or Pose.identity()
        place = self.at(np.array(turn_rad), np.array(0.0))
        return empty_surface(
            centre_rgb_mm=moved.apply(place),
            normal_rgb=moved.rotate(self.normal(place)),
            v_rgb=moved.rotate(np.array([0.0, -1.0, 0.0])),
            nominal_mm=self.radius_mm,
            half_u_mm=reach_mm,
            half_v_mm=reach_mm,
            noise_u95_mm=2.0 * NOISE_SIGMA_MM,
        )
