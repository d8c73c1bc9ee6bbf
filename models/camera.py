"""A pinhole camera with OpenCV's five-parameter lens distortion.

The distortion is a polynomial fitted to what a calibration saw. Past some radius it may turn round, so that
directions from outside the view land inside the picture again: there the model knows nothing, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.geometry import Bools, Floats, frozen

_NEWTON_STEPS = 50
"""Most steps to undo the lens; 3 to 6 are taken where the lens is far from its fold, up to 30 next to it."""

_WIDEST = 4.0
"""Tangent up to which the start of the iteration is tabled: 76 degrees off the optical axis."""

_UNDONE = 1e-10
"""Largest residual of an undone distortion, in tangents: 1e-7 px with a focal length of 1000 px."""


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
        object.__setattr__(self, "fold_square", _fold_square(distortion))

    @property
    def matrix(self) -> Floats:
        """3x3 camera matrix."""
        return np.array(
            [[self.fx_px, 0.0, self.cx_px], [0.0, self.fy_px, self.cy_px], [0.0, 0.0, 1.0]]
        )

    def project(self, points_mm: Floats) -> Floats:
        """Pixels (..., 2) of points (..., 3) in this camera's frame.

        NaN behind the camera and past the fold of the lens, where the distortion is not one-to-one.
        """
        z = points_mm[..., 2]
        safe_z = np.where(z > 1e-6, z, np.nan)
        x, y = points_mm[..., 0] / safe_z, points_mm[..., 1] / safe_z
        if np.any(self.distortion):
            known = self._before_fold(x, y)
            x, y = self._distort(np.where(known, x, np.nan), np.where(known, y, np.nan))
        return np.stack([self.fx_px * x + self.cx_px, self.fy_px * y + self.cy_px], axis=-1)

    def unproject(self, points_px: Floats) -> Floats:
        """Directions (..., 3) with z = 1 of pixels (..., 2), lens distortion undone.

        NaN (z too) for pixels that no direction before the fold of the lens reaches. Newton's method: next to
        the fold a fixed point needs thousands of rounds.
        """
        xd = (points_px[..., 0] - self.cx_px) / self.fx_px
        yd = (points_px[..., 1] - self.cy_px) / self.fy_px
        if not np.any(self.distortion):
            return np.stack([xd, yd, np.ones_like(xd)], axis=-1)
        x, y = self._undone_radially(xd, yd)
        for _ in range(_NEWTON_STEPS):
            xt, yt = self._distort(x, y)
            off_x, off_y = xd - xt, yd - yt
            if not np.any(np.hypot(off_x, off_y) > _UNDONE):
                break
            xx, xy, yx, yy = self._slopes(x, y)
            whole = xx * yy - xy * yx
            whole = np.where(np.abs(whole) > 1e-12, whole, np.nan)
            x, y = self._held(x + (yy * off_x - xy * off_y) / whole, y + (xx * off_y - yx * off_x) / whole)
        xt, yt = self._distort(x, y)
        undone = (np.hypot(xd - xt, yd - yt) <= 10.0 * _UNDONE) & self._before_fold(x, y)
        one = np.where(undone, 1.0, np.nan)
        return np.stack([x * one, y * one, one], axis=-1)

    def inside(self, points_px: Floats, margin_px: float = 0.0) -> Bools:
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

    def _slopes(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Derivatives dxd/dx, dxd/dy, dyd/dx, dyd/dy of the distortion."""
        k1, k2, p1, p2, k3 = self.distortion
        r2 = x * x + y * y
        radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
        growth = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3))
        xx = radial + x * x * growth + 2.0 * p1 * y + 6.0 * p2 * x
        yy = radial + y * y * growth + 6.0 * p1 * y + 2.0 * p2 * x
        xy = x * y * growth + 2.0 * p1 * x + 2.0 * p2 * y
        return xx, xy, xy, yy

    def _before_fold(self, x: Floats, y: Floats) -> Bools:
        """Where the distortion is one-to-one; False for NaN."""
        xx, xy, yx, yy = self._slopes(x, y)
        return (x * x + y * y < self.fold_square) & (xx * yy - xy * yx > 0.0)

    def _undone_radially(self, xd: Floats, yd: Floats) -> tuple[Floats, Floats]:
        """Start of the iteration: the radial part alone, read from a table."""
        r: Floats = np.linspace(0.0, min(np.sqrt(self.fold_square), _WIDEST), 512, dtype=np.float64)
        r2 = r * r
        k1, k2, _, _, k3 = self.distortion
        seen = np.hypot(xd, yd)
        share = np.interp(seen, r * (1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))), r) / np.maximum(seen, 1e-12)
        return self._held(xd * share, yd * share)

    def _held(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Pull directions past the fold back to just before it."""
        if not np.isfinite(self.fold_square):
            return x, y
        share = np.minimum(1.0, np.sqrt(0.999 * self.fold_square) / np.maximum(np.hypot(x, y), 1e-12))
        return x * share, y * share


def _fold_square(distortion: Floats) -> float:
    """Least positive r^2 at which r (1 + k1 r^2 + k2 r^4 + k3 r^6) stops growing."""
    k1, k2, _, _, k3 = distortion
    # In 1 / r^2 the leading coefficient is 1, so that terms next to nothing do no harm.
    roots = np.roots(np.array([1.0, 3.0 * k1, 5.0 * k2, 7.0 * k3]))
    real = roots.real[(np.abs(roots.imag) <= 1e-9 * np.abs(roots)) & (roots.real > 1e-6)]
    return float(1.0 / real.max()) if len(real) else float("inf")
