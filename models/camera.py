"""A pinhole camera with OpenCV's five-parameter lens distortion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, frozen


@dataclass(frozen=True, eq=False)
class Camera:
    """Intrinsics of one camera; frame: x right, y down, z forward; pixel centres at integers."""

    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    distortion: Floats
    """OpenCV order k1 k2 p1 p2 k3, shape (5,)."""

    def __post_init__(self) -> None:
        """Check the numbers that every later formula divides by."""
        if self.width_px <= 0 or self.height_px <= 0 or self.fx_px <= 0 or self.fy_px <= 0:
            raise ValueError("A camera needs a positive picture size and focal lengths.")
        object.__setattr__(self, "distortion", frozen(np.asarray(self.distortion, float).reshape(5)))

    @property
    def matrix(self) -> Floats:
        """3x3 camera matrix."""
        return np.array(
            [[self.fx_px, 0.0, self.cx_px], [0.0, self.fy_px, self.cy_px], [0.0, 0.0, 1.0]]
        )

    def project(self, points_mm: Floats) -> Floats:
        """Pixels (..., 2) of points (..., 3) in this camera's frame; NaN behind the camera."""
        z = points_mm[..., 2]
        safe_z = np.where(z > 1e-6, z, np.nan)
        x, y = points_mm[..., 0] / safe_z, points_mm[..., 1] / safe_z
        xd, yd = self._distort(x, y)
        return np.stack([self.fx_px * xd + self.cx_px, self.fy_px * yd + self.cy_px], axis=-1)

    def unproject(self, points_px: Floats) -> Floats:
        """Directions (..., 3) with z = 1 of pixels (..., 2), lens distortion undone."""
        xd = (points_px[..., 0] - self.cx_px) / self.fx_px
        yd = (points_px[..., 1] - self.cy_px) / self.fy_px
        x, y = xd, yd
        if np.any(self.distortion):
            for _ in range(12):  # fixed-point iteration; 1e-9 after 12 rounds for |k| < 0.3
                xt, yt = self._distort(x, y)
                x, y = x + (xd - xt), y + (yd - yt)
        return np.stack([x, y, np.ones_like(x)], axis=-1)

    def inside(self, points_px: Floats, margin_px: float = 0.0) -> np.ndarray:
        """Which pixels (..., 2) lie inside the picture, at least ``margin_px`` from its edge."""
        x, y = points_px[..., 0], points_px[..., 1]
        return (
            (x >= margin_px)
            & (y >= margin_px)
            & (x <= self.width_px - 1 - margin_px)
            & (y <= self.height_px - 1 - margin_px)
        )

    def _distort(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        k1, k2, p1, p2, k3 = self.distortion
        r2 = x * x + y * y
        radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
        xd = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x)
        yd = y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y
        return xd, yd
