"""A pinhole camera with OpenCV's five-parameter lens distortion.

The distortion is a polynomial fitted to what a calibration saw. Past some radius it may turn round, so that
directions from outside the view land inside the picture again: there the model knows nothing, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.compiled import still
from models.geometry import Bools, Floats, frozen
from models.lens import projected, unprojected


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
    focal: Floats = field(init=False)
    """fx fy cx cy, px, shape (4,)."""
    fold_square: float = field(init=False)
    """Square of the tangent off the optical axis at which the radial polynomial turns round; inf = never."""

    def __post_init__(self) -> None:
        """Check the numbers that every later formula divides by, and find the lens's fold."""
        numbers = (self.width_px, self.height_px, self.fx_px, self.fy_px)
        if not all(np.isfinite(number) and number > 0 for number in numbers):
            raise ValueError("A camera needs a positive picture size and focal lengths.")
        distortion = frozen(np.asarray(self.distortion, float).reshape(5))
        if not np.isfinite([self.cx_px, self.cy_px, *distortion]).all():
            raise ValueError("A camera needs a finite principal point and distortion.")
        object.__setattr__(self, "distortion", distortion)
        focal = np.array([self.fx_px, self.fy_px, self.cx_px, self.cy_px], float)
        object.__setattr__(self, "focal", frozen(focal))
        object.__setattr__(self, "fold_square", _fold_square(distortion))

    @property
    def matrix(self) -> Floats:
        """3x3 camera matrix."""
        return np.array([[self.fx_px, 0.0, self.cx_px], [0.0, self.fy_px, self.cy_px], [0.0, 0.0, 1.0]])

    def project(self, points_mm: Floats) -> Floats:
        """Pixels (..., 2) of points (..., 3) in this camera's frame.

        NaN behind the camera and past the fold of the lens, where the distortion is not one-to-one.
        """
        points = still(np.asarray(points_mm, np.float64))
        px = projected(points.reshape(-1, 3), self.focal, self.distortion, self.fold_square)
        return px.reshape(*points.shape[:-1], 2)

    def unproject(self, points_px: Floats) -> Floats:
        """Directions (..., 3) with z = 1 of pixels (..., 2), lens distortion undone.

        NaN (z too) for pixels that no direction before the fold of the lens reaches.
        """
        points = still(np.asarray(points_px, np.float64))
        rays = unprojected(points.reshape(-1, 2), self.focal, self.distortion, self.fold_square)
        return rays.reshape(*points.shape[:-1], 3)

    def inside(self, points_px: Floats, margin_px: float = 0.0) -> Bools:
        """Which pixels (..., 2) lie inside the picture, at least ``margin_px`` from its edge."""
        x, y = points_px[..., 0], points_px[..., 1]
        return (
            (x >= margin_px)
            & (y >= margin_px)
            & (x <= self.width_px - 1 - margin_px)
            & (y <= self.height_px - 1 - margin_px)
        )


def _fold_square(distortion: Floats) -> float:
    """Least positive r^2 at which r (1 + k1 r^2 + k2 r^4 + k3 r^6) stops growing."""
    k1, k2, _, _, k3 = distortion
    # In 1 / r^2 the leading coefficient is 1, so that terms next to nothing do no harm.
    roots = np.roots(np.array([1.0, 3.0 * k1, 5.0 * k2, 7.0 * k3]))
    real = roots.real[(np.abs(roots.imag) <= 1e-9 * np.abs(roots)) & (roots.real > 1e-6)]
    return float(1.0 / real.max()) if len(real) else float("inf")
